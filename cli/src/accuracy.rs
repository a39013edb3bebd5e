//! Answers held against a simulator's truth.

use ksig_scanner::sim::Truth;
use ksig_schema::identification::Identified;
use serde::Serialize;

/// How one slot did over all hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SlotScore {
    /// Hosts whose truth states the slot.
    pub known: u64,
    /// Answers that state it as the truth does.
    pub right: u64,
    /// Answers that state something else, or state it of a host that has no truth.
    pub wrong: u64,
}

impl SlotScore {
    /// Right of all that was said; absent when nothing was.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.right, self.right + self.wrong)
    }

    /// Right of all that is known; absent when nothing is.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.right, self.known)
    }
}

fn ratio(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

/// Counts over a population.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Accuracy {
    /// Hosts with a device identification.
    pub identified: u64,
    /// Known hosts where every slot of the truth was found.
    pub correct: u64,
    /// Hosts where something that was said is not so.
    pub wrong: u64,
    /// Known hosts of which some slot was not found, and nothing said was wrong.
    pub incomplete: u64,
    /// Known hosts without an identification.
    pub missed_known: u64,
    /// Unknown hosts without an identification, as it should be.
    pub unknown_ok: u64,
    /// Hosts that have a truth.
    pub known: u64,
    /// By slot.
    pub vendor: SlotScore,
    /// By slot.
    pub series: SlotScore,
    /// By slot.
    pub model: SlotScore,
    /// By slot.
    pub version: SlotScore,
    /// Hosts that are wrong, at most [`WRONG_SHOWN_MAX`]: address, what it is, what was said.
    pub wrong_hosts: Vec<String>,
}

/// How many wrong hosts are kept to be shown.
pub const WRONG_SHOWN_MAX: usize = 20;

impl Accuracy {
    /// Holds the answer for one host against its truth; absent: nothing was identified.
    pub fn add(&mut self, truth: &Truth, answer: Option<&Identified>) {
        self.known += u64::from(truth.known);
        self.identified += u64::from(answer.is_some());
        let said = |of: fn(&Identified) -> &Option<String>| answer.and_then(|answer| of(answer).as_deref());
        let slots: [(&mut SlotScore, Option<&str>, Option<&str>); 4] = [
            (&mut self.vendor, truth.vendor.as_deref(), said(|a| &a.identity.vendor)),
            (&mut self.series, truth.series.as_deref(), said(|a| &a.identity.series)),
            (&mut self.model, truth.model.as_deref(), said(|a| &a.identity.model)),
            (&mut self.version, truth.version.as_deref(), said(|a| &a.identity.version)),
        ];
        let (mut any_wrong, mut any_missing) = (false, false);
        for (score, is, said) in slots {
            score.known += u64::from(is.is_some());
            match (is, said) {
                (Some(is), Some(said)) if is == said => score.right += 1,
                (Some(_), Some(_)) => {
                    score.wrong += 1;
                    any_wrong = true;
                }
                // Of a host without a truth anything said is wrong; a slot that a truth leaves out cannot be judged.
                (None, Some(_)) if !truth.known => {
                    score.wrong += 1;
                    any_wrong = true;
                }
                (Some(_), None) => any_missing = true,
                (None, _) => {}
            }
        }
        match (truth.known, answer) {
            _ if any_wrong => {
                self.wrong += 1;
                if self.wrong_hosts.len() < WRONG_SHOWN_MAX {
                    let signature = answer.map_or("", |answer| answer.signature.as_str());
                    let identity = answer.map(|answer| &answer.identity);
                    self.wrong_hosts.push(format!("{} {:?} answered by {signature}: {identity:?}", truth.address, truth));
                }
            }
            (false, None) => self.unknown_ok += 1,
            (false, Some(_)) => self.wrong += 1,
            (true, None) => self.missed_known += 1,
            (true, Some(_)) if any_missing => self.incomplete += 1,
            (true, Some(_)) => self.correct += 1,
        }
    }
}
