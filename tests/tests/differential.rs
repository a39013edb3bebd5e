//! Random small programs on random small evidence: oracle, interpreter and JIT say the same.

use std::sync::atomic::{AtomicUsize, Ordering};

use ksig_tests::differential;
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
        let answers = differential::run(&program, &facts, EVIDENCE, &schema).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        if let Some(answers) = answers {
            compiled.fetch_add(1, Ordering::Relaxed);
            matched.fetch_add(answers.matched, Ordering::Relaxed);
            open.fetch_add(answers.open, Ordering::Relaxed);
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
