//! Distinguished names as text, and back.
//!
//! `CN=a,OU=b+OU=c,O=d\, e`: the form of RFC 4514, most specific part first. Attributes without a short name stand as their object id with
//! their bytes in hexadecimal, `1.2.840.113549.1.9.1=#0c03...`.

use x509_parser::prelude::{AttributeTypeAndValue, X509Name};

use crate::charset;

/// Short names that are written.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.17", "POSTALCODE"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
];
/// Most attributes that are written.
const ATTRIBUTES_MAX: usize = 64;

/// A name as text. Absent when it is empty.
pub fn to_text(name: &X509Name) -> Option<String> {
    let parts: Vec<_> = name.iter_rdn().take(ATTRIBUTES_MAX).collect();
    let part = |attributes: Vec<&AttributeTypeAndValue>| attributes.into_iter().map(attribute_text).collect::<Vec<_>>().join("+");
    let text = parts.into_iter().rev().map(|rdn| part(rdn.iter().take(ATTRIBUTES_MAX).collect())).collect::<Vec<_>>().join(",");
    (!text.is_empty()).then_some(text)
}

fn attribute_text(attribute: &AttributeTypeAndValue) -> String {
    let id = attribute.attr_type().to_id_string();
    let value = attribute.attr_value();
    match SHORT_NAMES.iter().find(|(known, _)| *known == id) {
        Some((_, short)) => format!("{short}={}", escape(&string(value.tag().0, value.data))),
        None => {
            let tag = u8::try_from(value.tag().0).unwrap_or_default();
            format!("{id}=#{}", ksig_schema::form::hex_digits(&[&[tag], der_length(value.data.len()).as_slice(), value.data].concat()))
        }
    }
}

/// Text of the string types of ASN.1. BMPString and UniversalString are UCS-2 and UCS-4, the others hold whatever devices put there.
fn string(tag: u32, bytes: &[u8]) -> String {
    match tag {
        30 => charset::decode_as(bytes, encoding_rs::UTF_16BE).text,
        28 => {
            let code = |bytes: &[u8]| bytes.iter().fold(0, |code, byte| code << 8 | u32::from(*byte));
            bytes.chunks_exact(4).map(|bytes| char::from_u32(code(bytes)).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => charset::text(bytes),
    }
}

fn der_length(length: usize) -> Vec<u8> {
    let bytes = length.to_be_bytes();
    match u8::try_from(length) {
        Ok(short) if short < 128 => vec![short],
        _ => {
            let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            let count = u8::try_from(significant.len()).unwrap_or_default();
            [&[0x80 | count], significant.as_slice()].concat()
        }
    }
}

fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        let special = matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') || at == 0 && matches!(c, '#' | ' ') || at == last && c == ' ';
        if special {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// Most specific part first: short name in capitals, value without escapes. Values in hexadecimal are left out.
pub fn attributes(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && found.len() < ATTRIBUTES_MAX {
        let Some((name, after)) = rest.split_once('=') else { break };
        let (value, next) = value(after);
        if !after.starts_with('#') {
            found.push((name.trim().to_ascii_uppercase(), value));
        }
        rest = next;
    }
    found
}

/// The value without escapes, and what follows its separator.
fn value(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            ',' | '+' => return (value, &text[at + 1..]),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_back() {
        let name = "CN=ACME\\, Inc.,OU=b+OU=c,O=\\ d\\\\,1.2.3=#0c0161";
        let pairs = attributes(name);
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("CN", "ACME, Inc."), ("OU", "b"), ("OU", "c"), ("O", " d\\")]);
        assert_eq!(attributes("no equals sign"), []);
        assert_eq!(attributes(""), []);
    }

    #[test]
    fn values_are_escaped() {
        assert_eq!(escape("#a, b "), "\\#a\\, b\\ ");
        assert_eq!(escape(" "), "\\ ");
        assert_eq!(der_length(5), [5]);
        assert_eq!(der_length(300), [0x82, 1, 44]);
    }

    #[test]
    fn old_string_types_are_text() {
        assert_eq!(string(30, b"\x8a\x2d\x5b\x9a"), "設定");
        assert_eq!(string(28, b"\0\0\x8a\x2d\0\0\x5b\x9a"), "設定");
        assert_eq!(string(20, b"Caf\xe9"), "Café");
    }
}
