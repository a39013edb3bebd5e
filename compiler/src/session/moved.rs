//! Places behind an edit, which move by as much as the text grew.
//!
//! In: what was replaced in a file, and things with places in it that stand wholly before or wholly behind that. Out: the same things where they stand
//! now.

use ksig_lang::{Diagnostic, FileId, Span};

use crate::hir::{Asks, Condition, Expect, Expr, Signature};
use crate::marks::{Mark, Target};

/// What was replaced, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// In which file.
    pub file: FileId,
    /// The bytes that are gone.
    pub replaced: Span,
    /// How many stand there now.
    pub inserted: u32,
}

impl Edit {
    /// The smallest edit that makes one text of the other.
    pub fn between(file: FileId, old: &str, new: &str) -> Edit {
        let (a, b) = (old.as_bytes(), new.as_bytes());
        let mut start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        while !old.is_char_boundary(start) || !new.is_char_boundary(start) {
            start -= 1;
        }
        let alike = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(a, b)| a == b).count();
        let (mut old_end, mut new_end) = (a.len() - alike, b.len() - alike);
        while !old.is_char_boundary(old_end) || !new.is_char_boundary(new_end) {
            (old_end, new_end) = (old_end + 1, new_end + 1);
        }
        Edit { file, replaced: Span { start: start as u32, end: old_end as u32 }, inserted: (new_end - start) as u32 }
    }

    /// Whether a span ends before it or begins behind it, and does not touch it.
    pub fn spares(&self, span: Span) -> bool {
        span.end < self.replaced.start || self.replaced.end < span.start
    }

    /// Where a span that it spares stands now.
    pub fn moved(&self, span: Span) -> Span {
        if span.start <= self.replaced.end {
            return span;
        }
        let moved = |place: u32| place - self.replaced.end + self.replaced.start + self.inserted;
        Span { start: moved(span.start), end: moved(span.end) }
    }

    fn in_file(&self, file: FileId, span: &mut Span) {
        if file == self.file {
            *span = self.moved(*span);
        }
    }

    /// A signature of the file, all of whose expressions are written there.
    pub fn signature(&self, signature: &mut Signature) {
        for span in [&mut signature.name_span, &mut signature.span] {
            *span = self.moved(*span);
        }
        for (file, span) in signature.var_files.iter().zip(&mut signature.var_spans) {
            self.in_file(*file, span);
        }
        for probe in &mut signature.probes {
            self.in_file(probe.file, &mut probe.span);
            if let Asks::Named { from, .. } = &mut probe.asks {
                self.expr(from);
            }
        }
        self.condition(&mut signature.condition);
        signature.gates.iter_mut().for_each(|gate| self.condition(gate));
        let slots = signature.identities.iter_mut().flat_map(|identity| &mut identity.slots).map(|(_, expr)| expr);
        let steps = signature.steps.iter_mut().map(|(_, expr)| expr);
        let components = signature.components.iter_mut().flatten().chain(&mut signature.details).map(|(_, expr)| expr);
        slots.chain(steps).chain(components).for_each(|expr| self.expr(expr));
        for tag in &mut signature.tags {
            let filter = tag.each.iter_mut().filter_map(|each| each.filter.as_mut());
            tag.params.iter_mut().map(|(_, expr)| expr).chain(&mut tag.when).chain(filter).for_each(|expr| self.expr(expr));
        }
        if let Some(support) = &mut signature.support {
            support.ends.iter_mut().chain(&mut support.latest).for_each(|expr| self.expr(expr));
        }
        for test in &mut signature.tests {
            test.span = self.moved(test.span);
            test.expect.iter_mut().for_each(|expect| self.expect(expect));
        }
    }

    fn condition(&self, condition: &mut Condition) {
        match condition {
            Condition::Line { expr, .. } => self.expr(expr),
            Condition::All(lines) | Condition::Any(lines) | Condition::None(lines) | Condition::AtLeast(_, lines) => {
                lines.iter_mut().for_each(|line| self.condition(line));
            }
            Condition::Each { list, lines, .. } => {
                self.expr(list);
                lines.iter_mut().for_each(|line| self.condition(line));
            }
        }
    }

    fn expr(&self, expr: &mut Expr) {
        expr.span = self.moved(expr.span);
        expr.children_mut().into_iter().for_each(|child| self.expr(child));
    }

    fn expect(&self, expect: &mut Expect) {
        let (Expect::Identify(_, span)
        | Expect::Captures(_, span)
        | Expect::Resolved(_, span)
        | Expect::NoMatch(_, span)
        | Expect::Tags(_, span)
        | Expect::Sent(_, span)) = expect;
        *span = self.moved(*span);
    }

    /// A mark in the file, and what it stands for where that is in the file too.
    pub fn mark(&self, mark: &mut Mark) {
        self.in_file(mark.file, &mut mark.span);
        if let Target::Variable(file, span) | Target::Probe(file, span) = &mut mark.target {
            self.in_file(*file, span);
        }
    }

    /// A problem.
    pub fn problem(&self, problem: &mut Diagnostic) {
        problem.labels.iter_mut().for_each(|label| self.in_file(label.file, &mut label.span));
        let edits = problem.fix.iter_mut().flat_map(|fix| &mut fix.edits);
        edits.for_each(|(file, span, _)| self.in_file(*file, span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_between_characters_and_what_is_behind_moves() {
        let edit = Edit::between(0, "a漢b", "a字b");
        assert_eq!((edit.replaced, edit.inserted), (Span { start: 1, end: 4 }, 3));
        let edit = Edit::between(0, "one two", "one and two");
        assert_eq!((edit.replaced, edit.inserted), (Span { start: 4, end: 4 }, 4));
        assert!(edit.spares(Span { start: 0, end: 3 }) && !edit.spares(Span { start: 4, end: 7 }));
        assert_eq!(edit.moved(Span { start: 5, end: 7 }), Span { start: 9, end: 11 });
        let edit = Edit::between(0, "aaaa", "aa");
        assert_eq!((edit.replaced.end - edit.replaced.start, edit.inserted), (2, 0));
    }
}
