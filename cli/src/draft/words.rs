//! Cuts a banner into words by what they look like: a version, a model, a number, an id, or a plain word.
//!
//! In: a text. Out: [`Word`]s that cover it, and its skeleton: what stays when the words that vary are taken out.

/// A piece of a banner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub shape: Shape,
}

/// What a word looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Shape {
    /// Blanks and signs.
    Between,
    /// Letters, as a maker or a product writes itself.
    Plain,
    /// `1.02`, `v2.10b`.
    Version,
    /// `WSR-1166DHP4`: letters and digits.
    Model,
    /// Digits.
    Number,
    /// A hardware address, a long hexadecimal number: of one device.
    Id,
    /// The value of a key of `MFG:Brother;MDL:HL-2030;`, other than maker and model.
    Value,
}

/// Keys of a device id (IEEE 1284) that name the maker and the model.
const MAKER: &[&str] = &["MFG", "MANUFACTURER"];
const MODEL: &[&str] = &["MDL", "MODEL"];

/// All of the text, in order.
pub(super) fn cut(text: &str) -> Vec<Word> {
    if let Some(words) = device_id(text) {
        return words;
    }
    let mut words: Vec<Word> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = if rest.starts_with(is_word) {
            let ends = |(at, c): (usize, char)| {
                let (last, next) = (rest[..at].chars().next_back(), rest[at + c.len_utf8()..].chars().next());
                let joins = match c {
                    '-' => next.is_some_and(is_word),
                    // `Ver.1.02` is a word and a version.
                    '.' => next.is_some_and(is_word) && (last.is_some_and(|c| c.is_ascii_digit()) || next.is_some_and(char::is_alphabetic)),
                    ':' => is_address(rest),
                    c => is_word(c),
                };
                !joins
            };
            rest.char_indices().find(|place| ends(*place)).map_or(rest.len(), |(at, _)| at)
        } else {
            rest.find(is_word).unwrap_or(rest.len())
        };
        let (word, after) = rest.split_at(end);
        words.push(Word { text: word.into(), shape: shape(word) });
        rest = after;
    }
    words
}

/// `00:1d:73:...` goes on behind its colons.
fn is_address(rest: &str) -> bool {
    let mut pairs = rest.split(':').take(3);
    rest.len() >= 17 && pairs.all(|pair| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn shape(word: &str) -> Shape {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let hexadecimal = word.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '-' | ':'));
    if digits + letters == 0 {
        return Shape::Between;
    }
    if hexadecimal && (word.matches(['-', ':']).count() == 5 && word.len() == 17 || digits >= 3 && letters >= 2 && word.len() >= 12) {
        return Shape::Id;
    }
    if digits == 0 {
        return Shape::Plain;
    }
    let number = word.strip_prefix(['v', 'V', 'r', 'R']).unwrap_or(word);
    let version = number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.') && letters <= 3 + word.matches('-').count() * 4;
    match (version, letters) {
        (true, _) => Shape::Version,
        (false, 0) => Shape::Number,
        (false, _) => Shape::Model,
    }
}

/// `MFG:Brother;CMD:PJL;MDL:HL-2030 series;CLS:PRINTER;`: keys stay, maker and model are words of their own.
fn device_id(text: &str) -> Option<Vec<Word>> {
    let parts: Vec<(&str, &str)> =
        text.trim_end().trim_end_matches(';').split(';').map(|part| part.split_once(':')).collect::<Option<_>>()?;
    let is = |key: &str, of: &[&str]| of.contains(&key.trim().to_ascii_uppercase().as_str());
    let named = |of: &[&str]| parts.iter().filter(|(key, _)| is(key, of)).count() == 1;
    if parts.len() < 2 || !named(MAKER) || !named(MODEL) {
        return None;
    }
    let mut words = Vec::new();
    for (at, (key, value)) in parts.iter().enumerate() {
        let between = format!("{}{key}:", if at > 0 { ";" } else { "" });
        words.push(Word { text: between, shape: Shape::Between });
        let shape = if is(key, MAKER) {
            Shape::Plain
        } else if is(key, MODEL) {
            Shape::Model
        } else {
            Shape::Value
        };
        words.push(Word { text: (*value).into(), shape });
    }
    let written: usize = words.iter().map(|word| word.text.len()).sum();
    words.push(Word { text: text[written..].into(), shape: Shape::Between });
    Some(words)
}

/// Equal for banners that differ in their versions, models, numbers and ids only. Of a device id only the order of keys and the maker.
pub(super) fn skeleton(words: &[Word]) -> String {
    let parts: String = words.iter().map(skeleton_of).collect();
    format!("{}{parts}", words.len())
}

/// A word's part of the skeleton.
pub(super) fn skeleton_of(word: &Word) -> String {
    match word.shape {
        Shape::Plain | Shape::Between => word.text.clone(),
        other => format!("\u{0}{}\u{0}", other as u8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cover_the_text_and_have_their_shapes() {
        let text = "ACME WSR-1166DHP4 Ver.1.16 (build 20) 00:1d:73:4a:5b:6c";
        let words = cut(text);
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<String>(), text);
        let shapes: Vec<(&str, Shape)> =
            words.iter().filter(|word| word.shape != Shape::Between).map(|word| (word.text.as_str(), word.shape)).collect();
        assert!(shapes.contains(&("WSR-1166DHP4", Shape::Model)), "{shapes:?}");
        assert!(shapes.contains(&("20", Shape::Number)), "{shapes:?}");
        assert!(shapes.contains(&("00:1d:73:4a:5b:6c", Shape::Id)), "{shapes:?}");
        assert_eq!(skeleton(&cut("ACME/1.2 x")), skeleton(&cut("ACME/3.40 x")));
        let id = "MFG:Brother;CMD:PJL;MDL:HL-2030 series;CLS:PRINTER;";
        assert_eq!(cut(id).iter().map(|word| word.text.as_str()).collect::<String>(), id);
        assert_eq!(skeleton(&cut(id)), skeleton(&cut("MFG:Brother;CMD:PCL;MDL:MFC-1;CLS:FAX;")));
    }
}
