//! Problems in the forms that people and programs read.

use std::collections::BTreeMap;

use ksig_compiler::Analysis;
use ksig_compiler::lints::query::Query;
use ksig_lang::{Diagnostic, Lang, RenderStyle, Severity, Text, line_column};
use serde_json::json;

use crate::ci::{self, JunitCase, JunitFailure};

/// All problems with their source lines.
pub fn as_text(analysis: &Analysis, style: RenderStyle) -> String {
    ksig_lang::render(&analysis.diagnostics, &analysis.sources, style)
}

/// One JSON object a problem. Lines and columns count from 1, columns in characters (a full-width one counts once, a tab too, a byte order
/// mark not at all); `end_column` is the first character behind the place.
pub fn as_json(analysis: &Analysis, lang: Lang) -> Vec<serde_json::Value> {
    analysis
        .diagnostics
        .iter()
        .map(|problem| {
            let labels: Vec<_> =
                problem.labels.iter().map(|label| place(analysis, label.file, label.span, label.text.in_lang(lang))).collect();
            let fix = problem.fix.as_ref().map(|fix| {
                let edits: Vec<_> = fix
                    .edits
                    .iter()
                    .map(|(file, span, text)| {
                        let mut edit = place(analysis, *file, *span, "");
                        edit["replacement"] = json!(text);
                        edit
                    })
                    .collect();
                json!({ "message": fix.message.in_lang(lang), "edits": edits })
            });
            json!({
                "code": problem.code, "severity": problem.severity, "message": problem.message.in_lang(lang), "labels": labels,
                "help": said(&problem.help, lang), "note": said(&problem.note, lang), "fix": fix,
            })
        })
        .collect()
}

/// One SARIF 2.1.0 log. Columns count characters, as SARIF calls code points. `own`: lints of those who keep the signatures.
pub fn as_sarif(analysis: &Analysis, own: &[Query], lang: Lang) -> serde_json::Value {
    let mut codes: Vec<&str> = analysis.diagnostics.iter().map(|problem| problem.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rule = |code: &&str| match own.iter().find(|query| query.name == *code) {
        Some(query) => sarif_rule_of(query, lang),
        None => {
            let meaning = ksig_compiler::codes::explain(code).map_or(*code, |doc| doc.meaning.in_lang(lang));
            json!({ "id": code, "fullDescription": { "text": meaning } })
        }
    };
    let results: Vec<_> = analysis.diagnostics.iter().map(|problem| sarif_result(analysis, problem, lang)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "ksig", "version": env!("CARGO_PKG_VERSION"), "rules": codes.iter().map(rule).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// A lint that nobody else knows says what it finds, and, where it has a text for that, why.
fn sarif_rule_of(query: &Query, lang: Lang) -> serde_json::Value {
    let message = query.message.in_lang(lang);
    let mut rule = json!({ "id": query.name, "shortDescription": { "text": message }, "fullDescription": { "text": message } });
    let doc = query.doc.in_lang(lang);
    if !doc.is_empty() {
        rule["fullDescription"] = json!({ "text": doc });
        rule["help"] = json!({ "text": doc });
    }
    rule
}

fn sarif_result(analysis: &Analysis, problem: &Diagnostic, lang: Lang) -> serde_json::Value {
    let place = |file, span, text: &str| {
        let mut place = json!({ "physicalLocation": sarif_place(analysis, file, span) });
        if !text.is_empty() {
            place["message"] = json!({ "text": text });
        }
        place
    };
    let all: Vec<_> = problem.labels.iter().map(|label| place(label.file, label.span, label.text.in_lang(lang))).collect();
    let (primary, others) = all.split_at(all.len().min(1));
    let level = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut result = json!({
        "ruleId": problem.code, "level": level, "message": { "text": sentences(problem, lang) },
        "locations": primary, "relatedLocations": others,
    });
    if let Some(fix) = &problem.fix {
        let change = |(file, span, text): &(ksig_lang::FileId, ksig_lang::Span, String)| {
            let place = sarif_place(analysis, *file, *span);
            json!({
                "artifactLocation": place["artifactLocation"],
                "replacements": [{ "deletedRegion": place["region"], "insertedContent": { "text": text } }],
            })
        };
        let changes: Vec<_> = fix.edits.iter().map(change).collect();
        result["fixes"] = json!([{ "description": { "text": fix.message.in_lang(lang) }, "artifactChanges": changes }]);
    }
    result
}

fn sarif_place(analysis: &Analysis, file: ksig_lang::FileId, span: ksig_lang::Span) -> serde_json::Value {
    let Some(source) = analysis.sources.get(file) else { return json!({}) };
    let (line, column) = line_column(&source.text, span.start);
    let (end_line, end_column) = line_column(&source.text, span.end);
    json!({
        "artifactLocation": { "uri": uri(&source.path) },
        "region": { "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column },
    })
}

/// A path as a relative URI reference.
pub(crate) fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// JUnit XML: a test case for each file, which fails with its problems.
pub fn as_junit(analysis: &Analysis, files: &[String], lang: Lang) -> String {
    let mut by_file: BTreeMap<String, Vec<JunitFailure>> = BTreeMap::new();
    for problem in &analysis.diagnostics {
        let (path, line, column) = first_place(analysis, problem);
        let text = format!("{path}:{line}:{column}: {}", sentences(problem, lang));
        let failure = JunitFailure { kind: problem.code.into(), message: problem.message.in_lang(lang).into(), text };
        by_file.entry(path).or_default().push(failure);
    }
    let case = |path: &String| {
        let failures = by_file.remove(path).unwrap_or_default();
        JunitCase { class: "ksig".into(), name: path.clone(), file: None, failures }
    };
    ci::junit("ksig check", &files.iter().map(case).collect::<Vec<_>>())
}

/// What is wrong and what to do, as running text.
pub(crate) fn sentences(problem: &Diagnostic, lang: Lang) -> String {
    let (end, between) = if lang == Lang::Ja { ("。", "") } else { (".", " ") };
    let parts = [Some(problem.message.in_lang(lang)), said(&problem.help, lang), said(&problem.note, lang)];
    let closed = |part: &str| if part.ends_with('?') { part.to_string() } else { format!("{part}{end}") };
    parts.into_iter().flatten().map(closed).collect::<Vec<_>>().join(between)
}

/// GitHub's annotation lines.
pub fn as_github(analysis: &Analysis, lang: Lang) -> String {
    let mut out = String::new();
    for problem in &analysis.diagnostics {
        let word = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let (path, line, column) = first_place(analysis, problem);
        out.push_str(&ci::github(word, (&path, line, column), problem.code, &sentences(problem, lang)));
    }
    out
}

fn said(text: &Option<Text>, lang: Lang) -> Option<&str> {
    text.as_ref().map(|text| text.in_lang(lang))
}

/// Path, line and column of a problem's first label.
pub fn first_place(analysis: &Analysis, problem: &Diagnostic) -> (String, u32, u32) {
    let Some(label) = problem.labels.first() else { return (String::new(), 0, 0) };
    let Some(source) = analysis.sources.get(label.file) else { return (String::new(), 0, 0) };
    let (line, column) = line_column(&source.text, label.span.start);
    (source.path.clone(), line, column)
}

fn place(analysis: &Analysis, file: ksig_lang::FileId, span: ksig_lang::Span, text: &str) -> serde_json::Value {
    let Some(source) = analysis.sources.get(file) else { return json!({ "text": text }) };
    let (line, column) = line_column(&source.text, span.start);
    let (end_line, end_column) = line_column(&source.text, span.end);
    json!({ "path": source.path, "line": line, "column": column, "end_line": end_line, "end_column": end_column, "text": text })
}
