//! Answers to probes, as any bytes that a peer may send.
//!
//! An input is the number of a probe, how the peer ends, how its bytes are split, and the bytes.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::LazyLock;
use std::{fs, iter};

use ksig_protocols::{Peer, PeerState, ScanIdentity, Step, conversation, decode_bytes};
use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Transport};

use crate::SCHEMA;

/// The simplest probe of each constructor, in the order of the schema.
static PROBES: LazyLock<Vec<(&ConstructorDef, ProbeKey)>> =
    LazyLock::new(|| SCHEMA.constructors().map(|constructor| (constructor, constructor.plain_probe())).collect());

/// Bytes before the answer.
const HEAD: usize = 3;

/// Facts of the probe that was asked; steps that come to an end, and the same ones however the answer is split.
pub fn decoders(input: &[u8]) {
    let Some((&[number, ending, split], answer)) = input.split_first_chunk::<HEAD>() else { return };
    let (constructor, probe) = &PROBES[usize::from(number) % PROBES.len()];
    let ended = [Ended::Complete, Ended::Eof, Ended::Cap, Ended::Timeout, Ended::Reset][usize::from(ending) % 5];
    let response = decode_bytes(probe, Transport::Tcp, ended, answer);
    for fact in response.facts.iter() {
        assert!(constructor.fills(fact.field.name), "{probe} fills {}", fact.field.name);
    }
    // A conversation looks at all bytes after each delivery, so there are few of these.
    let piece = answer.len() / 64 + usize::from(split) + 1;
    assert_eq!(talk(probe, answer, piece), talk(probe, answer, answer.len().max(1)), "{probe}");
}

/// All that is said to a peer that answers with these bytes in deliveries of `size`, and the last step.
fn talk(probe: &ProbeKey, answer: &[u8], size: usize) -> (Vec<u8>, Step) {
    let identity = ScanIdentity { contact: "https://scan.example.org/".into() };
    let peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 8022, tls: false, identity: &identity };
    let mut talk = conversation(probe, &peer).expect("a plain probe can be asked");
    let (mut sent, mut received) = (Vec::new(), 0);
    for _ in 0..4096 {
        match talk.next(&answer[..received], PeerState::Open) {
            Step::Send(more) => sent.extend(more),
            Step::Read if received < answer.len() => received = (received + size).min(answer.len()),
            last => return (sent, last),
        }
    }
    panic!("{probe} does not end");
}

/// What real servers sent, each for the probes of its protocol, which the file's name ends with; and for each probe an answer that says little.
pub fn seeds(captures: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(captures).expect("the captures can be read").map(|entry| entry.expect("an entry").path());
    let captures: Vec<(String, Vec<u8>)> = files
        .map(|path| {
            let protocol = path.extension().unwrap_or_default().to_string_lossy().trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
            (protocol, fs::read(&path).expect("a capture can be read"))
        })
        .collect();
    let of_probe = |number: usize, constructor: &ConstructorDef| -> Vec<Vec<u8>> {
        let own = captures.iter().filter(|(protocol, _)| protocol == constructor.protocol()).map(|(_, bytes)| bytes.clone());
        let little = match constructor.delivery {
            Delivery::Datagrams => b"\x30\x05\x02\x01\x00\x05\x00".to_vec(),
            Delivery::Stream | Delivery::StreamEach => b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n".to_vec(),
        };
        own.chain(iter::once(little)).map(|answer| [&[number as u8, 0, 7], answer.as_slice()].concat()).collect()
    };
    PROBES.iter().enumerate().flat_map(|(number, (constructor, _))| of_probe(number, constructor)).collect()
}
