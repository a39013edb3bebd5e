//! What one service's answers say about every slot and test of a plan.
//!
//! In: the responses of a service, or of the services to which the probes of a signature are bound. Out: a [`Board`]: for each slot its values or
//! why it has none, for each test its truth. Filled by one pass over the facts; a slot that no fact fills costs nothing.
//!
//! | state of a slot | when | its tests |
//! |---|---|---|
//! | present | the fact is there | by its values |
//! | proven absent | the probe answered, the section is whole, no value | absent and complete hold |
//! | missing | the probe failed, was not sent, or was cut before the field | none holds |
//! | not observed | another tool cut the evidence, and left the field out | none is known |

use std::borrow::Cow;
use std::collections::HashMap;

use ksig_schema::target::{location_on, path_on};
use ksig_schema::{Date, Evidence, Fact, FollowUp, Origin, Pick, ProbeKey, Refusal, Response, Section, Service, Transport, Value};

use crate::backend::{Backend, Truth, ValueView, gate};
use crate::counts::{Clock, Counts, SlotCount, timed};
use crate::evaluate::{Evaluation, Traits};
use crate::expr::datum_of_value;
use crate::fold;
use crate::hash::{self, Quick};
use crate::plan::*;
use crate::verify::VerifiedPlan;

/// Which slots a fact fills, and which tests an absence decides.
#[derive(Debug)]
pub(crate) struct SlotIndex {
    probes: HashMap<ProbeKey, ProbeId>,
    /// Probes whose key an answer names.
    named: Vec<ProbeId>,
    /// Probes that are asked where another one stands.
    beside: Vec<ProbeId>,
    /// Those that no scan asks.
    unasked: Vec<(ProbeId, ProbeKey)>,
    slots: HashMap<u64, Vec<SlotId>, Quick>,
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

fn slot_key(probe: ProbeId, field: &str, key: Option<&str>) -> u64 {
    let named = hash::words(u64::from(probe) + 1, field.as_bytes());
    key.map_or(named, |key| hash::words(named.rotate_left(7), key.as_bytes()))
}

impl SlotIndex {
    pub fn new(plan: &VerifiedPlan) -> SlotIndex {
        let tests = &plan.plan().tests;
        let plan = plan.plan();
        let mut index = SlotIndex {
            probes: HashMap::new(),
            named: Vec::new(),
            beside: Vec::new(),
            unasked: Vec::new(),
            slots: HashMap::default(),
            shapes: plan.probes.iter().map(|_| ProbeTests::default()).collect(),
            presence: plan.slots.iter().map(|_| PresenceTests::default()).collect(),
        };
        for (id, probe) in plan.probes.iter().enumerate() {
            match probe {
                Probe::Exactly(key) => {
                    index.probes.insert(key.clone(), id as ProbeId);
                    if !key.is_sent() {
                        index.unasked.push((id as ProbeId, key.clone()));
                    }
                }
                Probe::Named(_) => index.named.push(id as ProbeId),
                Probe::Beside { .. } => index.beside.push(id as ProbeId),
                Probe::Bound { .. } => {}
            }
        }
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
    /// What filling cost so far; of this plan, as all else here.
    pub counts: Counts,
}

impl BoardScratch {
    fn reset(&mut self, plan: &Plan, base: Truth) {
        if self.truths.len() != plan.tests.len() || self.entry_of.len() != plan.slots.len() {
            *self = BoardScratch {
                truths: vec![Truth::False as u8; plan.tests.len()],
                entry_of: vec![0; plan.slots.len()],
                counts: Counts { slots: vec![SlotCount::default(); plan.slots.len()], ..Counts::default() },
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
#[derive(Clone)]
struct Entry<'a> {
    slot: SlotId,
    fact: &'a Fact,
    /// For `/fold_width` and `.raw`, what is seen in the place of the fact's values.
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

/// What a plan runs with.
#[derive(Clone, Copy)]
pub(crate) struct Running<'a> {
    pub plan: &'a VerifiedPlan,
    pub index: &'a SlotIndex,
    pub backend: &'a dyn Backend,
    /// By signature.
    pub traits: &'a [Traits],
    pub date: Option<Date>,
    /// What time is measured with, if it is.
    pub clock: Option<Clock>,
}

/// Whose answers a board shows.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub evidence: &'a Evidence,
    pub seen: Seen<'a>,
    /// What is known of the whole host, where the plan asks for it.
    pub host: Option<&'a Response>,
}

/// The services of a [`View`].
#[derive(Clone, Copy)]
pub(crate) enum Seen<'a> {
    /// One.
    Service(&'a Service),
    /// Those to which the first-stage probes of a signature about the whole host are bound.
    Bound {
        binding: &'a [(ProbeId, &'a Service)],
        /// Whether the binding says it all; else what it does not bind counts as not observed.
        whole: bool,
    },
}

/// The answers of one service, spread over the plan.
pub(crate) struct Board<'a> {
    plan: &'a VerifiedPlan,
    backend: &'a dyn Backend,
    view: View<'a>,
    scratch: &'a BoardScratch,
    entries: Vec<Entry<'a>>,
    responses: Vec<(ProbeId, &'a Response)>,
    places: Vec<(ProbeId, Result<FollowUp, Refusal>)>,
    partial: bool,
}

/// A board while it is filled.
struct Filling<'a, 's> {
    running: Running<'a>,
    view: View<'a>,
    scratch: &'s mut BoardScratch,
    entries: Vec<Entry<'a>>,
    responses: Vec<(ProbeId, &'a Response)>,
    places: Vec<(ProbeId, Result<FollowUp, Refusal>)>,
    partial: bool,
}

impl<'a> Filling<'a, '_> {
    fn fill_response(&mut self, probe: ProbeId, response: &'a Response) {
        if self.responses.iter().any(|&(known, _)| known == probe) {
            return;
        }
        self.responses.push((probe, response));
        let index = self.running.index;
        let shapes = &index.shapes[probe as usize];
        if response.partial && !self.partial {
            shapes.all.iter().for_each(|&test| self.scratch.set(test, Truth::NotObserved));
        }
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
        for fact in response.facts.iter() {
            for slot in index.slots_of(self.running.plan.plan(), probe, fact) {
                self.fill_slot(&index.presence[slot as usize], slot, response, fact);
            }
        }
    }

    fn fill_slot(&mut self, presence: &PresenceTests, slot: SlotId, response: &'a Response, fact: &'a Fact) {
        let Running { plan, backend, .. } = self.running;
        let described = &plan.plan().slots[slot as usize];
        let folded = match described {
            Slot { raw: true, .. } => Some((0..fact.values.len()).filter_map(|at| Some(Value::Bytes(fact.raw(at)?.to_vec()))).collect()),
            Slot { fold_width: true, .. } => Some(fact.values.iter().map(fold_value).collect::<Vec<Value>>()),
            _ => None,
        };
        if response.partial {
            for &test in plan.tests_of(slot) {
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
        let (tried, ns) = timed(self.running.clock, || match values.as_slice() {
            [one] => backend.eval_slot(slot, &[ValueView::of(one)], &mut hits),
            many => backend.eval_slot(slot, &many.iter().map(ValueView::of).collect::<Vec<_>>(), &mut hits),
        });
        let count = &mut self.scratch.counts.slots[slot as usize];
        count.values += values.len() as u64;
        count.bytes += values.iter().map(|value| value.as_bytes().map_or(8, <[u8]>::len) as u64).sum::<u64>();
        count.tried += tried as u64;
        count.held += hits.len() as u64;
        count.ns += ns;
        hits.iter().for_each(|&test| self.scratch.set(test, Truth::True));
        self.scratch.hits = hits;

        self.entries.push(Entry { slot, fact, folded });
        self.scratch.entry_of[slot as usize] = self.entries.len() as u32;
        self.scratch.filled.push(slot);
    }
}

impl<'a> Filling<'a, '_> {
    /// The places that filled slots name and that were not known before, and the answers from there.
    fn fill_named(&mut self) -> bool {
        let plan = self.running.plan.plan();
        let open = |&id: &ProbeId| !self.places.iter().any(|(known, _)| *known == id) && self.may_be_named(id);
        let ids: Vec<ProbeId> = self.running.index.named.iter().copied().filter(open).collect();
        if ids.is_empty() {
            return false;
        }
        let found: Vec<(ProbeId, Result<FollowUp, Refusal>)> = {
            let board = Board {
                plan: self.running.plan,
                backend: self.running.backend,
                view: self.view,
                scratch: self.scratch,
                entries: self.entries.clone(),
                responses: self.responses.clone(),
                places: self.places.clone(),
                partial: self.partial,
            };
            let place = |id: ProbeId| match &plan.probes[id as usize] {
                Probe::Named(named) => board.place(id, named, &self.running),
                _ => None,
            };
            ids.into_iter().filter_map(|id| Some((id, place(id)?))).collect()
        };
        let any = !found.is_empty();
        for (id, place) in found {
            let response = place.as_ref().ok().and_then(|place| self.view.response(plan, id, place));
            self.places.push((id, place));
            if let Some(response) = response {
                self.fill_response(id, response);
            }
        }
        any
    }

    /// Cheaply: whether what names the probe can be known.
    fn may_be_named(&self, id: ProbeId) -> bool {
        let plan = self.running.plan.plan();
        match &plan.probes[id as usize] {
            Probe::Exactly(_) | Probe::Bound { .. } | Probe::Beside { .. } => false,
            Probe::Named(Named { from: NamedFrom::Slot(slot, _), .. }) => self.scratch.entry_of[*slot as usize] != 0,
            Probe::Named(Named { from: NamedFrom::Capture(signature, _), .. }) => {
                let gates = &plan.signatures[*signature as usize].gates;
                gates.first().is_some_and(|first| gate(first, &self.scratch.truths) != Truth::False)
            }
        }
    }
}

impl<'a> View<'a> {
    /// A view of one service.
    pub fn of_service(evidence: &'a Evidence, service: &'a Service, host: Option<&'a Response>) -> View<'a> {
        View { evidence, seen: Seen::Service(service), host }
    }

    /// The service on which a probe is asked; absent for one that is bound to none.
    fn service_of(&self, plan: &Plan, probe: ProbeId) -> Option<&'a Service> {
        let binding = match self.seen {
            Seen::Service(service) => return Some(service),
            Seen::Bound { binding, .. } => binding,
        };
        let role = match &plan.probes[probe as usize] {
            Probe::Bound { .. } => probe,
            Probe::Beside { at, .. } => *at,
            Probe::Named(named) => named.at?,
            Probe::Exactly(_) => return None,
        };
        binding.iter().find(|(bound, _)| *bound == role).map(|&(_, service)| service)
    }

    /// The answer to a named probe, on its own service or on another port of the host.
    fn response(&self, plan: &Plan, probe: ProbeId, place: &FollowUp) -> Option<&'a Response> {
        let from = self.service_of(plan, probe)?;
        let here = |service: &&Service| {
            std::ptr::eq(*service, from)
                || service.address == from.address && service.port == place.port && service.transport == place.transport
        };
        let own = place.port == from.port && place.transport == from.transport;
        let services: &mut dyn Iterator<Item = &'a Service> =
            if own { &mut std::iter::once(from) } else { &mut self.evidence.services.iter().filter(here) };
        services.flat_map(|service| &service.responses).find(|response| response.probe == place.probe)
    }

    /// Whether what is not listed was perhaps only not observed.
    fn partial(&self) -> bool {
        let cut = |service: &Service| service.responses.iter().any(|response| response.partial);
        match self.seen {
            Seen::Service(service) => cut(service),
            Seen::Bound { whole, .. } => !whole || self.evidence.services.iter().any(cut),
        }
    }
}

impl<'a> Filling<'a, '_> {
    /// The answers to all probes that are written out, on the services of the view.
    fn fill_written(&mut self) {
        let Running { plan, index, .. } = self.running;
        match self.view.seen {
            Seen::Service(service) => {
                for response in &service.responses {
                    if let Some(&probe) = index.probes.get(&response.probe) {
                        self.fill_response(probe, response);
                    }
                }
            }
            Seen::Bound { binding, .. } => {
                // What nobody asked is bound to no service.
                for &(id, ref key) in &index.unasked {
                    let mut all = self.view.evidence.services.iter().flat_map(|service| &service.responses);
                    if let Some(response) = all.find(|response| response.probe == *key) {
                        self.fill_response(id, response);
                    }
                }
                let roles = binding.iter().map(|&(probe, _)| probe);
                for id in roles.chain(index.beside.iter().copied()) {
                    let (Probe::Bound { key, .. } | Probe::Beside { key, .. }) = &plan.plan().probes[id as usize] else { continue };
                    let service = self.view.service_of(plan.plan(), id);
                    let mut responses = service.into_iter().flat_map(|service| &service.responses);
                    if let Some(response) = responses.find(|response| response.probe == *key) {
                        self.fill_response(id, response);
                    }
                }
            }
        }
    }
}

impl<'a> Board<'a> {
    /// Spreads the answers of a view; of two responses to one probe the first counts. Then those to places that the answers named.
    pub fn fill(running: Running<'a>, view: View<'a>, scratch: &'a mut BoardScratch) -> Board<'a> {
        let partial = view.partial();
        scratch.reset(running.plan.plan(), if partial { Truth::NotObserved } else { Truth::False });
        scratch.counts.boards += 1;
        let mut filling = Filling { running, view, scratch, entries: Vec::new(), responses: Vec::new(), places: Vec::new(), partial };
        filling.fill_written();
        // What the evidence itself says of its host stands before what its services show.
        if let (Some(host), Some(&probe)) = (view.host, running.index.probes.get(&ksig_schema::host::probe())) {
            filling.fill_response(probe, host);
        }
        for _ in 0..HOPS_MAX {
            if !filling.fill_named() {
                break;
            }
        }
        let Filling { entries, responses, places, .. } = filling;
        Board { plan: running.plan, backend: running.backend, view, scratch, entries, responses, places, partial }
    }

    /// The place that a named probe asks for; absent while what names it is missing or not observed.
    fn place(&self, id: ProbeId, named: &Named, running: &Running<'_>) -> Option<Result<FollowUp, Refusal>> {
        let plan = self.plan.plan();
        let (written, base) = match &named.from {
            NamedFrom::Slot(slot, pick) => {
                let page = self.key(plan.slots[*slot as usize].probe).argument;
                (self.picked(*slot, pick.as_ref().map(|(pick, argument)| (*pick, argument.as_str()))), page)
            }
            NamedFrom::Capture(signature, var) => {
                let described = &plan.signatures[*signature as usize];
                let hop = described.follows.iter().find(|follow| follow.probe == id)?.hop;
                let condition = described.gates.get((hop as usize).checked_sub(1)?)?;
                let mut evaluation = Evaluation::new(self, described, &running.traits[*signature as usize], running.date);
                (if evaluation.condition(condition) == Truth::False { Datum::Missing } else { evaluation.capture(*var) }, None)
            }
        };
        let Datum::Text(written) = written else { return None };
        let service = self.view.service_of(plan, id)?;
        let origin = Origin::new(service.address, service.port, service.transport);
        let base = base.as_deref().unwrap_or("/");
        let (port, transport, path) = match named.reach {
            Reach::Origin => (service.port, service.transport, path_on(origin, base, &written)),
            Reach::Address => match location_on(origin, &written) {
                Ok((port, path)) => (port, Transport::Tcp, Ok(path)),
                Err(refusal) => (0, Transport::Tcp, Err(refusal)),
            },
        };
        Some(path.map(|path| FollowUp { port, transport, probe: ProbeKey::with(&named.constructor, path) }))
    }

    /// Where a probe is asked; absent for a named one that nothing names, or that is refused.
    pub fn asked_at(&self, probe: ProbeId) -> Option<FollowUp> {
        match &self.plan.plan().probes[probe as usize] {
            Probe::Exactly(key) | Probe::Bound { key, .. } | Probe::Beside { key, .. } => {
                let service = self.view.service_of(self.plan.plan(), probe)?;
                Some(FollowUp { port: service.port, transport: service.transport, probe: key.clone() })
            }
            Probe::Named(_) => self.named(probe)?.as_ref().ok().cloned(),
        }
    }

    /// The port that answered a probe of a signature about the whole host; absent for one about a service, whose port is known.
    pub fn port_of(&self, probe: ProbeId) -> Option<u16> {
        match self.view.seen {
            Seen::Service(_) => None,
            Seen::Bound { .. } => match self.named(probe) {
                Some(Ok(place)) => Some(place.port),
                _ => self.view.service_of(self.plan.plan(), probe).map(|service| service.port),
            },
        }
        .filter(|port| *port != 0)
    }

    /// What became of a named probe; absent while nothing names it.
    pub fn named(&self, probe: ProbeId) -> Option<&Result<FollowUp, Refusal>> {
        self.places.iter().find(|(known, _)| *known == probe).map(|(_, place)| place)
    }

    /// The key of a probe; of a named one that nothing names, its constructor alone.
    pub fn key(&self, probe: ProbeId) -> ProbeKey {
        match (&self.plan.plan().probes[probe as usize], self.named(probe)) {
            (Probe::Exactly(key) | Probe::Bound { key, .. } | Probe::Beside { key, .. }, _) => key.clone(),
            (Probe::Named(_), Some(Ok(place))) => place.probe.clone(),
            (Probe::Named(named), _) => ProbeKey::new(&named.constructor),
        }
    }

    /// The first value of a slot, or the first that a selector picks.
    pub fn picked(&self, slot: SlotId, pick: Option<(Pick, &str)>) -> Datum {
        match (self.slot(slot), pick) {
            (Err(Gap::NotObserved), _) => Datum::NotObserved,
            (Err(_), _) => Datum::Missing,
            (Ok(found), None) => found.values.first().map_or(Datum::Missing, datum_of_value),
            (Ok(found), Some((pick, argument))) => {
                let fits = |value: &&Value| value.as_text().is_some_and(|text| pick.fits(text, argument));
                found.values.iter().find(fits).map_or(Datum::Missing, datum_of_value)
            }
        }
    }

    pub fn plan(&self) -> &'a VerifiedPlan {
        self.plan
    }

    pub fn backend(&self) -> &'a dyn Backend {
        self.backend
    }

    /// Whether another tool cut part of what is shown, so that tests may be neither true nor false.
    pub fn partial(&self) -> bool {
        self.partial || self.responses.iter().any(|(_, response)| response.partial)
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
