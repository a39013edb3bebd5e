//! What is known of a host as a whole: fields under `host`, for guards. They come from the evidence of all its services; nothing is asked
//! for them.
//!
//! In: [`Evidence`]. Out: a [`Response`] to [`probe`], which no scan sends.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::{Evidence, Fact, Facts, Response, Sections};
use crate::observation::Ended;
use crate::probe::ProbeKey;
use crate::value::Value;

crate::fields! {
    /// Ports on which anything answered, ascending.
    ///
    /// Absent when the evidence names no port. Example: `80`.
    OPEN_PORTS: Int = "host.open_ports", many;

    /// Whether the host answers alike wherever it is asked, as tarpits and some middleboxes do: what it seems to be on one port, it seems to
    /// be on all.
    ///
    /// True when a probe was answered on [`ALIKE_PORTS_MIN`] ports or more, and every port that answered it gave the same facts, but for
    /// headers that change by themselves; and when [`CONTROLS`] random high ports, called as a control, all took a connection. False
    /// otherwise, so never missing; not observed in evidence that another tool cut, unless it is true there.
    ANSWERS_EVERYTHING: Bool = "host.answers_everything", always;
}

/// On how many ports the same answer makes a host one that answers everything.
pub const ALIKE_PORTS_MIN: usize = 6;

/// How many ports on which no service is expected are called as a control.
pub const CONTROLS: usize = 3;

/// Headers whose values change from answer to answer.
const CHANGING: &[&str] = &["date", "set-cookie", "expires", "last-modified", "etag"];

/// The name under which these facts stand beside those of probes.
pub fn probe() -> ProbeKey {
    ProbeKey::new("host")
}

/// The probe that a control stands under: a connection is made and closed without a word. It has no fields.
pub fn control() -> ProbeKey {
    ProbeKey::new("host.control")
}

/// What all services together say of their host.
pub fn response(evidence: &Evidence) -> Response {
    let partial = evidence.services.iter().flat_map(|service| &service.responses).any(|response| response.partial);
    let answered = evidence.services.iter().filter(|service| service.responses.iter().any(Response::answered));
    let ports: BTreeSet<u16> = answered.map(|service| service.port).filter(|port| *port != 0).collect();
    let mut facts = Facts::default();
    for port in ports {
        facts.push(&OPEN_PORTS, Value::Int(port.into()));
    }
    let everything = answers_everything(evidence);
    if everything || !partial {
        facts.push(&ANSWERS_EVERYTHING, Value::Bool(everything));
    }
    let complete = if partial { Sections::default() } else { Sections::ALL };
    Response { probe: probe(), ended: Ended::Complete, complete, partial, facts }
}

fn answers_everything(evidence: &Evidence) -> bool {
    // By probe: how many ports answered it, the first of the answers, and whether all others are like it.
    let mut seen: BTreeMap<&ProbeKey, (usize, &Facts, bool)> = BTreeMap::new();
    for response in evidence.services.iter().flat_map(|service| &service.responses).filter(|response| !response.facts.is_empty()) {
        let (ports, first, alike) = seen.entry(&response.probe).or_insert((0, &response.facts, true));
        *ports += 1;
        *alike = *alike && are_alike(first, &response.facts);
    }
    seen.values().any(|(ports, _, alike)| *ports >= ALIKE_PORTS_MIN && *alike) || takes_all_controls(evidence)
}

fn takes_all_controls(evidence: &Evidence) -> bool {
    let control = control();
    let taken = |response: &&Response| response.probe == control && response.ended == Ended::Complete;
    evidence.services.iter().flat_map(|service| &service.responses).filter(taken).count() >= CONTROLS
}

fn are_alike(a: &Facts, b: &Facts) -> bool {
    let lasting = |fact: &&Fact| !fact.key.as_deref().is_some_and(|key| CHANGING.contains(&key));
    a.iter().filter(lasting).eq(b.iter().filter(lasting))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Service;
    use crate::observation::Transport;

    crate::fields! {
        /// A title.
        TITLE: Text = "made.title";
        /// Headers.
        HEADER: Text = "made.header", many, keyed;
    }

    fn service(port: u16, title: &str) -> Service {
        let mut facts = Facts::default();
        facts.push(&TITLE, Value::text(title));
        facts.push_keyed(&HEADER, "Date", Value::text(port.to_string()));
        let probe = ProbeKey::with("http.get", "/");
        let response = Response { probe, ended: Ended::Eof, complete: Sections::ALL, partial: false, facts };
        Service { address: None, port, transport: Transport::Tcp, responses: vec![response] }
    }

    fn everything(services: Vec<Service>) -> bool {
        let response = response(&Evidence { services, ..Evidence::default() });
        response.facts.get(ANSWERS_EVERYTHING.name, None) == [Value::Bool(true)]
    }

    #[test]
    fn the_same_answer_on_many_ports_is_one_that_says_nothing() {
        let same = || (81..87).map(|port| service(port, "ACME"));
        assert!(everything(same().collect()));
        assert!(!everything(same().take(5).collect()), "five ports are few");
        assert!(!everything(same().chain([service(99, "Apex")]).collect()), "one port differs");
        assert!(FIELDS.len() == 2);
    }

    #[test]
    fn a_host_that_takes_connections_where_nobody_expects_any_answers_everything() {
        let called = |port: u16, ended: Ended| {
            let response = Response { probe: control(), ended, complete: Sections::default(), partial: false, facts: Facts::default() };
            Service { address: None, port, transport: Transport::Tcp, responses: vec![response] }
        };
        let all = [50_000, 54_000, 58_000].map(|port| called(port, Ended::Complete));
        assert!(everything(all.to_vec()));
        let mut refused = all.to_vec();
        refused[2] = called(58_000, Ended::Refused);
        assert!(!everything(refused));
    }

    #[test]
    fn open_ports_are_those_that_answered() {
        let mut closed = service(90, "x");
        closed.responses[0].facts = Facts::default();
        closed.responses[0].complete = Sections::default();
        let evidence = Evidence { services: vec![service(443, "a"), closed, service(80, "b")], ..Evidence::default() };
        assert_eq!(response(&evidence).facts.get(OPEN_PORTS.name, None), [Value::Int(80), Value::Int(443)]);
    }
}
