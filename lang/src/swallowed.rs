//! Which problems are only the echo of a literal that does not end, or of characters that start no token.
//!
//! Such a literal takes the closing brackets behind it along: a text or a regex those of its line, a heredoc those of many lines. That
//! something is not closed is then no second mistake. Nor is it what the rest of a line looks like without a character that is none.

use crate::{diagnostic::Diagnostic, source::Span};

/// The literals of a part of a file that do not end, and its unknown characters.
#[derive(Default)]
pub(crate) struct Swallowed {
    /// In source order.
    lines: Vec<Span>,
    /// The first heredoc, from which on nothing is sure.
    heredoc: Option<u32>,
    /// In source order.
    unknown: Vec<Span>,
}

impl Swallowed {
    /// Takes note of a token and of what [`crate::literal::check`] said about it.
    pub fn note(&mut self, token: Span, problem: Option<&Diagnostic>) {
        match problem.map(|problem| problem.code) {
            Some("unterminated-text" | "unterminated-regex") => self.lines.push(token),
            Some("unexpected-character") => self.unknown.push(token),
            Some("unterminated-heredoc") => self.heredoc = self.heredoc.or(Some(token.start)),
            _ => {}
        }
    }

    /// A heredoc does not end.
    pub fn has_heredoc(&self) -> bool {
        self.heredoc.is_some()
    }

    /// The parser's problem would not be there if the literal ended, or need not be if the characters meant something.
    pub fn explains(&self, text: &str, problem: &Diagnostic) -> bool {
        let stumbles = |span: Span| span.start == span.end && self.lines.binary_search_by_key(&span.end, |line| line.end).is_ok();
        problem.labels.iter().any(|label| stumbles(label.span) || self.behind_unknown(text, problem.code, label.span))
            || (problem.code == "unclosed-block" && self.took_the_brace(text, problem))
    }

    /// Unknown characters stand before the place on its line, or right behind it; or behind a bracket that they may have closed.
    fn behind_unknown(&self, text: &str, code: &str, place: Span) -> bool {
        let between = |from: u32, to: u32| text.get(from as usize..to as usize).unwrap_or("\n");
        let next = self.unknown.partition_point(|unknown| unknown.end <= place.start);
        let before = next.checked_sub(1).and_then(|before| self.unknown.get(before));
        let behind = |unknown: &Span| {
            let between = between(place.end.min(unknown.start), unknown.start);
            between.trim_matches([' ', '\t']).is_empty() || (code == "unclosed-bracket" && !between.contains('\n'))
        };
        before.is_some_and(|unknown| !between(unknown.end, place.start).contains('\n')) || self.unknown.get(next).is_some_and(behind)
    }

    fn took_the_brace(&self, text: &str, problem: &Diagnostic) -> bool {
        let mut places = problem.labels.iter().map(|label| label.span.start);
        let Some(opening) = places.next() else { return false };
        let next = self.lines.get(self.lines.partition_point(|line| line.start < opening));
        if next.is_some_and(|line| !text[opening as usize..line.start as usize].contains('\n')) {
            return true;
        }
        self.heredoc.is_some_and(|heredoc| opening < heredoc && places.all(|noticed| noticed > heredoc))
    }
}
