//! `ksig scan`: live banners, identified as they come.

use std::io::{BufWriter, Write};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use ksig_lang::say;
use ksig_scanner::Stop;

use super::calling::{CallArgs, follow_blocklist};
use super::release::ReleaseArgs;
use super::{Failure, Outcome, remark};
use crate::failure::{OrSay as _, cannot_write};
use crate::live::{LiveError, LiveHost, identify_live};

/// Scan targets and identify them as they answer; identifications go to standard output as lines of JSON
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig scan 127.0.0.1 --ports 18080=http,12222=ssh --no-blocklist\n  ksig scan 192.168.1.0/24 --blocklist opted-out.txt -o observations.ndjson --state atlas\n\nTargets outside loopback, private and benchmark ranges need --allow, --contact, --rate and a blocklist. Ctrl-C ends the scan cleanly: every conversation ends in a record."
)]
pub struct Args {
    #[command(flatten)]
    calls: CallArgs,
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
        let mut options = self.calls.options()?;
        options.rate = self.rate;
        options.check_rate()?;
        options.review = self.release.attested()?;
        let mut sinks = Sinks::open(&self)?;
        let release = Arc::new(self.release.release()?);
        self.calls.choose_ports(&mut options, &release.plan().plan().probe_plan);
        let stop = Stop::new();
        let summary = runtime()?.block_on(async {
            stop_on_interrupt(&stop);
            let scanning = identify_live(&options, &release, &stop, |host| sinks.take(host));
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
