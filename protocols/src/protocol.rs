//! What a protocol file offers to the rest of the crate.

use ksig_schema::{ConstructorDef, Ended, Facts, FieldDef, ProbeKey, Sections};

use crate::conversation::{Conversation, Peer};

/// One protocol. Its file declares it as `PROTOCOL`.
#[derive(Debug)]
pub struct Protocol {
    /// First part of its fields' names, and the kind of its fixtures.
    pub name: &'static str,
    /// What can be known of an answer.
    pub fields: &'static [&'static FieldDef],
    /// What can be asked.
    pub constructors: &'static [ConstructorDef],
    /// Begins a talk. The argument was checked; it is empty for a constructor that takes none.
    pub begin: fn(&ConstructorDef, &str, &Peer) -> Box<dyn Conversation>,
    /// Reads what came. Never fails: bytes of another protocol give no facts and no whole section.
    pub decode: fn(&ProbeKey, Ended, &[u8]) -> Decoded,
    /// Adds the facts that follow from facts already there.
    pub derive: fn(&mut Facts),
    /// Wire bytes of a test's text; absent where tests give no text.
    pub fixture: Option<fn(&str) -> Vec<u8>>,
}

/// What a decoder read.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Which sections are whole.
    pub complete: Sections,
    /// The facts, without those that [`Protocol::derive`] adds.
    pub facts: Facts,
}

/// The protocol and the constructor that a probe names.
pub fn find(probe: &ProbeKey) -> Option<(&'static Protocol, &'static ConstructorDef)> {
    crate::PROTOCOLS.iter().find_map(|protocol| {
        let constructor = protocol.constructors.iter().find(|constructor| constructor.name == probe.constructor)?;
        Some((*protocol, constructor))
    })
}
