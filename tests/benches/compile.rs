//! From text to machine code: what each phase of compiling a release costs.
//!
//! `cargo bench -p ksig-tests --bench compile`. Prints divan's table after the rows of `target/bench/compile.ndjson`.

use divan::Bencher;
use ksig::analysis::{named, world};
use ksig_compiler::jit::JitBackend;
use ksig_compiler::{Input, analyze, lower};
use ksig_runtime::bundle;
use ksig_tests::bench::{Row, Rows, Times, rss_mb, synthetic};

/// Runs of each phase for the rows.
const RUNS: usize = 7;

const CORPORA: [&str; 2] = ["bundled", "synthetic-1000"];

const PHASES: [&str; 6] = ["parse", "analyze", "lower", "verify", "jit", "load"];

fn input(corpus: &str) -> Input {
    match corpus {
        "bundled" => ksig::bundled::signatures().expect("the bundled signatures are text"),
        _ => synthetic(1000),
    }
}

/// A phase as a call, with what it needs made before.
fn phase(name: &str, corpus: &str) -> Box<dyn Fn()> {
    let input = input(corpus);
    let schema = ksig_protocols::schema();
    let program = analyze(&input, world(&schema)).program;
    let plan = lower::plan(&program, &named("bench"));
    let verified = plan.clone().verify().expect("the compiler's own plan verifies");
    let written = bundle::write(&plan).expect("a verified plan can be written");
    fn done<T>(value: T) {
        drop(divan::black_box(value));
    }
    match name {
        "parse" => Box::new(move || input.sources.iter().for_each(|source| done(ksig_lang::parse(&source.text, 0)))),
        "analyze" => Box::new(move || done(analyze(&input, world(&schema)))),
        "lower" => Box::new(move || done(lower::plan(&program, &named("bench")))),
        "verify" => Box::new(move || done(plan.clone().verify().is_ok())),
        "jit" => Box::new(move || done(JitBackend::compile(&verified).expect("this machine has a backend"))),
        _ => Box::new(move || done(bundle::read(&written).is_ok())),
    }
}

#[divan::bench(args = PHASES, sample_count = 10)]
fn bundled(bencher: Bencher, name: &str) {
    bencher.bench_local(phase(name, CORPORA[0]));
}

#[divan::bench(args = PHASES, sample_count = 10)]
fn synthetic_1000(bencher: Bencher, name: &str) {
    bencher.bench_local(phase(name, CORPORA[1]));
}

fn main() {
    let mut rows = Rows::begin("compile");
    for corpus in CORPORA {
        for name in PHASES {
            let run = phase(name, corpus);
            let times = Times::of_runs(RUNS, run);
            let (ns_median, ns_p99) = (times.median(), times.p99());
            rows.add(&Row {
                bench: name,
                engine: "-".into(),
                order: "-",
                corpus: corpus.into(),
                ns_median,
                ns_p99,
                rss_mb: rss_mb(),
                equal: None,
            });
        }
    }
    drop(rows);
    divan::main();
}
