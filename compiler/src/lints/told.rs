//! Tables that signatures read, with where they are written. Not a lint, but what those look at that speak of rows.
//!
//! In: all signatures. Out: a [`Told`] for each table that one of them reads, in the order of their names.

use std::collections::{BTreeMap, BTreeSet};

use ksig_lang::ast::{self, Item};
use ksig_lang::{Diagnostic, FileId, Span, Text};
use ksig_runtime::plan::{Datum, Table};
use ksig_schema::{Date, Type};

use super::{Findings, Lint};
use crate::Analysis;
use crate::hir::{Expr, ExprKind, Signature};
use crate::names::{full_name, module_of};

/// A table, and who reads it.
pub struct Told<'a> {
    /// Its rows.
    pub table: &'a Table,
    /// As it is written.
    pub item: &'a ast::Table,
    /// Where.
    pub file: FileId,
    /// Numbers of the signatures that read it, in order; at least one.
    pub readers: Vec<usize>,
}

/// The tables that signatures read.
pub fn tables(analysis: &Analysis) -> Vec<Told<'_>> {
    let mut readers: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (number, signature) in analysis.program.signatures.iter().enumerate() {
        signature.walk(&mut |expr| {
            for table in read_by(expr) {
                readers.entry(table).or_default().insert(number);
            }
        });
        for each in signature.tags.iter().filter_map(|tag| tag.each.as_ref()) {
            readers.entry(&each.table).or_default().insert(number);
        }
    }
    let mut written = BTreeMap::new();
    for (file, ast) in (0..).zip(&analysis.files) {
        let module = module_of(ast);
        for item in &ast.items {
            if let Item::Table(item) = item {
                written.entry(full_name(&module, &item.name.value)).or_insert((file, item));
            }
        }
    }
    let tables = analysis.program.tables.iter().filter_map(|table| {
        let (file, item) = *written.get(&table.name)?;
        Some(Told { table, item, file, readers: readers.get(table.name.as_str())?.iter().copied().collect() })
    });
    tables.collect()
}

/// The tables of which an expression reads a row or a key.
fn read_by(expr: &Expr) -> Vec<&str> {
    match &expr.kind {
        ExprKind::Row(table, _) | ExprKind::InTable(_, table) | ExprKind::Latest { table, .. } => vec![table],
        ExprKind::Matches(_, asked) => asked.keys.iter().map(|(_, table)| table.as_str()).collect(),
        ExprKind::Column(row, _) => match row.ty.required() {
            Type::Row(table) => vec![table],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

impl<'a> Told<'a> {
    /// Its key as texts say it; absent for a table without one, and for one of ranges.
    pub fn key(&self, row: &'a [Datum]) -> Option<std::borrow::Cow<'a, str>> {
        Table::key_text(row.get(self.table.key? as usize)?)
    }

    /// The column of a name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.table.columns.iter().position(|column| column.name == name)
    }

    /// Where a row is written; the table's name for one of a file beside it.
    pub fn place(&self, row: &[Datum]) -> Span {
        let key = self.table.key.and_then(|key| Some((key as usize, Table::key_text(row.get(key as usize)?)?)));
        let Some((at, key)) = key else { return self.item.name.span };
        let written = self.item.rows.iter().find(
            |cells| matches!(cells.value.get(at).map(|cell| &cell.kind), Some(ast::ExprKind::Text(text)) if text.as_str() == key.as_ref()),
        );
        written.map_or(self.item.name.span, |row| row.span)
    }

    /// A finding about one of its rows.
    pub fn finding(&self, lint: &Lint, row: &[Datum], message: Text, label: Text) -> Diagnostic {
        Diagnostic { severity: lint.level, ..Diagnostic::error(lint.doc.code, message, self.file, self.place(row), label) }
    }

    /// Tells the first reader, which may allow it.
    pub fn tell(&self, problem: Diagnostic, found: &mut Findings) {
        found.push((self.readers[0], problem));
    }
}

/// What an expression is made of: a `let` or an extract gives way to what it stands for. Captures stay.
pub fn resolved<'a>(signature: &'a Signature, expr: &'a Expr) -> &'a Expr {
    let mut expr = expr;
    // A step reads earlier steps only.
    for _ in 0..=signature.steps.len() {
        let ExprKind::Var(id) = expr.kind else { break };
        let Some((_, step)) = signature.steps.iter().find(|(step, _)| *step == id) else { break };
        expr = step;
    }
    expr
}

/// The table, the column and the key of `table[key].column` and of `latest(table.column, key, at day)`.
pub fn cell<'a>(signature: &'a Signature, expr: &'a Expr) -> Option<(&'a str, usize, &'a Expr)> {
    match &resolved(signature, expr).kind {
        ExprKind::Latest { table, column, key, .. } => Some((table, *column as usize, key)),
        ExprKind::Column(row, column) => match &resolved(signature, row).kind {
            ExprKind::Row(table, key) => Some((table, *column as usize, key)),
            _ => None,
        },
        _ => None,
    }
}

/// The last day that a cell allows: absent where it may be any day after one.
pub fn last_day(datum: &Datum) -> Option<Date> {
    use ksig_runtime::plan::BoundKind::{By, Exactly};
    match datum {
        Datum::Date(date) => Some(*date),
        Datum::Bound(Exactly | By, date) => last_day(date),
        _ => None,
    }
}
