//! One program on every engine, and on the oracle beside them.
//!
//! In: a program without errors, evidence. Out: what the oracle says, or a sentence that names where an engine differs from it.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use ksig_compiler::hir::{Program, Scope};
use ksig_compiler::jit::JitBackend;
use ksig_compiler::{ReleaseName, lower};
use ksig_runtime::{Backend, Interpreter, Matcher, Truth as EngineTruth};
use ksig_schema::identification::Identification;
use ksig_schema::{Evidence, Service};

use crate::oracle::{self, Outcome, Truth};

/// A program with its matchers.
pub struct Engines {
    program: Program,
    /// All signatures, on each engine.
    together: Vec<Matcher>,
    /// By signature, in the program's order: that one alone, on each engine.
    alone: Vec<Vec<Matcher>>,
}

impl Engines {
    /// Lowers a program, verifies its plan, and prepares every engine.
    ///
    /// # Errors
    /// A plan that the runtime refuses: then the compiler made a wrong one.
    pub fn new(program: Program) -> Result<Engines> {
        let together = matchers(&program)?;
        let alone = program.signatures.iter().map(|signature| {
            let mut signature = signature.clone();
            // What it inherits is in it already.
            signature.refines = None;
            matchers(&Program { signatures: vec![signature], ..program.clone() })
        });
        Ok(Engines { alone: alone.collect::<Result<_>>()?, together, program })
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// One of the engines, with all signatures.
    pub fn matcher(&self) -> &Matcher {
        &self.together[0]
    }

    /// Answers with all signatures, which every engine gives alike.
    ///
    /// # Errors
    /// Two engines differ.
    pub fn identify(&self, evidence: &Evidence) -> Result<Vec<Identification>> {
        let answers = self.together[0].identify(evidence);
        for other in &self.together[1..] {
            let theirs = other.identify(evidence);
            ensure!(theirs == answers, "{} answers {theirs:#?}\n{} answers {answers:#?}", other.engine(), self.together[0].engine());
        }
        Ok(answers)
    }

    /// Asks every signature and every engine about a host, and for the answer of all; gives back what each signature says of each service.
    ///
    /// # Errors
    /// Any of them differs from the oracle or from another engine.
    pub fn agree_on(&self, evidence: &Evidence) -> Result<Vec<Outcome>> {
        let mut answers = self.identify(evidence)?;
        let line = answers.pop().context("a host has a line")?;
        let date = ksig_runtime::matcher::scan_date(evidence);
        let mut all = Vec::new();
        for (service, answer) in evidence.services.iter().zip(&answers) {
            let outcomes = self.of_scope(Scope::Service, |signature| self.outcome(signature, evidence, service))?;
            same_answer(answer, &oracle::answer(&self.program, &outcomes, date))?;
            all.extend(outcomes);
        }
        let mut bound = Vec::new();
        let outcomes = self.of_scope(Scope::Host, |signature| {
            let described = &self.program.signatures[signature];
            let (outcome, services) = oracle::evaluate_host(&self.program, described, evidence, date);
            bound.push((described.name.clone(), services));
            self.same_everywhere(signature, evidence, &evidence.services[0], outcome)
        })?;
        let across = oracle::answer(&self.program, &outcomes, date);
        let services: Vec<Identification> = answers.into_iter().map(oracle::sorted).collect();
        same_answer(&line, &oracle::host_line(evidence, &services, &across, &bound))?;
        all.extend(outcomes);
        Ok(all)
    }

    /// An outcome for each signature: what `of` says of those of that scope, and that the others do not match.
    fn of_scope(&self, scope: Scope, mut of: impl FnMut(usize) -> Result<Outcome>) -> Result<Vec<Outcome>> {
        let signatures = self.program.signatures.iter().enumerate();
        signatures.map(|(at, signature)| if signature.scope == scope { of(at) } else { Ok(Outcome::nothing()) }).collect()
    }

    /// What one signature says of a service: the oracle's outcome, which every engine shares.
    ///
    /// # Errors
    /// An engine says something else, in its trace or in its answer when the signature stands alone.
    pub fn outcome(&self, signature: usize, evidence: &Evidence, service: &Service) -> Result<Outcome> {
        let described = &self.program.signatures[signature];
        let date = ksig_runtime::matcher::scan_date(evidence);
        let outcome = oracle::evaluate(&self.program, described, evidence, service, date);
        let outcome = self.same_everywhere(signature, evidence, service, outcome)?;
        for matcher in &self.alone[signature] {
            let mut scratch = ksig_runtime::Scratch::default();
            let answer = matcher.identify_service(evidence, service, date, &mut scratch);
            let wanted = if outcome.truth == Truth::True { outcome.identities.len().max(1) } else { 0 };
            let fits = answer.identifications.len() == wanted && (outcome.truth == Truth::NotObserved || answer.consistent.is_empty());
            ensure!(fits, "{} alone on {}: {:?}, but the answer is {answer:#?}", described.name, matcher.engine(), outcome.truth);
        }
        Ok(outcome)
    }

    /// That every engine explains a signature as the oracle does.
    fn same_everywhere(&self, signature: usize, evidence: &Evidence, service: &Service, outcome: Outcome) -> Result<Outcome> {
        let described = &self.program.signatures[signature];
        let date = ksig_runtime::matcher::scan_date(evidence);
        for matcher in self.together.iter().chain(&self.alone[signature]) {
            let Some(trace) = matcher.why(&described.name, evidence, service, date) else {
                bail!("{} knows no signature {}", matcher.engine(), described.name)
            };
            let truth = match trace.truth {
                EngineTruth::False => Truth::False,
                EngineTruth::NotObserved => Truth::NotObserved,
                EngineTruth::True => Truth::True,
            };
            let differs = |what: &str, theirs: String, ours: String| {
                format!("{}, {}: {what} is {theirs}, and by the oracle {ours}\n{trace:#?}", described.name, matcher.engine())
            };
            ensure!(truth == outcome.truth, differs("truth", format!("{truth:?}"), format!("{:?}", outcome.truth)));
            if truth == Truth::False {
                continue;
            }
            macro_rules! same {
                ($part:ident) => {
                    ensure!(
                        trace.$part == outcome.$part,
                        differs(stringify!($part), format!("{:#?}", trace.$part), format!("{:#?}", outcome.$part))
                    );
                };
            }
            same!(captures);
            same!(identities);
            same!(components);
            same!(details);
            same!(tags);
            same!(support);
        }
        Ok(outcome)
    }
}

fn same_answer(theirs: &Identification, ours: &Identification) -> Result<()> {
    let theirs = oracle::sorted(theirs.clone());
    ensure!(theirs == *ours, "the engines answer {theirs:#?}\nand by the oracle it is {ours:#?}");
    Ok(())
}

fn matchers(program: &Program) -> Result<Vec<Matcher>> {
    let release = ReleaseName { id: "spec".into(), unverified: true, ..ReleaseName::default() };
    let plan = lower::plan(program, &release).verify()?;
    let engines: [Arc<dyn Backend>; 2] = [Arc::new(Interpreter::new(&plan)), Arc::new(JitBackend::compile(&plan)?)];
    Ok(engines.into_iter().map(|engine| Matcher::new(plan.clone(), engine)).collect())
}
