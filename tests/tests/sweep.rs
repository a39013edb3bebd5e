//! `ksig sweep` as its users run it, on a simulated population, and what may happen to it: killed at any moment, a full disk, no descriptors,
//! a second instance, a broken disk, no free ports, an opt-out while it runs.
//!
//! `KSIG_KILLS=200 KSIG_HOSTS=50000 cargo test --workspace --test sweep killed` is the long form.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ksig_atlas::LogReader;
use ksig_scanner::PortUse;
use ksig_scanner::sim::{Population, Simulator};
use ksig_schema::{Observation, ProbeKey};
use ksig_tests::binary::{Finished, Running, ksig, run_in, workspace};

/// A number from the environment, for longer runs.
fn setting(name: &str, usual: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn population(hosts: u32) -> Population {
    let text = format!(
        r#"synthetic = true
network = "127.64.0.0/10"
hosts = {hosts}
seed = 3
[[device]]
name = "acme"
variants = [{{ model = "AR-100" }}, {{ model = "AR-200" }}]
[[device.service]]
on = "http"
[[device.service.response]]
path = "/"
headers = ["Server: ACME SYNTHETIC", "Connection: close"]
body = "<title>{{model}}</title>"
"#
    );
    Population::parse("sweep.toml", &text).expect("a population")
}

fn started(hosts: u32) -> Simulator {
    Simulator::start(population(hosts), &[PortUse { port: 0, service: Some("http".parse().expect("a service")) }]).expect("a free port")
}

/// The corpus as a bundle: a sweep that is started again and again should not compile it each time.
fn bundle(directory: &Path) -> String {
    let bundle = directory.join("sweep.kbundle").display().to_string();
    let built = run_in(workspace(), &["build", "signatures", "-o", &bundle]);
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    bundle
}

/// The command of a sweep over a simulator's hosts.
fn words(simulator: &Simulator, bundle: &str, state: &Path, more: &[&str]) -> Vec<String> {
    let hosts: Vec<_> = simulator.addresses().collect();
    let range = format!("{}-{}", hosts[0], hosts[hosts.len() - 1]);
    let port = simulator.port_of("http").expect("the port");
    let ports = format!("{port}=http");
    let state = state.display().to_string();
    let words =
        ["sweep", &range, "--ports", &ports, "--bundle", bundle, "--state", &state, "--network-gap", "0s", "--host-gap", "0s", "--quiet"];
    words.iter().chain(more).map(ToString::to_string).collect()
}

fn start(words: &[String]) -> Running {
    let mut command = Command::new(ksig());
    command.args(words);
    Running::start(command)
}

fn status(state: &Path) -> serde_json::Value {
    let state = state.display().to_string();
    let said = run_in(workspace(), &["sweep", "status", "--format", "json", "--state", &state]);
    said.json_lines().remove(0)
}

fn records(state: &Path) -> Vec<Observation> {
    LogReader::open(&state.join("log")).expect("the log").map(|record| record.expect("a whole record")).collect()
}

/// Every host that answered, and how often it was asked the same at most.
fn recorded(records: &[Observation]) -> BTreeMap<IpAddr, u32> {
    let mut asked: BTreeMap<(IpAddr, &ProbeKey), u32> = BTreeMap::new();
    for record in records.iter().filter(|record| !record.received.is_empty()) {
        *asked.entry((record.address, &record.probe)).or_default() += 1;
    }
    let mut hosts: BTreeMap<IpAddr, u32> = BTreeMap::new();
    for ((address, _), times) in asked {
        let most = hosts.entry(address).or_default();
        *most = times.max(*most);
    }
    hosts
}

fn truth(simulator: &Simulator) -> BTreeSet<IpAddr> {
    simulator.addresses().map(IpAddr::V4).collect()
}

/// A small generator: the moments of death need no more.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn a_sweep_that_is_killed_again_and_again_records_every_host_and_repeats_only_what_was_not_safe() {
    let (kills, hosts) = (setting("KSIG_KILLS", 12), setting("KSIG_HOSTS", 3000));
    let directory = tempfile::tempdir().expect("directory");
    let (bundle, state) = (bundle(directory.path()), directory.path().join("state"));
    let simulator = started(hosts);
    // A cycle that is longer than all lives and the pauses between them: the pass is never in haste, and records are renewed at its end at most.
    let cycle_ms = 1_200 * kills;
    let words = words(&simulator, &bundle, &state, &["--no-blocklist", "--cycle", &format!("{cycle_ms}ms"), "--cycles", "1"]);
    let mut seed = 20_261_127;
    let mut killed = 0;
    while killed < kills {
        let mut sweep = start(&words);
        // Real time, because what dies is a real process.
        std::thread::sleep(Duration::from_millis(100 + random(&mut seed) % 900));
        if !sweep.is_alive() {
            break;
        }
        drop(sweep);
        killed += 1;
    }
    let ended = start(&words).wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let records = records(&state);
    let recorded = recorded(&records);
    assert_eq!(recorded.keys().copied().collect::<BTreeSet<_>>(), truth(&simulator), "after {killed} kills");
    let repeated: u32 = recorded.values().map(|times| times - 1).sum();
    println!("{killed} kills, {} records of {} hosts, {repeated} repeated", records.len(), recorded.len());
    // What comes is made safe twice a second: each death repeats what came in half a second, and what was under way. Renewals at the end of the
    // cycle are no repetition, but look like one here.
    let window = killed * (1000 * hosts / cycle_ms) + hosts / 5;
    assert!(killed >= kills / 2, "the sweep was through after {killed} kills");
    assert!(repeated <= window, "{repeated} repeated, the window is {window}");
}

#[test]
fn a_second_sweep_of_the_same_state_is_refused() {
    let directory = tempfile::tempdir().expect("directory");
    let (bundle, state) = (bundle(directory.path()), directory.path().join("state"));
    let simulator = started(50);
    let words = words(&simulator, &bundle, &state, &["--no-blocklist", "--cycle", "1h"]);
    let first = start(&words);
    wait_for(&state.join("status.json"));
    let second = start(&words).wait();
    assert_eq!(second.code, Some(2), "{}", second.stderr);
    assert!(second.stderr.contains("is being written by someone else"), "{}", second.stderr);
    drop(first);
}

/// Waits until a file is there; a test that waits for ever is ended from outside.
fn wait_for(path: &Path) {
    while !path.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn who_opts_out_while_the_sweep_runs_is_not_called_any_more_and_it_is_written_down() {
    let directory = tempfile::tempdir().expect("directory");
    let (bundle, state) = (bundle(directory.path()), directory.path().join("state"));
    let blocklist = directory.path().join("blocklist");
    fs::write(&blocklist, "# nobody yet\n").expect("write");
    let simulator = started(600);
    let path = blocklist.display().to_string();
    // Each host about once a second, again and again.
    let words = words(&simulator, &bundle, &state, &["--blocklist", &path, "--cycle", "1s"]);
    let sweep = start(&words);
    wait_for(&state.join("status.json"));
    std::thread::sleep(Duration::from_millis(1500));
    // First half a list, as an interrupted copy leaves it; then the whole.
    fs::write(&blocklist, "127.64.0.0/24\n127.6").expect("write");
    std::thread::sleep(Duration::from_millis(1500));
    fs::write(&blocklist, "127.64.0.0/24\n").expect("write");
    wait_for(&state.join("opt-outs.ndjson"));
    // Conversations that were under way when the list was read have ended by now.
    std::thread::sleep(Duration::from_millis(500));
    let gone: Vec<IpAddr> = truth(&simulator).into_iter().filter(|address| address.to_string().starts_with("127.64.0.")).collect();
    let calls = |simulator: &Simulator| -> u32 {
        gone.iter()
            .map(|address| match address {
                IpAddr::V4(v4) => simulator.connects(*v4),
                IpAddr::V6(_) => 0,
            })
            .sum()
    };
    let before = calls(&simulator);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(calls(&simulator), before, "hosts that opted out were called");
    assert!(before > 0, "nobody was called before the opt-out");
    let Finished { code, stderr: text, .. } = interrupted(sweep);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("half written: its last line does not end; the blocklist of before stays"), "{text}");
    let noted = fs::read_to_string(state.join("opt-outs.ndjson")).expect("the log of opt-outs");
    assert!(noted.contains("\"added\":[\"127.64.0.0-127.64.0.255\"]") && noted.contains("\"generation\":2"), "{noted}");
    let status = status(&state);
    assert_eq!(status["hosts"], 600 - gone.len());
    assert_eq!(status["running"], false);
}

/// Ctrl-C.
fn interrupted(sweep: Running) -> Finished {
    sweep.signal("INT");
    sweep.wait()
}

#[test]
fn without_descriptors_nothing_is_lost_and_nobody_is_called_silent() {
    let directory = tempfile::tempdir().expect("directory");
    let (bundle, state) = (bundle(directory.path()), directory.path().join("state"));
    let simulator = started(400);
    let words = words(&simulator, &bundle, &state, &["--no-blocklist", "--cycle", "1s", "--cycles", "1", "--concurrency", "300"]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 60; exec \"$@\"", "sh"]).arg(ksig()).args(&words);
    let Finished { code, stderr: text, .. } = Running::start(command).wait();
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(recorded(&records(&state)).len(), truth(&simulator).len());
    let status = status(&state);
    assert_eq!((&status["counts"]["silent"], &status["doubted"]), (&0.into(), &0.into()), "{status}");
}

#[test]
fn a_full_disk_stops_the_calls_and_loses_nothing() {
    let directory = tempfile::tempdir().expect("directory");
    let (bundle, disk) = (bundle(directory.path()), directory.path().join("disk"));
    fs::create_dir(&disk).expect("a folder");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(&disk).output();
    if !mounted.is_ok_and(|mounted| mounted.status.success()) {
        println!("skipped: no small file system can be mounted here (not root?)");
        return;
    }
    let _unmount = Unmount(&disk);
    let state = disk.join("state");
    let simulator = started(2000);
    // The disk is nearly full from the beginning.
    fs::write(disk.join("filler"), vec![0; 3 << 20]).expect("the filler fits");
    let words = words(&simulator, &bundle, &state, &["--no-blocklist", "--cycle", "2s", "--cycles", "1"]);
    let mut sweep = start(&words);
    wait_for(&state.join("sweep.redb"));
    fs::write(disk.join("more"), vec![0; 6 << 20]).expect_err("the disk is full");
    std::thread::sleep(Duration::from_secs(4));
    assert!(sweep.is_alive(), "the sweep ended on a full disk: {}", sweep.kill_and_read().1);
    let calls: u32 = simulator.addresses().map(|address| simulator.connects(address)).sum();
    std::thread::sleep(Duration::from_secs(2));
    let later: u32 = simulator.addresses().map(|address| simulator.connects(address)).sum();
    assert_eq!(calls, later, "the sweep goes on calling though it cannot keep what comes");
    fs::remove_file(disk.join("more")).expect("room");
    fs::remove_file(disk.join("filler")).expect("room");
    let Finished { code, stderr: text, .. } = sweep.wait();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("cannot be kept, so nothing is called") && text.contains("is kept again"), "{text}");
    assert_eq!(recorded(&records(&state)).len(), truth(&simulator).len());
}

/// Says in one line that a test is passed over, where a command of root does not work.
fn root_can(program: &str, arguments: &str) -> bool {
    let done = Command::new(program).args(arguments.split_whitespace()).output();
    let worked = done.as_ref().is_ok_and(|done| done.status.success());
    if !worked {
        println!("skipped: `{program} {arguments}` does not work here (not root?)");
    }
    worked
}

#[test]
fn what_a_broken_disk_swallowed_is_called_again() {
    let directory = tempfile::tempdir().expect("directory");
    let bundle = bundle(directory.path());
    let [host, disk] = ["host", "disk"].map(|name| directory.path().join(name));
    fs::create_dir(&host).and_then(|()| fs::create_dir(&disk)).expect("folders");
    // A disk that lives in a file of a small file system: when that is full, the disk takes nothing, and `fsync` fails.
    if !root_can("mount", &format!("-t tmpfs -o size=24m tmpfs {}", host.display())) {
        return;
    }
    let _host = Unmount(&host);
    let image = host.join("image");
    fs::File::create(&image).and_then(|file| file.set_len(20 << 20)).expect("a sparse file");
    if !root_can("mkfs.ext2", &format!("-q -F {}", image.display()))
        || !root_can("mount", &format!("-o loop,errors=continue {} {}", image.display(), disk.display()))
    {
        return;
    }
    let _disk = Unmount(&disk);
    let state = disk.join("state");
    let simulator = started(2000);
    let words = words(&simulator, &bundle, &state, &["--no-blocklist", "--cycle", "4s", "--cycles", "1"]);
    let mut sweep = start(&words);
    while simulator.addresses().filter(|address| simulator.connects(*address) > 0).count() < 200 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let filler = host.join("filler");
    fs::write(&filler, vec![0; 32 << 20]).expect_err("the disk of the disk is full");
    std::thread::sleep(Duration::from_secs(4));
    let held = sweep.is_alive();
    fs::remove_file(&filler).expect("room");
    std::thread::sleep(Duration::from_secs(2));
    // A power cut right behind it: what the kernel only remembers is gone.
    let told = if held { sweep.kill_and_read().1 } else { sweep.wait().stderr };
    println!("{told}");
    assert!(told.contains("cannot be kept") || told.contains("could not be kept"), "{told}");
    let ended = start(&words).wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // A segment that could not be synchronised may hold damaged records; what was in them stands in the next one.
    let records: Vec<Observation> = LogReader::open(&state.join("log")).expect("the log").filter_map(Result::ok).collect();
    assert_eq!(recorded(&records).len(), truth(&simulator).len());
}

/// A namespace with its loopback, gone when this is dropped. Absent where none can be made.
struct Namespace(String);

impl Namespace {
    fn new(name: &str) -> Option<Namespace> {
        let name = format!("ks{name}{}", std::process::id());
        if !root_can("ip", &format!("netns add {name}")) {
            return None;
        }
        let namespace = Namespace(name);
        root_can("ip", &format!("-n {} link set lo up", namespace.0)).then_some(namespace)
    }

    fn within(&self, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0]).arg(program);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

const OVER_UDP: &str = r#"synthetic = true
network = "127.64.0.0/24"
hosts = 30
[[device]]
name = "acme"
[[device.service]]
on = "ssdp"
[[device.service.datagram]]
text = "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nSERVER: ACME/1\r\n\r\n"
"#;

const OVER_UDP_SIGNATURE: &str = r#"ksig 1
module acme
vendor acme { name "ACME" }
signature box {
  summary "An ACME box, by its answer to a search"
  evidence derived "SYNTHETIC: the population of this test"
  probe search = ssdp.msearch(st: "upnp:rootdevice")
  match { search.server == "ACME/1" }
  identify { vendor = acme; model = "Box" }
}
"#;

#[test]
fn without_free_ports_nothing_is_lost_and_nobody_is_called_silent() {
    let Some(namespace) = Namespace::new("p") else { return };
    let directory = tempfile::tempdir().expect("directory");
    fs::write(directory.path().join("population.toml"), OVER_UDP).expect("write");
    fs::write(directory.path().join("acme.ksig"), OVER_UDP_SIGNATURE).expect("write");
    let mut simulating = namespace.within(&ksig());
    simulating.args(["sim", "--population", "population.toml", "--ports", "19000=ssdp", "--truth", "truth"]).current_dir(directory.path());
    let simulator = Running::start(simulating);
    wait_for(&directory.path().join("truth"));
    // Each talk over UDP holds a port of its own: of thirty, ten find one.
    let limited = namespace.within(Path::new("sysctl")).args(["-qw", "net.ipv4.ip_local_port_range=40000 40009"]).status();
    assert!(limited.is_ok_and(|limited| limited.success()), "the ports of a namespace are its own");
    let mut sweeping = namespace.within(&ksig());
    let state = directory.path().join("state");
    sweeping.args(["sweep", "127.64.0.1-127.64.0.30", "--ports", "19000=ssdp", "--signatures", "acme.ksig", "--no-blocklist", "--quiet"]);
    sweeping.args(["--cycle", "1s", "--cycles", "1", "--network-gap", "0s", "--host-gap", "0s", "--state"]).arg(&state);
    let Finished { code, stderr: text, .. } = Running::start({
        sweeping.current_dir(directory.path());
        sweeping
    })
    .wait();
    drop(simulator);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(recorded(&records(&state)).len(), 30);
    let status = status(&state);
    assert!(status["counts"]["ours"].as_u64() > Some(0), "every talk found a port: {status}");
    assert_eq!((&status["counts"]["silent"], &status["doubted"]), (&0.into(), &0.into()), "{status}");
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        // Lazily: a process that is about to end may still hold a file.
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn who_is_asked_for_is_called_at_once() {
    let directory = tempfile::tempdir().expect("directory");
    let (bundle, state) = (bundle(directory.path()), directory.path().join("state"));
    let simulator = started(300);
    let words = words(&simulator, &bundle, &state, &["--no-blocklist", "--cycle", "30d"]);
    let sweep = start(&words);
    wait_for(&state.join("status.json"));
    let host = simulator.addresses().nth(150).expect("a host");
    let asked = run_in(workspace(), &["sweep", "ask", &host.to_string(), "--state", &state.display().to_string()]);
    assert_eq!(asked.code, Some(0), "{}", asked.stderr);
    while simulator.connects(host) == 0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    let Finished { code, stderr: text, .. } = interrupted(sweep);
    assert_eq!(code, Some(0), "{text}");
    assert!(records(&state).iter().any(|record| record.address == IpAddr::V4(host) && !record.received.is_empty()));
}
