//! X11: release and vendor of a display.
//!
//! In: the answer to a connection setup. Out: facts under `x11`. It is whole when the vendor came, or the reason of a refusal; the list of
//! screens that follows is not waited for.
//!
//! ksig asks without authorization, as a client does that has none, draws nothing and closes. Most displays refuse that.

use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Peer};
use crate::frame::{self, Frame};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// How the display answers: `success`, `failed` or `authenticate`.
    ///
    /// Source: X Window System Protocol, chapter 8. Example: `failed`.
    STATUS: Text = "x11.status";

    /// Version of the protocol that the display speaks.
    ///
    /// Absent when it wants more authentication.
    /// Source: X Window System Protocol, chapter 8. Example: `11.0`.
    PROTOCOL_VERSION: Text = "x11.protocol";

    /// Number of the release, in the vendor's own way of counting. X.Org counts 12101007 for 21.1.7.
    ///
    /// Absent when it refuses.
    /// Source: X Window System Protocol, chapter 8, `release-number`. Example: `12101007`.
    RELEASE: Int = "x11.release";

    /// Who made the display's software.
    ///
    /// Absent when it refuses.
    /// Source: X Window System Protocol, chapter 8, `vendor`. Example: `The X.Org Foundation`.
    VENDOR: Text = "x11.vendor";

    /// Why the display refuses, in its words.
    ///
    /// Absent when it does not.
    /// Source: X Window System Protocol, chapter 8, `reason`. Example: `No protocol specified`.
    REASON: Text = "x11.reason";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "x11.setup",
    root: "x11",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Stream,
    ports: &[6000, 6001],
    tls_ports: &[],
    inside_tls: false,
    doc: "Asks for a connection to the display without authorization, as every client does first that has none, reads what it says of \
          itself, draws nothing and closes. X Window System Protocol, chapter 8.",
}];

/// X11.
pub static PROTOCOL: Protocol =
    Protocol { name: "x11", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: None };

/// Lowest byte first, version 11.0, no name and no data of an authorization.
const REQUEST: [u8; 12] = [b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const FAILED: u8 = 0;
const SUCCESS: u8 = 1;
const AUTHENTICATE: u8 = 2;
/// What every answer begins with.
const HEAD_BYTES: usize = 8;
/// Where a success has the length of its vendor, and where the vendor begins.
const VENDOR_LENGTH_AT: usize = 24;
const VENDOR_AT: usize = 40;
/// Longest answer that is read, without screens.
const ANSWER_BYTES_MAX: usize = 4 * 1024;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    frame::ask(Some(REQUEST.to_vec()), frame::LIMITS, setup)
}

fn setup(bytes: &[u8]) -> Frame<'_> {
    let major = |status: u8| if status == AUTHENTICATE { 0..=u8::MAX } else { 11..=11 };
    let foreign = bytes.first().is_some_and(|status| *status > AUTHENTICATE)
        || bytes.first().zip(bytes.get(2)).is_some_and(|(status, byte)| !major(*status).contains(byte));
    if foreign {
        return Frame::Foreign;
    }
    let Some(head) = bytes.first_chunk::<HEAD_BYTES>() else { return Frame::Arriving };
    let rest = 4 * usize::from(u16::from_le_bytes([head[6], head[7]]));
    let length = match (head[0], bytes.get(VENDOR_LENGTH_AT..VENDOR_LENGTH_AT + 2)) {
        (SUCCESS, None) => return if HEAD_BYTES + rest < VENDOR_AT { Frame::Foreign } else { Frame::Arriving },
        (SUCCESS, Some(length)) => VENDOR_AT + usize::from(u16::from_le_bytes([length[0], length[1]])),
        _ => HEAD_BYTES + rest,
    };
    if length > HEAD_BYTES + rest { Frame::Foreign } else { Frame::of(bytes, length, ANSWER_BYTES_MAX) }
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let Some(setup) = setup(received).whole() else { return decoded };
    let facts = &mut decoded.facts;
    let status = match setup[0] {
        FAILED => "failed",
        SUCCESS => "success",
        _ => "authenticate",
    };
    facts.push(&STATUS, Value::text(status));
    if setup[0] != AUTHENTICATE {
        let part = |at: usize| u16::from_le_bytes([setup[at], setup[at + 1]]);
        facts.push(&PROTOCOL_VERSION, Value::Text(format!("{}.{}", part(2), part(4))));
    }
    if setup[0] == SUCCESS {
        let release = u32::from_le_bytes([setup[8], setup[9], setup[10], setup[11]]);
        facts.push(&RELEASE, Value::Int(release.into()));
        facts.push_read(&VENDOR, None, charset::text(&setup[VENDOR_AT..]), &setup[VENDOR_AT..]);
    } else {
        // Padded to four bytes; a failure says how many of them count.
        let padded = &setup[HEAD_BYTES..];
        let counted = if setup[0] == FAILED { padded.get(..setup[1].into()).unwrap_or(padded) } else { padded };
        let reason = counted.trim_ascii_end();
        let reason = &reason[..reason.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)];
        facts.push_read(&REASON, None, charset::text(reason), reason);
    }
    decoded.complete = Sections::ALL;
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::check_cuts;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/xvfb-21.1.7.x11");
    const REFUSAL: &[u8] = include_bytes!("../captures/xvfb-21.1.7-refusal.x11");
    const PROBE: &str = "x11.setup()";

    #[test]
    fn a_display_of_debian_is_read() {
        let response = decoded(PROBE, Ended::Complete, CAPTURE);
        assert_eq!(response.texts("x11.status"), ["success"]);
        assert_eq!(response.texts("x11.protocol"), ["11.0"]);
        assert_eq!(response.texts("x11.release"), ["12101007"]);
        assert_eq!(response.texts("x11.vendor"), ["The X.Org Foundation"]);
        assert_eq!(talk(PROBE, CAPTURE, 1).0, REQUEST);
        check_cuts(PROBE, CAPTURE);
    }

    #[test]
    fn a_display_that_refuses_is_read() {
        let response = decoded(PROBE, Ended::Complete, REFUSAL);
        assert_eq!(response.texts("x11.status"), ["failed"]);
        assert_eq!(response.texts("x11.reason").len(), 1);
        assert!(response.texts("x11.vendor").is_empty());
        check_cuts(PROBE, REFUSAL);
        let more = decoded(PROBE, Ended::Complete, b"\x02\0\0\0\0\0\x01\0abc\0");
        assert_eq!((more.texts("x11.status"), more.texts("x11.reason")), (vec!["authenticate".into()], vec!["abc".into()]));
    }

    #[test]
    fn other_answers_give_no_facts() {
        for bytes in [&b"HTTP/1.1 400 x\r\n\r\n"[..], b"\0\0\x0b\0\0\0", b"\x01\0\x0b\0\0\0\x01\0aaaa", b"\0\x04\x0c\0\0\0\x01\0aaaa"] {
            assert!(!decoded(PROBE, Ended::Complete, bytes).answered(), "{bytes:?}");
        }
        assert_eq!(setup(b"\0\0\x0b\0\0\0\xff\xff"), Frame::Foreign, "longer than ANSWER_BYTES_MAX");
    }
}
