//! What a file declares, as an outline; what all files declare, by a part of its name.

use ksig_compiler::Target;
use ksig_lang::{Span, ast};
use lsp_types::{DocumentSymbol, Location, SymbolInformation, SymbolKind};

use super::view::View;

/// Most symbols that a search gives.
const FOUND_MAX: usize = 256;

/// The outline of a file.
pub fn document(view: &View) -> Vec<DocumentSymbol> {
    let outline = |item: &ast::Item| match item {
        ast::Item::Table(table) => {
            let columns = table
                .columns
                .iter()
                .map(|column| symbol(view, &column.name.value, SymbolKind::FIELD, column.name.span, column.name.span, vec![]));
            symbol(view, &table.name.value, SymbolKind::STRUCT, table.span, table.name.span, columns.collect())
        }
        ast::Item::Scheme(scheme) => symbol(view, &scheme.name.value, SymbolKind::OPERATOR, scheme.span, scheme.name.span, vec![]),
        ast::Item::Vendor(entry) | ast::Item::Class(entry) | ast::Item::Tag(entry) => {
            let name = view.session().written(view.file, entry.path.span);
            symbol(view, name, SymbolKind::ENUM_MEMBER, entry.span, entry.path.span, vec![])
        }
        ast::Item::Probe(probe) => symbol(view, &probe.name.value, SymbolKind::INTERFACE, probe.span, probe.name.span, vec![]),
        ast::Item::Let(binding) => symbol(view, &binding.name.value, SymbolKind::CONSTANT, binding.span, binding.name.span, vec![]),
        ast::Item::Choice(choice) => symbol(view, &choice.name.value, SymbolKind::ENUM, choice.span, choice.name.span, vec![]),
        ast::Item::Signature(signature) => {
            symbol(view, &signature.name.value, SymbolKind::CLASS, signature.span, signature.name.span, statements(view, signature))
        }
    };
    view.ast().items.iter().map(outline).collect()
}

fn statements(view: &View, signature: &ast::Signature) -> Vec<DocumentSymbol> {
    let mut found = Vec::new();
    for mark in view.session().marks(view.file) {
        let inside = signature.span.start <= mark.span.start && mark.span.end <= signature.span.end;
        if inside && mark.declares && matches!(mark.target, Target::Variable(..) | Target::Probe(..)) {
            let kind = if matches!(mark.target, Target::Probe(..)) { SymbolKind::INTERFACE } else { SymbolKind::VARIABLE };
            found.push(symbol(view, view.session().written(view.file, mark.span), kind, mark.span, mark.span, vec![]));
        }
    }
    for statement in &signature.body {
        match statement {
            ast::Statement::Test(test) => found.push(symbol(view, &test.name.value, SymbolKind::METHOD, test.span, test.name.span, vec![])),
            ast::Statement::Example(example) => {
                let written = view.session().written(view.file, example.value.span);
                found.push(symbol(view, written, SymbolKind::METHOD, example.span, example.value.span, vec![]));
            }
            _ => {}
        }
    }
    found.sort_by_key(|symbol| (symbol.range.start.line, symbol.range.start.character));
    found
}

fn symbol(view: &View, name: &str, kind: SymbolKind, span: Span, name_span: Span, children: Vec<DocumentSymbol>) -> DocumentSymbol {
    // A client refuses an empty name, and a name outside of its symbol.
    let name = if name.trim().is_empty() { "?" } else { name };
    let span = span.to(name_span);
    // The crate keeps a field that the protocol has given up.
    #[allow(deprecated)]
    DocumentSymbol {
        name: name.to_string(),
        detail: None,
        kind,
        tags: None,
        deprecated: None,
        range: view.range_of(view.file, span),
        selection_range: view.range_of(view.file, name_span),
        children: (!children.is_empty()).then_some(children),
    }
}

/// Declarations of a root whose name has these letters in this order.
pub fn workspace(view: &View, asked: &str) -> Vec<SymbolInformation> {
    let mut found = Vec::new();
    for mark in view.session().all_marks().filter(|mark| mark.declares) {
        let kind = match mark.target {
            Target::Signature(_) => SymbolKind::CLASS,
            Target::Table(_) => SymbolKind::STRUCT,
            Target::Probe(..) => SymbolKind::INTERFACE,
            Target::Let(..) => SymbolKind::CONSTANT,
            Target::Choice(_) => SymbolKind::ENUM,
            Target::Scheme(_) => SymbolKind::OPERATOR,
            Target::Vendor(_) | Target::Class(_) | Target::Tag(_) => SymbolKind::ENUM_MEMBER,
            _ => continue,
        };
        let full = match &mark.target {
            Target::Signature(full) | Target::Table(full) | Target::Choice(full) | Target::Scheme(full) => full.as_str(),
            _ => view.session().written(mark.file, mark.span),
        };
        if !has_letters(full, asked) {
            continue;
        }
        let Some(uri) = view.uri_of(mark.file) else { continue };
        let location = Location { uri, range: view.range_of(mark.file, mark.span) };
        let (container, name) = full.rsplit_once('.').map_or((None, full), |(module, name)| (Some(module.to_string()), name));
        // The crate keeps a field that the protocol has given up.
        #[allow(deprecated)]
        found.push(SymbolInformation { name: name.to_string(), kind, tags: None, deprecated: None, location, container_name: container });
        if found.len() == FOUND_MAX {
            break;
        }
    }
    found
}

fn has_letters(name: &str, asked: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    asked.chars().flat_map(char::to_lowercase).all(|wanted| letters.any(|letter| letter == wanted))
}
