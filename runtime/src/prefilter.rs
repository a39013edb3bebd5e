//! Which tests of a slot are worth confirming on a value: those whose literals stand in it.
//!
//! In: the tests of one slot. Out: for a value, a superset of the tests that hold for it. Exact values are found by hash, tests that are bound to
//! the start of a text or line by a walk down a trie, the rest by one pass for their literals; what has no literal is always a candidate.

use std::collections::{BTreeMap, HashMap};

use crate::approach::{Approach, approaches};
use crate::backend::ValueView;
use crate::grams::Literals;
use crate::hash::Quick;
use crate::literals::Exact;
use crate::plan::{SlotId, TestId};
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
    prefixes: Trie,
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
        let mut floating = Vec::new();
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
                    set.literals.iter().for_each(|prefix| filter.prefixes.insert(prefix, test));
                }
                Approach::Floating(sets) => floating.push((test, sets)),
            }
        }
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
        let mut seen: Option<(Bits, Sets)> = None;
        self.literals.find(bytes, |literal| {
            let (literals, sets) = seen.get_or_insert_with(|| (Bits::new(self.users.len()), Sets::new(self.tests.len())));
            if literals.insert(literal) {
                for &(at, bit) in &self.users[literal] {
                    let (test, all) = self.tests[at as usize];
                    if sets.completes(at as usize, bit, all) {
                        found(test);
                    }
                }
            }
        });
    }
}

/// Which sets of each test were seen; needs no allocation for the usual sizes.
struct Sets {
    near: [u8; 512],
    far: Vec<u8>,
}

impl Sets {
    fn new(tests: usize) -> Sets {
        Sets { near: [0; 512], far: if tests > 512 { vec![0; tests] } else { Vec::new() } }
    }

    /// Whether this was the last set that a test lacked.
    fn completes(&mut self, test: usize, bit: u8, all: u8) -> bool {
        let sets: &mut [u8] = if self.far.is_empty() { &mut self.near } else { &mut self.far };
        let before = sets[test];
        sets[test] = before | bit;
        before != all && before | bit == all
    }
}

/// A set of small numbers that needs no allocation for the usual sizes.
struct Bits {
    near: [u64; 16],
    far: Vec<u64>,
}

impl Bits {
    fn new(len: usize) -> Bits {
        let words = len.div_ceil(64);
        Bits { near: [0; 16], far: if words > 16 { vec![0; words] } else { Vec::new() } }
    }

    /// Whether it is new.
    fn insert(&mut self, at: usize) -> bool {
        let words: &mut [u64] = if self.far.is_empty() { &mut self.near } else { &mut self.far };
        let (word, bit) = (at / 64, 1u64 << (at % 64));
        let new = words[word] & bit == 0;
        words[word] |= bit;
        new
    }
}

/// Prefixes in lower case and the tests behind them.
#[derive(Debug)]
struct Trie {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// Sorted by byte.
    children: Vec<(u8, u32)>,
    tests: Vec<TestId>,
}

impl Default for Trie {
    fn default() -> Self {
        Trie { nodes: vec![Node::default()] }
    }
}

impl Trie {
    fn insert(&mut self, prefix: &[u8], test: TestId) {
        let mut at = 0usize;
        for &byte in prefix {
            at = match self.nodes[at].children.binary_search_by_key(&byte, |&(byte, _)| byte) {
                Ok(found) => self.nodes[at].children[found].1 as usize,
                Err(place) => {
                    let new = self.nodes.len();
                    self.nodes.push(Node::default());
                    self.nodes[at].children.insert(place, (byte, new as u32));
                    new
                }
            };
        }
        if self.nodes[at].tests.last() != Some(&test) {
            self.nodes[at].tests.push(test);
        }
    }

    fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    fn walk(&self, bytes: &[u8], found: &mut impl FnMut(TestId)) {
        let mut node = &self.nodes[0];
        for byte in bytes {
            let byte = byte.to_ascii_lowercase();
            let Ok(next) = node.children.binary_search_by_key(&byte, |&(byte, _)| byte) else { return };
            node = &self.nodes[node.children[next].1 as usize];
            node.tests.iter().copied().for_each(&mut *found);
        }
    }
}
