//! Which tests of a slot are worth confirming on a value: those whose literals stand in it.
//!
//! In: the tests of one slot. Out: for a value, a superset of the tests that hold for it. Exact values are found by hash, tests that are bound to
//! the start of a text or line by a hash that runs along it, the rest by one pass for their literals; what has no literal is always a candidate.
//! A pattern whose match begins near its literal is a candidate once for each place where that stands, with the places where a match may begin,
//! until it is settled; where that stands often, once more for all that is left, so that no text makes the work grow with its square.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::approach::{Approach, Near, approaches};
use crate::backend::ValueView;
use crate::grams::Literals;
use crate::hash::Quick;
use crate::literals::Exact;
use crate::plan::{SlotId, TestId};
use crate::prefix_index::PrefixIndex;
use crate::verify::VerifiedPlan;

/// Places of one literal at which a pattern is asked; that many low bits mark them, and the highest that it is settled.
const PLACES_ASKED: u32 = 6;
const SETTLED: u8 = 1 << 7;

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
    users: Vec<Vec<User>>,
    /// With all bits of their sets.
    tests: Vec<(TestId, u8)>,
}

/// Who waits for a literal.
#[derive(Debug)]
struct User {
    /// A position in the tests.
    at: u32,
    waits: Waits,
}

#[derive(Debug)]
enum Waits {
    /// For the literal as it stands here.
    Word(Box<[u8]>),
    Near(Near),
    /// For one of each set; the bit is that of the literal's set.
    Set(u8),
}

/// A test that may hold for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub test: TestId,
    /// Where a match may begin; absent for anywhere. It ends behind the value where all of the rest is asked for.
    pub begins: Option<Range<usize>>,
}

/// What came of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is known whether the test holds for the value.
    Yes,
    /// No match begins where it was asked for, but one may begin elsewhere.
    No,
}

impl SlotFilter {
    /// For all tests of a slot.
    pub fn new(plan: &VerifiedPlan, slot: SlotId) -> SlotFilter {
        SlotFilter::of(approaches(plan, plan.tests_of(slot)))
    }

    /// For some tests of one slot; an engine may have better ways to find the others.
    pub fn of(tests: impl IntoIterator<Item = (TestId, Approach)>) -> SlotFilter {
        let mut filter = SlotFilter::default();
        let (mut prefixes, mut floating) = (Vec::new(), FloatingParts::default());
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
                Approach::Word(word) => floating.add(test, 1, [(word.to_ascii_lowercase(), Waits::Word(word.into()))]),
                Approach::Near(literals, near) => {
                    floating.add(test, SETTLED, literals.into_iter().map(|literal| (literal, Waits::Near(near))))
                }
                Approach::Floating(sets) => {
                    let bits = (0..sets.len()).map(|set| 1u8 << set);
                    let all = bits.clone().sum();
                    let literals = bits.zip(sets).flat_map(|(bit, set)| set.into_iter().map(move |literal| (literal, Waits::Set(bit))));
                    floating.add(test, all, literals);
                }
            }
        }
        filter.prefixes = PrefixIndex::of(prefixes.iter().map(|(prefix, test)| (prefix.as_slice(), *test)));
        filter.floating = floating.done();
        filter
    }

    /// Calls back with a superset of the tests that hold for the value; with one that has several prefixes, possibly more than once.
    pub fn candidates(&self, value: ValueView<'_>, mut asked: impl FnMut(Candidate) -> Settled) {
        let mut found = |test| {
            asked(Candidate { test, begins: None });
        };
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
        self.always.iter().copied().for_each(found);
        if let Some(floating) = &self.floating {
            floating.candidates(bytes, &mut asked);
        }
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

/// What a [`Floating`] is made from.
#[derive(Default)]
struct FloatingParts {
    users: BTreeMap<Vec<u8>, Vec<User>>,
    tests: Vec<(TestId, u8)>,
}

impl FloatingParts {
    fn add(&mut self, test: TestId, all: u8, literals: impl IntoIterator<Item = (Vec<u8>, Waits)>) {
        let at = self.tests.len() as u32;
        self.tests.push((test, all));
        for (literal, waits) in literals {
            self.users.entry(literal).or_default().push(User { at, waits });
        }
    }

    fn done(self) -> Option<Floating> {
        let (literals, users): (Vec<_>, Vec<_>) = self.users.into_iter().unzip();
        (!literals.is_empty()).then(|| Floating { literals: Literals::new(&literals), users, tests: self.tests })
    }
}

impl Floating {
    fn candidates(&self, bytes: &[u8], asked: &mut impl FnMut(Candidate) -> Settled) {
        // Most values hold no literal at all.
        let mut marks: Option<Marks> = None;
        self.literals.find(bytes, |literal, place| {
            let marks = marks.get_or_insert_with(|| Marks::of(self.tests.len()));
            for User { at, waits } in &self.users[literal] {
                let (test, all) = self.tests[*at as usize];
                match waits {
                    Waits::Word(word) => {
                        if bytes[place..place + word.len()] == **word && marks.add(*at, all) != all {
                            asked(Candidate { test, begins: None });
                        }
                    }
                    Waits::Near(near) => {
                        let (begins, asked_before) = (near.begins(place), marks.of_thing(*at));
                        if begins.is_empty() || asked_before & SETTLED != 0 {
                            continue;
                        }
                        let last = asked_before.count_ones() == PLACES_ASKED;
                        let begins = if last { begins.start..usize::MAX } else { begins };
                        let settled = asked(Candidate { test, begins: Some(begins) }) == Settled::Yes || last;
                        marks.add(*at, if settled { SETTLED } else { asked_before + 1 });
                    }
                    Waits::Set(bit) => {
                        let before = marks.add(*at, *bit);
                        if before != all && before | bit == all {
                            asked(Candidate { test, begins: None });
                        }
                    }
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

    /// The bits of a thing.
    fn of_thing(&self, thing: u32) -> u8 {
        let near = || self.near[..self.marked].iter().find(|(at, _)| *at == thing).map(|(_, has)| *has);
        self.far.get(thing as usize).copied().or_else(near).unwrap_or_default()
    }

    /// Adds bits to a thing and says which it had before.
    fn add(&mut self, thing: u32, bits: u8) -> u8 {
        if let Some(has) = self.far.get_mut(thing as usize) {
            return std::mem::replace(has, *has | bits);
        }
        if let Some((_, has)) = self.near[..self.marked].iter_mut().find(|(at, _)| *at == thing) {
            return std::mem::replace(has, *has | bits);
        }
        if self.marked < Marks::NEAR {
            self.near[self.marked] = (thing, bits);
            self.marked += 1;
            return 0;
        }
        self.far = vec![0; self.things];
        self.near.iter().for_each(|&(at, has)| self.far[at as usize] = has);
        self.far[thing as usize] = bits;
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_that_stands_often_is_asked_for_a_few_times() {
        let approach = Approach::Near(vec![b"word".to_vec()], Near { least: 1, most: 3 });
        let filter = SlotFilter::of([(7, approach)]);
        let page = "a word, ".repeat(10_000);
        let mut asked = Vec::new();
        filter.candidates(ValueView::Text(&page), |candidate| {
            asked.push(candidate.begins.expect("near a place"));
            Settled::No
        });
        let places: Vec<_> = (0..6).map(|at| 8 * at + 2).map(|place: usize| place.saturating_sub(3)..place).collect();
        assert_eq!(asked[..6], places);
        assert_eq!((asked.len(), &asked[6]), (7, &(47..usize::MAX)));
    }

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
        filter.candidates(ValueView::Text(std::str::from_utf8(&page).expect("ASCII")), |candidate| {
            found.push(candidate.test);
            Settled::Yes
        });
        assert_eq!(found, (0..tests as TestId).step_by(2).collect::<Vec<_>>());
    }
}
