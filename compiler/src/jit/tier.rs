//! Patterns become machine code when they are used: of a release's patterns, few ever meet a text that they could match.
//!
//! In: a question to a pattern. Out: its answer, from the regex engine at first and from code after [`USES_BEFORE_CODE`] questions; both give
//! the same, so when the change comes is nobody's business. [`Patterns::compile_all`] makes all code at once, for tests and benches.
//!
//! Patterns that wait for their code are compiled in batches that grow with their number, so that the mappings of executable memory grow
//! as the square root of the patterns in use.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cranelift_codegen::isa::OwnedTargetIsa;
use ksig_runtime::pattern::{CompiledPattern, Found};
use ksig_runtime::plan::{Predicate, TestId};
use ksig_runtime::prefilter::Settled;
use ksig_runtime::{ValueView, VerifiedPlan};

use super::code::{Places, Search};
use super::search::{Answer, NOWHERE, PLACES_MAX};
use super::{JitError, Job, compile_jobs, pattern};

/// Questions that the regex engine answers before a pattern is worth its code. Making the code takes as long as some thousand answers.
const USES_BEFORE_CODE: u32 = 64;
/// Batches for which one more pattern is waited for.
const BATCHES_PER_WAIT: usize = 8;
/// A pattern that may match anywhere runs in the regex engine on longer values, unless it is asked for some places of them: that skips to a literal
/// faster than code steps through bytes.
const FLOATING_CODE_BYTES_MAX: usize = 1024;

/// The patterns of a plan's tests.
pub(super) struct Patterns {
    isa: OwnedTargetIsa,
    /// By test; absent for tests that ask for no pattern.
    entries: Vec<Option<Entry>>,
    waiting: Mutex<Waiting>,
}

struct Entry {
    on_bytes: bool,
    uses: AtomicU32,
    /// Absent inside when the pattern has no tree, or no memory could be had.
    code: OnceLock<Option<Search>>,
}

#[derive(Default)]
struct Waiting {
    asked: Vec<TestId>,
    batches: usize,
}

impl Patterns {
    pub fn new(plan: &VerifiedPlan, isa: OwnedTargetIsa) -> Patterns {
        let entry = |predicate: &Predicate| {
            let Predicate::Matches(pattern) = predicate else { return None };
            Some(Entry { on_bytes: plan.pattern(*pattern).on_bytes(), uses: AtomicU32::new(0), code: OnceLock::new() })
        };
        let entries = plan.plan().tests.iter().map(|test| entry(&test.predicate)).collect();
        Patterns { isa, entries, waiting: Mutex::default() }
    }

    /// Whether the pattern of a test is found in a value, whose bytes these are: if it begins in a stretch of them, or anywhere. Nothing is settled
    /// when there is no match in the stretch, but may be one elsewhere.
    pub fn holds(
        &self,
        plan: &VerifiedPlan,
        test: TestId,
        value: ValueView<'_>,
        bytes: &[u8],
        begins: Option<Range<usize>>,
    ) -> (bool, Settled) {
        let Some(entry) = &self.entries[test as usize] else { return (false, Settled::Yes) };
        if entry.on_bytes != matches!(value, ValueView::Bytes(_)) {
            return (false, Settled::Yes);
        }
        let from = begins.as_ref().map_or(0, |begins| begins.start);
        let mut places: Places = [NOWHERE; PLACES_MAX];
        match self.search(plan, test, entry, bytes, begins.clone(), &mut places) {
            Answer::Match => (true, Settled::Yes),
            Answer::NoMatch => (false, if begins.is_some() { Settled::No } else { Settled::Yes }),
            // Places before were asked for, or no match begins there.
            Answer::GaveUp => (pattern(plan, test).is_some_and(|pattern| pattern.is_match_from(bytes, from)), Settled::Yes),
        }
    }

    /// Where the pattern of a test and its groups are found in a value of its kind.
    pub fn find<'p>(&self, plan: &VerifiedPlan, test: TestId, pattern: &'p CompiledPattern, bytes: &[u8]) -> Option<Found<'p>> {
        let mut places: Places = [NOWHERE; PLACES_MAX];
        let entry = self.entries[test as usize].as_ref();
        match entry.map_or(Answer::GaveUp, |entry| self.search(plan, test, entry, bytes, None, &mut places)) {
            Answer::Match => {
                let (whole, groups) = places.split_at(2);
                let spans = groups.chunks_exact(2).zip(pattern.groups());
                let taken = spans.filter(|(span, _)| span[1] != NOWHERE).map(|(span, name)| (name.as_str(), (span[0], span[1])));
                Some(((whole[0], whole[1]), taken.collect()))
            }
            Answer::NoMatch => None,
            Answer::GaveUp => pattern.find_captures(bytes),
        }
    }

    /// What the code of a pattern says; where there is none by now, it gives up.
    fn search(
        &self,
        plan: &VerifiedPlan,
        test: TestId,
        entry: &Entry,
        bytes: &[u8],
        begins: Option<Range<usize>>,
        places: &mut Places,
    ) -> Answer {
        let some_places = begins.as_ref().is_some_and(|begins| begins.end <= bytes.len());
        let is_long = !some_places && bytes.len() > FLOATING_CODE_BYTES_MAX;
        if is_long && pattern(plan, test).is_none_or(|pattern| !pattern.is_anchored()) {
            return Answer::GaveUp;
        }
        match entry.code.get() {
            Some(Some(search)) => search.ask(bytes, begins.unwrap_or(0..bytes.len()), places),
            Some(None) => Answer::GaveUp,
            None => {
                self.count(plan, test, entry);
                Answer::GaveUp
            }
        }
    }

    /// Counts a use. Two threads may lose one; nothing hangs on it.
    fn count(&self, plan: &VerifiedPlan, test: TestId, entry: &Entry) {
        let uses = entry.uses.load(Ordering::Relaxed);
        entry.uses.store(uses.saturating_add(1), Ordering::Relaxed);
        if uses == USES_BEFORE_CODE {
            let ready = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.asked.push(test);
                if waiting.asked.len() <= waiting.batches / BATCHES_PER_WAIT {
                    return;
                }
                waiting.batches += 1;
                std::mem::take(&mut waiting.asked)
            };
            // Without code the regex engine goes on.
            if self.compile(plan, &ready, 1).is_err() {
                ready.iter().for_each(|&asked| self.settle(asked, None));
            }
        }
    }

    /// Makes the code of all patterns, on that many threads.
    ///
    /// # Errors
    /// No executable memory can be had.
    pub fn compile_all(&self, plan: &VerifiedPlan, threads: usize) -> Result<(), JitError> {
        let all = (0..self.entries.len() as TestId).filter(|&test| self.entries[test as usize].is_some());
        self.compile(plan, &all.collect::<Vec<_>>(), threads)
    }

    fn compile(&self, plan: &VerifiedPlan, asked: &[TestId], threads: usize) -> Result<(), JitError> {
        let jobs: Vec<_> = asked.iter().map(|&test| (test, Job::Pattern(test))).collect();
        let (code, functions) = compile_jobs(&self.isa, plan, &jobs, threads)?;
        let code = Arc::new(code);
        for (&test, function) in asked.iter().zip(functions) {
            self.settle(test, function.map(|function| code.search(function)));
            // Only now does nobody ask the engines any more.
            if let (Some(_), Some(pattern)) = (function, pattern(plan, test)) {
                pattern.let_engines_go();
            }
        }
        Ok(())
    }

    fn settle(&self, test: TestId, search: Option<Search>) {
        if let Some(entry) = &self.entries[test as usize] {
            // Whoever came first has made the same code.
            drop(entry.code.set(search));
        }
    }

    /// Functions that stand now, as their bytes.
    pub fn in_code(&self) -> impl Iterator<Item = usize> + '_ {
        self.entries.iter().flatten().filter_map(move |entry| match entry.code.get() {
            Some(Some(search)) => Some(search.bytes),
            _ => None,
        })
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.entries.iter().flatten().count()
    }
}
