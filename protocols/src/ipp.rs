//! IPP: what a printer says of itself.
//!
//! In: the answer to Get-Printer-Attributes, in a body of HTTP. Out: facts under `ipp`. The head is whole as in HTTP, the body when the
//! attributes came up to their end.
//!
//! IPP carries every request in a POST; this one reads, as every client does before it shows a printer, and sends no job. Only what was
//! asked for becomes a fact: where a printer stands and whose it is was not.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, FieldDef, ProbeKey, Safety, Sections, Value};

use crate::conversation::{Conversation, PRODUCT, Peer};
use crate::protocol::{Decoded, Protocol};
use crate::{charset, greeting, http};

ksig_schema::fields! {
    /// Status code of the HTTP answer that carries the attributes.
    ///
    /// Example: `200`.
    HTTP_STATUS: Int = "ipp.http_status";

    /// `Server` of the HTTP answer.
    ///
    /// Source: RFC 9110 section 10.2.4. Example: `CUPS/2.4 IPP/2.1`.
    SERVER: Text = "ipp.server";

    /// Status code of the operation: 0 to 255 for success.
    ///
    /// Absent when the body is no message of IPP.
    /// Source: RFC 8011 section 4.1.6, appendix B. Example: `0`.
    STATUS: Int = "ipp.status", body;

    /// Value of an attribute, by its name; several values in wire order. Numbers and truth values as text.
    ///
    /// Only of the attributes that were asked for: those of the fields below, `printer-kind` and `printer-more-info`.
    /// Source: RFC 8011 section 5.4. Example: `ipp.attribute["printer-make-and-model"]` is `ACME AC-10`.
    ATTRIBUTE: Text = "ipp.attribute", many, keyed, body;

    /// Maker and model in one text.
    ///
    /// Source: RFC 8011 section 5.4.9, `printer-make-and-model`. Example: `ACME AC-10`.
    MAKE_AND_MODEL: Text = "ipp.make_and_model", body;

    /// Device id of IEEE 1284: as it came but for the serial number, or one of its entries.
    ///
    /// The entries have short and long names, which mean the same: `["MFG"]` and `["MANUFACTURER"]`, `["MDL"]` and `["MODEL"]`, `["CMD"]`
    /// and `["COMMAND SET"]`, `["CLS"]` and `["CLASS"]`, `["DES"]` and `["DESCRIPTION"]`. `MFG` is who made the device, which need not be
    /// whose name it bears. The serial number stands in `ipp.serial` alone.
    /// Source: IEEE 1284-2000 section 7.6; PWG 5107.2. Example: `MFG:ACME;MDL:AC-10;CLS:PRINTER;`, `ipp.device_id["MDL"]` is `AC-10`.
    DEVICE_ID: Text = "ipp.device_id", keyed, whole, key_names(KEY_NAMES), body;

    /// Serial number in the device id.
    ///
    /// Source: IEEE 1284-2000 section 7.6, `SERIALNUMBER` or `SN`. Example: `00000000`.
    SERIAL: Text = "ipp.serial", body, redact, machine(Serial);

    /// What the administrator calls the printer for people.
    ///
    /// Source: RFC 8011 section 5.4.6, `printer-info`. Example: `ACME AC-10`.
    INFO: Text = "ipp.info", body;

    /// Name under which the printer announces itself.
    ///
    /// Source: PWG 5100.14 section 5.4, `printer-dns-sd-name`. Example: `ACME AC-10`.
    DNS_SD_NAME: Text = "ipp.dns_sd_name", body;

    /// Versions of the firmware's parts, in the order of `ipp.firmware_name`.
    ///
    /// Source: PWG 5110.1, `printer-firmware-string-version`. Example: `1.20`.
    FIRMWARE: Text = "ipp.firmware", many, body;

    /// Names of the firmware's parts.
    ///
    /// Source: PWG 5110.1, `printer-firmware-name`. Example: `main`.
    FIRMWARE_NAME: Text = "ipp.firmware_name", many, body;

    /// Where the printer takes requests.
    ///
    /// Source: RFC 8011 section 5.4.1, `printer-uri-supported`. Example: `ipp://192.0.2.1/ipp/print`.
    URI_SUPPORTED: Text = "ipp.uri_supported", many, body;

    /// Versions of IPP that the printer speaks.
    ///
    /// Source: RFC 8011 section 5.4.14, `ipp-versions-supported`. Example: `2.0`.
    VERSIONS: Text = "ipp.versions", many, body;

    /// Unique name of the printer.
    ///
    /// Source: PWG 5100.13, `printer-uuid`. Example: `urn:uuid:00000000-0000-0000-0000-000000000000`.
    UUID: Text = "ipp.uuid", body, redact, machine(Uuid);
}

/// Short names in device ids, and the long one that each means.
const KEY_NAMES: &[(&str, &str)] = &[
    ("mfg", "manufacturer"),
    ("mdl", "model"),
    ("cmd", "command set"),
    ("cls", "class"),
    ("des", "description"),
    ("sn", "serialnumber"),
    ("sern", "serialnumber"),
    ("serial", "serialnumber"),
];

/// What is asked for, and the field that it fills; without one it stands in `ipp.attribute` alone.
static ASKED: &[(&str, Option<&FieldDef>)] = &[
    ("printer-make-and-model", Some(&MAKE_AND_MODEL)),
    ("printer-device-id", Some(&DEVICE_ID)),
    ("printer-info", Some(&INFO)),
    ("printer-dns-sd-name", Some(&DNS_SD_NAME)),
    ("printer-firmware-string-version", Some(&FIRMWARE)),
    ("printer-firmware-name", Some(&FIRMWARE_NAME)),
    ("printer-uri-supported", Some(&URI_SUPPORTED)),
    ("ipp-versions-supported", Some(&VERSIONS)),
    ("printer-uuid", Some(&UUID)),
    ("printer-kind", None),
    ("printer-more-info", None),
];

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "ipp.printer_attributes",
    root: "ipp",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Stream,
    ports: &[631],
    tls_ports: &[],
    inside_tls: true,
    doc: "Asks what the printer is: Get-Printer-Attributes of /ipp/print, which every client sends before it shows a printer. No job, no \
          user name. IPP carries it in a POST; it changes nothing. RFC 8011 section 4.2.5.",
}];

/// IPP.
pub static PROTOCOL: Protocol = Protocol { name: "ipp", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: None };

/// Most values that are read.
const VALUES_MAX: usize = 1024;

const GET_PRINTER_ATTRIBUTES: [u8; 2] = [0x00, 0x0b];
const OPERATION_GROUP: u8 = 0x01;
const END: u8 = 0x03;
/// Tags below are of groups.
const FIRST_VALUE_TAG: u8 = 0x10;
const INTEGER: u8 = 0x21;
const BOOLEAN: u8 = 0x22;
const ENUM: u8 = 0x23;
const TEXT_WITH_LANGUAGE: u8 = 0x35;
const NAME_WITH_LANGUAGE: u8 = 0x36;
const KEYWORD: u8 = 0x44;
const URI: u8 = 0x45;
const CHARSET: u8 = 0x47;
const LANGUAGE: u8 = 0x48;

fn begin(_: &ConstructorDef, _: &str, peer: &Peer) -> Box<dyn Conversation> {
    let host = http::host(peer);
    let body = question(&host);
    let head = format!(
        "POST /ipp/print HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {PRODUCT}/{} (+{})\r\nContent-Type: application/ipp\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION"),
        peer.identity.shown(),
        body.len()
    );
    http::exchange([head.into_bytes(), body].concat())
}

/// Version 1.1, which every printer takes; request 1.
fn question(host: &str) -> Vec<u8> {
    let mut bytes = vec![1, 1];
    bytes.extend_from_slice(&GET_PRINTER_ATTRIBUTES);
    bytes.extend_from_slice(&[0, 0, 0, 1, OPERATION_GROUP]);
    let mut add = |tag: u8, name: &str, value: &str| {
        bytes.push(tag);
        for part in [name, value] {
            let length = u16::try_from(part.len()).expect("our own names and an address are short");
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
    };
    add(CHARSET, "attributes-charset", "utf-8");
    add(LANGUAGE, "attributes-natural-language", "en");
    add(URI, "printer-uri", &format!("ipp://{host}/ipp/print"));
    for (at, (attribute, _)) in ASKED.iter().enumerate() {
        // A value without a name is one more of the attribute before it.
        add(KEYWORD, if at == 0 { "requested-attributes" } else { "" }, attribute);
    }
    bytes.push(END);
    bytes
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let message = http::message::read(received, false, greeting::ended_by_peer(ended));
    let mut decoded = Decoded::default();
    let (Some(status), Some(head)) = (message.status(), &message.head) else { return decoded };
    decoded.facts.push(&HTTP_STATUS, Value::Int(status.into()));
    if let Some(server) = head.values("server").next() {
        decoded.facts.push_read(&SERVER, None, charset::text(server), server);
    }
    let is_ipp = status == 200 && head.values("content-type").next().is_some_and(|kind| kind.starts_with(b"application/ipp"));
    let whole = if is_ipp { attributes(&message.body, &mut decoded.facts) } else { http::whole_body(&message, ended) };
    decoded.complete = Sections { head: head.whole(), body: message.unpacked && whole };
    decoded
}

/// RFC 8010 section 3: version, status, request, then groups of attributes. Whether they came up to their end.
fn attributes(body: &[u8], facts: &mut Facts) -> bool {
    let Some(([_, _, high, low, _, _, _, _], mut rest)) = body.split_first_chunk::<8>() else { return false };
    facts.push(&STATUS, Value::Int(u16::from_be_bytes([*high, *low]).into()));
    let mut name = String::new();
    for _ in 0..VALUES_MAX {
        match rest {
            [] => return false,
            [END, ..] => return true,
            [group, after @ ..] if *group < FIRST_VALUE_TAG => {
                rest = after;
                name.clear();
                continue;
            }
            _ => {}
        }
        let Some(read) = attribute(rest) else { return false };
        rest = read.rest;
        if !read.name.is_empty() {
            name = String::from_utf8_lossy(read.name).into_owned();
        }
        let asked = ASKED.iter().find(|(asked, _)| *asked == name);
        if let (Some((name, field)), Some(text)) = (asked, text(read.tag, read.value)) {
            push(facts, name, *field, text);
        }
    }
    false
}

/// One value of an attribute.
struct Attribute<'a> {
    tag: u8,
    /// Empty for one more value of the attribute before.
    name: &'a [u8],
    value: &'a [u8],
    rest: &'a [u8],
}

fn attribute(bytes: &[u8]) -> Option<Attribute<'_>> {
    let (&tag, rest) = bytes.split_first()?;
    let (name, rest) = counted(rest)?;
    let (value, rest) = counted(rest)?;
    Some(Attribute { tag, name, value, rest })
}

/// Bytes behind their length.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

/// A value as text; absent for values without one (`unknown`, collections, dates and the like).
fn text(tag: u8, value: &[u8]) -> Option<String> {
    match tag {
        INTEGER | ENUM => Some(i32::from_be_bytes(value.try_into().ok()?).to_string()),
        BOOLEAN => Some((value == [1]).to_string()),
        TEXT_WITH_LANGUAGE | NAME_WITH_LANGUAGE => Some(charset::text(counted(counted(value)?.1)?.0)),
        0x40..=0x5f => Some(charset::text(value)),
        _ => None,
    }
}

fn push(facts: &mut Facts, name: &str, field: Option<&'static FieldDef>, text: String) {
    let Some(field) = field else { return facts.push_keyed(&ATTRIBUTE, name, Value::Text(text)) };
    let shown = if field == &DEVICE_ID {
        let (shown, serial) = without_serial(&text);
        if let Some(serial) = serial {
            facts.push(&SERIAL, Value::Text(serial));
        }
        shown
    } else {
        text
    };
    if !field.redact {
        facts.push_keyed(&ATTRIBUTE, name, Value::text(&shown));
    }
    facts.push(field, Value::Text(shown));
}

/// Entries of a device id: what stands before the first colon of each part is its name.
fn entries(id: &str) -> impl Iterator<Item = (&str, String, &str)> {
    id.split_inclusive(';').filter_map(|part| {
        let (name, value) = part.trim_end_matches(';').split_once(':')?;
        Some((part, DEVICE_ID.key(name.trim()), value.trim()))
    })
}

/// The device id without its serial number, and that number.
fn without_serial(id: &str) -> (String, Option<String>) {
    let serial = entries(id).find(|(_, name, _)| name == "serialnumber").map(|(_, _, value)| value.to_string());
    let secret = |part: &str| entries(part).any(|(_, name, _)| name == "serialnumber");
    (id.split_inclusive(';').filter(|part| !secret(part)).collect(), serial)
}

/// The entries of the device id.
fn derive(facts: &mut Facts) {
    let Some(id) = facts.text(DEVICE_ID.name).map(str::to_string) else { return };
    for (_, name, value) in entries(&id).take(32).filter(|(_, name, _)| !name.is_empty()) {
        match name.as_str() {
            "serialnumber" => facts.push(&SERIAL, Value::text(value)),
            _ => facts.push_keyed(&DEVICE_ID, &name, Value::text(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/ippeveprinter-2.4.2.ipp");
    const PROBE: &str = "ipp.printer_attributes()";

    #[test]
    fn a_printer_of_debian_is_read() {
        let response = decoded(PROBE, Ended::Eof, CAPTURE);
        assert_eq!(response.texts("ipp.status"), ["0"]);
        assert_eq!(response.texts("ipp.make_and_model"), ["ACME AC-10"]);
        assert_eq!(response.texts("ipp.attribute.printer-make-and-model"), ["ACME AC-10"]);
        assert_eq!(response.texts("ipp.device_id.MFG"), ["ACME"]);
        assert_eq!(response.texts("ipp.device_id.Manufacturer"), ["ACME"]);
        assert_eq!(response.texts("ipp.device_id.mdl"), ["AC-10"]);
        assert_eq!(response.texts("ipp.uuid").len(), 1);
        assert!(response.texts("ipp.attribute.printer-uuid").is_empty());
        assert!(response.texts("ipp.versions").contains(&"2.0".to_string()));
        assert_eq!(response.complete, Sections::ALL);
    }

    /// An answer made from RFC 8010 section 3.
    fn answer(attributes: &[(u8, &str, &[u8])], end: &[u8]) -> Vec<u8> {
        let mut body = vec![1, 1, 0, 0, 0, 0, 0, 1, OPERATION_GROUP];
        for (tag, name, value) in attributes {
            body.push(*tag);
            for part in [name.as_bytes(), value] {
                body.extend_from_slice(&(part.len() as u16).to_be_bytes());
                body.extend_from_slice(part);
            }
        }
        body.extend_from_slice(end);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.into_bytes(), body].concat()
    }

    #[test]
    fn a_serial_number_is_kept_apart() {
        let id = b"MFG:Apex;MDL:AC-10;SN:12345678;CLS:PRINTER;CMD:PCL,PS;";
        let response = decoded(PROBE, Ended::Eof, &answer(&[(0x41, "printer-device-id", id)], &[END]));
        assert_eq!(response.texts("ipp.device_id"), ["MFG:Apex;MDL:AC-10;CLS:PRINTER;CMD:PCL,PS;"]);
        assert_eq!(response.texts("ipp.attribute.printer-device-id"), ["MFG:Apex;MDL:AC-10;CLS:PRINTER;CMD:PCL,PS;"]);
        assert_eq!(response.texts("ipp.serial"), ["12345678"]);
        assert_eq!(response.texts("ipp.device_id.COMMAND SET"), ["PCL,PS"]);
        assert!(response.texts("ipp.device_id.SN").is_empty());
    }

    #[test]
    fn values_of_every_kind_are_text() {
        let attributes: &[(u8, &str, &[u8])] = &[
            (TEXT_WITH_LANGUAGE, "printer-info", b"\0\x02ja\0\x03\xe3\x83\xab"),
            (0x41, "printer-firmware-string-version", b"1.20"),
            (0x41, "", b"2.0"),
            (INTEGER, "printer-kind", b"\0\0\0\x05"),
            (0x41, "printer-location", b"third floor"),
            (0x13, "printer-dns-sd-name", b""),
        ];
        let response = decoded(PROBE, Ended::Eof, &answer(attributes, &[END]));
        assert_eq!(response.texts("ipp.info"), ["ル"]);
        assert_eq!(response.texts("ipp.firmware"), ["1.20", "2.0"]);
        assert_eq!(response.texts("ipp.attribute.printer-kind"), ["5"]);
        assert!(response.texts("ipp.attribute.printer-location").is_empty());
        assert!(response.texts("ipp.dns_sd_name").is_empty());
        assert_eq!(response.complete, Sections::ALL);
    }

    #[test]
    fn an_answer_without_its_end_proves_no_absence() {
        let cut = decoded(PROBE, Ended::Eof, &answer(&[(0x41, "printer-info", b"ACME")], &[]));
        assert_eq!((cut.texts("ipp.info"), cut.complete), (vec!["ACME".to_string()], Sections { head: true, body: false }));
        let lies = answer(&[], &[0x41, 0xff, 0xff, b'x']);
        assert_eq!(decoded(PROBE, Ended::Eof, &lies).complete, Sections { head: true, body: false });
        let many = answer(&vec![(INTEGER, "printer-kind", &b"\0\0\0\x05"[..]); 3000], &[END]);
        assert_eq!(decoded(PROBE, Ended::Eof, &many).texts("ipp.attribute.printer-kind").len(), VALUES_MAX - 1);
    }

    #[test]
    fn the_question_reads_and_names_no_user() {
        let (sent, _) = talk(PROBE, CAPTURE, 100);
        let text = String::from_utf8_lossy(&sent);
        assert!(text.starts_with("POST /ipp/print HTTP/1.1\r\nHost: 127.0.0.1:8022\r\n"));
        assert!(text.contains("ipp://127.0.0.1:8022/ipp/print") && !text.contains("requesting-user-name"));
        let body = sent.windows(4).position(|window| window == b"\r\n\r\n").map(|at| &sent[at + 4..]).expect("a head");
        assert_eq!(body[..4], [1, 1, 0, 0x0b]);
    }

    #[test]
    fn a_web_page_is_no_printer() {
        let page = decoded(PROBE, Ended::Eof, b"HTTP/1.1 404 Not Found\r\nServer: a\r\n\r\n<html>");
        assert_eq!((page.texts("ipp.http_status"), page.complete), (vec!["404".to_string()], Sections::ALL));
        assert!(page.texts("ipp.status").is_empty());
    }
}
