//! IMAP: the greeting of a server.
//!
//! In: what a server says first. Out: facts under `imap`. The greeting is one line.
//!
//! ksig says nothing and closes.

use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety};

use crate::conversation::{Conversation, Peer};
use crate::greeting;
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Text of the greeting without its tag and status.
    ///
    /// Source: RFC 3501 section 7.1. Example: `[CAPABILITY IMAP4rev1 LITERAL+] Dovecot (Debian) ready.`.
    BANNER: Text = "imap.banner";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "imap.banner",
    root: "imap",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Passive,
    delivery: Delivery::Stream,
    ports: &[143],
    tls_ports: &[993],
    inside_tls: true,
    doc: "Reads the greeting that the server sends first, says nothing and closes. RFC 3501 section 7.1.",
}];

/// IMAP.
pub static PROTOCOL: Protocol =
    Protocol { name: "imap", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: Some(greeting::fixture) };

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    greeting::listen_for_line()
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], waited: bool) -> bool {
    bytes.starts_with(b"* ") && greeting::line(bytes, 0, waited).is_some_and(|(line, _)| greeting_text(line).is_some())
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    greeting::decode_line(received, ended, &BANNER, greeting_text)
}

/// What follows `* OK`, `* PREAUTH` or `* BYE`; absent for another protocol.
fn greeting_text(line: &[u8]) -> Option<&[u8]> {
    let status = line.strip_prefix(b"* ")?;
    let text = [&b"OK"[..], b"PREAUTH", b"BYE"].iter().find_map(|word| status.strip_prefix(*word))?;
    (text.is_empty() || text.starts_with(b" ")).then(|| text.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/dovecot-2.3.19.imap");

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded("imap.banner()", Ended::Complete, CAPTURE);
        let banner = response.texts("imap.banner").join("");
        assert!(banner.starts_with("[CAPABILITY IMAP4rev1 ") && banner.ends_with("] Dovecot (Debian) ready."), "{banner}");
        assert_eq!(talk("imap.banner()", CAPTURE, 1), (Vec::new(), Step::Done));
    }

    #[test]
    fn other_first_lines_are_no_greeting() {
        assert_eq!(decoded("imap.banner()", Ended::Eof, b"* BYE ACME is busy\r\n").texts("imap.banner"), ["ACME is busy"]);
        for foreign in [&b"* OKAY\r\n"[..], b"a1 OK x\r\n", b"+OK x\r\n", b"* OK cut"] {
            assert!(!decoded("imap.banner()", Ended::Timeout, foreign).answered());
        }
    }
}
