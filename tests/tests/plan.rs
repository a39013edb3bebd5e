//! `ksig plan` as people and programs read it: every message with its holes, and what each signature costs.

use ksig_tests::binary::run_in;
use serde_json::Value;

const SIGNATURES: &str = r#"ksig 1
module acme
use vocab.vendors { acme }
probe top = http.get("/")
probe t = tls.jarm()

signature gateway {
  summary "ACME gateway, version in a script that its page loads"
  evidence documented "the handbook of this test"
  match {
    top.html.title == "ACME gateway"
    t.jarm == "29d29d15d29d29d00042d42d000000cd600c085f371f8533aaf66051f8e5b1"
  }
  follow script = http.get(top.html.script_src("/acme.js"))
  match script { script.body ~ /version = "(?<v>\d+\.\d+)"/ }
  identify { vendor = acme; version = v }
}
"#;

const VENDORS: &str = "ksig 1\nmodule vocab.vendors\nvendor acme {\n  name \"ACME\"\n}\n";

fn plan(folder: &std::path::Path, more: &[&str]) -> ksig_tests::binary::Finished {
    run_in(folder, &[&["plan", "--signatures", "signatures"], more].concat())
}

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join("signatures").join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("acme.ksig", SIGNATURES);
    write("vocab/vendors.ksig", VENDORS);
    folder
}

#[test]
fn every_message_is_shown_with_its_holes_and_its_cost() {
    let folder = workspace();
    let finished = plan(folder.path(), &["--attest", "A. Example: hosts of this test", "--format", "json", "--costs"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let shown: Value = finished.json_lines().remove(0);
    let templates = shown["templates"].as_array().expect("templates");
    let of = |probe: &str| templates.iter().find(|template| template["probe"] == probe).unwrap_or_else(|| panic!("{probe}: {shown:#}"));
    let sends = |probe: &str| of(probe)["sends"].as_array().expect("messages").clone();
    assert_eq!(sends("tls.jarm()").len(), 10, "JARM is ten hellos");
    assert!(sends("http.get(\"/\")")[0].as_str().expect("text").starts_with("GET / HTTP/1.1\\r\\nHost: <host>\\r\\n"));
    let named = templates.iter().find(|template| template["follow_up"] == true).expect("the script");
    assert!(named["sends"][0].as_str().expect("text").starts_with("GET /<place> HTTP/1.1"), "{named:#}");

    let cost = &shown["costs"][0];
    let sum = |what: &str| templates.iter().map(|template| template[what].as_u64().expect("a number")).sum::<u64>();
    assert_eq!(cost["signature"], "acme.gateway");
    assert_eq!(cost["probes"], 3);
    assert_eq!(cost["bytes_sent"], sum("bytes_sent"));
    assert_eq!(cost["bytes_kept"], sum("bytes_kept"));
    assert!(cost["regex_states"].as_u64().expect("a number") > 0);

    let unattested = plan(folder.path(), &["--costs"]).stdout;
    assert!(unattested.contains("no planned probe can feed acme.gateway"), "{unattested}");
    assert!(unattested.contains("acme.gateway: 3 probes, "), "what it costs does not depend on who attests: {unattested}");
    assert_eq!(unattested.matches("    sends ").count(), 2);
}

#[test]
fn the_budget_is_that_of_the_file_beside_the_signatures() {
    let folder = workspace();
    let limit = |text: &str| std::fs::write(folder.path().join("signatures/ksig.toml"), text).expect("a file");
    limit("[policy.budget]\nprobes = 2\n");
    for command in [vec!["plan", "--signatures", "signatures"], vec!["check", "signatures"], vec!["test", "signatures"]] {
        let finished = run_in(folder.path(), &command);
        assert_ne!(finished.code, Some(0), "{command:?}");
        let said = finished.stderr + &finished.stdout;
        assert!(said.contains("this signature may cost 3 probes; 2 are allowed"), "{command:?}: {said}");
    }
    limit("[policy.budget]\nprobe = 2\n");
    let finished = run_in(folder.path(), &["check", "signatures"]);
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("ksig.toml") && finished.stderr.contains("unknown field `probe`"), "{}", finished.stderr);
}
