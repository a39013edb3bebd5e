//! Nanoseconds from evidence to answers, on the interpreter and on machine code, which must agree.
//!
//! `KSIG_FACTS=banners.ndjson cargo bench -p ksig-tests --bench identify`. Without KSIG_FACTS, the corpus meets its own fixtures only. The
//! time is that of `Release::identify`: slots, tests, captures, resolution and the answers themselves. Decoding is not in it.

use ksig::analysis::{check, named};
use ksig::{Engine, Release};
use ksig_compiler::Input;
use ksig_schema::Evidence;
use ksig_tests::bench::{Row, Rows, Times, facts, rss_mb, shuffled, synthetic, synthetic_lines};

/// Rounds over all evidence; an item counts with its fastest.
const ROUNDS: usize = 5;
/// Families of the synthetic corpus.
const FAMILIES: usize = 5_000;

fn main() {
    let schema = ksig_protocols::schema();
    let mut rows = Rows::begin("identify");
    let bundled = ksig::bundled::signatures().expect("the bundled signatures are text");

    let analysis = check(&bundled);
    let release = Release::compile(&bundled, &named("bench"), Engine::Interpreter).expect("the bundled signatures compile");
    let signatures = analysis.program.signatures.iter();
    let tests = signatures.flat_map(|signature| signature.tests.iter().map(move |test| (signature, test)));
    let played = tests.filter(|(_, test)| test.with.is_empty());
    let fixtures: Vec<Evidence> =
        played.map(|(signature, test)| ksig::testing::play(release.matcher(), signature, test).evidence).collect();
    compare(&mut rows, "bundled on its fixtures", &bundled, &[("mixed", shuffled(fixtures))]);

    if let Some(facts) = facts(&schema) {
        let mut by_field = facts.clone();
        by_field.sort_by(|a, b| a.0.cmp(&b.0));
        let evidence = |rows: Vec<(String, Evidence)>| rows.into_iter().map(|(_, evidence)| evidence).collect::<Vec<_>>();
        let orders = [("mixed", evidence(shuffled(facts))), ("by_field", evidence(by_field))];
        compare(&mut rows, "bundled on facts", &bundled, &orders);
    }

    let lines = synthetic_lines(FAMILIES, 4_000);
    let evidence = lines.iter().map(|line| ksig::evidence_line::parse(line, &schema).expect("an evidence line").evidence).collect();
    compare(&mut rows, "5000 synthetic on their banners", &synthetic(FAMILIES), &[("mixed", evidence)]);
}

fn compare(rows: &mut Rows, corpus: &str, input: &Input, orders: &[(&'static str, Vec<Evidence>)]) {
    let release = |engine| Release::compile(input, &named("bench"), engine).unwrap_or_else(|error| panic!("{corpus}: {error}"));
    let reference = release(Engine::Interpreter);
    for engine in [Engine::Interpreter, Engine::Jit] {
        let release = release(engine);
        for (order, evidence) in orders {
            let equal = evidence.iter().all(|evidence| release.identify(evidence) == reference.identify(evidence));
            let times = Times::of(evidence, ROUNDS, |evidence| release.identify(evidence));
            rows.add(&Row {
                bench: "identify",
                engine: release.matcher().engine().into(),
                order,
                corpus: corpus.into(),
                ns_median: times.median(),
                ns_p99: times.p99(),
                rss_mb: rss_mb(),
                equal: Some(equal),
            });
        }
    }
}
