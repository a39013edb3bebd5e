//! Signatures with one mistake each, made from the typed tree: what a good set of tests tells from the original.
//!
//! In: a typed signature and its tables. Out: [`Mutant`]s in source order, each with what was changed and which test would notice. Left out are
//! those that say the same as the original: a line that stands twice in its group, rows that agree in all that the signature reads.

use std::collections::BTreeSet;

use ksig_compiler::hir::{Condition, Expr, ExprKind, Program, Signature};
use ksig_lang::{Span, Text, say};
use ksig_runtime::plan::{Datum, Table};
use ksig_schema::Type;

use super::proposals::{self, next_day};

/// A signature with one mistake.
#[derive(Clone, Debug)]
pub(super) struct Mutant {
    /// Where the change is.
    pub span: Span,
    /// What was changed.
    pub what: Text,
    /// A test that would notice.
    pub kill: Text,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    /// A member of a group of the condition is gone; the path counts from the outermost group.
    Drop(Vec<usize>),
    /// One fewer of `at least N of`.
    Fewer(Vec<usize>),
    /// A node of a root, both counted in the order of the tree.
    Node(usize, usize, Box<Expr>),
    /// A table has these rows instead.
    Rows(String, Vec<Vec<Datum>>),
}

/// What an expression of a signature is for.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Line,
    Guard,
    Slot,
    Other,
}

/// All mutants of what the signature says itself. `source` gives the text at a place, `used` the rows that its tests read.
pub(super) fn of(
    signature: &Signature,
    program: &Program,
    source: &dyn Fn(Span) -> String,
    used: &BTreeSet<(String, usize)>,
) -> Vec<Mutant> {
    let base = signature.refines.as_ref().and_then(|base| program.signatures.iter().find(|other| other.name == *base));
    let mut inherited: Vec<Expr> = Vec::new();
    if let Some(base) = base {
        base.walk(&mut |expr| inherited.push(expr.clone()));
    }
    let mut found = Found { mutants: Vec::new(), inherited, source };
    found.groups(&signature.condition, &mut Vec::new());
    let mut copy = signature.clone();
    for (root, (role, expr)) in roots(&mut copy).into_iter().enumerate() {
        if !found.inherited.contains(expr) {
            found.nodes(root, role, expr);
        }
    }
    found.tables(signature, program, used);
    found.mutants.sort_by_key(|mutant| mutant.span);
    found.mutants
}

struct Found<'a> {
    mutants: Vec<Mutant>,
    inherited: Vec<Expr>,
    source: &'a dyn Fn(Span) -> String,
}

impl Found<'_> {
    fn push(&mut self, span: Span, change: Change, what: Text, kill: Text) {
        self.mutants.push(Mutant { span, what, kill, change });
    }

    fn groups(&mut self, condition: &Condition, path: &mut Vec<usize>) {
        let (lines, any) = match condition {
            Condition::Line { .. } => return,
            Condition::Any(lines) => (lines, true),
            Condition::All(lines) | Condition::None(lines) | Condition::AtLeast(_, lines) | Condition::Each { lines, .. } => (lines, false),
        };
        if let (Condition::AtLeast(count @ 2.., _), Some(span)) = (condition, span_of(condition)) {
            let fewer = count - 1;
            let what = say!("`at least {count} of` became `at least {fewer} of`", "`at least {count} of`を`at least {fewer} of`に変更");
            let kill = say!("a near miss in which exactly {fewer} of the lines hold", "ちょうど{fewer}行だけが成り立つ否定テスト");
            self.push(span, Change::Fewer(path.clone()), what, kill);
        }
        let droppable = match condition {
            Condition::Any(_) => lines.len() > 1,
            Condition::AtLeast(count, _) => lines.len() > *count as usize,
            _ => true,
        };
        for (at, line) in lines.iter().enumerate() {
            path.push(at);
            let twice = lines.iter().enumerate().any(|(other, same)| other != at && same_line(line, same));
            let own = !matches!(line, Condition::Line { expr, .. } if self.inherited.contains(expr));
            if let Some(span) = span_of(line).filter(|_| droppable && !twice && own) {
                let text = (self.source)(span);
                let what = say!("`{text}` is gone", "`{text}`を削除");
                let kill = match condition {
                    _ if any => say!("a test in which only `{text}` of its group holds", "グループの中で`{text}`だけが成り立つテスト"),
                    Condition::None(_) => say!("a near miss in which `{text}` holds", "`{text}`が成り立つ否定テスト"),
                    _ => say!("a near miss in which `{text}` alone is false", "`{text}`だけが偽になる否定テスト"),
                };
                self.push(span, Change::Drop(path.clone()), what, kill);
            }
            self.groups(line, path);
            path.pop();
        }
    }

    fn nodes(&mut self, root: usize, role: Role, expr: &Expr) {
        let text = (self.source)(expr.span);
        if role == Role::Guard {
            let negated = swapped(expr.clone(), constant(false), constant(true));
            let what = say!("the guard `{text}` is negated", "条件`{text}`を否定");
            let kill = say!("a test that expects the tags where `{text}` holds", "`{text}`が成り立つときのタグを確認するテスト");
            self.push(expr.span, Change::Node(root, 0, Box::new(negated)), what, kill);
        }
        let mut at = 0;
        let mut all: Vec<(usize, &Expr)> = Vec::new();
        expr.walk(&mut |node| {
            all.push((at, node));
            at += 1;
        });
        for (at, node) in all {
            for (new, what, kill) in proposals::of(node, role == Role::Slot, self.source) {
                self.push(node.span, Change::Node(root, at, Box::new(new)), what, kill);
            }
        }
    }

    fn tables(&mut self, signature: &Signature, program: &Program, used: &BTreeSet<(String, usize)>) {
        let mut columns: BTreeSet<(&str, u32, Span)> = BTreeSet::new();
        signature.walk(&mut |expr| match &expr.kind {
            ExprKind::Column(row, column) if let Type::Row(table) = row.ty.required() => _ = columns.insert((table, *column, expr.span)),
            ExprKind::Latest { table, column, .. } => _ = columns.insert((table, *column, expr.span)),
            _ => {}
        });
        for (name, row) in used {
            let Some(table) = program.tables.iter().find(|table| table.name == *name) else { continue };
            let read: Vec<(usize, Span)> =
                columns.iter().filter(|(of, ..)| of == name).map(|(_, at, span)| (*at as usize, *span)).collect();
            let Some(&(_, span)) = read.first() else { continue };
            let Some(key) = table.key.and_then(|key| Table::key_text(&table.rows[*row][key as usize])) else { continue };
            let differs = |other: &usize| {
                read.iter().any(|(at, _)| table.key != Some(*at as u32) && table.rows[*row][*at] != table.rows[*other][*at])
            };
            let others = (row + 1..table.rows.len()).chain(0..*row);
            if let Some(other) = others.into_iter().find(differs) {
                let partner = table.key.and_then(|key| Table::key_text(&table.rows[other][key as usize])).unwrap_or_default();
                let what = say!("the rows {key:?} and {partner:?} have changed their values", "行{key:?}と行{partner:?}の値を入れ替え");
                let kill = say!("a test with {key:?} that expects the values of its row", "{key:?}の行の値を確認するテスト");
                self.push(span, Change::Rows(name.clone(), swapped_rows(table, *row, other)), what, kill);
            }
            for (at, span) in read {
                let Some(moved) = table.rows[*row].get(at).and_then(next_day) else { continue };
                let mut rows = table.rows.clone();
                rows[*row][at] = moved;
                let column = &table.columns[at].name;
                let what = say!("`{column}` of the row {key:?} is a day later", "行{key:?}の`{column}`を1日後に変更");
                let kill = say!("a test with {key:?} at that very day", "{key:?}をその日付で確認するテスト");
                self.push(span, Change::Rows(name.clone(), rows), what, kill);
            }
        }
    }
}

impl Mutant {
    /// The program with the mistake in it.
    pub fn apply(&self, program: &Program, name: &str) -> Program {
        let mut changed = program.clone();
        if let Change::Rows(table, rows) = &self.change {
            changed.tables.iter_mut().filter(|other| other.name == *table).for_each(|table| table.rows.clone_from(rows));
        }
        for signature in changed.signatures.iter_mut().filter(|signature| signature.name == name) {
            match &self.change {
                Change::Drop(path) => dropped(signature, path),
                Change::Fewer(path) => {
                    if let Some(Condition::AtLeast(count, _)) = at_path(&mut signature.condition, path) {
                        *count -= 1;
                    }
                }
                Change::Node(root, node, new) => replaced(signature, *root, *node, new),
                Change::Rows(..) => {}
            }
        }
        changed
    }
}

fn dropped(signature: &mut Signature, path: &[usize]) {
    let Some((last, group)) = path.split_last() else { return };
    let Some(lines) = at_path(&mut signature.condition, group).and_then(lines_of) else { return };
    let gone = lines.remove(*last);
    // What gates a follow is the same condition, as far as it is known earlier.
    signature.gates.iter_mut().for_each(|gate| forget(gate, &gone));
}

fn forget(condition: &mut Condition, gone: &Condition) {
    if condition == gone {
        *condition = Condition::All(Vec::new());
    } else if let Some(lines) = lines_of(condition) {
        lines.retain(|line| line != gone);
        lines.iter_mut().for_each(|line| forget(line, gone));
    }
}

fn replaced(signature: &mut Signature, root: usize, node: usize, new: &Expr) {
    let Some((before, after)) = roots(signature).into_iter().nth(root).and_then(|(_, expr)| {
        let before = expr.clone();
        *nth(expr, &mut { node })? = new.clone();
        Some((before, expr.clone()))
    }) else {
        return;
    };
    for gate in &mut signature.gates {
        let mut lines = Vec::new();
        lines_mut(gate, &mut lines);
        lines.into_iter().filter(|line| **line == before).for_each(|line| line.clone_from(&after));
    }
}

fn nth<'e>(expr: &'e mut Expr, left: &mut usize) -> Option<&'e mut Expr> {
    if *left == 0 {
        return Some(expr);
    }
    *left -= 1;
    expr.children_mut().into_iter().find_map(|child| nth(child, left))
}

fn at_path<'c>(condition: &'c mut Condition, path: &[usize]) -> Option<&'c mut Condition> {
    path.iter().try_fold(condition, |group, at| lines_of(group)?.get_mut(*at))
}

fn lines_of(condition: &mut Condition) -> Option<&mut Vec<Condition>> {
    match condition {
        Condition::Line { .. } => None,
        Condition::All(lines)
        | Condition::Any(lines)
        | Condition::None(lines)
        | Condition::AtLeast(_, lines)
        | Condition::Each { lines, .. } => Some(lines),
    }
}

fn lines_mut<'c>(condition: &'c mut Condition, found: &mut Vec<&'c mut Expr>) {
    match condition {
        Condition::Line { expr, .. } => found.push(expr),
        other => lines_of(other).into_iter().flatten().for_each(|line| lines_mut(line, found)),
    }
}

/// The expressions of a signature with what each is for, in one order.
fn roots(signature: &mut Signature) -> Vec<(Role, &mut Expr)> {
    let mut lines = Vec::new();
    lines_mut(&mut signature.condition, &mut lines);
    let mut all: Vec<(Role, &mut Expr)> = lines.into_iter().map(|expr| (Role::Line, expr)).collect();
    all.extend(signature.steps.iter_mut().map(|(_, expr)| (Role::Other, expr)));
    all.extend(signature.identities.iter_mut().flat_map(|identity| &mut identity.slots).map(|(_, expr)| (Role::Slot, expr)));
    all.extend(signature.components.iter_mut().flatten().chain(&mut signature.details).map(|(_, expr)| (Role::Other, expr)));
    for tag in &mut signature.tags {
        all.extend(tag.params.iter_mut().map(|(_, expr)| (Role::Other, expr)));
        let filter = tag.each.as_mut().and_then(|each| each.filter.as_mut());
        all.extend(tag.when.iter_mut().chain(filter).map(|expr| (Role::Guard, expr)));
    }
    if let Some(support) = &mut signature.support {
        all.extend(support.ends.iter_mut().chain(&mut support.latest).map(|expr| (Role::Other, expr)));
    }
    all
}

/// All but the key and the day from which a row holds.
fn swapped_rows(table: &Table, a: usize, b: usize) -> Vec<Vec<Datum>> {
    let mut rows = table.rows.clone();
    for at in (0..table.columns.len()).filter(|at| ![table.key, table.history].contains(&Some(*at as u32))) {
        let cell = std::mem::take(&mut rows[a][at]);
        rows[a][at] = std::mem::replace(&mut rows[b][at], cell);
    }
    rows
}

fn constant(value: bool) -> Expr {
    Expr { kind: ExprKind::Const(Datum::Bool(value)), ty: Type::Bool, span: Span::default() }
}

fn swapped(test: Expr, then: Expr, otherwise: Expr) -> Expr {
    let span = test.span;
    Expr { kind: ExprKind::If(Box::new(test), Box::new(then), Box::new(otherwise)), ty: Type::Bool, span }
}

fn span_of(condition: &Condition) -> Option<Span> {
    match condition {
        Condition::Line { expr, .. } => Some(expr.span),
        Condition::Each { list, .. } => Some(list.span),
        Condition::All(lines) | Condition::Any(lines) | Condition::None(lines) | Condition::AtLeast(_, lines) => {
            let spans: Vec<Span> = lines.iter().filter_map(span_of).collect();
            Some(Span { start: spans.first()?.start, end: spans.last()?.end })
        }
    }
}

fn same_line(a: &Condition, b: &Condition) -> bool {
    match (a, b) {
        (Condition::Line { expr: a, .. }, Condition::Line { expr: b, .. }) => a.without_places() == b.without_places(),
        _ => false,
    }
}
