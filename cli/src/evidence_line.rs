//! Evidence lines: banners that another tool has already cut into fields.
//!
//! ```text
//! {"id":"x","time":"2026-11-01","evidence":{"http.header.server":["nginx"],"http.html.title":["..."]},"partial":true}
//! ```
//!
//! A bare field belongs to its protocol's plain probe; other responses are said by
//! `"responses":[{"probe":"http.get(\"/js/version.js\")","facts":{"http.body":"..."}}]`. A value may be `{"b64":"..."}`. A host of which several
//! ports are known has a list: `"services":[{"port":554,"evidence":{...}},{"port":443,"transport":"tls","evidence":{...}}]`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine as _;
use ksig_schema::field::FieldType;
use ksig_schema::{Date, Ended, Evidence, Facts, ProbeKey, Response, Schema, Service, Time, Transport, Value, form};
use serde::Deserialize;

/// Evidence of one line, and what of it cannot be evidence.
#[derive(Debug)]
pub struct Line {
    /// What was read.
    pub evidence: Evidence,
    /// In the order of the line.
    pub left_out: Vec<LeftOut>,
}

/// A field of a line that no signature could read, so that the rest of the line is the evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeftOut {
    /// No protocol has a field of that name.
    #[error("no protocol has the field `{0}`; it was left out")]
    Unknown(String),
    /// A field that has a value for each key, and none as a whole, stands without a key.
    #[error("`{0}` needs a key: write `{0}.KEY`; it was left out")]
    NoKey(String),
}

/// Why a line is not evidence.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Not JSON, or not of the form.
    #[error("not an evidence line: {0}")]
    Json(#[from] serde_json::Error),
    /// A field's value is not of its type.
    #[error("`{field}`: expected {wanted}")]
    Value {
        /// Which field.
        field: String,
        /// What it holds.
        wanted: &'static str,
    },
    /// The time is neither a day nor a moment.
    #[error("`time`: `{0}` is neither 2026-11-01 nor 2026-11-01T00:00:00Z")]
    Time(String),
    /// Evidence beside a list of services.
    #[error("`{0}` stands beside `services`: it belongs into one of them")]
    Beside(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: String,
    #[serde(default)]
    time: Option<String>,
    #[serde(default)]
    address: Option<IpAddr>,
    #[serde(default)]
    services: Vec<RawService>,
    #[serde(default)]
    port: u16,
    #[serde(default)]
    transport: Option<Transport>,
    #[serde(default)]
    evidence: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    responses: Vec<RawResponse>,
    #[serde(default)]
    ended: Option<Ended>,
    #[serde(default)]
    partial: bool,
}

/// One port of several.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawService {
    port: u16,
    #[serde(default)]
    transport: Option<Transport>,
    #[serde(default)]
    evidence: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    responses: Vec<RawResponse>,
    #[serde(default)]
    ended: Option<Ended>,
    #[serde(default)]
    partial: bool,
}

impl Raw {
    /// Those of the list, or the one that the line itself is.
    fn services(self) -> Result<Vec<RawService>, LineError> {
        if self.services.is_empty() {
            let Raw { port, transport, evidence, responses, ended, partial, .. } = self;
            return Ok(vec![RawService { port, transport, evidence, responses, ended, partial }]);
        }
        let beside = [
            ("port", self.port != 0),
            ("transport", self.transport.is_some()),
            ("evidence", !self.evidence.is_empty()),
            ("responses", !self.responses.is_empty()),
            ("ended", self.ended.is_some()),
            ("partial", self.partial),
        ];
        match beside.into_iter().find(|(_, said)| *said) {
            Some((name, _)) => Err(LineError::Beside(name)),
            None => Ok(self.services),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawResponse {
    probe: ProbeKey,
    #[serde(default)]
    facts: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    ended: Option<Ended>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<One>),
    One(One),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum One {
    Bytes { b64: String },
    Bool(bool),
    Int(i64),
    Text(String),
}

/// Reads one line.
pub fn parse(line: &str, schema: &Schema) -> Result<Line, LineError> {
    let raw: Raw = serde_json::from_str(line)?;
    let time = raw.time.as_deref().map(read_time).transpose()?;
    let (host, address) = (raw.id.clone(), raw.address);
    let mut left_out = Vec::new();
    let services = raw.services()?.into_iter().map(|service| read_service(service, address, schema, &mut left_out));
    let mut services = services.collect::<Result<Vec<Service>, LineError>>()?;
    services.sort_by_key(|service| (service.port, service.transport));
    Ok(Line { evidence: Evidence { host, time, services }, left_out })
}

fn read_service(raw: RawService, address: Option<IpAddr>, schema: &Schema, left_out: &mut Vec<LeftOut>) -> Result<Service, LineError> {
    let mut by_probe: BTreeMap<ProbeKey, (Facts, Option<Ended>)> = BTreeMap::new();
    for (name, values) in raw.evidence {
        match ksig_protocols::plain_probe(&name) {
            Some(probe) => push(&mut by_probe.entry(probe).or_default().0, schema, &name, values, left_out)?,
            None => left_out.push(LeftOut::Unknown(name)),
        }
    }
    for response in raw.responses {
        let entry = by_probe.entry(response.probe).or_default();
        entry.1 = response.ended;
        for (name, values) in response.facts {
            push(&mut entry.0, schema, &name, values, left_out)?;
        }
    }
    let responses: Vec<Response> = by_probe
        .into_iter()
        .map(|(probe, (facts, ended))| {
            ksig_protocols::partial_response(probe, facts, ended.or(raw.ended).unwrap_or(Ended::Complete), raw.partial)
        })
        .collect();
    Ok(Service { address, port: raw.port, transport: raw.transport.unwrap_or(Transport::Tcp), responses })
}

fn read_time(text: &str) -> Result<Time, LineError> {
    let day = |date: Date| date.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp());
    text.parse::<Time>().or_else(|_| text.parse::<Date>().and_then(day)).map_err(|_| LineError::Time(text.into()))
}

fn push(facts: &mut Facts, schema: &Schema, name: &str, values: OneOrMany, left_out: &mut Vec<LeftOut>) -> Result<(), LineError> {
    let Some((field, key)) = schema.field_and_key(name) else {
        left_out.push(LeftOut::Unknown(name.into()));
        return Ok(());
    };
    if field.keyed && !field.whole && key.is_none() {
        left_out.push(LeftOut::NoKey(name.into()));
        return Ok(());
    }
    let values = match values {
        OneOrMany::Many(values) => values,
        OneOrMany::One(value) => vec![value],
    };
    for value in values {
        let wrong = |wanted| LineError::Value { field: name.into(), wanted };
        let bytes = |b64: &str| base64::engine::general_purpose::STANDARD.decode(b64).map_err(|_| wrong("base64"));
        if let (FieldType::Text, One::Bytes { b64 }) = (field.ty, &value) {
            let bytes = bytes(b64)?;
            facts.push_read(field, key.as_deref(), ksig_protocols::charset::text(&bytes), &bytes);
            continue;
        }
        let value = match (field.ty, value) {
            (FieldType::Bool, One::Bool(v)) => Value::Bool(v),
            (FieldType::Bool, _) => return Err(wrong("true or false")),
            (FieldType::Int, One::Int(v)) => Value::Int(v),
            (FieldType::Int, One::Text(v)) => Value::Int(v.trim().parse().map_err(|_| wrong("a number"))?),
            (FieldType::Int, _) => return Err(wrong("a number")),
            (FieldType::Text | FieldType::Oid, One::Text(v)) => Value::Text(v),
            (FieldType::Oid, One::Bytes { b64 }) => Value::Text(ksig_protocols::charset::text(&bytes(&b64)?)),
            (FieldType::Text | FieldType::Oid, _) => return Err(wrong("text")),
            (FieldType::Bytes, One::Text(v)) => Value::Bytes(v.into_bytes()),
            (FieldType::Bytes, One::Bytes { b64 }) => Value::Bytes(bytes(&b64)?),
            (FieldType::Bytes, _) => return Err(wrong("text or {\"b64\":\"...\"}")),
            (FieldType::Hash, One::Text(v)) => Value::Bytes(form::hex(&v).ok_or_else(|| wrong("hexadecimal digits"))?),
            (FieldType::Hash, One::Bytes { b64 }) => Value::Bytes(bytes(&b64)?),
            (FieldType::Hash, _) => return Err(wrong("hexadecimal digits")),
            (FieldType::Date, One::Text(v)) => Value::Date(v.parse().map_err(|_| wrong("a date such as 2026-11-01"))?),
            (FieldType::Date, _) => return Err(wrong("a date such as 2026-11-01")),
        };
        match &key {
            Some(key) => facts.push_keyed(field, key, value),
            None => facts.push(field, value),
        }
    }
    Ok(())
}
