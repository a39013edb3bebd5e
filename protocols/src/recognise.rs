//! Which protocol speaks, by the first bytes that came from a port.
//!
//! In: what came first. Out: the name of the protocol. Absent when nothing tells them: a `220` without a word that tells FTP from SMTP is
//! nobody's. Each protocol says in its own file how it begins; no two of them say so of the same bytes, whatever the order.

use crate::{ftp, http, imap, mysql, nntp, pop3, rtsp, smtp, ssh, telnet, tls, vnc};

/// How a protocol begins: whether these bytes are the beginning of an answer of its, `waited` as for [`recognise`].
type Begins = fn(&[u8], bool) -> bool;

/// Protocols whose answers are told by their first bytes.
static KNOWN: &[(&str, Begins)] = &[
    ("ftp", ftp::begins),
    ("http", http::begins),
    ("imap", imap::begins),
    ("mysql", mysql::begins),
    ("nntp", nntp::begins),
    ("pop3", pop3::begins),
    ("rtsp", rtsp::begins),
    ("smtp", smtp::begins),
    ("ssh", ssh::begins),
    ("telnet", telnet::begins),
    ("tls", tls::begins),
    ("vnc", vnc::begins),
];

/// Most bytes that are looked at.
pub const FIRST_BYTES_MAX: usize = 1024;

/// The protocol of a service whose first bytes these are. `waited`: no byte followed for as long as a greeting takes, or the peer closed, so
/// that a line without its end is whole.
///
/// ```
/// assert_eq!(ksig_protocols::recognise(b"SSH-2.0-dropbear\r\n", false), Some("ssh"));
/// assert_eq!(ksig_protocols::recognise(b"220 mail.example.com ESMTP\r\n", false), Some("smtp"));
/// assert_eq!(ksig_protocols::recognise(b"220 ready\r\n", false), None);
/// ```
pub fn recognise(first_bytes: &[u8], waited: bool) -> Option<&'static str> {
    let looked_at = &first_bytes[..first_bytes.len().min(FIRST_BYTES_MAX)];
    let waited = waited || first_bytes.len() > FIRST_BYTES_MAX;
    KNOWN.iter().find(|(_, begins)| begins(looked_at, waited)).map(|(protocol, _)| *protocol)
}

/// Whether a protocol's answers are told by their first bytes. One that is not may be carried by one that is: IPP by HTTP.
pub fn recognisable(protocol: &str) -> bool {
    KNOWN.iter().any(|(known, _)| *known == protocol)
}

/// Whether a reply `220` is whole and has one of these words, in any case.
pub(crate) fn greets_with(bytes: &[u8], waited: bool, words: &[&str]) -> bool {
    let reply = crate::greeting::reply(bytes, 0, waited).filter(|reply| reply.whole && reply.code == 220);
    reply.is_some_and(|reply| has_word(&reply.lines.join(&b'\n'), words))
}

/// Whether a text has one of these words, in any case.
pub(crate) fn has_word(text: &[u8], words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| memchr::memmem::find(&text, word.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::CAPTURES_BY_NAME;

    #[test]
    fn captures_are_recognised_as_what_they_are() {
        let mut told = 0;
        for (name, capture) in CAPTURES_BY_NAME {
            let (_, protocol) = name.rsplit_once('.').expect("captures are named by their protocol");
            let protocol = if protocol.starts_with("tls") { "tls" } else { protocol };
            match (recognise(capture, true), KNOWN.iter().any(|(known, _)| *known == protocol)) {
                (found, true) => {
                    assert_eq!(found, Some(protocol), "{name}");
                    told += 1;
                }
                // IPP is carried by HTTP; the others are answers to questions of their own.
                (found, false) => assert_eq!(found, (protocol == "ipp").then_some("http"), "{name}"),
            }
        }
        assert!(told >= 10, "{told}");
    }

    #[test]
    fn greetings_with_the_same_code_are_told_apart_by_words() {
        for (bytes, protocol) in [
            (&b"220 (vsFTPd 3.0.3)\r\n"[..], Some("ftp")),
            (b"220-Welcome\r\n220 FTP server ready.\r\n", Some("ftp")),
            (b"220-Welcome\r\n", None),
            (b"220 mx.example.com ESMTP Postfix\r\n", Some("smtp")),
            (b"220 ftp.example.com ESMTP\r\n", Some("smtp")),
            (b"220 ready\r\n", None),
            (b"421 FTP busy\r\n", None),
            (b"200 news.example.com InterNetNews NNRP server ready\r\n", Some("nntp")),
            (b"200 OK\r\n", None),
            (b"+OK ready\r\n", Some("pop3")),
            (b"* OK IMAP4rev1\r\n", Some("imap")),
            (b"RTSP/1.0 400 Bad Request\r\n", Some("rtsp")),
            (b"HTTP/1.0 400 Bad Request\r\n", Some("http")),
            (b"\x15\x03\x01\x00\x02\x02\x0a", Some("tls")),
            (b"\xff\xfd\x18", Some("telnet")),
            (b"\xff\xff\xff", None),
            (b"RFB 003.008\n", Some("vnc")),
            (b"SSH-", Some("ssh")),
            (b"SS", None),
            (b"", None),
        ] {
            assert_eq!(recognise(bytes, false), protocol, "{}", bytes.escape_ascii());
        }
        assert_eq!(recognise(b"220 FTP", false), None);
        assert_eq!(recognise(b"220 FTP", true), Some("ftp"));
    }

    proptest! {
        /// The order of the list decides nothing.
        #[test]
        fn at_most_one_protocol_claims_bytes(
            at in any::<prop::sample::Index>(),
            edits in prop::collection::vec((0usize..64, any::<u8>()), 0..6),
            cut in 0usize..80,
            waited: bool,
        ) {
            let mut bytes = CAPTURES_BY_NAME[at.index(CAPTURES_BY_NAME.len())].1.to_vec();
            for (at, byte) in edits {
                if let Some(old) = bytes.get_mut(at) {
                    *old = byte;
                }
            }
            bytes.truncate(cut);
            let claims: Vec<&str> = KNOWN.iter().filter(|(_, begins)| begins(&bytes, waited)).map(|(name, _)| *name).collect();
            prop_assert!(claims.len() <= 1, "{claims:?}");
            prop_assert_eq!(recognise(&bytes, waited), claims.first().copied());
        }
    }
}
