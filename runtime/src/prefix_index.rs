//! Which of many prefixes a text begins with, ignoring ASCII case, at the same cost for a thousand and a hundred thousand of them.
//!
//! In: prefixes in lower case, each with a test. Out: for a text, the tests of all prefixes that it begins with.
//!
//! A hash runs along the beginning of the text. Where a prefix of that length exists, a bit says whether one of them has this hash, which is
//! nearly always answered with no; only then the prefix itself is looked up. Most texts end the walk after their first bytes, for no prefix has
//! those.

use std::collections::HashMap;

use crate::hash::Quick;
use crate::plan::TestId;

/// How far a prefix is followed; what lies behind is the confirmation's.
const LENGTH_MAX: usize = 32;
/// First bytes that a text must have in common with a prefix of that length or more.
const HEAD: usize = 4;
/// Bits for each prefix: one of so many others is taken for it, and then looked up in vain.
const BITS_A_PREFIX: usize = 16;
const BITS_MIN: usize = 1 << 9;
const BITS_MAX: usize = 1 << 22;

/// Prefixes and the tests behind them.
#[derive(Debug, Default)]
pub(crate) struct PrefixIndex {
    tests: HashMap<Box<[u8]>, Vec<TestId>, Quick>,
    /// Which lengths prefixes have, as bits.
    lengths: u64,
    bits: Vec<u64>,
    /// How far a hash is shifted for its place in `bits`.
    shift: u32,
}

impl PrefixIndex {
    /// Of prefixes in lower case, none of them empty.
    pub(crate) fn of<'p>(prefixes: impl IntoIterator<Item = (&'p [u8], TestId)>) -> PrefixIndex {
        let mut all = PrefixIndex::default();
        for (prefix, test) in prefixes {
            let prefix = &prefix[..prefix.len().min(LENGTH_MAX)];
            all.lengths |= 1 << prefix.len();
            let tests = all.tests.entry(prefix.into()).or_default();
            if tests.last() != Some(&test) {
                tests.push(test);
            }
        }
        let bits = (all.tests.len() * BITS_A_PREFIX).next_power_of_two().clamp(BITS_MIN, BITS_MAX);
        all.bits = vec![0; bits / 64];
        all.shift = 64 - bits.trailing_zeros();
        for prefix in all.tests.keys() {
            let mut hash = 0;
            for (at, &byte) in prefix.iter().enumerate() {
                hash = longer(hash, byte);
                if at + 1 == HEAD || at + 1 == prefix.len() {
                    let place = (hash >> all.shift) as usize;
                    all.bits[place / 64] |= 1 << (place % 64);
                }
            }
        }
        all
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Calls back with the tests whose prefixes a text begins with, shorter prefixes first.
    pub(crate) fn walk(&self, text: &[u8], found: &mut impl FnMut(TestId)) {
        let length = text.len().min(LENGTH_MAX);
        let mut start = text.first_chunk().copied().unwrap_or_else(|| {
            let mut start = [0; LENGTH_MAX];
            start[..length].copy_from_slice(text);
            start
        });
        start.make_ascii_lowercase();
        let mut hash = 0;
        for (at, &byte) in start[..length].iter().enumerate() {
            hash = longer(hash, byte);
            let ends = self.lengths >> (at + 1) & 1 == 1;
            if !ends && at + 1 != HEAD {
                continue;
            }
            let place = (hash >> self.shift) as usize;
            let is_known = self.bits[place / 64] >> (place % 64) & 1 == 1;
            if is_known
                && ends
                && let Some(tests) = self.tests.get(&start[..=at])
            {
                tests.iter().copied().for_each(&mut *found);
            }
            if (!is_known && at + 1 == HEAD) || self.lengths >> (at + 1) == 1 {
                return;
            }
        }
    }
}

/// The hash of a text that is longer by one byte; its highest bits are the best.
fn longer(hash: u64, byte: u8) -> u64 {
    (hash.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_a_text_begins_with_is_found(
            prefixes in prop::collection::vec("[ab`é]{1,7}(a{30}[ab]{0,6})?", 0..20),
            text in "[abAB@`é]{0,8}([aA]{30}[abAB]{0,6})?",
        ) {
            let mut found = Vec::new();
            let numbered = prefixes.iter().enumerate().map(|(at, prefix)| (prefix.as_bytes(), at as TestId));
            PrefixIndex::of(numbered).walk(text.as_bytes(), &mut |test| found.push(test));
            found.sort_unstable();
            let begins = |prefix: &String| {
                let followed = &prefix.as_bytes()[..prefix.len().min(LENGTH_MAX)];
                text.as_bytes().get(..followed.len()).is_some_and(|start| start.eq_ignore_ascii_case(followed))
            };
            let expected: Vec<TestId> = (0..prefixes.len() as TestId).filter(|&at| begins(&prefixes[at as usize])).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
