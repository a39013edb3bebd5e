//! What may not stay in a log: observations of those who opted out, observations that are too old, and, after a time, values that name one machine.
//!
//! In: an observation and today. Out: its fate. A value of a field marked `redact` is overwritten where it stands in the bytes, length for length, so that
//! everything else decodes as before and the release that identified the device still does.

use ksig_atlas::Fate;
use ksig_scanner::Blocklist;
use ksig_schema::field::MachineName;
use ksig_schema::{FieldDef, Observation, Time, Value};

/// Octets of an SNMP engine's id that tell who made it and not which one it is: enterprise, format, and the maker's part of a hardware address
/// (RFC 3411 section 5).
const ENGINE_MAKER_BYTES: usize = 8;

/// What may not stay.
#[derive(Debug)]
pub struct Rules {
    /// Who opted out.
    pub blocklist: Blocklist,
    /// Observations from before are dropped.
    pub drop_before: Option<Time>,
    /// Observations from before lose what names one machine.
    pub redact_before: Option<Time>,
}

/// Counts beside those of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Observations of those who opted out.
    pub opted_out: u64,
    /// Observations that were too old.
    pub expired: u64,
    /// Values that were overwritten.
    pub redacted: u64,
    /// Values that do not stand in the bytes as they are, such as those of a compressed page: they stay.
    pub not_found: u64,
}

impl Rules {
    /// What becomes of an observation.
    pub fn fate(&self, observation: &Observation, forgotten: &mut Forgotten) -> Fate {
        let before = |limit: Option<Time>| limit.is_some_and(|limit| observation.time < limit);
        if self.blocklist.blocks(observation.address) {
            forgotten.opted_out += 1;
            Fate::Drop
        } else if before(self.drop_before) {
            forgotten.expired += 1;
            Fate::Drop
        } else if before(self.redact_before) {
            redacted(observation, forgotten).map_or(Fate::Keep, |other| Fate::Replace(Box::new(other)))
        } else {
            Fate::Keep
        }
    }
}

/// The observation without what names one machine; absent where nothing had to be overwritten.
fn redacted(observation: &Observation, forgotten: &mut Forgotten) -> Option<Observation> {
    let mut received = observation.received.clone();
    for evidence in ksig_protocols::evidence(std::slice::from_ref(observation)) {
        let facts = evidence.services.iter().flat_map(|service| &service.responses).flat_map(|response| response.facts.iter());
        for fact in facts.filter(|fact| fact.field.redact) {
            for value in &fact.values {
                // What is nearly the whole answer is made of other fields, which are overwritten one by one.
                if value.as_bytes().is_some_and(|bytes| bytes.len() * 2 > received.len()) {
                    continue;
                }
                match overwrite(&mut received, fact.field, value) {
                    Some(true) => forgotten.redacted += 1,
                    Some(false) => {}
                    None => forgotten.not_found += 1,
                }
            }
        }
    }
    (received != observation.received).then(|| Observation { received, ..observation.clone() })
}

/// Overwrites a value wherever it stands. Whether that changed anything; absent where it does not stand there.
fn overwrite(received: &mut [u8], field: &FieldDef, value: &Value) -> Option<bool> {
    let forms = forms(field, value).into_iter().filter(|(found, _)| !found.is_empty());
    for (found, instead) in forms {
        let places: Vec<usize> = memchr::memmem::find_iter(received, &found).collect();
        if !places.is_empty() {
            places.iter().for_each(|at| received[*at..at + found.len()].copy_from_slice(&instead));
            return Some(found != instead);
        }
    }
    None
}

/// How a value may stand in the bytes, each with what is written in its place: as text, or as the bytes that a text in hexadecimal digits tells.
fn forms(field: &FieldDef, value: &Value) -> Vec<(Vec<u8>, Vec<u8>)> {
    let zeros = |bytes: &[u8]| {
        let kept = if field.machine == Some(MachineName::Engine) { ENGINE_MAKER_BYTES.min(bytes.len()) } else { 0 };
        bytes.iter().enumerate().map(|(at, byte)| if at < kept { *byte } else { 0 }).collect::<Vec<u8>>()
    };
    match value {
        Value::Text(text) => {
            let masked = text.bytes().map(|byte| if byte.is_ascii_alphanumeric() || !byte.is_ascii() { b'x' } else { byte }).collect();
            let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-')).collect();
            let bytes: Option<Vec<u8>> = digits.is_ascii().then_some(()).and_then(|()| {
                let pairs = digits.as_bytes().chunks(2);
                pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2)).collect()
            });
            let of_digits = bytes.filter(|bytes| bytes.len() >= 4).map(|bytes| (bytes.clone(), zeros(&bytes)));
            [(text.clone().into_bytes(), masked)].into_iter().chain(of_digits).collect()
        }
        Value::Bytes(bytes) => vec![(bytes.clone(), zeros(bytes))],
        Value::Bool(_) | Value::Int(_) | Value::Date(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use ksig_schema::{Ended, ProbeKey, Transport};

    use super::*;

    fn answer(second: i64, address: &str) -> Observation {
        Observation {
            id: format!("{address}@{second}"),
            host: address.into(),
            address: address.parse().expect("an address"),
            port: 1900,
            transport: Transport::Udp,
            probe: ProbeKey::with("ssdp.msearch", "upnp:rootdevice"),
            sent: String::new(),
            received:
                b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nSERVER: Linux UPnP/1.0\r\nUSN: uuid:5f9ec1b3-ff59::upnp:rootdevice\r\n\r\n"
                    .to_vec(),
            ended: Ended::Complete,
            time: Time::from_second(second).expect("a time"),
        }
    }

    #[test]
    fn each_observation_has_the_fate_that_the_rules_say() {
        let folder = tempfile::tempdir().expect("a folder");
        let list = folder.path().join("opted-out");
        std::fs::write(&list, "127.9.0.0/16\n").expect("a list");
        let at = |second| Some(Time::from_second(second).expect("a time"));
        let rules = Rules { blocklist: Blocklist::read(&list).expect("a list"), drop_before: at(100), redact_before: at(200) };
        let mut forgotten = Forgotten::default();
        assert_eq!(rules.fate(&answer(300, "127.9.0.1"), &mut forgotten), Fate::Drop);
        assert_eq!(rules.fate(&answer(99, "127.1.0.1"), &mut forgotten), Fate::Drop);
        assert_eq!(rules.fate(&answer(300, "127.1.0.1"), &mut forgotten), Fate::Keep);
        let Fate::Replace(without) = rules.fate(&answer(150, "127.1.0.1"), &mut forgotten) else {
            panic!("it keeps what names one machine")
        };
        let said = String::from_utf8(without.received.clone()).expect("text");
        assert!(said.contains("USN: xxxx:xxxxxxxx-xxxx::xxxx:xxxxxxxxxx\r\n") && said.contains("Linux UPnP/1.0"), "{said}");
        assert_eq!(without.received.len(), answer(150, "127.1.0.1").received.len());
        // What is overwritten once stays as it is.
        assert_eq!(rules.fate(&without, &mut forgotten), Fate::Keep);
        assert_eq!(forgotten, Forgotten { opted_out: 1, expired: 1, redacted: 1, not_found: 0 });
    }

    #[test]
    fn a_value_is_found_as_text_and_as_the_bytes_that_its_digits_tell() {
        let serial = |text: &str| Value::text(text);
        let field = ksig_protocols::schema().fields().find(|field| field.name == "upnp.serial").expect("a field");
        let mut text = b"<serialNumber>AB-12</serialNumber>".to_vec();
        assert_eq!(overwrite(&mut text, field, &serial("AB-12")), Some(true));
        assert_eq!(text, b"<serialNumber>xx-xx</serialNumber>");
        let mut bytes = vec![2, 4, 0xde, 0xad, 0xbe, 0xef, 7];
        assert_eq!(overwrite(&mut bytes, field, &serial("de:ad:be:ef")), Some(true));
        assert_eq!(bytes, [2, 4, 0, 0, 0, 0, 7]);
        assert_eq!(overwrite(&mut bytes, field, &serial("not there")), None);
    }
}
