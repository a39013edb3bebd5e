//! Tables: columns from the item, rows from CSV or TSV text or from the item itself.
//!
//! In: a `table` item and its file's bytes. Out: [`Table`] with typed cells, sorted by key. An empty cell is a missing one and needs an
//! optional column. Problems in a CSV file are shown at the table's `from`, with the file's own line and column in their text.

use std::collections::BTreeMap;

use ksig_lang::ast;
use ksig_lang::{Diagnostic, FileId, Span, Text, say};
use ksig_runtime::interval;
use ksig_runtime::plan::{BoundKind, Column, Datum, KeyFold, Table};
use ksig_schema::duration::DurationError;
use ksig_schema::form::{self, CpeMistake};
use ksig_schema::identification::Grade;
use ksig_schema::target::check_target;
use ksig_schema::{Scheme, Type};
use unicode_normalization::is_nfc;

use crate::input::{Input, Source};
use crate::names::Names;
use crate::{problems, reasons};

/// Most rows of one table.
pub const ROWS_MAX: usize = 1_000_000;
/// Most problems that are shown of one table.
const PROBLEMS_MAX: usize = 20;

/// Reads one table. Rows with problems are left out; the table itself always comes back, so that what uses it is checked too.
pub fn read(
    item: &ast::Table,
    full_name: &str,
    file: FileId,
    input: &Input,
    source: &Source,
    names: &Names,
    diagnostics: &mut Vec<Diagnostic>,
) -> Table {
    let mut columns = Vec::new();
    for (at, column) in item.columns.iter().enumerate() {
        if let Some(first) = item.columns[..at].iter().find(|first| first.name.value == column.name.value) {
            diagnostics.push(problems::declared_twice(&column.name, file, file, first.name.span));
        }
        match crate::types::read(&column.ty, &|scheme| crate::check::scheme_in_scope(names, file, scheme)) {
            Ok(ty) => {
                let scheme = scheme_of(&ty, names).cloned();
                columns.push(Column { name: column.name.value.clone(), ty, scheme });
            }
            Err(reason) => diagnostics.push(problems::bad_type_expr(reason, file, &column.ty)),
        }
    }
    let keys: Vec<_> = item.columns.iter().enumerate().filter(|(_, column)| column.key).collect();
    if let [_, (_, second), ..] = keys.as_slice() {
        diagnostics.push(problems::second_key(file, second.name.span));
    }
    for (_, column) in keys.iter().filter(|(_, column)| column.ty.optional) {
        diagnostics.push(problems::key_may_be_missing(&column.name, file, column.ty.span));
    }
    let broken = columns.len() != item.columns.len();
    let key = keys.first().map(|(index, _)| *index as u32);
    let folds = folds(item, file, diagnostics);
    let history = history(item, file, diagnostics).filter(|_| !broken && key.is_some());
    let mut table = Table { name: full_name.into(), columns, key: key.filter(|_| !broken), folds, history, rows: Vec::new() };
    if broken {
        return table;
    }
    if let Some(rows) = input.rows.get(full_name) {
        table.rows.clone_from(rows);
        sort_by_key(&mut table);
        return table;
    }
    let mut reader = Reader { item, file, names, diagnostics, problems: 0 };
    match &item.from {
        Some(from) => match input.asset(source, &from.value) {
            Some(bytes) => reader.csv(&mut table, &from.value, bytes),
            None => reader.diagnostics.push(problems::missing_file(&from.value, &source.folder, file, from.span)),
        },
        None => reader.inline(&mut table),
    }
    sort_by_key(&mut table);
    reader.intervals(&mut table);
    table
}

/// `key(fold_case, fold_width, trim)`.
fn folds(item: &ast::Table, file: FileId, diagnostics: &mut Vec<Diagnostic>) -> Vec<KeyFold> {
    const KNOWN: [(&str, KeyFold); 3] = [("fold_case", KeyFold::Case), ("fold_width", KeyFold::Width), ("trim", KeyFold::Trim)];
    let (mut folds, mut said) = (Vec::new(), BTreeMap::new());
    for column in item.columns.iter().filter(|column| !column.folds.is_empty() && column.ty.name.value != "text") {
        let reason = say!("only keys of text are made equal", "正規化できるのはテキストのキーだけです");
        diagnostics.push(problems::bad_type(reason, file, column.ty.span));
    }
    for name in item.columns.iter().flat_map(|column| &column.folds) {
        if let Some(first) = said.insert(&name.value, name.span) {
            diagnostics.push(problems::said_twice(name, file, first));
        }
        match KNOWN.iter().find(|(known, _)| *known == name.value) {
            Some((_, fold)) => folds.push(*fold),
            None => {
                let what = say!("way to make keys equal", "キーの正規化の方法");
                diagnostics.push(problems::unknown_word(&name.value, what, "fold_case, fold_width, trim", file, name.span));
            }
        }
    }
    folds
}

/// The column of days from which rows hold.
fn history(item: &ast::Table, file: FileId, diagnostics: &mut Vec<Diagnostic>) -> Option<u32> {
    let mut marked = (0u32..).zip(&item.columns).filter(|(_, column)| column.history);
    let (at, column) = marked.next()?;
    let has_key = item.columns.iter().any(|column| column.key);
    if marked.next().is_some() || !has_key || column.ty.name.value != "date" || column.ty.optional {
        let reason = say!(
            "a table with history has a key, and one column `date history`",
            "履歴を持つテーブルには、キー列と、`date history`の列が一つ必要です"
        );
        diagnostics.push(problems::bad_type(reason, file, column.ty.span));
        return None;
    }
    Some(at)
}

struct Reader<'a> {
    item: &'a ast::Table,
    file: FileId,
    names: &'a Names,
    diagnostics: &'a mut Vec<Diagnostic>,
    problems: usize,
}

impl Reader<'_> {
    fn csv(&mut self, table: &mut Table, name: &str, bytes: &[u8]) {
        let delimiter = if name.ends_with(".tsv") { b'\t' } else { b',' };
        let mut rows = csv::ReaderBuilder::new().delimiter(delimiter).comment(Some(b'#')).flexible(true).from_reader(bytes);
        let header = match rows.headers() {
            Ok(header) => header.clone(),
            Err(error) => return self.report(name, 1, say!("cannot be read: {error}", "読み取れません: {error}")),
        };
        let places: Vec<Option<usize>> =
            table.columns.iter().map(|column| header.iter().position(|h| h.trim_start_matches('\u{feff}').trim() == column.name)).collect();
        for (column, place) in table.columns.iter().zip(&places) {
            if place.is_none() {
                let (column, all) = (&column.name, header.iter().collect::<Vec<_>>().join(", "));
                self.report(
                    name,
                    1,
                    say!("has no column `{column}`; its columns are {all}", "列`{column}`がありません。このファイルの列は{all}です"),
                );
            }
        }
        for extra in header.iter().filter(|h| !table.columns.iter().any(|c| c.name == h.trim_start_matches('\u{feff}').trim())) {
            self.report(
                name,
                1,
                say!("has a column `{extra}` that the table does not declare", "テーブルで宣言されていない列`{extra}`があります"),
            );
        }
        if self.problems > 0 {
            return;
        }
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for row in rows.records() {
            if table.rows.len() >= ROWS_MAX {
                return self.report(name, 0, say!("has more than {ROWS_MAX} rows", "行数が{ROWS_MAX}を超えています"));
            }
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    self.report(name, line, say!("cannot be read: {error}", "読み取れません: {error}"));
                    continue;
                }
            };
            let line = row.position().map_or(0, csv::Position::line);
            if row.len() != header.len() {
                let (cells, columns) = (row.len(), header.len());
                self.report(
                    name,
                    line,
                    say!("has {cells} cells where the header has {columns}", "見出しは{columns}列ですが、この行は{cells}列です"),
                );
                continue;
            }
            let mut cells = Vec::with_capacity(places.len());
            for (at, (column, place)) in table.columns.iter().zip(&places).enumerate() {
                let text = place.and_then(|at| row.get(at)).unwrap_or_default().trim();
                match cell_of(column, text, self.names) {
                    Ok(datum) => cells.push(datum),
                    Err(reason) => {
                        let problem = self.in_file(name, line, in_column(&column.name, reason));
                        let problem = if text.is_empty() { self.may_be_empty(problem, table, at) } else { problem };
                        self.count(name, line, problem);
                    }
                }
            }
            if cells.len() < table.columns.len() {
                continue;
            }
            if table.history.is_none()
                && let Some(key) = table.key.and_then(|key| Table::key_text(&cells[key as usize]))
                && let Some(first) = seen.insert(table.folded(&key).into_owned(), line)
            {
                self.report(name, line, say!("key `{key}` stands in line {first} already", "キー`{key}`は{first}行目にすでにあります"));
                continue;
            }
            table.rows.push(cells);
        }
    }

    fn inline(&mut self, table: &mut Table) {
        let mut seen = BTreeMap::new();
        for row in &self.item.rows {
            if row.value.len() != table.columns.len() {
                let (values, columns) = (row.value.len(), table.columns.len());
                let text = say!(
                    "this row has {values} values where the table has {columns} columns",
                    "テーブルは{columns}列ですが、この行の値は{values}個です"
                );
                self.diagnostics.push(problems::bad_row(text, self.file, row.span));
                continue;
            }
            let mut cells = Vec::with_capacity(row.value.len());
            for (at, (column, value)) in table.columns.iter().zip(&row.value).enumerate() {
                match literal(value, &column.ty, self.names).and_then(|datum| graded(column, datum)) {
                    Ok(datum) => cells.push(datum),
                    Err(reason) => {
                        let problem = problems::bad_row(in_column(&column.name, reason), self.file, value.span);
                        let empty = matches!(&value.kind, ast::ExprKind::Name(word) if word == "absent");
                        self.diagnostics.push(if empty { self.may_be_empty(problem, table, at) } else { problem });
                    }
                }
            }
            if cells.len() < table.columns.len() {
                continue;
            }
            if table.history.is_none()
                && let Some(key) = table.key.and_then(|key| Table::key_text(&cells[key as usize]))
                && let Some(first) = seen.insert(table.folded(&key).into_owned(), row.span)
            {
                self.diagnostics.push(problems::key_twice(&key, self.file, row.span, first));
                continue;
            }
            table.rows.push(cells);
        }
    }

    /// Keys that are ranges share no value; a row that shares one with the row before it is left out.
    fn intervals(&mut self, table: &mut Table) {
        let Some(key) = table.key.filter(|_| has_intervals(table)).map(|key| key as usize) else { return };
        let scheme = table.columns[key].scheme.clone();
        let order = |a: &Datum, b: &Datum| interval::order(scheme.as_ref(), a, b);
        let mut kept: Vec<Vec<Datum>> = Vec::with_capacity(table.rows.len());
        for row in std::mem::take(&mut table.rows) {
            let open_below = matches!(&row[key], Datum::Range { low: None, .. });
            if open_below && scheme.as_ref().is_some_and(Scheme::has_trains) {
                let reason = say!("a key of versions with trains has a lower end", "系列のあるバージョンのキーには下端が必要です");
                self.diagnostics.push(problems::bad_row(reason, self.file, self.item.name.span));
                continue;
            }
            if let Some(before) = kept.last().filter(|before| interval::overlap(&before[key], &row[key], &order)) {
                let shown = |row: &[Datum]| interval::shown(&row[key]);
                let problem = problems::keys_overlap(&shown(before), &shown(&row), self.file, self.item.name.span);
                self.diagnostics.push(problem);
                continue;
            }
            kept.push(row);
        }
        table.rows = kept;
    }

    /// A cell is empty, and its column's type does not say that it may be; a key never is.
    fn may_be_empty(&self, problem: Diagnostic, table: &Table, column: usize) -> Diagnostic {
        let declared = &self.item.columns[column];
        if table.key == Some(column as u32) || table.history == Some(column as u32) {
            return problem;
        }
        let end = Span { start: declared.ty.span.end, ..declared.ty.span };
        let label = say!("this column has a value in each row", "この列には、どの行にも値が必要です");
        let fix = say!("let the column be empty", "列を空でもよいものにする");
        problem.label(self.file, declared.ty.span, label).fix(fix, self.file, end, "?")
    }

    fn report(&mut self, name: &str, line: u64, reason: Text) {
        let problem = self.in_file(name, line, reason);
        self.count(name, line, problem);
    }

    fn in_file(&self, name: &str, line: u64, reason: Text) -> Diagnostic {
        let span = self.item.from.as_ref().map_or(self.item.name.span, |from| from.span);
        problems::bad_table_file(name, line, reason, self.file, span)
    }

    /// The first problems of a file are shown.
    fn count(&mut self, name: &str, line: u64, problem: Diagnostic) {
        self.problems += 1;
        match self.problems {
            n if n < PROBLEMS_MAX => self.diagnostics.push(problem),
            PROBLEMS_MAX => {
                let more = say!("and more problems, not shown", "ほかにも問題がありますが、省略します");
                self.diagnostics.push(self.in_file(name, line, more));
            }
            _ => {}
        }
    }
}

fn in_column(column: &str, reason: Text) -> Text {
    say!("column `{column}`: {reason}", "列`{column}`: {reason}"; reason)
}

/// Sorts rows by key, so that the plan is a function of the set and rows are found by bisection.
pub fn sort_by_key(table: &mut Table) {
    let Some(key) = table.key.map(|key| key as usize) else { return };
    if has_intervals(table) {
        let scheme = table.columns[key].scheme.clone();
        table.rows.sort_by(|a, b| interval::sequence_of_keys(scheme.as_ref(), &a[key], &b[key]));
    } else {
        let mut rows = std::mem::take(&mut table.rows);
        let day = |row: &[Datum]| match table.history.map(|since| &row[since as usize]) {
            Some(Datum::Date(day)) => Some(*day),
            _ => None,
        };
        rows.sort_by_cached_key(|row| (table.folded(&Table::key_text(&row[key]).unwrap_or_default()).into_owned(), day(row)));
        table.rows = rows;
    }
}

fn text_of(datum: &Datum) -> &str {
    match datum {
        Datum::Text(text) => text,
        _ => "",
    }
}

/// Whether rows are found by a text.
pub fn has_text_keys(table: &Table) -> bool {
    table.key.is_some_and(|key| *table.columns[key as usize].ty.required() == Type::Text)
}

/// The keys of a table whose keys are text, in order.
pub fn keys(table: &Table) -> impl Iterator<Item = &str> {
    let key = table.key;
    table.rows.iter().filter_map(move |row| key.map(|key| text_of(&row[key as usize])))
}

/// Columns that say where a row comes from: how its knowledge was had, from where, and when that was last looked at.
pub fn is_reserved(column: &str) -> bool {
    matches!(column, EVIDENCE | "source" | "checked")
}

/// The column that grades a row.
const EVIDENCE: &str = "evidence";

/// Leaves only the rows that somebody has verified.
pub fn keep_verified(table: &mut Table) {
    if let Some(column) = table.columns.iter().position(|column| column.name == EVIDENCE) {
        table.rows.retain(|row| grade(&row[column]) != Some(Grade::Unverified));
    }
}

/// The grade that a cell of the column `evidence` says.
fn grade(cell: &Datum) -> Option<Grade> {
    match cell {
        Datum::Text(word) => match word.as_str() {
            "observed" => Some(Grade::Observed),
            "documented" => Some(Grade::Documented),
            "derived" => Some(Grade::Derived),
            "unverified" => Some(Grade::Unverified),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the key column holds ranges, so that rows are found by a value in them.
pub fn has_intervals(table: &Table) -> bool {
    table.key.is_some_and(|key| matches!(table.columns[key as usize].ty.required(), Type::Range(_)))
}

fn scheme_of<'n>(ty: &Type, names: &'n Names) -> Option<&'n Scheme> {
    match ty.required() {
        Type::Version(scheme) => names.schemes.get(scheme),
        Type::List(of) | Type::Bound(of) | Type::Range(of) | Type::Set(of) => scheme_of(of, names),
        _ => None,
    }
}

/// Reads a cell of a column, whose name may rule what it holds.
fn cell_of(column: &Column, text: &str, names: &Names) -> Result<Datum, Text> {
    graded(column, cell(text, &column.ty, names)?)
}

fn graded(column: &Column, datum: Datum) -> Result<Datum, Text> {
    if column.name == EVIDENCE && grade(&datum).is_none() {
        return Err(say!(
            "evidence is observed, documented, derived or unverified",
            "evidenceはobserved、documented、derived、unverifiedのいずれかです"
        ));
    }
    Ok(datum)
}

/// Why a text can equal nothing that was read from a device.
pub fn not_nfc() -> Text {
    say!(
        "text is in NFC, where a letter and its mark are one character: as it is written here, it equals nothing that a device says",
        "テキストはNFCで、文字と濁点などの記号は一文字に合成されます。この書き方では、機器の応答のどれとも一致しません"
    )
}

/// A range of text: `1.0..<1.20`, `1.0..=1.20`, `>=1.0`, `<=1.20`, `<1.20`, or one value.
fn range(text: &str, of: &Type, names: &Names) -> Result<Datum, Text> {
    let end = |text: &str| cell(text.trim(), of, names).map(|end| Some(Box::new(end)));
    let found = if let Some((low, high)) = text.split_once("..<") {
        Datum::Range { low: end(low)?, high: end(high)?, closed: false }
    } else if let Some((low, high)) = text.split_once("..=") {
        Datum::Range { low: end(low)?, high: end(high)?, closed: true }
    } else if let Some(low) = text.strip_prefix(">=") {
        Datum::Range { low: end(low)?, high: None, closed: true }
    } else if let Some(high) = text.strip_prefix("<=") {
        Datum::Range { low: None, high: end(high)?, closed: true }
    } else if let Some(high) = text.strip_prefix('<') {
        Datum::Range { low: None, high: end(high)?, closed: false }
    } else {
        Datum::Range { low: end(text)?, high: end(text)?, closed: true }
    };
    checked_range(found, of, names)
}

fn checked_range(range: Datum, of: &Type, names: &Names) -> Result<Datum, Text> {
    let scheme = scheme_of(of, names);
    if interval::is_empty(&range, &|a, b| interval::order(scheme, a, b)) {
        return Err(say!("no value lies in this range", "この範囲に入る値はありません"));
    }
    Ok(range)
}

/// Reads a cell's text as a type. The error is a sentence.
pub fn cell(text: &str, ty: &Type, names: &Names) -> Result<Datum, Text> {
    if text.is_empty() {
        // An empty list is absent (V2).
        return if ty.is_optional() || matches!(ty, Type::List(_)) {
            Ok(Datum::Missing)
        } else {
            Err(say!("is empty; a column that may be empty has a type with `?`", "空です。空でもよい列の型には`?`を付けます"))
        };
    }
    let required = ty.required();
    let wrong = || say!("`{text}` is no {required}", "`{text}`は{required}型として読めません");
    match ty.required() {
        Type::Bool => match text {
            "true" => Ok(Datum::Bool(true)),
            "false" => Ok(Datum::Bool(false)),
            _ => Err(wrong()),
        },
        Type::Int => text.parse().map(Datum::Int).map_err(|_| wrong()),
        Type::Date => text.parse().map(Datum::Date).map_err(|_| {
            say!("`{text}` is no date: dates are written 2026-12-31", "`{text}`は日付として読めません。日付は2026-12-31のように書きます")
        }),
        Type::Version(scheme) => version(text, scheme, names),
        Type::Text if !is_nfc(text) => Err(not_nfc()),
        Type::Vendor if !names.vocabulary.vendors.contains_key(text) => Err(match crate::vocabulary::bearer(&names.vocabulary, text) {
            Some((id, what)) => problems::other_name(text, id, what),
            None => unknown(text, say!("vendor", "ベンダー"), names.vocabulary.vendors.keys()),
        }),
        Type::Class if !names.vocabulary.classes.contains_key(text) => {
            Err(unknown(text, say!("class", "機器種別"), names.vocabulary.classes.keys()))
        }
        Type::Url if !form::is_url(text) => Err(say!(
            "`{text}` is no url: they begin with http://, https://, ftp://, rtsp:// or rtsps:// and a host",
            "`{text}`はURLとして読めません。URLはhttp://、https://、ftp://、rtsp://、rtsps://のいずれかとホストで始まります"
        )),
        Type::Cve if !form::is_cve(text) => Err(say!(
            "`{text}` is no cve: they are written CVE-2024-1234",
            "`{text}`はCVE番号として読めません。CVE-2024-1234のように書きます"
        )),
        Type::Ip => form::ip(text).map(Datum::Text).ok_or_else(wrong),
        Type::Oid if !form::is_oid(text) => Err(wrong()),
        Type::Mac => form::mac(text).map(Datum::Text).ok_or_else(|| {
            say!(
                "`{text}` is no mac: they are written 00:00:5e:00:53:01, 00-00-5E-00-53-01, 0000.5e00.5301 or 00005e005301",
                "`{text}`はMACアドレスとして読めません。00:00:5e:00:53:01、00-00-5E-00-53-01、0000.5e00.5301、00005e005301のように書きます"
            )
        }),
        Type::Path => match check_target(text) {
            Ok(()) => Ok(Datum::Text(text.into())),
            Err(error) => {
                let reason = reasons::of_target(&error);
                Err(say!("`{text}` is no path: {reason}", "`{text}`はパスとして読めません: {reason}"; reason))
            }
        },
        Type::Cpe => match form::cpe(text) {
            Ok(()) => Ok(Datum::Text(text.into())),
            Err(mistake) => Err(cpe_mistake(&mistake)),
        },
        Type::Enum(words) => word(text, words),
        Type::Duration => text.parse().map(Datum::Duration).map_err(|error| match error {
            DurationError::TooLong => say!("`{text}` is too long for a duration", "`{text}`は時間として長すぎます"),
            DurationError::Form => say!(
                "`{text}` is no duration: durations are written 250ms, 5s, 10m, 2h or 14d",
                "`{text}`は時間として読めません。時間は250ms、5s、10m、2h、14dのように書きます"
            ),
        }),
        Type::Hash => form::hex(text).map(Datum::Bytes).ok_or_else(wrong),
        Type::List(of) => text.split_whitespace().map(|one| cell(one, of, names)).collect::<Result<_, _>>().map(Datum::List),
        Type::Range(of) => range(text, of, names),
        Type::Set(of) => text.split('|').map(|one| cell(one.trim(), of, names)).collect::<Result<_, _>>().map(Datum::Set),
        Type::Bound(of) => {
            let (kind, rest) = if let Some(rest) = text.strip_prefix(">=") {
                (BoundKind::AtLeast, rest)
            } else if let Some(rest) = text.strip_prefix("<=") {
                (BoundKind::By, rest)
            } else {
                (BoundKind::Exactly, text.strip_prefix('=').unwrap_or(text))
            };
            cell(rest.trim(), of, names).map(|inner| Datum::Bound(kind, Box::new(inner)))
        }
        Type::Bytes | Type::Row(_) | Type::Optional(_) => {
            Err(say!("a table has no column of type {ty}", "テーブルに{ty}型の列は作れません"))
        }
        _ => Ok(Datum::Text(text.into())),
    }
}

fn version(text: &str, scheme: &str, names: &Names) -> Result<Datum, Text> {
    let read = names.schemes.get(scheme).and_then(|known| known.parse(text));
    read.map(|_| Datum::Text(text.into())).ok_or_else(|| {
        say!("`{text}` is no version: the scheme `{scheme}` does not read it", "`{text}`はバージョン体系`{scheme}`では読めません")
    })
}

fn unknown<'a>(text: &str, what: Text, all: impl Iterator<Item = &'a String>) -> Text {
    match problems::nearest(text, all.map(String::as_str)) {
        Some(near) => say!(
            "there is no {what} `{text}`; did you mean `{near}`?",
            "`{text}`という{what}はありません。`{near}`の間違いではありませんか"; what
        ),
        None => say!("there is no {what} `{text}`", "`{text}`という{what}はありません"; what),
    }
}

/// A word of an enum.
pub fn word(text: &str, words: &[String]) -> Result<Datum, Text> {
    match words.iter().any(|word| word == text) {
        true => Ok(Datum::Text(text.into())),
        false => {
            let all = words.join(", ");
            Err(say!("`{text}` is not among {all}", "`{text}`は{all}のいずれでもありません"))
        }
    }
}

/// What is wrong with a CPE name.
pub fn cpe_mistake(mistake: &CpeMistake) -> Text {
    match mistake {
        CpeMistake::Prefix => say!("a CPE name begins with `cpe:2.3:`", "CPE名は`cpe:2.3:`で始まります"),
        CpeMistake::Parts(count) => {
            let wanted = form::CPE_PARTS;
            say!(
                "a CPE name has {wanted} values behind `cpe:2.3:`, this one {count}",
                "CPE名の`cpe:2.3:`の後の値は{wanted}個ですが、ここには{count}個あります"
            )
        }
        CpeMistake::Kind(kind) => {
            say!("the first value of a CPE name is a, h or o, not `{kind}`", "CPE名の最初の値はa、h、oのいずれかで、`{kind}`は使えません")
        }
        CpeMistake::Value(at, value) => say!(
            "value {at} of this CPE name, `{value}`, is not letters, digits, `.`, `_`, `-` and other signs behind a backslash",
            "このCPE名の{at}番目の値`{value}`が正しくありません。使えるのは英数字、`.`、`_`、`-`と、バックスラッシュを付けたその他の記号です"
        ),
    }
}

/// Reads a literal expression as a type: cells of inline rows, values in tests. The error is a sentence.
pub fn literal(expr: &ast::Expr, ty: &Type, names: &Names) -> Result<Datum, Text> {
    use ast::ExprKind::*;
    let wrong = |what: ksig_lang::Text| Err(say!("expected {ty}, found {what}", "{ty}型の値が必要ですが、{what}があります"; what));
    match (&expr.kind, ty.required()) {
        (Name(word), _) if word == "absent" => {
            if ty.is_optional() {
                Ok(Datum::Missing)
            } else {
                wrong(ksig_lang::Text::quoted("`absent`"))
            }
        }
        (Bool(v), Type::Bool) => Ok(Datum::Bool(*v)),
        (Int(v), Type::Int) => Ok(Datum::Int(*v)),
        (Date(v), Type::Date) => Ok(Datum::Date(*v)),
        (Duration(text), Type::Duration) => cell(text, ty, names),
        (Prefixed(prefix, text), Type::Version(scheme)) if prefix == "v" => version(text, scheme, names),
        (Prefixed(prefix, text), Type::Hash) if prefix == "h" => {
            form::hex(text).map(Datum::Bytes).ok_or_else(|| say!("`{text}` is not hexadecimal", "`{text}`は16進数ではありません"))
        }
        (Text(_), Type::Version(_)) => {
            wrong(say!("text; a version is written v\"1.20\"", "テキスト（バージョンはv\"1.20\"のように書きます）"))
        }
        (Text(_), Type::Enum(_)) => wrong(say!("text; a word is written without quotes", "テキスト（語は引用符なしで書きます）")),
        (Text(_), Type::Duration) => wrong(say!("text; a duration is written 14d", "テキスト（時間は14dのように書きます）")),
        (Text(text), _) => cell(text, ty, names),
        (Dotted(text), Type::Oid | Type::Ip) => cell(text, ty, names),
        (Name(text), Type::Enum(words)) => word(text, words),
        (Name(_) | Field(..), Type::Vendor | Type::Class) => match crate::check::dotted_name(expr) {
            Some(name) => cell(&name, ty, names),
            None => wrong(say!("an expression", "式")),
        },
        // An empty list is absent (V2).
        (List(values), Type::List(_)) if values.is_empty() => Ok(Datum::Missing),
        (List(values), Type::List(of)) => values.iter().map(|value| literal(value, of, names)).collect::<Result<_, _>>().map(Datum::List),
        (Range { low, high, inclusive }, Type::Range(of)) => {
            let (low, high) = (literal(low, of, names)?, literal(high, of, names)?);
            checked_range(Datum::Range { low: Some(Box::new(low)), high: Some(Box::new(high)), closed: *inclusive }, of, names)
        }
        (Worded(word, value), Type::Range(of)) => {
            let end = Some(Box::new(literal(value, of, names)?));
            match word.value.as_str() {
                "at_least" => Ok(Datum::Range { low: end, high: None, closed: true }),
                "by" => Ok(Datum::Range { low: None, high: end, closed: true }),
                _ => wrong(say!(
                    "another word; an open range is `at_least x` or `by x`",
                    "別の語です。端の開いた範囲は`at_least x`か`by x`です"
                )),
            }
        }
        (_, Type::Range(of)) => {
            let end = Box::new(literal(expr, of, names)?);
            Ok(Datum::Range { low: Some(end.clone()), high: Some(end), closed: true })
        }
        (List(values), Type::Set(of)) if !values.is_empty() => {
            values.iter().map(|value| literal(value, of, names)).collect::<Result<_, _>>().map(Datum::Set)
        }
        (_, Type::Set(of)) => literal(expr, of, names).map(|one| Datum::Set(vec![one])),
        (Worded(word, value), Type::Bound(of)) => {
            let kind = match word.value.as_str() {
                "at_least" => BoundKind::AtLeast,
                "by" => BoundKind::By,
                _ => {
                    return wrong(say!(
                        "another word; a bound is a value, `at_least x` or `by x`",
                        "別の単語（境界は値、`at_least x`、`by x`のいずれかです）"
                    ));
                }
            };
            literal(value, of, names).map(|inner| Datum::Bound(kind, Box::new(inner)))
        }
        (_, Type::Bound(of)) => literal(expr, of, names).map(|inner| Datum::Bound(BoundKind::Exactly, Box::new(inner))),
        _ => wrong(say!("another value", "別の値")),
    }
}

#[cfg(test)]
mod tests {
    use crate::Input;

    /// A bound's sign is looked for in a cell that starts with a character of three bytes.
    #[test]
    fn a_cell_of_any_script_is_read_or_refused() {
        let text = "ksig 1\nmodule a\ntable t from \"t.csv\" {\n  key: text key\n  ends: bound<date>?\n}\n";
        let mut input = Input::single("a.ksig", text);
        input.assets.insert("t.csv".into(), "key,ends\nX1,終了\n".into());
        let schema = ksig_schema::Schema::default();
        let analysis = crate::analyze(&input, crate::World::of(&schema));
        assert_eq!(analysis.diagnostics.len(), 1, "{:#?}", analysis.diagnostics);
        assert!(analysis.failed());
    }
}
