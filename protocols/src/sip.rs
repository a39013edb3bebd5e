//! SIP: the answer of a phone, a gateway or an exchange to OPTIONS.
//!
//! In: messages of an answer. Out: facts under `sip`, of the first answer that is not provisional. It is whole at the blank line after its
//! headers; a body, which would describe sounds, is not read. Headers that only repeat the request are left out.
//!
//! ksig asks for no account and rings nobody: OPTIONS sets nothing up.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, ProbeKey, Safety, Sections, Value};

use crate::ask::ask;
use crate::conversation::{Conversation, Limits, PRODUCT, Peer};
use crate::head::{self, Head};
use crate::protocol::{Decoded, Protocol};
use crate::{charset, greeting};

ksig_schema::fields! {
    /// Status code of the answer.
    ///
    /// Source: RFC 3261 section 7.2. Example: `200`.
    STATUS: Int = "sip.status";

    /// Value of a header, by its long name; several headers of one name are several values in wire order.
    ///
    /// `Via`, `From`, `To`, `Call-ID` and `CSeq` repeat the request and are left out.
    /// Source: RFC 3261 section 20. Example: `sip.header["server"]` is `ACME-SIP/1.0`.
    HEADER: Text = "sip.header", many, keyed;

    /// Methods that it takes, in order, in capitals.
    ///
    /// Source: RFC 3261 section 20.5, `Allow`. Example: `INVITE`.
    METHODS: Text = "sip.methods", many;
}

static CONSTRUCTORS: &[ConstructorDef] = &[
    ConstructorDef {
        name: "sip.options",
        root: "sip",
        never_fills: &[],
        parameters: &[],
        safety: Safety::Benign,
        delivery: Delivery::Datagrams,
        ports: &[5060],
        tls_ports: &[],
        inside_tls: false,
        doc: "Asks over UDP what it can do: OPTIONS without an account, as exchanges send it to see whether a phone is there. No call is set up. \
              RFC 3261 section 11.",
    },
    ConstructorDef {
        name: "sip.options_tcp",
        root: "sip",
        never_fills: &[],
        parameters: &[],
        safety: Safety::Benign,
        delivery: Delivery::Stream,
        ports: &[5060],
        tls_ports: &[5061],
        inside_tls: true,
        doc: "The same over TCP, perhaps inside TLS. RFC 3261 sections 11 and 18.",
    },
];

/// SIP.
pub static PROTOCOL: Protocol =
    Protocol { name: "sip", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: Some(head::fixture) };

/// Bounds of one request and its answers.
const LIMITS: Limits = Limits { response_bytes_max: head::HEAD_BYTES_MAX, first_byte_ms: 5_000, silence_ms: 2_000, total_ms: 15_000 };
/// Most provisional answers that are passed over.
const PROVISIONAL_MAX: usize = 16;
/// Headers that repeat the request, by both their names.
const REPEATED: &[&str] = &["via", "v", "from", "f", "to", "t", "call-id", "i", "cseq"];
/// Short names of headers and the long ones: RFC 3261 section 7.3.3.
const LONG_NAMES: &[(&str, &str)] =
    &[("c", "content-type"), ("e", "content-encoding"), ("k", "supported"), ("l", "content-length"), ("m", "contact"), ("s", "subject")];

fn begin(constructor: &ConstructorDef, _: &str, peer: &Peer) -> Box<dyn Conversation> {
    let carrier = match (constructor.delivery, peer.tls) {
        (Delivery::Datagrams, _) => "UDP",
        (_, false) => "TCP",
        (_, true) => "TLS",
    };
    let (host, own) = (std::net::SocketAddr::new(peer.address, peer.port), peer.identity.host_name());
    let (version, contact) = (env!("CARGO_PKG_VERSION"), peer.identity.shown());
    // `rport`: the answer goes to where the request came from, whatever name stands before it (RFC 3581).
    let request = format!(
        "OPTIONS sip:{host} SIP/2.0\r\nVia: SIP/2.0/{carrier} {own};branch=z9hG4bK-{PRODUCT};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:{PRODUCT}@{own}>;tag={PRODUCT}\r\nTo: <sip:{host}>\r\nCall-ID: {PRODUCT}@{own}\r\nCSeq: 1 OPTIONS\r\n\
         Accept: application/sdp\r\nUser-Agent: {PRODUCT}/{version} (+{contact})\r\nContent-Length: 0\r\n\r\n"
    );
    ask(Some(request.into_bytes()), LIMITS, |received| {
        received.is_empty() || answer(received, false).is_some_and(|answer| answer.head.body_at.is_none())
    })
}

/// An answer, as far as it came.
struct Answer<'a> {
    head: Head<'a>,
    status: Option<u16>,
}

/// The first answer that is not provisional, or the beginning of one that may still come. Absent for another protocol.
fn answer(received: &[u8], closed: bool) -> Option<Answer<'_>> {
    let mut at = 0;
    for _ in 0..PROVISIONAL_MAX {
        at = head::skip_blank(received, at);
        let head = head::parse(received, at, closed);
        let Some(line) = head.first_line else { return Some(Answer { head, status: None }) };
        let status = head::status_line(line, &["SIP"])?.status;
        match head.body_at {
            Some(next) if status.is_some_and(|status| status < 200) => at = next,
            _ if status.is_some_and(|status| status < 200) => return Some(Answer { head, status: None }),
            _ => return Some(Answer { head, status }),
        }
    }
    None
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let Some(Answer { head, status: Some(status) }) = answer(received, greeting::ended_by_peer(ended)) else { return decoded };
    decoded.facts.push(&STATUS, Value::Int(status.into()));
    for (name, value) in head.headers.iter().filter(|(name, _)| !REPEATED.contains(&name.as_str())) {
        let long = LONG_NAMES.iter().find(|(short, _)| short == name).map_or(name.as_str(), |(_, long)| long);
        decoded.facts.push_read(&HEADER, Some(long), charset::text(value), value);
    }
    decoded.complete = if head.whole() { Sections::ALL } else { Sections::default() };
    decoded
}

/// The methods, from the header.
fn derive(facts: &mut Facts) {
    if !facts.get(METHODS.name, None).is_empty() {
        return;
    }
    let allow = facts.get(HEADER.name, Some("allow")).iter().filter_map(Value::as_text);
    let methods: Vec<String> = allow.flat_map(|value| value.split([',', ' '])).map(str::to_ascii_uppercase).collect();
    for method in methods.into_iter().filter(|method| !method.is_empty()) {
        facts.push(&METHODS, Value::Text(method));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::tests::{Facted, decoded, talk};

    const KAMAILIO: &[u8] = include_bytes!("../captures/kamailio-5.6.3.sip");
    /// RFC 3261 section 11.2, with a server named by the form of section 20.35.
    const EXAMPLE: &[u8] =
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKhjhs8ass877\r\nTo: <sip:carol@chicago.com>;tag=93810874\r\n\
        From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\nCall-ID: a84b4c76e66710\r\nCSeq: 63104 OPTIONS\r\n\
        m: <sip:carol@chicago.com>\r\nAllow: INVITE, ACK, CANCEL, OPTIONS, BYE\r\nServer: HomeServer v2\r\n\r\n";

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded("sip.options()", Ended::Complete, KAMAILIO);
        assert!(response.texts("sip.header.server")[0].starts_with("kamailio (5.6.3 "), "{:?}", response.facts);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(decoded("sip.options_tcp()", Ended::Complete, KAMAILIO).facts, response.facts);
    }

    #[test]
    fn the_example_of_the_standard_is_read() {
        let response = decoded("sip.options()", Ended::Complete, EXAMPLE);
        assert_eq!((response.texts("sip.status"), response.texts("sip.header.server")), (vec!["200".into()], vec!["HomeServer v2".into()]));
        assert_eq!(response.texts("sip.methods"), ["INVITE", "ACK", "CANCEL", "OPTIONS", "BYE"]);
        assert_eq!(response.texts("sip.header.contact"), ["<sip:carol@chicago.com>"]);
        assert!(response.texts("sip.header.call-id").is_empty());
    }

    #[test]
    fn provisional_answers_are_passed_over() {
        let trying = b"SIP/2.0 100 Trying\r\nCSeq: 1 OPTIONS\r\n\r\n";
        let bytes = [&trying[..], EXAMPLE].concat();
        assert_eq!(decoded("sip.options()", Ended::Complete, &bytes).texts("sip.status"), ["200"]);
        assert_eq!(talk("sip.options()", &bytes, 1).1, Step::Done);
        assert_eq!(talk("sip.options()", trying, 1).1, Step::Read);
        assert!(!decoded("sip.options()", Ended::Timeout, trying).answered());
        assert!(!decoded("sip.options()", Ended::Cap, &trying.repeat(100)).answered());
    }

    #[test]
    fn the_request_sets_nothing_up() {
        let (sent, step) = talk("sip.options()", EXAMPLE, 1);
        assert_eq!(
            String::from_utf8_lossy(&sent),
            "OPTIONS sip:127.0.0.1:8022 SIP/2.0\r\nVia: SIP/2.0/UDP scan.example.org;branch=z9hG4bK-ksig;rport\r\nMax-Forwards: 70\r\n\
             From: <sip:ksig@scan.example.org>;tag=ksig\r\nTo: <sip:127.0.0.1:8022>\r\nCall-ID: ksig@scan.example.org\r\n\
             CSeq: 1 OPTIONS\r\nAccept: application/sdp\r\nUser-Agent: ksig/0.1.0 (+https://scan.example.org/)\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(step, Step::Done);
        assert!(talk("sip.options_tcp()", EXAMPLE, 1).0.windows(12).any(|window| window == b"SIP/2.0/TCP "));
    }

    #[test]
    fn other_protocols_give_no_facts() {
        for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"OPTIONS sip:a SIP/2.0\r\n\r\n", b"\0\xff\r\n\r\n", b""] {
            assert!(!decoded("sip.options()", Ended::Complete, bytes).answered());
        }
        let cut = decoded("sip.options()", Ended::Reset, &EXAMPLE[..40]);
        assert_eq!((cut.texts("sip.status"), cut.complete), (vec!["200".to_string()], Sections::default()));
    }
}
