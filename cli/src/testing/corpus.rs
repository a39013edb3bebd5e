//! Shows the fixtures of positive tests to all signatures: none of another device may answer to them.
//!
//! In: a release of the whole corpus and its tests. Out: the signatures of other devices that answer too, for `ksig test` as failures, for
//! `ksig check --fixtures` as findings of the lint `foreign-fixture`.

use ksig_compiler::hir::{self, Expect};
use ksig_compiler::lints::{self, Levels, foreign_fixture};
use ksig_compiler::{Analysis, ReleaseName, lower};
use ksig_lang::{Diagnostic, Severity, Span, Text, say};
use ksig_schema::Policy;
use ksig_schema::identification::{Identified, Identity};

use super::expectations::{own_answer, trace_of};
use super::play::play;
use crate::analysis::named;
use crate::release::{Engine, Release, ReleaseError};

/// Whether an answer of another device is a failure of tests: it is an error of the lint.
pub(super) fn is_failure(levels: &Levels) -> bool {
    lints::level(&foreign_fixture::LINT, levels) == Some(Severity::Error)
}

/// The place of the expectation, and what is wrong for each other device; absent for a test that has no positive fixture.
pub(super) fn strangers(release: &Release, signature: &hir::Signature, test: &hir::Test) -> Option<(Span, Vec<Text>)> {
    let span = identified(test)?;
    let others = if lints::allows(signature, &foreign_fixture::LINT) { Vec::new() } else { others(release, signature, test) };
    let said = others.iter().map(|other| {
        let (name, model) = (&other.signature, other.identity.model.as_deref().unwrap_or_default());
        say!("`{name}` answers to this fixture too, with the model `{model}`", "`{name}`もこの応答に該当し、モデルを`{model}`としています")
    });
    Some((span, said.collect()))
}

/// What the lint `foreign-fixture` finds in all positive fixtures of an analysis without errors, in no order.
///
/// # Errors
/// The compiled plan is refused: a mistake of ksig's own.
pub fn foreign(analysis: &Analysis, rules: &lints::Rules) -> Result<Vec<Diagnostic>, ReleaseError> {
    let Some(severity) = lints::level(&foreign_fixture::LINT, &rules.levels) else { return Ok(Vec::new()) };
    let release = whole(analysis, &rules.policy)?;
    let signatures = &analysis.program.signatures;
    let mut found = Vec::new();
    for signature in signatures.iter().filter(|signature| !lints::allows(signature, &foreign_fixture::LINT)) {
        // `with` changes tables, and with them the patterns of all signatures: `ksig test` compiles the set again for such a test.
        for test in signature.tests.iter().filter(|test| test.with.is_empty()) {
            let Some(span) = identified(test) else { continue };
            for other in others(&release, signature, test) {
                let Ok(at) = signatures.binary_search_by(|known| known.name.cmp(&other.signature)) else { continue };
                let finding = foreign_fixture::found(signature, span, &signatures[at], other.identity.model.as_deref());
                found.push(Diagnostic { severity, ..finding });
            }
        }
    }
    Ok(found)
}

/// All signatures of an analysis, those too that no release for others holds.
fn whole(analysis: &Analysis, policy: &Policy) -> Result<Release, ReleaseError> {
    let name = ReleaseName { unverified: true, policy: policy.clone(), ..named("check") };
    let plan = lower::plan(&analysis.program, &name).verify().map_err(|error| ReleaseError::Plan(error.to_string()))?;
    Release::of_plan(plan, Engine::Jit)
}

/// Where a test says what its fixture is.
fn identified(test: &hir::Test) -> Option<Span> {
    test.expect.iter().find(|expect| matches!(expect, Expect::Identify(..))).map(Expect::span)
}

/// What else the fixture of a test is said to be: another vendor, or another model.
fn others(release: &Release, signature: &hir::Signature, test: &hir::Test) -> Vec<Identified> {
    let played = play(release.matcher(), signature, test);
    let Some(own) = trace_of(release, signature, test, &played) else { return Vec::new() };
    let Some(own) = own.identities.iter().find(|identity| identity.facet == "device") else { return Vec::new() };
    let mut answers = release.identify(&played.evidence);
    let Some(answer) = own_answer(signature, &answers).and_then(|answer| answers.iter().position(|other| other == answer)) else {
        return Vec::new();
    };
    let answer = answers.swap_remove(answer);
    let differs = |found: &Identity| {
        let differ = |a: &Option<String>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if a != b);
        found.facet == "device" && (differ(&own.vendor, &found.vendor) || differ(&own.model, &found.model))
    };
    let all = answer.identifications.into_iter().chain(answer.ambiguous).chain(answer.consistent);
    all.filter(|other| other.signature != signature.name && differs(&other.identity)).collect()
}
