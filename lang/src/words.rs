//! The words of the language, by where they stand: what an editor completes and colours.
//!
//! A test holds them to the parser, which asks for words one at a time.

pub use crate::literal::FLAGS;
pub use crate::parser::{CONTINUERS, EXPECTATIONS, ITEM_WORDS as ITEMS, STATEMENT_WORDS as STATEMENTS, WORD_OPERATORS};

/// Words that begin a line of `match`, before what they group.
pub const GROUPS: &[&str] = &["any", "all", "none", "at least 1 of"];
/// Words behind a value that say whether there is one.
pub const PRESENCE: &[&str] = &["absent", "present"];
/// Words that are values.
pub const TRUTHS: &[&str] = &["true", "false"];
/// Words that begin a line of a test.
pub const TEST_LINES: &[&str] = &["given", "with", "expect"];
/// Words that stand for an answer that did not come.
pub const NO_ANSWERS: &[&str] = &["timeout", "refused"];
/// Words inside an item, a statement or an expression.
pub const INNER: &[&str] = &[
    "from", "row", "key", "history", "on", "any", "tls", "all", "none", "at", "least", "of", "first", "for", "refines", "fixture",
    "because", "nothing", "unknown", "at_least", "by", "leading",
];

/// Every word that the grammar itself knows, sorted. Metadata, types and slots are the compiler's.
pub fn all() -> Vec<&'static str> {
    let groups: [&[&str]; 10] =
        [&ITEMS, &STATEMENTS, &CONTINUERS, &WORD_OPERATORS, &EXPECTATIONS, PRESENCE, TRUTHS, TEST_LINES, NO_ANSWERS, INNER];
    let mut all: Vec<&str> = groups.concat();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// Words in quotes where the parser compares one with the word at hand.
    fn asked(source: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for line in source.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let arm = line.starts_with(['"', '(']) && line.contains("=>");
            let asks = ["at_word(", "eat_word(", "expect_word(", "nth_word(", "p.word()", "matches!(word,", "for word in"]
                .iter()
                .any(|call| line.contains(call));
            if arm || asks {
                let pieces = line.split('"').skip(1).step_by(2);
                found.extend(pieces.filter(|piece| !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
            }
        }
        found
    }

    #[test]
    fn the_parser_asks_for_these_and_no_others() {
        let parser = concat!(
            include_str!("parser.rs"),
            include_str!("parser/items.rs"),
            include_str!("parser/statements.rs"),
            include_str!("parser/expressions.rs"),
            include_str!("parser/tests.rs")
        );
        let mut asked = asked(parser);
        asked.extend(
            super::ITEMS
                .iter()
                .chain(&super::STATEMENTS)
                .chain(&super::CONTINUERS)
                .chain(&super::WORD_OPERATORS)
                .chain(&super::EXPECTATIONS),
        );
        let known: BTreeSet<&str> = super::all().into_iter().collect();
        assert_eq!(asked, known);
    }
}
