//! Reports: what a snapshot of entries says, counted with its uncertainty.
//!
//! In: entries of one point in time. Out: plain structs to be drawn or serialised by the caller. Each report is a function of the entries
//! and nothing else, and carries an [`About`] that says what it was made from. Absent: drawing, and judgements about today; whether support had
//! ended was decided on the day of each observation.
//!
//! | file | answers |
//! |---|---|
//! | [`versions`] | which firmware do the devices of one product run, and do they get updates? |

pub mod versions;

use ksig_schema::value::Date;
use ksig_schema::{Time, day_of, identification::Known};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::document::Entry;

/// What a report was made from.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct About {
    /// Day of the last observation, in UTC; absent when no entry has a time.
    pub date: Option<Date>,
    /// First and last observation.
    pub window: Option<(Time, Time)>,
    /// What one is counted for.
    pub unit: Unit,
    /// Releases that identified, sorted.
    pub releases: Vec<String>,
    /// How many entries were counted.
    pub entries: u64,
    /// SHA-256 over these entries, whatever their order.
    pub snapshot: String,
    /// Counts below this are not shown; absent when all are.
    pub cell_min: Option<u64>,
}

/// What one is counted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// An address with the product, once for each version that it shows. Several ports with one answer count once.
    #[default]
    AddressAndVersion,
}

/// A part of a whole, with the Wilson interval at 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// How many.
    pub part: u64,
    /// Of how many.
    pub of: u64,
    /// `part / of`, from 0 to 1.
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Share {
    /// Absent when the whole is nothing.
    pub fn new(part: u64, of: u64) -> Option<Share> {
        const Z: f64 = 1.959_963_984_540_054;
        if of == 0 {
            return None;
        }
        let (n, share) = (of as f64, part as f64 / of as f64);
        let middle = share + Z * Z / (2.0 * n);
        let reach = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Some(Share { part, of, share, low: ((middle - reach) / scale).max(0.0), high: ((middle + reach) / scale).min(1.0) })
    }
}

/// A question with three answers, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Tally {
    /// For how many it is known to be so.
    pub yes: u64,
    /// For how many it is known not to be so.
    pub no: u64,
    /// For how many it is not known.
    pub unknown: u64,
    /// The share of yes among those for which it is known.
    pub share_of_known: Option<Share>,
}

impl Tally {
    fn count(&mut self, known: Known) {
        match known {
            Known::Yes => self.yes += 1,
            Known::No => self.no += 1,
            Known::Unknown => self.unknown += 1,
        }
    }

    fn finished(mut self) -> Tally {
        self.share_of_known = Share::new(self.yes, self.yes + self.no);
        self
    }

    /// Whether one of the counts is too small to be shown.
    fn has_small(&self, cell_min: u64) -> bool {
        [self.yes, self.no, self.unknown].iter().any(|count| (1..cell_min).contains(count))
    }
}

/// Gathers an [`About`] entry by entry.
#[derive(Default)]
struct Gathering {
    window: Option<(Time, Time)>,
    releases: std::collections::BTreeSet<String>,
    hashes: Vec<[u8; 32]>,
}

impl Gathering {
    fn add(&mut self, entry: &Entry) {
        if let Some(time) = entry.time {
            let (first, last) = self.window.unwrap_or((time, time));
            self.window = Some((first.min(time), last.max(time)));
        }
        self.releases.insert(entry.release.clone());
        let json = serde_json::to_vec(entry).expect("an entry has no part that JSON cannot write");
        self.hashes.push(Sha256::digest(json).into());
    }

    fn finish(mut self, cell_min: Option<u64>) -> About {
        self.hashes.sort_unstable();
        let snapshot = self.hashes.iter().fold(Sha256::new(), |hash, entry| hash.chain_update(entry)).finalize();
        About {
            date: self.window.map(|(_, last)| day_of(last)),
            window: self.window,
            unit: Unit::default(),
            releases: self.releases.into_iter().collect(),
            entries: self.hashes.len() as u64,
            snapshot: ksig_schema::form::hex_digits(&snapshot),
            cell_min,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_interval_is_wilsons() {
        // Worked by hand from Wilson (1927): 10 of 100 and 0 of 20.
        let share = Share::new(10, 100).expect("share");
        assert!((share.low - 0.0552).abs() < 1e-4 && (share.high - 0.1744).abs() < 1e-4, "{share:?}");
        let none = Share::new(0, 20).expect("share");
        assert!(none.low == 0.0 && (none.high - 0.1611).abs() < 1e-4, "{none:?}");
        assert_eq!(Share::new(0, 0), None);
    }

    proptest! {
        #[test]
        fn the_share_lies_in_its_interval(of in 1u64..10_000_000, part in 0.0f64..=1.0) {
            let share = Share::new((of as f64 * part) as u64, of).expect("share");
            prop_assert!(0.0 <= share.low && share.low <= share.share + 1e-12 && share.share <= share.high + 1e-12 && share.high <= 1.0);
        }
    }
}
