//! What phases make of a source, as text: the same bytes for the same source.

/// Its tokens, one a line: place, kind, text.
pub fn tokens(text: &str) -> String {
    let line = |(kind, span): (ksig_lang::SyntaxKind, ksig_lang::Span)| {
        format!("{:>5}..{:<5} {kind:?} {:?}\n", span.start, span.end, &text[span.start as usize..span.end as usize])
    };
    ksig_lang::tokens(text).into_iter().map(line).collect()
}
