//! Heads of HTTP-like messages: a first line, header lines, a blank line. HTTP and RTSP answers are read here.
//!
//! Tolerant, because devices are: lines may end in a bare LF, values may be folded, hold NUL or any byte, names may be followed by
//! blanks. A line that is no header is left out. Nothing is decoded.

use memchr::memchr;

/// Longest head that is read, in bytes, from its first line to its blank line.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Most headers that are kept.
pub const HEADERS_MAX: usize = 256;
/// Longest header name that is one.
const NAME_BYTES_MAX: usize = 128;

/// A head as it came.
#[derive(Debug)]
pub struct Head<'a> {
    /// Without its line end; absent when not even one line is whole.
    pub first_line: Option<&'a [u8]>,
    /// Names in lower case with their values, in wire order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Where the body begins; absent when the blank line did not come within [`HEAD_BYTES_MAX`].
    pub body_at: Option<usize>,
    /// Every header was kept.
    pub all_kept: bool,
}

impl Head<'_> {
    /// The values of a header, given in lower case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(header, _)| header == name).map(|(_, value)| value.as_slice())
    }

    /// Whether the absence of a header is proven.
    pub fn whole(&self) -> bool {
        self.body_at.is_some() && self.all_kept
    }
}

/// Reads the head that begins at `start`. A last line without its line end counts only when the peer has `closed`: until then it may be
/// the beginning of a longer one.
pub fn parse(bytes: &[u8], start: usize, closed: bool) -> Head<'_> {
    let limit = bytes.len().min(start.saturating_add(HEAD_BYTES_MAX));
    let mut head = Head { first_line: None, headers: Vec::new(), body_at: None, all_kept: true };
    let mut at = start;
    while at < limit {
        let (line, next) = match memchr(b'\n', &bytes[at..limit]) {
            Some(length) => (&bytes[at..at + length], at + length + 1),
            None if closed && limit == bytes.len() => (&bytes[at..limit], limit),
            None => break,
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at = next;
        match head.first_line {
            None => head.first_line = Some(line),
            Some(_) if line.is_empty() => {
                head.body_at = Some(at);
                break;
            }
            Some(_) => add_line(&mut head, line),
        }
    }
    head
}

fn add_line(head: &mut Head, line: &[u8]) {
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        if let Some((_, value)) = head.headers.last_mut() {
            value.push(b' ');
            value.extend_from_slice(line.trim_ascii());
        }
        return;
    }
    let Some(colon) = memchr(b':', line) else { return };
    let name = line[..colon].trim_ascii_end();
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.iter().all(u8::is_ascii_graphic) {
        return;
    }
    if head.headers.len() == HEADERS_MAX {
        head.all_kept = false;
        return;
    }
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    head.headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
}

/// Where the body begins, searching from `from`; for a conversation that looks again after each delivery. `from` may be any place in the
/// head before its last two bytes.
pub fn find_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr(b'\n', bytes.get(at..)?)? + 1;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

/// First byte of the message itself: servers send empty lines before it (RFC 9112 section 2.2).
pub fn skip_blank(bytes: &[u8], from: usize) -> usize {
    from + bytes.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// The first line of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct StatusLine<'a> {
    /// `HTTP`, `RTSP`, `ICY`, in capitals.
    pub protocol: String,
    /// `1.1`; empty when the line has none.
    pub version: &'a str,
    /// Any three digits; absent when there are none.
    pub status: Option<u16>,
    /// The words after it, may be empty.
    pub reason: &'a [u8],
}

/// Reads `HTTP/1.1 200 OK`, `ICY 200 OK`, `HTTP/1.0 404` and the like. Absent when it does not begin with one of `protocols`.
pub fn status_line<'a>(line: &'a [u8], protocols: &[&str]) -> Option<StatusLine<'a>> {
    let word_end = line.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(line.len());
    let word = std::str::from_utf8(&line[..word_end]).ok()?;
    let (protocol, version) = word.split_once('/').unwrap_or((word, ""));
    let protocol = protocol.to_ascii_uppercase();
    if !protocols.contains(&protocol.as_str()) {
        return None;
    }
    let rest = line[word_end..].trim_ascii_start();
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let status = if digits == 3 { std::str::from_utf8(&rest[..3]).ok().and_then(|digits| digits.parse().ok()) } else { None };
    let reason = if status.is_some() { rest[3..].trim_ascii() } else { rest.trim_ascii() };
    Some(StatusLine { protocol, version, status, reason })
}

/// The text of a test as a message: `\r\n` in the head, a blank line if there is none, the body as it stands.
pub fn fixture(text: &str) -> Vec<u8> {
    let (head, body) = match text.split_once("\n\n") {
        Some((head, body)) => (head, body),
        None => (text.trim_end_matches('\n'), ""),
    };
    let mut bytes = Vec::with_capacity(text.len() + 64);
    for line in head.split('\n') {
        bytes.extend_from_slice(line.strip_suffix('\r').unwrap_or(line).as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_may_end_in_lf_only() {
        let bytes = b"HTTP/1.0 200 OK\nServer: a\n\nbody";
        let head = parse(bytes, 0, false);
        assert_eq!(head.values("server").collect::<Vec<_>>(), [b"a"]);
        assert_eq!(head.body_at, Some(bytes.len() - 4));
        assert_eq!(find_end(bytes, 0), head.body_at);
    }

    #[test]
    fn a_folded_value_is_one_value() {
        let head = parse(b"HTTP/1.1 200 OK\r\nServer: a\r\n\t b\r\nX : c\r\n\r\n", 0, false);
        assert_eq!(head.headers, [("server".to_string(), b"a b".to_vec()), ("x".to_string(), b"c".to_vec())]);
    }

    #[test]
    fn a_nul_stays_in_its_value() {
        let head = parse(b"HTTP/1.1 200 OK\r\nServer: a\0b\r\n\r\n", 0, false);
        assert_eq!(head.values("server").next(), Some(&b"a\0b"[..]));
    }

    #[test]
    fn a_line_still_arriving_is_not_there() {
        let bytes = b"HTTP/1.1 200 OK\r\nServer: a\r\nX-Version: 1.";
        assert_eq!(parse(bytes, 0, false).headers.len(), 1);
        assert_eq!(parse(bytes, 0, true).headers.len(), 2);
        assert_eq!(parse(bytes, 0, true).body_at, None);
    }

    #[test]
    fn a_hundred_thousand_headers_keep_the_first_ones() {
        let mut bytes = b"HTTP/1.1 200 OK\r\n".to_vec();
        for at in 0..100_000 {
            bytes.extend_from_slice(format!("h{at}: v\r\n").as_bytes());
        }
        let head = parse(&bytes, 0, true);
        assert_eq!(head.headers.len(), HEADERS_MAX);
        assert!(!head.whole());
    }

    #[test]
    fn many_short_headers_leave_the_absence_of_others_open() {
        let mut bytes = b"HTTP/1.1 200 OK\r\n".to_vec();
        bytes.extend_from_slice("a:b\r\n".repeat(HEADERS_MAX + 1).as_bytes());
        bytes.extend_from_slice(b"\r\n");
        let head = parse(&bytes, 0, false);
        assert!(head.body_at.is_some() && !head.whole());
    }

    #[test]
    fn odd_status_lines_are_read() {
        let line = |text: &'static str| status_line(text.as_bytes(), &["HTTP", "ICY"]).map(|line| (line.version, line.status));
        assert_eq!(line("HTTP/1.1 999 Request denied"), Some(("1.1", Some(999))));
        assert_eq!(line("ICY 200 OK"), Some(("", Some(200))));
        assert_eq!(line("http/1.0  404"), Some(("1.0", Some(404))));
        assert_eq!(line("HTTP/1.1 20000 OK"), Some(("1.1", None)));
        assert_eq!(line("SSH-2.0-OpenSSH_9.2p1"), None);
    }

    #[test]
    fn a_test_may_leave_out_the_blank_line() {
        assert_eq!(fixture("HTTP/1.0 401 Unauthorized\nServer: a\n"), b"HTTP/1.0 401 Unauthorized\r\nServer: a\r\n\r\n");
        assert_eq!(fixture("HTTP/1.0 200 OK\n\n<p>\nx"), b"HTTP/1.0 200 OK\r\n\r\n<p>\nx");
    }
}
