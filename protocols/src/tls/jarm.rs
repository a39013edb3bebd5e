//! JARM: ten hellos, and a hash of how a server chooses among what they offer.
//!
//! In: ten answers. Out: 62 characters: for each answer cipher suite and version in three, then half of a SHA-256 over the names of protocols
//! and the extensions that came. Hellos and hash are as its authors published them (Salesforce, JARM 1.0, 2020), with two of their own
//! particulars, without which no hash would be the same: `spdy/3` and `h2` trade places as one, and answers are read as far as their first
//! 1,484 bytes.

use sha2::{Digest, Sha256};

use crate::conversation::{Conversation, Limits, Peer, PeerState, Step};

/// How many hellos there are.
pub const HELLOS: usize = 10;
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 1484;

/// Cipher suites in the order of the hellos; those of TLS 1.3 are left out of one of them.
const CIPHERS: [u16; 69] = [
    0x0016, 0x0033, 0x0067, 0xc09e, 0xc0a2, 0x009e, 0x0039, 0x006b, 0xc09f, 0xc0a3, 0x009f, 0x0045, 0x00be, 0x0088, 0x00c4, 0x009a, 0xc008,
    0xc009, 0xc023, 0xc0ac, 0xc0ae, 0xc02b, 0xc00a, 0xc024, 0xc0ad, 0xc0af, 0xc02c, 0xc072, 0xc073, 0xcca9, 0x1302, 0x1301, 0xcc14, 0xc007,
    0xc012, 0xc013, 0xc027, 0xc02f, 0xc014, 0xc028, 0xc030, 0xc060, 0xc061, 0xc076, 0xc077, 0xcca8, 0x1305, 0x1304, 0x1303, 0xcc13, 0xc011,
    0x000a, 0x002f, 0x003c, 0xc09c, 0xc0a0, 0x009c, 0x0035, 0x003d, 0xc09d, 0xc0a1, 0x009d, 0x0041, 0x00ba, 0x0084, 0x00c0, 0x0007, 0x0004,
    0x0005,
];

/// Cipher suites in the order in which the hash numbers them, from 1.
const NUMBERED: [u16; 69] = [
    0x0004, 0x0005, 0x0007, 0x000a, 0x0016, 0x002f, 0x0033, 0x0035, 0x0039, 0x003c, 0x003d, 0x0041, 0x0045, 0x0067, 0x006b, 0x0084, 0x0088,
    0x009a, 0x009c, 0x009d, 0x009e, 0x009f, 0x00ba, 0x00be, 0x00c0, 0x00c4, 0xc007, 0xc008, 0xc009, 0xc00a, 0xc011, 0xc012, 0xc013, 0xc014,
    0xc023, 0xc024, 0xc027, 0xc028, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xc060, 0xc061, 0xc072, 0xc073, 0xc076, 0xc077, 0xc09c, 0xc09d, 0xc09e,
    0xc09f, 0xc0a0, 0xc0a1, 0xc0a2, 0xc0a3, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af, 0xcc13, 0xcc14, 0xcca8, 0xcca9, 0x1301, 0x1302, 0x1303, 0x1304,
    0x1305,
];

/// Protocols in ALPN with their lengths, from weak to strong.
const PROTOCOLS: &[&[u8]] =
    &[b"\x08http/0.9", b"\x08http/1.0", b"\x08http/1.1", b"\x06spdy/1", b"\x06spdy/2", b"\x06spdy/3\x02h2", b"\x03h2c", b"\x02hq"];
/// The same without the common ones.
const RARE_PROTOCOLS: &[&[u8]] = &[b"\x08http/0.9", b"\x08http/1.0", b"\x06spdy/1", b"\x06spdy/2", b"\x06spdy/3", b"\x03h2c", b"\x02hq"];

/// A value that means nothing, which servers must pass over (RFC 8701).
const GREASE: [u8; 2] = [0x0a, 0x0a];

#[derive(Clone, Copy, PartialEq)]
enum Order {
    Forward,
    Reverse,
    TopHalf,
    BottomHalf,
    MiddleOut,
}

use Order::{BottomHalf, Forward, MiddleOut, Reverse, TopHalf};

impl Order {
    fn of<T: Copy>(self, list: &[T]) -> Vec<T> {
        let middle = list.len() / 2;
        let odd = list.len() % 2;
        match self {
            Forward => list.to_vec(),
            Reverse => list.iter().rev().copied().collect(),
            BottomHalf => list[middle + odd..].to_vec(),
            // With the middle one, if there is one, backwards from there.
            TopHalf => list[..middle + odd].iter().rev().copied().collect(),
            // The middle one first, if there is one; then in turn one after it and one before it.
            MiddleOut => {
                let after = list[middle + odd..].iter();
                let before = list[..middle].iter().rev();
                let turns = after.zip(before).flat_map(|(after, before)| [*after, *before]);
                list[middle..middle + odd].iter().copied().chain(turns).collect()
            }
        }
    }
}

/// What one hello offers.
struct Shape {
    /// Versions of the record and of the hello.
    versions: (u16, u16),
    with_1_3: bool,
    order: Order,
    grease: bool,
    rare_protocols: bool,
    /// Versions in the extension for them; empty for none.
    supported: &'static [u16],
    /// Order inside the extensions that have one.
    inner: Order,
}

const UP_TO_1_2: &[u16] = &[0x0301, 0x0302, 0x0303];
const UP_TO_1_3: &[u16] = &[0x0301, 0x0302, 0x0303, 0x0304];

const TLS_1_1: (u16, u16) = (0x0302, 0x0302);
const TLS_1_2: (u16, u16) = (0x0303, 0x0303);
const TLS_1_3: (u16, u16) = (0x0301, 0x0303);

const fn shape(versions: (u16, u16), order: Order, supported: &'static [u16], inner: Order) -> Shape {
    Shape { versions, with_1_3: true, order, grease: false, rare_protocols: false, supported, inner }
}

const SHAPES: [Shape; HELLOS] = [
    shape(TLS_1_2, Forward, UP_TO_1_2, Reverse),
    shape(TLS_1_2, Reverse, UP_TO_1_2, Forward),
    shape(TLS_1_2, TopHalf, &[], Forward),
    Shape { rare_protocols: true, ..shape(TLS_1_2, BottomHalf, &[], Forward) },
    Shape { rare_protocols: true, grease: true, ..shape(TLS_1_2, MiddleOut, &[], Reverse) },
    shape(TLS_1_1, Forward, &[], Forward),
    shape(TLS_1_3, Forward, UP_TO_1_3, Reverse),
    shape(TLS_1_3, Reverse, UP_TO_1_3, Forward),
    Shape { with_1_3: false, ..shape(TLS_1_3, Forward, UP_TO_1_3, Forward) },
    Shape { grease: true, ..shape(TLS_1_3, MiddleOut, UP_TO_1_3, Reverse) },
];

/// A talk of ten connections, with one hello each.
pub fn begin(peer: &Peer) -> Box<dyn Conversation> {
    let host = peer.address.to_string();
    Box::new(Exchange { hellos: (0..HELLOS).map(|at| hello(at, &host, &bytes_of(peer, at))).collect(), sent: 0 })
}

/// Random, session and key, which no secret ever comes from, so they may be a function of the peer.
fn bytes_of(peer: &Peer, at: usize) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(format!("{} {} {} {at}", peer.identity.contact, peer.address, peer.port));
    hash.finalize().into()
}

/// The hello at that place, for a server by that name.
fn hello(at: usize, host: &str, random: &[u8; 32]) -> Vec<u8> {
    let shape = &SHAPES[at];
    let mut ciphers = if shape.grease { vec![u16::from_be_bytes(GREASE)] } else { Vec::new() };
    let offered: Vec<u16> = CIPHERS.iter().copied().filter(|cipher| shape.with_1_3 || cipher >> 8 != 0x13).collect();
    ciphers.extend(shape.order.of(&offered));
    let ciphers: Vec<u8> = ciphers.iter().flat_map(|cipher| cipher.to_be_bytes()).collect();

    let mut body = shape.versions.1.to_be_bytes().to_vec();
    body.extend_from_slice(random);
    body.push(32);
    body.extend_from_slice(random);
    body.extend(counted(&ciphers));
    body.extend_from_slice(&[1, 0]);
    body.extend(counted(&extensions(shape, host, random)));
    let mut message = vec![1, 0];
    message.extend(counted(&body));
    let mut record = vec![22];
    record.extend_from_slice(&shape.versions.0.to_be_bytes());
    record.extend(counted(&message));
    record
}

fn extensions(shape: &Shape, host: &str, random: &[u8; 32]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut add = |kind: u16, content: &[u8]| {
        all.extend_from_slice(&kind.to_be_bytes());
        all.extend(counted(content));
    };
    if shape.grease {
        add(u16::from_be_bytes(GREASE), b"");
    }
    add(0x0000, &counted(&[&[0], counted(host.as_bytes()).as_slice()].concat())); // server name
    add(0x0017, b""); // extended master secret
    add(0x0001, &[1]); // largest fragment
    add(0xff01, &[0]); // renegotiation
    add(0x000a, &[0, 8, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x18, 0x00, 0x19]); // groups
    add(0x000b, &[1, 0]); // point formats
    add(0x0023, b""); // session ticket
    let protocols = shape.inner.of(if shape.rare_protocols { RARE_PROTOCOLS } else { PROTOCOLS });
    add(0x0010, &counted(&protocols.concat()));
    const SIGNATURES: [u16; 9] = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201];
    add(0x000d, &counted(&SIGNATURES.iter().flat_map(|signature| signature.to_be_bytes()).collect::<Vec<u8>>()));
    let mut share = if shape.grease { [&GREASE[..], &[0, 1, 0]].concat() } else { Vec::new() };
    share.extend_from_slice(&[0x00, 0x1d]);
    share.extend(counted(random));
    add(0x0033, &counted(&share)); // key share
    add(0x002d, &[1, 1]); // ways of pre-shared keys
    if !shape.supported.is_empty() {
        let mut versions = if shape.grease { GREASE.to_vec() } else { Vec::new() };
        versions.extend(shape.inner.of(shape.supported).iter().flat_map(|version| version.to_be_bytes()));
        add(0x002b, &[&[versions.len() as u8], versions.as_slice()].concat());
    }
    all
}

/// Bytes of ours behind their length, which is below 1,024.
fn counted(bytes: &[u8]) -> Vec<u8> {
    let mut all = (bytes.len() as u16).to_be_bytes().to_vec();
    all.extend_from_slice(bytes);
    all
}

struct Exchange {
    hellos: Vec<Vec<u8>>,
    sent: usize,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        let answered = answers(received).len();
        match self.hellos.get(self.sent) {
            Some(hello) if self.sent <= answered => {
                self.sent += 1;
                Step::Send(hello.clone())
            }
            _ if answered < HELLOS && state == PeerState::Open => Step::Read,
            _ => Step::Done,
        }
    }

    fn limits(&self) -> Limits {
        let response_bytes_max = HELLOS * (4 + ANSWER_BYTES_MAX);
        Limits { response_bytes_max, first_byte_ms: 10_000, silence_ms: 3_000, total_ms: 120_000 }
    }

    fn enough(&self, answer: &[u8]) -> Option<usize> {
        let record = first_record(answer).filter(|record| record.len() <= ANSWER_BYTES_MAX && says_enough(record));
        record.map(<[u8]>::len).or((answer.len() >= ANSWER_BYTES_MAX).then_some(ANSWER_BYTES_MAX))
    }
}

/// The first record of an answer with its header. Absent while it is not whole.
fn first_record(answer: &[u8]) -> Option<&[u8]> {
    let length = u16::from_be_bytes(*answer.get(3..)?.first_chunk::<2>()?);
    answer.get(..5 + usize::from(length))
}

/// Whether what follows this record cannot change what is read of the answer. A hello without extensions is told from one with them by
/// what stands behind it.
fn says_enough(record: &[u8]) -> bool {
    const EXTENSIONS_BEHIND_SESSION: usize = 47;
    let hello = record[0] == 22 && record.get(5) == Some(&2);
    let session = record.get(43).map_or(0, |length| usize::from(*length));
    !hello || record.len() > session + EXTENSIONS_BEHIND_SESSION + 2
}

/// Answers that came whole, each behind its length in four bytes; no more than ten.
pub fn answers(received: &[u8]) -> Vec<&[u8]> {
    let mut all = Vec::new();
    let mut rest = received;
    while let Some((length, after)) = rest.split_first_chunk::<4>()
        && all.len() < HELLOS
        && let Some((answer, next)) = usize::try_from(u32::from_be_bytes(*length)).ok().and_then(|length| after.split_at_checked(length))
    {
        all.push(answer);
        rest = next;
    }
    all
}

/// What a server chose for one hello.
#[derive(Debug, Default, PartialEq, Eq)]
struct Chosen {
    /// Cipher suite and version; absent when it refused.
    cipher: Option<(u16, u16)>,
    protocol: String,
    /// Numbers in hexadecimal with hyphens between them.
    extensions: String,
}

impl Chosen {
    fn read(answer: &[u8]) -> Chosen {
        Chosen::read_hello(&answer[..answer.len().min(ANSWER_BYTES_MAX)]).unwrap_or_default()
    }

    /// Absent when the answer is no hello, or its extensions point outside it.
    fn read_hello(data: &[u8]) -> Option<Chosen> {
        if data.first() != Some(&22) || data.get(5) != Some(&2) {
            return None;
        }
        let number = |at: usize| Some(u16::from_be_bytes(*data.get(at..)?.first_chunk::<2>()?));
        let session = usize::from(*data.get(43)?);
        let mut chosen = Chosen { cipher: Some((number(session + 44)?, number(9)?)), ..Chosen::default() };
        let Some(length) = number(session + 47) else { return Some(chosen) };
        // Where a certificate follows at once, there are no extensions.
        let certificate = data[session + 47] == 11
            || data.get(session + 50..session + 53) == Some(&[0x0e, 0xac, 0x0b])
            || data.get(82..85) == Some(&[0x0f, 0xf0, 0x0b]);
        if certificate {
            return Some(chosen);
        }
        let mut at = session + 49;
        let end = usize::from(length) + at - 1;
        let mut kinds = Vec::new();
        while at < end {
            let (kind, length) = (number(at)?, usize::from(number(at + 2)?));
            let value = &data[at + 4..(at + 4 + length).min(data.len())];
            if kind == 0x0010 && chosen.protocol.is_empty() {
                chosen.protocol = String::from_utf8(value.get(3..).unwrap_or_default().to_vec()).ok()?;
            }
            kinds.push(format!("{kind:04x}"));
            at += 4 + length;
        }
        chosen.extensions = kinds.join("-");
        Some(chosen)
    }
}

/// The hash of ten answers. Absent when there are fewer, and when the server refused them all.
pub fn fingerprint(answers: &[&[u8]]) -> Option<String> {
    let chosen: Vec<Chosen> = answers.iter().map(|answer| Chosen::read(answer)).collect();
    (chosen.len() == HELLOS && chosen.iter().any(|chosen| chosen.cipher.is_some())).then(|| hash(&chosen))
}

fn hash(chosen: &[Chosen]) -> String {
    let mut text = String::new();
    let mut rest = Sha256::new();
    for one in chosen {
        match one.cipher {
            None => text.push_str("000"),
            Some((cipher, version)) => {
                // One that is not among them has the number after the last.
                let number = NUMBERED.iter().position(|known| *known == cipher).unwrap_or(NUMBERED.len()) + 1;
                let version = "abcdef".chars().nth(usize::from(version & 0xf)).unwrap_or('0');
                text.push_str(&format!("{number:02x}{version}"));
            }
        }
        rest.update(&one.protocol);
        rest.update(&one.extensions);
    }
    text.push_str(&ksig_schema::form::hex_digits(&rest.finalize()[..16]));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_raw(raw: &str) -> String {
        let chosen = raw.split(',').map(|one| {
            let parts: Vec<&str> = one.split('|').collect();
            let number = |text: &str| u16::from_str_radix(text, 16).expect("a number");
            let cipher = (!parts[0].is_empty()).then(|| (number(parts[0]), number(parts[1])));
            Chosen { cipher, protocol: parts[2].into(), extensions: parts[3].into() }
        });
        hash(&chosen.collect::<Vec<_>>())
    }

    #[test]
    fn hashes_that_others_published_are_the_same() {
        // The test of jarm-go (HD Moore, MIT); the example of BinaryEdge's documentation; the example of jarm-cpp.
        for (raw, published) in [
            (
                "c02f|0303|http/1.1|0000-ff01-000b-0023-0010,c02f|0303|http/1.1|0000-ff01-000b-0023-0010,|||,\
                 c02f|0303||0000-ff01-000b-0023,c02f|0303||0000-ff01-000b-0023,|||,c02f|0303|http/1.1|0000-ff01-000b-0023-0010,\
                 c02f|0303|http/1.1|0000-ff01-000b-0023-0010,c02f|0303|http/1.1|0000-ff01-000b-0023-0010,\
                 c02f|0303|http/1.1|0000-ff01-000b-0023-0010",
                "29d29d00029d29d00029d29d29d29d8c9dac4e97f99c7a0e93e9d4d790df0a",
            ),
            (
                "c02b|0303|h2|0000-0017-ff01-000b-0023-0010,cc14|0303|h2|0000-0017-ff01-000b-0023-0010,\
                 cc14|0303|h2|0000-0017-ff01-000b-0023-0010,|||,cc14|0303||0000-0017-ff01-000b-0023,\
                 c009|0302|h2|0000-0017-ff01-000b-0023-0010,1302|0303||0033-002b,1303|0303||0033-002b,|||,1301|0303||0033-002b",
                "27d3ed3ed0003ed1dc42d43d00041d6183ff1bfae51ebd88d70384363d525c",
            ),
            (
                "c02f|0303|h2|ff01-0000-0001-000b-0023-0010-0017,c02f|0303|h2|ff01-0000-0001-000b-0023-0010-0017,\
                 009e|0303|h2|ff01-0000-0001-0023-0010-0017,c02f|0303|http/1.1|ff01-0000-0001-000b-0023-0010-0017,\
                 c02f|0303|http/1.1|ff01-0000-0001-000b-0023-0010-0017,|||,1302|0303||002b-0033,1302|0303||002b-0033,|||,|||",
                "29d29d15d29d29d00042d42d000000cd600c085f371f8533aaf66051f8e5b1",
            ),
        ] {
            assert_eq!(of_raw(raw), published);
        }
    }

    #[test]
    fn hellos_are_as_long_as_those_that_others_published() {
        // Lengths in the records of a Rust implementation's tests, for a name of 28 letters.
        let lengths: Vec<usize> = (0..7).map(|at| hello(at, "jsonplaceholder.typicode.com", &[b'*'; 32]).len() - 5).collect();
        assert_eq!(lengths, [0x1b5, 0x1b5, 0x166, 0x158, 0x1a9, 0x1aa, 0x1b7]);
    }

    #[test]
    fn orders_are_as_published() {
        assert_eq!(Reverse.of(&[1, 2, 3]), [3, 2, 1]);
        assert_eq!((BottomHalf.of(&[1, 2, 3, 4, 5]), BottomHalf.of(&[1, 2, 3, 4])), (vec![4, 5], vec![3, 4]));
        assert_eq!((TopHalf.of(&[1, 2, 3, 4, 5]), TopHalf.of(&[1, 2, 3, 4])), (vec![3, 2, 1], vec![2, 1]));
        assert_eq!(MiddleOut.of(&[1, 2, 3, 4, 5]), [3, 4, 2, 5, 1]);
        assert_eq!(MiddleOut.of(&[1, 2, 3, 4]), [3, 2, 4, 1]);
    }

    #[test]
    fn a_hello_is_reduced_to_what_the_server_chose() {
        let extensions = [&[0xff, 0x01, 0, 1, 0][..], &[0, 0x10, 0, 5, 0, 3, 2, b'h', b'2']].concat();
        let record = hello_with(&extensions);
        let chosen = Chosen::read(&record);
        assert_eq!((chosen.cipher, chosen.protocol.as_str(), chosen.extensions.as_str()), (Some((0xc02f, 0x0303)), "h2", "ff01-0010"));
        for cut in 0..record.len() {
            Chosen::read(&record[..cut]);
        }
        assert_eq!(Chosen::read(&[21, 3, 3, 0, 2, 2, 40]), Chosen::default());
    }

    #[test]
    fn answers_that_come_together_are_followed_by_as_many_hellos() {
        let frames = [0, 0, 0, 0, 0, 0, 0, 1, 21];
        let (one_by_one, together) = (crate::tests::talk("tls.jarm()", &frames, 1), crate::tests::talk("tls.jarm()", &frames, 9));
        assert_eq!(one_by_one, together);
        assert_eq!(one_by_one.1, Step::Read);
    }

    #[test]
    fn an_answer_is_enough_when_more_bytes_of_it_change_nothing() {
        let identity = crate::ScanIdentity { contact: String::new() };
        let peer = Peer { address: std::net::Ipv4Addr::LOCALHOST.into(), port: 443, tls: false, identity: &identity };
        let talk = begin(&peer);
        let hello = hello_with(&[0xff, 0x01, 0, 1, 0]);
        for cut in 0..hello.len() {
            assert_eq!(talk.enough(&hello[..cut]), None, "{cut}");
        }
        assert_eq!(talk.enough(&[&hello[..], b"more"].concat()), Some(hello.len()));
        assert_eq!(talk.enough(&[21, 3, 3, 0, 2, 2, 40]), Some(7));
        assert_eq!(talk.enough(&[b'H'; ANSWER_BYTES_MAX + 9]), Some(ANSWER_BYTES_MAX));
        // Without extensions, the record behind it is looked at.
        assert_eq!(talk.enough(&hello_with(&[])), None);
    }

    /// Made from RFC 5246 section 7.4.1.3: no session, and these extensions.
    fn hello_with(extensions: &[u8]) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0xc0, 0x2f, 0]);
        if !extensions.is_empty() {
            body.extend(counted(extensions));
        }
        let mut message = vec![2, 0];
        message.extend(counted(&body));
        let mut record = vec![22, 3, 3];
        record.extend(counted(&message));
        record
    }

    #[test]
    fn refused_hellos_have_no_hash() {
        assert_eq!(fingerprint(&[&b""[..]; HELLOS]), None);
        assert_eq!(fingerprint(&[&b""[..]; 3]), None);
    }
}
