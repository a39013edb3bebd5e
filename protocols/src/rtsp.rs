//! RTSP: the answer of a media server to OPTIONS, and to DESCRIBE of a path.
//!
//! In: bytes of an answer. Out: facts under `rtsp`. It is whole at the blank line after its headers; a body, which would describe what a
//! camera shows, is not read.
//!
//! ksig asks for the options of the server as a whole, with no stream named, and with a contact. DESCRIBE names a stream, so it is of class
//! `review`; it sets none up.

use ksig_schema::probe::{ArgumentKind, ParameterDef, Place};
use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety, Sections, Value};

use crate::ask::ask;
use crate::conversation::{Conversation, Limits, PRODUCT, Peer};
use crate::protocol::{Decoded, Protocol};
use crate::{charset, greeting, head};

ksig_schema::fields! {
    /// Status code of the answer.
    ///
    /// Source: RFC 2326 section 7.1.1. Example: `200`.
    STATUS: Int = "rtsp.status";

    /// Value of a header, by its name; several headers of one name are several values in wire order.
    ///
    /// Source: RFC 2326 section 12. Example: `rtsp.header["server"]` is `GStreamer RTSP server`.
    HEADER: Text = "rtsp.header", many, keyed;

    /// Methods that the server knows, in order, in capitals.
    ///
    /// Source: RFC 2326 section 12.28, `Public`. Example: `DESCRIBE`.
    METHODS: Text = "rtsp.methods", many;
}

static CONSTRUCTORS: &[ConstructorDef] = &[
    ConstructorDef {
        name: "rtsp.options",
        root: "rtsp",
        never_fills: &[],
        parameters: &[ParameterDef {
            name: "target",
            kind: ArgumentKind::Text(&["*"]),
            place: Place::Positional,
            required: false,
            part_of_key: false,
            usual: "*",
            doc: "The server as a whole, which is the only thing that is asked about.",
        }],
        safety: Safety::Benign,
        delivery: Delivery::Stream,
        ports: PORTS,
        tls_ports: TLS_PORTS,
        inside_tls: true,
        doc: "Asks what the server can do: OPTIONS * without a stream or a credential. It does not change the server's state. RFC 2326 \
              section 10.1.",
    },
    ConstructorDef {
        name: "rtsp.describe",
        root: "rtsp",
        never_fills: &[],
        parameters: crate::path::PATH,
        safety: Safety::Review,
        delivery: Delivery::Stream,
        ports: PORTS,
        tls_ports: TLS_PORTS,
        inside_tls: true,
        doc: "Asks what a stream holds: DESCRIBE without a credential. It sets no stream up and reads the status and headers only. Whether a \
              password is asked for is somebody's security, so it needs an attestation. RFC 2326 section 10.2.",
    },
];

const PORTS: &[u16] = &[554, 8554];
const TLS_PORTS: &[u16] = &[322];

/// RTSP.
pub static PROTOCOL: Protocol =
    Protocol { name: "rtsp", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: Some(head::fixture) };

/// Bounds of one request and its answer.
const LIMITS: Limits = Limits { response_bytes_max: head::HEAD_BYTES_MAX, ..greeting::LIMITS };

fn begin(constructor: &ConstructorDef, path: &str, peer: &Peer) -> Box<dyn Conversation> {
    let version = env!("CARGO_PKG_VERSION");
    let agent = format!("{PRODUCT}/{version} (+{})", peer.identity.shown());
    let (line, accept) = if constructor.name == "rtsp.describe" {
        let scheme = if peer.tls { "rtsps" } else { "rtsp" };
        let host = std::net::SocketAddr::new(peer.address, peer.port);
        (format!("DESCRIBE {scheme}://{host}{path} RTSP/1.0"), "Accept: application/sdp\r\n")
    } else {
        ("OPTIONS * RTSP/1.0".to_string(), "")
    };
    let request = format!("{line}\r\nCSeq: 1\r\nUser-Agent: {agent}\r\n{accept}\r\n");
    ask(Some(request.into_bytes()), LIMITS, |received| {
        head::find_end(received, head::skip_blank(received, 0)).is_none() && received.len() < head::HEAD_BYTES_MAX
    })
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], _: bool) -> bool {
    bytes.starts_with(b"RTSP/")
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let head = head::parse(received, head::skip_blank(received, 0), greeting::ended_by_peer(ended));
    let Some(line) = head.first_line.and_then(|line| head::status_line(line, &["RTSP"])) else { return decoded };
    if let Some(status) = line.status {
        decoded.facts.push(&STATUS, Value::Int(status.into()));
    }
    for (name, value) in &head.headers {
        decoded.facts.push_read(&HEADER, Some(name), charset::text(value), value);
    }
    decoded.complete = if head.whole() { Sections::ALL } else { Sections::default() };
    decoded
}

/// The methods, from the header.
fn derive(facts: &mut ksig_schema::Facts) {
    if !facts.get(METHODS.name, None).is_empty() {
        return;
    }
    let public = facts.get(HEADER.name, Some("public")).iter().filter_map(Value::as_text);
    let methods: Vec<String> = public.flat_map(|value| value.split([',', ' '])).map(str::to_ascii_uppercase).collect();
    for method in methods.into_iter().filter(|method| !method.is_empty()) {
        facts.push(&METHODS, Value::Text(method));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::tests::{Facted, decoded, talk};

    /// RFC 2326 section 10.1, with a server named as section 12.36 does.
    const EXAMPLE: &[u8] =
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE, SETUP, TEARDOWN, PLAY, PAUSE\r\nServer: PhonyServer 1.0\r\n\r\n";

    #[test]
    fn the_example_of_the_standard_is_read() {
        let response = decoded("rtsp.options()", Ended::Complete, EXAMPLE);
        assert_eq!(response.texts("rtsp.status"), ["200"]);
        assert_eq!(response.texts("rtsp.header.server"), ["PhonyServer 1.0"]);
        assert_eq!(response.texts("rtsp.methods"), ["DESCRIBE", "SETUP", "TEARDOWN", "PLAY", "PAUSE"]);
        assert_eq!(response.complete, Sections::ALL);
    }

    #[test]
    fn the_request_names_no_stream() {
        let (sent, step) = talk("rtsp.options()", EXAMPLE, 1);
        assert_eq!(
            String::from_utf8_lossy(&sent),
            "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: ksig/0.1.0 (+https://scan.example.org/)\r\n\r\n"
        );
        assert_eq!(step, Step::Done);
    }

    #[test]
    fn a_stream_is_described_without_a_credential() {
        // RFC 2326 section 10.2, without its body.
        let answer = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 376\r\n\r\nv=0\r\n";
        let (sent, step) = talk("rtsp.describe(\"/\")", answer, 1);
        let sent = String::from_utf8_lossy(&sent);
        assert!(sent.starts_with("DESCRIBE rtsp://") && sent.contains("/ RTSP/1.0\r\nCSeq: 1\r\n"), "{sent}");
        assert!(sent.ends_with("\r\nAccept: application/sdp\r\n\r\n") && !sent.contains("Authorization"), "{sent}");
        assert_eq!(step, Step::Done);
        let response = decoded("rtsp.describe(\"/\")", Ended::Complete, answer);
        assert_eq!(response.texts("rtsp.header.content-type"), ["application/sdp"]);
    }

    #[test]
    fn other_protocols_give_no_facts() {
        assert!(!decoded("rtsp.options()", Ended::Eof, b"HTTP/1.1 400 Bad Request\r\n\r\n").answered());
        let cut = decoded("rtsp.options()", Ended::Reset, &EXAMPLE[..30]);
        assert_eq!((cut.texts("rtsp.status"), cut.complete), (vec!["200".to_string()], Sections::default()));
    }
}
