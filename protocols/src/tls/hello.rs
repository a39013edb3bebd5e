//! The one message that ksig says in TLS: a ClientHello that old and new servers answer with their certificate in clear.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::conversation::Peer;

/// Cipher suites that are offered, with the names of their IANA registry. Weak ones too: old devices know no other, and no connection
/// comes about. Certificates of RSA, ECDSA and DSA keys are all asked for.
pub const CIPHERS: &[(u16, &str)] = &[
    (0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA"),
    (0x0038, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA"),
    (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0x0041, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"),
    (0x0084, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA"),
    (0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
    (0x0004, "TLS_RSA_WITH_RC4_128_MD5"),
    (0x0015, "TLS_DHE_RSA_WITH_DES_CBC_SHA"),
    (0x0009, "TLS_RSA_WITH_DES_CBC_SHA"),
    (0x0008, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA"),
    (0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5"),
    (0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
];

/// Extensions: supported groups (x25519, P-256, P-384, P-521), point formats (uncompressed), signature algorithms of TLS 1.2 down to SHA-1
/// with DSA. No server name, because an address is none (RFC 6066 section 3). No TLS 1.3, in which certificates are not in clear.
const EXTENSIONS: &[u8] = &[
    0x00, 0x0a, 0, 10, 0, 8, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x18, 0x00, 0x19, // groups
    0x00, 0x0b, 0, 2, 1, 0, // point formats
    0x00, 0x0d, 0, 26, 0, 24, 0x04, 0x03, 0x05, 0x03, 0x06, 0x03, 0x08, 0x04, 0x08, 0x05, 0x08, 0x06, 0x04, 0x01, 0x05, 0x01, 0x06, 0x01,
    0x02, 0x01, 0x02, 0x03, 0x02, 0x02, // signature algorithms
];

/// The record with the hello. Shorter than 256 bytes: old load balancers hang on hellos of 256 to 511 (RFC 7685).
pub fn client_hello(peer: &Peer) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&random(peer));
    body.push(0); // no session
    body.extend_from_slice(&length_16(2 * CIPHERS.len()));
    for (cipher, _) in CIPHERS {
        body.extend_from_slice(&cipher.to_be_bytes());
    }
    body.extend_from_slice(&[1, 0]); // no compression
    body.extend_from_slice(&length_16(EXTENSIONS.len()));
    body.extend_from_slice(EXTENSIONS);
    // Record: handshake, written as TLS 1.0, which servers of any version take. Message: ClientHello.
    let mut record = vec![22, 3, 1];
    record.extend_from_slice(&length_16(body.len() + 4));
    record.extend_from_slice(&[1, 0]);
    record.extend_from_slice(&length_16(body.len()));
    record.extend_from_slice(&body);
    record
}

/// No key is ever made from it, so it may be a function of the peer and hold no clock.
fn random(peer: &Peer) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(peer.identity.contact.as_bytes());
    match peer.address {
        IpAddr::V4(address) => hash.update(address.octets()),
        IpAddr::V6(address) => hash.update(address.octets()),
    }
    hash.update(peer.port.to_be_bytes());
    hash.finalize().into()
}

/// Lengths of our own short message.
fn length_16(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("the hello is shorter than 256 bytes, which a test holds").to_be_bytes()
}
