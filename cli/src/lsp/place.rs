//! Places as an editor counts them: lines from 0, and in a line bytes or UTF-16 units, as was agreed.
//!
//! In: byte offsets of a text. Out: positions, and the other way round; a position beyond a line is its end.

use ksig_lang::Span;
use lsp_types::{Position, Range};

/// How an editor counts within a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// What every client knows.
    #[default]
    Utf16,
}

impl Encoding {
    /// Units of a text.
    pub fn length(self, text: &str) -> u32 {
        match self {
            Encoding::Utf8 => text.len() as u32,
            Encoding::Utf16 => text.chars().map(|c| c.len_utf16() as u32).sum(),
        }
    }
}

/// A text cut into lines.
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<u32>,
    encoding: Encoding,
}

impl<'t> Lines<'t> {
    /// Cuts a text.
    pub fn of(text: &'t str, encoding: Encoding) -> Lines<'t> {
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1)).collect();
        Lines { text, starts, encoding }
    }

    /// Where a byte stands. One inside a character is its start.
    pub fn position(&self, offset: u32) -> Position {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start as usize <= offset) - 1;
        let before = &self.text[self.starts[line] as usize..offset];
        Position { line: line as u32, character: self.encoding.length(before) }
    }

    /// Both ends.
    pub fn range(&self, span: Span) -> Range {
        Range { start: self.position(span.start), end: self.position(span.end) }
    }

    /// The byte at a position; inside a character, its start.
    pub fn offset(&self, position: Position) -> u32 {
        let Some(&start) = self.starts.get(position.line as usize) else { return self.text.len() as u32 };
        let end = self.starts.get(position.line as usize + 1).map_or(self.text.len(), |next| *next as usize);
        let line = self.text[start as usize..end].trim_end_matches(['\n', '\r']);
        let mut units = 0;
        for (at, c) in line.char_indices() {
            units += match self.encoding {
                Encoding::Utf8 => c.len_utf8() as u32,
                Encoding::Utf16 => c.len_utf16() as u32,
            };
            if units > position.character {
                return start + at as u32;
            }
        }
        start + line.len() as u32
    }

    /// Both ends, in order.
    pub fn span(&self, range: Range) -> Span {
        let (a, b) = (self.offset(range.start), self.offset(range.end));
        Span { start: a.min(b), end: a.max(b) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_column_counts_what_was_agreed() {
        let text = "a\n漢字😀x\r\nb";
        let at = text.find('x').expect("x") as u32;
        assert_eq!(Lines::of(text, Encoding::Utf16).position(at), Position { line: 1, character: 4 });
        assert_eq!(Lines::of(text, Encoding::Utf8).position(at), Position { line: 1, character: 10 });
        let lines = Lines::of(text, Encoding::Utf16);
        assert_eq!(lines.offset(Position { line: 1, character: 4 }), at);
        assert_eq!(lines.offset(Position { line: 1, character: 3 }), at - 4, "half of a pair is its character");
        assert_eq!(lines.offset(Position { line: 1, character: 99 }), at + 1);
        assert_eq!(lines.offset(Position { line: 9, character: 0 }), text.len() as u32);
    }

    proptest! {
        #[test]
        fn a_place_is_found_again(text in "[a漢😀\\n\\r ]{0,40}", utf8 in any::<bool>()) {
            let lines = Lines::of(&text, if utf8 { Encoding::Utf8 } else { Encoding::Utf16 });
            for (at, c) in text.char_indices() {
                // Behind a return, before its newline, is the end of the line.
                if c != '\n' && !(c == '\r' && text[at..].trim_start_matches('\r').starts_with(['\n']) || text[at..].trim_start_matches('\r').is_empty()) {
                    prop_assert_eq!(lines.offset(lines.position(at as u32)), at as u32);
                }
            }
        }
    }
}
