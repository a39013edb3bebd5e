//! Bodies of HTTP messages: where they end, chunks taken off, compression undone.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use memchr::memchr;

use crate::head::Head;

/// Most bytes that a body has after decompression.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Longest line that gives the size of a chunk, in bytes.
const CHUNK_LINE_BYTES_MAX: usize = 1024;
/// Most encodings on top of each other that are undone.
const ENCODINGS_MAX: usize = 2;

/// How a body says where it ends (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    Empty,
    /// So many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
    /// It ends when the peer closes.
    UntilClose,
}

/// The framing of an answer. Lengths that contradict each other, are negative or are no numbers count as none.
pub fn framing(head: &Head, status: Option<u16>, to_head_request: bool) -> Framing {
    if to_head_request || matches!(status, Some(100..=199 | 204 | 304)) {
        return Framing::Empty;
    }
    let mut codings = head.values("transfer-encoding").flat_map(|value| value.split(|b| *b == b','));
    if codings.any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked")) {
        return Framing::Chunked;
    }
    let mut lengths = head.values("content-length").flat_map(|value| value.split(|b| *b == b',')).map(length);
    match lengths.next() {
        Some(Some(first)) if lengths.all(|other| other == Some(first)) => Framing::Length(first),
        _ => Framing::UntilClose,
    }
}

fn length(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// One step over a chunked body.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunk {
    /// A whole chunk's bytes; the walk goes on behind it.
    Whole(Range<usize>),
    /// The chunk at the end of the bytes, as far as it came.
    Arriving(Range<usize>),
    /// The last chunk; the body ended. Trailers are not read.
    End,
    /// Not a chunk.
    Bad,
}

/// Reads the chunk at `at` and moves `at` behind it when it is whole.
pub fn next_chunk(bytes: &[u8], at: &mut usize) -> Chunk {
    let rest = bytes.get(*at..).unwrap_or_default();
    if rest.trim_ascii_start().first().is_some_and(|b| !b.is_ascii_hexdigit()) {
        return Chunk::Bad;
    }
    let line_limit = rest.len().min(CHUNK_LINE_BYTES_MAX);
    let Some(line_end) = memchr(b'\n', &rest[..line_limit]) else {
        return if line_limit == CHUNK_LINE_BYTES_MAX { Chunk::Bad } else { Chunk::Arriving(bytes.len()..bytes.len()) };
    };
    let line = rest[..line_end].split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
    let size = std::str::from_utf8(line).ok().filter(|digits| !digits.starts_with('+'));
    let Some(size) = size.and_then(|digits| usize::from_str_radix(digits, 16).ok()) else { return Chunk::Bad };
    if size == 0 {
        return Chunk::End;
    }
    let begin = *at + line_end + 1;
    match begin.checked_add(size) {
        Some(end) if end < bytes.len() => {
            *at = match bytes[end..] {
                [b'\n', ..] => end + 1,
                [b'\r', b'\n', ..] => end + 2,
                [b'\r'] => return Chunk::Arriving(begin..end),
                _ => end,
            };
            Chunk::Whole(begin..end)
        }
        _ => Chunk::Arriving(begin..bytes.len()),
    }
}

/// Whether a body that is said to come in chunks does.
pub fn begins_with_chunk(bytes: &[u8], begin: usize) -> bool {
    next_chunk(bytes, &mut begin.clone()) != Chunk::Bad
}

/// The bytes of a chunked body that begins at `begin`, and whether its end came. A body that does not even begin with a chunk was sent
/// plain by a server that says otherwise; it is kept as it is, and its end is not known from its bytes.
pub fn dechunk(bytes: &[u8], begin: usize) -> (Cow<'_, [u8]>, bool) {
    let mut body = Vec::new();
    let mut at = begin;
    loop {
        match next_chunk(bytes, &mut at) {
            Chunk::Whole(range) => body.extend_from_slice(&bytes[range]),
            Chunk::Arriving(range) => {
                body.extend_from_slice(&bytes[range]);
                return (body.into(), false);
            }
            Chunk::End => return (body.into(), true),
            Chunk::Bad if at == begin => return (bytes.get(begin..).unwrap_or_default().into(), false),
            Chunk::Bad => return (body.into(), false),
        }
    }
}

/// Undoes `Content-Encoding`, and says whether all of the body came out. A body that is not what its label says is kept as it is; one that
/// breaks off or is larger than [`BODY_BYTES_MAX`] gives its beginning.
pub fn decompress<'a>(head: &Head, body: Cow<'a, [u8]>) -> (Cow<'a, [u8]>, bool) {
    let labels: Vec<_> = head.values("content-encoding").flat_map(|value| value.split(|b| *b == b',')).map(<[u8]>::trim_ascii).collect();
    let mut body = body;
    let mut whole = true;
    // The last label was applied last.
    for label in labels.iter().rev().take(ENCODINGS_MAX) {
        let unpacked = match label.to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => unpack(flate2::read::MultiGzDecoder::new(&*body)),
            b"deflate" if zlib_header(&body) => unpack(flate2::read::ZlibDecoder::new(&*body)),
            b"deflate" => unpack(flate2::read::DeflateDecoder::new(&*body)),
            b"br" => unpack(brotli_decompressor::Decompressor::new(&*body, 4096)),
            _ => continue,
        };
        let Some((bytes, all)) = unpacked else { continue };
        body = Cow::Owned(bytes);
        whole &= all;
    }
    (body, whole)
}

/// RFC 1950: method 8, and the first two bytes are a multiple of 31. `deflate` is sent with and without this header.
fn zlib_header(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

/// What comes out, at most [`BODY_BYTES_MAX`] bytes, and whether that is all. Absent when nothing comes out.
fn unpack(packed: impl Read) -> Option<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let read = packed.take(BODY_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    let whole = read.is_ok() && bytes.len() <= BODY_BYTES_MAX;
    bytes.truncate(BODY_BYTES_MAX);
    (!bytes.is_empty()).then_some((bytes, whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::parse;

    fn framing_of(headers: &str) -> Framing {
        let bytes = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
        framing(&parse(bytes.as_bytes(), 0, false), Some(200), false)
    }

    #[test]
    fn lengths_that_are_none_end_at_the_close() {
        assert_eq!(framing_of("Content-Length: 5\r\n"), Framing::Length(5));
        assert_eq!(framing_of("Content-Length: 5\r\nContent-Length: 5\r\n"), Framing::Length(5));
        assert_eq!(framing_of("Content-Length: 5\r\nContent-Length: 6\r\n"), Framing::UntilClose);
        assert_eq!(framing_of("Content-Length: -1\r\n"), Framing::UntilClose);
        assert_eq!(framing_of("Content-Length: 99999999999999999999999\r\n"), Framing::UntilClose);
        assert_eq!(framing_of("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), Framing::Chunked);
        assert_eq!(framing_of(""), Framing::UntilClose);
    }

    #[test]
    fn chunks_are_taken_off() {
        assert_eq!(dechunk(b"4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n", 0), (b"Wikipedia".to_vec().into(), true));
        assert_eq!(dechunk(b"4\nWiki\n0\n\n", 0), (b"Wiki".to_vec().into(), true));
    }

    #[test]
    fn broken_chunks_keep_what_came() {
        assert_eq!(dechunk(b"4\r\nWiki\r\nzz\r\n", 0), (b"Wiki".to_vec().into(), false));
        assert_eq!(dechunk(b"4\r\nWi", 0), (b"Wi".to_vec().into(), false));
        assert_eq!(dechunk(b"FFFFFFFFFFFFFFFFFF\r\nWi", 0).0, b"FFFFFFFFFFFFFFFFFF\r\nWi".to_vec());
        assert_eq!(dechunk(b"FFFFFFFFFFFFFFFF\r\nWi", 0), (b"Wi".to_vec().into(), false));
        assert_eq!(dechunk(b"<html></html>", 0), (b"<html></html>".to_vec().into(), false));
        assert_eq!(dechunk(b"4\r\nWiki5\r\npedia\r\n0\r\n", 0), (b"Wikipedia".to_vec().into(), true));
    }

    fn packed(label: &str, body: Vec<u8>) -> (Vec<u8>, bool) {
        let bytes = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {label}\r\n\r\n");
        let (body, whole) = decompress(&parse(bytes.as_bytes(), 0, false), body.into());
        (body.into_owned(), whole)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("writing to a vector");
        encoder.finish().expect("writing to a vector")
    }

    #[test]
    fn compression_is_undone() {
        use std::io::Write;
        assert_eq!(packed("gzip", gzip(b"hello")), (b"hello".to_vec(), true));
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(b"hello").expect("writing to a vector");
        assert_eq!(packed("deflate", zlib.finish().expect("writing to a vector")), (b"hello".to_vec(), true));
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        deflate.write_all(b"hello").expect("writing to a vector");
        assert_eq!(packed("Deflate", deflate.finish().expect("writing to a vector")), (b"hello".to_vec(), true));
        // RFC 7932: a stream of one uncompressed block, then the empty last one.
        assert_eq!(packed("br", b"\x0b\x02\x80hello\x03".to_vec()), (b"hello".to_vec(), true));
    }

    #[test]
    fn a_wrong_label_keeps_the_body() {
        for label in ["gzip", "br", "deflate", "identity", "rot13"] {
            assert_eq!(packed(label, b"<html>".to_vec()).0, b"<html>", "{label}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_cap() {
        let bomb = gzip(&vec![b'a'; 50 * 1024 * 1024]);
        let (bytes, whole) = packed("gzip", bomb.clone());
        assert_eq!((bytes.len(), whole), (BODY_BYTES_MAX, false));
        assert!(!packed("gzip, gzip", gzip(&bomb)).1);
    }

    #[test]
    fn a_truncated_stream_gives_its_beginning() {
        let text: Vec<u8> = (0..20_000u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let mut short = gzip(&text);
        short.truncate(short.len() / 2);
        let (bytes, whole) = packed("gzip", short);
        assert!(!whole && !bytes.is_empty() && text.starts_with(&bytes));
    }
}
