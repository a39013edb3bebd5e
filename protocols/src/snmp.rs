//! SNMP: what an agent says of its device, and who made its engine.
//!
//! In: messages, one after the other. Out: facts under `snmp`, and under `snmp.engine` for the engine. An answer is whole when one message
//! came whole, whatever it says: an agent that refuses a question has answered.
//!
//! `snmp.engine()` is the discovery with which every manager of version 3 begins; it needs no name and no password. `snmp.get` reads four
//! objects with the community `public`, which is a credential in form: review. All signatures share one read of all of them, in version 1
//! first, because some agents drop version 2c without an answer; in version 1 one object that is missing spoils the read, so it asks only
//! for what every agent has to have (RFC 1213).

use ksig_schema::probe::{ArgumentKind, ParameterDef, Place};
use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, ProbeKey, Safety, Sections, Value};

use crate::ber::{self, Reader};
use crate::charset;
use crate::conversation::{Conversation, Limits, Peer, PeerState, Step};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Version of SNMP in which the agent answered `snmp.get` first: `1` or `2c`.
    ///
    /// Source: RFC 3584 section 4. Example: `1`.
    VERSION: Text = "snmp.version";

    /// What the agent says of the device: hardware and software, in words of its maker.
    ///
    /// Absent when it gave none; empty when it is empty.
    /// Source: RFC 3418, `sysDescr`. Example: `Linux acme 6.1.0-13-amd64 #1 SMP`.
    SYS_DESCR: Text = "snmp.sys_descr", alias("snmp.sysDescr.0");

    /// The maker's own id of the kind of device. Below `1.3.6.1.4.1.` stands the maker's enterprise number.
    ///
    /// Source: RFC 3418, `sysObjectID`; IANA Private Enterprise Numbers. Example: `1.3.6.1.4.1.8072.3.2.10`.
    SYS_OBJECT_ID: Oid = "snmp.sys_object_id", alias("snmp.sysObjectID.0");

    /// Name that the administrator gave to the device.
    ///
    /// Source: RFC 3418, `sysName`. Example: `acme.example.com`.
    SYS_NAME: Text = "snmp.sys_name", alias("snmp.sysName.0"), redact;

    /// Layers on which the device offers services, as a sum of powers of two: 2 for a bridge, 4 for a router, 64 for a host.
    ///
    /// Source: RFC 3418, `sysServices`. Example: `72`.
    SYS_SERVICES: Int = "snmp.sys_services", alias("snmp.sysServices.0");

    /// Id of the agent's engine. It often holds a hardware or network address.
    ///
    /// Source: RFC 3411 section 5, `SnmpEngineID`. Example: 12 bytes.
    ENGINE_ID: Bytes = "snmp.engine.id", redact, machine(Engine);

    /// Enterprise number of who made the engine.
    ///
    /// Absent when the engine id is shorter than five bytes.
    /// Source: RFC 3411 section 5; IANA Private Enterprise Numbers. Example: `8072`.
    ENGINE_ENTERPRISE: Int = "snmp.engine.enterprise";

    /// How the rest of the engine id is made: `ipv4`, `ipv6`, `mac`, `text`, `octets`, or the number of a maker's own way.
    ///
    /// Absent for the old form, which has no such mark.
    /// Source: RFC 3411 section 5. Example: `mac`.
    ENGINE_FORMAT: Text = "snmp.engine.format";

    /// First three bytes of the hardware address in the engine id, which say who made the interface.
    ///
    /// Absent when the engine id holds none.
    /// Source: RFC 3411 section 5; IEEE Registration Authority. Example: `00:00:5e`.
    ENGINE_OUI: Text = "snmp.engine.oui";

    /// How often the engine has been started since its id was given.
    ///
    /// Source: RFC 3414 section 2.2.2. Example: `17`.
    ENGINE_BOOTS: Int = "snmp.engine.boots";

    /// Seconds since the engine was started last.
    ///
    /// Source: RFC 3414 section 2.2.2. Example: `86400`.
    ENGINE_TIME: Int = "snmp.engine.time";
}

/// What `snmp.get` reads: its name in RFC 3418, and its object id without `1.3.6.1.2.1.1.`.
const OBJECTS: &[(&str, [u32; 2])] = &[("sysDescr.0", [1, 0]), ("sysObjectID.0", [2, 0]), ("sysName.0", [5, 0]), ("sysServices.0", [7, 0])];
/// The same names, for the compiler.
const OBJECT_NAMES: &[&str] = &["sysDescr.0", "sysObjectID.0", "sysName.0", "sysServices.0"];
/// `1.3.6.1.2.1.1`: the system group.
const SYSTEM: [u32; 7] = [1, 3, 6, 1, 2, 1, 1];

static CONSTRUCTORS: &[ConstructorDef] = &[
    ConstructorDef {
        name: "snmp.get",
        root: "snmp",
        never_fills: &["snmp.engine"],
        parameters: &[
            ParameterDef {
                name: "community",
                kind: ArgumentKind::Name(&["public"]),
                place: Place::Named,
                required: true,
                part_of_key: false,
                usual: "public",
                doc: "The community that is tried. There is no other.",
            },
            ParameterDef {
                name: "versions",
                kind: ArgumentKind::Names(&["v1", "v2c"]),
                place: Place::Named,
                required: false,
                part_of_key: false,
                usual: "v1",
                doc: "In which versions the signature expects an answer. Version 1 is tried first, then 2c, whatever stands here.",
            },
            ParameterDef {
                name: "oids",
                kind: ArgumentKind::Names(OBJECT_NAMES),
                place: Place::Named,
                required: false,
                part_of_key: false,
                usual: "sysDescr.0",
                doc: "What the signature reads. All of the list is asked for, whatever stands here.",
            },
        ],
        safety: Safety::Review,
        delivery: Delivery::Datagrams,
        ports: &[161],
        tls_ports: &[],
        inside_tls: false,
        doc: "Reads sysDescr, sysObjectID, sysName and sysServices with the community `public`, in version 1, then in 2c if that was not \
              answered. A community is a credential in form, so this needs an attestation. RFC 1157 section 4.1.2, RFC 3416 section 4.2.1.",
    },
    ConstructorDef {
        name: "snmp.engine",
        root: "snmp.engine",
        never_fills: &[],
        parameters: &[],
        safety: Safety::Benign,
        delivery: Delivery::Datagrams,
        ports: &[161],
        tls_ports: &[],
        inside_tls: false,
        doc: "Asks for the id of the engine, as every manager of version 3 does first: an empty read without a user name, which the agent \
              answers with a report. RFC 3414 section 4.",
    },
];

/// SNMP.
pub static PROTOCOL: Protocol = Protocol { name: "snmp", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: None };

/// Bounds of a question and its answer: two datagrams at most.
const LIMITS: Limits = Limits { response_bytes_max: 8 * 1024, first_byte_ms: 3_000, silence_ms: 3_000, total_ms: 10_000 };

const GET: u8 = 0xa0;
const RESPONSE: u8 = 0xa2;
const REPORT: u8 = 0xa8;
const VERSION_1: i32 = 0;
const VERSION_2C: i32 = 1;
const VERSION_3: i32 = 3;
/// `ksig` as a number; nothing depends on it, because each question has a socket of its own.
const REQUEST_ID: i32 = 0x6b73_6967;

fn begin(constructor: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    Box::new(Exchange { versions: versions(constructor.name), sent: 0 })
}

/// The versions in which a probe asks, each where the one before was refused or met silence; its answers are of no other.
fn versions(constructor: &str) -> &'static [i32] {
    match constructor {
        "snmp.engine" => &[VERSION_3],
        _ => &[VERSION_1, VERSION_2C],
    }
}

fn question(version: i32) -> Vec<u8> {
    if version == VERSION_3 { discovery() } else { read_all(version) }
}

fn pdu(kind: u8, bindings: &[u8]) -> Vec<u8> {
    let none = ber::write_integer(0);
    ber::write(kind, &[ber::write_integer(REQUEST_ID), none.clone(), none, ber::write(ber::SEQUENCE, bindings)].concat())
}

/// One read of the whole list.
fn read_all(version: i32) -> Vec<u8> {
    let binding = |arcs: &[u32; 2]| {
        let id = ber::write_object_id(&[&SYSTEM[..], arcs].concat());
        ber::write(ber::SEQUENCE, &[id, ber::write(ber::NULL, b"")].concat())
    };
    let bindings: Vec<u8> = OBJECTS.iter().flat_map(|(_, arcs)| binding(arcs)).collect();
    let parts = [ber::write_integer(version), ber::write(ber::OCTETS, b"public"), pdu(GET, &bindings)];
    ber::write(ber::SEQUENCE, &parts.concat())
}

/// RFC 3414 section 4: an empty read, reportable, with no engine id and no user.
fn discovery() -> Vec<u8> {
    const LARGEST: i32 = 65_507;
    const REPORTABLE: &[u8] = &[4];
    const USER_BASED: i32 = 3;
    let empty = || ber::write(ber::OCTETS, b"");
    let header =
        [ber::write_integer(REQUEST_ID), ber::write_integer(LARGEST), ber::write(ber::OCTETS, REPORTABLE), ber::write_integer(USER_BASED)];
    let security = [empty(), ber::write_integer(0), ber::write_integer(0), empty(), empty(), empty()];
    let scoped = [empty(), empty(), pdu(GET, b"")];
    let parts = [
        ber::write_integer(VERSION_3),
        ber::write(ber::SEQUENCE, &header.concat()),
        ber::write(ber::OCTETS, &ber::write(ber::SEQUENCE, &security.concat())),
        ber::write(ber::SEQUENCE, &scoped.concat()),
    ];
    ber::write(ber::SEQUENCE, &parts.concat())
}

struct Exchange {
    versions: &'static [i32],
    sent: usize,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        let answers: Vec<Message> = messages(received, self.versions).collect();
        let refused = answers.iter().filter(|answer| answer.refused).count();
        if refused < answers.len() || state == PeerState::Closed {
            return Step::Done;
        }
        let next = self.versions.get(self.sent).filter(|_| refused >= self.sent || state == PeerState::Silent);
        match next {
            Some(version) => {
                self.sent += 1;
                Step::Send(question(*version))
            }
            None if state == PeerState::Open && refused < self.versions.len() => Step::Read,
            None => Step::Done,
        }
    }

    fn limits(&self) -> Limits {
        LIMITS
    }
}

/// One message of an agent.
#[derive(Debug, Default)]
struct Message<'a> {
    version: i64,
    /// It is an error instead of an answer.
    refused: bool,
    /// Pairs of object id and value.
    bindings: &'a [u8],
    /// Of version 3.
    engine: Option<Engine<'a>>,
}

#[derive(Debug)]
struct Engine<'a> {
    id: &'a [u8],
    boots: i64,
    time: i64,
}

/// The first messages, one a version at most, up to one that is none of these versions.
fn messages<'a>(bytes: &'a [u8], versions: &'static [i32]) -> impl Iterator<Item = Message<'a>> {
    let mut reader = Reader::new(bytes);
    let asked = |message: &Message| versions.iter().any(|version| message.version == i64::from(*version));
    std::iter::from_fn(move || message(reader.expect(ber::SEQUENCE)?).filter(asked)).take(versions.len())
}

fn message(content: &[u8]) -> Option<Message<'_>> {
    let mut reader = Reader::new(content);
    let version = reader.integer()?;
    if version == i64::from(VERSION_3) {
        return message_of_version_3(reader);
    }
    if !(0..=1).contains(&version) {
        return None;
    }
    reader.expect(ber::OCTETS)?;
    let (refused, bindings) = answer(reader.expect(RESPONSE)?)?;
    Some(Message { version, refused, bindings, engine: None })
}

/// RFC 3412 section 6: header, security parameters, and what is asked. Only what stands in clear is read.
fn message_of_version_3(mut reader: Reader<'_>) -> Option<Message<'_>> {
    reader.expect(ber::SEQUENCE)?;
    let mut security = Reader::new(Reader::new(reader.expect(ber::OCTETS)?).expect(ber::SEQUENCE)?);
    let engine = Engine { id: security.expect(ber::OCTETS)?, boots: security.integer()?, time: security.integer()? };
    let mut scoped = Reader::new(reader.expect(ber::SEQUENCE)?);
    scoped.expect(ber::OCTETS)?;
    scoped.expect(ber::OCTETS)?;
    let (kind, _) = scoped.next()?;
    matches!(kind, REPORT | RESPONSE).then(|| Message { version: 3, engine: Some(engine), ..Message::default() })
}

/// Whether a response is an error, and its bindings.
fn answer(pdu: &[u8]) -> Option<(bool, &[u8])> {
    let mut reader = Reader::new(pdu);
    let (_, status, _) = (reader.integer()?, reader.integer()?, reader.integer()?);
    Some((status != 0, reader.expect(ber::SEQUENCE)?))
}

fn decode(probe: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let answers: Vec<Message> = messages(received, versions(&probe.constructor)).collect();
    let Some(first) = answers.iter().find(|answer| !answer.refused).or(answers.first()) else { return decoded };
    decoded.complete = Sections::ALL;
    if let Some(engine) = &first.engine {
        if !engine.id.is_empty() {
            decoded.facts.push(&ENGINE_ID, Value::Bytes(engine.id.to_vec()));
        }
        decoded.facts.push(&ENGINE_BOOTS, Value::Int(engine.boots));
        decoded.facts.push(&ENGINE_TIME, Value::Int(engine.time));
    } else {
        decoded.facts.push(&VERSION, Value::text(if first.version == i64::from(VERSION_1) { "1" } else { "2c" }));
    }
    if !first.refused {
        push_objects(&mut decoded.facts, first.bindings);
    }
    decoded
}

/// The objects of the list; what stands beside them in an answer was not asked for.
fn push_objects(facts: &mut Facts, bindings: &[u8]) {
    let mut reader = Reader::new(bindings);
    while let Some(binding) = reader.expect(ber::SEQUENCE) {
        let mut pair = Reader::new(binding);
        let (Some(id), Some((tag, content))) = (pair.expect(ber::OBJECT_ID).and_then(ber::object_id), pair.next()) else { continue };
        let object = OBJECTS.iter().position(|(_, [group, instance])| id == format!("1.3.6.1.2.1.1.{group}.{instance}"));
        match (object, tag) {
            (Some(0), ber::OCTETS) => facts.push_read(&SYS_DESCR, None, charset::text(content), content),
            (Some(1), ber::OBJECT_ID) => {
                if let Some(id) = ber::object_id(content) {
                    facts.push(&SYS_OBJECT_ID, Value::Text(id));
                }
            }
            (Some(2), ber::OCTETS) => facts.push_read(&SYS_NAME, None, charset::text(content), content),
            (Some(3), ber::INTEGER) => {
                if let Some(sum) = ber::integer(content) {
                    facts.push(&SYS_SERVICES, Value::Int(sum));
                }
            }
            // `noSuchObject` and its like have tags of their own.
            _ => {}
        }
    }
}

/// What the engine id says: RFC 3411 section 5. Its first bit tells the newer form, in which the fifth byte is the format.
fn derive(facts: &mut Facts) {
    let Some(Value::Bytes(id)) = facts.get(ENGINE_ID.name, None).first().cloned() else { return };
    let [a, b, c, d, rest @ ..] = id.as_slice() else { return };
    let Some((format, rest)) = rest.split_first() else { return };
    facts.push(&ENGINE_ENTERPRISE, Value::Int(u32::from_be_bytes([a & 0x7f, *b, *c, *d]).into()));
    if a & 0x80 == 0 {
        return;
    }
    let name = match format {
        1 => "ipv4".into(),
        2 => "ipv6".into(),
        3 => "mac".into(),
        4 => "text".into(),
        5 => "octets".into(),
        own => own.to_string(),
    };
    facts.push(&ENGINE_FORMAT, Value::Text(name));
    if let (3, [x, y, z, _, _, _, ..]) = (format, rest) {
        facts.push(&ENGINE_OUI, Value::Text(format!("{x:02x}:{y:02x}:{z:02x}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Facted, decoded, talk};

    const GOT: &[u8] = include_bytes!("../captures/net-snmp-5.9.3-get.snmp");
    const ENGINE: &[u8] = include_bytes!("../captures/net-snmp-5.9.3-engine.snmp");

    #[test]
    fn an_agent_of_debian_is_read() {
        let response = decoded("snmp.get()", Ended::Complete, GOT);
        assert_eq!(response.texts("snmp.version"), ["1"]);
        assert!(response.texts("snmp.sys_descr")[0].starts_with("Linux "));
        assert_eq!(response.texts("snmp.sys_object_id"), ["1.3.6.1.4.1.8072.3.2.10"]);
        assert_eq!(response.texts("snmp.sysObjectID.0"), ["1.3.6.1.4.1.8072.3.2.10"]);
        assert_eq!(response.texts("snmp.sys_name"), ["acme.example.com"]);
        assert_eq!(response.texts("snmp.sys_services"), ["72"]);
        assert_eq!(response.complete, Sections::ALL);
    }

    #[test]
    fn an_answer_of_a_version_that_was_not_asked_is_none() {
        assert!(!decoded("snmp.get()", Ended::Complete, ENGINE).answered());
        assert!(!decoded("snmp.engine()", Ended::Complete, GOT).answered());
    }

    #[test]
    fn an_engine_of_debian_is_read() {
        let response = decoded("snmp.engine()", Ended::Complete, ENGINE);
        assert_eq!(response.texts("snmp.engine.enterprise"), ["8072"]);
        assert!(response.texts("snmp.version").is_empty(), "there is no other version for this question");
        assert_eq!(response.texts("snmp.engine.boots").len(), 1);
        assert_eq!(response.complete, Sections::ALL);
    }

    #[test]
    fn an_engine_id_tells_who_made_it() {
        let mut facts = Facts::default();
        // The enterprise of the example in RFC 3411 appendix, with a hardware address of the range for documentation.
        facts.push(&ENGINE_ID, Value::Bytes(b"\x80\x00\x02\xb8\x03\x00\x00\x5e\x00\x53\x01".to_vec()));
        derive(&mut facts);
        assert_eq!(facts.get("snmp.engine.enterprise", None), [Value::Int(696)]);
        assert_eq!((facts.text("snmp.engine.format"), facts.text("snmp.engine.oui")), (Some("mac"), Some("00:00:5e")));
        let mut old = Facts::default();
        old.push(&ENGINE_ID, Value::Bytes(vec![0, 0, 2, 0xb8, 3, 0, 0, 0, 0, 0, 0, 0]));
        derive(&mut old);
        assert_eq!((old.get("snmp.engine.enterprise", None), old.text("snmp.engine.format")), (&[Value::Int(696)][..], None));
    }

    fn response(version: i32, status: i32, binding: &[u8]) -> Vec<u8> {
        let none = ber::write_integer(0);
        let pdu = ber::write(RESPONSE, &[none.clone(), ber::write_integer(status), none, ber::write(ber::SEQUENCE, binding)].concat());
        ber::write(ber::SEQUENCE, &[ber::write_integer(version), ber::write(ber::OCTETS, b"public"), pdu].concat())
    }

    fn described(text: &[u8]) -> Vec<u8> {
        let id = ber::write_object_id(&[1, 3, 6, 1, 2, 1, 1, 1, 0]);
        ber::write(ber::SEQUENCE, &[id, ber::write(ber::OCTETS, text)].concat())
    }

    #[test]
    fn version_2c_is_asked_where_version_1_is_refused_or_met_with_silence() {
        let v1 = read_all(VERSION_1);
        let v2c = read_all(VERSION_2C);
        let refused = response(VERSION_1, 2, b"");
        let both = [refused.clone(), response(VERSION_2C, 0, &described(b"ACME"))].concat();
        assert_eq!(talk("snmp.get()", &both, 1), ([v1.clone(), v2c.clone()].concat(), Step::Done));
        assert_eq!(talk("snmp.get()", &response(VERSION_1, 0, &described(b"ACME")), 3), (v1.clone(), Step::Done));
        let mut silent = Exchange { versions: versions("snmp.get"), sent: 0 };
        assert_eq!(silent.next(b"", PeerState::Open), Step::Send(v1));
        assert_eq!(silent.next(b"", PeerState::Open), Step::Read);
        assert_eq!(silent.next(b"", PeerState::Silent), Step::Send(v2c));
        assert_eq!(silent.next(b"", PeerState::Silent), Step::Done);
        let answer = decoded("snmp.get()", Ended::Complete, &both);
        assert_eq!((answer.texts("snmp.version"), answer.texts("snmp.sys_descr")), (vec!["2c".to_string()], vec!["ACME".to_string()]));
        let refused = decoded("snmp.get()", Ended::Complete, &refused);
        assert!(refused.texts("snmp.sys_descr").is_empty() && refused.complete == Sections::ALL);
    }

    #[test]
    fn a_description_in_shift_jis_is_text() {
        let words = "ACME ブロードバンドルータ AC-1";
        let bytes = response(VERSION_1, 0, &described(&encoding_rs::SHIFT_JIS.encode(words).0));
        assert_eq!(decoded("snmp.get()", Ended::Complete, &bytes).texts("snmp.sys_descr"), [words]);
    }

    #[test]
    fn what_was_not_asked_for_is_no_fact() {
        let id = ber::write_object_id(&[1, 3, 6, 1, 2, 1, 1, 4, 0]);
        let contact = ber::write(ber::SEQUENCE, &[id, ber::write(ber::OCTETS, b"someone@example.com")].concat());
        let bytes = response(VERSION_1, 0, &[contact, described(b"x")].concat());
        let response = decoded("snmp.get()", Ended::Complete, &bytes);
        assert_eq!(response.facts.len(), 2);
    }

    #[test]
    fn other_bytes_give_no_facts() {
        for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"", b"\x30\x84\xff\xff\xff\xff", &GOT[..20], &[0x30, 3, 2, 1, 9]] {
            assert!(!decoded("snmp.get()", Ended::Timeout, bytes).answered());
        }
    }
}
