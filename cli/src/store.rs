//! A state directory: the log of observations and the search index made of it.
//!
//! ```text
//! DIR/log/     observations, appended and never altered; `ksig atlas forget` alone takes some out
//! DIR/index/   entries of the current state; made again at any time from the log and a release
//! DIR/opt-outs.ndjson   who was added to the blocklist while somebody was called, and when
//! ```

use std::path::{Path, PathBuf};

use ksig_atlas::{Entry, Index, IndexError, LogError, LogReader, LogWriter};
use ksig_schema::Observation;

use crate::Release;

/// Where a state directory keeps its log.
pub fn log_dir(state: &Path) -> PathBuf {
    state.join("log")
}

/// Where it keeps its index.
pub fn index_dir(state: &Path) -> PathBuf {
    state.join("index")
}

/// Where it notes who opted out while somebody was called.
pub fn opt_outs_file(state: &Path) -> PathBuf {
    state.join("opt-outs.ndjson")
}

/// Why a state directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// What [`rematch`] read and made.
#[derive(Debug)]
pub struct Rematched {
    /// Observations read.
    pub observations: u64,
    /// Entries of the new index.
    pub entries: u64,
    /// Damaged records that were passed over, each with its file and place.
    pub damaged: Vec<String>,
}

/// Appends observations and makes them safe.
pub fn append<'o>(log: &mut LogWriter, observations: impl IntoIterator<Item = &'o Observation>) -> Result<(), LogError> {
    observations.into_iter().try_for_each(|observation| log.append(observation))
}

/// Identifies the whole log again with a release and builds the index anew: not one packet is sent.
pub fn rematch(state: &Path, release: &Release, progress: &mut dyn FnMut(u64)) -> Result<Rematched, StoreError> {
    let mut host: Vec<Observation> = Vec::new();
    let mut entries: Vec<Entry> = Vec::new();
    let mut out = Rematched { observations: 0, entries: 0, damaged: Vec::new() };
    for observation in LogReader::open(&log_dir(state))? {
        match observation {
            Ok(observation) => {
                out.observations += 1;
                progress(out.observations);
                if host.first().is_some_and(|first| first.host != observation.host) {
                    entries.extend(entries_of(release, &std::mem::take(&mut host)));
                }
                host.push(observation);
            }
            Err(damaged @ LogError::Damaged { .. }) => out.damaged.push(damaged.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    entries.extend(entries_of(release, &host));
    let index = Index::build(&index_dir(state), ksig_atlas::newest(entries), &release.plan().plan().vocabulary)?;
    out.entries = index.entry_count();
    Ok(out)
}

fn entries_of(release: &Release, observations: &[Observation]) -> Vec<Entry> {
    let hosts = ksig_protocols::evidence(observations);
    hosts.iter().flat_map(|evidence| ksig_atlas::entries(evidence, &release.identify(evidence))).collect()
}
