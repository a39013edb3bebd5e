//! Choices: ordered lists of signatures, of which the first that matches stands.
//!
//! In: `choice` items. Out: [`hir::Choice`]s sorted by name. A signature is a member of one choice at most, so that its place says all.

use std::collections::BTreeMap;

use ksig_lang::source::Span;
use ksig_lang::{Diagnostic, FileId, ast};

use super::{Context, signature_named};
use crate::hir;
use crate::names::dotted;
use crate::problems;

/// Checks all choices of the set.
pub(crate) fn choices(context: &Context, diagnostics: &mut Vec<Diagnostic>) -> Vec<hir::Choice> {
    let mut places: BTreeMap<String, (FileId, Span)> = BTreeMap::new();
    let mut checked = Vec::new();
    for (name, place) in &context.names.choices {
        let (_, ast) = &context.files[&place.file];
        let ast::Item::Choice(choice) = &ast.items[place.item] else { continue };
        if choice.members.is_empty() {
            diagnostics.push(problems::empty_choice(&choice.name, place.file));
        }
        let mut members = Vec::with_capacity(choice.members.len());
        for path in &choice.members {
            let Some(member) = signature_named(context.names, place.file, path) else {
                let known = context.names.signatures.keys().map(String::as_str);
                diagnostics.push(problems::unknown_member(&dotted(path), place.file, path.span, known));
                continue;
            };
            match places.get(&member) {
                Some(&(file, first)) => diagnostics.push(problems::member_twice(&member, place.file, path.span, file, first)),
                None => {
                    places.insert(member.clone(), (place.file, path.span));
                    members.push(member);
                }
            }
        }
        checked.push(hir::Choice { name: name.clone(), members });
    }
    checked
}
