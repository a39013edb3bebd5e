//! Japanese search with the names of the corpus, measured on a collection of pages and queries that lies beside the repository
//! (`shared/data/japanese/search.ndjson`).
//!
//! Each query names documents that it must find and some that it must not. The pages are not ours to copy, so where the collection is absent
//! the measurement says so and ends; the rules it measures have their own tests in the atlas.

use std::collections::BTreeSet;

use ksig_atlas::document::Entry;
use ksig_atlas::index::Index;
use ksig_schema::Transport;
use ksig_schema::identification::{Known, Tag};
use serde_json::Value;

/// Tags of the collection by the corpus's names.
fn tag(name: &str) -> String {
    match name {
        "no-auth" => "unauth_stream".into(),
        other => id(other),
    }
}

/// The collection writes `known-vuln` where the corpus has `known_vuln`.
fn id(name: &str) -> String {
    name.replace('-', "_")
}

fn class(product_type: &str) -> Option<&str> {
    Some(match product_type {
        "router" | "camera" | "printer" => product_type,
        "nas" => "storage.nas",
        "mfp" => "printer.multifunction",
        "dvr" => "recorder",
        "pbx" => "phone.pbx",
        "audio" => "media",
        "ics" => "industrial",
        _ => return None,
    })
}

fn entry(line: &Value) -> Entry {
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_string();
    let slot = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
    let tags = line["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Entry {
        host: text("id"),
        address: text("ip").parse().ok(),
        port: line["port"].as_u64().unwrap_or(0) as u16,
        transport: Transport::Tcp,
        time: None,
        facet: slot("vendor").map(|_| "device".into()),
        vendor: slot("vendor").as_deref().map(id),
        brand: None,
        series: None,
        model: slot("model"),
        version: slot("version"),
        class: class(&text("product_type")).map(str::to_string),
        cpe: None,
        tags: tags.map(|name| Tag { name: tag(name), params: Default::default() }).collect(),
        signature: None,
        confidence: None,
        evidence: None,
        support_ended: Known::Unknown,
        support_ends: None,
        latest: Known::Unknown,
        latest_version: None,
        components: Vec::new(),
        title: slot("title"),
        server: None,
        charset: slot("charset"),
        text: text("body"),
        digest: None,
        release: String::new(),
    }
}

fn ids(line: &Value, name: &str) -> BTreeSet<String> {
    line[name].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect()
}

#[test]
fn queries_find_what_they_must_and_nothing_that_they_must_not() {
    let Some(path) = ksig_tests::binary::shared("data/japanese/search.ndjson") else {
        println!("not measured: there is no shared/data/japanese/search.ndjson beside the repository");
        return;
    };
    let lines = std::fs::read_to_string(path).expect("collection");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let of = |kind: &'static str| lines.iter().filter(move |line| line["type"] == kind);
    let dir = tempfile::tempdir().expect("tempdir");
    let corpus = ksig::analysis::check(&ksig::bundled::signatures().expect("the bundled signatures are text"));
    let index = Index::build(dir.path(), of("doc").map(entry), &corpus.program.vocabulary).expect("build");

    let (mut wanted, mut found_wanted, mut unwanted, mut passed) = (0, 0, 0, 0);
    let mut failures = Vec::new();
    for line in of("query") {
        let query = line["q"].as_str().expect("query");
        let answer = index.search(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let found: BTreeSet<String> = answer.entries().map(|entry| entry.expect("entry").host).collect();
        let (must, must_not) = (ids(line, "must"), ids(line, "must_not"));
        let missing: Vec<_> = must.difference(&found).collect();
        let wrong: Vec<_> = must_not.intersection(&found).collect();
        let other: Vec<_> = found.difference(&must).collect();
        wanted += must.len();
        found_wanted += must.len() - missing.len();
        unwanted += other.len();
        println!("{} {query}: missing {missing:?}, wrong {wrong:?}, other {other:?}; searched {:?}", line["id"], answer.searched());
        if missing.is_empty() && wrong.is_empty() {
            passed += 1;
        } else {
            failures.push(query.to_string());
        }
    }
    let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    println!(
        "{passed} of {} queries as they must be; recall {:.1} %, precision {:.1} % (what is neither a must nor a must-not counts as wrong)",
        passed + failures.len(),
        share(found_wanted, wanted),
        share(found_wanted, found_wanted + unwanted)
    );
    assert!(failures.is_empty(), "{failures:?}");
}
