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
    let (found, instead) = forms(field, value).into_iter().find(|(found, _)| !found.is_empty() && contains(received, found))?;
    if found == instead {
        return Some(false);
    }
    let mut at = 0;
    while at + found.len() <= received.len() {
        if received[at..].starts_with(&found) {
            received[at..at + found.len()].copy_from_slice(&instead);
            at += found.len();
        } else {
            at += 1;
        }
    }
    Some(true)
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

fn contains(received: &[u8], found: &[u8]) -> bool {
    memchr::memmem::find(received, found).is_some()
}
