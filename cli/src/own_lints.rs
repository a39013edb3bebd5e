//! Lints of those who keep the signatures: `[[lint]]` of `ksig.toml`.
//!
//! ```toml
//! [[lint]]
//! name = "own-anchored-titles"
//! level = "error"
//! visits = "pattern"
//! where = 'fields has "http.html.title" and not source starts "^"'
//! message = "patterns of titles begin with ^"
//! ```
//!
//! In: the tables as they were written, with their places. Out: checked queries, or all that is wrong with them. The file is read by
//! [`crate::policy`].

use std::collections::BTreeSet;

use ksig_compiler::lints::query::{PREFIX, Query, VISITS};
use ksig_compiler::nearest;
use ksig_lang::{Text, say};
use serde::Deserialize;
use toml::{Spanned, Value};

use crate::levels::{self, LevelProblem};

/// Most lints of one file.
const LINTS_MAX: usize = 256;

/// Longest name, in bytes.
const NAME_MAX: usize = 64;

/// One table as it was written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    name: Spanned<String>,
    level: Option<Spanned<Value>>,
    visits: Spanned<String>,
    #[serde(rename = "where")]
    question: Spanned<String>,
    message: String,
    message_ja: Option<String>,
    doc: Option<String>,
    doc_ja: Option<String>,
}

/// Reads the tables; `text` is the file that they stand in. Problems are added to those of its other parts.
pub fn read(written: Vec<Written>, text: &str, problems: &mut Vec<LevelProblem>) -> Vec<Query> {
    let mut queries = Vec::new();
    let mut names = BTreeSet::new();
    for lint in written {
        let mut wrong = |at: usize, reason: Text| problems.push(LevelProblem::at(text, at, reason));
        if queries.len() == LINTS_MAX {
            wrong(lint.name.span().start, say!("a file has at most {LINTS_MAX} lints of its own", "独自のリントは{LINTS_MAX}個までです"));
            break;
        }
        let name = lint.name.get_ref();
        if let Some(reason) = bad_name(name) {
            wrong(lint.name.span().start, reason);
        } else if !names.insert(name.clone()) {
            wrong(lint.name.span().start, say!("there is a lint `{name}` already", "`{name}`というリントはすでにあります"));
        }
        let level = lint.level.as_ref().map(|level| levels::level(level.get_ref()));
        if let (Some(Err(reason)), Some(written)) = (&level, &lint.level) {
            wrong(written.span().start, reason.clone());
        }
        let word = lint.visits.get_ref();
        let Some((_, visits)) = VISITS.iter().find(|(known, _)| known == word) else {
            wrong(lint.visits.span().start, no_visit(word));
            continue;
        };
        // A name lives as long as the program, as the codes of other problems do: at most LINTS_MAX short ones each time the file is read.
        let leaked: &'static str = if bad_name(name).is_none() { name.clone().leak() } else { PREFIX };
        match Query::new(leaked, *visits, lint.question.get_ref()) {
            Err(problem) => wrong(place(&lint.question, text, problem.at), problem.text),
            Ok(mut query) => {
                let of = |en: Option<String>, ja: Option<String>| {
                    let en = en.unwrap_or_default();
                    Text { ja: ja.unwrap_or_else(|| en.clone()).into(), en: en.into() }
                };
                query.level = level.and_then(Result::ok).unwrap_or(query.level);
                query.message = of(Some(lint.message), lint.message_ja);
                query.doc = of(lint.doc, lint.doc_ja);
                queries.push(query);
            }
        }
    }
    queries
}

/// Why something is no name of such a lint.
fn bad_name(name: &str) -> Option<Text> {
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    let is_word = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (!is_word || name.len() > NAME_MAX).then(|| {
        say!(
            "`{name}` is no name for a lint of one's own: `{PREFIX}` and small letters, digits and hyphens, {NAME_MAX} bytes at most",
            "`{name}`は独自のリントの名前にできません。`{PREFIX}`に続けて英小文字、数字、ハイフンを使い、{NAME_MAX}バイト以内にしてください"
        )
    })
}

fn no_visit(word: &str) -> Text {
    match nearest(word, VISITS.iter().map(|(word, _)| *word)) {
        Some(near) => {
            say!("no lint visits `{word}`; did you mean `{near}`?", "`{word}`は対象にできません。`{near}`の間違いではありませんか")
        }
        None => {
            let all = VISITS.map(|(word, _)| word).join(", ");
            say!("no lint visits `{word}`; it can be {all}", "`{word}`は対象にできません。対象にできるのは{all}です")
        }
    }
}

/// Where a byte of an expression stands in the file; the beginning of the expression where TOML's escapes have changed it.
fn place(question: &Spanned<String>, text: &str, at: usize) -> usize {
    let span = question.span();
    let written = text.get(span.clone()).unwrap_or_default();
    span.start + written.find(question.get_ref().as_str()).map_or(0, |from| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ksig_lang::{Lang, Severity};

    #[derive(Deserialize)]
    struct File {
        lint: Vec<Written>,
    }

    fn told(text: &str) -> Result<Vec<Query>, Vec<String>> {
        let file: File = toml::from_str(text).expect("TOML");
        let mut problems = Vec::new();
        let queries = read(file.lint, text, &mut problems);
        let lines = || problems.iter().map(|problem| problem.line("ksig.toml", Lang::En)).collect();
        if problems.is_empty() { Ok(queries) } else { Err(lines()) }
    }

    fn lint(visits: &str, question: &str) -> String {
        format!("[[lint]]\nname = \"own-x\"\nvisits = \"{visits}\"\nmessage = \"m\"\nwhere = '{question}'\n")
    }

    #[test]
    fn a_lint_is_a_warning_unless_it_says_otherwise() {
        let read = told(&lint("signature", "confidence == \"certain\"")).expect("right");
        assert_eq!((read[0].name, read[0].level), ("own-x", Some(Severity::Warning)));
        assert_eq!((&*read[0].message.en, &*read[0].message.ja), ("m", "m"));
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_place() {
        for (text, starts) in [
            (lint("signature", "confidense == \"weak\""), "ksig.toml:5:10: a signature has no `confidense`; did you mean `confidence`?"),
            (lint("pattern", "source == 1"), "ksig.toml:5:20: this is int, where text is asked"),
            (lint("pattern", "source"), "ksig.toml:5:10: a query is true or false, and this is text"),
            (lint("pattern", "any(signature.tests, name == \"x\")"), "ksig.toml:5:14: `signature.tests` is asked of signatures only"),
            (lint("signature", "any(tests, any(given, true))"), "ksig.toml:5:21: one of these stands in no other"),
            (lint("signature", "summary ~ /(/"), "ksig.toml:5:20:"),
            (lint("signature", "summary =="), "ksig.toml:5:"),
            (lint("signatures", "true"), "ksig.toml:3:10: no lint visits `signatures`; did you mean `signature`?"),
            (lint("test", "true").replace("own-x", "x"), "ksig.toml:2:8: `x` is no name"),
            (lint("test", "true") + &lint("test", "true"), "ksig.toml:7:8: there is a lint `own-x` already"),
            (lint("test", "true") + "level = \"of\"\n", "ksig.toml:6:9: a lint has no level \"of\"; did you mean \"off\"?"),
        ] {
            let told = told(&text).expect_err("something is wrong");
            assert!(told.len() == 1 && told[0].starts_with(starts), "{starts}\n{told:#?}");
        }
    }
}
