//! Evidence in, identifications out.
//!
//! In: a [`VerifiedPlan`] with an engine, and [`Evidence`]. Out: [`Identification`]s, the same for the same evidence, plan and date on any engine
//! and machine. Between them: a board of slots, the tests that hold, the signatures that those wake, their gates, and for the few whose gate is
//! not false the full evaluation and the resolution of their verdicts.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use ksig_schema::identification::Identification;
use ksig_schema::{Date, Evidence, FollowUp, Gate, Response, Service, day_of};
use sha2::{Digest, Sha256};

use crate::backend::{Backend, Truth};
use crate::board::{Board, BoardScratch, Running, SlotIndex, View};
use crate::counts::{Clock, Counts, SignatureCount, SlotCount, timed};
use crate::evaluate::{Evaluation, Traits, Verdict};
use crate::explain::Trace;
use crate::join;
use crate::plan::*;
use crate::resolve::{self, Resolution};
use crate::verify::VerifiedPlan;

mod host;

/// Most follow-ups that one service leads to at a time.
pub const FOLLOW_UPS_MAX: usize = 16;

/// Buffers that are kept from one service to the next; any matcher can use them.
#[derive(Debug, Default)]
pub struct Scratch {
    board: BoardScratch,
    candidates: Vec<SignatureId>,
    marked: Vec<bool>,
    /// By signature.
    counts: Vec<SignatureCount>,
}

/// Runs a plan on evidence. Share it between threads; give each thread its own [`Scratch`].
pub struct Matcher {
    plan: VerifiedPlan,
    backend: Arc<dyn Backend>,
    index: SlotIndex,
    traits: Vec<Traits>,
    woken_by: Woken,
    /// Signatures that no test wakes.
    always: Vec<SignatureId>,
    /// Signatures about the whole host.
    across: Vec<SignatureId>,
    /// Signatures about a service with follow-up probes.
    following: Vec<SignatureId>,
    /// A slot is of the host as a whole.
    asks_of_host: bool,
    /// By test: signatures that mention it outside `not`; for evidence that another tool cut.
    mentioned_by: OnceLock<Woken>,
    /// By choice: its signatures by place.
    choices: Vec<Vec<SignatureId>>,
    names: HashMap<String, SignatureId>,
    scratch: Mutex<Vec<Scratch>>,
    clock: Option<Clock>,
}

/// Signatures by test, in one allocation.
#[derive(Debug)]
struct Woken {
    starts: Vec<u32>,
    signatures: Vec<SignatureId>,
}

impl Woken {
    fn new(tests: usize, mut pairs: Vec<(TestId, SignatureId)>) -> Woken {
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0u32; tests + 1];
        for &(test, _) in &pairs {
            starts[test as usize + 1] += 1;
        }
        for at in 0..tests {
            starts[at + 1] += starts[at];
        }
        Woken { starts, signatures: pairs.into_iter().map(|(_, signature)| signature).collect() }
    }

    fn by(&self, test: TestId) -> &[SignatureId] {
        &self.signatures[self.starts[test as usize] as usize..self.starts[test as usize + 1] as usize]
    }
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plan = self.plan.plan();
        write!(f, "Matcher({} on {}, {} signatures)", plan.release, self.backend.name(), plan.signatures.len())
    }
}

impl Matcher {
    /// A matcher for a plan on an engine that was made for the same plan.
    pub fn new(plan: VerifiedPlan, backend: Arc<dyn Backend>) -> Matcher {
        let signatures = || plan.plan().signatures.iter().enumerate().map(|(id, signature)| (id as SignatureId, signature));
        // What is about the whole host is tried apart, once for all services.
        let of_service = || signatures().filter(|(_, signature)| signature.scope == Scope::Service);
        let triggers = of_service().flat_map(|(id, signature)| signature.triggers.iter().map(move |&test| (test, id))).collect();
        Matcher {
            index: SlotIndex::new(&plan),
            traits: signatures().map(|(_, signature)| Traits::of(signature)).collect(),
            woken_by: Woken::new(plan.plan().tests.len(), triggers),
            always: of_service().filter(|(_, signature)| signature.triggers.is_empty()).map(|(id, _)| id).collect(),
            across: signatures().filter(|(_, signature)| signature.scope != Scope::Service).map(|(id, _)| id).collect(),
            following: of_service().filter(|(_, signature)| !signature.follows.is_empty()).map(|(id, _)| id).collect(),
            asks_of_host: plan.plan().probes.contains(&Probe::Exactly(ksig_schema::host::probe())),
            mentioned_by: OnceLock::new(),
            choices: by_choice(plan.plan()),
            names: signatures().map(|(id, signature)| (signature.name.clone(), id)).collect(),
            scratch: Mutex::new(Vec::new()),
            clock: None,
            plan,
            backend,
        }
    }

    /// The same, which measures the time of what it counts.
    pub fn with_clock(self, clock: Clock) -> Matcher {
        Matcher { clock: Some(clock), ..self }
    }

    /// What the services that it identified cost so far, those excepted that came with a scratch of their own.
    pub fn counts(&self) -> Counts {
        let mut all = Counts {
            slots: vec![SlotCount::default(); self.plan.plan().slots.len()],
            signatures: vec![SignatureCount::default(); self.plan.plan().signatures.len()],
            ..Counts::default()
        };
        for scratch in self.scratch.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter() {
            all.add(&scratch.board.counts);
            all.add(&Counts { signatures: scratch.counts.clone(), ..Counts::default() });
        }
        all
    }

    /// The plan that it runs.
    pub fn plan(&self) -> &VerifiedPlan {
        &self.plan
    }

    /// `interpreter` or `jit`.
    pub fn engine(&self) -> &'static str {
        self.backend.name()
    }

    /// One answer for each service in the order of the evidence, then one for the host, on the evidence's own date.
    pub fn identify(&self, evidence: &Evidence) -> Vec<Identification> {
        let date = scan_date(evidence);
        let host = self.host(evidence);
        let mut answers: Vec<Identification> = self.with_scratch(|scratch| {
            evidence.services.iter().map(|service| self.answer(evidence, service, host.as_ref(), date, scratch)).collect()
        });
        let across = self.across(evidence, host.as_ref(), date);
        let Resolution { identifications, consistent, ambiguous, notes } = join::host(&evidence.services, &answers, &across);
        answers.push(Identification {
            id: evidence.host.clone(),
            address: evidence.services.iter().find_map(|service| service.address),
            port: None,
            identifications,
            consistent,
            ambiguous,
            notes,
            digest: None,
            release: self.plan.plan().release.clone(),
        });
        answers
    }

    /// The answer for one service of the evidence. Without a date, guards that need it are missing.
    pub fn identify_service(&self, evidence: &Evidence, service: &Service, date: Option<Date>, scratch: &mut Scratch) -> Identification {
        let host = self.host(evidence);
        self.answer(evidence, service, host.as_ref(), date, scratch)
    }

    fn answer(
        &self,
        evidence: &Evidence,
        service: &Service,
        host: Option<&Response>,
        date: Option<Date>,
        scratch: &mut Scratch,
    ) -> Identification {
        let verdicts = self.verdicts(View::of_service(evidence, service, host), date, scratch);
        let Resolution { identifications, consistent, ambiguous, notes } = resolve::service(self.plan.plan(), verdicts, date);
        let unknown = identifications.is_empty() && consistent.is_empty() && ambiguous.is_empty();
        Identification {
            id: evidence.host.clone(),
            address: service.address,
            port: (service.port != 0).then_some(service.port),
            identifications,
            consistent,
            ambiguous,
            notes,
            digest: if unknown { digest(service) } else { None },
            release: self.plan.plan().release.clone(),
        }
    }

    /// Probes that gates which hold ask for and that have no response yet, sorted; at most [`FOLLOW_UPS_MAX`].
    pub fn follow_ups(&self, evidence: &Evidence, service: &Service) -> Vec<FollowUp> {
        if self.following.is_empty() {
            return Vec::new();
        }
        let date = scan_date(evidence);
        let host = self.host(evidence);
        let mut asked: Vec<FollowUp> = self.with_scratch(|scratch| {
            let board = Board::fill(self.running(date), View::of_service(evidence, service, host.as_ref()), &mut scratch.board);
            self.following.iter().flat_map(|&id| self.asked_by(&board, id, date)).map(|(_, asked)| asked).collect()
        });
        asked.sort();
        asked.dedup();
        asked.truncate(FOLLOW_UPS_MAX);
        asked
    }

    /// The follows that one signature asks for now, by the names that it gave them. One about the whole host asks whatever the service.
    pub fn follow_ups_of(&self, signature: &str, evidence: &Evidence, service: &Service) -> Vec<(String, FollowUp)> {
        let Some(&id) = self.names.get(signature) else { return Vec::new() };
        if self.is_across(id) {
            return self.asked_across(&[id], evidence);
        }
        let date = scan_date(evidence);
        let host = self.host(evidence);
        self.with_scratch(|scratch| {
            let board = Board::fill(self.running(date), View::of_service(evidence, service, host.as_ref()), &mut scratch.board);
            self.asked_by(&board, id, date).into_iter().map(|(follow, asked)| (follow.name.clone(), asked)).collect()
        })
    }

    fn asked_by(&self, board: &Board<'_>, id: SignatureId, date: Option<Date>) -> Vec<(&Follow, FollowUp)> {
        let signature = &self.plan.plan().signatures[id as usize];
        let unanswered: Vec<&Follow> = signature.follows.iter().filter(|follow| board.response(follow.probe).is_none()).collect();
        let mut asked = Vec::new();
        for (gate, hop) in signature.gates.iter().zip(1..) {
            let mut here = unanswered.iter().filter(|follow| follow.hop == hop).peekable();
            if here.peek().is_none() || crate::backend::gate(gate, board.truths()) != Truth::True {
                continue;
            }
            let mut evaluation = Evaluation::new(board, signature, &self.traits[id as usize], date);
            if evaluation.condition(gate) == Truth::True {
                asked.extend(here.filter_map(|follow| Some((*follow, board.asked_at(follow.probe)?))));
            }
        }
        asked
    }

    /// What is known of the whole host, if any signature asks.
    fn host(&self, evidence: &Evidence) -> Option<Response> {
        self.asks_of_host.then(|| ksig_schema::host::response(evidence))
    }

    fn running(&self, date: Option<Date>) -> Running<'_> {
        Running { plan: &self.plan, index: &self.index, backend: &*self.backend, traits: &self.traits, date, clock: self.clock }
    }

    /// Why a signature matches a service or does not; absent when there is no signature of that name. One about the whole host is explained
    /// on the binding that its answer comes from, whatever the service.
    pub fn why(&self, signature: &str, evidence: &Evidence, service: &Service, date: Option<Date>) -> Option<Trace> {
        let id = *self.names.get(signature)?;
        let host = self.host(evidence);
        if self.is_across(id) {
            let trace = |board: &Board<'_>| {
                let trace = self.trace(board, id, date);
                (trace.truth, trace)
            };
            return self.on_standing_binding(id, evidence, host.as_ref(), date, &trace);
        }
        Some(self.with_scratch(|scratch| {
            let view = View::of_service(evidence, service, host.as_ref());
            self.trace(&Board::fill(self.running(date), view, &mut scratch.board), id, date)
        }))
    }

    /// The explanation of one signature on a board.
    fn trace(&self, board: &Board<'_>, id: SignatureId, date: Option<Date>) -> Trace {
        let described = &self.plan.plan().signatures[id as usize];
        let mut evaluation = Evaluation::new(board, described, &self.traits[id as usize], date).explaining();
        let truth = evaluation.condition(&described.condition);
        evaluation.explain_follows();
        let mut verdict = evaluation.verdict(id, truth);
        if truth == Truth::False {
            let (identities, components, details) = Default::default();
            verdict = Verdict { identities, components, details, tags: Vec::new(), proof: Vec::new(), ..verdict };
        }
        let (lines, captures, notes) = evaluation.explained();
        let version = verdict.identities.first().and_then(|identity| identity.version.as_deref());
        let has_model = verdict.identities.iter().any(|identity| identity.model.is_some());
        Trace {
            signature: described.name.clone(),
            truth,
            lines,
            captures,
            notes,
            support: if has_model { resolve::support(&[&verdict.support], version, date) } else { Default::default() },
            identities: verdict.identities,
            components: verdict.components,
            details: verdict.details,
            tags: verdict.tags,
            proof: verdict.proof,
        }
    }

    /// The captures, extracts and lets that have a value when a signature is true or open, as text. What is marked `redact` is among them: this
    /// is for tests of a signature, never for answers. Absent when it is false, or there is none of that name.
    pub fn captures(
        &self,
        signature: &str,
        evidence: &Evidence,
        service: &Service,
        date: Option<Date>,
    ) -> Option<BTreeMap<String, String>> {
        let id = *self.names.get(signature)?;
        let described = &self.plan.plan().signatures[id as usize];
        let host = self.host(evidence);
        let names = |board: &Board<'_>| {
            let mut evaluation = Evaluation::new(board, described, &self.traits[id as usize], date);
            let truth = evaluation.condition(&described.condition);
            evaluation.verdict(id, truth);
            (truth, (truth != Truth::False).then(|| evaluation.names()))
        };
        if self.is_across(id) {
            return self.on_standing_binding(id, evidence, host.as_ref(), date, &names).flatten();
        }
        self.with_scratch(|scratch| {
            names(&Board::fill(self.running(date), View::of_service(evidence, service, host.as_ref()), &mut scratch.board)).1
        })
    }

    fn verdicts(&self, view: View<'_>, date: Option<Date>, scratch: &mut Scratch) -> Vec<Verdict> {
        let Scratch { board, candidates, marked, counts } = scratch;
        let board = Board::fill(self.running(date), view, board);
        marked.resize(self.plan.plan().signatures.len(), false);
        counts.resize(self.plan.plan().signatures.len(), SignatureCount::default());
        candidates.clear();
        let woken = if board.partial() { self.mentioned_by() } else { &self.woken_by };
        for id in board.holding().flat_map(|test| woken.by(test)).chain(&self.always) {
            if !std::mem::replace(&mut marked[*id as usize], true) {
                candidates.push(*id);
            }
        }
        let mut verdicts: Vec<Verdict> =
            candidates.iter().filter_map(|&id| self.verdict(&board, id, date, &mut counts[id as usize])).collect();
        if board.partial() {
            // What was not observed at all can still stand before a member that matches.
            for id in self.earlier_members(&verdicts) {
                if !std::mem::replace(&mut marked[id as usize], true) {
                    candidates.push(id);
                    verdicts.extend(self.verdict(&board, id, date, &mut counts[id as usize]));
                }
            }
        }
        candidates.iter().for_each(|&id| marked[id as usize] = false);
        verdicts
    }

    /// What a signature says; absent when its condition is false.
    fn verdict(&self, board: &Board<'_>, id: SignatureId, date: Option<Date>, count: &mut SignatureCount) -> Option<Verdict> {
        count.woken += 1;
        let (verdict, ns) = timed(self.clock, || self.evaluated(board, id, date, count));
        count.stood += u64::from(verdict.is_some());
        count.ns += ns;
        verdict
    }

    fn evaluated(&self, board: &Board<'_>, id: SignatureId, date: Option<Date>, count: &mut SignatureCount) -> Option<Verdict> {
        if self.backend.eval_gate(id, board.truths()) == Truth::False {
            return None;
        }
        count.evaluated += 1;
        let signature = &self.plan.plan().signatures[id as usize];
        let mut evaluation = Evaluation::new(board, signature, &self.traits[id as usize], date);
        let truth = evaluation.condition(&signature.condition);
        (truth != Truth::False).then(|| evaluation.verdict(id, truth))
    }

    /// The signatures about a service of a choice before the last one that matches.
    fn earlier_members(&self, verdicts: &[Verdict]) -> Vec<SignatureId> {
        let signatures = &self.plan.plan().signatures;
        let mut last: BTreeMap<u32, u32> = BTreeMap::new();
        for member in verdicts.iter().filter(|v| v.truth == Truth::True).filter_map(|v| signatures[v.signature as usize].choice) {
            let place = last.entry(member.choice).or_default();
            *place = (*place).max(member.place);
        }
        let before = |(choice, last): (u32, u32)| {
            let members = self.choices[choice as usize].iter().copied().filter(|&id| signatures[id as usize].scope == Scope::Service);
            members.take_while(move |&id| signatures[id as usize].choice.is_some_and(|member| member.place < last))
        };
        last.into_iter().flat_map(before).collect()
    }

    /// In cut evidence a signature can be consistent although its triggers were not observed.
    fn mentioned_by(&self) -> &Woken {
        self.mentioned_by.get_or_init(|| {
            let mut pairs = Vec::new();
            let signatures = self.plan.plan().signatures.iter().enumerate();
            for (id, signature) in signatures.filter(|(_, signature)| signature.scope == Scope::Service) {
                mentioned(&signature.condition, &mut |test| pairs.push((test, id as SignatureId)));
            }
            Woken::new(self.plan.plan().tests.len(), pairs)
        })
    }

    fn with_scratch<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let pool = || self.scratch.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut scratch = pool().pop().unwrap_or_default();
        let answer = work(&mut scratch);
        pool().push(scratch);
        answer
    }
}

impl Gate for Matcher {
    fn follow_ups(&self, evidence: &Evidence, service: &Service) -> Vec<FollowUp> {
        Matcher::follow_ups(self, evidence, service)
    }

    fn spans_ports(&self) -> bool {
        self.across.iter().any(|&id| !self.plan.plan().signatures[id as usize].follows.is_empty())
    }

    fn follow_ups_of_host(&self, evidence: &Evidence) -> Vec<FollowUp> {
        Matcher::follow_ups_of_host(self, evidence)
    }
}

/// The day of the observation in UTC.
pub fn scan_date(evidence: &Evidence) -> Option<Date> {
    evidence.time.map(day_of)
}

/// The signatures of each choice by place.
fn by_choice(plan: &Plan) -> Vec<Vec<SignatureId>> {
    let mut choices = vec![Vec::new(); plan.choices.len()];
    for (id, signature) in plan.signatures.iter().enumerate() {
        if let Some(member) = signature.choice {
            choices[member.choice as usize].push(id as SignatureId);
        }
    }
    choices.iter_mut().for_each(|members| members.sort_by_key(|&id| (plan.signatures[id as usize].choice, id)));
    choices
}

fn mentioned(condition: &Condition, found: &mut impl FnMut(TestId)) {
    match condition {
        Condition::Test(leaf) => found(leaf.test),
        Condition::All(parts) | Condition::Any(parts) | Condition::AtLeast(_, parts) => {
            parts.iter().for_each(|part| mentioned(part, found))
        }
        Condition::Each(each) => each.present.into_iter().for_each(found),
        Condition::Late(..) | Condition::Search(_) | Condition::Not(_) => {}
    }
}

/// SHA-256 of a service's facts in a fixed order, without what names a single machine; absent when there is no fact.
fn digest(service: &Service) -> Option<String> {
    let mut facts: BTreeMap<(String, &str, Option<&str>), &[ksig_schema::Value]> = BTreeMap::new();
    for response in &service.responses {
        for fact in response.facts.iter().filter(|fact| !fact.field.redact) {
            facts.entry((response.probe.to_string(), fact.field.name, fact.key.as_deref())).or_insert(&fact.values);
        }
    }
    if facts.is_empty() {
        return None;
    }
    let mut hasher = Sha256::new();
    let mut write = |part: &[u8]| {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    for ((probe, field, key), values) in facts {
        write(probe.as_bytes());
        write(field.as_bytes());
        write(key.unwrap_or_default().as_bytes());
        write(&(values.len() as u64).to_le_bytes());
        for value in values {
            match value.as_bytes() {
                Some(bytes) => write(bytes),
                None => write(value.to_string().as_bytes()),
            }
        }
    }
    Some(ksig_schema::form::hex_digits(&hasher.finalize()))
}

#[cfg(test)]
mod tests;
