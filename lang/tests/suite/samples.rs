//! Sources that hold every construct of the grammar, with invented makers.

/// Every construct at least once, as the formatter writes it.
pub const EVERYTHING: &str = include_str!("samples/everything.ksig");
/// The commonest ones in few tokens.
pub const SMALL: &str = include_str!("samples/small.ksig");
/// Newlines and separators where they are allowed and nobody puts them.
pub const LINES: &str = include_str!("samples/lines.ksig");

pub const ALL: [&str; 3] = [EVERYTHING, SMALL, LINES];

/// What a tree says without where it says it.
pub fn without_spans(file: &ksig_lang::ast::File) -> String {
    let text = format!("{file:?}");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("Span { start: ") {
        out.push_str(&rest[..at]);
        let end = rest[at..].find('}').unwrap();
        rest = &rest[at + end + 1..];
    }
    out + rest
}
