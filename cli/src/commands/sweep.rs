//! `ksig sweep`: the whole target set again and again, at the pace of a cycle.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ksig_lang::say;
use ksig_scanner::Stop;
use ksig_scanner::order::Permutation;
use ksig_scanner::sweep::{Aims, Knock, Knocking, Manners, News, SweepOptions, Systems, sweep};
use tokio::sync::mpsc;

use super::calling::{CallArgs, LinkArgs, duration, follow_blocklist, shard};
use super::release::ReleaseArgs;
use super::{Failure, Outcome, answer, remark};
use crate::failure::{OrSay as _, cannot_read, cannot_write};
use crate::sweeping::{LogLedger, Report, asked_dir, status_file, take_asked};
use crate::{store, whole};

/// Scan a target set again and again, at the pace of a cycle, and keep what comes; goes on where it ended, however it ended
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  ksig sweep 192.168.0.0/16 --blocklist opted-out.txt --cycle 14d --state japan\n  ksig sweep status --state japan\n  ksig sweep ask 192.168.7.9 --state japan\n  ksig atlas rematch --state japan       # identify everything that was kept\n\nCtrl-C ends it cleanly; after kill -9 or a power cut the same command goes on, and calls again what was not safe yet."
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<SweepCommand>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(clap::Subcommand)]
enum SweepCommand {
    /// Say where the sweep of a state directory stands
    #[command(after_help = "Example:\n  ksig sweep status --state japan --format json")]
    Status {
        /// The state directory
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// text or json
        #[arg(long, default_value = "text", value_parser = ["text", "json"])]
        format: String,
    },
    /// Have hosts called before all others, on every port of the sweep
    #[command(after_help = "Example:\n  ksig sweep ask 192.168.7.9 192.168.7.10 --state japan")]
    Ask {
        /// Addresses
        #[arg(required = true)]
        address: Vec<IpAddr>,
        /// The state directory
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
    },
}

#[derive(clap::Args)]
struct RunArgs {
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    release: ReleaseArgs,
    /// How long a pass through the whole set takes, and how old a record may become: 14d, 36h, 90m
    #[arg(long, default_value = "14d", value_parser = duration)]
    cycle: Duration,
    /// The state directory: the log of observations, and where the sweep stands
    #[arg(long, value_name = "DIR", required = true)]
    state: Option<PathBuf>,
    /// Most calls a second, whatever the cycle needs
    #[arg(long)]
    rate: Option<NonZeroU32>,
    /// Find open ports with one SYN packet each instead of a connection; needs CAP_NET_RAW
    #[arg(long)]
    packets: bool,
    /// How long the answer to a packet is waited for
    #[arg(long, default_value = "8s", value_parser = duration)]
    packet_patience: Duration,
    #[command(flatten)]
    link: LinkArgs,
    /// Least time between two calls into one /24 (IPv6: /48)
    #[arg(long, default_value = "1s", value_parser = duration)]
    network_gap: Duration,
    /// Least time between two calls to one host
    #[arg(long, default_value = "1s", value_parser = duration)]
    host_gap: Duration,
    /// Most calls a day to a host whose services are known
    #[arg(long, default_value_t = Manners::default().host_day_max)]
    host_day_max: u32,
    /// Which network belongs to which autonomous system: lines of prefix, length, system
    #[arg(long, value_name = "FILE")]
    systems: Option<PathBuf>,
    /// Most calls a second into one autonomous system
    #[arg(long, requires = "systems")]
    system_rate: Option<NonZeroU32>,
    /// An own host that always answers; when none does, nothing is called and silence does not count
    #[arg(long, value_name = "ADDR:PORT")]
    canary: Vec<SocketAddr>,
    /// Sweep the I-th of N parts of the set, each of whole networks: 1/4
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<(u32, u32)>,
    /// End when so many passes are through, counted from the first ever; without it, go on until stopped
    #[arg(long, value_name = "N")]
    cycles: Option<u32>,
    /// Do not show progress
    #[arg(long)]
    quiet: bool,
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        match self.command {
            Some(SweepCommand::Status { state, format }) => status(&state, &format),
            Some(SweepCommand::Ask { address, state }) => ask(&address, &state),
            None => self.run.run(),
        }
    }
}

fn status(state: &Path, format: &str) -> Result<Outcome, Failure> {
    let path = status_file(state);
    let text = std::fs::read_to_string(&path).or_say(|| cannot_read(path.display()))?;
    let report: Report = serde_json::from_str(&text).or_say(|| cannot_read(path.display()))?;
    if format == "json" {
        answer(&format!("{}\n", crate::plain::json(&report)?))?;
    } else {
        answer(&report.table(super::calling::now()))?;
    }
    Ok(Outcome::Fine)
}

fn ask(addresses: &[IpAddr], state: &Path) -> Result<Outcome, Failure> {
    let directory = asked_dir(state);
    std::fs::create_dir_all(&directory).or_say(|| cannot_write(directory.display()))?;
    let text: String = addresses.iter().map(|address| format!("{address}\n")).collect();
    let path = directory.join(format!("{}-{}.txt", super::calling::now().as_nanosecond(), std::process::id()));
    whole::write(&path, text.as_bytes()).or_say(|| cannot_write(path.display()))?;
    remark(&format!("{} hosts asked for; the sweep calls them as soon as manners allow", addresses.len()));
    Ok(Outcome::Fine)
}

impl RunArgs {
    fn run(self) -> Result<Outcome, Failure> {
        // Absent only before a subcommand.
        let state = self.state.as_deref().or_say(|| say!("name a state directory", "状態ディレクトリーを指定してください"))?;
        let mut scan = self.calls.options()?;
        scan.review = self.release.attested()?;
        if let Some((index, count)) = self.shard {
            scan.targets = scan
                .targets
                .part(index - 1, count)
                .filter(|part| part.count() > 0)
                .or_say(|| say!("part {index} of {count} has no target", "{count}分割の{index}番目には対象がありません"))?;
        }
        let release = Arc::new(self.release.release()?);
        let plan = &release.plan().plan().probe_plan;
        self.calls.choose_ports(&mut scan, plan);
        let aims = Aims {
            knock: if self.packets { Knock::Packet } else { Knock::Connection },
            cycle: self.cycle,
            rate: self.rate,
            manners: self.manners()?,
            key: Permutation::random_key()?,
        };
        std::fs::create_dir_all(state).or_say(|| cannot_write(state.display()))?;
        let knocking = Knocking { link: self.link.hints(), patience: self.packet_patience };
        let options =
            SweepOptions { scan, aims, knocking, state: state.join("sweep.redb"), canaries: self.canary.clone(), last_cycle: self.cycles };
        let (log, damaged) = super::open_log(state)?;
        damaged.iter().for_each(|damaged| remark(&damaged.to_string()));
        let mut ledger = LogLedger::new(log);
        let stop = Stop::new();
        let mut watcher = Watcher { state, screen: super::progress::Screen::new(self.quiet), standing: None };
        let standing = super::scan::runtime()?.block_on(async {
            super::scan::stop_on_interrupt(&stop);
            let (asks, asked) = mpsc::channel(1);
            let gate = Arc::clone(&release) as Arc<dyn ksig_schema::Gate>;
            let mut watch = |news: News<'_>| watcher.take(news);
            let sweeping = sweep(&options, plan, gate, &stop, &mut ledger, asked, &mut watch);
            tokio::select! {
                standing = sweeping => standing,
                () = take_asked(state, asks) => unreachable!("asking goes on for ever"),
                () = follow_blocklist(&options.scan, Some(store::opt_outs_file(state))) => unreachable!("the blocklist is followed for ever"),
            }
        })?;
        watcher.end(&standing)?;
        Ok(Outcome::Fine)
    }

    fn manners(&self) -> Result<Manners, Failure> {
        Ok(Manners {
            network_gap: self.network_gap,
            host_gap: self.host_gap,
            host_day_max: self.host_day_max,
            system_rate: self.system_rate,
            systems: self.systems.as_deref().map(Systems::read).transpose()?.unwrap_or_default(),
        })
    }
}

/// Shows what a sweep says of itself, and writes it down for `ksig sweep status` and for whoever collects metrics.
struct Watcher<'a> {
    state: &'a Path,
    screen: super::progress::Screen,
    standing: Option<ksig_scanner::sweep::Standing>,
}

impl Watcher<'_> {
    fn take(&mut self, news: News<'_>) {
        match news {
            News::Standing(standing) => {
                let report = Report { standing: *standing, running: true };
                self.screen.show(&report.lines());
                // A disk that is full for a moment takes the next one.
                let _ = report.write(self.state);
                self.standing = Some(*standing);
            }
            News::Held(reason) => self.screen.remark(&format!("what comes cannot be kept, so nothing is called: {reason}")),
            News::Resumed => self.screen.remark("what comes is kept again; going on"),
            News::Deaf => self.screen.remark("no canary answers: our own connection is at fault; nothing is called until one does"),
        }
    }

    fn end(mut self, standing: &ksig_scanner::sweep::Standing) -> Result<(), Failure> {
        self.screen.end();
        let report = Report { standing: *standing, running: false };
        report.write(self.state).or_say(|| cannot_write(status_file(self.state).display()))?;
        self.screen.remark(&report.line());
        Ok(())
    }
}
