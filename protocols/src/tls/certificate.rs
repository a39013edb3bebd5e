//! One certificate: DER to facts.

use std::net::IpAddr;

use ksig_schema::{Facts, Time, Value, day_of};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, ParsedExtension, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::{ISSUER, KEY_BITS, NOT_AFTER, NOT_BEFORE, SAN, SERIAL, SHA1, SHA256, SUBJECT, name};
use crate::charset;

/// Longest certificate that is read beyond its hashes.
const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;
/// Most alternative names that are kept.
const NAMES_MAX: usize = 256;

/// Hashes of the bytes, and what they say when they are a certificate.
pub fn push_facts(facts: &mut Facts, der: &[u8]) {
    if der.is_empty() {
        return;
    }
    facts.push(&SHA256, Value::Bytes(Sha256::digest(der).to_vec()));
    facts.push(&SHA1, Value::Bytes(Sha1::digest(der).to_vec()));
    if der.len() > CERTIFICATE_BYTES_MAX {
        return;
    }
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return };
    for (field, name) in [(&SUBJECT, certificate.subject()), (&ISSUER, certificate.issuer())] {
        if let Some(text) = name::to_text(name) {
            facts.push(field, Value::Text(text));
        }
    }
    for name in alternative_names(&certificate) {
        facts.push(&SAN, Value::Text(name));
    }
    for (field, time) in [(&NOT_BEFORE, certificate.validity().not_before), (&NOT_AFTER, certificate.validity().not_after)] {
        if let Some(date) = date(time) {
            facts.push(field, date);
        }
    }
    facts.push(&SERIAL, Value::Text(ksig_schema::form::hex_digits(certificate.raw_serial())));
    if let Some(bits) = key_bits(certificate.public_key()) {
        facts.push(&KEY_BITS, Value::Int(bits));
    }
}

fn alternative_names(certificate: &X509Certificate) -> Vec<String> {
    let names = certificate.iter_extensions().filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    names.flatten().filter_map(general_name).take(NAMES_MAX).collect()
}

fn general_name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => Some(name.to_string()),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(IpAddr::from([a, b, c, d]).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|octets| IpAddr::from(octets).to_string()),
        },
        // Host names in another encoding.
        GeneralName::Invalid(tag, bytes) if tag.0 == 2 => Some(charset::text(bytes)),
        _ => None,
    }
}

fn date(time: ASN1Time) -> Option<Value> {
    let time = Time::from_second(time.timestamp()).ok()?;
    Some(Value::Date(day_of(time)))
}

fn key_bits(key: &SubjectPublicKeyInfo) -> Option<i64> {
    let bits = match key.parsed().ok()? {
        PublicKey::RSA(rsa) => {
            let zeros = rsa.modulus.iter().take_while(|byte| **byte == 0).count();
            let first = rsa.modulus.get(zeros)?;
            8 * (rsa.modulus.len() - zeros) - first.leading_zeros() as usize
        }
        // Points of P-521 are padded to whole bytes.
        PublicKey::EC(point) => match point.key_size() {
            528 => 521,
            bits => bits,
        },
        // RFC 8410: the key of Ed25519 and Ed448 is the bit string itself.
        PublicKey::Unknown(bytes) => match (key.algorithm.algorithm.to_id_string().as_str(), bytes.len()) {
            ("1.3.101.112", 32) => 256,
            ("1.3.101.113", 57) => 456,
            _ => return None,
        },
        _ => return None,
    };
    i64::try_from(bits).ok().filter(|bits| *bits > 0)
}
