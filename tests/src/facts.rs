//! Facts against answers: single banners whose device is known, identified on the production path and compared.
//!
//! | in | through | out |
//! |---|---|---|
//! | a line of a facts file | [`Row::read`] | a field, its value and the truth |
//! | a row | [`Row::evidence_line`], then `ksig::evidence_line` and the matcher | the answers |
//! | answers | [`Answer::of`] | what ksig says the device is, if it says one thing |
//! | row and answer | [`Comparison::judge`] | right, wrong or unknown for each slot |
//! | verdicts | [`Report`] | counts in all, by field, by class, by score group |
//!
//! Absent: files, the command line, printing.

mod names;
mod report;

pub use names::{Names, plain};
pub use report::{Counts, Report, Tally, WrongRow};

use std::collections::BTreeMap;

use ksig_schema::Schema;
use ksig_schema::identification::{Identification, Identified, Identity};
use serde::{Deserialize, Serialize};

/// One banner and what sent it.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    /// Names the row in reports.
    pub id: String,
    /// The name that its collector gave to the field.
    pub field: String,
    /// The value as text.
    #[serde(default)]
    pub value: Option<String>,
    /// The value where it is no text.
    #[serde(default)]
    pub value_b64: Option<String>,
    /// What the device is; slots that are not known are absent.
    #[serde(default)]
    pub truth: Truth,
    /// The value names the model.
    #[serde(default)]
    pub model_in_value: bool,
    /// The field of ksig. `null`: no probe reads it; no such key at all: the collector's name stands.
    #[serde(default, deserialize_with = "said")]
    pub schema_field: Option<Option<String>>,
    /// Which group of rows it counts in; without one, it follows from the truth.
    #[serde(default)]
    pub score: Option<Score>,
}

/// A key that is there is `Some`, with `null` as `Some(None)`.
fn said<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// What a row's device is known to be. Other keys of the file (os, service) name software, which is not scored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Truth {
    /// Maker, as the source spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Product series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// Model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Version of the firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Kind in the source's words: `IP Camera`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Class of the vocabulary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// The groups that rows count in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Score {
    /// The value names the model.
    Model,
    /// The value tells the maker, not the model.
    Vendor,
    /// Software only: any device that is named is wrong.
    Negative,
    /// Nothing to compare.
    None,
}

impl Score {
    /// As in the file.
    pub fn name(self) -> &'static str {
        match self {
            Score::Model => "model",
            Score::Vendor => "vendor",
            Score::Negative => "negative",
            Score::None => "none",
        }
    }
}

impl Row {
    /// Reads one line; the error says what is wrong with it.
    pub fn read(line: &[u8]) -> Result<Row, String> {
        let row: Row = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        match (&row.value, &row.value_b64) {
            (None, None) => Err(format!("row {}: neither `value` nor `value_b64`", row.id)),
            (Some(_), Some(_)) => Err(format!("row {}: both `value` and `value_b64`", row.id)),
            _ => Ok(row),
        }
    }

    /// The group: as the file says, else from the truth.
    pub fn group(&self) -> Score {
        self.score.unwrap_or(match &self.truth {
            Truth { model: Some(_), .. } if self.model_in_value => Score::Model,
            Truth { vendor: Some(_), .. } => Score::Vendor,
            _ => Score::None,
        })
    }

    /// The field of ksig that the value belongs to, if any.
    pub fn schema_field(&self) -> Option<&str> {
        match &self.schema_field {
            Some(known) => known.as_deref(),
            None => Some(&self.field),
        }
    }

    /// The row as an evidence line: one field of a response of which nothing else was observed. Bodies of `http.body:/path` are the body
    /// of that path, every other field belongs to its protocol's plain probe. Absent when no protocol has the field.
    pub fn evidence_line(&self, schema: &Schema) -> Option<String> {
        let name = self.schema_field()?;
        schema.field_and_key(name)?;
        let value = match (&self.value, &self.value_b64) {
            (Some(text), _) => serde_json::json!(text),
            (None, b64) => serde_json::json!({ "b64": b64 }),
        };
        let facts = serde_json::json!({ name: [value] });
        let path = self.field.strip_prefix("http.body:").filter(|path| path.starts_with('/'));
        let line = match path {
            Some(path) => {
                let probe = ksig_schema::ProbeKey::with("http.get", path);
                serde_json::json!({ "id": self.id, "partial": true, "responses": [{ "probe": probe, "facts": facts }] })
            }
            None => serde_json::json!({ "id": self.id, "partial": true, "evidence": facts }),
        };
        Some(line.to_string())
    }
}

/// What ksig says of one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The device, when exactly one is named: identified, or the only consistent one.
    pub device: Option<Identity>,
    /// Version of the operating system, which is a device's firmware where the device itself has none.
    pub os_version: Option<String>,
    /// The signature that decided.
    pub signature: Option<String>,
    /// Several different devices were named; none of them counts as an answer.
    pub several: bool,
}

impl Answer {
    /// From the lines of one host, services first.
    pub fn of(lines: &[Identification]) -> Answer {
        let mut answer = Answer::default();
        for facet in ["device", "os"] {
            let identified = one_of(lines.iter().map(|line| line.identifications.as_slice()), facet);
            let found = match identified {
                Named::None => one_of(lines.iter().map(|line| line.consistent.as_slice()), facet),
                other => other,
            };
            match found {
                Named::One(one) if facet == "device" => {
                    answer.device = Some(one.identity.clone());
                    answer.signature = Some(one.signature.clone());
                }
                Named::One(one) => answer.os_version = one.identity.version.clone(),
                Named::Several if facet == "device" => answer.several = true,
                _ => {}
            }
        }
        answer.several |= answer.device.is_none() && lines.iter().any(|line| line.ambiguous.iter().any(|a| a.identity.facet == "device"));
        answer
    }
}

enum Named<'a> {
    None,
    One(&'a Identified),
    Several,
}

/// The one identity of a facet in lists of which later ones (the host's) repeat earlier ones (its services').
fn one_of<'a>(lists: impl Iterator<Item = &'a [Identified]>, facet: &str) -> Named<'a> {
    let mut found: Option<&Identified> = None;
    for named in lists.flatten().filter(|named| named.identity.facet == facet) {
        match found {
            Some(first) if first.identity != named.identity => return Named::Several,
            Some(_) => {}
            None => found = Some(named),
        }
    }
    found.map_or(Named::None, Named::One)
}

/// How a slot compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Equal by the rule.
    Right,
    /// Another.
    Wrong,
    /// Not said.
    Unknown,
}

/// The slots that are compared, in the order of every table.
pub const SLOTS: [&str; 4] = ["vendor", "series", "model", "version"];

/// Row against answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// In the order of [`SLOTS`]; absent where the truth does not know.
    pub slots: [Option<Verdict>; 4],
    /// For a negative row: wrong when a device was named, right otherwise.
    pub device: Option<Verdict>,
}

impl Comparison {
    /// Compares each slot that the truth knows. Of a negative row only this: that no device is named.
    pub fn judge(row: &Row, answer: &Answer, names: &Names) -> Comparison {
        let ours = answer.device.clone().unwrap_or_default();
        if row.group() == Score::Negative {
            let named = answer.device.is_some() || answer.several;
            return Comparison { slots: [None; 4], device: Some(if named { Verdict::Wrong } else { Verdict::Right }) };
        }
        let truth = &row.truth;
        let version = ours.version.as_deref().or(answer.os_version.as_deref());
        let vendors: Vec<&str> = [&ours.vendor, &ours.brand].into_iter().flatten().map(String::as_str).collect();
        let owner = |text: &str| names.without_vendor(text, truth.vendor.iter().map(String::as_str).chain(vendors.iter().copied()));
        let same_name = |truth: &str, ours: &str| owner(truth) == owner(ours);
        let slot = |truth: Option<&str>, ours: Option<&str>, same: &dyn Fn(&str, &str) -> bool| {
            truth.map(|truth| match ours {
                None => Verdict::Unknown,
                Some(ours) if same(truth, ours) => Verdict::Right,
                Some(_) => Verdict::Wrong,
            })
        };
        // A machine sold under another's brand is right under either name.
        let same_vendor = |truth: &str, _: &str| vendors.iter().any(|ours| names.same_vendor(truth, ours));
        Comparison {
            slots: [
                slot(truth.vendor.as_deref(), vendors.first().copied(), &same_vendor),
                slot(truth.series.as_deref(), ours.series.as_deref(), &same_name),
                slot(truth.model.as_deref(), ours.model.as_deref(), &same_name),
                slot(truth.version.as_deref(), version, &|truth, ours| names::plain_version(truth) == names::plain_version(ours)),
            ],
            device: None,
        }
    }

    /// Whether anything is wrong.
    pub fn is_wrong(&self) -> bool {
        self.slots.iter().chain([&self.device]).any(|verdict| *verdict == Some(Verdict::Wrong))
    }

    /// Names of the wrong slots.
    pub fn wrong_slots(&self) -> Vec<&'static str> {
        let slots = SLOTS.iter().zip(&self.slots).filter(|(_, verdict)| **verdict == Some(Verdict::Wrong)).map(|(name, _)| *name);
        slots.chain((self.device == Some(Verdict::Wrong)).then_some("device")).collect()
    }
}

/// The class that a row counts under: the truth's, else its kind's by the vocabulary's names and the table beside this file, else that of
/// our answer, else `unknown`.
pub fn class_of(row: &Row, answer: &Answer, names: &Names) -> String {
    let by_truth = row.truth.class.clone().or_else(|| names.class_of_kind(row.truth.kind.as_deref()?));
    by_truth.or_else(|| answer.device.as_ref()?.class.clone()).unwrap_or_else(|| "unknown".into())
}

/// Counts of any kind by name.
pub type ByName = BTreeMap<String, Tally>;

#[cfg(test)]
mod tests;
