//! Which addresses a scan may call.
//!
//! In: networks, ranges and addresses, from the command line, from list files or from the files of registries. Out: a [`TargetSet`] in
//! which an index finds its address. Absent: whoever the [`Permission`] does not cover; each target must be covered by itself, so that no
//! `0.0.0.0/0` slips in.

use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use crate::blocklist::Blocklist;
use crate::delegated;
use crate::mix::mix;
use crate::permission::{self, Denied, Permission};
use crate::ranges::{Range, Ranges, address, number};

/// Most addresses of one scan: a scan that would not end in a lifetime is a mistake in writing.
const ADDRESSES_MAX: u128 = 1 << 32;

/// Addresses to scan, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSet {
    ranges: Ranges,
    /// Nobody may be called, whoever asks: the set stands for a network in memory.
    simulated: bool,
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
    /// May not be called.
    #[error("{place}: {entry} {denied}")]
    Forbidden {
        /// `targets.txt:3`, or `target 2`.
        place: String,
        /// The range.
        entry: String,
        /// Why not.
        denied: Denied,
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

impl TargetSet {
    /// Own networks, from entries as they stand on a command line: `127.16.0.0/24`, `10.0.0.1-10.0.0.9`, `::1`.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<TargetSet, TargetError> {
        TargetSet::permitted(entries, &Permission::own_networks())
    }

    /// The same for whom a permission covers.
    pub fn permitted<'a>(entries: impl IntoIterator<Item = &'a str>, permission: &Permission) -> Result<TargetSet, TargetError> {
        let entries = entries.into_iter().enumerate();
        let ranges = entries.map(|(at, entry)| target(entry.trim(), permission, || format!("target {}", at + 1)));
        TargetSet::of(ranges.collect::<Result<_, _>>()?)
    }

    /// From list files: one entry a line, `#` begins a comment.
    pub fn read<P: AsRef<Path>>(paths: &[P], permission: &Permission) -> Result<TargetSet, TargetError> {
        TargetSet::of_files(paths, permission, TargetSet::read_ranges)
    }

    /// The IPv4 addresses that a country, such as `JP`, holds by the delegated or delegated-extended files of registries.
    pub fn read_delegated<P: AsRef<Path>>(paths: &[P], country: &str, permission: &Permission) -> Result<TargetSet, TargetError> {
        TargetSet::of_files(paths, permission, |path| {
            let wrong = |(line, reason)| TargetError::Wrong { place: format!("{}:{line}", path.display()), reason };
            delegated::ranges(&text(path)?, country).map_err(wrong)
        })
    }

    fn of_files<P: AsRef<Path>>(
        paths: &[P],
        permission: &Permission,
        read: impl Fn(&Path) -> Result<Vec<(usize, Range)>, TargetError>,
    ) -> Result<TargetSet, TargetError> {
        let mut ranges = Vec::new();
        for path in paths.iter().map(AsRef::as_ref) {
            for (line, range) in read(path)? {
                permission.check(range).map_err(|denied| {
                    let place = format!("{}:{line}", path.display());
                    TargetError::Forbidden { place, entry: range.to_string(), denied }
                })?;
                ranges.push(range);
            }
        }
        TargetSet::of(ranges)
    }

    /// The ranges of a list file with their lines, whoever they are.
    pub(crate) fn read_ranges(path: &Path) -> Result<Vec<(usize, Range)>, TargetError> {
        let wrong = |line, reason| TargetError::Wrong { place: format!("{}:{line}", path.display()), reason };
        entries(&text(path)?).map(|(line, entry)| Ok((line, Range::parse(entry).map_err(|reason| wrong(line, reason))?))).collect()
    }

    /// Any addresses at all, for networks that exist in memory alone: whatever opens a socket refuses this set.
    pub fn simulated<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<TargetSet, TargetError> {
        let range = |(at, entry)| Range::parse(entry).map_err(|reason| TargetError::Wrong { place: format!("target {}", at + 1), reason });
        let ranges = entries.into_iter().enumerate().map(range).collect::<Result<_, _>>()?;
        Ok(TargetSet { simulated: true, ..TargetSet::of(ranges)? })
    }

    /// Whether the set stands for a network in memory.
    pub fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// Whether any target is outside loopback, private and benchmark ranges.
    pub fn reaches_public(&self) -> bool {
        self.ranges.iter().any(|range| !permission::is_own(*range))
    }

    /// Whether all targets are of IPv4, or all of IPv6.
    pub fn is_of_one_family(&self) -> bool {
        let is_v4 = |range: &Range| address(range.first).is_ipv4();
        self.ranges.iter().all(is_v4) || !self.ranges.iter().any(is_v4)
    }

    /// Whether any target is this machine itself.
    pub fn reaches_loopback(&self) -> bool {
        self.ranges.iter().any(|range| permission::is_loopback(*range))
    }

    /// From single addresses, such as those of a simulated population: own networks.
    pub fn of_addresses(addresses: impl IntoIterator<Item = IpAddr>) -> Result<TargetSet, TargetError> {
        TargetSet::permitted_addresses(&addresses.into_iter().collect::<Vec<_>>(), &Permission::own_networks())
    }

    /// The same for whom a permission covers.
    pub fn permitted_addresses(addresses: &[IpAddr], permission: &Permission) -> Result<TargetSet, TargetError> {
        let range = |(at, address): (usize, &IpAddr)| {
            let only = number(*address);
            let range = Range { first: only, last: only };
            let denied = |denied| TargetError::Forbidden { place: format!("target {}", at + 1), entry: range.to_string(), denied };
            permission.check(range).map(|()| range).map_err(denied)
        };
        TargetSet::of(addresses.iter().enumerate().map(range).collect::<Result<_, _>>()?)
    }

    fn of(ranges: Vec<Range>) -> Result<TargetSet, TargetError> {
        let ranges = Ranges::new(ranges);
        match ranges.count() {
            0 => Err(TargetError::Nobody),
            count if count > ADDRESSES_MAX => Err(TargetError::TooMany { count }),
            _ => Ok(TargetSet { ranges, simulated: false }),
        }
    }

    /// The same without everyone on the blocklist; may be empty.
    pub fn without(&self, blocklist: &Blocklist) -> TargetSet {
        TargetSet { ranges: self.ranges.without(&blocklist.ranges()), simulated: self.simulated }
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

    /// The index of an address; absent when it is not in the set.
    pub fn index_of(&self, address: IpAddr) -> Option<u64> {
        // Below ADDRESSES_MAX, which fits.
        self.ranges.index_of(address.to_canonical()).map(|index| index as u64)
    }

    /// A number that tells this set from others: equal sets have equal ones.
    pub fn digest(&self) -> u64 {
        let words = |number: u128| [number as u64, (number >> 64) as u64];
        let ends = self.ranges.iter().flat_map(|range| [words(range.first), words(range.last)].concat());
        ends.fold(0, |digest, word| mix(digest ^ word))
    }

    /// The `index`-th of `count` parts that together are the set, each beginning and ending where a /24 of the set's addresses does, as far as the
    /// ranges do. Absent for an index that is not below the count.
    ///
    /// Whole networks, so that whoever sweeps a part alone keeps what is promised to a network.
    pub fn part(&self, index: u32, count: u32) -> Option<TargetSet> {
        let cut = |index: u32| self.ranges.count() * u128::from(index) / u128::from(count.max(1));
        (index < count).then(|| TargetSet {
            simulated: self.simulated,
            ranges: self.ranges.between(network_begin(&self.ranges, cut(index)), network_begin(&self.ranges, cut(index + 1))),
        })
    }

    /// Whether an address is in the set.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.ranges.contains(address)
    }
}

/// The first index at or above that one whose address begins a /24, or is the first of the set in its /24.
fn network_begin(ranges: &Ranges, index: u128) -> u128 {
    let network = |index: u128| ranges.at(index).map(|address| number(address) >> 8);
    let mut begin = index;
    while begin > 0 && begin < ranges.count() && network(begin) == network(begin - 1) {
        begin += 1;
    }
    begin
}

fn target(entry: &str, permission: &Permission, place: impl Fn() -> String) -> Result<Range, TargetError> {
    let range = Range::parse(entry).map_err(|reason| TargetError::Wrong { place: place(), reason })?;
    let denied = |denied| TargetError::Forbidden { place: place(), entry: entry.to_string(), denied };
    permission.check(range).map_err(denied)?;
    Ok(range)
}

fn text(path: &Path) -> Result<String, TargetError> {
    std::fs::read_to_string(path).map_err(|source| TargetError::Unreadable { file: path.display().to_string(), source })
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
    fn parts_are_whole_networks_and_together_the_set() {
        let set: TargetSet = "127.0.0.9-127.0.3.200,127.4.0.0/22,127.9.9.9,::1".parse().expect("targets");
        for count in [1, 2, 3, 7, 40] {
            let parts: Vec<TargetSet> = (0..count).filter_map(|index| set.part(index, count)).collect();
            assert_eq!(parts.len(), count as usize);
            assert_eq!(parts.iter().map(TargetSet::count).sum::<u64>(), set.count());
            let network = |address: IpAddr| number(address) >> 8;
            for index in 0..set.count() {
                let address = set.at(index).expect("a target");
                assert_eq!(parts.iter().filter(|part| part.contains(address)).count(), 1, "{address}");
                let neighbours = |part: &&TargetSet| (0..part.count()).any(|index| part.at(index).map(network) == Some(network(address)));
                assert_eq!(parts.iter().filter(neighbours).count(), 1, "{address}");
            }
        }
        assert_eq!(set.part(2, 2), None);
        assert_ne!(set.digest(), set.part(0, 2).expect("a part").digest());
    }

    #[test]
    fn a_mistake_in_a_list_names_its_line() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("list");
        std::fs::write(&path, "# ours\n127.0.0.1\n\n10.0.0.0/40 # typo\n").expect("write");
        let error = TargetSet::read(&[&path], &Permission::own_networks()).expect_err("a mistake").to_string();
        assert!(error.contains("list:4: `10.0.0.0/40` is not a network"), "{error}");
        let missing = TargetSet::read(&[directory.path().join("none")], &Permission::own_networks()).expect_err("no file").to_string();
        assert!(missing.contains("none: "), "{missing}");
    }

    #[test]
    fn a_country_is_read_from_several_files_and_only_where_it_is_allowed() {
        let directory = tempfile::tempdir().expect("directory");
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).expect("write");
            path
        };
        let files = [
            write("first", "apnic|JP|ipv4|9.9.9.0|96|20000101|allocated\napnic|AU|ipv4|9.9.8.0|256|20000101|allocated\n"),
            write("second", "apnic|JP|ipv4|9.9.7.1|2|20000101|assigned\n"),
        ];
        let allow = Permission::listed(&write("allow", "9.9.0.0/16\n"), true).expect("allow");
        assert_eq!(TargetSet::read_delegated(&files, "JP", &allow).expect("targets").count(), 98);
        assert!(TargetSet::read_delegated(&files, "JP", &allow).expect("targets").reaches_public());
        assert!(!"127.0.0.1,fd00::1".parse::<TargetSet>().expect("targets").reaches_public());
        let narrow = Permission::listed(&write("narrow", "9.9.9.0/24\n"), true).expect("allow");
        let error = TargetSet::read_delegated(&files, "JP", &narrow).expect_err("outside").to_string();
        assert!(error.ends_with("second:1: 9.9.7.1-9.9.7.2 is not covered by the allow-list"), "{error}");
        assert!(matches!(TargetSet::read_delegated(&files, "KR", &allow), Err(TargetError::Nobody)));
    }

    #[test]
    fn a_private_network_too_big_for_a_lifetime_is_refused() {
        assert!(matches!(TargetSet::parse(["fc00::/7"]), Err(TargetError::TooMany { .. })));
        assert!(matches!(TargetSet::parse([]), Err(TargetError::Nobody)));
    }
}
