//! Plans to machine code: an engine for [`ksig_runtime::Matcher`].
//!
//! In: a [`VerifiedPlan`]. Out: a [`JitBackend`], or its code as text. A test of the plan is answered in one of these ways:
//!
//! | test | found by | confirmed by |
//! |---|---|---|
//! | ranges of a number | one function a slot | itself |
//! | texts that begin so, patterns bound to the start of a text or line | one trie a slot, in code; of very many, a hash | wide compares, or the pattern in code |
//! | one of many texts | hash | itself |
//! | texts that contain | one pass a slot for literals | itself |
//! | patterns with a literal | the same pass | the pattern in code: where the literal stands if a match begins near it, else on the whole value |
//! | the rest | always tried | the pattern in code |
//!
//! A pattern's code says whether it matches and what its groups capture (`search`). Tries, numbers, literals and gates are compiled when the
//! engine is made; a pattern becomes code when it is used often (`tier`). One that has no such code, or would be too large, runs in the regex
//! engine, so compile time stays linear in the plan.
//!
//! Every function is a leaf without relocations, so bodies are compiled in parallel and placed afterwards. `code` owns and calls them;
//! it is the only file with unsafe code.

mod code;
mod emit;
mod gate;
mod numbers;
mod prefixes;
mod search;
mod text;
mod tier;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{CompileError, Context};
use cranelift_frontend::FunctionBuilderContext;
use ksig_runtime::approach::{Approach, approaches};
use ksig_runtime::backend::{gate as walk_gate, holds};
use ksig_runtime::pattern::{CompiledPattern, Found};
use ksig_runtime::plan::{Predicate, SignatureId, SlotId, Test, TestId};
use ksig_runtime::prefilter::{Candidate, Settled, SlotFilter, line_starts};
use ksig_runtime::{Backend, Truth, ValueView, VerifiedPlan};

use code::{Body, Code, Function, Shape};
use prefixes::Trie;
use search::Tree;
use tier::Patterns;

/// Exact texts of one slot up to which they are compared in code; more are found by hash.
const EXACT_INLINE_MAX: usize = 32;
/// Most threads that compile.
const THREADS_MAX: usize = 8;

/// Why there is no machine code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JitError {
    /// What failed, for people.
    pub message: String,
}

impl std::fmt::Display for JitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "machine code cannot be made here: {}", self.message)
    }
}

impl std::error::Error for JitError {}

impl JitError {
    fn new(message: impl Into<String>) -> JitError {
        JitError { message: message.into() }
    }

    fn module(error: cranelift_module::ModuleError) -> JitError {
        JitError::new(error.to_string())
    }

    fn codegen(error: CompileError<'_>) -> JitError {
        JitError::new(error.inner.to_string())
    }
}

/// How a candidate is confirmed.
#[derive(Clone, Copy, Debug)]
enum Confirm {
    /// Being found is proof.
    Found,
    /// By [`holds`].
    Host,
    /// By code, on text or bytes alike.
    Code(Function),
    /// By the pattern's code, or the regex engine.
    Pattern,
}

/// The tests of one slot.
#[derive(Debug, Default)]
struct SlotCode {
    numbers: Option<Function>,
    prefixes: Option<Function>,
    /// Some of the prefixes begin lines.
    lines: bool,
    /// What is found neither by number nor by prefix.
    filter: SlotFilter,
}

/// Runs a plan as machine code of this machine.
pub struct JitBackend {
    plan: VerifiedPlan,
    code: Code,
    slots: Vec<SlotCode>,
    confirms: Vec<Confirm>,
    patterns: Patterns,
    gates: Vec<Option<Function>>,
}

/// Sizes of what was compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitCounts {
    /// Functions.
    pub functions: usize,
    /// Bytes of machine code.
    pub code_bytes: usize,
    /// Patterns of tests that run as code.
    pub patterns_in_code: usize,
    /// Patterns of tests that run in the regex engine.
    pub patterns_outside: usize,
}

/// One function to be compiled.
enum Job<'p> {
    Text(&'p Predicate),
    Pattern(TestId),
    Prefixes(&'p Trie),
    Numbers(&'p [(TestId, i64, i64)]),
    Gate(SignatureId),
}

/// What a slot's functions are made from.
#[derive(Default)]
struct SlotParts {
    numbers: Vec<(TestId, i64, i64)>,
    trie: Option<Trie>,
    lines: bool,
    others: Vec<(TestId, Approach)>,
}

impl SlotCode {
    /// Before any code is made.
    fn of(parts: &SlotParts) -> SlotCode {
        SlotCode { lines: parts.lines, filter: SlotFilter::of(parts.others.iter().cloned()), ..SlotCode::default() }
    }
}

impl JitBackend {
    /// An engine whose patterns become code when they are used: what a release runs on.
    ///
    /// # Errors
    /// Cranelift has no backend for this machine, or no executable memory can be had.
    pub fn tiered(plan: &VerifiedPlan) -> Result<JitBackend, JitError> {
        let (isa, patterns_isa) = (isa(Aim::Soon)?, isa(Aim::Fast)?);
        let (parts, confirms_by_finding) = split_slots(plan);
        let jobs = jobs(plan, &parts, &confirms_by_finding);
        let (code, functions) = compile_jobs(&isa, plan, &jobs, threads())?;
        let confirm = |(test, found): (&Test, &bool)| match test.predicate {
            _ if *found => Confirm::Found,
            Predicate::Matches(_) => Confirm::Pattern,
            _ => Confirm::Host,
        };
        let mut backend = JitBackend {
            plan: plan.clone(),
            code,
            slots: parts.iter().map(SlotCode::of).collect(),
            confirms: plan.plan().tests.iter().zip(&confirms_by_finding).map(confirm).collect(),
            patterns: Patterns::new(plan, patterns_isa),
            gates: vec![None; plan.plan().signatures.len()],
        };
        for ((at, job), function) in jobs.iter().zip(functions) {
            let at = *at as usize;
            match job {
                Job::Text(_) => backend.confirms[at] = function.map_or(Confirm::Host, Confirm::Code),
                Job::Pattern(_) => {}
                Job::Prefixes(_) => backend.slots[at].prefixes = function,
                Job::Numbers(_) => backend.slots[at].numbers = function,
                Job::Gate(_) => backend.gates[at] = function,
            }
        }
        Ok(backend)
    }

    /// The same with the code of every pattern made at once: for tests, which want machine code from the first question on.
    ///
    /// # Errors
    /// As [`JitBackend::tiered`].
    pub fn compile(plan: &VerifiedPlan) -> Result<JitBackend, JitError> {
        let backend = JitBackend::tiered(plan)?;
        backend.patterns.compile_all(plan, threads())?;
        Ok(backend)
    }

    /// Sizes of the code that stands now.
    pub fn counts(&self) -> JitCounts {
        let patterns: Vec<usize> = self.patterns.in_code().collect();
        JitCounts {
            functions: self.code.len() + patterns.len(),
            code_bytes: self.code.bytes_in_all() + patterns.iter().sum::<usize>(),
            patterns_in_code: patterns.len(),
            patterns_outside: self.patterns.len() - patterns.len(),
        }
    }

    /// The code of all functions as Cranelift's text, each under a comment that says what it answers; what has no code is said to have none.
    ///
    /// # Errors
    /// Cranelift has no backend for this machine.
    pub fn clif(plan: &VerifiedPlan) -> Result<String, JitError> {
        let isa = isa(Aim::Soon)?;
        let (parts, found) = split_slots(plan);
        let mut context = FunctionBuilderContext::new();
        let mut out = String::new();
        let tests = plan.plan().tests.iter().enumerate();
        let asked = tests.filter(|(_, test)| matches!(test.predicate, Predicate::Matches(_))).map(|(id, _)| id as TestId);
        let patterns = asked.map(|test| (test, Job::Pattern(test)));
        for (at, job) in jobs(plan, &parts, &found).iter().chain(&patterns.collect::<Vec<_>>()) {
            let _ = writeln!(out, "; {}", job.describe(plan, *at));
            match job.emit(&*isa, plan, &mut context) {
                Some(function) => {
                    let _ = writeln!(out, "{}", function.display());
                }
                None => out.push_str("; runs in the regex engine\n\n"),
            }
        }
        Ok(out)
    }

    fn confirm(&self, Candidate { test, begins }: Candidate, value: ValueView<'_>, bytes: &[u8]) -> (bool, Settled) {
        let whole = match self.confirms[test as usize] {
            Confirm::Found => true,
            Confirm::Code(function) => self.code.text(function, bytes),
            Confirm::Pattern => return self.patterns.holds(&self.plan, test, value, bytes, begins),
            Confirm::Host => holds(&self.plan, &self.plan.plan().tests[test as usize].predicate, value),
        };
        (whole, Settled::Yes)
    }
}

impl Backend for JitBackend {
    fn name(&self) -> &'static str {
        "jit"
    }

    fn eval_slot(&self, slot: SlotId, values: &[ValueView<'_>], hits: &mut Vec<TestId>) -> usize {
        let slot = &self.slots[slot as usize];
        let mut tried = 0;
        for &value in values {
            let Some(bytes) = value.bytes() else {
                if let (ValueView::Int(number), Some(numbers)) = (value, slot.numbers) {
                    self.code.numbers(numbers, number, hits);
                }
                slot.filter.candidates(value, |Candidate { test, .. }| {
                    tried += 1;
                    if holds(&self.plan, &self.plan.plan().tests[test as usize].predicate, value) {
                        hits.push(test);
                    }
                    Settled::Yes
                });
                continue;
            };
            if let Some(prefixes) = slot.prefixes {
                // Candidates are written where hits go, and those that are confirmed stay.
                let first = hits.len();
                line_starts(bytes, slot.lines).for_each(|rest| self.code.prefixes(prefixes, rest, hits));
                tried += hits.len() - first;
                let mut kept = first;
                for at in first..hits.len() {
                    let test = hits[at];
                    if self.confirm(Candidate { test, begins: None }, value, bytes).0 {
                        hits[kept] = test;
                        kept += 1;
                    }
                }
                hits.truncate(kept);
            }
            slot.filter.candidates(value, |candidate| {
                tried += 1;
                let test = candidate.test;
                let (holds, settled) = self.confirm(candidate, value, bytes);
                if holds {
                    hits.push(test);
                }
                settled
            });
        }
        tried
    }

    fn find<'p>(&self, test: TestId, pattern: &'p CompiledPattern, haystack: &[u8]) -> Option<Found<'p>> {
        self.patterns.find(&self.plan, test, pattern, haystack)
    }

    fn eval_gate(&self, signature: SignatureId, truths: &[u8]) -> Truth {
        match self.gates[signature as usize] {
            Some(function) => Truth::from_number(self.code.gate(function, truths)),
            None => walk_gate(&self.plan.plan().signatures[signature as usize].condition, truths),
        }
    }
}

/// Which tests of each slot are found how, and of which being found is proof.
fn split_slots(plan: &VerifiedPlan) -> (Vec<SlotParts>, Vec<bool>) {
    let tests = &plan.plan().tests;
    let mut by_finding = vec![false; tests.len()];
    let slots = 0..plan.plan().slots.len() as SlotId;
    let parts = slots.map(|slot| {
        let mut parts = SlotParts::default();
        let all = approaches(plan, plan.tests_of(slot));
        let texts: usize = all.iter().map(|(_, approach)| if let Approach::Exact(exact) = approach { exact.values.len() } else { 0 }).sum();
        let (mut in_trie, mut prefixes) = (Vec::new(), Vec::new());
        for (test, approach) in all {
            let predicate = &tests[test as usize].predicate;
            match &approach {
                Approach::Never => continue,
                Approach::Prefix(set) => {
                    parts.lines |= set.lines;
                    prefixes.extend(set.literals.iter().map(|prefix| (prefix.clone(), test)));
                    in_trie.push((test, approach));
                    continue;
                }
                Approach::Exact(exact)
                    if texts <= EXACT_INLINE_MAX && text::is_inline(predicate) && !exact.values.iter().any(Vec::is_empty) =>
                {
                    prefixes.extend(exact.values.iter().map(|text| (text.to_ascii_lowercase(), test)));
                    in_trie.push((test, approach));
                    continue;
                }
                Approach::Number if let Predicate::IntIn(low, high) = predicate => {
                    parts.numbers.push((test, *low, *high));
                    continue;
                }
                _ => {}
            }
            parts.others.push((test, approach));
        }
        parts.trie = Trie::of(&prefixes);
        if parts.trie.is_none() {
            parts.others.append(&mut in_trie);
        }
        // A pattern that is a list of texts may yet ask for text where there are bytes.
        let proven = |(test, approach): &&(TestId, Approach)| {
            matches!(approach, Approach::Exact(_) | Approach::Word(_)) && !matches!(tests[*test as usize].predicate, Predicate::Matches(_))
        };
        parts.others.iter().filter(proven).for_each(|(test, _)| by_finding[*test as usize] = true);
        parts
    });
    (parts.collect(), by_finding)
}

/// Everything that is worth a function, with the slot, test or signature that it is for.
fn jobs<'p>(plan: &'p VerifiedPlan, parts: &'p [SlotParts], found: &[bool]) -> Vec<(u32, Job<'p>)> {
    let mut jobs = Vec::new();
    for (slot, parts) in parts.iter().enumerate() {
        if let Some(trie) = &parts.trie {
            jobs.push((slot as u32, Job::Prefixes(trie)));
        }
        if !parts.numbers.is_empty() {
            jobs.push((slot as u32, Job::Numbers(&parts.numbers)));
        }
    }
    for (id, test) in plan.plan().tests.iter().enumerate() {
        match &test.predicate {
            other if !found[id] && text::is_inline(other) => jobs.push((id as u32, Job::Text(other))),
            _ => {}
        }
    }
    for (id, signature) in plan.plan().signatures.iter().enumerate() {
        if gate::is_inline(&signature.condition) {
            jobs.push((id as u32, Job::Gate(id as SignatureId)));
        }
    }
    jobs
}

impl Job<'_> {
    fn shape(&self, plan: &VerifiedPlan) -> Shape {
        match self {
            Job::Text(_) => Shape::Text,
            Job::Pattern(test) => Shape::Search { places: 2 + 2 * pattern(plan, *test).map_or(0, |pattern| pattern.groups().len()) },
            Job::Prefixes(trie) => Shape::Prefixes { ids_max: trie.ids_max() },
            Job::Numbers(ranges) => Shape::Numbers { ids_max: ranges.len() },
            Job::Gate(_) => Shape::Gate { tests: plan.plan().tests.len() },
        }
    }

    /// Absent for a pattern that has no tree.
    fn emit(&self, isa: &dyn TargetIsa, plan: &VerifiedPlan, context: &mut FunctionBuilderContext) -> Option<ir::Function> {
        let shape = self.shape(plan);
        Some(match self {
            Job::Text(predicate) => emit::function(isa, context, shape, |emitter, params| text::emit(emitter, params, predicate)),
            Job::Pattern(test) => {
                let pattern = pattern(plan, *test)?;
                let tree = Tree::of(&pattern.hir(), pattern.on_bytes())?;
                emit::function(isa, context, shape, |emitter, params| search::emit(emitter, params, &tree))
            }
            Job::Prefixes(trie) => emit::function(isa, context, shape, |emitter, params| prefixes::emit(emitter, params, trie)),
            Job::Numbers(ranges) => emit::function(isa, context, shape, |emitter, params| numbers::emit(emitter, params, ranges)),
            Job::Gate(signature) => {
                let condition = &plan.plan().signatures[*signature as usize].condition;
                emit::function(isa, context, shape, |emitter, params| gate::emit(emitter, params, condition))
            }
        })
    }

    fn describe(&self, plan: &VerifiedPlan, at: u32) -> String {
        let plan = plan.plan();
        match self {
            Job::Text(predicate) => format!("test {at}: {predicate:?}"),
            Job::Pattern(_) => match plan.tests[at as usize].predicate {
                Predicate::Matches(pattern) => format!("test {at}: /{}/", plan.patterns[pattern as usize].source.escape_debug()),
                _ => format!("test {at}"),
            },
            Job::Prefixes(_) => format!("slot {at} ({}): prefixes", plan.slots[at as usize].field),
            Job::Numbers(_) => format!("slot {at} ({}): numbers", plan.slots[at as usize].field),
            Job::Gate(_) => format!("gate of {}", plan.signatures[at as usize].name),
        }
    }
}

/// The pattern that a test asks for.
fn pattern(plan: &VerifiedPlan, test: TestId) -> Option<&CompiledPattern> {
    match plan.plan().tests[test as usize].predicate {
        Predicate::Matches(pattern) => Some(plan.pattern(pattern)),
        _ => None,
    }
}

/// What code is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// To stand soon: most of it is never asked.
    Soon,
    /// To answer soon.
    Fast,
}

fn isa(aim: Aim) -> Result<OwnedTargetIsa, JitError> {
    let mut flags = settings::builder();
    // What is compiled are compares and jumps that were chosen before: Cranelift's own optimiser finds nothing in them, and takes half of the time.
    for (name, value) in [
        ("opt_level", "none"),
        ("regalloc_algorithm", if aim == Aim::Soon { "single_pass" } else { "backtracking" }),
        ("is_pic", "false"),
        ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
    ] {
        flags.set(name, value).map_err(|error| JitError::new(error.to_string()))?;
    }
    let isa = cranelift_native::builder().map_err(JitError::new)?;
    isa.finish(settings::Flags::new(flags)).map_err(JitError::codegen_isa)
}

impl JitError {
    fn codegen_isa(error: cranelift_codegen::CodegenError) -> JitError {
        JitError::new(error.to_string())
    }
}

/// How many threads compile: all cores, within reason.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).clamp(1, THREADS_MAX)
}

/// Compiles jobs and places their bodies. The functions come back in the order of the jobs; absent for a pattern that is too large.
fn compile_jobs(
    isa: &OwnedTargetIsa,
    plan: &VerifiedPlan,
    jobs: &[(u32, Job<'_>)],
    threads: usize,
) -> Result<(Code, Vec<Option<Function>>), JitError> {
    let bodies = compile_all(&**isa, plan, jobs, threads)?;
    let made: Vec<bool> = bodies.iter().map(Option::is_some).collect();
    let (code, placed) = Code::new(OwnedTargetIsa::clone(isa), bodies.into_iter().flatten().collect())?;
    let mut placed = placed.into_iter();
    let functions = made.into_iter().map(|made| if made { placed.next() } else { None }).collect();
    Ok((code, functions))
}

/// Bodies with the numbers of their jobs, as one thread made them.
type Made = Result<Vec<(usize, Option<Body>)>, JitError>;

/// Compiles on several threads: the jobs are independent, and the order of the bodies is that of the jobs.
fn compile_all(isa: &dyn TargetIsa, plan: &VerifiedPlan, jobs: &[(u32, Job<'_>)], threads: usize) -> Result<Vec<Option<Body>>, JitError> {
    let next = AtomicUsize::new(0);
    let work = || -> Made {
        let mut context = FunctionBuilderContext::new();
        let mut done = Vec::new();
        while let Some((at, (_, job))) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, jobs.get(at)?))) {
            let body = job.emit(isa, plan, &mut context).map(|function| compile_one(isa, job.shape(plan), function)).transpose()?;
            done.push((at, body));
        }
        Ok(done)
    };
    let done: Vec<Made> = if threads <= 1 || jobs.len() <= 1 {
        vec![work()]
    } else {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|_| Err(JitError::new("a compiling thread ended early"))))
                .collect()
        })
    };
    let mut bodies: Vec<Option<Body>> = jobs.iter().map(|_| None).collect();
    for done in done {
        for (at, body) in done? {
            bodies[at] = body;
        }
    }
    Ok(bodies)
}

fn compile_one(isa: &dyn TargetIsa, shape: Shape, function: ir::Function) -> Result<Body, JitError> {
    let mut context = Context::for_function(function);
    let compiled = context.compile(isa, &mut ControlPlane::default()).map_err(JitError::codegen)?;
    if !compiled.buffer.relocs().is_empty() {
        return Err(JitError::new("a function is no leaf"));
    }
    let alignment = u64::from(compiled.buffer.alignment).max(16);
    Ok(Body { shape, bytes: compiled.code_buffer().to_vec(), alignment })
}
