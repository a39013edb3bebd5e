//! Lowers the typed program to a plan: equal slots, patterns and tests become one, lines that one slot decides become tests, the rest
//! stays an expression that is evaluated for winners only.
//!
//! In: [`hir::Program`] without errors. Out: [`Plan`], a function of the set of signatures: all lists are made in the order of names.

use std::collections::{BTreeMap, HashMap};

use ksig_runtime::plan::*;
use ksig_schema::identification::Grade;
use ksig_schema::{PlannedProbe, Policy, ProbePlan, Request, Type};

use crate::hir::{self, Asks, ExprKind, FieldRef};
use crate::{ReleaseName, tables};

/// Lowers all signatures that the release may hold: unverified ones only where it says so.
pub fn plan(program: &hir::Program, release: &ReleaseName) -> Plan {
    let chosen: Vec<&hir::Signature> =
        program.signatures.iter().filter(|s| release.unverified || s.meta.grade != Grade::Unverified).collect();
    let mut lowering = Lowering {
        plan: Plan {
            release: release.id.clone(),
            date: release.date,
            tables: program.tables.clone(),
            choices: program.choices.iter().map(|choice| choice.name.clone()).collect(),
            vocabulary: program.vocabulary.clone(),
            probe_plan: probe_plan(&chosen, &release.policy),
            ..Plan::default()
        },
        tables: program.tables.iter().enumerate().map(|(id, table)| (table.name.as_str(), id as u32)).collect(),
        bases: program.signatures.iter().filter_map(|s| Some((s.name.as_str(), s.refines.as_deref()?))).collect(),
        members: members(program),
        signatures: chosen.iter().enumerate().map(|(id, signature)| (signature.name.as_str(), id as u32)).collect(),
        probes: HashMap::new(),
        slots: HashMap::new(),
        patterns: HashMap::new(),
        tests: HashMap::new(),
    };
    for signature in &chosen {
        let roles = if signature.scope == hir::Scope::Host { signature.first_stage() } else { Vec::new() };
        let lowered = Lowerer { lowering: &mut lowering, signature, roles }.signature();
        lowering.plan.signatures.push(lowered);
    }
    lowering.plan
}

/// Every probe that the policy allows once, with the ports of all signatures that read it; first-stage where any signature reads it so.
fn probe_plan(signatures: &[&hir::Signature], policy: &Policy) -> ProbePlan {
    let mut probes: BTreeMap<Request, PlannedProbe> = BTreeMap::new();
    let used = signatures.iter().flat_map(|signature| signature.sent_probes().into_iter().map(|id| signature.probe(id)));
    for probe in used.filter(|probe| policy.allows(probe.safety, &probe.requires)) {
        let request = probe.asks.request();
        let planned = probes.entry(request.clone()).or_insert_with(|| PlannedProbe {
            request,
            ports: Vec::new(),
            any_tls: false,
            follow_up: true,
            safety: probe.safety,
        });
        planned.ports.extend(&probe.ports);
        planned.any_tls |= probe.any_tls;
        planned.follow_up &= probe.hop > 0;
    }
    for planned in probes.values_mut() {
        planned.ports.sort_unstable();
        planned.ports.dedup();
    }
    ProbePlan { probes: probes.into_values().collect() }
}

/// Where each signature that a choice names stands.
fn members(program: &hir::Program) -> HashMap<&str, Member> {
    let choices = program.choices.iter().enumerate();
    let places = choices.flat_map(|(choice, described)| {
        let named = described.members.iter().enumerate();
        named.map(move |(place, name)| (name.as_str(), Member { choice: choice as u32, place: place as u32 }))
    });
    places.collect()
}

struct Lowering<'a> {
    plan: Plan,
    /// What each signature refines, whether or not the release holds it.
    bases: HashMap<&'a str, &'a str>,
    members: HashMap<&'a str, Member>,
    tables: HashMap<&'a str, TableId>,
    signatures: HashMap<&'a str, SignatureId>,
    probes: HashMap<Probe, ProbeId>,
    slots: HashMap<Slot, SlotId>,
    patterns: HashMap<Pattern, PatternId>,
    tests: HashMap<Test, TestId>,
}

/// One signature on its way into the plan.
struct Lowerer<'l, 'a> {
    lowering: &'l mut Lowering<'a>,
    signature: &'a hir::Signature,
    /// Of a signature about the whole host: the probes that are bound to services.
    roles: Vec<hir::ProbeId>,
}

impl<'a> std::ops::Deref for Lowerer<'_, 'a> {
    type Target = Lowering<'a>;

    fn deref(&self) -> &Lowering<'a> {
        self.lowering
    }
}

impl std::ops::DerefMut for Lowerer<'_, '_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.lowering
    }
}

impl<'a> Lowering<'a> {
    /// The signature itself, then what it refines, nearest first.
    fn lineage(&self, name: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::successors(Some(name), |name| self.bases.get(name).copied())
    }
}

impl Lowerer<'_, '_> {
    fn signature(&mut self) -> Signature {
        let signature = self.signature;
        let condition = simplify(self.condition(&signature.condition));
        let refines = self.lineage(&signature.name).skip(1).find_map(|base| self.signatures.get(base).copied());
        let choice = self.lineage(&signature.name).find_map(|name| self.members.get(name).copied());
        let follows: Vec<Follow> = signature
            .used_probes()
            .into_iter()
            .filter(|&id| signature.probe(id).hop > 0)
            .map(|id| {
                let hir::Probe { hop, name, text, .. } = signature.probe(id);
                Follow { probe: self.probe(id), hop: *hop, name: name.clone(), text: text.clone() }
            })
            .collect();
        let scope = match signature.scope {
            hir::Scope::Service => Scope::Service,
            hir::Scope::Host => Scope::Host(self.roles.clone().into_iter().map(|id| self.probe(id)).collect()),
        };
        let hops = follows.iter().map(|follow| follow.hop).max().unwrap_or_default();
        let gates = signature.gates.iter().take(hops as usize).map(|gate| simplify(self.condition(gate))).collect();
        Signature {
            name: signature.name.clone(),
            summary: signature.meta.summary.clone(),
            confidence: signature.meta.confidence,
            grade: signature.meta.grade,
            refines,
            choice,
            scope,
            vars: signature.vars.clone(),
            triggers: self.triggers(&condition).map_or_else(Vec::new, |(_, tests)| tests),
            condition,
            follows,
            gates,
            steps: signature.steps.iter().map(|(var, expr)| (*var, self.expr(expr))).collect(),
            identities: signature
                .identities
                .iter()
                .map(|identity| IdentityPlan {
                    facet: identity.facet.clone(),
                    slots: identity.slots.iter().map(|(slot, expr)| (*slot, self.expr(expr))).collect(),
                })
                .collect(),
            components: signature.components.iter().filter_map(|slots| self.component(slots)).collect(),
            details: signature.details.iter().map(|(name, expr)| (name.clone(), self.expr(expr))).collect(),
            tags: signature
                .tags
                .iter()
                .map(|tag| TagPlan {
                    name: tag.name.clone(),
                    each: tag.each.as_ref().map(|each| EachRow {
                        table: self.tables[each.table.as_str()],
                        row: each.row,
                        filter: each.filter.as_ref().map(|filter| self.expr(filter)),
                    }),
                    params: tag.params.iter().map(|(name, expr)| (name.clone(), self.expr(expr))).collect(),
                    when: tag.when.as_ref().map(|when| self.expr(when)),
                })
                .collect(),
            support: signature.support.as_ref().map(|support| SupportPlan {
                ends: support.ends.as_ref().map(|expr| self.expr(expr)),
                latest: support.latest.as_ref().map(|expr| self.expr(expr)),
                scheme: support.scheme.clone(),
            }),
        }
    }

    fn component(&mut self, slots: &[(String, hir::Expr)]) -> Option<ComponentPlan> {
        let mut of = |wanted: &str| slots.iter().find(|(name, _)| name == wanted).map(|(_, expr)| self.expr(expr));
        let (vendor, product, series) = (of("vendor"), of("product")?, of("series"));
        Some(ComponentPlan { vendor, product, series, version: of("version"), cpe: of("cpe") })
    }

    fn probe(&mut self, id: hir::ProbeId) -> ProbeId {
        let probe = match &self.signature.probe(id).asks {
            Asks::Exactly(key) => self.written(id, key),
            Asks::Named { constructor, any_port, from } => {
                let from = match &from.kind {
                    ExprKind::Var(var) => NamedFrom::Capture(self.signatures[self.signature.name.as_str()], *var),
                    ExprKind::Pick(field, pick, argument) => self.named_by(field, Some((*pick, argument.clone()))),
                    _ => self.named_by(from, None),
                };
                let reach = if *any_port { Reach::Address } else { Reach::Origin };
                let at = self.signature.probe(id).at.map(|at| self.probe(at));
                Probe::Named(Named { constructor: (*constructor).into(), reach, from, at })
            }
        };
        let next = self.plan.probes.len() as u32;
        *self.lowering.probes.entry(probe.clone()).or_insert_with(|| {
            self.lowering.plan.probes.push(probe);
            next
        })
    }

    /// A probe whose request is written out: read on the service at hand, or in a signature about the whole host on one of its own.
    fn written(&mut self, id: hir::ProbeId, key: &ksig_schema::ProbeKey) -> Probe {
        let signature = self.signature;
        let key = key.clone();
        if signature.scope == hir::Scope::Service || !key.is_sent() {
            return Probe::Exactly(key);
        }
        match signature.probe(id).at {
            Some(at) => Probe::Beside { key, at: self.probe(at) },
            None => {
                let asks = &signature.probe(id).asks;
                let earlier = self.roles.iter().filter(|&&other| other < id && signature.probe(other).asks == *asks);
                Probe::Bound { key, nth: earlier.count() as u32 }
            }
        }
    }

    /// A place in a field; only a mistake of the compiler's own could be anything else.
    fn named_by(&mut self, field: &hir::Expr, pick: Option<(ksig_schema::Pick, String)>) -> NamedFrom {
        match &field.kind {
            ExprKind::Field(field) => NamedFrom::Slot(self.slot(field), pick),
            other => unreachable!("the check lets only links name a place, not {other:?}"),
        }
    }

    fn slot(&mut self, field: &FieldRef) -> SlotId {
        let slot = Slot {
            probe: self.probe(field.probe),
            field: field.field.name.to_string(),
            key: field.key.clone(),
            section: field.field.section,
            fold_width: field.fold_width,
            raw: field.raw,
        };
        let next = self.plan.slots.len() as u32;
        *self.lowering.slots.entry(slot.clone()).or_insert_with(|| {
            self.lowering.plan.slots.push(slot);
            next
        })
    }

    fn pattern(&mut self, pattern: &Pattern) -> PatternId {
        let next = self.plan.patterns.len() as u32;
        *self.lowering.patterns.entry(pattern.clone()).or_insert_with(|| {
            self.lowering.plan.patterns.push(pattern.clone());
            next
        })
    }

    fn test(&mut self, slot: SlotId, predicate: Predicate) -> TestId {
        let test = Test { slot, predicate };
        let next = self.plan.tests.len() as u32;
        *self.lowering.tests.entry(test.clone()).or_insert_with(|| {
            self.lowering.plan.tests.push(test);
            next
        })
    }

    fn condition(&mut self, condition: &hir::Condition) -> Condition {
        match condition {
            hir::Condition::Line { expr, note } => self.line(expr, note),
            hir::Condition::All(lines) => Condition::All(lines.iter().map(|line| self.condition(line)).collect()),
            hir::Condition::Any(lines) => Condition::Any(lines.iter().map(|line| self.condition(line)).collect()),
            hir::Condition::AtLeast(count, lines) => Condition::AtLeast(*count, lines.iter().map(|line| self.condition(line)).collect()),
            hir::Condition::Each { every, element, list, lines, note } => {
                let list = *self.asked(list);
                let list = if let Expr::Slot(slot, _) = list { Expr::Slot(slot, true) } else { list };
                let present = if let Expr::Slot(slot, _) = list { Some(self.test(slot, Predicate::Present)) } else { None };
                let lines = simplify(Condition::All(lines.iter().map(|line| self.condition(line)).collect()));
                Condition::Each(Box::new(Each { every: *every, element: *element, list, present, lines, note: note.clone() }))
            }
            hir::Condition::None(lines) => {
                let mut fields = Vec::new();
                lines.iter().for_each(|line| line.walk(&mut |expr| fields.extend(field_of(expr))));
                let negated = Condition::Any(lines.iter().map(|line| self.condition(line)).collect());
                self.proven(&fields, Condition::Not(Box::new(negated)))
            }
        }
    }

    /// A negation with the proof that it needs: every section that it speaks of is complete (V3).
    fn proven(&mut self, fields: &[&FieldRef], negation: Condition) -> Condition {
        let mut all: Vec<Condition> = Vec::new();
        for field in sections(fields) {
            let slot = self.slot(field);
            let note = LineNote { label: String::new(), text: format!("{} answered in full", self.signature.probe(field.probe).name) };
            all.push(Condition::Test(Leaf { test: self.test(slot, Predicate::Complete), captures: Vec::new(), note }));
        }
        all.push(negation);
        Condition::All(all)
    }

    /// A line: a test where one slot decides, else a late expression.
    fn line(&mut self, expr: &hir::Expr, note: &LineNote) -> Condition {
        match &expr.kind {
            ExprKind::And(a, b) => Condition::All(vec![self.line(a, note), self.line(b, note)]),
            ExprKind::Or(a, b) => Condition::Any(vec![self.line(a, note), self.line(b, note)]),
            ExprKind::Not(inner) => {
                let mut fields = Vec::new();
                inner.walk(&mut |expr| fields.extend(field_of(expr)));
                let negated = Condition::Not(Box::new(self.line(inner, note)));
                self.proven(&fields, negated)
            }
            ExprKind::Matches(value, found) => match &value.kind {
                ExprKind::Field(field) => {
                    let (slot, pattern) = (self.slot(field), self.pattern(&found.pattern));
                    let test = self.test(slot, Predicate::Matches(pattern));
                    Condition::Test(Leaf { test, captures: found.captures.clone(), note: note.clone() })
                }
                _ if !found.captures.is_empty() => {
                    let (pattern, value) = (self.pattern(&found.pattern), self.expr(value));
                    Condition::Search(Search { pattern, value, captures: found.captures.clone(), note: note.clone() })
                }
                _ => Condition::Late(self.expr(expr), note.clone()),
            },
            ExprKind::InTable(value, table) if !has_plain_keys(&self.plan.tables[self.tables[table.as_str()] as usize]) => {
                let asked = Condition::Late(self.expr(expr), note.clone());
                let ExprKind::Field(field) = &value.kind else { return asked };
                // No test says it, so that the field is there wakes the signature.
                let slot = self.slot(field);
                let present = LineNote { label: String::new(), text: "present".into() };
                let present = Leaf { test: self.test(slot, Predicate::Present), captures: Vec::new(), note: present };
                Condition::All(vec![Condition::Test(present), asked])
            }
            _ => match self.predicates(expr) {
                Some((slot, predicates)) => {
                    let mut tests: Vec<Condition> = predicates
                        .into_iter()
                        .map(|predicate| {
                            Condition::Test(Leaf { test: self.test(slot, predicate), captures: Vec::new(), note: note.clone() })
                        })
                        .collect();
                    if tests.len() == 1 { tests.remove(0) } else { Condition::Any(tests) }
                }
                None => Condition::Late(self.expr(expr), note.clone()),
            },
        }
    }

    /// The slot and the predicates of which one must hold; absent where more than one slot or a variable decides.
    fn predicates(&mut self, expr: &hir::Expr) -> Option<(SlotId, Vec<Predicate>)> {
        let field_and = |e: &hir::Expr| if let ExprKind::Field(field) = &e.kind { Some(field.clone()) } else { None };
        let constant = |e: &hir::Expr| if let ExprKind::Const(datum) = &e.kind { Some(datum.clone()) } else { None };
        let (field, predicates) = match &expr.kind {
            ExprKind::Field(field) if *expr.ty.required() == Type::Bool => (field.clone(), vec![Predicate::Bool(true)]),
            ExprKind::Absent(e) => (field_and(e)?, vec![Predicate::Absent]),
            ExprKind::Present(e) => (field_and(e)?, vec![Predicate::Present]),
            ExprKind::Under(e, oid) => (field_and(e)?, vec![Predicate::Under(oid.clone())]),
            ExprKind::Compare(op, None, a, b) => (field_and(a)?, vec![comparison(*op, &constant(b)?)?]),
            ExprKind::TextTest(op, a, b) => {
                let bytes = bytes_of(&constant(b)?)?;
                let predicate = match op {
                    TextOp::Starts => Predicate::Starts(bytes),
                    TextOp::Ends => Predicate::Ends(bytes),
                    TextOp::Contains => Predicate::Contains(bytes),
                };
                (field_and(a)?, vec![predicate])
            }
            ExprKind::InList(a, items) => {
                let field = field_and(a)?;
                let predicates = match items.first()? {
                    Datum::Int(_) => items.iter().map(|item| comparison(CompareOp::Eq, item)).collect::<Option<Vec<_>>>()?,
                    _ => vec![one_of(items.iter().map(bytes_of).collect::<Option<_>>()?)],
                };
                (field, predicates)
            }
            ExprKind::InTable(a, table) => {
                let keys =
                    tables::keys(&self.plan.tables[self.tables[table.as_str()] as usize]).map(|key| key.as_bytes().to_vec()).collect();
                (field_and(a)?, vec![one_of(keys)])
            }
            ExprKind::InRange { value, low, high, inclusive, scheme: None } => {
                let (Datum::Int(low), Datum::Int(high)) = (constant(low)?, constant(high)?) else { return None };
                let high = if *inclusive { high } else { high.checked_sub(1)? };
                (field_and(value)?, vec![Predicate::IntIn(low, high)])
            }
            _ => return None,
        };
        Some((self.slot(&field), predicates))
    }

    /// What a question is put to: of a field with several values, all of them (V4).
    fn asked(&mut self, expr: &hir::Expr) -> Box<Expr> {
        Box::new(match &expr.kind {
            ExprKind::Field(field) => Expr::Slot(self.slot(field), field.field.many),
            _ => self.expr(expr),
        })
    }

    /// A value; of a field with several, the first.
    fn expr(&mut self, expr: &hir::Expr) -> Expr {
        let mut boxed = |e: &hir::Expr| Box::new(self.expr(e));
        match &expr.kind {
            ExprKind::Const(datum) => Expr::Const(datum.clone()),
            ExprKind::Var(id) => Expr::Var(*id),
            ExprKind::Field(field) => Expr::Slot(self.slot(field), false),
            ExprKind::Pick(field, pick, argument) => match &field.kind {
                ExprKind::Field(field) => Expr::Pick(self.slot(field), *pick, argument.clone()),
                other => unreachable!("a selector picks from a field, not from {other:?}"),
            },
            ExprKind::ScanDate => Expr::ScanDate,
            ExprKind::Row(table, key) => {
                let key = boxed(key);
                Expr::Row(self.tables[table.as_str()], key)
            }
            ExprKind::Column(row, index) => Expr::Column(boxed(row), *index),
            ExprKind::Compare(op, scheme, a, b) => Expr::Compare(*op, scheme.clone(), self.asked(a), self.asked(b)),
            ExprKind::TextTest(op, a, b) => Expr::TextTest(*op, self.asked(a), self.asked(b)),
            ExprKind::Matches(value, found) => {
                let value = self.asked(value);
                Expr::Matches(self.pattern(&found.pattern), value)
            }
            ExprKind::Extract(value, pattern, group) => {
                let value = self.asked(value);
                Expr::Extract(self.pattern(pattern), group.clone(), value)
            }
            ExprKind::InList(value, items) => Expr::In(self.asked(value), Box::new(Expr::Const(Datum::List(items.clone())))),
            ExprKind::InTable(value, table) => {
                let table = self.tables[table.as_str()];
                Expr::InTable(table, self.asked(value))
            }
            ExprKind::Latest { table, column, key, at } => {
                let (key, at) = (boxed(key), boxed(at));
                Expr::Latest { table: self.tables[table.as_str()], column: *column, key, at }
            }
            ExprKind::InRange { value, low, high, inclusive, scheme } => {
                let range = Expr::Range(Box::new(self.expr(low)), Box::new(self.expr(high)), *inclusive);
                Expr::Within(scheme.clone(), self.asked(value), Box::new(range))
            }
            ExprKind::Range(low, high, inclusive) => Expr::Range(boxed(low), boxed(high), *inclusive),
            ExprKind::Within(scheme, value, range) => Expr::Within(scheme.clone(), self.asked(value), self.asked(range)),
            ExprKind::Under(value, oid) => {
                let (exact, below) = (Datum::Text(oid.clone()), Datum::Text(format!("{oid}.")));
                let same = Expr::Compare(CompareOp::Eq, None, self.asked(value), Box::new(Expr::Const(exact)));
                let under = Expr::TextTest(TextOp::Starts, self.asked(value), Box::new(Expr::Const(below)));
                Expr::Or(Box::new(same), Box::new(under))
            }
            ExprKind::Absent(a) => Expr::Absent(boxed(a)),
            ExprKind::Present(a) => Expr::Present(boxed(a)),
            ExprKind::Not(a) => {
                let mut fields = Vec::new();
                a.walk(&mut |expr| fields.extend(field_of(expr)));
                let negation = Expr::Not(boxed(a));
                let proof = sections(&fields).into_iter().map(|field| Expr::Whole(self.slot(field)));
                proof.fold(negation, |all, whole| Expr::And(Box::new(all), Box::new(whole)))
            }
            ExprKind::And(a, b) => Expr::And(boxed(a), boxed(b)),
            ExprKind::Or(a, b) => Expr::Or(boxed(a), boxed(b)),
            ExprKind::If(a, b, c) => Expr::If(boxed(a), boxed(b), boxed(c)),
            ExprKind::FirstOf(all) => Expr::FirstOf(all.iter().map(|one| self.expr(one)).collect()),
            ExprKind::Template(parts) => Expr::Template(parts.iter().map(|(part, cpe)| (self.expr(part), *cpe)).collect()),
            ExprKind::Convert(value, scheme) => Expr::Convert(expr.ty.required().clone(), scheme.clone(), boxed(value)),
        }
    }

    /// Tests of which one is not false whenever the condition is not, with their weight; absent where there are none.
    ///
    /// A heavier set is a worse choice: it holds tests that are true for many responses.
    fn triggers(&self, condition: &Condition) -> Option<(u32, Vec<TestId>)> {
        match condition {
            Condition::Test(leaf) => {
                let weight = match &self.plan.tests[leaf.test as usize].predicate {
                    Predicate::Equals(_) | Predicate::OneOf(_) | Predicate::Under(_) => 1,
                    Predicate::Starts(_) | Predicate::Ends(_) | Predicate::Contains(_) | Predicate::Matches(_) => 2,
                    Predicate::IntIn(..) | Predicate::Bool(_) => 50,
                    Predicate::Present | Predicate::Absent | Predicate::Complete => 100,
                };
                Some((weight, vec![leaf.test]))
            }
            Condition::Each(each) => Some((100, vec![each.present?])),
            Condition::Late(..) | Condition::Search(_) | Condition::Not(_) => None,
            Condition::All(all) => all.iter().filter_map(|one| self.triggers(one)).min(),
            Condition::Any(all) => union(all.iter().map(|one| self.triggers(one)).collect::<Option<Vec<_>>>()?),
            Condition::AtLeast(count, all) => {
                let known: Vec<_> = all.iter().filter_map(|one| self.triggers(one)).collect();
                let without = all.len() - known.len();
                if *count as usize > without { union(known) } else { None }
            }
        }
    }
}

/// Keys that are compared byte for byte.
fn has_plain_keys(table: &Table) -> bool {
    table.folds.is_empty() && tables::has_text_keys(table)
}

fn union(sets: Vec<(u32, Vec<TestId>)>) -> Option<(u32, Vec<TestId>)> {
    let weight = sets.iter().map(|(weight, _)| weight).sum();
    let mut tests: Vec<TestId> = sets.into_iter().flat_map(|(_, tests)| tests).collect();
    tests.sort_unstable();
    tests.dedup();
    (!tests.is_empty()).then_some((weight, tests))
}

/// One field of each section that these fields stand in.
fn sections<'h>(fields: &[&'h FieldRef]) -> Vec<&'h FieldRef> {
    let mut one_each: Vec<&FieldRef> = Vec::new();
    for field in fields {
        if !one_each.iter().any(|known| known.probe == field.probe && known.field.section == field.field.section) {
            one_each.push(field);
        }
    }
    one_each
}

fn field_of(expr: &hir::Expr) -> Option<&FieldRef> {
    if let ExprKind::Field(field) = &expr.kind { Some(field) } else { None }
}

fn bytes_of(datum: &Datum) -> Option<Vec<u8>> {
    match datum {
        Datum::Text(text) => Some(text.as_bytes().to_vec()),
        Datum::Bytes(bytes) => Some(bytes.clone()),
        _ => None,
    }
}

fn one_of(mut values: Vec<Vec<u8>>) -> Predicate {
    values.sort();
    values.dedup();
    Predicate::OneOf(values)
}

fn comparison(op: CompareOp, constant: &Datum) -> Option<Predicate> {
    Some(match (op, constant) {
        (CompareOp::Eq, Datum::Bool(v)) => Predicate::Bool(*v),
        (CompareOp::Eq, Datum::Text(_) | Datum::Bytes(_)) => Predicate::Equals(bytes_of(constant)?),
        (CompareOp::Eq, Datum::Int(v)) => Predicate::IntIn(*v, *v),
        (CompareOp::Lt, Datum::Int(v)) => Predicate::IntIn(i64::MIN, v.checked_sub(1)?),
        (CompareOp::Le, Datum::Int(v)) => Predicate::IntIn(i64::MIN, *v),
        (CompareOp::Gt, Datum::Int(v)) => Predicate::IntIn(v.checked_add(1)?, i64::MAX),
        (CompareOp::Ge, Datum::Int(v)) => Predicate::IntIn(*v, i64::MAX),
        _ => return None,
    })
}

/// Groups of one line become that line, and groups of the same kind inside each other become one.
fn simplify(condition: Condition) -> Condition {
    let one_or = |mut all: Vec<Condition>, group: fn(Vec<Condition>) -> Condition| if all.len() == 1 { all.remove(0) } else { group(all) };
    match condition {
        Condition::All(all) => {
            let flat = all.into_iter().map(simplify).flat_map(|one| match one {
                Condition::All(inner) => inner,
                other => vec![other],
            });
            one_or(flat.collect(), Condition::All)
        }
        Condition::Any(all) => {
            let flat = all.into_iter().map(simplify).flat_map(|one| match one {
                Condition::Any(inner) => inner,
                other => vec![other],
            });
            one_or(flat.collect(), Condition::Any)
        }
        Condition::AtLeast(count, all) => Condition::AtLeast(count, all.into_iter().map(simplify).collect()),
        Condition::Not(inner) => Condition::Not(Box::new(simplify(*inner))),
        leaf @ (Condition::Test(_) | Condition::Late(..) | Condition::Search(_) | Condition::Each(_)) => leaf,
    }
}
