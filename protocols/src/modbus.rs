//! Modbus: what a controller says of itself.
//!
//! In: the answer to a Read Device Identification. Out: facts under `modbus`. It says its own length.
//!
//! ksig asks once for the basic and regular identification, reads no register and closes. A server that knows less says what it knows. The
//! question goes to unit 255, the device that has the address, so that a gateway passes nothing on to its serial line.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, FieldDef, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Peer};
use crate::frame::{self, Frame};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Who made the device.
    ///
    /// Source: Modbus Application Protocol 1.1b3 section 6.21, object 0. Example: `Schneider Electric`.
    VENDOR: Text = "modbus.vendor";

    /// Product code of the device.
    ///
    /// Source: Modbus Application Protocol 1.1b3 section 6.21, object 1. Example: `BMX P34 2020`.
    PRODUCT_CODE: Text = "modbus.product_code";

    /// Revision of the device, major and minor.
    ///
    /// Source: Modbus Application Protocol 1.1b3 section 6.21, object 2. Example: `v2.5`.
    REVISION: Text = "modbus.revision";

    /// Web site of the vendor.
    ///
    /// Absent for a device with the basic identification alone.
    /// Source: Modbus Application Protocol 1.1b3 section 6.21, object 3. Example: `https://www.example.com/`.
    VENDOR_URL: Text = "modbus.vendor_url";

    /// Name of the product.
    ///
    /// Absent for a device with the basic identification alone.
    /// Source: Modbus Application Protocol 1.1b3 section 6.21, object 4. Example: `Modicon M340`.
    PRODUCT_NAME: Text = "modbus.product_name";

    /// Name of the model.
    ///
    /// Absent for a device with the basic identification alone.
    /// Source: Modbus Application Protocol 1.1b3 section 6.21, object 5. Example: `M340`.
    MODEL_NAME: Text = "modbus.model_name";

    /// Why the device refuses: 1 it has no such function, 2 no such object, 3 the question is wrong, 10 and 11 a gateway has no way.
    ///
    /// Absent when it does not.
    /// Source: Modbus Application Protocol 1.1b3 section 7. Example: `1`.
    EXCEPTION: Int = "modbus.exception";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "modbus.identification",
    root: "modbus",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Benign,
    delivery: Delivery::Stream,
    ports: &[502],
    tls_ports: &[802],
    inside_tls: true,
    doc: "Reads the device's identification, once, from unit 255, and closes. No register and no coil is read or written. Modbus Application \
          Protocol 1.1b3 section 6.21.",
}];

/// Modbus.
pub static PROTOCOL: Protocol =
    Protocol { name: "modbus", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: None };

/// Transaction `ks`, protocol 0, five bytes: unit, function 43, kind 14, basic and regular objects, from the first one.
const REQUEST: [u8; 11] = [b'k', b's', 0, 0, 0, 5, 0xff, READ, DEVICE_IDENTIFICATION, 2, 0];
const READ: u8 = 43;
const DEVICE_IDENTIFICATION: u8 = 14;
const REFUSED: u8 = 0x80;
/// Transaction, protocol, length.
const HEAD_BYTES: usize = 6;
/// Longest message: Modbus Messaging on TCP/IP 1.0b section 4.1.
const MESSAGE_BYTES_MAX: usize = 260;

/// Fields by the number of their object.
static OBJECTS: [&FieldDef; 6] = [&VENDOR, &PRODUCT_CODE, &REVISION, &VENDOR_URL, &PRODUCT_NAME, &MODEL_NAME];

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    frame::ask(Some(REQUEST.to_vec()), frame::LIMITS, message)
}

/// A message with our transaction.
fn message(bytes: &[u8]) -> Frame<'_> {
    if bytes.iter().zip(&REQUEST[..4]).any(|(byte, known)| byte != known) {
        return Frame::Foreign;
    }
    let Some([.., high, low]) = bytes.first_chunk::<HEAD_BYTES>() else { return Frame::Arriving };
    match u16::from_be_bytes([*high, *low]).into() {
        0..=2 => Frame::Foreign,
        length => Frame::of(bytes, HEAD_BYTES + length, MESSAGE_BYTES_MAX),
    }
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut facts = Facts::default();
    let whole = match message(received).whole().map(|message| &message[HEAD_BYTES + 1..]) {
        Some([function, code]) if *function == READ | REFUSED => {
            facts.push(&EXCEPTION, Value::Int((*code).into()));
            true
        }
        // Kind, level asked for, level known, whether more follows, which, how many.
        Some([READ, DEVICE_IDENTIFICATION, _, _, more, _, count, objects @ ..]) => {
            read_objects(*count, objects, &mut facts).is_some() && *more == 0
        }
        _ => return Decoded::default(),
    };
    Decoded { complete: if whole { Sections::ALL } else { Sections::default() }, facts }
}

/// Number, length and value of each. Absent when one is cut.
fn read_objects(count: u8, mut objects: &[u8], facts: &mut Facts) -> Option<()> {
    for _ in 0..count {
        let ([number, length], rest) = objects.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_at_checked((*length).into())?;
        if let Some(field) = OBJECTS.get(usize::from(*number)) {
            facts.push_read(field, None, charset::text(value), value);
        }
        objects = rest;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::check_cuts;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/pymodbus-3.16.1.modbus");
    const PROBE: &str = "modbus.identification()";

    #[test]
    fn a_server_of_pymodbus_is_read() {
        let response = decoded(PROBE, Ended::Complete, CAPTURE);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(response.texts("modbus.vendor"), ["ACME"]);
        assert_eq!(response.texts("modbus.product_code"), ["AC-10"]);
        assert_eq!(response.texts("modbus.revision"), ["1.20"]);
        assert_eq!(response.texts("modbus.model_name"), ["AC-10 model"]);
        assert_eq!(talk(PROBE, CAPTURE, 1).0, REQUEST);
        check_cuts(PROBE, CAPTURE);
    }

    fn answer(unit_and_rest: &[u8]) -> Vec<u8> {
        [b"ks\0\0\0", &[unit_and_rest.len() as u8][..], unit_and_rest].concat()
    }

    #[test]
    fn a_refusal_is_read() {
        let response = decoded(PROBE, Ended::Complete, &answer(&[0xff, 0xab, 1]));
        assert_eq!((response.texts("modbus.exception"), response.complete), (vec!["1".to_string()], Sections::ALL));
    }

    #[test]
    fn what_is_cut_or_goes_on_proves_no_absence() {
        for (bytes, vendor) in [
            (&[0xff, 43, 14, 2, 1, 0xff, 3, 1, 0, 1, b'A'][..], 1),
            (&[0xff, 43, 14, 2, 1, 0, 0, 2, 0, 1, b'A'], 1),
            (&[0xff, 43, 14, 2, 1, 0, 0, 1, 0, 9, b'A'], 0),
        ] {
            let response = decoded(PROBE, Ended::Complete, &answer(bytes));
            assert_eq!((response.texts("modbus.vendor").len(), response.complete), (vendor, Sections::default()));
        }
    }

    #[test]
    fn other_answers_give_no_facts() {
        for bytes in [&b"HTTP/1.1 400 x\r\n\r\n"[..], b"ks\0\0\0\x02\xff\x2b", b"xx\0\0\0\x03\xff\xab\x01", b"ks\0\0\0\x03\xff\x03\x01"] {
            assert!(!decoded(PROBE, Ended::Complete, bytes).answered(), "{bytes:?}");
        }
        assert_eq!(message(b"ks\0\0\0\xff"), Frame::Foreign, "one byte more than MESSAGE_BYTES_MAX");
    }
}
