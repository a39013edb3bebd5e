//! Every request that a release can send, with its holes: what `ksig plan` prints, and what a bundle's `requests_sha256` is made of.
//!
//! In: a plan's probes. Out: [`Template`]s, sorted; their hash. A hole is written in angle brackets: `<host>`, `<contact>`, `<place>`.

use std::net::{IpAddr, Ipv6Addr};

use ksig_protocols::{CONTACT_BYTES_MAX, Peer, PeerState, ScanIdentity, Step};
use ksig_schema::target::TARGET_BYTES_MAX;
use ksig_schema::{PlannedProbe, ProbeKey, ProbePlan, Request, Safety};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Most messages of one conversation that are shown: what follows depends on the peer's answers, and no probe says more than a few lines.
const MESSAGES_MAX: usize = 8;

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
    /// What is sent before anything is received, one message each, bytes escaped.
    pub sends: Vec<String>,
    /// Length of all messages in their longest form.
    pub bytes_max: usize,
    /// Most bytes of the answer that are kept.
    pub response_bytes_max: usize,
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

/// Stands for a host's address while a template is made: of the documentation prefix, so that no literal of a signature is this one.
const HOST: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x6b73));
const PORT: u16 = 65_535;

fn template(planned: &PlannedProbe) -> Template {
    let shown = "<contact>";
    let (messages, response_bytes_max) = messages(&planned.request, "/<place>", shown);
    let longest_place = format!("/{}", "x".repeat(TARGET_BYTES_MAX - 1));
    let (longest, _) = self::messages(&planned.request, &longest_place, &"x".repeat(CONTACT_BYTES_MAX));
    let host = format!("[{HOST}]:{PORT}");
    let sends = messages.iter().map(|bytes| bytes.escape_ascii().to_string().replace(&host, "<host>")).collect();
    Template {
        probe: planned.request.to_string(),
        safety: planned.safety,
        follow_up: planned.follow_up,
        ports: planned.ports.clone(),
        sends,
        // An address can be longer than the one that stands for it.
        bytes_max: longest.iter().map(|bytes| bytes.len() + HOST_BYTES_MORE).sum(),
        response_bytes_max,
    }
}

/// How much longer an address can be than [`HOST`]: 39 characters to 17.
const HOST_BYTES_MORE: usize = 22;

/// What the probe sends before it hears anything, and how much it would keep of the answer.
fn messages(request: &Request, place: &str, contact: &str) -> (Vec<Vec<u8>>, usize) {
    let identity = ScanIdentity { contact: contact.into() };
    let peer = Peer { address: HOST, port: PORT, tls: false, identity: &identity };
    let talk = match request {
        Request::Exactly(key) => ksig_protocols::conversation(key, &peer),
        Request::Named(constructor) => ksig_protocols::named_conversation(&ProbeKey::with(constructor, place), &peer),
    };
    let Some(mut talk) = talk else { return (Vec::new(), 0) };
    let mut sent = Vec::new();
    while let Step::Send(bytes) = talk.next(&[], PeerState::Open) {
        sent.push(bytes);
        if sent.len() >= MESSAGES_MAX {
            break;
        }
    }
    (sent, talk.limits().response_bytes_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(request: Request) -> PlannedProbe {
        PlannedProbe { request, ports: vec![80], any_tls: false, follow_up: false, safety: Safety::Benign }
    }

    #[test]
    fn holes_are_shown_and_the_longest_form_is_counted() {
        let plan = ProbePlan {
            probes: vec![planned(Request::Exactly(ProbeKey::with("http.get", "/"))), planned(Request::Named("http.get".into()))],
        };
        let templates = of(&plan);
        assert!(templates[0].sends[0].starts_with("GET / HTTP/1.1\\r\\nHost: <host>\\r\\n"), "{}", templates[0].sends[0]);
        assert!(templates[0].sends[0].contains("+<contact>)"));
        assert!(templates[1].sends[0].starts_with("GET /<place> HTTP/1.1"));
        assert_eq!(templates[1].bytes_max - templates[0].bytes_max, TARGET_BYTES_MAX - 1);
        assert!(templates[0].response_bytes_max > 0);
        assert_eq!(sha256(&templates), sha256(&of(&plan)));
        assert_ne!(sha256(&templates), sha256(&templates[..1]));
    }
}
