//! POP3: the greeting of a server.
//!
//! In: what a server says first. Out: facts under `pop3`. The greeting is one line.
//!
//! ksig says nothing and closes.

use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety};

use crate::conversation::{Conversation, Peer};
use crate::greeting;
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Text of the greeting without its status indicator.
    ///
    /// Source: RFC 1939 section 4. Example: `Dovecot (Debian) ready.`.
    BANNER: Text = "pop3.banner";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "pop3.banner",
    root: "pop3",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Passive,
    delivery: Delivery::Stream,
    ports: &[110],
    tls_ports: &[995],
    inside_tls: true,
    doc: "Reads the greeting that the server sends first, says nothing and closes. RFC 1939 section 4.",
}];

/// POP3.
pub static PROTOCOL: Protocol =
    Protocol { name: "pop3", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: Some(greeting::fixture) };

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    greeting::listen_for_line()
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], waited: bool) -> bool {
    greeting::line(bytes, 0, waited).is_some_and(|(line, _)| greeting_text(line).is_some())
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    greeting::decode_line(received, ended, &BANNER, greeting_text)
}

/// What follows `+OK` or `-ERR`; absent for another protocol.
fn greeting_text(line: &[u8]) -> Option<&[u8]> {
    let text = line.strip_prefix(b"+OK").or_else(|| line.strip_prefix(b"-ERR"))?;
    (text.is_empty() || text.starts_with(b" ")).then(|| text.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/dovecot-2.3.19.pop3");

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded("pop3.banner()", Ended::Complete, CAPTURE);
        assert_eq!(response.texts("pop3.banner"), ["Dovecot (Debian) ready."]);
        assert_eq!(talk("pop3.banner()", CAPTURE, 1), (Vec::new(), Step::Done));
    }

    #[test]
    fn a_server_that_turns_away_still_speaks() {
        assert_eq!(decoded("pop3.banner()", Ended::Eof, b"-ERR ACME is busy\r\n").texts("pop3.banner"), ["ACME is busy"]);
        assert!(!decoded("pop3.banner()", Ended::Eof, b"+OKAY\r\n").answered());
        assert!(!decoded("pop3.banner()", Ended::Timeout, b"+OK ACM").answered());
    }
}
