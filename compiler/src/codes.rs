//! What each problem code means, for `ksig explain` and the chapter of problems. Syntax has its own list in `lang`, and lints stand in
//! [`crate::lints`]; [`groups`] has them all.
//!
//! An example is a whole file when it begins with `ksig 1`, and the statements of a signature otherwise: those stand in the frame of
//! `spec/README.md`. A test runs them all: the bad one reports its code and no other, the good one nothing.

mod conditions;
mod names;
mod probes;
mod signatures;
mod tables;
mod values;
mod vocabulary;

use ksig_lang::{CodeDoc, Text};

use crate::lints;

/// Codes that belong together.
pub struct Group {
    /// One word, for names of files and headings.
    pub name: &'static str,
    /// What they are about.
    pub about: Text,
    /// Sorted by code.
    pub codes: Vec<&'static CodeDoc>,
}

/// Every code that ksig reports, in groups.
pub fn groups() -> Vec<Group> {
    let group = |name, about, codes: &'static [CodeDoc]| Group { name, about, codes: codes.iter().collect() };
    vec![
        group("syntax", Text::new("How a file is written", "ファイルの書き方"), ksig_lang::CODES),
        group("names", Text::new("Modules, imports and the vocabulary", "モジュール、インポート、語彙"), names::CODES),
        group("vocabulary", Text::new("Entries of the vocabulary", "語彙の項目"), vocabulary::CODES),
        group("values", Text::new("Types, literals, versions and fields", "型、リテラル、バージョン、フィールド"), values::CODES),
        group("tables", Text::new("Tables and files beside a signature", "テーブルと隣接ファイル"), tables::CODES),
        group(
            "conditions",
            Text::new("What must hold: lines, patterns, captures, absence", "条件、パターン、キャプチャ、不在"),
            conditions::CODES,
        ),
        group("probes", Text::new("What is asked", "プローブ"), probes::CODES),
        group(
            "signatures",
            Text::new("What a signature says, and how signatures stand to each other", "シグネチャの内容と相互の関係"),
            signatures::CODES,
        ),
        Group {
            name: "lints",
            about: Text::new("What compiles and is still a mistake", "コンパイルできても誤りであるもの"),
            codes: lints::ALL.iter().map(|lint| &lint.doc).collect(),
        },
    ]
}

/// What a code means.
pub fn explain(code: &str) -> Option<&'static CodeDoc> {
    groups().into_iter().flat_map(|group| group.codes).find(|doc| doc.code == code)
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn every_problem_has_an_explanation() {
        let problems = concat!(include_str!("problems.rs"), include_str!("problems/vocabulary.rs"));
        let groups = groups();
        let codes: Vec<&str> = groups.iter().flat_map(|group| &group.codes).map(|doc| doc.code).collect();
        let reported = |part: &&str| part.contains('-') && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        let missing: Vec<&str> = problems.split('"').filter(reported).filter(|code| !codes.contains(code)).collect();
        assert!(missing.is_empty(), "not explained: {missing:?}");
        for group in &groups {
            assert!(group.codes.is_sorted_by_key(|doc| doc.code), "{}: sorted", group.name);
            let own = !matches!(group.name, "syntax" | "lints");
            for code in group.codes.iter().map(|doc| doc.code) {
                assert!(!own || problems.contains(&format!("\"{code}\"")), "{code} is never reported");
                assert_eq!(codes.iter().filter(|other| **other == code).count(), 1, "{code} is explained once");
            }
        }
    }
}
