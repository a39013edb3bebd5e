//! From a socket to a name, where one answer is not enough: a follow to a place that a page names, and a signature about two ports of a host.
//!
//! `ksig sim` answers and `ksig scan` asks, as a user runs them. Everything is SYNTHETIC.

use std::collections::BTreeMap;
use std::fs;

use ksig_tests::binary::{free_ports, run_in, simulator, spoken};
use serde_json::Value;

/// The script of a page stands where only the page says; every other path answers with another model.
const POPULATION: &str = r#"
synthetic = true
network = "127.24.0.0/13"
hosts = 24
seed = 7

[[device]]
name = "setup-1"
[device.truth]
vendor = "acme"
model = "AC-100"
version = "1.02"
[[device.service]]
on = ["http"]
[[device.service.response]]
path = "/"
body = '<title>ACME setup</title><script>load("/parts/a81.js?v=3")</script>'
[[device.service.response]]
path = "/parts/a81.js"
headers = ['Content-Type: text/javascript']
body = 'var model = "AC-100", firmware = "1.02";'
[[device.service.response]]
path = "*"
body = 'var model = "AC-0", firmware = "0.0";'

[[device]]
name = "setup-2"
[device.truth]
vendor = "acme"
model = "AC-200"
version = "2.10"
[[device.service]]
on = ["http"]
[[device.service.response]]
path = "/"
body = '<title>ACME setup</title><script>load("/q/7.js")</script>'
[[device.service.response]]
path = "/q/7.js"
headers = ['Content-Type: text/javascript']
body = 'var model = "AC-200", firmware = "2.10";'
[[device.service.response]]
path = "*"
body = 'var model = "AC-0", firmware = "0.0";'

[[device]]
name = "camera"
variants = [{ model = "AC-520", version = "3.1" }, { model = "AC-530", version = "4.0" }]
[device.truth]
vendor = "acme"
model = "{model}"
version = "{version}"
[[device.service]]
on = ["http"]
[[device.service.response]]
path = "/"
body = '<title>ACME Camera {model}</title>'
[[device.service.response]]
path = "/login.html"
body = '<title>Firmware {version}</title>'
[[device.service]]
on = "ssh"
greeting = "SSH-2.0-ACME_1.0\r\n"

[[device]]
name = "hub"
[device.truth]
vendor = "acme"
model = "AC-700"
version = "7.1"
[[device.service]]
on = ["http"]
[[device.service.response]]
path = "/"
body = '<title>ACME Hub AC-700</title>'
[[device.service.response]]
path = "/about.html"
body = '<title>7.1</title>'
[[device.service]]
on = "ssh"
greeting = "SSH-2.0-Apex\r\n"

[[device]]
name = "page-alone"
[[device.service]]
on = ["http"]
[[device.service.response]]
path = "/"
body = '<title>ACME Camera AC-9</title>'
[[device.service.response]]
path = "/login.html"
body = '<title>Firmware 9.9</title>'

[[device]]
name = "shell-alone"
[[device.service]]
on = "ssh"
greeting = "SSH-2.0-ACME_1.0\r\n"
"#;

const SIGNATURES: &str = r#"ksig 1
module acme

vendor acme { name "ACME" }

probe top = http.get("/")

signature setup {
  summary "ACME setup page, whose script tells model and firmware"
  evidence derived "SYNTHETIC: the population of this test"
  match {
    top.html.title == "ACME setup"
    top.body ~ /load\("(?<part: path>\/[^"]+)"\)/
  }
  follow about = http.get(part)
  extract {
    model: text = about.body ~ /model = "(?<_>[^"]+)"/
    fw: version(dotted) = about.body ~ /firmware = "(?<_>[\d.]+)"/
  }
  identify { vendor = acme; model = model; version = fw }

  test "a page and its script" {
    given top = http { html.title: "ACME setup", body: "load(\"/a.js\")" }
    given about = http { body: "model = \"AC-1\", firmware = \"1.2\"" }
    expect identify { model: "AC-1", version: v"1.2" }
  }
  example "ACME" in top.html.title => nothing
}

signature camera {
  scope host
  summary "ACME camera, by its page and its SSH server"
  evidence derived "SYNTHETIC: the population of this test"
  probe shell = ssh.banner()
  match {
    top.html.title ~ /^ACME Camera (?<model>AC-\d+)$/
    shell.software starts "ACME_"
  }
  follow login = http.get("/login.html") at top
  extract { fw: version(dotted) = login.html.title ~ /^Firmware (?<_>[\d.]+)$/ }
  identify { vendor = acme; model = model; version = fw }

  test "both ports" {
    given top = http { html.title: "ACME Camera AC-1" }
    given shell = ssh { software: "ACME_1.0" }
    given login = http { html.title: "Firmware 1.0" }
    expect identify { model: "AC-1", version: v"1.0" }
  }
  test "the page alone" {
    given top = http { html.title: "ACME Camera AC-1" }
    expect no_match
  }
}

/// One probe: its service is the one that a follow asks.
signature hub {
  scope host
  summary "ACME hub, by its page"
  evidence derived "SYNTHETIC: the population of this test"
  match { top.html.title ~ /^ACME Hub (?<model>AC-\d+)$/ }
  follow about = http.get("/about.html")
  extract { fw: version(dotted) = about.html.title }
  identify { vendor = acme; model = model; version = fw }

  test "a page and another" {
    given top = http { html.title: "ACME Hub AC-1" }
    given about = http { html.title: "1.0" }
    expect identify { model: "AC-1", version: v"1.0" }
  }
  example "ACME" in top.html.title => nothing
}
"#;

/// What a line of an answer or of the truth says of a device.
fn said(line: &Value) -> [Option<&str>; 3] {
    ["vendor", "model", "version"].map(|slot| line[slot].as_str())
}

/// The truth of a population and what a scan said of it, by address.
struct Scanned {
    truth: BTreeMap<String, Value>,
    /// Lines of services and of the host.
    lines: BTreeMap<String, Vec<Value>>,
    http: u16,
    ssh: u16,
}

/// Starts the simulator and scans it.
fn scanned() -> Scanned {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("population.toml"), POPULATION).expect("a temporary folder can be written");
    fs::write(folder.path().join("acme.ksig"), SIGNATURES).expect("a temporary folder can be written");
    let [http, ssh] = free_ports();
    let ports = [(http, "http"), (ssh, "ssh")];
    let simulator = simulator(folder.path(), "population.toml", &ports, &["--truth", "truth.ndjson"]);
    let arguments =
        ["scan", "127.24.0.1-127.24.0.24", "--ports", &spoken(&ports), "--signatures", "acme.ksig", "--no-blocklist", "--quiet"];
    let scan = run_in(folder.path(), &arguments);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    drop(simulator);
    let address = |line: &Value| line["address"].as_str().expect("a line has an address").to_owned();
    let truth = fs::read_to_string(folder.path().join("truth.ndjson")).expect("the simulator wrote the truth");
    let truth = truth.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON")).map(|line| (address(&line), line));
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in scan.json_lines() {
        found.entry(address(&line)).or_default().push(line);
    }
    Scanned { truth: truth.collect(), lines: found, http, ssh }
}

#[test]
fn a_place_that_a_page_names_and_two_ports_of_a_host_identify_a_device() {
    let Scanned { truth, lines: found, http, ssh } = scanned();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (address, truth) in &truth {
        let device = truth["device"].as_str().expect("a device has a name");
        *seen.entry(device).or_default() += 1;
        let lines = &found[address];
        let host: Vec<&Value> =
            lines.iter().filter(|line| line["port"].is_null()).flat_map(|line| line["identifications"].as_array().unwrap()).collect();
        if truth["known"] == true {
            assert_eq!(host.iter().map(|one| said(one)).collect::<Vec<_>>(), [said(truth)], "{device} at {address}: {lines:#?}");
        } else {
            assert!(host.is_empty(), "{device} at {address}: {lines:#?}");
        }
        // The signature about the host says nothing of one service, and names the port of each fact that decided.
        let services = lines.iter().filter(|line| !line["port"].is_null());
        let of_services = services.flat_map(|line| line["identifications"].as_array().unwrap()).count();
        assert_eq!(of_services, usize::from(device.starts_with("setup")), "{device} at {address}: {lines:#?}");
        if device == "camera" {
            let ports: Vec<u64> = host[0]["proof"].as_array().unwrap().iter().filter_map(|fact| fact["port"].as_u64()).collect();
            assert!(ports.contains(&u64::from(http)) && ports.contains(&u64::from(ssh)), "{host:#?}");
        }
    }
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), ["camera", "hub", "page-alone", "setup-1", "setup-2", "shell-alone"], "{seen:?}");
}
