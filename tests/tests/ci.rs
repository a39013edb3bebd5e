//! What runs ksig elsewhere: the hooks of pre-commit, the action of GitHub, and SARIF as others read it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ksig_tests::binary::{ksig, run_in, workspace};
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

const RIGHT: &str = r#"ksig 1
module a

probe top = http.get("/")

signature one {
  summary "ACME by its title"
  evidence observed "a title"
  match {
    top.html.title == "ACME"
  }
  details {
    title = top.html.title
  }
  example "ACME" in top.html.title => {}
  example "AC" in top.html.title => nothing
}
"#;

/// A folder with one file of signatures, and `ksig` in a folder of its own.
fn user(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), "signatures/a.ksig", text);
    std::fs::create_dir_all(folder.path().join("bin")).expect("a folder");
    std::os::unix::fs::symlink(ksig(), folder.path().join("bin/ksig")).expect("a link");
    let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap_or_default());
    (folder, path)
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The schema as OASIS published it, but for a bracket that stands alone in two patterns, where only some readers pass over it.
fn schema() -> jsonschema::Validator {
    let text = include_str!("../data/sarif/sarif-schema-2.1.0.json");
    let lone = "-[a-zA-Z]{2}]?$";
    assert_eq!(text.matches(lone).count(), 2);
    let schema: Value = serde_json::from_str(&text.replace(lone, "-[a-zA-Z]{2}?$")).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

#[test]
fn sarif_keeps_to_its_schema() {
    let validator = schema();
    let broken = RIGHT.replace("html.title ==", "html.titel ==").replace("details {", "detials {");
    let linted = RIGHT.replace("  summary \"ACME by its title\"\n", "").replace("== \"ACME\"", "~ /^ACME ルーター.*/i");
    let vendor = RIGHT.replace("details {\n    title = top.html.title", "identify {\n    vendor = acme").replace("module a", "module バ");
    for (text, severities) in [(RIGHT, vec![]), (&broken, vec!["error"]), (&linted, vec!["warning"]), (&vendor, vec!["error"])] {
        for lang in ["en", "ja"] {
            let (folder, _) = user(text);
            // A name that no module has is an error, and errors come before lints.
            if severities.contains(&"error") {
                write(folder.path(), "signatures/空 白.ksig", &text.replace("module a", "module b"));
            }
            write(folder.path(), "signatures/ksig.toml", "[lints]\nno-near-miss-test = \"note\"\n");
            let log = run_in(folder.path(), &["check", "signatures", "--format", "sarif", "--lang", lang]).stdout;
            let log: Value = serde_json::from_str(&log).expect("JSON");
            let mistakes: Vec<String> = validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(mistakes.is_empty(), "{mistakes:#?}");
            let levels: Vec<&str> =
                log["runs"][0]["results"].as_array().into_iter().flatten().filter_map(|one| one["level"].as_str()).collect();
            for severity in &severities {
                assert!(levels.contains(severity), "{severity}: {log}");
            }
        }
    }
    // What it is not is told.
    assert!(!validator.is_valid(&serde_json::json!({ "version": "2.1.0", "runs": [{}] })));
}

#[test]
fn a_fix_and_a_note_are_in_the_sarif_too() {
    let validator = schema();
    let (folder, _) = user(&RIGHT.replace("  summary \"ACME by its title\"\n", "").replace("details {", "detials {"));
    let log: Value = serde_json::from_str(&run_in(folder.path(), &["check", "signatures", "--format", "sarif"]).stdout).expect("JSON");
    assert!(log["runs"][0]["results"][0]["fixes"].is_array(), "{log}");
    assert!(validator.is_valid(&log));
    let (folder, _) = user(&RIGHT.replace("  summary \"ACME by its title\"\n", ""));
    write(folder.path(), "signatures/ksig.toml", "[lints]\nmissing-summary = \"note\"\n");
    let log: Value = serde_json::from_str(&run_in(folder.path(), &["check", "signatures", "--format", "sarif"]).stdout).expect("JSON");
    assert_eq!(log["runs"][0]["results"][0]["level"], "note", "{log}");
    assert!(validator.is_valid(&log));
}

#[test]
fn a_lint_of_ones_own_says_in_sarif_what_it_finds_and_lints_change_its_level() {
    let (folder, _) = user(RIGHT);
    let lint = "[[lint]]\nname = \"own-long-titles\"\nvisits = \"signature\"\nwhere = 'summary present'\nmessage = \"a long title\"\nmessage_ja = \"長いタイトル\"\n";
    let checked = |more: &str, lang: &str| {
        write(folder.path(), "signatures/ksig.toml", &format!("{lint}{more}"));
        let log = run_in(folder.path(), &["check", "signatures", "--format", "sarif", "--lang", lang]).stdout;
        let log: Value = serde_json::from_str(&log).expect("JSON");
        assert!(schema().is_valid(&log), "{log}");
        log["runs"][0].clone()
    };
    let plain = checked("", "en");
    assert_eq!(plain["tool"]["driver"]["rules"][0]["fullDescription"]["text"], "a long title", "{plain}");
    let explained = checked("doc = \"Titles are short.\"\n[lints]\nown-long-titles = \"note\"\n", "ja");
    let rule = &explained["tool"]["driver"]["rules"][0];
    assert_eq!((&rule["shortDescription"]["text"], &rule["help"]["text"]), (&"長いタイトル".into(), &"Titles are short.".into()), "{rule}");
    assert_eq!((&plain["results"][0]["level"], &explained["results"][0]["level"]), (&"warning".into(), &"note".into()));
    assert_eq!(checked("[lints]\nown-long-titles = \"off\"\n", "en")["results"], serde_json::json!([]));
}

/// Two files, of which the second's signature answers to a fixture of the first.
#[test]
fn an_answer_to_a_fixture_is_a_finding_of_both_files() {
    let (folder, _) = user(&RIGHT.replace("details {\n    title = top.html.title", "identify {\n    model = \"AC\""));
    let other = RIGHT
        .replace("module a", "module b")
        .replace("== \"ACME\"", "starts \"AC\"")
        .replace("in top.html.title => nothing", "in top.html.title => {}");
    let other = other.replace("details {\n    title = top.html.title", "identify {\n    model = \"AD\"") + "// \n";
    write(
        folder.path(),
        "signatures/b.ksig",
        &other
            .replacen("example \"ACME\"", "example \"A\"", 1)
            .replace("\"A\" in top.html.title => {}", "\"A\" in top.html.title => nothing"),
    );
    let found = |path: &str, more: &[&str]| {
        let finished = run_in(folder.path(), &[&["check", path, "--format", "json"], more].concat());
        let report = finished.json_lines().remove(0);
        report["problems"].as_array().into_iter().flatten().map(|one| one["code"].clone()).collect::<Value>()
    };
    let levels = |more: &str| write(folder.path(), "signatures/ksig.toml", &format!("[lints]\nidentity-incomplete = \"off\"\n{more}"));
    levels("");
    let foreign = serde_json::json!(["foreign-fixture"]);
    assert_eq!(found("signatures", &[]), serde_json::json!([]));
    for path in ["signatures", "signatures/a.ksig", "signatures/b.ksig"] {
        assert_eq!(found(path, &["--fixtures"]), foreign, "{path}");
    }
    let tested = || run_in(folder.path(), &["test", "signatures"]);
    assert!(tested().stderr.contains("corpus"), "{:?}", tested());
    levels("foreign-fixture = \"warning\"\n");
    assert_eq!((found("signatures", &["--fixtures"]), tested().code), (foreign, Some(0)));
    levels("foreign-fixture = \"off\"\n");
    assert_eq!(found("signatures", &["--fixtures"]), serde_json::json!([]));
}

fn action() -> Yaml {
    let text = std::fs::read_to_string(workspace().join("action.yml")).expect("the action");
    YamlLoader::load_from_str(&text).expect("YAML").remove(0)
}

/// A value with what GitHub puts into it.
fn filled(value: &str, inputs: &BTreeMap<String, String>) -> String {
    let mut out = value.replace("${{ github.action_path }}", &workspace().display().to_string());
    for (name, value) in inputs {
        out = out.replace(&format!("${{{{ inputs.{name} }}}}"), value);
    }
    assert!(!out.contains("${{"), "nothing is left to fill in: {out}");
    out
}

/// Runs the steps of the action as GitHub does; gives what each said, and whether it succeeded.
fn run_action(folder: &Path, path: &str, with: &[(&str, &str)]) -> Vec<(String, bool, String)> {
    let action = action();
    let mut inputs: BTreeMap<String, String> = BTreeMap::new();
    for (name, input) in action["inputs"].as_hash().expect("inputs") {
        let default = input["default"].as_str().map(str::to_string).unwrap_or_default();
        inputs.insert(name.as_str().unwrap_or_default().into(), default);
    }
    for (name, value) in with {
        assert!(inputs.insert((*name).into(), (*value).into()).is_some(), "{name} is an input");
    }
    let (mut ran, mut failed) = (Vec::new(), false);
    for step in action["runs"]["steps"].as_vec().expect("steps") {
        let name = step["name"].as_str().expect("a step has a name").to_string();
        let Some(script) = step["run"].as_str() else {
            assert!(step["uses"].as_str().is_some_and(|uses| uses.contains('@')), "{name} runs or uses something");
            continue;
        };
        let always = match step["if"].as_str() {
            None => false,
            Some("${{ !cancelled() }}") => true,
            Some(other) => panic!("{name}: {other}"),
        };
        if failed && !always {
            continue;
        }
        assert_eq!(step["shell"].as_str(), Some("bash"), "a step of a composite action names its shell");
        std::fs::write(folder.join("step.sh"), script).expect("a file");
        let mut command = Command::new("bash");
        // As GitHub starts it.
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "step.sh"]).current_dir(folder).env_clear();
        command.env("PATH", path).env("HOME", folder).env("GITHUB_ACTIONS", "true").env("CI", "true");
        for (name, value) in step["env"].as_hash().into_iter().flatten() {
            command.env(name.as_str().unwrap_or_default(), filled(value.as_str().unwrap_or_default(), &inputs));
        }
        let output = command.output().expect("bash runs");
        failed |= !output.status.success();
        ran.push((name, output.status.success(), said(&output)));
    }
    ran
}

#[test]
fn the_action_passes_what_is_right_and_annotates_what_is_wrong() {
    let (folder, path) = user(RIGHT);
    let ran = run_action(folder.path(), &path, &[]);
    let names: Vec<&str> = ran.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["Install ksig unless it is there", "Check", "Format", "Test"]);
    assert!(ran.iter().all(|(_, fine, _)| *fine), "{ran:#?}");

    let (folder, path) = user(&RIGHT.replace("html.title ==", "html.titel ==").replace("  match {", "    match {"));
    let ran = run_action(folder.path(), &path, &[("sarif", "out.sarif"), ("lang", "ja")]);
    let fine: Vec<bool> = ran.iter().map(|(_, fine, _)| *fine).collect();
    assert_eq!(fine, [true, false, false, false], "{ran:#?}");
    assert!(ran[1].2.contains("::error file=signatures/a.ksig,line=10,col="), "{ran:#?}");
    let sarif = std::fs::read_to_string(folder.path().join("out.sarif")).expect("the file is written though the check fails");
    assert!(serde_json::from_str::<Value>(&sarif).is_ok_and(|log| log["version"] == "2.1.0"), "{sarif}");

    let (folder, path) = user(&RIGHT.replace("  summary \"ACME by its title\"\n", ""));
    let with = [("format", "false"), ("test", "false")];
    assert!(run_action(folder.path(), &path, &with).iter().all(|(_, fine, _)| *fine), "a warning passes");
    let ran = run_action(folder.path(), &path, &[("deny-warnings", "true"), ("format", "false"), ("test", "false")]);
    assert!(!ran[1].1, "and fails where it is denied: {ran:#?}");
}

/// Runs git, which is there where a checkout is.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"];
    let output = Command::new("git").args(who).args(arguments).current_dir(folder).output().expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", said(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

#[test]
fn the_hooks_of_pre_commit_run_as_their_users_run_them() {
    if Command::new("pre-commit").arg("--version").output().is_err() {
        return println!("the hooks are not run: there is no pre-commit");
    }
    // The hooks as a repository of their own, which a user's configuration names by its revision.
    let hooks = tempfile::tempdir().expect("a temporary folder");
    let file = ".pre-commit-hooks.yaml";
    std::fs::copy(workspace().join(file), hooks.path().join(file)).expect("the hooks");
    git(hooks.path(), &["init", "-q"]);
    git(hooks.path(), &["add", "-A"]);
    git(hooks.path(), &["commit", "-qm", "hooks"]);
    let revision = git(hooks.path(), &["rev-parse", "HEAD"]);

    let (folder, path) = user(RIGHT);
    let configuration = format!(
        "repos:\n  - repo: {}\n    rev: {revision}\n    hooks:\n      - id: ksig-check\n      - id: ksig-fmt\n      - id: ksig-test\n",
        hooks.path().display()
    );
    write(folder.path(), ".pre-commit-config.yaml", &configuration);
    let run = |file: &str, text: &str| {
        write(folder.path(), file, text);
        git(folder.path(), &["add", "-A", "--", "signatures", ".pre-commit-config.yaml"]);
        let home: PathBuf = folder.path().join("home");
        let mut command = Command::new("pre-commit");
        command.args(["run", "--all-files", "--color", "never"]).current_dir(folder.path()).env("PATH", &path).env("PRE_COMMIT_HOME", home);
        let output = command.output().expect("pre-commit runs");
        (output.status.success(), said(&output))
    };
    git(folder.path(), &["init", "-q"]);
    let (fine, shown) = run("signatures/a.ksig", RIGHT);
    assert!(fine && shown.matches("Passed").count() == 3, "{shown}");
    let (fine, shown) = run("signatures/a.ksig", &RIGHT.replace("  match {", "     match {"));
    assert!(!fine && shown.contains("files were modified by this hook"), "{shown}");
    let (fine, shown) = run("signatures/a.ksig", &RIGHT.replace("html.title ==", "html.titel =="));
    assert!(!fine && shown.contains("unknown-field"), "{shown}");
    let (fine, shown) = run("signatures/a.ksig", &RIGHT.replace("example \"AC\"", "example \"ACME\""));
    assert!(!fine && shown.contains("ksig test...") && shown.contains("Failed"), "{shown}");
}
