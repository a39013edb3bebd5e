//! What one service's answers say about every slot and test of a plan.
//!
//! In: the responses of a service. Out: a [`Board`]: for each slot its values or why it has none, for each test its truth. Filled by one pass over
//! the facts; a slot that no fact fills costs nothing.
//!
//! | state of a slot | when | its tests |
//! |---|---|---|
//! | present | the fact is there | by its values |
//! | proven absent | the probe answered, the section is whole, no value | absent and complete hold |
//! | missing | the probe failed, was not sent, or was cut before the field | none holds |
//! | not observed | another tool cut the evidence, and left the field out | none is known |

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use ksig_schema::{Fact, ProbeKey, Response, Section, Service, Value};

use crate::backend::{Backend, Truth, ValueView};
use crate::fold;
use crate::plan::*;
use crate::verify::VerifiedPlan;

/// Which slots a fact fills, and which tests an absence decides.
#[derive(Debug)]
pub(crate) struct SlotIndex {
    probes: HashMap<ProbeKey, ProbeId>,
    slots: HashMap<u64, Vec<SlotId>, BuildHasherDefault<Identity>>,
    /// By probe.
    shapes: Vec<ProbeTests>,
    /// By slot.
    presence: Vec<PresenceTests>,
}

/// Tests of a probe's slots.
#[derive(Debug, Default)]
struct ProbeTests {
    all: Vec<TestId>,
    /// `Absent` and `Complete` tests by section.
    head: Vec<TestId>,
    body: Vec<TestId>,
}

#[derive(Debug, Default)]
struct PresenceTests {
    present: Vec<TestId>,
    absent: Vec<TestId>,
    complete: Vec<TestId>,
}

/// The keys are hashes already.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(self.0, bytes);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// FNV-1a over words; only the plan's own names are ever inserted, so nobody can choose collisions.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let step = |state: u64, word: u64| (state ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
    let (words, rest) = bytes.as_chunks::<8>();
    let state = words.iter().fold(seed ^ bytes.len() as u64, |state, word| step(state, u64::from_le_bytes(*word)));
    rest.iter().fold(state, |state, &byte| step(state, u64::from(byte)))
}

fn slot_key(probe: ProbeId, field: &str, key: Option<&str>) -> u64 {
    let named = hash(u64::from(probe) + 1, field.as_bytes());
    key.map_or(named, |key| hash(named.rotate_left(7), key.as_bytes()))
}

impl SlotIndex {
    pub fn new(plan: &VerifiedPlan) -> SlotIndex {
        let tests = &plan.plan().tests;
        let plan = plan.plan();
        let mut index = SlotIndex {
            probes: plan.probes.iter().enumerate().map(|(id, key)| (key.clone(), id as ProbeId)).collect(),
            slots: HashMap::default(),
            shapes: plan.probes.iter().map(|_| ProbeTests::default()).collect(),
            presence: plan.slots.iter().map(|_| PresenceTests::default()).collect(),
        };
        for (id, slot) in plan.slots.iter().enumerate() {
            index.slots.entry(slot_key(slot.probe, &slot.field, slot.key.as_deref())).or_default().push(id as SlotId);
        }
        for (id, test) in tests.iter().enumerate() {
            let id = id as TestId;
            let slot = &plan.slots[test.slot as usize];
            let shapes = &mut index.shapes[slot.probe as usize];
            let presence = &mut index.presence[test.slot as usize];
            shapes.all.push(id);
            match test.predicate {
                Predicate::Present => presence.present.push(id),
                Predicate::Absent => presence.absent.push(id),
                Predicate::Complete => presence.complete.push(id),
                _ => continue,
            }
            if matches!(test.predicate, Predicate::Absent | Predicate::Complete) {
                match slot.section {
                    Section::Head => shapes.head.push(id),
                    Section::Body => shapes.body.push(id),
                }
            }
        }
        index
    }

    /// Slots that a fact fills. Two names of one hash are told apart here.
    fn slots_of<'i>(&'i self, plan: &'i Plan, probe: ProbeId, fact: &'i Fact) -> impl Iterator<Item = SlotId> + 'i {
        let key = slot_key(probe, fact.field.name, fact.key.as_deref());
        self.slots.get(&key).into_iter().flatten().copied().filter(move |&id| {
            let slot = &plan.slots[id as usize];
            slot.probe == probe && slot.field == fact.field.name && slot.key == fact.key
        })
    }
}

/// Buffers that are kept from one service to the next.
#[derive(Debug, Default)]
pub(crate) struct BoardScratch {
    truths: Vec<u8>,
    /// Tests whose truth may not be [`BoardScratch::base`].
    touched: Vec<TestId>,
    /// The truth of all others.
    base: Truth,
    /// Entry of a slot plus one; 0 for none.
    entry_of: Vec<u32>,
    filled: Vec<SlotId>,
    hits: Vec<TestId>,
}

impl BoardScratch {
    fn reset(&mut self, plan: &Plan, base: Truth) {
        if self.truths.len() != plan.tests.len() || self.entry_of.len() != plan.slots.len() {
            *self = BoardScratch {
                truths: vec![Truth::False as u8; plan.tests.len()],
                entry_of: vec![0; plan.slots.len()],
                ..BoardScratch::default()
            };
        }
        for slot in self.filled.drain(..) {
            self.entry_of[slot as usize] = 0;
        }
        if self.base == base {
            for test in self.touched.drain(..) {
                self.truths[test as usize] = base as u8;
            }
        } else {
            self.touched.clear();
            self.truths.fill(base as u8);
            self.base = base;
        }
    }

    fn set(&mut self, test: TestId, truth: Truth) {
        self.truths[test as usize] = truth as u8;
        if truth != self.base {
            self.touched.push(test);
        }
    }
}

/// A slot that has values.
struct Entry<'a> {
    slot: SlotId,
    fact: &'a Fact,
    /// For `/fold_width`.
    folded: Option<Vec<Value>>,
}

/// A slot's values with where they come from.
#[derive(Clone, Copy)]
pub(crate) struct SlotValues<'b> {
    pub values: &'b [Value],
    pub fact: &'b Fact,
}

/// Why a slot has no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    ProvenAbsent,
    /// Not proven: with how the response ended, if there was one.
    Missing,
    NotObserved,
}

/// The answers of one service, spread over the plan.
pub(crate) struct Board<'a> {
    plan: &'a VerifiedPlan,
    scratch: &'a BoardScratch,
    entries: Vec<Entry<'a>>,
    responses: Vec<(ProbeId, &'a Response)>,
    partial: bool,
}

/// A board while it is filled.
struct Filling<'a, 's> {
    plan: &'a VerifiedPlan,
    scratch: &'s mut BoardScratch,
    entries: Vec<Entry<'a>>,
    responses: Vec<(ProbeId, &'a Response)>,
    partial: bool,
}

impl<'a> Filling<'a, '_> {
    fn fill_response(&mut self, index: &SlotIndex, backend: &dyn Backend, probe: ProbeId, response: &'a Response) {
        let shapes = &index.shapes[probe as usize];
        if !response.partial {
            if self.partial {
                shapes.all.iter().for_each(|&test| self.scratch.set(test, Truth::False));
            }
            if response.answered() {
                let head: &[TestId] = if response.complete.head { &shapes.head } else { &[] };
                let body: &[TestId] = if response.complete.body { &shapes.body } else { &[] };
                head.iter().chain(body).for_each(|&test| self.scratch.set(test, Truth::True));
            }
        }
        let plan = self.plan;
        for fact in response.facts.iter() {
            for slot in index.slots_of(plan.plan(), probe, fact) {
                self.fill_slot(&index.presence[slot as usize], backend, slot, response, fact);
            }
        }
    }

    fn fill_slot(&mut self, presence: &PresenceTests, backend: &dyn Backend, slot: SlotId, response: &'a Response, fact: &'a Fact) {
        let described = &self.plan.plan().slots[slot as usize];
        let folded = described.fold_width.then(|| fact.values.iter().map(fold_value).collect::<Vec<Value>>());
        if response.partial {
            for &test in self.plan.tests_of(slot) {
                self.scratch.set(test, Truth::False);
            }
            // That the field was listed says what it holds; whether more of the section came is known only where the tool says so.
            let complete = if response.complete.has(described.section) { Truth::True } else { Truth::NotObserved };
            presence.complete.iter().for_each(|&test| self.scratch.set(test, complete));
        }
        presence.present.iter().for_each(|&test| self.scratch.set(test, Truth::True));
        presence.absent.iter().for_each(|&test| self.scratch.set(test, Truth::False));

        let mut hits = std::mem::take(&mut self.scratch.hits);
        hits.clear();
        let values = folded.as_ref().unwrap_or(&fact.values);
        match values.as_slice() {
            [one] => backend.eval_slot(slot, &[ValueView::of(one)], &mut hits),
            many => backend.eval_slot(slot, &many.iter().map(ValueView::of).collect::<Vec<_>>(), &mut hits),
        }
        hits.iter().for_each(|&test| self.scratch.set(test, Truth::True));
        self.scratch.hits = hits;

        self.entries.push(Entry { slot, fact, folded });
        self.scratch.entry_of[slot as usize] = self.entries.len() as u32;
        self.scratch.filled.push(slot);
    }
}

impl<'a> Board<'a> {
    /// Spreads the answers of a service; of two responses to one probe the first counts.
    pub fn fill(
        plan: &'a VerifiedPlan,
        index: &SlotIndex,
        backend: &dyn Backend,
        service: &'a Service,
        scratch: &'a mut BoardScratch,
    ) -> Board<'a> {
        let partial = service.responses.iter().any(|response| response.partial);
        scratch.reset(plan.plan(), if partial { Truth::NotObserved } else { Truth::False });
        let mut filling = Filling { plan, scratch, entries: Vec::new(), responses: Vec::new(), partial };
        for response in &service.responses {
            let Some(&probe) = index.probes.get(&response.probe) else { continue };
            if filling.responses.iter().any(|&(known, _)| known == probe) {
                continue;
            }
            filling.responses.push((probe, response));
            filling.fill_response(index, backend, probe, response);
        }
        let Filling { entries, responses, .. } = filling;
        Board { plan, scratch, entries, responses, partial }
    }

    pub fn plan(&self) -> &'a VerifiedPlan {
        self.plan
    }

    /// Whether another tool cut part of this service's evidence.
    pub fn partial(&self) -> bool {
        self.partial
    }

    /// The truth of each test as its number.
    pub fn truths(&self) -> &[u8] {
        &self.scratch.truths
    }

    pub fn truth(&self, test: TestId) -> Truth {
        Truth::from_number(self.scratch.truths[test as usize])
    }

    /// Tests that hold, possibly more than once.
    pub fn holding(&self) -> impl Iterator<Item = TestId> + '_ {
        self.scratch.touched.iter().copied().filter(|&test| self.scratch.truths[test as usize] == Truth::True as u8)
    }

    /// The values of a slot, or why there are none.
    pub fn slot(&self, slot: SlotId) -> Result<SlotValues<'_>, Gap> {
        match self.scratch.entry_of[slot as usize] {
            0 => Err(self.gap(slot)),
            at => {
                let entry = &self.entries[at as usize - 1];
                debug_assert_eq!(entry.slot, slot);
                let values = entry.folded.as_ref().unwrap_or(&entry.fact.values);
                Ok(SlotValues { values, fact: entry.fact })
            }
        }
    }

    /// The response to a probe.
    pub fn response(&self, probe: ProbeId) -> Option<&'a Response> {
        self.responses.iter().find(|&&(known, _)| known == probe).map(|&(_, response)| response)
    }

    /// Whether the slot's section is known to be whole, as [`Predicate::Complete`] asks.
    pub fn whole(&self, slot: SlotId) -> Truth {
        let described = &self.plan.plan().slots[slot as usize];
        let listed = self.scratch.entry_of[slot as usize] != 0;
        match self.response(described.probe) {
            None if self.partial => Truth::NotObserved,
            None => Truth::False,
            Some(response) if response.partial && !(listed && response.complete.has(described.section)) => Truth::NotObserved,
            Some(response) => Truth::from_bool(response.answered() && response.complete.has(described.section)),
        }
    }

    fn gap(&self, slot: SlotId) -> Gap {
        let slot = &self.plan.plan().slots[slot as usize];
        match self.response(slot.probe) {
            None if self.partial => Gap::NotObserved,
            None => Gap::Missing,
            Some(response) if response.partial => Gap::NotObserved,
            Some(response) if response.answered() && response.complete.has(slot.section) => Gap::ProvenAbsent,
            Some(_) => Gap::Missing,
        }
    }
}

fn fold_value(value: &Value) -> Value {
    match value {
        Value::Text(text) => match fold::width(text) {
            Cow::Borrowed(_) => value.clone(),
            Cow::Owned(folded) => Value::Text(folded),
        },
        other => other.clone(),
    }
}
