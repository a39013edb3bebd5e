//! NNTP: the greeting of a server.
//!
//! In: what a server says first. Out: facts under `nntp`. The greeting is one line.
//!
//! ksig says nothing and closes.

use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety};

use crate::conversation::{Conversation, Peer};
use crate::greeting;
use crate::protocol::{Decoded, Protocol};
use crate::recognise;

ksig_schema::fields! {
    /// Text of the greeting without its reply code.
    ///
    /// Source: RFC 3977 section 5.1. Example: `reader.example.com NNRP server ready`.
    BANNER: Text = "nntp.banner";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "nntp.banner",
    root: "nntp",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Passive,
    delivery: Delivery::Stream,
    ports: &[119],
    tls_ports: &[563],
    inside_tls: true,
    doc: "Reads the greeting that the server sends first, says nothing and closes. RFC 3977 section 5.1.",
}];

/// NNTP.
pub static PROTOCOL: Protocol =
    Protocol { name: "nntp", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: Some(greeting::fixture) };

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    greeting::listen_for_line()
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], waited: bool) -> bool {
    let ready = |line: &&[u8]| line.starts_with(b"200 ") || line.starts_with(b"201 ");
    let greeting = greeting::line(bytes, 0, waited).map(|(line, _)| line).filter(ready);
    greeting.is_some_and(|text| recognise::has_word(text, &["nntp", "nnrp", "news"]))
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    greeting::decode_line(received, ended, &BANNER, greeting_text)
}

/// What follows the code; absent for another protocol.
fn greeting_text(line: &[u8]) -> Option<&[u8]> {
    let (code, text) = line.split_at_checked(3)?;
    let is_code = code.iter().all(u8::is_ascii_digit) && (text.is_empty() || text.starts_with(b" "));
    is_code.then(|| text.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::tests::{Facted, decoded, talk};

    /// RFC 3977 section 5.1.3.
    const EXAMPLE: &[u8] = b"200 NNTP Service Ready, posting permitted\r\n";

    #[test]
    fn the_example_of_the_standard_is_read() {
        assert_eq!(decoded("nntp.banner()", Ended::Complete, EXAMPLE).texts("nntp.banner"), ["NNTP Service Ready, posting permitted"]);
        assert_eq!(talk("nntp.banner()", EXAMPLE, 1), (Vec::new(), Step::Done));
    }

    #[test]
    fn other_first_lines_are_no_greeting() {
        assert_eq!(decoded("nntp.banner()", Ended::Eof, b"400 ACME is busy\r\n").texts("nntp.banner"), ["ACME is busy"]);
        for foreign in [&b"2000 x\r\n"[..], b"20", b"SSH-2.0-x\r\n"] {
            assert!(!decoded("nntp.banner()", Ended::Eof, foreign).answered());
        }
    }
}
