//! The proof that a plan can run: [`VerifiedPlan`].
//!
//! In: a [`Plan`] from the compiler or from a stranger's bundle. Out: the same plan with its patterns proven and its tests indexed by slot, or
//! the first thing that is wrong. Nothing else makes a [`VerifiedPlan`], so everything behind it indexes without asking again: every index
//! points into its list, every list that is searched is sorted, nothing is deeper or longer than the limits below.

use std::collections::HashSet;
use std::sync::Arc;

use ksig_schema::{Scheme, SchemeKind, Type};

use crate::pattern::{CompiledPattern, PatternError};
use crate::plan::*;
use crate::rows::RowIndex;
use crate::trigger;

/// Most probes, slots, tests, patterns, tables or signatures in a plan.
pub const LIST_LEN_MAX: usize = 4 * 1024 * 1024;
/// Memory of all compiled patterns together in bytes, were all of them used. Sizes are bounds, some times what is really taken.
pub const PATTERNS_COMPILED_BYTES_MAX: usize = 4 * 1024 * 1024 * 1024;
/// How deep a condition nests.
pub const CONDITION_DEPTH_MAX: u32 = 32;
/// How deep an expression nests.
pub const EXPR_DEPTH_MAX: u32 = 64;
/// How deep a type or a constant nests.
pub const TYPE_DEPTH_MAX: u32 = 8;
/// Most words of an enum.
pub const ENUM_WORDS_MAX: usize = 256;
/// Most lines, operators and constants in one signature.
pub const SIGNATURE_NODES_MAX: usize = 64 * 1024;
/// Most captures, extracts and lets in one signature.
pub const VARS_MAX: usize = 256;
/// Most probes of one signature that are bound to services.
pub const ROLES_MAX: usize = 16;
/// Longest name, label or line.
pub const NAME_BYTES_MAX: usize = 1024;

/// Why a plan must not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct VerifyError {
    /// Where: `signature router.planex.brl.basic_realm`, `test 17`.
    pub place: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// An index points past the end of its list.
    #[error("{what} {index} does not exist: there are {len}")]
    Index {
        /// Of what.
        what: &'static str,
        /// The index.
        index: u32,
        /// Length of the list.
        len: usize,
    },
    /// A list is longer, or something deeper or larger, than its limit.
    #[error("{what} passes its limit of {limit}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A list that is searched is not sorted, or holds something twice.
    #[error("{0} must be sorted and without duplicates")]
    Unsorted(&'static str),
    /// A pattern is not one of the dialect.
    #[error("pattern: {0}")]
    Pattern(PatternError),
    /// A row has other cells than its table has columns.
    #[error("row {row} does not fit its columns at column {column}")]
    Cell {
        /// Which row.
        row: usize,
        /// Which column.
        column: usize,
    },
    /// Signatures refine each other in a circle.
    #[error("it refines itself")]
    RefinesItself,
    /// An expression reads a variable that is computed only later.
    #[error("`{0}` is read before it is computed")]
    ReadBeforeComputed(String),
    /// A variable has two steps.
    #[error("`{0}` is computed twice")]
    ComputedTwice(String),
    /// A capture names a group that the line's pattern does not have.
    #[error("its pattern has no group `{0}`")]
    NoGroup(String),
    /// The condition can hold although all triggers are false: matches would be missed.
    #[error("its condition can hold while all its triggers are false")]
    TriggersMiss,
    /// Something else that no compiler writes.
    #[error("{0}")]
    Malformed(&'static str),
}

/// A plan that can run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct VerifiedPlan {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    plan: Plan,
    patterns: Vec<CompiledPattern>,
    slot_tests: Vec<Vec<TestId>>,
    rows: RowIndex,
}

impl VerifiedPlan {
    /// The plan itself.
    pub fn plan(&self) -> &Plan {
        &self.inner.plan
    }

    /// A pattern, ready to run.
    pub fn pattern(&self, id: PatternId) -> &CompiledPattern {
        &self.inner.patterns[id as usize]
    }

    /// The tests on a slot, ascending.
    pub fn tests_of(&self, slot: SlotId) -> &[TestId] {
        &self.inner.slot_tests[slot as usize]
    }

    /// Rows of tables by the cells that tags ask for.
    pub(crate) fn rows(&self) -> &RowIndex {
        &self.inner.rows
    }
}

impl Plan {
    /// Checks everything that running the plan relies on.
    ///
    /// # Errors
    /// The first problem, with its place.
    pub fn verify(self) -> Result<VerifiedPlan, VerifyError> {
        let mut patterns = Vec::with_capacity(self.patterns.len());
        Verifier { plan: &self }.check(&mut patterns)?;
        let mut slot_tests = vec![Vec::new(); self.slots.len()];
        for (id, test) in self.tests.iter().enumerate() {
            slot_tests[test.slot as usize].push(id as TestId);
        }
        let rows = RowIndex::of(&self);
        Ok(VerifiedPlan { inner: Arc::new(Inner { plan: self, patterns, slot_tests, rows }) })
    }
}

type Checked = Result<(), Problem>;

fn place(place: impl Into<String>) -> impl FnOnce(Problem) -> VerifyError {
    let place = place.into();
    move |problem| VerifyError { place, problem }
}

fn index(what: &'static str, index: u32, len: usize) -> Checked {
    if (index as usize) < len { Ok(()) } else { Err(Problem::Index { what, index, len }) }
}

fn limit(what: &'static str, found: usize, limit: usize) -> Checked {
    if found <= limit { Ok(()) } else { Err(Problem::Limit { what, limit }) }
}

fn name(text: &str) -> Checked {
    limit("a name", text.len(), NAME_BYTES_MAX)
}

fn ascending<T: Ord>(what: &'static str, items: impl IntoIterator<Item = T>) -> Checked {
    let mut items = items.into_iter();
    let Some(mut last) = items.next() else { return Ok(()) };
    for item in items {
        if item <= last {
            return Err(Problem::Unsorted(what));
        }
        last = item;
    }
    Ok(())
}

fn distinct<T: std::hash::Hash + Eq>(what: &'static str, items: impl IntoIterator<Item = T>) -> Checked {
    let mut seen = HashSet::new();
    if items.into_iter().all(|item| seen.insert(item)) { Ok(()) } else { Err(Problem::Unsorted(what)) }
}

struct Verifier<'p> {
    plan: &'p Plan,
}

impl Verifier<'_> {
    fn check(&self, patterns: &mut Vec<CompiledPattern>) -> Result<(), VerifyError> {
        let plan = self.plan;
        self.lists().map_err(place("plan"))?;
        for (id, slot) in plan.slots.iter().enumerate() {
            self.slot(slot).map_err(|problem| place(format!("slot {id}"))(problem))?;
        }
        let mut compiled_bytes = 0usize;
        for (id, pattern) in plan.patterns.iter().enumerate() {
            let compiled = CompiledPattern::new(pattern).map_err(|error| place(format!("pattern {id}"))(Problem::Pattern(error)))?;
            compiled_bytes = compiled_bytes.saturating_add(compiled.size_bytes());
            limit("the memory of all patterns", compiled_bytes, PATTERNS_COMPILED_BYTES_MAX).map_err(place("plan"))?;
            patterns.push(compiled);
        }
        for (id, test) in plan.tests.iter().enumerate() {
            self.test(test).map_err(|problem| place(format!("test {id}"))(problem))?;
        }
        for table in &plan.tables {
            self.table(table).map_err(|problem| place(format!("table {}", table.name))(problem))?;
        }
        for signature in &plan.signatures {
            self.signature(signature, patterns).map_err(|problem| place(format!("signature {}", signature.name))(problem))?;
        }
        self.refines_ends()
    }

    fn lists(&self) -> Checked {
        let plan = self.plan;
        limit("the number of probes", plan.probes.len(), LIST_LEN_MAX)?;
        limit("the number of slots", plan.slots.len(), LIST_LEN_MAX)?;
        limit("the number of tests", plan.tests.len(), LIST_LEN_MAX)?;
        limit("the number of patterns", plan.patterns.len(), LIST_LEN_MAX)?;
        limit("the number of tables", plan.tables.len(), LIST_LEN_MAX)?;
        limit("the number of signatures", plan.signatures.len(), LIST_LEN_MAX)?;
        limit("the number of choices", plan.choices.len(), LIST_LEN_MAX)?;
        plan.choices.iter().try_for_each(|choice| name(choice))?;
        name(&plan.release)?;
        name(&plan.requests_sha256)?;
        distinct("probes", &plan.probes)?;
        plan.probes.iter().try_for_each(|probe| self.probe(probe))?;
        distinct("slots", &plan.slots)?;
        ascending("signatures", plan.signatures.iter().map(|signature| &signature.name))
    }

    fn probe(&self, probe: &Probe) -> Checked {
        let plan = self.plan;
        match probe {
            Probe::Exactly(_) | Probe::Bound { .. } => Ok(()),
            Probe::Beside { at, .. } => self.role(*at),
            Probe::Named(Named { constructor, from: NamedFrom::Slot(slot, pick), at, .. }) => {
                name(constructor)?;
                at.iter().try_for_each(|at| self.role(*at))?;
                pick.iter().try_for_each(|(_, argument)| name(argument))?;
                index("slot", *slot, plan.slots.len())
            }
            Probe::Named(Named { constructor, from: NamedFrom::Capture(signature, var), at, .. }) => {
                name(constructor)?;
                at.iter().try_for_each(|at| self.role(*at))?;
                index("signature", *signature, plan.signatures.len())?;
                index("variable", *var, plan.signatures[*signature as usize].vars.len())
            }
        }
    }

    /// A probe that is bound to a service.
    fn role(&self, probe: ProbeId) -> Checked {
        index("probe", probe, self.plan.probes.len())?;
        match &self.plan.probes[probe as usize] {
            Probe::Bound { .. } => Ok(()),
            _ => Err(Problem::Malformed("it is asked beside a probe that stands on no service of its own")),
        }
    }

    fn slot(&self, slot: &Slot) -> Checked {
        index("probe", slot.probe, self.plan.probes.len())?;
        name(&slot.field)?;
        match &slot.key {
            // Paths into documents begin with a slash, and their case counts.
            Some(key) if !key.starts_with('/') && *key != key.to_lowercase() => Err(Problem::Malformed("its key is not in lower case")),
            Some(key) => name(key),
            None => Ok(()),
        }
    }

    fn test(&self, test: &Test) -> Checked {
        index("slot", test.slot, self.plan.slots.len())?;
        match &test.predicate {
            Predicate::OneOf(items) => ascending("the values it asks for", items),
            Predicate::Under(oid) if !ksig_schema::form::is_oid(oid) => Err(Problem::Malformed("it asks for no object id")),
            Predicate::Matches(pattern) => index("pattern", *pattern, self.plan.patterns.len()),
            _ => Ok(()),
        }
    }

    fn table(&self, table: &Table) -> Checked {
        name(&table.name)?;
        for column in &table.columns {
            name(&column.name)?;
            scheme(column.scheme.as_ref())?;
            ty(&column.ty, 0)?;
        }
        for (row, cells) in table.rows.iter().enumerate() {
            if cells.len() != table.columns.len() {
                return Err(Problem::Cell { row, column: cells.len().min(table.columns.len()) });
            }
            for (column, cell) in cells.iter().enumerate() {
                self.datum(cell, 0)?;
                if !fits(cell, &table.columns[column].ty) {
                    return Err(Problem::Cell { row, column });
                }
            }
        }
        let Some(key) = table.key else { return Ok(()) };
        index("column", key, table.columns.len())?;
        let column = &table.columns[key as usize];
        if let Type::Range(_) = column.ty.required() {
            return interval_keys(table, key as usize, column.scheme.as_ref());
        }
        let mut keys = Vec::with_capacity(table.rows.len());
        for (row, cells) in table.rows.iter().enumerate() {
            match Table::key_text(&cells[key as usize]) {
                Some(text) => keys.push(text),
                None => return Err(Problem::Cell { row, column: key as usize }),
            }
        }
        if let Some(since) = table.history {
            index("column", since, table.columns.len())?;
            let at = |row: usize| (table.folded(&keys[row]), &table.rows[row][since as usize]);
            let sorted = (1..keys.len()).all(|row| match (at(row - 1), at(row)) {
                ((one, Datum::Date(day)), (next, Datum::Date(later))) => (one, day) <= (next, later),
                _ => false,
            });
            return if sorted { Ok(()) } else { Err(Problem::Unsorted("keys")) };
        }
        ascending("keys", keys.iter().map(|key| table.folded(key)))
    }

    fn signature(&self, signature: &Signature, patterns: &[CompiledPattern]) -> Checked {
        let plan = self.plan;
        name(&signature.name)?;
        name(&signature.summary)?;
        limit("the number of variables", signature.vars.len(), VARS_MAX)?;
        for var in &signature.vars {
            name(&var.name)?;
            ty(&var.ty, 0)?;
            scheme(var.scheme.as_ref())?;
        }
        if let Some(base) = signature.refines {
            index("signature", base, plan.signatures.len())?;
        }
        if let Some(member) = signature.choice {
            index("choice", member.choice, plan.choices.len())?;
        }
        limit("the number of bound probes", signature.scope.roles().len(), ROLES_MAX)?;
        signature.scope.roles().iter().try_for_each(|role| self.role(*role))?;
        for follow in &signature.follows {
            index("probe", follow.probe, plan.probes.len())?;
            name(&follow.name)?;
            name(&follow.text)?;
            if follow.hop == 0 || follow.hop > HOPS_MAX || follow.hop as usize > signature.gates.len() {
                return Err(Problem::Malformed("it follows without a gate"));
            }
        }
        limit("the number of gates", signature.gates.len(), HOPS_MAX as usize)?;
        for &trigger in &signature.triggers {
            index("test", trigger, plan.tests.len())?;
        }
        let mut walk =
            Walk { verifier: self, signature, patterns, nodes: 0, computed: computed_at(signature)?, in_each: false, step: usize::MAX };
        walk.condition(&signature.condition, 0)?;
        signature.gates.iter().try_for_each(|gate| walk.condition(gate, 0))?;
        for (at, (_, expr)) in signature.steps.iter().enumerate() {
            walk.step = at;
            walk.expr(expr, 0)?;
        }
        walk.step = usize::MAX;
        for identity in &signature.identities {
            name(&identity.facet)?;
            distinct("slots of an identity", identity.slots.iter().map(|(slot, _)| slot))?;
            identity.slots.iter().try_for_each(|(_, expr)| walk.expr(expr, 0))?;
        }
        distinct("facets", signature.identities.iter().map(|identity| &identity.facet))?;
        for component in &signature.components {
            component.parts().try_for_each(|expr| walk.expr(expr, 0))?;
        }
        signature.details.iter().try_for_each(|(detail, expr)| name(detail).and_then(|()| walk.expr(expr, 0)))?;
        distinct("details", signature.details.iter().map(|(name, _)| name))?;
        for tag in &signature.tags {
            name(&tag.name)?;
            if let Some(each) = &tag.each {
                index("table", each.table, plan.tables.len())?;
                index("variable", each.row, signature.vars.len())?;
                each.filter.iter().try_for_each(|expr| walk.expr(expr, 0))?;
            }
            tag.params.iter().try_for_each(|(param, expr)| name(param).and_then(|()| walk.expr(expr, 0)))?;
            tag.when.iter().try_for_each(|expr| walk.expr(expr, 0))?;
        }
        if let Some(support) = &signature.support {
            scheme(support.scheme.as_ref())?;
            support.ends.iter().chain(&support.latest).try_for_each(|expr| walk.expr(expr, 0))?;
        }
        if !signature.triggers.is_empty() && !trigger::suffice(&signature.condition, &signature.triggers) {
            return Err(Problem::TriggersMiss);
        }
        Ok(())
    }

    fn datum(&self, datum: &Datum, depth: u32) -> Checked {
        limit("the depth of a constant", depth as usize, TYPE_DEPTH_MAX as usize)?;
        match datum {
            Datum::Bound(_, inner) => self.datum(inner, depth + 1),
            Datum::Range { low, high, .. } => low.iter().chain(high).try_for_each(|end| self.datum(end, depth + 1)),
            Datum::List(items) | Datum::Set(items) => items.iter().try_for_each(|item| self.datum(item, depth + 1)),
            Datum::Row(table, row) => {
                index("table", *table, self.plan.tables.len())?;
                index("row", *row, self.plan.tables[*table as usize].rows.len())
            }
            _ => Ok(()),
        }
    }

    /// Every chain of `refines` comes to an end.
    fn refines_ends(&self) -> Result<(), VerifyError> {
        let signatures = &self.plan.signatures;
        // 0: not seen, 1: on the chain being walked, 2: known to end.
        let mut state = vec![0u8; signatures.len()];
        for start in 0..signatures.len() {
            let mut chain = Vec::new();
            let mut at = Some(start);
            while let Some(id) = at.filter(|&id| state[id] != 2) {
                if state[id] == 1 {
                    return Err(place(format!("signature {}", signatures[id].name))(Problem::RefinesItself));
                }
                state[id] = 1;
                chain.push(id);
                at = signatures[id].refines.map(|base| base as usize);
            }
            for id in chain {
                state[id] = 2;
            }
        }
        Ok(())
    }
}

/// Interval keys stand in order and share no value.
fn interval_keys(table: &Table, key: usize, scheme: Option<&Scheme>) -> Checked {
    let order = |a: &Datum, b: &Datum| crate::interval::order(scheme, a, b);
    for (row, pair) in table.rows.windows(2).enumerate() {
        let [Datum::Range { .. }, Datum::Range { .. }] = [&pair[0][key], &pair[1][key]] else {
            return Err(Problem::Cell { row, column: key });
        };
        let (one, next) = (&pair[0][key], &pair[1][key]);
        if crate::interval::sequence_of_keys(scheme, one, next).is_ge() || crate::interval::overlap(one, next, &order) {
            return Err(Problem::Unsorted("keys"));
        }
    }
    Ok(())
}

/// At which step each variable is computed; captures have none.
fn computed_at(signature: &Signature) -> Result<Vec<Option<usize>>, Problem> {
    let mut computed = vec![None; signature.vars.len()];
    for (at, (var, _)) in signature.steps.iter().enumerate() {
        index("variable", *var, signature.vars.len())?;
        if computed[*var as usize].replace(at).is_some() {
            return Err(Problem::ComputedTwice(signature.vars[*var as usize].name.clone()));
        }
    }
    Ok(computed)
}

/// The walk over one signature's conditions and expressions.
struct Walk<'v, 'p> {
    verifier: &'v Verifier<'p>,
    signature: &'v Signature,
    patterns: &'v [CompiledPattern],
    nodes: usize,
    computed: Vec<Option<usize>>,
    /// Inside lines over elements, which do not nest, so that time stays linear.
    in_each: bool,
    /// Which step is walked; past the last when none is, so that all variables can be read.
    step: usize,
}

impl Walk<'_, '_> {
    fn has_group(&self, pattern: PatternId, group: &str) -> bool {
        self.patterns[pattern as usize].groups().iter().any(|name| name == group)
    }

    fn count(&mut self) -> Checked {
        self.nodes += 1;
        limit("the size of the signature", self.nodes, SIGNATURE_NODES_MAX)
    }

    fn note(&self, note: &LineNote) -> Checked {
        name(&note.label)?;
        name(&note.text)
    }

    fn condition(&mut self, condition: &Condition, depth: u32) -> Checked {
        self.count()?;
        limit("the depth of a condition", depth as usize, CONDITION_DEPTH_MAX as usize)?;
        match condition {
            Condition::Test(leaf) => {
                let tests = &self.verifier.plan.tests;
                index("test", leaf.test, tests.len())?;
                self.note(&leaf.note)?;
                for (group, var) in &leaf.captures {
                    index("variable", *var, self.signature.vars.len())?;
                    match tests[leaf.test as usize].predicate {
                        Predicate::Matches(pattern) if self.has_group(pattern, group) => {}
                        _ => return Err(Problem::NoGroup(group.clone())),
                    }
                }
                Ok(())
            }
            Condition::Late(expr, note) => {
                self.note(note)?;
                self.expr(expr, 0)
            }
            Condition::Search(search) => {
                self.note(&search.note)?;
                index("pattern", search.pattern, self.verifier.plan.patterns.len())?;
                for (group, var) in &search.captures {
                    index("variable", *var, self.signature.vars.len())?;
                    if !self.has_group(search.pattern, group) {
                        return Err(Problem::NoGroup(group.clone()));
                    }
                }
                self.expr(&search.value, 0)
            }
            Condition::Each(each) => {
                self.note(&each.note)?;
                index("variable", each.element, self.signature.vars.len())?;
                if std::mem::replace(&mut self.in_each, true) {
                    return Err(Problem::Malformed("its lines over elements stand in each other"));
                }
                if let Some(test) = each.present {
                    index("test", test, self.verifier.plan.tests.len())?;
                    let test = &self.verifier.plan.tests[test as usize];
                    if test.predicate != Predicate::Present || each.list != Expr::Slot(test.slot, true) {
                        return Err(Problem::Malformed("its lines over elements wait for another test than their list's"));
                    }
                }
                self.expr(&each.list, 0)?;
                self.condition(&each.lines, depth + 1)?;
                self.in_each = false;
                Ok(())
            }
            Condition::All(parts) | Condition::Any(parts) | Condition::AtLeast(_, parts) => {
                parts.iter().try_for_each(|part| self.condition(part, depth + 1))
            }
            Condition::Not(part) => self.condition(part, depth + 1),
        }
    }

    fn expr(&mut self, expr: &Expr, depth: u32) -> Checked {
        self.count()?;
        limit("the depth of an expression", depth as usize, EXPR_DEPTH_MAX as usize)?;
        let plan = self.verifier.plan;
        let next = depth + 1;
        match expr {
            Expr::Const(datum) => self.verifier.datum(datum, 0),
            Expr::Var(var) => {
                index("variable", *var, self.signature.vars.len())?;
                match self.computed[*var as usize] {
                    Some(at) if at >= self.step => Err(Problem::ReadBeforeComputed(self.signature.vars[*var as usize].name.clone())),
                    _ => Ok(()),
                }
            }
            Expr::Slot(slot, _) | Expr::Pick(slot, ..) | Expr::Whole(slot) => index("slot", *slot, plan.slots.len()),
            Expr::ScanDate => Ok(()),
            Expr::Row(table, key) => {
                index("table", *table, plan.tables.len())?;
                if plan.tables[*table as usize].key.is_none() {
                    return Err(Problem::Malformed("it looks a row up in a table without a key"));
                }
                self.expr(key, next)
            }
            Expr::Column(row, _) => self.expr(row, next),
            Expr::InTable(table, value) => {
                index("table", *table, plan.tables.len())?;
                self.expr(value, next)
            }
            Expr::Latest { table, column, key, at } => {
                index("table", *table, plan.tables.len())?;
                index("column", *column, plan.tables[*table as usize].columns.len())?;
                self.expr(key, next)?;
                self.expr(at, next)
            }
            Expr::Compare(_, by, a, b) => {
                scheme(by.as_ref())?;
                self.expr(a, next)?;
                self.expr(b, next)
            }
            Expr::Within(by, a, b) => {
                scheme(by.as_ref())?;
                self.expr(a, next)?;
                self.expr(b, next)
            }
            Expr::Range(a, b, _) | Expr::TextTest(_, a, b) | Expr::In(a, b) | Expr::And(a, b) | Expr::Or(a, b) => {
                self.expr(a, next)?;
                self.expr(b, next)
            }
            Expr::Matches(pattern, of) => {
                index("pattern", *pattern, plan.patterns.len())?;
                self.expr(of, next)
            }
            Expr::Extract(pattern, group, of) => {
                index("pattern", *pattern, plan.patterns.len())?;
                if !self.has_group(*pattern, group) {
                    return Err(Problem::NoGroup(group.clone()));
                }
                self.expr(of, next)
            }
            Expr::Absent(of) | Expr::Present(of) | Expr::Not(of) => self.expr(of, next),
            Expr::If(test, then, otherwise) => {
                self.expr(test, next)?;
                self.expr(then, next)?;
                self.expr(otherwise, next)
            }
            Expr::FirstOf(items) => items.iter().try_for_each(|item| self.expr(item, next)),
            Expr::Template(parts) => parts.iter().try_for_each(|(part, _)| self.expr(part, next)),
            Expr::Convert(to, by, of) => {
                ty(to, 0)?;
                scheme(by.as_ref())?;
                self.expr(of, next)
            }
        }
    }
}

fn scheme(scheme: Option<&Scheme>) -> Checked {
    match scheme {
        Some(Scheme { name: named, kind: SchemeKind::Dotted { .. } | SchemeKind::Semver | SchemeKind::Date }) => name(named),
        None => Ok(()),
    }
}

fn ty(of: &Type, depth: u32) -> Checked {
    limit("the depth of a type", depth as usize, TYPE_DEPTH_MAX as usize)?;
    match of {
        Type::List(inner) | Type::Bound(inner) | Type::Range(inner) | Type::Set(inner) | Type::Optional(inner) => ty(inner, depth + 1),
        Type::Version(named) | Type::Row(named) => name(named),
        Type::Enum(words) => {
            limit("the words of an enum", words.len(), ENUM_WORDS_MAX)?;
            words.iter().try_for_each(|word| name(word))
        }
        _ => Ok(()),
    }
}

/// Whether a cell can stand in a column of that type.
fn fits(datum: &Datum, ty: &Type) -> bool {
    match (datum, ty) {
        (Datum::Missing, ty) => ty.is_optional() || matches!(ty, Type::List(_)),
        (datum, Type::Optional(inner)) => fits(datum, inner),
        (Datum::Bound(_, of), Type::Bound(inner)) => fits(of, inner),
        (Datum::Range { low, high, .. }, Type::Range(inner)) => low.iter().chain(high).all(|end| fits(end, inner)),
        (Datum::Set(items), Type::Set(inner)) => items.iter().all(|item| fits(item, inner)),
        (Datum::List(items), Type::List(inner)) => items.iter().all(|item| fits(item, inner)),
        (Datum::Row(..), Type::Row(_)) => true,
        (Datum::Bool(_), Type::Bool) => true,
        (Datum::Int(_), Type::Int) => true,
        (Datum::Duration(_), Type::Duration) => true,
        (Datum::Text(word), Type::Enum(words)) => words.contains(word),
        (Datum::Bytes(_), Type::Bytes | Type::Hash) => true,
        (Datum::Date(_), Type::Date) => true,
        (Datum::Text(_), ty) => is_text(ty),
        _ => false,
    }
}

/// Types whose values are kept as text.
pub(crate) fn is_text(ty: &Type) -> bool {
    use Type::{Class, Cpe, Cve, Ip, Mac, Oid, Path, Text, Url, Vendor, Version};
    matches!(ty, Text | Version(_) | Url | Path | Ip | Mac | Oid | Cve | Cpe | Vendor | Class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn problem(change: impl FnOnce(&mut Plan)) -> Problem {
        let mut plan = sample::plan();
        change(&mut plan);
        plan.verify().expect_err("must not verify").problem
    }

    #[test]
    fn the_sample_verifies_and_is_indexed() {
        let plan = sample::plan().verify().expect("verifies");
        assert_eq!(plan.tests_of(2), [sample::SERVER_ACME, sample::SERVER_ABSENT]);
        assert!(plan.pattern(0).is_match(b"ACME AC-1"));
    }

    #[test]
    fn every_index_is_checked() {
        let is_index = |problem| assert!(matches!(problem, Problem::Index { .. }), "{problem:?}");
        is_index(problem(|plan| plan.slots[0].probe = 9));
        is_index(problem(|plan| plan.tests[0].slot = 9));
        is_index(problem(|plan| plan.tests[0].predicate = Predicate::Matches(9)));
        is_index(problem(|plan| plan.signatures[0].refines = Some(9)));
        is_index(problem(|plan| plan.signatures[1].follows[0].probe = 9));
        is_index(problem(|plan| plan.probes[1] = sample::named(NamedFrom::Slot(9, None))));
        is_index(problem(|plan| plan.probes[1] = sample::named(NamedFrom::Capture(9, 0))));
        is_index(problem(|plan| plan.probes[1] = sample::named(NamedFrom::Capture(0, 9))));
        is_index(problem(|plan| plan.signatures[0].triggers.push(99)));
        is_index(problem(|plan| plan.signatures[0].condition = sample::leaf(99, &[])));
        is_index(problem(|plan| plan.signatures[2].condition = sample::leaf(sample::SERVER_ACME, &[("v", 7)])));
        is_index(problem(|plan| plan.signatures[1].steps[0].0 = 99));
        is_index(problem(|plan| plan.signatures[1].steps[0].1 = Expr::Row(9, Box::new(Expr::Var(0)))));
        is_index(problem(|plan| plan.signatures[1].steps[0].1 = Expr::Const(Datum::Row(0, 9))));
        is_index(problem(|plan| plan.signatures[1].steps[0].1 = Expr::Slot(99, false)));
        is_index(problem(|plan| plan.tables[0].key = Some(9)));
    }

    #[test]
    fn order_depth_and_circles_are_checked() {
        assert_eq!(problem(|plan| plan.signatures.swap(0, 1)), Problem::Unsorted("signatures"));
        assert_eq!(problem(|plan| plan.tables[0].rows.swap(0, 1)), Problem::Unsorted("keys"));
        assert!(matches!(
            problem(|plan| plan.tests[0].predicate = Predicate::OneOf(vec![b"b".to_vec(), b"a".to_vec()])),
            Problem::Unsorted(_)
        ));
        assert_eq!(problem(|plan| plan.signatures[0].refines = Some(1)), Problem::RefinesItself);
        assert_eq!(problem(|plan| plan.signatures[1].triggers = vec![sample::SERVER_ACME]), Problem::TriggersMiss);
        assert!(matches!(problem(|plan| plan.signatures[1].steps[0].1 = Expr::Var(2)), Problem::ReadBeforeComputed(_)));
        assert!(matches!(problem(|plan| plan.signatures[1].steps.push((2, text()))), Problem::ComputedTwice(_)));
        assert!(matches!(
            problem(|plan| plan.signatures[2].condition = sample::leaf(sample::SERVER_ACME, &[("x", 0)])),
            Problem::NoGroup(_)
        ));
        assert!(matches!(problem(|plan| plan.tables[0].rows[0][2] = Datum::Int(1)), Problem::Cell { row: 0, column: 2 }));
        assert!(matches!(problem(|plan| plan.patterns[0].source = "(".into()), Problem::Pattern(_)));
        let deep = (0..40).fold(Condition::default(), |inner, _| Condition::Not(Box::new(inner)));
        assert!(matches!(problem(|plan| plan.signatures[2].condition = deep), Problem::Limit { .. }));
    }

    fn text() -> Expr {
        sample::text("x")
    }
}
