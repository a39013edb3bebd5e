//! Invariant 3: a condition means the same to the oracle, the interpreter and the JIT on the whole corpus.

use ksig::analysis::world;
use ksig_compiler::analyze;
use ksig_compiler::hir::Program;
use ksig_lang::{RenderStyle, Severity};
use ksig_schema::Evidence;
use ksig_tests::engines::Engines;

#[test]
fn every_signature_means_the_same_to_every_engine_on_every_fixture() {
    let program = corpus();
    let fixtures: Vec<(String, Evidence)> = program
        .signatures
        .iter()
        .flat_map(|signature| signature.tests.iter().map(move |test| (signature, test)))
        .filter(|(_, test)| test.with.is_empty())
        .map(|(signature, test)| (format!("{}, {:?}", signature.name, test.name), ksig::testing::evidence(test)))
        .collect();
    let engines = Engines::new(program).expect("the plan is one that the runtime takes");
    let (mut wrong, mut matching) = (Vec::new(), 0);
    for (name, evidence) in &fixtures {
        match engines.agree_on(evidence) {
            Ok(found) => matching += found,
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
