//! From the lossless tree to the typed [`ast`](crate::ast).
//!
//! A node that lacks a part it cannot do without is left out: its problem was reported where the part is missing.

mod expressions;
mod items;
mod statements;
mod tests;

pub(crate) use items::{file, file_from};

use crate::{
    ast::*,
    literal,
    syntax::{
        SyntaxKind::{self, *},
        SyntaxNode, SyntaxToken,
    },
};

fn span(node: &SyntaxNode) -> Span {
    range_span(node.text_range())
}

fn token_span(token: &SyntaxToken) -> Span {
    range_span(token.text_range())
}

fn range_span(range: rowan::TextRange) -> Span {
    Span { start: range.start().into(), end: range.end().into() }
}

fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|child| child.kind() == kind)
}

fn children(node: &SyntaxNode, kind: SyntaxKind) -> impl Iterator<Item = SyntaxNode> {
    node.children().filter(move |child| child.kind() == kind)
}

/// The statements of the node's `{ }`.
fn block(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> + use<> {
    child(node, BLOCK).into_iter().flat_map(|block| block.children())
}

fn token(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxToken> {
    tokens(node).find(|token| token.kind() == kind)
}

fn tokens(node: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> {
    node.children_with_tokens().filter_map(|element| element.into_token())
}

/// A word among the node's own tokens.
fn has_word(node: &SyntaxNode, word: &str) -> bool {
    tokens(node).any(|token| token.kind() == IDENT && token.text() == word)
}

fn token_name(token: &SyntaxToken) -> Name {
    Spanned { value: token.text().to_owned(), span: token_span(token) }
}

fn name_of(node: &SyntaxNode) -> Option<Name> {
    tokens(node).find(|token| matches!(token.kind(), IDENT | KEBAB)).map(|token| token_name(&token))
}

/// The node's first [`NAME`].
fn name(node: &SyntaxNode) -> Option<Name> {
    names(node).next()
}

fn names(node: &SyntaxNode) -> impl Iterator<Item = Name> {
    children(node, NAME).filter_map(|name| name_of(&name))
}

fn path(node: &SyntaxNode) -> Option<Path> {
    child(node, PATH).and_then(|path| path_of(&path))
}

fn path_of(node: &SyntaxNode) -> Option<Path> {
    let segments: Vec<Name> = tokens(node).filter(|token| token.kind() == IDENT).map(|token| token_name(&token)).collect();
    if segments.is_empty() { None } else { Some(Spanned { value: segments, span: span(node) }) }
}

/// The node's own text token.
fn text(node: &SyntaxNode) -> Option<Text> {
    token(node, TEXT).map(|token| text_of(&token))
}

fn text_of(token: &SyntaxToken) -> Text {
    let parts = literal::text_parts(token.text());
    Spanned { value: literal::unescape(parts.body, parts.prefix == "b", |_, _| ()), span: token_span(token) }
}

/// The `///` lines right before a node, without their slashes and one space. One behind something else on its line is no such line.
fn doc(node: &SyntaxNode) -> String {
    let mut lines = Vec::new();
    let mut newlines = 0;
    let mut before = node.prev_sibling_or_token();
    while let Some(element) = before {
        let Some(token) = element.as_token() else { break };
        match token.kind() {
            DOC_COMMENT if !starts_line(token) => break,
            DOC_COMMENT => {
                let line = &token.text()[3..];
                lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned());
                newlines = 0;
            }
            NEWLINE => newlines += 1,
            WHITESPACE => {}
            // A `;` too many separates nothing: the formatter takes it away.
            SEMICOLON => newlines = 0,
            _ => break,
        }
        // A blank line separates a comment from what follows it.
        if newlines > 1 {
            break;
        }
        before = element.prev_sibling_or_token();
    }
    lines.reverse();
    lines.join("\n")
}

/// Nothing but white space, or a `;` too many, stands before it on its line.
fn starts_line(token: &SyntaxToken) -> bool {
    let before = std::iter::successors(token.prev_sibling_or_token(), |element| element.prev_sibling_or_token());
    let first = before.map(|element| element.kind()).find(|kind| !matches!(kind, WHITESPACE | SEMICOLON));
    first.is_none_or(|kind| kind == NEWLINE)
}

fn ty(node: &SyntaxNode) -> Option<TypeExpr> {
    type_of(&child(node, TYPE)?)
}

fn type_of(node: &SyntaxNode) -> Option<TypeExpr> {
    let mut names = names(node);
    Some(TypeExpr {
        name: names.next()?,
        of: ty(node).map(Box::new),
        words: names.collect(),
        optional: token(node, QUESTION).is_some(),
        span: span(node),
    })
}
