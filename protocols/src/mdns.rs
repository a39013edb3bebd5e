//! Multicast DNS, asked of one address: which services a device announces, and what their texts say of its model.
//!
//! In: messages, one after the other. Out: facts under `mdns`; what several say are several values in wire order. They are whole when the host
//! fell silent after at least one.
//!
//! ksig asks one address, never the group, from a port other than 5353, so an answer comes to it alone (RFC 6762 section 6.7). Names of
//! services often hold those of people, and many texts name a single machine: of the names the kind of service is kept, of the texts those
//! that name a model or a version.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, ProbeKey, Safety, Sections, Value};

use crate::ask::ask_all;
use crate::conversation::{Conversation, Limits, Peer};
use crate::dns_message::{Message, PTR, TXT, question};
use crate::protocol::{Decoded, Protocol};
use crate::{charset, greeting};

ksig_schema::fields! {
    /// Kinds of services that the device announces.
    ///
    /// Source: RFC 6763 section 9. Example: `_ipp._tcp.local`.
    SERVICE: Text = "mdns.service", many;

    /// What the device says of itself as a whole, as `key=value`.
    ///
    /// Source: RFC 6763 section 6, of `_device-info._tcp`. Example: `model=Xserve`.
    DEVICE_INFO: Text = "mdns.device_info", many;

    /// Value of a key in the texts of services, if it names a model, a maker or a version: `ty`, `product`, `usb_mfg`, `usb_mdl`, `mfg`, `mdl`,
    /// `manufacturer`, `vendor`, `model`, `md`, `am`, `rpmd`, `ver`, `version`, `vs`, `srcvers`, `osxvers`, `fv`, `fw`, `firmware`. Others are
    /// left out.
    ///
    /// Source: RFC 6763 section 6.3. Example: `mdns.txt["ty"]` is `ACME Laser 10`.
    TEXT: Text = "mdns.txt", many, keyed;
}

/// Keys that are kept.
const KEYS: &[&str] = &[
    "ty",
    "product",
    "usb_mfg",
    "usb_mdl",
    "mfg",
    "mdl",
    "manufacturer",
    "vendor",
    "model",
    "md",
    "am",
    "rpmd",
    "ver",
    "version",
    "vs",
    "srcvers",
    "osxvers",
    "fv",
    "fw",
    "firmware",
];

/// The services that a device is asked for besides the list of all: those whose texts tell a model.
const ASKED: [&str; 9] = [
    SERVICES,
    DEVICE_INFOS,
    "_ipp._tcp.local",
    "_printer._tcp.local",
    "_http._tcp.local",
    "_airplay._tcp.local",
    "_googlecast._tcp.local",
    "_hap._tcp.local",
    "_rtsp._tcp.local",
];
const SERVICES: &str = "_services._dns-sd._udp.local";
const DEVICE_INFOS: &str = "_device-info._tcp.local";

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "mdns.services",
    root: "mdns",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Datagrams,
    ports: &[5353],
    tls_ports: &[],
    inside_tls: false,
    doc: "Asks one host which services it announces, and for those whose texts name a model: one message of nine questions to its own \
          address, never to the group. Any program that looks for a printer asks so. RFC 6762 section 6.7, RFC 6763 section 9.",
}];

/// Multicast DNS.
pub static PROTOCOL: Protocol = Protocol { name: "mdns", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: None };

/// Bounds of one message and its answers: a responder may wait half a second, and answer each question alone.
const LIMITS: Limits = Limits { response_bytes_max: 32 * 1024, first_byte_ms: 3_000, silence_ms: 1_500, total_ms: 10_000 };
/// Most messages that are read.
const MESSAGES_MAX: usize = 16;
/// `ks`; an answer says it again, because it is not multicast.
const ID: u16 = 0x6b73;
const INTERNET: u16 = 1;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    ask_all(question(ID, &ASKED.map(|name| (name, PTR, INTERNET))), LIMITS)
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let mut rest = received;
    let mut whole = 0;
    while whole < MESSAGES_MAX
        && let Some((message, next)) = Message::read(rest)
    {
        push_records(&mut decoded.facts, &message);
        (rest, whole) = (next, whole + 1);
    }
    let all = whole > 0 && rest.is_empty() && greeting::ended_by_peer(ended);
    decoded.complete = if all { Sections::ALL } else { Sections::default() };
    decoded
}

fn push_records(facts: &mut Facts, message: &Message) {
    for record in &message.records {
        let Some(name) = message.name(record).map(|name| name.to_ascii_lowercase()) else { continue };
        match record.kind {
            PTR if name == SERVICES => {
                if let Some(service) = message.target(record) {
                    facts.push(&SERVICE, Value::Text(service));
                }
            }
            TXT if name.ends_with(DEVICE_INFOS) => {
                for text in message.texts(record) {
                    facts.push_read(&DEVICE_INFO, None, charset::text(text), text);
                }
            }
            TXT => message.texts(record).for_each(|text| push_text(facts, text)),
            _ => {}
        }
    }
}

fn push_text(facts: &mut Facts, text: &[u8]) {
    let Some(at) = text.iter().position(|byte| *byte == b'=') else { return };
    let key = String::from_utf8_lossy(&text[..at]).to_ascii_lowercase();
    if KEYS.contains(&key.as_str()) {
        facts.push_read(&TEXT, Some(&key), charset::text(&text[at + 1..]), &text[at + 1..]);
    }
}

fn derive(_: &mut Facts) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::dns_message::tests as made;
    use crate::tests::{Facted, decoded, talk};

    const PROBE: &str = "mdns.services()";

    const AVAHI: &[u8] = include_bytes!("../captures/avahi-0.8.mdns");

    #[test]
    fn a_responder_of_debian_is_read() {
        let response = decoded(PROBE, Ended::Complete, AVAHI);
        assert_eq!(response.texts("mdns.service"), ["_workstation._tcp.local", "_device-info._tcp.local", "_ipp._tcp.local"]);
        assert_eq!(response.texts("mdns.txt.ty"), ["ACME AC-10"]);
        assert_eq!(response.texts("mdns.device_info"), ["model=AC-10"]);
        assert_eq!(response.complete, Sections::ALL);
    }

    /// A printer, by the form of RFC 6763 sections 6 and 9.
    fn answer() -> Vec<u8> {
        let asked = question(ID, &[(SERVICES, PTR, INTERNET)]);
        let text = made::record(TXT, INTERNET, b"\x10ty=ACME Laser 10\x0eUSB_MFG=ACME 1\x08UUID=1-2\x07product");
        made::answer(&asked, &[made::record(PTR, INTERNET, b"\x04_ipp\x04_tcp\x05local\0"), text])
    }

    #[test]
    fn services_and_what_names_a_model_are_facts() {
        let response = decoded(PROBE, Ended::Complete, &answer());
        assert_eq!(response.texts("mdns.service"), ["_ipp._tcp.local"]);
        assert_eq!(response.texts("mdns.txt.ty"), ["ACME Laser 10"]);
        assert_eq!(response.texts("mdns.txt.usb_mfg"), ["ACME 1"]);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(response.facts.len(), 3, "what names a single machine is left out");
        for cut in 0..answer().len() {
            assert!(!decoded(PROBE, Ended::Complete, &answer()[..cut]).answered(), "{cut}");
        }
    }

    #[test]
    fn what_a_device_says_of_itself_is_kept_as_it_is() {
        let asked = question(ID, &[("a._device-info._tcp.local", TXT, INTERNET)]);
        let bytes = made::answer(&asked, &[made::record(TXT, INTERNET, b"\x0cmodel=Xserve\x0aosxvers=19")]);
        assert_eq!(decoded(PROBE, Ended::Complete, &bytes).texts("mdns.device_info"), ["model=Xserve", "osxvers=19"]);
    }

    #[test]
    fn answers_are_read_up_to_their_limit() {
        let response = decoded(PROBE, Ended::Complete, &answer().repeat(20));
        assert_eq!((response.texts("mdns.service").len(), response.complete), (MESSAGES_MAX, Sections::default()));
    }

    #[test]
    fn one_message_asks_for_everything() {
        let (sent, step) = talk(PROBE, &answer(), 3);
        assert_eq!((sent[..6].to_vec(), step), (b"ks\0\0\0\x09".to_vec(), Step::Read));
        assert!(sent.windows(10).any(|window| window == b"\x09_services") && sent.len() < 512, "{}", sent.escape_ascii());
    }
}
