//! SSH: the identification line with which a server begins, the algorithms that it offers, and its key.
//!
//! In: what a server says. Out: facts under `ssh`. The greeting is whole at the end of the line that begins with `SSH-`, or when the peer
//! closes or falls silent; the algorithms and the key, which form the body, when the key came.
//!
//! ksig answers with its own identification line, as RFC 4253 demands, with the contact as its comment. `ssh.banner()` closes then.
//! `ssh.host_key()` begins a key exchange, in which the server shows its key, and closes before any key is in use: no user is named, and
//! nobody logs in.

mod exchange;
pub mod packet;

use md5::{Digest, Md5};
use sha2::Sha256;

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, FieldDef, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Limits, PRODUCT, Peer, PeerState, Step};
use crate::greeting;
use crate::protocol::{Decoded, Protocol};
use exchange::{Said, opening};

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

    /// Kind of the server's key. A server with several shows the first it has of Ed25519, ECDSA, RSA and DSA.
    ///
    /// Source: RFC 4253 section 6.6. Example: `ssh-ed25519`.
    KEY_TYPE: Text = "ssh.key.type", body;

    /// SHA-256 of the server's public key: the fingerprint that OpenSSH shows as `SHA256:` and base64. Devices whose firmware holds the key
    /// have it in common.
    ///
    /// Source: RFC 4253 section 6.6, FIPS 180-4.
    KEY_SHA256: Hash = "ssh.key.sha256", body;

    /// Methods of key exchange that the server offers, in its order. At most 256, as of the other lists.
    ///
    /// Source: RFC 4253 section 7.1, `kex_algorithms`. Example: `curve25519-sha256`.
    OFFERED_EXCHANGES: Text = "ssh.offer.kex", many, body;

    /// Kinds of keys that the server has, in its order.
    ///
    /// Source: RFC 4253 section 7.1, `server_host_key_algorithms`. Example: `rsa-sha2-512`.
    OFFERED_KEYS: Text = "ssh.offer.host_key", many, body;

    /// Ciphers that the server offers towards the client, in its order.
    ///
    /// Source: RFC 4253 section 7.1, `encryption_algorithms_server_to_client`. Example: `aes128-ctr`.
    OFFERED_CIPHERS: Text = "ssh.offer.cipher", many, body;

    /// Message authentication codes that the server offers towards the client, in its order.
    ///
    /// Source: RFC 4253 section 7.1, `mac_algorithms_server_to_client`. Example: `hmac-sha1`.
    OFFERED_MACS: Text = "ssh.offer.mac", many, body;

    /// Compressions that the server offers towards the client, in its order.
    ///
    /// Source: RFC 4253 section 7.1, `compression_algorithms_server_to_client`. Example: `none`.
    OFFERED_COMPRESSIONS: Text = "ssh.offer.compression", many, body;

    /// HASSH of the server: MD5 of what it offers, which tells its software and configuration apart.
    ///
    /// Source: <https://github.com/salesforce/hassh>, `hasshServer`. Example: 16 bytes.
    HASSH: Hash = "ssh.hassh", body;
}

static CONSTRUCTORS: &[ConstructorDef] = &[
    ConstructorDef {
        name: "ssh.banner",
        root: "ssh",
        never_fills: &["ssh.key", "ssh.offer", "ssh.hassh"],
        parameters: &[],
        safety: Safety::Passive,
        delivery: Delivery::Stream,
        ports: &[22, 2222],
        tls_ports: &[],
        inside_tls: false,
        doc: "Reads the identification line that the server sends first, answers with ksig's own and closes. No key exchange, no user name. \
              RFC 4253 section 4.2.",
    },
    ConstructorDef {
        name: "ssh.host_key",
        root: "ssh",
        never_fills: &[],
        parameters: &[],
        safety: Safety::Benign,
        delivery: Delivery::Stream,
        ports: &[22, 2222],
        tls_ports: &[],
        inside_tls: false,
        doc: "Reads the identification line, answers with ksig's own, begins a key exchange as any client does, and closes when the server has \
              shown its key, before a key is in use. No user name. RFC 4253 sections 7 and 8, RFC 4419, RFC 5656, RFC 8731.",
    },
];

/// SSH.
pub static PROTOCOL: Protocol =
    Protocol { name: "ssh", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: Some(greeting::fixture) };

/// Longest identification line, line end included (RFC 4253 section 4.2).
const LINE_BYTES_MAX: usize = 255;
/// Most lines that are kept before it.
const PREAMBLE_LINES_MAX: usize = 64;

/// Most names that are kept of a list.
const NAMES_MAX: usize = 256;
/// Bounds of a key exchange: old devices take seconds to compute.
const EXCHANGE_LIMITS: Limits = Limits { response_bytes_max: 64 * 1024, silence_ms: 10_000, total_ms: 30_000, ..greeting::LIMITS };

fn begin(constructor: &ConstructorDef, _: &str, peer: &Peer) -> Box<dyn Conversation> {
    // `-` and space part the line's fields, so a version has neither.
    let line = format!("SSH-2.0-{PRODUCT}_{} {}", env!("CARGO_PKG_VERSION"), peer.identity.shown());
    let line = format!("{}\r\n", line.trim_end());
    if constructor.name == "ssh.host_key" { Box::new(Exchange { line, sent: 0 }) } else { Box::new(Banner { line: Some(line) }) }
}

struct Banner {
    /// Taken when it was sent.
    line: Option<String>,
}

impl Conversation for Banner {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        if identification(received, false).is_some() {
            // Only to a server that is one: another protocol could take our line for a command.
            return self.line.take().map_or(Step::Done, |line| Step::Send(line.into_bytes()));
        }
        if state == PeerState::Open { Step::Read } else { Step::Done }
    }

    fn usual_answer(&self) -> Vec<u8> {
        b"SSH-2.0-\r\n".to_vec()
    }

    fn limits(&self) -> Limits {
        greeting::LIMITS
    }
}

struct Exchange {
    line: String,
    /// Messages sent; the line goes with the first of them.
    sent: usize,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        let Some(identified) = identification(received, false) else {
            return if state == PeerState::Open { Step::Read } else { Step::Done };
        };
        // An older version has other messages.
        let modern = identified.speaks_2();
        let said = if modern { Said::read(&received[identified.end..]) } else { Said::default() };
        let first = [self.line.as_bytes(), if modern { opening() } else { Vec::new() }.as_slice()].concat();
        let messages = std::iter::once(first).chain(said.answers());
        if let Some(message) = messages.into_iter().nth(self.sent) {
            self.sent += 1;
            return Step::Send(message);
        }
        let enough = !modern || said.over || said.key.is_some();
        if enough || state != PeerState::Open { Step::Done } else { Step::Read }
    }

    fn usual_answer(&self) -> Vec<u8> {
        // A server that offers what we do.
        [b"SSH-2.0-\r\n", &opening()[..]].concat()
    }

    fn limits(&self) -> Limits {
        EXCHANGE_LIMITS
    }
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], _: bool) -> bool {
    bytes.starts_with(b"SSH-")
}

/// An identification line.
struct Identification<'a> {
    line: &'a [u8],
    begin: usize,
    /// Where what follows it begins.
    end: usize,
}

impl Identification<'_> {
    /// Whether the server speaks version 2.0 (RFC 4253 section 5.1).
    fn speaks_2(&self) -> bool {
        self.line.starts_with(b"SSH-2.0-") || self.line.starts_with(b"SSH-1.99-")
    }
}

/// The identification line. `whole` says that no byte will follow these.
fn identification(bytes: &[u8], whole: bool) -> Option<Identification<'_>> {
    let mut begin = 0;
    while let Some((line, end)) = greeting::line(bytes, begin, whole) {
        if line.starts_with(b"SSH-") {
            return Some(Identification { line, begin, end });
        }
        begin = end;
    }
    None
}

fn decode(probe: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let mut facts = Facts::default();
    let identified = identification(received, greeting::ended_by_peer(ended));
    let Some(identified) = identified.filter(|identified| identified.line.len() + 2 <= LINE_BYTES_MAX) else { return Decoded::default() };
    let line = identified.line;
    facts.push_read(&BANNER, None, charset::text(line), line);
    let mut at = 0;
    while let Some((line, next)) = greeting::line(&received[..identified.begin], at, false)
        && facts.get(PREAMBLE.name, None).len() < PREAMBLE_LINES_MAX
    {
        facts.push_read(&PREAMBLE, None, charset::text(line), line);
        at = next;
    }
    let mut complete = Sections::ALL;
    if probe.constructor == "ssh.host_key" {
        let said = if identified.speaks_2() { Said::read(&received[identified.end..]) } else { Said::default() };
        complete.body = push_said(&mut facts, &said).is_some();
    }
    Decoded { complete, facts }
}

/// What the server offers, and its key. Absent when no key came.
fn push_said(facts: &mut Facts, said: &Said) -> Option<()> {
    let lists = said.offer.as_ref()?.lists();
    let fields: [&'static FieldDef; 5] = [&OFFERED_EXCHANGES, &OFFERED_KEYS, &OFFERED_CIPHERS, &OFFERED_MACS, &OFFERED_COMPRESSIONS];
    for (field, list) in fields.into_iter().zip(lists) {
        for name in list.split(|byte| *byte == b',').filter(|name| !name.is_empty()).take(NAMES_MAX) {
            facts.push_read(field, None, charset::text(name), name);
        }
    }
    let [exchanges, _, ciphers, macs, compressions] = lists;
    let hassh = Md5::digest([exchanges, ciphers, macs, compressions].join(&b';'));
    facts.push(&HASSH, Value::Bytes(hassh.to_vec()));
    let key = said.key?;
    let (kind, _) = packet::string(key)?;
    facts.push_read(&KEY_TYPE, None, charset::text(kind), kind);
    facts.push(&KEY_SHA256, Value::Bytes(Sha256::digest(key).to_vec()));
    Some(())
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

/// A server's side of an exchange, made of our own offer: its line, what it offers, and its key.
#[cfg(test)]
pub fn key_exchange() -> Vec<u8> {
    let mut key = Vec::new();
    packet::push_string(&mut key, b"ssh-ed25519");
    packet::push_string(&mut key, &[7; 32]);
    let mut reply = vec![31];
    for part in [&key[..], &[9; 32], b"signature"] {
        packet::push_string(&mut reply, part);
    }
    [b"SSH-2.0-ACME\r\n", &opening()[..], &packet::packet(&reply)].concat()
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

    const KEY_PROBE: &str = "ssh.host_key()";
    const SECTIONS_HEAD: Sections = Sections { head: true, body: false };

    #[test]
    fn the_key_is_read_before_any_is_in_use() {
        let whole = key_exchange();
        let response = decoded(KEY_PROBE, Ended::Complete, &whole);
        assert_eq!((response.texts("ssh.key.type"), response.complete), (vec!["ssh-ed25519".to_string()], Sections::ALL));
        assert_eq!(response.texts("ssh.offer.kex")[0], "curve25519-sha256");
        assert_eq!(response.texts("ssh.offer.compression"), ["none", "zlib@openssh.com", "zlib"]);
        let (sent, step) = talk(KEY_PROBE, &whole, 1);
        assert_eq!(step, Step::Done);
        // Our line, what we offer, and one public value: nothing of RFC 4252.
        let line_bytes = b"SSH-2.0-ksig_0.1.0 https://scan.example.org/\r\n".len();
        let numbers: Vec<u8> = packet::messages(&sent[line_bytes..]).whole.iter().map(|message| message[0]).collect();
        assert_eq!(numbers, [20, 30]);
        let fingerprint = response.texts("ssh.key.sha256");
        let more = [&whole[..], &packet::packet(&[21]), b"encrypted"].concat();
        assert_eq!(decoded(KEY_PROBE, Ended::Complete, &more).texts("ssh.key.sha256"), fingerprint);
    }

    #[test]
    fn the_key_of_a_server_of_debian_is_read() {
        const CAPTURE: &[u8] = include_bytes!("../captures/openssh-9.2p1-host-key.ssh");
        let response = decoded(KEY_PROBE, Ended::Complete, CAPTURE);
        let digest = |field: &str| response.facts.get(field, None)[0].as_bytes().map(ksig_schema::form::hex_digits).expect(field);
        // As `ssh-keygen -l` says of the key's file.
        assert_eq!(digest("ssh.key.sha256"), "3b772dfe3806014b1d66e6e76a81b8dd5a8c861402a686cd871926d5e853e952");
        assert_eq!(digest("ssh.hassh"), "425d29fe50d8e4f5e37efb6e24bcf660");
        assert_eq!(response.texts("ssh.key.type"), ["ssh-ed25519"]);
        assert_eq!(response.texts("ssh.offer.host_key"), ["ssh-ed25519"]);
        assert_eq!((response.texts("ssh.product"), response.complete), (vec!["OpenSSH_9.2p1".to_string()], Sections::ALL));
        assert_eq!(talk(KEY_PROBE, CAPTURE, 1).1, Step::Done);
    }

    #[test]
    fn an_exchange_that_is_cut_proves_no_absence() {
        let whole = key_exchange();
        let offered = whole.len() - packet::packet(&[0; 99]).len();
        for cut in 14..whole.len() {
            let response = decoded(KEY_PROBE, Ended::Eof, &whole[..cut]);
            assert_eq!(response.complete, SECTIONS_HEAD, "{cut}");
            assert!(response.texts("ssh.key.type").is_empty());
            assert_eq!(talk(KEY_PROBE, &whole[..cut], 1).1, Step::Read);
        }
        assert_eq!(decoded(KEY_PROBE, Ended::Eof, &whole[..offered]).texts("ssh.hassh").len(), 1);
    }

    #[test]
    fn what_is_no_exchange_of_version_2_ends_it() {
        let closing = [b"SSH-2.0-x\r\n", &packet::packet(&[1, 0, 0, 0, 2])[..]].concat();
        let nothing_in_common = {
            let mut offer = vec![20; 17];
            (0..10).for_each(|_| packet::push_string(&mut offer, b"x"));
            [b"SSH-2.0-x\r\n", &packet::packet(&[&offer[..], &[0; 5]].concat())[..]].concat()
        };
        for bytes in [&b"SSH-1.5-x\r\n\0\0\0\x0c\x04\x14"[..], b"SSH-2.0-x\r\n\xff\xff\xff\xff", &closing, &nothing_in_common] {
            assert_eq!(decoded(KEY_PROBE, Ended::Eof, bytes).complete, SECTIONS_HEAD);
            assert_eq!(talk(KEY_PROBE, bytes, 1).1, Step::Done, "{bytes:?}");
        }
        assert_eq!(decoded(KEY_PROBE, Ended::Eof, &nothing_in_common).texts("ssh.offer.kex"), ["x"]);
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
