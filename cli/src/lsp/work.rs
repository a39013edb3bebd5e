//! What takes longer than an editor waits: tests, fixtures that match, all fixes. One thread does one after another.
//!
//! In: [`Job`]s with the texts as they are. Out: [`Done`], handed to whoever listens. A job of texts that have changed since is still answered:
//! its answer says of which edit it speaks.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use ksig_compiler::hir::Expect;
use ksig_compiler::{Analysis, Input};
use ksig_lang::{Text, say};
use ksig_runtime::Truth;
use ksig_schema::Date;
use lsp_server::RequestId;

use crate::analysis::{Rules, check_by, named, world};
use crate::release::{Engine, Release};
use crate::testing::{self, Played};
use crate::{fixing, policy};

/// What is asked.
pub struct Job {
    /// Whom to answer.
    pub id: RequestId,
    /// Which root.
    pub root: std::path::PathBuf,
    /// Which edit of it.
    pub generation: u64,
    /// Its texts.
    pub input: Arc<Input>,
    /// What.
    pub asked: Asked,
}

/// What to do.
pub enum Asked {
    /// Run tests of a signature: its path, its full name, the test.
    Tests(String, String, Option<String>),
    /// Count the fixtures that a signature matches.
    Matches(String),
    /// Fix all in the source of this path.
    FixAll(String, Rules),
}

/// What came of it.
pub struct Done {
    /// Whom to answer.
    pub id: RequestId,
    /// Which root.
    pub root: std::path::PathBuf,
    /// Which edit of it.
    pub generation: u64,
    /// The answer.
    pub result: Answer,
}

/// The answer of a job.
pub enum Answer {
    /// What came of tests of a source.
    Tests(String, Result<testing::Report, Text>),
    /// The fixtures that a signature matches, by signature and test; absent where the set has errors.
    Matches(String, Option<Vec<String>>),
    /// The new text of a source; absent when nothing can be fixed.
    Fixed(String, Option<String>),
}

/// All fixtures of one state of a root, played.
struct Fixtures {
    release: Release,
    played: Vec<(String, Option<Date>, Played)>,
}

/// Does jobs until nobody can ask any more.
pub fn run(jobs: &Receiver<Job>, done: &dyn Fn(Done) -> bool) {
    let mut kept: Option<((std::path::PathBuf, u64), Option<Fixtures>)> = None;
    while let Ok(job) = jobs.recv() {
        let Job { id, root, generation, input, asked } = job;
        let result = match asked {
            Asked::Tests(path, signature, test) => {
                let report = tests(&input, &path, &signature, test.as_deref());
                Answer::Tests(path, report)
            }
            Asked::Matches(signature) => {
                let key = (root.clone(), generation);
                if kept.as_ref().is_none_or(|(known, _)| *known != key) {
                    kept = Some((key, fixtures(&input)));
                }
                let found = kept.as_ref().and_then(|(_, fixtures)| fixtures.as_ref()).map(|fixtures| matching(fixtures, &signature));
                Answer::Matches(signature, found)
            }
            Asked::FixAll(path, rules) => {
                let mut fixed = fixing::fix(&mut Input::clone(&input), &rules, &|source| source == path);
                let text = fixed.texts.remove(&path);
                Answer::Fixed(path, text)
            }
        };
        if !done(Done { id, root, generation, result }) {
            return;
        }
    }
}

fn tests(input: &Input, path: &str, signature: &str, test: Option<&str>) -> Result<testing::Report, Text> {
    let analysis = check_by(input, &policy::rules(input).map_err(|error| error.text())?);
    if analysis.failed() {
        return Err(say!("there are errors: no test runs before they are mended", "エラーがあるため、テストを実行できません"));
    }
    let filter = format!("{signature}: {}", test.unwrap_or_default());
    testing::run(input, &analysis, &testing::Asked { filter: &filter, file: &|source| source == path }).map_err(|error| error.text())
}

fn fixtures(input: &Input) -> Option<Fixtures> {
    let schema = ksig_protocols::schema();
    let policy = policy::of(input, &Default::default()).ok()?;
    let name = ksig_compiler::ReleaseName { unverified: true, policy, ..named("editor") };
    let (plan, analysis): (_, Analysis) = ksig_compiler::compile(input, world(&schema), &name);
    let release = Release::of_plan(plan?.verify().ok()?, Engine::Interpreter).ok()?;
    let mut played = Vec::new();
    for signature in &analysis.program.signatures {
        let positive = signature.tests.iter().filter(|test| test.expect.iter().any(|expect| matches!(expect, Expect::Identify(..))));
        for test in positive {
            played.push((format!("{}: {}", signature.name, test.name), test.at, testing::play(release.matcher(), signature, test)));
        }
    }
    Some(Fixtures { release, played })
}

/// The fixtures that a signature matches; of its own those too that show a part of an answer only.
fn matching(fixtures: &Fixtures, signature: &str) -> Vec<String> {
    let own = format!("{signature}: ");
    let matches = |(name, at, played): &&(String, Option<Date>, Played)| {
        let evidence = &played.evidence;
        let trace = evidence.services.first().and_then(|service| fixtures.release.matcher().why(signature, evidence, service, *at));
        trace.is_some_and(|trace| trace.truth == Truth::True || trace.truth == Truth::NotObserved && name.starts_with(&own))
    };
    fixtures.played.iter().filter(matches).map(|(name, ..)| name.clone()).collect()
}
