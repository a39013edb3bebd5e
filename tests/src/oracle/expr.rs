//! Expressions: what each is worth, and whether it is true.

use ksig_compiler::hir::{Condition, Expr, ExprKind, FieldRef, Match, Signature};
use ksig_runtime::plan::{BoundKind, CompareOp, Datum, KeyFold, Table, TextOp};
use ksig_schema::identification::Grade;
use ksig_schema::{Date, Pick};
use std::cell::Cell;

use super::Truth;
use super::facts::{Answers, Seen};
use super::pattern::{Groups, Search};
use super::value::{TEXT_BYTES_MAX, bytes, compare, elements, lies_in, read_as, shown};

/// Captures, extracts and lets by number.
#[derive(Clone, Debug, PartialEq)]
pub struct Names {
    /// Values; missing where nothing is bound.
    pub values: Vec<Datum>,
    /// A true line bound it.
    pub bound: Vec<bool>,
    /// A true line asked a field of text or bytes.
    pub text_seen: bool,
}

impl Names {
    /// Before the first line.
    pub fn none(signature: &Signature) -> Names {
        let count = signature.vars.len();
        Names { values: vec![Datum::Missing; count], bound: vec![false; count], text_seen: false }
    }
}

/// What a signature is evaluated against.
pub struct World<'w> {
    /// All tables.
    pub tables: &'w [Table],
    /// The signature.
    pub signature: &'w Signature,
    /// The facts.
    pub answers: Answers<'w>,
    /// The date of the observation.
    pub date: Option<Date>,
    /// The weakest grade of the rows that were read.
    pub grade: Cell<Grade>,
}

impl World<'_> {
    /// Whether a condition is true. Its captures are bound where it is not false; a part that is false binds nothing.
    pub fn condition(&self, condition: &Condition, names: &mut Names) -> Truth {
        match condition {
            Condition::Line { expr, .. } => self.truth_binding(expr, names),
            Condition::All(lines) => {
                kept(names, |names| lines.iter().map(|line| self.condition(line, names)).fold(Truth::True, Truth::and))
            }
            Condition::Any(lines) => {
                kept(names, |names| lines.iter().map(|line| self.condition(line, names)).fold(Truth::False, Truth::or))
            }
            Condition::AtLeast(wanted, lines) => kept(names, |names| {
                let truths: Vec<Truth> = lines.iter().map(|line| self.condition(line, names)).collect();
                let count = |wanted: Truth| truths.iter().filter(|truth| **truth == wanted).count();
                match count(Truth::True) {
                    enough if enough >= *wanted as usize => Truth::True,
                    some if some + count(Truth::NotObserved) >= *wanted as usize => Truth::NotObserved,
                    _ => Truth::False,
                }
            }),
            Condition::Each { every, element, list, lines, .. } => {
                let values = self.several(list, names);
                let all = match &values {
                    Datum::Missing => return Truth::False,
                    Datum::NotObserved => return Truth::NotObserved,
                    several => elements(several),
                };
                let of_one = |value: &Datum, names: &mut Names| {
                    names.values[*element as usize] = value.clone();
                    let truth = lines.iter().map(|line| self.condition(line, names)).fold(Truth::True, Truth::and);
                    names.values[*element as usize] = Datum::Missing;
                    truth
                };
                let truths: Vec<Truth> = all.iter().map(|value| of_one(value, &mut names.clone())).collect();
                let of_all = match every {
                    true => truths.iter().copied().fold(Truth::True, Truth::and),
                    false => truths.iter().copied().fold(Truth::False, Truth::or),
                };
                let truth = match &list.kind {
                    ExprKind::Field(field) if *every => self.answers.whole(field).and(of_all),
                    _ => of_all,
                };
                // The first element that decides leaves its captures.
                if let Some(deciding) = truths.iter().position(|one| *one == of_all).filter(|_| truth != Truth::False) {
                    kept(names, |names| of_one(&all[deciding], names));
                    let of_field = matches!(list.kind, ExprKind::Field(_));
                    names.text_seen |= truth == Truth::True && of_field && bytes(&all[deciding]).is_some();
                }
                truth
            }
            Condition::None(lines) => {
                let mut fields = Vec::new();
                lines.iter().for_each(|line| line.walk(&mut |expr| fields.extend(field_of(expr))));
                let any = lines.iter().map(|line| self.condition(line, &mut names.clone())).fold(Truth::False, Truth::or);
                self.proven(&fields).and(any.not())
            }
        }
    }

    /// A line. Patterns joined by `and` and `or` bind their captures; a side that is false binds nothing.
    fn truth_binding(&self, expr: &Expr, names: &mut Names) -> Truth {
        match &expr.kind {
            ExprKind::And(a, b) => kept(names, |names| self.truth_binding(a, names).and(self.truth_binding(b, names))),
            ExprKind::Or(a, b) => kept(names, |names| self.truth_binding(a, names).or(self.truth_binding(b, names))),
            ExprKind::Matches(value, found) => {
                let several = self.several(value, names);
                let truth = self.truth(expr, names);
                self.bind(&several, found, truth, names);
                names.text_seen |= truth == Truth::True && self.asks_text(expr);
                truth
            }
            _ => {
                let truth = self.truth(expr, names);
                names.text_seen |= truth == Truth::True && self.asks_text(expr);
                truth
            }
        }
    }

    /// A question to one field that holds text or bytes, by constants alone.
    fn asks_text(&self, line: &Expr) -> bool {
        let constant = |expr: &Expr| matches!(expr.kind, ExprKind::Const(_));
        let asked = match &line.kind {
            ExprKind::Compare(_, None, a, b) | ExprKind::TextTest(_, a, b) if constant(b) => a,
            ExprKind::Matches(a, _) | ExprKind::Present(a) | ExprKind::Under(a, _) | ExprKind::InTable(a, _) => a,
            ExprKind::InList(a, items) if !items.is_empty() => a,
            _ => return false,
        };
        let ExprKind::Field(field) = &asked.kind else { return false };
        matches!(self.answers.seen(field), Seen::Values(values) if bytes(&values[0]).is_some())
    }

    /// Binds the captures of a true pattern that nothing bound before (V7).
    fn bind(&self, value: &Datum, found: &Match, truth: Truth, names: &mut Names) {
        let groups = elements(value).iter().find_map(|element| search(&found.pattern, element)).unwrap_or_default();
        for (group, var) in &found.captures {
            let (at, var) = (*var as usize, &self.signature.vars[*var as usize]);
            if names.bound[at] {
                continue;
            }
            match (truth, groups.iter().find(|(name, _)| name == group)) {
                (Truth::True, Some((_, part))) => {
                    names.bound[at] = true;
                    names.values[at] = read_as(&like(value, part), &var.ty, var.scheme.as_ref());
                }
                (Truth::NotObserved, _) if names.values[at] == Datum::Missing => names.values[at] = Datum::NotObserved,
                _ => {}
            }
        }
    }

    /// Extracts and lets in source order, over the captures at hand.
    pub fn with_steps(&self, names: &Names) -> Names {
        let mut names = names.clone();
        for (var, expr) in &self.signature.steps {
            let described = &self.signature.vars[*var as usize];
            names.values[*var as usize] = read_as(&self.value(expr, &names), &described.ty, described.scheme.as_ref());
        }
        names
    }

    /// Whether an expression is true; a missing one is false (V2).
    pub fn truth(&self, expr: &Expr, names: &Names) -> Truth {
        match self.value(expr, names) {
            Datum::Bool(holds) => Truth::from(holds),
            Datum::NotObserved => Truth::NotObserved,
            _ => Truth::False,
        }
    }

    /// The value of an expression; of a field with several values, the first.
    pub fn value(&self, expr: &Expr, names: &Names) -> Datum {
        match &expr.kind {
            ExprKind::Const(datum) => datum.clone(),
            ExprKind::Var(var) => names.values[*var as usize].clone(),
            ExprKind::Field(field) => match self.answers.seen(field) {
                Seen::Values(values) => values[0].clone(),
                Seen::Nothing { .. } => Datum::Missing,
                Seen::NotObserved => Datum::NotObserved,
            },
            ExprKind::Pick(field, Pick::PathEnds, end) => match self.several(field, names) {
                Datum::NotObserved => Datum::NotObserved,
                all => {
                    let path = |place: &str| place.chars().take_while(|c| *c != '?' && *c != '#').collect::<String>();
                    let fits = |place: &&Datum| matches!(place, Datum::Text(place) if path(place).ends_with(end.as_str()));
                    elements(&all).iter().find(fits).cloned().unwrap_or_default()
                }
            },
            ExprKind::ScanDate => self.date.map_or(Datum::Missing, Datum::Date),
            ExprKind::Row(table, key) => self.row(table, &self.value(key, names)),
            ExprKind::Column(row, column) => match self.value(row, names) {
                Datum::Row(table, row) => {
                    let table = &self.tables[table as usize];
                    let cells = &table.rows[row as usize];
                    self.weigh(table, cells);
                    cells[*column as usize].clone()
                }
                Datum::NotObserved => Datum::NotObserved,
                _ => Datum::Missing,
            },
            ExprKind::Compare(op, scheme, a, b) => self.question([a, b], names, |a, b| compare(*op, scheme.as_ref(), a, b)),
            ExprKind::TextTest(op, a, b) => self.question([a, b], names, |a, b| match (bytes(a), bytes(b)) {
                (Some(a), Some(b)) => match op {
                    TextOp::Starts => a.starts_with(b),
                    TextOp::Ends => a.ends_with(b),
                    TextOp::Contains => b.is_empty() || a.windows(b.len()).any(|window| window == b),
                },
                _ => false,
            }),
            ExprKind::Matches(value, found) => self.ask(value, names, |value| search(&found.pattern, value).is_some()),
            ExprKind::Extract(value, pattern, group) => match self.several(value, names) {
                Datum::NotObserved => Datum::NotObserved,
                value => {
                    let groups = elements(&value).iter().find_map(|element| search(pattern, element)).unwrap_or_default();
                    groups.iter().find(|(name, _)| name == group).map_or(Datum::Missing, |(_, part)| like(&value, part))
                }
            },
            ExprKind::InList(value, items) => self.ask(value, names, |value| items.contains(value)),
            ExprKind::InTable(value, table) => self.ask(value, names, |value| matches!(self.row(table, value), Datum::Row(..))),
            ExprKind::InRange { value, low, high, inclusive, scheme } => {
                use ksig_runtime::plan::CompareOp::{Ge, Le, Lt};
                let (low, high) = (self.value(low, names), self.value(high, names));
                let upper = if *inclusive { Le } else { Lt };
                let scheme = scheme.as_ref();
                match (self.several(value, names), &low, &high) {
                    (Datum::Missing, ..) | (_, Datum::Missing, _) | (.., Datum::Missing) => Datum::Bool(false),
                    (Datum::NotObserved, ..) | (_, Datum::NotObserved, _) | (.., Datum::NotObserved) => Datum::NotObserved,
                    _ => self.ask(value, names, |value| compare(Ge, scheme, value, &low) && compare(upper, scheme, value, &high)),
                }
            }
            ExprKind::Range(low, high, closed) => match (self.value(low, names), self.value(high, names)) {
                (Datum::Missing, _) | (_, Datum::Missing) => Datum::Missing,
                (Datum::NotObserved, _) | (_, Datum::NotObserved) => Datum::NotObserved,
                (low, high) => Datum::Range { low: Some(Box::new(low)), high: Some(Box::new(high)), closed: *closed },
            },
            ExprKind::Latest { table, column, key, at } => {
                self.latest(table, *column as usize, &self.value(key, names), &self.value(at, names))
            }
            ExprKind::Within(scheme, value, range) => {
                self.question([value, range], names, |value, range| lies_in(scheme.as_ref(), value, range))
            }
            ExprKind::Under(value, oid) => self.ask(value, names, |value| match value {
                Datum::Text(text) => text == oid || text.starts_with(&format!("{oid}.")),
                _ => false,
            }),
            ExprKind::Absent(of) => match &of.kind {
                ExprKind::Field(field) => match self.answers.seen(field) {
                    Seen::NotObserved => Datum::NotObserved,
                    Seen::Nothing { proven } => Datum::Bool(proven),
                    Seen::Values(_) => Datum::Bool(false),
                },
                ExprKind::Pick(field, ..) if self.value(of, names) == Datum::Missing => match field_of(field) {
                    Some(field) => self.answers.whole(field).datum(),
                    None => Datum::Missing,
                },
                _ => match self.value(of, names) {
                    Datum::NotObserved => Datum::NotObserved,
                    value => Datum::Bool(value == Datum::Missing),
                },
            },
            ExprKind::Present(of) => match self.value(of, names) {
                Datum::NotObserved => Datum::NotObserved,
                value => Datum::Bool(value != Datum::Missing),
            },
            ExprKind::Not(of) => {
                let mut fields = Vec::new();
                of.walk(&mut |expr| fields.extend(field_of(expr)));
                self.proven(&fields).and(self.truth(of, names).not()).datum()
            }
            ExprKind::And(a, b) => self.truth(a, names).and(self.truth(b, names)).datum(),
            ExprKind::Or(a, b) => self.truth(a, names).or(self.truth(b, names)).datum(),
            ExprKind::If(test, then, otherwise) => match self.truth(test, names) {
                Truth::True => self.value(then, names),
                Truth::False => self.value(otherwise, names),
                Truth::NotObserved => Datum::NotObserved,
            },
            ExprKind::FirstOf(all) => {
                all.iter().map(|one| self.value(one, names)).find(|value| *value != Datum::Missing).unwrap_or_default()
            }
            ExprKind::Template(parts) => self.template(parts, names),
            ExprKind::Convert(of, scheme) => read_as(&self.value(of, names), &expr.ty, scheme.as_ref()),
        }
    }

    /// Every section that a negation speaks of is whole (V3).
    fn proven(&self, fields: &[&FieldRef]) -> Truth {
        fields.iter().map(|field| self.answers.whole(field)).fold(Truth::True, Truth::and)
    }

    /// A value; of a field, all of its values as a list.
    fn several(&self, expr: &Expr, names: &Names) -> Datum {
        if let ExprKind::Field(field) = &expr.kind
            && let Seen::Values(values) = self.answers.seen(field)
        {
            return Datum::List(values);
        }
        self.value(expr, names)
    }

    /// Whether any element of a value answers yes (V4); a missing value makes it false (V2).
    fn ask(&self, value: &Expr, names: &Names, yes: impl Fn(&Datum) -> bool) -> Datum {
        match self.several(value, names) {
            Datum::Missing => Datum::Bool(false),
            Datum::NotObserved => Datum::NotObserved,
            value => Datum::Bool(elements(&value).iter().any(yes)),
        }
    }

    /// The same of two values.
    fn question(&self, [a, b]: [&Expr; 2], names: &Names, yes: impl Fn(&Datum, &Datum) -> bool) -> Datum {
        match (self.several(a, names), self.several(b, names)) {
            (Datum::Missing, _) | (_, Datum::Missing) => Datum::Bool(false),
            (Datum::NotObserved, _) | (_, Datum::NotObserved) => Datum::NotObserved,
            (a, b) => Datum::Bool(elements(&a).iter().any(|a| elements(&b).iter().any(|b| yes(a, b)))),
        }
    }

    fn row(&self, table: &str, key: &Datum) -> Datum {
        if *key == Datum::NotObserved {
            return Datum::NotObserved;
        }
        let Some((at, table)) = self.tables.iter().enumerate().find(|(_, known)| known.name == table) else { return Datum::Missing };
        let Some(column) = table.key else { return Datum::Missing };
        let described = &table.columns[column as usize];
        let is_range = matches!(described.ty.required(), ksig_schema::Type::Range(_));
        let row = table.rows.iter().position(|row| match is_range {
            true => *key != Datum::Missing && lies_in(described.scheme.as_ref(), key, &row[column as usize]),
            false => match (key, &row[column as usize]) {
                (Datum::Text(key), Datum::Text(own)) => same_key(table, own, key),
                (Datum::Bytes(key), Datum::Bytes(own)) => key == own,
                (Datum::Int(key), Datum::Int(own)) => key == own,
                _ => false,
            },
        });
        row.map_or(Datum::Missing, |row| Datum::Row(at as u32, row as u32))
    }

    /// What a table with history says of a key on a day: of versions the highest of them, of anything else the last row.
    fn latest(&self, table: &str, column: usize, key: &Datum, at: &Datum) -> Datum {
        let (key, day) = match (key, at) {
            (Datum::Missing, _) | (_, Datum::Missing) => return Datum::Missing,
            (Datum::NotObserved, _) | (_, Datum::NotObserved) => return Datum::NotObserved,
            (Datum::Text(key), Datum::Date(day)) => (key, *day),
            _ => return Datum::Missing,
        };
        let Some(table) = self.tables.iter().find(|known| known.name == table) else { return Datum::Missing };
        let (Some(key_column), Some(since)) = (table.key, table.history) else { return Datum::Missing };
        let own = |row: &&Vec<Datum>| matches!(&row[key_column as usize], Datum::Text(own) if same_key(table, own, key));
        let rows: Vec<&Vec<Datum>> = table.rows.iter().filter(own).collect();
        let date = |cell: &Datum| if let Datum::Date(day) = cell { Some(*day) } else { None };
        let mut told: Vec<&Vec<Datum>> = rows.clone();
        told.retain(|row| date(&row[since as usize]).is_some_and(|since| since <= day) && row[column] != Datum::Missing);
        if !matches!(table.columns[column].ty.required(), ksig_schema::Type::Version(_)) {
            told.sort_by_key(|row| date(&row[since as usize]));
            let Some(last) = told.last() else { return Datum::Missing };
            self.weigh(table, last);
            return last[column].clone();
        }
        let scheme = table.columns[column].scheme.as_ref();
        let highest = told.iter().find(|row| told.iter().all(|other| compare(CompareOp::Ge, scheme, &row[column], &other[column])));
        let checked = table.columns.iter().position(|column| column.name == "checked");
        let looked = checked.is_some_and(|at| rows.iter().any(|row| date(&row[at]).is_some_and(|looked| looked >= day)));
        let kind = if looked { BoundKind::Exactly } else { BoundKind::AtLeast };
        let Some(row) = highest else { return Datum::Missing };
        self.weigh(table, row);
        Datum::Bound(kind, Box::new(row[column].clone()))
    }

    /// What is read from a row is as sure as its column `evidence` says.
    fn weigh(&self, table: &Table, cells: &[Datum]) {
        if let Some(at) = table.columns.iter().position(|column| column.name == "evidence") {
            let words = [Grade::Unverified, Grade::Derived, Grade::Documented, Grade::Observed];
            let said = shown(&cells[at]).unwrap_or_default();
            let grade = words.into_iter().find(|grade| format!("{grade:?}").to_lowercase() == said);
            self.grade.set(self.grade.get().min(grade.unwrap_or_default()));
        }
    }

    fn template(&self, parts: &[(Expr, bool)], names: &Names) -> Datum {
        let mut text = String::new();
        for (part, for_cpe) in parts {
            let value = self.value(part, names);
            if value == Datum::NotObserved {
                return Datum::NotObserved;
            }
            let narrowed = matches!(value, Datum::Range { .. } | Datum::Set(_));
            let Some(piece) = shown(&value).filter(|_| !narrowed) else { return Datum::Missing };
            text.push_str(&if *for_cpe { cpe_escaped(&piece) } else { piece });
        }
        if text.len() > TEXT_BYTES_MAX { Datum::Missing } else { Datum::Text(text) }
    }
}

/// Whether two keys of a table are one, as its key column says.
fn same_key(table: &Table, a: &str, b: &str) -> bool {
    let folded = |key: &str| {
        let mut key = key.to_string();
        if table.folds.contains(&KeyFold::Width) {
            key = super::facts::folded(&key);
        }
        if table.folds.contains(&KeyFold::Trim) {
            key = key.trim().to_string();
        }
        if table.folds.contains(&KeyFold::Case) {
            key.make_ascii_lowercase();
        }
        key
    };
    folded(a) == folded(b)
}

/// A group's captures stay only where the group is not false.
fn kept(names: &mut Names, inside: impl FnOnce(&mut Names) -> Truth) -> Truth {
    let mut after = names.clone();
    let truth = inside(&mut after);
    if truth != Truth::False {
        *names = after;
    }
    truth
}

/// A field that an expression reads, if it is one.
fn field_of(expr: &Expr) -> Option<&FieldRef> {
    if let ExprKind::Field(field) = &expr.kind { Some(field) } else { None }
}

/// The groups of a pattern in a value; text patterns are asked of text only, bytes patterns of bytes only.
fn search(pattern: &ksig_runtime::plan::Pattern, value: &Datum) -> Option<Groups> {
    let haystack = match (value, pattern.bytes) {
        (Datum::Text(text), false) => text.as_bytes(),
        (Datum::Bytes(bytes), true) => bytes,
        _ => return None,
    };
    Search::of(pattern)?.find(haystack)
}

/// A part of a value as text or bytes, as the value is; missing where it is too long.
fn like(value: &Datum, part: &[u8]) -> Datum {
    let text = elements(value).iter().any(|element| matches!(element, Datum::Text(_)));
    match String::from_utf8(part.to_vec()) {
        _ if part.len() > TEXT_BYTES_MAX => Datum::Missing,
        Ok(part) if text => Datum::Text(part),
        _ => Datum::Bytes(part.to_vec()),
    }
}

/// A value in a CPE 2.3 name: lower case, blanks as `_`, punctuation but `.`, `_` and `-` behind a backslash; a lone `-` would say "none".
fn cpe_escaped(text: &str) -> String {
    if text == "-" {
        return r"\-".into();
    }
    text.chars()
        .flat_map(|c| match c {
            ' ' | '\t' => vec!['_'],
            '.' | '_' | '-' => vec![c],
            c if c.is_ascii_punctuation() => vec!['\\', c],
            c => c.to_lowercase().collect(),
        })
        .collect()
}
