//! BACnet: what a controller of a building says of itself.
//!
//! In: messages over IP, one after the other. Out: facts under `bacnet`. The answer is whole when every question has one, whatever it says: a
//! controller that refuses a property has answered.
//!
//! ksig reads five properties of the device itself, one after the other, and stops where one meets silence. It writes nothing. Behind such a
//! controller stand machines that move, many have no room for a stranger's questions, and no normal client reads them but the building's own
//! workstation: so it is of class review.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, FieldDef, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Limits, Peer, PeerState, Step};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Number of the maker.
    ///
    /// Source: ASHRAE 135 clause 12.11, `Vendor_Identifier`; ASHRAE's list of vendors. Example: `260`.
    VENDOR_ID: Int = "bacnet.vendor_id";

    /// Name of the maker.
    ///
    /// Source: ASHRAE 135 clause 12.11, `Vendor_Name`. Example: `ACME Controls`.
    VENDOR_NAME: Text = "bacnet.vendor_name";

    /// Model.
    ///
    /// Source: ASHRAE 135 clause 12.11, `Model_Name`. Example: `AC-700`.
    MODEL_NAME: Text = "bacnet.model_name";

    /// Version of the firmware.
    ///
    /// Source: ASHRAE 135 clause 12.11, `Firmware_Revision`. Example: `4.2.1`.
    FIRMWARE: Text = "bacnet.firmware";

    /// Version of what runs on it.
    ///
    /// Source: ASHRAE 135 clause 12.11, `Application_Software_Version`. Example: `1.0`.
    SOFTWARE: Text = "bacnet.application_software";
}

/// The properties that are read, in order, with their numbers (clause 21, `BACnetPropertyIdentifier`).
const PROPERTIES: [(u8, &FieldDef); 5] = [(120, &VENDOR_ID), (121, &VENDOR_NAME), (70, &MODEL_NAME), (44, &FIRMWARE), (12, &SOFTWARE)];

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "bacnet.device",
    root: "bacnet",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Review,
    delivery: Delivery::Datagrams,
    ports: &[47808],
    tls_ports: &[],
    inside_tls: false,
    doc: "Reads vendor identifier, vendor name, model name, firmware revision and application software version of the device object, one after \
          the other, from one address, never from all. Nothing is written. What answers may steer a building, so this needs an attestation. \
          ASHRAE 135 clause 15.5.",
}];

/// BACnet.
pub static PROTOCOL: Protocol =
    Protocol { name: "bacnet", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: None };

/// Bounds of five questions and their answers; a controller may take seconds.
const LIMITS: Limits = Limits { response_bytes_max: 16 * 1024, first_byte_ms: 6_000, silence_ms: 3_000, total_ms: 30_000 };

/// Annex J: a message over IP, to or from one address.
const OVER_IP: u8 = 0x81;
const ONE_ADDRESS: u8 = 0x0a;
/// Length of that head.
const HEAD_BYTES: usize = 4;
/// Any device: it answers for itself (clause 15.5.2).
const DEVICE_ITSELF: [u8; 5] = [0x0c, 0x02, 0x3f, 0xff, 0xff];
const READ_PROPERTY: u8 = 12;
const COMPLEX_ACK: u8 = 0x30;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    Box::new(Exchange { sent: 0 })
}

/// The question for a property: its place in the list is its number, by which the answer says what it answers.
fn question(place: usize) -> Vec<u8> {
    // Network layer: version 1, an answer is expected. Confirmed request in one part, with room for 1,476 bytes of answer.
    let mut bytes = vec![OVER_IP, ONE_ADDRESS, 0, 0, 0x01, 0x04, 0x00, 0x05, place as u8, READ_PROPERTY];
    bytes.extend(DEVICE_ITSELF);
    bytes.extend([0x19, PROPERTIES[place].0]);
    bytes[3] = bytes.len() as u8;
    bytes
}

struct Exchange {
    sent: usize,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        let answered = answers(received).count();
        if self.sent < PROPERTIES.len() && self.sent <= answered {
            self.sent += 1;
            return Step::Send(question(self.sent - 1));
        }
        if answered < PROPERTIES.len() && state == PeerState::Open { Step::Read } else { Step::Done }
    }

    fn usual_answer(&self) -> Vec<u8> {
        // A message of the own network for each question; what it says changes nothing.
        [OVER_IP, ONE_ADDRESS, 0, 6, 1, 0].repeat(PROPERTIES.len())
    }

    fn limits(&self) -> Limits {
        LIMITS
    }
}

/// What the answers say after their network layer, one a question, up to the first message that is whole and none.
fn answers(received: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = received;
    let answer = move || {
        let [OVER_IP, ONE_ADDRESS, high, low, ..] = *rest else { return None };
        let (message, next) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        rest = next;
        message.get(HEAD_BYTES..).and_then(without_network_layer)
    };
    std::iter::from_fn(answer).take(PROPERTIES.len())
}

/// Clause 6.2: version, control, and addresses of networks behind the one that answered.
fn without_network_layer(bytes: &[u8]) -> Option<&[u8]> {
    let (&[1, control], mut rest) = bytes.split_first_chunk::<2>()? else { return None };
    let (destination, source, of_network) = (control & 0x20 != 0, control & 0x08 != 0, control & 0x80 != 0);
    for present in [destination, source] {
        if present {
            let length = usize::from(*rest.get(2)?);
            rest = rest.get(3 + length..)?;
        }
    }
    if destination {
        rest = rest.get(1..)?;
    }
    (!of_network).then_some(rest)
}

/// The place of the property that is answered, and its value as it is encoded. Absent for an error.
fn value(answer: &[u8]) -> Option<(usize, &[u8])> {
    let [COMPLEX_ACK, place, READ_PROPERTY, 0x0c, _, _, _, _, 0x19, number, 0x3e, value @ .., 0x3f] = answer else { return None };
    let place = usize::from(*place);
    (PROPERTIES.get(place)?.0 == *number).then_some((place, value))
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let mut answered = 0;
    for answer in answers(received) {
        answered += 1;
        let Some((place, value)) = value(answer) else { continue };
        let (_, field) = PROPERTIES[place];
        match (place, application(value)) {
            (0, Some((2, content))) if content.len() <= 4 => {
                let number = content.iter().fold(0i64, |number, byte| number << 8 | i64::from(*byte));
                decoded.facts.push(field, Value::Int(number));
            }
            (1.., Some((7, content))) => {
                if let Some((text, bytes)) = characters(content) {
                    decoded.facts.push_read(field, None, text, bytes);
                }
            }
            _ => {}
        }
    }
    decoded.complete = if answered == PROPERTIES.len() { Sections::ALL } else { Sections::default() };
    decoded
}

/// Kind and content of a value (clause 20.2.1): 2 is a number, 7 a text.
fn application(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (length, rest) = match tag & 7 {
        5 => match *rest.first()? {
            254 => (usize::from(u16::from_be_bytes(*rest.get(1..)?.first_chunk()?)), rest.get(3..)?),
            255 => return None,
            length => (usize::from(length), rest.get(1..)?),
        },
        length => (usize::from(length), rest),
    };
    (tag & 8 == 0).then_some((tag >> 4, rest.get(..length)?))
}

/// A text by its character set (clause 20.2.9), and its bytes: 0 is UTF-8, 4 UCS-2, 5 ISO 8859-1. Absent for others, which are rare.
fn characters(content: &[u8]) -> Option<(String, &[u8])> {
    let (set, bytes) = content.split_first()?;
    let text = match set {
        0 => charset::text(bytes),
        4 => {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        5 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => return None,
    };
    Some((text, bytes))
}

fn derive(_: &mut Facts) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Facted, decoded, talk};

    const PROBE: &str = "bacnet.device()";

    /// Over IP, with the head of clause 6.2 for the own network.
    fn over_ip(rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![OVER_IP, ONE_ADDRESS, 0, 0, 1, 0];
        bytes.extend(rest);
        bytes[3] = bytes.len() as u8;
        bytes
    }

    /// By the example of ASHRAE 135 annex F.3.5.
    fn acknowledged(place: u8, value: &[u8]) -> Vec<u8> {
        let mut bytes = vec![COMPLEX_ACK, place, READ_PROPERTY, 0x0c, 2, 0, 0, 1, 0x19, PROPERTIES[usize::from(place)].0, 0x3e];
        bytes.extend(value);
        bytes.push(0x3f);
        over_ip(&bytes)
    }

    fn text(text: &str) -> Vec<u8> {
        [&[0x75, text.len() as u8 + 1, 0], text.as_bytes()].concat()
    }

    fn controller() -> Vec<u8> {
        let refused = over_ip(&[0x50, 4, READ_PROPERTY, 0x91, 2, 0x91, 32]);
        let told = [acknowledged(0, &[0x22, 1, 4]), acknowledged(1, &text("ACME Controls")), acknowledged(2, &text("AC-700"))];
        [told.concat(), acknowledged(3, &[0x75, 4, 5, b'4', b'.', 0xb5]), refused].concat()
    }

    #[test]
    fn a_controller_says_its_model_and_firmware() {
        let response = decoded(PROBE, Ended::Complete, &controller());
        assert_eq!(response.texts("bacnet.vendor_id"), ["260"]);
        assert_eq!(response.texts("bacnet.vendor_name"), ["ACME Controls"]);
        assert_eq!(response.texts("bacnet.model_name"), ["AC-700"]);
        assert_eq!(response.texts("bacnet.firmware"), ["4.µ"]);
        assert!(response.texts("bacnet.application_software").is_empty(), "it was refused");
        assert_eq!(response.complete, Sections::ALL);
        for cut in 0..controller().len() {
            assert_eq!(decoded(PROBE, Ended::Timeout, &controller()[..cut]).complete, Sections::default(), "{cut}");
        }
    }

    #[test]
    fn a_server_of_bacpypes_is_read() {
        const CAPTURE: &[u8] = include_bytes!("../captures/bacpypes-0.19.0.bacnet");
        let response = decoded(PROBE, Ended::Complete, CAPTURE);
        let fields = ["vendor_id", "vendor_name", "model_name", "firmware", "application_software"];
        let said: Vec<String> = fields.iter().flat_map(|field| response.texts(&format!("bacnet.{field}"))).collect();
        assert_eq!(said, ["999", "ACME Controls", "AC-700", "4.2.1", "1.0"]);
        assert_eq!((response.complete, talk(PROBE, CAPTURE, 1).1), (Sections::ALL, crate::Step::Done));
    }

    #[test]
    fn properties_are_read_one_after_the_other() {
        let (sent, step) = talk(PROBE, &controller(), 7);
        let all: Vec<u8> = (0..PROPERTIES.len()).flat_map(question).collect();
        assert_eq!((sent, step), (all.clone(), Step::Done));
        assert_eq!(question(0), [0x81, 0x0a, 0, 17, 1, 4, 0, 5, 0, 12, 0x0c, 2, 0x3f, 0xff, 0xff, 0x19, 120]);
        assert_eq!(talk(PROBE, &controller(), controller().len()).0, all, "answers that come together change nothing");
        // Nobody who is silent is asked for the rest.
        assert_eq!(talk(PROBE, b"", 1), (question(0), Step::Read));
    }

    #[test]
    fn an_answer_from_a_network_behind_is_read() {
        let mut routed = vec![OVER_IP, ONE_ADDRESS, 0, 0, 1, 0x08, 0, 5, 1, 9];
        routed.extend(&acknowledged(2, &text("AC-700"))[6..]);
        routed[3] = routed.len() as u8;
        assert_eq!(decoded(PROBE, Ended::Timeout, &routed).texts("bacnet.model_name"), ["AC-700"]);
    }

    #[test]
    fn texts_in_two_bytes_a_character_are_text() {
        let model = acknowledged(2, &[0x75, 5, 4, 0, b'A', 0x30, 0x42]);
        assert_eq!(decoded(PROBE, Ended::Timeout, &model).texts("bacnet.model_name"), ["Aあ"]);
    }

    #[test]
    fn other_bytes_give_no_facts() {
        for bytes in [&b"\x81\x0a\0\x04"[..], b"\x81\x0a\0\0", b"\x81\x0a\xff\xff", b"HTTP/1.1 400 x", b"", &acknowledged(1, b"\x75\xff")] {
            assert!(!decoded(PROBE, Ended::Complete, bytes).answered(), "{bytes:?}");
        }
    }
}
