//! Scans and identifies as the banners come: joins the scanner, the decoders and the matcher.

use std::sync::Arc;

use ksig_scanner::{HostObservations, ScanError, ScanOptions, ScanSummary, Stop};
use ksig_schema::{Evidence, Gate, Identification};

use crate::Release;

/// What one host said, and what it is.
pub struct LiveHost<'h> {
    /// As they came.
    pub observations: &'h HostObservations,
    /// What they say; one, unless observations of several hosts were mixed.
    pub evidence: Vec<(Evidence, Vec<Identification>)>,
}

/// Why a live scan broke off.
#[derive(Debug, thiserror::Error)]
pub enum LiveError<E> {
    /// The scan itself.
    #[error(transparent)]
    Scan(ScanError),
    /// Whoever takes the hosts. The scan was stopped first; hosts that came meanwhile were offered too.
    #[error("{0}")]
    Sink(E),
}

impl LiveError<anyhow::Error> {
    /// The failure that broke it off.
    pub fn into_failure(self) -> anyhow::Error {
        match self {
            LiveError::Scan(error) => error.into(),
            LiveError::Sink(failure) => failure,
        }
    }
}

/// Hosts on their way from the scanner to the matcher; when it is full, the scan waits.
const HOSTS_WAITING_MAX: usize = 256;

/// Scans, and gives what hosts said to `sink`, all that wait at a time, each once. An error of `sink` stops the scan: nothing more is sent, and nothing
/// that was received before is kept from `sink`.
pub async fn record_live<E>(
    options: &ScanOptions,
    release: &Arc<Release>,
    stop: &Stop,
    mut sink: impl FnMut(&[HostObservations]) -> Result<(), E>,
) -> Result<ScanSummary, LiveError<E>> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<HostObservations>(HOSTS_WAITING_MAX);
    let gate: Arc<dyn Gate> = Arc::clone(release) as Arc<dyn Gate>;
    let scanning = ksig_scanner::scan(options, &release.plan().plan().probe_plan, gate, stop, sender);
    let mut failed = None;
    let taking = async {
        let mut hosts = Vec::new();
        while receiver.recv_many(&mut hosts, HOSTS_WAITING_MAX).await > 0 {
            if let Err(error) = sink(&hosts) {
                stop.stop();
                failed.get_or_insert(error);
            }
            hosts.clear();
        }
    };
    let (summary, ()) = tokio::join!(scanning, taking);
    match failed {
        Some(error) => Err(LiveError::Sink(error)),
        None => summary.map_err(LiveError::Scan),
    }
}

/// The same with what each host is, one after the other.
pub async fn identify_live<E>(
    options: &ScanOptions,
    release: &Arc<Release>,
    stop: &Stop,
    mut sink: impl FnMut(&LiveHost<'_>) -> Result<(), E>,
) -> Result<ScanSummary, LiveError<E>> {
    let identify = |hosts: &[HostObservations]| {
        let mut taken = Ok(());
        for observations in hosts {
            let evidence = ksig_protocols::evidence(&observations.observations);
            let evidence = evidence.into_iter().map(|evidence| (release.identify(&evidence), evidence)).map(|(a, e)| (e, a)).collect();
            taken = taken.and(sink(&LiveHost { observations, evidence }));
        }
        taken
    };
    record_live(options, release, stop, identify).await
}
