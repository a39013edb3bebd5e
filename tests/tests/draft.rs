//! `ksig draft`: what it proposes compiles, passes its own tests, is in no release, and leaves alone what others identify.

use std::fs;

use ksig_tests::binary::{Finished, run_in};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Titles of one maker with five models and versions, realms of another with one model, what the corpus knows, and what stands alone. SYNTHETIC.
const TITLES: [&str; 6] = [
    "Zyltron Gatekeeper ZG-100 Ver.1.02",
    "Zyltron Gatekeeper ZG-210 Ver.1.10",
    "Zyltron Gatekeeper ZG-305 Ver.2.00",
    "Zyltron Gatekeeper ZG-420 Ver.2.31b",
    "Zyltron Gatekeeper ZG-500 Ver.3.1",
    "Zyltron Gatekeeper ZG-500 Ver.3.2",
];
const OTHERS: [(&str, &str); 6] = [
    ("http.auth.basic.realm", "Quonset Q7"),
    ("http.auth.basic.realm", "Quonset Q7"),
    ("http.auth.basic.realm", "Quonset Q7"),
    ("http.auth.basic.realm", "BUFFALO WBR-G54"),
    ("http.html.title", "Login page"),
    ("http.html.title", "Zyltron Gatekeeper"),
];

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let titles = TITLES.iter().map(|title| ("http.html.title", *title));
    let lines = titles
        .chain(OTHERS)
        .enumerate()
        .map(|(at, (field, value))| format!("{}\n", json!({ "id": at.to_string(), "evidence": { field: value } })));
    fs::write(folder.path().join("seen.ndjson"), lines.collect::<String>()).expect("a file");
    folder
}

fn draft(folder: &TempDir, more: &[&str]) -> Finished {
    run_in(folder.path(), &[&["draft", "--from", "seen.ndjson", "-o", "drafts"], more].concat())
}

fn of<'a>(report: &'a Value, field: &str) -> &'a Value {
    let drafts = report["drafts"].as_array().expect("a list");
    drafts.iter().find(|draft| draft["field"] == field).unwrap_or_else(|| panic!("no draft of {field}: {report:#}"))
}

#[test]
fn banners_of_one_shape_become_a_signature_that_reads_model_and_version() {
    let folder = folder();
    let finished = draft(&folder, &["--format", "json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let report = finished.json_lines().remove(0);
    assert_eq!((&report["services"], &report["known"], &report["unknown"]), (&json!(12), &json!(1), &json!(11)), "{report:#}");
    let title = of(&report, "http.html.title");
    assert_eq!((&title["own"], &title["foreign"], &title["refused"]), (&json!(6), &json!(0), &json!([])), "{report:#}");
    assert_eq!(title["captures"], json!(["model", "version"]), "{report:#}");
    // Wilson's interval for six of six.
    assert_eq!(title["precision"], json!(0.61), "{report:#}");
    assert_eq!(of(&report, "http.auth.basic.realm")["own"], json!(3), "{report:#}");
    assert_eq!(report["drafts"].as_array().expect("a list").len(), 2, "nothing of what stands alone: {report:#}");

    let text = fs::read_to_string(folder.path().join(title["path"].as_str().expect("a path"))).expect("the draft");
    for written in [
        "evidence unverified",
        "(?<model>ZG-\\d{3})",
        "model: \"ZG-100\", version: v\"1.02\"",
        "\"Zyltron Gatekeeper\" in seen.html.title => nothing",
    ] {
        assert!(text.contains(written), "{written}\n{text}");
    }
    for command in [&["check", "drafts"][..], &["fmt", "--check", "drafts"], &["test", "drafts"]] {
        let finished = run_in(folder.path(), command);
        assert_eq!(finished.code, Some(0), "{command:?}: {finished:?}");
    }
    let why = run_in(folder.path(), &["why", "draft.any.banner", "seen.ndjson", "--signatures", "drafts"]);
    assert!(why.stderr.contains("the release holds no signature at all"), "a draft is in no release: {why:?}");
}

#[test]
fn drafts_are_the_same_each_time_and_stay_apart_from_signatures() {
    let (one, two) = (folder(), folder());
    assert_eq!(draft(&one, &[]).stdout, draft(&two, &[]).stdout);
    let finished = draft(&one, &["--least", "100"]);
    assert_eq!(finished.code, Some(1), "nothing is proposed: {finished:?}");
    fs::create_dir_all(one.path().join("signatures")).expect("a folder");
    let inside = run_in(one.path(), &["draft", "--from", "seen.ndjson", "-o", "signatures/new"]);
    assert_eq!(inside.code, Some(2), "{inside:?}");
    assert!(inside.stderr.contains("drafts are a set of their own"), "{}", inside.stderr);
}

/// SYNTHETIC: two of three name a version, and one of a known maker is too short to be told from others.
const UNEVEN: [(&str, &str); 6] = [
    ("http.html.title", "Zyltron Gatekeeper ZG-100"),
    ("http.html.title", "Zyltron Gatekeeper ZG-210 V1.10"),
    ("http.html.title", "Zyltron Gatekeeper ZG-305 V2.00"),
    ("http.html.title", "Zyltron Watchman"),
    ("http.auth.basic.realm", "BUFFALO WBR-G54"),
    ("http.auth.basic.realm", "BUFFALO WBR-G54"),
];

#[test]
fn banners_of_which_some_have_a_part_more_become_one_signature() {
    let folder = folder();
    let line =
        |(at, (field, value)): (usize, &(&str, &str))| format!("{}\n", json!({ "id": at.to_string(), "evidence": { *field: value } }));
    fs::write(folder.path().join("seen.ndjson"), UNEVEN.iter().enumerate().map(line).collect::<String>()).expect("a file");
    let report = draft(&folder, &["--format", "json"]).json_lines().remove(0);
    let title = of(&report, "http.html.title");
    assert_eq!((&title["own"], &title["foreign"], &title["refused"]), (&json!(3), &json!(0), &json!([])), "{report:#}");
    let text = fs::read_to_string(folder.path().join(title["path"].as_str().expect("a path"))).expect("the draft");
    assert!(text.contains("(?<model in models>)(?: [vVrR]?(?<fw: version(dotted)>"), "{text}");
    for command in [&["check", "drafts"][..], &["fmt", "--check", "drafts"], &["test", "drafts"]] {
        let finished = run_in(folder.path(), command);
        assert_eq!(finished.code, Some(0), "{command:?}: {finished:?}");
    }
}

/// What `ksig scan` wrote of a simulated device. SYNTHETIC.
#[test]
fn observations_of_a_scan_are_drafted_from() {
    let folder = folder();
    let line = |(at, title): (usize, &&str)| {
        let answer = format!("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<title>{title}</title>");
        let answer = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, answer);
        let address = format!("192.0.2.{at}");
        let line = json!({
            "id": address, "host": address, "address": address, "port": 80, "transport": "tcp", "probe": "http.get(\"/\")", "sent": "",
            "received_b64": answer, "ended": "eof", "time": "2026-11-28T00:00:00Z",
        });
        format!("{line}\n")
    };
    fs::write(folder.path().join("seen.ndjson"), TITLES.iter().enumerate().map(line).collect::<String>()).expect("a file");
    let report = draft(&folder, &["--format", "json", "--lines", "observation"]).json_lines().remove(0);
    assert_eq!((&report["services"], of(&report, "http.html.title")["own"].as_u64()), (&json!(6), Some(6)), "{report:#}");
    let evidence = draft(&folder, &["--format", "json"]);
    assert_eq!(evidence.code, Some(2), "observations are no evidence: {evidence:?}");
}

/// A draft that answers to a fixture of the corpus is refused in both languages.
#[test]
fn a_draft_that_answers_to_what_others_identify_is_refused() {
    let folder = folder();
    let vendors = "ksig 1\nmodule vocab.vendors\nvendor zyltron { name \"Zyltron\" }\n";
    let corpus = "ksig 1\nmodule a\nuse vocab.vendors { zyltron }\nprobe top = http.get(\"/\")\nsignature one {\n  evidence documented \"made up\"\n  match { top.html.title ~ /^Zyltron Gatekeeper ZG-9\\d\\d Ver\\.9\\.9$/ }\n  identify { vendor = zyltron; model = \"ZG-9\" }\n  example \"Zyltron Gatekeeper ZG-999 Ver.9.9\" in top.html.title => { model: \"ZG-9\" }\n}\n";
    fs::create_dir_all(folder.path().join("signatures/vocab")).expect("a folder");
    fs::write(folder.path().join("signatures/vocab/vendors.ksig"), vendors).expect("a file");
    fs::write(folder.path().join("signatures/a.ksig"), corpus).expect("a file");
    let refused = |more: &[&str]| draft(&folder, &[&["--signatures", "signatures"], more].concat()).stdout;
    let english = refused(&[]);
    assert!(english.contains("refused: ") && english.contains("answers to the fixture a.one"), "{english}");
    let japanese = refused(&["--lang", "ja"]);
    assert!(japanese.contains("不採用: ") && japanese.contains("a.one") && japanese.contains("該当します"), "{japanese}");
}
