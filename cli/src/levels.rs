//! How bad the findings of lints are: `[lints]` of `ksig.toml`.
//!
//! In: the table as it was written, with its places. Out: [`Levels`], or all that is wrong with the table. The file is read by
//! [`crate::policy`].

use std::collections::BTreeMap;

use ksig_compiler::lints::{self, Levels};
use ksig_compiler::{codes, nearest};
use ksig_lang::{Lang, Severity, Text, line_column, say};
use toml::{Spanned, Value};

/// The table as it was written: a lint's name and its level, each with its place.
pub type Written = BTreeMap<Spanned<String>, Spanned<Value>>;

/// What a level can be, as it is written.
const LEVELS: [(&str, Option<Severity>); 4] =
    [("error", Some(Severity::Error)), ("warning", Some(Severity::Warning)), ("note", Some(Severity::Note)), ("off", None)];

/// What is wrong with one line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelProblem {
    /// Line and column, from 1.
    pub place: (u32, u32),
    /// What, and what would be right.
    pub text: Text,
}

impl LevelProblem {
    /// A problem at a byte of the file's text.
    pub fn at(text: &str, byte: usize, problem: Text) -> LevelProblem {
        LevelProblem { place: line_column(text, u32::try_from(byte).unwrap_or(u32::MAX)), text: problem }
    }

    /// `ksig.toml:2:1: there is no lint ...`.
    pub fn line(&self, file: &str, lang: Lang) -> String {
        let (line, column) = self.place;
        format!("{file}:{line}:{column}: {}", self.text.in_lang(lang))
    }
}

/// Reads the table; `text` is the file that it stands in, `own` the names of the lints that it declares itself.
///
/// # Errors
/// Names that no lint has, and levels that are none, in the order of the file.
pub fn read(written: Written, text: &str, own: &[&'static str]) -> Result<Levels, Vec<LevelProblem>> {
    let (mut levels, mut problems) = (Levels::new(), Vec::new());
    for (name, value) in written {
        let (at_name, at_level) = (name.span().start, value.span().start);
        let level = level(value.get_ref());
        match (lint(name.get_ref(), own), &level) {
            (Ok(code), Ok(level)) => {
                levels.insert(code, *level);
            }
            (code, level) => {
                let problem = |at, problem: &Text| (at, LevelProblem::at(text, at, problem.clone()));
                problems.extend(code.err().map(|reason| problem(at_name, &reason)));
                problems.extend(level.as_ref().err().map(|reason| problem(at_level, reason)));
            }
        }
    }
    problems.sort_by_key(|(at, _)| *at);
    if problems.is_empty() { Ok(levels) } else { Err(problems.into_iter().map(|(_, problem)| problem).collect()) }
}

/// The code of a lint by its name.
fn lint(name: &str, own: &[&'static str]) -> Result<&'static str, Text> {
    let names = || lints::ALL.iter().map(|lint| lint.doc.code).chain(own.iter().copied());
    if let Some(code) = names().find(|code| *code == name) {
        return Ok(code);
    }
    if codes::explain(name).is_some() {
        return Err(say!(
            "`{name}` is no lint but an error of every signature that has it: it has no level",
            "`{name}`はリントではなく、どのシグネチャでも常に報告される問題です。レベルは変更できません"
        ));
    }
    Err(match nearest(name, names()) {
        Some(near) => {
            say!("there is no lint `{name}`; did you mean `{near}`?", "`{name}`というリントはありません。`{near}`の間違いではありませんか")
        }
        None => {
            let all = names().collect::<Vec<_>>().join(", ");
            say!("there is no lint `{name}`; the lints are {all}", "`{name}`というリントはありません。リントは{all}です")
        }
    })
}

/// A level as it is written.
pub fn level(value: &Value) -> Result<Option<Severity>, Text> {
    let written = value.as_str();
    if let Some((_, level)) = LEVELS.iter().find(|(word, _)| Some(*word) == written) {
        return Ok(*level);
    }
    let shown = value.to_string();
    let all = LEVELS.map(|(word, _)| format!("\"{word}\"")).join(", ");
    Err(match written.and_then(|written| nearest(written, LEVELS.iter().map(|(word, _)| *word))) {
        Some(near) => say!(
            "a lint has no level {shown}; did you mean \"{near}\"?",
            "{shown}というレベルはありません。\"{near}\"の間違いではありませんか"
        ),
        None => say!("a lint has no level {shown}; the levels are {all}", "{shown}というレベルはありません。レベルは{all}です"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(table: &str) -> Result<Levels, Vec<String>> {
        let written: Written = toml::from_str(table).expect("TOML");
        read(written, table, &["own-titles"])
            .map_err(|problems| problems.iter().map(|problem| problem.line("ksig.toml", Lang::En)).collect())
    }

    #[test]
    fn each_level_is_one() {
        let all = "missing-summary = \"error\"\nno-positive-test = \"warning\"\nunanchored-model = \"note\"\nunused-capture = \"off\"\n";
        let expected = ["missing-summary", "no-positive-test", "unanchored-model", "unused-capture"].into_iter();
        assert_eq!(levels(all), Ok(expected.zip(LEVELS.map(|(_, level)| level)).collect()));
        assert_eq!(levels(""), Ok(Levels::new()));
        assert_eq!(levels("own-titles = \"note\"\n"), Ok(Levels::from([("own-titles", Some(Severity::Note))])));
        let unknown = levels("own-title = \"note\"\n").expect_err("no lint has that name");
        assert!(unknown[0].ends_with("did you mean `own-titles`?"), "{unknown:?}");
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_place() {
        let wrong =
            "unused-capture = \"of\"\nmissing-sumary = \"off\"\nmissing-summary = \"quiet\"\nunanchored-model = 1\nbad-pattern = \"off\"\n";
        let told = levels(wrong).expect_err("nothing of it is right");
        let starts = [
            "ksig.toml:1:18: a lint has no level \"of\"; did you mean \"off\"?",
            "ksig.toml:2:1: there is no lint `missing-sumary`; did you mean `missing-summary`?",
            "ksig.toml:3:19: a lint has no level \"quiet\"; the levels are \"error\", \"warning\", \"note\", \"off\"",
            "ksig.toml:4:20: a lint has no level 1; the levels are",
            "ksig.toml:5:1: `bad-pattern` is no lint",
        ];
        assert_eq!(told.len(), starts.len(), "{told:#?}");
        assert!(told.iter().zip(starts).all(|(told, start)| told.starts_with(start)), "{told:#?}");
        let all = lints::ALL.iter().map(|lint| lint.doc.code).chain(["own-titles"]).collect::<Vec<_>>().join(", ");
        assert!(levels("quite-another = \"off\"\n").expect_err("no lint")[0].ends_with(&format!("the lints are {all}")));
    }
}
