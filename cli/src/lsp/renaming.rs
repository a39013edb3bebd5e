//! Another name for something, wherever it is said, or not at all.
//!
//! In: a name in a file and what it shall be called. Out: edits of all files that say it; of a module its file moves too. Refused with a reason when
//! it is no name, or when what comes of it has problems that were not there.

use std::collections::BTreeMap;

use ksig_compiler::{Input, Mark, Target, World, analyze};
use ksig_lang::{FileId, Severity, Span, SyntaxKind, Text, is_reserved, say};
use lsp_types::{
    DocumentChangeOperation, DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, Position, Range, RenameFile, ResourceOp,
    TextDocumentEdit, TextEdit, WorkspaceEdit,
};

use super::view::View;
use super::workspace::uri_of;

/// What stands at places instead, by file.
type Edits = BTreeMap<FileId, Vec<(Span, String)>>;

/// What is called otherwise, and what that changes.
struct Renamed {
    edits: Edits,
    /// The file of a module, and the module that it is then.
    moved: Option<(FileId, String)>,
}

/// The name at a position, when it can be renamed: what signatures and the vocabulary declare, and modules; not what the schema does.
pub fn prepare_rename(view: &View, position: Position) -> Result<Range, Text> {
    let offset = view.offset(position);
    match view.mark(offset) {
        Some(mark) if !matches!(mark.target, Target::Field(_) | Target::Selector(_) | Target::Constructor(_) | Target::Lint(_)) => {
            Ok(view.range_of(mark.file, mark.span))
        }
        Some(mark) => {
            let name = view.session().written(mark.file, mark.span);
            Err(say!(
                "`{name}` is no name of a signature file: fields, probes' constructors and lints are named elsewhere",
                "`{name}`はシグネチャのファイルで付けた名前ではありません。フィールド、プローブの種類、リントの名前は変更できません"
            ))
        }
        None => Err(say!("there is no name here", "ここに名前はありません")),
    }
}

/// Says another name everywhere. `moves_files`: the client can move the file of a module.
pub fn rename(
    view: &View,
    position: Position,
    new: &str,
    version: &dyn Fn(FileId) -> Option<i32>,
    moves_files: bool,
) -> Result<WorkspaceEdit, Text> {
    prepare_rename(view, position)?;
    let Some(mark) = view.mark(view.offset(position)) else { return Ok(WorkspaceEdit::default()) };
    let old = view.session().written(mark.file, mark.span).to_string();
    match mark.target {
        Target::Module(_) | Target::Class(_) => new.split('.').try_for_each(is_name)?,
        _ => is_name(new)?,
    }
    let mut renamed = match &mark.target {
        Target::Module(module) => of_module(view, module, new, moves_files)?,
        Target::Class(class) => of_class(view, class, new),
        target => Renamed { edits: at(view.places(target), new), moved: None },
    };
    for edits in renamed.edits.values_mut() {
        edits.sort_unstable();
        edits.dedup();
    }
    complete(view, &old, &renamed.edits)?;
    same_problems(view, &renamed.applied(view), new)?;
    let documents = renamed.edits.into_iter().filter_map(|(file, edits)| {
        let edits = edits.into_iter().map(|(span, new_text)| OneOf::Left(TextEdit { range: view.range_of(file, span), new_text }));
        let text_document = OptionalVersionedTextDocumentIdentifier { uri: view.uri_of(file)?, version: version(file) };
        Some(TextDocumentEdit { text_document, edits: edits.collect() })
    });
    let changes = match renamed.moved {
        None => DocumentChanges::Edits(documents.collect()),
        Some((file, module)) => {
            let mut all: Vec<_> = documents.map(DocumentChangeOperation::Edit).collect();
            all.extend(move_of(view, file, &module).map(|moves| DocumentChangeOperation::Op(ResourceOp::Rename(moves))));
            DocumentChanges::Operations(all)
        }
    };
    Ok(WorkspaceEdit { document_changes: Some(changes), ..WorkspaceEdit::default() })
}

fn is_name(word: &str) -> Result<(), Text> {
    if !matches!(ksig_lang::tokens(word).as_slice(), [(SyntaxKind::IDENT, _)]) {
        return Err(say!(
            "`{word}` is no name: letters, digits and `_`, not starting with a digit",
            "`{word}`は名前として使えません。使えるのは英数字と`_`で、数字からは始められません"
        ));
    }
    if is_reserved(word) || matches!(word, "true" | "false" | "absent" | "present") {
        return Err(say!("`{word}` is a word of the language", "`{word}`は言語の単語です"));
    }
    Ok(())
}

fn at(marks: Vec<&Mark>, new: &str) -> Edits {
    let mut edits = Edits::new();
    for mark in marks {
        edits.entry(mark.file).or_default().push((mark.span, new.to_string()));
    }
    edits
}

/// A class and those below it: with `router`, `router.home` is called otherwise too.
fn of_class(view: &View, class: &str, new: &str) -> Renamed {
    let mut edits = Edits::new();
    for mark in view.session().all_marks() {
        if let Target::Class(id) = &mark.target
            && let Some(below) = id.strip_prefix(class).filter(|below| below.is_empty() || below.starts_with('.'))
        {
            edits.entry(mark.file).or_default().push((mark.span, format!("{new}{below}")));
        }
    }
    Renamed { edits, moved: None }
}

/// A module, the paths that begin with it, and its file, whose place is its name.
fn of_module(view: &View, module: &str, new: &str, moves_files: bool) -> Result<Renamed, Text> {
    let sources = &view.session().input().sources;
    let of_name = |name: &str| (0..).zip(sources).find(|(_, source)| source.module.as_deref() == Some(name)).map(|(file, _)| file);
    let Some(file) = of_name(module) else {
        return Err(say!(
            "`{module}` is a folder of modules, or stands in no folder of signatures",
            "`{module}`はモジュールのフォルダーか、シグネチャのフォルダーの外にあります"
        ));
    };
    if of_name(new).is_some() {
        return Err(say!("there is a module `{new}` already", "`{new}`というモジュールはすでにあります"));
    }
    if !moves_files {
        return Err(say!(
            "a module is called by its file, and this editor cannot move files",
            "モジュール名はファイルの場所で決まりますが、このエディターはファイルを移動できません"
        ));
    }
    let mut edits = at(view.places(&Target::Module(module.to_string())), new);
    let inside = format!("{module}.");
    for mark in view.session().all_marks() {
        // `refines router.acme.base`: the mark is the last name of the path.
        let is_inside = matches!(&mark.target, Target::Signature(full) if full.starts_with(&inside));
        let before = view.text_of(mark.file).get(..mark.span.start as usize).unwrap_or_default();
        let part_of_more = |rest: &str| rest.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.'));
        if is_inside && before.strip_suffix(&inside).is_some_and(|rest| !part_of_more(rest)) {
            let end = mark.span.start - 1;
            edits.entry(mark.file).or_default().push((Span { start: end - module.len() as u32, end }, new.to_string()));
        }
    }
    Ok(Renamed { edits, moved: Some((file, new.to_string())) })
}

/// Where the file of a module goes.
fn move_of(view: &View, file: FileId, module: &str) -> Option<RenameFile> {
    let path = view.root.path.join(format!("{}.ksig", module.replace('.', "/")));
    Some(RenameFile { old_uri: view.uri_of(file)?, new_uri: uri_of(&path).parse().ok()?, options: None, annotation_id: None })
}

impl Renamed {
    /// The texts as they are then.
    fn applied(&self, view: &View) -> Input {
        let mut changed = view.session().input().clone();
        for (file, edits) in &self.edits {
            let text = &mut changed.sources[*file as usize].text;
            for (span, new) in edits.iter().rev() {
                text.replace_range(span.start as usize..span.end as usize, new);
            }
        }
        if let Some((file, module)) = &self.moved {
            let source = &mut changed.sources[*file as usize];
            source.folder = module.replace('.', "/").rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_string());
            source.module = Some(module.clone());
        }
        changed
    }
}

/// A file with errors may say the name where nobody knows what it means.
fn complete(view: &View, old: &str, edits: &Edits) -> Result<(), Text> {
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
    let (known, now) = (count(&before), count(&after));
    let more = after.diagnostics.iter().find(|problem| now.get(problem.code) > known.get(problem.code));
    match more {
        None if now == known => Ok(()),
        None => Err(say!("`{new}` would mean something else here", "`{new}`にすると意味が変わります")),
        Some(problem) => {
            let (path, line, _) = crate::problems::first_place(&after, problem);
            let reason = &problem.message;
            Err(say!("not as `{new}`: {path}:{line}: {reason}", "`{new}`には変更できません。{path}:{line}: {reason}"; reason))
        }
    }
}
