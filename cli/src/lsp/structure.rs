//! The shape of a text: what folds, what a selection grows to, and the whole in the one style.

use ksig_lang::{NodeOrToken, SyntaxKind, TextSize};
use lsp_types::{FoldingRange, FoldingRangeKind, Position, Range, SelectionRange, TextEdit};

use super::view::{View, span_of};

/// Blocks, heredocs, runs of comments and of `use` lines that take several lines.
pub fn folds(view: &View) -> Vec<FoldingRange> {
    let lines = view.lines();
    let mut found = Vec::new();
    let mut fold = |span, kind: Option<FoldingRangeKind>, closes: bool| {
        let range = lines.range(span);
        // What closes a block stays in sight.
        let end = range.end.line.saturating_sub(u32::from(closes));
        if range.start.line < end {
            found.push(FoldingRange { start_line: range.start.line, end_line: end, kind, ..FoldingRange::default() });
        }
    };
    let mut comments = None;
    let mut uses = None;
    for element in view.tree().descendants_with_tokens() {
        let span = span_of(element.text_range());
        match &element {
            NodeOrToken::Token(token) if matches!(token.kind(), SyntaxKind::COMMENT | SyntaxKind::DOC_COMMENT) => {
                comments = Some(comments.map_or(span, |first: ksig_lang::Span| first.to(span)));
            }
            NodeOrToken::Token(token) if token.kind().is_trivia() => {}
            _ => {
                if let Some(comments) = comments.take() {
                    fold(comments, Some(FoldingRangeKind::Comment), false);
                }
            }
        }
        match element.kind() {
            SyntaxKind::BLOCK | SyntaxKind::RECORD_EXPR | SyntaxKind::LIST_EXPR | SyntaxKind::NAMES | SyntaxKind::FACTS => {
                fold(span, None, true)
            }
            SyntaxKind::HEREDOC => fold(span, None, false),
            SyntaxKind::USE => uses = Some(uses.map_or(span, |first: ksig_lang::Span| first.to(span))),
            _ => {}
        }
    }
    comments.into_iter().for_each(|comments| fold(comments, Some(FoldingRangeKind::Comment), false));
    uses.into_iter().for_each(|uses| fold(uses, Some(FoldingRangeKind::Imports), false));
    found
}

/// What a selection at each position grows to, step by step.
pub fn selections(view: &View, positions: &[Position]) -> Vec<SelectionRange> {
    let (tree, lines) = (view.tree(), view.lines());
    let grown = |position: &Position| {
        let offset = TextSize::from(lines.offset(*position));
        let mut ranges = Vec::new();
        if let Some(token) = tree.token_at_offset(offset).max_by_key(|token| !token.kind().is_trivia()) {
            ranges.push(token.text_range());
            ranges.extend(token.parent_ancestors().map(|node| node.text_range()));
        } else {
            ranges.push(tree.text_range());
        }
        ranges.dedup();
        let wider = ranges.into_iter().rev().fold(None, |parent: Option<Box<SelectionRange>>, range| {
            Some(Box::new(SelectionRange { range: lines.range(span_of(range)), parent }))
        });
        wider.map(|range| *range).unwrap_or(SelectionRange { range: Range { start: *position, end: *position }, parent: None })
    };
    positions.iter().map(grown).collect()
}

/// The edit that puts the whole into the one style; none where nothing changes or the syntax is broken.
pub fn formatted(view: &View) -> Option<Vec<TextEdit>> {
    let new = ksig_lang::format(view.text()).ok()?;
    if new == view.text() {
        return Some(Vec::new());
    }
    Some(vec![replaced(view, &new)])
}

/// The edit that makes another text of a file's, which leaves the lines alone that are the same at both ends.
pub fn replaced(view: &View, new: &str) -> TextEdit {
    let old = view.text();
    let same = |mut a: std::str::SplitInclusive<'_, char>, mut b: std::str::SplitInclusive<'_, char>, back: bool| {
        let mut length = 0;
        loop {
            let (one, other) = if back { (a.next_back(), b.next_back()) } else { (a.next(), b.next()) };
            match (one, other) {
                (Some(one), Some(other)) if one == other => length += one.len(),
                _ => return length,
            }
        }
    };
    let front = same(old.split_inclusive('\n'), new.split_inclusive('\n'), false);
    let (old_rest, new_rest) = (&old[front..], &new[front..]);
    let back = same(old_rest.split_inclusive('\n'), new_rest.split_inclusive('\n'), true);
    let span = ksig_lang::Span { start: front as u32, end: (old.len() - back) as u32 };
    TextEdit { range: view.range_of(view.file, span), new_text: new[front..new.len() - back].to_string() }
}
