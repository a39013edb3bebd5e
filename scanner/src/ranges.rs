//! Sets of addresses as sorted ranges that neither touch nor overlap.
//!
//! In: ranges in any order. Out: membership, the address of an index, and differences, each by binary search. IPv4 addresses live in the
//! IPv4-mapped part of the IPv6 space, so that one number line holds both families.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// Addresses from the first to the last one, both included, of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    pub first: u128,
    pub last: u128,
}

/// The place of an address on the number line.
pub(crate) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// The address at a place of the number line.
pub(crate) fn address(number: u128) -> IpAddr {
    Ipv6Addr::from(number).to_canonical()
}

impl Range {
    /// Reads `192.0.2.0/24`, `192.0.2.1-192.0.2.9` or `192.0.2.1`. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Range, String> {
        let parse_address = |text: &str| -> Result<IpAddr, String> {
            text.trim()
                .parse::<IpAddr>()
                .map(|address| address.to_canonical())
                .map_err(|_| format!("`{text}` is not an address; expected a form such as 192.0.2.0/24, 192.0.2.1-192.0.2.9 or 192.0.2.1"))
        };
        if text.contains('/') {
            let network: IpNet = text.parse().map_err(|_| format!("`{text}` is not a network; expected a form such as 192.0.2.0/24"))?;
            return Ok(Range { first: number(network.network()), last: number(network.broadcast()) });
        }
        let Some((first, last)) = text.split_once('-') else {
            let only = number(parse_address(text)?);
            return Ok(Range { first: only, last: only });
        };
        let (first, last) = (parse_address(first)?, parse_address(last)?);
        if first.is_ipv4() != last.is_ipv4() {
            return Err(format!("`{text}` begins in one address family and ends in the other"));
        }
        if first > last {
            return Err(format!("`{text}` ends before it begins"));
        }
        Ok(Range { first: number(first), last: number(last) })
    }

    /// Whether every address of it is in the other one.
    pub fn inside(self, other: Range) -> bool {
        other.first <= self.first && self.last <= other.last
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", address(self.first))?;
        if self.first < self.last { write!(f, "-{}", address(self.last)) } else { Ok(()) }
    }
}

/// Ranges in order, none touching the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges {
    ranges: Vec<Range>,
    /// How many addresses stand before each range.
    before: Vec<u128>,
    count: u128,
    /// For every stretch of 2^`stretch_bits` indexes, the range in which it begins: the search for an index begins there.
    stretches: Vec<u32>,
    stretch_bits: u32,
}

impl Ranges {
    /// From ranges in any order, overlapping or not.
    pub fn new(mut written: Vec<Range>) -> Ranges {
        written.sort_unstable();
        let mut merged: Vec<Range> = Vec::with_capacity(written.len());
        for range in written {
            match merged.last_mut() {
                Some(previous) if range.first <= previous.last.saturating_add(1) => previous.last = previous.last.max(range.last),
                _ => merged.push(range),
            }
        }
        let mut count: u128 = 0;
        let mut before = Vec::with_capacity(merged.len());
        for range in &merged {
            before.push(count);
            count = count.saturating_add((range.last - range.first).saturating_add(1));
        }
        let (stretches, stretch_bits) = stretches(&before, count);
        Ranges { ranges: merged, before, count, stretches, stretch_bits }
    }

    /// How many addresses; the whole number line counts as one less.
    pub fn count(&self) -> u128 {
        self.count
    }

    /// The address with that index in ascending order; absent behind the last one.
    pub fn at(&self, index: u128) -> Option<IpAddr> {
        if index >= self.count {
            return None;
        }
        let stretch = (index >> self.stretch_bits) as usize;
        let begins_in = self.stretches[stretch] as usize;
        let ends_before = self.stretches.get(stretch + 1).map_or(self.before.len(), |next| *next as usize + 1);
        let place = begins_in + self.before[begins_in..ends_before].partition_point(|before| *before <= index) - 1;
        Some(address(self.ranges[place].first + (index - self.before[place])))
    }

    /// The index of an address; absent when it is not in the set.
    pub fn index_of(&self, address: IpAddr) -> Option<u128> {
        let number = number(address);
        let place = self.ranges.partition_point(|range| range.first <= number).checked_sub(1)?;
        (number <= self.ranges[place].last).then(|| self.before[place] + (number - self.ranges[place].first))
    }

    /// The addresses whose index is at least the first and below the second.
    pub fn between(&self, from: u128, to: u128) -> Ranges {
        let cut = |(range, before): (&Range, &u128)| {
            let count = range.last - range.first + 1;
            let (begin, end) = (from.max(*before), to.min(before + count));
            (begin < end).then(|| Range { first: range.first + (begin - before), last: range.first + (end - 1 - before) })
        };
        Ranges::new(self.ranges.iter().zip(&self.before).filter_map(cut).collect())
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &Range> {
        self.ranges.iter()
    }

    /// Whether the address is in the set.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.index_of(address).is_some()
    }

    /// What is in this set and not in the other one.
    pub fn without(&self, other: &Ranges) -> Ranges {
        let mut left = Vec::new();
        for range in &self.ranges {
            let mut first = Some(range.first);
            let skip = other.ranges.partition_point(|cut| cut.last < range.first);
            for cut in other.ranges[skip..].iter().take_while(|cut| cut.first <= range.last) {
                if let Some(from) = first.filter(|from| *from < cut.first) {
                    left.push(Range { first: from, last: cut.first - 1 });
                }
                first = cut.last.checked_add(1);
            }
            if let Some(from) = first.filter(|from| *from <= range.last) {
                left.push(Range { first: from, last: range.last });
            }
        }
        Ranges::new(left)
    }
}

/// About twice as many stretches of equal length as ranges, each with the range in which it begins.
fn stretches(before: &[u128], count: u128) -> (Vec<u32>, u32) {
    let wanted = 2 * before.len().max(1) as u128;
    let stretch_bits = u128::BITS - (count / wanted).leading_zeros();
    let stretch = |at: u128| before.partition_point(|before| *before <= at << stretch_bits) as u32 - 1;
    let last = count.saturating_sub(1) >> stretch_bits;
    (if before.is_empty() { Vec::new() } else { (0..=last).map(stretch).collect() }, stretch_bits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn small_sets() -> impl Strategy<Value = Vec<(u8, u8)>> {
        prop::collection::vec((any::<u8>(), any::<u8>()), 0..8)
    }

    fn set(pairs: &[(u8, u8)]) -> Ranges {
        let base = number("10.0.0.0".parse().expect("address"));
        Ranges::new(pairs.iter().map(|(a, b)| Range { first: base + u128::from(*a.min(b)), last: base + u128::from(*a.max(b)) }).collect())
    }

    fn members(set: &Ranges) -> Vec<IpAddr> {
        (0..set.count()).map(|index| set.at(index).expect("an index below the count")).collect()
    }

    proptest! {
        #[test]
        fn a_difference_holds_what_only_the_first_set_holds(a in small_sets(), b in small_sets()) {
            let (a, b) = (set(&a), set(&b));
            let wanted: Vec<IpAddr> = members(&a).into_iter().filter(|address| !b.contains(*address)).collect();
            prop_assert_eq!(members(&a.without(&b)), wanted);
        }

        #[test]
        fn every_index_is_a_member_and_they_ascend(a in small_sets()) {
            let a = set(&a);
            let all = members(&a);
            prop_assert!(all.iter().enumerate().all(|(index, address)| a.index_of(*address) == Some(index as u128)));
            prop_assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(a.at(a.count()), None);
        }
    }

    #[test]
    fn both_families_live_on_one_line() {
        let set = Ranges::new(vec![Range::parse("::1").expect("v6"), Range::parse("127.0.0.1-127.0.0.2").expect("v4")]);
        let members: Vec<String> = members(&set).iter().map(IpAddr::to_string).collect();
        assert_eq!(members, ["::1", "127.0.0.1", "127.0.0.2"]);
    }

    #[test]
    fn mistakes_say_what_is_wrong() {
        for (text, reason) in [
            ("10.0.0.0/33", "not a network"),
            ("10.0.0", "not an address"),
            ("10.0.0.9-10.0.0.1", "ends before it begins"),
            ("10.0.0.1-::1", "address family"),
        ] {
            assert!(Range::parse(text).expect_err(text).contains(reason), "{text}");
        }
    }
}
