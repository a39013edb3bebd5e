//! Answers: from observations, or from facts that another tool took, to responses and evidence.

use ksig_schema::{Ended, Evidence, Facts, Observation, ProbeKey, Response, Sections, Service, Transport};

use crate::protocol;

/// What one observation says. Never fails: a failed conversation, foreign bytes and an unknown probe give a response without facts.
pub fn decode(observation: &Observation) -> Response {
    decode_bytes(&observation.probe, observation.transport, observation.ended, &observation.received)
}

/// The same from bytes alone, so that tests take the path of the wire.
pub fn decode_bytes(probe: &ProbeKey, _transport: Transport, ended: Ended, received: &[u8]) -> Response {
    let mut response = Response { probe: probe.clone(), ended, complete: Sections::default(), partial: false, facts: Facts::default() };
    if let Some((protocol, _)) = protocol::find(probe)
        && ended.connected()
    {
        let decoded = (protocol.decode)(probe, ended, received);
        response.complete = decoded.complete;
        response.facts = decoded.facts;
        (protocol.derive)(&mut response.facts);
    }
    response
}

/// A response from facts that another tool took: adds the facts that follow from them (`http.auth.*` from `www-authenticate`, `http.html.*`
/// from a body, `ssh.*` from the banner, `tls.cert.subject.cn` from the subject). With `partial`, what is not listed was not observed;
/// without, the facts are all there is, and whole when the conversation ended by itself.
pub fn partial_response(probe: ProbeKey, mut facts: Facts, ended: Ended, partial: bool) -> Response {
    if let Some((protocol, _)) = protocol::find(&probe) {
        (protocol.derive)(&mut facts);
    }
    let whole = !partial && matches!(ended, Ended::Complete | Ended::Eof);
    Response { probe, ended, complete: if whole { Sections::ALL } else { Sections::default() }, partial, facts }
}

/// Groups consecutive observations of one host. Services are sorted by port and transport; a probe that was tried several times counts
/// with its first whole answer, else its first answer, else its first failure. The evidence's time is that of its last observation.
pub fn evidence(observations: &[Observation]) -> Vec<Evidence> {
    observations.chunk_by(|a, b| a.host == b.host).map(host_evidence).collect()
}

fn host_evidence(observations: &[Observation]) -> Evidence {
    let mut evidence = Evidence {
        host: observations.first().map(|first| first.host.clone()).unwrap_or_default(),
        time: observations.iter().map(|observation| observation.time).max(),
        services: Vec::new(),
    };
    for observation in observations {
        let key = (observation.port, observation.transport, Some(observation.address));
        let found = evidence.services.binary_search_by_key(&key, |service| (service.port, service.transport, service.address));
        let at = found.unwrap_or_else(|at| {
            let (port, transport, address) = key;
            evidence.services.insert(at, Service { address, port, transport, responses: Vec::new() });
            at
        });
        add(&mut evidence.services[at].responses, decode(observation));
    }
    evidence
}

fn add(responses: &mut Vec<Response>, new: Response) {
    match responses.iter_mut().find(|old| old.probe == new.probe) {
        Some(old) if worth(&new) > worth(old) => *old = new,
        Some(_) => {}
        None => responses.push(new),
    }
}

/// More of it stands for the probe: whole, then answered, then reached.
fn worth(response: &Response) -> (bool, bool, bool) {
    (response.complete == Sections::ALL, response.answered(), response.ended.connected())
}
