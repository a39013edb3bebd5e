//! SSH: the identification line with which a server begins.
//!
//! In: what a server says first. Out: facts under `ssh`. The greeting is whole at the end of the line that begins with `SSH-`, or when the
//! peer closes or falls silent. Keys and algorithms, which come after it, are not read.
//!
//! ksig answers with its own identification line, as RFC 4253 demands, with the contact as its comment; then it closes.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Limits, PRODUCT, Peer, PeerState, Step};
use crate::greeting;
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// The whole identification line without its line end.
    ///
    /// Absent when the line is longer than 255 bytes.
    /// Source: RFC 4253 section 4.2. Example: `SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10`.
    BANNER: Text = "ssh.banner";

    /// Version of the protocol in the identification line. `1.99` is a server that speaks both versions.
    ///
    /// Source: RFC 4253 sections 4.2 and 5.1, `protoversion`. Example: `2.0`.
    PROTOCOL_VERSION: Text = "ssh.protocol";

    /// What follows the version of the protocol: the software with its comment.
    ///
    /// Absent when the line is not ASCII.
    /// Source: RFC 4253 section 4.2. Example: `OpenSSH_9.2p1 Debian-2+deb12u10`.
    SOFTWARE: Text = "ssh.software";

    /// The software alone, up to the first space.
    ///
    /// Source: RFC 4253 section 4.2, `softwareversion`. Example: `OpenSSH_9.2p1`.
    PRODUCT_NAME: Text = "ssh.product";

    /// The comment, after the first space.
    ///
    /// Absent when there is none.
    /// Source: RFC 4253 section 4.2, `comments`. Example: `Debian-2+deb12u10`.
    COMMENT: Text = "ssh.comment";

    /// Lines before the identification line, in order, without their line ends.
    ///
    /// Source: RFC 4253 section 4.2. Example: `Authorised use only.`
    PREAMBLE: Text = "ssh.preamble", many;
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "ssh.banner",
    root: "ssh",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Passive,
    delivery: Delivery::Stream,
    ports: &[22, 2222],
    tls_ports: &[],
    inside_tls: false,
    doc: "Reads the identification line that the server sends first, answers with ksig's own and closes. No key exchange, no user name. \
          RFC 4253 section 4.2.",
}];

/// SSH.
pub static PROTOCOL: Protocol =
    Protocol { name: "ssh", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: Some(greeting::fixture) };

/// Longest identification line, line end included (RFC 4253 section 4.2).
const LINE_BYTES_MAX: usize = 255;
/// Most lines that are kept before it.
const PREAMBLE_LINES_MAX: usize = 64;

fn begin(_: &ConstructorDef, _: &str, peer: &Peer) -> Box<dyn Conversation> {
    // `-` and space part the line's fields, so a version has neither.
    let line = format!("SSH-2.0-{PRODUCT}_{} {}", env!("CARGO_PKG_VERSION"), peer.identity.shown());
    let line = format!("{}\r\n", line.trim_end());
    Box::new(Exchange { line: Some(line.into_bytes()) })
}

struct Exchange {
    /// Taken when it was sent.
    line: Option<Vec<u8>>,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        if identification(received, false).is_some() {
            // Only to a server that is one: another protocol could take our line for a command.
            return self.line.take().map_or(Step::Done, Step::Send);
        }
        if state == PeerState::Open { Step::Read } else { Step::Done }
    }

    fn limits(&self) -> Limits {
        greeting::LIMITS
    }
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], _: bool) -> bool {
    bytes.starts_with(b"SSH-")
}

/// The identification line, and where it begins. `whole` says that no byte will follow these.
fn identification(bytes: &[u8], whole: bool) -> Option<(&[u8], usize)> {
    let mut at = 0;
    while let Some((line, next)) = greeting::line(bytes, at, whole) {
        if line.starts_with(b"SSH-") {
            return Some((line, at));
        }
        at = next;
    }
    None
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let mut facts = Facts::default();
    let Some((line, begin)) = identification(received, greeting::ended_by_peer(ended)) else {
        return Decoded::default();
    };
    if line.len() + 2 > LINE_BYTES_MAX {
        return Decoded::default();
    }
    facts.push_read(&BANNER, None, charset::text(line), line);
    let mut at = 0;
    while let Some((line, next)) = greeting::line(&received[..begin], at, false)
        && facts.get(PREAMBLE.name, None).len() < PREAMBLE_LINES_MAX
    {
        facts.push_read(&PREAMBLE, None, charset::text(line), line);
        at = next;
    }
    Decoded { complete: Sections::ALL, facts }
}

/// The parts of the line, from `ssh.banner` or, where another tool cut it, from `ssh.software`.
fn derive(facts: &mut Facts) {
    if let Some((protocol, software)) = facts.text(BANNER.name).and_then(|banner| banner.strip_prefix("SSH-")?.split_once('-')) {
        let (protocol, software) = (Value::text(protocol), Value::text(software));
        facts.push(&PROTOCOL_VERSION, protocol);
        if software.as_text().is_some_and(|software| software.is_ascii() && !software.is_empty()) {
            facts.push(&SOFTWARE, software);
        }
    }
    let Some(software) = facts.text(SOFTWARE.name) else { return };
    let (product, comment) = software.split_once(' ').unwrap_or((software, ""));
    let (product, comment) = (Value::text(product), comment.trim());
    let comment = (!comment.is_empty()).then(|| Value::text(comment));
    facts.push(&PRODUCT_NAME, product);
    if let Some(comment) = comment {
        facts.push(&COMMENT, comment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/openssh-9.2p1.ssh");

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded("ssh.banner()", Ended::Complete, CAPTURE);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(response.texts("ssh.banner"), ["SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10"]);
        assert_eq!(response.texts("ssh.protocol"), ["2.0"]);
        assert_eq!(response.texts("ssh.software"), ["OpenSSH_9.2p1 Debian-2+deb12u10"]);
        assert_eq!(response.texts("ssh.product"), ["OpenSSH_9.2p1"]);
        assert_eq!(response.texts("ssh.comment"), ["Debian-2+deb12u10"]);
        assert!(response.texts("ssh.preamble").is_empty());
    }

    #[test]
    fn lines_before_the_identification_are_kept() {
        let response = decoded("ssh.banner()", Ended::Complete, b"Authorised use only.\r\n\r\nSSH-1.99-ACME\r\n");
        assert_eq!(response.texts("ssh.preamble"), ["Authorised use only.", ""]);
        assert_eq!(response.texts("ssh.protocol"), ["1.99"]);
        assert!(response.texts("ssh.comment").is_empty());
    }

    #[test]
    fn a_line_still_arriving_is_not_there() {
        let cut = &CAPTURE[..20];
        for ended in [Ended::Timeout, Ended::Cap, Ended::Reset] {
            let response = decoded("ssh.banner()", ended, cut);
            assert!(response.facts.is_empty() && !response.answered(), "{ended:?}");
        }
        assert_eq!(decoded("ssh.banner()", Ended::Eof, cut).texts("ssh.banner"), ["SSH-2.0-OpenSSH_9.2p"]);
    }

    #[test]
    fn other_protocols_give_no_facts() {
        for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"220 ftp\r\n", b"", b"\0\xff\n"] {
            assert!(!decoded("ssh.banner()", Ended::Eof, bytes).answered());
        }
    }

    #[test]
    fn a_line_of_64_kilobytes_is_none() {
        let mut bytes = b"SSH-2.0-".to_vec();
        bytes.resize(64 * 1024, b'x');
        assert!(decoded("ssh.banner()", Ended::Cap, &bytes).facts.is_empty());
        bytes.push(b'\n');
        assert!(decoded("ssh.banner()", Ended::Complete, &bytes).facts.is_empty());
    }

    #[test]
    fn bytes_that_are_not_ascii_are_no_software() {
        let response = decoded("ssh.banner()", Ended::Complete, "SSH-2.0-ルータ\r\n".as_bytes());
        assert_eq!(response.texts("ssh.banner"), ["SSH-2.0-ルータ"]);
        assert!(response.texts("ssh.software").is_empty());
    }

    #[test]
    fn ksig_names_itself_after_the_server_did() {
        let (sent, step) = talk("ssh.banner()", CAPTURE, 1);
        assert_eq!(sent, b"SSH-2.0-ksig_0.1.0 https://scan.example.org/\r\n");
        assert_eq!(step, Step::Done);
        let (sent, _) = talk("ssh.banner()", b"220 ftp\r\n", 1);
        assert!(sent.is_empty());
    }

    #[test]
    fn software_alone_gives_its_parts() {
        let mut facts = Facts::default();
        facts.push(&SOFTWARE, Value::text("OpenSSH_7.2p3 Ubuntu-4"));
        let response = crate::partial_response(ProbeKey::new("ssh.banner"), facts, Ended::Complete, true);
        assert_eq!(response.texts("ssh.product"), ["OpenSSH_7.2p3"]);
        assert_eq!(response.texts("ssh.comment"), ["Ubuntu-4"]);
        assert!(response.texts("ssh.banner").is_empty());
    }
}
