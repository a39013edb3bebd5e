//! How the tests of a slot are found in a value, each by what it has that the fewest others have.
//!
//! In: the tests of one slot. Out: an [`Approach`] for each. A pattern that can only be one of some texts is found by hash; one that is bound to
//! the start, by that; where many tests begin alike, by a literal further on that they do not share.

use std::ops::Range;

use regex_syntax::hir::Look;

use crate::grams::Commonness;
use crate::literals::{self, Distance, Exact, Prefixes, Required};
use crate::plan::{Predicate, TestId};
use crate::verify::VerifiedPlan;

/// Shortest literal that is looked for anywhere in a text; shorter ones stand everywhere.
const FLOATING_BYTES_MIN: usize = 2;
/// Tests that may begin alike before another literal is looked for.
const BEGIN_ALIKE_MAX: u32 = 4;
/// Sets of literals that are looked for of one test, beside the first those that cost no more than this.
const SETS_MAX: usize = 3;
const SET_COST_MAX: u32 = 8;
/// Tests of a slot up to which one thread is enough, and most threads.
const TESTS_OF_ONE_THREAD: usize = 1024;
const THREADS_MAX: usize = 8;
/// Farthest that a match may begin before its literal, for the pattern to be asked about that stretch alone.
const NEAR_BYTES_MAX: usize = 64;

/// How one test of a slot is found.
#[derive(Clone, Debug)]
pub enum Approach {
    /// A bool or a number.
    Number,
    /// The value, or a line of it, is one of these.
    Exact(Exact),
    /// The value, or a line of it, begins with one of these, ignoring ASCII case.
    Prefix(Prefixes),
    /// This text stands in the value: found so, it holds.
    Word(Vec<u8>),
    /// One of these stands in the value, ignoring ASCII case, and a match begins so far before it.
    Near(Vec<Vec<u8>>, Near),
    /// Of each of these sets one stands in the value, ignoring ASCII case; from one set to [`SETS_MAX`].
    Floating(Vec<Vec<Vec<u8>>>),
    /// Nothing is known of the value.
    Always,
    /// Not a question to a value.
    Never,
}

/// How many bytes before its literal a match begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    /// Fewest.
    pub least: usize,
    /// Most.
    pub most: usize,
}

impl Near {
    /// For a pattern that may begin anywhere, and has a bound.
    fn of(behind: Distance) -> Option<Near> {
        let most = behind.most.filter(|most| *most <= NEAR_BYTES_MAX)?;
        Some(Near { least: behind.least, most })
    }

    /// Where a match may begin whose literal begins at a place; empty when there is no room before it.
    pub fn begins(self, literal: usize) -> Range<usize> {
        literal.saturating_sub(self.most)..(literal + 1).saturating_sub(self.least)
    }
}

/// What is known of a test alone.
enum Known {
    Settled(Approach),
    Pattern {
        prefix: Option<Prefixes>,
        /// A match may begin anywhere.
        floats: bool,
        /// Sets of which one literal each stands in the value.
        required: Vec<Required>,
    },
}

/// How each of some tests of one slot is found.
pub fn approaches(plan: &VerifiedPlan, tests: &[TestId]) -> Vec<(TestId, Approach)> {
    let known = all_known(plan, tests);
    let mut commonness = Commonness::default();
    for (_, known) in &known {
        if let Known::Pattern { required, .. } = known {
            commonness.count(required.iter().flat_map(|set| &set.literals));
        }
    }
    let choose = |(test, known)| match known {
        Known::Settled(approach) => (test, approach),
        Known::Pattern { prefix, floats, required } => (test, choose(prefix, floats, required, &commonness)),
    };
    known.into_iter().map(choose).collect()
}

fn choose(prefix: Option<Prefixes>, floats: bool, required: Vec<Required>, commonness: &Commonness) -> Approach {
    let cost = |set: &Required| set.literals.iter().map(|literal| commonness.cost(literal)).sum::<u32>();
    let mut sets: Vec<(u32, Required)> = required.into_iter().map(|set| (cost(&set), set)).collect();
    sets.sort_by(|(cost, set), (other_cost, other)| (cost, &set.literals).cmp(&(other_cost, &other.literals)));
    if let (true, Some((_, set))) = (floats, sets.first())
        && let Some(near) = Near::of(set.behind)
    {
        return Approach::Near(sets.swap_remove(0).1.literals, near);
    }
    let rarest = sets.first().map(|(cost, _)| *cost);
    let sets = sets.into_iter().enumerate().filter(|(at, (cost, _))| *at == 0 || *at < SETS_MAX && *cost <= SET_COST_MAX);
    let sets: Vec<_> = sets.map(|(_, (_, set))| set.literals).collect();
    match (prefix, rarest) {
        (Some(prefix), None) => Approach::Prefix(prefix),
        (None, None) => Approach::Always,
        (None, Some(_)) => Approach::Floating(sets),
        (Some(prefix), Some(cost)) => {
            // Three bytes at the start tell as much as more of them elsewhere.
            let alike = |literal: &Vec<u8>| match literal.len() {
                1 => 50,
                2 => 12,
                3 => BEGIN_ALIKE_MAX,
                _ => commonness.cost(literal),
            };
            let alike = prefix.literals.iter().map(alike).max().unwrap_or_default();
            if alike > BEGIN_ALIKE_MAX && cost < alike / 2 { Approach::Floating(sets) } else { Approach::Prefix(prefix) }
        }
    }
}

/// What is known of each, worked out on several threads when they are many: reading what patterns mean takes longer than all else here.
fn all_known(plan: &VerifiedPlan, tests: &[TestId]) -> Vec<(TestId, Known)> {
    let of = |tests: &[TestId]| -> Vec<(TestId, Known)> { tests.iter().map(|&test| (test, known(plan, test))).collect() };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    if tests.len() < TESTS_OF_ONE_THREAD || threads == 1 {
        return of(tests);
    }
    std::thread::scope(|scope| {
        let of = &of;
        let parts = tests.chunks(tests.len().div_ceil(threads)).map(|part| scope.spawn(move || of(part)));
        let parts: Vec<_> = parts.collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

fn known(plan: &VerifiedPlan, test: TestId) -> Known {
    let exact = |values: &[Vec<u8>]| Approach::Exact(Exact { values: values.to_vec(), lines: false });
    let settled = match &plan.plan().tests[test as usize].predicate {
        Predicate::Present | Predicate::Absent | Predicate::Complete => Approach::Never,
        Predicate::Bool(_) | Predicate::IntIn(..) => Approach::Number,
        Predicate::Equals(value) => exact(std::slice::from_ref(value)),
        Predicate::OneOf(values) => exact(values),
        Predicate::Starts(prefix) if prefix.is_empty() => Approach::Always,
        Predicate::Starts(prefix) => Approach::Prefix(Prefixes::of_text(prefix.to_ascii_lowercase())),
        Predicate::Under(oid) => Approach::Prefix(Prefixes::of_text(oid.clone().into_bytes())),
        Predicate::Ends(literal) | Predicate::Contains(literal) if literal.len() < FLOATING_BYTES_MIN => Approach::Always,
        Predicate::Ends(literal) => Approach::Floating(vec![vec![literal.to_ascii_lowercase()]]),
        Predicate::Contains(literal) => Approach::Word(literal.clone()),
        Predicate::Matches(pattern) => {
            let hir = &plan.pattern(*pattern).hir();
            if let Some(exact) = literals::exact(hir) {
                return Known::Settled(Approach::Exact(exact));
            }
            let mut required = literals::all_required(hir);
            required.retain(|set| set.literals.iter().all(|literal| literal.len() >= FLOATING_BYTES_MIN));
            let begins = hir.properties().look_set_prefix();
            let floats = !begins.contains(Look::Start) && !begins.contains(Look::StartLF);
            return Known::Pattern { prefix: literals::prefixes(hir), floats, required };
        }
    };
    Known::Settled(settled)
}
