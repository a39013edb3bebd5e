//! What protocols share in which the server speaks first: lines, replies with codes, and listening until the greeting is whole.

use memchr::memchr;

use ksig_schema::{Ended, Facts, FieldDef, Sections};

use crate::charset;
use crate::conversation::{Conversation, Limits, PeerState, Step};
use crate::protocol::Decoded;

/// Bounds of a greeting: more than any server says by itself, and enough for one that looks up our name first.
pub const LIMITS: Limits = Limits { response_bytes_max: 16 * 1024, first_byte_ms: 10_000, silence_ms: 3_000, total_ms: 20_000 };

/// Listens until the greeting is whole, says nothing.
pub struct Listen {
    /// Whether these bytes hold all of a greeting; further bytes never make it say no again.
    pub whole: fn(&[u8]) -> bool,
}

impl Conversation for Listen {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        if state == PeerState::Open && !(self.whole)(received) { Step::Read } else { Step::Done }
    }

    fn limits(&self) -> Limits {
        LIMITS
    }
}

/// Listens for one line.
pub fn listen_for_line() -> Box<dyn Conversation> {
    Box::new(Listen { whole: |bytes| line(bytes, 0, false).is_some() })
}

/// Reads a greeting of one line into its only field. `text_of` takes the protocol's mark off; absent for another protocol's line.
pub fn decode_line(received: &[u8], ended: Ended, field: &'static FieldDef, text_of: fn(&[u8]) -> Option<&[u8]>) -> Decoded {
    let mut decoded = Decoded::default();
    if let Some(text) = line(received, 0, ended_by_peer(ended)).and_then(|(line, _)| text_of(line)) {
        decoded.facts.push_read(field, None, charset::text(text), text);
        decoded.complete = Sections::ALL;
    }
    decoded
}

/// Whether bytes that no further ones followed are all that was to come: the peer closed or fell silent, no limit cut them.
pub fn ended_by_peer(ended: Ended) -> bool {
    matches!(ended, Ended::Complete | Ended::Eof)
}

/// The line that begins at `at`, without its line end, and where the next one begins. A last line without a line end counts only when it
/// is `whole`: until then it may be the beginning of a longer one.
pub fn line(bytes: &[u8], at: usize, whole: bool) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..)?;
    let (line, next) = match memchr(b'\n', rest) {
        Some(length) => (&rest[..length], at + length + 1),
        None if whole && !rest.is_empty() => (rest, bytes.len()),
        None => return None,
    };
    let end = line.iter().rposition(|b| *b != b'\r').map_or(0, |last| last + 1);
    Some((&line[..end], next))
}

/// A reply with a code, of one or of several lines (RFC 959 section 4.2, RFC 5321 section 4.2.1).
#[derive(Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// Three digits.
    pub code: u16,
    /// Texts without the code; lines in between that repeat no code stand as they are.
    pub lines: Vec<&'a [u8]>,
    /// Its last line came.
    pub whole: bool,
    /// Where the next reply begins.
    pub end: usize,
}

/// Most lines of a reply that are kept.
const REPLY_LINES_MAX: usize = 256;

impl Reply<'_> {
    /// Adds the lines as one text, joined by line feeds.
    pub fn push_text(&self, facts: &mut Facts, field: &'static FieldDef) {
        let joined = self.lines.join(&b'\n');
        facts.push_read(field, None, charset::text(&joined), &joined);
    }

    /// Whether the absence of facts is proven: there is only one section, so both are whole or none.
    pub fn sections(&self) -> Sections {
        if self.whole { Sections::ALL } else { Sections::default() }
    }
}

/// Reads the reply that begins at `at`. `closed` says that no byte will follow these. Absent when no whole line begins with a code.
pub fn reply(bytes: &[u8], at: usize, closed: bool) -> Option<Reply<'_>> {
    let (first, mut end) = line(bytes, at, closed)?;
    let (code, mark, text) = code_of(first)?;
    let mut reply = Reply { code, lines: vec![text], whole: mark != b'-', end };
    while !reply.whole {
        let Some((next, after)) = line(bytes, end, closed) else { break };
        end = after;
        let text = match code_of(next) {
            Some((repeated, mark, text)) if repeated == code => {
                reply.whole = mark != b'-';
                text
            }
            _ => next,
        };
        if reply.lines.len() < REPLY_LINES_MAX {
            reply.lines.push(text);
        }
    }
    reply.whole |= closed;
    reply.end = end;
    Some(reply)
}

/// `220-text` as code, mark and text. A line of a code alone has a space as its mark.
fn code_of(line: &[u8]) -> Option<(u16, u8, &[u8])> {
    let digits = line.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match line[3..] {
        [] => Some((code, b' ', &[])),
        [mark @ (b' ' | b'-' | b'\t'), ref text @ ..] => Some((code, mark, text)),
        _ => None,
    }
}

/// The text of a test as lines that end in `\r\n`.
pub fn fixture(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 16);
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        bytes.extend_from_slice(line.strip_suffix('\r').unwrap_or(line).as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_servers_end_them() {
        assert_eq!(line(b"a\r\nb\n", 0, false), Some((&b"a"[..], 3)));
        assert_eq!(line(b"a\r\nb\n", 3, false), Some((&b"b"[..], 5)));
        assert_eq!(line(b"a\r\r\nb", 0, false), Some((&b"a"[..], 4)));
        assert_eq!(line(b"a\r\nb", 3, false), None);
        assert_eq!(line(b"a\r\nb", 3, true), Some((&b"b"[..], 4)));
        assert_eq!(line(b"a\n", 2, true), None);
    }

    #[test]
    fn a_reply_ends_at_its_last_line() {
        let bytes = b"250-a\r\n250-b\r\n250 c\r\n221 d\r\n";
        let first = reply(bytes, 0, false).expect("a reply");
        assert_eq!((first.code, first.lines.as_slice(), first.whole), (250, [&b"a"[..], b"b", b"c"].as_slice(), true));
        assert_eq!(reply(bytes, first.end, false).map(|next| (next.code, next.lines)), Some((221, vec![&b"d"[..]])));
        assert_eq!(reply(b"220", 0, true).map(|reply| (reply.code, reply.lines)), Some((220, vec![&b""[..]])));
        for none in [&b"220"[..], b"", b"2200 x\r\n", b"hello\r\n"] {
            assert_eq!(reply(none, 0, false), None);
        }
    }

    #[test]
    fn tests_are_written_without_line_ends() {
        assert_eq!(fixture("220-a\n220 b"), b"220-a\r\n220 b\r\n");
        assert_eq!(fixture("SSH-2.0-x\n"), b"SSH-2.0-x\r\n");
    }
}
