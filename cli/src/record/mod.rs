//! From what a live host answered to a test that may be published.
//!
//! In: the observations of one host, and what they were identified as. Out: `test` blocks with readable fixtures, without anything that
//! belongs to one device or person, and a list of what was taken out.
//!
//! A fixture is text where the protocol has a text form and that text decodes to the same facts; else the facts themselves. Compression,
//! chunks and line ends are undone, so that facts about bytes (`http.sha256`, `http.raw`) are those of the text.

mod fixture;
mod read;
mod scrub;
mod site;

use std::collections::BTreeSet;

use ksig_compiler::hir::{self, ExprKind};
use ksig_lang::quoted;
use ksig_runtime::plan::{Datum, IdentitySlot};
use ksig_schema::identification::Identity;
use ksig_schema::{Evidence, Identification, Observation, ProbeKey, Response, day_of};

pub use scrub::Scrubbed;

use crate::release::Release;
use read::{Named, told};

/// Blocks of a test, and what they no longer say.
#[derive(Debug, Default)]
pub struct Recording {
    /// `test` blocks, each with a comment that says where it belongs.
    pub text: String,
    /// What was taken out, in order.
    pub scrubbed: Vec<Scrubbed>,
}

/// What one host said, and what it is.
pub struct Host<'a> {
    /// As they came.
    pub observations: &'a [Observation],
    /// What they say.
    pub evidence: &'a Evidence,
    /// What identified it.
    pub answers: &'a [Identification],
}

/// Records each service of a host that answered, and the host itself where a signature speaks of all of it. `signatures`: those that may have
/// identified it, with the names that they give to probes.
pub fn record(host: &Host<'_>, release: &Release, signatures: &[hir::Signature]) -> Recording {
    let mut recording = Recording::default();
    let answered: Vec<&Observation> =
        host.observations.iter().filter(|observation| observation.ended.connected() && !observation.received.is_empty()).collect();
    let named = |name: &str| signatures.iter().find(|signature| signature.name == name);
    // An answer stands in one test at least; what a service said to a follow-up of another is no service of its own.
    let mut written: BTreeSet<&str> = BTreeSet::new();
    let mut unnamed: Vec<(u16, Option<&str>)> = Vec::new();
    for answer in host.answers {
        let found = answer.identifications.iter().find(|found| found.identity.facet == "device");
        let of = found.and_then(|found| named(&found.signature));
        match (of, answer.port) {
            (Some(signature), port) if (signature.scope == hir::Scope::Host) == port.is_none() => {
                let given = read::by(signature, answer, host.evidence, &answered, release);
                written.extend(given.iter().map(|named| named.observation.id.as_str()));
                known(answer, host.evidence, &given, release, signature, &mut recording);
            }
            (_, Some(port)) => unnamed.push((port, found.map(|found| found.signature.as_str()))),
            _ => {}
        }
    }
    for (port, matched) in unnamed {
        let asked: Vec<&Observation> = answered.iter().copied().filter(|observation| observation.port == port).collect();
        if asked.iter().any(|observation| !written.contains(observation.id.as_str())) {
            unknown(port, &asked, matched, &mut recording);
        }
    }
    recording
}

/// A test of the signature that matched: with the answers that it reads, and what came out.
fn known(
    answer: &Identification,
    evidence: &Evidence,
    given: &[Named<'_>],
    release: &Release,
    signature: &hir::Signature,
    recording: &mut Recording,
) {
    let place = match answer.port {
        Some(port) => format!("port {port}"),
        None => "the whole host".into(),
    };
    let Some(told_live) = told(release, signature, evidence, answer.port) else { return };
    let expect = format!("expect identify {{ {} }}", expected(&told_live, signature));
    recording.text.push_str(&format!("// For {}: {place}.\n", signature.name));
    let before = recording.scrubbed.len();
    let responses = block(given, &expect, recording);
    let address = given.first().map(|named| named.observation.address);
    let is_own = |scrubbed: &Scrubbed| address.is_some_and(|address| scrubbed.was == address.to_string());
    let instead = address.filter(|_| recording.scrubbed[before..].iter().any(is_own)).and_then(|own| scrub::instead_of(own).parse().ok());
    let read = read::evidence_of(given, responses, evidence, instead);
    if told(release, signature, &read, answer.port).as_ref() != Some(&told_live) {
        recording.text.push_str("// This test fails: what the signature reads was taken out, or is of the host itself.\n");
    }
}

/// A test that nothing matches yet.
fn unknown(port: u16, asked: &[&Observation], matched: Option<&str>, recording: &mut Recording) {
    recording.text.push_str(&match matched {
        Some(name) => format!("// Port {port}: {name} matches; its text is not at hand.\n"),
        None => format!("// Port {port}: nothing identifies this yet. In a signature for it, expect what must come out instead.\n"),
    });
    let mut given: Vec<Named<'_>> = Vec::new();
    for observation in asked {
        let name = name_of(&observation.probe, &given);
        recording.text.push_str(&format!("// probe {name} = {}\n", observation.probe));
        given.push(Named { name, observation });
    }
    block(&given, "expect no_match", recording);
}

/// `top` for the page of an address, else the protocol's name; numbered where that is taken.
fn name_of(probe: &ProbeKey, taken: &[Named<'_>]) -> String {
    let plain = match (probe.constructor.as_str(), probe.argument.as_deref()) {
        ("http.get", Some("/")) => "top",
        ("http.favicon", _) => "icon",
        (constructor, _) => constructor.split('.').next().unwrap_or(constructor),
    };
    let is_taken = |name: &str| taken.iter().any(|known| known.name == name);
    let numbered = (2..).map(|number| format!("{plain}{number}"));
    std::iter::once(plain.to_string()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

/// Writes a block; gives the answers that a test reads from it.
fn block(given: &[Named<'_>], expect: &str, recording: &mut Recording) -> Vec<Response> {
    let Some(first) = given.first() else { return Vec::new() };
    let day = day_of(first.observation.time);
    let probes: Vec<String> = given.iter().map(|named| named.observation.probe.to_string()).collect();
    let name = quoted(&format!("recorded on {day}: {}", probes.join(", ")));
    let mut text = format!("test {name} at {day} {{\n");
    let mut responses = Vec::new();
    for Named { name, observation } in given {
        let (statement, response) = fixture::given(name, observation, &mut recording.scrubbed);
        text.push_str(&statement);
        responses.push(response);
    }
    text.push_str(&format!("  {expect}\n}}\n"));
    recording.text.push_str(&text);
    responses
}

/// The slots of what came out that a test can say: texts, and of vendor and class the name where the signature writes it itself.
fn expected(identity: &Identity, signature: &hir::Signature) -> String {
    let device = signature.identities.iter().find(|identity| identity.facet == "device");
    let slots = device.map_or(&[][..], |identity| &identity.slots);
    let written =
        |wanted: IdentitySlot| slots.iter().any(|(slot, expr)| *slot == wanted && matches!(&expr.kind, ExprKind::Const(Datum::Text(_))));
    let named = |slot, value: &Option<String>| value.clone().filter(|_| written(slot));
    let text = |value: &Option<String>| value.as_deref().map(quoted);
    let all = [
        ("vendor", named(IdentitySlot::Vendor, &identity.vendor)),
        ("series", text(&identity.series)),
        ("model", text(&identity.model)),
        ("version", identity.version.as_deref().map(version)),
        ("class", named(IdentitySlot::Class, &identity.class)),
    ];
    let said: Vec<String> = all.into_iter().filter_map(|(slot, value)| Some(format!("{slot}: {}", value?))).collect();
    said.join(", ")
}

/// `v"1.20"`; what allows several versions, `1.0 ..< 1.20`, is none and stands as text.
fn version(version: &str) -> String {
    let is_one = !version.contains([' ', '<', '>', '|']);
    format!("{}{}", if is_one { "v" } else { "" }, quoted(version))
}
