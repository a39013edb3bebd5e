//! From text to an engine: what each phase of compiling a release costs, and how it grows.
//!
//! `cargo bench -p ksig-tests --bench compile -- [SIZE ...] [table]`: synthetic corpora of these sizes, and one table of 200,000 rows; when none is
//! named 1,000, 6,000, 10,000 and 100,000 signatures, the bundled corpus and the table. Figures are CPU time of all threads, so that other work on the machine counts
//! little; `ns/signature` shows growth. `tests/benches/peers/compile_yara.py` runs this beside yara-x.
//!
//! | phase | from | to |
//! |---|---|---|
//! | parse | text | syntax of every file |
//! | check | syntax (parsed again, its time taken off) | typed program |
//! | lower | typed program | plan |
//! | verify | plan | proof that it is sound |
//! | engine | proof | JIT that answers; a pattern becomes code after its first uses |
//! | all code | proof | JIT with the code of every pattern |
//! | load | bundle | proof |

use std::hint::black_box;

use cpu_time::ProcessTime;
use ksig::analysis::{named, world};
use ksig_compiler::jit::JitBackend;
use ksig_compiler::{Input, analyze, lower};
use ksig_runtime::bundle;
use ksig_tests::bench::{Row, Rows, rss_mb, synthetic, with_table};

const SIZES: [usize; 4] = [1_000, 6_000, 10_000, 100_000];
const TABLE_ROWS: usize = 200_000;
/// Larger corpora are measured once.
const REPEATED_UP_TO: usize = 10_000;
const RUNS: usize = 5;

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let table = std::env::args().any(|argument| argument == "table");
    let all = sizes.is_empty() && !table;
    let mut rows = Rows::begin("compile");
    if all {
        let bundled = ksig::bundled::signatures().expect("the bundled signatures are text");
        phases(&mut rows, "bundled", &bundled, RUNS);
    }
    for &size in if all { SIZES.as_slice() } else { &sizes } {
        phases(&mut rows, &format!("synthetic {size}"), &synthetic(size), if size > REPEATED_UP_TO { 1 } else { RUNS });
    }
    if all || table {
        phases(&mut rows, &format!("a table of {TABLE_ROWS} rows"), &with_table(TABLE_ROWS), RUNS);
    }
}

fn phases(rows: &mut Rows, corpus: &str, input: &Input, runs: usize) {
    let schema = ksig_protocols::schema();
    let world = world(&schema);
    let program = analyze(input, world).program;
    let signatures = program.signatures.len() as u64;
    let plan = lower::plan(&program, &named("bench"));
    let verified = plan.clone().verify().expect("the compiler's own plan verifies");
    let written = bundle::write(&plan).expect("a verified plan can be written");

    let parse = median(runs, || input.sources.iter().map(|source| ksig_lang::parse(&source.text, 0)).for_each(drop));
    let analysis = median(runs, || analyze(input, world));
    let copy = median(runs, || plan.clone());
    let measured = [
        ("parse", parse),
        ("check", analysis.saturating_sub(parse)),
        ("lower", median(runs, || lower::plan(&program, &named("bench")))),
        ("verify", median(runs, || plan.clone().verify()).saturating_sub(copy)),
        ("engine", median(runs, || JitBackend::tiered(&verified))),
        ("all code", median(runs, || JitBackend::compile(&verified))),
        ("load", median(runs, || bundle::read(&written))),
    ];
    for (bench, ns) in measured {
        let corpus = format!("{corpus}, {} ns/signature", ns / signatures.max(1));
        rows.add(&Row { bench, engine: "-".into(), order: "-", corpus, ns_median: ns, ns_p99: ns, rss_mb: rss_mb(), equal: None });
    }
    let front: u64 = measured[..3].iter().map(|(_, ns)| ns).sum();
    let ready: u64 = measured[..5].iter().map(|(_, ns)| ns).sum();
    println!("{corpus}: parse + check + lower {} ms; all that and an engine that answers {} ms", front / 1_000_000, ready / 1_000_000);
}

/// CPU nanoseconds of a call and of giving back what it made, all threads.
fn median<T>(runs: usize, mut call: impl FnMut() -> T) -> u64 {
    let mut times: Vec<u64> = (0..runs)
        .map(|_| {
            let begin = ProcessTime::now();
            drop(black_box(call()));
            begin.elapsed().as_nanos() as u64
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}
