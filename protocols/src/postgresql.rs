//! PostgreSQL: whether a server speaks TLS.
//!
//! In: the answer to an SSLRequest. Out: facts under `postgresql`. An answer is one byte, `S` or `N`, behind which the server waits; an
//! error is whole by its own length.
//!
//! ksig sends the request with which every client begins, and closes. The version of the server is told only after a startup message, which
//! names a user: that is a credential in form, so it is not sent. A startup message of a version that does not exist would be answered with
//! an error that tells versions apart without a user, but no client sends one.

use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety, Sections, Value};

use crate::ask::ask;
use crate::charset;
use crate::conversation::{Conversation, Limits, Peer};
use crate::frame::{self, Frame, zero_ended};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Whether the server goes on inside TLS.
    ///
    /// Absent in an error.
    /// Source: PostgreSQL documentation, SSL Session Encryption. Example: `true`.
    TLS: Bool = "postgresql.tls";

    /// Why the server turns us away, in its words and its language.
    ///
    /// Absent when it does not.
    /// Source: PostgreSQL documentation, ErrorResponse, field `M`. Example: `sorry, too many clients already`.
    ERROR: Text = "postgresql.error";

    /// Number of the error: `53300` when there are too many clients.
    ///
    /// Absent before version 7.4.
    /// Source: PostgreSQL documentation, ErrorResponse, field `C`. Example: `53300`.
    ERROR_CODE: Text = "postgresql.error_code";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "postgresql.tls",
    root: "postgresql",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Stream,
    ports: &[5432],
    tls_ports: &[],
    inside_tls: false,
    doc: "Asks whether the server speaks TLS, as every client does first, and closes: no user, no database. PostgreSQL documentation, \
          SSLRequest.",
}];

/// PostgreSQL.
pub static PROTOCOL: Protocol =
    Protocol { name: "postgresql", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: None };

/// Behind its one byte a server waits, and a greeting of another protocol goes on.
const LIMITS: Limits = Limits { silence_ms: 1_000, ..frame::LIMITS };

/// Its own length, and the number that stands where a startup message has its version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// Longest error that is read.
const ERROR_BYTES_MAX: usize = 8 * 1024;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    ask(Some(SSL_REQUEST.to_vec()), LIMITS, |received| matches!(received, [] | [b'S' | b'N']) || error(received) == Frame::Arriving)
}

/// `E`, the length of what follows, which counts itself, and fields.
fn error(bytes: &[u8]) -> Frame<'_> {
    match bytes {
        [] | [b'E'] | [b'E', _] | [b'E', _, _] | [b'E', _, _, _] => Frame::Arriving,
        [b'E', a, b, c, d, ..] => match u32::from_be_bytes([*a, *b, *c, *d]) as usize {
            short @ 0..=4 => Frame::of(&bytes[..0], short, 0),
            length => Frame::of(bytes, 1 + length, ERROR_BYTES_MAX),
        },
        _ => Frame::Foreign,
    }
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    match (received, error(received)) {
        ([answer @ (b'S' | b'N')], _) => decoded.facts.push(&TLS, Value::Bool(*answer == b'S')),
        (_, Frame::Whole([_, _, _, _, _, fields @ ..])) => {
            let mut rest = fields;
            while let [kind, after @ ..] = rest
                && let Some((text, next)) = zero_ended(after)
            {
                match kind {
                    b'M' => decoded.facts.push_read(&ERROR, None, charset::text(text), text),
                    b'C' => decoded.facts.push_read(&ERROR_CODE, None, charset::text(text), text),
                    _ => {}
                }
                rest = next;
            }
        }
        _ => return decoded,
    }
    decoded.complete = Sections::ALL;
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::frame::check_cuts;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/postgresql-15.18.postgresql");
    const PROBE: &str = "postgresql.tls()";
    /// Made from the documentation of ErrorResponse.
    const ERROR: &[u8] = b"E\0\0\0\x1dSFATAL\0C53300\0Mtoo many\0\0";

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded(PROBE, Ended::Complete, CAPTURE);
        assert_eq!((response.texts("postgresql.tls"), response.complete), (vec!["false".to_string()], Sections::ALL));
        assert_eq!(decoded(PROBE, Ended::Complete, b"S").texts("postgresql.tls"), ["true"]);
        assert_eq!(talk(PROBE, CAPTURE, 1), (SSL_REQUEST.to_vec(), Step::Read));
    }

    #[test]
    fn an_error_is_read() {
        let length = ERROR.len() - 1;
        assert_eq!(usize::from(ERROR[4]), length);
        let response = decoded(PROBE, Ended::Eof, ERROR);
        assert_eq!(response.texts("postgresql.error"), ["too many"]);
        assert_eq!(response.texts("postgresql.error_code"), ["53300"]);
        check_cuts(PROBE, ERROR);
    }

    #[test]
    fn greetings_that_begin_alike_are_none() {
        for bytes in [&b"SSH-2.0-x\r\n"[..], b"NO\r\n", b"E\0\0\0\0", b"E\0\0\x20\0x", b"ERROR\n", b"x", b""] {
            assert!(!decoded(PROBE, Ended::Complete, bytes).answered(), "{bytes:?}");
        }
        assert_eq!(talk(PROBE, b"SSH-2.0-x", 1).1, Step::Done);
        assert_eq!(talk(PROBE, b"E\0\0\x20\0x", 1).1, Step::Done, "longer than ERROR_BYTES_MAX");
    }
}
