//! From a name to where it is declared, to everywhere it is said, and to another name.

use std::collections::BTreeMap;

use ksig_compiler::{Input, Mark, Target, World, analyze};
use ksig_lang::{FileId, Severity, Span, SyntaxKind, Text, is_reserved, say};
use lsp_types::{
    DocumentHighlight, DocumentHighlightKind, Location, OneOf, OptionalVersionedTextDocumentIdentifier, Position, Range, TextDocumentEdit,
    TextEdit, WorkspaceEdit,
};

use super::view::View;
use super::workspace::uri_of;

/// Where the name at a position is declared; of the name of a file beside the signature, that file.
pub fn definition(view: &View, position: Position) -> Vec<Location> {
    let offset = view.offset(position);
    if let Some(mark) = view.mark(offset) {
        let places = view.places(&mark.target);
        return places.into_iter().filter(|mark| mark.declares).filter_map(|mark| view.location(mark.file, mark.span)).collect();
    }
    file_beside(view, offset).into_iter().collect()
}

/// `from "airstation.csv"`, `fixture("page.http")`.
fn file_beside(view: &View, offset: u32) -> Option<Location> {
    let token = view.token(offset).filter(|token| token.kind() == SyntaxKind::TEXT)?;
    let name = token.text().trim_matches('"');
    let source = view.session().input().sources.get(view.file as usize)?;
    view.session().input().asset(source, name)?;
    let path = std::path::Path::new(&source.path).parent()?.join(name);
    Some(Location { uri: uri_of(&path).parse().ok()?, range: Range::default() })
}

/// Everywhere a name is said.
pub fn references(view: &View, position: Position, declarations: bool) -> Vec<Location> {
    let Some(mark) = view.mark(view.offset(position)) else { return Vec::new() };
    let places = view.places(&mark.target).into_iter().filter(|mark| declarations || !mark.declares);
    places.filter_map(|mark| view.location(mark.file, mark.span)).collect()
}

/// Everywhere in this file.
pub fn highlights(view: &View, position: Position) -> Vec<DocumentHighlight> {
    let Some(mark) = view.mark(view.offset(position)) else { return Vec::new() };
    let places = view.places(&mark.target).into_iter().filter(|mark| mark.file == view.file);
    let kind = |mark: &Mark| if mark.declares { DocumentHighlightKind::WRITE } else { DocumentHighlightKind::READ };
    places.map(|mark| DocumentHighlight { range: view.range_of(mark.file, mark.span), kind: Some(kind(mark)) }).collect()
}

/// What can be renamed: what signatures declare, not what the vocabulary or the schema does.
fn renamed(target: &Target) -> bool {
    matches!(
        target,
        Target::Variable(..)
            | Target::Probe(..)
            | Target::Let(..)
            | Target::Table(_)
            | Target::Column(..)
            | Target::Scheme(_)
            | Target::Signature(_)
            | Target::Choice(_)
    )
}

/// The name at a position, when it can be renamed.
pub fn prepare_rename(view: &View, position: Position) -> Result<Range, Text> {
    let offset = view.offset(position);
    match view.mark(offset) {
        Some(mark) if renamed(&mark.target) => Ok(view.range_of(mark.file, mark.span)),
        Some(mark) => {
            let name = view.session().written(mark.file, mark.span);
            Err(say!(
                "`{name}` is no name of a signature file: the vocabulary, fields, probes' constructors and modules are named elsewhere",
                "`{name}`はシグネチャのファイルで付けた名前ではありません。語彙、フィールド、プローブの種類、モジュールの名前は変更できません"
            ))
        }
        None => Err(say!("there is no name here", "ここに名前はありません")),
    }
}

/// Says another name everywhere. Refused with a reason when it is no name, or when what comes of it has problems that were not there.
pub fn rename(view: &View, position: Position, new: &str, version: &dyn Fn(FileId) -> Option<i32>) -> Result<WorkspaceEdit, Text> {
    prepare_rename(view, position)?;
    let Some(mark) = view.mark(view.offset(position)) else { return Ok(WorkspaceEdit::default()) };
    let old = view.session().written(mark.file, mark.span).to_string();
    let is_name = matches!(ksig_lang::tokens(new).as_slice(), [(SyntaxKind::IDENT, _)]);
    if !is_name {
        return Err(say!(
            "`{new}` is no name: letters, digits and `_`, not starting with a digit",
            "`{new}`は名前として使えません。使えるのは英数字と`_`で、数字からは始められません"
        ));
    }
    if is_reserved(new) || matches!(new, "true" | "false" | "absent" | "present") {
        return Err(say!("`{new}` is a word of the language", "`{new}`は言語の単語です"));
    }
    let mut edits: BTreeMap<FileId, Vec<Span>> = BTreeMap::new();
    for mark in view.places(&mark.target) {
        edits.entry(mark.file).or_default().push(mark.span);
    }
    complete(view, &old, &edits)?;
    let mut changed = view.session().input().clone();
    for (file, spans) in &mut edits {
        spans.sort_unstable();
        spans.dedup();
        let text = &mut changed.sources[*file as usize].text;
        for span in spans.iter().rev() {
            text.replace_range(span.start as usize..span.end as usize, new);
        }
    }
    same_problems(view, &changed, new)?;
    let documents = edits.into_iter().filter_map(|(file, spans)| {
        let edits = spans.into_iter().map(|span| OneOf::Left(TextEdit { range: view.range_of(file, span), new_text: new.to_string() }));
        let text_document = OptionalVersionedTextDocumentIdentifier { uri: view.uri_of(file)?, version: version(file) };
        Some(TextDocumentEdit { text_document, edits: edits.collect() })
    });
    Ok(WorkspaceEdit { document_changes: Some(lsp_types::DocumentChanges::Edits(documents.collect())), ..WorkspaceEdit::default() })
}

/// A file with errors may say the name where nobody knows what it means.
fn complete(view: &View, old: &str, edits: &BTreeMap<FileId, Vec<Span>>) -> Result<(), Text> {
    for problem in view.session().diagnostics().into_iter().filter(|problem| problem.severity == Severity::Error) {
        let Some(label) = problem.labels.first() else { continue };
        let text = view.text_of(label.file);
        let says = |(kind, span): &(SyntaxKind, Span)| {
            let written = &text[span.start as usize..span.end as usize];
            written == old || matches!(kind, SyntaxKind::REGEX | SyntaxKind::TEXT) && written.contains(old)
        };
        let lint = ksig_compiler::lints::ALL.iter().any(|lint| lint.doc.code == problem.code);
        if !lint && (edits.contains_key(&label.file) || ksig_lang::tokens(text).iter().any(says)) {
            let path = view.analysis().sources.get(label.file).map_or("", |source| source.path.as_str());
            let (line, _) = ksig_lang::line_column(text, label.span.start);
            return Err(say!(
                "{path}:{line} has an error, so that not every place of `{old}` is known: mend it first",
                "{path}:{line}にエラーがあり、`{old}`の使われている場所がすべては分かりません。先にエラーを直してください"
            ));
        }
    }
    Ok(())
}

/// Whether the set has the same problems as before, of the same kinds.
fn same_problems(view: &View, changed: &Input, new: &str) -> Result<(), Text> {
    let count = |analysis: &ksig_compiler::Analysis| {
        let mut codes: BTreeMap<&'static str, usize> = BTreeMap::new();
        analysis.diagnostics.iter().for_each(|problem| *codes.entry(problem.code).or_default() += 1);
        codes
    };
    let world: World = view.session().world();
    let (before, after) = (analyze(view.session().input(), world), analyze(changed, world));
    let known = count(&before);
    let more = after.diagnostics.iter().find(|problem| count(&after).get(problem.code) > known.get(problem.code));
    match more {
        None if count(&after) == known => Ok(()),
        None => Err(say!("`{new}` would mean something else here", "`{new}`にすると意味が変わります")),
        Some(problem) => {
            let (path, line, _) = crate::problems::first_place(&after, problem);
            let reason = &problem.message;
            Err(say!("not as `{new}`: {path}:{line}: {reason}", "`{new}`には変更できません。{path}:{line}: {reason}"; reason))
        }
    }
}
