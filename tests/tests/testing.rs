//! What `ksig test` writes in each form, and what it says of the tests themselves.

use std::fs;

use ksig_tests::binary::{Finished, run_in};
use tempfile::TempDir;

/// A test that passes, one that fails on both engines, and one whose name and fixture hold what forms must escape. SYNTHETIC.
const ACME: &str = r##"ksig 1
module router.acme
vendor acme { name "ACME" }
tag old { en "Old"; ja "旧版" }
probe top = http.get("/")
signature one {
  summary "ACME by its realm"
  evidence documented "ACME's manual"
  match { top.auth.basic.realm ~ /^ACME (?<model>[A-Z0-9-]+)$/ }
  identify { vendor = acme; series = "Gate"; model = model }
  example "ACME AC-1" in top.auth.basic.realm => { model: "AC-1" }
  example "ACME AC-2" in top.auth.basic.realm => { series: "Gata", model: "AC-3" }
  test "<b>&\"#1\" \\ says" {
    given top = http"""
      HTTP/1.0 401 Unauthorized
      WWW-Authenticate: Basic realm="ACME AC-9"

      """
    expect identify { model: "]]>" }
  }
}
"##;

fn folder(text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir_all(folder.path().join("signatures/router")).expect("a folder");
    fs::write(folder.path().join("signatures/router/acme.ksig"), text).expect("a file");
    folder
}

fn test(folder: &TempDir, more: &[&str]) -> Finished {
    let arguments: Vec<&str> = ["test", "signatures"].iter().chain(more).copied().collect();
    run_in(folder.path(), &arguments)
}

#[test]
fn junit_has_a_case_a_test_and_counts_it_once() {
    let finished = test(&folder(ACME), &["--format", "junit"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let document = roxmltree::Document::parse(&finished.stdout).unwrap_or_else(|error| panic!("{error}\n{}", finished.stdout));
    assert_eq!(document.root_element().tag_name().name(), "testsuites");
    let suite = document.root_element().first_element_child().expect("a suite");
    assert_eq!((suite.attribute("name"), suite.attribute("tests"), suite.attribute("failures")), (Some("ksig test"), Some("3"), Some("2")));
    let cases: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
    assert_eq!(cases.len(), 3);
    let names: Vec<_> = cases.iter().map(|case| case.attribute("name").unwrap_or_default()).collect();
    assert_eq!(names, ["ACME AC-1", "ACME AC-2", "<b>&\"#1\" \\ says"]);
    for (case, failures) in cases.iter().zip([0, 2, 2]) {
        assert_eq!(case.attribute("classname"), Some("router.acme.one"));
        assert_eq!(case.attribute("file"), Some("signatures/router/acme.ksig"));
        let failed: Vec<_> = case.children().filter(|node| node.has_tag_name("failure")).collect();
        assert_eq!(failed.len(), failures);
        assert!(failed.iter().all(|failure| matches!(failure.attribute("type"), Some("jit" | "interpreter"))));
    }
    let failure = cases[2].first_element_child().expect("a failure");
    assert!(failure.attribute("message").is_some_and(|message| message.contains("expected ]]>, found AC-9")), "{}", finished.stdout);
    assert!(failure.text().is_some_and(|text| text.starts_with("signatures/router/acme.ksig:19:")), "{}", finished.stdout);
}

#[test]
fn tap_plans_for_all_and_explains_what_failed() {
    let finished = test(&folder(ACME), &["--format", "tap"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert_eq!(lines[..2], ["TAP version 14", "1..3"], "{}", finished.stdout);
    let points: Vec<&&str> = lines.iter().filter(|line| line.starts_with("ok ") || line.starts_with("not ok ")).collect();
    let wanted =
        ["ok 1 - router.acme.one: ACME AC-1", "not ok 2 - router.acme.one: ACME AC-2", r#"not ok 3 - router.acme.one: <b>&"\#1" \\ says"#];
    assert_eq!(points, wanted.iter().collect::<Vec<_>>(), "{}", finished.stdout);
    assert_eq!(lines.iter().filter(|line| **line == "  ---").count(), 2, "{}", finished.stdout);
    assert_eq!(lines.iter().filter(|line| **line == "  ...").count(), 2, "{}", finished.stdout);
    assert!(lines.contains(&r#"    - engines: ["jit", "interpreter"]"#), "{}", finished.stdout);
    let passed = test(&folder(ACME), &["--format", "tap", "--filter", "AC-1"]);
    assert_eq!((passed.code, passed.stdout.as_str()), (Some(0), "TAP version 14\n1..1\nok 1 - router.acme.one: ACME AC-1\n"));
}

#[test]
fn github_points_at_the_expectation_once() {
    let finished = test(&folder(ACME), &["--format", "github"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", finished.stdout);
    let start = "::error file=signatures/router/acme.ksig,line=12,col=3,title=ksig test::router.acme.one: ACME AC-2 [jit, interpreter]%0A";
    assert!(lines[0].starts_with(start), "{}", lines[0]);
    assert!(lines[0].ends_with("series: expected Gata, found Gate"), "{}", lines[0]);
}

/// Each thing that a test can leave open once, and beside it one that is shown. SYNTHETIC.
const OPEN: &str = r#"ksig 1
module router.acme
vendor acme { name "ACME" }
tag old { en "Old"; ja "旧版" }
tag new { en "New"; ja "新版" }
probe top = http.get("/")
table series {
  model: text key
  name: text
  row "AC-1", "First"
  row "AC-2", "Second"
}
signature one {
  summary "ACME by its realm"
  evidence documented "ACME's manual"
  match {
    top.auth.basic.realm ~ /^ACME (?<model>AC-\d)(?: (?<fw: version(dotted)>[\d.]+))?$/
    any { top.status == 401; top.header["server"] == "acme" }
  }
  let row = series[model]
  identify { vendor = acme; series = row.name otherwise "Gate"; model = model }
  tag old when model == "AC-1"
  tag new when fw present
  test "first" {
    given top = http"""
      HTTP/1.0 401 Unauthorized
      WWW-Authenticate: Basic realm="ACME AC-1"

      """
    expect identify { series: "First", model: "AC-1" }
    expect tags [old]
  }
  test "unknown model" {
    given top = http"""
      HTTP/1.0 401 Unauthorized
      WWW-Authenticate: Basic realm="ACME AC-9"

      """
    expect identify { series: "Gate", model: "AC-9" }
    expect tags []
  }
  test "someone else" {
    given top = http"""
      HTTP/1.0 200 OK
      Server: other
      WWW-Authenticate: Basic realm="ACMES AC-9"

      """
    expect no_match
  }
}
"#;

#[test]
fn coverage_names_each_thing_that_no_test_shows_and_nothing_else() {
    let finished = test(&folder(OPEN), &["--coverage"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let said: Vec<&str> = finished.stdout.lines().filter(|line| line.starts_with("signatures/")).collect();
    let place = "signatures/router/acme.ksig";
    let wanted = [
        format!("{place}:17:57: router.acme.one: no test binds `fw`"),
        format!("{place}:18:30: router.acme.one: the alternative `top.header[\"server\"] == \"acme\"` is true in no test"),
        format!("{place}:23:16: router.acme.one: the guard `fw present` is true in no test"),
        format!("{place}:7:7: router.acme.series: 1 of 2 rows are read by no test: \"AC-2\""),
    ];
    assert_eq!(said, wanted, "{}", finished.stdout);
    let end = "coverage: 5 of 7 conditions and guards both ways, 1 of 2 captures bound, 1 of 2 rows read\n";
    assert!(finished.stdout.ends_with(end), "{}", finished.stdout);

    let all = test(&folder(OPEN), &["--coverage", "--format", "json"]).json_lines().remove(0);
    let points = all["coverage"]["signatures"][0]["points"].as_array().expect("points").clone();
    assert_eq!(points.len(), 7, "{points:#?}");
    let server = points.iter().find(|point| point["text"] == "top.header[\"server\"] == \"acme\"").expect("the alternative");
    assert_eq!((&server["kind"], &server["true"], &server["false"]), (&"alternative".into(), &false.into(), &true.into()));
    assert_eq!(all["coverage"]["tables"][0]["unused"][0]["place"]["line"], 11, "the row's own line: {all:#}");
}

/// A table beside the signature that a pattern alone reads. SYNTHETIC.
#[test]
fn rows_whose_keys_a_pattern_captures_are_covered_and_the_others_are_named_by_their_line() {
    let text = ACME.replacen("probe top", "table models from \"acme.csv\" { model: text key }\nprobe top", 1);
    let text = text.replace("(?<model>[A-Z0-9-]+)", "(?<model in models>)").replace("series: \"Gata\", model: \"AC-3\"", "model: \"AC-2\"");
    let folder = folder(&text.replace("model: \"]]>\"", "model: \"AC-9\""));
    fs::write(folder.path().join("signatures/router/acme.csv"), "model\n# The first ones.\nAC-1\nAC-2\nAC-7\nAC-9\n").expect("a file");
    let finished = test(&folder, &["--coverage"]);
    let said = "router.acme.models: 1 of 4 rows are read by no test: \"AC-7\" (signatures/router/acme.csv:5)";
    assert!(finished.stdout.contains(said), "{finished:?}");
    assert!(finished.stdout.contains("3 of 4 rows read"), "{finished:?}");
}

#[test]
fn mutants_that_no_test_notices_are_named_with_the_test_that_would() {
    let finished = test(&folder(OPEN), &["--mutate"]);
    assert_eq!(finished.code, Some(0), "a score is a figure: {finished:?}");
    for line in [
        "signatures/router/acme.ksig:18:30: router.acme.one: `top.header[\"server\"] == \"acme\"` is gone",
        "  kill it with a test in which only `top.header[\"server\"] == \"acme\"` of its group holds",
        "signatures/router/acme.ksig:23:16: router.acme.one: the guard `fw present` is negated",
    ] {
        let survives = finished.stdout.lines().any(|said| said == line);
        // The tests with tags notice a guard that is negated.
        assert_eq!(survives, !line.contains("negated"), "{line}\n{}", finished.stdout);
    }
    // The row that a test reads cannot change its values, and the realm's beginning is held by a near miss.
    assert!(!finished.stdout.contains("have changed their values"), "{}", finished.stdout);
    assert_eq!(finished.stdout, test(&folder(OPEN), &["--mutate"]).stdout, "the same every time");

    let object = test(&folder(OPEN), &["--mutate", "--format", "json"]).json_lines().remove(0);
    let one = &object["mutation"]["signatures"][0];
    let (killed, survivors) = (one["killed"].as_u64().expect("a number"), one["survivors"].as_array().expect("a list").len() as u64);
    assert!(killed >= 8 && survivors >= 3, "{object:#}");
    let exact = (killed as f64 * 1000.0 / (killed + survivors) as f64).round() / 10.0;
    assert_eq!(object["mutation"]["score"].as_f64(), Some(exact));

    assert_eq!(test(&folder(OPEN), &["--mutate", "--score-min", "100"]).code, Some(1));
    assert_eq!(test(&folder(OPEN), &["--mutate", "--score-min", "1"]).code, Some(0));
    let few = test(&folder(OPEN), &["--mutate", "--mutants-max", "3"]);
    assert!(few.stdout.contains("more not tried (--mutants-max)"), "{}", few.stdout);
    assert!(few.stdout.contains("mutants: 3 of 1 signatures"), "{}", few.stdout);
}

#[test]
fn update_writes_the_values_that_came_out_and_leaves_every_other_byte() {
    // Comments, odd blanks and a test that fails because it matches: none of that may change.
    let odd = OPEN
        .replace(
            "expect identify { series: \"First\", model: \"AC-1\" }",
            "expect   identify {series:\"Frist\",  model: \"AC-1\"} // by row",
        )
        .replace("expect tags [old]", "expect tags [new,  old]")
        .replace("Basic realm=\"ACMES AC-9\"", "Basic realm=\"ACME AC-9\"")
        .replace("HTTP/1.0 200 OK\n      Server: other", "HTTP/1.0 401 Unauthorized\n      Server: other")
        .replace(
            "  test \"first\"",
            "  example \"ACME AC-2 1.2\" in top.auth.basic.realm => { series: absent, fw: v\"1.3\" }\n  test \"first\"",
        );
    let folder = folder(&odd);
    let finished = test(&folder, &["--update"]);
    assert_eq!(finished.code, Some(1), "the near miss that matches stays a failure: {finished:?}");
    assert!(finished.stdout.ends_with("2 failures\n"), "{}", finished.stdout);
    let wanted = odd
        .replace("{series:\"Frist\",  model", "{series:\"First\",  model")
        .replace("expect tags [new,  old]", "expect tags [old]")
        .replace("{ series: absent, fw: v\"1.3\" }", "{ series: \"Second\", fw: v\"1.2\" }");
    let written = fs::read_to_string(folder.path().join("signatures/router/acme.ksig")).expect("the file");
    assert_eq!(written, wanted);
    let hunk = "-    expect tags [new,  old]\n+    expect tags [old]\n";
    assert!(finished.stdout.contains(hunk), "{}", finished.stdout);
    let again = test(&folder, &["--update"]);
    assert!(!again.stdout.contains("\n+"), "nothing is left to write: {}", again.stdout);
}
