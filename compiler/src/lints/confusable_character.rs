//! A letter of another script inside a Latin word: see [`LINT`].

use std::collections::BTreeMap;

use ksig_lang::{CodeDoc, Fix, Severity, Span, Text, say};

use super::{Lint, Look, own};

/// Letters that look like Latin ones, Cyrillic and Greek, and below each the letter that it looks like. Small letters of which only the capital
/// does are none: nobody takes `μ` for an `m`.
const LIKE: &str = "АВСЕНІЈКМОРЅТХУԛԝасԁеһіјорѕхуӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲϳν";
const LATIN: &str = "ABCEHIJKMOPSTXYqwacdehijopsxylABEZHIKMNOPTYXocjv";

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "confusable-character",
        meaning: Text::new(
            "A word of Latin letters in a text or a pattern has a Cyrillic or Greek one that looks the same, mostly from a page that was copied. It equals nothing that a device says, and no reader sees why. A device that does write so deserves an `allow` that says where it was seen.",
            "テキストやパターンの中のラテン文字の単語に、見た目が同じキリル文字やギリシャ文字が混ざっています。多くは、どこかのページからコピーしたものです。機器の応答とは一致せず、読んでも原因がわかりません。実際にそう書く機器であれば、どこで観測したかを`allow`に書いてください。",
        ),
        bad: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /^АCME (?<model>BRL-\d\d[A-Z]*)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "АCME BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
        good: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /^ACME (?<model>BRL-\d\d[A-Z]*)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "ACME BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        // A word stands in the pattern and in the examples: it is told once, and mended everywhere.
        let mut words: BTreeMap<&str, Vec<(Span, char)>> = BTreeMap::new();
        for (start, literal) in own::literals(signature, analysis) {
            for (at, word) in mixed_words(literal) {
                let place = |(inside, letter): (usize, char)| {
                    let from = start + (at + inside) as u32;
                    Some((Span { start: from, end: from + letter.len_utf8() as u32 }, latin(letter)?))
                };
                words.entry(word).or_default().extend(word.char_indices().filter_map(place));
            }
        }
        let mut words: Vec<_> = words.into_iter().collect();
        words.sort_by_key(|(_, places)| places[0].0.start);
        for (word, places) in words {
            let meant: String = word.chars().map(|letter| latin(letter).unwrap_or(letter)).collect();
            let letter = own::written(signature, analysis, places[0].0);
            let number = letter.chars().next().map(|letter| format!("U+{:04X}", u32::from(letter))).unwrap_or_default();
            let message = say!("`{word}` has a letter of another script", "`{word}`に別の文字体系の文字が混ざっています");
            let like = places[0].1;
            let label = say!("{number}, which looks like `{like}`", "{number}。`{like}`に見えます");
            let mut problem = LINT.finding(signature, places[0].0, message, label);
            let edits = places.iter().map(|(span, latin)| (signature.file, *span, latin.to_string())).collect();
            problem.fix = Some(Fix { message: say!("write `{meant}`", "`{meant}`と書く"), edits });
            found.push(problem);
        }
    }),
};

/// Words, and where they begin, that have an ASCII letter and one that looks like one.
fn mixed_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = text.split(|c: char| !c.is_alphabetic()).map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word));
    words.filter(|(_, word)| {
        !word.is_ascii() && word.chars().any(|letter| letter.is_ascii_alphabetic()) && word.chars().any(|letter| latin(letter).is_some())
    })
}

/// The letter that it looks like.
fn latin(letter: char) -> Option<char> {
    if letter.is_ascii() {
        return None;
    }
    LIKE.chars().zip(LATIN.chars()).find(|(like, _)| *like == letter).map(|(_, latin)| latin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_has_the_one_that_it_looks_like() {
        assert_eq!(LIKE.chars().count(), LATIN.chars().count());
        assert!(LATIN.is_ascii() && LIKE.chars().all(|letter| !letter.is_ascii()));
        let words = |text| mixed_words(text).map(|(_, word)| word.to_string()).collect::<Vec<_>>();
        assert_eq!(words("АCME ACME Привет café 10kΩ μTorrent РHILIPS 管理A"), ["АCME", "РHILIPS"]);
    }
}
