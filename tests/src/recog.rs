//! Recog's examples on the production path: imported, compiled to machine code, decoded from the bytes of an answer, identified.
//!
//! In: a folder of databases. Out: [`Report`]. Where no answer of the protocol can carry a value (a digest, a name in a certificate, an answer of
//! a protocol that is not ksig's), the field is given as an evidence line gives it.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use ksig::import::recog::{self, Case, Refused, Said};
use ksig::{Engine, Release};
use ksig_compiler::{Input, ReleaseName, Source};
use ksig_schema::identification::{Component, Identified};
use ksig_schema::{Ended, Evidence, Identification, Response, Schema, Service, Transport};
use serde::Serialize;

/// What came of a folder.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Databases.
    pub databases: usize,
    /// Fingerprints.
    pub patterns: usize,
    /// Of them, those that have no signature.
    pub patterns_refused: usize,
    /// Examples of all databases.
    pub examples: usize,
    /// Those whose own signature matches.
    pub matched: usize,
    /// Those that were decoded from the bytes of an answer.
    pub decoded: usize,
    /// Values that examples state and that the answer has.
    pub values_equal: usize,
    /// Values that it has not, or has otherwise.
    pub values_different: usize,
    /// Examples that their own signature answers, and no earlier one of its choice.
    pub first_match_kept: usize,
    /// From reading the first file to the last answer.
    pub seconds: f64,
    /// What was refused.
    pub refused: Vec<Refused>,
    /// What differs, a sentence each.
    pub differences: Vec<String>,
}

/// What a folder of databases becomes, and the sources of its release.
///
/// # Errors
/// The folder cannot be read.
pub fn imported(folder: &Path) -> Result<(recog::Import, Input)> {
    let read = recog::folder(folder, &mut |_| {})?;
    let mut import = recog::import(&read.databases, &read.licence, ksig::analysis::vocabulary(), &mut |_| {});
    import.refused.splice(0..0, read.refused);
    let source = |file: &recog::File| {
        let module = file.name.trim_end_matches(".ksig").to_string();
        Source { path: file.name.clone(), module: Some(module), folder: String::new(), text: file.text.clone() }
    };
    let input = Input { sources: import.files.iter().map(source).collect(), ..Input::default() };
    Ok((import, input))
}

/// Imports a folder and runs every example.
///
/// # Errors
/// The folder cannot be read, or what was imported does not compile.
pub fn verify(folder: &Path) -> Result<Report> {
    let begin = Instant::now();
    let (import, input) = imported(folder)?;
    let name = ReleaseName { unverified: true, ..ksig::analysis::named("recog") };
    let release = Release::compile(&input, &name, Engine::Jit).context("what was imported does not compile")?;
    let schema = ksig_protocols::schema();
    let mut report = Report {
        databases: import.databases,
        patterns: import.patterns,
        patterns_refused: import.refused.iter().filter(|refused| refused.pattern).count(),
        examples: import.examples,
        refused: import.refused,
        ..Report::default()
    };
    import.cases.iter().for_each(|case| one(&release, &schema, case, &mut report));
    report.seconds = begin.elapsed().as_secs_f64();
    Ok(report)
}

fn one(release: &Release, schema: &Schema, case: &Case, report: &mut Report) {
    let differs = |what: String| format!("{}:{}: {}: {what}", case.path, case.line, case.signature);
    let Some((response, decoded)) = response(schema, case) else {
        report.differences.push(differs("the field cannot hold this value".into()));
        report.values_different += case.expected.len();
        return;
    };
    report.decoded += usize::from(decoded);
    let service = Service { address: None, port: 0, transport: Transport::Tcp, responses: vec![response] };
    let evidence = Evidence { host: case.signature.clone(), time: None, services: vec![service] };
    let Some(captures) = release.matcher().captures(&case.signature, &evidence, &evidence.services[0], None) else {
        report.differences.push(differs(format!("does not match {}", case.bytes.escape_ascii())));
        report.values_different += case.expected.len();
        return;
    };
    report.matched += 1;
    let answers = release.identify(&evidence);
    let own = own(&answers[0], &case.signature);
    if own.is_empty() {
        let found: Vec<&str> = answers[0].identifications.iter().map(|found| found.signature.as_str()).collect();
        report.differences.push(differs(format!("another answers: {found:?}")));
    } else {
        report.first_match_kept += 1;
    }
    let trace = release.matcher().why(&case.signature, &evidence, &evidence.services[0], None);
    let components = trace.filter(|_| !own.is_empty()).map(|trace| trace.components).unwrap_or_default();
    for expected in &case.expected {
        let found = match &expected.said {
            Some(Said::Capture(name)) => captures.get(name).cloned(),
            Some(Said::Constant(value)) => Some(value.clone()),
            Some(said) => said_by(&own, &components, said),
            None => None,
        };
        if found.as_deref().unwrap_or_default() == expected.value {
            report.values_equal += 1;
        } else {
            report.values_different += 1;
            report.differences.push(differs(format!("{}: expected {:?}, found {found:?}", expected.param, expected.value)));
        }
    }
}

/// The answer with that value: from bytes through the decoder where that gives the value, else as a fact.
fn response(schema: &Schema, case: &Case) -> Option<(Response, bool)> {
    let probe = case.place.probe_key();
    let wanted = case.place.fact(schema, &case.bytes)?;
    let fact = wanted.iter().next()?;
    if let Some(answer) = case.place.answer(&case.bytes) {
        let decoded = ksig_protocols::decode_bytes(&probe, Transport::Tcp, Ended::Eof, &answer);
        let found = decoded.facts.iter().find(|found| found.field == fact.field && found.key == fact.key);
        if found.is_some_and(|found| found.values.len() == 1 && found.raw(0) == fact.raw(0)) {
            return Some((decoded, true));
        }
    }
    Some((ksig_protocols::partial_response(probe, wanted, Ended::Complete, false), false))
}

/// The identifications that a signature made.
fn own<'a>(answer: &'a Identification, signature: &str) -> Vec<&'a Identified> {
    answer.identifications.iter().filter(|found| found.signature == signature).collect()
}

/// `components`: those of the signature in its own order.
fn said_by(own: &[&Identified], components: &[Component], said: &Said) -> Option<String> {
    match said {
        Said::Identity(facet, slot) => {
            let identity = own.iter().map(|found| &found.identity).find(|identity| identity.facet == *facet)?;
            match *slot {
                "vendor" => identity.vendor.clone(),
                "brand" => identity.brand.clone(),
                "series" => identity.series.clone(),
                "model" => identity.model.clone(),
                "version" => identity.version.clone(),
                "class" => identity.class.clone(),
                _ => identity.cpe.clone(),
            }
        }
        Said::Component(at, slot) => {
            let component = components.get(*at)?;
            match *slot {
                "vendor" => component.vendor.clone(),
                "product" => Some(component.product.clone()),
                "series" => component.series.clone(),
                "version" => component.version.clone(),
                _ => component.cpe.clone(),
            }
        }
        Said::Detail(name) => own.iter().find_map(|found| found.details.get(name).cloned()),
        Said::Capture(_) | Said::Constant(_) => None,
    }
}
