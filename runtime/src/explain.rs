//! Why a signature matched or did not: each line with its truth and the bytes that decided.
//!
//! In: what [`crate::Matcher::why`] evaluated. Out: a [`Trace`], for people and for tests; what is marked `redact` is not in it. Data only: whoever
//! shows it has the words.

use std::collections::BTreeMap;

use ksig_schema::identification::{Component, Identity, Proof, Support, Tag};
use ksig_schema::{Ended, ProbeKey, Refusal};
use serde::{Serialize, Serializer};

use crate::backend::Truth;
pub use crate::miss::{Miss, TextMiss};

/// The evaluation of one signature on one service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    /// Which signature.
    pub signature: String,
    /// What its condition says.
    pub truth: Truth,
    /// Its lines and groups in source order, whether or not they decided.
    pub lines: Vec<Line>,
    /// Captures, extracts and lets that have a value, as text; what the lines that hold bound.
    pub captures: BTreeMap<String, String>,
    /// Versions that could not be compared.
    pub notes: Vec<Incomparable>,
    /// What it says the device is, before resolution; empty when the condition is false.
    pub identities: Vec<Identity>,
    /// Software that it names.
    pub components: Vec<Component>,
    /// What else it read, by name.
    pub details: BTreeMap<String, String>,
    /// Tags that it attaches.
    pub tags: Vec<Tag>,
    /// Support of the model that it names.
    pub support: Support,
    /// Facts that decided.
    pub proof: Vec<Proof>,
}

/// One line, or the head of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// How deep it stands in groups.
    pub depth: u32,
    /// What the author called it; empty without a label.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// As written; for a group `all`, `any`, `not`, `at least 2 of`.
    pub text: String,
    /// What it says.
    pub truth: Truth,
    /// What decided.
    pub because: Because,
    /// Of a false line, what was nearest to making it true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub miss: Option<Miss>,
}

/// What decided a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", content = "of", rename_all = "kebab-case")]
pub enum Because {
    /// The lines below it.
    Group,
    /// A fact: with the span that matched when the line is true, or the first value when it is false.
    Fact(Proof),
    /// The field is not in a response that is whole.
    ProvenAbsent {
        /// Which response.
        probe: ProbeKey,
    },
    /// The field is not there, and nothing proves that it would be: the probe failed, was not sent, or was cut off before.
    Missing {
        /// Which probe.
        probe: ProbeKey,
        /// How its response ended; absent when there is none.
        ended: Option<Ended>,
    },
    /// Another tool cut the evidence and left the field out.
    NotObserved {
        /// Which probe.
        probe: ProbeKey,
    },
    /// An expression over these captures.
    Captures(BTreeMap<String, String>),
    /// A follow, and the probe that an earlier answer led to.
    Named {
        /// As it is sent.
        probe: ProbeKey,
    },
    /// A follow that is not sent: the answers name no place for it.
    Unnamed,
    /// A follow that is not sent: why the place that was named is not asked for.
    Refused(#[serde(serialize_with = "as_text")] Refusal),
    /// Two versions of different trains.
    Incomparable(Incomparable),
}

impl Trace {
    /// The first line with that label; what `no_match because "label"` asks for.
    pub fn labelled(&self, label: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.label == label)
    }
}

/// Two versions of different trains, sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incomparable {
    /// Name of the scheme that reads both.
    pub scheme: String,
    /// As they were written.
    pub versions: Vec<String>,
}

impl std::fmt::Display for Incomparable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} are of different trains of {}: incomparable", self.versions.join(" and "), self.scheme)
    }
}

fn as_text<S: Serializer>(said: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(said)
}
