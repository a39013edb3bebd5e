//! Tests and examples: fixtures become bytes or facts, expectations become typed values.

use std::net::IpAddr;

use ksig_lang::ast::{self, ExprKind as Ast, Name};
use ksig_lang::source::Span;
use ksig_lang::{Diagnostic, Text, say};
use ksig_runtime::plan::{Datum, Table};
use ksig_schema::Type;

use super::Checker;
use crate::hir::{Asks, Expect, ExprKind, FieldRef, Fixture, ProbeId, Test};
use crate::marks::Target;
use crate::{problems, tables};

/// What an expectation may say of a slot, with the slot's type.
const SLOTS: &[(&str, Type)] = &[
    ("vendor", Type::Vendor),
    ("brand", Type::Text),
    ("series", Type::Text),
    ("model", Type::Text),
    ("class", Type::Class),
    ("cpe", Type::Cpe),
];

impl Checker<'_> {
    /// `test "name" at DATE { ... }`.
    pub(super) fn test(&mut self, test: &ast::Test) -> Option<Test> {
        let mut out = Test { span: test.span, ..Test::named(&test.name.value) };
        match test.at.as_ref().map(|at| (&at.kind, at.span)) {
            None => {}
            Some((Ast::Date(date), _)) => out.at = Some(*date),
            Some((_, span)) => {
                return self.refuse(problems::expected(say!("a date such as 2026-12-31", "2026-12-31のような日付"), self.file, span));
            }
        }
        for given in &test.given {
            let (probe, fixture) = self.given(given)?;
            if out.given.iter().any(|(known, _)| *known == probe) {
                let first = test
                    .given
                    .iter()
                    .find(|first| first.probe.value == given.probe.value)
                    .map_or(given.probe.span, |first| first.probe.span);
                return self.refuse(problems::said_twice(&given.probe, self.file, first));
            }
            out.given.push((probe, fixture));
            if let Some(from) = &given.from {
                out.address = Some(self.address(from, out.address)?);
            }
        }
        for (name, rows) in &test.with {
            out.with.push(self.with(name, rows)?);
        }
        for expect in &test.expect {
            out.expect.push(self.expect(expect)?);
        }
        if out.expect.is_empty() {
            return self.refuse(problems::test_expects_nothing(&test.name, self.file));
        }
        Some(out)
    }

    /// `example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }`.
    pub(super) fn example(&mut self, example: &ast::Example) -> Option<Test> {
        let field = self.expr(&example.field, None)?;
        let ExprKind::Field(reference) = field.kind else {
            return self.refuse(problems::expected(say!("a field of a probe", "プローブのフィールド"), self.file, example.field.span));
        };
        if matches!(self.probe_of(reference.probe).asks, Asks::Named { .. }) {
            let wanted = say!(
                "a field of a probe whose place is written out; a `test` gives the answers that lead to a follow",
                "場所が書かれているプローブのフィールド（followに至る応答は`test`で与えます）"
            );
            return self.refuse(problems::expected(wanted, self.file, example.field.span));
        }
        let value = self.expr(&example.value, Some(field.ty.required()))?;
        let ExprKind::Const(datum) = value.kind else {
            return self.refuse(problems::expected(say!("a literal", "リテラル"), self.file, example.value.span));
        };
        if value.ty.required() != field.ty.required() {
            return self.refuse(problems::type_mismatch(
                say!("this value", "この値"),
                field.ty.required(),
                &value.ty,
                self.file,
                value.span,
            ));
        }
        let name = match &datum {
            Datum::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        let expect = match &example.expect {
            Some(expected) => self.expected_of_example(expected, example.span)?,
            None => vec![Expect::NoMatch(None, example.span)],
        };
        let given = vec![(reference.probe, Fixture::Value(reference, datum))];
        Some(Test { name, span: example.span, at: None, address: None, given, with: vec![], expect })
    }

    /// Slots of the identity; a name that is none is one of the signature's own.
    fn expected_of_example(&mut self, expected: &[(Name, ast::Expr)], span: Span) -> Option<Vec<Expect>> {
        let is_slot = |name: &str| name == "version" || SLOTS.iter().any(|(slot, _)| *slot == name);
        let own = |name: &Name| !is_slot(&name.value) && self.vars_by_name.contains_key(&name.value);
        let (names, slots): (Vec<_>, Vec<_>) = expected.iter().cloned().partition(|(name, _)| own(name));
        let mut out = vec![Expect::Identify(self.slots(&slots)?, span)];
        if !names.is_empty() {
            out.push(Expect::Captures(self.captured(&names)?, span));
        }
        Some(out)
    }

    /// Names of the signature with the values that they are to have.
    fn captured(&mut self, values: &[(Name, ast::Expr)]) -> Option<Vec<(String, Datum)>> {
        let mut read = Vec::new();
        for (at, (name, value)) in values.iter().enumerate() {
            if let Some((first, _)) = values[..at].iter().find(|(first, _)| first.value == name.value) {
                return self.refuse(problems::said_twice(name, self.file, first.span));
            }
            let Some(&id) = self.vars_by_name.get(&name.value) else {
                let problem = problems::unknown_name(&name.value, self.file, name.span, self.vars_by_name.keys().map(String::as_str));
                return self.refuse(problem);
            };
            self.mark_variable(id, name.span);
            let ty = self.vars[id as usize].ty.clone().optional();
            if let (ast::ExprKind::Prefixed(prefix, text), Type::Bytes) = (&value.kind, ty.required())
                && matches!(prefix.as_str(), "b" | "sjis" | "eucjp")
            {
                read.push((name.value.clone(), Datum::Bytes(self.bytes_literal(prefix, text, value.span)?)));
                continue;
            }
            match tables::literal(value, &ty, self.names) {
                Ok(datum) => read.push((name.value.clone(), datum)),
                Err(reason) => return self.refuse(problems::bad_literal(reason, self.file, value.span)),
            }
        }
        Some(read)
    }

    fn probe_named(&mut self, name: &Name) -> Option<(ProbeId, &'static str)> {
        match self.probes.named(&name.value) {
            Some(id) => {
                self.mark_probe(id, name.span);
                Some((id, self.probes[id as usize].root))
            }
            None if self.poisoned.contains(&name.value) => None,
            None => {
                let problem = problems::unknown_name(&name.value, self.file, name.span, self.probes.iter().map(|p| p.name.as_str()));
                self.refuse(problem)
            }
        }
    }

    /// `from 198.51.100.5`: all probes of a signature go to one address.
    fn address(&mut self, from: &ast::Text, known: Option<IpAddr>) -> Option<IpAddr> {
        match from.value.parse::<IpAddr>() {
            Ok(address) if known.is_none_or(|known| known == address) => Some(address),
            Ok(_) => {
                let wanted = say!(
                    "the address of the fixture before: a host has one",
                    "前のフィクスチャと同じアドレス（ホストのアドレスは一つです）"
                );
                self.refuse(problems::expected(wanted, self.file, from.span))
            }
            Err(_) => {
                let wanted = say!("an address such as 198.51.100.5", "198.51.100.5のようなアドレス");
                self.refuse(problems::expected(wanted, self.file, from.span))
            }
        }
    }

    fn given(&mut self, given: &ast::Given) -> Option<(ProbeId, Fixture)> {
        let (probe, root) = self.probe_named(&given.probe)?;
        if let Some(problem) = self.refused_form(probe, &given.fixture, given.span) {
            return self.refuse(problem);
        }
        let fixture = match &given.fixture {
            ast::Fixture::Inline { kind, text } => Fixture::Inline { kind: kind.value.clone(), text: text.value.clone() },
            ast::Fixture::File(path) => match self.input.asset(self.source, &path.value) {
                Some(bytes) => Fixture::Bytes(bytes.to_vec()),
                None => return self.refuse(problems::missing_file(&path.value, &self.source.folder, self.file, path.span)),
            },
            ast::Fixture::Facts { kind, facts } => {
                let own = last_part(root);
                if kind.value != own {
                    let wanted = say!(
                        "`{own} {{ ... }}`, since the probe's fields stand under `{root}`",
                        "`{own} {{ ... }}`（このプローブのフィールドは`{root}`の下にあります）"
                    );
                    return self.refuse(problems::unexpected(say!("this fixture", "このフィクスチャ"), wanted, self.file, kind.span));
                }
                let mut read = Vec::new();
                for (name, value) in facts {
                    let full = format!("{root}.{}", name.value);
                    let Some((field, key_part)) = self.schema.field_and_key(&full) else {
                        let below: Vec<_> = self.schema.fields().filter_map(|f| f.name.strip_prefix(root)?.strip_prefix('.')).collect();
                        return self.refuse(problems::unknown_field(&full, "", &name.value, self.file, name.span, below.into_iter()));
                    };
                    if let Some(problem) = self.never_filled(self.probe_of(probe), field, name.span) {
                        return self.refuse(problem);
                    }
                    if field.keyed && key_part.is_none() && !field.whole {
                        return self.refuse(problems::field_needs_key(&name.value, ".name", self.file, name.span));
                    }
                    let ty = field.ty.ty();
                    let checked = self.expr(value, Some(&ty))?;
                    let ExprKind::Const(datum) = checked.kind else {
                        return self.refuse(problems::expected(say!("a literal", "リテラル"), self.file, value.span));
                    };
                    if *checked.ty.required() != ty {
                        let what = say!("this fact", "この事実");
                        return self.refuse(problems::type_mismatch(what, &ty, &checked.ty, self.file, value.span));
                    }
                    self.mark(name.span, || Target::Field(field.name));
                    read.push((FieldRef { probe, field, key: key_part, fold_width: false, raw: false }, datum));
                }
                Fixture::Facts(read)
            }
            ast::Fixture::Timeout(_) => Fixture::Timeout,
            ast::Fixture::Refused(_) => Fixture::Refused,
        };
        Some((probe, fixture))
    }

    /// What is wrong with the form of a fixture: text of another protocol, or of one whose answers are no text; of the host, anything but
    /// facts.
    fn refused_form(&self, probe: ProbeId, fixture: &ast::Fixture, span: Span) -> Option<Diagnostic> {
        let asked = &self.probe_of(probe).asks;
        let Some(constructor) = self.schema.constructor(asked.constructor()) else {
            let takes = ["host { ... }".to_string()];
            let facts = matches!(fixture, ast::Fixture::Facts { .. });
            return (!facts).then(|| problems::fixture_form(say!("the host", "ホスト"), &takes, self.file, span));
        };
        let ast::Fixture::Inline { kind, .. } = fixture else { return None };
        let (protocol, name) = (constructor.protocol(), constructor.name);
        let has_text = self.schema.has_text_form(protocol);
        if has_text && kind.value == protocol {
            return None;
        }
        let mut takes: Vec<String> = has_text.then(|| format!("{protocol}\"\"\"")).into_iter().collect();
        takes.push("fixture(\"file\")".into());
        takes.push(format!("{} {{ ... }}", last_part(constructor.root)));
        takes.extend(["timeout".into(), "refused".into()]);
        Some(problems::fixture_form(Text::quoted(format!("`{name}`")), &takes, self.file, kind.span))
    }

    /// `with airstation = [{ model: "X", eol: 2026-12-31 }]`; a column that is not named is missing.
    fn with(&mut self, name: &Name, rows: &ast::Expr) -> Option<(String, Vec<Vec<Datum>>)> {
        let full = self.table_named(name)?;
        let table = &self.tables[&full];
        let Ast::List(items) = &rows.kind else {
            return self.refuse(problems::expected(
                say!("a list of rows: [{{ model: \"X\" }}]", "行のリスト（[{{ model: \"X\" }}]）"),
                self.file,
                rows.span,
            ));
        };
        let mut read = Vec::new();
        for item in items {
            let Ast::Record(cells) = &item.kind else {
                return self.refuse(problems::expected(
                    say!("a row: {{ model: \"X\" }}", "行（{{ model: \"X\" }}）"),
                    self.file,
                    item.span,
                ));
            };
            let mut row = vec![Datum::Missing; table.columns.len()];
            for (nth, (column, value)) in cells.iter().enumerate() {
                if let Some((first, _)) = cells[..nth].iter().find(|(first, _)| first.value == column.value) {
                    return self.refuse(problems::said_twice(column, self.file, first.span));
                }
                let Some(at) = table.columns.iter().position(|c| c.name == column.value) else {
                    return self.refuse(problems::unknown_column(&full, column, self.file, table.columns.iter().map(|c| c.name.as_str())));
                };
                match tables::literal(value, &table.columns[at].ty, self.names) {
                    Ok(datum) => row[at] = datum,
                    Err(reason) => return self.refuse(problems::bad_literal(reason, self.file, value.span)),
                }
            }
            if let Some(key) = table.key.filter(|_| table.history.is_none() && !tables::has_intervals(table)).map(|key| key as usize) {
                let folded = |row: &[Datum]| Table::key_text(&row[key]).map(|key| table.folded(&key).into_owned());
                let Some(own) = folded(&row) else {
                    let column = &table.columns[key].name;
                    let reason = say!("a row has its key `{column}`", "行にはキー`{column}`が必要です");
                    return self.refuse(problems::bad_row(reason, self.file, item.span));
                };
                if let Some(first) = read.iter().position(|other: &Vec<Datum>| folded(other).as_ref() == Some(&own)) {
                    return self.refuse(problems::key_twice(&own, self.file, item.span, items[first].span));
                }
            }
            read.push(row);
        }
        let mut replaced = Table { rows: read, ..table.clone() };
        tables::sort_by_key(&mut replaced);
        Some((full, replaced.rows))
    }

    fn expect(&mut self, expect: &ast::Expect) -> Option<Expect> {
        Some(match expect {
            ast::Expect::Identify(slots, span) => Expect::Identify(self.slots(slots)?, *span),
            ast::Expect::Resolved(slots, span) => Expect::Resolved(self.slots(slots)?, *span),
            ast::Expect::Captures(values, span) => Expect::Captures(self.captured(values)?, *span),
            ast::Expect::NoMatch(because, span) => {
                if let Some(because) = because.as_ref().filter(|because| because.value.trim().is_empty()) {
                    let what = say!("what `because` says", "`because`の後のテキスト");
                    return self.refuse(problems::empty_name(what, self.file, because.span));
                }
                Expect::NoMatch(because.as_ref().map(|text| text.value.clone()), *span)
            }
            ast::Expect::Tags(tags, span) => {
                self.each_once(tags)?;
                for tag in tags {
                    if !self.names.vocabulary.tags.contains_key(&tag.value) {
                        return self.refuse(problems::unknown_tag(tag, self.file, self.names.vocabulary.tags.keys(), None));
                    }
                    self.mark(tag.span, || Target::Tag(tag.value.clone()));
                }
                Expect::Tags(tags.iter().map(|tag| tag.value.clone()).collect(), *span)
            }
            ast::Expect::Sent(probes, span) => {
                self.each_once(probes)?;
                for probe in probes {
                    self.probe_named(probe)?;
                }
                Expect::Sent(probes.iter().map(|probe| probe.value.clone()).collect(), *span)
            }
        })
    }

    fn slots(&mut self, slots: &[(Name, ast::Expr)]) -> Option<Vec<(String, Datum)>> {
        let mut read: Vec<(String, Datum)> = Vec::new();
        for (at, (name, value)) in slots.iter().enumerate() {
            if let Some((first, _)) = slots[..at].iter().find(|(first, _)| first.value == name.value) {
                return self.refuse(problems::said_twice(name, self.file, first.span));
            }
            let datum = if name.value == "version" {
                // A version is expected as it is written; text and v"..." say the same here.
                match &value.kind {
                    Ast::Text(text) | Ast::Prefixed(_, text) => Ok(Datum::Text(text.clone())),
                    Ast::Name(word) if word == "absent" => Ok(Datum::Missing),
                    _ => Err(say!("expected a version such as v\"1.20\"", "v\"1.20\"のようなバージョンが必要です")),
                }
            } else {
                let Some((_, ty)) = SLOTS.iter().find(|(slot, _)| *slot == name.value) else {
                    return self.refuse(problems::unknown_slot(name, self.file, SLOTS.iter().map(|(slot, _)| *slot).chain(["version"])));
                };
                tables::literal(value, &ty.clone().optional(), self.names)
            };
            match datum {
                Ok(datum) => read.push((name.value.clone(), datum)),
                Err(reason) => return self.refuse(problems::bad_literal(reason, self.file, value.span)),
            }
            match (name.value.as_str(), &read.last()) {
                ("vendor", Some((_, Datum::Text(id)))) => self.mark(value.span, || Target::Vendor(id.clone())),
                ("class", Some((_, Datum::Text(id)))) => self.mark(value.span, || Target::Class(id.clone())),
                _ => {}
            }
        }
        Ok::<_, ()>(read).ok()
    }
}

/// The word before facts: `favicon` for fields under `http.favicon`.
fn last_part(root: &str) -> &str {
    root.rsplit('.').next().unwrap_or(root)
}
