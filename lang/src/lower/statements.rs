//! The body of a signature.

use super::{expressions::*, *};

pub(super) fn statement(node: &SyntaxNode) -> Option<Statement> {
    Some(match node.kind() {
        ATTRIBUTE => Statement::Meta(items::attribute(node)?),
        PROBE => Statement::Probe(items::probe(node)?),
        MATCH => Statement::Match { of: name(node), lines: lines(node), span: span(node) },
        FOLLOW => Statement::Follow(follow(node)?),
        EXTRACT => Statement::Extract(block(node).filter_map(|line| extract(&line)).collect(), span(node)),
        LET => Statement::Let(items::binding(node)?),
        IDENTIFY => Statement::Identify(record(node)),
        COMPONENT => Statement::Component(record(node)),
        DETAILS => Statement::Details(record(node)),
        SUPPORT => Statement::Support(record(node)),
        TAG_USE => Statement::Tag(tag(node)?),
        TEST => Statement::Test(tests::test(node)?),
        EXAMPLE => Statement::Example(tests::example(node)?),
        _ => return None,
    })
}

fn lines(node: &SyntaxNode) -> Vec<Line> {
    block(node).filter(|line| line.kind() == LINE).filter_map(|line| self::line(&line)).collect()
}

fn line(node: &SyntaxNode) -> Option<Line> {
    let label = child(node, LABEL).and_then(|label| text(&label));
    let body = node.children().find(|child| child.kind() != LABEL)?;
    Some(Line { kind: line_kind(&body)?, label, span: span(node) })
}

fn line_kind(node: &SyntaxNode) -> Option<LineKind> {
    Some(match node.kind() {
        ANY => LineKind::Any(lines(node)),
        ALL => LineKind::All(lines(node)),
        NONE => LineKind::None(lines(node)),
        AT_LEAST => LineKind::AtLeast(int(node)?, lines(node)),
        EACH => LineKind::Each { every: has_word(node, "all"), element: name(node)?, list: first_expr(node)?, lines: lines(node) },
        _ => LineKind::Condition(expr(node)?),
    })
}

fn follow(node: &SyntaxNode) -> Option<Follow> {
    let mut names = names(node);
    Some(Follow { name: names.next()?, call: first_expr(node)?, at: names.next(), span: span(node) })
}

fn extract(node: &SyntaxNode) -> Option<Extract> {
    if node.kind() != EXTRACT_LINE {
        return None;
    }
    Some(Extract { name: name(node)?, ty: ty(node)?, value: first_expr(node)?, span: span(node) })
}

fn record(node: &SyntaxNode) -> Record {
    let slots = block(node).filter(|line| line.kind() == SLOT).filter_map(|line| Some((name(&line)?, first_expr(&line)?)));
    Record { facet: name(node), slots: slots.collect(), span: span(node) }
}

fn tag(node: &SyntaxNode) -> Option<TagUse> {
    let args = child(node, ARGS).map(|args| children(&args, ARG).filter_map(|arg| Some((name(&arg)?, first_expr(&arg)?))).collect());
    let each = child(node, EACH_ROW).and_then(|each| {
        let name = name(&each)?;
        let mut parts = exprs(&each);
        Some((name, parts.next()?, parts.next()))
    });
    let when = child(node, WHEN).and_then(|when| first_expr(&when));
    Some(TagUse { name: name(node)?, args: args.unwrap_or_default(), each, when, span: span(node) })
}
