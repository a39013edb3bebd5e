//! Random small programs on random small evidence: oracle, interpreter and JIT say the same.

use std::sync::atomic::{AtomicUsize, Ordering};

use ksig::analysis::world;
use ksig_compiler::analyze;
use ksig_schema::{Evidence, Response};
use ksig_tests::engines::Engines;
use ksig_tests::oracle::Truth;
use ksig_tests::random::{self, Dice};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

/// Programs of the normal run; `PROPTEST_CASES` asks for more.
const PROGRAMS: u32 = 4_000;
/// Evidence that each program meets.
const EVIDENCE: usize = 6;

#[test]
fn engines_agree_with_the_oracle_on_random_programs() {
    let schema = ksig_protocols::schema();
    let (compiled, matched, open) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let config = Config { failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let config = if config.cases == Config::default().cases { Config { cases: PROGRAMS, ..config } } else { config };
    let cases = config.cases as usize;
    let bytes = (prop::collection::vec(any::<u8>(), 0..160), prop::collection::vec(any::<u8>(), 0..40 * EVIDENCE));
    let result = TestRunner::new(config).run(&bytes, |(program, facts)| {
        let input = random::program(&mut Dice::new(&program));
        let analysis = analyze(&input, world(&schema));
        if analysis.failed() {
            return Ok(());
        }
        compiled.fetch_add(1, Ordering::Relaxed);
        let text: String = input.sources[random::SHARED.len()..].iter().map(|source| source.text.as_str()).collect();
        let engines = Engines::new(analysis.program).map_err(|error| TestCaseError::fail(format!("{error:#}\n{text}")))?;
        let mut dice = Dice::new(&facts);
        for _ in 0..EVIDENCE {
            let evidence = random::evidence(&mut dice, &schema);
            let fail = |error: anyhow::Error| TestCaseError::fail(format!("{error:#}\n{text}\n{}", listed(&evidence)));
            for outcome in engines.agree_on(&evidence).map_err(fail)? {
                match outcome.truth {
                    Truth::True => matched.fetch_add(1, Ordering::Relaxed),
                    Truth::NotObserved => open.fetch_add(1, Ordering::Relaxed),
                    Truth::False => 0,
                };
            }
        }
        Ok(())
    });
    match result {
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        other => other.expect("programs can be drawn"),
    }
    let (compiled, matched, open) = (compiled.into_inner(), matched.into_inner(), open.into_inner());
    assert!(compiled * 2 > cases, "only {compiled} of {cases} programs compile");
    assert!(matched > cases / 2 && open > cases / 20, "{matched} matches and {open} open answers: too few to say anything");
}

/// Evidence for people: a line a response, a line a fact.
fn listed(evidence: &Evidence) -> String {
    let mut out = format!("{:?}\n", evidence.time);
    for response in evidence.services.iter().flat_map(|service| &service.responses) {
        let Response { probe, ended, complete, partial, facts } = response;
        out.push_str(&format!("{probe} {ended:?} head {} body {} partial {partial}\n", complete.head, complete.body));
        for fact in facts.iter() {
            out.push_str(&format!("  {} {} = {:?}\n", fact.field.name, fact.key.as_deref().unwrap_or_default(), fact.values));
        }
    }
    out
}
