//! Taking observations out of a log: for those who opted out, for what is older than it may become, and for values that name one machine.
//!
//! In: what becomes of each observation. Out: the same log without what had to go, in the same order. Segments in which nothing changes are left alone;
//! each other one is written anew beside the log and takes its place at once, so that a death at any moment leaves every segment either as it was or as
//! it should be. A record that cannot be read has no owner that could be asked about: it goes with the segment that is written anew, and is counted.

use std::fs::{self, File};
use std::path::Path;

use ksig_schema::Observation;

use super::{LogError, LogReader, PENDING_BYTES_MAX, Segment, io_error, lock, segment_numbers, segment_path};

/// Where segments are written anew, inside the log's folder.
const ASIDE: &str = "rewriting";

/// What becomes of an observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays as it is.
    Keep,
    /// This takes its place.
    Replace(Box<Observation>),
    /// It goes.
    Drop,
}

/// What [`rewrite`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Segments that were written anew.
    pub segments: u64,
    /// Observations that stay as they were.
    pub kept: u64,
    /// Observations that were replaced.
    pub replaced: u64,
    /// Observations that are gone.
    pub dropped: u64,
    /// Records of segments written anew that could not be read.
    pub unreadable: u64,
}

/// Writes a log without what has to go. `fate` is asked once about each observation. `really`: otherwise it is only counted what would be done. Fails
/// when a writer has the log open.
pub fn rewrite(dir: &Path, really: bool, mut fate: impl FnMut(&Observation) -> Fate) -> Result<Rewritten, LogError> {
    let _lock = lock(dir)?;
    let aside = dir.join(ASIDE);
    if aside.exists() {
        // Of a run that died.
        fs::remove_dir_all(&aside).map_err(io_error("remove", &aside))?;
    }
    let mut done = Rewritten::default();
    for number in segment_numbers(dir)? {
        let counted = Rewriting { dir, aside: &aside, number, really }.run(&mut fate)?;
        let changes = counted.replaced + counted.dropped > 0;
        done.segments += u64::from(changes);
        done.kept += counted.kept;
        done.replaced += counted.replaced;
        done.dropped += counted.dropped;
        done.unreadable += if changes { counted.unreadable } else { 0 };
    }
    Ok(done)
}

/// One segment on its way.
struct Rewriting<'a> {
    dir: &'a Path,
    aside: &'a Path,
    number: u32,
    really: bool,
}

impl Rewriting<'_> {
    fn run(&self, fate: &mut impl FnMut(&Observation) -> Fate) -> Result<Rewritten, LogError> {
        let mut counted = Rewritten::default();
        let mut anew = None;
        for observation in self.observations() {
            let observation = match observation {
                Err(LogError::Damaged { .. }) => {
                    counted.unreadable += 1;
                    continue;
                }
                other => other?,
            };
            let fate = fate(&observation);
            if fate != Fate::Keep && self.really && anew.is_none() {
                anew = Some(self.begin(counted.kept)?);
            }
            let stays = match fate {
                Fate::Keep => {
                    counted.kept += 1;
                    observation
                }
                Fate::Replace(other) => {
                    counted.replaced += 1;
                    *other
                }
                Fate::Drop => {
                    counted.dropped += 1;
                    continue;
                }
            };
            if let Some(anew) = &mut anew {
                add(anew, &stays)?;
            }
        }
        if let Some(anew) = anew {
            self.end(anew)?;
        }
        Ok(counted)
    }

    /// The observations of the segment as it is; damaged ones are errors among them.
    fn observations(&self) -> LogReader {
        LogReader { dir: self.dir.to_path_buf(), segments: vec![self.number], current: None }
    }

    /// Begins the new segment, with so many observations that stay as they are.
    fn begin(&self, kept: u64) -> Result<Segment, LogError> {
        fs::create_dir_all(self.aside).map_err(io_error("create", self.aside))?;
        let mut anew = Segment::create(self.aside, self.number)?;
        for observation in self.observations().filter_map(Result::ok).take(usize::try_from(kept).unwrap_or(usize::MAX)) {
            add(&mut anew, &observation)?;
        }
        Ok(anew)
    }

    /// Puts the new segment in the place of the old one.
    fn end(&self, mut anew: Segment) -> Result<(), LogError> {
        anew.flush()?;
        anew.sync()?;
        let path = segment_path(self.dir, self.number);
        fs::rename(&anew.path, &path).map_err(io_error("replace", &path))?;
        File::open(self.dir).and_then(|dir| dir.sync_all()).map_err(io_error("synchronise", self.dir))?;
        fs::remove_dir_all(self.aside).map_err(io_error("remove", self.aside))
    }
}

fn add(anew: &mut Segment, observation: &Observation) -> Result<(), LogError> {
    if anew.pending.len() >= PENDING_BYTES_MAX {
        anew.flush()?;
    }
    let payload = anew.encode(observation)?;
    anew.push(observation, &payload);
    Ok(())
}
