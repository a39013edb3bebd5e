//! From what a live host answered to a test that may be published.
//!
//! In: the observations of one host, and what they were identified as. Out: `test` blocks with readable fixtures, without anything that
//! belongs to one device or person, and a list of what was taken out.
//!
//! A fixture is text where the protocol has a text form and that text decodes to the same facts; else the facts themselves. Compression,
//! chunks and line ends are undone, so that facts about bytes (`http.sha256`, `http.raw`) are those of the text.

mod fixture;
mod scrub;

use std::collections::BTreeMap;

use ksig_compiler::hir::{self, Asks, ExprKind};
use ksig_lang::quoted;
use ksig_runtime::plan::{Datum, IdentitySlot};
use ksig_schema::identification::Identified;
use ksig_schema::{Identification, Observation, ProbeKey, day_of};

pub use scrub::Scrubbed;

/// Blocks of a test, and what they no longer say.
#[derive(Debug, Default)]
pub struct Recording {
    /// `test` blocks, each with a comment that says where it belongs.
    pub text: String,
    /// What was taken out, in order.
    pub scrubbed: Vec<Scrubbed>,
}

/// Records each service of a host that answered. `signatures`: those that may have identified it, with the names that they give to probes.
pub fn record(observations: &[Observation], answers: &[Identification], signatures: &[hir::Signature]) -> Recording {
    let mut services: BTreeMap<u16, Vec<&Observation>> = BTreeMap::new();
    for observation in observations.iter().filter(|observation| observation.ended.connected() && !observation.received.is_empty()) {
        services.entry(observation.port).or_default().push(observation);
    }
    let mut recording = Recording::default();
    for (port, asked) in services {
        let answer = answers.iter().find(|answer| answer.port == Some(port));
        let identified = answer.and_then(|answer| answer.identifications.iter().find(|found| found.identity.facet == "device"));
        let of = identified.and_then(|found| Some((found, signatures.iter().find(|signature| signature.name == found.signature)?)));
        match of {
            Some((found, signature)) => known(port, &asked, found, signature, &mut recording),
            None => unknown(port, &asked, identified, &mut recording),
        }
    }
    recording
}

/// A test of the signature that matched: with the answers that it reads, and what came out.
fn known(port: u16, asked: &[&Observation], found: &Identified, signature: &hir::Signature, recording: &mut Recording) {
    let mut given = Vec::new();
    for id in signature.used_probes() {
        let probe = signature.probe(id);
        let is_asked = |observation: &&&Observation| matches!(&probe.asks, Asks::Exactly(key) if *key == observation.probe);
        if let Some(observation) = asked.iter().find(is_asked) {
            given.push((probe.name.as_str(), *observation));
        }
    }
    let expect = format!("expect identify {{ {} }}", expected(found, signature));
    recording.text.push_str(&format!("// For {}: port {port}.\n", signature.name));
    block(&given, &expect, recording);
}

/// A test that nothing matches yet.
fn unknown(port: u16, asked: &[&Observation], identified: Option<&Identified>, recording: &mut Recording) {
    recording.text.push_str(&match identified {
        Some(found) => format!("// Port {port}: {} matches; its text is not at hand.\n", found.signature),
        None => format!("// Port {port}: nothing identifies this yet. In a signature for it, expect what must come out instead.\n"),
    });
    let mut names: Vec<(String, &Observation)> = Vec::new();
    for observation in asked {
        let name = name_of(&observation.probe, &names);
        recording.text.push_str(&format!("// probe {name} = {}\n", observation.probe));
        names.push((name, observation));
    }
    let given: Vec<(&str, &Observation)> = names.iter().map(|(name, observation)| (name.as_str(), *observation)).collect();
    block(&given, "expect no_match", recording);
}

/// `top` for the page of an address, else the protocol's name; numbered where that is taken.
fn name_of(probe: &ProbeKey, taken: &[(String, &Observation)]) -> String {
    let plain = match (probe.constructor.as_str(), probe.argument.as_deref()) {
        ("http.get", Some("/")) => "top",
        ("http.favicon", _) => "icon",
        (constructor, _) => constructor.split('.').next().unwrap_or(constructor),
    };
    let is_taken = |name: &str| taken.iter().any(|(known, _)| known == name);
    let numbered = (2..).map(|number| format!("{plain}{number}"));
    std::iter::once(plain.to_string()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

fn block(given: &[(&str, &Observation)], expect: &str, recording: &mut Recording) {
    let Some((_, first)) = given.first() else { return };
    let day = day_of(first.time);
    let probes: Vec<String> = given.iter().map(|(_, observation)| observation.probe.to_string()).collect();
    let name = quoted(&format!("recorded on {day}: {}", probes.join(", ")));
    let mut text = format!("test {name} at {day} {{\n");
    for (probe, observation) in given {
        text.push_str(&fixture::given(probe, observation, &mut recording.scrubbed));
    }
    text.push_str(&format!("  {expect}\n}}\n"));
    recording.text.push_str(&text);
}

/// The slots of what came out that a test can say: texts, and of vendor and class the name where the signature writes it itself.
fn expected(found: &Identified, signature: &hir::Signature) -> String {
    let identity = &found.identity;
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
        ("version", identity.version.as_deref().map(|version| format!("v{}", quoted(version)))),
        ("class", named(IdentitySlot::Class, &identity.class)),
    ];
    let said: Vec<String> = all.into_iter().filter_map(|(slot, value)| Some(format!("{slot}: {}", value?))).collect();
    said.join(", ")
}
