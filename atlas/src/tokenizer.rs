//! Cuts folded text into terms: Latin words and models by themselves, Japanese into overlapping pairs.
//!
//! In: text as it was read. Out: [`terms`] with positions for the index, or [`alternatives`] of phrases for a query. Both fold first.
//!
//! | text | terms at positions |
//! |---|---|
//! | `WSR-1166DHP4` | 0 `wsr`, 0 `wsr1166dhp4`, 1 `1166dhp4` |
//! | `RTX1200` | 0 `rtx1200`, 0 `rtx` |
//! | `Rev.14.01.41` | 0 `rev`, 0 `rev14.01.41`, 1 `14.01.41` |
//! | `設定画面` | 0 `設`, 0 `設定`, 1 `定`, 1 `定画`, 2 `画`, 2 `画面`, 3 `面` |
//!
//! A position is a Latin piece or one Japanese character; blanks and signs take none. A query for a Japanese word is a phrase of pairs, so
//! it finds the word anywhere in a run, and a query for a model compares whole pieces, so `WSR-1166DHP` never finds `WSR-1166DHP4`.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::fold::{fold, is_kana};

/// Version of the rules here; the index remembers it beside the fold's.
pub const TOKENIZER_VERSION: u32 = 1;

/// A longer Latin piece is indexed by its first characters.
const PIECE_CHARS_MAX: usize = 64;
/// A model has at most so many pieces; longer runs (paths, addresses) have no joined form.
const JOINED_PIECES_MAX: usize = 6;

/// Words whose second and third character happen to be another word. That inner pair is no term, in text and query alike, so `京都` does
/// not find `東京都`.
const WHOLE_WORDS: &[[char; 3]] = &[['東', '京', '都']];

/// Words of a query in order with their places; one word stands alone, several are a phrase.
pub type Phrase = Vec<(usize, String)>;

/// The terms of a text with their positions, ascending.
pub fn terms(text: &str) -> Vec<(usize, String)> {
    let mut terms = Vec::new();
    let mut at = 0;
    for run in runs(&fold(text)) {
        match run {
            Run::Latin(run) => {
                let pieces = pieces(&run);
                if let Some(joined) = joined(&pieces) {
                    terms.push((at, joined));
                }
                for piece in pieces {
                    terms.extend(beginning(piece).map(|part| (at, part.to_string())));
                    terms.push((at, cut(piece).to_string()));
                    at += 1;
                }
            }
            Run::Japanese(chars) => {
                for (place, c) in chars.iter().enumerate() {
                    terms.push((at + place, c.to_string()));
                    terms.extend(pair(&chars, place).map(|pair| (at + place, pair)));
                }
                at += chars.len();
            }
        }
    }
    terms
}

/// The phrases of which one must occur for a text to hold the given one: with models joined, and in pieces. Empty when it holds no word.
pub fn alternatives(text: &str) -> Vec<Phrase> {
    let runs = runs(&fold(text));
    let mut found = vec![phrase(&runs, true)];
    let pieces = phrase(&runs, false);
    if pieces != found[0] {
        found.push(pieces);
    }
    found.retain(|phrase| !phrase.is_empty());
    found
}

/// The last word of a text as the beginning of longer ones (`wsr-1166*`). Absent when the text is not one Latin word.
pub fn word_prefix(text: &str) -> Option<String> {
    match runs(&fold(text)).as_slice() {
        [Run::Latin(run)] => {
            let pieces = pieces(run);
            Some(joined(&pieces).unwrap_or_else(|| cut(pieces.first().copied().unwrap_or_default()).to_string()))
        }
        _ => None,
    }
}

/// Letters and digits of a folded text alone: the key under which models and names compare (`Si-R G110` and `sirg110`).
pub fn key(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric() || is_kana(*c)).collect()
}

fn phrase(runs: &[Run], join: bool) -> Phrase {
    let mut phrase = Vec::new();
    let mut at = 0;
    for run in runs {
        match run {
            Run::Latin(run) => {
                let pieces = pieces(run);
                match joined(&pieces).filter(|_| join) {
                    Some(joined) => phrase.push((at, joined)),
                    None => phrase.extend(pieces.iter().enumerate().map(|(place, piece)| (at + place, cut(piece).to_string()))),
                }
                at += pieces.len();
            }
            Run::Japanese(chars) => {
                for place in 0..chars.len() {
                    let covered = place > 0 && pair(chars, place - 1).is_some();
                    match pair(chars, place) {
                        Some(pair) => phrase.push((at + place, pair)),
                        None if !covered => phrase.push((at + place, chars[place].to_string())),
                        None => {}
                    }
                }
                at += chars.len();
            }
        }
    }
    phrase
}

/// A part of the text that is cut in one way.
enum Run {
    /// Letters and digits, with `- _ / . +` only between them.
    Latin(String),
    /// Kana, kanji and Hangul.
    Japanese(Vec<char>),
}

fn runs(folded: &str) -> Vec<Run> {
    let chars: Vec<char> = folded.chars().collect();
    let mut runs = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let start = at;
        if is_japanese(chars[at]) {
            while chars.get(at).is_some_and(|c| is_japanese(*c)) {
                at += 1;
            }
            runs.push(Run::Japanese(chars[start..at].to_vec()));
        } else if is_latin(chars[at]) {
            let joins = |at: usize| is_joiner(chars[at]) && chars.get(at + 1).is_some_and(|c| is_latin(*c));
            while at < chars.len() && (is_latin(chars[at]) || joins(at)) {
                at += 1;
            }
            runs.push(Run::Latin(chars[start..at].iter().collect()));
        } else {
            at += 1;
        }
    }
    runs
}

fn is_japanese(c: char) -> bool {
    is_kana(c)
        || matches!(c, '々' | '〆' | '〇' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
            | '\u{AC00}'..='\u{D7AF}' | '\u{20000}'..='\u{3FFFF}')
}

fn is_latin(c: char) -> bool {
    c.is_alphanumeric() && !is_japanese(c)
}

fn is_joiner(c: char) -> bool {
    matches!(c, '-' | '_' | '/' | '.' | '+')
}

/// `lan-w300n/r` in its parts. A dot between digits belongs to a version and does not part.
fn pieces(run: &str) -> Vec<&str> {
    let bytes = run.as_bytes();
    let parts = |at: usize| match bytes[at] {
        b'-' | b'_' | b'/' | b'+' => true,
        b'.' => !(bytes[at - 1].is_ascii_digit() && bytes[at + 1].is_ascii_digit()),
        _ => false,
    };
    let mut pieces = Vec::new();
    let mut start = 0;
    // A joiner never begins or ends a run, so both neighbours exist.
    for at in (0..bytes.len()).filter(|at| parts(*at)) {
        pieces.push(&run[start..at]);
        start = at + 1;
    }
    pieces.push(&run[start..]);
    pieces
}

fn joined(pieces: &[&str]) -> Option<String> {
    (2..=JOINED_PIECES_MAX).contains(&pieces.len()).then(|| cut(&pieces.concat()).to_string())
}

/// The letters of the series before the number (`rtx` of `rtx1200`), or the version behind a `v`.
fn beginning(piece: &str) -> Option<&str> {
    let letters = piece.bytes().take_while(u8::is_ascii_lowercase).count();
    let number = piece.as_bytes().get(letters).is_some_and(u8::is_ascii_digit);
    match (&piece[..letters], number) {
        ("v", true) => Some(cut(&piece[1..])),
        (series, true) if letters >= 2 => Some(cut(series)),
        _ => None,
    }
}

fn cut(piece: &str) -> &str {
    piece.char_indices().nth(PIECE_CHARS_MAX).map_or(piece, |(end, _)| &piece[..end])
}

/// Two neighbouring characters, unless they are the inside of one of [`WHOLE_WORDS`].
fn pair(chars: &[char], at: usize) -> Option<String> {
    let inside = at > 0 && chars.get(at - 1..at + 2).is_some_and(|word| WHOLE_WORDS.iter().any(|whole| whole == word));
    (!inside).then(|| chars.get(at..at + 2)).flatten().map(|pair| pair.iter().collect())
}

/// [`terms`] as Tantivy asks for them.
#[derive(Clone, Debug, Default)]
pub struct AtlasTokenizer;

/// The terms of one text, one at a time.
#[derive(Debug)]
pub struct Terms {
    terms: std::vec::IntoIter<(usize, String)>,
    token: Token,
}

impl Tokenizer for AtlasTokenizer {
    type TokenStream<'a> = Terms;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Terms {
        Terms { terms: terms(text).into_iter(), token: Token::default() }
    }
}

impl TokenStream for Terms {
    fn advance(&mut self) -> bool {
        let Some((position, text)) = self.terms.next() else { return false };
        self.token = Token { position, text, ..Token::default() };
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        terms(text).into_iter().map(|(at, term)| format!("{at} {term}")).collect()
    }

    /// What a Tantivy phrase query does.
    fn holds(text: &str, query: &str) -> bool {
        let text = terms(text);
        let has = |at: usize, term: &String| text.iter().any(|(place, found)| *place == at && found == term);
        alternatives(query).iter().any(|phrase| {
            let first = phrase[0].0;
            (0..=text.len()).any(|start| phrase.iter().all(|(at, term)| has(start + at - first, term)))
        })
    }

    #[test]
    fn models_are_split_and_joined() {
        assert_eq!(words("WSR-1166DHP4"), ["0 wsr1166dhp4", "0 wsr", "1 1166dhp4"]);
        assert_eq!(words("ＲＴＸ１２００ Rev.10.01.78"), ["0 rtx", "0 rtx1200", "1 rev10.01.78", "1 rev", "2 10.01.78"]);
        assert_eq!(words("V02.18"), ["0 02.18", "0 v02.18"]);
        assert_eq!(words("設定Web"), ["0 設", "0 設定", "1 定", "2 web"]);
        assert_eq!(key("Si-R G110"), "sirg110");
    }

    #[test]
    fn a_model_is_found_in_each_spelling_and_never_in_a_longer_one() {
        for query in ["WSR-1166DHP4", "wsr1166dhp4", "ＷＳＲ－１１６６ＤＨＰ４", "WSR 1166DHP4", "wsr", "1166dhp4"] {
            assert!(holds("BUFFALO WSR-1166DHP4 ログイン", query), "{query}");
        }
        for query in ["WSR-1166DHP", "wsr1166dhp", "WSR-1166", "sr-1166dhp4", "1166"] {
            assert!(!holds("WSR-1166DHP4", query), "{query}");
        }
        assert!(!holds("WSR-1166DHP", "WSR-1166DHP4"));
        assert!(holds("RTX1210", "RTX") && !holds("RTX1210", "RTX12"));
    }

    #[test]
    fn japanese_is_found_anywhere_and_only_in_one_piece() {
        for (text, query) in [
            ("無線LANルーター設定画面", "設定画面"),
            ("無線LANルーター設定画面", "LANルータ"),
            ("クイック設定Ｗｅｂ", "クイック設定Web"),
            ("ネットワークカメラサーバー", "カメラ"),
            ("京都市", "京都"),
            ("東京都水道局", "東京都"),
            ("東京都水道局", "東京"),
            ("東京都水道局", "都水道"),
            ("親機", "機"),
        ] {
            assert!(holds(text, query), "{query} in {text}");
        }
        for (text, query) in [
            ("クイック設定 完了画面", "設定画面"),
            ("フィルター", "ルーター"),
            ("ビール工場", "ビル"),
            ("東京都水道局", "京都"),
            ("東京駅", "東京都"),
        ] {
            assert!(!holds(text, query), "{query} in {text}");
        }
        assert!(alternatives("・-- !").is_empty());
    }

    proptest! {
        #[test]
        fn every_text_holds_itself(text in "\\PC{0,40}") {
            prop_assert!(alternatives(&text).iter().all(|phrase| phrase.iter().all(|term| terms(&text).contains(term))));
            prop_assert!(terms(&text).is_sorted_by_key(|(at, _)| *at));
        }

        #[test]
        fn every_japanese_text_holds_itself(text in "[東京都設定ァ-ーa-z0-9.\\-/+_ ]{0,20}") {
            prop_assert!(alternatives(&text).iter().all(|phrase| phrase.iter().all(|term| terms(&text).contains(term))));
        }
    }
}
