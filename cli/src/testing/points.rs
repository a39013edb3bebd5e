//! What of a signature a test can show, and a copy of the signature that says it while it runs.
//!
//! In: a typed signature. Out: its [`Point`]s, and the same signature where each line is called by a number and further details say how
//! each guard, each alternative and each row came out. What they say is evaluated by the engine itself, in a test as in a scan.

use ksig_compiler::hir::{Condition, Expr, ExprKind, Program, Signature};
use ksig_lang::Span;
use ksig_runtime::Truth;
use ksig_runtime::explain::{Because, Line, Trace};
use ksig_runtime::plan::{Column, Datum, LineNote, Table, VarId};
use ksig_schema::Type;

/// The name of the column that holds a row's number; no author can write it.
const ROW: &str = "#row";

/// A place of a signature that can come out in two ways.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// What it is.
    pub kind: PointKind,
    /// Where it stands.
    pub span: Span,
    asks: Asks,
}

/// What can come out in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// A line that must hold.
    Condition,
    /// A line of `any` or `at least`.
    Alternative,
    /// `when` of a tag, and `where` of a tag for rows.
    Guard,
    /// The condition of an `if`.
    If,
    /// One value of `first of` and `otherwise`: taken or not.
    Choice,
}

impl PointKind {
    /// As reports call it.
    pub fn name(self) -> &'static str {
        match self {
            PointKind::Condition => "condition",
            PointKind::Alternative => "alternative",
            PointKind::Guard => "guard",
            PointKind::If => "if",
            PointKind::Choice => "choice",
        }
    }
}

/// How the trace says it.
#[derive(Clone, Debug)]
enum Asks {
    /// The lines of that text.
    Lines(String, Box<Expr>),
    /// The detail of that name has that value.
    Detail(String, String),
    /// Tags of that mark, one for each row of so many that the filter lets through.
    Rows(String, usize),
}

/// A signature that says more, and where it says it.
pub(super) struct Instrumented {
    pub signature: Signature,
    pub points: Vec<Point>,
    /// Details that hold the number of a row, each with the table.
    rows: Vec<(String, String)>,
    /// Marks of tags for rows, each with the table.
    marks: Vec<(String, String)>,
}

impl Instrumented {
    /// The points of what the signature says itself, without what it inherits.
    pub fn of(signature: &Signature, program: &Program) -> Instrumented {
        let base = signature.refines.as_ref().and_then(|base| program.signatures.iter().find(|other| other.name == *base));
        let mut inherited: Vec<&Expr> = Vec::new();
        if let Some(base) = base {
            base.walk(&mut |expr| inherited.push(expr));
        }
        let mut out = Instrumented { signature: signature.clone(), points: Vec::new(), rows: Vec::new(), marks: Vec::new() };
        out.lines(&inherited);
        out.expressions(signature, &inherited);
        out.tags(program, &inherited);
        // What a test shows stays here: a guard over what is redacted is evaluated as in an answer, and its outcome counted.
        out.signature.vars.iter_mut().for_each(|var| var.redact = false);
        out
    }

    fn lines(&mut self, inherited: &[&Expr]) {
        let mut number = 0;
        let points = &mut self.points;
        rename(&mut self.signature.condition, false, &mut |expr, note, alternative| {
            let name = format!("#{number}");
            number += 1;
            *note = LineNote { label: String::new(), text: name.clone() };
            if !inherited.contains(&expr) {
                let kind = if alternative { PointKind::Alternative } else { PointKind::Condition };
                points.push(Point { kind, span: expr.span, asks: Asks::Lines(name, Box::new(expr.clone())) });
            }
        });
    }

    fn expressions(&mut self, signature: &Signature, inherited: &[&Expr]) {
        // What speaks of a row or of an element has a value only there.
        let mut inside: Vec<&Expr> = Vec::new();
        for tag in signature.tags.iter().filter(|tag| tag.each.is_some()) {
            let filter = tag.each.iter().filter_map(|each| each.filter.as_ref());
            tag.params
                .iter()
                .map(|(_, expr)| expr)
                .chain(&tag.when)
                .chain(filter)
                .for_each(|expr| expr.walk(&mut |part| inside.push(part)));
        }
        about_elements(&signature.condition, &mut inside);
        let mut guards: Vec<&Expr> = signature.tags.iter().filter(|tag| tag.each.is_none()).filter_map(|tag| tag.when.as_ref()).collect();
        guards.retain(|guard| !inherited.contains(guard));
        for guard in guards {
            self.guard(PointKind::Guard, guard);
        }
        let mut all: Vec<&Expr> = Vec::new();
        signature.walk(&mut |expr| all.push(expr));
        for expr in all {
            if inside.iter().any(|part| std::ptr::eq(*part, expr)) {
                continue;
            }
            match &expr.kind {
                ExprKind::If(test, ..) if !inherited.contains(&expr) => self.guard(PointKind::If, test),
                ExprKind::FirstOf(items) if !inherited.contains(&expr) => self.choice(items),
                ExprKind::Row(table, key) | ExprKind::InTable(key, table) | ExprKind::Latest { table, key, .. } => self.row(table, key),
                ExprKind::Matches(_, asked) => asked.keys.iter().for_each(|(var, table)| self.captured_key(*var, table, expr.span)),
                _ => {}
            }
        }
    }

    fn guard(&mut self, kind: PointKind, guard: &Expr) {
        let name = self.detail(|span| either(guard, text("1", span), text("0", span)), guard.span);
        self.points.push(Point { kind, span: guard.span, asks: Asks::Detail(name, "1".into()) });
    }

    fn choice(&mut self, items: &[Expr]) {
        let Some(first) = items.first() else { return };
        let name = self.detail(
            |span| {
                items.iter().enumerate().rev().fold(text("none", span), |otherwise, (at, item)| {
                    let present = Expr { kind: ExprKind::Present(Box::new(item.clone())), ty: Type::Bool, span };
                    either(&present, text(&at.to_string(), span), otherwise)
                })
            },
            first.span,
        );
        for (at, item) in items.iter().enumerate() {
            self.points.push(Point { kind: PointKind::Choice, span: item.span, asks: Asks::Detail(name.clone(), at.to_string()) });
        }
    }

    fn row(&mut self, table: &str, key: &Expr) {
        let row = |span| Expr { kind: ExprKind::Row(table.into(), Box::new(key.clone())), ty: Type::Row(table.into()), span };
        let name = self.detail(|span| number_of(row(span)), key.span);
        self.rows.push((name, table.into()));
    }

    /// The row whose key a pattern captured.
    fn captured_key(&mut self, var: VarId, table: &str, span: Span) {
        let ty = self.signature.vars[var as usize].ty.clone();
        self.row(table, &Expr { kind: ExprKind::Var(var), ty, span });
    }

    fn detail(&mut self, value: impl Fn(Span) -> Expr, span: Span) -> String {
        let name = format!("#{}", self.signature.details.len());
        self.signature.details.push((name.clone(), value(span)));
        name
    }

    fn tags(&mut self, program: &Program, inherited: &[&Expr]) {
        for (at, tag) in self.signature.tags.iter_mut().enumerate() {
            let Some(each) = &tag.each else { continue };
            let mark = format!("#{at}");
            let row = Expr { kind: ExprKind::Var(each.row), ty: Type::Row(each.table.clone()), span: Span::default() };
            tag.params.push((ROW.into(), number_of(row)));
            tag.params.push(("#".into(), text(&mark, Span::default())));
            self.marks.push((mark.clone(), each.table.clone()));
            let rows = program.tables.iter().find(|table| table.name == each.table).map_or(0, |table| table.rows.len());
            if let Some(guard) = each.filter.as_ref().or(tag.when.as_ref()).filter(|guard| !inherited.contains(guard)) {
                self.points.push(Point { kind: PointKind::Guard, span: guard.span, asks: Asks::Rows(mark, rows) });
            }
        }
    }

    /// The tables that it reads.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().chain(&self.marks).map(|(_, table)| table.as_str())
    }

    /// The rows that an evaluation read, each with its table.
    pub fn rows_read<'i>(&'i self, trace: &'i Trace) -> impl Iterator<Item = (&'i str, usize)> {
        let details = self.rows.iter().filter_map(|(name, table)| Some((table.as_str(), trace.details.get(name)?.parse().ok()?)));
        let tags = trace.tags.iter().filter_map(|tag| {
            let (_, table) = self.marks.iter().find(|(mark, _)| tag.params.get("#") == Some(mark))?;
            Some((table.as_str(), tag.params.get(ROW)?.parse().ok()?))
        });
        details.chain(tags)
    }
}

impl Point {
    /// Whether it held and whether it did not, on one evaluation. Neither, where nothing asked.
    pub fn outcomes(&self, trace: &Trace) -> (bool, bool) {
        match &self.asks {
            Asks::Lines(name, expr) => {
                let mut lines = trace.lines.iter().filter(|line| line.text == *name);
                match truth(expr, &mut lines) {
                    Some(Truth::True) => (true, false),
                    Some(Truth::False) => (false, true),
                    _ => (false, false),
                }
            }
            Asks::Detail(name, wanted) => trace.details.get(name).map_or((false, false), |found| (found == wanted, found != wanted)),
            Asks::Rows(mark, rows) if trace.truth == Truth::True => {
                let attached = trace.tags.iter().filter(|tag| tag.params.get("#") == Some(mark)).count();
                (attached > 0, attached < *rows)
            }
            Asks::Rows(..) => (false, false),
        }
    }
}

/// The truth of a line from the lines that the lowering made of it, in their order. Absent where nothing was evaluated.
fn truth<'l>(expr: &Expr, lines: &mut (impl Iterator<Item = &'l Line> + Clone)) -> Option<Truth> {
    match &expr.kind {
        ExprKind::And(a, b) => Some(truth(a, lines)?.min(truth(b, lines)?)),
        ExprKind::Or(a, b) => Some(truth(a, lines)?.max(truth(b, lines)?)),
        ExprKind::Not(inner) => {
            let head = lines.clone().next()?;
            if head.because != Because::Group {
                return truth(inner, lines).map(|inner| !inner);
            }
            lines.next();
            truth(inner, lines);
            Some(head.truth)
        }
        // Numbers of a list are a test each.
        ExprKind::InList(_, items) if items.iter().all(|item| matches!(item, Datum::Int(_))) => {
            let first = lines.next()?;
            let tests = if matches!(first.because, Because::Captures(_)) { 0 } else { items.len().saturating_sub(1) };
            Some(lines.take(tests).map(|line| line.truth).chain([first.truth]).max().unwrap_or(first.truth))
        }
        _ => lines.next().map(|line| line.truth),
    }
}

fn about_elements<'a>(condition: &'a Condition, found: &mut Vec<&'a Expr>) {
    match condition {
        Condition::Line { .. } => {}
        Condition::Each { lines, .. } => lines.iter().for_each(|line| line.walk(&mut |expr| found.push(expr))),
        Condition::All(lines) | Condition::Any(lines) | Condition::None(lines) | Condition::AtLeast(_, lines) => {
            lines.iter().for_each(|line| about_elements(line, found));
        }
    }
}

/// Calls `line` for each line in source order, with whether it is an alternative.
fn rename(condition: &mut Condition, alternative: bool, line: &mut dyn FnMut(&Expr, &mut LineNote, bool)) {
    match condition {
        Condition::Line { expr, note } => line(expr, note, alternative),
        Condition::All(lines) | Condition::None(lines) => lines.iter_mut().for_each(|one| rename(one, false, line)),
        Condition::Any(lines) | Condition::AtLeast(_, lines) => lines.iter_mut().for_each(|one| rename(one, true, line)),
        Condition::Each { list, lines, note, .. } => {
            line(list, note, alternative);
            lines.iter_mut().for_each(|one| rename(one, false, line));
        }
    }
}

fn text(value: &str, span: Span) -> Expr {
    Expr { kind: ExprKind::Const(Datum::Text(value.into())), ty: Type::Text, span }
}

fn either(test: &Expr, then: Expr, otherwise: Expr) -> Expr {
    let span = test.span;
    Expr { kind: ExprKind::If(Box::new(test.clone()), Box::new(then), Box::new(otherwise)), ty: Type::Text, span }
}

/// The number of a row, by the column that [`number_rows`] adds.
fn number_of(row: Expr) -> Expr {
    let span = row.span;
    Expr { kind: ExprKind::Column(Box::new(row), u32::MAX), ty: Type::Int, span }
}

/// Gives each table a last column with the number of the row, and puts its place where [`number_of`] asks for it.
pub(super) fn number_rows(program: &mut Program) {
    let places: Vec<(String, u32)> = program.tables.iter().map(|table| (table.name.clone(), table.columns.len() as u32)).collect();
    for table in &mut program.tables {
        let Table { columns, rows, .. } = table;
        columns.push(Column { name: ROW.into(), ty: Type::Int, scheme: None });
        for (row, at) in rows.iter_mut().zip(0..) {
            row.push(Datum::Int(at));
        }
    }
    let place = |expr: &mut Expr| {
        let mut open = vec![expr];
        while let Some(expr) = open.pop() {
            if let ExprKind::Column(row, column) = &mut expr.kind
                && *column == u32::MAX
                && let Type::Row(table) = &row.ty
            {
                *column = places.iter().find(|(name, _)| name == table).map_or(0, |(_, place)| *place);
            }
            open.extend(expr.children_mut());
        }
    };
    for signature in &mut program.signatures {
        let params = signature.tags.iter_mut().flat_map(|tag| &mut tag.params).map(|(_, expr)| expr);
        signature.details.iter_mut().map(|(_, expr)| expr).chain(params).for_each(place);
    }
}
