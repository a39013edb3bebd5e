//! S7: what a controller of Siemens says of itself.
//!
//! In: four answers one after the other, each with its own length: connection, setup, and two lists of the system's state. Out: facts under
//! `s7`.
//!
//! ksig connects as a programming device does, agrees on the size of a message, reads the lists of the module's identification (0x0011) and
//! of the component's identification (0x001C), and closes. It reads no block and no data, and gives no password. A client that asks for
//! these lists is an engineer's, and controllers have few connections: so this is of class review.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, FieldDef, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Limits, Peer, PeerState, Step};
use crate::frame::{self, Frame};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Order number of the module.
    ///
    /// Absent when the controller does not show the list.
    /// Source: Siemens, System Software for S7-300/400, SZL 0x0011, index 1. Example: `6ES7 315-2EH14-0AB0`.
    MODULE: Text = "s7.module";

    /// Version of the firmware.
    ///
    /// Absent when the controller does not show the list.
    /// Source: Siemens, System Software for S7-300/400, SZL 0x0011, index 7. Example: `3.2.6`.
    FIRMWARE: Text = "s7.firmware";

    /// Name of the module as its project has it.
    ///
    /// Source: Siemens, System Software for S7-300/400, SZL 0x001C, index 2. Example: `CPU 315-2 PN/DP`.
    MODULE_NAME: Text = "s7.module_name";

    /// Name of the module's type.
    ///
    /// Source: Siemens, System Software for S7-300/400, SZL 0x001C, index 7. Example: `CPU 315-2 PN/DP`.
    MODULE_TYPE: Text = "s7.module_type";

    /// Whose equipment it says to be.
    ///
    /// Source: Siemens, System Software for S7-300/400, SZL 0x001C, index 4. Example: `Original Siemens Equipment`.
    COPYRIGHT: Text = "s7.copyright";

    /// Name of the station in its plant.
    ///
    /// Source: Siemens, System Software for S7-300/400, SZL 0x001C, index 1. Example: `SNAP7-SERVER`.
    STATION: Text = "s7.station", redact;

    /// Name of the plant.
    ///
    /// Source: Siemens, System Software for S7-300/400, SZL 0x001C, index 3. Example: `Works 2`.
    PLANT: Text = "s7.plant", redact;

    /// Serial number of the module.
    ///
    /// Source: Siemens, System Software for S7-300/400, SZL 0x001C, index 5. Example: `S C-C2UR28922012`.
    SERIAL: Text = "s7.serial", redact, machine(Serial);
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "s7.identification",
    root: "s7",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Review,
    delivery: Delivery::Stream,
    ports: &[102],
    tls_ports: &[],
    inside_tls: false,
    doc: "Connects as a programming device, reads the lists 0x0011 and 0x001C of the system's state and closes. Reads no data, gives no \
          password. It takes one of the few connections of a controller, so this needs an attestation. RFC 1006; Siemens, System Software \
          for S7-300/400, chapter 33.",
}];

/// S7.
pub static PROTOCOL: Protocol =
    Protocol { name: "s7", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: None };

/// Connection request of class 0 (ITU-T X.224 section 13.3): messages of 1,024 bytes, from a programming device to rack 0, slot 2.
const CONNECT: &[u8] = &[3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2];
/// Setup of communication: one call at a time each way, 480 bytes.
const SETUP: &[u8] = &[3, 0, 0, 25, 2, 0xf0, 0x80, 0x32, 1, 0, 0, 0, 1, 0, 8, 0, 0, 0xf0, 0, 0, 1, 0, 1, 1, 0xe0];
/// Read of a list of the system's state; the last four bytes are its number and its index.
const READ_MODULE: &[u8] = &read_list(2, 0x11);
const READ_COMPONENT: &[u8] = &read_list(3, 0x1c);
const SAID: [&[u8]; 4] = [CONNECT, SETUP, READ_MODULE, READ_COMPONENT];

const fn read_list(call: u8, list: u8) -> [u8; 33] {
    [3, 0, 0, 33, 2, 0xf0, 0x80, 0x32, 7, 0, 0, 0, call, 0, 8, 0, 8, 0, 1, 0x12, 4, 0x11, 0x44, 1, 0, 0xff, 9, 0, 4, 0, list, 0, 0]
}

/// Longest answer that is read: what the setup agreed on, and its wrapping.
const ANSWER_BYTES_MAX: usize = 1024;
/// TPKT and the header of a COTP data unit.
const WRAPPING: usize = 7;
/// Header and parameter of an answer with a list.
const BEFORE_DATA: usize = 10 + 12;
/// Most records of a list that are read.
const RECORDS_MAX: usize = 64;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    Box::new(Exchange { said: 0 })
}

struct Exchange {
    /// How many messages went out; each but the first waits for the answer to the one before.
    said: usize,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        let (answers, end) = answers(received);
        if self.said <= answers.len() && self.said < SAID.len() {
            self.said += 1;
            return Step::Send(SAID[self.said - 1].to_vec());
        }
        if state == PeerState::Open && end == Frame::Arriving { Step::Read } else { Step::Done }
    }

    fn usual_answer(&self) -> Vec<u8> {
        // A confirmation, then data: the beginnings are enough.
        [&[3, 0, 0, 7, 2, 0xd0, 0][..], &[3, 0, 0, 8, 2, 0xf0, 0x80, 0x32].repeat(SAID.len() - 1)].concat()
    }

    fn limits(&self) -> Limits {
        frame::LIMITS
    }
}

/// The answers that came whole, and how far the next one is. When all came, there is no next one.
fn answers(bytes: &[u8]) -> (Vec<&[u8]>, Frame<'_>) {
    let mut answers = Vec::new();
    let mut rest = bytes;
    while answers.len() < SAID.len() {
        match answer(rest, answers.is_empty()) {
            Frame::Whole(whole) => {
                answers.push(whole);
                rest = &rest[whole.len()..];
            }
            end => return (answers, end),
        }
    }
    (answers, Frame::Whole(bytes))
}

/// One answer in its TPKT: first a connection confirmation, then data of S7.
fn answer(bytes: &[u8], first: bool) -> Frame<'_> {
    let known = |(at, byte): (usize, &u8)| match (at, first) {
        (0, _) => *byte == 3,
        (1, _) => *byte == 0,
        (5, true) => byte & 0xf0 == 0xd0,
        (5, false) => *byte == 0xf0,
        (WRAPPING, false) => *byte == 0x32,
        _ => true,
    };
    if !bytes.iter().take(WRAPPING + 1).enumerate().all(known) {
        return Frame::Foreign;
    }
    let [_, _, high, low, ..] = bytes else { return Frame::Arriving };
    match u16::from_be_bytes([*high, *low]).into() {
        short if short < WRAPPING => Frame::Foreign,
        length => Frame::of(bytes, length, ANSWER_BYTES_MAX),
    }
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut facts = Facts::default();
    let (answers, _) = answers(received);
    let mut whole = answers.len() == SAID.len();
    for answer in answers.iter().skip(2) {
        whole &= read_list_answer(answer, &mut facts).is_some();
    }
    // A controller that took the setup has answered, whatever it shows.
    let complete = if whole { Sections::ALL } else { Sections { head: false, body: answers.len() >= 2 } };
    Decoded { complete, facts }
}

/// Return code, kind, length; number and index of the list, length of a record, how many.
fn read_list_answer(answer: &[u8], facts: &mut Facts) -> Option<()> {
    let ([0xff, 9, _, _, list_high, list_low, _, _, size_high, size_low, _, _], records) =
        answer.get(WRAPPING + BEFORE_DATA..)?.split_first_chunk::<12>()?
    else {
        return None;
    };
    let size = usize::from(u16::from_be_bytes([*size_high, *size_low])).max(1);
    for record in records.chunks_exact(size).take(RECORDS_MAX) {
        let ([high, low], value) = record.split_first_chunk::<2>()?;
        read_record(u16::from_be_bytes([*list_high, *list_low]), u16::from_be_bytes([*high, *low]), value, facts);
    }
    Some(())
}

fn read_record(list: u16, index: u16, value: &[u8], facts: &mut Facts) {
    let mut push = |field: &'static FieldDef, text: &[u8]| {
        let text = text[..memchr::memchr(0, text).unwrap_or(text.len())].trim_ascii();
        if !text.is_empty() {
            facts.push_read(field, None, charset::text(text), text);
        }
    };
    match (list, index, value) {
        (0x11, 1, value) => push(&MODULE, value.get(..20).unwrap_or(value)),
        // An order number of blanks, the kind of the module, and the version behind a V.
        (0x11, 7, [.., b'V', major, minor, patch]) => facts.push(&FIRMWARE, Value::Text(format!("{major}.{minor}.{patch}"))),
        (0x1c, 1, name) => push(&STATION, name),
        (0x1c, 2, name) => push(&MODULE_NAME, name),
        (0x1c, 3, name) => push(&PLANT, name),
        (0x1c, 4, text) => push(&COPYRIGHT, text),
        (0x1c, 5, number) => push(&SERIAL, number),
        (0x1c, 7, name) => push(&MODULE_TYPE, name),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/python-snap7-1.3.s7");
    const PROBE: &str = "s7.identification()";

    #[test]
    fn a_server_of_snap7_is_read() {
        let response = decoded(PROBE, Ended::Complete, CAPTURE);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(response.texts("s7.module"), ["6ES7 315-2EH14-0AB0"]);
        assert_eq!(response.texts("s7.firmware"), ["3.2.6"]);
        assert_eq!(response.texts("s7.module_name"), ["CPU 315-2 PN/DP"]);
        assert_eq!(response.texts("s7.module_type"), ["CPU 315-2 PN/DP"]);
        assert_eq!(response.texts("s7.copyright"), ["Original Siemens Equipment"]);
        assert_eq!(response.texts("s7.station"), ["SNAP7-SERVER"]);
        assert_eq!(response.texts("s7.serial"), ["S C-C2UR28922012"]);
        assert!(response.texts("s7.plant").is_empty());
        assert_eq!(talk(PROBE, CAPTURE, 7), (SAID.concat(), Step::Done));
    }

    #[test]
    fn what_is_cut_proves_no_absence() {
        for cut in 0..CAPTURE.len() {
            assert_ne!(decoded(PROBE, Ended::Eof, &CAPTURE[..cut]).complete, Sections::ALL, "{cut}");
            assert_eq!(talk(PROBE, &CAPTURE[..cut], 1).1, Step::Read, "{cut}");
        }
        let more = [CAPTURE, b"more"].concat();
        assert_eq!(decoded(PROBE, Ended::Complete, &more), decoded(PROBE, Ended::Complete, CAPTURE));
    }

    #[test]
    fn a_controller_that_refuses_is_asked_no_more() {
        for bytes in [&b"HTTP/1.1 400 x\r\n\r\n"[..], &[3, 0, 0, 11, 6, 0x80, 0, 0], &[3, 0, 0, 4], &[3, 0, 0xff, 0xff]] {
            assert_eq!(talk(PROBE, bytes, 1), (CONNECT.to_vec(), Step::Done), "{bytes:?}");
            assert!(!decoded(PROBE, Ended::Eof, bytes).answered());
        }
        assert_eq!(answer(&[3, 0, 4, 1], true), Frame::Foreign, "one byte more than ANSWER_BYTES_MAX");
    }

    #[test]
    fn records_that_lie_give_no_facts() {
        // A record of no bytes, and one of more than there are.
        let at = CAPTURE.windows(4).position(|window| window == [0, 0x11, 0, 0]).expect("the list") + 4;
        for size in [[0, 0], [0, 1], [0xff, 0xff]] {
            let mut bytes = CAPTURE.to_vec();
            bytes[at..at + 2].copy_from_slice(&size);
            assert!(decoded(PROBE, Ended::Complete, &bytes).texts("s7.module").is_empty());
        }
    }
}
