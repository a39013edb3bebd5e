//! Evaluates one signature in full: lines in source order, captures, extracts, identities, software, tags, and the facts that decided.
//!
//! In: a signature whose gate is not false, and a [`Board`]. Out: a [`Verdict`].
//!
//! A capture is bound by the first true line in source order that binds its name (V7). A group that is false takes the captures of its lines
//! back, and inside `not` nothing is bound: what a condition binds is what made it true. One evaluator serves all engines, so they cannot
//! differ here.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use ksig_schema::identification::{Component, Grade, Identity, Proof, Tag};
use ksig_schema::{Date, Scheme, Type, Value, form};

use crate::backend::{Truth, ValueView, holds};
use crate::board::{Board, Gap};
use crate::explain::{Because, Incomparable, Line};
use crate::expr::{Scope, convert, items, part_of, part_of_value, text_of, truth_of};
use crate::miss::{self, Miss};
use crate::plan::*;
use crate::proof::Deciding;
use crate::verify::VerifiedPlan;

/// What depends on a signature alone, read once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traits {
    /// Variables that carry what was marked `redact`, themselves or through a step.
    pub hidden: Vec<bool>,
    /// A late line reads a variable that a step computes.
    pub late_reads_steps: bool,
}

impl Traits {
    pub fn of(signature: &Signature) -> Traits {
        let mut hidden: Vec<bool> = signature.vars.iter().map(|var| var.redact).collect();
        let mut computed = vec![false; signature.vars.len()];
        for (var, expr) in &signature.steps {
            computed[*var as usize] = true;
            if mentions(expr, &|var| hidden[var as usize]) {
                hidden[*var as usize] = true;
            }
        }
        let late_reads_steps = late_mentions(&signature.condition, &|var| computed[var as usize]);
        Traits { hidden, late_reads_steps }
    }
}

fn mentions(expr: &Expr, wanted: &dyn Fn(VarId) -> bool) -> bool {
    let mut found = matches!(expr, Expr::Var(var) if wanted(*var));
    expr.each_part(&mut |part| found |= mentions(part, wanted));
    found
}

fn late_mentions(condition: &Condition, wanted: &dyn Fn(VarId) -> bool) -> bool {
    match condition {
        Condition::Test(_) => false,
        Condition::Late(expr, _) => mentions(expr, wanted),
        Condition::Search(search) => mentions(&search.value, wanted),
        Condition::Each(each) => mentions(&each.list, wanted) || late_mentions(&each.lines, wanted),
        Condition::All(parts) | Condition::Any(parts) | Condition::AtLeast(_, parts) => {
            parts.iter().any(|part| late_mentions(part, wanted))
        }
        Condition::Not(part) => late_mentions(part, wanted),
    }
}

/// What a signature says of a service.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub signature: SignatureId,
    pub truth: Truth,
    pub identities: Vec<Identity>,
    pub components: Vec<Component>,
    /// By name.
    pub details: BTreeMap<String, String>,
    pub tags: Vec<Tag>,
    pub support: SupportFacts,
    /// The weaker of its own grade and those of the rows that its identities are read from.
    pub grade: Grade,
    pub proof: Vec<Proof>,
    /// Versions that could not be compared on the way.
    pub incomparable: Vec<Incomparable>,
    /// A capture is bound that an identity uses, or a line about a text was observed to hold: enough to be called consistent (V3b).
    pub observed: bool,
}

/// What is known of the support of a model; compared once the identity is merged.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SupportFacts {
    pub ends: Option<Datum>,
    pub latest: Option<Datum>,
    pub scheme: Option<Scheme>,
}

/// The evaluation of one signature.
pub(crate) struct Evaluation<'a> {
    board: &'a Board<'a>,
    signature: &'a Signature,
    traits: &'a Traits,
    date: Option<Date>,
    vars: Vec<Datum>,
    bound: Vec<bool>,
    /// What each change to a variable replaced, so that a false group takes its captures back.
    changes: Vec<(VarId, Datum, bool)>,
    deciding: Vec<Deciding<'a>>,
    /// The weakest grade of the rows that were read.
    grade: Cell<Grade>,
    notes: RefCell<Vec<Incomparable>>,
    /// Lines for an explanation, when one is asked for.
    lines: Option<Vec<Line>>,
    /// Where an element holds what is marked `redact`.
    redacted: Vec<(usize, usize)>,
    depth: u32,
}

/// Where captures and proofs stood before a group.
struct Mark {
    changes: usize,
    deciding: usize,
}

impl<'a> Evaluation<'a> {
    pub fn new(board: &'a Board<'a>, signature: &'a Signature, traits: &'a Traits, date: Option<Date>) -> Evaluation<'a> {
        Evaluation {
            board,
            signature,
            traits,
            date,
            vars: vec![Datum::Missing; signature.vars.len()],
            bound: vec![false; signature.vars.len()],
            changes: Vec::new(),
            deciding: Vec::new(),
            grade: Cell::new(Grade::Observed),
            notes: RefCell::new(Vec::new()),
            lines: None,
            redacted: Vec::new(),
            depth: 0,
        }
    }

    /// Keeps a line for each line, for [`Evaluation::explained`].
    pub fn explaining(mut self) -> Evaluation<'a> {
        self.lines = Some(Vec::new());
        self
    }

    fn plan(&self) -> &'a VerifiedPlan {
        self.board.plan()
    }

    fn scope<'s>(&'s self, vars: &'s [Datum], hidden: Option<&'s [bool]>) -> Scope<'s> {
        Scope { board: self.board, vars, hidden, date: self.date, grade: &self.grade, notes: &self.notes }
    }

    /// The condition in source order.
    pub fn condition(&mut self, condition: &'a Condition) -> Truth {
        self.part(condition, false)
    }

    fn part(&mut self, condition: &'a Condition, negated: bool) -> Truth {
        match condition {
            Condition::Test(leaf) => self.leaf(leaf, negated),
            Condition::Late(expr, note) => self.late(expr, note),
            Condition::Search(search) => self.search(search, negated),
            Condition::Each(each) => self.each(each, negated),
            Condition::All(parts) => self.group("", "all", negated, |this| {
                let mut truth = Truth::True;
                for part in parts {
                    truth = truth.min(this.part(part, negated));
                    if truth == Truth::False && this.lines.is_none() {
                        break;
                    }
                }
                truth
            }),
            Condition::Any(parts) => {
                self.group("", "any", negated, |this| parts.iter().fold(Truth::False, |truth, part| truth.max(this.part(part, negated))))
            }
            Condition::AtLeast(wanted, parts) => self.group("", &format!("at least {wanted} of"), negated, |this| {
                let (mut holding, mut unobserved) = (0, 0);
                for part in parts {
                    match this.part(part, negated) {
                        Truth::True => holding += 1,
                        Truth::NotObserved => unobserved += 1,
                        Truth::False => {}
                    }
                }
                Truth::at_least(*wanted, holding, unobserved)
            }),
            // A line that says `not` is one line: under its own text stands whether it holds.
            Condition::Not(part) => {
                let name = match &**part {
                    Condition::Test(Leaf { note, .. }) | Condition::Late(_, note) if !note.text.is_empty() => &note.text,
                    _ => "not",
                };
                self.group("", name, true, |this| !this.part(part, true))
            }
        }
    }

    /// A group that is false, and each one inside `not`, leaves no capture and no proof.
    fn group(&mut self, label: &str, name: &str, negated: bool, inside: impl FnOnce(&mut Self) -> Truth) -> Truth {
        let mark = Mark { changes: self.changes.len(), deciding: self.deciding.len() };
        let at = self.lines.as_ref().map(Vec::len);
        if let Some(lines) = &mut self.lines {
            lines.push(Line {
                depth: self.depth,
                label: label.into(),
                text: name.into(),
                truth: Truth::False,
                because: Because::Group,
                miss: None,
            });
        }
        self.depth += 1;
        let truth = inside(self);
        self.depth -= 1;
        if let (Some(lines), Some(at)) = (&mut self.lines, at) {
            lines[at].truth = truth;
        }
        if truth == Truth::False || negated {
            self.take_back(mark);
        }
        truth
    }

    fn take_back(&mut self, mark: Mark) {
        for (var, value, bound) in self.changes.drain(mark.changes..).rev() {
            self.vars[var as usize] = value;
            self.bound[var as usize] = bound;
        }
        self.deciding.truncate(mark.deciding);
    }

    fn set(&mut self, var: VarId, value: Datum, bound: bool) {
        let at = var as usize;
        self.changes.push((var, std::mem::replace(&mut self.vars[at], value), std::mem::replace(&mut self.bound[at], bound)));
    }

    fn leaf(&mut self, leaf: &'a Leaf, negated: bool) -> Truth {
        let truth = self.board.truth(leaf.test);
        let mut decided = None;
        if truth == Truth::True {
            decided = self.decide(leaf, negated);
        } else if truth == Truth::NotObserved {
            for &(_, var) in &leaf.captures {
                if !self.bound[var as usize] && self.vars[var as usize] == Datum::Missing {
                    self.set(var, Datum::NotObserved, false);
                }
            }
        }
        if self.lines.is_some() {
            let because = self.because(leaf.test, decided.as_ref());
            let miss = if truth == Truth::False { self.missed(leaf.test) } else { None };
            self.explain(&leaf.note, truth, because, miss);
        }
        if !negated {
            self.deciding.extend(decided);
        }
        truth
    }

    /// Finds the value that makes a true test true, and binds its captures.
    fn decide(&mut self, leaf: &'a Leaf, negated: bool) -> Option<Deciding<'a>> {
        let plan = self.plan();
        let board = self.board;
        let test = &plan.plan().tests[leaf.test as usize];
        let found = board.slot(test.slot).ok()?;
        let mut decided = Deciding { slot: test.slot, values: found, at: 0, span: None, redacted: Vec::new() };
        if let Predicate::Matches(pattern) = test.predicate {
            let pattern = plan.pattern(pattern);
            let binds = |&(_, var): &(String, VarId)| !self.bound[var as usize] || self.signature.vars[var as usize].redact;
            let capture = !negated && leaf.captures.iter().any(binds);
            let (at, (span, captures)) = found.values.iter().enumerate().find_map(|(at, value)| {
                let haystack = pattern.haystack(value)?;
                Some((at, board.backend().find(leaf.test, pattern, haystack)?))
            })?;
            decided.at = at;
            decided.span = Some(span);
            if capture {
                self.bind(leaf, &found.values[at], &captures, &mut decided);
            }
            return Some(decided);
        }
        let at = found.values.iter().position(|value| holds(plan, &test.predicate, ValueView::of(value)));
        match test.predicate {
            Predicate::Absent | Predicate::Complete => return None,
            Predicate::Present => {}
            _ => decided.at = at?,
        }
        let bytes = found.values.get(decided.at).and_then(Value::as_bytes).unwrap_or_default();
        decided.span = match &test.predicate {
            Predicate::Starts(prefix) => Some((0, prefix.len())),
            Predicate::Ends(suffix) => bytes.len().checked_sub(suffix.len()).map(|start| (start, bytes.len())),
            Predicate::Contains(needle) => memchr::memmem::find(bytes, needle).map(|start| (start, start + needle.len())),
            _ => None,
        };
        Some(decided)
    }

    fn bind(&mut self, leaf: &Leaf, value: &Value, captures: &[crate::pattern::Capture<'_>], decided: &mut Deciding<'a>) {
        for (group, var) in &leaf.captures {
            let Some(&(_, span)) = captures.iter().find(|(name, _)| name == group) else { continue };
            let described = &self.signature.vars[*var as usize];
            if described.redact {
                decided.redacted.push(span);
            }
            if !self.bound[*var as usize] {
                let datum = convert(&part_of_value(value, span), &described.ty, described.scheme.as_ref());
                self.set(*var, datum, true);
            }
        }
    }

    /// The value of an expression of a line.
    fn value(&self, expr: &'a Expr) -> Datum {
        if self.traits.late_reads_steps {
            self.scope(&self.stepped(), None).eval(expr).into_owned()
        } else {
            self.scope(&self.vars, None).eval(expr).into_owned()
        }
    }

    /// A pattern over an element, that binds captures.
    fn search(&mut self, search: &'a Search, negated: bool) -> Truth {
        let value = self.value(&search.value);
        let pattern = self.plan().pattern(search.pattern);
        let haystack = match (&value, pattern.on_bytes()) {
            (Datum::Text(text), false) => Some(text.as_bytes()),
            (Datum::Bytes(bytes), true) => Some(bytes.as_slice()),
            _ => None,
        };
        let found = haystack.and_then(|haystack| pattern.find_captures(haystack));
        let truth = match (&found, &value) {
            (Some(_), _) => Truth::True,
            (None, Datum::NotObserved) => Truth::NotObserved,
            _ => Truth::False,
        };
        for (group, var) in search.captures.iter().filter(|_| !negated) {
            let described = &self.signature.vars[*var as usize];
            let span = found.as_ref().and_then(|(_, groups)| groups.iter().find(|(name, _)| name == group)).map(|&(_, span)| span);
            if let Some(span) = span {
                if described.redact {
                    self.redacted.push(span);
                }
                if !self.bound[*var as usize] {
                    self.set(*var, convert(&part_of(&value, span), &described.ty, described.scheme.as_ref()), true);
                }
            } else if truth == Truth::NotObserved && !self.bound[*var as usize] && self.vars[*var as usize] == Datum::Missing {
                self.set(*var, Datum::NotObserved, false);
            }
        }
        if self.lines.is_some() {
            let because = Because::Captures(self.visible());
            let miss = haystack.filter(|_| truth == Truth::False).and_then(|text| miss::of_pattern(pattern, std::iter::once(text)));
            self.explain(&search.note, truth, because, miss.filter(|_| !self.reads_hidden(&search.value)).map(Miss::Text));
        }
        truth
    }

    /// Lines about each element. The first element that decides leaves its captures and its lines.
    fn each(&mut self, each: &'a Each, negated: bool) -> Truth {
        let list = self.value(&each.list);
        let elements = items(&list);
        let mut truth = match (&list, &each.list) {
            (Datum::Missing, _) => Truth::False,
            (Datum::NotObserved, _) => Truth::NotObserved,
            (_, Expr::Slot(slot, _)) if each.every => self.board.whole(*slot),
            _ => Truth::from_bool(each.every),
        };
        let mut deciding: Option<(usize, Truth)> = None;
        if list != Datum::NotObserved {
            let lines = self.lines.take();
            for (at, element) in elements.iter().enumerate() {
                let mark = Mark { changes: self.changes.len(), deciding: self.deciding.len() };
                let one = self.of_element(each, element, negated);
                self.take_back(mark);
                if deciding.is_none_or(|(_, most)| if each.every { one < most } else { one > most }) {
                    deciding = Some((at, one));
                }
                truth = if each.every { truth.min(one) } else { truth.max(one) };
                if one == Truth::from_bool(!each.every) {
                    break;
                }
            }
            self.lines = lines;
        }
        self.group(&each.note.label, &each.note.text, negated, |this| {
            if let Some((at, _)) = deciding {
                let redacted = std::mem::take(&mut this.redacted);
                this.of_element(each, &elements[at], negated);
                let redacted = std::mem::replace(&mut this.redacted, redacted);
                if let (Truth::True, Expr::Slot(slot, _)) = (truth, &each.list)
                    && let Ok(values) = this.board.slot(*slot)
                {
                    this.deciding.push(Deciding { slot: *slot, values, at, span: None, redacted });
                }
            }
            truth
        })
    }

    fn of_element(&mut self, each: &'a Each, element: &Datum, negated: bool) -> Truth {
        self.vars[each.element as usize] = element.clone();
        let truth = self.part(&each.lines, negated);
        self.vars[each.element as usize] = Datum::Missing;
        truth
    }

    fn late(&mut self, expr: &'a Expr, note: &'a LineNote) -> Truth {
        let notes_before = self.notes.borrow().len();
        let truth = truth_of(&self.value(expr));
        if self.lines.is_some() {
            let because = match self.notes.borrow().get(notes_before) {
                Some(note) => Because::Incomparable(note.clone()),
                None => Because::Captures(self.visible()),
            };
            let miss = if truth == Truth::False { self.missed_late(expr) } else { None };
            self.explain(note, truth, because, miss);
        }
        truth
    }

    /// All variables after the steps, in source order.
    fn stepped(&self) -> Vec<Datum> {
        let mut vars = self.vars.clone();
        for (var, expr) in &self.signature.steps {
            let described = &self.signature.vars[*var as usize];
            let value = self.scope(&vars, None).eval(expr).into_owned();
            vars[*var as usize] = convert(&value, &described.ty, described.scheme.as_ref());
        }
        vars
    }

    /// A capture as it stands now.
    pub fn capture(&self, var: VarId) -> Datum {
        self.vars[var as usize].clone()
    }

    /// A line for each follow whose place an answer names: what is asked for, or why nothing is (V13).
    pub fn explain_follows(&mut self) {
        for follow in &self.signature.follows {
            let Probe::Named(named) = &self.plan().plan().probes[follow.probe as usize] else { continue };
            let unseen = |slot: SlotId| matches!(self.board.slot(slot), Err(Gap::NotObserved));
            let (truth, because) = match (self.board.named(follow.probe), &named.from) {
                (Some(Ok(place)), _) => (Truth::True, Because::Named { probe: place.probe.clone() }),
                (Some(Err(refusal)), _) => (Truth::False, Because::Refused(refusal.clone())),
                (None, NamedFrom::Slot(slot, _)) if unseen(*slot) => (Truth::NotObserved, Because::Unnamed),
                (None, _) => (Truth::False, Because::Unnamed),
            };
            let note = LineNote { label: follow.name.clone(), text: follow.text.clone() };
            self.explain(&note, truth, because, None);
        }
    }

    /// What the signature says, given the truth of its condition.
    pub fn verdict(&mut self, id: SignatureId, truth: Truth) -> Verdict {
        self.vars = self.stepped();
        let signature = self.signature;
        let scope = self.scope(&self.vars, Some(&self.traits.hidden));
        let support = signature.support.as_ref().map_or_else(SupportFacts::default, |support| SupportFacts {
            ends: support.ends.as_ref().map(|expr| scope.eval(expr).into_owned()),
            latest: support.latest.as_ref().map(|expr| scope.eval(expr).into_owned()),
            scheme: support.scheme.clone(),
        });
        let identity_var_bound = signature.identities.iter().flat_map(|identity| &identity.slots).any(|(_, expr)| {
            let bound = |var: VarId| self.bound[var as usize] && self.vars[var as usize] != Datum::Missing;
            mentions(expr, &bound)
        });
        self.grade.set(Grade::Observed);
        let identities: Vec<Identity> = signature.identities.iter().map(|identity| identity_of(&scope, identity)).collect();
        let grade = self.grade.get();
        let text_observed = self.deciding.iter().any(|decided| decided.is_text());
        Verdict {
            signature: id,
            truth,
            identities,
            grade: signature.grade.min(grade),
            components: signature.components.iter().filter_map(|component| component_of(&scope, component)).collect(),
            details: signature.details.iter().filter_map(|(name, expr)| Some((name.clone(), shown(&scope, expr)?))).collect(),
            tags: self.tags(&scope),
            support,
            proof: crate::proof::list(self.board, &self.deciding),
            incomparable: self.notes.borrow().clone(),
            observed: identity_var_bound || text_observed,
        }
    }

    fn tags(&self, shown: &Scope<'_>) -> Vec<Tag> {
        let all = self.scope(&self.vars, None);
        let mut tags: Vec<Tag> = Vec::new();
        for tag in &self.signature.tags {
            match &tag.each {
                None => tags.extend(attached(tag, &all, shown)),
                Some(each) => self.tags_of_rows(tag, each, &mut tags),
            }
        }
        tags.sort();
        tags.dedup();
        tags
    }

    fn tags_of_rows(&self, tag: &'a TagPlan, each: &'a EachRow, tags: &mut Vec<Tag>) {
        let mut vars = self.vars.clone();
        let most = tags.len() + TAGS_OF_ROWS_MAX;
        for row in self.rows_for(each) {
            vars[each.row as usize] = Datum::Row(each.table, row);
            let (all, shown) = (self.scope(&vars, None), self.scope(&vars, Some(&self.traits.hidden)));
            if each.filter.as_ref().is_none_or(|filter| all.truth(filter) == Truth::True) {
                tags.extend(attached(tag, &all, &shown));
            }
            if tags.len() == most {
                break;
            }
        }
    }

    /// A superset of the rows that a filter lets through, ascending.
    fn rows_for(&self, each: &'a EachRow) -> Vec<u32> {
        let all = self.scope(&self.vars, None);
        let known = crate::rows::asked(each).and_then(|(column, value)| self.plan().rows().rows(each.table, column, &all.eval(value)));
        known.unwrap_or_else(|| (0..self.plan().plan().tables[each.table as usize].rows.len() as u32).collect())
    }

    fn explain(&mut self, note: &LineNote, truth: Truth, because: Because, miss: Option<Miss>) {
        if let Some(lines) = &mut self.lines {
            lines.push(Line { depth: self.depth, label: note.label.clone(), text: note.text.clone(), truth, because, miss });
        }
    }

    fn because(&self, test: TestId, decided: Option<&Deciding<'a>>) -> Because {
        let plan = self.plan().plan();
        if let Some(decided) = decided {
            return Because::Fact(decided.proof(self.board, &[]));
        }
        let test = &plan.tests[test as usize];
        let probe = self.board.key(plan.slots[test.slot as usize].probe);
        match self.board.slot(test.slot) {
            Ok(values) => {
                Because::Fact(Deciding { slot: test.slot, values, at: 0, span: None, redacted: Vec::new() }.proof(self.board, &[]))
            }
            Err(Gap::ProvenAbsent) => Because::ProvenAbsent { probe },
            Err(Gap::NotObserved) => Because::NotObserved { probe },
            Err(Gap::Missing) => {
                let response = self.board.response(plan.slots[test.slot as usize].probe);
                Because::Missing { probe, ended: response.map(|response| response.ended) }
            }
        }
    }

    /// How near the values of a field came to a test that is false of all of them.
    fn missed(&self, test: TestId) -> Option<Miss> {
        let plan = self.plan();
        let test = &plan.plan().tests[test as usize];
        let found = self.board.slot(test.slot).ok().filter(|found| !found.fact.field.redact)?;
        let texts = found.values.iter().filter_map(Value::as_bytes);
        let text = match &test.predicate {
            Predicate::Matches(pattern) => {
                let pattern = plan.pattern(*pattern);
                miss::of_pattern(pattern, found.values.iter().filter_map(|value| pattern.haystack(value)))
            }
            Predicate::Equals(wanted) | Predicate::Starts(wanted) => miss::of_texts(texts, &[wanted]),
            Predicate::Contains(wanted) => miss::of_inside(texts, wanted),
            Predicate::OneOf(all) => miss::of_texts(texts, &all.iter().map(Vec::as_slice).collect::<Vec<_>>()),
            Predicate::Under(oid) => miss::of_texts(texts, &[oid.as_bytes()]),
            Predicate::IntIn(low, high) => {
                let numbers = found.values.iter().filter_map(|value| if let Value::Int(value) = value { Some(*value) } else { None });
                let left = numbers.min_by_key(|value| if value < low { low.abs_diff(*value) } else { value.abs_diff(*high) })?;
                let (op, right) = if low == high { ("==", low.to_string()) } else { ("in", format!("{low} ..= {high}")) };
                return Some(Miss::Order { left: left.to_string(), op, right, side: if left < *low { "below" } else { "above" } });
            }
            Predicate::Ends(_) | Predicate::Present | Predicate::Absent | Predicate::Complete | Predicate::Bool(_) => None,
        };
        text.map(Miss::Text)
    }

    /// Both sides of a comparison that is false, or the key that is nearest to one that there is not.
    fn missed_late(&self, expr: &'a Expr) -> Option<Miss> {
        if self.reads_hidden(expr) {
            return None;
        }
        let vars = if self.traits.late_reads_steps { self.stepped() } else { self.vars.clone() };
        match expr {
            Expr::Compare(op, scheme, a, b) => {
                let is = |op| Expr::Compare(op, scheme.clone(), a.clone(), b.clone());
                let (below, above, equal) = (is(CompareOp::Lt), is(CompareOp::Gt), is(CompareOp::Eq));
                let scope = self.scope(&vars, Some(&self.traits.hidden));
                let (left, right) = (text_of(&scope.eval(a))?, text_of(&scope.eval(b))?);
                let ordered = !matches!(scope.eval(a).as_ref(), Datum::Text(_)) || scheme.is_some();
                let sides = [(&below, "below"), (&above, "above"), (&equal, "equal")];
                let side = sides.into_iter().find(|(holds, _)| ordered && scope.truth(holds) == Truth::True).map(|(_, side)| side);
                // Texts without an order are told apart by their characters.
                match side {
                    None if !ordered => miss::of_texts(std::iter::once(left.as_bytes()), &[right.as_bytes()]).map(Miss::Text),
                    side => Some(Miss::Order { left, op: miss::op_text(*op), right, side: side.unwrap_or("incomparable") }),
                }
            }
            Expr::Within(_, value, range) => {
                let scope = self.scope(&vars, Some(&self.traits.hidden));
                let range = scope.eval(range);
                let (left, right) = (text_of(&scope.eval(value))?, text_of(&range)?);
                Some(Miss::Order { left, op: "in", right, side: "outside" })
            }
            Expr::InTable(table, key) => {
                let scope = self.scope(&vars, Some(&self.traits.hidden));
                let key = text_of(&scope.eval(key))?;
                let table = &self.plan().plan().tables[*table as usize];
                let column = table.key? as usize;
                let nearest = miss::nearest_key(table.rows.iter().filter_map(|row| Table::key_text(&row[column])), &key)?;
                Some(Miss::Key { table: table.name.clone(), key, nearest })
            }
            _ => None,
        }
    }

    /// Whether an expression reads what is marked `redact`, in a variable or in a field.
    fn reads_hidden(&self, expr: &Expr) -> bool {
        let own = match expr {
            Expr::Var(var) => self.traits.hidden[*var as usize],
            Expr::Slot(slot, _) | Expr::Pick(slot, ..) => self.board.slot(*slot).is_ok_and(|found| found.fact.field.redact),
            _ => false,
        };
        let mut found = own;
        expr.each_part(&mut |part| found |= self.reads_hidden(part));
        found
    }

    /// Variables that have a value as text, those that are redacted too.
    pub fn names(&self) -> BTreeMap<String, String> {
        self.names_where(|_| true)
    }

    /// Variables that have a value as text, without what is redacted.
    fn visible(&self) -> BTreeMap<String, String> {
        self.names_where(|at| !self.traits.hidden[at])
    }

    fn names_where(&self, wanted: impl Fn(usize) -> bool) -> BTreeMap<String, String> {
        let vars = self.signature.vars.iter().zip(&self.vars).enumerate().filter(|(at, _)| wanted(*at));
        vars.filter_map(|(_, (var, value))| Some((var.name.clone(), written(value, &var.ty)?))).collect()
    }

    /// The lines with their reasons, the variables, and the versions that could not be compared; after [`Evaluation::verdict`].
    pub fn explained(self) -> (Vec<Line>, BTreeMap<String, String>, Vec<Incomparable>) {
        let captures = self.visible();
        let notes = self.notes.into_inner();
        (self.lines.unwrap_or_default(), captures, notes)
    }
}

/// A value as a literal of its type says it: of a hash its digits, of bytes what is not ASCII as `\xNN`, of all else its text.
fn written(value: &Datum, ty: &Type) -> Option<String> {
    match (value, ty.required()) {
        (Datum::Bytes(bytes), Type::Hash) => Some(form::hex_digits(bytes)),
        (Datum::Bytes(bytes), _) => Some(bytes.escape_ascii().to_string()),
        _ => text_of(value),
    }
}

/// A tag whose guard is true.
fn attached<'a>(tag: &'a TagPlan, all: &Scope<'a>, shown: &Scope<'a>) -> Option<Tag> {
    if tag.when.as_ref().is_some_and(|when| all.truth(when) != Truth::True) {
        return None;
    }
    let params = tag.params.iter().filter_map(|(name, expr)| Some((name.clone(), text_of(&shown.eval(expr))?)));
    Some(Tag { name: tag.name.clone(), params: params.collect() })
}

fn identity_of(scope: &Scope<'_>, plan: &IdentityPlan) -> Identity {
    let mut identity = Identity { facet: plan.facet.clone(), ..Identity::default() };
    for (slot, expr) in &plan.slots {
        let text = shown(scope, expr);
        match slot {
            IdentitySlot::Vendor => identity.vendor = text,
            IdentitySlot::Brand => identity.brand = text,
            IdentitySlot::Series => identity.series = text,
            IdentitySlot::Model => identity.model = text,
            IdentitySlot::Version => identity.version = text,
            IdentitySlot::Class => identity.class = text,
            IdentitySlot::Cpe => identity.cpe = text,
        }
    }
    identity
}

fn component_of(scope: &Scope<'_>, plan: &ComponentPlan) -> Option<Component> {
    Some(Component {
        vendor: plan.vendor.as_ref().and_then(|expr| shown(scope, expr)),
        product: shown(scope, &plan.product)?,
        series: plan.series.as_ref().and_then(|expr| shown(scope, expr)),
        version: plan.version.as_ref().and_then(|expr| shown(scope, expr)),
        cpe: plan.cpe.as_ref().and_then(|expr| shown(scope, expr)),
    })
}

/// As text; an empty one says nothing.
fn shown(scope: &Scope<'_>, expr: &Expr) -> Option<String> {
    text_of(&scope.eval(expr)).filter(|text| !text.is_empty())
}
