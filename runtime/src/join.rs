//! From the answers of a host's services to its devices (V15).
//!
//! In: the answers of all services, and what the signatures about the whole host say. Out: the line of the host. Behind one address there may be
//! several devices, so answers are joined only
//!
//! - that name the same vendor and model,
//! - that come from services of one machine: these name it alike (a serial number, a unique id, a certificate), or a signature about the host
//!   is bound to them. They are joined where all of them agree,
//! - that are about software, which is one answer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use ksig_schema::identification::{Identification, Identified, Identity, Known, Note, Support};
use ksig_schema::{MachineName, Service, Value};

use crate::resolve::{
    Resolution, SOFTWARE, all_slots, merge_components, merge_details, merge_identities, merge_proofs, merge_tags, parting_slots,
};

/// Shorter names of machines are made up as often as not: `0`, `N/A`.
const MACHINE_NAME_BYTES_MIN: usize = 6;

/// Things in groups that grow together.
struct Groups {
    parents: Vec<usize>,
}

impl Groups {
    fn new(len: usize) -> Groups {
        Groups { parents: (0..len).collect() }
    }

    /// The group's name: its first member.
    fn of(&self, mut at: usize) -> usize {
        while self.parents[at] != at {
            at = self.parents[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

/// What the signatures about the whole host say, as [`crate::resolve`] left it.
pub(crate) struct Across<'e> {
    pub resolution: Resolution,
    /// By signature: the services that it is bound to.
    pub bound: HashMap<String, Vec<&'e Service>>,
}

impl Across<'_> {
    /// Indexes of the services that an answer speaks of.
    fn services(&self, answer: &Identified, services: &[Service]) -> Vec<usize> {
        let bound = [&answer.signature].into_iter().chain(&answer.also).filter_map(|name| self.bound.get(name)).flatten();
        bound.filter_map(|one| services.iter().position(|service| std::ptr::eq(*one, service))).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Identified> {
        let Resolution { identifications, consistent, ambiguous, .. } = &self.resolution;
        identifications.iter().chain(consistent).chain(ambiguous)
    }
}

/// The line of a host: what all services and all signatures about it say.
pub(crate) fn host(services: &[Service], answers: &[Identification], across: &Across<'_>) -> Resolution {
    let machines = machines(services, across);
    let joined = |of: fn(&Identification) -> &Vec<Identified>, whole: &[Identified], notes: &mut Vec<Note>| {
        let own = answers.iter().enumerate().flat_map(|(at, answer)| of(answer).iter().map(move |one| (one, Some(at))));
        let whole = whole.iter().map(|one| (one, across.services(one, services).first().copied()));
        let all = own.chain(whole).map(|(answer, service)| Entry { answer, machine: service.map(|at| machines.of(at)) });
        join(&all.collect::<Vec<_>>(), notes)
    };
    let mut notes: Vec<Note> = answers.iter().flat_map(|answer| answer.notes.clone()).chain(across.resolution.notes.clone()).collect();
    let resolution = Resolution {
        identifications: joined(|answer| &answer.identifications, &across.resolution.identifications, &mut notes),
        consistent: joined(|answer| &answer.consistent, &across.resolution.consistent, &mut Vec::new()),
        ambiguous: joined(|answer| &answer.ambiguous, &across.resolution.ambiguous, &mut Vec::new()),
        notes: Vec::new(),
    };
    notes.sort();
    notes.dedup();
    Resolution { notes, ..resolution }
}

/// Services in groups that are one machine.
fn machines(services: &[Service], across: &Across<'_>) -> Groups {
    let mut machines = Groups::new(services.len());
    if services.len() < 2 {
        return machines;
    }
    let mut known: HashMap<(MachineName, Vec<u8>), usize> = HashMap::new();
    for (at, service) in services.iter().enumerate() {
        for name in machine_names(service) {
            let first = *known.entry(name).or_insert(at);
            machines.join(first, at);
        }
    }
    for answer in across.all() {
        let bound = across.services(answer, services);
        bound.windows(2).for_each(|pair| machines.join(pair[0], pair[1]));
    }
    machines
}

/// What names the machine behind a service, each as it is compared.
fn machine_names(service: &Service) -> impl Iterator<Item = (MachineName, Vec<u8>)> {
    let facts = service.responses.iter().flat_map(|response| response.facts.iter());
    let named = facts.filter_map(|fact| Some((fact.field.machine?, &fact.values)));
    named.flat_map(|(kind, values)| values.iter().filter_map(move |value| Some((kind, machine_name(value)?))))
}

/// Texts without the scheme of a unique id and without case; absent for one that is too short or one character all along.
fn machine_name(value: &Value) -> Option<Vec<u8>> {
    let name = match value {
        Value::Text(text) => {
            let lower = text.trim().to_lowercase();
            lower.rsplit_once("uuid:").map_or(lower.as_str(), |(_, id)| id).as_bytes().to_vec()
        }
        other => other.as_bytes()?.to_vec(),
    };
    let telling: BTreeSet<u8> = name.iter().copied().filter(|byte| *byte != b'-').collect();
    (name.len() >= MACHINE_NAME_BYTES_MIN && telling.len() > 1).then_some(name)
}

/// One answer on its way into a host's line.
struct Entry<'a> {
    answer: &'a Identified,
    /// The machine that it is about, by one of its services; absent for what is known of no service in particular.
    machine: Option<usize>,
}

fn join(entries: &[Entry<'_>], notes: &mut Vec<Note>) -> Vec<Identified> {
    let mut devices = Groups::new(entries.len());
    let mut alike: BTreeMap<Vec<Option<&str>>, usize> = BTreeMap::new();
    let mut together: BTreeMap<(&str, usize), Vec<usize>> = BTreeMap::new();
    for (at, Entry { answer, machine }) in entries.iter().enumerate() {
        let identity = &answer.identity;
        let key = match (&identity.vendor, &identity.model) {
            _ if identity.facet == SOFTWARE => vec![Some(SOFTWARE)],
            (Some(vendor), Some(model)) => vec![Some(identity.facet.as_str()), Some(vendor), Some(model)],
            _ => all_slots(identity).to_vec(),
        };
        devices.join(*alike.entry(key).or_insert(at), at);
        if let Some(machine) = machine {
            together.entry((&identity.facet, *machine)).or_default().push(at);
        }
    }
    for members in together.values().filter(|members| all_agree(members.iter().map(|&at| &entries[at].answer.identity))) {
        members.windows(2).for_each(|pair| devices.join(pair[0], pair[1]));
    }
    let mut groups: BTreeMap<usize, Vec<&Identified>> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        groups.entry(devices.of(at)).or_default().push(entry.answer);
    }
    let mut joined: Vec<Identified> = groups.into_values().map(|answers| join_one(answers, notes)).collect();
    joined.sort_by(|a, b| all_slots(&a.identity).cmp(&all_slots(&b.identity)));
    joined
}

/// Whether no two of them say different things.
fn all_agree<'i>(identities: impl Iterator<Item = &'i Identity>) -> bool {
    let mut said: [Option<&str>; 5] = [None; 5];
    for identity in identities {
        for (said, slot) in said.iter_mut().zip(parting_slots(identity)) {
            match (*said, slot) {
                (Some(said), Some(slot)) if said != slot => return false,
                (None, slot) => *said = slot,
                _ => {}
            }
        }
    }
    true
}

fn join_one(mut answers: Vec<&Identified>, notes: &mut Vec<Note>) -> Identified {
    let rank = |answer: &Identified| (Reverse(answer.confidence), answer.signature.clone(), answer.identity.version.is_none());
    let shown = |answer: &Identified| answer.proof.iter().map(|proof| (proof.field.clone(), proof.value.clone())).collect::<Vec<_>>();
    answers.sort_by_cached_key(|answer| (rank(answer), answer.identity.version.clone(), shown(answer)));
    let leader = answers[0];
    let identities: Vec<&Identity> = answers.iter().map(|answer| &answer.identity).collect();
    let (identity, versions) = merge_identities(&leader.identity.facet, &identities);
    let known = |of: fn(&Support) -> Known| answers.iter().map(|answer| of(&answer.support)).find(|known| *known != Known::Unknown);
    let mut support = Support {
        ended: known(|support| support.ended).unwrap_or_default(),
        latest: known(|support| support.latest).unwrap_or_default(),
        ends: answers.iter().find_map(|answer| answer.support.ends),
        latest_version: answers.iter().find_map(|answer| answer.support.latest_version.clone()),
    };
    if versions.len() > 1 {
        support.latest = Known::Unknown;
        notes.push(Note::VersionsDiffer { facet: identity.facet.clone(), versions });
    }
    let mut also: BTreeSet<&String> = answers.iter().flat_map(|answer| answer.also.iter().chain([&answer.signature])).collect();
    also.remove(&leader.signature);
    Identified {
        identity,
        components: merge_components(answers.iter().flat_map(|answer| &answer.components)),
        details: merge_details(answers.iter().flat_map(|answer| &answer.details)),
        tags: merge_tags(answers.iter().flat_map(|answer| &answer.tags)),
        signature: leader.signature.clone(),
        confidence: leader.confidence,
        evidence: leader.evidence,
        support,
        proof: merge_proofs(answers.iter().flat_map(|answer| &answer.proof)),
        also: also.into_iter().cloned().collect(),
    }
}
