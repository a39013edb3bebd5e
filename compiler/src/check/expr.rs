//! Expressions: every one gets a type, every name a meaning, every field its place in the schema.

use ksig_lang::ast::{self, BinaryOp, ExprKind as Ast, Name};
use ksig_lang::source::Span;
use ksig_lang::{Text, say};
use ksig_runtime::plan::{CompareOp, Datum, KeyFold, Pattern, TextOp, Var};
use ksig_schema::{Scheme, Type};

use super::{Captures, Checker, dotted_name, pattern};
use crate::hir::{Expr, ExprKind, FieldRef, Match};
use crate::names::Definition;
use crate::{problems, tables};

impl Checker<'_> {
    /// Checks an expression. `expected` gives literals their type. Absent when a problem was reported.
    pub(super) fn expr(&mut self, e: &ast::Expr, expected: Option<&Type>) -> Option<Expr> {
        let before = self.captures;
        if !matches!(e.kind, Ast::Binary(BinaryOp::And | BinaryOp::Or | BinaryOp::Matches, ..)) {
            self.captures = Captures::Refused;
        }
        let checked = self.any_expr(e, expected);
        self.captures = before;
        checked
    }

    fn any_expr(&mut self, e: &ast::Expr, expected: Option<&Type>) -> Option<Expr> {
        let made = |kind: ExprKind, ty: Type| Some(Expr { kind, ty, span: e.span });
        match &e.kind {
            Ast::Name(name) if name == "absent" => {
                self.refuse(problems::unexpected(Text::quoted("`absent`"), say!("a value", "値"), self.file, e.span))
            }
            Ast::Name(name) if self.vars_by_name.contains_key(name) => {
                let id = self.vars_by_name[name];
                made(ExprKind::Var(id), self.vars[id as usize].ty.clone())
            }
            Ast::Name(name) if self.file_let(name).is_some() => {
                let place = self.file_let(name)?;
                self.let_value(place, expected, e.span)
            }
            Ast::Name(_) | Ast::Field(..) | Ast::Index(..) => self.place(e, expected),
            Ast::Text(_) | Ast::Prefixed(..) | Ast::Int(_) | Ast::Bool(_) | Ast::Date(_) | Ast::Dotted(_) | Ast::List(_) => {
                self.constant(e, expected)
            }
            Ast::Worded(..) => self.constant(e, expected),
            Ast::Not(inner) => {
                let inner = self.bool_expr(inner)?;
                self.check_negation(&inner, e.span)?;
                made(ExprKind::Not(Box::new(inner)), Type::Bool)
            }
            Ast::Absent(inner) => {
                let inner = self.expr(inner, None)?;
                made(ExprKind::Absent(Box::new(inner)), Type::Bool)
            }
            Ast::Present(inner) => {
                let inner = self.expr(inner, None)?;
                made(ExprKind::Present(Box::new(inner)), Type::Bool)
            }
            Ast::Binary(op, left, right) => self.binary(*op, left, right, e),
            Ast::If(condition, then, otherwise) => {
                let condition = self.bool_expr(condition)?;
                let then = self.expr(then, expected)?;
                let otherwise = self.expr(otherwise, Some(then.ty.required()))?;
                self.same_type(&then, &otherwise)?;
                let ty = if otherwise.ty.is_optional() { then.ty.clone().optional() } else { then.ty.clone() };
                made(ExprKind::If(Box::new(condition), Box::new(then), Box::new(otherwise)), ty)
            }
            Ast::Otherwise(value, fallback) => {
                let value = self.expr(value, expected)?;
                let fallback = self.expr(fallback, Some(value.ty.required()))?;
                self.same_type(&value, &fallback)?;
                let ty = if fallback.ty.is_optional() { value.ty.clone() } else { value.ty.required().clone() };
                made(ExprKind::FirstOf(vec![value, fallback]), ty)
            }
            Ast::FirstOf(all) => {
                let all: Vec<Expr> = all.iter().map(|one| self.converted(one, expected)).collect::<Option<_>>()?;
                let ty = all.first().map_or(Type::Text, |first| first.ty.required().clone());
                made(ExprKind::FirstOf(all), ty.optional())
            }
            Ast::Regex { .. } => self.refuse(problems::unexpected(
                say!("a pattern", "パターン"),
                say!("a value; a pattern stands after `~`", "値（パターンは`~`の後に書きます）"),
                self.file,
                e.span,
            )),
            Ast::Duration(_) => self.refuse(problems::unexpected(
                say!("a duration", "時間"),
                say!("a value that fields have", "フィールドが取りうる値"),
                self.file,
                e.span,
            )),
            Ast::Record(_) => self.refuse(problems::unexpected(say!("a record", "レコード"), say!("a value", "値"), self.file, e.span)),
            Ast::Range { low, high, inclusive } => {
                let of = expected.map(|wanted| wanted.known_of().clone());
                let low = self.expr(low, of.as_ref())?;
                let high = self.expr(high, Some(low.ty.required()))?;
                self.same_type(&low, &high)?;
                let of = low.ty.required().clone();
                if !matches!(of, Type::Int | Type::Date | Type::Version(_)) {
                    return self.refuse(problems::not_ordered(&of, self.file, e.span));
                }
                let optional = low.ty.is_optional() || high.ty.is_optional();
                let ty = Type::Range(Box::new(of));
                made(ExprKind::Range(Box::new(low), Box::new(high), *inclusive), if optional { ty.optional() } else { ty })
            }
            Ast::Call(callee, args) if matches!(callee.kind, Ast::Name(_)) => self.call(callee, args, e.span),
            Ast::Call(callee, args) => self.call_of_probe(callee, args, e, expected),
        }
    }

    /// An expression that must be true or false.
    pub(super) fn bool_expr(&mut self, e: &ast::Expr) -> Option<Expr> {
        let checked = self.expr(e, Some(&Type::Bool))?;
        if *checked.ty.required() != Type::Bool {
            return self.refuse(problems::type_mismatch(say!("a condition", "条件"), &Type::Bool, &checked.ty, self.file, checked.span));
        }
        Some(checked)
    }

    /// An expression read as `wanted`: text is converted, and is missing where it cannot be.
    pub(super) fn converted(&mut self, e: &ast::Expr, wanted: Option<&Type>) -> Option<Expr> {
        let checked = self.expr(e, wanted)?;
        let Some(wanted) = wanted.map(Type::required) else { return Some(checked) };
        let from = checked.ty.required();
        if from == wanted {
            return Some(checked);
        }
        if *from != Type::Text && !matches!((from, wanted), (Type::Version(_), Type::Version(_))) {
            return self.refuse(problems::type_mismatch(say!("this value", "この値"), wanted, &checked.ty, self.file, checked.span));
        }
        let (scheme, span) = (self.scheme_of(wanted), checked.span);
        Some(Expr { kind: ExprKind::Convert(Box::new(checked), scheme), ty: wanted.clone().optional(), span })
    }

    fn scheme_of(&self, ty: &Type) -> Option<Scheme> {
        match ty.required() {
            Type::Version(name) => self.names.schemes.get(name).cloned(),
            Type::Bound(of) | Type::Range(of) | Type::Set(of) | Type::List(of) => self.scheme_of(of),
            _ => None,
        }
    }

    /// A literal.
    fn constant(&mut self, e: &ast::Expr, expected: Option<&Type>) -> Option<Expr> {
        let natural = match &e.kind {
            Ast::Text(_) => Type::Text,
            Ast::Int(_) => Type::Int,
            Ast::Bool(_) => Type::Bool,
            Ast::Date(_) => Type::Date,
            Ast::Dotted(_) => Type::Oid,
            Ast::Prefixed(prefix, text) => match prefix.as_str() {
                "v" => Type::Version("dotted".into()),
                "h" => Type::Hash,
                "b" | "sjis" | "eucjp" => {
                    let datum = match self.bytes_literal(prefix, text, e.span) {
                        Some(bytes) => Datum::Bytes(bytes),
                        None => return None,
                    };
                    return Some(Expr { kind: ExprKind::Const(datum), ty: Type::Bytes, span: e.span });
                }
                "cpe" => return self.cpe_template(text, e.span),
                other => return self.refuse(problems::unknown_prefix(other, self.file, e.span)),
            },
            _ => match expected {
                Some(ty) => ty.required().clone(),
                None => {
                    return self.refuse(problems::unexpected(
                        say!("this value", "この値"),
                        say!("a value whose type is known here", "型が決まる値"),
                        self.file,
                        e.span,
                    ));
                }
            },
        };
        let ty = match expected.map(Type::required) {
            Some(Type::Bound(of)) if **of == natural || matches!((&**of, &natural), (Type::Version(_), Type::Version(_))) => (**of).clone(),
            Some(wanted @ Type::Version(_)) if matches!(natural, Type::Version(_)) => wanted.clone(),
            Some(wanted @ (Type::Oid | Type::Ip | Type::Url | Type::Path | Type::Cve | Type::Mac))
                if matches!(natural, Type::Text | Type::Oid) =>
            {
                wanted.clone()
            }
            Some(wanted @ Type::Hash) if natural == Type::Text => wanted.clone(),
            Some(wanted) if matches!(e.kind, Ast::List(_) | Ast::Worded(..)) => wanted.clone(),
            Some(Type::Range(of) | Type::Set(of)) if of.known_of() == &natural => (**of).clone(),
            _ => natural,
        };
        // In a table an empty cell is a mistake; as a literal, empty text is a value.
        let read = match (&e.kind, &ty) {
            (Ast::Text(text), Type::Text) => Ok(Datum::Text(text.clone())),
            _ => tables::literal(e, &ty, self.names),
        };
        match read {
            Ok(datum) => Some(Expr { kind: ExprKind::Const(datum), ty, span: e.span }),
            Err(reason) => self.refuse(problems::bad_literal(reason, self.file, e.span)),
        }
    }

    /// `b"..."`, `sjis"..."`, `eucjp"..."` as bytes.
    fn bytes_literal(&mut self, prefix: &str, text: &str, span: Span) -> Option<Vec<u8>> {
        let encoding = match prefix {
            "sjis" => encoding_rs::SHIFT_JIS,
            "eucjp" => encoding_rs::EUC_JP,
            // `\xNN` escapes of a bytes literal come as the characters U+0000 to U+00FF.
            _ => {
                let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
                if bytes.is_none() {
                    self.diagnostics.push(problems::bad_literal(
                        say!("b\"...\" holds ASCII and `\\xNN` only", "b\"...\"に書けるのはASCII文字と`\\xNN`だけです"),
                        self.file,
                        span,
                    ));
                }
                return bytes;
            }
        };
        let (bytes, _, unmappable) = encoding.encode(text);
        if unmappable {
            let encoding = encoding.name();
            let reason = say!("a character here has no form in {encoding}", "{encoding}で表せない文字があります");
            self.diagnostics.push(problems::bad_literal(reason, self.file, span));
            return None;
        }
        Some(bytes.into_owned())
    }

    /// `cpe"o:buffalo:{model|cpe}_firmware:{version}"`: a CPE 2.3 name; holes are identity slots or variables, a missing version is `*`.
    fn cpe_template(&mut self, text: &str, span: Span) -> Option<Expr> {
        let constant = |text: &str| Expr { kind: ExprKind::Const(Datum::Text(text.into())), ty: Type::Text, span };
        let mut parts = vec![(constant("cpe:2.3:"), false)];
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let Some(close) = rest[open..].find('}') else {
                return self.refuse(problems::bad_literal(
                    say!("a `{{` of this template is not closed", "このテンプレートの`{{`が閉じられていません"),
                    self.file,
                    span,
                ));
            };
            parts.push((constant(&rest[..open]), false));
            let hole = rest[open + 1..open + close].trim();
            let name = hole.strip_suffix("|cpe").unwrap_or(hole).trim();
            let mut value = match self.identity_so_far.iter().rev().find(|(slot, _)| slot == name) {
                Some((_, value)) => value.clone(),
                None => {
                    let written = ast::Expr { kind: Ast::Name(name.into()), span };
                    self.expr(&written, Some(&Type::Text))?
                }
            };
            if name == "version" {
                // The version itself is escaped, the `*` that says "any" is not.
                let escaped = Expr { kind: ExprKind::Template(vec![(value, true)]), ty: Type::Text.optional(), span };
                value = Expr { kind: ExprKind::FirstOf(vec![escaped, constant("*")]), ty: Type::Text, span };
                parts.push((value, false));
            } else {
                parts.push((value, true));
            }
            rest = &rest[open + close + 1..];
        }
        let wildcards = 11usize.saturating_sub(text.split(':').count());
        parts.push((constant(&format!("{rest}{}", ":*".repeat(wildcards))), false));
        parts.retain(|(part, _)| part.kind != ExprKind::Const(Datum::Text(String::new())));
        Some(Expr { kind: ExprKind::Template(parts), ty: Type::Cpe.optional(), span })
    }

    /// A field of a probe, a column of a row, a row of a table, `scan.date`, a vendor or a class.
    fn place(&mut self, e: &ast::Expr, expected: Option<&Type>) -> Option<Expr> {
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
                let ty = table.columns[index].ty.clone().optional();
                made(ExprKind::Column(Box::new(base), index as u32), ty)
            }
            _ => {
                let name = dotted_name(e).unwrap_or_default();
                match expected.map(Type::required) {
                    Some(Type::Class) => match self.names.vocabulary.classes.contains_key(&name) {
                        true => made(ExprKind::Const(Datum::Text(name)), Type::Class),
                        false => self.refuse(problems::unknown_class(&name, self.file, e.span, self.names.vocabulary.classes.keys())),
                    },
                    Some(Type::Vendor) if name == "unknown" && !self.scope.contains_key("unknown") => {
                        made(ExprKind::Const(Datum::Missing), Type::Vendor.optional())
                    }
                    Some(Type::Vendor) => match self.scope.get(&name) {
                        Some(Definition::Vendor(id)) => made(ExprKind::Const(Datum::Text(id.clone())), Type::Vendor),
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
    fn call(&mut self, callee: &ast::Expr, args: &[ast::Arg], span: Span) -> Option<Expr> {
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
    fn key_type(&self, table: &str) -> Type {
        let table = &self.tables[table];
        match table.key.map(|key| table.columns[key as usize].ty.required()) {
            Some(Type::Range(of)) => (**of).clone(),
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

    fn unknown_name(&mut self, name: &str, span: Span) -> Option<Expr> {
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
        self.poisoned.contains(name) || self.probes.iter().any(|probe| probe.name == name)
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
        let id = self.probes.iter().position(|probe| probe.name == root)?;
        let probe = self.probes[id].clone();
        if rest.is_empty() {
            return self.refuse(problems::unexpected(
                say!("a probe", "プローブ"),
                say!("one of its fields", "そのフィールド"),
                self.file,
                e.span,
            ));
        }
        let name = format!("{}.{rest}", probe.root);
        let Some(field) = self.schema.field(&name) else {
            let below = format!("{}.", probe.root);
            let fields: Vec<_> = self.schema.fields().filter_map(|field| field.name.strip_prefix(&below)).collect();
            return self.refuse(problems::unknown_field(&name, &format!("{root}."), rest, self.file, path.span, fields.into_iter()));
        };
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
        let reference = FieldRef { probe: self.probe_id(id), field, key, fold_width: false };
        let ty = if field.always { field.ty.ty() } else { field.ty.ty().optional() };
        Some(Expr { kind: ExprKind::Field(reference), ty, span: e.span })
    }

    /// `top.html.script_src("/js/version.js")`: a selector of a field.
    fn call_of_probe(&mut self, callee: &ast::Expr, args: &[ast::Arg], e: &ast::Expr, expected: Option<&Type>) -> Option<Expr> {
        let written = dotted_name(callee).unwrap_or_default();
        let (root, rest) = written.split_once('.').unwrap_or((written.as_str(), ""));
        if self.poisoned.contains(root) {
            return None;
        }
        let Some(id) = self.probes.iter().position(|probe| probe.name == root) else {
            return self.refuse(problems::not_compiled_yet(say!("this call", "この呼び出し"), self.file, e.span));
        };
        let name = format!("{}.{rest}", self.probes[id].root);
        let Some(selector) = self.schema.selector(&name) else {
            // A map whose entries are written as calls: `desc.xml("/root")`.
            if self.schema.field(&name).is_some() {
                return self.place(e, expected);
            }
            let below = format!("{}.", self.probes[id].root);
            let known: Vec<_> = self.schema.selectors().filter_map(|selector| selector.name.strip_prefix(&below)).collect();
            return self.refuse(problems::unknown_selector(rest, self.file, callee.span, known.into_iter()));
        };
        let [ast::Arg { name: None, value: ast::Expr { kind: Ast::Text(argument), .. } }] = args else {
            return self.refuse(problems::unexpected(
                say!("these arguments", "これらの引数"),
                say!("one text in quotes", "引用符で囲んだ一つの文字列"),
                self.file,
                e.span,
            ));
        };
        let field = FieldRef { probe: self.probe_id(id), field: selector.of, key: None, fold_width: false };
        let field = Expr { kind: ExprKind::Field(field), ty: selector.of.ty.ty().optional(), span: callee.span };
        let ty = field.ty.clone();
        Some(Expr { kind: ExprKind::Pick(Box::new(field), selector.pick, argument.clone()), ty, span: e.span })
    }

    fn binary(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr, e: &ast::Expr) -> Option<Expr> {
        let made = |kind: ExprKind| Some(Expr { kind, ty: Type::Bool, span: e.span });
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let bound_before = self.bound_now.clone();
                let left = self.bool_expr(left)?;
                let guard = match (&left.kind, op) {
                    (ExprKind::Absent(inner), BinaryOp::Or) | (ExprKind::Present(inner), BinaryOp::And) => Some(inner.kind.clone()),
                    _ => None,
                };
                let guards = self.guards.len();
                self.guards.extend(guard);
                let right = self.bool_expr(right);
                self.guards.truncate(guards);
                let (left, right) = (Box::new(left), Box::new(right?));
                if op == BinaryOp::Or {
                    // Which side holds is not known, so what either binds may be missing.
                    for name in self.bound_now.difference(&bound_before) {
                        let var = &mut self.vars[self.vars_by_name[name] as usize];
                        var.ty = var.ty.clone().optional();
                    }
                }
                made(if op == BinaryOp::And { ExprKind::And(left, right) } else { ExprKind::Or(left, right) })
            }
            BinaryOp::Matches => self.matches(left, right, e.span),
            BinaryOp::Contains | BinaryOp::Starts | BinaryOp::Ends => {
                let left = self.expr(left, None)?;
                let right = self.expr(right, Some(left.ty.required()))?;
                self.textual(&left)?;
                if right.ty.required() != left.ty.required() {
                    return self.refuse(problems::type_mismatch(
                        say!("the right side", "右辺"),
                        left.ty.required(),
                        &right.ty,
                        self.file,
                        right.span,
                    ));
                }
                let op = match op {
                    BinaryOp::Contains => TextOp::Contains,
                    BinaryOp::Starts => TextOp::Starts,
                    _ => TextOp::Ends,
                };
                made(ExprKind::TextTest(op, Box::new(left), Box::new(right)))
            }
            BinaryOp::Has => self.compare(CompareOp::Eq, left, right, e.span),
            BinaryOp::In => self.membership(left, right, e.span),
            BinaryOp::Under => {
                let left = self.expr(left, None)?;
                let Ast::Dotted(oid) = &right.kind else {
                    return self.refuse(problems::expected(
                        say!("an object id such as 1.3.6.1.4.1.1182", "1.3.6.1.4.1.1182のようなオブジェクトID"),
                        self.file,
                        right.span,
                    ));
                };
                if *left.ty.required() != Type::Oid {
                    return self.refuse(problems::type_mismatch(
                        say!("the left side of `under`", "`under`の左辺"),
                        &Type::Oid,
                        &left.ty,
                        self.file,
                        left.span,
                    ));
                }
                made(ExprKind::Under(Box::new(left), oid.clone()))
            }
            BinaryOp::Eq => self.compare(CompareOp::Eq, left, right, e.span),
            BinaryOp::Lt => self.compare(CompareOp::Lt, left, right, e.span),
            BinaryOp::Le => self.compare(CompareOp::Le, left, right, e.span),
            BinaryOp::Gt => self.compare(CompareOp::Gt, left, right, e.span),
            BinaryOp::Ge => self.compare(CompareOp::Ge, left, right, e.span),
        }
    }

    fn compare(&mut self, op: CompareOp, left: &ast::Expr, right: &ast::Expr, span: Span) -> Option<Expr> {
        let left = self.expr(left, None)?;
        let right = self.expr(right, Some(left.ty.known_of()))?;
        let (a, b) = (left.ty.known_of().clone(), right.ty.known_of().clone());
        if let (Type::Version(a), Type::Version(b)) = (&a, &b) {
            if a != b {
                return self.refuse(problems::scheme_mismatch(a, b, self.file, span));
            }
        } else if a != b {
            return self.refuse(problems::cannot_compare(&left.ty, &right.ty, self.file, left.span, right.span));
        }
        let ordered = matches!(a, Type::Int | Type::Date | Type::Version(_));
        if op != CompareOp::Eq && !ordered {
            return self.refuse(problems::not_ordered(&a, self.file, span));
        }
        let scheme = self.scheme_of(&a);
        Some(Expr { kind: ExprKind::Compare(op, scheme, Box::new(left), Box::new(right)), ty: Type::Bool, span })
    }

    fn membership(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> Option<Expr> {
        let value = self.expr(left, None)?;
        self.member_of(value, right, span)
    }

    fn member_of(&mut self, value: Expr, right: &ast::Expr, span: Span) -> Option<Expr> {
        let of = value.ty.known_of().clone();
        if let Ast::Name(name) = &right.kind
            && let Some(place) = self.file_let(name)
        {
            return self.inside_let(place, right.span, |this, list| this.member_of(value, list, span));
        }
        let kind = match &right.kind {
            Ast::List(items) => {
                let data = items.iter().map(|item| self.constant_datum(item, &of)).collect::<Option<Vec<_>>>()?;
                match self.scheme_of(&of) {
                    // Versions that are written otherwise can be equal.
                    Some(scheme) if !data.is_empty() => return Some(self.one_of(&value, data, &scheme, span)),
                    _ => ExprKind::InList(Box::new(value), data),
                }
            }
            Ast::Range { low, high, inclusive } => {
                let (low, high) = (self.expr(low, Some(&of))?, self.expr(high, Some(&of))?);
                for end in [&low, &high] {
                    if *end.ty.required() != of {
                        return self.refuse(problems::type_mismatch(
                            say!("an end of this range", "この範囲の端"),
                            &of,
                            &end.ty,
                            self.file,
                            end.span,
                        ));
                    }
                }
                if !matches!(of, Type::Int | Type::Date | Type::Version(_)) {
                    return self.refuse(problems::not_ordered(&of, self.file, span));
                }
                let scheme = self.scheme_of(&of);
                let (value, low, high) = (Box::new(value), Box::new(low), Box::new(high));
                ExprKind::InRange { value, low, high, inclusive: *inclusive, scheme }
            }
            Ast::Name(name) if !self.vars_by_name.contains_key(name) => match self.scope.get(name) {
                Some(Definition::Table(full)) => {
                    let wanted = self.key_type(full);
                    if wanted == Type::Text {
                        self.textual(&value)?;
                    } else if *value.ty.known_of() != wanted {
                        return self.refuse(problems::type_mismatch(
                            say!("a table's key", "テーブルのキー"),
                            &wanted,
                            &value.ty,
                            self.file,
                            value.span,
                        ));
                    }
                    ExprKind::InTable(Box::new(value), full.clone())
                }
                _ => return self.unknown_name(name, right.span),
            },
            Ast::Name(_) | Ast::Field(..) | Ast::Index(..) | Ast::Worded(..) => return self.within(value, right, span),
            _ => {
                return self.refuse(problems::expected(
                    say!("a list, a range or a table", "リスト、範囲、テーブルのいずれか"),
                    self.file,
                    right.span,
                ));
            }
        };
        Some(Expr { kind, ty: Type::Bool, span })
    }

    /// `in` a column or a name: a range, a list of ranges, a set, a bound, or a list of values.
    fn within(&mut self, value: Expr, right: &ast::Expr, span: Span) -> Option<Expr> {
        let of = value.ty.known_of().clone();
        let wanted = Type::Range(Box::new(of.clone()));
        let range = self.expr(right, Some(&wanted))?;
        let element = match range.ty.required() {
            Type::List(of) => (**of).clone(),
            other => other.clone(),
        };
        let ordered = matches!(of, Type::Int | Type::Date | Type::Version(_));
        let is_list = matches!(range.ty.required(), Type::List(_));
        let spans = matches!(element, Type::Range(_) | Type::Set(_) | Type::Bound(_));
        if *element.known_of() != of || !(is_list || spans) || spans && !ordered {
            return self.refuse(problems::type_mismatch(
                say!("the right side of `in`", "`in`の右辺"),
                &wanted,
                &range.ty,
                self.file,
                range.span,
            ));
        }
        let (value, range) = (Box::new(value), Box::new(range));
        let scheme = self.scheme_of(&of);
        let kind = match ordered {
            true => ExprKind::Within(scheme, value, range),
            false => ExprKind::Compare(CompareOp::Eq, None, value, range),
        };
        Some(Expr { kind, ty: Type::Bool, span })
    }

    /// A version equal to one of these.
    fn one_of(&self, value: &Expr, versions: Vec<Datum>, scheme: &Scheme, span: Span) -> Expr {
        let made = |kind: ExprKind| Expr { kind, ty: Type::Bool, span };
        let equal = |version: Datum| {
            let version = Expr { kind: ExprKind::Const(version), ty: value.ty.required().clone(), span };
            made(ExprKind::Compare(CompareOp::Eq, Some(scheme.clone()), Box::new(value.clone()), Box::new(version)))
        };
        let either = |a: Expr, b: Expr| made(ExprKind::Or(Box::new(a), Box::new(b)));
        versions.into_iter().map(equal).reduce(either).unwrap_or_else(|| made(ExprKind::Const(Datum::Bool(false))))
    }

    fn constant_datum(&mut self, e: &ast::Expr, ty: &Type) -> Option<Datum> {
        match self.expr(e, Some(ty))? {
            Expr { kind: ExprKind::Const(datum), ty: found, .. } if found.required() == ty => Some(datum),
            other => {
                self.refuse(problems::type_mismatch(say!("an element of this list", "このリストの要素"), ty, &other.ty, self.file, e.span))
            }
        }
    }

    /// `x ~ /pattern/`: a condition, or a value where the pattern has `(?<_>...)`.
    fn matches(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> Option<Expr> {
        let mut value = self.expr(left, None)?;
        self.textual(&value)?;
        let Ast::Regex { pattern: text, pattern_span, flags, bytes } = &right.kind else {
            return self.refuse(problems::expected(
                say!("a pattern such as /^AirStation/", "/^AirStation/のようなパターン"),
                self.file,
                right.span,
            ));
        };
        let on_bytes = *value.ty.required() == Type::Bytes;
        if on_bytes != *bytes {
            return self.refuse(problems::bytes_and_text(on_bytes, self.file, value.span, right.span));
        }
        let mut compiled = Pattern { source: String::new(), ignore_case: false, ignore_case_unicode: false, bytes: *bytes };
        for flag in flags {
            match flag.value.as_str() {
                "i" => compiled.ignore_case = true,
                "iu" => compiled.ignore_case_unicode = true,
                "fold_width" => match &mut value.kind {
                    ExprKind::Field(field) => field.fold_width = true,
                    _ => {
                        return self.refuse(problems::unexpected(
                            Text::quoted("/fold_width"),
                            say!("it on a field only", "対象となるフィールド"),
                            self.file,
                            flag.span,
                        ));
                    }
                },
                _ => return self.refuse(problems::unknown_flag(flag, self.file)),
            }
        }
        let (scope, all) = (self.scope, self.tables);
        let keys = |name: &str| match scope.get(name) {
            Some(Definition::Table(full)) if all[full].key.is_none() => {
                Err(say!("table `{name}` has no key column", "テーブル`{name}`にはキー列がありません"))
            }
            Some(Definition::Table(full)) if tables::has_intervals(&all[full]) => {
                Err(say!("the keys of table `{name}` are ranges", "テーブル`{name}`のキーは範囲です"))
            }
            Some(Definition::Table(full)) => {
                match tables::keys(&all[full]).map(|key| all[full].folded(key).into_owned()).collect::<Vec<_>>() {
                    keys if keys.is_empty() => Err(say!("table `{name}` has no rows", "テーブル`{name}`に行がありません")),
                    keys => Ok(pattern::Keys { all: keys, ignore_case: all[full].folds.contains(&KeyFold::Case) }),
                }
            }
            _ => Err(say!("there is no table `{name}` here", "ここに`{name}`というテーブルはありません")),
        };
        let inside = |range: (usize, usize)| Span {
            start: pattern_span.start + range.0.min(text.len()) as u32,
            end: pattern_span.start + range.1.min(text.len()) as u32,
        };
        let expanded = match pattern::expand(text, pattern_span.start, &keys) {
            Ok(expanded) => expanded,
            Err(mistake) => return self.refuse(problems::bad_pattern(mistake.message, self.file, inside(mistake.range))),
        };
        compiled.source = expanded.source;
        let folds_width =
            |name: &String| matches!(scope.get(name), Some(Definition::Table(full)) if all[full].folds.contains(&KeyFold::Width));
        if expanded.groups.iter().filter_map(|group| group.table.as_ref()).any(folds_width) {
            match &mut value.kind {
                ExprKind::Field(field) => field.fold_width = true,
                _ => {
                    let wanted = say!("a field: the table's keys fold width", "フィールド（このテーブルのキーは全角と半角を区別しません）");
                    return self.refuse(problems::expected(wanted, self.file, value.span));
                }
            }
        }
        if let Err(error) = ksig_runtime::pattern::hir(&compiled) {
            let place = if expanded.verbatim { inside(error.span) } else { *pattern_span };
            return self.refuse(problems::bad_pattern(Text::quoted(error.message), self.file, place));
        }
        if expanded.groups.iter().any(|group| group.name == "_") {
            let ty = value.ty.required().clone().optional();
            return Some(Expr { kind: ExprKind::Extract(Box::new(value), compiled, "_".into()), ty, span });
        }
        let mut captures = Vec::new();
        let binds = match value.kind {
            ExprKind::Field(_) => true,
            ExprKind::Var(var) => self.element == Some(var),
            _ => false,
        };
        if !binds {
            self.captures = Captures::Refused;
        }
        for group in &expanded.groups {
            let ty = match &group.ty {
                Some(written) => self.type_of(written)?.optional(),
                None => value.ty.required().clone(),
            };
            let name = Name { value: group.name.clone(), span: group.span };
            captures.push((group.name.clone(), self.bind_capture(&name, ty)?));
        }
        Some(Expr { kind: ExprKind::Matches(Box::new(value), Match { pattern: compiled, captures }), ty: Type::Bool, span })
    }

    /// Enters a capture; in sibling branches of `any` the same name is the same variable.
    fn bind_capture(&mut self, name: &Name, ty: Type) -> Option<u32> {
        if self.captures == Captures::Refused {
            return self.refuse(problems::capture_binds_nothing(name, self.file));
        }
        if self.bound_now.contains(&name.value) {
            let first = self.vars_by_name.get(&name.value).map_or(name.span, |id| self.var_spans[*id as usize]);
            return self.refuse(problems::bound_twice(name, self.file, first));
        }
        self.bound_now.insert(name.value.clone());
        if let Some(&id) = self.vars_by_name.get(&name.value) {
            let before = &self.vars[id as usize].ty;
            if before.required() != ty.required() {
                let problem = problems::capture_types_differ(name, before, &ty, self.file, self.var_spans[id as usize]);
                return self.refuse(problem);
            }
            return Some(id);
        }
        Some(self.declare(name, ty))
    }

    /// Enters a variable.
    pub(super) fn declare(&mut self, name: &Name, ty: Type) -> u32 {
        let id = self.vars.len() as u32;
        let scheme = self.scheme_of(&ty);
        self.vars.push(Var { name: name.value.clone(), ty, scheme, redact: false });
        self.var_spans.push(name.span);
        self.vars_by_name.insert(name.value.clone(), id);
        id
    }

    fn textual(&mut self, e: &Expr) -> Option<()> {
        match e.ty.required() {
            Type::Text | Type::Bytes | Type::Url | Type::Path | Type::Oid | Type::Version(_) => Some(()),
            _ => self.refuse(problems::type_mismatch(say!("this", "これ"), &Type::Text, &e.ty, self.file, e.span)),
        }
    }

    fn same_type(&mut self, a: &Expr, b: &Expr) -> Option<()> {
        if a.ty.required() == b.ty.required() {
            return Some(());
        }
        self.refuse(problems::type_mismatch(say!("this branch", "この分岐"), a.ty.required(), &b.ty, self.file, b.span))
    }

    /// `not x` where x can be missing does not compile without a guard (V2).
    fn check_negation(&mut self, inner: &Expr, span: Span) -> Option<()> {
        let mut unguarded: Option<Span> = None;
        let mut safe: Vec<*const Expr> = Vec::new();
        inner.walk(&mut |e| match &e.kind {
            ExprKind::Absent(of) | ExprKind::Present(of) => of.walk(&mut |below| safe.push(below)),
            ExprKind::Field(_) | ExprKind::Var(_) | ExprKind::Column(..) | ExprKind::ScanDate
                if e.ty.is_optional() && !self.guards.contains(&e.kind) && !safe.contains(&std::ptr::from_ref(e)) =>
            {
                unguarded.get_or_insert(e.span);
            }
            _ => {}
        });
        match unguarded {
            Some(place) => self.refuse(problems::negation_may_be_missing(self.file, span, place, self.text)),
            None => Some(()),
        }
    }
}

/// The first name of `a.b["c"].d`.
fn root_of(e: &ast::Expr) -> Option<&str> {
    match &e.kind {
        Ast::Name(name) => Some(name),
        Ast::Field(base, _) | Ast::Index(base, _) | Ast::Call(base, _) => root_of(base),
        _ => None,
    }
}
