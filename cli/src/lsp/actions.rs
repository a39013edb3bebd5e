//! What can be done about problems: their fixes, all fixes of a file, and an `allow` line for a lint.

use ksig_compiler::lints;
use ksig_lang::{Diagnostic, FileId, Fix, Lang, Span, ast, say};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, Range,
    TextDocumentEdit, TextEdit, WorkspaceEdit,
};
use serde_json::json;

use super::diagnostics::shown;
use super::view::View;

/// What can be done in a range. `only`: kinds that are asked for.
pub fn actions(
    view: &View,
    range: Range,
    only: Option<&[CodeActionKind]>,
    version: &dyn Fn(FileId) -> Option<i32>,
) -> Vec<CodeActionOrCommand> {
    let wanted = |kind: &CodeActionKind| only.is_none_or(|only| only.iter().any(|asked| kind.as_str().starts_with(asked.as_str())));
    let span = view.lines().span(range);
    let mut found = Vec::new();
    let own: Vec<&Diagnostic> = view.session().diagnostics().into_iter().filter(|problem| at(problem, view.file).is_some()).collect();
    if wanted(&CodeActionKind::QUICKFIX) {
        for problem in &own {
            let touches = at(problem, view.file).is_some_and(|label| label.start <= span.end && span.start <= label.end);
            if touches {
                found.extend(fix(view, problem, version));
                found.extend(allow(view, problem, version));
            }
        }
    }
    if wanted(&CodeActionKind::SOURCE_FIX_ALL) && own.iter().any(|problem| problem.fix.is_some()) {
        found.push(CodeActionOrCommand::CodeAction(CodeAction {
            title: say!("fix all that can be fixed in this file", "このファイルの直せる問題をすべて直す").in_lang(view.lang).to_string(),
            kind: Some(CodeActionKind::SOURCE_FIX_ALL),
            // Worked out when it is chosen: each fix is tried.
            data: Some(json!({ "fix_all": view.uri_of(view.file) })),
            ..CodeAction::default()
        }));
    }
    found
}

/// Where a problem of a file stands.
fn at(problem: &Diagnostic, file: FileId) -> Option<Span> {
    problem.labels.first().filter(|label| label.file == file).map(|label| label.span)
}

fn fix(view: &View, problem: &Diagnostic, version: &dyn Fn(FileId) -> Option<i32>) -> Option<CodeActionOrCommand> {
    let fix: &Fix = problem.fix.as_ref()?;
    Some(CodeActionOrCommand::CodeAction(CodeAction {
        title: fix.message.in_lang(view.lang).to_string(),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![shown(view, problem)]),
        edit: Some(edit(view, fix.edits.iter().map(|(file, span, text)| (*file, *span, text.clone())), version)),
        is_preferred: Some(true),
        ..CodeAction::default()
    }))
}

/// `allow lint "why"` in the signature around; the reason is the author's to write.
fn allow(view: &View, problem: &Diagnostic, version: &dyn Fn(FileId) -> Option<i32>) -> Option<CodeActionOrCommand> {
    let lint = lints::ALL.iter().find(|lint| lint.doc.code == problem.code)?;
    let signature = view.signature_at(at(problem, view.file)?.start)?;
    let mut last = signature.body.iter().filter_map(|statement| match statement {
        ast::Statement::Meta(attribute) => Some(attribute.span),
        _ => None,
    });
    let text = view.text();
    let brace = text.get(signature.name.span.end as usize..)?.find('{')? as u32 + signature.name.span.end + 1;
    let place = last.next_back().map_or(brace, |span| span.end);
    let name = lint.doc.code.replace('-', "_");
    let reason = if view.lang == Lang::Ja { "ここに理由を書く" } else { "say here why" };
    let line = format!("\n  allow {name} {}", ksig_lang::quoted(reason));
    Some(CodeActionOrCommand::CodeAction(CodeAction {
        title: say!("allow `{name}` in this signature, with a reason", "このシグネチャで`{name}`を許可する（理由を書く）")
            .in_lang(view.lang)
            .to_string(),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![shown(view, problem)]),
        edit: Some(edit(view, [(view.file, Span { start: place, end: place }, line)], version)),
        ..CodeAction::default()
    }))
}

/// Edits of files.
pub fn edit(
    view: &View,
    edits: impl IntoIterator<Item = (FileId, Span, String)>,
    version: &dyn Fn(FileId) -> Option<i32>,
) -> WorkspaceEdit {
    let mut files: std::collections::BTreeMap<FileId, Vec<TextEdit>> = Default::default();
    for (file, span, text) in edits {
        files.entry(file).or_default().push(TextEdit { range: view.range_of(file, span), new_text: text });
    }
    let document = |(file, edits): (FileId, Vec<TextEdit>)| {
        let text_document = OptionalVersionedTextDocumentIdentifier { uri: view.uri_of(file)?, version: version(file) };
        Some(TextDocumentEdit { text_document, edits: edits.into_iter().map(OneOf::Left).collect() })
    };
    let documents = files.into_iter().filter_map(document).collect();
    WorkspaceEdit { document_changes: Some(DocumentChanges::Edits(documents)), ..WorkspaceEdit::default() }
}
