//! `ksig scan`: live banners, identified as they come.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;

use ksig_lang::say;
use ksig_protocols::ScanIdentity;
use ksig_scanner::{Blocklist, PortUse, ScanOptions, Stop, TalkLimits, TargetSet, parse_ports};
use ksig_schema::Time;

use super::release::ReleaseArgs;
use super::{Failure, Outcome, remark};
use crate::failure::{OrSay as _, cannot_write};
use crate::live::{LiveError, LiveHost, identify_live};

/// Scan targets and identify them as they answer; identifications go to standard output as lines of JSON
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig scan 127.0.0.1 --ports 18080=http,12222=ssh --no-blocklist\n  ksig scan 192.168.1.0/24 --blocklist opted-out.txt -o observations.ndjson --state atlas\n\nTargets outside loopback, private and benchmark ranges are refused. Ctrl-C ends the scan cleanly: every conversation ends in a record."
)]
pub struct Args {
    /// Addresses, ranges (a-b) and CIDRs, separated by blanks
    #[arg(required_unless_present = "targets")]
    target: Vec<String>,
    /// A file of them, one a line
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// Ports, and what speaks there: 80,443,18080=http,12222=ssh. Without it, the ports that the release expects
    #[arg(long)]
    ports: Option<String>,
    #[command(flatten)]
    release: ReleaseArgs,
    /// Most connections begun in a second
    #[arg(long)]
    rate: Option<NonZeroU32>,
    /// Most conversations at once
    #[arg(long)]
    concurrency: Option<NonZeroUsize>,
    /// File of addresses and CIDRs that opted out
    #[arg(long, value_name = "FILE", conflicts_with = "no_blocklist")]
    blocklist: Option<PathBuf>,
    /// There is no blocklist, and that is meant
    #[arg(long)]
    no_blocklist: bool,
    /// Contact shown in every protocol that has a place for it
    #[arg(long, default_value = "https://ksig.example/scan")]
    contact: String,
    /// Longest wait for a connection, in milliseconds
    #[arg(long, default_value_t = TalkLimits::default().connect_ms)]
    connect_timeout_ms: u64,
    /// Longest wait for the first byte, in milliseconds
    #[arg(long, default_value_t = TalkLimits::default().first_byte_ms)]
    first_byte_timeout_ms: u64,
    /// Longest whole conversation, in milliseconds
    #[arg(long, default_value_t = TalkLimits::default().total_ms)]
    total_timeout_ms: u64,
    /// Write observations there, as lines of JSON that `ksig identify` reads
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Append observations to the log of this state directory
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Do not show progress
    #[arg(long)]
    quiet: bool,
}

/// Today's clock: the one place where a scan learns the time.
pub(super) fn now() -> Time {
    Time::now()
}

/// One runtime for the scan's main loop; the scanner's threads have their own.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().or_say(|| say!("cannot start", "開始できません"))
}

/// Ctrl-C stops the scan; a second one is left to the system.
pub(super) fn stop_on_interrupt(stop: &Stop) {
    let stop = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            remark("stopping: waiting for the conversations that are going on");
            stop.stop();
        }
    });
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let mut options = self.options()?;
        options.review = self.release.attested()?;
        let mut sinks = Sinks::open(&self)?;
        let release = Arc::new(self.release.release()?);
        if self.ports.is_none() {
            options.ports = expected_ports(&release.plan().plan().probe_plan);
        }
        let stop = Stop::new();
        let summary = runtime()?.block_on(async {
            stop_on_interrupt(&stop);
            let scanning = identify_live(&options, &release, &stop, |host| sinks.take(host));
            if self.quiet {
                return scanning.await;
            }
            tokio::select! {
                summary = scanning => summary,
                () = super::progress::show(Arc::clone(&options.progress)) => unreachable!("progress is shown for ever"),
            }
        });
        let closed = sinks.close();
        let summary = summary.map_err(LiveError::into_failure)?;
        closed?;
        if !self.quiet {
            let ended = summary.ended.iter().map(|(end, count)| format!("{count} {}", word(end))).collect::<Vec<_>>().join(", ");
            let stopped = if summary.stopped { format!("; stopped, {} targets not called", summary.untouched) } else { String::new() };
            remark(&format!("{} hosts, {} blocked; conversations: {ended}{stopped}", summary.hosts, summary.blocked));
        }
        Ok(Outcome::Fine)
    }

    fn options(&self) -> Result<ScanOptions, Failure> {
        let targets = match &self.targets {
            Some(path) => TargetSet::read(path)?,
            None => TargetSet::parse(self.target.iter().map(String::as_str))?,
        };
        let ports = match &self.ports {
            Some(text) => parse_ports(text)?,
            None => Vec::new(),
        };
        let identity = ScanIdentity { contact: self.contact.clone() };
        let mut options = ScanOptions::new(targets, ports, identity, Arc::new(now));
        options.blocklist = self.blocklist.as_deref().map(Blocklist::read).transpose()?.map(Arc::new);
        options.no_blocklist = self.no_blocklist;
        // Said here, before the output is opened: a scan that does not start leaves the observations of the last one alone.
        if options.blocklist.is_none() && !options.no_blocklist {
            return Err(ksig_scanner::ScanError::NoBlocklist.into());
        }
        options.rate = self.rate;
        options.conversations_max = self.concurrency;
        options.limits.connect_ms = self.connect_timeout_ms;
        options.limits.first_byte_ms = self.first_byte_timeout_ms;
        options.limits.total_ms = self.total_timeout_ms;
        Ok(options)
    }
}

/// Every port where the release expects an answer.
fn expected_ports(plan: &ksig_schema::ProbePlan) -> Vec<PortUse> {
    let ports: BTreeSet<u16> = plan.probes.iter().filter(|probe| !probe.follow_up).flat_map(|probe| probe.ports.iter().copied()).collect();
    ports.into_iter().map(|port| PortUse { port, service: None }).collect()
}

fn word(end: &ksig_schema::Ended) -> String {
    serde_json::to_value(end).ok().and_then(|value| value.as_str().map(str::to_string)).unwrap_or_default()
}

/// Where a live host goes.
struct Sinks {
    answers: BufWriter<std::io::Stdout>,
    observations: Option<(PathBuf, BufWriter<std::fs::File>)>,
    log: Option<ksig_atlas::LogWriter>,
}

impl Sinks {
    fn open(args: &Args) -> Result<Sinks, Failure> {
        let observations = match &args.output {
            Some(path) => {
                let file = std::fs::File::create(path).or_say(|| cannot_write(path.display()))?;
                Some((path.clone(), BufWriter::new(file)))
            }
            None => None,
        };
        let log = match &args.state {
            Some(state) => {
                let (log, damaged) = super::open_log(state)?;
                damaged.iter().for_each(|damaged| remark(&damaged.to_string()));
                Some(log)
            }
            None => None,
        };
        Ok(Sinks { answers: BufWriter::new(std::io::stdout()), observations, log })
    }

    /// Observations first: an answer can be computed again, an observation cannot.
    fn take(&mut self, host: &LiveHost) -> Result<(), Failure> {
        if let Some((path, file)) = &mut self.observations {
            let written = host.observations.observations.iter().try_for_each(|observation| {
                serde_json::to_writer(&mut *file, observation).map_err(std::io::Error::from).and_then(|()| file.write_all(b"\n"))
            });
            written.and_then(|()| file.flush()).or_say(|| cannot_write(path.display()))?;
        }
        if let Some(log) = &mut self.log {
            crate::store::append(log, &host.observations.observations)?;
        }
        for answer in host.evidence.iter().flat_map(|(_, answers)| answers) {
            self.answers.write_all(crate::plain::json(&serde_json::to_value(answer)?)?.as_bytes())?;
            self.answers.write_all(b"\n")?;
        }
        self.answers.flush()?;
        Ok(())
    }

    fn close(mut self) -> Result<(), Failure> {
        if let Some(log) = &mut self.log {
            log.commit()?;
        }
        self.answers.flush()?;
        Ok(())
    }
}
