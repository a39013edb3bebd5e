//! SMTP: the greeting of a server and what it says it can do.
//!
//! In: the greeting, then the answer to EHLO. Out: facts under `smtp`. The head is whole at the last line of the greeting, the body at the
//! last line of the answer to EHLO.
//!
//! ksig says EHLO with the host name of its contact, and QUIT. It names no sender and no recipient.

use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Limits, Peer, PeerState, Step};
use crate::greeting;
use crate::protocol::{Decoded, Protocol};
use crate::recognise;

ksig_schema::fields! {
    /// Text of the greeting without its reply code; the lines of a longer one are joined by a line feed.
    ///
    /// Source: RFC 5321 section 4.2. Example: `mail.example.com ESMTP Postfix (Debian/GNU)`.
    BANNER: Text = "smtp.banner";

    /// Reply code of the greeting. 554 when the server turns away.
    ///
    /// Source: RFC 5321 section 4.2.1. Example: `220`.
    CODE: Int = "smtp.code";

    /// Lines of the answer to EHLO without the reply code: the server's name, then what it can do.
    ///
    /// Absent when the server refused EHLO.
    /// Source: RFC 5321 section 4.1.1.1. Example: `SIZE 10240000`.
    EHLO: Text = "smtp.ehlo", many, body;
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "smtp.banner",
    root: "smtp",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Stream,
    ports: &[25, 587],
    tls_ports: &[465],
    inside_tls: true,
    doc: "Reads the greeting, asks with EHLO what the server can do, says QUIT and closes. No sender, no recipient. RFC 5321 section 4.1.1.1.",
}];

/// SMTP.
pub static PROTOCOL: Protocol =
    Protocol { name: "smtp", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: Some(greeting::fixture) };

/// Reply code of a server that is ready.
const READY: u16 = 220;
/// Reply code of an accepted EHLO.
const OK: u16 = 250;

fn begin(_: &ConstructorDef, _: &str, peer: &Peer) -> Box<dyn Conversation> {
    Box::new(Exchange { at: 0, to_send: vec![b"QUIT\r\n".to_vec(), format!("EHLO {}\r\n", peer.identity.host_name()).into_bytes()] })
}

struct Exchange {
    /// Where the reply that is waited for begins.
    at: usize,
    /// The next command last.
    to_send: Vec<Vec<u8>>,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        if self.to_send.is_empty() {
            return Step::Done;
        }
        match greeting::reply(received, self.at, false) {
            // The greeting decides whether this is a server that wants to hear more.
            Some(reply) if reply.whole && (self.at > 0 || reply.code == READY) => {
                self.at = reply.end;
                self.to_send.pop().map_or(Step::Done, Step::Send)
            }
            Some(reply) if reply.whole => Step::Done,
            _ if state == PeerState::Open => Step::Read,
            _ => Step::Done,
        }
    }

    fn usual_answer(&self) -> Vec<u8> {
        b"220 \r\n250 \r\n221 \r\n".to_vec()
    }

    fn limits(&self) -> Limits {
        greeting::LIMITS
    }
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], waited: bool) -> bool {
    recognise::greets_with(bytes, waited, &["smtp", "mail"])
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let closed = greeting::ended_by_peer(ended);
    let Some(greeting) = greeting::reply(received, 0, closed) else { return Decoded::default() };
    let mut decoded = Decoded::default();
    greeting.push_text(&mut decoded.facts, &BANNER);
    decoded.facts.push(&CODE, Value::Int(greeting.code.into()));
    // Who was turned away did not ask, so there is nothing more to come, and what comes all the same answers nothing.
    let answer = if greeting.code == READY { greeting::reply(received, greeting.end, closed) } else { None };
    decoded.complete =
        Sections { head: greeting.whole, body: greeting.whole && answer.as_ref().map_or(greeting.code != READY, |answer| answer.whole) };
    for line in answer.iter().filter(|answer| answer.code == OK).flat_map(|answer| &answer.lines) {
        decoded.facts.push_read(&EHLO, None, charset::text(line), line);
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/postfix-3.7.11.smtp");

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded("smtp.banner()", Ended::Complete, CAPTURE);
        assert_eq!(response.texts("smtp.banner"), ["mail.example.com ESMTP Postfix (Debian/GNU)"]);
        assert_eq!(response.texts("smtp.code"), ["220"]);
        assert_eq!(response.texts("smtp.ehlo")[0], "mail.example.com");
        assert!(response.texts("smtp.ehlo").contains(&"PIPELINING".to_string()));
        assert_eq!(response.complete, Sections::ALL);
    }

    #[test]
    fn ksig_asks_once_and_takes_its_leave() {
        let (sent, step) = talk("smtp.banner()", CAPTURE, 1);
        assert_eq!(String::from_utf8_lossy(&sent), "EHLO scan.example.org\r\nQUIT\r\n");
        assert_eq!(step, Step::Done);
    }

    #[test]
    fn who_is_turned_away_does_not_ask() {
        let bytes = b"554 no\r\n";
        assert_eq!(talk("smtp.banner()", bytes, 1), (Vec::new(), Step::Done));
        assert_eq!(decoded("smtp.banner()", Ended::Complete, bytes).complete, Sections::ALL);
    }

    #[test]
    fn a_refused_or_missing_answer_is_none() {
        let refused = decoded("smtp.banner()", Ended::Complete, b"220 ACME\r\n502 what?\r\n");
        assert!(refused.texts("smtp.ehlo").is_empty() && refused.complete == Sections::ALL);
        let unasked = decoded("smtp.banner()", Ended::Complete, b"250 HELP\r\n250-SIZE 1\r\n");
        assert!(unasked.texts("smtp.ehlo").is_empty() && unasked.complete == Sections::ALL);
        let missing = decoded("smtp.banner()", Ended::Reset, b"220 ACME\r\n");
        assert_eq!(missing.complete, Sections { head: true, body: false });
    }
}
