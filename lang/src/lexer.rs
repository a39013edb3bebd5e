//! Cuts a source into tokens: every byte is in exactly one of them.
//!
//! In: text. Out: kinds and spans, trivia included. Nothing is refused here; a token that is wrong inside (an escape, a date) keeps its
//! kind and [`crate::literal::check`] says what is wrong.
//!
//! Texts, regexes and heredocs each have a mode: logos finds the opening, a function below takes the rest. A `/` always starts a regex,
//! as no operator is written with it.

use logos::{Lexer, Logos};

use crate::{
    literal,
    source::Span,
    syntax::SyntaxKind::{self, *},
};

/// The tokens of `text` in order; they cover it without gap or overlap.
pub fn tokens(text: &str) -> Vec<(SyntaxKind, Span)> {
    Tokens::new(text, 0).collect()
}

/// The tokens of `text` from a place where one starts.
pub(crate) struct Tokens<'t> {
    text: &'t str,
    from: usize,
    lexer: logos::SpannedIter<'t, SyntaxKind>,
    /// Read, but not given: what starts no token may go on.
    next: Option<(SyntaxKind, Span)>,
}

impl<'t> Tokens<'t> {
    pub fn new(text: &'t str, from: usize) -> Tokens<'t> {
        let mut tokens = Tokens { text, from, lexer: SyntaxKind::lexer(&text[from..]).spanned(), next: None };
        tokens.next = tokens.cut();
        tokens
    }

    /// Bytes that were looked at so far: each once in its token, and more where the end of a heredoc was sought.
    pub fn looked_at(&self) -> usize {
        self.lexer.span().end + self.lexer.extras.sought
    }

    fn cut(&mut self) -> Option<(SyntaxKind, Span)> {
        let (kind, range) = self.lexer.next()?;
        match kind {
            Ok(WHITESPACE) => {}
            kind => self.lexer.extras.behind_dot = kind == Ok(DOT),
        }
        let (start, end) = (self.from + range.start, self.from + range.end);
        let kind = refine(kind.unwrap_or(ERROR), &self.text[start..end], start);
        Some((kind, Span { start: start as u32, end: end as u32 }))
    }
}

impl Iterator for Tokens<'_> {
    type Item = (SyntaxKind, Span);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, mut span) = self.next.take()?;
        loop {
            self.next = self.cut();
            match self.next {
                Some((ERROR, more)) if kind == ERROR => span.end = more.end,
                _ => return Some((kind, span)),
            }
        }
    }
}

/// Tells apart what one pattern of the lexer takes together.
fn refine(kind: SyntaxKind, text: &str, start: usize) -> SyntaxKind {
    match kind {
        COMMENT if text.starts_with("///") && !text.starts_with("////") => DOC_COMMENT,
        BAD_NUMBER => literal::number_kind(text),
        WHITESPACE if text == "\u{FEFF}" && start != 0 => ERROR,
        kind => kind,
    }
}

/// After `"`: to the closing quote, or to the line's end when there is none.
pub(crate) fn text_rest(lexer: &mut Lexer<'_, SyntaxKind>) {
    take_until(lexer, b'"');
}

/// After `/`: to the closing slash and its flags, or to the line's end when there is none.
pub(crate) fn regex_rest(lexer: &mut Lexer<'_, SyntaxKind>) {
    if take_until(lexer, b'/') {
        let flags = lexer.remainder().bytes().take_while(|&byte| literal::is_word(byte)).count();
        lexer.bump(flags);
    }
}

/// After the first part of a number: all that hangs on it. Behind a dot, digits are parts of a name, so that they end before `.name`.
pub(crate) fn number_rest(lexer: &mut Lexer<'_, SyntaxKind>) {
    let mut digits = lexer.extras.behind_dot && lexer.slice().bytes().all(|byte| byte.is_ascii_digit());
    while let [sign @ (b'.' | b'-'), next, ..] = *lexer.remainder().as_bytes()
        && literal::is_word(next)
    {
        if digits && sign == b'.' && !next.is_ascii_digit() {
            return;
        }
        let part = lexer.remainder().bytes().skip(1).take_while(|&byte| literal::is_word(byte)).count();
        digits &= sign == b'.' && lexer.remainder()[1..=part].bytes().all(|byte| byte.is_ascii_digit());
        lexer.bump(1 + part);
    }
}

fn take_until(lexer: &mut Lexer<'_, SyntaxKind>, close: u8) -> bool {
    let rest = lexer.remainder().as_bytes();
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\n' | b'\r' => break,
            b'\\' if !matches!(rest.get(at + 1), None | Some(b'\n' | b'\r')) => at += 2,
            _ if byte == close => {
                lexer.bump(at + 1);
                return true;
            }
            _ => at += 1,
        }
    }
    // An escape may have stepped into the middle of a character.
    while !lexer.remainder().is_char_boundary(at) {
        at += 1;
    }
    lexer.bump(at);
    false
}

/// After `"""`: to the first later line that starts with `"""` behind spaces.
///
/// Without such a line the token ends before the next line that starts at the margin, so that the items after it are still seen.
pub(crate) fn heredoc_rest(lexer: &mut Lexer<'_, SyntaxKind>) {
    let rest = lexer.remainder();
    let first_line = first_line(rest);
    if first_line.ends_with("\"\"\"") {
        lexer.bump(first_line.len());
        return;
    }
    let mut at = first_line.len();
    let mut margin = None;
    while at < rest.len() {
        let line = &rest[at + 1..];
        let line = line.find('\n').map_or(line, |end| &line[..end]);
        let content = line.trim_start_matches([' ', '\t']);
        if content.starts_with("\"\"\"") {
            lexer.extras.sought += at;
            lexer.bump(at + 1 + (line.len() - content.len()) + 3);
            return;
        }
        if margin.is_none() && content.len() == line.len() && starts_item(line) {
            margin = Some(at);
            if lexer.extras.no_close {
                break;
            }
        }
        at += 1 + line.len();
    }
    lexer.extras.sought += at;
    // No later heredoc has a closing line either; remembering it keeps a file of nothing but openings linear.
    lexer.extras.no_close = true;
    lexer.bump(margin.unwrap_or(rest.len()));
}

/// The rest of the opening's line, or what of it goes to a `"""` on the same line. One pass, as a line may hold many openings.
fn first_line(rest: &str) -> &str {
    let bytes = rest.as_bytes();
    let end = (0..bytes.len()).find_map(|at| match &bytes[at..] {
        [b'\n', ..] => Some(at),
        [b'"', b'"', b'"', ..] => Some(at + 3),
        _ => None,
    });
    &rest[..end.unwrap_or(rest.len())]
}

fn starts_item(line: &str) -> bool {
    let word = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    crate::parser::ITEM_WORDS.contains(&word)
}

/// What the lexer remembers between tokens.
#[derive(Default)]
pub struct Memory {
    /// No heredoc after this place has a closing line.
    no_close: bool,
    /// The last token that is not white space is a `.`.
    behind_dot: bool,
    /// Bytes at which the end of a heredoc was sought.
    sought: usize,
}
