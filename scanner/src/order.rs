//! A random order that needs no memory: a keyed permutation of the numbers below a size.
//!
//! In: a place in the order. Out: the number that stands there. Random access makes shards and resumption exact: whoever knows key, size and
//! place knows what is next.
//!
//! A Feistel network permutes the pairs of a number below `rows` and one below `columns`, which are about the square root of the size; the few pairs
//! that stand for no number below the size walk on until they do. There are fewer of them than `columns`, so that hardly any walk takes a second step.

use crate::mix::mix;

/// Enough rounds that neighbours end far apart; nobody needs to be unable to guess the order.
const ROUNDS: usize = 4;

/// A permutation of `0..size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permutation {
    size: u64,
    rows: u64,
    columns: u64,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The permutation of `0..size` under that key. A size of 0 has no places.
    pub fn new(size: u64, key: u64) -> Permutation {
        let columns = size.isqrt().max(1);
        let rows = size.div_ceil(columns).max(1);
        Permutation { size, rows, columns, keys: std::array::from_fn(|round| mix(key ^ round as u64)) }
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
        let (mut row, mut column) = (number / self.columns, number % self.columns);
        for keys in self.keys.chunks_exact(2) {
            row = moved(row, mix(keys[0] ^ column), self.rows);
            column = moved(column, mix(keys[1] ^ row), self.columns);
        }
        row * self.columns + column
    }
}

/// A number below `size` moved on by as much as a random word says, around the end.
fn moved(number: u64, word: u64, size: u64) -> u64 {
    // Sizes are below 2^33, words are cut to 31 bits: the product fits.
    let sum = number + (((word >> 33) * size) >> 31);
    if sum >= size { sum - size } else { sum }
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
