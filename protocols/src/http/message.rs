//! One answer of HTTP, cut into its parts; bytes stay bytes.

use std::borrow::Cow;

use crate::body::{self, Framing};
use crate::head::{self, Head, StatusLine};

/// Interim answers (1xx) that are passed over before the final one is given up.
const INTERIM_MAX: usize = 8;

/// What stands before `/` or a space in the first line of an answer. `ICY` is what streaming servers say.
const PROTOCOLS: &[&str] = &["HTTP", "ICY"];

/// An answer in its parts.
#[derive(Debug)]
pub struct Message<'a> {
    /// Absent when the first line is none.
    pub status_line: Option<StatusLine<'a>>,
    /// Absent when the first line is none.
    pub head: Option<Head<'a>>,
    /// Chunks and compression taken off.
    pub body: Cow<'a, [u8]>,
    /// The bytes themselves say that the body is whole.
    pub ended: bool,
    /// The body ends where the peer closes.
    pub until_close: bool,
    /// All that came was unpacked within its limits.
    pub unpacked: bool,
}

impl Message<'_> {
    /// The status of the final answer.
    pub fn status(&self) -> Option<u16> {
        self.status_line.as_ref()?.status
    }
}

/// Reads the final answer. `closed` says that no byte will come after these.
pub fn read(bytes: &[u8], to_head_request: bool, closed: bool) -> Message<'_> {
    let mut message = Message { status_line: None, head: None, body: Cow::Borrowed(&[]), ended: false, until_close: false, unpacked: true };
    let mut start = head::skip_blank(bytes, 0);
    for interim in 0.. {
        let head = head::parse(bytes, start, closed);
        let Some(line) = head.first_line.and_then(|line| head::status_line(line, PROTOCOLS)) else { break };
        let passed_over = is_interim(line.status) && interim < INTERIM_MAX;
        match (head.body_at, passed_over) {
            (Some(next), true) if next < bytes.len() => {
                start = head::skip_blank(bytes, next);
                continue;
            }
            _ => {}
        }
        message.status_line = Some(line);
        message.head = Some(head);
        break;
    }
    match &message.head {
        Some(head) => {
            let Some(body_at) = head.body_at else { return message };
            let status = message.status_line.as_ref().and_then(|line| line.status);
            let rest = &bytes[body_at..];
            let framing = body::framing(head, status, to_head_request);
            let packed = match framing {
                Framing::Empty => Cow::Borrowed(&[][..]),
                Framing::Length(length) => Cow::Borrowed(&rest[..rest.len().min(usize::try_from(length).unwrap_or(usize::MAX))]),
                Framing::Chunked => body::dechunk(bytes, body_at).0,
                Framing::UntilClose => Cow::Borrowed(rest),
            };
            message.ended = End::after_head(framing, body_at).reached(bytes);
            message.until_close = framing == Framing::UntilClose || framing == Framing::Chunked && !body::begins_with_chunk(bytes, body_at);
            (message.body, message.unpacked) = body::decompress(head, packed);
        }
        // Who was asked for headers alone and sends a page alone answered something else.
        None if looks_like_markup(bytes) && !to_head_request => {
            message.body = Cow::Borrowed(bytes);
            message.until_close = true;
        }
        None => {}
    }
    message
}

/// 101 is final: the connection is another protocol's from there on.
fn is_interim(status: Option<u16>) -> bool {
    matches!(status, Some(100 | 102..=199))
}

/// An answer of HTTP/0.9 is a page without a head.
pub fn looks_like_markup(bytes: &[u8]) -> bool {
    bytes.get(head::skip_blank(bytes, 0)) == Some(&b'<')
}

/// Finds the end of an answer while it arrives. Its place moves forward only, so that a byte is looked at about once however the answer
/// is split.
#[derive(Debug, Default)]
pub struct EndFinder {
    end: End,
    interim: usize,
}

#[derive(Debug)]
enum End {
    /// In a head that begins at `start`; its end was not found before `searched`.
    Head { start: usize, searched: usize },
    /// At this many bytes.
    At(usize),
    /// Behind the last chunk; the next one begins here.
    Chunks(usize),
    /// When the peer closes.
    Close,
    /// It is no answer of HTTP.
    Foreign,
}

impl Default for End {
    fn default() -> Self {
        End::Head { start: 0, searched: 0 }
    }
}

impl End {
    fn after_head(framing: Framing, body_at: usize) -> End {
        match framing {
            Framing::Empty => End::At(body_at),
            Framing::Length(length) => End::At(usize::try_from(length).unwrap_or(usize::MAX).saturating_add(body_at)),
            Framing::Chunked => End::Chunks(body_at),
            Framing::UntilClose => End::Close,
        }
    }

    /// Whether the bytes reach the end of the body.
    fn reached(&mut self, bytes: &[u8]) -> bool {
        match self {
            End::At(end) => bytes.len() >= *end,
            End::Chunks(at) => loop {
                match body::next_chunk(bytes, at) {
                    body::Chunk::Whole(_) => {}
                    body::Chunk::Arriving(_) => return false,
                    body::Chunk::End => return true,
                    body::Chunk::Bad => {
                        *self = End::Close;
                        return false;
                    }
                }
            },
            End::Head { .. } | End::Close | End::Foreign => false,
        }
    }
}

/// What is known of an answer that is arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// More is to come.
    Open,
    /// It is whole, or nothing more of it is wanted.
    Over,
    /// It is no answer of HTTP: silence ends it.
    Foreign,
}

impl EndFinder {
    /// Looks at all bytes so far.
    pub fn look(&mut self, bytes: &[u8], to_head_request: bool) -> Arrival {
        while let End::Head { start, searched } = self.end {
            let start = head::skip_blank(bytes, start);
            if !may_be_status_line(&bytes[start..]) {
                self.end = End::Foreign;
                break;
            }
            let Some(body_at) = head::find_end(bytes, start.max(searched)) else {
                if bytes.len() - start >= head::HEAD_BYTES_MAX {
                    return Arrival::Over;
                }
                self.end = End::Head { start, searched: bytes.len().saturating_sub(2) };
                return Arrival::Open;
            };
            if body_at - start > head::HEAD_BYTES_MAX {
                return Arrival::Over;
            }
            let head = head::parse(bytes, start, false);
            let status = head.first_line.and_then(|line| head::status_line(line, PROTOCOLS)).and_then(|line| line.status);
            if is_interim(status) {
                if self.interim == INTERIM_MAX {
                    return Arrival::Over;
                }
                self.interim += 1;
                self.end = End::Head { start: body_at, searched: body_at };
                continue;
            }
            self.end = End::after_head(body::framing(&head, status, to_head_request), body_at);
        }
        match (self.end.reached(bytes), &self.end) {
            (true, _) => Arrival::Over,
            (false, End::Foreign) => Arrival::Foreign,
            (false, _) => Arrival::Open,
        }
    }
}

/// Whether these first bytes can still become a status line.
fn may_be_status_line(bytes: &[u8]) -> bool {
    PROTOCOLS.iter().any(|protocol| {
        let length = bytes.len().min(protocol.len());
        bytes[..length].eq_ignore_ascii_case(&protocol.as_bytes()[..length])
            && bytes.get(length).is_none_or(|b| *b == b'/' || b.is_ascii_whitespace())
    })
}
