//! What came of tests, in the forms that people and programs read.
//!
//! In: a [`Report`]. Out: text, JSON, JUnit XML, TAP 14, GitHub's annotation lines. Whatever the form, a test is one case with all failures of
//! both engines and of the corpus.

use std::collections::BTreeMap;

use ksig_lang::{Lang, Text, say};
use serde_json::json;

use super::{Case, Failure, Report};
use crate::ci::{self, JunitCase, JunitFailure};

impl Case {
    /// The signature and the test, as `--filter` reads them.
    pub fn full_name(&self) -> String {
        format!("{}: {}", self.signature, self.test)
    }
}

/// Each failure with its place, its engine and its reason.
pub fn as_text(report: &Report, lang: Lang) -> String {
    let mut out = String::new();
    for (case, failure) in report.failures() {
        let Failure { place, engine, reason } = failure;
        let reason = reason.in_lang(lang).trim_end().replace('\n', "\n  ");
        out.push_str(&format!("{place}: {} [{engine}] {}\n  {reason}\n", case.signature, case.test));
    }
    out
}

/// How much ran and how much failed, as one line.
pub fn summary(report: &Report) -> Text {
    let Report { cases, signatures, fixtures_shown } = report;
    let (tests, failures) = (cases.len(), report.failures().count());
    say!(
        "{tests} tests of {signatures} signatures on jit and interpreter, {fixtures_shown} fixtures shown to the corpus, {failures} failures\n",
        "テスト{tests}件（シグネチャ{signatures}件、jitとinterpreterで実行）、全シグネチャと照合した応答{fixtures_shown}件、失敗{failures}件\n"
    )
}

/// For programs, the reasons in a language.
pub fn as_json(report: &Report, lang: Lang) -> serde_json::Value {
    let failures = report.failures().map(|(case, failure)| {
        let Failure { place, engine, reason } = failure;
        json!({
            "signature": case.signature, "test": case.test, "path": place.path, "line": place.line, "column": place.column,
            "engine": engine, "reason": reason.in_lang(lang),
        })
    });
    json!({
        "tests": report.cases.len(), "signatures": report.signatures, "fixtures_shown": report.fixtures_shown,
        "failures": failures.collect::<Vec<_>>(),
    })
}

/// JUnit XML: a test case for each test, of the class that its signature is.
pub fn as_junit(report: &Report, lang: Lang) -> String {
    let failure = |failure: &Failure| {
        let reason = failure.reason.in_lang(lang).trim_end();
        JunitFailure {
            kind: failure.engine.into(),
            message: first_line(reason).into(),
            text: format!("{} [{}] {reason}", failure.place, failure.engine),
        }
    };
    let case = |case: &Case| JunitCase {
        class: case.signature.clone(),
        name: case.test.clone(),
        file: Some(case.place.path.clone()),
        failures: case.failures.iter().map(failure).collect(),
    };
    ci::junit("ksig test", &report.cases.iter().map(case).collect::<Vec<_>>())
}

/// GitHub's annotation lines: one for each failure, at the expectation that did not hold. What both engines say is said once.
pub fn as_github(report: &Report, lang: Lang) -> String {
    let mut out = String::new();
    for case in &report.cases {
        for (failure, engines) in said_once(case) {
            let place = (failure.place.path.as_str(), failure.place.line, failure.place.column);
            let text = format!("{} [{}]\n{}", case.full_name(), engines.join(", "), failure.reason.in_lang(lang).trim_end());
            out.push_str(&ci::github("error", place, "ksig test", &text));
        }
    }
    out
}

/// TAP 14: the plan first, a point for each test, and for one that failed a block of YAML with what is wrong and where.
pub fn as_tap(report: &Report, lang: Lang) -> String {
    let mut out = format!("TAP version 14\n1..{}\n", report.cases.len());
    for (number, case) in (1..).zip(&report.cases) {
        let word = if case.failures.is_empty() { "ok" } else { "not ok" };
        out.push_str(&format!("{word} {number} - {}\n", tap_description(&case.full_name())));
        if !case.failures.is_empty() {
            out.push_str(&diagnostics(case, lang));
        }
    }
    out
}

/// Strings of JSON are strings of YAML in double quotes, so nothing that stands in a banner can end a block.
fn diagnostics(case: &Case, lang: Lang) -> String {
    let quoted = |text: &str| crate::plain::json(&text).unwrap_or_default();
    let mut out = String::from("  ---\n");
    let first = case.failures.first().map(|failure| first_line(failure.reason.in_lang(lang))).unwrap_or_default();
    out.push_str(&format!("  message: {}\n  severity: fail\n  failures:\n", quoted(first)));
    for (failure, engines) in said_once(case) {
        let engines: Vec<String> = engines.iter().map(|engine| quoted(engine)).collect();
        out.push_str(&format!("    - engines: [{}]\n", engines.join(", ")));
        let at = &failure.place;
        out.push_str(&format!("      at: {{ file: {}, line: {}, column: {} }}\n", quoted(&at.path), at.line, at.column));
        out.push_str(&format!("      reason: {}\n", quoted(failure.reason.in_lang(lang).trim_end())));
    }
    out.push_str("  ...\n");
    out
}

/// `#` begins a directive, and a backslash escapes it.
fn tap_description(text: &str) -> String {
    let line = crate::plain::text(text).replace(['\n', '\r'], " ");
    line.replace('\\', "\\\\").replace('#', "\\#")
}

/// Each failure with all engines that say the same of the same place, in the order in which they were found.
fn said_once(case: &Case) -> Vec<(&Failure, Vec<&'static str>)> {
    let mut known: BTreeMap<(&super::Place, &str), usize> = BTreeMap::new();
    let mut all: Vec<(&Failure, Vec<&'static str>)> = Vec::new();
    for failure in &case.failures {
        match known.get(&(&failure.place, &*failure.reason.en)) {
            Some(at) => all[*at].1.push(failure.engine),
            None => {
                known.insert((&failure.place, &failure.reason.en), all.len());
                all.push((failure, vec![failure.engine]));
            }
        }
    }
    all
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
