//! LDAP: what a directory says of itself.
//!
//! In: the answer to a search of the root DSE, one entry and its end. Out: facts under `ldap`. The answer is whole at the message that ends
//! the search.
//!
//! ksig searches without a bind, so without any name, for the entry that every server has for its clients (RFC 4512 section 5.1), asks for
//! attributes by name, and closes. What names the organisation is kept apart as redacted facts.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, FieldDef, ProbeKey, Safety, Sections, Value};

use crate::ber::{self, Reader};
use crate::charset;
use crate::conversation::{Conversation, Limits, Peer};
use crate::frame::{self, Frame};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// The attributes of the root DSE as they came: names and values in BER, for patterns that look for bytes.
    ///
    /// Absent when the server shows no entry.
    /// Source: RFC 4511 section 4.5.2, `PartialAttributeList`. Example: bytes with `vendorName`.
    ROOT: Bytes = "ldap.root", body, redact;

    /// Values of an attribute by its name, but for the naming contexts.
    ///
    /// Source: RFC 4512 section 5.1. Example: `ldap.attribute["objectClass"]` is `OpenLDAProotDSE`.
    ATTRIBUTE: Text = "ldap.attribute", many, keyed, body;

    /// Who made the server.
    ///
    /// Source: RFC 3045 section 2.1. Example: `Samba Team (https://www.samba.org)`.
    VENDOR_NAME: Text = "ldap.vendor_name", body;

    /// Version of the server, in its maker's words.
    ///
    /// Source: RFC 3045 section 2.2. Example: `389-Directory/1.4.4.11`.
    VENDOR_VERSION: Text = "ldap.vendor_version", body;

    /// Versions of LDAP that the server speaks.
    ///
    /// Source: RFC 4512 section 5.1.5. Example: `3`.
    VERSIONS: Text = "ldap.versions", many, body;

    /// Names of the trees that the server holds: they name the organisation.
    ///
    /// Source: RFC 4512 section 5.1.2. Example: `dc=example,dc=com`.
    NAMING_CONTEXTS: Text = "ldap.naming_contexts", many, body, redact;

    /// How the search ended: 0 well, 1 it needs a bind, 50 it is not allowed.
    ///
    /// Source: RFC 4511 section 4.1.9. Example: `0`.
    RESULT_CODE: Int = "ldap.result_code", body;
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "ldap.root_dse",
    root: "ldap",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Stream,
    ports: &[389],
    tls_ports: &[636],
    inside_tls: true,
    doc: "Searches for the root DSE, which says what the server is and can do, without a bind, and closes. No name, no password; clients do \
          so before they bind. RFC 4512 section 5.1.",
}];

/// LDAP.
pub static PROTOCOL: Protocol =
    Protocol { name: "ldap", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: None };

/// Bounds of the search: Active Directory lists some 200 object ids.
const LIMITS: Limits = Limits { response_bytes_max: 64 * 1024, ..frame::LIMITS };

/// What is asked for, and the field that it fills beside `ldap.attribute`; a redacted one alone.
static ASKED: &[(&str, Option<&FieldDef>)] = &[
    ("objectClass", None),
    ("vendorName", Some(&VENDOR_NAME)),
    ("vendorVersion", Some(&VENDOR_VERSION)),
    ("supportedLDAPVersion", Some(&VERSIONS)),
    ("namingContexts", Some(&NAMING_CONTEXTS)),
    ("supportedCapabilities", None),
    ("supportedControl", None),
    ("supportedExtension", None),
    ("domainFunctionality", None),
    ("forestFunctionality", None),
    ("domainControllerFunctionality", None),
];

/// Messages of one search: the entry, its end, and few that a server may put between.
const MESSAGES_MAX: usize = 8;
/// Most values that are read.
const VALUES_MAX: usize = 1024;

const BOOLEAN: u8 = 0x01;
const ENUMERATED: u8 = 0x0a;
const SET: u8 = 0x31;
/// `[APPLICATION 3]`, `4` and `5`: RFC 4511 section 4.5.
const SEARCH: u8 = 0x63;
const ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;
/// `present [7]` of a filter.
const PRESENT: u8 = 0x87;
const MESSAGE_ID: i32 = 1;
const SECONDS_MAX: i32 = 5;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    frame::ask(Some(question()), LIMITS, search)
}

/// RFC 4511 section 4.5.1: the empty name alone, any object class, at most one entry.
fn question() -> Vec<u8> {
    let attributes: Vec<u8> = ASKED.iter().flat_map(|(name, _)| ber::write(ber::OCTETS, name.as_bytes())).collect();
    let parts = [
        ber::write(ber::OCTETS, b""),
        ber::write(ENUMERATED, &[0]),
        ber::write(ENUMERATED, &[0]),
        ber::write_integer(1),
        ber::write_integer(SECONDS_MAX),
        ber::write(BOOLEAN, &[0]),
        ber::write(PRESENT, b"objectClass"),
        ber::write(ber::SEQUENCE, &attributes),
    ];
    ber::write(ber::SEQUENCE, &[ber::write_integer(MESSAGE_ID), ber::write(SEARCH, &parts.concat())].concat())
}

/// The messages up to the one that ends the search.
fn search(bytes: &[u8]) -> Frame<'_> {
    let mut rest = bytes;
    for _ in 0..MESSAGES_MAX {
        if rest.first().is_some_and(|tag| *tag != ber::SEQUENCE) {
            return Frame::Foreign;
        }
        let mut messages = Reader::new(rest);
        let Some((_, message)) = messages.next() else { return Frame::Arriving };
        rest = messages.rest();
        match operation(message) {
            Some((SEARCH_DONE, _)) => return Frame::Whole(&bytes[..bytes.len() - rest.len()]),
            Some(_) => {}
            None => return Frame::Foreign,
        }
    }
    Frame::Foreign
}

/// Tag and content of what a message is about.
fn operation(message: &[u8]) -> Option<(u8, &[u8])> {
    let mut parts = Reader::new(message);
    parts.integer()?;
    parts.next()
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let Some(search) = search(received).whole() else { return decoded };
    let mut whole = true;
    for (_, message) in Reader::new(search) {
        match operation(message) {
            Some((ENTRY, entry)) => whole &= read_entry(entry, &mut decoded.facts).is_some(),
            Some((SEARCH_DONE, result)) => match Reader::new(result).expect(ENUMERATED).and_then(ber::integer) {
                Some(code) => decoded.facts.push(&RESULT_CODE, Value::Int(code)),
                None => whole = false,
            },
            _ => {}
        }
    }
    decoded.complete = Sections { head: true, body: whole };
    decoded
}

/// The name, and a list of attributes, each with a set of values. Absent when it is not as it should be, or has too many values.
fn read_entry(entry: &[u8], facts: &mut Facts) -> Option<()> {
    let mut entry = Reader::new(entry);
    entry.expect(ber::OCTETS)?;
    let list = entry.expect(ber::SEQUENCE)?;
    facts.push(&ROOT, Value::Bytes(list.to_vec()));
    let mut values_left = VALUES_MAX;
    let mut attributes = Reader::new(list);
    while !attributes.rest().is_empty() {
        let mut attribute = Reader::new(attributes.expect(ber::SEQUENCE)?);
        let name = attribute.expect(ber::OCTETS)?;
        // Names are of any case: RFC 4512 section 2.5.
        let asked = ASKED.iter().find(|(asked, _)| asked.as_bytes().eq_ignore_ascii_case(name));
        let mut values = Reader::new(attribute.expect(SET)?);
        while !values.rest().is_empty() {
            let value = values.expect(ber::OCTETS)?;
            values_left = values_left.checked_sub(1)?;
            let Some((name, field)) = asked else { continue };
            if let Some(field) = field {
                facts.push_read(field, None, charset::text(value), value);
            }
            if !field.is_some_and(|field| field.redact) {
                facts.push_read(&ATTRIBUTE, Some(name), charset::text(value), value);
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::check_cuts;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/openldap-2.5.13.ldap");
    const PROBE: &str = "ldap.root_dse()";

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded(PROBE, Ended::Complete, CAPTURE);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(response.texts("ldap.result_code"), ["0"]);
        assert_eq!(response.texts("ldap.versions"), ["3"]);
        assert_eq!(response.texts("ldap.naming_contexts"), ["dc=nodomain"]);
        assert_eq!(response.texts("ldap.attribute.objectClass"), ["top", "OpenLDAProotDSE"]);
        assert!(response.texts("ldap.attribute.namingContexts").is_empty() && response.texts("ldap.vendor_name").is_empty());
        assert_eq!(response.texts("ldap.root").len(), 1);
        check_cuts(PROBE, CAPTURE);
    }

    /// Made from RFC 4511 section 4.5.2.
    fn answer(attributes: &[(&str, &[&[u8]])], code: u8) -> Vec<u8> {
        let attribute = |(name, values): &(&str, &[&[u8]])| {
            let values: Vec<u8> = values.iter().flat_map(|value| ber::write(ber::OCTETS, value)).collect();
            ber::write(ber::SEQUENCE, &[ber::write(ber::OCTETS, name.as_bytes()), ber::write(SET, &values)].concat())
        };
        let list: Vec<u8> = attributes.iter().flat_map(attribute).collect();
        let message = |operation: Vec<u8>| ber::write(ber::SEQUENCE, &[ber::write_integer(MESSAGE_ID), operation].concat());
        let entry = ber::write(ENTRY, &[ber::write(ber::OCTETS, b""), ber::write(ber::SEQUENCE, &list)].concat());
        let done = ber::write(SEARCH_DONE, &[&[ENUMERATED, 1, code][..], b"\x04\0\x04\0"].concat());
        [message(entry), message(done)].concat()
    }

    #[test]
    fn vendors_are_read_in_any_case_of_their_names() {
        let response =
            decoded(PROBE, Ended::Complete, &answer(&[("VENDORNAME", &[b"ACME"]), ("vendorVersion", &[b"1.2"]), ("other", &[b"x"])], 0));
        assert_eq!((response.texts("ldap.vendor_name"), response.texts("ldap.vendor_version")), (vec!["ACME".into()], vec!["1.2".into()]));
        assert_eq!(response.texts("ldap.attribute.vendorname"), ["ACME"]);
        assert!(response.texts("ldap.attribute.other").is_empty());
    }

    #[test]
    fn values_are_counted() {
        let many: Vec<&[u8]> = vec![b"1.2"; VALUES_MAX + 1];
        let response = decoded(PROBE, Ended::Complete, &answer(&[("supportedControl", &many)], 0));
        assert_eq!(response.texts("ldap.attribute.supportedControl").len(), VALUES_MAX);
        assert_eq!(response.complete, Sections { head: true, body: false });
    }

    #[test]
    fn other_answers_give_no_facts() {
        let message = ber::write(ber::SEQUENCE, &[ber::write_integer(1), ber::write(ENTRY, b"")].concat());
        for bytes in [&b"HTTP/1.1 400 x\r\n\r\n"[..], b"\x30\x84\xff\xff\xff\xff", b"\x30\x02\x05\0", &message.repeat(MESSAGES_MAX + 1)] {
            assert!(!decoded(PROBE, Ended::Complete, bytes).answered(), "{bytes:?}");
        }
    }

    #[test]
    fn the_question_is_a_search_without_a_name() {
        let (sent, _) = talk(PROBE, CAPTURE, 9);
        let (tag, search) = Reader::new(&sent).next().and_then(|(_, message)| operation(message)).expect("a message");
        assert_eq!(tag, SEARCH);
        let mut parts = Reader::new(search);
        assert_eq!((parts.expect(ber::OCTETS), parts.expect(ENUMERATED)), (Some(&b""[..]), Some(&[0][..])));
    }
}
