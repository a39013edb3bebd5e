//! FINS: what a controller of Omron says of itself.
//!
//! In: the answer to a CPU UNIT DATA READ over UDP. Out: facts under `fins`. Model and version form the head, what its memory holds the body.
//!
//! ksig asks once for the model, the version and the sizes of the areas, and reads no word of memory. No client but an engineer's asks so, and
//! nothing proves who does: so this is of class review.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, FieldDef, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Peer};
use crate::frame::LIMITS;
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Model of the CPU unit.
    ///
    /// Source: Omron W342 section 5-3-15, CPU Unit model. Example: `CJ2M-CPU32`.
    MODEL: Text = "fins.model";

    /// Version of the CPU unit's internal system.
    ///
    /// Absent when it is blank.
    /// Source: Omron W342 section 5-3-15, CPU Unit internal system version. Example: `02.01`.
    VERSION: Text = "fins.version";

    /// Why the controller refuses: its end code, main and sub code. The flags in it, which tell of errors of the CPU unit, are left out.
    ///
    /// Absent when it does not.
    /// Source: Omron W342 section 5-1-3. Example: `1025`, a service that it does not have.
    END_CODE: Int = "fins.end_code";

    /// Size of the program area in 1,024 words.
    ///
    /// Source: Omron W342 section 5-3-15, area data. Example: `20`.
    PROGRAM_KWORDS: Int = "fins.program_kwords", body;

    /// Size of the data memory in words.
    ///
    /// Source: Omron W342 section 5-3-15, area data. Example: `32768`.
    DM_WORDS: Int = "fins.dm_words", body;
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "fins.controller",
    root: "fins",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Review,
    delivery: Delivery::Datagrams,
    ports: &[9600],
    tls_ports: &[],
    inside_tls: false,
    doc: "Reads the model of a controller, its version and the sizes of its areas, by one command 05 01. No word of memory is read or written. \
          Only programming tools ask so, so this needs an attestation. Omron W342 section 5-3-15.",
}];

/// FINS.
pub static PROTOCOL: Protocol =
    Protocol { name: "fins", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: None };

/// What tells our question from others.
const SERVICE_ID: u8 = b'k';
/// Which command; data from the model to the sizes of the areas.
const READ: [u8; 2] = [5, 1];
const FROM_MODEL_TO_AREAS: u8 = 0;
/// A command that wants an answer, through at most two gateways, to the CPU unit that has the address; from node 99 of the same network. Omron
/// W343 section 5-4.
const REQUEST: [u8; 13] = [0x80, 0, 2, 0, 0, 0, 0, 99, 0, SERVICE_ID, READ[0], READ[1], FROM_MODEL_TO_AREAS];
/// In the first byte of a header: an answer, not a command.
const IS_ANSWER: u8 = 0x40;
/// Header, command, end code.
const HEAD_BYTES: usize = 14;
/// Model, then version.
const TEXT_BYTES: usize = 20;
/// What stands between version and areas, for the system's use.
const RESERVED_BYTES: usize = 40;
const AREAS_BYTES: usize = 12;
const ANSWER_BYTES: usize = HEAD_BYTES + 2 * TEXT_BYTES + RESERVED_BYTES + AREAS_BYTES;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    let lacks = |received: &[u8]| match answer(received) {
        Answer::Arriving => true,
        Answer::Data(data) => data.len() < ANSWER_BYTES - HEAD_BYTES,
        Answer::Refused(_) | Answer::Foreign => false,
    };
    crate::ask::ask(Some(REQUEST.to_vec()), LIMITS, lacks)
}

/// What came so far.
#[derive(Debug, PartialEq, Eq)]
enum Answer<'a> {
    /// Too little to tell.
    Arriving,
    /// No answer to our question.
    Foreign,
    /// An end code.
    Refused(u16),
    /// What stands behind the end code.
    Data(&'a [u8]),
}

fn answer(bytes: &[u8]) -> Answer<'_> {
    let known = [(0, IS_ANSWER, IS_ANSWER), (9, 0xff, SERVICE_ID), (10, 0xff, READ[0]), (11, 0xff, READ[1])];
    if known.iter().any(|(at, mask, value)| bytes.get(*at).is_some_and(|byte| byte & mask != *value)) {
        return Answer::Foreign;
    }
    let Some((head, data)) = bytes.split_first_chunk::<HEAD_BYTES>() else { return Answer::Arriving };
    // The highest bit of the main code says who refused, those of the sub code that the CPU unit has an error of its own.
    match u16::from_be_bytes([head[12] & 0x7f, head[13] & 0x3f]) {
        0 => Answer::Data(data),
        code => Answer::Refused(code),
    }
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut facts = Facts::default();
    let complete = match answer(received) {
        Answer::Arriving | Answer::Foreign => Sections::default(),
        Answer::Refused(code) => {
            facts.push(&END_CODE, Value::Int(code.into()));
            Sections::ALL
        }
        Answer::Data(data) => {
            let head = read_texts(data, &mut facts).is_some();
            Sections { head, body: read_areas(data, &mut facts).is_some() }
        }
    };
    Decoded { complete, facts }
}

fn read_texts(data: &[u8], facts: &mut Facts) -> Option<()> {
    for (field, text) in [&MODEL, &VERSION].into_iter().zip(data.get(..2 * TEXT_BYTES)?.chunks_exact(TEXT_BYTES)) {
        push_text(field, text, facts);
    }
    Some(())
}

/// A text is filled up with blanks or zeros.
fn push_text(field: &'static FieldDef, text: &[u8], facts: &mut Facts) {
    let text = text[..memchr::memchr(0, text).unwrap_or(text.len())].trim_ascii();
    if !text.is_empty() {
        facts.push_read(field, None, charset::text(text), text);
    }
}

fn read_areas(data: &[u8], facts: &mut Facts) -> Option<()> {
    let areas = data.get(2 * TEXT_BYTES + RESERVED_BYTES..)?.first_chunk::<AREAS_BYTES>()?;
    facts.push(&PROGRAM_KWORDS, Value::Int(u16::from_be_bytes([areas[0], areas[1]]).into()));
    facts.push(&DM_WORDS, Value::Int(u16::from_be_bytes([areas[3], areas[4]]).into()));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::tests::{Facted, decoded, talk};

    const PROBE: &str = "fins.controller()";

    /// As Omron W342 describes it.
    fn whole(end_code: [u8; 2]) -> Vec<u8> {
        let mut bytes = vec![0xc0, 0, 2, 0, 99, 0, 0, 0, 0, SERVICE_ID, 5, 1, end_code[0], end_code[1]];
        bytes.extend_from_slice(b"ACME-10             01.20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        bytes.extend_from_slice(&[0; RESERVED_BYTES]);
        bytes.extend_from_slice(&[0, 20, 23, 0x80, 0, 8, 1, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn a_controller_is_read() {
        for flags in [[0, 0], [0x80, 0xc0]] {
            let response = decoded(PROBE, Ended::Complete, &whole(flags));
            assert_eq!(response.complete, Sections::ALL);
            assert_eq!((response.texts("fins.model"), response.texts("fins.version")), (vec!["ACME-10".into()], vec!["01.20".into()]));
            assert_eq!((response.texts("fins.program_kwords"), response.texts("fins.dm_words")), (vec!["20".into()], vec!["32768".into()]));
        }
        assert_eq!(talk(PROBE, &whole([0, 0]), 1), (REQUEST.to_vec(), Step::Done));
        assert_eq!(whole([0, 0]).len(), ANSWER_BYTES);
    }

    #[test]
    fn a_refusal_is_read() {
        let response = decoded(PROBE, Ended::Complete, &whole([4, 1])[..HEAD_BYTES]);
        assert_eq!((response.texts("fins.end_code"), response.complete), (vec!["1025".to_string()], Sections::ALL));
    }

    #[test]
    fn a_short_answer_is_read_as_far_as_it_goes() {
        let bytes = whole([0, 0]);
        let response = decoded(PROBE, Ended::Complete, &bytes[..HEAD_BYTES + 2 * TEXT_BYTES]);
        assert_eq!((response.texts("fins.model").len(), response.complete), (1, Sections { head: true, body: false }));
        assert!(!decoded(PROBE, Ended::Complete, &bytes[..HEAD_BYTES + TEXT_BYTES]).answered());
        assert_eq!(talk(PROBE, &bytes[..ANSWER_BYTES - 1], 1).1, Step::Read);
    }

    #[test]
    fn other_answers_give_no_facts() {
        // Our own question as an echo; another's answer; another command.
        let changed = |at: usize| {
            let mut bytes = whole([0, 0]);
            bytes[at] ^= IS_ANSWER;
            bytes
        };
        for bytes in [REQUEST.to_vec(), changed(0), changed(9), changed(10), changed(11), b"HTTP/1.1 400 x\r\n\r\n".to_vec()] {
            assert!(!decoded(PROBE, Ended::Complete, &bytes).answered(), "{bytes:?}");
        }
    }
}
