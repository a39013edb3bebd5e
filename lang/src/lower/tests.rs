//! `test` and `example`.

use super::{expressions::*, *};

pub(super) fn test(node: &SyntaxNode) -> Option<Test> {
    let lines: Vec<SyntaxNode> = block(node).collect();
    let of = |kind: SyntaxKind| lines.iter().filter(move |line| line.kind() == kind);
    Some(Test {
        name: text(node)?,
        at: child(node, AT).and_then(|at| first_expr(&at)),
        given: of(GIVEN).filter_map(given).collect(),
        with: of(WITH).filter_map(|line| Some((name(line)?, first_expr(line)?))).collect(),
        expect: of(EXPECT).filter_map(expect).collect(),
        span: span(node),
    })
}

fn given(node: &SyntaxNode) -> Option<Given> {
    let from = child(node, FROM).and_then(|from| tokens(&from).find_map(|token| address(&token)));
    Some(Given { probe: name(node)?, fixture: node.children().find_map(|child| fixture(&child))?, from, span: span(node) })
}

fn address(token: &SyntaxToken) -> Option<Text> {
    match token.kind() {
        TEXT => Some(text_of(token)),
        DOTTED => Some(token_name(token)),
        _ => None,
    }
}

fn fixture(node: &SyntaxNode) -> Option<Fixture> {
    match node.kind() {
        LITERAL => heredoc(&token(node, HEREDOC)?),
        FILE_FIXTURE => text(node).map(Fixture::File),
        FACTS => Some(Fixture::Facts { kind: name(node)?, facts: entries(node) }),
        TIMEOUT => Some(Fixture::Timeout(span(node))),
        REFUSED => Some(Fixture::Refused(span(node))),
        _ => None,
    }
}

fn heredoc(token: &SyntaxToken) -> Option<Fixture> {
    let parts = literal::heredoc_parts(token.text());
    if parts.prefix.is_empty() {
        return None;
    }
    let whole = token_span(token);
    let kind = Spanned { value: parts.prefix.to_owned(), span: Span { start: whole.start, end: whole.start + parts.prefix.len() as u32 } };
    let text = Spanned { value: literal::heredoc_text(&parts), span: Span { start: kind.span.end, end: whole.end } };
    Some(Fixture::Inline { kind, text })
}

fn expect(node: &SyntaxNode) -> Option<Expect> {
    let whole = span(node);
    let what = tokens(node).filter(|token| token.kind() == IDENT).nth(1)?;
    let record = || child(node, RECORD_EXPR).map(|record| entries(&record));
    let list = || child(node, NAMES).map(|list| names(&list).collect());
    Some(match what.text() {
        "identify" => Expect::Identify(record()?, whole),
        "captures" => Expect::Captures(record()?, whole),
        "resolved" if has_word(node, "unknown") => Expect::Resolved(Vec::new(), whole),
        "resolved" => Expect::Resolved(record()?, whole),
        "no_match" => Expect::NoMatch(text(node), whole),
        "tags" => Expect::Tags(list()?, whole),
        "sent" => Expect::Sent(list()?, whole),
        _ => return None,
    })
}

pub(super) fn example(node: &SyntaxNode) -> Option<Example> {
    let mut parts = exprs(node);
    let (value, field) = (parts.next()?, parts.next()?);
    let expect = match child(node, RECORD_EXPR) {
        Some(record) => Some(entries(&record)),
        None if has_word(node, "nothing") => None,
        None => return None,
    };
    Some(Example { value, field, expect, span: span(node) })
}
