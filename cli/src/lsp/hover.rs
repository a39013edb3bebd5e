//! What stands under the pointer: a field, a probe, a name, an entry of the vocabulary, a table or a row of it, a problem.

use ksig_compiler::{Target, hir};
use ksig_lang::{Lang, Span, SyntaxKind, ast, say};
use ksig_runtime::plan::{Datum, Table};
use ksig_schema::{FieldDef, Term};
use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};

use super::diagnostics::explained;
use super::view::{View, span_of};

/// Most rows of a table that are shown.
const ROWS_SHOWN: usize = 8;

/// What is said of a position.
pub fn hover(view: &View, position: Position) -> Option<Hover> {
    let offset = view.offset(position);
    let (mut parts, mut span) = (Vec::new(), None);
    if let Some(mark) = view.mark(offset) {
        parts.extend(of_target(view, &mark.target));
        span = Some(mark.span);
    }
    if parts.is_empty() {
        let (part, at) = of_token(view, offset)?.unzip();
        parts.extend(part);
        span = at;
    }
    for problem in view.session().diagnostics() {
        let Some(label) = problem.labels.first().filter(|label| label.file == view.file) else { continue };
        if label.span.start <= offset && offset < label.span.end.max(label.span.start + 1) {
            let meaning = ksig_compiler::codes::explain(problem.code).map(|doc| doc.meaning.in_lang(view.lang));
            parts.extend(meaning.map(|meaning| format!("`{}`: {meaning}", problem.code)));
        }
    }
    if parts.is_empty() {
        return None;
    }
    let value = parts.join("\n\n---\n\n");
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value });
    Some(Hover { contents, range: span.map(|span| view.range_of(view.file, span)) })
}

/// What is said of a name.
pub fn of_target(view: &View, target: &Target) -> Option<String> {
    let session = view.session();
    let schema = session.world().schema;
    let vocabulary = &session.names().vocabulary;
    match target {
        Target::Field(name) => schema.field(name).map(field),
        Target::Selector(name) => {
            let selector = schema.selector(name)?;
            Some(format!("```ksig\n{name}(\"...\"): {}?\n```\n\n{}", selector.of.ty.ty(), prose(selector.doc)))
        }
        Target::Constructor(name) => {
            let constructor = schema.constructor(name)?;
            let ports: Vec<String> = constructor.ports.iter().chain(constructor.tls_ports).map(u16::to_string).collect();
            let parameters: String =
                constructor.parameters.iter().map(|parameter| format!("\n- `{}`: {}", parameter.name, prose(parameter.doc))).collect();
            let (answer, on) = match view.lang {
                Lang::En => ("Its fields stand under", "Usual ports"),
                Lang::Ja => ("フィールドの起点", "通常のポート"),
            };
            Some(format!(
                "```ksig\n{}\n```\n\n{}\n{parameters}\n\n{answer}: `{}`. {on}: {}. Safety: {:?}.",
                constructor.form(),
                prose(constructor.doc),
                constructor.root,
                ports.join(", "),
                constructor.safety
            ))
        }
        Target::Vendor(id) => vocabulary.vendors.get(id).map(|term| entry("vendor", id, term, view.lang)),
        Target::Class(id) => vocabulary.classes.get(id).map(|term| entry("class", id, term, view.lang)),
        Target::Tag(id) => vocabulary.tags.get(id).map(|term| entry("tag", id, term, view.lang)),
        Target::Table(full) => table_named(view, full).map(|table| table_shown(table, doc_of(view, target))),
        Target::Column(full, at) => {
            let column = table_named(view, full)?.columns.get(*at as usize)?;
            Some(format!("```ksig\n{}: {}\n```\n\n`{full}`", column.name, column.ty))
        }
        Target::Signature(full) => Some(signature(view, full, doc_of(view, target))),
        Target::Lint(code) => explained(code, view.lang),
        Target::Variable(..) => {
            let declared = view.places(target).into_iter().find(|mark| mark.declares)?;
            let name = session.written(declared.file, declared.span);
            let ty = declared.ty.as_ref().map(|ty| format!(": {ty}")).unwrap_or_default();
            Some(format!("```ksig\n{name}{ty}\n```\n\n{}", line_of(view, declared.file, declared.span)))
        }
        Target::Probe(file, span) => Some(format!("```ksig\n{}\n```{}", session.written(*file, *span), behind(doc_of(view, target)))),
        Target::Let(file, item) => {
            let ast::Item::Let(binding) = view.analysis().files.get(*file as usize)?.items.get(*item)? else { return None };
            Some(format!("```ksig\n{}\n```", session.written(*file, binding.span)))
        }
        Target::Scheme(full) | Target::Choice(full) => {
            let declared = view.places(target).into_iter().find(|mark| mark.declares)?;
            Some(format!("```ksig\n{}\n```\n\n`{full}`", line_of(view, declared.file, declared.span).trim_matches('`')))
        }
        Target::Module(name) => Some(format!("```ksig\nmodule {name}\n```")),
    }
}

/// A field as the chapter of fields has it.
pub fn field(field: &FieldDef) -> String {
    let several = if field.many { ", several values" } else { "" };
    let redacted = if field.redact { ", redacted" } else { "" };
    format!(
        "```ksig\n{}{}: {}?\n```\n\n{}\n\n*{:?}{several}{redacted}*",
        field.name,
        field.key_form(),
        field.ty.ty(),
        prose(field.doc),
        field.section
    )
}

/// A doc comment as running text.
pub fn prose(doc: &str) -> String {
    doc.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_string()
}

/// An entry of the vocabulary.
pub fn entry(kind: &str, id: &str, term: &Term, lang: Lang) -> String {
    let names: Vec<&str> = term.aliases.iter().map(String::as_str).collect();
    let mut said = format!("```ksig\n{kind} {id}\n```\n\n**{}** {}", term.en, term.ja);
    if !names.is_empty() {
        let also = if lang == Lang::Ja { "別名" } else { "Also" };
        said += &format!("\n\n{also}: {}", names.join(", "));
    }
    said
}

fn signature(view: &View, full: &str, doc: String) -> String {
    let signatures = &view.analysis().program.signatures;
    let found = signatures.binary_search_by(|signature| signature.name.as_str().cmp(full)).ok().map(|at| &signatures[at]);
    let mut said = format!("```ksig\nsignature {full}\n```");
    if let Some(hir::Signature { meta, refines, tests, vars, .. }) = found {
        if !meta.summary.is_empty() {
            said += &format!("\n\n{}", meta.summary);
        }
        if let Some(base) = refines {
            said += &format!("\n\nrefines `{base}`");
        }
        let vars: Vec<String> = vars.iter().map(|var| format!("`{}: {}`", var.name, var.ty)).collect();
        if !vars.is_empty() {
            said += &format!("\n\n{}", vars.join(", "));
        }
        let tests = tests.len();
        said += &format!("\n\n{}", say!("{tests} tests", "テスト{tests}件").in_lang(view.lang));
    }
    said + &behind(doc)
}

fn behind(doc: String) -> String {
    if doc.is_empty() { doc } else { format!("\n\n{doc}") }
}

/// The `///` lines of what a target declares.
fn doc_of(view: &View, target: &Target) -> String {
    let Some(declared) = view.places(target).into_iter().find(|mark| mark.declares) else { return String::new() };
    let items = &view.analysis().files[declared.file as usize].items;
    let item = items.iter().find(|item| item.span().start <= declared.span.start && declared.span.end <= item.span().end);
    match item {
        Some(ast::Item::Signature(item)) if item.name.span == declared.span => item.doc.clone(),
        Some(ast::Item::Table(item)) => item.doc.clone(),
        Some(ast::Item::Probe(item)) => item.doc.clone(),
        _ => String::new(),
    }
}

/// The line of a place, as code.
fn line_of(view: &View, file: u32, span: Span) -> String {
    let text = view.text_of(file);
    let start = text[..span.start as usize].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[span.start as usize..].find('\n').map_or(text.len(), |newline| span.start as usize + newline);
    format!("`{}`", text[start..end].trim().replace('`', "'"))
}

fn table_named<'v>(view: &View<'v, '_>, full: &str) -> Option<&'v Table> {
    view.analysis().program.tables.iter().find(|table| table.name == full)
}

fn table_shown(table: &Table, doc: String) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| format!("{}: {}", column.name, column.ty)).collect();
    let rows = table.rows.len();
    let mut said = format!("```ksig\ntable {} {{ {} }}\n```{}\n\n{rows} rows\n\n", table.name, columns.join("; "), behind(doc));
    said += &rows_shown(table, &mut table.rows.iter().take(ROWS_SHOWN));
    if rows > ROWS_SHOWN {
        said += "| … |\n";
    }
    said
}

/// Rows as a table of Markdown.
fn rows_shown(table: &Table, rows: &mut dyn Iterator<Item = &Vec<Datum>>) -> String {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let mut said = format!("| {} |\n|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell_shown(cell).replace('|', "\\|")).collect();
        said += &format!("| {} |\n", cells.join(" | "));
    }
    said
}

fn cell_shown(cell: &Datum) -> String {
    match cell {
        Datum::Missing => String::new(),
        Datum::Bool(value) => value.to_string(),
        Datum::Int(value) => value.to_string(),
        Datum::Text(value) => value.clone(),
        Datum::Date(value) => value.to_string(),
        other => Table::key_text(other).map_or_else(|| format!("{other:?}"), |text| text.to_string()),
    }
}

/// Of a token that is no name: a text that is a key of a table in scope, or a keyword with its code.
fn of_token(view: &View, offset: u32) -> Option<Option<(String, Span)>> {
    let token = view.token(offset)?;
    if token.kind() != SyntaxKind::TEXT {
        return Some(None);
    }
    let text = token.text().trim_matches('"');
    let tables = view.session().names().scopes.get(&view.file).into_iter().flat_map(|scope| scope.values());
    let known = tables.filter_map(|definition| match definition {
        ksig_compiler::Definition::Table(full) => table_named(view, full),
        _ => None,
    });
    let mut parts = Vec::new();
    for table in known {
        let Some(key) = table.key else { continue };
        let same = |row: &&Vec<Datum>| Table::key_text(&row[key as usize]).is_some_and(|own| table.folded(&own) == table.folded(text));
        let rows: Vec<&Vec<Datum>> = table.rows.iter().filter(same).take(ROWS_SHOWN).collect();
        if !rows.is_empty() {
            parts.push(format!("`{}`\n\n{}", table.name, rows_shown(table, &mut rows.into_iter())));
        }
    }
    Some((!parts.is_empty()).then(|| (parts.join("\n\n"), span_of(token.text_range()))))
}
