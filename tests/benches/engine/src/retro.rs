//! Old observations identified anew: a log is read, decoded and identified on two cores.
//!
//! `tests/benches/engine/run retro [COUNT]`. Rows go to `target/bench/retro.ndjson`. The log is written by `LogWriter` below `target/bench/retro`,
//! and removed afterwards. Its answers are those of the simulator's demo population, fetched over sockets, each page made longer by an invented one
//! (`ksig_tests::pages`) so that the mean is about 2 KB and equal pages are rare; two in five of the answers are unknown to every signature.
//!
//! | row | what runs |
//! |---|---|
//! | `read` | `LogReader`: checksums, zstd, bodies that were stored once |
//! | `decode` | `ksig_protocols::evidence` |
//! | `identify` | `Release::identify` of the bundled signatures: match, resolve and answer |
//! | `rematch` | `ksig::store::rematch`, what `ksig atlas rematch` runs: all of these and a new index, one after the other |
//!
//! The medians are CPU nanoseconds an observation; the other figure of `identify` is the clock's for the whole pipeline, one thread that reads and
//! two that decode and identify.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use cpu_time::ThreadTime;
use ksig::{Engine, Release};
use ksig_atlas::{LogReader, LogWriter};
use ksig_scanner::sim::{Population, Simulator};
use ksig_schema::{Ended, Observation, ProbeKey, Transport};
use ksig_tests::bench::{Row, Rows};
use ksig_tests::pages::Pages;

const COUNT: usize = 100_000;
/// Different hosts whose answers are fetched.
const HOSTS: u32 = 2_000;
/// Answers that do not end, as some faults have them, are left out.
const ANSWER_BYTES_MAX: u64 = 16 << 10;
/// Longest page that is put into an answer.
const PAGE_BYTES_MAX: usize = 3_400;
/// Observations that are handed over together.
const BATCH: usize = 256;
const WORKERS: usize = 2;
const EXTRAPOLATED: f64 = 25e6;

pub fn run(count: Option<usize>) -> Result<()> {
    let count = count.unwrap_or(COUNT);
    let state = ksig_tests::binary::workspace().join("target/bench/retro");
    drop(std::fs::remove_dir_all(&state));
    let begin = Instant::now();
    let bytes = write(&ksig::store::log_dir(&state), count)?;
    let stored: u64 = std::fs::read_dir(ksig::store::log_dir(&state))?.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).sum();
    let mean = bytes / count;
    println!("{count} observations, {mean} bytes each, {} MB on disk, written in {:.1} s", stored >> 20, begin.elapsed().as_secs_f64());

    let release = Release::bundled(Engine::Jit).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut rows = Rows::begin("retro");
    let mut add = |bench, nanoseconds: Duration, clock: Duration| {
        let each = |took: Duration| took.as_nanos() as u64 / count as u64;
        rows.add(&Row {
            bench,
            engine: "jit".into(),
            order: "-",
            corpus: format!("{count} of {mean} bytes"),
            ns_median: each(nanoseconds),
            ns_p99: each(clock),
            rss_mb: peak_mb(),
            equal: None,
        });
    };
    let begin = Instant::now();
    let spent = pipeline(&ksig::store::log_dir(&state), &release)?;
    let clock = begin.elapsed();
    add("read", spent.read, clock);
    add("decode", spent.decode, clock);
    add("identify", spent.identify, clock);
    println!(
        "{} answers identify something; {:.2} s by the clock on {WORKERS} cores and one that reads; 25 million: {:.0} s",
        spent.identified,
        clock.as_secs_f64(),
        clock.as_secs_f64() * EXTRAPOLATED / count as f64
    );
    let (begin, cpu) = (Instant::now(), cpu_time::ProcessTime::now());
    ksig::store::rematch(&state, &release, &mut |_| {})?;
    add("rematch", cpu.elapsed(), begin.elapsed());
    std::fs::remove_dir_all(&state)?;
    Ok(())
}

/// Writes the log; says how many bytes were received in all.
fn write(log: &Path, count: usize) -> Result<usize> {
    let population = Population::read(&ksig_tests::binary::workspace().join("scanner/populations/demo.toml"))?;
    let ports = population.free_ports();
    let simulator = Simulator::start(population, &ports)?;
    let port = simulator.port_of("http").context("the population speaks http")?;
    let answers: Vec<(Ipv4Addr, Vec<u8>)> =
        simulator.addresses().take(HOSTS as usize).filter_map(|address| Some((address, fetch(address, port)?))).collect();
    println!("{} of {HOSTS} hosts answer", answers.len());
    let (mut writer, _) = LogWriter::open(log)?;
    let mut pages = Pages::new(1);
    let mut bytes = 0;
    for at in 0..count {
        let (address, answer) = &answers[at % answers.len()];
        let received = longer(answer, &mut pages);
        bytes += received.len();
        let host = format!("{address}/{at}");
        writer.append(&Observation {
            id: at.to_string(),
            host,
            address: (*address).into(),
            port: 80,
            transport: Transport::Tcp,
            probe: ProbeKey::with("http.get", "/"),
            sent: "GET / HTTP/1.1\\r\\n".into(),
            received,
            ended: Ended::Eof,
            time: ksig_schema::Time::new(1_790_000_000 + at as i64, 0)?,
        })?;
    }
    writer.commit()?;
    Ok(bytes)
}

fn fetch(address: Ipv4Addr, port: u16) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((address, port)), Duration::from_millis(500)).ok()?;
    stream.set_read_timeout(Some(Duration::from_millis(300))).ok()?;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes()).ok()?;
    let mut received = Vec::new();
    // What came before a time limit counts too.
    drop(stream.take(ANSWER_BYTES_MAX).read_to_end(&mut received));
    (!received.is_empty() && (received.len() as u64) < ANSWER_BYTES_MAX).then_some(received)
}

/// An answer of HTML with an invented page behind its own.
fn longer(answer: &[u8], pages: &mut Pages) -> Vec<u8> {
    let text = String::from_utf8_lossy(answer);
    let Some(end) = text.find("\r\n\r\n").filter(|end| text[..*end].to_ascii_lowercase().contains("text/html")) else {
        return answer.to_vec();
    };
    let head = answer[..end.min(answer.len())].split(|byte| *byte == b'\n');
    let kept = head.filter(|line| !line.to_ascii_lowercase().starts_with(b"content-length"));
    let mut out: Vec<u8> = kept.map(<[u8]>::to_vec).collect::<Vec<_>>().join(&b'\n');
    out.extend_from_slice(&answer[end.min(answer.len())..]);
    let bytes = 300 + pages.below(PAGE_BYTES_MAX);
    out.extend_from_slice(pages.page(bytes, &[]).as_bytes());
    out
}

/// CPU time of each phase, all threads.
#[derive(Default)]
struct Spent {
    read: Duration,
    decode: Duration,
    identify: Duration,
    identified: usize,
}

fn pipeline(log: &Path, release: &Release) -> Result<Spent> {
    let (sender, receiver) = sync_channel::<Vec<Observation>>(16);
    let (receiver, spent) = (Mutex::new(receiver), Mutex::new(Spent::default()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let mut own = Spent::default();
                loop {
                    let batch = receiver.lock().expect("no worker panics").recv();
                    let Ok(batch) = batch else { break };
                    let begin = ThreadTime::now();
                    let evidence = ksig_protocols::evidence(&batch);
                    let decoded = begin.elapsed();
                    let answers = evidence.iter().map(|evidence| release.identify(evidence));
                    own.identified += answers.filter(|answers| !answers[0].identifications.is_empty()).count();
                    own.decode += decoded;
                    own.identify += begin.elapsed() - decoded;
                }
                let mut spent = spent.lock().expect("no worker panics");
                spent.decode += own.decode;
                spent.identify += own.identify;
                spent.identified += own.identified;
            });
        }
        let begin = ThreadTime::now();
        let mut batch = Vec::with_capacity(BATCH);
        for observation in LogReader::open(log)? {
            batch.push(observation?);
            if batch.len() == BATCH {
                sender.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))?;
            }
        }
        sender.send(batch)?;
        drop(sender);
        spent.lock().expect("no worker panics").read = begin.elapsed();
        Ok::<(), anyhow::Error>(())
    })?;
    Ok(spent.into_inner().expect("no worker panics"))
}

/// The most that this process ever had resident, in megabytes.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() / 1024
}
