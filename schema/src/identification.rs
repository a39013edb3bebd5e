//! Identifications: the answer, how sure it is, and its proof.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::probe::ProbeKey;
use crate::value::Date;

/// How sure a signature is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A trace that others share.
    Hint,
    /// Likely.
    Weak,
    /// The default.
    #[default]
    Strong,
    /// Nothing else answers so.
    Certain,
}

/// Where a signature's or a row's knowledge comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Not in a release.
    #[default]
    Unverified,
    /// Format proven for the series, model named in a source.
    Derived,
    /// A maker's document.
    Documented,
    /// The banner was seen.
    Observed,
}

/// Yes, no, or not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Known {
    /// Known to be so.
    Yes,
    /// Known not to be so.
    No,
    /// Neither.
    #[default]
    Unknown,
}

/// What a device is. Slots that are not known are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `device`, or what follows `identify`: `os`.
    pub facet: String,
    /// The vendor's name in the vocabulary: `buffalo`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vendor: Option<String>,
    /// The brand it is sold under, where that is another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub brand: Option<String>,
    /// Product series.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub series: Option<String>,
    /// Model.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// Firmware or software version as written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// Class of the vocabulary: `router.home`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<String>,
    /// CPE 2.3 name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpe: Option<String>,
}

/// A tag attached to an identification.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// Its name in the vocabulary.
    pub name: String,
    /// Its parameters as text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub params: BTreeMap<String, String>,
}

/// Software on a device, with its own version.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Component {
    /// Maker.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vendor: Option<String>,
    /// Name.
    pub product: String,
    /// Product series.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub series: Option<String>,
    /// Version as written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// CPE 2.3 name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpe: Option<String>,
}

/// Support of the identified model on the observation's date (V11).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Support {
    /// Support has ended.
    pub ended: Known,
    /// The version is the latest known.
    pub latest: Known,
    /// When support ends or ended, if known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ends: Option<Date>,
    /// The latest version known at that date.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub latest_version: Option<String>,
}

/// A fact that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Which probe.
    pub probe: ProbeKey,
    /// On which port, where a signature about the whole host read it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub port: Option<u16>,
    /// Which field, `http.header.server`.
    pub field: String,
    /// Its value (bytes escaped), at most 200 characters.
    pub value: String,
    /// The part that matched: byte offsets in the value; absent for a comparison of the whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub span: Option<(u32, u32)>,
}

/// One identification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identified {
    /// What it is.
    #[serde(flatten)]
    pub identity: Identity,
    /// Software on it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub components: Vec<Component>,
    /// What else was read, by name: an edition, an architecture. Decides nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub details: BTreeMap<String, String>,
    /// Sorted by name.
    pub tags: Vec<Tag>,
    /// `router.planex.brl.basic_realm`; the one that decided after resolution.
    pub signature: String,
    /// How sure.
    pub confidence: Confidence,
    /// Grade of the knowledge behind it.
    pub evidence: Grade,
    /// Support on the observation's date.
    pub support: Support,
    /// Facts that decided, in the signature's order.
    pub proof: Vec<Proof>,
    /// Other matching signatures that said the same or less, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<String>,
}

/// What resolution decided, for readers who ask why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
pub enum Note {
    /// A signature matched, and one of higher confidence says otherwise.
    Overruled {
        /// Which.
        signature: String,
        /// How sure it was.
        confidence: Confidence,
    },
    /// A signature matched, and an earlier one of its choice did too.
    NotChosen {
        /// Which.
        signature: String,
        /// The choice that both are members of.
        choice: String,
    },
    /// A signature that stands compared two versions of different trains, which is neither true nor false.
    Incomparable {
        /// Which.
        signature: String,
        /// How versions are ordered.
        scheme: String,
        /// Both, sorted.
        versions: Vec<String>,
    },
    /// Matching signatures name different versions, so none is given.
    VersionsDiffer {
        /// Of which facet.
        facet: String,
        /// All of them, sorted.
        versions: Vec<String>,
    },
}

/// The answer for one service, or for a whole host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identification {
    /// The input's id.
    pub id: String,
    /// Who; absent in evidence that another tool cut.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<IpAddr>,
    /// Which port; absent in a host line and in evidence that another tool cut.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub port: Option<u16>,
    /// What it is: one for each facet, or several devices behind one address. Empty: unknown.
    pub identifications: Vec<Identified>,
    /// Could be these, were the fields observed that were not (V3b).
    pub consistent: Vec<Identified>,
    /// Incompatible answers of equal confidence.
    pub ambiguous: Vec<Identified>,
    /// What was overruled or cleared on the way, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<Note>,
    /// SHA-256 of the response's facts, for an unknown one: equal answers have equal digests.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
    /// Which release said so.
    pub release: String,
}
