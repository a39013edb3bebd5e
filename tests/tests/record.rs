//! `ksig record`: what a simulated device answers becomes a test that passes in the signature that it names, with nothing personal left.

use std::collections::BTreeSet;
use std::path::Path;

use ksig_tests::binary::{free_ports, run_in, simulator, spoken, workspace};

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copied(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// Puts a test at the end of the signature that its comment names.
fn placed(signatures: &Path, name: &str, test: &str) {
    let (module, signature) = name.rsplit_once('.').expect("a full name");
    let path = signatures.join(format!("{}.ksig", module.replace('.', "/")));
    let text = std::fs::read_to_string(&path).expect("the signature's file");
    let begin = text.find(&format!("\nsignature {signature} ")).expect("the signature");
    let end = begin + text[begin + 1..].find("\n}").expect("its end") + 2;
    let indented: String = test.lines().map(|line| if line.is_empty() { "\n".into() } else { format!("  {line}\n") }).collect();
    std::fs::write(&path, format!("{}{indented}{}", &text[..end], &text[end..])).expect("written");
}

#[test]
fn recorded_tests_pass_in_the_signatures_that_they_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let signatures = folder.path().join("signatures");
    copied(&workspace().join("signatures"), &signatures);
    let [http, ftp] = free_ports();
    let truth = folder.path().join("truth.ndjson");
    let truth_path = truth.display().to_string();
    let ports = [(http, "http"), (ftp, "ftp")];
    let _simulator = simulator(workspace(), "scanner/populations/demo.toml", &ports, &["--hosts", "60", "--truth", &truth_path]);
    // The ports answer a moment before the truth is written.
    while std::fs::read_to_string(&truth).map_or(0, |text| text.matches('\n').count()) < 60 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let hosts: Vec<String> = std::fs::read_to_string(&truth)
        .expect("the truth")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["address"].as_str().expect("an address").to_string())
        .collect();
    let (mut named, mut unknown) = (BTreeSet::new(), 0);
    for host in &hosts {
        let spoken = format!("{http}=http,{ftp}=ftp");
        let signatures = signatures.display().to_string();
        let recorded = run_in(
            folder.path(),
            &["record", host, "--ports", &spoken, "--no-blocklist", "--signatures", &signatures, "--total-timeout-ms", "2000"],
        );
        assert!(matches!(recorded.code, Some(0 | 1)), "{}", recorded.stderr);
        assert!(!recorded.stdout.contains(host), "the address of the host stands in\n{}", recorded.stdout);
        for block in recorded.stdout.split("// ").filter(|block| !block.is_empty()) {
            unknown += usize::from(block.contains("nothing identifies this yet"));
            let Some((name, test)) = block.strip_prefix("For ").and_then(|rest| rest.split_once('\n')) else { continue };
            let name = name.split(':').next().expect("a name");
            // One of each: names of tests differ in one signature.
            if named.insert(name.to_string()) {
                placed(Path::new(&signatures), name, test);
            }
        }
    }
    assert!(named.len() >= 5, "the population shows several signatures: {named:?}");
    assert!(unknown > 0, "some hosts are unknown");
    let check = run_in(folder.path(), &["check", "signatures", "--deny-warnings"]);
    assert_eq!(check.code, Some(0), "{}{}", check.stdout, check.stderr);
    let test = run_in(folder.path(), &["test", "signatures", "--filter", "recorded on"]);
    assert_eq!(test.code, Some(0), "{}{}", test.stdout, test.stderr);
}

/// SYNTHETIC: a mail server with a page, whose script is as long as those of several versions.
const POPULATION: &str = r#"
synthetic = true
network = "127.78.0.0/29"
hosts = 1

[[device]]
name = "acme-mail"

[[device.service]]
on = "http"

[[device.service.response]]
path = "/"
body = '<title>ACME AC-1</title><script src="/js/version.js"></script>'

[[device.service.response]]
path = "/js/version.js"
body = 'var loaded = true;'

[[device.service]]
on = "smtp"
greeting = "220 mail.acme.co.jp ESMTP ACME 3.1\r\n"
reply = [{ to = "EHLO", text = "250 mail.acme.co.jp\r\n" }]

[[device.service]]
on = "ftp"
greeting = "220 ftp.acme.co.jp FTP server ready\r\n"
"#;

const VENDORS: &str = "ksig 1\nmodule vocab.vendors\nvendor acme { name \"ACME\" }\n";

const SIGNATURES: &str = r#"ksig 1
module mail.acme

use vocab.vendors { acme }

table scripts {
  length   : text key
  versions : range<version(dotted)>
  row "18", v"1.0" ..< v"1.20"
}

probe top = http.get("/")
probe mail = smtp.banner()

signature page {
  evidence documented "made up"
  match { top.html.title ~ /^ACME (?<model>AC-\d)$/ }
  follow ver = http.get(top.html.script_src("/js/version.js"))
  let row = scripts[ver.header["content-length"]]
  identify { vendor = acme; model = model; version = row.versions }
}

signature host {
  evidence documented "made up"
  scope host
  match {
    mail.banner contains "ESMTP ACME"
    top.html.title ~ /^ACME (?<model>AC-\d)$/
  }
  identify { vendor = acme; model = model }
}
"#;

#[test]
fn follow_ups_ranges_and_whole_hosts_become_tests_that_pass() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    };
    write("population.toml", POPULATION);
    write("signatures/vocab/vendors.ksig", VENDORS);
    write("signatures/mail/acme.ksig", SIGNATURES);
    let [http, smtp, ftp] = free_ports();
    let ports = [(http, "http"), (smtp, "smtp"), (ftp, "ftp")];
    let _simulator = simulator(folder.path(), "population.toml", &ports, &[]);
    let ports = spoken(&ports);
    let recorded = run_in(folder.path(), &["record", "127.78.0.1", "--ports", &ports, "--no-blocklist", "--signatures", "signatures"]);
    assert_eq!(recorded.code, Some(0), "{}", recorded.stderr);
    // What no signature reads, such as the greeting of FTP, is in no test.
    for said in ["given ver = http\"\"\"", "version: \"1.0 ..< 1.20\"", "220 host.example ESMTP ACME 3.1"] {
        assert!(recorded.stdout.contains(said), "{said}\n{}", recorded.stdout);
    }
    assert!(
        !recorded.stdout.contains("acme.co.jp") && recorded.stderr.contains("mail.acme.co.jp"),
        "{}{}",
        recorded.stdout,
        recorded.stderr
    );
    let mut named = BTreeSet::new();
    for block in recorded.stdout.split("// ").filter(|block| !block.is_empty()) {
        let Some((name, test)) = block.strip_prefix("For ").and_then(|rest| rest.split_once('\n')) else { continue };
        let name = name.split(':').next().expect("a name");
        placed(&folder.path().join("signatures"), name, test);
        named.insert(name.to_string());
    }
    assert_eq!(named, BTreeSet::from(["mail.acme.host".to_string(), "mail.acme.page".to_string()]), "{}", recorded.stdout);
    let test = run_in(folder.path(), &["test", "signatures"]);
    assert_eq!(test.code, Some(0), "{}{}\n{}", test.stdout, test.stderr, recorded.stdout);
    assert!(test.stdout.starts_with("2 tests of 2 signatures"), "{}", test.stdout);
}

#[test]
fn a_host_that_does_not_answer_is_a_finding_and_two_hosts_are_wrong_use() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [silent] = free_ports();
    let silent = run_in(folder.path(), &["record", &format!("127.0.0.1:{silent}=http"), "--no-blocklist"]);
    assert_eq!((silent.code, silent.stdout.as_str()), (Some(1), ""), "{}", silent.stderr);
    let unblocked = run_in(folder.path(), &["record", "127.0.0.1:1=http"]);
    assert_eq!(unblocked.code, Some(2), "a blocklist is asked for as by `ksig scan`");
}
