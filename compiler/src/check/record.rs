//! What a signature says of the device: `identify`, `component`, `details`, `support`, `tag`.

use std::collections::BTreeMap;

use ksig_lang::ast::{self, ExprKind as Ast, Name};
use ksig_lang::{Diagnostic, FileId, Span, Text, say};
use ksig_runtime::plan::IdentitySlot;
use ksig_schema::Type;

use super::{Checker, scheme_in_scope};
use crate::hir::{EachRow, Expr, Identity, Support, TagUse};
use crate::marks::Target;
use crate::names::{Definition, Names};
use crate::problems;

/// What `identify` can say.
pub(crate) const IDENTITY_SLOTS: &[(&str, IdentitySlot)] = &[
    ("vendor", IdentitySlot::Vendor),
    ("brand", IdentitySlot::Brand),
    ("series", IdentitySlot::Series),
    ("model", IdentitySlot::Model),
    ("version", IdentitySlot::Version),
    ("class", IdentitySlot::Class),
    ("cpe", IdentitySlot::Cpe),
];

/// What `component` can say.
pub(crate) const COMPONENT_SLOTS: [&str; 5] = ["vendor", "product", "series", "version", "cpe"];

/// The type of a tag's parameter, by the names of the file that declares the tag.
fn parameter_type(param: &ast::Param, home: FileId, names: &Names) -> Result<Type, Text> {
    crate::types::read(&param.ty, &|scheme| scheme_in_scope(names, home, scheme))
}

/// Checks the parameters of all tags, whether or not a signature attaches them.
pub(crate) fn tag_parameters(names: &Names, diagnostics: &mut Vec<Diagnostic>) {
    for (home, params) in names.tag_params.values() {
        for (at, param) in params.iter().enumerate() {
            if let Some(first) = params[..at].iter().find(|first| first.name.value == param.name.value) {
                diagnostics.push(problems::declared_twice(&param.name, *home, *home, first.name.span));
            }
            if let Err(reason) = parameter_type(param, *home, names) {
                diagnostics.push(problems::bad_type_expr(reason, *home, &param.ty));
            }
        }
    }
}

impl Checker<'_> {
    /// An identity of each facet, details and a support block are said once; what a base said is another's word.
    pub(super) fn said_once(&mut self, body: &[ast::Statement]) {
        let mut first: BTreeMap<(&str, &str), Span> = BTreeMap::new();
        for statement in body {
            let (word, facet, record) = match statement {
                ast::Statement::Identify(record) => ("identify", record.facet.as_ref().map_or("device", |facet| &facet.value), record),
                ast::Statement::Details(record) => ("details", "", record),
                ast::Statement::Support(record) => ("support", "", record),
                _ => continue,
            };
            let span = Span { end: record.span.start + word.len() as u32, ..record.span };
            match first.get(&(word, facet)) {
                Some(first) => self.diagnostics.push(problems::said_twice(&Name { value: word.into(), span }, self.file, *first)),
                None => drop(first.insert((word, facet), span)),
            }
        }
    }

    /// `identify { ... }`; slots said again replace inherited ones.
    pub(super) fn identify(&mut self, record: &ast::Record, identities: &mut Vec<Identity>) {
        let facet = record.facet.as_ref().map_or("device", |facet| facet.value.as_str());
        if !matches!(facet, "device" | "os") {
            let span = record.facet.as_ref().map_or(record.span, |facet| facet.span);
            self.diagnostics.push(problems::unknown_word(facet, say!("facet", "ファセット"), "device or os", self.file, span));
            return;
        }
        let mut said: Vec<(&Name, IdentitySlot)> = Vec::new();
        let mut slots = Vec::new();
        self.identity_so_far.clear();
        for (name, value) in &record.slots {
            let Some((_, slot)) = IDENTITY_SLOTS.iter().find(|(known, _)| *known == name.value) else {
                self.diagnostics.push(problems::unknown_slot(name, self.file, IDENTITY_SLOTS.iter().map(|(name, _)| *name)));
                continue;
            };
            if let Some((first, _)) = said.iter().find(|(_, known)| known == slot) {
                self.diagnostics.push(problems::said_twice(name, self.file, first.span));
                continue;
            }
            said.push((name, *slot));
            if let Some(value) = self.identity_value(*slot, value) {
                self.identity_so_far.push((name.value.clone(), value.clone()));
                slots.push((*slot, value));
            }
        }
        match identities.iter_mut().find(|identity| identity.facet == facet) {
            Some(inherited) => {
                inherited.slots.retain(|(slot, _)| !said.iter().any(|(_, own)| own == slot));
                inherited.slots.extend(slots);
            }
            None => identities.push(Identity { facet: facet.into(), slots }),
        }
    }

    fn identity_value(&mut self, slot: IdentitySlot, value: &ast::Expr) -> Option<Expr> {
        let wanted = match slot {
            IdentitySlot::Vendor | IdentitySlot::Brand => Type::Vendor,
            IdentitySlot::Class => Type::Class,
            IdentitySlot::Cpe => Type::Cpe,
            IdentitySlot::Series | IdentitySlot::Model | IdentitySlot::Version => Type::Text,
        };
        let checked = self.expr(value, Some(&wanted))?;
        let fits = match (slot, checked.ty.required()) {
            (IdentitySlot::Version, Type::Version(_) | Type::Text) => true,
            // What narrows it down is said too, and compared as bounds are.
            (IdentitySlot::Version, Type::Range(of) | Type::Set(of)) => matches!(**of, Type::Version(_)),
            // A brand that is no maker of the vocabulary is said as text.
            (IdentitySlot::Brand, Type::Text) => true,
            (_, found) => *found == wanted,
        };
        if !fits {
            return self.refuse(problems::type_mismatch(say!("this slot", "このスロット"), &wanted, &checked.ty, self.file, checked.span));
        }
        Some(checked)
    }

    /// `component { vendor = "x"; product = "y"; version = v }`.
    pub(super) fn component(&mut self, record: &ast::Record) -> Option<Vec<(String, Expr)>> {
        let mut slots: Vec<(String, Expr)> = Vec::new();
        self.identity_so_far.clear();
        for (name, value) in &record.slots {
            if !COMPONENT_SLOTS.contains(&name.value.as_str()) {
                self.diagnostics.push(problems::unknown_slot(name, self.file, COMPONENT_SLOTS.into_iter()));
                continue;
            }
            if slots.iter().any(|(known, _)| *known == name.value) {
                self.diagnostics.push(problems::said_twice(name, self.file, record.span));
                continue;
            }
            let vendor_in_scope = matches!(&value.kind, Ast::Name(word) if matches!(self.scope.get(word), Some(Definition::Vendor(_))));
            let wanted = match name.value.as_str() {
                "vendor" if vendor_in_scope => Type::Vendor,
                "cpe" => Type::Cpe,
                _ => Type::Text,
            };
            let checked = self.expr(value, Some(&wanted))?;
            let fits = match checked.ty.required() {
                Type::Cpe => name.value == "cpe",
                found => name.value != "cpe" && matches!(found, Type::Text | Type::Vendor | Type::Version(_)),
            };
            if !fits {
                return self.refuse(problems::type_mismatch(
                    say!("this slot", "このスロット"),
                    &wanted,
                    &checked.ty,
                    self.file,
                    checked.span,
                ));
            }
            self.identity_so_far.push((name.value.clone(), checked.clone()));
            slots.push((name.value.clone(), checked));
        }
        if !slots.iter().any(|(name, _)| name == "product") {
            return self.refuse(problems::component_without_product(self.file, record.span));
        }
        Some(slots)
    }

    /// `details { edition = edition }`: names are free; said again they replace inherited ones.
    pub(super) fn details(&mut self, record: &ast::Record, details: &mut Vec<(String, Expr)>) {
        let mut said: Vec<&Name> = Vec::new();
        for (name, value) in &record.slots {
            if let Some(first) = said.iter().find(|known| known.value == name.value) {
                self.diagnostics.push(problems::said_twice(name, self.file, first.span));
                continue;
            }
            said.push(name);
            let Some(checked) = self.expr(value, None) else { continue };
            if matches!(checked.ty.required(), Type::Row(_) | Type::List(_) | Type::Bytes | Type::Duration) {
                let (what, wanted) = (say!("this detail", "この項目"), say!("a value that is written as text", "テキストで表せる値"));
                self.diagnostics.push(problems::unexpected(what, wanted, self.file, checked.span));
                continue;
            }
            details.retain(|(known, _)| *known != name.value);
            details.push((name.value.clone(), checked));
        }
    }

    /// `support { ends = row.ends; latest = row.latest }`.
    pub(super) fn support(&mut self, record: &ast::Record) -> Option<Support> {
        let mut support = Support { ends: None, latest: None, scheme: None };
        for (at, (name, value)) in record.slots.iter().enumerate() {
            if let Some((first, _)) = record.slots[..at].iter().find(|(first, _)| first.value == name.value) {
                return self.refuse(problems::said_twice(name, self.file, first.span));
            }
            let checked = self.expr(value, None)?;
            let plain = match checked.ty.required() {
                Type::Bound(of) => (**of).clone(),
                other => other.clone(),
            };
            match (name.value.as_str(), &plain) {
                ("ends", Type::Date) => support.ends = Some(checked),
                ("latest", Type::Version(scheme)) => {
                    support.scheme = self.names.schemes.get(scheme).cloned();
                    support.latest = Some(checked);
                }
                ("ends", _) => {
                    return self.refuse(problems::type_mismatch(Text::quoted("`ends`"), &Type::Date, &checked.ty, self.file, checked.span));
                }
                ("latest", _) => {
                    let wanted = Type::Version("dotted".into());
                    return self.refuse(problems::type_mismatch(Text::quoted("`latest`"), &wanted, &checked.ty, self.file, checked.span));
                }
                _ => return self.refuse(problems::unknown_slot(name, self.file, ["ends", "latest"].into_iter())),
            }
        }
        Some(support)
    }

    /// `tag eol(on: row.eol) when row.eol <= scan.date`.
    pub(super) fn tag(&mut self, tag: &ast::TagUse) -> Option<TagUse> {
        let Some(Definition::Tag(id)) = self.scope.get(&tag.name.value) else {
            let known = self.names.vocabulary.tags.keys();
            let import = self.names.import_of(&tag.name.value, self.file, self.files[&self.file].1);
            return self.refuse(problems::unknown_tag(&tag.name, self.file, known, import));
        };
        self.mark(tag.name.span, || Target::Tag(id.clone()));
        let each = match &tag.each {
            Some((row, table, filter)) => Some(self.rows_of(row, table, filter.as_ref())?),
            None => None,
        };
        let checked = self.tag_of(id, tag, each);
        if let Some((row, ..)) = &tag.each {
            self.vars_by_name.remove(&row.value);
        }
        checked
    }

    /// `for row in table where ...`: the row is known to the tag only.
    fn rows_of(&mut self, row: &Name, table: &ast::Expr, filter: Option<&ast::Expr>) -> Option<EachRow> {
        let Ast::Name(name) = &table.kind else {
            return self.refuse(problems::expected(say!("a table", "テーブル"), self.file, table.span));
        };
        let full = self.table_named(&Name { value: name.clone(), span: table.span })?;
        self.new_name(row)?;
        let var = self.declare(row, Type::Row(full.clone()));
        let filter = match filter {
            Some(filter) => match self.bool_expr(filter) {
                Some(filter) => Some(filter),
                None => {
                    self.vars_by_name.remove(&row.value);
                    return None;
                }
            },
            None => None,
        };
        Some(EachRow { table: full, row: var, filter })
    }

    fn tag_of(&mut self, id: &str, tag: &ast::TagUse, each: Option<EachRow>) -> Option<TagUse> {
        let (home, declared) = self.names.tag_params.get(id).cloned().unwrap_or_default();
        let mut params = Vec::new();
        for (at, (name, value)) in tag.args.iter().enumerate() {
            if let Some((first, _)) = tag.args[..at].iter().find(|(first, _)| first.value == name.value) {
                return self.refuse(problems::said_twice(name, self.file, first.span));
            }
            let Some(param) = declared.iter().find(|param| param.name.value == name.value) else {
                let known = declared.iter().map(|param| param.name.value.as_str());
                return self.refuse(problems::unknown_parameter(id, name, self.file, known));
            };
            // A type that is none is told where the tag is declared.
            let wanted = parameter_type(param, home, self.names).ok()?;
            let checked = self.expr(value, Some(&wanted))?;
            let plain = |ty: &Type| match ty.required() {
                Type::Bound(of) => (**of).clone(),
                other => other.clone(),
            };
            // A version parameter takes a version of any scheme: it is shown, not compared.
            let fits = plain(&wanted) == plain(&checked.ty)
                || matches!((plain(&wanted), plain(&checked.ty)), (Type::Version(_), Type::Version(_)));
            if !fits {
                return self.refuse(problems::type_mismatch(
                    say!("this parameter", "このパラメーター"),
                    &wanted,
                    &checked.ty,
                    self.file,
                    checked.span,
                ));
            }
            params.push((name.value.clone(), checked));
        }
        let when = match &tag.when {
            Some(when) => Some(self.bool_expr(when)?),
            None => None,
        };
        Some(TagUse { name: id.to_string(), each, params, when })
    }
}
