use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::ScanIdentity;
use crate::tests::{Facted, decoded, talk};

const PROBE: &str = "tls.hello()";
const TLS12: &[u8] = include_bytes!("../../captures/openssl-3.0.tls12");
const TLS10: &[u8] = include_bytes!("../../captures/openssl-3.0.tls10");
const NOT_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";
const REFUSED: &[u8] = b"\x15\x03\x01\x00\x02\x02\x28";

/// A handshake record around a message.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let message = [&[kind, 0], &(body.len() as u16).to_be_bytes()[..], body].concat();
    [&[22, 3, 3], &(message.len() as u16).to_be_bytes()[..], &message].concat()
}

/// The records of a capture, cut into records of `size` bytes each.
fn refragmented(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut handshake = Vec::new();
    let mut rest = bytes;
    while let [22, _, _, high, low, after @ ..] = rest {
        let (fragment, next) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        handshake.extend_from_slice(fragment);
        rest = next;
    }
    handshake.chunks(size).flat_map(|chunk| [&[22, 3, 3, 0, chunk.len() as u8], chunk].concat()).collect()
}

#[test]
fn the_certificate_of_a_server_is_read() {
    let response = decoded(PROBE, Ended::Complete, TLS12);
    assert_eq!(response.complete, Sections::ALL);
    assert_eq!(response.texts("tls.version"), ["TLSv1.2"]);
    assert_eq!(response.texts("tls.cipher"), ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]);
    assert_eq!(
        response.texts("tls.cert.subject"),
        ["1.2.840.113549.1.9.1=#161261646d696e4061636d652e6578616d706c65,CN=ACME 設定,OU=a+OU=b,O=ACME\\, Inc.,L=Tokyo,C=JP"]
    );
    assert_eq!(response.texts("tls.cert.subject.cn"), ["ACME 設定"]);
    assert_eq!(response.texts("tls.cert.subject.o"), ["ACME, Inc."]);
    assert_eq!(response.texts("tls.cert.subject.ou"), ["a", "b"]);
    assert_eq!(response.texts("tls.cert.issuer"), response.texts("tls.cert.subject"));
    assert_eq!(response.texts("tls.cert.self_signed"), ["true"]);
    assert_eq!(response.texts("tls.cert.san"), ["router.acme.example", "192.0.2.1", "2001:db8::1"]);
    assert_eq!(response.texts("tls.cert.key_bits"), ["2048"]);
    assert_eq!(response.texts("tls.cert.serial"), ["2a"]);
    assert_eq!(response.texts("tls.cert.not_before"), ["2026-11-23"]);
    assert_eq!(response.texts("tls.cert.not_after"), ["2036-11-20"]);
    // MD5 of `771,49199,65281-11`.
    let ja3s = response.facts.get("tls.ja3s", None)[0].as_bytes().map(ksig_schema::form::hex_digits);
    assert_eq!(ja3s.as_deref(), Some("303951d4c50efb2e991652225a6f02b1"));
    let sha256 = response.facts.get("tls.cert.sha256", None)[0].as_bytes().map(ksig_schema::form::hex_digits);
    assert_eq!(sha256.as_deref(), Some("363ef2859294ffcdbcb6fc7241b071cf392ac15be353e1ecb166abef16ef2549"));
    assert_eq!(response.texts("tls.chain_length"), ["1"]);
    assert!(response.texts("tls.alert").is_empty());
}

#[test]
fn an_old_server_is_read_too() {
    let response = decoded(PROBE, Ended::Complete, TLS10);
    assert_eq!(response.texts("tls.version"), ["TLSv1.0"]);
    assert_eq!(response.texts("tls.cert.key_bits"), ["1024"]);
    assert_eq!(response.texts("tls.cert.subject"), ["CN=acme"]);
}

#[test]
fn records_may_be_cut_anywhere() {
    for size in [1, 7, 255] {
        let cut = refragmented(TLS12, size);
        assert_eq!(decoded(PROBE, Ended::Complete, &cut).facts, decoded(PROBE, Ended::Complete, TLS12).facts);
    }
}

#[test]
fn the_hello_is_short_and_names_no_host() {
    let (sent, step) = talk(PROBE, TLS12, 1);
    assert_eq!(step, Step::Done);
    assert!(sent.len() < 256, "{}", sent.len());
    assert_eq!(sent[..3], [22, 3, 1]);
    assert_eq!(usize::from(u16::from_be_bytes([sent[3], sent[4]])), sent.len() - 5);
    assert_eq!(usize::from(u16::from_be_bytes([sent[7], sent[8]])), sent.len() - 9);
    assert!(sent.windows(4).all(|bytes| bytes != b"127."));
}

#[test]
fn an_alert_says_why() {
    let response = decoded(PROBE, Ended::TlsAlert, REFUSED);
    assert_eq!(response.texts("tls.alert"), ["handshake_failure"]);
    assert!(response.answered() && response.complete == Sections::default());
    let warned = [b"\x15\x03\x03\x00\x02\x01\x70", TLS12].concat();
    assert_eq!(decoded(PROBE, Ended::Complete, &warned).texts("tls.alert"), ["unrecognized_name"]);
    assert_eq!(decoded(PROBE, Ended::Complete, &warned).texts("tls.version"), ["TLSv1.2"]);
}

#[test]
fn the_end_says_how_the_server_took_it() {
    let ended = |bytes: &[u8], state| {
        let identity = ScanIdentity { contact: String::new() };
        let peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 443, tls: true, identity: &identity };
        let mut conversation = crate::conversation(&ProbeKey::new("tls.hello"), &peer).expect("a conversation");
        conversation.next(&[], PeerState::Open);
        conversation.next(bytes, state);
        conversation.ended(bytes, state)
    };
    assert_eq!(ended(TLS12, PeerState::Open), Ended::Complete);
    assert_eq!(ended(REFUSED, PeerState::Open), Ended::TlsAlert);
    assert_eq!(ended(REFUSED, PeerState::Closed), Ended::TlsAlert);
    assert_eq!(ended(&TLS12[..50], PeerState::Closed), Ended::Eof);
    assert_eq!(ended(&TLS12[..50], PeerState::Silent), Ended::Timeout);
}

#[test]
fn other_protocols_give_no_facts() {
    for bytes in [NOT_TLS, b"SSH-2.0-x\r\n", b"", b"\x16\x03\x03\xff\xff"] {
        assert!(!decoded(PROBE, Ended::Eof, bytes).answered());
    }
    assert_eq!(talk(PROBE, NOT_TLS, 1).1, Step::Done);
    assert_eq!(talk(PROBE, b"\x16\x03\x03\xff\xff", 1).1, Step::Done);
}

#[test]
fn a_chain_that_was_cut_still_gives_its_first_certificate() {
    let response = decoded(PROBE, Ended::Complete, TLS12);
    let der = certificate_of(TLS12);
    let long: Vec<u8> = (0..500).flat_map(|_| [&[0, (der.len() >> 8) as u8, der.len() as u8], der.as_slice()].concat()).collect();
    let body = [&(long.len() as u32).to_be_bytes()[1..], &long].concat();
    let message = [&[11], &(body.len() as u32).to_be_bytes()[1..], &body].concat();
    let bytes: Vec<u8> =
        message.chunks(16 * 1024).flat_map(|chunk| [&[22, 3, 3], &(chunk.len() as u16).to_be_bytes()[..], chunk].concat()).collect();
    let cut = decoded(PROBE, Ended::Cap, &bytes);
    assert_eq!(cut.texts("tls.cert.sha256"), response.texts("tls.cert.sha256"));
    assert!(cut.texts("tls.chain_length").is_empty() && cut.complete == Sections::default());
    assert_eq!(talk(PROBE, &bytes, 1000).1, Step::Done);
}

fn certificate_of(capture: &[u8]) -> Vec<u8> {
    let mut flight = Flight::default();
    flight.look(capture);
    records::chain(&flight.certificates.expect("a certificate message"))[0].to_vec()
}

#[test]
fn malformed_certificates_give_their_hashes_only() {
    let der = certificate_of(TLS12);
    for at in 0..der.len() {
        let mut broken = der.clone();
        broken[at] ^= 0xff;
        let body = [&[0, 0, 0, 0, (broken.len() >> 8) as u8, broken.len() as u8], broken.as_slice()].concat();
        let response = decoded(PROBE, Ended::Complete, &record(11, &body));
        assert_eq!(response.texts("tls.cert.sha1").len(), 1);
    }
    let none = decoded(PROBE, Ended::Complete, &record(11, &[0, 0, 0]));
    assert_eq!((none.texts("tls.chain_length"), none.texts("tls.cert.sha1").len()), (vec!["0".to_string()], 0));
}

#[test]
fn a_subject_alone_gives_its_parts() {
    let mut facts = Facts::default();
    facts.push(&SUBJECT, Value::text("CN=ACME AC-1,OU=b+OU=a,O=ACME\\, Inc."));
    let response = crate::partial_response(ProbeKey::new("tls.hello"), facts, Ended::Complete, true);
    assert_eq!(response.texts("tls.cert.subject.cn"), ["ACME AC-1"]);
    assert_eq!(response.texts("tls.cert.subject.ou"), ["b", "a"]);
    assert!(response.texts("tls.cert.self_signed").is_empty());
}
