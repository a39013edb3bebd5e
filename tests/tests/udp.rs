//! From a datagram to a name: simulated devices and servers of Debian, asked by `ksig scan` as a user runs it. All devices are SYNTHETIC.
//!
//! A server that is not installed is passed over and named; `.ci/run prepare` installs them all.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use ksig_tests::binary::{Running, answers_over_udp, free_ports, run_in, simulator, spoken};
use serde_json::Value;

const POPULATION: &str = r#"
synthetic = true
network = "127.28.0.0/16"
hosts = 16
seed = 3

[[device]]
name = "recorder"
variants = [{ model = "AC-300", version = "1.02" }, { model = "AC-310", version = "2.10" }]
[device.truth]
vendor = "acme"
model = "{model}"
version = "{version}"
[[device.service]]
on = "ssdp"
[[device.service.datagram]]
to = "M-SEARCH"
text = "HTTP/1.1 200 OK\r\nSERVER: ACME-Recorder/{version} UPnP/1.0 {model}/1\r\nST: upnp:rootdevice\r\nUSN: uuid:{hex:8}::upnp:rootdevice\r\n\r\n"

[[device]]
name = "switch"
variants = [{ model = "AC-24", version = "5.0" }, { model = "AC-48", version = "5.1" }]
[device.truth]
vendor = "acme"
model = "{model}"
version = "{version}"
[[device.service]]
on = "snmp"
[device.service.agent]
object = [
    { id = "1.3.6.1.2.1.1.1.0", text = "ACME {model} switch, release {version}" },
    { id = "1.3.6.1.2.1.1.2.0", object_id = "1.3.6.1.4.1.0.24" },
    { id = "1.3.6.1.2.1.1.5.0", text = "switch" },
    { id = "1.3.6.1.2.1.1.7.0", number = 2 },
]

[[device]]
name = "controller"
variants = [{ model = "AC-CPU1", version = "01.20" }, { model = "AC-CPU2", version = "02.01" }]
[device.truth]
vendor = "acme"
model = "{model}"
version = "{version}"
[[device.service]]
on = "fins"
[[device.service.datagram]]
to = "k\u0005\u0001"
text = "{bytes:c000020063000000006b05010000}{model}             {version}{bytes:00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001417800008010000000000}"

[[device]]
name = "web-alone"
[[device.service]]
on = "http"
[[device.service.response]]
path = "/"
body = "<title>ACME</title>"
"#;

const SIGNATURES: &str = r#"ksig 1
module acme

vendor acme { name "ACME" }

signature recorder {
  summary "ACME recorder, by its answer to a search"
  evidence derived "SYNTHETIC: the population of this test"
  probe search = ssdp.msearch(st: "upnp:rootdevice")
  match { search.server ~ /^ACME-Recorder\/(?<fw: version(dotted)>[\d.]+) UPnP\/1\.0 (?<model>AC-\d+)\// }
  identify { vendor = acme; model = model; version = fw }
}

signature switch {
  summary "ACME switch, by its system description"
  evidence derived "SYNTHETIC: the population of this test"
  probe sys = snmp.get(community: public) { safety review; requires policy.snmp_public }
  match { sys.sys_descr ~ /^ACME (?<model>AC-\d+) switch, release (?<fw: version(dotted)>[\d.]+)$/ }
  identify { vendor = acme; model = model; version = fw }
}

signature controller {
  summary "ACME controller, by its model"
  evidence derived "SYNTHETIC: the population of this test"
  probe cpu = fins.controller() { safety review }
  match { cpu.model ~ /^(?<model>AC-CPU\d)$/; cpu.version ~ /^(?<fw: version(dotted)>[\d.]+)$/ }
  identify { vendor = acme; model = model; version = fw }
}
"#;

fn said(line: &Value) -> [Option<&str>; 3] {
    ["vendor", "model", "version"].map(|slot| line[slot].as_str())
}

#[test]
fn devices_are_named_by_what_they_answer_over_udp() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("population.toml"), POPULATION).expect("a temporary folder can be written");
    fs::write(folder.path().join("acme.ksig"), SIGNATURES).expect("a temporary folder can be written");
    let [ssdp, snmp, fins, http] = free_ports();
    let ports = [(ssdp, "ssdp"), (snmp, "snmp"), (fins, "fins"), (http, "http")];
    let simulator = simulator(folder.path(), "population.toml", &ports, &["--truth", "truth.ndjson"]);
    let udp = spoken(&ports[..3]);
    let scan = |more: &[&str]| {
        let arguments = ["scan", "127.28.0.1-127.28.0.16", "--ports", &udp, "--signatures", "acme.ksig", "--no-blocklist", "--quiet"];
        let scan = run_in(folder.path(), &[&arguments, more].concat());
        assert_eq!(scan.code, Some(0), "{}", scan.stderr);
        scan.json_lines()
    };
    // A community is a credential in form: without somebody who answers for it, nobody is asked over SNMP.
    let unattested = scan(&[]);
    let attested = scan(&["--attest", "the test of this file, for its own simulated hosts", "--snmp-public"]);
    drop(simulator);

    let named = |lines: &[Value]| -> BTreeMap<String, Vec<Value>> {
        let mut by_address: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for line in lines.iter().filter(|line| !line["port"].is_null()) {
            let found = line["identifications"].as_array().expect("a list").clone();
            by_address.entry(line["address"].as_str().expect("an address").into()).or_default().extend(found);
        }
        by_address
    };
    let (unattested, attested) = (named(&unattested), named(&attested));
    let truth = fs::read_to_string(folder.path().join("truth.ndjson")).expect("the simulator wrote the truth");
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for truth in truth.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON")) {
        let (address, device) = (truth["address"].as_str().expect("an address"), truth["device"].as_str().expect("a name"));
        let said_of = |named: &BTreeMap<String, Vec<Value>>| -> Vec<Vec<Option<String>>> {
            named.get(address).into_iter().flatten().map(|one| said(one).map(|slot| slot.map(str::to_owned)).to_vec()).collect()
        };
        let right = vec![said(&truth).map(|slot| slot.map(str::to_owned)).to_vec()];
        assert_eq!(said_of(&attested), if truth["known"] == true { right.clone() } else { vec![] }, "{device} at {address}");
        assert_eq!(said_of(&unattested), if device == "recorder" { right } else { vec![] }, "{device} at {address}");
        *seen.entry(device.into()).or_default() += 1;
    }
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["controller", "recorder", "switch", "web-alone"], "{seen:?}");
}

const OF_SERVERS: &str = r#"ksig 1
module servers

vendor acme { name "ACME" }

signature agent {
  summary "An agent with Net-SNMP's engine that is told to be an ACME AC-24"
  evidence derived "SYNTHETIC: the description in this test's configuration"
  probe sys = snmp.get(community: public) { safety review; requires policy.snmp_public }
  probe engine = snmp.engine()
  match {
    sys.sys_descr ~ /^ACME (?<model>AC-\d+), release (?<fw: version(dotted)>[\d.]+)$/
    engine.enterprise == 8072
  }
  identify { vendor = acme; model = model; version = fw }
}

signature names {
  summary "dnsmasq, by what it says of itself"
  evidence derived "SYNTHETIC: dnsmasq is an ACME Names to this test"
  probe names = dns.version_bind()
  match { names.version_bind ~ /^dnsmasq-(?<v: version(dotted)>[\d.]+)$/ }
  identify { vendor = acme; model = "Names"; version = v }
}
"#;

/// Starts a server and waits until it listens. Absent, with a line that says so, where it is not installed.
fn started(program: &str, package: &str, folder: &Path, arguments: &[&str], port: u16) -> Option<Running> {
    let path = Path::new("/usr/sbin").join(program);
    if !path.is_file() {
        println!("skipped {program}: {package} is not installed; `.ci/run prepare` installs it");
        return None;
    }
    let mut command = Command::new(path);
    command.args(arguments).current_dir(folder).env("SNMP_PERSISTENT_DIR", folder);
    let mut running = Running::start(command);
    assert!(answers_over_udp(port), "{program} does not listen:\n{}", running.kill_and_read().1);
    Some(running)
}

/// What a scan of loopback names on a port, as models with versions.
fn named_on(folder: &Path, port: u16, service: &str) -> Vec<(String, Option<String>)> {
    fs::write(folder.join("servers.ksig"), OF_SERVERS).expect("a temporary folder can be written");
    let ports = format!("{port}={service}");
    let arguments = ["scan", "127.0.0.1", "--ports", &ports, "--signatures", "servers.ksig", "--no-blocklist", "--quiet"];
    let attested = ["--attest", "the test of this file, for its own server", "--snmp-public"];
    let scan = run_in(folder, &[&arguments[..], &attested].concat());
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let lines = scan.json_lines();
    let services = lines.iter().filter(|line| !line["port"].is_null());
    let found = services.flat_map(|line| line["identifications"].as_array().into_iter().flatten());
    let text = |one: &Value, slot: &str| one[slot].as_str().map(str::to_owned);
    found.map(|one| (text(one, "model").unwrap_or_default(), text(one, "version"))).collect()
}

#[test]
fn an_agent_of_net_snmp_is_read_in_versions_1_and_3() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [port] = free_ports();
    let text =
        format!("agentAddress udp:127.0.0.1:{port}\nrocommunity public 127.0.0.1\nsysDescr ACME AC-24, release 5.1\nsysServices 2\n");
    fs::write(folder.path().join("snmpd.conf"), text).expect("a temporary folder can be written");
    let Some(server) = started("snmpd", "snmpd", folder.path(), &["-f", "-C", "-c", "snmpd.conf", "-Lo", "-p", "pid"], port) else {
        return;
    };
    let found = named_on(folder.path(), port, "snmp");
    drop(server);
    assert_eq!(found, [("AC-24".to_string(), Some("5.1".to_string()))]);
}

#[test]
fn a_name_server_says_its_version() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [port] = free_ports();
    let at = format!("--port={port}");
    let quiet = ["--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--pid-file=pid", "--listen-address=127.0.0.1", "--bind-interfaces"];
    let arguments = [&["--keep-in-foreground", "--user=root", &at][..], &quiet].concat();
    let Some(server) = started("dnsmasq", "dnsmasq-base", folder.path(), &arguments, port) else { return };
    let found = named_on(folder.path(), port, "dns");
    drop(server);
    let said = Command::new("/usr/sbin/dnsmasq").arg("--version").output().expect("it is installed").stdout;
    let said = String::from_utf8(said).expect("its version is ASCII");
    let version = said.split_whitespace().nth(2).expect("Dnsmasq version 2.90 ...");
    assert_eq!(found, [("Names".to_string(), Some(version.to_string()))]);
}
