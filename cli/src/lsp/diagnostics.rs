//! Problems as an editor shows them: place, level, code with a link to its page, other places that belong to it.

use ksig_compiler::lints;
use ksig_lang::{Diagnostic, Lang, Severity};
use lsp_types::{CodeDescription, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, NumberOrString, Uri};

use super::view::View;
use crate::problems;

/// Who says so.
pub const SOURCE: &str = "ksig";
/// Who says what a test that was run shows.
pub const TEST_SOURCE: &str = "ksig test";

/// One problem of a file. Texts are in the language of the view.
pub fn shown(view: &View, problem: &Diagnostic) -> lsp_types::Diagnostic {
    let label = problem.labels.first();
    let range = label.map(|label| view.range_of(label.file, label.span)).unwrap_or_default();
    let severity = match problem.severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Note => DiagnosticSeverity::INFORMATION,
    };
    let related = problem.labels.iter().skip(1).filter_map(|label| {
        let message = if label.text.is_empty() { problem.message.in_lang(view.lang) } else { label.text.in_lang(view.lang) };
        Some(DiagnosticRelatedInformation { location: view.location(label.file, label.span)?, message: message.to_string() })
    });
    let related: Vec<_> = related.collect();
    let unused = matches!(problem.code, "unused-capture" | "unused-table-column");
    lsp_types::Diagnostic {
        range,
        severity: Some(severity),
        code: Some(NumberOrString::String(problem.code.into())),
        code_description: page_of(view, problem.code).map(|href| CodeDescription { href }),
        source: Some(SOURCE.into()),
        message: message(problem, view.lang),
        related_information: (!related.is_empty()).then_some(related),
        tags: unused.then(|| vec![DiagnosticTag::UNNECESSARY]),
        data: None,
    }
}

/// What is wrong, what the place is, what to do.
fn message(problem: &Diagnostic, lang: Lang) -> String {
    let label = problem.labels.first().map(|label| label.text.in_lang(lang)).filter(|label| !label.is_empty());
    let rest = problems::sentences(&Diagnostic { message: Default::default(), ..problem.clone() }, lang);
    let rest = rest.trim_start_matches(['.', '。', ' ']);
    let head = match label {
        Some(label) => format!("{}: {label}", problem.message.in_lang(lang)),
        None => problem.message.in_lang(lang).to_string(),
    };
    if rest.is_empty() { head } else { format!("{head}\n{rest}") }
}

/// The page about a code: the chapter beside the signatures, or one that the editor asks for by `ksig/explain`.
fn page_of(view: &View, code: &str) -> Option<Uri> {
    let [of_lints, of_others] = &view.root.chapters;
    let chapter = if lints::ALL.iter().any(|lint| lint.doc.code == code) { of_lints } else { of_others };
    let page = chapter.as_ref().map_or_else(|| format!("ksig-doc:/{code}.md"), |chapter| format!("{chapter}#{code}"));
    page.parse().ok()
}

/// What a code means, as a page.
pub fn explained(code: &str, lang: Lang) -> Option<String> {
    let doc = ksig_compiler::codes::explain(code)?;
    let mut page = format!("**{code}**\n\n{}\n", doc.meaning.in_lang(lang));
    if !doc.bad.is_empty() {
        let (refused, instead) = match lang {
            Lang::En => ("Reported", "Instead"),
            Lang::Ja => ("問題のある例", "直した例"),
        };
        page += &format!(
            "\n{refused}:\n\n```ksig\n{}\n```\n\n{instead}:\n\n```ksig\n{}\n```\n",
            doc.bad.trim_matches('\n'),
            doc.good.trim_matches('\n')
        );
    }
    Some(page)
}
