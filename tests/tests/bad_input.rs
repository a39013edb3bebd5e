//! Bad input and a failing world, met by the binary: every problem of every file at once, or one clear line; the right exit code; nothing lost.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ksig_tests::binary::{Finished, Running, free_ports, ksig, run_in, simulator, spoken, workspace};

/// Six mistakes, each on a line of its own.
const BROKEN: &str = r#"ksig 1
module router.broken

probe top = http.get("/")

signature one {
  summary "One"
  match {
    top.html.titel == "x"
    top.status == "200"
  }
  identify {
    vendor = nobody
    model = "A"
  }
}
"#;

const UNFINISHED: &str = "ksig 1\nmodule router.unfinished\nprobe top = http.get(/)\nsignature two {\n";

/// Devices of a fictitious maker that answer so slowly that a scan of them does not end by itself within the test.
const SLOW: &str = r#"# SYNTHETIC
synthetic = true
network = "127.16.0.0/13"
hosts = 60
seed = 1

[[device]]
name = "acme"

[[device.service]]
on = "http"

[[device.service.response]]
path = "/"
body = "<title>ACME</title>"

[[fault]]
fault = "one-byte-a-second"
share = 1.0
"#;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// One line that says what failed, exit code 2, nothing on standard output.
fn assert_one_line(finished: &Finished, parts: &[&str]) {
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert_eq!(finished.stdout, "", "an answer was printed although the command failed");
    let lines: Vec<&str> = finished.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "one line was expected:\n{}", finished.stderr);
    assert!(lines[0].starts_with("ksig: "), "{}", lines[0]);
    for part in parts {
        assert!(lines[0].contains(part), "`{part}` is missing in: {}", lines[0]);
        assert_eq!(lines[0].matches(part).count(), 1, "`{part}` is said twice in: {}", lines[0]);
    }
}

#[test]
fn all_problems_of_all_files_are_shown_with_their_place() {
    let folder = folder();
    let router = folder.path().join("signatures/router");
    fs::create_dir_all(&router).expect("our own folder");
    fs::write(router.join("broken.ksig"), BROKEN).expect("our own folder");
    fs::write(router.join("unfinished.ksig"), UNFINISHED).expect("our own folder");
    let expected = [("broken", 9, 5), ("broken", 10, 19), ("broken", 13, 14), ("unfinished", 3, 22), ("unfinished", 4, 15)];

    let text = run_in(folder.path(), &["check", "signatures"]);
    assert_eq!(text.code, Some(1), "{text:?}");
    for (file, line, column) in expected {
        let place = format!("signatures/router/{file}.ksig:{line}:{column}");
        assert!(text.stderr.contains(&place), "no problem at {place}:\n{}", text.stderr);
    }
    for part in ["there is no field `http.html.titel`", "did you mean", "help:", "top.html.titel == \"x\""] {
        assert!(text.stderr.contains(part), "`{part}` is missing:\n{}", text.stderr);
    }

    let json = run_in(folder.path(), &["check", "signatures", "--format", "json"]);
    assert_eq!(json.code, Some(1), "{json:?}");
    let problems = json.json_lines().remove(0)["problems"].as_array().expect("a list of problems").clone();
    let places: BTreeSet<(String, u64)> = problems
        .iter()
        .map(|problem| {
            assert!(problem["message"].as_str().is_some_and(|message| !message.is_empty()), "{problem}");
            assert!(problem["code"].as_str().is_some_and(|code| !code.is_empty()), "{problem}");
            let label = &problem["labels"][0];
            (label["path"].as_str().expect("a path").to_string(), label["line"].as_u64().expect("a line"))
        })
        .collect();
    let wanted = expected.map(|(file, line, _)| (format!("signatures/router/{file}.ksig"), line));
    assert_eq!(places, BTreeSet::from(wanted), "text and JSON tell the same places");
}

#[test]
fn a_source_that_is_no_text_is_named_with_the_place_of_the_byte() {
    let folder = folder();
    fs::write(folder.path().join("a.ksig"), b"ksig 1\nmodule a\n// \xff\n").expect("our own folder");
    let check = run_in(folder.path(), &["check", "a.ksig"]);
    assert_one_line(&check, &["a.ksig", "line 3", "column 4", "0xFF"]);
}

#[test]
fn a_damaged_bundle_is_refused_and_never_run() {
    let folder = folder();
    let signatures = workspace().join("signatures").display().to_string();
    let build = run_in(folder.path(), &["build", &signatures, "-o", "whole.kbundle"]);
    assert_eq!(build.code, Some(0), "{}", build.stderr);
    assert_eq!(run_in(folder.path(), &["verify", "whole.kbundle"]).code, Some(0));
    let whole = fs::read(folder.path().join("whole.kbundle")).expect("just written");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let cases: [(&str, &[u8], &str); 4] = [
        ("flipped.kbundle", &flipped, "damaged"),
        ("cut.kbundle", &whole[..whole.len() / 2], "damaged"),
        ("foreign.kbundle", b"PK\x03\x04", "not a ksig bundle"),
        ("empty.kbundle", b"", "not a ksig bundle"),
    ];
    fs::write(folder.path().join("lines.ndjson"), "{\"id\":\"a\",\"evidence\":{}}\n").expect("our own folder");
    for (name, bytes, reason) in cases {
        fs::write(folder.path().join(name), bytes).expect("our own folder");
        assert_one_line(&run_in(folder.path(), &["verify", name]), &[name, reason]);
        let identify = run_in(folder.path(), &["identify", "--from", "evidence", "--bundle", name, "--input", "lines.ndjson"]);
        assert_one_line(&identify, &[name, reason]);
    }
}

#[test]
fn folders_and_files_that_cannot_be_read_are_named() {
    let folder = folder();
    fs::create_dir(folder.path().join("nothing")).expect("our own folder");
    let missing = "No such file or directory";
    assert_one_line(&run_in(folder.path(), &["check", "nowhere"]), &["cannot read nowhere", missing]);
    assert_one_line(&run_in(folder.path(), &["check", "nothing"]), &["there is no .ksig file in nothing"]);
    assert_one_line(&run_in(folder.path(), &["verify", "nowhere.kbundle"]), &["cannot read nowhere.kbundle", missing]);
    assert_one_line(&run_in(folder.path(), &["sim", "--population", "nowhere.toml"]), &["nowhere.toml", missing]);
    assert_one_line(&run_in(folder.path(), &["identify", "--input", "nowhere.ndjson"]), &["nowhere.ndjson", missing]);
}

#[test]
fn the_world_fails_in_japanese_too() {
    let folder = folder();
    fs::create_dir(folder.path().join("nothing")).expect("our own folder");
    fs::write(folder.path().join("bad.ksig"), b"ksig 1\n// \x83").expect("our own folder");
    fs::write(folder.path().join("foreign.kbundle"), b"PK\x03\x04").expect("our own folder");
    let missing = "ファイルやフォルダーが見つかりません（os error 2）";
    let says =
        |arguments: &[&str], parts: &[&str]| assert_one_line(&run_in(folder.path(), &[arguments, &["--lang", "ja"]].concat()), parts);
    says(&["check", "nowhere"], &["nowhereを読み取れません", missing]);
    says(&["check", "nothing"], &["nothingに.ksigファイルがありません"]);
    says(&["check", "bad.ksig"], &["bad.ksig:2行4列", "UTF-8で保存してください"]);
    says(&["verify", "nowhere.kbundle"], &["nowhere.kbundleを読み取れません", missing]);
    says(&["verify", "foreign.kbundle"], &["foreign.kbundleは使用できないバンドルです", "先頭がKSIGBNDLではありません"]);
    says(&["sim", "--population", "nowhere.toml"], &["nowhere.toml", missing]);
    says(&["identify", "--input", "nowhere.ndjson"], &["nowhere.ndjsonを読み取れません", missing]);
    says(&["search", "x", "--state", "nowhere"], &["nowhere/indexに検索インデックスがありません"]);
    says(&["scan", "127.0.0.1", "--ports", "18080=http"], &["ブロックリストが指定されていません"]);
    says(&["scan", "127.0.0.1", "--ports", "18080=http", "--blocklist", "nowhere.txt"], &["ブロックリストnowhere.txt", missing]);
    says(&["import", "recog", "nowhere", "-o", "x"], &["nowhereを読み取れません", missing]);
    says(&["build", "nothing", "-o", "x"], &["nothingに.ksigファイルがありません"]);
    says(&["explain", "no-such-code"], &["`no-such-code`というコードはありません"]);
    let formatted = run_in(folder.path(), &["fmt", "nowhere", "--lang", "ja"]);
    assert_one_line(&formatted, &["nowhereを読み取れません"]);
    fs::write(folder.path().join("good.ksig"), "ksig 1\nmodule good\n").expect("our own folder");
    let formatted = run_in(folder.path(), &["fmt", "good.ksig", "--lang", "ja"]);
    assert_eq!((formatted.code, formatted.stderr.trim()), (Some(0), "ファイル1件、変更0件、エラーのため変更なし0件"));
}

#[test]
fn a_line_that_is_no_evidence_is_named_and_the_others_are_answered() {
    let folder = folder();
    let good = r#"{"id":"b","evidence":{"ftp.banner":["(vsFTPd 3.0.3)"]}}"#;
    // A field with keys and without one, as bytes that are no UTF-8 and as text.
    let keyless = r#"{"id":"c","evidence":{"http.header":{"b64":"YWNtZa2gQuMtMQ=="}}}"#;
    let keyless_text = r#"{"id":"d","evidence":{"http.header":"acme"}}"#;
    // One that stands without a key too: it is all of it.
    let whole = r#"{"id":"e","evidence":{"ipp.device_id":"MFG:ACME;MDL:AC-10;CLS:PRINTER;"}}"#;
    let whole_bytes = r#"{"id":"f","evidence":{"ipp.device_id":{"b64":"TUZHOkFDTUU7TURMOkFDLTEwO0NMUzpQUklOVEVSOw=="}}}"#;
    let lines = format!("{{\"id\":\"a\"\n{good}\n{keyless}\n{keyless_text}\n{whole}\n{whole_bytes}\n");
    fs::write(folder.path().join("lines.ndjson"), lines).expect("our own folder");
    let identify = run_in(folder.path(), &["identify", "--from", "evidence", "--input", "lines.ndjson"]);
    assert_eq!(identify.code, Some(2), "{identify:?}");
    assert!(identify.stderr.contains("lines.ndjson:1: "), "{}", identify.stderr);
    for line in [3, 4] {
        let said = format!("lines.ndjson:{line}: `http.header` needs a key: write `http.header.KEY`; it was left out");
        assert!(identify.stderr.contains(&said), "{}", identify.stderr);
    }
    assert!(!identify.stderr.contains("lines.ndjson:5: ") && !identify.stderr.contains("lines.ndjson:6: "), "{}", identify.stderr);
    let answers = identify.json_lines();
    assert!(["c", "d", "e", "f"].iter().all(|id| answers.iter().any(|answer| answer["id"] == **id)), "{answers:?}");
    assert!(
        answers.iter().any(|answer| answer["id"] == "b" && answer["identifications"][0]["components"][0]["product"] == "vsftpd"),
        "{answers:?}"
    );
}

#[test]
fn what_a_crash_cut_off_a_log_is_said() {
    let folder = folder();
    let line = r#"{"id":"1","host":"h","address":"127.0.0.1","port":21,"transport":"tcp","probe":"ftp.banner()","sent":"","received_b64":"MjIwIGFjbWUNCg==","ended":"eof","time":"2026-11-01T00:00:00Z"}"#;
    fs::write(folder.path().join("line.ndjson"), format!("{line}\n")).expect("our own folder");
    let ingest = || run_in(folder.path(), &["atlas", "ingest", "line.ndjson", "--state", "state"]);
    assert_eq!((ingest().code, ingest().stderr.as_str()), (Some(0), ""), "a whole log has nothing to say");
    let segment = folder.path().join("state/log/00000001.seg");
    let mut bytes = fs::read(&segment).expect("a segment was written");
    bytes.extend(b"cut");
    fs::write(&segment, bytes).expect("our own folder");
    let after = ingest();
    assert_eq!(after.code, Some(0), "{after:?}");
    assert!(after.stderr.contains("00000001.seg: the last record was cut off by a crash"), "{after:?}");
    assert!(after.stdout.starts_with("1 observations appended, 3 in the log"), "{after:?}");
}

#[test]
fn a_licence_that_cannot_be_read_is_not_taken_for_none() {
    let folder = folder();
    let database = r#"<fingerprints matches="ssh.banner" protocol="ssh"><fingerprint pattern="^acme$"><description>ACME</description>
        <example>acme</example><param pos="0" name="service.vendor" value="ACME"/><param pos="0" name="service.product" value="sshd"/></fingerprint></fingerprints>"#;
    fs::create_dir(folder.path().join("recog")).expect("our own folder");
    fs::write(folder.path().join("recog/ssh_banners.xml"), database).expect("our own folder");
    let import = |to: &str| run_in(folder.path(), &["import", "recog", "recog", "-o", to]);
    let without = import("without");
    assert_eq!(without.code, Some(0), "{without:?}");
    fs::write(folder.path().join("recog/LICENSE"), b"Copyright \xa9 ACME").expect("our own folder");
    let latin = import("latin");
    assert_eq!(latin.code, Some(1), "{latin:?}");
    assert!(latin.stderr.contains("recog/LICENSE:0: the licence: it is not UTF-8"), "{latin:?}");
}

#[test]
fn a_full_disk_is_said_in_one_line() {
    let folder = folder();
    // Nothing listens on a port that was free a moment ago: the scan ends at once, with one refused conversation to write.
    let [port] = free_ports();
    let ports = format!("{port}=http");
    let full = "No space left on device";
    let scan = run_in(folder.path(), &["scan", "127.0.0.1", "--ports", &ports, "--no-blocklist", "--quiet", "-o", "/dev/full"]);
    assert_one_line(&scan, &["cannot write /dev/full", full]);
    for arguments in [vec!["plan"], vec!["scan", "127.0.0.1", "--ports", &ports, "--no-blocklist", "--quiet"]] {
        let mut command = Command::new(ksig());
        command.args(&arguments).stdin(Stdio::null()).stdout(fs::File::create("/dev/full").expect("Linux has /dev/full"));
        let output = command.output().expect("ksig runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1, "{arguments:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(full), "{arguments:?}: {output:?}");
    }
}

#[test]
fn what_is_no_regular_file_is_never_replaced() {
    let folder = folder();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()), "a pipe can be made");
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::read(pipe).expect("the pipe ends when the writer closes it"))
    };
    let signatures = workspace().join("signatures").display().to_string();
    let build = run_in(folder.path(), &["build", &signatures, "-o", "pipe"]);
    // Where ksig refuses the pipe, nobody opens its other end: the reader must not wait for ever.
    drop(fs::OpenOptions::new().read(true).write(true).open(&pipe));
    let kind = fs::symlink_metadata(&pipe).expect("it is still there").file_type();
    assert!(!kind.is_file(), "`-o` replaced a pipe by a file; as root it would replace /dev/null");
    let read = reader.join().expect("the reader ends");
    assert!(build.code == Some(2) || read.starts_with(b"KSIGBNDL"), "neither refused nor written: {build:?}");
    let build = run_in(folder.path(), &["build", &signatures, "-o", "."]);
    assert_eq!(build.code, Some(2), "a folder is no place for a bundle: {build:?}");
    let left: Vec<String> = fs::read_dir(folder.path())
        .expect("our own folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(left, ["pipe"], "something was left behind");
}

#[test]
fn a_port_in_use_is_named() {
    let folder = folder();
    fs::write(folder.path().join("slow.toml"), SLOW).expect("our own folder");
    let taken = TcpListener::bind("0.0.0.0:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let sim = run_in(folder.path(), &["sim", "--population", "slow.toml", "--ports", &format!("{port}=http")]);
    assert_one_line(&sim, &[&format!("port {port}"), "Address already in use"]);
}

#[test]
fn no_scan_starts_without_a_readable_blocklist_or_outside_allowed_ranges() {
    let folder = folder();
    fs::write(folder.path().join("bad.txt"), "192.0.2.1\nnot an address\n").expect("our own folder");
    fs::write(folder.path().join("out"), "of the last scan").expect("our own folder");
    let scan = |arguments: &[&str]| run_in(folder.path(), &[&["scan", "127.0.0.1", "--ports", "9=http", "-o", "out"], arguments].concat());
    assert_one_line(&scan(&["--blocklist", "nowhere.txt"]), &["nowhere.txt", "No such file or directory"]);
    assert_one_line(&scan(&["--blocklist", "bad.txt"]), &["bad.txt:2"]);
    assert_one_line(&scan(&[]), &["no blocklist"]);
    let outside = run_in(folder.path(), &["scan", "192.0.2.1", "--ports", "9=http", "--no-blocklist", "-o", "out"]);
    assert_one_line(&outside, &["192.0.2.1"]);
    fs::write(folder.path().join("allow.txt"), "127.0.0.2\n").expect("our own folder");
    assert_one_line(&scan(&["--no-blocklist", "--allow", "allow.txt"]), &["target 1: 127.0.0.1 is not covered by the allow-list"]);
    let kept = fs::read_to_string(folder.path().join("out")).expect("still there");
    assert_eq!(kept, "of the last scan", "a scan that did not start takes nothing away");
}

#[test]
fn an_interrupted_scan_ends_cleanly_with_a_record_for_every_conversation() {
    let folder = folder();
    fs::write(folder.path().join("slow.toml"), SLOW).expect("our own folder");
    let [port] = free_ports();
    let ports = [(port, "http")];
    let simulator = simulator(folder.path(), "slow.toml", &ports, &[]);
    let mut scan = Command::new(ksig());
    scan.args(["scan", "127.16.0.1-127.16.0.60", "--ports", &spoken(&ports), "--no-blocklist", "--concurrency", "10", "-o", "out.ndjson"]);
    scan.current_dir(folder.path());
    let scan = Running::start(scan);
    wait_for_conversations(port, 10);
    scan.signal("INT");
    let scan = scan.wait();
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);

    let written = fs::read_to_string(folder.path().join("out.ndjson")).expect("observations were written");
    assert!(written.ends_with('\n'), "the last record is cut");
    let observations: Vec<serde_json::Value> = written.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect();
    let hosts: BTreeSet<&str> = observations.iter().filter_map(|observation| observation["host"].as_str()).collect();
    assert_eq!(hosts.len(), 10, "one record for each conversation that was going on: {observations:?}");
    assert!(observations.iter().all(|observation| observation["ended"] == "stopped"), "{observations:?}");
    let untouched = format!("{} targets not called", 60 - hosts.len());
    assert!(scan.stderr.contains(&untouched), "`{untouched}` is missing in:\n{}", scan.stderr);
    let identify = run_in(folder.path(), &["identify", "--input", "out.ndjson"]);
    assert_eq!(identify.code, Some(0), "what was written can be read again: {}", identify.stderr);

    simulator.signal("INT");
    assert_eq!(simulator.wait().code, Some(0), "the simulator ends cleanly, too");
}

/// Waits until so many connections to a port of 127/8 are established.
fn wait_for_conversations(port: u16, count: usize) {
    let begin = Instant::now();
    let to_port = format!(":{port:04X}");
    while begin.elapsed() < Duration::from_secs(30) {
        let table = fs::read_to_string(Path::new("/proc/net/tcp")).expect("Linux has /proc/net/tcp");
        let established = table.lines().filter(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            columns.len() > 3 && columns[2].ends_with(&to_port) && columns[3] == "01"
        });
        if established.count() >= count {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the scan has not begun {count} conversations");
}
