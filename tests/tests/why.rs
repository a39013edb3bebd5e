//! What `ksig why --format json` writes is what the spec says of it, key by key.

use std::collections::BTreeSet;
use std::fs;

use ksig_tests::binary::{Finished, run_in, workspace};
use serde_json::{Value, json};

/// Of every kind that can decide a line, one.
const SIGNATURES: &str = r#"ksig 1
module acme
vendor acme { name "ACME" }
tag old(to: version(rev)) { en "Old"; ja "旧版" }
scheme rev = dotted(parts: 3, train: leading 2)
probe top = http.get("/")
probe sh = ssh.banner()
signature s {
  summary "ACME AC by its title"
  evidence documented "ACME's manual"
  match {
    "the title": top.html.title ~ /^ACME (?<model>AC-\d+) (?<fw: version(rev)>[\d.]+)$/
    any { top.status == 401; top.header["server"] starts "acme"; sh.software == "acme" }
    top.auth.basic.realm absent
    any { model == "AC-1"; model == "AC-2" }
    any { fw < v"2.0.0"; top.status == 200 }
  }
  follow page = http.get(top.html.script_src("/v.js"))
  follow info = http.get("/info.html")
  follow far = http.get(top.html.script_src("/far.js"))
  follow none = http.get(top.html.script_src("/none.js"))
  identify { vendor = acme; model = model; version = fw }
  details { script = page.body; other = none.body }
  component { vendor = acme; product = "acme-httpd"; version = info.html.title otherwise "0" }
  tag old(to: fw) when far.body absent or fw < v"2.0.0"
}
"#;

const EVIDENCE: &str = r#"{"id":"a","time":"2026-11-01","evidence":{"http.html.title":"ACME AC-1 1.2.3","http.html.script_srcs":["/v.js?3","http://192.0.2.1:81/far.js"],"http.header.server":"acme-httpd","http.status":200}}"#;

const PARTIAL: &str = r#"{"id":"b","time":"2026-11-01","partial":true,"evidence":{"http.html.title":"ACME AC-1 1.2.3"}}"#;

fn why(evidence: &str, more: &[&str]) -> Finished {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("acme.ksig"), SIGNATURES).expect("a temporary folder can be written");
    fs::write(folder.path().join("line.ndjson"), format!("\n{evidence}\n")).expect("a temporary folder can be written");
    let mut arguments = vec!["why", "acme.s", "line.ndjson", "--signatures", "acme.ksig"];
    arguments.extend(more);
    run_in(folder.path(), &arguments)
}

fn trace(evidence: &str, more: &[&str]) -> Value {
    let arguments: Vec<&str> = ["--format", "json"].iter().chain(more).copied().collect();
    let finished = why(evidence, &arguments);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    finished.json_lines().remove(0)
}

/// All keys of an object and what stands in it, but for names that the author or the schema gave.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                found.insert(key.clone());
                let names = key == "of" && object.get("kind").is_some_and(|kind| kind == "captures");
                if !names
                    && !matches!(key.as_str(), "captures" | "details" | "support" | "identities" | "components" | "tags" | "resolution")
                {
                    keys(value, found);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn every_key_and_kind_is_in_the_chapter() {
    let chapter = fs::read_to_string(workspace().join("spec/absence.md")).expect("the chapter on absence");
    let (_, section) = chapter.split_once("## What `ksig why` says").expect("its section");
    let traces = [trace(EVIDENCE, &[]), trace(PARTIAL, &[])];
    let mut written = BTreeSet::new();
    traces.iter().for_each(|trace| keys(trace, &mut written));
    for key in &written {
        assert!(section.contains(&format!("`{key}`")), "`{key}` is not explained in {section}");
    }
    let lines = traces.iter().flat_map(|trace| trace["lines"].as_array().expect("a list"));
    let kinds: BTreeSet<&str> = lines.filter_map(|line| line["because"]["kind"].as_str()).collect();
    let (_, table) = section.split_once("| `kind` |").expect("a table of kinds");
    let explained: BTreeSet<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(kinds.is_subset(&explained), "{kinds:?} in {explained:?}");
    let not_shown: Vec<_> = explained.difference(&kinds).collect();
    assert!(not_shown.is_empty(), "no line is decided by {not_shown:?}");
}

#[test]
fn the_object_is_the_same_in_either_language() {
    assert_eq!(trace(EVIDENCE, &[]), trace(EVIDENCE, &["--lang", "ja"]));
    let line = trace(EVIDENCE, &[])["lines"][1].clone();
    let said = json!({
        "depth": 1, "label": "the title", "truth": "true",
        "text": r#""the title": top.html.title ~ /^ACME (?<model>AC-\d+) (?<fw: version(rev)>[\d.]+)$/"#,
        "because": { "kind": "fact", "of": {
            "probe": "http.get(\"/\")", "field": "http.html.title", "value": "ACME AC-1 1.2.3", "span": [0, 15],
        } },
    });
    assert_eq!(line, said);
}

#[test]
fn a_line_that_is_no_evidence_is_named_by_its_number() {
    let finished = why("{\"id\":1}", &[]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.stderr.contains("line.ndjson:2: "), "{finished:?}");
}

#[test]
fn a_profile_counts_what_each_field_and_signature_did() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("acme.ksig"), SIGNATURES).expect("a temporary folder can be written");
    let other = r#"{"id":"c","evidence":{"http.html.title":"ACME AC-x"}}"#;
    fs::write(folder.path().join("lines.ndjson"), format!("{EVIDENCE}\n{EVIDENCE}\n{other}\n")).expect("a temporary folder can be written");
    let arguments = ["prof", "--from", "evidence", "--input", "lines.ndjson", "--signatures", "acme.ksig", "--format"];
    for engine in [&[][..], &["--interpreter"]] {
        let finished = run_in(folder.path(), &[&arguments[..], &["json"], engine].concat());
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let profile = finished.json_lines().remove(0);
        let of = |list: &str, key: &str, name: &str| {
            let all = profile[list].as_array().expect("a list");
            all.iter().find(|row| row[key] == name).unwrap_or_else(|| panic!("no {name}: {profile}")).clone()
        };
        let title = of("fields", "field", "http.html.title");
        let counts = ["values", "bytes", "tried", "held"].map(|count| title[count].as_u64().expect("a number"));
        assert_eq!(counts, [3, 39, 3, 2], "the third title begins as the pattern does, and does not match");
        assert!(title["ns"].as_u64() > Some(0) && title["probe"] == "http.get(\"/\")", "{title}");
        let signature = of("signatures", "signature", "acme.s");
        assert_eq!(["woken", "stood"].map(|count| signature[count].as_u64()), [Some(2), Some(2)], "{signature}");
    }
    let text = run_in(folder.path(), &[&arguments[..], &["text", "--top", "1"]].concat());
    assert!(text.stdout.contains("http.html.title of http.get") && text.stdout.contains("more"), "{text:?}");
}

/// Signatures of which one evidence line is nearly what they ask for, each in another way.
const NEAR: &str = r#"ksig 1
module near
vendor acme { name "ACME" }
probe top = http.get("/")
table models { model: text key; name: text; row "AC-10", "Ten"; row "AC-20", "Twenty" }
signature pattern {
  evidence documented "manual"
  match { top.html.title ~ /^ACME (?<model>AC-\d+) setup$/ }
  identify { vendor = acme; model = model }
  example "ACME AC-10 setup" in top.html.title => { model: "AC-10" }
}
signature text {
  evidence documented "manual"
  match { top.header["server"] == "acme-httpd/1.0" }
  identify { vendor = acme }
}
signature order {
  evidence documented "manual"
  match { top.html.title ~ /^ACME (?<model>\S+) (?<fw: version(dotted)>[\d.]+)/; fw < v"2.0" }
  identify { vendor = acme; series = "Old"; model = model }
}
signature key {
  evidence documented "manual"
  match { top.html.title ~ /^ACME (?<model>\S+)/; model in models }
  identify { vendor = acme; series = "Listed"; model = model }
}
signature any_acme {
  evidence documented "manual"
  confidence weak
  match { top.html.title starts "ACME" }
  identify { vendor = acme; model = "any" }
}
signature sure_acme {
  evidence documented "manual"
  match { top.html.title starts "ACME AC-1" }
  identify { vendor = acme; model = "AC-1" }
  test "the page" {
    given top = http"""
      HTTP/1.0 200 OK
      Content-Type: text/html

      <title>ACME AC-1</title>
      """
    expect identify { model: "AC-1" }
  }
}
"#;

const NEARLY: &str = r#"{"id":"a","evidence":{"http.html.title":"ACME AC-12 2.10 setup","http.header.server":"acme-httpd/2.0"}}"#;

fn near(signature: &str, more: &[&str]) -> Finished {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("near.ksig"), NEAR).expect("a temporary folder can be written");
    fs::write(folder.path().join("line.ndjson"), NEARLY).expect("a temporary folder can be written");
    fs::write(folder.path().join("page.http"), "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<title>ACME AC-1</title>")
        .expect("a file");
    run_in(folder.path(), &[&["why", signature, "--signatures", "near.ksig"], more].concat())
}

#[test]
fn a_false_line_says_how_near_it_came() {
    let chapter = fs::read_to_string(workspace().join("spec/absence.md")).expect("the chapter on absence");
    let miss = |signature: &str| {
        let object = near(signature, &["line.ndjson", "--format", "json"]).json_lines().remove(0);
        let lines = object["lines"].as_array().expect("a list").clone();
        lines.iter().map(|line| line["miss"].clone()).find(|miss| !miss.is_null()).unwrap_or_else(|| panic!("no miss in {object:#}"))
    };
    let wanted = [
        ("near.pattern", json!({ "kind": "text", "of": { "at": 11, "before": "ACME AC-12 ", "after": "2.10 setup", "wanted": "setup" } })),
        ("near.text", json!({ "kind": "text", "of": { "at": 11, "before": "acme-httpd/", "after": "2.0", "wanted": "1.0" } })),
        ("near.order", json!({ "kind": "order", "of": { "left": "2.10", "op": "<", "right": "2.0", "side": "above" } })),
        ("near.key", json!({ "kind": "key", "of": { "table": "near.models", "key": "AC-12", "nearest": "AC-10" } })),
    ];
    for (signature, wanted) in wanted {
        let found = miss(signature);
        assert_eq!(found, wanted, "{signature}");
        for key in found["of"].as_object().expect("an object").keys().map(String::as_str).chain(found["kind"].as_str()) {
            assert!(chapter.contains(&format!("`{key}`")), "`{key}` is not explained");
        }
    }
    let text = near("near.pattern", &["line.ndjson"]);
    assert_eq!(text.code, Some(1), "{text:?}");
    let lines: Vec<&str> = text.stdout.lines().collect();
    let shown = lines.iter().position(|line| line.trim() == "ACME AC-12 2.10 setup").unwrap_or_else(|| panic!("{}", text.stdout));
    let column = |line: &str, what: &str| line.find(what).unwrap_or_else(|| panic!("{line}"));
    assert_eq!(column(lines[shown + 1], "^"), column(lines[shown], "2.10"), "{}", text.stdout);
}

#[test]
fn why_ends_with_what_the_release_makes_of_the_answer() {
    let said = near("near.any_acme", &["line.ndjson"]).stdout;
    assert!(said.contains("  device acme AC-1 by near.sure_acme (strong)\n"), "{said}");
    assert!(said.contains("  near.any_acme matches too, and one that is surer says otherwise\n"), "{said}");
    let unmatched = near("near.text", &["line.ndjson"]).stdout;
    assert!(unmatched.contains("  near.text takes no part\n"), "{unmatched}");
    let object = near("near.any_acme", &["line.ndjson", "--format", "json"]).json_lines().remove(0);
    assert_eq!(object["resolution"]["identifications"][0]["signature"], "near.sure_acme", "{object:#}");
}

#[test]
fn a_test_and_a_file_of_bytes_are_evidence_too() {
    for evidence in [&["--test", "the page"][..], &["--test", "page"], &["page.http"]] {
        let finished = near("near.sure_acme", evidence);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert!(finished.stdout.contains("http.html.title is \"ACME AC-1\""), "{}", finished.stdout);
    }
    let none = near("near.sure_acme", &["--test", "another"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.stderr.contains("has no test \"another\"; it has: \"the page\""), "{}", none.stderr);
}
