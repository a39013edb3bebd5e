//! `ksig scan`: live banners, identified as they come.

use std::io::{BufWriter, Write};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use ksig_lang::say;
use ksig_scanner::{HostObservations, Stop};

use super::calling::{CallArgs, follow_blocklist};
use super::release::ReleaseArgs;
use super::{Failure, Outcome, remark};
use crate::failure::{OrSay as _, cannot_write, failed};
use crate::live::{LiveError, LiveHost, identify_live, record_live};

/// Scan targets and identify them as they answer; identifications go to standard output as lines of JSON
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig scan 127.0.0.1 --ports 18080=http,12222=ssh --no-blocklist\n  ksig scan 192.168.1.0/24 --blocklist opted-out.txt -o observations.ndjson --state atlas\n  ksig discover 192.168.0.0/16 --ports 80,443 --blocklist opted-out.txt | ksig scan --feed - --blocklist opted-out.txt -o observations.ndjson\n\nTargets outside loopback, private and benchmark ranges need --allow, --contact, --rate and a blocklist. Ctrl-C ends the scan cleanly: every conversation ends in a record."
)]
pub struct Args {
    #[command(flatten)]
    calls: CallArgs,
    /// Call the ports that were found open, and no others: what `ksig discover`, zmap, masscan or nmap wrote, in any of their forms; `-` is
    /// standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "targets", "country"])]
    feed: Option<PathBuf>,
    #[command(flatten)]
    release: ReleaseArgs,
    /// Most connections begun in a second
    #[arg(long)]
    rate: Option<NonZeroU32>,
    /// Write observations there, as lines of JSON that `ksig identify` reads
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Append observations to the log of this state directory
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Identify nothing now: only keep observations, which any release can identify later
    #[arg(long)]
    no_identify: bool,
    /// Do not show progress
    #[arg(long)]
    quiet: bool,
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
        if self.no_identify && self.output.is_none() && self.state.is_none() {
            return Err(failed(say!(
                "--no-identify keeps observations: say where, with -o or --state",
                "--no-identifyは観測を保存します。保存先を-oまたは--stateで指定してください"
            )));
        }
        let mut options = match &self.feed {
            Some(feed) => self.calls.options_of_feed(feed)?,
            None => self.calls.options()?,
        };
        options.rate = self.rate;
        options.check_rate()?;
        options.review = self.release.attested()?;
        let mut sinks = Sinks::open(&self)?;
        let release = Arc::new(self.release.release()?);
        self.calls.choose_ports(&mut options, &release.plan().plan().probe_plan);
        let stop = Stop::new();
        let summary = runtime()?.block_on(async {
            stop_on_interrupt(&stop);
            let scanning = async {
                match self.no_identify {
                    true => record_live(&options, &release, &stop, |hosts| sinks.keep(hosts)).await,
                    false => identify_live(&options, &release, &stop, |host| sinks.take(host)).await,
                }
            };
            let opt_outs = self.state.as_deref().map(crate::store::opt_outs_file);
            tokio::select! {
                summary = scanning => summary,
                () = super::progress::show(Arc::clone(&options.progress)), if !self.quiet => unreachable!("progress is shown for ever"),
                () = follow_blocklist(&options, opt_outs) => unreachable!("the blocklist is followed for ever"),
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

    fn keep(&mut self, hosts: &[HostObservations]) -> Result<(), Failure> {
        let observations = || hosts.iter().flat_map(|host| &host.observations);
        if let Some((path, file)) = &mut self.observations {
            let written = observations().try_for_each(|observation| {
                serde_json::to_writer(&mut *file, observation).map_err(std::io::Error::from).and_then(|()| file.write_all(b"\n"))
            });
            written.and_then(|()| file.flush()).or_say(|| cannot_write(path.display()))?;
        }
        if let Some(log) = &mut self.log {
            crate::store::append(log, observations())?;
        }
        Ok(())
    }

    /// Observations first: an answer can be computed again, an observation cannot.
    fn take(&mut self, host: &LiveHost<'_>) -> Result<(), Failure> {
        self.keep(std::slice::from_ref(host.observations))?;
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
