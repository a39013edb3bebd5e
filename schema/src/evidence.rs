//! Evidence: the typed facts of one host. An absent fact has no entry.

use std::net::IpAddr;

use crate::field::FieldDef;
use crate::observation::{Ended, Transport};
use crate::probe::ProbeKey;
use crate::value::{Time, Value};

/// All that is known of one address in one cycle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Names the host in the input, and in the answers.
    pub host: String,
    /// The date of the observation; without one, guards that need it are missing.
    pub time: Option<Time>,
    /// One for each (address, port, transport), sorted by port.
    pub services: Vec<Service>,
}

/// One (address, port, transport).
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Absent in evidence that another tool cut.
    pub address: Option<IpAddr>,
    /// 0 in evidence that another tool cut.
    pub port: u16,
    /// What carries the bytes.
    pub transport: Transport,
    /// One for each probe that was tried, at most one for each key.
    pub responses: Vec<Response>,
}

/// What one probe got.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// Which probe.
    pub probe: ProbeKey,
    /// How it ended.
    pub ended: Ended,
    /// Which sections are whole; only in those is a missing field proven absent.
    pub complete: Sections,
    /// A field that is not listed was *not observed*: neither present nor absent (V3b).
    pub partial: bool,
    /// What was read.
    pub facts: Facts,
}

impl Response {
    /// Whether the probe was answered, so that lines about it can be true.
    pub fn answered(&self) -> bool {
        self.partial || !self.facts.is_empty() || self.complete != Sections::default()
    }
}

/// A part of a response that ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Section {
    /// Status line and headers; a greeting; a handshake.
    Head,
    /// What follows the head.
    Body,
}

/// Which sections of a response are whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// [`Section::Head`] is whole.
    pub head: bool,
    /// [`Section::Body`] is whole.
    pub body: bool,
}

impl Sections {
    /// Both whole.
    pub const ALL: Sections = Sections { head: true, body: true };

    /// Whether that section is whole.
    pub fn has(self, section: Section) -> bool {
        match section {
            Section::Head => self.head,
            Section::Body => self.body,
        }
    }
}

/// A field with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Which field.
    pub field: &'static FieldDef,
    /// For a keyed field, the key as [`FieldDef::key`] gives it.
    pub key: Option<String>,
    /// At least one, in wire order.
    pub values: Vec<Value>,
    /// Of texts that are not the UTF-8 of the bytes that they were read from: which value, and those bytes.
    raw: Vec<(usize, Vec<u8>)>,
}

impl Fact {
    /// The bytes that a text was read from (V5). A text that was made from another, or given by another tool, has those of its UTF-8.
    /// Absent for values that are no text.
    pub fn raw(&self, at: usize) -> Option<&[u8]> {
        match self.values.get(at)? {
            Value::Text(text) => Some(self.raw.iter().find(|(of, _)| *of == at).map_or(text.as_bytes(), |(_, bytes)| bytes)),
            _ => None,
        }
    }
}

/// Facts of one response.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    entries: Vec<Fact>,
}

impl PartialEq for FieldDef {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Facts {
    /// Adds a value; a field that is not `many` keeps its first one.
    pub fn push(&mut self, field: &'static FieldDef, value: Value) {
        self.push_at(field, None, value);
    }

    /// Adds a value under a key.
    pub fn push_keyed(&mut self, field: &'static FieldDef, key: &str, value: Value) {
        debug_assert!(field.keyed, "{} takes no key", field.name);
        self.push_at(field, Some(field.key(key)), value);
    }

    /// Adds a text with the bytes that it was read from; `key` for a keyed field.
    pub fn push_read(&mut self, field: &'static FieldDef, key: Option<&str>, text: String, bytes: &[u8]) {
        debug_assert!(field.keyed == key.is_some() || field.whole && key.is_none(), "{}", field.name);
        let raw = (text.as_bytes() != bytes).then(|| bytes.to_vec());
        if let (Some(fact), Some(raw)) = (self.push_at(field, key.map(|key| field.key(key)), Value::Text(text)), raw) {
            fact.raw.push((fact.values.len() - 1, raw));
        }
    }

    /// The fact that has the value now; absent where the field keeps its first one.
    fn push_at(&mut self, field: &'static FieldDef, key: Option<String>, value: Value) -> Option<&mut Fact> {
        match self.entries.iter().position(|fact| std::ptr::eq(fact.field, field) && fact.key == key) {
            Some(at) if field.many => {
                self.entries[at].values.push(value);
                Some(&mut self.entries[at])
            }
            Some(_) => None,
            None => {
                self.entries.push(Fact { field, key, values: vec![value], raw: Vec::new() });
                self.entries.last_mut()
            }
        }
    }

    /// The values of a field, empty when it is absent.
    pub fn get(&self, name: &str, key: Option<&str>) -> &[Value] {
        let found = self.entries.iter().find(|fact| fact.field.name == name && fact.key.as_deref() == key);
        found.map_or(&[], |fact| fact.values.as_slice())
    }

    /// The first value as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name, None).first()?.as_text()
    }

    /// All facts in the order in which they were first seen.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.entries.iter()
    }

    /// No fact at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many fields (with keys counted apart).
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}
