//! Expressions.

use super::*;

/// The expressions right below a node, in order.
pub(super) fn exprs(node: &SyntaxNode) -> impl Iterator<Item = Expr> {
    node.children().filter_map(|child| expr(&child))
}

pub(super) fn first_expr(node: &SyntaxNode) -> Option<Expr> {
    node.children().find(|child| child.kind().is_expr()).and_then(|child| expr(&child))
}

pub(super) fn expr(node: &SyntaxNode) -> Option<Expr> {
    match node.kind() {
        // Parentheses group and say nothing.
        PAREN_EXPR => return first_expr(node),
        FIELD_EXPR => return field(node),
        _ => {}
    }
    kind(node).map(|kind| Expr { kind, span: span(node) })
}

fn kind(node: &SyntaxNode) -> Option<ExprKind> {
    let boxed = || boxed_first(node);
    Some(match node.kind() {
        LITERAL => literal_kind(&tokens(node).find(|token| !token.kind().is_trivia())?)?,
        NAME_EXPR => name_kind(&tokens(node).find(|token| !token.kind().is_trivia())?),
        INDEX_EXPR => {
            let (base, key) = two(node)?;
            ExprKind::Index(base, key)
        }
        CALL_EXPR => ExprKind::Call(boxed()?, args(&child(node, ARGS)?)),
        NOT_EXPR => ExprKind::Not(boxed()?),
        TEST_EXPR if has_word(node, "absent") => ExprKind::Absent(boxed()?),
        TEST_EXPR => ExprKind::Present(boxed()?),
        BINARY_EXPR => binary(node)?,
        RANGE_EXPR => {
            let (low, high) = two(node)?;
            ExprKind::Range { low, high, inclusive: token(node, DOT_DOT_EQ).is_some() }
        }
        IF_EXPR => {
            let mut parts = operands(node);
            ExprKind::If(Box::new(parts.next()??), Box::new(parts.next()??), Box::new(parts.next()??))
        }
        FIRST_OF => ExprKind::FirstOf(block(node).filter_map(|line| expr(&line)).collect()),
        LIST_EXPR => ExprKind::List(exprs(node).collect()),
        RECORD_EXPR => ExprKind::Record(entries(node)),
        WORDED_EXPR => ExprKind::Worded(name(node)?, boxed()?),
        _ => return None,
    })
}

fn boxed_first(node: &SyntaxNode) -> Option<Box<Expr>> {
    first_expr(node).map(Box::new)
}

/// The operands of a node; one that is there but broken is `None`, so that none takes its place.
fn operands(node: &SyntaxNode) -> impl Iterator<Item = Option<Expr>> {
    node.children().filter(|child| child.kind().is_expr()).map(|child| expr(&child))
}

fn two(node: &SyntaxNode) -> Option<(Box<Expr>, Box<Expr>)> {
    let mut parts = operands(node);
    Some((Box::new(parts.next()??), Box::new(parts.next()??)))
}

fn literal_kind(token: &SyntaxToken) -> Option<ExprKind> {
    let written = token.text();
    Some(match token.kind() {
        TEXT => {
            let parts = literal::text_parts(written);
            let value = literal::unescape(parts.body, parts.prefix == "b", |_, _| ());
            if parts.prefix.is_empty() { ExprKind::Text(value) } else { ExprKind::Prefixed(parts.prefix.to_owned(), value) }
        }
        INT => ExprKind::Int(written.parse().ok()?),
        DATE => ExprKind::Date(literal::date(written)?),
        DURATION => ExprKind::Duration(written.to_owned()),
        DOTTED => ExprKind::Dotted(written.to_owned()),
        REGEX => regex(token),
        _ => return None,
    })
}

fn regex(token: &SyntaxToken) -> ExprKind {
    let whole = token_span(token);
    let parts = literal::regex_parts(token.text());
    let start = whole.start + parts.pattern_start as u32;
    let pattern_span = Span { start, end: start + parts.pattern.len() as u32 };
    let mut at = pattern_span.end + 1;
    let flags = literal::regex_flags(parts.flags).into_iter().map(|flag| {
        let span = Span { start: at, end: at + flag.len() as u32 };
        at = span.end;
        Spanned { value: flag.to_owned(), span }
    });
    ExprKind::Regex { pattern: literal::regex_pattern(parts.pattern), pattern_span, flags: flags.collect(), bytes: parts.bytes }
}

fn name_kind(token: &SyntaxToken) -> ExprKind {
    match token.text() {
        "true" => ExprKind::Bool(true),
        "false" => ExprKind::Bool(false),
        name => ExprKind::Name(name.to_owned()),
    }
}

/// `a.b`; the digits of `a.1.2` come as one token and are two fields.
fn field(node: &SyntaxNode) -> Option<Expr> {
    let mut base = first_expr(node)?;
    let segment = tokens(node).find(|token| matches!(token.kind(), IDENT | INT | DECIMAL | DOTTED))?;
    let mut start = token_span(&segment).start;
    for part in segment.text().split('.') {
        let end = start + part.len() as u32;
        let name = Spanned { value: part.to_owned(), span: Span { start, end } };
        let whole = Span { start: base.span.start, end };
        base = Expr { kind: ExprKind::Field(Box::new(base), name), span: whole };
        start = end + 1;
    }
    Some(base)
}

fn args(node: &SyntaxNode) -> Vec<Arg> {
    children(node, ARG).filter_map(|arg| Some(Arg { name: name(&arg), value: first_expr(&arg)? })).collect()
}

fn binary(node: &SyntaxNode) -> Option<ExprKind> {
    let (left, right) = two(node)?;
    let sign = tokens(node).find(|token| !token.kind().is_trivia())?;
    let op = match (sign.kind(), sign.text()) {
        (IDENT, "otherwise") => return Some(ExprKind::Otherwise(left, right)),
        (IDENT, "and") => BinaryOp::And,
        (IDENT, "or") => BinaryOp::Or,
        (IDENT, "in") => BinaryOp::In,
        (IDENT, "has") => BinaryOp::Has,
        (IDENT, "contains") => BinaryOp::Contains,
        (IDENT, "starts") => BinaryOp::Starts,
        (IDENT, "ends") => BinaryOp::Ends,
        (IDENT, "under") => BinaryOp::Under,
        (EQ_EQ, _) => BinaryOp::Eq,
        (LT, _) => BinaryOp::Lt,
        (LT_EQ, _) => BinaryOp::Le,
        (GT, _) => BinaryOp::Gt,
        (GT_EQ, _) => BinaryOp::Ge,
        (TILDE, _) => BinaryOp::Matches,
        _ => return None,
    };
    Some(ExprKind::Binary(op, left, right))
}

/// `key: value` of a record or of facts; the key as written, without quotes.
pub(super) fn entries(node: &SyntaxNode) -> Vec<(Name, Expr)> {
    children(node, RECORD_ENTRY).filter_map(|entry| Some((key(&child(&entry, KEY)?)?, first_expr(&entry)?))).collect()
}

fn key(node: &SyntaxNode) -> Option<Name> {
    if let Some(text) = text(node) {
        return Some(text);
    }
    let value: String = tokens(node).filter(|token| !token.kind().is_trivia()).map(|token| token.text().to_owned()).collect();
    if value.is_empty() { None } else { Some(Spanned { value, span: span(node) }) }
}

/// The node's own number.
pub(super) fn int(node: &SyntaxNode) -> Option<Spanned<u32>> {
    ints(node).next()
}

pub(super) fn ints(node: &SyntaxNode) -> impl Iterator<Item = Spanned<u32>> + use<> {
    let tokens: Vec<SyntaxToken> = tokens(node).filter(|token| token.kind() == INT).collect();
    tokens.into_iter().filter_map(|token| Some(Spanned { value: token.text().parse().ok()?, span: token_span(&token) }))
}
