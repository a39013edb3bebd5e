//! Runs the tests inside signatures on the production path: bytes in, decoder, charset, then JIT and interpreter.
//!
//! In: sources and what they mean. Out: a [`Report`] with every failure of every engine. Afterwards each positive fixture is shown to the
//! whole corpus: a signature of another device that answers to it is a failure too.

use std::collections::BTreeSet;

use ksig_compiler::hir::{self, Asks, Expect, Fixture, Scope};
use ksig_compiler::{Analysis, Input};
use ksig_lang::{Lang, Text, line_column, say};
use ksig_protocols::charset;
use ksig_runtime::explain::Trace;
use ksig_runtime::plan::{Datum, HOPS_MAX};
use ksig_runtime::{Matcher, Truth, VerifiedPlan};
use ksig_schema::identification::{Identification, Identity};
use ksig_schema::{Date, Ended, Evidence, Facts, FollowUp, ProbeKey, Response, Service, Time, Transport, Type, Value, form};
use serde_json::json;

use crate::analysis::{named, world};
use crate::policy::PolicyArgs;
use crate::release::{Engine, Release, ReleaseError};

/// What came of all tests.
#[derive(Debug, Default)]
pub struct Report {
    /// Tests and examples that ran.
    pub tests: usize,
    /// Signatures that they belong to.
    pub signatures: usize,
    /// Positive fixtures shown to the whole corpus.
    pub fixtures_shown: usize,
    /// In the order of signatures.
    pub failures: Vec<Failure>,
}

/// A test that failed.
#[derive(Debug)]
pub struct Failure {
    /// Full name of the signature.
    pub signature: String,
    /// The test's name, or an example's value.
    pub test: String,
    /// Where the expectation stands.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// `jit`, `interpreter`, or `corpus` for a fixture that another signature answers to.
    pub engine: &'static str,
    /// What was expected, and what came.
    pub reason: Text,
}

impl Report {
    /// For programs, the reasons in a language.
    pub fn as_json(&self, lang: Lang) -> serde_json::Value {
        let failures = self.failures.iter().map(|failure| {
            json!({
                "signature": failure.signature, "test": failure.test, "path": failure.path, "line": failure.line, "column": failure.column,
                "engine": failure.engine, "reason": failure.reason.in_lang(lang),
            })
        });
        json!({
            "tests": self.tests, "signatures": self.signatures, "fixtures_shown": self.fixtures_shown,
            "failures": failures.collect::<Vec<_>>(),
        })
    }
}

/// Runs all tests whose `signature: test` contains `filter`, of signatures in files whose path `asked` accepts.
pub fn run(input: &Input, analysis: &Analysis, filter: &str, asked: &dyn Fn(&str) -> bool) -> Result<Report, ReleaseError> {
    let mut report = Report::default();
    let engines = engines(input)?;
    for signature in &analysis.program.signatures {
        let path = analysis.sources.get(signature.file).map_or("", |source| source.path.as_str());
        if !asked(path) {
            continue;
        }
        let mut ran = false;
        for test in &signature.tests {
            if !format!("{}: {}", signature.name, test.name).contains(filter) {
                continue;
            }
            ran = true;
            report.tests += 1;
            // `with` changes tables, and patterns range over their keys: the set is compiled again for this test.
            let own = if test.with.is_empty() { None } else { Some(self::engines(&with_rows(input, test))?) };
            for release in own.as_ref().unwrap_or(&engines) {
                one(release, analysis, signature, test, &mut report);
            }
            if own.is_none() {
                show_to_corpus(&engines[0], analysis, signature, test, &mut report);
            }
        }
        report.signatures += usize::from(ran);
    }
    Ok(report)
}

/// The JIT and the interpreter on the same plan, with unverified signatures too.
fn engines(input: &Input) -> Result<[Release; 2], ReleaseError> {
    let schema = ksig_protocols::schema();
    let policy = crate::policy::of(input, &PolicyArgs::default())?;
    let name = ksig_compiler::ReleaseName { unverified: true, policy, ..named("test") };
    let (plan, analysis) = ksig_compiler::compile(input, world(&schema), &name);
    let Some(plan) = plan else {
        return Err(ReleaseError::of_signatures(&analysis));
    };
    let plan: VerifiedPlan = plan.verify().map_err(|error| ReleaseError::Plan(error.to_string()))?;
    Ok([Release::of_plan(plan.clone(), Engine::Jit)?, Release::of_plan(plan, Engine::Interpreter)?])
}

fn with_rows(input: &Input, test: &hir::Test) -> Input {
    let mut changed = input.clone();
    changed.rows.extend(test.with.iter().cloned());
    changed
}

fn one(release: &Release, analysis: &Analysis, signature: &hir::Signature, test: &hir::Test, report: &mut Report) {
    let played = play(release.matcher(), signature, test);
    let (evidence, service) = (&played.evidence, &played.evidence.services[0]);
    let Some(trace) = release.matcher().why(&signature.name, evidence, service, test.at) else { return };
    for expect in &test.expect {
        if let Err(reason) = holds(release, &played, signature, test, expect, &trace) {
            report.failures.push(failure(analysis, signature, test, expect.span(), release.matcher().engine(), reason));
        }
    }
}

fn failure(
    analysis: &Analysis,
    signature: &hir::Signature,
    test: &hir::Test,
    span: ksig_lang::Span,
    engine: &'static str,
    reason: Text,
) -> Failure {
    let source = analysis.sources.get(signature.file);
    let (line, column) = source.map_or((0, 0), |source| line_column(&source.text, span.start));
    let path = source.map(|source| source.path.clone()).unwrap_or_default();
    Failure { signature: signature.name.clone(), test: test.name.clone(), path, line, column, engine, reason }
}

/// What came of the answers that a test gives.
#[derive(Debug)]
pub struct Played {
    /// The first service is the signature's own; of a signature about the whole host, all are.
    pub evidence: Evidence,
    /// Names of the probes that went out: the first stage, and the follows that it led to.
    pub sent: BTreeSet<String>,
}

/// Plays a test as a scan goes: the answers to first-stage probes are there; the answer to a follow only when its gate asked for it, under
/// the key that was asked.
pub fn play(matcher: &Matcher, signature: &hir::Signature, test: &hir::Test) -> Played {
    let probe = |id: &hir::ProbeId| signature.probe(*id);
    let first = test.given.iter().filter(|(id, fixture)| probe(id).hop == 0 || matches!(fixture, Fixture::Value(..)));
    let answers: Vec<(&hir::Probe, Response)> = first
        .filter_map(|(id, fixture)| match &probe(id).asks {
            Asks::Exactly(key) => Some((probe(id), response(key, fixture))),
            Asks::Named { .. } => None,
        })
        .collect();
    let services = match signature.scope {
        Scope::Service => vec![one_service(test, &test.given.iter().map(|(id, _)| probe(id)).collect::<Vec<_>>(), answers)],
        Scope::Host => services(test, answers),
    };
    let mut evidence = Evidence { host: test.name.clone(), time: test.at.and_then(midnight), services };
    let mut sent: BTreeSet<String> = signature.first_stage().iter().map(|id| probe(id).name.clone()).collect();
    for _ in 0..HOPS_MAX {
        for (name, asked) in matcher.follow_ups_of(&signature.name, &evidence, &evidence.services[0]) {
            if let Some((_, fixture)) = test.given.iter().find(|(id, _)| probe(id).name == name) {
                answered(&mut evidence, &asked, response(&asked.probe, fixture));
            }
            sent.insert(name);
        }
    }
    Played { evidence, sent }
}

/// All answers on one service, on the first port of the first probe that has one.
fn one_service(test: &hir::Test, given: &[&hir::Probe], answers: Vec<(&hir::Probe, Response)>) -> Service {
    let mut responses: Vec<Response> = answers.into_iter().map(|(_, response)| response).collect();
    responses.sort_by(|a, b| a.probe.cmp(&b.probe));
    let mut asked = given.iter().map(|probe| &probe.asks).filter(|asks| asks.is_sent()).map(Asks::constructor);
    let tls = asked.all(|constructor| constructor.starts_with("tls."));
    let port = given.iter().find_map(|probe| probe.ports.first().copied()).unwrap_or_default();
    Service { address: test.address, port, transport: if tls { Transport::Tls } else { Transport::Tcp }, responses }
}

/// Each answer on a service of its own: on a port of its probe that no other took, or on one that nobody asks.
fn services(test: &hir::Test, answers: Vec<(&hir::Probe, Response)>) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    // What is known of the host, or was answered to another tool, was answered on no port.
    let (answers, unasked): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(probe, _)| probe.asks.is_sent());
    for (probe, response) in answers {
        let free = |port: &u16| !services.iter().any(|service: &Service| service.port == *port);
        let port = probe.ports.iter().copied().find(free).or_else(|| (49_152..=u16::MAX).find(free)).unwrap_or_default();
        let tls = probe.any_tls || probe.asks.constructor().starts_with("tls.");
        let transport = if tls { Transport::Tls } else { Transport::Tcp };
        services.push(Service { address: test.address, port, transport, responses: vec![response] });
    }
    // What nobody answered is a host all the same.
    if services.is_empty() {
        services.push(Service { address: test.address, port: 0, transport: Transport::Tcp, responses: Vec::new() });
    }
    services[0].responses.extend(unasked.into_iter().map(|(_, response)| response));
    services.sort_by_key(|service| service.port);
    services
}

/// Puts an answer where it was asked: on the first service, or on another port of the host.
fn answered(evidence: &mut Evidence, asked: &FollowUp, response: Response) {
    let address = evidence.services[0].address;
    let there = |service: &&mut Service| service.port == asked.port && service.transport == asked.transport;
    match evidence.services.iter_mut().find(there) {
        Some(service) => service.responses.push(response),
        None => {
            evidence.services.push(Service { address, port: asked.port, transport: asked.transport, responses: vec![response] });
        }
    }
}

fn midnight(date: Date) -> Option<Time> {
    date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn response(probe: &ProbeKey, fixture: &Fixture) -> Response {
    let decoded = |bytes: &[u8], ended| ksig_protocols::decode_bytes(probe, Transport::Tcp, ended, bytes);
    match fixture {
        // A fixture is all that the peer said before it closed.
        Fixture::Inline { kind, text } => decoded(&ksig_protocols::fixture_bytes(kind, text).unwrap_or_default(), Ended::Eof),
        Fixture::Bytes(bytes) => decoded(bytes, Ended::Eof),
        Fixture::Value(field, datum) => given_facts(probe, std::slice::from_ref(&(field.clone(), datum.clone())), true),
        Fixture::Facts(facts) => given_facts(probe, facts, false),
        Fixture::Timeout => decoded(&[], Ended::Timeout),
        Fixture::Refused => decoded(&[], Ended::Refused),
    }
}

fn given_facts(probe: &ProbeKey, given: &[(hir::FieldRef, Datum)], partial: bool) -> Response {
    let mut facts = Facts::default();
    for (field, datum) in given {
        let value = match datum {
            Datum::Bool(v) => Value::Bool(*v),
            Datum::Int(v) => Value::Int(*v),
            Datum::Text(v) => Value::Text(v.clone()),
            Datum::Bytes(v) => Value::Bytes(v.clone()),
            Datum::Date(v) => Value::Date(*v),
            _ => continue,
        };
        match (value, &field.key) {
            (Value::Bytes(bytes), key) if field.raw => facts.push_read(field.field, key.as_deref(), charset::text(&bytes), &bytes),
            (value, Some(key)) => facts.push_keyed(field.field, key, value),
            (value, None) => facts.push(field.field, value),
        }
    }
    ksig_protocols::partial_response(probe.clone(), facts, Ended::Complete, partial)
}

/// Whether one expectation holds; the error says what came instead.
fn holds(
    release: &Release,
    Played { evidence, sent }: &Played,
    signature: &hir::Signature,
    test: &hir::Test,
    expect: &Expect,
    trace: &Trace,
) -> Result<(), Text> {
    let partial = is_partial(test);
    match expect {
        Expect::Identify(slots, _) => {
            if trace.truth == Truth::False || (trace.truth == Truth::NotObserved && !partial) {
                return Err(does_not_match(trace));
            }
            let device = trace.identities.iter().find(|identity| identity.facet == "device").or(trace.identities.first());
            same_slots(slots, device)
        }
        Expect::Resolved(slots, _) => {
            let answers = release.identify(evidence);
            let device = own_answer(signature, &answers).and_then(|answer| answer.identifications.first());
            match (slots.is_empty(), device) {
                (true, Some(found)) => {
                    let name = &found.signature;
                    Err(say!("expected unknown, resolved to {name}", "`unknown`のはずが、{name}と判定されました"))
                }
                _ => same_slots(slots, device.map(|found| &found.identity)),
            }
        }
        Expect::NoMatch(because, _) => no_match(release, evidence, signature, because.as_deref(), trace),
        Expect::Captures(values, _) => {
            let (service, none) = (&evidence.services[0], Default::default());
            let captures = release.matcher().captures(&signature.name, evidence, service, test.at).unwrap_or(none);
            for (name, wanted) in values {
                let found = captures.get(name);
                let hash = signature.vars.iter().any(|var| var.name == *name && *var.ty.required() == Type::Hash);
                let wanted = match wanted {
                    Datum::Missing => None,
                    Datum::Bytes(bytes) if hash => Some(form::hex_digits(bytes)),
                    other => Some(shown(other)),
                };
                if wanted.as_ref() != found {
                    let what = say!("capture `{name}`", "キャプチャ`{name}`");
                    return Err(differs(&what, wanted.as_deref(), found.map(String::as_str)));
                }
            }
            Ok(())
        }
        Expect::Tags(wanted, _) => {
            let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
            let found: BTreeSet<&str> = trace.tags.iter().map(|tag| tag.name.as_str()).collect();
            if wanted == found {
                Ok(())
            } else {
                Err(say!("expected the tags {wanted:?}, found {found:?}", "期待したタグは{wanted:?}ですが、{found:?}が付きました"))
            }
        }
        Expect::Sent(names, _) => {
            let wanted: BTreeSet<String> = names.iter().cloned().collect();
            if wanted == *sent {
                Ok(())
            } else {
                Err(say!("expected {wanted:?} to be sent, and {sent:?} is", "{wanted:?}を送信するはずが、{sent:?}を送信しました"))
            }
        }
    }
}

/// The answer that a signature takes part in: of its service, or of the host.
fn own_answer<'a>(signature: &hir::Signature, answers: &'a [Identification]) -> Option<&'a Identification> {
    match signature.scope {
        Scope::Service => answers.first(),
        Scope::Host => answers.last(),
    }
}

fn is_partial(test: &hir::Test) -> bool {
    test.given.iter().any(|(_, fixture)| matches!(fixture, Fixture::Value(..)))
}

fn no_match(release: &Release, evidence: &Evidence, signature: &hir::Signature, because: Option<&str>, trace: &Trace) -> Result<(), Text> {
    let shown = crate::trace::text(trace);
    if trace.truth == Truth::True {
        return Err(say!("matches\n{shown}", "該当しました\n{shown}"; shown));
    }
    let consistent = release.identify(evidence).iter().any(|answer| answer.consistent.iter().any(|one| one.signature == signature.name));
    if consistent {
        return Err(say!("could match\n{shown}", "該当する可能性があります\n{shown}"; shown));
    }
    let Some(because) = because else { return Ok(()) };
    let named = |line: &&ksig_runtime::explain::Line| line.label == because || line.text.contains(because);
    match trace.lines.iter().filter(named).map(|line| line.truth).min() {
        Some(Truth::False) => Ok(()),
        Some(_) => Err(say!(
            "does not match, but not because of \"{because}\"\n{shown}",
            "該当しませんが、理由は\"{because}\"ではありません\n{shown}"; shown
        )),
        None => Err(say!(
            "no line is called or contains \"{because}\"\n{shown}",
            "\"{because}\"という名前の行も、それを含む行もありません\n{shown}"; shown
        )),
    }
}

fn does_not_match(trace: &Trace) -> Text {
    let shown = crate::trace::text(trace);
    say!("does not match\n{shown}", "該当しません\n{shown}"; shown)
}

/// `what`: the thing that has another value than it should.
fn differs(what: &Text, wanted: Option<&str>, found: Option<&str>) -> Text {
    let said = |value: Option<&str>| value.map_or_else(|| say!("nothing", "値なし"), |value| Text::quoted(value.to_string()));
    let (wanted, found) = (said(wanted), said(found));
    say!("{what}: expected {wanted}, found {found}", "{what}: 期待した値は{wanted}、実際の値は{found}"; what, wanted, found)
}

fn same_slots(slots: &[(String, Datum)], identity: Option<&Identity>) -> Result<(), Text> {
    let empty = Identity::default();
    let identity = identity.unwrap_or(&empty);
    for (name, wanted) in slots {
        let found = match name.as_str() {
            "vendor" => &identity.vendor,
            "brand" => &identity.brand,
            "series" => &identity.series,
            "model" => &identity.model,
            "version" => &identity.version,
            "class" => &identity.class,
            _ => &identity.cpe,
        };
        let wanted = (*wanted != Datum::Missing).then(|| shown(wanted));
        if wanted != *found {
            return Err(differs(&Text::quoted(name.clone()), wanted.as_deref(), found.as_deref()));
        }
    }
    Ok(())
}

/// As answers write it.
fn shown(datum: &Datum) -> String {
    match datum {
        Datum::Missing | Datum::NotObserved => "nothing".into(),
        Datum::Bool(v) => v.to_string(),
        Datum::Int(v) => v.to_string(),
        Datum::Text(v) => v.clone(),
        Datum::Bytes(v) => v.escape_ascii().to_string(),
        Datum::Date(v) => v.to_string(),
        Datum::Duration(v) => v.to_string(),
        other => format!("{other:?}"),
    }
}

/// Shows a positive fixture to all signatures: none of another device may answer to it.
fn show_to_corpus(release: &Release, analysis: &Analysis, signature: &hir::Signature, test: &hir::Test, report: &mut Report) {
    let Some(Expect::Identify(_, span)) = test.expect.iter().find(|expect| matches!(expect, Expect::Identify(..))) else { return };
    report.fixtures_shown += 1;
    let Played { evidence, .. } = play(release.matcher(), signature, test);
    let Some(own) = release.matcher().why(&signature.name, &evidence, &evidence.services[0], test.at) else { return };
    let Some(own) = own.identities.iter().find(|identity| identity.facet == "device").cloned() else { return };
    let answers = release.identify(&evidence);
    let Some(answer) = own_answer(signature, &answers) else { return };
    let differs = |found: &Identity| {
        let differ = |a: &Option<String>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if a != b);
        found.facet == "device" && (differ(&own.vendor, &found.vendor) || differ(&own.model, &found.model))
    };
    let all = answer.identifications.iter().chain(&answer.ambiguous).chain(&answer.consistent);
    for other in all.filter(|other| other.signature != signature.name && differs(&other.identity)) {
        let (name, model) = (&other.signature, other.identity.model.as_deref().unwrap_or_default());
        let reason = say!(
            "`{name}` answers to this fixture too, with the model `{model}`",
            "`{name}`もこの応答に該当し、モデルを`{model}`としています"
        );
        report.failures.push(failure(analysis, signature, test, *span, "corpus", reason));
    }
}
