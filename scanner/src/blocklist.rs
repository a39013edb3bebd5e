//! Addresses that are never called: those who said so.
//!
//! In: a file of networks, ranges and addresses, one a line, `#` begins a comment. Out: a [`Blocklist`] that is asked when the target set is
//! built, and again right before every connection, so that a reload counts from the next connection on. A file that cannot be read
//! whole is an error, at start and at a reload; at a reload the list of before stays. Whoever scans awaits [`Blocklist::follow`] beside it, so that an
//! opt-out counts without a restart.

use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, SystemTime};

use crate::ranges::{Range, Ranges};
use crate::targets::entries;

/// Who must not be called. Shared by everyone who connects.
#[derive(Debug)]
pub struct Blocklist {
    path: Option<PathBuf>,
    ranges: RwLock<Arc<Ranges>>,
    generation: AtomicU64,
    /// How the file looked when it was read last, whether or not it could be used.
    looks: Mutex<Option<Looks>>,
}

/// By what a file that was written anew differs from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Looks {
    modified: Option<SystemTime>,
    bytes: u64,
    /// Another file of that name, as a rename leaves it.
    inode: u64,
}

impl Looks {
    fn of(path: &Path) -> Option<Looks> {
        let about = std::fs::metadata(path).ok()?;
        Some(Looks { modified: about.modified().ok(), bytes: about.len(), inode: about.ino() })
    }
}

/// What a reload changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// How often the file has been read now: the first time is 1.
    pub generation: u64,
    /// Who is blocked from now on and was not before: `192.0.2.1` or `192.0.2.0-192.0.2.255`.
    pub added: Vec<String>,
    /// Who was blocked before and is not any more.
    pub removed: Vec<String>,
}

/// How often the file is looked at by [`Blocklist::follow`].
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a blocklist cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BlocklistError {
    /// The file cannot be read.
    #[error("blocklist {file}: {source}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is no network, range or address.
    #[error("blocklist {file}:{line}: {reason}")]
    Wrong {
        /// Which file.
        file: String,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The file stops in the middle of a line, or is empty.
    #[error("blocklist {file} looks half written: {reason}")]
    HalfWritten {
        /// Which file.
        file: String,
        /// By what it looks so.
        reason: &'static str,
    },
}

impl Blocklist {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Blocklist, BlocklistError> {
        let looks = Mutex::new(Looks::of(path));
        let ranges = RwLock::new(Arc::new(read(path)?));
        Ok(Blocklist { path: Some(path.to_path_buf()), ranges, generation: AtomicU64::new(1), looks })
    }

    /// Blocks nobody: for those who have said that they want no blocklist.
    pub fn nobody() -> Blocklist {
        Blocklist { path: None, ranges: RwLock::default(), generation: AtomicU64::new(1), looks: Mutex::default() }
    }

    /// Reads the file again; what it says counts from the next question on. On an error the list of before stays.
    pub fn reload(&self) -> Result<Reloaded, BlocklistError> {
        let before = self.ranges();
        if let Some(path) = &self.path {
            *self.looks.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Looks::of(path);
            let ranges = Arc::new(read(path)?);
            *self.ranges.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = ranges;
        }
        let after = self.ranges();
        let texts = |ranges: Ranges| ranges.iter().map(ToString::to_string).collect();
        let generation = self.generation.fetch_add(1, Ordering::Release) + 1;
        Ok(Reloaded { generation, added: texts(after.without(&before)), removed: texts(before.without(&after)) })
    }

    /// Reads the file again when it looks other than when it was read last.
    pub fn reload_if_changed(&self) -> Option<Result<Reloaded, BlocklistError>> {
        let path = self.path.as_deref()?;
        let changed = *self.looks.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) != Looks::of(path);
        changed.then(|| self.reload())
    }

    /// Looks at the file once a second for as long as it is awaited, and tells of every reload.
    pub async fn follow(&self, mut tell: impl FnMut(Result<Reloaded, BlocklistError>)) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Some(reloaded) = self.reload_if_changed() {
                tell(reloaded);
            }
        }
    }

    /// How often the file has been read: the first time is 1.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether that address must not be called, as of now.
    pub fn blocks(&self, address: IpAddr) -> bool {
        self.ranges.read().unwrap_or_else(|poisoned| poisoned.into_inner()).contains(address.to_canonical())
    }

    pub(crate) fn ranges(&self) -> Arc<Ranges> {
        self.ranges.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

fn read(path: &Path) -> Result<Ranges, BlocklistError> {
    let file = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(source) => return Err(BlocklistError::Unreadable { file, source }),
    };
    if text.trim().is_empty() {
        let reason = "it is empty; write a comment line if nobody is to be blocked";
        return Err(BlocklistError::HalfWritten { file, reason });
    }
    if !text.ends_with('\n') {
        return Err(BlocklistError::HalfWritten { file, reason: "its last line does not end" });
    }
    let range = |(line, entry)| Range::parse(entry).map_err(|reason| BlocklistError::Wrong { file: file.clone(), line, reason });
    Ok(Ranges::new(entries(&text).map(range).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(list: &Blocklist, address: &str) -> bool {
        list.blocks(address.parse().expect(address))
    }

    #[test]
    fn a_reload_counts_at_once_and_a_broken_one_changes_nothing() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("blocklist");
        std::fs::write(&path, "127.16.0.0/24 # opted out\n").expect("write");
        let list = Blocklist::read(&path).expect("a list");
        assert!(blocks(&list, "127.16.0.9") && blocks(&list, "::ffff:127.16.0.9") && !blocks(&list, "127.16.1.9"));
        std::fs::write(&path, "127.16.1.0/24\n").expect("write");
        let reloaded = list.reload().expect("a list");
        assert_eq!(reloaded.generation, 2);
        assert_eq!(
            (reloaded.added.join(" "), reloaded.removed.join(" ")),
            ("127.16.1.0-127.16.1.255".into(), "127.16.0.0-127.16.0.255".into())
        );
        assert!(blocks(&list, "127.16.1.9") && !blocks(&list, "127.16.0.9"));
        for broken in ["", "127.16.2.0/24\n127.1", "127.16.2.0/24\n127.1\n"] {
            std::fs::write(&path, broken).expect("write");
            list.reload().expect_err(broken);
            assert!(blocks(&list, "127.16.1.9") && !blocks(&list, "127.16.2.9"));
        }
        assert_eq!(list.generation(), 2);
    }

    #[test]
    fn a_file_that_was_written_anew_is_read_once() {
        let directory = tempfile::tempdir().expect("directory");
        let (path, aside) = (directory.path().join("blocklist"), directory.path().join("aside"));
        std::fs::write(&path, "127.16.0.1\n").expect("write");
        let list = Blocklist::read(&path).expect("a list");
        assert!(list.reload_if_changed().is_none());
        // Renamed into place, as a careful hand does it: same length, perhaps the same time.
        std::fs::write(&aside, "127.16.0.2\n").and_then(|()| std::fs::rename(&aside, &path)).expect("write");
        assert_eq!(list.reload_if_changed().expect("a change").expect("a list").added, ["127.16.0.2"]);
        std::fs::write(&path, "127.16.0.2\n127.16").expect("write");
        list.reload_if_changed().expect("a change").expect_err("half a list");
        assert!(list.reload_if_changed().is_none(), "the same half is told twice");
        assert!(blocks(&list, "127.16.0.2"));
        std::fs::remove_file(&path).expect("remove");
        list.reload_if_changed().expect("a change").expect_err("no list");
        assert!(blocks(&list, "127.16.0.2"));
    }

    #[test]
    fn a_mistake_names_its_line_and_a_half_written_file_is_told_apart() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("blocklist");
        let check = |text: &str, reason: &str| {
            std::fs::write(&path, text).expect("write");
            let error = Blocklist::read(&path).expect_err(text).to_string();
            assert!(error.contains(reason), "{error}");
        };
        check("# ours\nexample.org\n", "blocklist:2: `example.org` is not an address");
        check("10.0.0.1\n10.0.0.", "half written: its last line does not end");
        check("\n", "half written: it is empty");
        std::fs::write(&path, "# nobody yet\n").expect("write");
        assert!(!blocks(&Blocklist::read(&path).expect("a list"), "10.0.0.1"));
    }
}
