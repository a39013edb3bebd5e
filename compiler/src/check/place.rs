//! Names and what hangs on them: fields of probes, rows and columns, vendors and classes, calls.

use ksig_lang::ast::{self, ExprKind as Ast, Name};
use ksig_lang::source::Span;
use ksig_lang::{Diagnostic, say};
use ksig_runtime::plan::Datum;
use ksig_schema::field::FieldType;
use ksig_schema::{ConstructorDef, FieldDef, Type};

use super::{Checker, dotted_name};
use crate::hir::{Expr, ExprKind, FieldRef, Probe};
use crate::marks::Target;
use crate::names::Definition;
use crate::{problems, tables};

impl Checker<'_> {
    /// A field of a probe, a column of a row, a row of a table, `scan.date`, a vendor or a class.
    pub(super) fn place(&mut self, e: &ast::Expr, expected: Option<&Type>) -> Option<Expr> {
        let made = |kind: ExprKind, ty: Type| Some(Expr { kind, ty, span: e.span });
        if dotted_name(e).as_deref() == Some("scan.date") {
            return made(ExprKind::ScanDate, Type::Date.optional());
        }
        if let Some(root) = root_of(e) {
            if self.poisoned.contains(root) {
                return None;
            }
            if self.is_probe(root) {
                return self.field(e);
            }
        }
        match &e.kind {
            Ast::Index(base, key) => {
                let Ast::Name(name) = &base.kind else {
                    return self.refuse(problems::unexpected(
                        say!("this index", "この添字"),
                        say!("a table or a keyed field", "テーブル、またはキーで参照するフィールド"),
                        self.file,
                        e.span,
                    ));
                };
                let Some(Definition::Table(full)) = self.scope.get(name) else { return self.unknown_name(name, base.span) };
                let full = full.clone();
                self.mark(base.span, || Target::Table(full.clone()));
                if self.tables.get(&full).is_some_and(|table| table.key.is_none()) {
                    return self.refuse(problems::table_without_key(name, self.file, base.span));
                }
                if self.tables[&full].history.is_some() {
                    return self.refuse(problems::table_with_history(name, self.file, base.span));
                }
                let wanted = self.key_type(&full);
                let key = self.expr(key, Some(&wanted))?;
                let of_interval = wanted != Type::Text && *key.ty.known_of() == wanted;
                if *key.ty.required() != wanted && !of_interval {
                    let what = say!("a table's key", "テーブルのキー");
                    return self.refuse(problems::type_mismatch(what, &wanted, &key.ty, self.file, key.span));
                }
                let row = made(ExprKind::Row(full.clone(), Box::new(key)), Type::Row(full.clone()).optional())?;
                match expected.and_then(|wanted| self.only_column(&full, wanted)) {
                    Some((column, ty)) => made(ExprKind::Column(Box::new(row), column), ty.optional()),
                    None => Some(row),
                }
            }
            Ast::Field(base, column) if !matches!(expected.map(Type::required), Some(Type::Class | Type::Vendor)) || self.is_row(base) => {
                let base = self.expr(base, None)?;
                let Type::Row(table) = base.ty.required() else {
                    return self.refuse(problems::no_such_part(&column.value, &base.ty, self.file, column.span));
                };
                let table = &self.tables[table];
                let Some(index) = table.columns.iter().position(|c| c.name == column.value) else {
                    let columns = table.columns.iter().map(|c| c.name.as_str());
                    return self.refuse(problems::unknown_column(&table.name, column, self.file, columns));
                };
                self.mark(column.span, || Target::Column(table.name.clone(), index as u32));
                let ty = table.columns[index].ty.clone().optional();
                made(ExprKind::Column(Box::new(base), index as u32), ty)
            }
            _ => {
                let name = dotted_name(e).unwrap_or_default();
                match expected.map(Type::required) {
                    Some(Type::Enum(words)) => match tables::word(&name, words) {
                        Ok(word) => made(ExprKind::Const(word), Type::Enum(words.clone())),
                        Err(reason) => self.refuse(problems::bad_literal(reason, self.file, e.span)),
                    },
                    Some(Type::Class) => match self.names.vocabulary.classes.contains_key(&name) {
                        true => {
                            self.mark(e.span, || Target::Class(name.clone()));
                            made(ExprKind::Const(Datum::Text(name)), Type::Class)
                        }
                        false => self.refuse(problems::unknown_class(&name, self.file, e.span, self.names.vocabulary.classes.keys())),
                    },
                    Some(Type::Vendor) if name == "unknown" && !self.scope.contains_key("unknown") => {
                        made(ExprKind::Const(Datum::Missing), Type::Vendor.optional())
                    }
                    Some(Type::Vendor) => match self.scope.get(&name) {
                        Some(Definition::Vendor(id)) => {
                            self.mark(e.span, || Target::Vendor(id.clone()));
                            made(ExprKind::Const(Datum::Text(id.clone())), Type::Vendor)
                        }
                        _ => {
                            let import = self.names.import_of(&name, self.file, self.files[&self.file].1);
                            self.refuse(problems::unknown_vendor(&name, self.file, e.span, &self.names.vocabulary, import))
                        }
                    },
                    _ => self.unknown_name(&name, e.span),
                }
            }
        }
    }

    /// `latest(firmware.version, model, at scan.date)`; there is no other function.
    pub(super) fn call(&mut self, callee: &ast::Expr, args: &[ast::Arg], span: Span) -> Option<Expr> {
        let Ast::Name(function) = &callee.kind else { return None };
        if function != "latest" {
            return self.refuse(problems::unknown_function(function, self.file, callee.span));
        }
        let form = || say!("`latest(table.column, key, at day)`", "`latest(テーブル.列, キー, at 日付)`");
        let [what, key, at] = args else { return self.refuse(problems::expected(form(), self.file, span)) };
        let (Ast::Field(table, column), Ast::Worded(word, day)) = (&what.value.kind, &at.value.kind) else {
            return self.refuse(problems::expected(form(), self.file, span));
        };
        let Ast::Name(name) = &table.kind else { return self.refuse(problems::expected(form(), self.file, table.span)) };
        if word.value != "at" {
            return self.refuse(problems::expected(form(), self.file, word.span));
        }
        let full = self.table_named(&Name { value: name.clone(), span: table.span })?;
        let described = &self.tables[&full];
        if described.history.is_none() {
            let wanted = say!("a table with a column `date history`", "`date history`の列を持つテーブル");
            return self.refuse(problems::expected(wanted, self.file, table.span));
        }
        let Some(index) = described.columns.iter().position(|known| known.name == column.value) else {
            let columns = described.columns.iter().map(|known| known.name.as_str());
            return self.refuse(problems::unknown_column(&described.name, column, self.file, columns));
        };
        self.mark(column.span, || Target::Column(full.clone(), index as u32));
        let ty = match described.columns[index].ty.required() {
            version @ Type::Version(_) => Type::Bound(Box::new(version.clone())),
            other => other.clone(),
        };
        let key = self.expr(&key.value, Some(&Type::Text))?;
        let day = self.expr(day, Some(&Type::Date))?;
        for (found, wanted) in [(&key, Type::Text), (&day, Type::Date)] {
            if *found.ty.required() != wanted {
                let what = say!("this argument", "この引数");
                return self.refuse(problems::type_mismatch(what, &wanted, &found.ty, self.file, found.span));
            }
        }
        let kind = ExprKind::Latest { table: full, column: index as u32, key: Box::new(key), at: Box::new(day) };
        Some(Expr { kind, ty: ty.optional(), span })
    }

    /// The type that a table is looked up by.
    pub(super) fn key_type(&self, table: &str) -> Type {
        let table = &self.tables[table];
        match table.key.map(|key| table.columns[key as usize].ty.required()) {
            Some(Type::Range(of)) => (**of).clone(),
            Some(ty @ (Type::Hash | Type::Int)) => ty.clone(),
            _ => Type::Text,
        }
    }

    /// The one column beside the key, where it is of the type that is wanted: a row of two columns stands for the second.
    fn only_column(&self, table: &str, wanted: &Type) -> Option<(u32, Type)> {
        let table = &self.tables[table];
        let mut others = (0u32..).zip(&table.columns).filter(|(at, column)| Some(*at) != table.key && !tables::is_reserved(&column.name));
        let (at, column) = others.next().filter(|(_, column)| column.ty.required() == wanted.required())?;
        others.next().is_none().then(|| (at, column.ty.clone()))
    }

    fn is_row(&self, base: &ast::Expr) -> bool {
        match &base.kind {
            Ast::Name(name) if self.file_let(name).is_some() => self
                .file_let(name)
                .and_then(|place| self.let_source(place))
                .is_some_and(|binding| matches!(binding.value.kind, Ast::Index(..))),
            Ast::Name(name) => self.vars_by_name.get(name).is_some_and(|id| matches!(self.vars[*id as usize].ty.required(), Type::Row(_))),
            Ast::Index(..) => true,
            _ => false,
        }
    }

    pub(super) fn unknown_name(&mut self, name: &str, span: Span) -> Option<Expr> {
        if self.poisoned.contains(name) {
            return None;
        }
        let known =
            self.vars_by_name.keys().chain(self.scope.keys()).map(String::as_str).chain(self.probes.iter().map(|p| p.name.as_str()));
        let problem = problems::unknown_name(name, self.file, span, known);
        self.refuse(problem)
    }

    /// Whether a name is a probe's, or would be if its declaration had no problem.
    fn is_probe(&self, name: &str) -> bool {
        self.poisoned.contains(name) || self.probes.named(name).is_some()
    }

    /// `top.auth.basic.realm`, `top.header["server"]`, `desc.xml("/root/device/modelName")`.
    fn field(&mut self, e: &ast::Expr) -> Option<Expr> {
        let (path, key, call) = match &e.kind {
            Ast::Index(base, key) => (base.as_ref(), Some(key.as_ref()), false),
            Ast::Call(callee, args) => match args.as_slice() {
                [ast::Arg { name: None, value }] => (callee.as_ref(), Some(value), true),
                _ => {
                    return self.refuse(problems::unexpected(
                        say!("these arguments", "これらの引数"),
                        say!("one path: (\"/path\")", "パス1つ：(\"/path\")"),
                        self.file,
                        e.span,
                    ));
                }
            },
            _ => (e, None, false),
        };
        // `.raw` behind a key is a part of the whole place.
        let (path, key, call, raw_of_entry) = match &e.kind {
            Ast::Field(base, part) if part.value == "raw" => match &base.kind {
                Ast::Index(map, key) => (map.as_ref(), Some(key.as_ref()), false, true),
                _ => (path, key, call, false),
            },
            _ => (path, key, call, false),
        };
        let Some(written) = dotted_name(path) else {
            return self.refuse(problems::expected(
                say!(
                    "a field, such as `top.html.title` or `top.header[\"server\"]`",
                    "`top.html.title`や`top.header[\"server\"]`のようなフィールド"
                ),
                self.file,
                e.span,
            ));
        };
        let (root, rest) = written.split_once('.').unwrap_or((written.as_str(), ""));
        let id = self.probes.named(root)? as usize;
        let probe = self.probes[id].clone();
        let (root_span, rest_span) = parted(path.span, root);
        self.mark_probe(id as u32, root_span);
        if rest.is_empty() {
            return self.refuse(problems::unexpected(
                say!("a probe", "プローブ"),
                say!("one of its fields", "そのフィールド"),
                self.file,
                e.span,
            ));
        }
        let name = format!("{}.{rest}", probe.root);
        let Some((field, raw)) = self.field_or_raw(&name) else {
            let below = format!("{}.", probe.root);
            let fields: Vec<_> = self.schema.fields().filter_map(|field| field.name.strip_prefix(&below)).collect();
            return self.refuse(problems::unknown_field(&name, &format!("{root}."), rest, self.file, path.span, fields.into_iter()));
        };
        self.mark(rest_span, || Target::Field(field.name));
        if let Some(problem) = self.never_filled(&probe, field, path.span) {
            return self.refuse(problem);
        }
        let key = match (field.keyed, key.map(|key| (&key.kind, key.span))) {
            (true, Some((Ast::Text(key), span))) if field.call && call && !key.starts_with('/') => {
                let wanted = say!("one that begins with `/`", "`/`で始まるパス");
                return self.refuse(problems::unexpected(say!("this path", "このパス"), wanted, self.file, span));
            }
            (true, Some((Ast::Text(key), _))) if field.call == call => Some(field.key(key)),
            (false, None) => None,
            (true, None) if field.whole => None,
            (true, _) => return self.refuse(problems::field_needs_key(&written, field.key_form(), self.file, e.span)),
            (false, Some((_, span))) => return self.refuse(problems::field_takes_no_key(&written, self.file, span)),
        };
        let reference = FieldRef { probe: self.probe_id(id), field, key, fold_width: false, raw: raw || raw_of_entry };
        if reference.raw && field.ty != FieldType::Text {
            return self.refuse(problems::no_such_part("raw", &field.ty.ty(), self.file, e.span));
        }
        let of = if reference.raw { Type::Bytes } else { field.ty.ty() };
        let ty = if field.always { of } else { of.optional() };
        Some(Expr { kind: ExprKind::Field(reference), ty, span: e.span })
    }

    /// A field of the probe's root that another probe fills.
    pub(super) fn never_filled(&self, probe: &Probe, field: &FieldDef, span: Span) -> Option<Diagnostic> {
        let constructor = self.schema.constructor(probe.asks.constructor())?;
        let others = || self.schema.filling(field.name).map(ConstructorDef::form).collect::<Vec<_>>();
        constructor.leaves_out(field.name).then(|| problems::field_never_filled(field.name, constructor.name, &others(), self.file, span))
    }

    /// The field of that name, or `a.b.raw` as the bytes of the text `a.b`.
    fn field_or_raw(&self, name: &str) -> Option<(&'static FieldDef, bool)> {
        let whole = self.schema.field(name).map(|field| (field, false));
        whole.or_else(|| self.schema.field(name.strip_suffix(".raw")?).map(|field| (field, true)))
    }

    /// `top.html.script_src("/js/version.js")`: a selector of a field.
    pub(super) fn call_of_probe(&mut self, callee: &ast::Expr, args: &[ast::Arg], e: &ast::Expr, expected: Option<&Type>) -> Option<Expr> {
        let written = dotted_name(callee).unwrap_or_default();
        let (root, rest) = written.split_once('.').unwrap_or((written.as_str(), ""));
        if self.poisoned.contains(root) {
            return None;
        }
        let Some(id) = self.probes.named(root) else {
            return self.unknown_name(root, callee.span);
        };
        let id = id as usize;
        let name = format!("{}.{rest}", self.probes[id].root);
        let (root_span, rest_span) = parted(callee.span, root);
        if let Some(selector) = self.schema.selector(&name) {
            self.mark_probe(id as u32, root_span);
            self.mark(rest_span, || Target::Selector(selector.name));
        }
        let Some(selector) = self.schema.selector(&name) else {
            // A map whose entries are written as calls: `desc.xml("/root")`.
            if self.schema.field(&name).is_some() {
                return self.place(e, expected);
            }
            let below = format!("{}.", self.probes[id].root);
            let known: Vec<_> = self.schema.selectors().filter_map(|selector| selector.name.strip_prefix(&below)).collect();
            return self.refuse(problems::unknown_selector(rest, self.file, callee.span, known.into_iter()));
        };
        if let Some(problem) = self.never_filled(&self.probes[id], selector.of, callee.span) {
            return self.refuse(problem);
        }
        let [ast::Arg { name: None, value: ast::Expr { kind: Ast::Text(argument), .. } }] = args else {
            return self.refuse(problems::unexpected(
                say!("these arguments", "これらの引数"),
                say!("one text in quotes", "引用符で囲んだ一つの文字列"),
                self.file,
                e.span,
            ));
        };
        let field = FieldRef { probe: self.probe_id(id), field: selector.of, key: None, fold_width: false, raw: false };
        let field = Expr { kind: ExprKind::Field(field), ty: selector.of.ty.ty().optional(), span: callee.span };
        let ty = field.ty.clone();
        Some(Expr { kind: ExprKind::Pick(Box::new(field), selector.pick, argument.clone()), ty, span: e.span })
    }
}

/// Of `top.html.title`: where `top` stands, and the rest behind its dot.
fn parted(path: Span, root: &str) -> (Span, Span) {
    let end = (path.start + root.len() as u32).min(path.end);
    (Span { end, ..path }, Span { start: (end + 1).min(path.end), ..path })
}

/// The first name of `a.b["c"].d`.
fn root_of(e: &ast::Expr) -> Option<&str> {
    match &e.kind {
        Ast::Name(name) => Some(name),
        Ast::Field(base, _) | Ast::Index(base, _) | Ast::Call(base, _) => root_of(base),
        _ => None,
    }
}
