//! Runs the tests inside signatures on the production path: bytes in, decoder, charset, then JIT and interpreter.
//!
//! In: sources and what they mean. Out: a [`Report`] with every failure of every engine. Afterwards each positive fixture is shown to the
//! whole corpus: a signature of another device that answers to it is a failure too.

pub mod corpus;
pub mod coverage;
pub mod expectations;
mod mutants;
pub mod mutation;
pub mod play;
mod points;
mod proposals;
pub mod report;
pub mod update;
mod widen;

use ksig_compiler::hir;
use ksig_compiler::{Analysis, Input};
use ksig_lang::{Span, Text, line_column};
use ksig_runtime::VerifiedPlan;

use crate::analysis::{named, world};
use crate::policy::PolicyArgs;
use crate::release::{Engine, Release, ReleaseError};

pub use play::{Played, play};

/// What came of all tests.
#[derive(Debug, Default)]
pub struct Report {
    /// Tests and examples that ran, in the order of signatures.
    pub cases: Vec<Case>,
    /// Signatures that they belong to.
    pub signatures: usize,
    /// Positive fixtures shown to the whole corpus.
    pub fixtures_shown: usize,
}

/// A test or an example that ran.
#[derive(Debug)]
pub struct Case {
    /// Full name of the signature.
    pub signature: String,
    /// The test's name, or an example's value.
    pub test: String,
    /// Where the test stands.
    pub place: Place,
    /// What went wrong; nothing when it passed.
    pub failures: Vec<Failure>,
}

/// An expectation that did not hold.
#[derive(Debug)]
pub struct Failure {
    /// Where the expectation stands.
    pub place: Place,
    /// `jit`, `interpreter`, or `corpus` for a fixture that another signature answers to.
    pub engine: &'static str,
    /// What was expected, and what came.
    pub reason: Text,
}

/// A place in a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as problems name it.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

impl Place {
    /// Of a span in a file.
    pub fn of(analysis: &Analysis, file: ksig_lang::FileId, span: Span) -> Place {
        let Some(source) = analysis.sources.get(file) else { return Place::default() };
        let (line, column) = line_column(&source.text, span.start);
        Place { path: source.path.clone(), line, column }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

impl Report {
    /// Every failure with the case that it belongs to.
    pub fn failures(&self) -> impl Iterator<Item = (&Case, &Failure)> {
        self.cases.iter().flat_map(|case| case.failures.iter().map(move |failure| (case, failure)))
    }
}

/// Which tests are asked for: those whose `signature: test` contains `filter`, of signatures in files whose path `asked` accepts.
pub struct Asked<'a> {
    /// Part of `signature: test`; empty for all.
    pub filter: &'a str,
    /// By the path of the file.
    pub file: &'a dyn Fn(&str) -> bool,
}

impl Asked<'_> {
    /// Signatures with the tests of theirs that are asked for; those without any are left out.
    pub fn tests<'p>(&self, analysis: &'p Analysis) -> Vec<(&'p hir::Signature, Vec<&'p hir::Test>)> {
        let of_file = |signature: &&hir::Signature| analysis.sources.get(signature.file).is_some_and(|source| (self.file)(&source.path));
        let tests = |signature: &'p hir::Signature| {
            let named = |test: &&hir::Test| format!("{}: {}", signature.name, test.name).contains(self.filter);
            (signature, signature.tests.iter().filter(named).collect::<Vec<_>>())
        };
        analysis.program.signatures.iter().filter(of_file).map(tests).filter(|(_, tests)| !tests.is_empty()).collect()
    }
}

/// Runs the tests that are asked for.
pub fn run(input: &Input, analysis: &Analysis, asked: &Asked<'_>) -> Result<Report, ReleaseError> {
    let mut report = Report::default();
    let engines = engines(input)?;
    let fails = corpus::is_failure(&crate::policy::lints(input, None)?.levels);
    for (signature, tests) in asked.tests(analysis) {
        report.signatures += 1;
        for test in tests {
            let place = |span| Place::of(analysis, signature.file, span);
            let mut case =
                Case { signature: signature.name.clone(), test: test.name.clone(), place: place(test.span), failures: Vec::new() };
            // `with` changes tables, and patterns range over their keys: the set is compiled again for this test.
            let own = if test.with.is_empty() { None } else { Some(self::engines(&with_rows(input, test))?) };
            for release in own.as_ref().unwrap_or(&engines) {
                let engine = release.matcher().engine();
                let broken = expectations::broken(release, signature, test).into_iter();
                case.failures.extend(broken.map(|(span, reason)| Failure { place: place(span), engine, reason }));
            }
            if own.is_none()
                && fails
                && let Some((span, reasons)) = corpus::strangers(&engines[0], signature, test)
            {
                report.fixtures_shown += 1;
                case.failures.extend(reasons.into_iter().map(|reason| Failure { place: place(span), engine: "corpus", reason }));
            }
            report.cases.push(case);
        }
    }
    Ok(report)
}

/// The JIT and the interpreter on the same plan, with unverified signatures too.
fn engines(input: &Input) -> Result<[Release; 2], ReleaseError> {
    let schema = ksig_protocols::schema();
    let policy = crate::policy::of(input, &PolicyArgs::default())?;
    let name = ksig_compiler::ReleaseName { unverified: true, policy, ..named("test") };
    let (plan, analysis) = ksig_compiler::compile(input, world(&schema), &name);
    let Some(plan) = plan else {
        return Err(ReleaseError::of_signatures(&analysis));
    };
    let plan: VerifiedPlan = plan.verify().map_err(|error| ReleaseError::Plan(error.to_string()))?;
    Ok([Release::of_plan(plan.clone(), Engine::Jit)?, Release::of_plan(plan, Engine::Interpreter)?])
}

/// The input with the rows that a test puts in place of a table's.
fn with_rows(input: &Input, test: &hir::Test) -> Input {
    let mut changed = input.clone();
    changed.rows.extend(test.with.iter().cloned());
    changed
}
