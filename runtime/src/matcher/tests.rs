use ksig_schema::identification::{Confidence, Known, Note};
use ksig_schema::{Facts, ProbeKey, Response, Sections, Transport, Value};
use proptest::prelude::*;

use super::*;
use crate::explain::Because;
use crate::sample::{self, date, evidence, leaf, response, text};
use crate::{Interpreter, Problem};

fn matcher_of(plan: Plan) -> Matcher {
    let plan = plan.verify().expect("verifies");
    let interpreter = Arc::new(Interpreter::new(&plan));
    Matcher::new(plan, interpreter)
}

fn matcher() -> Matcher {
    matcher_of(sample::plan())
}

fn answer(evidence: &Evidence) -> Identification {
    matcher().identify(evidence).remove(0)
}

/// A response that another tool cut: only these facts were kept.
fn cut(title: Option<&str>, status: Option<i64>) -> Response {
    let mut facts = Facts::default();
    if let Some(title) = title {
        facts.push(&sample::TITLE, Value::text(title));
    }
    if let Some(status) = status {
        facts.push(&sample::STATUS, Value::Int(status));
    }
    Response { partial: true, complete: Sections::default(), facts, ..response(0, None, None) }
}

#[test]
fn the_refining_signature_replaces_its_base() {
    let found = answer(&evidence(vec![response(401, Some("acme-httpd/2.1"), Some("ACME AC-1 v1.16"))]));
    let [device, software] = found.identifications.as_slice() else { panic!("{found:#?}") };
    assert_eq!((device.signature.as_str(), device.also.as_slice()), ("acme.model", ["acme.any".to_string()].as_slice()));
    assert_eq!(device.identity.model.as_deref(), Some("AC-1"));
    assert_eq!(device.identity.version.as_deref(), Some("1.16"));
    assert_eq!(device.identity.series.as_deref(), Some("AC"));
    assert_eq!(device.confidence, Confidence::Strong);
    assert_eq!(software.identity.facet, "software");
    assert_eq!(software.components[0].version.as_deref(), Some("2.1"));
    assert_eq!(found.digest, None);
    let title = device.proof.iter().find(|proof| proof.field == "http.html.title").expect("the title decided");
    assert_eq!((title.value.as_str(), title.span), ("ACME AC-1 v1.16", Some((0, 15))));
}

#[test]
fn a_late_line_decides_after_the_captures() {
    let found = answer(&evidence(vec![response(401, None, Some("ACME AC-9"))]));
    assert_eq!(found.identifications.len(), 1);
    assert_eq!(found.identifications[0].signature, "acme.any", "AC-9 is not in the table");
}

#[test]
fn absence_needs_proof() {
    let mut cut_short = response(401, None, Some("ACME AC-1"));
    cut_short.complete.body = false;
    let found = answer(&evidence(vec![cut_short]));
    assert_eq!(found.identifications[0].signature, "acme.any", "`not` about a body that was cut is not true");
}

#[test]
fn tags_and_support_follow_the_date() {
    let at = |time: &str, title: &str| {
        let mut evidence = evidence(vec![response(401, None, Some(title))]);
        evidence.time = (!time.is_empty()).then(|| time.parse().expect("a time"));
        let identified = answer(&evidence).identifications.remove(0);
        let tags: Vec<String> = identified.tags.iter().map(|tag| tag.name.clone()).collect();
        (tags.join(" "), identified.support)
    };
    let (tags, support) = at("2026-11-01T00:00:00Z", "ACME AC-1 v1.16");
    assert_eq!((tags.as_str(), support.ended, support.latest), ("eol fw_outdated", Known::Yes, Known::No));
    assert_eq!((support.ends, support.latest_version.as_deref()), (Some(date("2026-06-30")), Some("1.20")));
    let (tags, support) = at("2026-06-29T00:00:00Z", "ACME AC-1 v1.20");
    assert_eq!((tags.as_str(), support.ended, support.latest), ("", Known::No, Known::Yes));
    let (tags, support) = at("", "ACME AC-1");
    assert_eq!((tags.as_str(), support.ended, support.latest), ("", Known::Unknown, Known::Unknown));
    let (tags, support) = at("2026-06-29T00:00:00Z", "ACME AC-2 v2.5");
    assert_eq!((tags.as_str(), support.ended, support.latest), ("", Known::Unknown, Known::Unknown), "at least 2.0 leaves 2.5 open");
    let (tags, support) = at("2026-06-29T00:00:00Z", "ACME AC-2 v1.5");
    assert_eq!((tags.as_str(), support.latest), ("fw_outdated", Known::No));
}

#[test]
fn what_was_not_observed_is_at_most_consistent() {
    let found = answer(&evidence(vec![cut(Some("ACME AC-1 v1.16"), None)]));
    assert!(found.identifications.is_empty());
    assert_eq!(found.consistent.iter().map(|c| c.signature.as_str()).collect::<Vec<_>>(), ["acme.model"], "its base is refined away");
    assert_eq!(found.consistent[0].identity.model.as_deref(), Some("AC-1"));

    let found = answer(&evidence(vec![cut(None, Some(401))]));
    assert!(found.consistent.is_empty(), "a number alone says nothing of a device: {found:?}");

    let found = answer(&evidence(vec![cut(Some("ACME AC-1"), Some(200))]));
    assert!(found.consistent.is_empty(), "the status was observed and is another one");

    let mut whole = cut(Some("ACME AC-1 v1.16"), Some(401));
    whole.complete = Sections::ALL;
    let found = answer(&evidence(vec![whole]));
    assert_eq!(found.identifications[0].signature, "acme.model", "all its lines were observed");
}

#[test]
fn follow_ups_are_asked_for_once() {
    let matcher = matcher();
    let mut host = evidence(vec![response(401, None, Some("ACME AC-1"))]);
    let follow = FollowUp { port: 80, transport: Transport::Tcp, probe: ProbeKey::with("http.get", "/version.js") };
    assert_eq!(matcher.follow_ups(&host, &host.services[0]), std::slice::from_ref(&follow));
    let answered = Response { probe: follow.probe, ..response(404, None, None) };
    host.services[0].responses.push(answered);
    assert!(matcher.follow_ups(&host, &host.services[0]).is_empty());
    let other = evidence(vec![response(401, None, Some("Other"))]);
    assert!(matcher.follow_ups(&other, &other.services[0]).is_empty());
}

#[test]
fn unknown_answers_of_one_kind_have_one_digest() {
    let digest = |status, title| answer(&evidence(vec![response(status, None, Some(title))])).digest.expect("unknown");
    assert_eq!(digest(200, "x"), digest(200, "x"));
    assert_ne!(digest(200, "x"), digest(200, "y"));
    assert_eq!(answer(&evidence(vec![Response { facts: Facts::default(), ..response(0, None, None) }])).digest, None);
}

#[test]
fn a_host_is_a_set_of_devices() {
    let title = |title| response(401, None, Some(title));
    let host = evidence(vec![title("ACME AC-1 v1.16"), title("ACME AC-1 v1.17"), title("ACME AC-2 v1.0")]);
    let line = matcher().identify(&host).pop().expect("a host line");
    let models: Vec<_> = line.identifications.iter().map(|i| (i.identity.model.as_deref(), i.identity.version.as_deref())).collect();
    assert_eq!(models, [(Some("AC-1"), None), (Some("AC-2"), Some("1.0"))]);
    assert_eq!(line.notes, [Note::VersionsDiffer { facet: "device".into(), versions: vec!["1.16".into(), "1.17".into()] }]);
    assert_eq!((line.port, line.id.as_str()), (None, "h"));
}

#[test]
fn captures_of_a_group_that_is_false_are_taken_back() {
    let mut plan = sample::plan();
    let with_status = Condition::All(vec![leaf(sample::TITLE_MODEL, &[("model", 0)]), leaf(sample::STATUS_401, &[])]);
    let signature = &mut plan.signatures[1];
    signature.condition = Condition::Any(vec![with_status, leaf(sample::TITLE_LOGIN, &[]), leaf(sample::SERVER_ACME, &[])]);
    signature.triggers = vec![sample::TITLE_MODEL, sample::TITLE_LOGIN, sample::SERVER_ACME];
    let host = evidence(vec![response(200, Some("acme-httpd/1"), Some("ACME AC-1"))]);
    let trace = matcher_of(plan).why("acme.model", &host, &host.services[0], None).expect("there");
    assert_eq!(trace.truth, Truth::True);
    assert!(!trace.captures.contains_key("model"), "{trace:#?}");
}

#[test]
fn an_explanation_names_the_nearest_reason() {
    let host = evidence(vec![response(200, None, Some("ACME AC-1 v1.0"))]);
    let trace = matcher().why("acme.model", &host, &host.services[0], None).expect("there");
    assert_eq!(trace.truth, Truth::False);
    assert!(trace.identities.is_empty());
    let status = trace.labelled("test 1").expect("the line");
    assert!(matches!(&status.because, Because::Fact(proof) if proof.value == "200"), "{trace:#?}");
    assert_eq!(trace.labelled("model in acme").map(|line| line.truth), Some(Truth::True));

    let server = matcher().why("httpd", &host, &host.services[0], None).expect("there");
    assert!(matches!(server.lines[0].because, Because::ProvenAbsent { .. }), "{server:#?}");
    let refused = Response { complete: Sections::default(), ..response(0, None, None) };
    let silent = evidence(vec![Response { facts: Facts::default(), ..refused }]);
    let server = matcher().why("httpd", &silent, &silent.services[0], None).expect("there");
    assert!(matches!(server.lines[0].because, Because::Missing { ended: Some(_), .. }), "{server:#?}");
    assert!(matcher().why("nothing", &host, &host.services[0], None).is_none());
}

#[test]
fn what_is_redacted_stays_inside() {
    let mut plan = sample::plan();
    plan.signatures[1].vars[0].redact = true;
    let host = evidence(vec![response(401, None, Some("ACME AC-1 v1.16"))]);
    let found = matcher_of(plan.clone()).identify(&host);
    let written = serde_json::to_string(&found).expect("serialises");
    assert!(!written.contains("AC-1"), "{written}");
    assert!(written.contains("1.16"), "the version is not secret");
    let trace = matcher_of(plan).why("acme.model", &host, &host.services[0], None).expect("there");
    assert!(!trace.captures.contains_key("model"));
}

#[test]
fn width_is_folded_where_the_slot_says_so() {
    let mut plan = sample::plan();
    plan.slots[0].fold_width = true;
    let host = evidence(vec![response(401, None, Some("ＡＣＭＥ　ＡＣ－１"))]);
    let found = matcher_of(plan).identify(&host).remove(0);
    assert_eq!(found.identifications[0].identity.model.as_deref(), Some("AC-1"));
    assert!(answer(&host).identifications.is_empty());
}

fn claiming(name: &str, confidence: Confidence, slots: &[(IdentitySlot, &str)]) -> Signature {
    let slots = slots.iter().map(|(slot, value)| (*slot, text(value))).collect();
    Signature {
        name: name.into(),
        confidence,
        condition: leaf(sample::STATUS_401, &[]),
        triggers: vec![sample::STATUS_401],
        identities: vec![IdentityPlan { facet: "device".into(), slots }],
        ..Signature::default()
    }
}

fn resolved(signatures: Vec<Signature>) -> Identification {
    let plan = Plan { signatures, ..sample::plan() };
    matcher_of(plan).identify(&evidence(vec![response(401, None, None)])).remove(0)
}

#[test]
fn identities_that_agree_are_merged() {
    use IdentitySlot::{Model, Vendor, Version};
    let found = resolved(vec![
        claiming("a", Confidence::Strong, &[(Vendor, "acme"), (Version, "1")]),
        claiming("b", Confidence::Strong, &[(Model, "x")]),
        claiming("c", Confidence::Weak, &[(Vendor, "acme"), (Version, "2")]),
    ]);
    let [one] = found.identifications.as_slice() else { panic!("{found:#?}") };
    assert_eq!(
        (one.identity.vendor.as_deref(), one.identity.model.as_deref(), one.identity.version.as_deref()),
        (Some("acme"), Some("x"), None)
    );
    assert_eq!((one.signature.as_str(), one.also.as_slice()), ("a", ["b".to_string(), "c".to_string()].as_slice()));
    assert_eq!(found.notes, [Note::VersionsDiffer { facet: "device".into(), versions: vec!["1".into(), "2".into()] }]);
}

#[test]
fn the_surer_identity_stands_and_equals_are_ambiguous() {
    use IdentitySlot::{Model, Vendor};
    let shared = claiming("any", Confidence::Certain, &[(Vendor, "acme")]);
    let x = claiming("x", Confidence::Strong, &[(Model, "x")]);
    let y = claiming("y", Confidence::Weak, &[(Model, "y")]);
    let found = resolved(vec![shared.clone(), x.clone(), y.clone()]);
    assert_eq!(found.identifications.len(), 1);
    assert_eq!(found.identifications[0].identity.model.as_deref(), Some("x"), "what both share decides nothing");
    assert_eq!(found.notes, [Note::Overruled { signature: "y".into(), confidence: Confidence::Weak }]);

    let found = resolved(vec![shared, x, Signature { confidence: Confidence::Strong, ..y }]);
    assert!(found.identifications.is_empty() && found.digest.is_none());
    let models: Vec<_> = found.ambiguous.iter().map(|candidate| candidate.identity.model.as_deref()).collect();
    assert_eq!(models, [Some("x"), Some("y")]);
}

#[test]
fn hostile_plans_do_not_get_here() {
    let mut plan = sample::plan();
    plan.signatures[1].gates.clear();
    assert!(matches!(plan.verify().expect_err("refused").problem, Problem::Malformed(_)));
}

fn some_claim() -> impl Strategy<Value = (Confidence, Vec<(IdentitySlot, String)>)> {
    use IdentitySlot::{Class, Model, Series, Vendor, Version};
    let slot = prop::sample::select(vec![Vendor, Series, Model, Version, Class]);
    let slots = prop::collection::btree_map(slot, "[ab]", 0..5).prop_map(|slots| slots.into_iter().collect());
    (prop::sample::select(vec![Confidence::Hint, Confidence::Weak, Confidence::Strong, Confidence::Certain]), slots)
}

proptest! {
    #[test]
    fn the_answer_is_a_function_of_the_set(claims in prop::collection::vec(some_claim(), 1..9), turn in 0usize..9) {
        let mut signatures = Vec::new();
        for (at, (confidence, slots)) in claims.iter().enumerate() {
            let slots: Vec<(IdentitySlot, &str)> = slots.iter().map(|(slot, value)| (*slot, value.as_str())).collect();
            signatures.push(claiming(&format!("s{at}"), *confidence, &slots));
        }
        let plan = Plan { signatures, ..sample::plan() };
        let matcher = matcher_of(plan.clone());
        let host = evidence(vec![response(401, None, None)]);
        let mut scratch = Scratch::default();
        let verdicts = matcher.verdicts(View::of_service(&host, &host.services[0], None), None, &mut scratch);
        let mut turned = verdicts.clone();
        turned.rotate_left(turn % verdicts.len());
        turned.reverse();
        let answer = resolve::service(&plan, verdicts, None);
        let again = resolve::service(&plan, turned, None);
        prop_assert_eq!(format!("{answer:?}"), format!("{again:?}"));
        prop_assert!(!(answer.identifications.is_empty() && answer.ambiguous.is_empty()));
        let mentioned: Vec<&String> = answer
            .identifications
            .iter()
            .chain(&answer.ambiguous)
            .flat_map(|identified| identified.also.iter().chain([&identified.signature]))
            .chain(answer.notes.iter().filter_map(|note| match note {
                Note::Overruled { signature, .. } | Note::NotChosen { signature, .. } => Some(signature),
                Note::VersionsDiffer { .. } | Note::Incomparable { .. } => None,
            }))
            .collect();
        for signature in &plan.signatures {
            prop_assert!(mentioned.contains(&&signature.name), "{} is lost", signature.name);
        }
    }

    #[test]
    fn the_order_of_responses_and_services_changes_nothing(titles in prop::collection::vec("ACME AC-[12]( v[12])?", 1..4)) {
        let matcher = matcher();
        let responses: Vec<Response> = titles.iter().map(|title| response(401, Some("acme-httpd/1"), Some(title))).collect();
        let host = evidence(responses);
        let mut turned = host.clone();
        turned.services.reverse();
        let (mut lines, mut again) = (matcher.identify(&host), matcher.identify(&turned));
        prop_assert_eq!(lines.pop(), again.pop());
        again.reverse();
        prop_assert_eq!(lines, again);
    }
}
