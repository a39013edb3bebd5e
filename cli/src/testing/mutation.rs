//! Runs the tests of signatures on their mutants: how much of a signature its tests hold fast.
//!
//! In: sources and what they mean. Out: [`Mutation`]: for each signature how many mutants its tests kill, and those that survive. A mutant is
//! lowered with what its signature refines and nothing else, so that its cost does not grow with the corpus; a signature whose tests pass
//! only beside others takes the whole program.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ksig_compiler::hir::{ExprKind, Program, Signature, Test};
use ksig_compiler::{Analysis, lower};
use ksig_lang::{Lang, Text, say};
use ksig_runtime::plan::{Plan, Table};
use ksig_schema::Type;
use serde_json::json;

use super::coverage::source_text;
use super::expectations::{broken, trace_of};
use super::mutants::{self, Mutant};
use super::play::play;
use super::points::{Instrumented, number_rows};
use super::{Asked, Place};
use crate::analysis::named;
use crate::release::{Engine, Release};

/// What came of all mutants.
#[derive(Debug, Default)]
pub struct Mutation {
    /// In the order of signatures.
    pub signatures: Vec<Score>,
}

/// How the tests of one signature did.
#[derive(Debug, Default)]
pub struct Score {
    /// Full name.
    pub signature: String,
    /// Its tests fail without any mutant: nothing was tried.
    pub failing: bool,
    /// Mutants that a test told from the original.
    pub killed: usize,
    /// Mutants that no plan can hold.
    pub refused: usize,
    /// Mutants beyond the most that are tried.
    pub left_out: usize,
    /// Mutants that pass all tests, in source order.
    pub survivors: Vec<Survivor>,
}

/// A mutant that passes all tests.
#[derive(Debug)]
pub struct Survivor {
    /// Where the change is.
    pub place: Place,
    /// What was changed.
    pub what: Text,
    /// A test that would notice.
    pub kill: Text,
}

impl Score {
    /// Mutants that ran.
    pub fn ran(&self) -> usize {
        self.killed + self.survivors.len()
    }
}

/// Tries at most `most` mutants of each signature whose tests are asked for. `progress` is told how many signatures are done.
pub fn run(analysis: &Analysis, asked: &Asked<'_>, most: usize, progress: &(dyn Fn(usize, usize) + Sync)) -> Mutation {
    let chosen = asked.tests(analysis);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(chosen.len().max(1));
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let scores: Mutex<Vec<Option<Score>>> = Mutex::new(chosen.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((at, (signature, tests))) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, chosen.get(at)?)))
                {
                    let score = one(analysis, signature, tests, most);
                    scores.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[at] = Some(score);
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, chosen.len());
                }
            });
        }
    });
    let scores = scores.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    Mutation { signatures: scores.into_iter().flatten().collect() }
}

fn one(analysis: &Analysis, signature: &Signature, tests: &[&Test], most: usize) -> Score {
    let mut score = Score { signature: signature.name.clone(), ..Score::default() };
    let alone = family(&analysis.program, signature);
    let plain: Vec<&Test> = tests.iter().copied().filter(|test| test.with.is_empty()).collect();
    let fits = |program: &Program| plan_of(program).filter(|plan| passes(plan, program, &signature.name, &plain));
    let (program, original) = match fits(&alone) {
        Some(plan) => (&alone, plan),
        None => match fits(&analysis.program) {
            Some(plan) => (&analysis.program, plan),
            None => return Score { failing: true, ..score },
        },
    };
    // Where patterns range over a table's keys, other rows need another analysis; such a test says nothing of a tree that is typed already.
    let fits = |test: &&Test| test.with.is_empty() || passes_with(program, &signature.name, test);
    let tests: &[&Test] = &tests.iter().copied().filter(fits).collect::<Vec<_>>();
    let source = |span| source_text(analysis, signature.file, span);
    let used = rows_read(program, signature, tests);
    let all = mutants::of(signature, &analysis.program, &source, &used);
    // Of too many, some from all over the signature.
    let step = all.len().div_ceil(most.max(1)).max(1);
    score.left_out = all.len() - all.len().div_ceil(step).min(most);
    let mut tried: Vec<Plan> = vec![original];
    for mutant in all.into_iter().step_by(step).take(most) {
        let changed = mutant.apply(program, &signature.name);
        let Some(plan) = plan_of(&changed) else {
            score.refused += 1;
            continue;
        };
        // What lowers to the same plan is the same signature, whatever it looks like.
        if tried.contains(&plan) {
            continue;
        }
        if passes(&plan, &changed, &signature.name, tests) {
            let Mutant { span, what, kill, .. } = mutant;
            score.survivors.push(Survivor { place: Place::of(analysis, signature.file, span), what, kill });
        } else {
            score.killed += 1;
        }
        tried.push(plan);
    }
    score
}

/// The signature with what it refines, and the tables of these.
fn family(program: &Program, signature: &Signature) -> Program {
    let mut names = BTreeSet::from([signature.name.as_str()]);
    let mut base = signature.refines.as_deref();
    while let Some(name) = base.filter(|name| names.insert(name)) {
        base = program.signatures.iter().find(|other| other.name == name).and_then(|other| other.refines.as_deref());
    }
    let signatures: Vec<Signature> = program.signatures.iter().filter(|other| names.contains(other.name.as_str())).cloned().collect();
    let mut tables: BTreeSet<&str> = BTreeSet::new();
    for signature in &signatures {
        tables.extend(signature.tags.iter().filter_map(|tag| tag.each.as_ref()).map(|each| each.table.as_str()));
        tables.extend(
            signature.vars.iter().filter_map(|var| if let Type::Row(table) = var.ty.required() { Some(table.as_str()) } else { None }),
        );
        signature.walk(&mut |expr| match &expr.kind {
            ExprKind::Row(table, _) | ExprKind::InTable(_, table) | ExprKind::Latest { table, .. } => _ = tables.insert(table),
            _ => {}
        });
    }
    let kept = |table: &&Table| tables.contains(table.name.as_str());
    Program {
        tables: program.tables.iter().filter(kept).cloned().collect(),
        choices: program.choices.clone(),
        vocabulary: program.vocabulary.clone(),
        signatures: signatures.clone(),
    }
}

fn plan_of(program: &Program) -> Option<Plan> {
    let name = ksig_compiler::ReleaseName { unverified: true, ..named("mutant") };
    let plan = lower::plan(program, &name);
    plan.clone().verify().is_ok().then_some(plan)
}

/// Whether all tests pass on a plan that was made from the program.
fn passes(plan: &Plan, program: &Program, name: &str, tests: &[&Test]) -> bool {
    let Some(plain) = release_of(plan.clone()) else { return false };
    tests.iter().all(|test| match test.with.is_empty() {
        true => passes_on(&plain, program, name, test),
        false => passes_with(program, name, test),
    })
}

fn passes_on(release: &Release, program: &Program, name: &str, test: &Test) -> bool {
    let signature = program.signatures.iter().find(|signature| signature.name == name);
    signature.is_some_and(|signature| broken(release, signature, test).is_empty())
}

/// A test that puts other rows into tables.
fn passes_with(program: &Program, name: &str, test: &Test) -> bool {
    let mut changed = program.clone();
    for table in &mut changed.tables {
        if let Some((_, rows)) = test.with.iter().find(|(with, _)| *with == table.name) {
            table.rows.clone_from(rows);
            ksig_compiler::sort_by_key(table);
        }
    }
    plan_of(&changed).and_then(release_of).is_some_and(|release| passes_on(&release, &changed, name, test))
}

fn release_of(plan: Plan) -> Option<Release> {
    plan.verify().ok().and_then(|plan| Release::of_plan(plan, Engine::Interpreter).ok())
}

/// The rows that the tests read.
fn rows_read(program: &Program, signature: &Signature, tests: &[&Test]) -> BTreeSet<(String, usize)> {
    let said = Instrumented::of(signature, program);
    let mut changed = program.clone();
    changed.signatures.iter_mut().filter(|other| other.name == signature.name).for_each(|other| other.clone_from(&said.signature));
    number_rows(&mut changed);
    let Some(release) = plan_of(&changed).and_then(release_of) else { return BTreeSet::new() };
    let mut read = BTreeSet::new();
    for test in tests.iter().filter(|test| test.with.is_empty()) {
        let played = play(release.matcher(), &said.signature, test);
        if let Some(trace) = trace_of(&release, &said.signature, test, &played) {
            read.extend(said.rows_read(&trace).map(|(table, row)| (table.to_string(), row)));
        }
    }
    read
}

impl Mutation {
    /// Killed of those that ran, in percent; 100 where there was nothing to kill.
    pub fn score(&self) -> f64 {
        let ran: usize = self.signatures.iter().map(Score::ran).sum();
        let killed: usize = self.signatures.iter().map(|score| score.killed).sum();
        if ran == 0 { 100.0 } else { killed as f64 * 100.0 / ran as f64 }
    }

    /// The survivors, each with what would kill it, then a line for each signature that has any, then all together.
    pub fn text(&self, lang: Lang) -> (String, Text) {
        let mut out = String::new();
        for score in &self.signatures {
            let name = &score.signature;
            if score.failing {
                let text =
                    say!("{name}: its tests fail, so no mutant was tried\n", "{name}: テストが失敗するため、変異体は試していません\n");
                out.push_str(text.in_lang(lang));
            }
            for Survivor { place, what, kill } in &score.survivors {
                let kill = say!("kill it with {kill}", "これを検出するテスト: {kill}"; kill);
                out.push_str(&format!("{place}: {name}: {}\n  {}\n", what.in_lang(lang), kill.in_lang(lang)));
            }
        }
        for score in self.signatures.iter().filter(|score| !score.survivors.is_empty() || score.left_out > 0) {
            let Score { signature, killed, left_out, .. } = score;
            let ran = score.ran();
            let (en, ja) = match left_out {
                0 => Default::default(),
                _ => (format!(", {left_out} more not tried (--mutants-max)"), format!("、ほか{left_out}件は未実行（--mutants-max）")),
            };
            let text = say!("{signature}: {killed} of {ran} killed{en}\n", "{signature}: {ran}件中{killed}件を検出{ja}\n");
            out.push_str(text.in_lang(lang));
        }
        (out, self.summary())
    }

    fn summary(&self) -> Text {
        let sum = |of: &dyn Fn(&Score) -> usize| self.signatures.iter().map(of).sum::<usize>();
        let (ran, killed) = (sum(&Score::ran), sum(&|score| score.killed));
        let (survived, refused, signatures) = (ran - killed, sum(&|score| score.refused), self.signatures.len());
        let score = format!("{:.1}", self.score());
        say!(
            "mutants: {ran} of {signatures} signatures, {killed} killed, {survived} survived, score {score} %; {refused} more do not compile\n",
            "変異体: シグネチャ{signatures}件から{ran}件、検出{killed}件、見逃し{survived}件、スコア{score}%（ほかにコンパイルできないもの{refused}件）\n"
        )
    }

    /// All of it, for programs.
    pub fn as_json(&self, lang: Lang) -> serde_json::Value {
        let signatures = self.signatures.iter().map(|score| {
            let survivors = score.survivors.iter().map(|Survivor { place, what, kill }| {
                json!({
                    "path": place.path, "line": place.line, "column": place.column,
                    "what": what.in_lang(lang), "kill": kill.in_lang(lang),
                })
            });
            json!({
                "signature": score.signature, "failing": score.failing, "killed": score.killed, "refused": score.refused,
                "left_out": score.left_out, "survivors": survivors.collect::<Vec<_>>(),
            })
        });
        json!({ "score": (self.score() * 10.0).round() / 10.0, "signatures": signatures.collect::<Vec<_>>() })
    }
}
