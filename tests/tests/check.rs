//! Fixes are applied, and the formats that programs read say the same problems.

use ksig::analysis::{self, Rules};
use ksig::{fixing, problems};
use ksig_compiler::{Input, Source};
use ksig_lang::Lang;
use ksig_tests::binary::run_in;

const VOCABULARY: &str = "ksig 1\nmodule vocab.vendors\nvendor acme { name \"ACME\" }\nvendor apex { name \"Apex\" }\n";

/// Mistakes that have fixes, and one that has none.
const FIXABLE: &str = "ksig 1
module router.acme

probe top = http.get(\"/\")

table models {
  model : text key
  ends  : date
  row \"AC-1\", absent
  row \"AC-2\", absent
}

signature one {
  summary \"ACME\"
  match {
    top.html.titel == \"ACME\"
    not top.header[\"server\"] contains \"apex\"
  }
  identfy { vendor = acme }
  example \"ACME\" in top.html.title => { vendor: acme }
  example \"Apex\" in top.html.title => nothing
}
";

const FIXED: &str = "ksig 1
module router.acme
use vocab.vendors { acme }

probe top = http.get(\"/\")

table models {
  model : text key
  ends  : date?
  row \"AC-1\", absent
  row \"AC-2\", absent
}

signature one {
  summary \"ACME\"
  match {
    top.html.title == \"ACME\"
    top.header[\"server\"] present and not top.header[\"server\"] contains \"apex\"
  }
  identify { vendor = acme }
  example \"ACME\" in top.html.title => { vendor: acme }
  example \"Apex\" in top.html.title => nothing
}
";

fn corpus(file: &str) -> Input {
    let source = |path: &str, text: &str| Source { path: path.into(), module: None, folder: String::new(), text: text.into() };
    let sources = vec![source("vocab/vendors.ksig", VOCABULARY), source("router/acme.ksig", file)];
    Input { sources, ..Input::default() }
}

#[test]
fn fixes_are_applied_until_nothing_is_left_to_fix() {
    let mut input = corpus(FIXABLE);
    let fixed = fixing::fix(&mut input, &Rules::default(), &|_| true);
    assert_eq!(fixed.texts.get("router/acme.ksig").map(String::as_str), Some(FIXED));
    assert_eq!(fixed.texts.len(), 1);
    assert_eq!(fixing::fix(&mut input, &Rules::default(), &|_| true), fixing::Fixed::default());
}

#[test]
fn what_was_not_asked_for_is_not_changed() {
    assert_eq!(fixing::fix(&mut corpus(FIXABLE), &Rules::default(), &|path| path.starts_with("vocab/")), fixing::Fixed::default());
}

#[test]
fn programs_read_the_same_problems() {
    let analysis = analysis::check(&corpus(FIXABLE));
    for lang in [Lang::En, Lang::Ja] {
        let json = problems::as_json(&analysis, lang);
        let sarif = problems::as_sarif(&analysis, &[], lang);
        let results = sarif["runs"][0]["results"].as_array().expect("a list");
        assert!(!json.is_empty() && json.len() == results.len());
        for (problem, result) in json.iter().zip(results) {
            assert_eq!(problem["code"], result["ruleId"]);
            let region = &result["locations"][0]["physicalLocation"]["region"];
            assert_eq!((&problem["labels"][0]["line"], &problem["labels"][0]["column"]), (&region["startLine"], &region["startColumn"]));
            assert_eq!(problem["fix"].is_null(), result["fixes"].is_null());
        }
        let files = ["router/acme.ksig".to_string(), "vocab/vendors.ksig".to_string()];
        let junit = problems::as_junit(&analysis, &files, lang);
        assert_eq!(junit.matches("<failure ").count(), json.len(), "{junit}");
        assert!(junit.contains("tests=\"2\" failures=\"1\""), "{junit}");
        assert_eq!(problems::as_github(&analysis, lang).lines().count(), json.len());
    }
}

#[test]
fn a_mistake_in_an_imported_probe_is_told_once_and_in_its_own_file() {
    let far = "// この行は、取り込む側のファイルより後ろにプローブを置く。\n".repeat(20);
    let declares = format!("ksig 1\nmodule probes.shared\n{far}probe page = http.get(\"/../setup\")\n");
    let imports = "ksig 1\nmodule router.acme\nuse vocab.vendors { acme }\nuse probes.shared { page }\nsignature s {\n  match { page.status == 200 }\n  identify { vendor = acme }\n}\n";
    let mut input = corpus(imports);
    input.sources.push(Source { path: "probes/shared.ksig".into(), module: None, folder: String::new(), text: declares });
    let analysis = analysis::check(&input);
    let found: Vec<_> = analysis.diagnostics.iter().filter(|problem| problem.code == "probe-not-benign").collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    let label = &found[0].labels[0];
    let source = analysis.sources.get(label.file).expect("a file of the set");
    assert_eq!(
        (source.path.as_str(), &source.text[label.span.start as usize..label.span.end as usize]),
        ("probes/shared.ksig", "\"/../setup\"")
    );
}

#[test]
fn what_a_base_of_another_file_binds_is_no_capture_of_the_signature() {
    let signature = |module: &str, rest: &str| {
        format!("ksig 1\nmodule {module}\nuse vocab.vendors {{ acme }}\nprobe top = http.get(\"/\")\nsignature s {rest}")
    };
    let base = signature("a", "{\n  match { top.html.title ~ /^ACME (?<model>.+)$/ }\n  identify { vendor = acme }\n}\n");
    // The base's capture stands where this signature has other text.
    let derived = signature("b", "refines a.s {\n  summary \"ACME in a summary as long as the base\"\n  match { top.status == 200 }\n}\n");
    let mut input = corpus("ksig 1\nmodule router.acme\n");
    for (path, text) in [("a.ksig", base), ("b.ksig", derived)] {
        input.sources.push(Source { path: path.into(), module: None, folder: String::new(), text });
    }
    let analysis = analysis::check(&input);
    let found: Vec<_> = analysis.diagnostics.iter().filter(|problem| problem.code == "unused-capture").collect();
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(analysis.program.signatures.len(), 2, "{:#?}", analysis.diagnostics);
}

/// A signature that compiles, has no near miss, and says what it is without a summary.
const LINTED: &str = "ksig 1
module router.acme
use vocab.vendors { acme }
probe top = http.get(\"/\")
signature one {
  match { top.html.title == \"ACME\" }
  identify { vendor = acme }
  example \"ACME\" in top.html.title => { vendor: acme }
}
";

/// Signatures on disk, with what `ksig.toml` beside them says.
fn folder(file: &str, settings: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in [("vocab/vendors.ksig", VOCABULARY), ("router/acme.ksig", file), ("ksig.toml", settings)] {
        let path = folder.path().join("signatures").join(path);
        std::fs::create_dir_all(path.parent().expect("below a folder")).expect("our own folder");
        std::fs::write(path, text).expect("our own folder");
    }
    folder
}

/// A code and how bad it is.
type Finding = (&'static str, &'static str);

#[test]
fn how_bad_a_lint_is_stands_beside_the_signatures() {
    // What `ksig.toml` says, the exit code, with warnings denied too, and what is found: each code and how bad it is.
    let both = [("missing-summary", "warning"), ("no-near-miss-test", "warning")];
    let cases: [(&str, i32, i32, &[Finding]); 4] = [
        ("", 0, 1, &both),
        ("[lints]\nmissing-summary = \"error\"\n", 1, 1, &[("missing-summary", "error"), both[1]]),
        ("[lints]\nmissing-summary = \"note\"\nno-near-miss-test = \"off\"\n", 0, 0, &[("missing-summary", "note")]),
        ("[policy]\n[lints]\nmissing-summary = \"off\"\nno-near-miss-test = \"off\"\n", 0, 0, &[]),
    ];
    for (settings, code, denied, meant) in cases {
        let folder = folder(LINTED, settings);
        let check = run_in(folder.path(), &["check", "signatures", "--format", "json"]);
        let answer = check.json_lines().remove(0);
        let problems = answer["problems"].as_array().expect("a list");
        let word = |problem: &serde_json::Value, of: &str| problem[of].as_str().unwrap_or_default().to_string();
        let found: Vec<_> = problems.iter().map(|problem| (word(problem, "code"), word(problem, "severity"))).collect();
        let meant: Vec<_> = meant.iter().map(|(code, level)| (code.to_string(), level.to_string())).collect();
        assert_eq!((check.code, &found), (Some(code), &meant), "{settings}");
        for (level, counted) in [("error", "errors"), ("warning", "warnings"), ("note", "notes")] {
            assert_eq!(answer[counted], meant.iter().filter(|(_, of)| of == level).count(), "{settings}");
        }
        let strict = run_in(folder.path(), &["check", "signatures", "--deny-warnings"]);
        assert_eq!(strict.code, Some(denied), "{settings}: {strict:?}");
        assert_eq!(strict.stdout.contains("1 notes"), settings.contains("note\""), "{strict:?}");
    }
}

#[test]
fn what_a_signature_is_spared_with_a_reason_is_not_raised() {
    let settings = "[lints]\nmissing-summary = \"error\"\nno-near-miss-test = \"error\"\n";
    let spared = LINTED.replace("  match", "  summary \"ACME\"\n  allow no_near_miss_test \"no title is like it\"\n  match");
    let check = run_in(folder(&spared, settings).path(), &["check", "signatures"]);
    assert_eq!(check.code, Some(0), "{check:?}");
    let unreasoned = spared.replace("no title is like it", "");
    let check = run_in(folder(&unreasoned, settings).path(), &["check", "signatures"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    assert!(check.stderr.contains("bad-metadata"), "{}", check.stderr);
}

#[test]
fn a_lint_that_there_is_not_ends_the_check() {
    let folder = folder(LINTED, "[lints]\nmissing-sumary = \"off\"\nunused-capture = \"silent\"\n");
    for command in ["check", "test", "plan"] {
        let named: &[&str] = if command == "plan" { &["plan", "--signatures", "signatures"] } else { &[command, "signatures"] };
        let ended = run_in(folder.path(), named);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let lines =
            ["ksig.toml:2:1: there is no lint `missing-sumary`; did you mean `missing-summary`?", "ksig.toml:3:18: a lint has no level"];
        assert!(lines.iter().all(|line| ended.stderr.contains(line)), "{}", ended.stderr);
    }
    let japanese = run_in(folder.path(), &["check", "signatures", "--lang", "ja"]);
    assert!(
        japanese.stderr.contains("`missing-sumary`というリントはありません。`missing-summary`の間違いではありませんか"),
        "{}",
        japanese.stderr
    );
}

/// What lints mend, in one signature.
const MENDABLE: &str = r#"ksig 1
module router.acme
use vocab.vendors { acme }
probe top = http.get("/")
signature one {
  summary "ACME router"
  match {
    top.html.title ~ /^ACME "ルータ" \(\x{E9}\)$/
    top.header["server"] ~ /^acme\/1\.0/m
    top.header["via"] ~ /acme\.example/
    top.header["via"] ~ /\.example$/
    top.header["x-acme"] ~ /.*/
    top.auth.basic.realm ~ /^(?<model>\d\d-\d)/is
    any { top.html.title contains "ãƒ«"; top.html.title contains "АCME" }
  }
  identify { vendor = acme; model = model }
  example "12-3" in top.auth.basic.realm => { model: "12-3" }
  example "Login" in top.html.title => nothing
}
"#;

#[test]
fn what_lints_find_is_mended_where_its_meaning_stays() {
    let mended = MENDABLE
        .replace(r#"~ /^ACME "ルータ" \(\x{E9}\)$/"#, r#"== "ACME \"ルータ\" (é)""#)
        .replace(r"~ /acme\.example/", r#"contains "acme.example""#)
        .replace(r"~ /\.example$/", r#"ends ".example""#)
        .replace("~ /.*/", "present")
        .replace("/is", "/s")
        .replace("ãƒ«", "ル")
        .replace("АCME", "ACME");
    let mut input = corpus(MENDABLE);
    let fixed = fixing::fix(&mut input, &Rules::default(), &|_| true);
    assert_eq!(fixed.texts.get("router/acme.ksig").map(String::as_str), Some(mended.as_str()));
    assert!(analysis::check(&input).diagnostics.is_empty(), "{:#?}", analysis::check(&input).diagnostics);

    let off = Rules {
        lints: ksig_compiler::lints::Rules { levels: [("needless-regex", None)].into(), ..Default::default() },
        ..Rules::default()
    };
    let fixed = fixing::fix(&mut corpus(MENDABLE), &off, &|_| true);
    assert_eq!(fixed.count, 4, "{:#?}", fixed.texts);
    assert!(fixed.texts["router/acme.ksig"].contains(r"~ /acme\.example/"), "what is off is not mended");
}

#[test]
fn what_a_base_or_a_let_of_a_file_says_is_told_where_it_is_written() {
    let head = |module: &str| format!("ksig 1\nmodule {module}\nuse vocab.vendors {{ acme }}\nprobe top = http.get(\"/\")\n");
    let tests = "  example \"ACME BRL\" in top.html.title => { model: \"BRL\" }\n  example \"Login\" in top.html.title => nothing\n";
    let base = head("a")
        + "let shown = top.status == 200 and top.status == 401\nsignature s {\n  summary \"ACME\"\n  match {\n    top.html.title ~ /^ACME (?<model>.+)$/\n    top.header[\"server\"] ~ /acme/\n  }\n  identify { vendor = acme; model = model }\n"
        + tests
        + "}\n";
    let derived = head("b").replace("probe", "use a { shown }\nprobe")
        + "signature s refines a.s {\n  summary \"ACME with its status\"\n  match { shown; top.html.title present }\n"
        + tests
        + "}\n";
    let mut input = corpus("ksig 1\nmodule router.acme\n");
    for (path, text) in [("a.ksig", base), ("b.ksig", derived)] {
        input.sources.push(Source { path: path.into(), module: None, folder: String::new(), text });
    }
    let analysis = analysis::check(&input);
    let place = |problem: &ksig_lang::Diagnostic| (problem.code, problems::first_place(&analysis, problem).0);
    let found: Vec<_> = analysis.diagnostics.iter().map(place).collect();
    assert_eq!(found, [("unbounded-dot", "a.ksig".to_string()), ("needless-regex", "a.ksig".to_string())], "{:#?}", analysis.diagnostics);
}

#[test]
fn what_asks_the_same_is_told_wherever_it_stands() {
    let head = |module: &str, probe: &str| {
        format!("ksig 1\nmodule {module}\nuse vocab.vendors {{ acme, apex }}\nprobe {probe} = http.get(\"/\")\n")
    };
    let signature = |name: &str, probe: &str, says: &str, allows: &str| {
        format!(
            "signature {name} {{\n  summary \"a title\"\n  {allows}\n  match {{ {probe}.status == 200; {probe}.html.title == \"AC-1\" }}\n  {says}\n  test \"a page\" {{ given {probe} = http {{ status: 200, html.title: \"AC-1\" }}; expect identify {{ }} }}\n  example \"Login\" in {probe}.html.title => nothing\n}}\n"
        )
    };
    let first = head("a", "top") + &signature("one", "top", "identify { vendor = acme; model = \"AC-1\" }", "");
    // What software runs there is no other answer about the device; what refines a signature was made to stand in its place.
    let apart = signature("two", "page", "identify os { vendor = apex }", "")
        + "signature three refines a.one {\n  summary \"a title\"\n  identify { model = \"AC-1a\" }\n  example \"Login\" in page.html.title => nothing\n  allow no_positive_test \"its base has one\"\n}\n";
    let said = |says: &str, allows: &str| {
        let second = head("b", "page") + &apart + &signature("four", "page", says, allows);
        let mut input = corpus("ksig 1\nmodule router.acme\n");
        for (path, text) in [("a.ksig", first.clone()), ("b.ksig", second)] {
            input.sources.push(Source { path: path.into(), module: None, folder: String::new(), text });
        }
        let analysis = analysis::check(&input);
        let place =
            |problem: &ksig_lang::Diagnostic| (problem.code, problems::first_place(&analysis, problem).0, problem.message.en.to_string());
        analysis.diagnostics.iter().map(place).collect::<Vec<_>>()
    };
    let other = said("identify { vendor = apex }", "");
    assert_eq!(other, [("ambiguous-pair", "b.ksig".to_string(), "`b.four` matches whenever `a.one` does".to_string())]);
    let same = said("identify { vendor = acme; model = \"AC-1\" }", "");
    assert_eq!(same, [("duplicate-identity", "b.ksig".to_string(), "`b.four` says what `a.one` says".to_string())]);
    assert_eq!(said("identify { vendor = apex }", "allow ambiguous_pair \"one of them was sold under both names\""), []);
    assert_eq!(said("identify { vendor = acme; series = \"AC\" }", ""), []);
}
