use ksig_schema::vocabulary::{Term, Vocabulary};

use super::*;

fn names() -> Names {
    let term = |en: &str, ja: &str, aliases: &[&str]| Term {
        en: en.into(),
        ja: ja.into(),
        aliases: aliases.iter().map(|a| a.to_string()).collect(),
        ..Term::default()
    };
    let mut vocabulary = Vocabulary::default();
    vocabulary.vendors.insert("acme".into(), term("ACME", "アクメ", &["ACME Works Co., Ltd."]));
    vocabulary.vendors.insert("roadrunner".into(), term("Road Runner", "", &["RR"]));
    vocabulary.classes.insert("camera".into(), term("Network camera", "ネットワークカメラ", &[]));
    Names::new(&vocabulary)
}

fn row(json: serde_json::Value) -> Row {
    Row::read(json.to_string().as_bytes()).expect("a row")
}

fn device(vendor: &str, model: &str) -> Answer {
    let identity = Identity { facet: "device".into(), vendor: Some(vendor.into()), model: Some(model.into()), ..Identity::default() };
    Answer { device: Some(identity), signature: Some("acme.model".into()), ..Answer::default() }
}

fn judged(truth: serde_json::Value, answer: &Answer) -> [Option<Verdict>; 4] {
    let row = row(serde_json::json!({ "id": "a", "field": "http.html.title", "value": "x", "truth": truth, "score": "model" }));
    Comparison::judge(&row, answer, &names()).slots
}

#[test]
fn models_compare_in_letters_and_digits_without_their_vendor() {
    for (truth, ours) in [("AC-1", "ac1"), ("ACME AC-1", "AC 1"), ("AC-1", "Acme Works Co., Ltd. AC-1"), ("アクメ", "アクメ")] {
        let answer = device("acme", ours);
        assert_eq!(judged(serde_json::json!({ "vendor": "ACME", "model": truth }), &answer)[2], Some(Verdict::Right), "{truth} {ours}");
    }
    for (truth, ours) in [("AC-1", "AC-10"), ("AC-1", "RR AC-1"), ("アクメ", "ルーター"), ("ACME", "AC")] {
        let answer = device("acme", ours);
        assert_eq!(judged(serde_json::json!({ "vendor": "ACME", "model": truth }), &answer)[2], Some(Verdict::Wrong), "{truth} {ours}");
    }
}

#[test]
fn vendors_compare_through_their_aliases() {
    let names = names();
    for same in ["ACME", "acme", "Acme Works Co. Ltd", "アクメ"] {
        assert!(names.same_vendor(same, "acme"), "{same}");
    }
    assert!(!names.same_vendor("RR", "acme"));
    assert!(names.same_vendor("Nobody Knows, Inc.", "nobody knows inc"), "a maker that the vocabulary lacks compares by its letters");
    assert!(!names.same_vendor("Nobody", ""));
}

#[test]
fn a_machine_under_another_brand_is_right_under_both_names() {
    let mut answer = device("acme", "AC-1");
    answer.device.as_mut().expect("a device").brand = Some("roadrunner".into());
    for vendor in ["ACME", "Road Runner"] {
        assert_eq!(judged(serde_json::json!({ "vendor": vendor }), &answer)[0], Some(Verdict::Right), "{vendor}");
    }
}

#[test]
fn a_slot_that_we_do_not_say_is_unknown_and_one_that_the_truth_lacks_is_not_scored() {
    assert_eq!(
        judged(serde_json::json!({ "vendor": "ACME", "model": "AC-1", "version": "1.0" }), &device("roadrunner", "AC-1")),
        [Some(Verdict::Wrong), None, Some(Verdict::Right), Some(Verdict::Unknown)]
    );
    assert_eq!(judged(serde_json::json!({ "vendor": "ACME" }), &Answer::default()), [Some(Verdict::Unknown), None, None, None]);
}

#[test]
fn versions_compare_without_their_mark() {
    let mut answer = device("acme", "AC-1");
    for (truth, ours, verdict) in
        [("V1.02", "1.02", Verdict::Right), ("1.02", "version 1.02", Verdict::Right), ("1.02", "1.2", Verdict::Wrong)]
    {
        answer.device.as_mut().expect("a device").version = Some(ours.into());
        assert_eq!(judged(serde_json::json!({ "version": truth }), &answer)[3], Some(verdict), "{truth} {ours}");
    }
    answer.device.as_mut().expect("a device").version = None;
    answer.os_version = Some("7.1".into());
    assert_eq!(judged(serde_json::json!({ "version": "7.1" }), &answer)[3], Some(Verdict::Right), "the system's version is the firmware");
}

#[test]
fn any_device_on_a_negative_row_is_wrong() {
    let negative =
        row(serde_json::json!({ "id": "a", "field": "ssh.banner", "value": "x", "truth": { "vendor": "ACME" }, "score": "negative" }));
    let judge = |answer: &Answer| Comparison::judge(&negative, answer, &names());
    assert_eq!(judge(&Answer::default()).device, Some(Verdict::Right));
    assert_eq!(judge(&device("acme", "AC-1")).device, Some(Verdict::Wrong), "although the vendor is that of the software");
    assert_eq!(judge(&Answer { several: true, ..Answer::default() }).device, Some(Verdict::Wrong));
}

fn identified(facet: &str, model: &str) -> Identified {
    let json = serde_json::json!({
        "facet": facet, "model": model, "tags": [], "signature": "acme.model", "confidence": "strong", "evidence": "observed",
        "support": { "ended": "unknown", "latest": "unknown" }, "proof": []
    });
    serde_json::from_value(json).expect("an identified thing")
}

#[test]
fn an_answer_is_one_identity_identified_or_alone_consistent() {
    let line = |identifications: Vec<Identified>, consistent: Vec<Identified>| Identification {
        identifications,
        consistent,
        ..Identification::default()
    };
    let model = |answer: &Answer| answer.device.as_ref().and_then(|device| device.model.clone());
    let service = line(vec![identified("device", "A")], vec![identified("device", "B")]);
    assert_eq!(model(&Answer::of(&[service.clone(), service])).as_deref(), Some("A"), "the host repeats its service");
    let alone = Answer::of(&[line(Vec::new(), vec![identified("device", "A"), identified("os", "B")])]);
    assert_eq!(model(&alone).as_deref(), Some("A"));
    let two = Answer::of(&[line(Vec::new(), vec![identified("device", "A"), identified("device", "B")])]);
    assert_eq!((model(&two), two.several), (None, true));
    let ambiguous = Identification { ambiguous: vec![identified("device", "A"), identified("device", "B")], ..Identification::default() };
    assert!(Answer::of(&[ambiguous]).several);
    assert_eq!(Answer::of(&[line(vec![identified("os", "A")], Vec::new())]).device, None, "software is no device");
}

#[test]
fn a_body_belongs_to_the_path_that_its_field_names() {
    let schema = ksig_protocols::schema();
    let body = serde_json::json!({ "id": "a", "field": "http.body:/a.xml", "schema_field": "http.body", "value": "<a/>" });
    let line: serde_json::Value = serde_json::from_str(&row(body).evidence_line(&schema).expect("a known field")).expect("JSON");
    assert_eq!(line["responses"][0]["probe"], "http.get(\"/a.xml\")");
    let fragment = serde_json::json!({ "id": "a", "field": "http.body#text", "schema_field": "http.body", "value": "x" });
    let line: serde_json::Value = serde_json::from_str(&row(fragment).evidence_line(&schema).expect("a known field")).expect("JSON");
    assert_eq!(line["evidence"]["http.body"][0], "x");
}

#[test]
fn a_field_that_no_protocol_has_is_not_scored() {
    let schema = ksig_protocols::schema();
    let with = |mut json: serde_json::Value| {
        json["id"] = "a".into();
        json["value"] = "x".into();
        row(json).evidence_line(&schema)
    };
    assert_eq!(with(serde_json::json!({ "field": "http.html.title", "schema_field": null })), None);
    assert_eq!(with(serde_json::json!({ "field": "carrier.pigeon" })), None);
    assert!(with(serde_json::json!({ "field": "http.html.title" })).is_some());
}

#[test]
fn lines_that_hold_no_row_say_why() {
    for (line, part) in
        [("{", "EOF"), ("{\"field\":\"a\",\"value\":\"b\"}", "missing field `id`"), ("{\"id\":\"a\",\"field\":\"b\"}", "neither")]
    {
        let error = Row::read(line.as_bytes()).expect_err(line);
        assert!(error.contains(part), "{line}: {error}");
    }
}

#[test]
fn rows_count_under_the_class_of_the_truth_then_of_its_kind_then_of_our_answer() {
    let names = names();
    let class = |truth: serde_json::Value, answer: &Answer| {
        class_of(&row(serde_json::json!({ "id": "a", "field": "f", "value": "x", "truth": truth })), answer, &names)
    };
    let mut answer = device("acme", "AC-1");
    answer.device.as_mut().expect("a device").class = Some("router".into());
    assert_eq!(class(serde_json::json!({ "class": "camera", "kind": "Printer" }), &answer), "camera");
    assert_eq!(class(serde_json::json!({ "kind": "network camera" }), &answer), "camera");
    assert_eq!(class(serde_json::json!({ "kind": "IP Camera" }), &answer), "camera");
    assert_eq!(class(serde_json::json!({}), &answer), "router");
    assert_eq!(class(serde_json::json!({}), &Answer::default()), "unknown");
}

#[test]
fn a_report_counts_every_row_once_a_group() {
    let mut report = Report::default();
    let right =
        row(serde_json::json!({ "id": "1", "field": "f", "value": "x", "truth": { "vendor": "ACME", "model": "AC-1" }, "score": "model" }));
    let wrong = row(serde_json::json!({ "id": "2", "field": "g", "value": "x", "truth": { "model": "AC-2" }, "score": "model" }));
    for row in [&right, &wrong] {
        report.add(row, &device("acme", "AC-1"), &names(), true);
    }
    report.add_unscored(&right);
    assert_eq!((report.rows, report.scored, report.no_such_field["f"]), (3, 2, 1));
    assert_eq!(report.total.slots["model"], Counts { right: 1, wrong: 1, unknown: 0 });
    assert_eq!(report.by_field["g"].slots["model"], Counts { right: 0, wrong: 1, unknown: 0 });
    assert_eq!(report.wrong.iter().map(|w| w.id.as_str()).collect::<Vec<_>>(), ["2"]);
    assert!(report.text().contains("wrong: model"), "{}", report.text());
    let json = serde_json::to_value(&report).expect("a report is JSON");
    assert_eq!(json["by_score"]["model"]["vendor"]["right"], 1);
}

#[test]
fn every_kind_of_the_sources_is_a_class_of_the_corpus() {
    let corpus = ksig::analysis::check(&ksig::bundled::signatures().expect("the bundled signatures are text"));
    for line in include_str!("kinds.csv").lines().skip(1) {
        let (kind, class) = line.split_once(',').expect("two columns");
        assert!(corpus.program.vocabulary.classes.contains_key(class), "{kind}: there is no class {class}");
    }
}

#[test]
fn a_brand_is_right_for_its_maker() {
    let mut vocabulary = Vocabulary::default();
    vocabulary.vendors.insert("acme".into(), Term { en: "ACME".into(), ..Term::default() });
    vocabulary.vendors.insert("zenith".into(), Term { en: "Zenith".into(), rebrand_of: vec!["acme".into()], ..Term::default() });
    vocabulary.vendors.insert("apex".into(), Term { en: "Apex".into(), ..Term::default() });
    let names = Names::new(&vocabulary);
    assert!(names.same_vendor("Zenith", "acme") && !names.same_vendor("Zenith", "apex"));
}
