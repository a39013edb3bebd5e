//! `ksig discover`: which ports take connections, by one packet each.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ksig_lang::say;
use ksig_scanner::discovery::{Answer, DiscoverCounts, DiscoverError, DiscoverOptions, Method, PortState, discover};
use ksig_scanner::order::Permutation;
use ksig_scanner::{Blocklist, ScanError, Stop, parse_ports};
use serde::{Deserialize, Serialize};

use super::calling::{LinkArgs, WhomArgs, duration, shard};
use super::{Failure, Outcome, remark};
use crate::failure::{OrSay as _, cannot_read, cannot_write, failed};
use crate::whole;

/// Packets or connections a second in own networks.
const RATE: NonZeroU32 = NonZeroU32::new(10_000).expect("not zero");

/// Find open ports: with one SYN packet each where CAP_NET_RAW is given, with a connection each otherwise
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig discover 192.168.0.0/16 --ports 80,443,8000-8100 --blocklist opted-out.txt --rate 1000 -o open.txt\n  ksig discover 192.168.0.0/16 --ports 80 --no-blocklist --checkpoint half.json -o open.txt   # the same command goes on\n  ksig discover 127.0.0.1 --ports 8000-8100 --connect --no-blocklist --cooldown 1s\n\nTargets outside loopback, private and benchmark ranges need --allow, --contact, --rate and a blocklist. Each line of the answer is an address, a port and its state. Ctrl-C ends it cleanly."
)]
pub struct Args {
    #[command(flatten)]
    whom: WhomArgs,
    /// Ports and ranges of ports: 80,443,8000-8100
    #[arg(long)]
    ports: String,
    /// Make a connection to each port that is closed at once, as anybody may, instead of sending a packet
    #[arg(long)]
    connect: bool,
    /// Packets or connections a second; 10000 in own networks, and to be named for public addresses
    #[arg(long)]
    rate: Option<NonZeroU32>,
    /// How long answers are waited for after the last packet, or each connection is
    #[arg(long, default_value = "8s", value_parser = duration)]
    cooldown: Duration,
    /// The I-th of N parts of the order: 1/4. All of them need the same --key
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "key")]
    shard: Option<(u32, u32)>,
    /// The key of the order; random without it
    #[arg(long, value_name = "NUMBER")]
    key: Option<u64>,
    /// Where the run stands is kept there, and a run that finds the file goes on behind it
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    link: LinkArgs,
    /// Tell closed, unreachable and prohibited ports too
    #[arg(long)]
    all: bool,
    /// Write answers there; without it, to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// text, csv or json (lines)
    #[arg(long, default_value = "text", value_parser = ["text", "csv", "json"])]
    format: String,
    /// Do not show progress
    #[arg(long)]
    quiet: bool,
}

/// Where a run stands.
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    /// The key of its order.
    key: u64,
    /// Tells its targets from others.
    targets: u64,
    ports: Vec<u16>,
    shard: (u64, u64),
    /// Places that are through, with all their answers.
    settled: u64,
}

impl Checkpoint {
    fn read(path: &Path) -> Result<Option<Checkpoint>, Failure> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).or_say(|| cannot_read(path.display()))?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).or_say(|| cannot_read(path.display())),
        }
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        whole::write(path, &serde_json::to_vec(self)?)
    }
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let targets = self.whom.targets()?;
        let ports = parse_ports(&self.ports)?.iter().map(|port| port.port).collect();
        let blocklist = self.whom.blocklist()?.unwrap_or_else(|| Arc::new(Blocklist::nobody()));
        let rate = match self.rate {
            Some(rate) => rate,
            None if targets.reaches_public() => return Err(ScanError::NoRate.into()),
            None => RATE,
        };
        let (index, count) = self.shard.map_or((0, 1), |(index, count)| (u64::from(index) - 1, u64::from(count)));
        let mut options = DiscoverOptions {
            method: if self.connect { Method::Connect } else { Method::Syn },
            order_key: match self.key {
                Some(key) => key,
                None => Permutation::random_key()?,
            },
            targets,
            ports,
            blocklist,
            rate,
            cooldown: self.cooldown,
            shard: (index, count),
            skip: 0,
            link: self.link.hints(),
        };
        let resumed = self.resume(&mut options)?;
        let mut out = Output::open(self.output.as_deref(), &self.format, resumed)?;
        let stop = Stop::new();
        let mut screen = super::progress::Screen::new(self.quiet);
        let mut failure = None;
        let counts = std::thread::scope(|scope| {
            let (stopped, followed) = (stop.clone(), Arc::clone(&options.blocklist));
            let (ended, end) = tokio::sync::oneshot::channel::<()>();
            scope.spawn(move || {
                let Ok(runtime) = super::scan::runtime() else { return };
                runtime.block_on(async {
                    super::scan::stop_on_interrupt(&stopped);
                    tokio::select! {
                        _ = end => {}
                        () = super::calling::follow(&followed, None) => unreachable!("the blocklist is followed for ever"),
                    }
                });
            });
            let mut answered = |answer: Answer| {
                if (self.all || answer.state == PortState::Open)
                    && let Err(error) = out.write(&answer)
                {
                    failure.get_or_insert(error);
                    stop.stop();
                }
            };
            let mut shown = 0u32;
            let mut told = |counts: &DiscoverCounts| {
                screen.show(&line(counts));
                shown += 1;
                // About once a second; a disk that is full for a moment takes the next one.
                if let Some(path) = self.checkpoint.as_deref().filter(|_| shown.is_multiple_of(5)) {
                    let _ = checkpoint(&options, counts.settled).write(path);
                }
            };
            let mut counts = discover(&options, &stop, &mut answered, &mut told);
            let instead = match &counts {
                Err(DiscoverError::NotAllowed(error)) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    Some("packets need CAP_NET_RAW, which is not given")
                }
                Err(DiscoverError::Loopback) => Some("packets do not go to loopback addresses"),
                _ => None,
            };
            if let Some(reason) = instead {
                remark(&format!("{reason}: connections are made instead"));
                counts = discover(&DiscoverOptions { method: Method::Connect, ..options.clone() }, &stop, &mut answered, &mut told);
            }
            let _ = ended.send(());
            counts
        });
        screen.end();
        if let Some(error) = failure {
            return Err(error).or_say(|| say!("cannot write the answers", "結果を書き込めません"));
        }
        let counts = counts?;
        out.flush().or_say(|| say!("cannot write the answers", "結果を書き込めません"))?;
        if let Some(path) = &self.checkpoint {
            checkpoint(&options, counts.settled).write(path).or_say(|| cannot_write(path.display()))?;
        }
        if !self.quiet {
            remark(&line(&counts));
        }
        Ok(Outcome::Fine)
    }

    /// Goes on behind what an earlier run had; says whether there was one.
    fn resume(&self, options: &mut DiscoverOptions) -> Result<bool, Failure> {
        let Some(path) = &self.checkpoint else { return Ok(false) };
        let Some(kept) = Checkpoint::read(path)? else { return Ok(false) };
        if self.key.is_none() {
            options.order_key = kept.key;
        }
        if kept != checkpoint(options, kept.settled) {
            let path = path.display();
            return Err(failed(say!(
                "{path} belongs to other targets, ports, parts or another key; remove it to begin anew",
                "{path}は別の対象、ポート、分割、またはキーのものです。最初から始めるには削除してください"
            )));
        }
        options.skip = kept.settled;
        remark(&format!("going on behind {} of {} places", kept.settled, options.targets.count() * options.ports.len() as u64));
        Ok(true)
    }
}

fn checkpoint(options: &DiscoverOptions, settled: u64) -> Checkpoint {
    Checkpoint { key: options.order_key, targets: options.targets.digest(), ports: options.ports.clone(), shard: options.shard, settled }
}

fn line(counts: &DiscoverCounts) -> String {
    let DiscoverCounts { places, through, sent, blocked, open, closed, unreachable, prohibited, repeated, forged, waited, local, .. } =
        counts;
    format!(
        "{through} of {places} places, {sent} sent, {blocked} blocked: {open} open, {closed} closed, {unreachable} unreachable, {prohibited} prohibited; \
         {repeated} answers repeated, {forged} forged; waited {waited} times for room, {local} given up for want of it"
    )
}

/// Where answers go.
struct Output {
    out: BufWriter<Box<dyn Write + Send>>,
    format: String,
}

impl Output {
    /// A run that goes on appends to its file.
    fn open(path: Option<&Path>, format: &str, append: bool) -> Result<Output, Failure> {
        let out: Box<dyn Write + Send> = match path {
            Some(path) => {
                let file = File::options().create(true).write(true).append(append).truncate(!append).open(path);
                Box::new(file.or_say(|| cannot_write(path.display()))?)
            }
            None => Box::new(std::io::stdout()),
        };
        let mut output = Output { out: BufWriter::new(out), format: format.to_string() };
        if format == "csv" && !append {
            writeln!(output.out, "saddr,sport,state").or_say(|| say!("cannot write the answers", "結果を書き込めません"))?;
        }
        Ok(output)
    }

    fn write(&mut self, Answer { address, port, state }: &Answer) -> std::io::Result<()> {
        let state = state.name();
        match self.format.as_str() {
            "csv" => writeln!(self.out, "{address},{port},{state}"),
            "json" => writeln!(self.out, "{}", serde_json::json!({ "address": address, "port": port, "state": state })),
            _ => writeln!(self.out, "{address} {port} {state}"),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
