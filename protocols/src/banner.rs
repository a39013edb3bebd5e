//! Whatever a service says first, for ports where no protocol is known.
//!
//! In: bytes. Out: facts under `banner`. There is no structure to tell the end of a greeting: it is whole when the peer falls silent or
//! closes.
//!
//! ksig says nothing.

use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Peer};
use crate::greeting::{self, Listen};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// What the service said first, as text with its line ends.
    ///
    /// Absent when it said nothing. At most 16 KiB.
    /// Example: `+OK ready`.
    TEXT: Text = "banner.text";

    /// What the service said first, as bytes.
    ///
    /// Absent when it said nothing. At most 16 KiB.
    RAW: Bytes = "banner.raw";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "banner",
    root: "banner",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Passive,
    delivery: Delivery::Stream,
    ports: &[],
    tls_ports: &[],
    inside_tls: true,
    doc: "Reads what the service says by itself, says nothing and closes.",
}];

/// Any protocol in which the server speaks first.
pub static PROTOCOL: Protocol =
    Protocol { name: "banner", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: Some(fixture) };

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    Box::new(Listen { whole: |_| false })
}

/// Bytes of no known protocol have no line ends of their own: the text as it stands.
fn fixture(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    if !received.is_empty() {
        let kept = &received[..received.len().min(greeting::LIMITS.response_bytes_max)];
        decoded.facts.push_read(&TEXT, None, charset::text(kept), kept);
        decoded.facts.push(&RAW, Value::Bytes(kept.to_vec()));
        decoded.complete = if greeting::ended_by_peer(ended) { Sections::ALL } else { Sections::default() };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::tests::{Facted, decoded, talk};

    #[test]
    fn the_first_words_are_kept() {
        let response = decoded("banner()", Ended::Complete, b"ACME \xff\r\n");
        assert_eq!(response.facts.get("banner.raw", None), [Value::Bytes(b"ACME \xff\r\n".to_vec())]);
        assert_eq!(response.texts("banner.text"), ["ACME ÿ\r\n"]);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(decoded("banner()", Ended::Cap, b"ACME").complete, Sections::default());
    }

    #[test]
    fn silence_is_no_answer() {
        assert!(!decoded("banner()", Ended::Timeout, b"").answered());
        assert!(!decoded("banner()", Ended::Eof, b"").answered());
    }

    #[test]
    fn only_silence_ends_it() {
        assert_eq!(talk("banner()", b"220 a\r\n", 1), (Vec::new(), Step::Read));
    }
}
