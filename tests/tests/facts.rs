//! The facts tool, run as a user runs it.

use std::fs;
use std::path::Path;
use std::process::Command;

use ksig_tests::binary::{Finished, Running};

/// The first names its model, the second is software only, the third is of a field that no protocol has.
const ROWS: &str = r#"{"id":"1","field":"http.header.www-authenticate","value":"Basic realm=\"BUFFALO WBR-G54\"","truth":{"vendor":"Buffalo","model":"WBR-G54","kind":"Broadband Router"},"score":"model"}
{"id":"2","field":"ftp.banner","value":"(vsFTPd 3.0.3)","truth":{"vendor":"vsFTPd"},"score":"negative"}
{"id":"3","field":"carrier.pigeon","value":"coo","truth":{},"schema_field":null,"score":"none"}
"#;

fn facts(folder: &Path, text: &str, arguments: &[&str]) -> Finished {
    fs::write(folder.join("rows.ndjson"), text).expect("our own folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_facts"));
    command.arg("rows.ndjson").args(arguments).current_dir(folder);
    Running::start(command).wait()
}

#[test]
fn rows_are_identified_on_the_production_path_and_counted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = facts(folder.path(), ROWS, &["--format", "json", "--wrong"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let report = run.json_lines().remove(0);
    assert_eq!((&report["rows"], &report["scored"]), (&3.into(), &2.into()), "{report}");
    assert_eq!(report["by_class"]["router.home"]["model"]["right"], 1, "the kind is mapped to a class: {report}");
    assert_eq!(report["by_score"]["negative"]["device"]["right"], 1, "{report}");
    assert_eq!(report["no_such_field"]["carrier.pigeon"], 1, "{report}");
    assert!(report["wrong"].is_null(), "{report}");
}

#[test]
fn wrong_rows_are_listed_with_the_signature_that_answered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let other = ROWS.replace("\"model\":\"WBR-G54\"", "\"model\":\"WBR-G55\"");
    let run = facts(folder.path(), &other, &["--wrong"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    for part in ["wrong: model", "WBR-G55", "router.buffalo.airstation.basic_realm"] {
        assert!(run.stdout.contains(part), "`{part}` is missing:\n{}", run.stdout);
    }
}

#[test]
fn bad_lines_are_named_and_the_others_are_scored() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = facts(folder.path(), &format!("{{\"id\":\n{ROWS}{{\"id\":\"4\",\"field\":\"ftp.banner\"}}\n"), &["--format", "json"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    for part in ["rows.ndjson:1: ", "rows.ndjson:5: row 4: neither"] {
        assert!(run.stderr.contains(part), "`{part}` is missing:\n{}", run.stderr);
    }
    let report = run.json_lines().remove(0);
    assert_eq!((&report["rows"], &report["bad_lines"]), (&3.into(), &2.into()), "nothing is lost: {report}");
}
