//! The inside of literal tokens: their values, and what is wrong in them.
//!
//! [`check`] runs once for each token and reports; the functions that read values run later on the tree and are silent, as a wrong
//! escape was reported already.

use crate::{
    diagnostic::{Diagnostic, FileId},
    say,
    source::Span,
    syntax::SyntaxKind::{self, *},
    text::Text,
};

/// Most digits of an integer; more would not fit 64 bits.
pub const INT_DIGITS_MAX: usize = 18;

/// A text as a literal: `"..."`, with escapes for what nobody sees.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_format(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Characters that nobody sees.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What a token that starts with a digit, or with `-` and a digit, is.
pub(crate) fn number_kind(text: &str) -> SyntaxKind {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if digits(unsigned) && unsigned.len() <= INT_DIGITS_MAX {
        return INT;
    }
    if text.split('.').all(digits) {
        return match text.bytes().filter(|&byte| byte == b'.').count() {
            0 => BAD_NUMBER,
            1 => DECIMAL,
            _ => DOTTED,
        };
    }
    let parts: Vec<&str> = text.splitn(4, '-').collect();
    if let [year, month, day] = parts[..]
        && parts.iter().all(|part| digits(part))
        && [year.len(), month.len(), day.len()] == [4, 2, 2]
    {
        return DATE;
    }
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let count = text.len() - unit.len();
    if (1..=INT_DIGITS_MAX).contains(&count) && matches!(unit, "ms" | "s" | "m" | "h" | "d") {
        return DURATION;
    }
    BAD_NUMBER
}

/// The date that a [`DATE`] token writes; absent when no calendar has it.
pub(crate) fn date(text: &str) -> Option<jiff::civil::Date> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    jiff::civil::Date::new(year, month, day).ok()
}

/// A text token cut up.
pub(crate) struct TextParts<'a> {
    /// `cpe`; empty without one.
    pub prefix: &'a str,
    /// Between the quotes, before escapes.
    pub body: &'a str,
    /// Where `body` starts in the token.
    pub body_start: usize,
    /// The closing quote is there.
    pub closed: bool,
}

pub(crate) fn text_parts(token: &str) -> TextParts<'_> {
    let quote = token.find('"').unwrap_or(token.len());
    let body_start = (quote + 1).min(token.len());
    let rest = &token[body_start..];
    // A quote ends the token only where the lexer stopped on it, so an escaped one at the end means that none closed it.
    let closed = rest.ends_with('"') && {
        let slashes = rest[..rest.len() - 1].bytes().rev().take_while(|&byte| byte == b'\\').count();
        slashes % 2 == 0
    };
    let body = if closed { &rest[..rest.len() - 1] } else { rest };
    TextParts { prefix: &token[..quote], body, body_start, closed }
}

/// The text of a literal after escapes. In a `b"..."` literal each character of the result is one byte, U+0000 to U+00FF.
///
/// A wrong escape stands as it is written; `wrong` hears of it with its byte range in `body`.
pub(crate) fn unescape(body: &str, bytes: bool, mut wrong: impl FnMut(usize, usize)) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(found) = rest.find('\\') {
        out.push_str(&rest[..found]);
        let at = body.len() - rest.len() + found;
        let escape = &rest[found..];
        let (length, value) = escape_at(escape, bytes);
        match value {
            Some(character) => out.push(character),
            None => {
                wrong(at, at + length);
                out.push_str(&escape[..length]);
            }
        }
        rest = &escape[length..];
    }
    out.push_str(rest);
    out
}

/// Length and value of the escape at the start of `text`; a wrong one has no value.
fn escape_at(text: &str, bytes: bool) -> (usize, Option<char>) {
    let Some(letter) = text[1..].chars().next() else { return (1, None) };
    let simple = 1 + letter.len_utf8();
    match letter {
        '"' | '\\' => (2, Some(letter)),
        'n' => (2, Some('\n')),
        'r' => (2, Some('\r')),
        't' => (2, Some('\t')),
        'x' if bytes => {
            let digits = text.get(2..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
            match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(byte) => (4, Some(char::from(byte))),
                None => (2, None),
            }
        }
        'u' if !bytes => {
            let Some(inner) = text[2..].strip_prefix('{') else { return (2, None) };
            let digits = inner.bytes().take_while(u8::is_ascii_hexdigit).count();
            if !(1..=6).contains(&digits) || !inner[digits..].starts_with('}') {
                return (2, None);
            }
            (4 + digits, u32::from_str_radix(&inner[..digits], 16).ok().and_then(char::from_u32))
        }
        _ => (simple, None),
    }
}

/// A regex token cut up.
pub(crate) struct RegexParts<'a> {
    /// `b/.../`.
    pub bytes: bool,
    /// Between the slashes as written.
    pub pattern: &'a str,
    /// Where `pattern` starts in the token.
    pub pattern_start: usize,
    /// After the closing slash; empty without any.
    pub flags: &'a str,
    /// The closing slash is there.
    pub closed: bool,
}

pub(crate) fn regex_parts(token: &str) -> RegexParts<'_> {
    let bytes = token.starts_with('b');
    let pattern_start = 1 + usize::from(bytes);
    let rest = token.get(pattern_start..).unwrap_or_default();
    let mut at = 0;
    while let Some(&byte) = rest.as_bytes().get(at) {
        match byte {
            b'/' => return RegexParts { bytes, pattern: &rest[..at], pattern_start, flags: &rest[at + 1..], closed: true },
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    RegexParts { bytes, pattern: rest, pattern_start, flags: "", closed: false }
}

/// The pattern as the regex dialect reads it: `\/` is a slash, all other escapes stay.
pub(crate) fn regex_pattern(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('/') => out.push('/'),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// The words that stand behind a pattern, longer ones first.
pub const FLAGS: [&str; 5] = ["fold_width", "iu", "i", "m", "s"];

/// `iufold_width` as `iu` and `fold_width`: at each place the longest known flag; what is none stands as one piece to the end.
pub(crate) fn regex_flags(flags: &str) -> Vec<&str> {
    let mut rest = flags;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let length = FLAGS.iter().find(|flag| rest.starts_with(**flag)).map_or(rest.len(), |flag| flag.len());
        let (flag, after) = rest.split_at(length);
        found.push(flag);
        rest = after;
    }
    found
}

/// A heredoc token cut up.
pub(crate) struct HeredocParts<'a> {
    /// `http`; empty without one.
    pub prefix: &'a str,
    /// From the line after the opening to the start of the closing line, line ends included.
    pub body: &'a str,
    /// White space before the closing quotes.
    pub closing_indent: &'a str,
    /// What stands behind the opening quotes on their line.
    pub after_opening: &'a str,
    /// The closing quotes are there.
    pub closed: bool,
}

pub(crate) fn heredoc_parts(token: &str) -> HeredocParts<'_> {
    let quote = token.find('"').unwrap_or(token.len());
    let prefix = &token[..quote];
    let rest = token.get(quote + 3..).unwrap_or_default();
    let Some(line_end) = rest.find('\n') else {
        return HeredocParts { prefix, body: "", closing_indent: "", after_opening: rest, closed: rest.ends_with("\"\"\"") };
    };
    let after_opening = rest[..line_end].trim_end_matches([' ', '\t', '\r']);
    let inner = &rest[line_end + 1..];
    let last_line = inner.rfind('\n').map_or(0, |end| end + 1);
    let closing_indent = &inner[last_line..];
    match closing_indent.strip_suffix("\"\"\"") {
        Some(indent) if indent.bytes().all(|byte| matches!(byte, b' ' | b'\t')) => {
            HeredocParts { prefix, body: &inner[..last_line], closing_indent: indent, after_opening, closed: true }
        }
        _ => HeredocParts { prefix, body: inner, closing_indent: "", after_opening, closed: false },
    }
}

/// The text of a heredoc: the indentation that all its lines and the closing one share is taken off, each line ends in `\n`.
pub(crate) fn heredoc_text(parts: &HeredocParts<'_>) -> String {
    let lines = || parts.body.split_terminator('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let is_blank = |line: &str| line.bytes().all(|byte| matches!(byte, b' ' | b'\t'));
    let mut indent = parts.closing_indent;
    for line in lines().filter(|line| !is_blank(line)) {
        let shared = indent.bytes().zip(line.bytes()).take_while(|(a, b)| a == b).count();
        indent = &indent[..shared];
    }
    let mut text = String::with_capacity(parts.body.len());
    for line in lines() {
        // A blank line may be shorter than the indentation.
        text.push_str(line.strip_prefix(indent).unwrap_or_default());
        text.push('\n');
    }
    text
}

/// Reports what is wrong inside one token that starts at `start`.
pub(crate) fn check(kind: SyntaxKind, token: &str, start: u32, file: FileId, problems: &mut Vec<Diagnostic>) {
    let whole = Span { start, end: start + token.len() as u32 };
    let part = |from: usize, to: usize| Span { start: start + from as u32, end: start + to as u32 };
    match kind {
        TEXT => check_text(token, start, whole, file, problems),
        REGEX if !regex_parts(token).closed => problems.push(
            Diagnostic::error(
                "unterminated-regex",
                say!("this regex has no closing `/`", "この正規表現は`/`で閉じられていません"),
                file,
                whole,
                runs_to_the_end(),
            )
            .help(say!(
                "close it with `/`; write a slash inside it as `\\/`; quote a path: `\"/index.html\"`",
                "`/`で閉じてください。中のスラッシュは`\\/`と書き、パスは`\"/index.html\"`のように引用符で囲みます"
            )),
        ),
        HEREDOC => {
            let parts = heredoc_parts(token);
            let opening = part(0, parts.prefix.len() + 3);
            if !parts.closed {
                problems.push(
                    Diagnostic::error(
                        "unterminated-heredoc",
                        say!("this heredoc has no closing `\"\"\"`", "このヒアドキュメントは`\"\"\"`で閉じられていません"),
                        file,
                        opening,
                        say!("starts here", "ここから始まっています"),
                    )
                    .help(say!("close it with `\"\"\"` at the start of a line of its own", "独立した行の先頭に`\"\"\"`を書いて閉じてください")),
                );
            } else if !parts.after_opening.is_empty() {
                problems.push(
                    Diagnostic::error(
                        "heredoc-opening",
                        say!(
                            "the text of a heredoc starts on the line after `\"\"\"`",
                            "ヒアドキュメントの本文は`\"\"\"`の次の行から始まります"
                        ),
                        file,
                        opening,
                        say!("break the line here", "ここで改行してください"),
                    )
                    .help(say!("and the closing `\"\"\"` starts a line of its own", "閉じる`\"\"\"`も独立した行の先頭に書きます")),
                );
            }
        }
        BAD_NUMBER => problems.push(
            Diagnostic::error(
                "bad-number",
                say!("`{token}` is no number, date, duration or dotted number", "`{token}`は数値、日付、時間、ドット区切りの数値のいずれでもありません"),
                file,
                whole,
                say!("malformed", "形式が正しくありません"),
            )
            .help(say!(
                "numbers are `401`, `-5` (at most 18 digits); dates `2026-12-31`; durations `250ms`, `5s`, `10m`, `2h`, `14d`; versions `v\"1.2b\"`; anything else goes into quotes",
                "数値は`401`や`-5`（18桁まで）、日付は`2026-12-31`、時間は`250ms`、`5s`、`10m`、`2h`、`14d`、バージョンは`v\"1.2b\"`と書き、それ以外は引用符で囲みます"
            )),
        ),
        DATE if date(token).is_none() => problems.push(
            Diagnostic::error(
                "bad-date",
                say!("there is no day `{token}`", "`{token}`という日付は存在しません"),
                file,
                whole,
                say!("not in the calendar", "暦にない日付です"),
            )
            .help(say!("dates are year-month-day: `2026-12-31`", "日付は`2026-12-31`のように年-月-日で書きます")),
        ),
        ERROR => check_unknown(token, whole, file, problems),
        _ => {}
    }
}

fn runs_to_the_end() -> Text {
    say!("starts here and runs to the line's end", "ここから始まり、行末まで続いています")
}

fn check_text(token: &str, start: u32, whole: Span, file: FileId, problems: &mut Vec<Diagnostic>) {
    let parts = text_parts(token);
    if !parts.closed {
        problems.push(
            Diagnostic::error(
                "unterminated-text",
                say!("this text has no closing `\"`", "このテキストは`\"`で閉じられていません"),
                file,
                whole,
                runs_to_the_end(),
            )
            .help(say!(
                "close it on the same line; write a line break as `\\n`, a quote as `\\\"`",
                "同じ行で閉じてください。改行は`\\n`、引用符は`\\\"`と書きます"
            )),
        );
        return;
    }
    let bytes = parts.prefix == "b";
    let place = |from: usize, to: usize| {
        let base = start + parts.body_start as u32;
        Span { start: base + from as u32, end: base + to as u32 }
    };
    unescape(parts.body, bytes, |from, to| {
        let escape = &parts.body[from..to];
        let coded = if bytes { "\\x1b" } else { "\\u{1b}" };
        let mut problem = Diagnostic::error(
            "bad-escape",
            say!("`{escape}` is no escape here", "`{escape}`はここで使えるエスケープではありません"),
            file,
            place(from, to),
            say!("not known", "未知のエスケープです"),
        )
        .help(say!(
            "the escapes of this literal are `\\\"`, `\\\\`, `\\n`, `\\r`, `\\t`, `{coded}`",
            "このリテラルで使えるエスケープは`\\\"`、`\\\\`、`\\n`、`\\r`、`\\t`、`{coded}`です"
        ));
        if escape.starts_with("\\x") && !bytes {
            problem = problem.note(say!(
                "`\\x` writes a byte, so it stands only in `b\"...\"`",
                "`\\x`はバイトを表すため、`b\"...\"`の中だけで使えます"
            ));
        }
        problems.push(problem);
    });
    if bytes && let Some((at, character)) = parts.body.char_indices().find(|(_, character)| !character.is_ascii()) {
        problems.push(
            Diagnostic::error(
                "bytes-not-ascii",
                say!("a bytes literal holds only ASCII and escapes", "バイト列リテラルに書けるのはASCII文字とエスケープだけです"),
                file,
                place(at, at + character.len_utf8()),
                say!("not ASCII", "ASCII文字ではありません"),
            )
            .help(say!(
                "name the bytes by an encoding, `sjis\"...\"` or `eucjp\"...\"`, or write them as `\\xNN`",
                "`sjis\"...\"`や`eucjp\"...\"`で文字コードを示すか、`\\xNN`と書いてください"
            )),
        );
    }
}

/// Look-alikes that keyboards and word processors put into sources, and what was meant.
const LOOKALIKES: [(char, &str); 22] = [
    ('\u{3000}', " "),
    ('\u{A0}', " "),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('＂', "\""),
    ('｛', "{"),
    ('｝', "}"),
    ('（', "("),
    ('）', ")"),
    ('［', "["),
    ('］', "]"),
    ('，', ","),
    ('、', ","),
    ('；', ";"),
    ('：', ":"),
    ('＝', "="),
    ('／', "/"),
    ('～', "~"),
    ('〜', "~"),
    ('．', "."),
    ('。', "."),
];

fn check_unknown(token: &str, whole: Span, file: FileId, problems: &mut Vec<Diagnostic>) {
    let first = token.chars().next().unwrap_or('\u{FFFD}');
    let code = u32::from(first);
    let mut problem = Diagnostic::error(
        "unexpected-character",
        if first.is_control() || first.is_whitespace() {
            say!("the character U+{code:04X} has no meaning here", "文字U+{code:04X}はここでは意味を持ちません")
        } else {
            say!("`{first}` has no meaning here", "`{first}`はここでは意味を持ちません")
        },
        file,
        whole,
        say!("starts no token", "トークンの始まりになりません"),
    );
    let meant: Option<String> =
        token.chars().map(|character| LOOKALIKES.iter().find(|(from, _)| *from == character).map(|(_, to)| *to)).collect();
    if let Some(meant) = meant {
        let what = match meant.trim() {
            "" => say!("write a plain space", "半角スペースを書く"),
            meant => say!("write `{meant}`", "`{meant}`と書く"),
        };
        problem = problem.fix(what, file, whole, meant);
    } else if first == '#' {
        problem = problem.help(say!("a comment starts with `//`", "コメントは`//`で始めます"));
    } else if first == '\'' {
        problem = problem.help(say!("texts stand in double quotes", "テキストは二重引用符で囲みます"));
    } else if first.is_alphabetic() {
        problem = problem.help(say!(
            "names are ASCII; other scripts stand in quotes",
            "名前はASCII文字だけです。日本語などの文字は引用符の中に書きます"
        ));
    }
    problems.push(problem);
}
