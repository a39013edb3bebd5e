//! Which of the ports of a sweep: a set that fits into sixteen bytes.

use serde::{Deserialize, Serialize};

/// Most ports of one sweep.
pub const PORTS_MAX: usize = 128;

/// A set of places in the sweep's list of ports. Two words, so that it needs no more than eight bytes of alignment in millions of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PortSet([u64; 2]);

impl PortSet {
    /// That one alone. Places from [`PORTS_MAX`] on are in no set.
    pub fn only(place: u8) -> PortSet {
        let mut set = PortSet::default();
        set.insert(place);
        set
    }

    /// The first so many places of a list.
    pub fn first(count: usize) -> PortSet {
        (0..count.min(PORTS_MAX)).map(|place| place as u8).collect()
    }

    /// Adds one.
    pub fn insert(&mut self, place: u8) {
        if let Some(word) = self.0.get_mut(usize::from(place / 64)) {
            *word |= 1 << (place % 64);
        }
    }

    /// Whether it is in the set.
    pub fn contains(self, place: u8) -> bool {
        self.0.get(usize::from(place / 64)).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// What is in either.
    pub fn union(self, other: PortSet) -> PortSet {
        PortSet([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// What is in both.
    pub fn common(self, other: PortSet) -> PortSet {
        PortSet([self.0[0] & other.0[0], self.0[1] & other.0[1]])
    }

    /// What is in this one and not in the other.
    pub fn without(self, other: PortSet) -> PortSet {
        PortSet([self.0[0] & !other.0[0], self.0[1] & !other.0[1]])
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == [0, 0]
    }

    /// How many.
    pub fn count(self) -> u32 {
        self.0[0].count_ones() + self.0[1].count_ones()
    }

    /// Each, ascending.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        let mut left = u128::from(self.0[0]) | u128::from(self.0[1]) << 64;
        std::iter::from_fn(move || {
            let place = left.trailing_zeros() as u8;
            left &= left.wrapping_sub(1);
            (usize::from(place) < PORTS_MAX).then_some(place)
        })
    }
}

impl FromIterator<u8> for PortSet {
    fn from_iter<I: IntoIterator<Item = u8>>(places: I) -> PortSet {
        let mut set = PortSet::default();
        places.into_iter().for_each(|place| set.insert(place));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_sets() {
        let (a, b): (PortSet, PortSet) = ([0, 63, 64, 127].into_iter().collect(), [63, 100].into_iter().collect());
        assert_eq!(a.union(b).iter().collect::<Vec<_>>(), [0, 63, 64, 100, 127]);
        assert_eq!(a.common(b), PortSet::only(63));
        assert_eq!(a.without(b).count(), 3);
        assert!(!a.contains(128) && PortSet::only(200).is_empty());
        assert_eq!(PortSet::first(128).count(), 128);
    }
}
