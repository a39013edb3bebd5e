//! Keys of SSH servers: what `ksig scan` reads is what the server's own tools say, however keys are exchanged.
//!
//! A server that is not installed is passed over and named; `.ci/run prepare` installs them all.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ksig_schema::{Ended, Observation, Response, Sections};
use ksig_tests::binary::{Running, answers, free_ports, run_in, simulator};

const SIGNATURES: &str = r#"ksig 1
module ssh

vendor acme { name "ACME" }

signature shown {
  summary "A server that shows a key"
  evidence derived "SYNTHETIC: any server is an ACME to this test"
  probe ssh = ssh.host_key()
  match { ssh.key.type ~ /^(?<model>[a-z0-9-]+)$/ }
  identify { vendor = acme; model = model }
}
"#;

/// What a scan read of the server on a port of that address.
fn read(folder: &Path, address: &str, port: u16) -> Response {
    fs::write(folder.join("ssh.ksig"), SIGNATURES).expect("a temporary folder can be written");
    let ports = format!("{port}=ssh");
    let arguments = ["scan", address, "--ports", &ports, "--signatures", "ssh.ksig", "--no-blocklist", "-o", "seen.ndjson", "--quiet"];
    let scan = run_in(folder, &arguments);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let seen = fs::read_to_string(folder.join("seen.ndjson")).expect("the scan wrote its observations");
    let observations = seen.lines().map(|line| serde_json::from_str::<Observation>(line).expect("a line of observations"));
    let mut keys = observations.filter(|observation| observation.probe.constructor == "ssh.host_key");
    ksig_protocols::decode(&keys.next().expect("one conversation"))
}

/// Kind and fingerprint of the key that a scan read, as OpenSSH writes them.
fn key(response: &Response) -> Option<(String, String)> {
    let digest = response.facts.get("ssh.key.sha256", None).first()?.as_bytes()?.to_vec();
    Some((response.facts.text("ssh.key.type")?.to_string(), format!("SHA256:{}", STANDARD_NO_PAD.encode(digest))))
}

/// What `ssh-keygen` says of a public key.
fn fingerprint(public: &Path) -> String {
    let said = Command::new("ssh-keygen").args(["-l", "-E", "sha256", "-f"]).arg(public).output().expect("it comes with the server");
    let said = String::from_utf8(said.stdout).expect("text");
    said.split_whitespace().nth(1).expect("a fingerprint").to_string()
}

fn installed(program: &str, package: &str) -> bool {
    let there = Path::new(program).is_file();
    if !there {
        println!("skipped {program}: {package} is not installed; `.ci/run prepare` installs it");
    }
    there
}

fn made(kind: &str, folder: &Path) -> std::path::PathBuf {
    let path = folder.join(format!("key-{kind}"));
    let made = Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", "", "-f"]).arg(&path).status().expect("it comes with the server");
    assert!(made.success());
    path
}

#[test]
fn the_key_of_openssh_is_read_by_every_exchange() {
    if !installed("/usr/sbin/sshd", "openssh-server") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    // sshd refuses to run as root without the folder that it locks its children in; who is not root needs none.
    let _ = fs::create_dir_all("/run/sshd");
    let [ed25519, ecdsa, rsa] = ["ed25519", "ecdsa", "rsa"].map(|kind| (kind, made(kind, folder.path())));
    for (exchange, (kind, key_file)) in [
        ("curve25519-sha256", &ed25519),
        ("curve25519-sha256@libssh.org", &ecdsa),
        ("ecdh-sha2-nistp256", &rsa),
        ("ecdh-sha2-nistp384", &ed25519),
        ("ecdh-sha2-nistp521", &ed25519),
        ("diffie-hellman-group1-sha1", &rsa),
        ("diffie-hellman-group14-sha1", &rsa),
        ("diffie-hellman-group14-sha256", &ed25519),
        ("diffie-hellman-group16-sha512", &ed25519),
        ("diffie-hellman-group18-sha512", &ed25519),
        ("diffie-hellman-group-exchange-sha1", &ecdsa),
        ("diffie-hellman-group-exchange-sha256", &ed25519),
    ] {
        let [port] = free_ports();
        let mut command = Command::new("/usr/sbin/sshd");
        let chosen = format!("KexAlgorithms={exchange}");
        command.args(["-D", "-e", "-f", "/dev/null", "-p", &port.to_string(), "-h"]).arg(key_file);
        command.args(["-o", "ListenAddress=127.0.0.1", "-o", "UsePAM=no", "-o", "PidFile=none", "-o", &chosen]);
        let mut server = Running::start(command);
        assert!(answers(port), "sshd does not answer:\n{}", server.kill_and_read().1);
        let response = read(folder.path(), "127.0.0.1", port);
        let said = server.kill_and_read().1;
        let public = key_file.with_extension("pub");
        let (kind_read, fingerprint_read) = key(&response).unwrap_or_else(|| panic!("{exchange}, {kind}: no key;\n{said}"));
        assert_eq!(fingerprint_read, fingerprint(&public), "{exchange}");
        assert!(fs::read_to_string(&public).expect("our own file").starts_with(&kind_read), "{exchange}: {kind_read}");
        assert_eq!((response.ended, response.complete), (Ended::Complete, Sections::ALL), "{exchange}");
        assert_eq!(response.facts.get("ssh.offer.kex", None)[0].to_string(), exchange);
        // Before anybody could log in: sshd tells every user name that it hears.
        assert!(!said.contains("user") && !said.contains("invalid public"), "{exchange}: {said}");
    }
}

#[test]
fn the_key_of_dropbear_is_read() {
    if !installed("/usr/sbin/dropbear", "dropbear-bin") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key_file = folder.path().join("key");
    let made = Command::new("dropbearkey").args(["-t", "rsa", "-f"]).arg(&key_file).output().expect("it comes with the server");
    let said = String::from_utf8(made.stdout).expect("text");
    let public = folder.path().join("key.pub");
    fs::write(&public, said.lines().find(|line| line.starts_with("ssh-rsa ")).expect("its public key")).expect("our own folder");
    let [port] = free_ports();
    let mut command = Command::new("/usr/sbin/dropbear");
    command.args(["-F", "-E", "-p", &format!("127.0.0.1:{port}"), "-r"]).arg(&key_file).arg("-P").arg(folder.path().join("pid"));
    let mut server = Running::start(command);
    assert!(answers(port), "dropbear does not answer:\n{}", server.kill_and_read().1);
    let response = read(folder.path(), "127.0.0.1", port);
    // By its file, for without OpenSSH there is no `ssh-keygen`.
    let blob = fs::read_to_string(&public).expect("our own file");
    let blob = STANDARD.decode(blob.split_whitespace().nth(1).expect("the key")).expect("base64");
    assert!(blob.starts_with(b"\0\0\0\x07ssh-rsa"));
    let (kind, shown) = key(&response).expect("a key");
    assert_eq!(kind, "ssh-rsa");
    if Path::new("/usr/bin/ssh-keygen").is_file() {
        assert_eq!(shown, fingerprint(&public));
    }
}

const POPULATION: &str = r#"
synthetic = true
network = "127.29.0.0/16"
hosts = 4
seed = 5

[[device]]
name = "one-key-for-all"
[[device.service]]
on = "ssh"
greeting = "SSH-2.0-ACME\r\n"
host_key = "in the firmware"
"#;

#[test]
fn simulated_servers_show_a_key_that_others_take_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("population.toml"), POPULATION).expect("a temporary folder can be written");
    let [port] = free_ports();
    let simulator = simulator(folder.path(), "population.toml", &[(port, "ssh")], &[]);
    let first = key(&read(folder.path(), "127.29.0.1", port)).expect("a key");
    let second = key(&read(folder.path(), "127.29.0.4", port)).expect("a key");
    assert_eq!(first, second);
    assert_eq!(first.0, "ssh-ed25519");
    if installed("/usr/bin/ssh-keyscan", "openssh-client") {
        // It checks the signature before it prints the key.
        let scan =
            Command::new("ssh-keyscan").args(["-t", "ed25519", "-p", &port.to_string(), "127.29.0.2"]).output().expect("it is there");
        let line = String::from_utf8(scan.stdout).expect("text");
        let public = folder.path().join("scanned.pub");
        let shown = line.split_once(' ').map(|(_, key)| key).unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&scan.stderr)));
        fs::write(&public, shown).expect("our own folder");
        assert_eq!(fingerprint(&public), first.1);
    }
    drop(simulator);
}
