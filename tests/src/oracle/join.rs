//! The line of a host: which answers are one device (V15). Written over pairs: two answers are of one device, and so are those of a third.

use std::collections::BTreeSet;

use ksig_schema::identification::{Component, Identification, Identified, Identity, Known, Note, Support};
use ksig_schema::{Evidence, MachineName, Service, Value};

use super::resolution::{agreed, distinct, one_identity, sorted};

/// An answer, and the services that it is about.
type Said<'a> = (&'a Identified, Vec<&'a Service>);

/// What the line of a host says, from the answers of its services, and from that of the signatures about it with the services each is bound to.
pub fn host_line(
    evidence: &Evidence,
    services: &[Identification],
    across: &Identification,
    bound: &[(String, Vec<&Service>)],
) -> Identification {
    let bound_to = |one: &Identified| -> Vec<&Service> {
        let named = |name: &String| *name == one.signature || one.also.contains(name);
        bound.iter().filter(|(name, _)| named(name)).flat_map(|(_, services)| services.clone()).collect()
    };
    let all_across = || across.identifications.iter().chain(&across.consistent).chain(&across.ambiguous);
    // Pairs of services that are one machine.
    let mut links: Vec<(*const Service, *const Service)> = Vec::new();
    for one in &evidence.services {
        for other in &evidence.services {
            if std::ptr::eq(one, other) || names(one).intersection(&names(other)).next().is_some() {
                links.push((one, other));
            }
        }
    }
    for answer in all_across() {
        for one in bound_to(answer) {
            links.extend(bound_to(answer).into_iter().map(|other| (one as *const Service, other as *const Service)));
        }
    }
    let one_machine = |a: &Service, b: &Service| reaches(&links, a, b);
    let list = |of: fn(&Identification) -> &Vec<Identified>, notes: &mut Vec<Note>| -> Vec<Identified> {
        let mut all: Vec<Said<'_>> = Vec::new();
        for (service, answer) in evidence.services.iter().zip(services) {
            all.extend(of(answer).iter().map(|one| (one, vec![service])));
        }
        all.extend(of(across).iter().map(|one| (one, bound_to(one))));
        let of_one_machine = |a: &Said<'_>, b: &Said<'_>| {
            a.0.identity.facet == b.0.identity.facet && a.1.iter().any(|one| b.1.iter().any(|other| one_machine(one, other)))
        };
        let together = |a: &Said<'_>, b: &Said<'_>| {
            let (one, other) = (&a.0.identity, &b.0.identity);
            let same = one.facet == other.facet
                && (one.facet == "software"
                    || one == other
                    || one.vendor.is_some() && one.model.is_some() && one.vendor == other.vendor && one.model == other.model);
            let machine: Vec<&Identity> = all.iter().filter(|said| of_one_machine(a, said)).map(|said| &said.0.identity).collect();
            let agreed = machine.iter().all(|one| machine.iter().all(|other| agree(one, other)));
            same || of_one_machine(a, b) && agreed
        };
        let mut rest: Vec<usize> = (0..all.len()).collect();
        let mut devices = Vec::new();
        while let Some(first) = rest.pop() {
            let mut device = vec![first];
            while let Some(at) = rest.iter().position(|at| device.iter().any(|member| together(&all[*member], &all[*at]))) {
                device.push(rest.remove(at));
            }
            devices.push(one_device(device.into_iter().map(|at| all[at].0).collect(), notes));
        }
        devices
    };
    let mut notes: Vec<Note> = services.iter().chain([across]).flat_map(|answer| answer.notes.clone()).collect();
    let identifications = list(|answer| &answer.identifications, &mut notes);
    let consistent = list(|answer| &answer.consistent, &mut Vec::new());
    let ambiguous = list(|answer| &answer.ambiguous, &mut Vec::new());
    notes.sort();
    notes.dedup();
    sorted(Identification { identifications, consistent, ambiguous, notes, ..Identification::default() })
}

/// What names the machine behind a service.
fn names(service: &Service) -> BTreeSet<(MachineName, Vec<u8>)> {
    let mut names = BTreeSet::new();
    for fact in service.responses.iter().flat_map(|response| response.facts.iter()) {
        let Some(kind) = fact.field.machine else { continue };
        for value in &fact.values {
            let name = match value {
                Value::Text(text) => text.trim().to_lowercase().split("uuid:").last().unwrap_or_default().as_bytes().to_vec(),
                Value::Bytes(bytes) => bytes.clone(),
                _ => continue,
            };
            let letters: BTreeSet<&u8> = name.iter().filter(|byte| **byte != b'-').collect();
            if name.len() >= 6 && letters.len() >= 2 {
                names.insert((kind, name));
            }
        }
    }
    names
}

fn reaches(links: &[(*const Service, *const Service)], from: *const Service, to: *const Service) -> bool {
    let mut known = vec![from];
    loop {
        let next = links.iter().find_map(|&(a, b)| match (known.contains(&a), known.contains(&b)) {
            (true, false) => Some(b),
            (false, true) => Some(a),
            _ => None,
        });
        match next {
            Some(next) => known.push(next),
            None => return known.contains(&to),
        }
    }
}

fn agree(a: &Identity, b: &Identity) -> bool {
    let slots = |one: &Identity| [one.vendor.clone(), one.brand.clone(), one.series.clone(), one.model.clone(), one.class.clone()];
    slots(a).into_iter().zip(slots(b)).all(|(a, b)| a.is_none() || b.is_none() || a == b)
}

/// What several answers about one device say together.
fn one_device(mut answers: Vec<&Identified>, notes: &mut Vec<Note>) -> Identified {
    answers.sort_by_key(|one| {
        let version = one.identity.version.clone();
        (std::cmp::Reverse(one.confidence), one.signature.clone(), version.is_none(), version)
    });
    let leader = answers[0];
    let said: Vec<&Identity> = answers.iter().map(|one| &one.identity).collect();
    let (identity, versions) = one_identity(&leader.identity.facet, &said);
    let known = |of: fn(&Support) -> Known| {
        answers.iter().map(|one| of(&one.support)).find(|known| *known != Known::Unknown).unwrap_or(Known::Unknown)
    };
    let mut support = Support {
        ended: known(|support| support.ended),
        latest: known(|support| support.latest),
        ends: answers.iter().find_map(|one| one.support.ends),
        latest_version: answers.iter().find_map(|one| one.support.latest_version.clone()),
    };
    if versions.len() > 1 {
        support.latest = Known::Unknown;
        notes.push(Note::VersionsDiffer { facet: leader.identity.facet.clone(), versions: versions.iter().cloned().collect() });
    }
    let mut also: BTreeSet<String> = answers.iter().flat_map(|one| one.also.iter().chain([&one.signature]).cloned()).collect();
    also.remove(&leader.signature);
    let components: Vec<Component> = answers.iter().flat_map(|one| one.components.clone()).collect();
    let mut tags: Vec<_> = answers.iter().flat_map(|one| one.tags.clone()).collect();
    tags.sort();
    tags.dedup();
    Identified {
        identity,
        components: distinct(components),
        details: agreed(&answers.iter().map(|one| &one.details).collect::<Vec<_>>()),
        tags,
        signature: leader.signature.clone(),
        confidence: leader.confidence,
        evidence: leader.evidence,
        support,
        proof: Vec::new(),
        also: also.into_iter().collect(),
    }
}
