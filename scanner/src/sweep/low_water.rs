//! Which places of an order are through, when they end in another sequence than they begin.
//!
//! In: places that are through, each once, none far ahead of the rest. Out: the low-water mark: every place below it is through. A sweep that
//! starts again begins there, so that no place is left out, and only those above the mark that were through may come twice.

use std::collections::VecDeque;

/// The mark, and what is through above it.
#[derive(Clone, Debug, Default)]
pub(super) struct LowWater {
    mark: u64,
    /// Bit `i` of the row: whether `mark + i` is through. The first bit is never set.
    above: VecDeque<u64>,
}

impl LowWater {
    /// Everything below that place is through.
    pub fn at(mark: u64) -> LowWater {
        LowWater { mark, above: VecDeque::new() }
    }

    /// The first place that is not through.
    pub fn mark(&self) -> u64 {
        self.mark
    }

    /// Notes that a place is through.
    pub fn through(&mut self, place: u64) {
        let Some(ahead) = place.checked_sub(self.mark) else { return };
        if ahead == 0 && self.above.is_empty() {
            self.mark += 1;
            return;
        }
        // Places that are out at a time are bounded by the caller, so that this fits.
        let word = (ahead / 64) as usize;
        if word >= self.above.len() {
            self.above.resize(word + 1, 0);
        }
        self.above[word] |= 1 << (ahead % 64);
        if ahead == 0 {
            self.rise();
        }
    }

    /// Moves the mark over all places that are through.
    fn rise(&mut self) {
        while let Some(&first) = self.above.front() {
            if first != u64::MAX {
                break;
            }
            self.above.pop_front();
            self.mark += 64;
        }
        let over = self.above.front().map_or(0, |first| first.trailing_ones());
        if over > 0 {
            self.mark += u64::from(over);
            let mut carried = 0;
            for word in self.above.iter_mut().rev() {
                let low = *word & ((1 << over) - 1);
                *word = *word >> over | carried << (64 - over);
                carried = low;
            }
        }
        while self.above.back() == Some(&0) {
            self.above.pop_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_mark_stands_at_the_first_place_that_is_not_through(begin in 0u64..1000, mut places in Just((0..400u64).collect::<Vec<_>>()).prop_shuffle(), kept in 0usize..=400) {
            places.truncate(kept);
            let mut water = LowWater::at(begin);
            let mut through = std::collections::BTreeSet::new();
            for place in places {
                water.through(begin + place);
                through.insert(place);
                let first = (0..).find(|place| !through.contains(place)).unwrap_or_default();
                prop_assert_eq!(water.mark(), begin + first);
            }
        }
    }

    #[test]
    fn what_is_below_the_mark_changes_nothing() {
        let mut water = LowWater::at(7);
        water.through(3);
        assert_eq!(water.mark(), 7);
        water.through(7);
        water.through(7);
        assert_eq!(water.mark(), 8);
    }
}
