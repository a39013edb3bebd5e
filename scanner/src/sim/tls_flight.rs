//! First flights of TLS 1.2 that are wrong in one way: hello and certificates, which are in clear.
//!
//! In: a fault. Out: the bytes behind a client's hello. Source of the form: RFC 5246 sections 6.2 and 7.4.

use super::fault::Fault;

const HANDSHAKE: u8 = 22;
const HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const DONE: u8 = 14;
/// Largest fragment of a record.
const FRAGMENT_BYTES_MAX: usize = 16 << 10;
const HUGE_CERTIFICATE_BYTES: usize = 1 << 20;
const LONG_CHAIN: usize = 500;
/// `SEQUENCE { INTEGER 1 }`: DER, and no certificate.
const SMALL: &[u8] = b"\x30\x03\x02\x01\x01";
/// A sequence that says it has four gigabytes.
const MALFORMED: &[u8] = b"\x30\x84\xff\xff\xff\xff\x30\x80\x02\x81\xff";

/// The flight of a fault; absent for one of another kind.
pub(super) fn flight(fault: Fault) -> Option<Vec<u8>> {
    match fault {
        Fault::TlsBogusLengths => Some(bogus_lengths()),
        Fault::TlsHugeCertificate => Some(with_chain(&[&vec![b'x'; HUGE_CERTIFICATE_BYTES]])),
        Fault::TlsLongChain => Some(with_chain(&[SMALL; LONG_CHAIN])),
        Fault::TlsMalformedCertificate => Some(with_chain(&[MALFORMED])),
        _ => None,
    }
}

fn with_chain(chain: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = chain.iter().flat_map(|one| [&length(one.len())[..], one].concat()).collect();
    let certificates = [&length(list.len())[..], &list].concat();
    records(&[message(HELLO, &hello()), message(CERTIFICATE, &certificates), message(DONE, b"")].concat())
}

/// A hello that claims sixteen megabytes, then a record that claims 65,535 bytes.
fn bogus_lengths() -> Vec<u8> {
    let mut lying = message(HELLO, &hello());
    lying[1..4].fill(0xff);
    [&records(&lying)[..], &[HANDSHAKE, 3, 3, 0xff, 0xff], b"short"].concat()
}

/// TLS 1.2 with `TLS_RSA_WITH_AES_128_CBC_SHA`, no session and no extensions.
fn hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0x00, 0x2f, 0]);
    body
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &length(body.len()), body].concat()
}

/// A length in three bytes.
fn length(bytes: usize) -> [u8; 3] {
    let [_, rest @ ..] = (bytes as u32).to_be_bytes();
    rest
}

fn records(messages: &[u8]) -> Vec<u8> {
    let record = |fragment: &[u8]| [&[HANDSHAKE, 3, 3][..], &(fragment.len() as u16).to_be_bytes(), fragment].concat();
    messages.chunks(FRAGMENT_BYTES_MAX).flat_map(record).collect()
}
