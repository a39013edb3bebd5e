//! Every request that a release can send, with its holes: what `ksig plan` prints, and what a bundle's `requests_sha256` is made of.
//!
//! In: a plan's probes. Out: [`Template`]s, sorted; their hash. A hole is written in angle brackets: `<host>`, `<contact>`, `<place>`.

use ksig_protocols::requests::{self, Holes};
use ksig_schema::{PlannedProbe, ProbeCost, ProbePlan, Safety};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// One planned probe as it goes on the wire.
#[derive(Debug, Serialize)]
pub struct Template {
    /// `http.get("/")`, or the constructor with a hole for the place that a device names.
    pub probe: String,
    /// How much it does.
    pub safety: Safety,
    /// Sent only after a gate held.
    pub follow_up: bool,
    /// Where it is expected.
    pub ports: Vec<u16>,
    /// Everything that can be sent, one message each, bytes escaped.
    pub sends: Vec<String>,
    /// What it costs at most.
    #[serde(flatten)]
    pub cost: ProbeCost,
}

/// The templates of a plan, in its order.
pub fn of(plan: &ProbePlan) -> Vec<Template> {
    plan.probes.iter().map(template).collect()
}

/// SHA-256 of the templates, as hexadecimal digits: two bundles with the same hash send the same.
pub fn sha256(templates: &[Template]) -> String {
    let mut hasher = Sha256::new();
    for template in templates {
        // Numbers, booleans and texts always serialize.
        hasher.update(serde_json::to_vec(template).unwrap_or_default());
        hasher.update(b"\n");
    }
    ksig_schema::form::hex_digits(&hasher.finalize())
}

fn template(planned: &PlannedProbe) -> Template {
    let messages = requests::messages(&planned.request, Holes { place: "/<place>", contact: "<contact>" });
    let host = requests::host_name();
    Template {
        probe: planned.request.to_string(),
        safety: planned.safety,
        follow_up: planned.follow_up,
        ports: planned.ports.clone(),
        sends: messages.iter().map(|bytes| bytes.escape_ascii().to_string().replace(&host, "<host>")).collect(),
        cost: requests::cost(&planned.request),
    }
}

#[cfg(test)]
mod tests {
    use ksig_schema::{ProbeKey, Request};

    use super::*;

    fn planned(request: Request) -> PlannedProbe {
        PlannedProbe { request, ports: vec![80], any_tls: false, follow_up: false, safety: Safety::Benign }
    }

    #[test]
    fn holes_are_shown_and_hashed() {
        let plan = ProbePlan {
            probes: vec![planned(Request::Exactly(ProbeKey::with("http.get", "/"))), planned(Request::Named("http.get".into()))],
        };
        let templates = of(&plan);
        assert!(templates[0].sends[0].starts_with("GET / HTTP/1.1\\r\\nHost: <host>\\r\\n"), "{}", templates[0].sends[0]);
        assert!(templates[0].sends[0].contains("+<contact>)"));
        assert!(templates[1].sends[0].starts_with("GET /<place> HTTP/1.1"));
        assert_eq!(sha256(&templates), sha256(&of(&plan)));
        assert_ne!(sha256(&templates), sha256(&templates[..1]));
    }
}
