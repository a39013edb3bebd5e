//! What people read under `--lang ja` is Japanese, whoever found the mistake.

use std::collections::BTreeMap;
use std::fs;

use ksig_runtime::explain::{Because, Incomparable};
use ksig_schema::{Ended, ProbeKey, Refusal, TargetError};
use ksig_tests::binary::run_in;

/// Mistakes whose reasons other crates know: the regex parser, the protocols, the places that may be asked for.
const BROKEN: &str = r#"ksig 1
module router.broken
use vocab.vendors { acme }

probe top = http.get("/../setup")
probe page = http.get("/setup?x=1")
probe root = http.get("setup")
probe find = ssdp.msearch(st: "everything")
probe front = http.get("/")

table places { at : path key; row "setup" }

signature unnamed { match { front.html.title ~ /^(ACME)$/ } identify { vendor = acme } }
signature behind { match { front.html.title ~ /AC(?=ME)/ } identify { vendor = acme } }
signature backwards { match { front.html.title ~ /[z-a]/ } identify { vendor = acme } }
signature property { match { front.html.title ~ /\p{Nope}/ } identify { vendor = acme } }
signature flags { match { front.html.title ~ /(?x)a/ } identify { vendor = acme } }
signature size { match { front.html.title ~ /(?:\w{500}){500}/ } identify { vendor = acme } }
signature bytes { match { front.raw ~ b/ルータ/ } identify { vendor = acme } }
"#;

const VENDORS: &str = "ksig 1\nmodule vocab.vendors\nvendor acme { name \"ACME\" }\n";

const FAILING: &str = r#"ksig 1
module router.failing
use vocab.vendors { acme }

probe top = http.get("/")

signature one {
  summary "ACME"
  match { top.html.title ~ /^ACME (?<model>AC-\d+)$/ }
  identify { vendor = acme; model = model }

  test "another model" {
    given top = http { html.title: "ACME AC-1" }
    expect identify { model: "AC-2" }
    expect captures { model: absent }
    expect tags []
    expect sent [top]
  }
  test "matches" {
    given top = http { html.title: "ACME AC-1" }
    expect no_match because "title"
  }
  example "AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
"#;

fn folder(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in [("vocab/vendors.ksig", VENDORS), (name, text)] {
        let path = folder.path().join("signatures").join(path);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("our own folder");
        fs::write(path, text).expect("our own folder");
    }
    folder
}

/// Two English words beside each other outside of what is quoted, or no Japanese at all.
fn is_english(text: &str) -> bool {
    let unquoted: String = text.split('`').step_by(2).collect::<Vec<_>>().join("・");
    let words = |c: char| c.is_ascii_alphabetic();
    let mut pieces = unquoted.split(' ').map(|piece| piece.trim_matches(|c: char| c == ',' || c == '.'));
    let mut before = false;
    let pair = pieces.any(|piece| {
        let word = piece.len() > 1 && piece.chars().all(words);
        std::mem::replace(&mut before, word) && word
    });
    pair || !is_japanese(text)
}

fn is_japanese(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{3041}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'))
}

#[test]
fn no_reason_of_a_problem_is_english_in_japanese() {
    let folder = folder("router/broken.ksig", BROKEN);
    let check = run_in(folder.path(), &["--lang", "ja", "check", "signatures", "--format", "json"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    let problems = check.json_lines().remove(0)["problems"].as_array().expect("a list").clone();
    let of = |code: &str| problems.iter().filter(|problem| problem["code"] == code).count();
    assert_eq!((of("bad-pattern"), of("probe-not-benign"), of("bad-table-row")), (7, 4, 1), "{problems:#?}");
    for problem in &problems {
        let labels = problem["labels"].as_array().into_iter().flatten().map(|label| &label["text"]);
        for text in [&problem["message"], &problem["help"], &problem["note"]].into_iter().chain(labels) {
            let text = text.as_str().unwrap_or_default();
            assert!(text.is_empty() || !is_english(text), "{text}\nin {problem:#}");
        }
    }
    let text = run_in(folder.path(), &["--lang", "ja", "check", "signatures"]);
    for word in ["error[", "warning[", "help:", "note:", "errors"] {
        assert!(!text.stderr.contains(word) && !text.stdout.contains(word), "`{word}` in\n{}{}", text.stderr, text.stdout);
    }
}

#[test]
fn failed_tests_say_why_in_japanese() {
    let folder = folder("router/failing.ksig", FAILING);
    let test = run_in(folder.path(), &["--lang", "ja", "test", "signatures", "--format", "json"]);
    assert_eq!(test.code, Some(1), "{test:?}");
    let failures = test.json_lines().remove(0)["failures"].as_array().expect("a list").clone();
    assert!(failures.len() >= 8, "on both engines: {failures:#?}");
    for failure in &failures {
        let reason = failure["reason"].as_str().expect("a reason");
        for line in reason.lines().filter(|line| !line.starts_with("  ") && !line.starts_with("router.failing.one: ")) {
            assert!(!is_english(line), "{line}\nin {reason}");
        }
        assert!(!["true", "false", " is \""].iter().any(|word| reason.contains(word)), "{reason}");
    }
    let english = run_in(folder.path(), &["test", "signatures"]);
    assert!(english.stderr.contains("model: expected AC-2, found AC-1"), "{}", english.stderr);
    assert!(!is_japanese(&english.stderr), "{}", english.stderr);
}

/// One of each kind of reason in a trace.
fn reasons() -> Vec<Because> {
    let probe = || ProbeKey::with("http.get", "/");
    let endings = [
        Ended::Complete,
        Ended::Eof,
        Ended::Cap,
        Ended::Timeout,
        Ended::Reset,
        Ended::Refused,
        Ended::Unreachable,
        Ended::TlsAlert,
        Ended::Local,
        Ended::Stopped,
    ];
    let refusals =
        [Refusal::OtherHost, Refusal::OtherPort, Refusal::OtherScheme, Refusal::UnsafePort(9100), Refusal::Path(TargetError::Empty)];
    let mut all: Vec<Because> = endings.map(|ended| Because::Missing { probe: probe(), ended: Some(ended) }).into();
    all.extend(refusals.map(Because::Refused));
    all.extend([
        Because::ProvenAbsent { probe: probe() },
        Because::Missing { probe: probe(), ended: None },
        Because::NotObserved { probe: probe() },
        Because::Named { probe: probe() },
        Because::Unnamed,
        Because::Captures(BTreeMap::new()),
        Because::Incomparable(Incomparable { scheme: "build".into(), versions: vec!["1.0".into(), "2.0".into()] }),
    ]);
    all
}

#[test]
fn every_reason_of_a_line_is_said_in_both_languages() {
    for reason in reasons() {
        let text = ksig::trace::because(&reason);
        assert!(!is_english(&text.ja) && !is_japanese(&text.en) && !text.en.is_empty(), "{text:?}");
    }
}
