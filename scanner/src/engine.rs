//! The scan: deals hosts to workers and hands over what they bring.
//!
//! In: options, a plan, a gate. Out: [`HostObservations`] through a channel, in the order in which hosts are through, and a [`ScanSummary`]
//! at the end. A full channel slows the scan down; nothing is dropped. Each thread runs its own current-thread runtime: a conversation
//! never moves between cores.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use ksig_protocols::ScanIdentity;
use ksig_schema::{Ended, Gate, Observation, PlannedProbe, ProbePlan, Safety, Time};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::blocklist::Blocklist;
use crate::calls::{anywhere, deal};
use crate::elsewhere::Elsewhere;
use crate::everywhere::Suspicion;
use crate::feed::Feed;
use crate::host::{Scan, Worker};
use crate::limits::{TalkLimits, conversations_max};
use crate::order::Permutation;
use crate::pace::Pace;
use crate::ports::PortUse;
use crate::progress::Progress;
use crate::stop::Stop;
use crate::targets::TargetSet;
use crate::tls;

/// Tells the time at which a conversation begins.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
}

impl<F: Fn() -> Time + Send + Sync> Clock for F {
    fn now(&self) -> Time {
        self()
    }
}

/// What a scan does, apart from the plan.
#[derive(Clone)]
pub struct ScanOptions {
    /// Whom to call.
    pub targets: TargetSet,
    /// Where.
    pub ports: Vec<PortUse>,
    /// Which ports of whom were found open: nobody is called elsewhere. Absent: every port of everyone.
    pub feed: Option<Arc<Feed>>,
    /// Who asks: shown in every protocol that has a place for it.
    pub identity: ScanIdentity,
    /// Who must not be called. Absent: the scan is refused, unless `no_blocklist` says that this is meant.
    pub blocklist: Option<Arc<Blocklist>>,
    /// There is no blocklist, and that is meant.
    pub no_blocklist: bool,
    /// Somebody answers for probes of class review: those of the plan are sent. Otherwise none is.
    pub review: bool,
    /// Which cycle: stands in the host's name behind `@`. Empty: the host's name is its address.
    pub cycle: String,
    /// The key of the order in which hosts are called.
    pub order_key: u64,
    /// Most connections begun in a second. Absent: as fast as it goes.
    pub rate: Option<NonZeroU32>,
    /// Most conversations at once. Absent: as many as the descriptors allow, up to 4,096.
    pub conversations_max: Option<NonZeroUsize>,
    /// Threads. Absent: one a core.
    pub threads: Option<NonZeroUsize>,
    /// Rest between two conversations with the same host.
    pub host_gap: Duration,
    /// Bounds of each conversation.
    pub limits: TalkLimits,
    /// Tells when a conversation begins.
    pub clock: Arc<dyn Clock>,
    /// Counts while it runs.
    pub progress: Arc<Progress>,
}

impl ScanOptions {
    /// The usual: no rate, no blocklist (which is refused until it is named or waived), one thread a core.
    pub fn new(targets: TargetSet, ports: Vec<PortUse>, identity: ScanIdentity, clock: Arc<dyn Clock>) -> ScanOptions {
        ScanOptions {
            targets,
            ports,
            feed: None,
            identity,
            blocklist: None,
            no_blocklist: false,
            review: false,
            cycle: String::new(),
            order_key: 0,
            rate: None,
            conversations_max: None,
            threads: None,
            host_gap: Duration::ZERO,
            limits: TalkLimits::default(),
            clock,
            progress: Arc::default(),
        }
    }

    /// Whether a scan of these targets may begin with this rate: public addresses are not called as fast as it goes.
    pub fn check_rate(&self) -> Result<(), ScanError> {
        if self.rate.is_none() && self.targets.reaches_public() { Err(ScanError::NoRate) } else { Ok(()) }
    }
}

/// Everything that one host said in one cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostObservations {
    /// The host's name, as in each of its observations.
    pub host: String,
    /// At least one, in the order of the conversations.
    pub observations: Vec<Observation>,
}

/// What a scan did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanSummary {
    /// Hosts that were called.
    pub hosts: u64,
    /// Targets that were not called because they are on the blocklist.
    pub blocked: u64,
    /// Targets that were not called because the scan was stopped.
    pub untouched: u64,
    /// Conversations by their end.
    pub ended: BTreeMap<Ended, u64>,
    /// Ports for which the plan has no probe; nobody was called there.
    pub idle_ports: Vec<u16>,
    /// Whether it was stopped.
    pub stopped: bool,
}

/// Why a scan did not begin, or broke off.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// No blocklist, and nobody said that this is meant.
    #[error("no blocklist is named: name the file of those who opted out, or say that there is none (--no-blocklist)")]
    NoBlocklist,
    /// The targets stand for a network in memory.
    #[error("these targets are a simulation: nobody may be called")]
    Simulated,
    /// Public addresses are to be called as fast as it goes.
    #[error("public addresses are called at a pace: name the most connections a second (--rate)")]
    NoRate,
    /// The plan has no probe for any of the ports.
    #[error("the plan has no probe for port {0}: name other ports, or say what speaks there, as in 18080=http")]
    NothingToAsk(String),
    /// A thread cannot be started.
    #[error("the scan cannot start: {0}")]
    Thread(std::io::Error),
    /// OpenSSL cannot be used for devices that are older than TLS 1.2. Only with the feature `legacy-tls`.
    #[error("OpenSSL cannot speak to old devices: {0}")]
    LegacyTls(String),
    /// The receiver of observations is gone.
    #[error("nobody takes the observations any more; the scan was stopped")]
    NobodyListens,
}

/// Scans. Ends when every host is through, or, after [`Stop::stop`], when every conversation that is going on has ended. Dropping the future
/// stops the scan, but does not wait for it.
pub async fn scan(
    options: &ScanOptions,
    plan: &ProbePlan,
    gate: Arc<dyn Gate>,
    stop: &Stop,
    out: mpsc::Sender<HostObservations>,
) -> Result<ScanSummary, ScanError> {
    let (scan, blocked, idle_ports) = prepare(options, plan, gate, stop)?;
    options.check_rate()?;
    let deck = Arc::new(Deck::new(scan.options.targets.clone(), options.order_key));
    options.progress.begin(deck.order.size());
    let mut guard = StopWhenDropped(Some(stop.clone()));
    let mut total = Tally::default();
    for thread in threads(&scan, &deck, &out)? {
        let tally = thread.await.expect("a scanning thread panicked: its own message stands above");
        total.add(tally);
    }
    guard.0 = None;
    if out.is_closed() {
        return Err(ScanError::NobodyListens);
    }
    let mut summary = ScanSummary { hosts: total.hosts, blocked, ended: total.ended, idle_ports, ..ScanSummary::default() };
    summary.stopped = stop.is_stopped();
    let passed_over = deck.order.size() - summary.hosts;
    if summary.stopped {
        summary.untouched = passed_over;
    } else {
        // Who was dealt out and yet not called came on the blocklist meanwhile.
        summary.blocked += passed_over;
    }
    Ok(summary)
}

/// Stops the scan's threads when nobody waits for them any more.
struct StopWhenDropped(Option<Stop>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        if let Some(stop) = self.0.take() {
            stop.stop();
        }
    }
}

/// Checks the options, and gives what the workers share, how many targets are blocked, and which ports are idle.
pub(crate) fn prepare(
    options: &ScanOptions,
    plan: &ProbePlan,
    gate: Arc<dyn Gate>,
    stop: &Stop,
) -> Result<(Arc<Scan>, u64, Vec<u16>), ScanError> {
    let blocklist = match &options.blocklist {
        Some(blocklist) => blocklist.clone(),
        None if options.no_blocklist => Arc::new(Blocklist::nobody()),
        None => return Err(ScanError::NoBlocklist),
    };
    if options.targets.is_simulated() {
        return Err(ScanError::Simulated);
    }
    let allowed = |planned: &&PlannedProbe| planned.safety != Safety::Review || options.review;
    let plan = ProbePlan { probes: plan.probes.iter().filter(allowed).cloned().collect() };
    let (idle, calls): (Vec<_>, Vec<_>) =
        deal(&plan, &options.ports, &ksig_protocols::schema()).into_iter().partition(|port| port.first.is_empty());
    let idle_ports: Vec<u16> = idle.iter().map(|port| port.port).collect();
    if calls.is_empty() {
        return Err(ScanError::NothingToAsk(idle_ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")));
    }
    let targets = options.targets.without(&blocklist);
    let blocked = options.targets.count() - targets.count();
    let scan = Scan {
        options: ScanOptions { targets, ..options.clone() },
        calls,
        anywhere: anywhere(&plan, &ksig_protocols::schema()),
        elsewhere: Elsewhere::new(&plan, &ksig_protocols::schema()),
        gate,
        blocklist,
        pace: options.rate.map(Pace::new),
        tls: TlsConnector::from(tls::client()),
        #[cfg(feature = "legacy-tls")]
        legacy_tls: crate::legacy_tls::LegacyClient::new().map_err(|error| ScanError::LegacyTls(error.to_string()))?,
        stop: stop.clone(),
    };
    Ok((Arc::new(scan), blocked, idle_ports))
}

/// The hosts in their order, dealt one by one.
struct Deck {
    targets: TargetSet,
    order: Permutation,
    next: AtomicU64,
}

impl Deck {
    fn new(targets: TargetSet, key: u64) -> Deck {
        let order = Permutation::new(targets.count(), key);
        Deck { targets, order, next: AtomicU64::new(0) }
    }

    /// The next host; absent when all are dealt.
    fn deal(&self) -> Option<IpAddr> {
        let place = self.next.fetch_add(1, Relaxed);
        self.targets.at(self.order.at(place)?)
    }
}

/// What a worker counted.
#[derive(Default)]
struct Tally {
    hosts: u64,
    ended: BTreeMap<Ended, u64>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.hosts += other.hosts;
        for (ended, count) in other.ended {
            *self.ended.entry(ended).or_default() += count;
        }
    }
}

/// Starts the threads; each gives its tally when its workers are through.
fn threads(scan: &Arc<Scan>, deck: &Arc<Deck>, out: &mpsc::Sender<HostObservations>) -> Result<Vec<oneshot::Receiver<Tally>>, ScanError> {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let count = scan.options.threads.unwrap_or(cores).get();
    let conversations = scan.options.conversations_max.map_or_else(conversations_max, NonZeroUsize::get);
    let workers = (conversations as u64).min(deck.order.size()).max(1);
    let count = (count as u64).min(workers);
    let mut tallies = Vec::new();
    for at in 0..count {
        let share = workers / count + u64::from(at < workers % count);
        let (scan, deck, out) = (scan.clone(), deck.clone(), out.clone());
        let (done, tally) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ScanError::Thread)?;
        std::thread::Builder::new()
            .name("ksig-scan".into())
            .spawn(move || {
                // The receiver is gone only when nobody waits for the scan any more.
                let _ = done.send(runtime.block_on(crew(share, scan, deck, out)));
            })
            .map_err(ScanError::Thread)?;
        tallies.push(tally);
    }
    Ok(tallies)
}

async fn crew(workers: u64, scan: Arc<Scan>, deck: Arc<Deck>, out: mpsc::Sender<HostObservations>) -> Tally {
    let (collected, hosts) = mpsc::channel(COLLECTED_MAX);
    let mut crew = JoinSet::new();
    for _ in 0..workers {
        crew.spawn(work(scan.clone(), deck.clone(), collected.clone()));
    }
    drop(collected);
    let handing = tokio::spawn(hand_over(hosts, out));
    let mut tally = Tally::default();
    while let Some(worker) = crew.join_next().await {
        match worker {
            Ok(counted) => tally.add(counted),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    match handing.await {
        Ok(()) => tally,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Hosts of one thread that wait to be handed over together.
const COLLECTED_MAX: usize = 64;

/// Hands over what the workers of a thread bring, in batches: a receiver that waits in another thread is woken once for each batch and not
/// for each host, which would cost as much as the conversation. Ends when the workers are through, or nobody listens.
async fn hand_over(mut hosts: mpsc::Receiver<HostObservations>, out: mpsc::Sender<HostObservations>) {
    let mut batch = Vec::with_capacity(COLLECTED_MAX);
    while hosts.recv_many(&mut batch, COLLECTED_MAX).await > 0 {
        for host in batch.drain(..) {
            if out.send(host).await.is_err() {
                return;
            }
        }
    }
}

/// Calls host after host until all are dealt, the scan is stopped, or nobody listens.
async fn work(scan: Arc<Scan>, deck: Arc<Deck>, out: mpsc::Sender<HostObservations>) -> Tally {
    let mut worker = Worker::new(scan.clone());
    let mut tally = Tally::default();
    while !scan.stop.is_stopped() {
        let Some(address) = deck.deal() else { break };
        let host = if scan.options.cycle.is_empty() { address.to_string() } else { format!("{address}@{}", scan.options.cycle) };
        let on = |port| scan.options.feed.as_ref().is_none_or(|feed| feed.has(address, port));
        let observations = worker.call(address, &host, Suspicion::default(), on).await.observations;
        scan.options.progress.host_done();
        if observations.is_empty() {
            continue;
        }
        tally.hosts += 1;
        for observation in &observations {
            *tally.ended.entry(observation.ended).or_default() += 1;
        }
        if out.send(HostObservations { host, observations }).await.is_err() {
            scan.stop.stop();
        }
    }
    tally
}
