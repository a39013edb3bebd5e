//! Problems in the forms that people and programs read.

use ksig_compiler::Analysis;
use ksig_lang::{Diagnostic, Lang, RenderStyle, Severity, Text, line_column};
use serde_json::json;

/// All problems with their source lines.
pub fn as_text(analysis: &Analysis, style: RenderStyle) -> String {
    ksig_lang::render(&analysis.diagnostics, &analysis.sources, style)
}

/// One JSON object a problem.
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
        let text = [Some(problem.message.in_lang(lang)), said(&problem.help, lang)].into_iter().flatten().collect::<Vec<_>>().join(". ");
        let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
        out.push_str(&format!("::{word} file={path},line={line},col={column},title={}::{text}\n", problem.code));
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
