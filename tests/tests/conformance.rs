//! Invariant 3: a condition means the same to the oracle, the interpreter and the JIT, in every fence of `spec/` and on the whole corpus.

use std::path::Path;

use ksig::analysis::world;
use ksig_compiler::analyze;
use ksig_compiler::hir::Program;
use ksig_lang::{RenderStyle, Severity};
use ksig_schema::Evidence;
use ksig_tests::engines::Engines;
use ksig_tests::fences;
use ksig_tests::oracle::Truth;

/// The chapters.
const SPEC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec");

#[test]
fn every_fence_of_the_spec_says_what_happens() {
    let book = fences::read(Path::new(SPEC)).expect("the spec can be read");
    let schema = ksig_protocols::schema();
    let wrong: Vec<String> =
        book.cases.iter().filter_map(|case| book.run(case, &schema).err().map(|error| format!("{}: {error:#}", case.place))).collect();
    assert!(book.cases.len() > 40, "only {} fences were found", book.cases.len());
    assert!(wrong.is_empty(), "{} of {} fences:\n{}", wrong.len(), book.cases.len(), wrong.join("\n\n"));
}

#[test]
fn every_signature_means_the_same_to_every_engine_on_every_fixture() {
    let program = corpus();
    let engines = Engines::new(program).expect("the plan is one that the runtime takes");
    let signatures = engines.program().signatures.iter();
    let fixtures: Vec<(String, Evidence)> = signatures
        .flat_map(|signature| signature.tests.iter().map(move |test| (signature, test)))
        .filter(|(_, test)| test.with.is_empty())
        .map(|(signature, test)| {
            let played = ksig::testing::play(engines.matcher(), signature, test);
            (format!("{}, {:?}", signature.name, test.name), played.evidence)
        })
        .collect();
    let (mut wrong, mut matching) = (Vec::new(), 0);
    for (name, evidence) in &fixtures {
        match engines.agree_on(evidence) {
            Ok(found) => matching += found.iter().filter(|outcome| outcome.truth == Truth::True).count(),
            Err(error) => wrong.push(format!("{name}: {error:#}")),
        }
    }
    assert!(matching > 50, "only {matching} pairs of a signature and a fixture match, so little was compared");
    assert!(wrong.is_empty(), "{} fixtures differ, the first of them:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n\n"));
}

fn corpus() -> Program {
    let input = ksig::bundled::signatures().expect("the bundled signatures are text");
    let schema = ksig_protocols::schema();
    let analysis = analyze(&input, world(&schema));
    let errors: Vec<_> = analysis.diagnostics.iter().filter(|found| found.severity == Severity::Error).cloned().collect();
    assert!(errors.is_empty(), "{}", ksig_lang::render(&errors, &analysis.sources, RenderStyle::default()));
    analysis.program
}

#[test]
fn every_problem_of_the_compiler_is_shown_by_a_fence() {
    // A fence has no path that a module's name could differ from.
    const OF_PATHS: &[&str] = &["module-differs-from-path"];
    let shown = fences::problems(Path::new(SPEC)).expect("the spec can be read");
    let groups = ksig_compiler::codes::groups().into_iter().filter(|group| !matches!(group.name, "syntax" | "lints"));
    let codes = groups.flat_map(|group| group.codes).map(|doc| doc.code);
    let missing: Vec<&str> = codes.filter(|code| !shown.iter().any(|shown| shown == code) && !OF_PATHS.contains(code)).collect();
    assert!(missing.is_empty(), "no fence says problem= of {missing:?}");
}
