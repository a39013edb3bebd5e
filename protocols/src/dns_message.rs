//! Messages of DNS, as DNS itself and multicast DNS send them.
//!
//! In: bytes. Out: one message with its records, and where it ends; names and texts are read on demand. A message is whole when every record
//! that its head counts is there. Names point only backwards, so no name is without end; nothing is copied before it is asked for.
//!
//! Source: RFC 1035 section 4.

/// Bytes of the head.
const HEAD_BYTES: usize = 12;
/// Most records that are kept.
const RECORDS_MAX: usize = 256;
/// Longest name, in bytes (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 255;

/// Kinds of records.
pub const PTR: u16 = 12;
/// Texts.
pub const TXT: u16 = 16;

/// One message.
#[derive(Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// As the question had it.
    pub id: u16,
    /// Third and fourth byte.
    pub flags: u16,
    /// Of all three sections, in order.
    pub records: Vec<Record>,
}

/// Where a record stands in its message.
#[derive(Clone, Debug)]
pub struct Record {
    name_at: usize,
    /// [`PTR`], [`TXT`], ...
    pub kind: u16,
    data: std::ops::Range<usize>,
}

impl<'a> Message<'a> {
    /// The message that these bytes begin with, and what follows it. Absent when it is not whole, and when it is a question.
    pub fn read(bytes: &'a [u8]) -> Option<(Message<'a>, &'a [u8])> {
        let flags = number(bytes, 2)?;
        if flags & 0x8000 == 0 {
            return None;
        }
        let counts = [number(bytes, 4)?, number(bytes, 6)?, number(bytes, 8)?, number(bytes, 10)?].map(usize::from);
        let mut at = HEAD_BYTES;
        for _ in 0..counts[0] {
            at = name_end(bytes, at)? + 4;
            bytes.get(..at)?;
        }
        let mut message = Message { bytes, id: number(bytes, 0)?, flags, records: Vec::new() };
        for _ in 0..counts[1] + counts[2] + counts[3] {
            let name_at = at;
            let fixed = name_end(bytes, at)?;
            let data = fixed + 10..fixed + 10 + usize::from(number(bytes, fixed + 8)?);
            bytes.get(data.clone())?;
            at = data.end;
            if message.records.len() < RECORDS_MAX {
                message.records.push(Record { name_at, kind: number(bytes, fixed)?, data });
            }
        }
        let (own, rest) = bytes.split_at_checked(at)?;
        message.bytes = own;
        Some((message, rest))
    }

    /// Its code: 0 is no error, 5 is refused (RFC 1035 section 4.1.1).
    pub fn code(&self) -> u8 {
        (self.flags & 15) as u8
    }

    /// The name of a record, as [`Message::name_at`] writes it.
    pub fn name(&self, record: &Record) -> Option<String> {
        self.name_at(record.name_at)
    }

    /// The name that a record of kind [`PTR`] points to.
    pub fn target(&self, record: &Record) -> Option<String> {
        self.name_at(record.data.start)
    }

    /// The texts of a record of kind [`TXT`], in order, as far as they are whole.
    pub fn texts(&self, record: &Record) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.bytes.get(record.data.clone()).unwrap_or_default();
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first()?;
            let (text, next) = after.split_at_checked(usize::from(*length))?;
            rest = next;
            Some(text)
        })
    }

    /// Labels with dots between them; a dot or a backslash inside a label has a backslash before it (RFC 6763 section 4.3). Absent for a name
    /// that points forwards or is too long.
    fn name_at(&self, mut at: usize) -> Option<String> {
        let mut name = String::new();
        let mut earliest = at;
        loop {
            match *self.bytes.get(at)? {
                0 => return Some(name),
                pointer @ 0xc0.. => {
                    at = usize::from(pointer & 0x3f) << 8 | usize::from(*self.bytes.get(at + 1)?);
                    // Each jump goes before all that was read: so there are fewer jumps than bytes.
                    if at >= earliest {
                        return None;
                    }
                    earliest = at;
                }
                length @ 1..=63 => {
                    let label = self.bytes.get(at + 1..at + 1 + usize::from(length))?;
                    if !name.is_empty() {
                        name.push('.');
                    }
                    for character in String::from_utf8_lossy(label).chars() {
                        if matches!(character, '.' | '\\') {
                            name.push('\\');
                        }
                        name.push(character);
                    }
                    if name.len() > 3 * NAME_BYTES_MAX {
                        return None;
                    }
                    at += 1 + usize::from(length);
                }
                _ => return None,
            }
        }
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}

/// Where the bytes of a name end: at its pointer, or its empty label.
fn name_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            0xc0.. => return bytes.get(at + 1).map(|_| at + 2),
            length @ 1..=63 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
}

/// A question of ours: an id, flags, and names with kind and class.
pub fn question(id: u16, questions: &[(&str, u16, u16)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in [id, 0, questions.len() as u16, 0, 0, 0] {
        bytes.extend(part.to_be_bytes());
    }
    for (name, kind, class) in questions {
        for label in name.split('.') {
            bytes.push(label.len() as u8);
            bytes.extend(label.bytes());
        }
        bytes.push(0);
        bytes.extend(kind.to_be_bytes());
        bytes.extend(class.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A record by the form of RFC 1035 section 4.1.3, whose name points to the first question's.
    pub fn record(kind: u16, class: u16, data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xc0, HEAD_BYTES as u8];
        bytes.extend(kind.to_be_bytes());
        bytes.extend(class.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend((data.len() as u16).to_be_bytes());
        bytes.extend(data);
        bytes
    }

    /// An answer to a question.
    pub fn answer(question: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = question.to_vec();
        bytes[2] |= 0x80;
        bytes[7] = records.len() as u8;
        bytes.extend(records.concat());
        bytes
    }

    #[test]
    fn a_message_is_whole_at_its_last_byte() {
        let bytes = answer(&question(7, &[("a.example", TXT, 3)]), &[record(TXT, 3, b"\x02hi\x03you"), record(PTR, 1, &[0xc0, 14])]);
        for cut in 0..bytes.len() {
            assert!(Message::read(&bytes[..cut]).is_none(), "{cut}");
        }
        let more = [&bytes[..], b"more"].concat();
        let (message, rest) = Message::read(&more).expect("a message");
        assert_eq!((message.id, message.code(), rest), (7, 0, &b"more"[..]));
        assert_eq!(message.texts(&message.records[0]).collect::<Vec<_>>(), [&b"hi"[..], b"you"]);
        assert_eq!(message.name(&message.records[0]).as_deref(), Some("a.example"));
        assert_eq!(message.target(&message.records[1]).as_deref(), Some("example"));
    }

    #[test]
    fn names_that_point_to_themselves_or_forwards_are_none() {
        for pointer in [[0xc0, 12], [0xc0, 40], [0xff, 0xff]] {
            let mut bytes = answer(&question(7, &[]), &[record(PTR, 1, b"\0")]);
            bytes[HEAD_BYTES..HEAD_BYTES + 2].copy_from_slice(&pointer);
            let (message, _) = Message::read(&bytes).expect("its length is clear");
            assert_eq!(message.name(&message.records[0]), None, "{pointer:?}");
        }
    }

    #[test]
    fn a_dot_inside_a_label_is_marked() {
        let bytes = answer(&question(7, &[]), &[record(PTR, 1, b"\x05A.B\\C\x05local\0")]);
        let (message, _) = Message::read(&bytes).expect("a message");
        assert_eq!(message.target(&message.records[0]).as_deref(), Some("A\\.B\\\\C.local"));
    }

    #[test]
    fn a_head_that_counts_more_than_there_is_is_not_whole() {
        let mut bytes = answer(&question(7, &[]), &[]);
        bytes[6..12].fill(0xff);
        assert!(Message::read(&bytes).is_none());
    }
}
