//! What protocols share in which ksig asks first, and an answer says how long it is.

use crate::conversation::{Conversation, Limits};

/// How far an answer has come. Bytes behind those of a whole one change nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// More bytes are needed to tell.
    Arriving,
    /// No answer of the protocol begins so.
    Foreign,
    /// All of it.
    Whole(&'a [u8]),
}

impl<'a> Frame<'a> {
    /// The answer, once it is all there.
    pub fn whole(self) -> Option<&'a [u8]> {
        match self {
            Frame::Whole(bytes) => Some(bytes),
            Frame::Arriving | Frame::Foreign => None,
        }
    }

    /// The first `length` bytes, as soon as they are there. One longer than `most` is foreign.
    pub fn of(bytes: &'a [u8], length: usize, most: usize) -> Frame<'a> {
        match bytes.get(..length) {
            _ if length > most => Frame::Foreign,
            Some(whole) => Frame::Whole(whole),
            None => Frame::Arriving,
        }
    }
}

/// Bounds of one small question and its answer.
pub const LIMITS: Limits = Limits { response_bytes_max: 16 * 1024, first_byte_ms: 10_000, silence_ms: 3_000, total_ms: 15_000 };

/// Says one message, or none, and listens until the answer is whole, or another protocol's.
pub fn ask(question: Option<Vec<u8>>, limits: Limits, frame: fn(&[u8]) -> Frame<'_>) -> Box<dyn Conversation> {
    crate::ask::ask(question, limits, move |received| frame(received) == Frame::Arriving)
}

/// The bytes up to a zero, and those behind it.
pub fn zero_ended(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(0, bytes)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// Cuts an answer at every byte: what is there of it before its end gives no fact, proves nothing and does not panic. For the tests of
/// protocols whose answers say how long they are.
#[cfg(test)]
pub fn check_cuts(probe: &str, answer: &[u8]) {
    use crate::conversation::Step;
    use crate::tests::{decoded, talk};
    use ksig_schema::Ended;
    let whole = decoded(probe, Ended::Complete, answer);
    assert!(whole.answered(), "{probe}");
    for cut in 0..answer.len() {
        let part = decoded(probe, Ended::Complete, &answer[..cut]);
        assert!(!part.answered(), "{probe}: {cut} of {} bytes give {:?}", answer.len(), part.facts);
        assert_eq!(talk(probe, &answer[..cut], 1).1, Step::Read, "{probe}: {cut} of {} bytes", answer.len());
    }
    assert_eq!(talk(probe, answer, 1).1, Step::Done, "{probe}");
    assert_eq!(decoded(probe, Ended::Complete, &[answer, b"more"].concat()), whole, "{probe}");
}
