//! BER: tags, lengths and values, as SNMP and LDAP write them.
//!
//! In: bytes. Out: one element at a time, without copies; elements of ours, for a question or for a simulated agent. Only lengths that are said are read (no indefinite ones), and an element that
//! claims more bytes than there are is none. Nothing here recurses, so depth is bounded by the reader's own steps.

/// A whole number.
pub const INTEGER: u8 = 0x02;
/// A string of bytes.
pub const OCTETS: u8 = 0x04;
/// Nothing.
pub const NULL: u8 = 0x05;
/// An object id.
pub const OBJECT_ID: u8 = 0x06;
/// Elements in order.
pub const SEQUENCE: u8 = 0x30;

/// Most numbers of an object id: RFC 2578 section 3.5.
const ARCS_MAX: usize = 128;

/// Elements one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The elements in these bytes.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// The content of the next element, which has that tag.
    pub fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content, rest) = element(self.rest)?;
        (found == tag).then(|| {
            self.rest = rest;
            content
        })
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element, a whole number.
    pub fn integer(&mut self) -> Option<i64> {
        integer(self.expect(INTEGER)?)
    }
}

/// Tags and contents, until the end or an element that is not whole.
impl<'a> Iterator for Reader<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, content, rest) = element(self.rest)?;
        self.rest = rest;
        Some((tag, content))
    }
}

/// Tag, content, and what follows. Tags of several bytes are of no protocol here.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0usize, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// A number in two's complement. Absent for one of more than eight bytes, or none.
pub fn integer(content: &[u8]) -> Option<i64> {
    let first = *content.first().filter(|_| content.len() <= 8)?;
    let sign = if first & 0x80 != 0 { -1 } else { 0 };
    Some(content.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte)))
}

/// An object id as dotted numbers. Absent when it is cut, too long, or has a number of more than 32 bits.
pub fn object_id(content: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let mut number = 0u64;
    for byte in content {
        number = number << 7 | u64::from(byte & 0x7f);
        // The first number holds two, of which the first is at most 2.
        if number > u64::from(u32::MAX) + 80 || arcs.len() >= ARCS_MAX {
            return None;
        }
        if byte & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (number / 40).min(2);
                arcs.extend([first, number - 40 * first]);
            } else {
                arcs.push(number);
            }
            number = 0;
        }
    }
    let cut = content.last().is_none_or(|last| last & 0x80 != 0);
    (!cut).then(|| arcs.iter().map(u64::to_string).collect::<Vec<_>>().join("."))
}

/// An element of ours: short ones have a length of one byte.
pub fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match content.len() {
        short @ 0..=0x7f => bytes.push(short as u8),
        length => bytes.extend_from_slice(&[0x82, (length >> 8) as u8, length as u8]),
    }
    bytes.extend_from_slice(content);
    bytes
}

/// A number of ours.
pub fn write_integer(number: i32) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let redundant = |pair: &[u8]| pair[0] == 0 && pair[1] & 0x80 == 0 || pair[0] == 0xff && pair[1] & 0x80 != 0;
    let skip = bytes.windows(2).take_while(|pair| redundant(pair)).count();
    write(INTEGER, &bytes[skip..])
}

/// An object id of ours, whose first two numbers are below 40.
pub fn write_object_id(arcs: &[u32]) -> Vec<u8> {
    let mut content = vec![(40 * arcs[0] + arcs[1]) as u8];
    for arc in &arcs[2..] {
        let groups = (0..5).rev().map(|group| (arc >> (7 * group) & 0x7f) as u8).skip_while(|group| *group == 0).collect::<Vec<_>>();
        let groups = if groups.is_empty() { vec![0] } else { groups };
        let last = groups.len() - 1;
        content.extend(groups.iter().enumerate().map(|(at, group)| if at == last { *group } else { group | 0x80 }));
    }
    write(OBJECT_ID, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_one_after_the_other() {
        let mut reader = Reader::new(b"\x02\x01\x05\x04\x81\x02hi\x05\x00");
        assert_eq!(reader.integer(), Some(5));
        assert_eq!(reader.expect(OCTETS), Some(&b"hi"[..]));
        assert_eq!(reader.next(), Some((NULL, &b""[..])));
        assert!(reader.next().is_none());
    }

    #[test]
    fn lengths_that_lie_are_none() {
        for bytes in
            [&b"\x04\x03hi"[..], b"\x04\x84\xff\xff\xff\xff", b"\x04\x80hi\0\0", b"\x04\x85\0\0\0\0\x01x", b"\x1f\x01x", b"\x04", b""]
        {
            assert_eq!(Reader::new(bytes).next(), None, "{bytes:?}");
        }
    }

    #[test]
    fn numbers_are_signed_and_bounded() {
        for (content, number) in [(&b"\0"[..], 0), (b"\xff", -1), (b"\x00\x80", 128), (b"\x7f\xff\xff\xff", 0x7fff_ffff)] {
            assert_eq!(integer(content), Some(number));
            assert_eq!(write_integer(number as i32), [&[INTEGER, content.len() as u8], content].concat());
        }
        assert_eq!(integer(b""), None);
        assert_eq!(integer(&[1; 9]), None);
    }

    #[test]
    fn object_ids_are_dotted_numbers() {
        // RFC 2578: sysDescr.0, and an enterprise id of two groups.
        assert_eq!(object_id(b"\x2b\x06\x01\x02\x01\x01\x01\x00").as_deref(), Some("1.3.6.1.2.1.1.1.0"));
        assert_eq!(object_id(b"\x2b\x06\x01\x04\x01\x89\x1e").as_deref(), Some("1.3.6.1.4.1.1182"));
        assert_eq!(write_object_id(&[1, 3, 6, 1, 4, 1, 1182, 0]), b"\x06\x08\x2b\x06\x01\x04\x01\x89\x1e\x00");
        assert_eq!(object_id(b"\x88\x37").as_deref(), Some("2.999"));
        for bad in [&b""[..], b"\x2b\x89", b"\x2b\xff\xff\xff\xff\xff\x7f", &[1; 200]] {
            assert_eq!(object_id(bad), None);
        }
    }
}
