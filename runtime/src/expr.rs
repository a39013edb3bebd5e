//! Evaluates expressions over captures, tables and the observation's date.
//!
//! In: an [`Expr`] and what it can see. Out: a [`Datum`]; [`Datum::Missing`] where an operand is missing, [`Datum::NotObserved`] where the answer
//! hangs on a field that was not observed. Nothing fails and nothing grows without bound: a text longer than [`TEXT_BYTES_MAX`] is missing.

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;

use ksig_schema::identification::Grade;
use ksig_schema::{Date, Scheme, Type, Value, form};

use crate::backend::Truth;
use crate::board::{Board, Gap};
use crate::explain::Incomparable;
use crate::interval;
use crate::plan::*;
use crate::verify::is_text;

/// Longest text that a capture, an extract or a template makes.
pub const TEXT_BYTES_MAX: usize = 4096;
/// Most notes about incomparable versions that one evaluation keeps.
const NOTES_MAX: usize = 8;

/// What an expression can see.
pub(crate) struct Scope<'a> {
    pub board: &'a Board<'a>,
    pub vars: &'a [Datum],
    /// Variables that must not leave the engine read as missing.
    pub hidden: Option<&'a [bool]>,
    pub date: Option<Date>,
    /// The weakest grade of the rows that were read.
    pub grade: &'a std::cell::Cell<Grade>,
    /// Versions that could not be compared.
    pub notes: &'a RefCell<Vec<Incomparable>>,
}

type Read<'a> = Cow<'a, Datum>;

const MISSING: Datum = Datum::Missing;

fn bool_of(holds: bool) -> Read<'static> {
    Cow::Owned(Datum::Bool(holds))
}

fn datum_of(truth: Truth) -> Read<'static> {
    match truth {
        Truth::NotObserved => Cow::Owned(Datum::NotObserved),
        other => bool_of(other == Truth::True),
    }
}

/// What a datum says as a condition: a missing one is false.
pub(crate) fn truth_of(datum: &Datum) -> Truth {
    match datum {
        Datum::Bool(true) => Truth::True,
        Datum::NotObserved => Truth::NotObserved,
        _ => Truth::False,
    }
}

/// A value of a fact as a datum.
pub(crate) fn datum_of_value(value: &Value) -> Datum {
    match value {
        Value::Bool(value) => Datum::Bool(*value),
        Value::Int(value) => Datum::Int(*value),
        Value::Text(text) => Datum::Text(text.clone()),
        Value::Bytes(bytes) => Datum::Bytes(bytes.clone()),
        Value::Date(date) => Datum::Date(*date),
    }
}

impl<'a> Scope<'a> {
    /// The truth of a condition.
    pub fn truth(&self, expr: &'a Expr) -> Truth {
        truth_of(&self.eval(expr))
    }

    /// The value of an expression.
    pub fn eval(&self, expr: &'a Expr) -> Read<'a> {
        match expr {
            Expr::Const(datum) => Cow::Borrowed(datum),
            Expr::Var(var) if self.hidden.is_some_and(|hidden| hidden[*var as usize]) => Cow::Owned(MISSING),
            Expr::Var(var) => Cow::Borrowed(&self.vars[*var as usize]),
            Expr::Slot(slot, many) => self.slot(*slot, *many),
            Expr::Pick(slot, pick, argument) => Cow::Owned(self.board.picked(*slot, Some((*pick, argument)))),
            Expr::ScanDate => Cow::Owned(self.date.map_or(MISSING, Datum::Date)),
            Expr::Row(table, key) => self.row(*table, &self.eval(key)),
            Expr::Column(row, column) => self.column(self.eval(row), *column),
            Expr::Compare(op, scheme, a, b) => {
                let (a, b) = (self.eval(a), self.eval(b));
                self.any_pair(&a, &b, |a, b| interval::compare(*op, a, b, &|a, b| self.order(scheme.as_ref(), a, b)))
            }
            Expr::TextTest(op, a, b) => {
                let (a, b) = (self.eval(a), self.eval(b));
                self.any_pair(&a, &b, |a, b| match (bytes_of(a), bytes_of(b)) {
                    (Some(a), Some(b)) => match op {
                        TextOp::Starts => a.starts_with(b),
                        TextOp::Ends => a.ends_with(b),
                        TextOp::Contains => memchr::memmem::find(a, b).is_some(),
                    },
                    _ => false,
                })
            }
            Expr::Matches(pattern, of) => {
                let of = self.eval(of);
                self.any_pair(&of, &MISSING_PARTNER, |value, _| {
                    self.haystack(*pattern, value).is_some_and(|hay| self.pattern(*pattern).is_match(hay))
                })
            }
            Expr::Extract(pattern, group, of) => Cow::Owned(self.extract(*pattern, group, &self.eval(of))),
            Expr::Range(low, high, closed) => Cow::Owned(match (self.eval(low).into_owned(), self.eval(high).into_owned()) {
                (Datum::Missing, _) | (_, Datum::Missing) => MISSING,
                (Datum::NotObserved, _) | (_, Datum::NotObserved) => Datum::NotObserved,
                (low, high) => Datum::Range { low: Some(Box::new(low)), high: Some(Box::new(high)), closed: *closed },
            }),
            Expr::Within(scheme, value, range) => {
                let (value, range) = (self.eval(value), self.eval(range));
                self.any_pair(&value, &range, |a, b| interval::within(a, b, &|a, b| self.order(scheme.as_ref(), a, b)))
            }
            Expr::InTable(table, value) => {
                let value = self.eval(value);
                self.any_pair(&value, &MISSING_PARTNER, |value, _| matches!(*self.row(*table, value), Datum::Row(..)))
            }
            Expr::Latest { table, column, key, at } => Cow::Owned(self.latest(*table, *column, &self.eval(key), &self.eval(at))),
            Expr::In(value, list) => {
                let (value, list) = (self.eval(value), self.eval(list));
                self.any_pair(&value, &list, |a, b| a == b)
            }
            Expr::Whole(slot) => datum_of(self.board.whole(*slot)),
            Expr::Absent(of) => self.absent(of),
            Expr::Present(of) => match &*self.eval(of) {
                Datum::NotObserved => Cow::Owned(Datum::NotObserved),
                found => bool_of(*found != MISSING),
            },
            Expr::Not(of) => datum_of(!self.truth(of)),
            Expr::And(a, b) => datum_of(self.truth(a).min(self.truth(b))),
            Expr::Or(a, b) => datum_of(self.truth(a).max(self.truth(b))),
            Expr::If(test, then, otherwise) => match self.truth(test) {
                Truth::True => self.eval(then),
                Truth::False => self.eval(otherwise),
                Truth::NotObserved => Cow::Owned(Datum::NotObserved),
            },
            Expr::FirstOf(items) => {
                items.iter().map(|item| self.eval(item)).find(|found| **found != MISSING).unwrap_or(Cow::Owned(MISSING))
            }
            Expr::Template(parts) => Cow::Owned(self.template(parts)),
            Expr::Convert(ty, scheme, of) => Cow::Owned(convert(&self.eval(of), ty, scheme.as_ref())),
        }
    }

    fn slot(&self, slot: SlotId, many: bool) -> Read<'a> {
        Cow::Owned(match self.board.slot(slot) {
            Err(Gap::NotObserved) => Datum::NotObserved,
            Err(_) => MISSING,
            Ok(found) if many => Datum::List(found.values.iter().map(datum_of_value).collect()),
            Ok(found) => found.values.first().map_or(MISSING, datum_of_value),
        })
    }

    /// Of a slot, absence needs proof (V3); of anything else, missing is absent.
    fn absent(&self, of: &'a Expr) -> Read<'a> {
        if let Expr::Slot(slot, _) = of {
            return match self.board.slot(*slot) {
                Err(Gap::NotObserved) => Cow::Owned(Datum::NotObserved),
                Err(Gap::ProvenAbsent) => bool_of(true),
                Err(Gap::Missing) | Ok(_) => bool_of(false),
            };
        }
        match &*self.eval(of) {
            Datum::NotObserved => Cow::Owned(Datum::NotObserved),
            // That none of a field's values fits is proven as its own absence is.
            Datum::Missing if let Expr::Pick(slot, ..) = of => datum_of(self.board.whole(*slot)),
            found => bool_of(*found == MISSING),
        }
    }

    fn row(&self, table: TableId, key: &Datum) -> Read<'a> {
        let described = &self.board.plan().plan().tables[table as usize];
        if let Some(column) = described.key.map(|key| &described.columns[key as usize])
            && let Type::Range(_) = column.ty.required()
            && !matches!(key, Datum::Missing | Datum::NotObserved)
        {
            let order = |a: &Datum, b: &Datum| self.order(column.scheme.as_ref(), a, b);
            let row = interval::row(&described.rows, described.key.unwrap_or_default() as usize, column.scheme.as_ref(), key, &order);
            return Cow::Owned(row.map_or(MISSING, |row| Datum::Row(table, row as u32)));
        }
        let Some(key) = Table::key_text(key) else {
            return Cow::Owned(if *key == Datum::NotObserved { Datum::NotObserved } else { MISSING });
        };
        let rows = described.rows_of(&key);
        Cow::Owned(if rows.is_empty() { MISSING } else { Datum::Row(table, rows.start as u32) })
    }

    /// What a table with history says of a key on a day.
    fn latest(&self, table: TableId, column: u32, key: &Datum, at: &Datum) -> Datum {
        let (key, at) = match (key, at) {
            (Datum::Text(key), Datum::Date(at)) => (key, at),
            (Datum::Missing, _) | (_, Datum::Missing) => return MISSING,
            (Datum::NotObserved, _) | (_, Datum::NotObserved) => return Datum::NotObserved,
            _ => return MISSING,
        };
        let described = &self.board.plan().plan().tables[table as usize];
        let (column, Some(since)) = (column as usize, described.history.map(|since| since as usize)) else { return MISSING };
        let own = described.rows_of(key);
        let rows = &described.rows[own.clone()];
        let cells = own.zip(rows.iter());
        let mut told = cells.filter(|(_, row)| matches!(&row[since], Datum::Date(day) if day <= at) && row[column] != MISSING);
        let Some(scheme) = described.columns[column].scheme.as_ref().filter(|_| is_version(&described.columns[column].ty)) else {
            let Some((at, row)) = told.next_back() else { return MISSING };
            self.weigh(described, at);
            return row[column].clone();
        };
        let mut highest: Option<(usize, &Datum)> = None;
        for (at, row) in told {
            highest = match highest.map(|highest| (highest, interval::order(Some(scheme), highest.1, &row[column]))) {
                None | Some((_, Some(Ordering::Less))) => Some((at, &row[column])),
                Some((highest, Some(_))) => Some(highest),
                // Releases of two trains: neither is the latest.
                Some((_, None)) => return MISSING,
            };
        }
        // The maker's list was looked at since: there is no later one. Otherwise there may be.
        let looked = described.columns.iter().position(|column| column.name == "checked");
        let whole = looked.is_some_and(|column| rows.iter().any(|row| matches!(&row[column], Datum::Date(day) if day >= at)));
        let kind = if whole { BoundKind::Exactly } else { BoundKind::AtLeast };
        let Some((at, version)) = highest else { return MISSING };
        self.weigh(described, at);
        Datum::Bound(kind, Box::new(version.clone()))
    }

    /// A value that is read from a row is as sure as that row.
    fn weigh(&self, table: &Table, row: usize) {
        if let Some(grade) = table.grade(row) {
            self.grade.set(self.grade.get().min(grade));
        }
    }

    fn column(&self, row: Read<'a>, column: u32) -> Read<'a> {
        match *row {
            Datum::Row(table, row) => {
                let table = self.board.plan().plan().tables.get(table as usize);
                if let Some(table) = table {
                    self.weigh(table, row as usize);
                }
                let cells = table.and_then(|table| table.rows.get(row as usize));
                cells.and_then(|cells| cells.get(column as usize)).map_or(Cow::Owned(MISSING), Cow::Borrowed)
            }
            Datum::NotObserved => Cow::Owned(Datum::NotObserved),
            _ => Cow::Owned(MISSING),
        }
    }

    /// Whether it holds for any element of one with any element of the other (V4).
    fn any_pair(&self, a: &Datum, b: &Datum, mut holds: impl FnMut(&Datum, &Datum) -> bool) -> Read<'a> {
        match (a, b) {
            (Datum::Missing, _) | (_, Datum::Missing) => return bool_of(false),
            (Datum::NotObserved, _) | (_, Datum::NotObserved) => return Cow::Owned(Datum::NotObserved),
            _ => {}
        }
        bool_of(items(a).iter().any(|a| items(b).iter().any(|b| holds(a, b))))
    }

    fn pattern(&self, pattern: PatternId) -> &'a crate::CompiledPattern {
        self.board.plan().pattern(pattern)
    }

    fn haystack<'v>(&self, pattern: PatternId, value: &'v Datum) -> Option<&'v [u8]> {
        match (value, self.pattern(pattern).on_bytes()) {
            (Datum::Text(text), false) => Some(text.as_bytes()),
            (Datum::Bytes(bytes), true) => Some(bytes),
            _ => None,
        }
    }

    fn extract(&self, pattern: PatternId, group: &str, of: &Datum) -> Datum {
        if *of == Datum::NotObserved {
            return Datum::NotObserved;
        }
        let found = items(of).iter().find_map(|value| {
            let haystack = self.haystack(pattern, value)?;
            Some((value, self.pattern(pattern).captures(haystack)?))
        });
        let Some((value, captures)) = found else { return MISSING };
        captures.iter().find(|(name, _)| *name == group).map_or(MISSING, |&(_, span)| part_of(value, span))
    }

    fn template(&self, parts: &'a [(Expr, bool)]) -> Datum {
        let mut text = String::new();
        for (part, for_cpe) in parts {
            let value = self.eval(part);
            if *value == Datum::NotObserved {
                return Datum::NotObserved;
            }
            let Some(piece) = exact_text_of(&value) else { return MISSING };
            if *for_cpe {
                escape_cpe(&piece, &mut text);
            } else {
                text.push_str(&piece);
            }
            if text.len() > TEXT_BYTES_MAX {
                return MISSING;
            }
        }
        Datum::Text(text)
    }

    /// Absent for different types, texts that are no version of the scheme, and versions of different trains.
    pub fn order(&self, scheme: Option<&Scheme>, a: &Datum, b: &Datum) -> Option<Ordering> {
        let order = interval::order(scheme, a, b);
        if let (None, Datum::Text(a), Datum::Text(b), Some(scheme)) = (order, a, b, scheme)
            && scheme.parse(a).is_some()
            && scheme.parse(b).is_some()
        {
            let mut versions = vec![a.clone(), b.clone()];
            versions.sort();
            let mut notes = self.notes.borrow_mut();
            let note = Incomparable { scheme: scheme.name.clone(), versions };
            if notes.len() < NOTES_MAX && !notes.contains(&note) {
                notes.push(note);
            }
        }
        order
    }
}

fn is_version(ty: &Type) -> bool {
    matches!(ty.required(), Type::Version(_))
}

/// Stands where an operator has one operand.
const MISSING_PARTNER: Datum = Datum::Bool(true);

/// Elements of a list; a single value is a list of itself; nothing is an empty one.
pub(crate) fn items(datum: &Datum) -> &[Datum] {
    match datum {
        Datum::List(items) => items,
        Datum::Missing => &[],
        one => std::slice::from_ref(one),
    }
}

fn bytes_of(datum: &Datum) -> Option<&[u8]> {
    match datum {
        Datum::Text(text) => Some(text.as_bytes()),
        Datum::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

/// A part of a text or of bytes; missing when it is too long.
pub(crate) fn part_of(value: &Datum, span: (usize, usize)) -> Datum {
    match value {
        Datum::Text(text) => part_of_text(text, span),
        Datum::Bytes(bytes) => part_of_bytes(bytes, span),
        _ => MISSING,
    }
}

/// As [`part_of`], of a fact's value.
pub(crate) fn part_of_value(value: &Value, span: (usize, usize)) -> Datum {
    match value {
        Value::Text(text) => part_of_text(text, span),
        Value::Bytes(bytes) => part_of_bytes(bytes, span),
        _ => MISSING,
    }
}

fn part_of_text(text: &str, (start, end): (usize, usize)) -> Datum {
    text.get(start..end).filter(|part| part.len() <= TEXT_BYTES_MAX).map_or(MISSING, |part| Datum::Text(part.into()))
}

fn part_of_bytes(bytes: &[u8], (start, end): (usize, usize)) -> Datum {
    bytes.get(start..end).filter(|part| part.len() <= TEXT_BYTES_MAX).map_or(MISSING, |part| Datum::Bytes(part.into()))
}

/// A datum as it is written in an answer; absent for what is missing, rows, and bounds that leave it open.
pub(crate) fn text_of(datum: &Datum) -> Option<String> {
    let joined = |all: &[Datum], by: &str| Some(all.iter().map(text_of).collect::<Option<Vec<_>>>()?.join(by));
    let text = match datum {
        Datum::Text(text) => text.clone(),
        Datum::Int(value) => value.to_string(),
        Datum::Bool(value) => value.to_string(),
        Datum::Date(date) => date.to_string(),
        Datum::Duration(duration) => duration.to_string(),
        Datum::Bytes(bytes) => String::from_utf8(bytes.clone()).ok()?,
        Datum::Bound(BoundKind::Exactly, value) => text_of(value)?,
        Datum::Range { low: Some(low), high: Some(high), closed } => {
            format!("{} {} {}", text_of(low)?, if *closed { "..=" } else { "..<" }, text_of(high)?)
        }
        Datum::Range { low: Some(low), high: None, .. } => format!(">= {}", text_of(low)?),
        Datum::Range { low: None, high: Some(high), closed } => format!("{} {}", if *closed { "<=" } else { "<" }, text_of(high)?),
        Datum::Set(all) => joined(all, " | ")?,
        Datum::List(all) => joined(all, " ")?,
        Datum::Range { low: None, high: None, .. } | Datum::Bound(BoundKind::AtLeast | BoundKind::By, _) => return None,
        Datum::Missing | Datum::NotObserved | Datum::Row(..) => return None,
    };
    (text.len() <= TEXT_BYTES_MAX).then_some(text)
}

/// As [`text_of`], of what is known exactly.
fn exact_text_of(datum: &Datum) -> Option<String> {
    match datum {
        Datum::Range { .. } | Datum::Set(_) => None,
        exact => text_of(exact),
    }
}

/// An attribute value of a CPE 2.3 name: lower case, blanks as `_`, all but letters, digits, `.`, `_` and `-` behind a backslash.
fn escape_cpe(text: &str, out: &mut String) {
    if text == "-" {
        out.push('\\');
    }
    for c in text.chars() {
        match c {
            ' ' | '\t' => out.push('_'),
            c if c.is_ascii_graphic() && !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-') => {
                out.push('\\');
                out.push(c);
            }
            c => out.extend(c.to_lowercase()),
        }
    }
}

/// Reads a datum as a type: a text that is not one is missing, what is one already stays.
pub(crate) fn convert(datum: &Datum, ty: &Type, scheme: Option<&Scheme>) -> Datum {
    let ty = ty.required();
    let text = match datum {
        Datum::Text(text) => Cow::Borrowed(text.as_str()),
        Datum::Bytes(_) if matches!(ty, Type::Bytes | Type::Hash) => return datum.clone(),
        Datum::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => return MISSING,
        },
        Datum::Int(value) if is_text(ty) => Cow::Owned(value.to_string()),
        other => return other.clone(),
    };
    let keep = |fits: bool| if fits { Datum::Text(text.to_string()) } else { MISSING };
    match ty {
        Type::Text | Type::Path | Type::Vendor | Type::Class => keep(true),
        Type::Url => keep(form::is_url(&text)),
        Type::Version(_) => keep(scheme.is_none_or(|scheme| scheme.parse(&text).is_some())),
        Type::Int => text.trim().parse().map_or(MISSING, Datum::Int),
        Type::Duration => text.trim().parse().map_or(MISSING, Datum::Duration),
        Type::Bool => text.trim().parse().map_or(MISSING, Datum::Bool),
        Type::Bytes => Datum::Bytes(text.as_bytes().to_vec()),
        Type::Hash => form::hex(&text).map_or(MISSING, Datum::Bytes),
        Type::Date => date(&text).map_or(MISSING, Datum::Date),
        Type::Ip => form::ip(&text).map_or(MISSING, Datum::Text),
        Type::Mac => form::mac(&text).map_or(MISSING, Datum::Text),
        Type::Oid => keep(form::is_oid(&text)),
        Type::Cve => keep(form::is_cve(&text)),
        Type::Cpe => keep(form::cpe(&text).is_ok()),
        Type::Enum(words) => keep(words.iter().any(|word| *word == text)),
        Type::Optional(_) | Type::List(_) | Type::Bound(_) | Type::Range(_) | Type::Set(_) | Type::Row(_) => MISSING,
    }
}

/// `2024-01-31`, `2024/1/31`, `2024.01.31`, `20240131`.
fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let parts: Vec<&str> = match text.len() {
        8 if text.bytes().all(|b| b.is_ascii_digit()) => vec![&text[..4], &text[4..6], &text[6..]],
        _ => text.split(['-', '/', '.']).collect(),
    };
    let [year, month, day] = parts.as_slice() else { return None };
    if year.len() != 4 || !(1..=2).contains(&month.len()) || !(1..=2).contains(&day.len()) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Datum {
        Datum::Text(text.into())
    }

    #[test]
    fn texts_convert_or_are_missing() {
        let to = |from: &str, ty: &Type| convert(&text(from), ty, Some(&Scheme::dotted()));
        assert_eq!(to("42", &Type::Int), Datum::Int(42));
        assert_eq!(to("4x", &Type::Int), Datum::Missing);
        for written in ["2024-01-31", "2024/1/31", "2024.01.31", "20240131"] {
            assert_eq!(to(written, &Type::Date), Datum::Date("2024-01-31".parse().expect("a date")), "{written}");
        }
        assert_eq!(to("2024-02-31", &Type::Date), Datum::Missing);
        assert_eq!(to("v1", &Type::Version("dotted".into())), Datum::Missing);
        assert_eq!(to("00:1a:2B:33:44:55", &Type::Mac), text("00:1a:2b:33:44:55"));
        assert_eq!(to("CVE-2024-1", &Type::Cve), Datum::Missing);
        assert_eq!(to("0aff", &Type::Hash), Datum::Bytes(vec![10, 255]));
        assert_eq!(to("+a", &Type::Hash), Datum::Missing);
        assert_eq!(to("336h", &Type::Duration), Datum::Duration("14d".parse().expect("a duration")));
        assert_eq!(to("14", &Type::Duration), Datum::Missing);
        let mode = Type::Enum(vec!["bridge".into(), "router".into()]);
        assert_eq!((to("bridge", &mode), to("Bridge", &mode)), (text("bridge"), Datum::Missing));
        assert_eq!(to("cpe:2.3:o:acme", &Type::Cpe), Datum::Missing);
    }

    #[test]
    fn cpe_values_are_escaped() {
        let mut out = String::new();
        escape_cpe("WSR-1166DHP4 (B)", &mut out);
        assert_eq!(out, r"wsr-1166dhp4_\(b\)");
    }
}
