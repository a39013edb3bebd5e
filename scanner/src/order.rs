//! A random order that needs no memory: a keyed permutation of the numbers below a size.
//!
//! In: a place in the order. Out: the number that stands there. Random access makes shards and resumption exact: whoever knows key, size and
//! place knows what is next.
//!
//! A Feistel network permutes the smallest even number of bits that holds the size; results outside walk on until they are inside. The
//! network's domain is less than four times the size, so that a walk takes less than four steps on average.

use crate::mix::mix;

/// Enough rounds that neighbours end far apart; nobody needs to be unable to guess the order.
const ROUNDS: u64 = 4;

/// A permutation of `0..size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permutation {
    size: u64,
    half_bits: u32,
    key: u64,
}

impl Permutation {
    /// The permutation of `0..size` under that key. A size of 0 has no places.
    pub fn new(size: u64, key: u64) -> Permutation {
        let bits = u64::BITS - size.saturating_sub(1).leading_zeros();
        Permutation { size, half_bits: bits.div_ceil(2).max(1), key }
    }

    /// A key from the system's source of randomness.
    pub fn random_key() -> std::io::Result<u64> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    /// How many places.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The number at a place; absent behind the last place.
    pub fn at(&self, place: u64) -> Option<u64> {
        if place >= self.size {
            return None;
        }
        let mut number = self.network(place);
        while number >= self.size {
            number = self.network(number);
        }
        Some(number)
    }

    fn network(&self, number: u64) -> u64 {
        let mask = (1u64 << self.half_bits) - 1;
        let (mut left, mut right) = (number >> self.half_bits, number & mask);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ (mix(mix(self.key ^ round) ^ right) & mask));
        }
        left << self.half_bits | right
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_stands_at_exactly_one_place(size in 0u64..5_000, key: u64) {
            let order = Permutation::new(size, key);
            let mut numbers: Vec<u64> = (0..size).filter_map(|place| order.at(place)).collect();
            numbers.sort_unstable();
            prop_assert!(numbers.into_iter().eq(0..size));
            prop_assert_eq!(order.at(size), None);
        }

        #[test]
        fn big_sizes_stay_inside(size in 1u64..=u64::MAX, key: u64, place: u64) {
            let place = place % size;
            prop_assert!(Permutation::new(size, key).at(place).is_some_and(|number| number < size));
        }
    }

    #[test]
    fn neighbours_end_far_apart() {
        let order = Permutation::new(1 << 16, 7);
        let near = (1..1u64 << 16).filter(|place| order.at(*place).zip(order.at(place - 1)).is_some_and(|(a, b)| a.abs_diff(b) < 256));
        // Chance alone gives 1 in 128.
        assert!(near.count() < 1 << 10);
    }
}
