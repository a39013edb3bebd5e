//! Whom to call, where and within which limits: the arguments that all commands share which call somebody.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ksig_protocols::ScanIdentity;
use ksig_scanner::{Blocklist, BlocklistError, PortUse, Reloaded, ScanError, ScanOptions, TalkLimits, TargetSet, parse_ports};
use ksig_schema::{ProbePlan, Time};

use super::{Failure, remark};

/// Whom, where, within which limits.
#[derive(clap::Args)]
pub struct CallArgs {
    /// Addresses, ranges (a-b) and CIDRs, separated by blanks
    #[arg(required_unless_present = "targets")]
    target: Vec<String>,
    /// A file of them, one a line
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// Ports, and what speaks there: 80,443,18080=http,12222=ssh. Without it, the ports that the release expects
    #[arg(long)]
    ports: Option<String>,
    /// Most conversations at once
    #[arg(long)]
    concurrency: Option<NonZeroUsize>,
    /// File of addresses and CIDRs that opted out; obeyed again as soon as it changes
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
}

impl CallArgs {
    /// The options that these arguments give. The ports are still to be chosen by [`CallArgs::choose_ports`].
    pub(super) fn options(&self) -> Result<ScanOptions, Failure> {
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
        // Said here, before any output is opened: a scan that does not start leaves the observations of the last one alone.
        if options.blocklist.is_none() && !options.no_blocklist {
            return Err(ScanError::NoBlocklist.into());
        }
        options.conversations_max = self.concurrency;
        options.limits.connect_ms = self.connect_timeout_ms;
        options.limits.first_byte_ms = self.first_byte_timeout_ms;
        options.limits.total_ms = self.total_timeout_ms;
        Ok(options)
    }

    /// Every port where the plan expects an answer, when the arguments name none.
    pub(super) fn choose_ports(&self, options: &mut ScanOptions, plan: &ProbePlan) {
        if self.ports.is_none() {
            let asked = plan.probes.iter().filter(|probe| !probe.follow_up);
            let ports: BTreeSet<u16> = asked.flat_map(|probe| probe.ports.iter().copied()).collect();
            options.ports = ports.into_iter().map(|port| PortUse { port, service: None }).collect();
        }
    }
}

/// Obeys the blocklist's file while somebody is called, for as long as it is awaited: who is added to it is not called from the next connection
/// on. Each change is told on standard error, and written to the log of opt-outs where there is one.
pub(super) async fn follow_blocklist(options: &ScanOptions, log: Option<PathBuf>) {
    let Some(blocklist) = &options.blocklist else { return std::future::pending().await };
    blocklist.follow(|reloaded| told(reloaded, log.as_deref())).await;
}

fn told(reloaded: Result<Reloaded, BlocklistError>, log: Option<&Path>) {
    let Reloaded { generation, added, removed } = match reloaded {
        Ok(reloaded) => reloaded,
        Err(error) => return remark(&format!("{error}; the blocklist of before stays")),
    };
    remark(&format!("blocklist read again (generation {generation}): {} ranges added, {} removed", added.len(), removed.len()));
    let Some(path) = log else { return };
    let line = serde_json::json!({ "time": now(), "generation": generation, "added": added, "removed": removed });
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    if let Err(error) = file.and_then(|mut file| writeln!(file, "{line}")) {
        // The opt-out itself counts already.
        remark(&format!("{}: {error}; the change of the blocklist is not written down", path.display()));
    }
}

/// Today's clock: the one place where a call learns the time.
pub(super) fn now() -> Time {
    Time::now()
}
