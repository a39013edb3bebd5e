//! What an edit leaves as it was: signatures that are written, and mean, the same as before it.
//!
//! In: how a file was laid out, the edit, and the file as it is. Out: the items that the edit spares; nothing where it changed something that all
//! signatures of the file may read: its header, a probe, a `let`, a table, the number of its items.

use std::mem::{Discriminant, discriminant};

use ksig_lang::Span;
use ksig_lang::ast::{self, Item};

use super::moved::Edit;

/// A file's items before an edit, without what stands in them.
pub(super) struct Layout {
    header: Vec<Span>,
    items: Vec<(Discriminant<Item>, Span, String)>,
    /// What signatures are among the kinds; absent where there is none.
    signature: Option<Discriminant<Item>>,
}

impl Layout {
    pub fn of(ast: &ast::File) -> Layout {
        let items = ast.items.iter().map(|item| (discriminant(item), item.span(), doc(item).to_string()));
        let signature = ast.items.iter().find(|item| matches!(item, Item::Signature(_))).map(discriminant);
        Layout { header: header(ast), items: items.collect(), signature }
    }

    /// Numbers of the signatures that an edit spares, each with where it stood; absent where it changed more than signatures.
    pub fn spared(&self, edit: &Edit, now: &ast::File) -> Option<Vec<(usize, Span)>> {
        let same_place = |old: Span, new: Span| edit.spares(old) && edit.moved(old) == new;
        let header = header(now);
        let same_header = self.header.len() == header.len() && self.header.iter().zip(&header).all(|(old, new)| same_place(*old, *new));
        if !same_header || self.items.len() != now.items.len() {
            return None;
        }
        let mut spared = Vec::new();
        for (number, ((kind, old, old_doc), item)) in self.items.iter().zip(&now.items).enumerate() {
            let is_signature = matches!(item, Item::Signature(_));
            let same = *kind == discriminant(item) && same_place(*old, item.span()) && old_doc == doc(item);
            match (same, is_signature && *kind == discriminant(item)) {
                (true, true) => spared.push((number, *old)),
                (true, false) | (false, true) => {}
                (false, false) => return None,
            }
        }
        Some(spared)
    }

    /// Whether a place was in a signature.
    pub fn signature_holds(&self, span: Span) -> bool {
        let at = self.items.partition_point(|(_, item, _)| item.end < span.start);
        self.items.get(at).is_some_and(|(kind, item, _)| Some(*kind) == self.signature && within(*item, span))
    }
}

fn within(outer: Span, inner: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Which of some spans, sorted and apart from each other, holds a place.
pub(super) fn holder(sorted: &[Span], span: Span) -> Option<usize> {
    let at = sorted.partition_point(|outer| outer.end < span.start);
    sorted.get(at).filter(|outer| within(**outer, span)).map(|_| at)
}

fn header(ast: &ast::File) -> Vec<Span> {
    let edition = ast.edition.iter().map(|edition| edition.span);
    let module = ast.module.iter().map(|module| module.span);
    edition.chain(module).chain(ast.uses.iter().map(|import| import.span)).collect()
}

fn doc(item: &Item) -> &str {
    match item {
        Item::Table(item) => &item.doc,
        Item::Probe(item) => &item.doc,
        Item::Signature(item) => &item.doc,
        Item::Vendor(item) | Item::Class(item) | Item::Tag(item) => &item.doc,
        Item::Scheme(item) => &item.doc,
        Item::Choice(item) => &item.doc,
        Item::Let(_) => "",
    }
}
