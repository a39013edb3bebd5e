//! RDP: which security protocol a server goes on with.
//!
//! In: the answer to a connection request. Out: facts under `rdp`. It says its own length.
//!
//! ksig asks as a client does that can go on with any of TLS, CredSSP and CredSSP with early authorization, without the cookie in which
//! clients name their user; then it closes, before any of them begins.

use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety, Sections, Value};

use crate::conversation::{Conversation, Peer};
use crate::frame::{self, Frame};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// How the server goes on: `rdp` for its own security, `tls`, `credssp`, `rdstls`, `credssp_ex`; others as their number.
    ///
    /// Absent when it refuses.
    /// Source: MS-RDPBCGR section 2.2.1.2.1, `selectedProtocol`. Example: `credssp`.
    PROTOCOL_CHOSEN: Text = "rdp.protocol";

    /// What the server can do, as a sum: 1 for extended client data, 2 for the graphics pipeline, 8 for restricted administration, 16 for
    /// redirected authentication.
    ///
    /// Absent when it refuses, and for a server that does not negotiate.
    /// Source: MS-RDPBCGR section 2.2.1.2.1, `flags`. Example: `31`.
    FLAGS: Int = "rdp.flags";

    /// Why the server refuses: 1 it wants TLS, 2 it allows none, 3 it has no certificate, 4 flags, 5 it wants CredSSP, 6 TLS with a
    /// client's certificate.
    ///
    /// Absent when it does not.
    /// Source: MS-RDPBCGR section 2.2.1.2.2, `failureCode`. Example: `5`.
    FAILURE: Int = "rdp.failure";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "rdp.negotiation",
    root: "rdp",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Stream,
    ports: &[3389],
    tls_ports: &[],
    inside_tls: false,
    doc: "Sends the connection request with which every client begins, without a user's cookie, reads which security protocol the server \
          goes on with, and closes. MS-RDPBCGR section 2.2.1.1.",
}];

/// RDP.
pub static PROTOCOL: Protocol =
    Protocol { name: "rdp", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: None };

/// TPKT (RFC 1006 section 6), a connection request of class 0 (ITU-T X.224 section 13.3), and a negotiation request of 8 bytes for TLS (1),
/// CredSSP (2) and CredSSP with early authorization (8).
const REQUEST: [u8; 19] = [3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 11, 0, 0, 0];
/// What a confirmation begins with: TPKT, length of the header, code, two references, class.
const CONFIRM_BYTES: usize = 11;
/// Longest confirmation that is read.
const ANSWER_BYTES_MAX: usize = 256;
const NEGOTIATION_RESPONSE: u8 = 2;
const NEGOTIATION_FAILURE: u8 = 3;

/// Names of MS-RDPBCGR section 2.2.1.2.1, shortened.
const PROTOCOLS: &[(u32, &str)] = &[(0, "rdp"), (1, "tls"), (2, "credssp"), (4, "rdstls"), (8, "credssp_ex")];

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    frame::ask(Some(REQUEST.to_vec()), frame::LIMITS, confirmation)
}

/// A connection confirmation in its TPKT.
fn confirmation(bytes: &[u8]) -> Frame<'_> {
    let foreign = |at: usize, known: fn(u8) -> bool| bytes.get(at).is_some_and(|byte| !known(*byte));
    if foreign(0, |version| version == 3) || foreign(1, |reserved| reserved == 0) || foreign(5, |code| code & 0xf0 == 0xd0) {
        return Frame::Foreign;
    }
    let [_, _, high, low, ..] = bytes else { return Frame::Arriving };
    match u16::from_be_bytes([*high, *low]).into() {
        short if short < CONFIRM_BYTES => Frame::Foreign,
        length => Frame::of(bytes, length, ANSWER_BYTES_MAX),
    }
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let Some(confirmation) = confirmation(received).whole() else { return decoded };
    let number = |bytes: [u8; 4]| u32::from_le_bytes(bytes);
    let name =
        |number: u32| PROTOCOLS.iter().find(|(known, _)| *known == number).map_or_else(|| number.to_string(), |(_, name)| name.to_string());
    match confirmation[CONFIRM_BYTES..] {
        [NEGOTIATION_RESPONSE, flags, _, _, a, b, c, d, ..] => {
            decoded.facts.push(&PROTOCOL_CHOSEN, Value::Text(name(number([a, b, c, d]))));
            decoded.facts.push(&FLAGS, Value::Int(flags.into()));
        }
        [NEGOTIATION_FAILURE, _, _, _, a, b, c, d, ..] => decoded.facts.push(&FAILURE, Value::Int(number([a, b, c, d]).into())),
        // A server from before the negotiation.
        [] => decoded.facts.push(&PROTOCOL_CHOSEN, Value::text(PROTOCOLS[0].1)),
        _ => return decoded,
    }
    decoded.complete = Sections::ALL;
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::check_cuts;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/xrdp-0.9.21.rdp");
    const PROBE: &str = "rdp.negotiation()";

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded(PROBE, Ended::Complete, CAPTURE);
        assert_eq!((response.texts("rdp.protocol"), response.texts("rdp.flags")), (vec!["tls".to_string()], vec!["1".to_string()]));
        assert_eq!(talk(PROBE, CAPTURE, 1).0, REQUEST);
        check_cuts(PROBE, CAPTURE);
    }

    #[test]
    fn refusals_and_servers_without_negotiation_are_read() {
        let refusal = decoded(PROBE, Ended::Eof, &[3, 0, 0, 19, 14, 0xd0, 0, 0, 0, 0, 0, 3, 0, 8, 0, 5, 0, 0, 0]);
        assert_eq!(refusal.texts("rdp.failure"), ["5"]);
        let old = decoded(PROBE, Ended::Eof, &[3, 0, 0, 11, 6, 0xd0, 0, 0, 0x12, 0x34, 0]);
        assert_eq!(old.texts("rdp.protocol"), ["rdp"]);
        let new = decoded(PROBE, Ended::Eof, &[3, 0, 0, 19, 14, 0xd0, 0, 0, 0, 0, 0, 2, 0x1f, 8, 0, 0x10, 0, 0, 0]);
        assert_eq!((new.texts("rdp.protocol"), new.texts("rdp.flags")), (vec!["16".to_string()], vec!["31".to_string()]));
    }

    #[test]
    fn other_answers_give_no_facts() {
        for bytes in [
            &b"HTTP/1.1 400 x\r\n\r\n"[..],
            &[3, 0, 0, 4, 0, 0xd0],
            &[3, 0, 0xff, 0xff, 14, 0xd0],
            &[3, 0, 0, 12, 6, 0xd0, 0, 0, 0, 0, 0, 9],
        ] {
            assert!(!decoded(PROBE, Ended::Complete, bytes).answered(), "{bytes:?}");
        }
        assert_eq!(confirmation(&[3, 0, 1, 1]), Frame::Foreign, "one byte more than ANSWER_BYTES_MAX");
    }
}
