//! WS-Discovery: what a camera, a printer or a recorder says when it is asked what it is.
//!
//! In: documents of SOAP, one after the other. Out: facts under `wsd`; what several say are several values in wire order. They are whole when the
//! host fell silent after at least one.
//!
//! ksig asks one address, never the group. Cameras by the profile of ONVIF say name, hardware and place in their scopes.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, ProbeKey, Safety, Sections, Value};

use crate::ask::ask_all;
use crate::conversation::{Conversation, Limits, Peer};
use crate::protocol::{Decoded, Protocol};
use crate::{charset, greeting, tree};

ksig_schema::fields! {
    /// Kinds of device, with the prefixes of its own document.
    ///
    /// Source: WS-Discovery (April 2005) section 5.3, `Types`. Example: `dn:NetworkVideoTransmitter`.
    TYPE: Text = "wsd.type", many;

    /// Scopes, as they stand there; those that name a single machine or a place are left out.
    ///
    /// Source: WS-Discovery (April 2005) section 5.3, `Scopes`. Example: `onvif://www.onvif.org/hardware/AC-520`.
    SCOPE: Text = "wsd.scope", many;

    /// Name of a camera in its scopes, often maker and model.
    ///
    /// Source: ONVIF Core Specification section 7.3.2.2. Example: `ACME AC-520`.
    ONVIF_NAME: Text = "wsd.onvif_name";

    /// Hardware of a camera in its scopes, usually its model.
    ///
    /// Source: ONVIF Core Specification section 7.3.2.2. Example: `AC-520`.
    ONVIF_HARDWARE: Text = "wsd.onvif_hardware";

    /// Where its services are.
    ///
    /// Source: WS-Discovery (April 2005) section 5.3, `XAddrs`. Example: `http://192.0.2.1/onvif/device_service`.
    ADDRESS: Text = "wsd.xaddr", many, link;

    /// Name of the machine among all machines.
    ///
    /// Source: WS-Discovery (April 2005) section 5.3, `EndpointReference`. Example: `urn:uuid:...`.
    ENDPOINT: Text = "wsd.endpoint", many, redact, machine(Uuid);
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "wsd.probe",
    root: "wsd",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Datagrams,
    ports: &[3702],
    tls_ports: &[],
    inside_tls: false,
    doc: "Asks one host what it is: a Probe for any kind of device to its own address, never to the group, as every program that looks for a \
          camera or a printer sends it. No service is called. WS-Discovery (April 2005) section 5.2.",
}];

/// WS-Discovery.
pub static PROTOCOL: Protocol =
    Protocol { name: "wsd", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: Some(fixture) };

/// Bounds of one probe and its answers: a device may wait half a second.
const LIMITS: Limits = Limits { response_bytes_max: 64 * 1024, first_byte_ms: 3_000, silence_ms: 1_500, total_ms: 10_000 };
/// Most answers that are read.
const ANSWERS_MAX: usize = 16;
/// Names the message among all messages; one is enough, because each host is asked from a socket of its own.
const MESSAGE_ID: &str = "urn:uuid:6b736967-0000-8000-8000-000000000001";
const SCOPES_OF_ONVIF: &str = "onvif://www.onvif.org/";
/// Scopes of ONVIF that say where a machine is or which one it is.
const PRIVATE_SCOPES: &[&str] = &["location", "mac", "serial", "uuid"];

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    // With the prefixes of Windows: some servers look for these as they stand.
    let request = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:wsa=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" xmlns:wsd=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\">\
         <soap:Header><wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</wsa:Action>\
         <wsa:MessageID>{MESSAGE_ID}</wsa:MessageID><wsa:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</wsa:To></soap:Header>\
         <soap:Body><wsd:Probe/></soap:Body></soap:Envelope>"
    );
    ask_all(request.into_bytes(), LIMITS)
}

/// The documents, each with its end tag, and whether nothing stands behind the last.
fn documents(received: &[u8]) -> (Vec<&[u8]>, bool) {
    const END: &[u8] = b"Envelope>";
    let mut all = Vec::new();
    let mut rest = received;
    while all.len() < ANSWERS_MAX
        && let Some(end) = end_tag(rest).map(|at| at + END.len())
    {
        let (document, next) = rest.split_at(end);
        all.push(document);
        rest = next;
    }
    (all, rest.trim_ascii().is_empty())
}

/// Where the local name of the first end tag of an envelope begins: `</s:Envelope>`, `</Envelope>`.
fn end_tag(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(bytes, b"Envelope>").find(|at| {
        let tag = bytes[..*at].iter().rposition(|byte| *byte == b'<');
        tag.is_some_and(|tag| bytes.get(tag + 1) == Some(&b'/'))
    })
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let (documents, nothing_behind) = documents(received);
    let (mut matches, mut cut) = (0, false);
    for document in documents {
        let leaves = tree::xml(&charset::decode(document, None).text);
        cut |= leaves.cut;
        for (path, value) in leaves.kept {
            let Some(name) = path.strip_prefix("/Envelope/Body/ProbeMatches/ProbeMatch/") else { continue };
            matches += 1;
            push(&mut decoded.facts, name, &value);
        }
    }
    let all = matches > 0 && nothing_behind && !cut && greeting::ended_by_peer(ended);
    decoded.complete = if all { Sections::ALL } else { Sections::default() };
    decoded
}

fn push(facts: &mut Facts, name: &str, value: &str) {
    match name {
        "Types" => value.split_whitespace().for_each(|kind| facts.push(&TYPE, Value::text(kind))),
        "Scopes" => value.split_whitespace().filter(|scope| !is_private(scope)).for_each(|scope| facts.push(&SCOPE, Value::text(scope))),
        "XAddrs" => value.split_whitespace().for_each(|address| facts.push(&ADDRESS, Value::text(address))),
        "EndpointReference/Address" => facts.push(&ENDPOINT, Value::text(value)),
        _ => {}
    }
}

fn is_private(scope: &str) -> bool {
    let kind = scope.strip_prefix(SCOPES_OF_ONVIF).and_then(|rest| rest.split('/').next());
    kind.is_some_and(|kind| PRIVATE_SCOPES.iter().any(|private| kind.eq_ignore_ascii_case(private)))
}

/// Name and hardware, from the scopes.
fn derive(facts: &mut Facts) {
    for (kind, field) in [("name/", &ONVIF_NAME), ("hardware/", &ONVIF_HARDWARE)] {
        let scopes = facts.get(SCOPE.name, None).iter().filter_map(Value::as_text);
        let named = scopes.filter_map(|scope| scope.strip_prefix(SCOPES_OF_ONVIF)?.strip_prefix(kind)).next().map(unescaped);
        if let Some(named) = named.filter(|_| facts.get(field.name, None).is_empty()) {
            facts.push_read(field, None, charset::text(&named), &named);
        }
    }
}

/// The bytes that a part of a URI stands for: `%20` is a blank (RFC 3986 section 2.1).
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    bytes
}

/// A document, or several one after the other.
fn fixture(text: &str) -> Vec<u8> {
    text.trim_end().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::tests::{Facted, decoded, talk};

    const PROBE: &str = "wsd.probe()";

    /// By the form of WS-Discovery section 5.3, with scopes by ONVIF Core section 7.3.2.2.
    fn answer() -> String {
        "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Header/><e:Body><d:ProbeMatches><d:ProbeMatch>\
         <a:EndpointReference><a:Address>urn:uuid:1</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>\
         <d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/ACME%20AC-520 \
         onvif://www.onvif.org/hardware/AC-520 onvif://www.onvif.org/location/tokyo</d:Scopes>\
         <d:XAddrs>http://192.0.2.1/onvif/device_service</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>\
         </d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
            .into()
    }

    #[test]
    fn a_camera_says_its_name_and_hardware() {
        let response = decoded(PROBE, Ended::Complete, answer().as_bytes());
        assert_eq!(response.texts("wsd.type"), ["dn:NetworkVideoTransmitter", "tds:Device"]);
        assert_eq!(response.texts("wsd.onvif_name"), ["ACME AC-520"]);
        assert_eq!(response.texts("wsd.onvif_hardware"), ["AC-520"]);
        assert_eq!(response.texts("wsd.xaddr"), ["http://192.0.2.1/onvif/device_service"]);
        assert_eq!(response.texts("wsd.endpoint"), ["urn:uuid:1"]);
        assert_eq!(response.texts("wsd.scope").len(), 3, "where it stands is left out");
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(decoded(PROBE, Ended::Cap, answer().as_bytes()).complete, Sections::default());
        for cut in 0..answer().len() {
            assert!(!decoded(PROBE, Ended::Complete, &answer().as_bytes()[..cut]).answered(), "{cut}");
        }
    }

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded(PROBE, Ended::Complete, include_bytes!("../captures/wsdd2-1.8.7.wsd"));
        assert_eq!(response.texts("wsd.type"), ["wsdp:Device", "pub:Computer"]);
        assert_eq!(response.texts("wsd.xaddr"), ["http://198.18.7.1:3702/6b736967-0000-8000-8000-000000000007"]);
        assert_eq!((response.texts("wsd.scope").len(), response.complete), (0, Sections::ALL));
    }

    #[test]
    fn several_answers_are_values_in_wire_order() {
        let bytes = [answer(), answer().replace("AC-520", "AC-530")].concat();
        let response = decoded(PROBE, Ended::Complete, bytes.as_bytes());
        assert_eq!(response.texts("wsd.type").len(), 4);
        assert_eq!(response.texts("wsd.onvif_hardware"), ["AC-520"]);
        let many = decoded(PROBE, Ended::Complete, answer().repeat(20).as_bytes());
        assert_eq!((many.texts("wsd.endpoint").len(), many.complete), (ANSWERS_MAX, Sections::default()));
    }

    #[test]
    fn one_host_is_probed_for_any_kind_of_device() {
        let (sent, step) = talk(PROBE, answer().as_bytes(), 9);
        let sent = String::from_utf8(sent).expect("text");
        assert!(sent.ends_with("<soap:Body><wsd:Probe/></soap:Body></soap:Envelope>") && sent.contains(MESSAGE_ID), "{sent}");
        assert_eq!((step, tree::xml(&sent).cut), (Step::Read, false));
    }

    #[test]
    fn escapes_that_are_none_stand_as_they_are() {
        assert_eq!(unescaped("a%20b%zz%4"), b"a b%zz%4");
        assert_eq!(unescaped("%E3%81%82"), "あ".as_bytes());
    }

    #[test]
    fn other_documents_give_no_facts() {
        for text in ["<Envelope></Envelope>", "</Envelope>", "Envelope>Envelope>", "HTTP/1.1 400 x\r\n\r\n", ""] {
            assert!(!decoded(PROBE, Ended::Complete, text.as_bytes()).answered(), "{text}");
        }
    }
}
