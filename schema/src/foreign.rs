//! Answers that another tool got and for which ksig has no probe: fields under `foreign`. Nothing is asked for them.
//!
//! In: evidence lines, and examples of signatures. Out: facts of a response to [`probe`], which no scan sends.

use crate::probe::ProbeKey;

crate::fields! {
    /// An answer, or the part of it that the other tool cut out, as bytes, by the name that it has there. Several answers of one name are
    /// several values.
    ///
    /// Absent when the tool gave none. Source: the tool. Example: `foreign.answer["operating_system.name"]`, a name of Recog's.
    ANSWER: Bytes = "foreign.answer", many, keyed;
}

/// The name under which these facts stand beside those of probes.
pub fn probe() -> ProbeKey {
    ProbeKey::new("foreign")
}
