//! How a release grows from 5,000 signatures to 50,000: what loading it takes, what it holds, what a banner costs.
//!
//! `tests/benches/engine/run growth [SIZE ...]`. Rows go to `target/bench/growth.ndjson`: the medians of [`RUNS`] processes, each with nothing in
//! it but the release, so that resident memory is the release's. The signatures are `ksig_tests::bench::synthetic`, families of pages, headers
//! and realms with captures of models and versions, and one table with a row for each of them; the banners are those of 4,000 families, and as
//! many of none.
//!
//! | row | what it took | resident |
//! |---|---|---|
//! | `load` | a bundle in memory to a verified plan | the plan |
//! | `engine` | a plan to a JIT that answers | plan and engine |
//! | `matcher` | to a `Matcher` | all of a release |
//! | `identify` | a banner by `Matcher::identify`, after as many banners as make all code that is used | all of a release in use |
//! | `tests` | a banner's tests and the captures of the patterns that hold | |
//!
//! For the first three, the median is CPU time of all threads and the other figure time by the clock.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use cpu_time::ProcessTime;
use ksig_compiler::jit::JitBackend;
use ksig_runtime::plan::{Predicate, SlotId};
use ksig_runtime::{Backend, Matcher, ValueView, bundle};
use ksig_schema::Evidence;
use ksig_tests::bench::{Row, Rows, Times, synthetic, synthetic_lines, with_table};

const SIZES: [usize; 5] = [5_000, 6_000, 10_000, 20_000, 50_000];
const PHASES: [&str; 5] = ["load", "engine", "matcher", "identify", "tests"];
const BANNERS: usize = 8_000;
/// Processes of each size.
const RUNS: usize = 3;
/// Rounds before the measured ones: a pattern becomes code after 64 questions.
const ROUNDS_BEFORE: usize = 70;
const ROUNDS: usize = 5;

/// What a phase took and what is resident after it.
type Measured = (u64, u64, u64);

pub fn run(sizes: &[usize]) -> Result<()> {
    let mut rows = Rows::begin("growth");
    for &size in if sizes.is_empty() { &SIZES } else { sizes } {
        let path = ksig_tests::binary::workspace().join(format!("target/bench/growth-{size}.kbundle"));
        write(size, &path)?;
        let runs: Vec<Vec<Measured>> = (0..RUNS).map(|_| in_a_process(&path)).collect::<Result<_>>()?;
        std::fs::remove_file(&path)?;
        for (at, bench) in PHASES.into_iter().enumerate() {
            let middle = |part: fn(&Measured) -> u64| {
                let mut all: Vec<u64> = runs.iter().map(|run| part(&run[at])).collect();
                all.sort_unstable();
                all[all.len() / 2]
            };
            rows.add(&Row {
                bench,
                engine: "ksig".into(),
                order: "mixed",
                corpus: format!("{size} signatures"),
                ns_median: middle(|measured| measured.0),
                ns_p99: middle(|measured| measured.1),
                rss_mb: middle(|measured| measured.2) >> 20,
                equal: None,
            });
        }
    }
    Ok(())
}

fn write(size: usize, path: &Path) -> Result<()> {
    let mut input = synthetic(size);
    let table = with_table(size);
    input.sources.extend(table.sources.into_iter().filter(|source| source.module.as_deref() == Some("acme.table")));
    input.assets.extend(table.assets);
    let schema = ksig_protocols::schema();
    let (plan, _) = ksig_compiler::compile(&input, ksig::analysis::world(&schema), &ksig::analysis::named("growth"));
    std::fs::write(path, bundle::write(&plan.context("the families do not compile")?)?)?;
    Ok(())
}

fn in_a_process(bundle: &Path) -> Result<Vec<Measured>> {
    let output = Command::new(std::env::current_exe()?).arg("growth-of").arg(bundle).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout)?;
    let line = |line: &str| -> Result<Measured> {
        let numbers: Vec<u64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let &[median, p99, resident] = numbers.as_slice() else { anyhow::bail!("a phase is three numbers") };
        Ok((median, p99, resident))
    };
    said.lines().map(line).collect()
}

/// One process: a line of numbers for each phase.
pub fn of(bundle: &Path) -> Result<()> {
    let bytes = std::fs::read(bundle)?;
    let schema = ksig_protocols::schema();
    let begin = resident();
    let measured = |took: (u64, u64)| println!("{} {} {}", took.0, took.1, resident().saturating_sub(begin));

    let (plan, took) = timed(|| ksig_runtime::bundle::read(&bytes));
    let plan = plan?;
    measured(took);
    let (backend, took) = timed(|| JitBackend::tiered(&plan));
    let backend = Arc::new(backend?);
    measured(took);
    let (matcher, took) = timed(|| Matcher::new(plan.clone(), Arc::<JitBackend>::clone(&backend)));
    measured(took);

    let families = plan.plan().signatures.len() - 1;
    let lines = synthetic_lines(families, BANNERS);
    let evidence: Vec<Evidence> =
        lines.iter().map(|line| Ok(ksig::evidence_line::parse(line, &schema)?.evidence)).collect::<Result<_>>()?;
    (0..ROUNDS_BEFORE).for_each(|_| evidence.iter().for_each(|evidence| drop(matcher.identify(evidence))));
    let times = Times::of(&evidence, ROUNDS, |evidence| matcher.identify(evidence));
    measured((times.median(), times.p99()));

    let slots = |evidence: &Evidence| -> Vec<(SlotId, Vec<u8>)> {
        let facts = evidence.services.iter().flat_map(|service| &service.responses).flat_map(|response| response.facts.iter());
        let asked = facts.flat_map(|fact| {
            let slots = plan.plan().slots.iter().enumerate();
            let of_fact = slots.filter(move |(_, slot)| slot.field == fact.field.name && slot.key.as_deref() == fact.key.as_deref());
            of_fact.flat_map(move |(slot, _)| fact.values.iter().filter_map(move |v| Some((slot as SlotId, v.as_bytes()?.to_vec()))))
        });
        asked.collect()
    };
    let banners: Vec<_> = evidence.iter().map(slots).collect();
    let mut hits = Vec::new();
    let times = Times::of(&banners, ROUNDS, |banner| {
        for (slot, value) in banner {
            hits.clear();
            let Ok(text) = std::str::from_utf8(value) else { continue };
            backend.eval_slot(*slot, &[ValueView::Text(text)], &mut hits);
            for &test in &hits {
                if let Predicate::Matches(pattern) = plan.plan().tests[test as usize].predicate {
                    std::hint::black_box(backend.find(test, plan.pattern(pattern), value));
                }
            }
        }
    });
    measured((times.median(), times.p99()));
    Ok(())
}

/// What is made, and what that took: CPU time of all threads and time by the clock.
fn timed<T>(make: impl FnOnce() -> T) -> (T, (u64, u64)) {
    let (cpu, clock) = (ProcessTime::now(), Instant::now());
    let made = make();
    (made, (cpu.elapsed().as_nanos() as u64, clock.elapsed().as_nanos() as u64))
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() << 10
}
