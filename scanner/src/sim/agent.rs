//! A simulated SNMP agent: what it answers to a request.
//!
//! In: the objects of a device as its population file gives them, and a request. Out: one message; absent for what is no request, for a
//! version that the agent does not speak, and for any community but `public`. Only reads are understood: there is nothing to be written.

use ksig_protocols::ber::{self, Reader};

use super::template::{Filling, Template};

/// What an agent knows.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    /// Of which versions it answers reads: 0 is version 1, 1 is version 2c.
    pub versions: Vec<i64>,
    /// Absent for an agent without version 3.
    pub engine: Option<Template>,
    /// By their ids, as dotted numbers.
    pub objects: Vec<(String, Value)>,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Template),
    Number(i32),
    ObjectId(Vec<u32>),
}

const GET: u8 = 0xa0;
const RESPONSE: u8 = 0xa2;
const REPORT: u8 = 0xa8;
/// Of version 1: the object is not there (RFC 1157 section 4.1.2).
const NO_SUCH_NAME: i32 = 2;
/// Of version 2c: a value that is not there (RFC 3416 section 3).
const NO_SUCH_OBJECT: u8 = 0x80;
/// `usmStatsUnknownEngineIDs.0`, the report with which every engine answers a discovery (RFC 3414 section 3.2).
const UNKNOWN_ENGINE_IDS: [u32; 11] = [1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0];

impl Agent {
    /// The answer to a request.
    pub fn answer(&self, request: &[u8], filling: &Filling) -> Option<Vec<u8>> {
        let mut message = Reader::new(Reader::new(request).expect(ber::SEQUENCE)?);
        match message.integer()? {
            3 => self.report(message, filling),
            version if self.versions.contains(&version) => self.response(i32::try_from(version).ok()?, message, filling),
            _ => None,
        }
    }

    /// One read in version 1 or 2c.
    fn response(&self, version: i32, mut message: Reader, filling: &Filling) -> Option<Vec<u8>> {
        let community = message.expect(ber::OCTETS).filter(|community| *community == b"public")?;
        let mut pdu = Reader::new(message.expect(GET)?);
        let id = i32::try_from(pdu.integer()?).ok()?;
        let asked = pdu.integer().and(pdu.integer()).and(pdu.expect(ber::SEQUENCE))?;
        let (mut bindings, mut missing) = (Vec::new(), 0);
        let mut reader = Reader::new(asked);
        let mut place = 0;
        while let Some(binding) = reader.expect(ber::SEQUENCE) {
            place += 1;
            let id = Reader::new(binding).expect(ber::OBJECT_ID)?;
            let known = ber::object_id(id).and_then(|id| self.objects.iter().find(|(known, _)| *known == id));
            let value = known.map(|(_, value)| value.write(filling)).unwrap_or_else(|| {
                missing = if missing == 0 { place } else { missing };
                ber::write(NO_SUCH_OBJECT, b"")
            });
            bindings.extend(ber::write(ber::SEQUENCE, &[ber::write(ber::OBJECT_ID, id), value].concat()));
        }
        let (status, index, bindings) = match missing {
            place if version == 0 && place > 0 => (NO_SUCH_NAME, place, asked.to_vec()),
            _ => (0, 0, bindings),
        };
        let pdu = [ber::write_integer(id), ber::write_integer(status), ber::write_integer(index), ber::write(ber::SEQUENCE, &bindings)];
        let parts = [ber::write_integer(version), ber::write(ber::OCTETS, community), ber::write(RESPONSE, &pdu.concat())];
        Some(ber::write(ber::SEQUENCE, &parts.concat()))
    }

    /// The answer to the discovery of an engine: RFC 3414 section 4.
    fn report(&self, mut message: Reader, filling: &Filling) -> Option<Vec<u8>> {
        let engine = ber::write(ber::OCTETS, &self.engine.as_ref()?.fill(filling));
        let header = ber::write(ber::SEQUENCE, message.expect(ber::SEQUENCE)?);
        let empty = ber::write(ber::OCTETS, b"");
        let once = ber::write_integer(1);
        let security =
            ber::write(ber::SEQUENCE, &[engine.clone(), once.clone(), once.clone(), empty.clone(), empty.clone(), empty.clone()].concat());
        let counter = ber::write(ber::SEQUENCE, &[ber::write_object_id(&UNKNOWN_ENGINE_IDS), once.clone()].concat());
        let none = ber::write_integer(0);
        let report = ber::write(REPORT, &[none.clone(), none.clone(), none, ber::write(ber::SEQUENCE, &counter)].concat());
        let scoped = ber::write(ber::SEQUENCE, &[engine, empty, report].concat());
        Some(ber::write(ber::SEQUENCE, &[ber::write_integer(3), header, ber::write(ber::OCTETS, &security), scoped].concat()))
    }
}

impl Value {
    fn write(&self, filling: &Filling) -> Vec<u8> {
        match self {
            Value::Text(template) => ber::write(ber::OCTETS, &template.fill(filling)),
            Value::Number(number) => ber::write_integer(*number),
            Value::ObjectId(arcs) => ber::write_object_id(arcs),
        }
    }
}
