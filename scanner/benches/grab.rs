//! Hosts per CPU-second: connect, GET, read, on loopback. The scanner beside a bare tokio loop that does the same and nothing else.
//!
//! The population lives in a child process, so that its work is not counted. `cargo bench -p ksig-scanner --bench grab [-- HOSTS]`.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ksig_protocols::ScanIdentity;
use ksig_scanner::sim::{Population, Simulator};
use ksig_scanner::{HostObservations, ScanOptions, Stop, TargetSet, parse_ports, scan};
use ksig_schema::probe::NoFollowUps;
use ksig_schema::{PlannedProbe, ProbeKey, ProbePlan, Request, Safety, Time};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::mpsc;

const HOSTS: u32 = 20_000;
const ROUNDS: usize = 3;
const CONVERSATIONS: usize = 256;

fn population(hosts: u32) -> Population {
    let text = format!(
        r#"synthetic = true
network = "127.32.0.0/12"
hosts = {hosts}
[[device]]
name = "acme"
[[device.service]]
on = "http"
[[device.service.response]]
path = "/"
headers = ["Server: ACME SYNTHETIC", "Content-Type: text/html", "Connection: close"]
body = "<html><head><title>{{address}}</title></head><body>{}</body></html>"
"#,
        "x".repeat(800)
    );
    Population::parse("bench", &text).expect("the population of the bench")
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(HOSTS);
    match arguments.first().map(String::as_str) {
        Some("serve") => serve(number(1)),
        Some("scan") => scan_round(number(1)),
        Some("bare") => bare_round(number(1)),
        _ => compare(number(0)),
    }
}

/// Each round in a process of its own: warm-up, peak memory and CPU time belong to nobody else.
fn compare(hosts: u32) {
    for _ in 0..ROUNDS {
        for what in ["bare", "scan"] {
            let status = myself().args([what, &hosts.to_string()]).status();
            assert!(status.is_ok_and(|status| status.success()), "the round failed");
        }
    }
}

fn myself() -> Command {
    Command::new(std::env::current_exe().expect("the bench's own path"))
}

/// Serves until standard input closes.
fn serve(hosts: u32) {
    let population = population(hosts);
    let ports = population.free_ports();
    let simulator = Simulator::start(population, &ports).expect("a free port");
    println!("{}", simulator.port_of("http").expect("http"));
    let _ = std::io::stdin().read_line(&mut String::new());
}

struct Served {
    child: Child,
    port: u16,
    addresses: Vec<IpAddr>,
}

fn served(hosts: u32) -> Served {
    let mut child =
        myself().args(["serve", &hosts.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the simulator's process");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("the port");
    let port = line.trim().parse().expect("a port");
    let addresses = population(hosts).every_host().map(|host| IpAddr::V4(host.address)).collect();
    Served { child, port, addresses }
}

fn report(what: &str, hosts: u64, bytes: u64, begun: Instant, cpu_before: Duration) {
    let cpu = cpu_time() - cpu_before;
    let rate = |time: Duration| hosts as f64 / time.as_secs_f64();
    println!(
        "{what}: {hosts} hosts, {bytes} bytes, {:.2} CPU-s, {:.0} hosts per CPU-second, {:.0} per second, {} MiB at most",
        cpu.as_secs_f64(),
        rate(cpu),
        rate(begun.elapsed()),
        peak_memory_mib(),
    );
}

/// User and system time of this process (`proc(5)`: fields 14 and 15, in hundredths of a second).
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("/proc");
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = behind_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn scan_round(hosts: u32) {
    let mut served = served(hosts);
    let targets = TargetSet::of_addresses(served.addresses.iter().copied()).expect("loopback");
    let ports = parse_ports(&format!("{}=http", served.port)).expect("a port");
    let identity = ScanIdentity { contact: "https://scan.example/".into() };
    let mut options = ScanOptions::new(targets, ports, identity, Arc::new(Time::now));
    options.no_blocklist = true;
    options.threads = Some(NonZeroUsize::MIN);
    options.conversations_max = NonZeroUsize::new(CONVERSATIONS);
    let probe = PlannedProbe {
        request: Request::Exactly(ProbeKey::with("http.get", "/")),
        ports: Vec::new(),
        any_tls: false,
        follow_up: false,
        safety: Safety::Benign,
    };
    let plan = ProbePlan { probes: vec![probe] };
    let (begun, before) = (Instant::now(), cpu_time());
    let bytes = runtime().block_on(async {
        let (out, mut hosts) = mpsc::channel::<HostObservations>(1024);
        let listen = async {
            let mut bytes = 0;
            while let Some(host) = hosts.recv().await {
                bytes += host.observations.iter().map(|observation| observation.received.len() as u64).sum::<u64>();
            }
            bytes
        };
        let stop = Stop::new();
        let (summary, bytes) = tokio::join!(scan(&options, &plan, Arc::new(NoFollowUps), &stop, out), listen);
        assert_eq!(summary.expect("the scan begins").hosts, u64::from(options.targets.count() as u32));
        bytes
    });
    report("scan", served.addresses.len() as u64, bytes, begun, before);
    let _ = served.child.kill();
}

fn bare_round(hosts: u32) {
    let mut served = served(hosts);
    let (addresses, port) = (Arc::new(served.addresses.clone()), served.port);
    let (next, bytes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (begun, before) = (Instant::now(), cpu_time());
    runtime().block_on(async {
        let workers: Vec<_> =
            (0..CONVERSATIONS).map(|_| tokio::spawn(bare_worker(addresses.clone(), port, next.clone(), bytes.clone()))).collect();
        for worker in workers {
            worker.await.expect("a worker");
        }
    });
    report("bare", served.addresses.len() as u64, bytes.load(Relaxed), begun, before);
    let _ = served.child.kill();
}

async fn bare_worker(addresses: Arc<Vec<IpAddr>>, port: u16, next: Arc<AtomicU64>, bytes: Arc<AtomicU64>) {
    let mut buffer = vec![0; 16 << 10];
    while let Some(address) = addresses.get(next.fetch_add(1, Relaxed) as usize) {
        let talk = async {
            let mut stream = TcpSocket::new_v4()?.connect(SocketAddr::new(*address, port)).await?;
            let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nUser-Agent: bench\r\nAccept: */*\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await?;
            let mut length = 0;
            loop {
                match stream.read(&mut buffer[length..]).await? {
                    0 => return std::io::Result::Ok(length),
                    count => length += count,
                }
            }
        };
        let length = tokio::time::timeout(Duration::from_secs(10), talk).await.expect("in time").expect("an answer");
        bytes.fetch_add(length as u64, Relaxed);
    }
}
