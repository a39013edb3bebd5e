//! VNC: version and security types of a server of the remote framebuffer protocol.
//!
//! In: what a server says before a client has chosen how to prove itself. Out: facts under `vnc`.
//!
//! ksig answers with a version that the server speaks, as every client does, reads which security types there are, chooses none and
//! closes. In version 3.3 the server chooses; then it waits for an answer, which it does not get.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Limits, Peer, PeerState, Step};
use crate::frame::Frame;
use crate::greeting;
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Highest version of the protocol that the server speaks. Apple's says `3.889`.
    ///
    /// Source: RFC 6143 section 7.1.1. Example: `3.8`.
    PROTOCOL_VERSION: Text = "vnc.protocol";

    /// Security types that the server offers, in order: 1 for none, 2 for a password, 19 for VeNCrypt, 30 to 36 for Apple's. In
    /// version 3.3 it is the one that the server chose.
    ///
    /// Absent when it turns us away.
    /// Source: RFC 6143 sections 7.1.2 and 8.2; IANA Remote Framebuffer Security Types. Example: `2`.
    SECURITY_TYPES: Int = "vnc.security_types", many;

    /// Why the server turns us away, in its words.
    ///
    /// Absent when it does not.
    /// Source: RFC 6143 section 7.1.2. Example: `Too many security failures`.
    ERROR: Text = "vnc.error";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "vnc.security",
    root: "vnc",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Stream,
    ports: &[5900, 5901],
    tls_ports: &[],
    inside_tls: true,
    doc: "Reads the version that the server sends first, answers with one that it speaks, reads its security types, chooses none and closes. \
          No password is tried. RFC 6143 sections 7.1.1 and 7.1.2.",
}];

/// VNC.
pub static PROTOCOL: Protocol =
    Protocol { name: "vnc", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: None };

/// `RFB 003.008` and a line feed.
const VERSION_BYTES: usize = 12;
/// Longest reason that is read.
const REASON_BYTES_MAX: usize = 1024;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    Box::new(Exchange { answered: false })
}

struct Exchange {
    answered: bool,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        let wait = if state == PeerState::Open { Step::Read } else { Step::Done };
        match version(received) {
            Version::Arriving => wait,
            Version::Foreign => Step::Done,
            Version::Known { spoken, .. } if !self.answered => {
                self.answered = true;
                Step::Send(format!("RFB 003.{spoken:03}\n").into_bytes())
            }
            Version::Known { spoken, .. } => match offer(spoken, &received[VERSION_BYTES..]) {
                Frame::Arriving => wait,
                Frame::Foreign | Frame::Whole(_) => Step::Done,
            },
        }
    }

    fn usual_answer(&self) -> Vec<u8> {
        b"RFB 003.008\n".to_vec()
    }

    fn limits(&self) -> Limits {
        greeting::LIMITS
    }
}

/// The version with which a server begins.
enum Version {
    Arriving,
    Foreign,
    Known {
        major: u16,
        minor: u16,
        /// Minor part of the version 3 in which we go on: RFC 6143 section 7.1.1 knows 3, 7 and 8.
        spoken: u16,
    },
}

fn version(bytes: &[u8]) -> Version {
    let form = b"RFB ddd.ddd\n";
    let fits = |(byte, form): (&u8, &u8)| if *form == b'd' { byte.is_ascii_digit() } else { byte == form };
    if !bytes.iter().zip(form).all(fits) {
        return Version::Foreign;
    }
    let Some(line) = bytes.get(..VERSION_BYTES) else { return Version::Arriving };
    let number = |digits: &[u8]| digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
    let (major, minor) = (number(&line[4..7]), number(&line[8..11]));
    let spoken = match (major, minor) {
        (0..=2, _) => return Version::Foreign,
        (3, 0..=6) => 3,
        (3, 7) => 7,
        _ => 8,
    };
    Version::Known { major, minor, spoken }
}

/// What the server says once it has our version: in 3.3 the type that it chose, in four bytes; later how many there are, and each in one.
/// None means a reason.
fn offer(spoken: u16, bytes: &[u8]) -> Frame<'_> {
    let types = if spoken == 3 { 4 } else { 1 };
    match (bytes.get(..types), bytes.first()) {
        (None, _) | (_, None) => Frame::Arriving,
        (Some(none), _) if none.iter().all(|byte| *byte == 0) => match bytes[types..].first_chunk::<4>() {
            None => Frame::Arriving,
            Some(length) => {
                let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX).min(REASON_BYTES_MAX + 1);
                Frame::of(bytes, types + 4 + length, types + 4 + REASON_BYTES_MAX)
            }
        },
        (Some(_), Some(count)) => Frame::of(bytes, if spoken == 3 { types } else { 1 + usize::from(*count) }, 256),
    }
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], _: bool) -> bool {
    matches!(version(bytes), Version::Known { .. })
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut facts = Facts::default();
    let Version::Known { major, minor, spoken } = version(received) else { return Decoded::default() };
    facts.push(&PROTOCOL_VERSION, Value::Text(format!("{major}.{minor}")));
    let Some(offer) = offer(spoken, &received[VERSION_BYTES..]).whole() else { return Decoded { complete: Sections::default(), facts } };
    let (first, rest) = offer.split_at(if spoken == 3 { 4 } else { 1 });
    if first.iter().all(|byte| *byte == 0) {
        let reason = rest.get(4..).unwrap_or_default();
        facts.push_read(&ERROR, None, charset::text(reason), reason);
    } else if let Some(chosen) = first.first_chunk::<4>() {
        facts.push(&SECURITY_TYPES, Value::Int(u32::from_be_bytes(*chosen).into()));
    } else {
        rest.iter().for_each(|kind| facts.push(&SECURITY_TYPES, Value::Int((*kind).into())));
    }
    Decoded { complete: Sections::ALL, facts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/tigervnc-1.12.0.vnc");
    const PROBE: &str = "vnc.security()";

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded(PROBE, Ended::Complete, CAPTURE);
        assert_eq!(response.texts("vnc.protocol"), ["3.8"]);
        assert_eq!(response.texts("vnc.security_types"), ["1", "2"]);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(talk(PROBE, CAPTURE, 1), (b"RFB 003.008\n".to_vec(), Step::Done));
    }

    #[test]
    fn what_is_cut_proves_no_absence() {
        for cut in 0..CAPTURE.len() {
            let response = decoded(PROBE, Ended::Complete, &CAPTURE[..cut]);
            assert_eq!((response.complete, response.answered()), (Sections::default(), cut >= VERSION_BYTES), "{cut}");
            assert_eq!(talk(PROBE, &CAPTURE[..cut], 1).1, Step::Read);
        }
        let more = [CAPTURE, b"more"].concat();
        assert_eq!(decoded(PROBE, Ended::Complete, &more), decoded(PROBE, Ended::Complete, CAPTURE));
    }

    #[test]
    fn versions_are_answered_with_one_that_is_spoken() {
        for (server, ours) in [
            ("RFB 003.003\n", "RFB 003.003\n"),
            ("RFB 003.005\n", "RFB 003.003\n"),
            ("RFB 003.007\n", "RFB 003.007\n"),
            ("RFB 003.889\n", "RFB 003.008\n"),
            ("RFB 005.000\n", "RFB 003.008\n"),
            ("RFB 000.000\n", ""),
            ("SSH-2.0-x\r\n", ""),
        ] {
            assert_eq!(talk(PROBE, server.as_bytes(), 1).0, ours.as_bytes(), "{server}");
        }
    }

    #[test]
    fn version_3_3_and_refusals_are_read() {
        assert_eq!(decoded(PROBE, Ended::Complete, b"RFB 003.003\n\0\0\0\x02challenge").texts("vnc.security_types"), ["2"]);
        for refusal in [&b"RFB 003.003\n\0\0\0\0\0\0\0\x04busy"[..], b"RFB 003.008\n\0\0\0\0\x04busy"] {
            let response = decoded(PROBE, Ended::Eof, refusal);
            assert_eq!((response.texts("vnc.error"), response.complete), (vec!["busy".to_string()], Sections::ALL));
        }
        let lie = decoded(PROBE, Ended::Eof, b"RFB 003.008\n\0\xff\xff\xff\xffx");
        assert_eq!((lie.texts("vnc.error").len(), lie.complete), (0, Sections::default()));
    }
}
