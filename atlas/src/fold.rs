//! The fold: one spelling for all the ways in which Japanese pages write the same word.
//!
//! In: any text, of a page or of a query. Out: the text as it is indexed and looked up, in hiragana, lower case and NFKC.
//! Absent: meaning. `ルーター` and `router` are joined by the vocabulary, not here.
//!
//! The index remembers [`FOLD_VERSION`]; a change of any rule here changes it, and an index of another version is built again.

use std::iter::once;

use unicode_normalization::UnicodeNormalization;

/// Version of the rules below.
pub const FOLD_VERSION: u32 = 1;

/// From how many kana on a katakana run loses the long mark at its end. `サーバー` and `サーバ` are one word; `カバー` and `カバ` are not,
/// and a mark inside a word always stays: without it `フィルター` would hold `ルーター`'s letters, and `ビール` those of `ビル`.
const LONG_RUN_CHARS_MIN: usize = 4;

const LONG_MARK: char = 'ー';

/// Folds a text. Folding twice changes nothing.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let plain: Vec<char> = text.nfkc().flat_map(char::to_lowercase).nfkc().filter(|c| !is_loose_voicing(*c)).collect();
    let marked = long_marks(&plain);
    let large: Vec<char> = v_row_to_b_row(&marked).into_iter().map(large_kana).collect();
    without_trailing_marks(&large).into_iter().map(hiragana).collect()
}

/// Whether the character is hiragana, katakana or the long mark.
pub fn is_kana(c: char) -> bool {
    is_katakana(c) || matches!(c, 'ぁ'..='ゖ' | 'ゝ' | 'ゞ')
}

fn is_katakana(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ' | LONG_MARK | 'ヽ' | 'ヾ' | 'ㇰ'..='ㇿ')
}

/// Voicing marks that NFKC could join to no kana.
fn is_loose_voicing(c: char) -> bool {
    matches!(c, '\u{3099}' | '\u{309A}')
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}' | '\u{2501}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}')
}

fn is_middle_dot(c: char) -> bool {
    matches!(c, '・' | '·' | '•' | '∙' | '⋅')
}

/// Dashes after kana become the long mark, others become `-`; middle dots between kana go.
///
/// A hyphen between kana and a Latin letter or digit joins two words (`ログイン-WSR`), so it stays one.
fn long_marks(text: &[char]) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(text.len());
    for (at, &c) in text.iter().enumerate() {
        let after_kana = out.last().is_some_and(|last| is_kana(*last));
        let next = text[at + 1..].iter().find(|next| !is_middle_dot(**next));
        if is_dash(c) {
            let joins = next.is_some_and(|next| next.is_ascii_alphanumeric());
            out.push(if after_kana && !joins { LONG_MARK } else { '-' });
        } else if !(is_middle_dot(c) && after_kana && next.is_some_and(|next| is_kana(*next))) {
            out.push(c);
        }
    }
    out
}

/// `ヴァ ヴィ ヴ ヴェ ヴォ` to `バ ビ ブ ベ ボ`, and the rare `ヷ ヸ ヹ ヺ`.
fn v_row_to_b_row(text: &[char]) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied().chain(once('\0')).peekable();
    while let Some(c) = rest.next() {
        let Some(&next) = rest.peek() else { break };
        let joined = match (c, next) {
            ('ヴ', 'ァ') | ('ゔ', 'ぁ') => Some('バ'),
            ('ヴ', 'ィ') | ('ゔ', 'ぃ') => Some('ビ'),
            ('ヴ', 'ェ') | ('ゔ', 'ぇ') => Some('ベ'),
            ('ヴ', 'ォ') | ('ゔ', 'ぉ') => Some('ボ'),
            _ => None,
        };
        if joined.is_some() {
            rest.next();
        }
        out.push(joined.unwrap_or(match c {
            'ヴ' => 'ブ',
            'ゔ' => 'ぶ',
            'ヷ' => 'バ',
            'ヸ' => 'ビ',
            'ヹ' => 'ベ',
            'ヺ' => 'ボ',
            other => other,
        }));
    }
    out
}

/// `キャノン` and the maker's own `キヤノン` are one word.
fn large_kana(c: char) -> char {
    const PHONETIC: &str = "クシストヌハヒフヘホムラリルレロ";
    match c {
        // In Unicode a small kana stands right before its large one.
        'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ' | 'ッ' | 'ャ' | 'ュ' | 'ョ' | 'ヮ' => char::from_u32(c as u32 + 1).unwrap_or(c),
        'ぁ' | 'ぃ' | 'ぅ' | 'ぇ' | 'ぉ' | 'っ' | 'ゃ' | 'ゅ' | 'ょ' | 'ゎ' => char::from_u32(c as u32 + 1).unwrap_or(c),
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        'ゕ' => 'か',
        'ゖ' => 'け',
        'ㇰ'..='ㇿ' => PHONETIC.chars().nth((c as u32 - 'ㇰ' as u32) as usize).unwrap_or(c),
        other => other,
    }
}

fn without_trailing_marks(text: &[char]) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    for run in text.chunk_by(|a, b| is_katakana(*a) == is_katakana(*b)) {
        let long = is_katakana(run[0]) && run.len() >= LONG_RUN_CHARS_MIN;
        let kept = if long { run.iter().rposition(|c| *c != LONG_MARK).map_or(run.len(), |last| last + 1) } else { run.len() };
        out.extend_from_slice(&run[..kept]);
    }
    out
}

fn hiragana(c: char) -> char {
    match c {
        'ァ'..='ヶ' | 'ヽ' | 'ヾ' => char::from_u32(c as u32 - 0x60).unwrap_or(c),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_word_fold_to_one_text() {
        for spellings in [
            &["ルーター", "ルータ", "ﾙｰﾀｰ", "ﾙｰﾀ", "ルータ－", "ル―タ‐", "るーた"][..],
            &["ファームウェア", "ファームウエア", "ﾌｧｰﾑｳｪｱ"],
            &["アイ・オー・データ", "アイオーデータ", "ｱｲ･ｵｰ･ﾃﾞｰﾀ", "アイ·オー·データ"],
            &["キヤノン", "キャノン"],
            &["富士フイルム", "富士フィルム"],
            &["ヴァージョン", "バージョン", "ｳﾞｧｰｼﾞｮﾝ"],
            &["ヴイ", "ブイ"],
            &["カメラ", "かめら", "ｶﾒﾗ"],
            &["サーバー", "サーバ"],
            &["ＷＳＲ－１１６６ＤＨＰ４", "wsr-1166dhp4", "WSR‐1166DHP4", "WSR−1166DHP4"],
            &["αＮＸⅡ", "αNXII"],
            &["フォーマット", "フオーマツト", "ふぉーまっと"],
            &["ヶ月", "ケ月", "ゖ月", "け月"],
            &["ㇰㇿ", "クロ"],
        ] {
            for spelling in spellings {
                assert_eq!(fold(spelling), fold(spellings[0]), "{spelling}");
            }
        }
    }

    #[test]
    fn different_words_stay_different() {
        for (one, other) in [("ビール", "ビル"), ("カバー", "カバ"), ("サーバー", "サバ"), ("ディスク", "デスク")] {
            assert_ne!(fold(one), fold(other));
        }
        assert!(!fold("フィルター").contains(&fold("ルーター")));
        assert!(!fold("ビール工場").contains(&fold("ビル")));
    }

    #[test]
    fn the_form_is_lower_case_hiragana() {
        for (text, folded) in [
            ("ルーター設定", "るーた設定"),
            ("カメラ-A1", "かめら-a1"),
            ("コピー", "こぴー"),
            ("ＡＢＣ　１２３", "abc 123"),
            ("ネットワーク・カメラ", "ねつとわーくかめら"),
            ("設定・画面", "設定・画面"),
            ("", ""),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }

        #[test]
        fn folding_japanese_twice_changes_nothing(text in "[ぁ-ゖ゙゚ァ-ー･-ﾟ・ー\\-‐―−ヴゔヷa-z0-9 設定]{0,24}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
