//! Which tests of a slot are worth confirming on a value: those whose literals stand in it.
//!
//! In: the tests of one slot. Out: for a value, a superset of the tests that hold for it. Exact values are found by hash, tests that are bound to
//! the start of a text or line by a walk down a trie, the rest by one pass for their literals; what has no literal is always a candidate.

use std::collections::HashMap;

use crate::backend::ValueView;
use crate::grams::Literals;
use crate::literals::{self, Prefixes};
use crate::plan::{Predicate, SlotId, TestId};
use crate::verify::VerifiedPlan;

/// Shortest literal that is looked for anywhere in a text; shorter ones stand everywhere.
const FLOATING_BYTES_MIN: usize = 2;

/// The candidates of one slot.
#[derive(Debug, Default)]
pub struct SlotFilter {
    numbers: Vec<TestId>,
    exact: HashMap<Box<[u8]>, Vec<TestId>>,
    prefixes: Trie,
    /// Some of the prefixes begin lines.
    lines: bool,
    floating: Option<Floating>,
    always: Vec<TestId>,
}

#[derive(Debug)]
struct Floating {
    literals: Literals,
    /// By literal: positions in `tests`.
    users: Vec<Vec<u32>>,
    tests: Vec<TestId>,
}

/// How one test of a slot is found.
#[derive(Clone, Debug)]
pub enum Approach {
    /// A bool or a number.
    Number,
    /// The value is one of these.
    Exact(Vec<Vec<u8>>),
    /// The value, or a line of it, begins with one of these, ignoring ASCII case.
    Prefix(Prefixes),
    /// One of these stands in the value, ignoring ASCII case.
    Floating(Vec<Vec<u8>>),
    /// Nothing is known of the value.
    Always,
    /// Not a question to a value.
    Never,
}

/// How a test is found.
pub fn approach(plan: &VerifiedPlan, test: TestId) -> Approach {
    let floating = |literal: &[u8]| {
        if literal.len() >= FLOATING_BYTES_MIN { Approach::Floating(vec![literal.to_ascii_lowercase()]) } else { Approach::Always }
    };
    match &plan.plan().tests[test as usize].predicate {
        Predicate::Present | Predicate::Absent | Predicate::Complete => Approach::Never,
        Predicate::Bool(_) | Predicate::IntIn(..) => Approach::Number,
        Predicate::Equals(value) => Approach::Exact(vec![value.clone()]),
        Predicate::OneOf(values) => Approach::Exact(values.clone()),
        Predicate::Starts(prefix) if prefix.is_empty() => Approach::Always,
        Predicate::Starts(prefix) => Approach::Prefix(Prefixes::of_text(prefix.to_ascii_lowercase())),
        Predicate::Under(oid) => Approach::Prefix(Prefixes::of_text(oid.clone().into_bytes())),
        Predicate::Ends(literal) | Predicate::Contains(literal) => floating(literal),
        Predicate::Matches(pattern) => {
            let hir = plan.pattern(*pattern).hir();
            let shortest = |set: &Vec<Vec<u8>>| set.iter().map(Vec::len).min().unwrap_or(0);
            let prefix = literals::prefixes(hir);
            let required = literals::required(hir).filter(|set| shortest(set) >= FLOATING_BYTES_MIN);
            match (prefix, required) {
                (Some(prefix), Some(required)) if shortest(&prefix.literals) < 2 && shortest(&required) > 3 => Approach::Floating(required),
                (Some(prefix), _) => Approach::Prefix(prefix),
                (None, Some(required)) => Approach::Floating(required),
                (None, None) => Approach::Always,
            }
        }
    }
}

impl SlotFilter {
    /// For all tests of a slot.
    pub fn new(plan: &VerifiedPlan, slot: SlotId) -> SlotFilter {
        SlotFilter::of(plan, plan.tests_of(slot))
    }

    /// For some tests of one slot; an engine may have better ways to find the others.
    pub fn of(plan: &VerifiedPlan, tests: &[TestId]) -> SlotFilter {
        let mut filter = SlotFilter::default();
        let mut floating: HashMap<Vec<u8>, Vec<u32>> = HashMap::new();
        let mut floating_tests = Vec::new();
        for &test in tests {
            match approach(plan, test) {
                Approach::Never => {}
                Approach::Number => filter.numbers.push(test),
                Approach::Always => filter.always.push(test),
                Approach::Exact(values) => {
                    for value in values {
                        filter.exact.entry(value.into_boxed_slice()).or_default().push(test);
                    }
                }
                Approach::Prefix(set) => {
                    filter.lines |= set.lines;
                    set.literals.iter().for_each(|prefix| filter.prefixes.insert(prefix, test));
                }
                Approach::Floating(set) => {
                    let at = floating_tests.len() as u32;
                    floating_tests.push(test);
                    for literal in set {
                        floating.entry(literal).or_default().push(at);
                    }
                }
            }
        }
        if !floating.is_empty() {
            let mut literals: Vec<(Vec<u8>, Vec<u32>)> = floating.into_iter().collect();
            literals.sort();
            let (literals, users): (Vec<_>, Vec<_>) = literals.into_iter().unzip();
            filter.floating = Some(Floating { literals: Literals::new(&literals), users, tests: floating_tests });
        }
        filter
    }

    /// Calls back with a superset of the tests that hold for the value; with one that has several prefixes, possibly more than once.
    pub fn candidates(&self, value: ValueView<'_>, mut found: impl FnMut(TestId)) {
        let Some(bytes) = value.bytes() else {
            self.numbers.iter().copied().for_each(found);
            return;
        };
        if let Some(tests) = self.exact.get(bytes) {
            tests.iter().copied().for_each(&mut found);
        }
        if !self.prefixes.is_empty() {
            line_starts(bytes, self.lines).for_each(|rest| self.prefixes.walk(rest, &mut found));
        }
        if let Some(floating) = &self.floating {
            floating.candidates(bytes, &mut found);
        }
        self.always.iter().copied().for_each(found);
    }
}

/// A value from its start, and, if lines count, from the start of each later one.
pub fn line_starts(bytes: &[u8], lines: bool) -> impl Iterator<Item = &[u8]> {
    let later = lines.then(|| memchr::memchr_iter(b'\n', bytes)).into_iter().flatten();
    std::iter::once(bytes).chain(later.map(|at| &bytes[at + 1..]))
}

impl Floating {
    fn candidates(&self, bytes: &[u8], found: &mut impl FnMut(TestId)) {
        let mut literals_seen = Bits::new(self.users.len());
        let mut tests_seen = Bits::new(self.tests.len());
        self.literals.find(bytes, |literal| {
            if literals_seen.insert(literal) {
                for &at in &self.users[literal] {
                    if tests_seen.insert(at as usize) {
                        found(self.tests[at as usize]);
                    }
                }
            }
        });
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
