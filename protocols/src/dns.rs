//! DNS: which software a server says that it runs.
//!
//! In: a message. Out: facts under `dns`. It is whole when it came whole, whatever its code: a server that refuses the question has answered.
//!
//! The question is one for a text in the class CHAOS, which every server knows and none forwards. It does not ask for recursion.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, ProbeKey, Safety, Sections, Value};

use crate::ask::ask;
use crate::charset;
use crate::conversation::{Conversation, Limits, Peer};
use crate::dns_message::{Message, TXT, question};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// What the server says of its software, or what its administrator has it say instead.
    ///
    /// Absent when it gave none; texts of several parts are one.
    /// Source: RFC 4892 section 2, `version.bind`. Example: `9.18.49-1~deb12u3-Debian`.
    VERSION_BIND: Text = "dns.version_bind";

    /// Code of the answer: 0 no error, 3 no such name, 4 not implemented, 5 refused.
    ///
    /// Source: RFC 1035 section 4.1.1, `RCODE`. Example: `5`.
    CODE: Int = "dns.code";

    /// Whether the server offers to ask others on behalf of whoever asks.
    ///
    /// Source: RFC 1035 section 4.1.1, `RA`. Example: `true`.
    RECURSION: Bool = "dns.recursion_available";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "dns.version_bind",
    root: "dns",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Datagrams,
    ports: &[53],
    tls_ports: &[],
    inside_tls: false,
    doc: "Asks for the text `version.bind` in the class CHAOS, one question of 30 bytes without recursion, as administrators' tools do. The \
          server answers from its own configuration and asks nobody. RFC 4892 section 2.",
}];

/// DNS.
pub static PROTOCOL: Protocol = Protocol { name: "dns", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: None };

/// Bounds of a question and its answer, which a server without extensions keeps below 512 bytes.
const LIMITS: Limits = Limits { response_bytes_max: 4 * 1024, first_byte_ms: 3_000, silence_ms: 1_000, total_ms: 10_000 };

/// `ks`; nothing depends on it, because each question has a socket of its own.
const ID: u16 = 0x6b73;
/// Class of what a server says of itself.
const CHAOS: u16 = 3;
const RECURSION_AVAILABLE: u16 = 0x80;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    ask(Some(question(ID, &[("version.bind", TXT, CHAOS)])), LIMITS, |received| answer(received).is_none())
}

/// The first message, if it answers the question.
fn answer(received: &[u8]) -> Option<Message<'_>> {
    Message::read(received).map(|(message, _)| message).filter(|message| message.id == ID)
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let Some(message) = answer(received) else { return decoded };
    decoded.complete = Sections::ALL;
    decoded.facts.push(&CODE, Value::Int(message.code().into()));
    decoded.facts.push(&RECURSION, Value::Bool(message.flags & RECURSION_AVAILABLE != 0));
    if let Some(record) = message.records.iter().find(|record| record.kind == TXT) {
        let text: Vec<u8> = message.texts(record).flatten().copied().collect();
        decoded.facts.push_read(&VERSION_BIND, None, charset::text(&text), &text);
    }
    decoded
}

fn derive(_: &mut Facts) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::dns_message::tests as made;
    use crate::tests::{Facted, decoded, talk};

    const PROBE: &str = "dns.version_bind()";
    const BIND: &[u8] = include_bytes!("../captures/bind-9.18.49.dns");
    const DNSMASQ: &[u8] = include_bytes!("../captures/dnsmasq-2.90.dns");

    #[test]
    fn servers_of_debian_say_what_they_are() {
        assert_eq!(decoded(PROBE, Ended::Complete, BIND).texts("dns.version_bind"), ["9.18.49-1~deb12u3-Debian"]);
        let response = decoded(PROBE, Ended::Complete, DNSMASQ);
        assert_eq!(response.texts("dns.version_bind"), ["dnsmasq-2.90"]);
        assert_eq!((response.texts("dns.code"), response.complete), (vec!["0".to_string()], Sections::ALL));
        for cut in 0..DNSMASQ.len() {
            assert!(!decoded(PROBE, Ended::Timeout, &DNSMASQ[..cut]).answered(), "{cut}");
        }
    }

    #[test]
    fn one_question_is_asked_once() {
        let (sent, step) = talk(PROBE, DNSMASQ, 5);
        assert_eq!(sent, b"ks\0\0\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03");
        assert_eq!(step, Step::Done);
    }

    #[test]
    fn a_refusal_is_an_answer() {
        let mut bytes = made::answer(&question(ID, &[("version.bind", TXT, CHAOS)]), &[]);
        bytes[3] = 5;
        let response = decoded(PROBE, Ended::Complete, &bytes);
        assert_eq!((response.texts("dns.code"), response.complete), (vec!["5".to_string()], Sections::ALL));
        assert!(response.texts("dns.version_bind").is_empty());
    }

    #[test]
    fn texts_of_several_parts_are_one_and_an_empty_one_is_not_absent() {
        let asked = question(ID, &[("version.bind", TXT, CHAOS)]);
        let said = |data: &[u8]| {
            decoded(PROBE, Ended::Complete, &made::answer(&asked, &[made::record(TXT, CHAOS, data)])).texts("dns.version_bind")
        };
        assert_eq!(said(b"\x05ACME \x031.0"), ["ACME 1.0"]);
        assert_eq!(said(b"\0"), [""]);
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        assert!(!decoded(PROBE, Ended::Complete, &made::answer(&question(1, &[("version.bind", TXT, CHAOS)]), &[])).answered());
        assert!(!decoded(PROBE, Ended::Complete, &question(ID, &[("version.bind", TXT, CHAOS)])).answered());
    }
}
