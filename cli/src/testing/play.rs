//! Plays the answers that a test gives, as a scan would have got them.
//!
//! In: a matcher, a signature and its test. Out: [`Played`]: the evidence, and which probes went out.

use std::collections::BTreeSet;

use ksig_compiler::hir::{self, Asks, Fixture, Scope};
use ksig_protocols::charset;
use ksig_runtime::Matcher;
use ksig_runtime::plan::{Datum, HOPS_MAX};
use ksig_schema::{Date, Ended, Evidence, Facts, FollowUp, ProbeKey, Response, Service, Time, Transport, Value};

/// What came of the answers that a test gives.
#[derive(Debug)]
pub struct Played {
    /// The first service is the signature's own; of a signature about the whole host, all are.
    pub evidence: Evidence,
    /// Names of the probes that went out: the first stage, and the follows that it led to.
    pub sent: BTreeSet<String>,
}

/// Plays a test as a scan goes: the answers to first-stage probes are there; the answer to a follow only when its gate asked for it, under
/// the key that was asked.
pub fn play(matcher: &Matcher, signature: &hir::Signature, test: &hir::Test) -> Played {
    let probe = |id: &hir::ProbeId| signature.probe(*id);
    let first = test.given.iter().filter(|(id, fixture)| probe(id).hop == 0 || matches!(fixture, Fixture::Value(..)));
    let answers: Vec<(&hir::Probe, Response)> = first
        .filter_map(|(id, fixture)| match &probe(id).asks {
            Asks::Exactly(key) => Some((probe(id), response(key, fixture))),
            Asks::Named { .. } => None,
        })
        .collect();
    let services = match signature.scope {
        Scope::Service => vec![one_service(test, &test.given.iter().map(|(id, _)| probe(id)).collect::<Vec<_>>(), answers)],
        Scope::Host => services(test, answers),
    };
    let mut evidence = Evidence { host: test.name.clone(), time: test.at.and_then(midnight), services };
    let mut sent: BTreeSet<String> = signature.first_stage().iter().map(|id| probe(id).name.clone()).collect();
    for _ in 0..HOPS_MAX {
        for (name, asked) in matcher.follow_ups_of(&signature.name, &evidence, &evidence.services[0]) {
            if let Some((_, fixture)) = test.given.iter().find(|(id, _)| probe(id).name == name) {
                answered(&mut evidence, &asked, response(&asked.probe, fixture));
            }
            sent.insert(name);
        }
    }
    Played { evidence, sent }
}

/// All answers on one service, on the first port of the first probe that has one.
fn one_service(test: &hir::Test, given: &[&hir::Probe], answers: Vec<(&hir::Probe, Response)>) -> Service {
    let mut responses: Vec<Response> = answers.into_iter().map(|(_, response)| response).collect();
    responses.sort_by(|a, b| a.probe.cmp(&b.probe));
    let mut asked = given.iter().map(|probe| &probe.asks).filter(|asks| asks.is_sent()).map(Asks::constructor);
    let tls = asked.all(|constructor| constructor.starts_with("tls."));
    let port = given.iter().find_map(|probe| probe.ports.first().copied()).unwrap_or_default();
    Service { address: test.address, port, transport: if tls { Transport::Tls } else { Transport::Tcp }, responses }
}

/// Each answer on a service of its own: on a port of its probe that no other took, or on one that nobody asks.
fn services(test: &hir::Test, answers: Vec<(&hir::Probe, Response)>) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    // What is known of the host, or was answered to another tool, was answered on no port.
    let (answers, unasked): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(probe, _)| probe.asks.is_sent());
    for (probe, response) in answers {
        let free = |port: &u16| !services.iter().any(|service: &Service| service.port == *port);
        let port = probe.ports.iter().copied().find(free).or_else(|| (49_152..=u16::MAX).find(free)).unwrap_or_default();
        let tls = probe.any_tls || probe.asks.constructor().starts_with("tls.");
        let transport = if tls { Transport::Tls } else { Transport::Tcp };
        services.push(Service { address: test.address, port, transport, responses: vec![response] });
    }
    // What nobody answered is a host all the same.
    if services.is_empty() {
        services.push(Service { address: test.address, port: 0, transport: Transport::Tcp, responses: Vec::new() });
    }
    services[0].responses.extend(unasked.into_iter().map(|(_, response)| response));
    services.sort_by_key(|service| service.port);
    services
}

/// Puts an answer where it was asked: on the first service, or on another port of the host.
fn answered(evidence: &mut Evidence, asked: &FollowUp, response: Response) {
    let address = evidence.services[0].address;
    let there = |service: &&mut Service| service.port == asked.port && service.transport == asked.transport;
    match evidence.services.iter_mut().find(there) {
        Some(service) => service.responses.push(response),
        None => {
            evidence.services.push(Service { address, port: asked.port, transport: asked.transport, responses: vec![response] });
        }
    }
}

fn midnight(date: Date) -> Option<Time> {
    date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn response(probe: &ProbeKey, fixture: &Fixture) -> Response {
    let decoded = |bytes: &[u8], ended| ksig_protocols::decode_bytes(probe, Transport::Tcp, ended, bytes);
    match fixture {
        // A fixture is all that the peer said before it closed.
        Fixture::Inline { kind, text } => decoded(&ksig_protocols::fixture_bytes(kind, text).unwrap_or_default(), Ended::Eof),
        Fixture::Bytes(bytes) => decoded(bytes, Ended::Eof),
        Fixture::Value(field, datum) => given_facts(probe, std::slice::from_ref(&(field.clone(), datum.clone())), true),
        Fixture::Facts(facts) => given_facts(probe, facts, false),
        Fixture::Timeout => decoded(&[], Ended::Timeout),
        Fixture::Refused => decoded(&[], Ended::Refused),
    }
}

fn given_facts(probe: &ProbeKey, given: &[(hir::FieldRef, Datum)], partial: bool) -> Response {
    let mut facts = Facts::default();
    for (field, datum) in given {
        let value = match datum {
            Datum::Bool(v) => Value::Bool(*v),
            Datum::Int(v) => Value::Int(*v),
            Datum::Text(v) => Value::Text(v.clone()),
            Datum::Bytes(v) => Value::Bytes(v.clone()),
            Datum::Date(v) => Value::Date(*v),
            _ => continue,
        };
        match (value, &field.key) {
            (Value::Bytes(bytes), key) if field.raw => facts.push_read(field.field, key.as_deref(), charset::text(&bytes), &bytes),
            (value, Some(key)) => facts.push_keyed(field.field, key, value),
            (value, None) => facts.push(field.field, value),
        }
    }
    ksig_protocols::partial_response(probe.clone(), facts, Ended::Complete, partial)
}
