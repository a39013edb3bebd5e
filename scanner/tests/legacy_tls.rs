//! Servers that are older than TLS 1.2, or know broken ciphers alone, are read when ksig is built with the feature `legacy-tls`.

#![cfg(feature = "legacy-tls")]

mod support;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;

use ksig_protocols::ScanIdentity;
use ksig_scanner::{PortUse, ScanOptions, Stop, TargetSet};
use ksig_schema::probe::NoFollowUps;
use ksig_schema::{Ended, Time, Transport};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::provider::Provider;
use openssl::rsa::Rsa;
use openssl::ssl::{SslAcceptor, SslMethod, SslVersion};
use openssl::x509::{X509, X509NameBuilder};
use support::{LIMITS, plan, scanned};

/// A server with a short key that speaks that version alone, by those ciphers; its port.
fn server(version: SslVersion, ciphers: &'static str) -> u16 {
    let key = PKey::from_rsa(Rsa::generate(1024).expect("a key")).expect("a key");
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "acme").expect("a name");
    let name = name.build();
    let mut certificate = X509::builder().expect("a certificate");
    certificate.set_subject_name(&name).expect("a name");
    certificate.set_issuer_name(&name).expect("a name");
    certificate.set_pubkey(&key).expect("a key");
    certificate.set_not_before(&Asn1Time::days_from_now(0).expect("today")).expect("today");
    certificate.set_not_after(&Asn1Time::days_from_now(2).expect("a day")).expect("a day");
    certificate.sign(&key, MessageDigest::sha1()).expect("a signature");
    let mut acceptor = SslAcceptor::mozilla_intermediate(SslMethod::tls_server()).expect("an acceptor");
    acceptor.set_security_level(0);
    acceptor.set_options(openssl::ssl::SslOptions::ALL);
    acceptor.clear_options(openssl::ssl::SslOptions::NO_SSL_MASK);
    acceptor.set_cipher_list(ciphers).expect(ciphers);
    acceptor.set_private_key(&key).expect("a key");
    acceptor.set_certificate(&certificate.build()).expect("a certificate");
    acceptor.set_min_proto_version(Some(version)).expect("a version");
    acceptor.set_max_proto_version(Some(version)).expect("a version");
    let acceptor = acceptor.build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let _old_ciphers = Provider::try_load(None, "legacy", true).expect("OpenSSL was built with it");
        for stream in listener.incoming().flatten() {
            // One that does not come to terms has failed: its client comes again by other means.
            let Ok(mut tls) = acceptor.accept(stream) else { continue };
            let mut request = [0; 1024];
            let _ = tls.read(&mut request);
            let _ = tls.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 19\r\n\r\n<title>ACME</title>");
            let _ = tls.shutdown();
        }
    });
    port
}

#[test]
fn old_versions_and_broken_ciphers_are_read() {
    for (version, ciphers) in [
        (SslVersion::TLS1, "AES128-SHA"),
        (SslVersion::TLS1_1, "DES-CBC3-SHA"),
        (SslVersion::TLS1, "RC4-MD5"),
        (SslVersion::SSL3, "RC4-SHA"),
        (SslVersion::TLS1_2, "RC4-SHA"),
        (SslVersion::TLS1_2, "AES128-SHA"),
    ] {
        let port = server(version, ciphers);
        let targets = TargetSet::of_addresses([IpAddr::V4(Ipv4Addr::LOCALHOST)]).expect("a target");
        let ports = vec![PortUse { port, service: Some("https".parse().expect("a service")) }];
        let identity = ScanIdentity { contact: "https://scan.example/".into() };
        let mut options = ScanOptions::new(targets, ports, identity, Arc::new(|| Time::UNIX_EPOCH));
        options.no_blocklist = true;
        options.limits = LIMITS;
        let (_, hosts) = scanned(&options, &plan(&["http.get(\"/\")"], &[]), Arc::new(NoFollowUps), &Stop::new(), |_| {});
        let [page] = hosts[0].observations.as_slice() else { panic!("{version:?} {ciphers}: {:?}", hosts[0].observations) };
        assert_eq!((page.ended, page.transport), (Ended::Complete, Transport::Tls), "{version:?} {ciphers}");
        assert_eq!(ksig_protocols::decode(page).facts.text("http.html.title"), Some("ACME"), "{version:?} {ciphers}");
    }
}
