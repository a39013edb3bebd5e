//! SSDP: what a host says of its UPnP devices when it alone is asked.
//!
//! In: answers, one after the other. Out: facts under `ssdp`; what several answers say are several values in wire order. They are whole when
//! the host fell silent after at least one.
//!
//! ksig asks one address, never a group of them, so the answers come from that host alone.

use ksig_schema::probe::{ArgumentKind, ParameterDef, Place};
use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, FieldDef, ProbeKey, Safety, Sections};

use crate::ask::ask_all;
use crate::conversation::{Conversation, Limits, PRODUCT, Peer};
use crate::protocol::{Decoded, Protocol};
use crate::{charset, greeting, head};

ksig_schema::fields! {
    /// Value of a header, by its name, of all answers in order. `USN`, which names a single machine, stands in `ssdp.usn` alone.
    ///
    /// At most 32 answers are read.
    /// Source: UPnP Device Architecture 1.1 section 1.3.3. Example: `ssdp.header["server"]` is `Linux/3.4 UPnP/1.0 ACME/1.0`.
    HEADER: Text = "ssdp.header", many, keyed;

    /// What the answers are about: a kind of device or of service.
    ///
    /// Source: UPnP Device Architecture 1.1 section 1.3.3, `ST`. Example: `upnp:rootdevice`.
    ST: Text = "ssdp.st", many;

    /// Where the device's description is.
    ///
    /// Source: UPnP Device Architecture 1.1 section 1.3.3, `LOCATION`. Example: `http://192.0.2.1:49152/rootDesc.xml`.
    LOCATION: Text = "ssdp.location", many, link;

    /// Operating system and software.
    ///
    /// Source: UPnP Device Architecture 1.1 section 1.3.3, `SERVER`. Example: `Linux/3.4 UPnP/1.0 ACME/1.0`.
    SERVER: Text = "ssdp.server", many;

    /// Unique name of the device or service.
    ///
    /// Source: UPnP Device Architecture 1.1 section 1.3.3, `USN`. Example: `uuid:...::upnp:rootdevice`.
    USN: Text = "ssdp.usn", many, redact;
}

/// What may be searched for.
const TARGETS: &[&str] = &[
    "upnp:rootdevice",
    "ssdp:all",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
    "urn:schemas-upnp-org:device:MediaServer:1",
    "urn:schemas-upnp-org:device:MediaRenderer:1",
    "urn:schemas-upnp-org:device:Basic:1",
    "urn:dial-multiscreen-org:service:dial:1",
];

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "ssdp.msearch",
    root: "ssdp",
    never_fills: &[],
    parameters: &[
        ParameterDef {
            name: "st",
            kind: ArgumentKind::Text(TARGETS),
            place: Place::Named,
            required: true,
            part_of_key: true,
            usual: "upnp:rootdevice",
            doc: "What is searched for.",
        },
        ParameterDef {
            name: "mx",
            kind: ArgumentKind::Number(1, 5),
            place: Place::Named,
            required: false,
            part_of_key: false,
            usual: "1",
            doc: "How many seconds an answer may take. What is sent says 1, since one host alone is asked and nothing has to be spread.",
        },
    ],
    safety: Safety::Benign,
    delivery: Delivery::Datagrams,
    ports: &[1900],
    tls_ports: &[],
    inside_tls: false,
    doc: "Asks one host which UPnP devices it has: M-SEARCH to its own address, never to a group. No action is called. UPnP Device \
          Architecture 1.1 section 1.3.2.",
}];

/// SSDP.
pub static PROTOCOL: Protocol =
    Protocol { name: "ssdp", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: Some(fixture) };

/// Bounds of one search: more than the one second that it grants, and silence between the answers of a slow device.
const LIMITS: Limits = Limits { response_bytes_max: 64 * 1024, first_byte_ms: 3_000, silence_ms: 2_000, total_ms: 10_000 };
/// Most answers that are read.
const ANSWERS_MAX: usize = 32;

fn begin(_: &ConstructorDef, target: &str, peer: &Peer) -> Box<dyn Conversation> {
    let host = match peer.address {
        std::net::IpAddr::V4(address) => format!("{address}:{}", peer.port),
        std::net::IpAddr::V6(address) => format!("[{address}]:{}", peer.port),
    };
    let version = env!("CARGO_PKG_VERSION");
    let contact = peer.identity.shown();
    let request = format!(
        "M-SEARCH * HTTP/1.1\r\nHOST: {host}\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: {target}\r\n\
         USER-AGENT: {PRODUCT}/{version} UPnP/1.1 (+{contact})\r\n\r\n"
    );
    ask_all(request.into_bytes(), LIMITS)
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let mut at = head::skip_blank(received, 0);
    let mut whole = 0;
    while whole < ANSWERS_MAX {
        let head = head::parse(received, at, greeting::ended_by_peer(ended));
        let answers = head.first_line.and_then(|line| head::status_line(line, &["HTTP"])).is_some_and(|line| line.status == Some(200));
        if !answers {
            break;
        }
        for (name, value) in &head.headers {
            let text = charset::text(value);
            match name.as_str() {
                "usn" => decoded.facts.push_read(&USN, None, text, value),
                _ => decoded.facts.push_read(&HEADER, Some(name), text, value),
            }
        }
        let Some(next) = head.body_at else { break };
        whole += usize::from(head.whole());
        at = head::skip_blank(received, next);
    }
    let all = whole > 0 && whole < ANSWERS_MAX && at == received.len() && greeting::ended_by_peer(ended);
    decoded.complete = if all { Sections::ALL } else { Sections::default() };
    decoded
}

/// The named headers, and in facts that were given by their names the headers.
fn derive(facts: &mut Facts) {
    let named: [(&str, &'static FieldDef); 3] = [("st", &ST), ("location", &LOCATION), ("server", &SERVER)];
    for (name, field) in named {
        let headers = facts.get(HEADER.name, Some(name)).to_vec();
        let own = facts.get(field.name, None).to_vec();
        match (headers.is_empty(), own.is_empty()) {
            (false, true) => headers.into_iter().for_each(|value| facts.push(field, value)),
            (true, false) => own.into_iter().for_each(|value| facts.push_keyed(&HEADER, name, value)),
            _ => {}
        }
    }
}

/// Answers with a blank line between them.
fn fixture(text: &str) -> Vec<u8> {
    let mut bytes = text.trim_end().replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
    bytes.extend_from_slice(b"\r\n\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::tests::{Facted, decoded, talk};

    /// Made from the form that UPnP Device Architecture 1.1 section 1.3.3 gives.
    fn answer(target: &str) -> String {
        format!(
            "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: {target}\r\nUSN: uuid:0::{target}\r\nEXT:\r\n\
             SERVER: ACME/1.0 UPnP/1.1 AC/2\r\nLOCATION: http://192.0.2.1:5000/rootDesc.xml\r\n\r\n"
        )
    }

    const PROBE: &str = "ssdp.msearch(\"upnp:rootdevice\")";

    #[test]
    fn answers_are_values_in_wire_order() {
        let bytes = [answer("upnp:rootdevice"), answer("uuid:0")].concat();
        let response = decoded(PROBE, Ended::Complete, bytes.as_bytes());
        assert_eq!(response.texts("ssdp.st"), ["upnp:rootdevice", "uuid:0"]);
        assert_eq!(response.texts("ssdp.header.st"), ["upnp:rootdevice", "uuid:0"]);
        assert_eq!(response.texts("ssdp.location")[0], "http://192.0.2.1:5000/rootDesc.xml");
        assert_eq!(response.texts("ssdp.server")[0], "ACME/1.0 UPnP/1.1 AC/2");
        assert_eq!(response.texts("ssdp.usn").len(), 2);
        assert!(response.texts("ssdp.header.usn").is_empty());
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(decoded(PROBE, Ended::Cap, bytes.as_bytes()).complete, Sections::default());
    }

    #[test]
    fn one_host_is_asked_and_named() {
        let (sent, step) = talk(PROBE, answer("upnp:rootdevice").as_bytes(), 7);
        assert_eq!(
            String::from_utf8_lossy(&sent),
            "M-SEARCH * HTTP/1.1\r\nHOST: 127.0.0.1:8022\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\
             USER-AGENT: ksig/0.1.0 UPnP/1.1 (+https://scan.example.org/)\r\n\r\n"
        );
        // More answers may follow, until the host is silent.
        assert_eq!(step, Step::Read);
    }

    #[test]
    fn facts_by_name_are_headers_too() {
        let mut facts = Facts::default();
        facts.push(&LOCATION, ksig_schema::Value::text("http://192.0.2.1/"));
        let response = crate::partial_response(PROBE.parse().expect("a probe"), facts, Ended::Complete, false);
        assert_eq!(response.texts("ssdp.header.location"), ["http://192.0.2.1/"]);
    }

    #[test]
    fn a_hundred_answers_are_read_up_to_their_limit() {
        let response = decoded(PROBE, Ended::Complete, answer("a").repeat(100).as_bytes());
        assert_eq!(response.texts("ssdp.st").len(), ANSWERS_MAX);
        assert_eq!(response.complete, Sections::default());
    }

    #[test]
    fn other_bytes_give_no_facts() {
        for bytes in [&b"NOTIFY * HTTP/1.1\r\n\r\n"[..], b"HTTP/1.1 404 x\r\n\r\n", b"", b"\0\xff"] {
            assert!(!decoded(PROBE, Ended::Complete, bytes).answered());
        }
    }

    #[test]
    fn a_test_writes_answers_with_blank_lines_between() {
        let bytes = fixture("HTTP/1.1 200 OK\nST: a\n\nHTTP/1.1 200 OK\nST: b\n");
        assert_eq!(decoded(PROBE, Ended::Eof, &bytes).texts("ssdp.st"), ["a", "b"]);
    }
}
