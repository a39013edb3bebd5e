//! EtherNet/IP: the identity of a device.
//!
//! In: the answer to a ListIdentity. Out: facts under `enip`. It says its own length.
//!
//! ksig sends the one command that every client may send before a session, opens none and closes.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Peer};
use crate::frame::{self, Frame};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Number of the vendor at ODVA: 1 is Rockwell Automation, 47 Omron.
    ///
    /// Source: CIP Networks Library volume 2, table 2-4.4. Example: `1`.
    VENDOR_ID: Int = "enip.vendor_id";

    /// Kind of the device: 2 a drive, 12 a communications adapter, 14 a controller.
    ///
    /// Source: CIP Networks Library volume 1, section 6. Example: `14`.
    DEVICE_TYPE: Int = "enip.device_type";

    /// The vendor's number of the product.
    ///
    /// Source: CIP Networks Library volume 2, table 2-4.4. Example: `54`.
    PRODUCT_CODE: Int = "enip.product_code";

    /// Revision of the firmware, major and minor.
    ///
    /// Source: CIP Networks Library volume 2, table 2-4.4. Example: `20.11`.
    REVISION: Text = "enip.revision";

    /// Name of the product.
    ///
    /// Source: CIP Networks Library volume 2, table 2-4.4. Example: `1756-L61/B LOGIX5561`.
    PRODUCT_NAME: Text = "enip.product_name";

    /// Serial number in eight lower-case hexadecimal digits.
    ///
    /// Source: CIP Networks Library volume 2, table 2-4.4. Example: `00c0ffee`.
    SERIAL: Text = "enip.serial", redact, machine(Serial);
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "enip.list_identity",
    root: "enip",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Stream,
    ports: &[44818],
    tls_ports: &[],
    inside_tls: false,
    doc: "Asks what the device is, as every client does to list what there is, opens no session and closes. CIP Networks Library volume 2, \
          section 2-4.2.",
}];

/// EtherNet/IP.
pub static PROTOCOL: Protocol =
    Protocol { name: "enip", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: None };

const LIST_IDENTITY: u8 = 0x63;
/// Command, length of what follows, session, status, context, options.
const HEAD_BYTES: usize = 24;
const STATUS_AT: usize = 8;
/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024;
/// Kind of the item with the identity.
const IDENTITY: u16 = 0x0c;
/// Version of the protocol and the socket's address, before the identity itself.
const BEFORE_IDENTITY: usize = 2 + 16;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    let mut request = vec![0; HEAD_BYTES];
    request[0] = LIST_IDENTITY;
    frame::ask(Some(request), frame::LIMITS, answer)
}

fn answer(bytes: &[u8]) -> Frame<'_> {
    // Session and status are 0, as asked.
    let foreign = |(at, byte): (usize, &u8)| match at {
        0 => *byte != LIST_IDENTITY,
        1 | 4..12 => *byte != 0,
        _ => false,
    };
    if bytes.iter().take(STATUS_AT + 4).enumerate().any(foreign) {
        return Frame::Foreign;
    }
    let [_, _, low, high, ..] = bytes else { return Frame::Arriving };
    Frame::of(bytes, HEAD_BYTES + usize::from(u16::from_le_bytes([*low, *high])), ANSWER_BYTES_MAX)
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut facts = Facts::default();
    match answer(received).whole().and_then(|answer| read(&answer[HEAD_BYTES..], &mut facts)) {
        Some(()) => Decoded { complete: Sections::ALL, facts },
        None => Decoded::default(),
    }
}

/// How many items there are, then kind, length and content of the first.
fn read(items: &[u8], facts: &mut Facts) -> Option<()> {
    let ([_, _, kind_low, kind_high, low, high], rest) = items.split_first_chunk::<6>()?;
    let item = rest.get(..u16::from_le_bytes([*low, *high]).into())?;
    let (numbers, name) = item.get(BEFORE_IDENTITY..)?.split_first_chunk::<14>()?;
    let [vendor_a, vendor_b, type_a, type_b, code_a, code_b, major, minor, _, _, serial @ ..] = *numbers;
    if u16::from_le_bytes([*kind_low, *kind_high]) != IDENTITY {
        return None;
    }
    let (length, name) = name.split_first()?;
    let name = name.get(..(*length).into())?;
    facts.push(&VENDOR_ID, Value::Int(u16::from_le_bytes([vendor_a, vendor_b]).into()));
    facts.push(&DEVICE_TYPE, Value::Int(u16::from_le_bytes([type_a, type_b]).into()));
    facts.push(&PRODUCT_CODE, Value::Int(u16::from_le_bytes([code_a, code_b]).into()));
    facts.push(&REVISION, Value::Text(format!("{major}.{minor}")));
    facts.push(&SERIAL, Value::Text(format!("{:08x}", u32::from_le_bytes(serial))));
    facts.push_read(&PRODUCT_NAME, None, charset::text(name), name);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::check_cuts;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/cpppo-5.2.5.enip");
    const PROBE: &str = "enip.list_identity()";

    #[test]
    fn a_server_of_cpppo_is_read() {
        let response = decoded(PROBE, Ended::Complete, CAPTURE);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(response.texts("enip.vendor_id"), ["1"]);
        assert_eq!(response.texts("enip.device_type"), ["14"]);
        assert_eq!(response.texts("enip.product_code"), ["54"]);
        assert_eq!(response.texts("enip.revision"), ["20.11"]);
        assert_eq!(response.texts("enip.product_name"), ["1756-L61/B LOGIX5561"]);
        assert_eq!(response.texts("enip.serial").len(), 1);
        let (sent, _) = talk(PROBE, CAPTURE, 1);
        assert_eq!((sent.len(), sent[0]), (HEAD_BYTES, LIST_IDENTITY));
        check_cuts(PROBE, CAPTURE);
    }

    #[test]
    fn answers_that_lie_give_no_facts() {
        let with = |at: usize, byte: u8| {
            let mut bytes = CAPTURE.to_vec();
            bytes[at] = byte;
            decoded(PROBE, Ended::Complete, &bytes).answered()
        };
        // A status, another kind of item, an item and a name longer than there are.
        for (at, byte) in [(STATUS_AT, 1), (HEAD_BYTES + 2, 0), (HEAD_BYTES + 4, 0xff), (HEAD_BYTES + 6 + BEFORE_IDENTITY + 14, 0xff)] {
            assert!(!with(at, byte), "byte {at}");
        }
        assert!(!decoded(PROBE, Ended::Eof, b"HTTP/1.1 400 x\r\n\r\n").answered());
        assert_eq!(answer(b"\x63\0\xff\xff"), Frame::Foreign, "longer than ANSWER_BYTES_MAX");
    }
}
