//! FTP: the greeting of a server.
//!
//! In: what a server says first. Out: facts under `ftp`. The greeting is whole at the last line of its reply, `220 ` after any `220-`.
//!
//! ksig says nothing, not even a user name, and closes.

use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety, Value};

use crate::conversation::{Conversation, Peer};
use crate::greeting::{self, Listen};
use crate::protocol::{Decoded, Protocol};
use crate::{recognise, smtp};

ksig_schema::fields! {
    /// Text of the greeting without its reply code; the lines of a longer one are joined by a line feed.
    ///
    /// Source: RFC 959 section 4.2. Example: `(vsFTPd 3.0.3)`.
    BANNER: Text = "ftp.banner";

    /// Reply code of the greeting. Other than 220 when the server turns away.
    ///
    /// Source: RFC 959 section 4.2.1. Example: `220`.
    CODE: Int = "ftp.code";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "ftp.banner",
    root: "ftp",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Passive,
    delivery: Delivery::Stream,
    ports: &[21, 2121],
    tls_ports: &[990],
    inside_tls: true,
    doc: "Reads the greeting that the server sends first, says nothing and closes. RFC 959 section 5.4.",
}];

/// FTP.
pub static PROTOCOL: Protocol =
    Protocol { name: "ftp", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: Some(greeting::fixture) };

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    Box::new(Listen { whole: |bytes| greeting::reply(bytes, 0, false).is_some_and(|reply| reply.whole) })
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], waited: bool) -> bool {
    recognise::greets_with(bytes, waited, &["ftp"]) && !smtp::begins(bytes, waited)
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let Some(reply) = greeting::reply(received, 0, greeting::ended_by_peer(ended)) else { return Decoded::default() };
    let mut decoded = Decoded { complete: reply.sections(), ..Decoded::default() };
    reply.push_text(&mut decoded.facts, &BANNER);
    decoded.facts.push(&CODE, Value::Int(reply.code.into()));
    decoded
}

#[cfg(test)]
mod tests {
    use ksig_schema::Sections;

    use super::*;
    use crate::conversation::Step;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/vsftpd-3.0.3.ftp");

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded("ftp.banner()", Ended::Complete, CAPTURE);
        assert_eq!(response.texts("ftp.banner"), ["(vsFTPd 3.0.3)"]);
        assert_eq!(response.texts("ftp.code"), ["220"]);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(talk("ftp.banner()", CAPTURE, 1), (Vec::new(), Step::Done));
    }

    #[test]
    fn a_greeting_of_several_lines_is_one_text() {
        let bytes = b"220-Welcome\r\n to ACME\r\n220-\r\n220 ready\r\n331 more";
        assert_eq!(decoded("ftp.banner()", Ended::Complete, bytes).texts("ftp.banner"), ["Welcome\n to ACME\n\nready"]);
    }

    #[test]
    fn a_greeting_that_was_cut_proves_no_absence() {
        let cut = decoded("ftp.banner()", Ended::Timeout, b"220-Welcome\r\n220 rea");
        assert_eq!((cut.texts("ftp.banner"), cut.complete), (vec!["Welcome".to_string()], Sections::default()));
        assert!(!decoded("ftp.banner()", Ended::Eof, b"SSH-2.0-x\r\n").answered());
    }
}
