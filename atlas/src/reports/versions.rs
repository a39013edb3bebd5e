//! R1: the versions that the devices of one product run, with the latest marked and the line of the end of support.
//!
//! In: entries, of which those of other products are passed over. Out: a [`VersionReport`]. The row of unknown versions is always there: a
//! distribution that leaves out what could not be read says more than is known.

use std::collections::{BTreeMap, BTreeSet};

use ksig_schema::identification::Known;
use ksig_schema::value::Date;
use ksig_schema::{Scheme, Time};
use serde::Serialize;

use super::{About, Gathering, Share, Tally};
use crate::document::Entry;
use crate::tokenizer::key;

/// Which product, and how it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionQuestion {
    /// Id of the vendor.
    pub vendor: String,
    /// Model; hyphens, blanks and case do not matter.
    pub model: String,
    /// Versions with fewer addresses are shown together, so that no small group can be singled out. Absent: all are shown.
    pub cell_min: Option<u64>,
}

/// The distribution of versions of one product.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionReport {
    /// What it was made from.
    pub about: About,
    /// Id of the vendor.
    pub vendor: String,
    /// Model as most entries write it; as it was asked for when there is none.
    pub model: String,
    /// The sum of all rows.
    pub total: u64,
    /// Known versions, the highest first, then those that have no order.
    pub rows: Vec<VersionRow>,
    /// Versions too rare to be shown alone.
    pub rare: Option<RareVersions>,
    /// Devices whose version could not be read; no count when they are among the rare ones.
    pub unknown: Option<Share>,
    /// When support ends or ended, and whether it had on the day of the last observation.
    pub support: SupportLine,
    /// The latest version known on that day.
    pub latest_version: Option<String>,
    /// Whether support had ended, counted by the day of each observation. Absent when it would show a small group.
    pub past_support: Option<Tally>,
    /// Whether the version was the latest, counted by the day of each observation. Absent when it would show a small group.
    pub on_latest: Option<Tally>,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionRow {
    /// As written.
    pub version: String,
    /// How many of the total run it, 0 for a latest version that nobody runs.
    #[serde(flatten)]
    pub share: Share,
    /// It is the latest version known.
    pub latest: bool,
}

/// Several versions in one row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RareVersions {
    /// How many versions, unknown counted as one.
    pub versions: u64,
    /// Their sum.
    #[serde(flatten)]
    pub share: Share,
}

/// The end of support of the product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SupportLine {
    /// Whether it had ended on the day of the last observation.
    pub ended: Known,
    /// The day, if known.
    pub ends: Option<Date>,
}

/// Counts the versions of one product. Fails only where an entry could not be read.
///
/// One is counted for each address and version: two ports with the same answer are one device, two versions behind one address are two, and an
/// unread version counts only where none was read.
pub fn versions<E>(entries: impl IntoIterator<Item = Result<Entry, E>>, question: &VersionQuestion) -> Result<VersionReport, E> {
    let model = key(&question.model);
    let mut product = Product::default();
    for entry in entries {
        let entry = entry?;
        let same_model = entry.model.as_ref().is_some_and(|written| key(written) == model);
        if same_model && entry.vendor.as_ref() == Some(&question.vendor) {
            product.add(&entry);
        }
    }
    Ok(product.report(question))
}

/// What is counted, address by address.
#[derive(Default)]
struct Product {
    gathering: Gathering,
    models: BTreeMap<String, u64>,
    places: BTreeMap<String, BTreeMap<Option<String>, Standing>>,
    newest: Option<Newest>,
}

/// What was judged of one version at one address.
#[derive(Clone, Copy, Default)]
struct Standing {
    ended: Known,
    latest: Known,
}

/// What the last observation said of the product as a whole. Ordered by time, then by what it says, so that no order of entries matters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Newest {
    time: Option<Time>,
    ends: Option<Date>,
    latest_version: Option<String>,
    ended: Known,
}

impl Product {
    fn add(&mut self, entry: &Entry) {
        self.gathering.add(entry);
        *self.models.entry(entry.model.clone().unwrap_or_default()).or_default() += 1;
        let place = entry.address.map_or_else(|| entry.host.clone(), |address| address.to_string());
        let standing = self.places.entry(place).or_default().entry(entry.version.clone()).or_default();
        standing.ended = surer(standing.ended, entry.support_ended);
        standing.latest = surer(standing.latest, entry.latest);
        let said =
            Newest { time: entry.time, ends: entry.support_ends, latest_version: entry.latest_version.clone(), ended: entry.support_ended };
        self.newest = self.newest.take().max(Some(said));
    }

    fn report(mut self, question: &VersionQuestion) -> VersionReport {
        let mut counts: BTreeMap<Option<String>, u64> = BTreeMap::new();
        let mut latest: BTreeSet<String> = BTreeSet::new();
        let (mut past_support, mut on_latest) = (Tally::default(), Tally::default());
        for versions in self.places.values_mut() {
            if versions.len() > 1 {
                versions.remove(&None);
            }
            for (version, standing) in versions {
                *counts.entry(version.clone()).or_default() += 1;
                past_support.count(standing.ended);
                on_latest.count(standing.latest);
                latest.extend(version.clone().filter(|_| standing.latest == Known::Yes));
            }
        }
        let total: u64 = counts.values().sum();
        let newest = self.newest;
        let latest_version = newest.as_ref().and_then(|newest| newest.latest_version.clone());
        // The latest version has its row even when nobody runs it, unless it is written there in another way (1.20 and 1.20.0).
        if let Some(version) = latest_version.clone().filter(|_| latest.is_empty()) {
            counts.entry(Some(version.clone())).or_default();
            latest.insert(version);
        }
        let rare = question.cell_min.map_or_else(BTreeSet::new, |cell_min| rare_versions(&counts, cell_min));
        let rare_count: u64 = rare.iter().map(|version| counts[version]).sum();
        let latest_is_rare = rare.iter().flatten().any(|version| latest.contains(version));
        let small = |tally: &Tally| question.cell_min.is_some_and(|cell_min| tally.has_small(cell_min));
        let row = |(version, count): (&Option<String>, &u64)| {
            let version = version.clone().filter(|_| !rare.contains(version))?;
            Some(VersionRow { latest: latest.contains(&version), version, share: Share::new(*count, total.max(1))? })
        };
        let mut rows: Vec<VersionRow> = counts.iter().filter_map(row).collect();
        sort_by_version(&mut rows);
        let unknown = counts.get(&None).copied().unwrap_or(0);
        VersionReport {
            about: self.gathering.finish(question.cell_min),
            vendor: question.vendor.clone(),
            model: self.models.into_iter().max_by_key(|(_, count)| *count).map_or_else(|| question.model.clone(), |(model, _)| model),
            total,
            rows,
            unknown: if rare.contains(&None) { None } else { Share::new(unknown, total.max(1)) },
            rare: Share::new(rare_count, total)
                .filter(|_| !rare.is_empty())
                .map(|share| RareVersions { versions: rare.len() as u64, share }),
            support: newest.map_or_else(SupportLine::default, |newest| SupportLine { ended: newest.ended, ends: newest.ends }),
            latest_version,
            past_support: (!small(&past_support)).then(|| past_support.finished()),
            on_latest: (!small(&on_latest) && !latest_is_rare).then(|| on_latest.finished()),
        }
    }
}

/// A device that answers on two ports may be judged on one of them only.
fn surer(a: Known, b: Known) -> Known {
    if a == Known::Unknown { b } else { a }
}

/// The versions below the smallest count to be shown. When their sum is below it too, or there is only one, the next larger one joins them:
/// else the total would give it away.
fn rare_versions(counts: &BTreeMap<Option<String>, u64>, cell_min: u64) -> BTreeSet<Option<String>> {
    let mut sorted: Vec<_> = counts.iter().filter(|(_, count)| **count > 0).collect();
    sorted.sort_by_key(|(_, count)| **count);
    let mut rare = BTreeSet::new();
    let mut sum = 0;
    for (version, count) in sorted {
        let covered = rare.is_empty() || rare.len() > 1 && sum >= cell_min;
        if *count >= cell_min && covered {
            break;
        }
        rare.insert(version.clone());
        sum += count;
    }
    rare
}

/// The highest first; versions that the dotted scheme cannot read come last, by their text.
fn sort_by_version(rows: &mut [VersionRow]) {
    let scheme = Scheme::dotted();
    rows.sort_by(|a, b| match (scheme.parse(&a.version), scheme.parse(&b.version)) {
        (Some(x), Some(y)) => scheme.compare(&y, &x).unwrap_or(std::cmp::Ordering::Equal).then_with(|| b.version.cmp(&a.version)),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => a.version.cmp(&b.version),
    });
}

#[cfg(test)]
mod tests;
