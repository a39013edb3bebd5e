//! Patterns become machine code when they are used: of a release's patterns, few ever meet a text that they could match.
//!
//! In: a question to a pattern. Out: its answer, from the regex engine at first and from code after [`USES_BEFORE_CODE`] questions; both give
//! the same, so when the change comes is nobody's business. [`Patterns::compile_all`] makes all code at once, for tests and benches.
//!
//! Patterns that wait for their code are compiled in batches that grow with their number, so that the mappings of executable memory grow
//! as the square root of the patterns in use.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cranelift_codegen::isa::OwnedTargetIsa;
use ksig_runtime::backend::holds;
use ksig_runtime::pattern::{CompiledPattern, Found};
use ksig_runtime::plan::{Predicate, TestId};
use ksig_runtime::{ValueView, VerifiedPlan};
use regex_syntax::hir::Look;

use super::code::{Code, Function, Places};
use super::onepass::{NOWHERE, PLACES_MAX};
use super::{JitError, Job, compile_jobs};

/// Questions that the regex engine answers before a pattern is worth its code. Making the code takes as long as some thousand answers.
const USES_BEFORE_CODE: u32 = 64;
/// Batches for which one more pattern is waited for.
const BATCHES_PER_WAIT: usize = 8;
/// A pattern that may match anywhere runs in the regex engine on longer values: it skips to a literal faster than code steps through bytes.
const FLOATING_CODE_BYTES_MAX: usize = 1024;

/// What is asked of a pattern; each has code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether it is found.
    Holds,
    /// Where it and its groups are found.
    Captures,
}

/// The patterns of a plan's tests.
pub(super) struct Patterns {
    isa: OwnedTargetIsa,
    /// By test; absent for tests that ask for no pattern.
    entries: Vec<Option<Entry>>,
    waiting: Mutex<Waiting>,
}

struct Entry {
    on_bytes: bool,
    anchored: bool,
    holds: Tiered,
    captures: Tiered,
}

/// The code of one question.
#[derive(Default)]
struct Tiered {
    uses: AtomicU32,
    /// Absent inside when the automaton is too large for code, or no memory could be had.
    code: OnceLock<Option<Placed>>,
}

#[derive(Clone)]
struct Placed {
    code: Arc<Code>,
    function: Function,
}

#[derive(Default)]
struct Waiting {
    asked: Vec<(Question, TestId)>,
    batches: usize,
}

impl Entry {
    fn tiered(&self, question: Question) -> &Tiered {
        match question {
            Question::Holds => &self.holds,
            Question::Captures => &self.captures,
        }
    }
}

impl Patterns {
    pub fn new(plan: &VerifiedPlan, isa: OwnedTargetIsa) -> Patterns {
        let entry = |predicate: &Predicate| {
            let Predicate::Matches(pattern) = predicate else { return None };
            let pattern = plan.pattern(*pattern);
            let anchored = pattern.hir().properties().look_set_prefix().contains(Look::Start);
            Some(Entry { on_bytes: pattern.on_bytes(), anchored, holds: Tiered::default(), captures: Tiered::default() })
        };
        let entries = plan.plan().tests.iter().map(|test| entry(&test.predicate)).collect();
        Patterns { isa, entries, waiting: Mutex::default() }
    }

    /// Whether the pattern of a test is found in a value, whose bytes these are.
    pub fn holds(&self, plan: &VerifiedPlan, test: TestId, value: ValueView<'_>, bytes: &[u8]) -> bool {
        let Some(entry) = &self.entries[test as usize] else { return false };
        if entry.on_bytes != matches!(value, ValueView::Bytes(_)) {
            return false;
        }
        if (entry.anchored || bytes.len() <= FLOATING_CODE_BYTES_MAX)
            && let Some(placed) = self.code(plan, test, entry, Question::Holds)
        {
            return placed.code.text(placed.function, bytes);
        }
        holds(plan, &plan.plan().tests[test as usize].predicate, value)
    }

    /// Where the pattern of a test and its groups are found in a value of its kind.
    pub fn find<'p>(&self, plan: &VerifiedPlan, test: TestId, pattern: &'p CompiledPattern, bytes: &[u8]) -> Option<Found<'p>> {
        let entry = self.entries[test as usize].as_ref().filter(|entry| entry.anchored);
        let Some(placed) = entry.and_then(|entry| self.code(plan, test, entry, Question::Captures)) else {
            return pattern.find_captures(bytes);
        };
        let mut buffer: Places = [NOWHERE; 2 * PLACES_MAX];
        let places = placed.code.captures(placed.function, bytes, &mut buffer)?;
        let (whole, groups) = places.split_at(2);
        let spans = groups.chunks_exact(2).zip(pattern.groups());
        let taken = spans.filter(|(span, _)| span[1] != NOWHERE).map(|(span, name)| (name.as_str(), (span[0], span[1])));
        Some(((whole[0], whole[1]), taken.collect()))
    }

    /// The code of a question, if it stands by now.
    fn code<'e>(&self, plan: &VerifiedPlan, test: TestId, entry: &'e Entry, question: Question) -> Option<&'e Placed> {
        let tiered = entry.tiered(question);
        match tiered.code.get() {
            Some(code) => code.as_ref(),
            None => {
                self.count(plan, test, tiered, question);
                None
            }
        }
    }

    /// Counts a use. Two threads may lose one; nothing hangs on it.
    fn count(&self, plan: &VerifiedPlan, test: TestId, tiered: &Tiered, question: Question) {
        let uses = tiered.uses.load(Ordering::Relaxed);
        tiered.uses.store(uses.saturating_add(1), Ordering::Relaxed);
        if uses == USES_BEFORE_CODE {
            let ready = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.asked.push((question, test));
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
        self.compile(plan, &all.flat_map(|test| [(Question::Holds, test), (Question::Captures, test)]).collect::<Vec<_>>(), threads)
    }

    fn compile(&self, plan: &VerifiedPlan, asked: &[(Question, TestId)], threads: usize) -> Result<(), JitError> {
        let job = |(question, test): (Question, TestId)| match question {
            Question::Holds => Some(Job::Pattern(test)),
            Question::Captures => Job::captures(plan, test),
        };
        let (mut made, mut jobs) = (Vec::new(), Vec::new());
        for &one in asked {
            match job(one) {
                Some(job) => {
                    made.push(one);
                    jobs.push((one.1, job));
                }
                None => self.settle(one, None),
            }
        }
        let (code, functions) = compile_jobs(&self.isa, plan, &jobs, threads)?;
        let code = Arc::new(code);
        for (one, function) in made.into_iter().zip(functions) {
            self.settle(one, function.map(|function| Placed { code: Arc::clone(&code), function }));
        }
        Ok(())
    }

    fn settle(&self, (question, test): (Question, TestId), placed: Option<Placed>) {
        if let Some(entry) = &self.entries[test as usize] {
            // Whoever came first has made the same code.
            drop(entry.tiered(question).code.set(placed));
        }
    }

    /// Code that stands for a question, as functions and their bytes.
    pub fn in_code(&self, question: Question) -> impl Iterator<Item = usize> + '_ {
        self.entries.iter().flatten().filter_map(move |entry| match entry.tiered(question).code.get() {
            Some(Some(placed)) => Some(placed.code.bytes(placed.function)),
            _ => None,
        })
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.entries.iter().flatten().count()
    }
}
