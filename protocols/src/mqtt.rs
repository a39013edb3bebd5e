//! MQTT: whether a broker speaks version 3.1.1, and what it says to a client without a name.
//!
//! In: the answer to a CONNECT. Out: facts under `mqtt`. It has four bytes.
//!
//! ksig sends a CONNECT without user name, password, will or client id, for a clean session that ends with the connection, and says
//! goodbye when it was let in. It subscribes to nothing. CONNECT is MQTT's way to log in, and a broker that takes it counts a client until the
//! goodbye: so this is of class review.

use std::collections::VecDeque;

use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety, Sections, Value};

use crate::conversation::{Conversation, Limits, Peer, PeerState, Step};
use crate::frame::{self, Frame};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// What the broker answers: 0 it lets us in, 1 not this version, 2 not without a client id, 3 not now, 4 not with this name, 5 not
    /// without one.
    ///
    /// Source: MQTT 3.1.1 section 3.2.2.3. Example: `5`.
    RETURN_CODE: Int = "mqtt.return_code";

    /// Whether the broker says that it knows our session. A clean one has none.
    ///
    /// Source: MQTT 3.1.1 section 3.2.2.2. Example: `false`.
    SESSION_PRESENT: Bool = "mqtt.session_present";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "mqtt.connect",
    root: "mqtt",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Review,
    delivery: Delivery::Stream,
    ports: &[1883],
    tls_ports: &[8883],
    inside_tls: true,
    doc: "Asks for a clean session without user name, password, will and client id, reads the answer, says goodbye and closes. Asking to be \
          let in is a login in form, so this needs an attestation. MQTT 3.1.1 section 3.1.",
}];

/// MQTT.
pub static PROTOCOL: Protocol =
    Protocol { name: "mqtt", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: None };

/// CONNECT of 12 bytes: `MQTT`, level 4, a clean session, ten seconds to keep alive, an empty client id.
const CONNECT: [u8; 14] = [0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 10, 0, 0];
const DISCONNECT: [u8; 2] = [0xe0, 0];
const ACCEPTED: u8 = 0;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    Box::new(Exchange { to_say: VecDeque::from([CONNECT.to_vec(), DISCONNECT.to_vec()]) })
}

struct Exchange {
    /// The second one only to a broker that let us in.
    to_say: VecDeque<Vec<u8>>,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        let answer = acknowledgement(received);
        let let_in = matches!(answer, Frame::Whole([.., ACCEPTED]));
        let turn = self.to_say.len() == 2 || let_in;
        match turn.then(|| self.to_say.pop_front()).flatten() {
            Some(message) => Step::Send(message),
            None if state == PeerState::Open && answer == Frame::Arriving => Step::Read,
            None => Step::Done,
        }
    }

    fn limits(&self) -> Limits {
        frame::LIMITS
    }
}

/// CONNACK.
fn acknowledgement(bytes: &[u8]) -> Frame<'_> {
    if bytes.iter().zip([0x20, 2]).any(|(byte, known)| *byte != known) || bytes.get(2).is_some_and(|flags| *flags > 1) {
        return Frame::Foreign;
    }
    Frame::of(bytes, 4, 4)
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    if let Some([_, _, flags, code]) = acknowledgement(received).whole() {
        decoded.facts.push(&RETURN_CODE, Value::Int((*code).into()));
        decoded.facts.push(&SESSION_PRESENT, Value::Bool(flags & 1 == 1));
        decoded.complete = Sections::ALL;
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::check_cuts;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/mosquitto-2.0.11.mqtt");
    const PROBE: &str = "mqtt.connect()";

    #[test]
    fn a_broker_of_debian_is_read_and_left() {
        let response = decoded(PROBE, Ended::Complete, CAPTURE);
        assert_eq!(response.texts("mqtt.return_code"), ["0"]);
        assert_eq!(response.texts("mqtt.session_present"), ["false"]);
        assert_eq!(talk(PROBE, CAPTURE, 1), ([&CONNECT[..], &DISCONNECT].concat(), Step::Done));
        check_cuts(PROBE, CAPTURE);
    }

    #[test]
    fn a_refusal_needs_no_goodbye() {
        let refusal = b"\x20\x02\0\x05";
        assert_eq!(decoded(PROBE, Ended::Eof, refusal).texts("mqtt.return_code"), ["5"]);
        assert_eq!(talk(PROBE, refusal, 1), (CONNECT.to_vec(), Step::Done));
        for bytes in [&b"HTTP/1.1"[..], b"\x20\x03\0\0\0", b"\x20\x02\x02\0"] {
            assert_eq!(talk(PROBE, bytes, 1).1, Step::Done);
            assert!(!decoded(PROBE, Ended::Eof, bytes).answered());
        }
    }
}
