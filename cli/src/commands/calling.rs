//! Whom to call, where and within which limits: the arguments that all commands share which call somebody.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ksig_protocols::ScanIdentity;
use ksig_scanner::discovery::{LinkHints, Mac, parse_mac};
use ksig_scanner::{
    Blocklist, BlocklistError, Feed, Permission, PortUse, Reloaded, ScanError, ScanOptions, TalkLimits, TargetSet, parse_ports,
};
use ksig_schema::{ProbePlan, Time};
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, remark};

/// What own networks are shown where nobody named a contact.
const NO_CONTACT: &str = "https://ksig.example/scan";

/// Whom, and whom not.
#[derive(clap::Args)]
pub struct WhomArgs {
    /// Addresses, ranges (a-b) and CIDRs, separated by blanks
    target: Vec<String>,
    /// A file of them, one a line; may be given several times
    #[arg(long, value_name = "FILE")]
    targets: Vec<PathBuf>,
    /// The files of --targets are delegated(-extended) files of registries; take the IPv4 addresses of this country, such as JP
    #[arg(long, value_name = "CODE", requires = "targets")]
    country: Option<String>,
    /// File of addresses and CIDRs outside which nobody is called; public addresses need it, a --contact and a blocklist
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
    /// File of addresses and CIDRs that opted out; obeyed again as soon as it changes, and on SIGHUP
    #[arg(long, value_name = "FILE", conflicts_with = "no_blocklist")]
    blocklist: Option<PathBuf>,
    /// There is no blocklist, and that is meant
    #[arg(long)]
    no_blocklist: bool,
    /// Contact shown in every protocol that has a place for it, such as a page about your scan
    #[arg(long, value_name = "URL")]
    contact: Option<String>,
}

impl WhomArgs {
    fn permission(&self) -> Result<Permission, Failure> {
        Ok(match &self.allow {
            Some(path) => Permission::listed(path, self.contact.as_deref().is_some_and(|contact| !contact.trim().is_empty()))?,
            None => Permission::own_networks(),
        })
    }

    /// Everybody who is named and may be called.
    pub(super) fn targets(&self) -> Result<TargetSet, Failure> {
        let permission = self.permission()?;
        Ok(match (&self.targets[..], &self.country) {
            ([], _) => TargetSet::permitted(self.target.iter().map(String::as_str), &permission)?,
            (files, None) => TargetSet::read(files, &permission)?,
            (files, Some(country)) => TargetSet::read_delegated(files, country, &permission)?,
        })
    }

    /// The blocklist; absent where it is said that there is none.
    pub(super) fn blocklist(&self) -> Result<Option<Arc<Blocklist>>, Failure> {
        match &self.blocklist {
            Some(path) => Ok(Some(Arc::new(Blocklist::read(path)?))),
            None if self.no_blocklist => Ok(None),
            None => Err(ScanError::NoBlocklist.into()),
        }
    }
}

/// Whom, where, within which limits.
#[derive(clap::Args)]
pub struct CallArgs {
    #[command(flatten)]
    whom: WhomArgs,
    /// Ports, and what speaks there: 80,443,18080=http,12222=ssh. Without it, the ports that the release expects
    #[arg(long)]
    ports: Option<String>,
    /// Most conversations at once
    #[arg(long)]
    concurrency: Option<NonZeroUsize>,
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
        self.options_for(self.whom.targets()?)
    }

    /// The same with a feed in place of targets.
    pub(super) fn options_of_feed(&self, path: &Path) -> Result<ScanOptions, Failure> {
        let feed = Feed::read(path)?;
        let mut options = self.options_for(feed.targets(&self.whom.permission()?, &path.display().to_string())?)?;
        options.feed = Some(Arc::new(feed));
        Ok(options)
    }

    fn options_for(&self, targets: TargetSet) -> Result<ScanOptions, Failure> {
        let ports = match &self.ports {
            Some(text) => parse_ports(text)?,
            None => Vec::new(),
        };
        let identity = ScanIdentity { contact: self.whom.contact.as_deref().unwrap_or(NO_CONTACT).to_string() };
        let mut options = ScanOptions::new(targets, ports, identity, Arc::new(now));
        // Asked here, before any output is opened: a scan that does not start leaves the observations of the last one alone.
        options.blocklist = self.whom.blocklist()?;
        options.no_blocklist = options.blocklist.is_none();
        options.conversations_max = self.concurrency;
        options.limits.connect_ms = self.connect_timeout_ms;
        options.limits.first_byte_ms = self.first_byte_timeout_ms;
        options.limits.total_ms = self.total_timeout_ms;
        Ok(options)
    }

    /// Reads `127.0.0.1:8080=http` as a host and its port, where one target is named and no ports are.
    pub(super) fn split_port(&mut self) {
        let ([target], None) = (self.whom.target.as_slice(), &self.ports) else { return };
        let (host, port) = match target.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
            Some((host, port)) => (host, port),
            // An IPv6 address without brackets has more than one colon, and no port.
            None => match target.split_once(':').filter(|(_, port)| !port.contains(':')) {
                Some(parts) => parts,
                None => return,
            },
        };
        let (host, port) = (host.to_string(), port.to_string());
        (self.whom.target, self.ports) = (vec![host], Some(port));
    }

    /// The ports of the feed, or every port where the plan expects an answer, when the arguments name none.
    pub(super) fn choose_ports(&self, options: &mut ScanOptions, plan: &ProbePlan) {
        if self.ports.is_none() {
            if let Some(ports) = options.feed.as_ref().map(|feed| feed.ports()).filter(|ports| !ports.is_empty()) {
                options.ports = ports.into_iter().map(|port| PortUse { port, service: None }).collect();
                return;
            }
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
    follow(blocklist, log).await;
}

/// The same for a blocklist alone: when its file changes, and whenever the process gets a SIGHUP.
pub(super) async fn follow(blocklist: &Blocklist, log: Option<PathBuf>) {
    let tell = |reloaded| told(reloaded, log.as_deref());
    let asked = async {
        // Without the signal the file is looked at all the same.
        let Ok(mut hangups) = signal(SignalKind::hangup()) else { return std::future::pending().await };
        while hangups.recv().await.is_some() {
            tell(blocklist.reload());
        }
    };
    tokio::join!(blocklist.follow(tell), asked);
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

/// From where packets go out, as far as it is said.
#[derive(clap::Args)]
pub struct LinkArgs {
    /// The interface from which packets go out
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// Our address on it
    #[arg(long, value_name = "ADDR")]
    source: Option<IpAddr>,
    /// The next hop's address on the link
    #[arg(long, value_name = "MAC", value_parser = mac)]
    gateway_mac: Option<Mac>,
}

impl LinkArgs {
    pub(super) fn hints(&self) -> LinkHints {
        LinkHints { interface: self.interface.clone(), source: self.source, gateway_mac: self.gateway_mac }
    }
}

fn mac(text: &str) -> Result<Mac, String> {
    parse_mac(text).ok_or_else(|| format!("`{text}` is not an address of a link; expected a form such as 02:00:5e:10:00:01"))
}

/// Today's clock: the one place where a call learns the time.
pub(super) fn now() -> Time {
    Time::now()
}

/// Reads `14d`, `1.5h`, `250ms`. A day has 24 hours.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::Span = text.parse().map_err(|_| format!("`{text}` is not a time; expected a form such as 14d, 36h, 90m or 250ms"))?;
    let relative = jiff::SpanRelativeTo::days_are_24_hours();
    let seconds = span.total((jiff::Unit::Second, relative)).map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| format!("`{text}` is less than nothing"))
}

/// Reads `1/4`: the first of four parts.
pub(super) fn shard(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('/').and_then(|(index, count)| Some((index.parse::<u32>().ok()?, count.parse::<u32>().ok()?)));
    let valid = parsed.filter(|(index, count)| (1..=*count).contains(index));
    valid.ok_or_else(|| format!("`{text}` is not a part; expected a form such as 1/4"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_parts_are_read_as_people_write_them() {
        assert_eq!(duration("14d"), Ok(Duration::from_secs(14 * 86_400)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert!(duration("soon").expect_err("no time").contains("14d"));
        assert!(duration("-1s").expect_err("no time").contains("less than nothing"));
        assert_eq!((shard("1/4"), shard("4/4")), (Ok((1, 4)), Ok((4, 4))));
        for wrong in ["0/4", "5/4", "1", "a/b", "1/0"] {
            shard(wrong).expect_err(wrong);
        }
    }
}
