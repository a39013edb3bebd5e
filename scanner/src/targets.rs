//! Which addresses a scan may call.
//!
//! In: networks, ranges and addresses, from the command line or from list files. Out: a [`TargetSet`] in which an index finds its address.
//! Absent: everything outside loopback, private and benchmark ranges. As long as the scanner paces itself by nothing but one global rate
//! and has no page that explains it to those it calls, it calls nobody but its own machine and its own networks; and each target must
//! be inside one of these ranges by itself, so that no `0.0.0.0/0` slips in.

use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use crate::blocklist::Blocklist;
use crate::ranges::{Range, Ranges};

/// Ranges that may be scanned, each with what it is.
const ALLOWED: &[(&str, &str)] = &[
    ("127.0.0.0/8", "loopback"),
    ("::1/128", "loopback"),
    ("10.0.0.0/8", "private"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("fc00::/7", "private"),
    ("198.18.0.0/15", "benchmark"),
];

/// Most addresses of one scan: a scan that would not end in a lifetime is a mistake in writing.
const ADDRESSES_MAX: u128 = 1 << 32;

/// Addresses to scan, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSet {
    ranges: Ranges,
}

/// Why targets cannot be scanned.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// A list file cannot be read.
    #[error("{file}: {source}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a network, range or address.
    #[error("{place}: {reason}")]
    Wrong {
        /// `targets.txt:3`, or `target 2`.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// Outside the ranges that may be scanned.
    #[error("{place}: {entry} is not a loopback, private or benchmark range, and ksig scans no other: {allowed}", allowed = allowed())]
    Forbidden {
        /// `targets.txt:3`, or `target 2`.
        place: String,
        /// The range as written.
        entry: String,
    },
    /// Too many addresses.
    #[error("{count} targets are more than one scan can take ({max})", max = ADDRESSES_MAX)]
    TooMany {
        /// How many.
        count: u128,
    },
    /// No address at all.
    #[error("there is no target")]
    Nobody,
}

fn allowed() -> String {
    ALLOWED.iter().map(|(range, what)| format!("{range} ({what})")).collect::<Vec<_>>().join(", ")
}

impl TargetSet {
    /// From entries as they stand on a command line: `127.16.0.0/24`, `10.0.0.1-10.0.0.9`, `::1`.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<TargetSet, TargetError> {
        let entries = entries.into_iter().enumerate();
        let ranges = entries.map(|(at, entry)| target(entry.trim(), || format!("target {}", at + 1)));
        TargetSet::of(ranges.collect::<Result<_, _>>()?)
    }

    /// From a list file: one entry a line, `#` begins a comment.
    pub fn read(path: &Path) -> Result<TargetSet, TargetError> {
        let file = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(source) => return Err(TargetError::Unreadable { file, source }),
        };
        let ranges = entries(&text).map(|(line, entry)| target(entry, || format!("{file}:{line}")));
        TargetSet::of(ranges.collect::<Result<_, _>>()?)
    }

    /// From single addresses, such as those of a simulated population.
    pub fn of_addresses(addresses: impl IntoIterator<Item = IpAddr>) -> Result<TargetSet, TargetError> {
        let range = |(at, address): (usize, IpAddr)| target(&address.to_string(), || format!("target {}", at + 1));
        TargetSet::of(addresses.into_iter().enumerate().map(range).collect::<Result<_, _>>()?)
    }

    fn of(ranges: Vec<Range>) -> Result<TargetSet, TargetError> {
        let ranges = Ranges::new(ranges);
        match ranges.count() {
            0 => Err(TargetError::Nobody),
            count if count > ADDRESSES_MAX => Err(TargetError::TooMany { count }),
            _ => Ok(TargetSet { ranges }),
        }
    }

    /// The same without everyone on the blocklist; may be empty.
    pub fn without(&self, blocklist: &Blocklist) -> TargetSet {
        TargetSet { ranges: self.ranges.without(&blocklist.ranges()) }
    }

    /// How many addresses.
    pub fn count(&self) -> u64 {
        // At most ADDRESSES_MAX, which fits.
        self.ranges.count() as u64
    }

    /// The address with that index, in ascending order; absent behind the last one.
    pub fn at(&self, index: u64) -> Option<IpAddr> {
        self.ranges.at(index.into())
    }

    /// Whether an address is in the set.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.ranges.contains(address)
    }
}

fn target(entry: &str, place: impl Fn() -> String) -> Result<Range, TargetError> {
    let range = Range::parse(entry).map_err(|reason| TargetError::Wrong { place: place(), reason })?;
    let fits = ALLOWED.iter().filter_map(|(allowed, _)| Range::parse(allowed).ok()).any(|allowed| range.inside(allowed));
    if fits { Ok(range) } else { Err(TargetError::Forbidden { place: place(), entry: entry.to_string() }) }
}

/// The entries of a list file with their lines, from 1: without comments, without empty lines.
pub(crate) fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.split('#').next().unwrap_or_default().trim()));
    lines.filter(|(_, entry)| !entry.is_empty())
}

impl FromStr for TargetSet {
    type Err = TargetError;

    /// Entries separated by commas.
    fn from_str(text: &str) -> Result<TargetSet, TargetError> {
        TargetSet::parse(text.split(','))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_outside_the_own_networks_can_become_a_target() {
        let forbidden =
            ["8.8.8.8", "0.0.0.0/0", "10.0.0.0/7", "198.17.255.255-198.18.0.1", "::/0", "2001:db8::1", "172.32.0.1", "::ffff:8.8.8.8"];
        for entry in forbidden {
            let error = TargetSet::parse(["127.0.0.1", entry]).expect_err(entry);
            assert!(matches!(error, TargetError::Forbidden { .. }), "{error}");
            assert!(error.to_string().starts_with(&format!("target 2: {entry} ")), "{error}");
        }
        for entry in ["127.1.2.3", "10.0.0.0/8", "172.31.255.255", "192.168.0.0/16", "198.19.0.0/16", "::1", "fd00::1-fd00::9"] {
            TargetSet::parse([entry]).expect(entry);
        }
    }

    #[test]
    fn a_target_that_is_listed_twice_is_called_once() {
        let set: TargetSet = "127.0.0.2-127.0.0.5,127.0.0.4/31,127.0.0.1".parse().expect("targets");
        let all: Vec<String> = (0..set.count()).filter_map(|index| set.at(index)).map(|address| address.to_string()).collect();
        assert_eq!(all, ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"]);
    }

    #[test]
    fn a_mistake_in_a_list_names_its_line() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("list");
        std::fs::write(&path, "# ours\n127.0.0.1\n\n10.0.0.0/40 # typo\n").expect("write");
        let error = TargetSet::read(&path).expect_err("a mistake").to_string();
        assert!(error.contains("list:4: `10.0.0.0/40` is not a network"), "{error}");
        let missing = TargetSet::read(&directory.path().join("none")).expect_err("no file").to_string();
        assert!(missing.contains("none: "), "{missing}");
    }

    #[test]
    fn a_private_network_too_big_for_a_lifetime_is_refused() {
        assert!(matches!(TargetSet::parse(["fc00::/7"]), Err(TargetError::TooMany { .. })));
        assert!(matches!(TargetSet::parse([]), Err(TargetError::Nobody)));
    }
}
