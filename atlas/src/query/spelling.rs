//! Spellings of one word that no rule of the fold can join, and product lines that are written in two scripts.
//!
//! In: a word of a query. Out: the same word in its other spellings. The index is not touched, so a line added here works at once.

use crate::fold::fold;

/// Each line is one word. A member replaces another inside longer words too: `簡単設定` finds `かんたん設定`.
const SPELLINGS: &[&[&str]] = &[
    &["インターフェイス", "インターフェース", "インタフェース", "インタフェイス"],
    &["簡単", "かんたん"],
    &["フォン", "ホン"],
    &["デジタル", "ディジタル"],
    &["ウェブ", "Web"],
    &["メール", "mail"],
    &["ログイン", "login"],
    &["ファームウェア", "firmware"],
    &["パスワード", "password"],
    &["エーターム", "Aterm"],
    &["エアステーション", "AirStation"],
    &["リンクステーション", "LinkStation"],
    &["テラステーション", "TeraStation"],
    &["ブロードステーション", "BroadStation"],
    &["ランディスク", "LANDISK"],
    &["クウォッチ", "Qwatch"],
];

/// The other spellings of a word; empty for most. At most one word of the list is exchanged.
pub(super) fn variants(word: &str) -> Vec<String> {
    let word = fold(word);
    for line in SPELLINGS {
        for member in *line {
            let member = fold(member);
            if !word.contains(&member) || member.is_ascii() && word != member {
                continue;
            }
            let others = line.iter().filter(|other| fold(other) != member);
            return others.map(|other| word.replace(&member, other)).filter(|variant| fold(variant) != word).collect();
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_in_its_other_spellings() {
        assert_eq!(variants("簡単設定"), ["かんたん設定"]);
        assert_eq!(variants("ビジネスホン"), ["びじねすフォン"]);
        assert_eq!(variants("エーターム"), ["Aterm"]);
        assert_eq!(variants("ATERM"), ["エーターム"]);
        assert_eq!(variants("インタフェース").len(), 3);
        assert!(variants("webcam").is_empty(), "a Latin word is exchanged whole");
        assert!(variants("ルーター").is_empty());
    }
}
