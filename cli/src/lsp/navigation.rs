//! From a name to where it is declared, and to everywhere it is said.

use ksig_compiler::Mark;
use ksig_lang::SyntaxKind;
use lsp_types::{DocumentHighlight, DocumentHighlightKind, Location, Position, Range};

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
