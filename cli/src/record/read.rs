//! Which answers of a host a signature read, and what it says of them.
//!
//! In: what a host said, and a signature that identified it. Out: the answers to its probes under the names that it gives them: those that are
//! sent first, and the follow-ups that they led to.

use std::net::IpAddr;

use ksig_compiler::hir::{self, Asks, Scope};
use ksig_runtime::Truth;
use ksig_runtime::matcher::scan_date;
use ksig_runtime::plan::HOPS_MAX;
use ksig_schema::identification::Identity;
use ksig_schema::{Evidence, Identification, Observation, ProbeKey, Response, Service};

use crate::release::Release;

/// An answer under the name that a signature gives its probe.
pub(super) struct Named<'a> {
    pub(super) name: String,
    pub(super) observation: &'a Observation,
}

/// The answers that a signature read, in the order in which they were asked for.
pub(super) fn by<'a>(
    signature: &hir::Signature,
    answer: &Identification,
    evidence: &Evidence,
    answered: &[&'a Observation],
    release: &Release,
) -> Vec<Named<'a>> {
    let mut read: Vec<Named<'a>> = Vec::new();
    for id in signature.first_stage() {
        let probe = signature.probe(id);
        let Asks::Exactly(key) = &probe.asks else { continue };
        let is_read = |observation: &Observation| read.iter().any(|named| named.observation.id == observation.id);
        let mut of_probe = answered.iter().copied().filter(|observation| observation.probe == *key);
        let observation = match signature.scope {
            Scope::Service => of_probe.find(|observation| Some(observation.port) == answer.port),
            // Of the services that a probe may be bound to, the one that decided; ties go to the lowest port.
            Scope::Host => of_probe
                .filter(|observation| !is_read(observation))
                .min_by_key(|observation| (!has_decided(answer, signature, key, observation.port), observation.port)),
        };
        read.extend(observation.map(|observation| Named { name: probe.name.clone(), observation }));
    }
    for _ in 0..HOPS_MAX {
        let known = evidence_of(&read, read.iter().map(|named| ksig_protocols::decode(named.observation)).collect(), evidence, None);
        let Some(service) = own_service(&known, answer.port) else { break };
        for (name, asked) in release.matcher().follow_ups_of(&signature.name, &known, service) {
            let place = |observation: &&Observation| {
                observation.probe == asked.probe && observation.port == asked.port && observation.transport == asked.transport
            };
            let observation = answered.iter().copied().find(place).filter(|_| !read.iter().any(|named| named.name == name));
            read.extend(observation.map(|observation| Named { name, observation }));
        }
    }
    read
}

/// Whether what a signature about the whole host said rests on a probe's answer at a port.
fn has_decided(answer: &Identification, signature: &hir::Signature, probe: &ProbeKey, port: u16) -> bool {
    let own = answer.identifications.iter().filter(|found| found.signature == signature.name);
    own.flat_map(|found| &found.proof).any(|proof| proof.probe == *probe && proof.port == Some(port))
}

/// Answers as evidence of the same host at the same time, each where it was given; `instead`: the host's address, where another one stands in them.
pub(super) fn evidence_of(read: &[Named<'_>], responses: Vec<Response>, of: &Evidence, instead: Option<IpAddr>) -> Evidence {
    let mut services: Vec<Service> = Vec::new();
    for (Named { observation, .. }, response) in read.iter().zip(responses) {
        let Observation { address, port, transport, .. } = **observation;
        match services.iter_mut().find(|service| (service.port, service.transport) == (port, transport)) {
            Some(service) => service.responses.push(response),
            None => services.push(Service { address: Some(instead.unwrap_or(address)), port, transport, responses: vec![response] }),
        }
    }
    services.iter_mut().for_each(|service| service.responses.sort_by(|a, b| a.probe.cmp(&b.probe)));
    services.sort_by_key(|service| (service.port, service.transport));
    Evidence { host: of.host.clone(), time: of.time, services }
}

/// What a signature itself says that the device is; absent where it does not match.
pub(super) fn told(release: &Release, signature: &hir::Signature, evidence: &Evidence, port: Option<u16>) -> Option<Identity> {
    let service = own_service(evidence, port)?;
    let trace = release.matcher().why(&signature.name, evidence, service, scan_date(evidence))?;
    let device = trace.identities.into_iter().find(|identity| identity.facet == "device");
    device.filter(|_| trace.truth == Truth::True)
}

/// The service at a port; of a signature about the whole host, whichever.
fn own_service(evidence: &Evidence, port: Option<u16>) -> Option<&Service> {
    evidence.services.iter().find(|service| port.is_none_or(|port| service.port == port))
}
