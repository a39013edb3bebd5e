//! `ksig check` on files as editors leave them: fixes touch nothing else, and places count what a reader counts.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ksig_tests::binary::run_in;

/// A byte order mark, Windows line ends, a tab, letters that are two characters, full-width ones.
const WRITTEN: &str = "\u{feff}ksig 1\r\nmodule router.acme\r\nprobe top = http.get(\"/\")\r\n\r\nsignature one {\r\n\tsummary \"e\u{301}、ルータ\"  // 残る\r\n  match {\r\n\t\"題\": top.html.titel == \"ＡＣ\"\r\n  }\r\n  component { product = \"x\" }\r\n}\r\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir_all(folder.path().join("signatures/router")).expect("our own folder");
    fs::write(folder.path().join("signatures/router/acme.ksig"), WRITTEN).expect("our own folder");
    folder
}

#[test]
fn a_fix_changes_the_file_and_nothing_else_in_it() {
    let folder = folder();
    let path = folder.path().join("signatures/router/acme.ksig");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("our own file");
    let fixed = run_in(folder.path(), &["check", "signatures", "--fix"]);
    assert!(fixed.stderr.contains("1 fixes in 1 files"), "{fixed:?}");
    assert_eq!(fs::read_to_string(&path).expect("still there"), WRITTEN.replace("titel", "title"));
    assert_eq!(fs::metadata(&path).expect("still there").permissions().mode() & 0o777, 0o640);
    let again = run_in(folder.path(), &["check", "signatures", "--fix"]);
    assert!(again.stderr.contains("nothing to fix"), "{again:?}");
}

/// What says nothing, or says it twice, with what the fixes leave of it.
const SAID_TWICE: &str = r#"ksig 1
module router.acme
table models { model : text? key; names : list<text?>; row "AC-1", ["AC"] }
probe top = http.get("/") on 80, 8080, 80
probe ssh = ssh.banner() on any tls
signature one {
  summary "ACME"
  allow no_near_mis_test "nothing is near it"
  match { "" : top.html.title == "ACME"; "": any { ssh.software == "acme"; ssh.software in models } }
  component { product = "x" }
  example "ACME" in top.html.title => { }
  test "a header" { given top = http { header.x-acme: "1" }; expect no_match }
}
"#;

#[test]
fn what_says_nothing_is_taken_away() {
    let folder = folder();
    let path = folder.path().join("signatures/router/acme.ksig");
    fs::write(&path, SAID_TWICE).expect("our own folder");
    let fixed = run_in(folder.path(), &["check", "signatures", "--fix"]);
    assert!(fixed.stderr.contains("8 fixes in 1 files"), "{fixed:?}");
    let meant = SAID_TWICE
        .replace("text? key", "text key")
        .replace("list<text?>", "list<text>")
        .replace("80, 8080, 80", "80, 8080")
        .replace(" on any tls", "")
        .replace("no_near_mis_test", "no_near_miss_test")
        .replace("header.x-acme", "\"header.x-acme\"")
        .replace("\"\" : ", "")
        .replace("\"\": ", "");
    assert_eq!(fs::read_to_string(&path).expect("still there"), meant);
}

#[test]
fn a_read_only_file_is_named_and_stays() {
    let folder = folder();
    let path = folder.path().join("signatures/router/acme.ksig");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("our own file");
    let fixed = run_in(folder.path(), &["check", "signatures", "--fix"]);
    assert_eq!(fixed.code, Some(2), "{fixed:?}");
    assert!(fixed.stderr.contains("acme.ksig: it is read-only"), "{fixed:?}");
    assert_eq!(fs::read_to_string(&path).expect("still there"), WRITTEN);
    assert_eq!(fs::read_dir(path.parent().expect("in a folder")).expect("our own folder").count(), 1, "nothing is left beside it");
}

#[test]
fn columns_count_characters_without_the_byte_order_mark() {
    let folder = folder();
    let place = |problem: &serde_json::Value| (problem["labels"][0]["line"].as_u64(), problem["labels"][0]["column"].as_u64());
    let of = |text: &str, code: &str| {
        fs::write(folder.path().join("signatures/router/acme.ksig"), text).expect("our own folder");
        let check = run_in(folder.path(), &["check", "signatures", "--format", "json"]);
        let found = check.json_lines().remove(0)["problems"].as_array().expect("a list").clone();
        found.iter().find(|problem| problem["code"] == code).map(place).unwrap_or_else(|| panic!("no {code} in {found:#?}"))
    };
    // A tab, the label of three characters, the colon and a blank stand before it.
    assert_eq!(of(WRITTEN, "unknown-field"), (Some(8), Some(7)));
    assert_eq!(of(&WRITTEN.replace("ksig 1", "ksig 9"), "unknown-edition"), (Some(1), Some(6)));
    // The letter, its accent, the comma and three full-width characters count once each.
    assert_eq!(of(&WRITTEN.replace("\"  // 残る", "\" 無"), "unexpected-character"), (Some(6), Some(19)));
    let text = run_in(folder.path(), &["check", "signatures"]);
    assert!(text.stderr.contains("signatures/router/acme.ksig:6:19"), "{}", text.stderr);
}

/// A tab, a letter with its accent, full-width letters and one outside the basic plane stand before the mistake; a character that marks the
/// order of bytes elsewhere is one like others.
#[test]
fn every_format_counts_the_same_characters() {
    let folder = folder();
    let before = "\t\"e\u{301}ＡＣ\u{feff}😀\": ".to_string();
    let text = WRITTEN.replace("\t\"題\": ", &before);
    fs::write(folder.path().join("signatures/router/acme.ksig"), text).expect("our own folder");
    let column = 1 + before.chars().count() as u64;
    let checked = |format: &str| run_in(folder.path(), &["check", "signatures", "--format", format]);

    let json = checked("json").json_lines().remove(0);
    let label = &json["problems"][0]["labels"][0];
    let length = "top.html.titel".len() as u64;
    assert_eq!((&label["line"], &label["column"], &label["end_column"]), (&8.into(), &column.into(), &(column + length).into()));

    let sarif = checked("sarif").json_lines().remove(0);
    let run = &sarif["runs"][0];
    // SARIF 2.1.0, 3.14.17: without it a column is whatever the reader thinks it is.
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let region = &run["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&8.into(), &column.into()));
    assert_eq!((&region["endLine"], &region["endColumn"]), (&8.into(), &(column + length).into()));

    let github = checked("github").stdout;
    assert!(github.starts_with(&format!("::error file=signatures/router/acme.ksig,line=8,col={column},title=unknown-field::")), "{github}");
    let junit = checked("junit").stdout;
    assert!(junit.contains(&format!(">signatures/router/acme.ksig:8:{column}: ")), "{junit}");
    // People count what they see, and that character is not drawn.
    let (shown, drawn) = (checked("text").stderr, column - 1);
    assert!(shown.contains(&format!("signatures/router/acme.ksig:8:{drawn}\n")), "{shown}");
}
