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
    let folded = fold(word);
    for line in SPELLINGS {
        for member in *line {
            let within = fold(member);
            if !folded.contains(&within) || within.is_ascii() && folded != within {
                continue;
            }
            // Exchanged in the word as it was written where that is possible: people are shown what was searched.
            let exchanged = |other: &&str| if word.contains(member) { word.replace(member, other) } else { folded.replace(&within, other) };
            return line.iter().filter(|other| fold(other) != within).map(exchanged).collect();
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
        assert_eq!(variants("ビジネスホン"), ["ビジネスフォン"]);
        assert_eq!(variants("ﾋﾞｼﾞﾈｽﾎﾝ"), ["びじねすフォン"]);
        assert_eq!(variants("エーターム"), ["Aterm"]);
        assert_eq!(variants("ATERM"), ["エーターム"]);
        assert_eq!(variants("インタフェース").len(), 3);
        assert!(variants("webcam").is_empty(), "a Latin word is exchanged whole");
        assert!(variants("ルーター").is_empty());
    }
}
