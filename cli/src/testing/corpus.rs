//! Shows the fixture of a positive test to all signatures: none of another device may answer to it.
//!
//! In: a release of the whole corpus and a test. Out: the signatures of other devices that answer too, each with the reason.

use ksig_compiler::hir::{self, Expect};
use ksig_lang::{Span, Text, say};
use ksig_schema::identification::Identity;

use super::expectations::{own_answer, trace_of};
use super::play::play;
use crate::release::Release;

/// The place of the expectation, and what is wrong for each other device; absent for a test that has no positive fixture.
pub(super) fn strangers(release: &Release, signature: &hir::Signature, test: &hir::Test) -> Option<(Span, Vec<Text>)> {
    let expect = test.expect.iter().find(|expect| matches!(expect, Expect::Identify(..)))?;
    Some((expect.span(), others(release, signature, test).unwrap_or_default()))
}

fn others(release: &Release, signature: &hir::Signature, test: &hir::Test) -> Option<Vec<Text>> {
    let played = play(release.matcher(), signature, test);
    let own = trace_of(release, signature, test, &played)?;
    let own = own.identities.iter().find(|identity| identity.facet == "device")?;
    let answers = release.identify(&played.evidence);
    let answer = own_answer(signature, &answers)?;
    let differs = |found: &Identity| {
        let differ = |a: &Option<String>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if a != b);
        found.facet == "device" && (differ(&own.vendor, &found.vendor) || differ(&own.model, &found.model))
    };
    let all = answer.identifications.iter().chain(&answer.ambiguous).chain(&answer.consistent);
    let others = all.filter(|other| other.signature != signature.name && differs(&other.identity));
    let said = others.map(|other| {
        let (name, model) = (&other.signature, other.identity.model.as_deref().unwrap_or_default());
        say!("`{name}` answers to this fixture too, with the model `{model}`", "`{name}`もこの応答に該当し、モデルを`{model}`としています")
    });
    Some(said.collect())
}
