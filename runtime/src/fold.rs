//! Width folding for `/fold_width`: full-width ASCII becomes half-width, half-width katakana becomes full-width.
//!
//! In: decoded text. Out: the folded text, and the way back from a span of it to a span of the original. Case and all else stay.

use std::borrow::Cow;

/// `ｱ` to `ﾝ` and their company in the order of U+FF61..=U+FF9D.
const KATAKANA: &str =
    "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";

/// Folds width; borrows when there is nothing to fold.
///
/// ```
/// assert_eq!(ksig_runtime::fold::width("ＷＳＲ－１１６６　ﾙｰﾀﾞｰ"), "WSR-1166 ルーダー");
/// ```
pub fn width(text: &str) -> Cow<'_, str> {
    // Everything that folds begins with these two bytes or is U+3000.
    if !text.bytes().any(|b| b == 0xEF || b == 0xE3) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(Pieces::of(text).map(|piece| piece.folded).collect())
}

/// The bytes of the original that a span of the folded text came from.
pub fn source_span(text: &str, span: (usize, usize)) -> (usize, usize) {
    let (mut start, mut end) = (text.len(), text.len());
    let mut at = 0;
    for piece in Pieces::of(text) {
        if at >= span.1 {
            end = end.min(piece.start.max(start));
            break;
        }
        if at >= span.0 {
            start = start.min(piece.start);
        }
        at += piece.folded.len_utf8();
    }
    (start, end.max(start))
}

/// One folded character and where it began.
struct Piece {
    folded: char,
    start: usize,
}

struct Pieces<'t> {
    rest: std::iter::Peekable<std::str::CharIndices<'t>>,
}

impl<'t> Pieces<'t> {
    fn of(text: &'t str) -> Pieces<'t> {
        Pieces { rest: text.char_indices().peekable() }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let (start, c) = self.rest.next()?;
        let folded = fold_char(c);
        let half_width = matches!(c, '\u{FF66}'..='\u{FF9D}');
        if half_width && let Some(&(_, mark @ ('\u{FF9E}' | '\u{FF9F}'))) = self.rest.peek() {
            let combining = if mark == '\u{FF9E}' { '\u{3099}' } else { '\u{309A}' };
            if let Some(composed) = unicode_normalization::char::compose(folded, combining) {
                self.rest.next();
                return Some(Piece { folded: composed, start });
            }
        }
        Some(Piece { folded, start })
    }
}

fn fold_char(c: char) -> char {
    let code = c as u32;
    match c {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(code - 0xFEE0).unwrap_or(c),
        '\u{FF61}'..='\u{FF9D}' => KATAKANA.chars().nth((code - 0xFF61) as usize).unwrap_or(c),
        '\u{FF9E}' => '\u{309B}',
        '\u{FF9F}' => '\u{309C}',
        '\u{FFE0}' => '¢',
        '\u{FFE1}' => '£',
        '\u{FFE2}' => '¬',
        '\u{FFE5}' => '¥',
        '\u{FFE6}' => '₩',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_is_folded_and_nothing_else() {
        assert_eq!(width("ｶﾞｷﾞｸﾞﾊﾟﾋﾟ｡｢｣､･ｦﾝ"), "ガギグパピ。「」、・ヲン");
        assert_eq!(width("ｱﾞ"), "ア゛", "no such letter: the mark stands alone");
        assert_eq!(width("ＡＢｃ！～"), "ABc!~");
        assert!(matches!(width("plain ABC é"), Cow::Borrowed(_)));
        assert_eq!(width("漢字かな"), "漢字かな");
    }

    #[test]
    fn spans_go_back_to_the_original() {
        let text = "ﾙｰﾀﾞ Ａx";
        let folded = width(text);
        assert_eq!(folded, "ルーダ Ax");
        let at = folded.find("ダ").expect("in it");
        let (start, end) = source_span(text, (at, at + "ダ".len()));
        assert_eq!(&text[start..end], "ﾀﾞ");
        assert_eq!(source_span(text, (0, folded.len())), (0, text.len()));
        let at = folded.find('A').expect("in it");
        let (start, end) = source_span(text, (at, at + 1));
        assert_eq!(&text[start..end], "Ａ");
    }
}
