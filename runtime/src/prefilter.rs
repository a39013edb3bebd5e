//! Which tests of a slot are worth confirming on a value: those whose literals stand in it.
//!
//! In: the tests of one slot. Out: for a value, a superset of the tests that hold for it. Exact values are found by hash, tests that are bound to
//! the start of a text or line by a hash that runs along it, the rest by one pass for their literals; what has no literal is always a candidate.

use std::collections::{BTreeMap, HashMap};

use crate::approach::{Approach, approaches};
use crate::backend::ValueView;
use crate::grams::Literals;
use crate::hash::Quick;
use crate::literals::Exact;
use crate::plan::{SlotId, TestId};
use crate::prefix_index::PrefixIndex;
use crate::verify::VerifiedPlan;

/// The candidates of one slot.
#[derive(Debug, Default)]
pub struct SlotFilter {
    numbers: Vec<TestId>,
    exact: HashMap<Box<[u8]>, Vec<TestId>, Quick>,
    /// Lengths of them up to 63, as bits; the highest bit stands for longer ones.
    exact_lengths: u64,
    /// Some of them are lines.
    exact_lines: bool,
    prefixes: PrefixIndex,
    /// Some of them begin lines.
    prefix_lines: bool,
    floating: Option<Floating>,
    always: Vec<TestId>,
}

#[derive(Debug)]
struct Floating {
    literals: Literals,
    /// By literal: positions in `tests`, and which set of the test it belongs to, as a bit.
    users: Vec<Vec<(u32, u8)>>,
    /// With all bits of their sets.
    tests: Vec<(TestId, u8)>,
}

impl SlotFilter {
    /// For all tests of a slot.
    pub fn new(plan: &VerifiedPlan, slot: SlotId) -> SlotFilter {
        SlotFilter::of(approaches(plan, plan.tests_of(slot)))
    }

    /// For some tests of one slot; an engine may have better ways to find the others.
    pub fn of(tests: impl IntoIterator<Item = (TestId, Approach)>) -> SlotFilter {
        let mut filter = SlotFilter::default();
        let (mut prefixes, mut floating) = (Vec::new(), Vec::new());
        for (test, approach) in tests {
            match approach {
                Approach::Never => {}
                Approach::Number => filter.numbers.push(test),
                Approach::Always => filter.always.push(test),
                Approach::Exact(Exact { values, lines }) => {
                    filter.exact_lines |= lines;
                    for value in values {
                        filter.exact_lengths |= length_bit(&value);
                        filter.exact.entry(value.into_boxed_slice()).or_default().push(test);
                    }
                }
                Approach::Prefix(set) => {
                    filter.prefix_lines |= set.lines;
                    prefixes.extend(set.literals.into_iter().map(|prefix| (prefix, test)));
                }
                Approach::Floating(sets) => floating.push((test, sets)),
            }
        }
        filter.prefixes = PrefixIndex::of(prefixes.iter().map(|(prefix, test)| (prefix.as_slice(), *test)));
        filter.floating = (!floating.is_empty()).then(|| Floating::new(floating));
        filter
    }

    /// Calls back with a superset of the tests that hold for the value; with one that has several prefixes, possibly more than once.
    pub fn candidates(&self, value: ValueView<'_>, mut found: impl FnMut(TestId)) {
        let Some(bytes) = value.bytes() else {
            self.numbers.iter().copied().for_each(found);
            return;
        };
        if self.exact_lengths != 0 {
            let mut look = |text: &[u8]| {
                if self.exact_lengths & length_bit(text) != 0
                    && let Some(tests) = self.exact.get(text)
                {
                    tests.iter().copied().for_each(&mut found);
                }
            };
            look(bytes);
            if self.exact_lines && memchr::memchr(b'\n', bytes).is_some() {
                bytes.split(|byte| *byte == b'\n').for_each(look);
            }
        }
        if !self.prefixes.is_empty() {
            line_starts(bytes, self.prefix_lines).for_each(|rest| self.prefixes.walk(rest, &mut found));
        }
        if let Some(floating) = &self.floating {
            floating.candidates(bytes, &mut found);
        }
        self.always.iter().copied().for_each(found);
    }
}

fn length_bit(text: &[u8]) -> u64 {
    1 << text.len().min(63)
}

/// A value from its start, and, if lines count, from the start of each later one.
pub fn line_starts(bytes: &[u8], lines: bool) -> impl Iterator<Item = &[u8]> {
    let later = lines.then(|| memchr::memchr_iter(b'\n', bytes)).into_iter().flatten();
    std::iter::once(bytes).chain(later.map(|at| &bytes[at + 1..]))
}

impl Floating {
    /// Of tests with sets of which one literal each stands in the value.
    fn new(floating: Vec<(TestId, Vec<Vec<Vec<u8>>>)>) -> Floating {
        let mut users: BTreeMap<Vec<u8>, Vec<(u32, u8)>> = BTreeMap::new();
        let mut tests = Vec::new();
        for (test, sets) in floating {
            let bits = (0..sets.len()).map(|set| 1u8 << set);
            tests.push((test, bits.clone().sum()));
            for (bit, set) in bits.zip(sets) {
                for literal in set {
                    users.entry(literal).or_default().push((tests.len() as u32 - 1, bit));
                }
            }
        }
        let (literals, users): (Vec<_>, Vec<_>) = users.into_iter().unzip();
        Floating { literals: Literals::new(&literals), users, tests }
    }

    fn candidates(&self, bytes: &[u8], found: &mut impl FnMut(TestId)) {
        // Most values hold no literal at all.
        let mut seen: Option<(Marks, Marks)> = None;
        self.literals.find(bytes, |literal| {
            let (literals, tests) = seen.get_or_insert_with(|| (Marks::of(self.users.len()), Marks::of(self.tests.len())));
            if literals.add(literal, 1) == 1 {
                return;
            }
            for &(at, bit) in &self.users[literal] {
                let (test, all) = self.tests[at as usize];
                let before = tests.add(at as usize, bit);
                if before != all && before | bit == all {
                    found(test);
                }
            }
        });
    }
}

/// Bits that stand for some of many things. A value marks few of them, which are remembered one by one; where it marks more, all have a place.
struct Marks {
    near: [(u32, u8); Marks::NEAR],
    marked: usize,
    things: usize,
    far: Vec<u8>,
}

impl Marks {
    const NEAR: usize = 24;

    fn of(things: usize) -> Marks {
        Marks { near: [(0, 0); Marks::NEAR], marked: 0, things, far: Vec::new() }
    }

    /// Adds bits to a thing and says which it had before.
    fn add(&mut self, thing: usize, bits: u8) -> u8 {
        if let Some(has) = self.far.get_mut(thing) {
            return std::mem::replace(has, *has | bits);
        }
        if let Some((_, has)) = self.near[..self.marked].iter_mut().find(|(at, _)| *at == thing as u32) {
            return std::mem::replace(has, *has | bits);
        }
        if self.marked < Marks::NEAR {
            self.near[self.marked] = (thing as u32, bits);
            self.marked += 1;
            return 0;
        }
        self.far = vec![0; self.things];
        self.near.iter().for_each(|&(at, has)| self.far[at as usize] = has);
        self.far[thing] = bits;
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_many_literals_finds_each_test_once() {
        // More than are remembered one by one; each test wants two literals, and every second one lacks its other.
        let literal = |at: usize| format!("<tag{at:03}>").into_bytes();
        let tests = 3 * Marks::NEAR;
        let approaches = (0..tests).map(|at| (at as TestId, Approach::Floating(vec![vec![literal(at)], vec![literal(1000 + at)]])));
        let filter = SlotFilter::of(approaches);
        let mut page = Vec::new();
        for at in (0..tests).chain(0..tests) {
            page.extend(literal(at));
            if at.is_multiple_of(2) {
                page.extend(literal(1000 + at));
            }
        }
        let mut found = Vec::new();
        filter.candidates(ValueView::Text(std::str::from_utf8(&page).expect("ASCII")), |test| found.push(test));
        assert_eq!(found, (0..tests as TestId).step_by(2).collect::<Vec<_>>());
    }
}
