//! What all services of a host show of it, counted answer by answer.

use ksig_schema::host::{ANSWERS_EVERYTHING, OPEN_PORTS};
use ksig_schema::{Ended, Evidence, Facts, ProbeKey, Response, Sections, Value};

/// The fields under `host`.
pub fn facts(evidence: &Evidence) -> Response {
    let all: Vec<&Response> = evidence.services.iter().flat_map(|service| &service.responses).collect();
    let cut = all.iter().any(|response| response.partial);
    let mut facts = Facts::default();
    for port in 1..=u16::MAX {
        let answered =
            |response: &Response| response.partial || response.facts.iter().count() > 0 || response.complete != Sections::default();
        if evidence.services.iter().any(|service| service.port == port && service.responses.iter().any(answered)) {
            facts.push(&OPEN_PORTS, Value::Int(port.into()));
        }
    }
    let lines = |response: &Response| -> Vec<String> {
        let changing = ["date", "set-cookie", "expires", "last-modified", "etag"];
        let lasting = response.facts.iter().filter(|fact| !changing.contains(&fact.key.as_deref().unwrap_or_default()));
        lasting.map(|fact| format!("{} {:?} {:?}", fact.field.name, fact.key, fact.values)).collect()
    };
    let alike = |probe: &ProbeKey| {
        let mut answers: Vec<Vec<String>> =
            all.iter().filter(|response| response.probe == *probe && response.facts.iter().count() > 0).map(|r| lines(r)).collect();
        let count = answers.len();
        answers.dedup();
        count >= 6 && answers.len() == 1
    };
    let everything = all.iter().any(|response| alike(&response.probe));
    if everything || !cut {
        facts.push(&ANSWERS_EVERYTHING, Value::Bool(everything));
    }
    let complete = if cut { Sections::default() } else { Sections::ALL };
    Response { probe: ProbeKey::new("host"), ended: Ended::Complete, complete, partial: cut, facts }
}
