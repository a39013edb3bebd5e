//! A file as the parts that are parsed alone, and what of it stays after an edit.
//!
//! In: a text, or a parsed file and what was replaced in it. Out: [`Parsed`], the same in both cases.
//!
//! After an edit the parts that it touches are cut into tokens again, and with them
//! - the part before, when the edit stands on a part's first line, which is what made it one;
//! - earlier parts without an end of their own, for what is behind them decides where they end: from a heredoc that is not closed, or from a
//!   brace that is not closed and has no hard cut behind it;
//! - the parts behind, until the tokens meet the start of one again, no brace is open there, and `use` lines behind are judged as before.
//!
//! The green nodes of all others are shared. Their trees are not parsed again; what stands behind the edit is lowered again, as its places
//! have moved.

use rowan::{GreenNode, NodeCache, NodeOrToken};

use crate::{
    Parsed, ast,
    diagnostic::{Diagnostic, FileId},
    lexer::Tokens,
    literal, lower,
    parser::{self, Place, split::Cut},
    source::Span,
    swallowed::Swallowed,
    syntax::{Ksig, SyntaxKind, SyntaxNode},
    tree,
};

/// A part of a parsed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its first byte.
    start: u32,
    /// The end of its first line.
    line_end: u32,
    /// How many problems are its own.
    problems: usize,
    /// An item stands in it.
    items: bool,
    /// A heredoc in it is not closed.
    heredoc: bool,
    cut: Cut,
}

/// What it took to parse a file, or to parse it again after an edit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Bytes that the lexer looked at; some of them twice, where the end of a heredoc was sought.
    pub bytes: usize,
    /// Tokens that were cut from the text.
    pub tokens: usize,
    /// How often the parser looked at a token: at most 512 times for each of them, and in practice some ten times.
    pub looks: u64,
}

/// Parses a whole text.
pub(crate) fn parse(text: &str, file: FileId) -> Parsed {
    let mut run = Run::new(text, 0);
    run.all_the_rest();
    let fresh = run.parse(file, true, false);
    let tree = root(fresh.children);
    let ast = lower::file(&SyntaxNode::new_root(tree.clone()));
    Parsed { tree, ast, diagnostics: fresh.problems, effort: fresh.effort, parts: fresh.parts, file }
}

/// Parses the text that has `inserted` bytes where `old` had `replaced`.
pub(crate) fn edit(old: Parsed, text: &str, replaced: Span, inserted: u32) -> Parsed {
    let move_by = i64::from(inserted) - i64::from(replaced.end - replaced.start);
    let moved = |place: u32| (i64::from(place) + move_by) as u32;
    let first = first_touched(&old.parts, replaced.start);
    let from = old.parts[first].start;
    let mut run = Run::new(text, from);
    let mut next = old.parts.partition_point(|part| part.start <= replaced.end);
    while let Some(part) = old.parts.get(next) {
        run.up_to(moved(part.start));
        if run.end() > moved(part.start) {
            next += 1;
        } else if part.cut.module && from == 0 {
            // At the top of a file it would be no cut.
            next += 1;
        } else if !part.cut.hard && run.is_open(from == 0) {
            next += 1 + old.parts[next + 1..].iter().take_while(|part| !part.cut.hard).count();
        } else {
            break;
        }
    }
    let items = |parts: &[Part]| parts.iter().any(|part| part.items);
    let before = items(&old.parts[..first]);
    let mut fresh = None;
    if next < old.parts.len() {
        let parsed = run.parse(old.file, from == 0, before);
        if items(&old.parts[..next]) == (before || items(&parsed.parts)) {
            fresh = Some(parsed);
        }
    }
    let fresh = fresh.unwrap_or_else(|| {
        next = old.parts.len();
        run.all_the_rest();
        run.parse(old.file, from == 0, before)
    });
    join(old, first..next, fresh, move_by)
}

/// The first part that an edit at this place can change.
fn first_touched(parts: &[Part], edit: u32) -> usize {
    let here = parts.partition_point(|part| part.start <= edit).saturating_sub(1);
    let mut first = if edit <= parts[here].line_end { here.saturating_sub(1) } else { here };
    // A part that starts behind a hard cut knows nothing of what is before it.
    let mut at = first;
    while !parts[at].cut.hard && at > 0 {
        at -= 1;
        if parts[at].cut.open {
            first = at;
        }
    }
    parts[..first].iter().position(|part| part.heredoc).unwrap_or(first)
}

/// Tokens from the start of a part on.
struct Run<'t> {
    text: &'t str,
    from: u32,
    rest: Tokens<'t>,
    tokens: Vec<(SyntaxKind, Span)>,
}

/// Parts of a run after parsing.
struct Fresh {
    children: Vec<NodeOrToken<GreenNode, rowan::GreenToken>>,
    problems: Vec<Diagnostic>,
    parts: Vec<Part>,
    effort: Effort,
}

impl<'t> Run<'t> {
    fn new(text: &'t str, from: u32) -> Run<'t> {
        Run { text, from, rest: Tokens::new(text, from as usize), tokens: Vec::new() }
    }

    fn end(&self) -> u32 {
        self.tokens.last().map_or(self.from, |(_, span)| span.end)
    }

    /// Cuts tokens until one ends at the place or behind it.
    fn up_to(&mut self, place: u32) {
        while self.end() < place
            && let Some(token) = self.rest.next()
        {
            self.tokens.push(token);
        }
    }

    fn all_the_rest(&mut self) {
        self.tokens.extend(self.rest.by_ref());
    }

    /// A part behind the last hard cut has an open brace, so it is not known where it ends.
    fn is_open(&self, head: bool) -> bool {
        let cuts = parser::split(self.text, &self.tokens, Place { end: self.tokens.len(), head, items: false });
        let last_hard = cuts.iter().rposition(|cut| cut.hard).unwrap_or(0);
        cuts[last_hard..].iter().any(|cut| cut.open)
    }

    fn parse(&mut self, file: FileId, head: bool, items: bool) -> Fresh {
        let end = self.tokens.len();
        // What starts behind the run is looked at, and named where a block is left open before it.
        let words = |tokens: &[(SyntaxKind, Span)]| tokens.iter().filter(|(kind, _)| !kind.is_trivia()).count();
        while words(&self.tokens[end..]) < 2
            && let Some(token) = self.rest.next()
        {
            self.tokens.push(token);
        }
        let parsed = parser::parse(self.text, &self.tokens, Place { end, head, items }, file);
        let mut fresh = Fresh { children: Vec::new(), problems: Vec::new(), parts: Vec::new(), effort: Effort::default() };
        (fresh.effort.bytes, fresh.effort.tokens) = (self.rest.looked_at(), self.tokens.len());
        let ends: Vec<usize> = parsed.iter().skip(1).map(|part| part.cut.at).chain([end]).collect();
        let mut cache = NodeCache::default();
        for (part, end) in parsed.into_iter().zip(ends) {
            fresh.take(self.text, &self.tokens[part.cut.at..end], part, file, &mut cache, self.from);
        }
        fresh
    }
}

impl Fresh {
    fn take(&mut self, text: &str, tokens: &[(SyntaxKind, Span)], part: parser::Part, file: FileId, cache: &mut NodeCache, from: u32) {
        let start = tokens.first().map_or(from, |(_, span)| span.start);
        let mut problems = Vec::new();
        let mut swallowed = Swallowed::default();
        for &(kind, span) in tokens {
            let before = problems.len();
            literal::check(kind, &text[span.start as usize..span.end as usize], span.start, file, &mut problems);
            swallowed.note(span, problems.get(before));
        }
        problems.extend(part.problems.into_iter().filter(|problem| !swallowed.explains(text, problem)));
        problems.sort_by_key(|problem| problem.labels.first().map(|label| label.span));
        self.parts.push(Part {
            start,
            line_end: start + text[start as usize..].find('\n').unwrap_or(text.len() - start as usize) as u32,
            problems: problems.len(),
            items: part.items,
            heredoc: swallowed.has_heredoc(),
            cut: part.cut,
        });
        self.problems.append(&mut problems);
        self.effort.looks += part.looks;
        self.children.extend(tree::build(text, tokens, part.events, cache).children().map(|child| child.to_owned()));
    }
}

fn root(children: Vec<NodeOrToken<GreenNode, rowan::GreenToken>>) -> GreenNode {
    GreenNode::new(<Ksig as rowan::Language>::kind_to_raw(SyntaxKind::FILE), children)
}

/// Puts what was parsed again between what stays.
fn join(old: Parsed, gone: std::ops::Range<usize>, fresh: Fresh, move_by: i64) -> Parsed {
    let from = old.parts[gone.start].start;
    let to = old.parts.get(gone.end).map_or(u32::MAX, |part| part.start);
    let mut at = 0;
    let (mut children, mut behind) = (Vec::new(), Vec::new());
    for child in old.tree.children() {
        let start = at;
        at += match child {
            NodeOrToken::Node(node) => u32::from(node.text_len()),
            NodeOrToken::Token(token) => u32::from(token.text_len()),
        };
        if start < from {
            children.push(child.to_owned());
        } else if start >= to {
            behind.push(child.to_owned());
        }
    }
    children.extend(fresh.children);
    children.extend(behind);
    let tree = root(children);

    let problems = |parts: &[Part]| parts.iter().map(|part| part.problems).sum();
    let (kept, dropped) = (problems(&old.parts[..gone.start]), problems(&old.parts[gone.clone()]));
    let mut diagnostics = old.diagnostics;
    let mut behind = diagnostics.split_off(kept + dropped);
    diagnostics.truncate(kept);
    diagnostics.extend(fresh.problems);
    behind.iter_mut().flat_map(spans_of).for_each(|span| *span = moved(*span, move_by));
    diagnostics.extend(behind);

    let mut parts = old.parts;
    let mut behind = parts.split_off(gone.end);
    parts.truncate(gone.start);
    parts.extend(fresh.parts);
    for part in &mut behind {
        let span = moved(Span { start: part.start, end: part.line_end }, move_by);
        (part.start, part.line_end) = (span.start, span.end);
    }
    parts.extend(behind);

    let ast = lower_from(&tree, old.ast, from);
    Parsed { tree, ast, diagnostics, effort: fresh.effort, parts, file: old.file }
}

/// The ast of a tree of which all before the place is as it was.
fn lower_from(tree: &GreenNode, old: ast::File, from: u32) -> ast::File {
    let root = SyntaxNode::new_root(tree.clone());
    let mut file = old;
    file.uses.retain(|import| import.span.start < from);
    file.items.retain(|item| item.span().start < from);
    let behind = lower::file_from(&root, from);
    file.uses.extend(behind.uses);
    file.items.extend(behind.items);
    (file.edition, file.module) = (behind.edition, behind.module);
    file
}

fn spans_of(problem: &mut Diagnostic) -> impl Iterator<Item = &mut Span> {
    let labels = problem.labels.iter_mut().map(|label| &mut label.span);
    labels.chain(problem.fix.iter_mut().flat_map(|fix| fix.edits.iter_mut().map(|(_, span, _)| span)))
}

fn moved(span: Span, by: i64) -> Span {
    let move_place = |place: u32| (i64::from(place) + by) as u32;
    Span { start: move_place(span.start), end: move_place(span.end) }
}
