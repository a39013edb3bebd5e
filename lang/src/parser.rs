//! From tokens to events, by hand, through every mistake.
//!
//! In: the tokens of one file, or of some of its parts. Out: for each part [`Event`]s that cover every token, and problems.
//! [`crate::tree`] builds the tree from the events.
//!
//! **Parts.** [`split`] cuts the file into items, and each is parsed as if it stood alone.
//!
//! **Lines.** A newline ends a statement. It does not where the rules call [`Parser::join`] (after an operator, a `,`, `=`, `:` or an
//! opening bracket) or [`Parser::continue_line`] (before an operator that can only continue a line).
//!
//! **Recovery.** A rule that cannot go on reports one problem and returns `None` up to the nearest place that knows where to go on: a
//! bracketed list goes on behind its closing bracket, a statement at the end of its line, a block at its `}` or where the next part starts.
//!
//! **Limits.** [`DEPTH_MAX`] nestings, and fuel for [`LOOKS_PER_TOKEN`] looks a token; neither can be passed by any text.

mod expressions;
mod items;
pub(crate) mod split;
mod statements;
mod tests;

pub use statements::STATEMENT_WORDS;
pub use tests::EXPECTATIONS;

use std::cell::Cell;

use crate::{
    diagnostic::{Diagnostic, FileId},
    say,
    source::Span,
    syntax::SyntaxKind::{self, *},
    text::Text,
};

/// Deepest nesting of blocks and expressions, and most parts of one chain (`a and b and ...`, `a.b.c...`).
pub const DEPTH_MAX: u32 = 64;

/// Looks at tokens that the parser may take for each token of a part.
pub(crate) const LOOKS_PER_TOKEN: u64 = 512;

/// Words that start an item.
pub const ITEM_WORDS: [&str; 12] =
    ["ksig", "module", "use", "table", "scheme", "vendor", "class", "tag", "probe", "let", "signature", "choice"];

/// Item words that no block has a statement for, so that one of them shows that the block was left open.
const BLOCK_ENDERS: [&str; 4] = ["table", "scheme", "signature", "choice"];

/// Words that continue a line when they start the next one; they name nothing but fields behind a dot.
pub const CONTINUERS: [&str; 9] = ["and", "or", "not", "if", "then", "else", "otherwise", "when", "where"];

/// Operators that are words and stand on the line of their left side.
pub const WORD_OPERATORS: [&str; 6] = ["in", "has", "contains", "starts", "ends", "under"];

/// No operand, binding or statement is called like this.
pub fn is_reserved(word: &str) -> bool {
    CONTINUERS.contains(&word) || WORD_OPERATORS.contains(&word)
}

/// A word that is a value, so that nothing else is called like this.
fn is_truth(word: &str) -> bool {
    matches!(word, "true" | "false")
}

/// A word that takes the value before it.
fn is_operator(word: &str) -> bool {
    is_reserved(word) || matches!(word, "absent" | "present")
}

/// What the parser did, in order.
pub(crate) enum Event {
    /// A node starts; `forward` is the event of a node that was found later and starts before this one.
    Start { kind: SyntaxKind, forward: Option<usize> },
    /// The next token that is not trivia.
    Token,
    /// The innermost node ends.
    Finish,
}

/// A finished node, to be wrapped by one that is found later.
#[derive(Clone, Copy)]
struct Closed(usize);

/// A rule either went through or has reported why not.
type Step = Option<()>;

#[derive(Clone, Copy)]
struct Token {
    kind: SyntaxKind,
    span: Span,
    /// A line starts with it.
    newline: bool,
    /// It stands at the start of its line without white space.
    margin: bool,
    /// The bracket that belongs to this one.
    partner: Option<usize>,
    /// Its place among all tokens.
    place: usize,
}

/// Where a run of parts stands.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// How many tokens are parsed; those behind them are only looked at.
    pub end: usize,
    /// The first token is the first of the file.
    pub head: bool,
    /// An item stands before.
    pub items: bool,
}

/// A part after parsing.
pub(crate) struct Part {
    /// Where it starts; `at` counts all tokens.
    pub cut: split::Cut,
    /// An item stands in it.
    pub items: bool,
    /// What the parser did.
    pub events: Vec<Event>,
    /// What it says.
    pub problems: Vec<Diagnostic>,
    /// How often it looked at a token.
    pub looks: u64,
}

/// Parses tokens of `text`, part by part.
pub(crate) fn parse(text: &str, tokens: &[(SyntaxKind, Span)], place: Place, file: FileId) -> Vec<Part> {
    parse_with(LOOKS_PER_TOKEN, text, tokens, place, file)
}

/// Where the parts start, counted in all tokens.
pub(crate) fn split(text: &str, tokens: &[(SyntaxKind, Span)], place: Place) -> Vec<split::Cut> {
    let (mut significant, end) = significant(tokens, place.end);
    let cuts = split::split(text, &mut significant, end, place.head);
    cuts.into_iter().map(|cut| split::Cut { at: place_of(cut, &significant), ..cut }).collect()
}

/// A cut's place among all tokens; what stands before the first token belongs to the first part.
fn place_of(cut: split::Cut, significant: &[Token]) -> usize {
    if cut.at == 0 { 0 } else { significant.get(cut.at).map_or(0, |token| token.place) }
}

fn parse_with(fuel: u64, text: &str, tokens: &[(SyntaxKind, Span)], place: Place, file: FileId) -> Vec<Part> {
    let (mut tokens, end) = significant(tokens, place.end);
    let cuts = split::split(text, &mut tokens, end, place.head);
    let mut parser = Parser {
        text,
        file,
        tokens,
        limit: 0,
        at: 0,
        joined: None,
        unclosed_at: None,
        events: Vec::new(),
        problems: Vec::new(),
        depth: 0,
        items: place.items,
        fuel: Cell::new(0),
    };
    let mut parts = Vec::with_capacity(cuts.len());
    for (number, &cut) in cuts.iter().enumerate() {
        parser.limit = cuts.get(number + 1).map_or(end, |next| next.at);
        let granted = fuel * (parser.limit - cut.at + 16) as u64;
        parser.fuel.set(granted);
        (parser.joined, parser.unclosed_at) = (None, None);
        let before = std::mem::replace(&mut parser.items, false);
        items::part(&mut parser, place.head && number == 0, before);
        parts.push(Part {
            cut: split::Cut { at: place_of(cut, &parser.tokens), ..cut },
            items: parser.items,
            events: std::mem::take(&mut parser.events),
            problems: std::mem::take(&mut parser.problems),
            looks: granted - parser.fuel.get(),
        });
        parser.items |= before;
    }
    parts
}

struct Parser<'t> {
    text: &'t str,
    file: FileId,
    tokens: Vec<Token>,
    /// Where the part ends.
    limit: usize,
    at: usize,
    /// The token whose newline does not count.
    joined: Option<usize>,
    /// Where an open block was reported, so that the blocks around it do not report it again.
    unclosed_at: Option<usize>,
    events: Vec<Event>,
    problems: Vec<Diagnostic>,
    depth: u32,
    /// An item stands in this part.
    items: bool,
    fuel: Cell<u64>,
}

impl<'t> Parser<'t> {
    // Looking.

    /// The token here; [`NEWLINE`] when the line ends before it.
    fn kind(&self) -> SyntaxKind {
        self.nth(0)
    }

    /// The token `n` ahead; [`NEWLINE`] when the line ends before it.
    fn nth(&self, n: usize) -> SyntaxKind {
        let left = self.fuel.get();
        if left == 0 {
            return EOF;
        }
        self.fuel.set(left - 1);
        for at in self.at..=self.at + n {
            match self.tokens.get(at) {
                None => return EOF,
                Some(token) if token.newline && self.joined != Some(at) => return NEWLINE,
                Some(token) if at == self.at + n => return token.kind,
                Some(_) => {}
            }
        }
        EOF
    }

    /// The token here whether or not a line starts with it.
    fn kind_past_newline(&self) -> SyntaxKind {
        if self.fuel.get() == 0 {
            return EOF;
        }
        self.tokens.get(self.at).map_or(EOF, |token| token.kind)
    }

    fn at(&self, kind: SyntaxKind) -> bool {
        self.kind() == kind
    }

    fn token_text(&self, at: usize) -> &'t str {
        self.tokens.get(at).map_or("", |token| &self.text[token.span.start as usize..token.span.end as usize])
    }

    /// The word here; empty when it is none.
    fn word(&self) -> &'t str {
        self.nth_word(0)
    }

    fn nth_word(&self, n: usize) -> &'t str {
        if self.nth(n) == IDENT { self.token_text(self.at + n) } else { "" }
    }

    fn at_word(&self, word: &str) -> bool {
        self.word() == word
    }

    /// The span of the token here, or of the end of the line before it.
    fn span(&self) -> Span {
        match self.tokens.get(self.at) {
            Some(token) if self.kind() != NEWLINE => token.span,
            _ => self.end_of_previous(),
        }
    }

    /// An empty place behind the last token, where something is missing.
    fn end_of_previous(&self) -> Span {
        let end = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.span.end);
        Span { start: end, end }
    }

    fn start(&self) -> u32 {
        self.tokens.get(self.at).map_or(self.text.len() as u32, |token| token.span.start)
    }

    // Moving.

    fn bump(&mut self) {
        if self.at < self.limit {
            self.events.push(Event::Token);
            self.at += 1;
        }
    }

    fn eat(&mut self, kind: SyntaxKind) -> bool {
        let here = self.at(kind);
        if here {
            self.bump();
        }
        here
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let here = self.at_word(word);
        if here {
            self.bump();
        }
        here
    }

    /// Lets the line go on behind a newline, unless what stands there can only be something new.
    fn join(&mut self) {
        if !self.at_new_line_only() {
            self.joined = Some(self.at);
        }
    }

    /// A line that no expression can go on with: the line before it lacks its end.
    fn at_new_line_only(&self) -> bool {
        if !self.tokens.get(self.at).is_some_and(|token| token.newline && token.kind == IDENT) {
            return false;
        }
        let Some(next) = self.tokens.get(self.at + 1).filter(|next| !next.newline) else { return false };
        let word = self.token_text(self.at);
        let next_word = self.token_text(self.at + 1);
        let item = ITEM_WORDS.contains(&word) && next.kind == IDENT && !is_operator(next_word);
        let statement = statements::STATEMENT_WORDS.contains(&word) && matches!(next.kind, L_BRACE | TEXT);
        item || statement
    }

    /// Lets the line go on when the next one starts with what can only continue it.
    fn continue_line(&mut self) {
        if self.kind() == NEWLINE && self.next_line_continues() {
            self.join();
        }
    }

    fn next_line_continues(&self) -> bool {
        match self.kind_past_newline() {
            IDENT => CONTINUERS.contains(&self.token_text(self.at)) && !matches!(self.token_text(self.at), "not" | "if"),
            FOREIGN => self.token_text(self.at) != "!",
            kind => matches!(kind, EQ_EQ | LT | LT_EQ | GT | GT_EQ | TILDE | DOT_DOT_LT | DOT_DOT_EQ),
        }
    }

    // Nodes.

    fn node(&mut self, kind: SyntaxKind, rule: impl FnOnce(&mut Self) -> Step) -> Option<Closed> {
        let start = self.events.len();
        self.events.push(Event::Start { kind, forward: None });
        let done = rule(self);
        self.events.push(Event::Finish);
        done.map(|()| Closed(start))
    }

    /// A node that starts where `inner` starts.
    fn wrap(&mut self, inner: Closed, kind: SyntaxKind, rule: impl FnOnce(&mut Self) -> Step) -> Option<Closed> {
        let start = self.events.len();
        if let Some(Event::Start { forward, .. }) = self.events.get_mut(inner.0) {
            *forward = Some(start);
        }
        self.node(kind, rule)
    }

    /// Runs a rule one level deeper.
    fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= DEPTH_MAX {
            return self.too_deep();
        }
        self.depth += 1;
        let done = rule(self);
        self.depth -= 1;
        done
    }

    fn too_deep<T>(&mut self) -> Option<T> {
        let problem = self
            .error(
                "too-deep",
                say!("this is nested more than {DEPTH_MAX} deep", "入れ子が{DEPTH_MAX}段を超えています"),
                self.span(),
                say!("one level too many", "この段が上限を超えます"),
            )
            .help(say!(
                "give parts of it names with `let`, or split the signature",
                "一部に`let`で名前を付けるか、シグネチャを分割してください"
            ));
        self.fail(problem)
    }

    // Problems.

    fn error(&self, code: &'static str, message: Text, span: Span, label: Text) -> Diagnostic {
        Diagnostic::error(code, message, self.file, span, label)
    }

    /// Reports and goes on.
    fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// Reports and gives up the rule.
    fn fail<T>(&mut self, problem: Diagnostic) -> Option<T> {
        self.problems.push(problem);
        None
    }

    /// Gives up the rule: something else should stand here.
    fn unexpected<T>(&mut self, wanted: Text) -> Option<T> {
        let problem = self.unexpected_problem(wanted);
        self.fail(problem)
    }

    /// The same, with what to do.
    fn unexpected_help<T>(&mut self, wanted: Text, help: Text) -> Option<T> {
        let problem = self.unexpected_problem(wanted).help(help);
        self.fail(problem)
    }

    fn unexpected_problem(&self, wanted: Text) -> Diagnostic {
        let found = self.found();
        let label = if wanted.en.len() <= 40 {
            say!("expected {wanted}", "{wanted}が必要です"; wanted)
        } else {
            say!("not expected here", "ここには書けません")
        };
        let message = say!("expected {wanted}, found {found}", "{wanted}が必要ですが、{found}があります"; wanted, found);
        self.error("unexpected-token", message, self.span(), label)
    }

    fn found(&self) -> Text {
        match self.kind() {
            IDENT | KEBAB | INT | FOREIGN => Text::quoted(format!("`{}`", self.token_text(self.at))),
            kind => kind.describe(),
        }
    }

    fn expect(&mut self, kind: SyntaxKind) -> Step {
        if self.eat(kind) {
            return Some(());
        }
        let mut problem = self.unexpected_problem(kind.describe());
        if let Some(sign) = sign(kind) {
            let what = say!("write `{sign}`", "`{sign}`と書く");
            problem = match self.kind() {
                EQ | EQ_EQ | COLON | FAT_ARROW => problem.fix(what, self.file, self.span(), sign),
                _ => problem.fix(what, self.file, self.end_of_previous(), if kind == EQ { " =" } else { sign }),
            };
        }
        self.fail(problem)
    }

    /// A text that is text, without a prefix.
    fn expect_text(&mut self, wanted: Text) -> Step {
        if self.at_plain_text() {
            self.bump();
            return Some(());
        }
        self.unexpected(wanted)
    }

    fn at_plain_text(&self) -> bool {
        self.at(TEXT) && self.token_text(self.at).starts_with('"')
    }

    fn expect_word(&mut self, word: &str) -> Step {
        if self.eat_word(word) { Some(()) } else { self.unexpected(Text::quoted(format!("`{word}`"))) }
    }

    // Recovery.

    /// Skips to the end of the statement: its line, or a `;`, or the `}` of its block. Brackets that have partners are skipped whole.
    fn recover(&mut self) {
        if self.at_statement_end() {
            return;
        }
        self.node(BROKEN, |p| {
            while !p.at_statement_end() {
                let partner = p.tokens.get(p.at).and_then(|token| token.partner);
                p.skip_to(partner.unwrap_or(p.at));
                p.continue_line();
            }
            Some(())
        });
    }

    fn at_statement_end(&self) -> bool {
        matches!(self.kind(), NEWLINE | SEMICOLON | R_BRACE | EOF)
    }

    /// Takes everything up to and with the token `last`.
    fn skip_to(&mut self, last: usize) {
        while self.at <= last && self.at < self.limit {
            self.bump();
        }
    }

    // Lists and blocks.

    /// A bracket and what `rule` finds in it, the closing one included. A rule that fails is skipped with the rest when that one is known.
    fn bracketed(&mut self, rule: impl FnOnce(&mut Self, usize) -> Step) -> Step {
        let opening = self.at;
        self.bump();
        let done = rule(self, opening);
        let partner = self.tokens.get(opening).and_then(|token| token.partner);
        match partner {
            Some(partner) if done.is_none() && partner >= self.at => {
                if partner > self.at {
                    self.node(BROKEN, |p| {
                        p.skip_to(partner - 1);
                        Some(())
                    });
                }
                self.bump();
                Some(())
            }
            _ => done,
        }
    }

    /// `open element, element close`; newlines stand around elements and commas. With `lines`, a newline separates as a comma does.
    fn list(&mut self, close: SyntaxKind, lines: bool, mut element: impl FnMut(&mut Self) -> Step) -> Step {
        self.bracketed(|p, opening| p.list_rest(opening, close, lines, &mut element))
    }

    /// `open expression close`; newlines stand around the expression.
    fn one(&mut self, close: SyntaxKind) -> Step {
        self.bracketed(|p, opening| {
            p.join();
            expressions::expr(p)?;
            if p.kind_past_newline() == close {
                p.join();
            }
            if p.eat(close) { Some(()) } else { p.list_stops(opening, close.describe()) }
        })
    }

    fn list_rest(&mut self, opening: usize, close: SyntaxKind, lines: bool, element: &mut impl FnMut(&mut Self) -> Step) -> Step {
        loop {
            self.join();
            if self.eat(close) {
                return Some(());
            }
            element(self)?;
            if matches!(self.kind_past_newline(), COMMA) || self.kind_past_newline() == close {
                self.join();
            }
            if self.eat(close) {
                return Some(());
            }
            if self.eat(COMMA) || (lines && self.at(NEWLINE)) {
                continue;
            }
            let close = close.describe();
            return self.list_stops(opening, say!("`,` or {close}", "`,`または{close}"; close));
        }
    }

    fn list_stops(&mut self, opening: usize, wanted: Text) -> Step {
        let mut problem = self.unexpected_problem(wanted.clone());
        if let Some(token) = self.tokens.get(opening).filter(|token| token.partner.is_none()) {
            let bracket = token.kind.describe();
            problem = self
                .error(
                    "unclosed-bracket",
                    say!("this {bracket} is never closed", "この{bracket}は閉じられていません"; bracket),
                    token.span,
                    say!("opened here", "ここで開いています"),
                )
                .label(self.file, self.span(), say!("expected {wanted}", "{wanted}が必要です"; wanted))
                .help(say!(
                    "close it on its line, or break the line beside a bracket or a comma",
                    "同じ行で閉じるか、括弧またはコンマの隣で改行してください"
                ));
        }
        self.fail(problem)
    }

    /// What stands before a block on its line. When that is broken, the block is still read.
    fn before_block(&mut self, rule: impl FnOnce(&mut Self) -> Step) -> Step {
        let done = rule(self);
        if done.is_some() || self.at(L_BRACE) {
            return Some(());
        }
        if self.at_statement_end() {
            return None;
        }
        self.node(BROKEN, |p| {
            while !p.at_statement_end() && !p.at(L_BRACE) {
                p.bump();
            }
            Some(())
        });
        self.at(L_BRACE).then_some(())
    }

    /// `{ line line }`: lines are separated by newlines or `;`. Each line recovers on its own.
    ///
    /// `ends_early` tells a line that can only belong outside: the block was left open.
    fn block(&mut self, ends_early: fn(&Self) -> bool, mut line: impl FnMut(&mut Self) -> Step) -> Step {
        if !self.at(L_BRACE) {
            return self.unexpected(Text::quoted("`{`"));
        }
        self.node(BLOCK, |p| p.nested(|p| p.block_rest(ends_early, &mut line))).map(|_| ())
    }

    /// A block that holds something.
    fn filled_block(&mut self, wanted: Text, ends_early: fn(&Self) -> bool, line: fn(&mut Self) -> Step) -> Step {
        let opening = self.span();
        let mut count = 0;
        self.block(ends_early, |p| {
            count += 1;
            line(p)
        })?;
        if count == 0 {
            let problem = self.error(
                "unexpected-token",
                say!("expected {wanted} between `{{` and `}}`", "`{{`と`}}`の間に{wanted}が必要です"; wanted),
                opening,
                say!("takes at least one", "一つ以上必要です"),
            );
            self.report(problem);
        }
        Some(())
    }

    fn block_rest(&mut self, ends_early: fn(&Self) -> bool, line: &mut impl FnMut(&mut Self) -> Step) -> Step {
        let opening = self.at;
        self.bump();
        let mut separated = true;
        loop {
            separated |= self.separators();
            if self.eat(R_BRACE) {
                return Some(());
            }
            if self.at(EOF) || self.at >= self.limit || ends_early(self) {
                return self.unclosed(opening);
            }
            self.separated_line(&mut separated, line);
        }
    }

    /// One line of a block or of the file; what follows it must be separated from it.
    fn separated_line(&mut self, separated: &mut bool, line: &mut impl FnMut(&mut Self) -> Step) {
        if !*separated {
            let problem = self.unexpected_problem(say!("the end of the line or `;`", "行末または`;`")).help(say!(
                "what stands before is whole; write the next statement on its own line, or put a `;` between",
                "ここまでで文は終わっています。次の文は別の行に書くか、`;`で区切ってください"
            ));
            self.report(problem);
            return self.recover();
        }
        *separated = false;
        let before = self.at;
        if line(self).is_none() {
            self.recover();
        }
        // A line that neither moved nor stands at an end would be met again for ever.
        if self.at == before && !self.at_statement_end() {
            self.node(BROKEN, |p| {
                p.bump();
                Some(())
            });
        }
    }

    /// Newlines and `;`; tells whether there was any.
    fn separators(&mut self) -> bool {
        let mut any = false;
        loop {
            match self.kind() {
                NEWLINE => self.joined = Some(self.at),
                SEMICOLON => self.bump(),
                _ => return any,
            }
            any = true;
        }
    }

    fn unclosed(&mut self, opening: usize) -> Step {
        let here = self.at;
        self.joined = None;
        if self.unclosed_at == Some(here) {
            return None;
        }
        self.unclosed_at = Some(here);
        let brace = self.tokens.get(opening).map(|token| token.span).unwrap_or_default();
        let mut problem = self.error(
            "unclosed-block",
            say!("this `{{` is never closed", "この`{{`は閉じられていません"),
            brace,
            say!("opened here", "ここで開いています"),
        );
        if let Some(token) = self.tokens.get(here) {
            problem = problem.label(self.file, token.span, say!("this starts something else", "ここから別のものが始まっています"));
        }
        let end = self.end_of_previous();
        let problem = problem.fix(say!("close it", "閉じる"), self.file, end, "\n}");
        self.fail(problem)
    }
}

/// The tokens that the parser sees, with their lines, and how many of them stand before the place `end`.
fn significant(all: &[(SyntaxKind, Span)], end: usize) -> (Vec<Token>, usize) {
    let mut tokens = Vec::with_capacity(all.len() / 2);
    let mut newline = all.first().is_some_and(|(_, span)| span.start > 0);
    let mut line_start = all.first().map_or(0, |(_, span)| span.start);
    let mut before = 0;
    for (place, &(kind, span)) in all.iter().enumerate() {
        match kind {
            NEWLINE => {
                newline = true;
                line_start = span.end;
            }
            // What starts no token was reported as such, and the rest of its line is still worth reading.
            _ if kind.is_trivia() || kind == ERROR => {}
            _ => {
                tokens.push(Token { kind, span, newline, margin: span.start == line_start, partner: None, place });
                newline = false;
                before += usize::from(place < end);
            }
        }
    }
    (tokens, before)
}

/// What a fix does that replaces the place by one word.
fn write(meant: &str) -> Text {
    say!("write `{meant}`", "`{meant}`と書く")
}

/// A sign that can be put in where it is missing.
fn sign(kind: SyntaxKind) -> Option<&'static str> {
    Some(match kind {
        EQ => "=",
        COLON => ":",
        FAT_ARROW => " =>",
        GT => ">",
        R_PAREN => ")",
        R_BRACKET => "]",
        _ => return None,
    })
}

/// The word of `known` that `word` was meant to be, if one is near.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let limit = match word.len() {
        0..=2 => return None,
        3..=5 => 1,
        _ => 2,
    };
    let scored = known.iter().map(|candidate| (distance(word, candidate), *candidate));
    scored.filter(|(distance, _)| *distance <= limit).min().map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap of neighbours) from one word to the other; words longer than 32 bytes are far from all.
fn distance(from: &str, to: &str) -> usize {
    let (from, to) = (from.as_bytes(), to.as_bytes());
    if from.len() > 32 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut cost = (row[j] + usize::from(a != b)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && from[i - 1] == *b && from[i] == to[j - 1] {
                cost = cost.min(before[j - 1] + 1);
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[to.len()]
}

#[cfg(test)]
mod fuel {
    use super::*;

    /// No text uses the fuel up, so the guard is tried with less of it a token.
    #[test]
    fn a_parser_without_fuel_stops_and_keeps_every_token() {
        let text = "ksig 1\nmodule a\nsignature s {\n  match { a == b and (c or d) }\n  tag t\n}\nlet x = [1, 2]\n";
        let tokens = crate::tokens(text);
        let place = Place { end: tokens.len(), head: true, items: false };
        for fuel in 0..8 {
            let parts = parse_with(fuel, text, &tokens, place, 0);
            let ends: Vec<usize> = parts.iter().skip(1).map(|part| part.cut.at).chain([tokens.len()]).collect();
            let (mut kept, mut problems) = (String::new(), Vec::new());
            for (part, end) in parts.into_iter().zip(ends) {
                let tree = crate::tree::build(text, &tokens[part.cut.at..end], part.events, &mut rowan::NodeCache::default());
                kept.push_str(&crate::SyntaxNode::new_root(tree).to_string());
                problems.extend(part.problems);
            }
            assert_eq!(kept, text);
            assert!(problems.is_empty() || problems.iter().any(|problem| problem.code == "too-complex"), "{fuel}: {problems:#?}");
            assert!(fuel > 0 || !problems.is_empty());
        }
    }
}
