//! The search index of the present: one Tantivy document for each [`Entry`], built whole and exchanged whole.
//!
//! In: entries and the [`Vocabulary`] under whose names they are found. Out: an [`Index`] that answers queries. Nothing in it is truth: it can
//! be built again from the log at any time, and it is never changed in place.
//!
//! | file | holds |
//! |---|---|
//! | `CURRENT` | the name of the folder in use, exchanged by one rename |
//! | `g00000007/` | Tantivy's files, and `atlas.json`: versions of the rules and the vocabulary |
//! | `build.lock` | held while building |

mod answer;
mod layout;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use ksig_schema::Vocabulary;
use serde::{Deserialize, Serialize};
use tantivy::{IndexWriter, Searcher, TantivyDocument, TantivyError};

use crate::document::Entry;
use crate::fold::FOLD_VERSION;
use crate::query::names::Names;
use crate::query::{Query, QueryError, translate};
use crate::tokenizer::{AtlasTokenizer, TOKENIZER_VERSION};

pub use answer::{Answer, Facet, FacetCount};
pub(crate) use layout::{Layout, known_term, v6};

/// Version of the fields of a document.
pub const INDEX_FORMAT: u32 = 1;
/// Memory that building may take for documents before they are written out.
const BUILD_BYTES: usize = 64 << 20;
const CURRENT_FILE: &str = "CURRENT";
const ABOUT_FILE: &str = "atlas.json";
/// How often opening is tried anew when a build removes the folder that was about to be opened.
const OPEN_TRIES: usize = 3;

/// What can go wrong with an index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The system refused: not permitted, disk full.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No index has been built there.
    #[error("there is no index in {}: build one first", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// It was built under other rules.
    #[error("the index in {} was built under other rules ({reason}): build it again", path.display())]
    Outdated {
        /// The folder.
        path: PathBuf,
        /// Which rules differ.
        reason: String,
    },
    /// Someone else is building it.
    #[error("the index in {} is being built by someone else", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The engine refused, or its files are damaged.
    #[error("the index in {} failed: {source}", path.display())]
    Engine {
        /// The folder.
        path: PathBuf,
        /// What the engine said.
        source: Box<TantivyError>,
    },
    /// A stored entry cannot be read back.
    #[error("the index in {} holds an entry that cannot be read: build it again", path.display())]
    Entry {
        /// The folder.
        path: PathBuf,
    },
}

/// Why a search has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The query cannot be understood.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// What an index says of itself.
#[derive(Serialize, Deserialize)]
struct About {
    format: u32,
    fold: u32,
    tokenizer: u32,
    entries: u64,
    vocabulary: Vocabulary,
}

/// An index as it was when it was opened; a later build does not change it.
pub struct Index {
    path: PathBuf,
    searcher: Searcher,
    layout: Layout,
    names: Names,
    entries: u64,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("path", &self.path).field("entries", &self.entries).finish()
    }
}

impl Index {
    /// Builds an index of these entries and puts it in the place of the one before, which stays in use until then and after any failure.
    pub fn build(dir: &Path, entries: impl IntoIterator<Item = Entry>, vocabulary: &Vocabulary) -> Result<Index, IndexError> {
        fs::create_dir_all(dir).map_err(io_error("create", dir))?;
        let _lock = lock(dir)?;
        let name = format!("g{:08}", generations(dir)?.last().map_or(1, |(number, _)| number + 1));
        let folder = dir.join(&name);
        fs::create_dir(&folder).map_err(io_error("create", &folder))?;
        if let Err(error) = write(&folder, entries, vocabulary) {
            // The half-built folder is named by nobody; that it could not be removed would only hide the first error.
            drop(fs::remove_dir_all(&folder));
            return Err(error);
        }
        exchange(dir, &name)?;
        let index = Index::open(dir)?;
        for (_, old) in generations(dir)?.into_iter().filter(|(_, old)| *old != folder) {
            fs::remove_dir_all(&old).map_err(io_error("remove", &old))?;
        }
        Ok(index)
    }

    /// Opens the index that was built last.
    pub fn open(dir: &Path) -> Result<Index, IndexError> {
        let current = dir.join(CURRENT_FILE);
        let mut tries = 0;
        loop {
            let name = match fs::read_to_string(&current) {
                Ok(name) => name,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(IndexError::Missing { path: dir.into() }),
                Err(error) => return Err(io_error("read", &current)(error)),
            };
            tries += 1;
            match open_folder(dir, &dir.join(name.trim())) {
                Err(IndexError::Io { .. } | IndexError::Engine { .. }) if tries < OPEN_TRIES => {}
                opened => return opened,
            }
        }
    }

    /// Answers a query: count, rows, facets and export all come from the one [`Answer`].
    pub fn search(&self, query: &str) -> Result<Answer<'_>, SearchError> {
        Ok(self.answer(&Query::parse(query)?)?)
    }

    /// As [`Index::search`], for a query that is already read.
    pub fn answer(&self, query: &Query) -> Result<Answer<'_>, IndexError> {
        let translated = translate::translate(query, &self.names, &self.layout, &self.searcher).map_err(engine_error(&self.path))?;
        Answer::collect(self, translated)
    }

    /// How many entries there are.
    pub fn entry_count(&self) -> u64 {
        self.entries
    }

    /// The vocabulary whose names the queries may use.
    pub fn vocabulary(&self) -> &Vocabulary {
        self.names.vocabulary()
    }
}

fn write(folder: &Path, entries: impl IntoIterator<Item = Entry>, vocabulary: &Vocabulary) -> Result<(), IndexError> {
    let failed = engine_error(folder);
    let layout = Layout::new();
    let index = tantivy::Index::create_in_dir(folder, layout.schema.clone()).map_err(&failed)?;
    index.tokenizers().register(layout::TOKENIZER, AtlasTokenizer);
    // One thread: documents keep the order in which they came, so equal input gives an equal index.
    let mut writer: IndexWriter<TantivyDocument> = index.writer_with_num_threads(1, BUILD_BYTES).map_err(&failed)?;
    let mut count = 0;
    for entry in entries {
        writer.add_document(layout.document(&entry, count)).map_err(&failed)?;
        count += 1;
    }
    writer.commit().map_err(&failed)?;
    writer.wait_merging_threads().map_err(&failed)?;
    let about =
        About { format: INDEX_FORMAT, fold: FOLD_VERSION, tokenizer: TOKENIZER_VERSION, entries: count, vocabulary: vocabulary.clone() };
    let path = folder.join(ABOUT_FILE);
    let file = File::create(&path).map_err(io_error("create", &path))?;
    serde_json::to_writer(&file, &about).map_err(|error| io_error("write", &path)(error.into()))?;
    file.sync_all().map_err(io_error("synchronise", &path))
}

fn open_folder(dir: &Path, folder: &Path) -> Result<Index, IndexError> {
    let path = folder.join(ABOUT_FILE);
    let about = fs::read(&path).map_err(io_error("read", &path))?;
    let outdated = |reason: String| IndexError::Outdated { path: dir.into(), reason };
    let about: About = serde_json::from_slice(&about).map_err(|error| outdated(error.to_string()))?;
    let rules =
        [("fields", about.format, INDEX_FORMAT), ("fold", about.fold, FOLD_VERSION), ("tokenizer", about.tokenizer, TOKENIZER_VERSION)];
    if let Some((rule, was, is)) = rules.into_iter().find(|(_, was, is)| was != is) {
        return Err(outdated(format!("{rule} {was}, now {is}")));
    }
    let failed = engine_error(dir);
    let layout = Layout::new();
    let index = tantivy::Index::open_in_dir(folder).map_err(&failed)?;
    if index.schema() != layout.schema {
        return Err(outdated("fields".into()));
    }
    index.tokenizers().register(layout::TOKENIZER, AtlasTokenizer);
    let reader = index.reader_builder().reload_policy(tantivy::ReloadPolicy::Manual).try_into().map_err(&failed)?;
    let searcher = tantivy::IndexReader::searcher(&reader);
    Ok(Index { path: dir.into(), searcher, layout, names: Names::new(&about.vocabulary), entries: about.entries })
}

/// Makes the folder the current one. A crash leaves either the old or the new name, never half of one.
fn exchange(dir: &Path, name: &str) -> Result<(), IndexError> {
    use io::Write;
    let next = dir.join("CURRENT.next");
    let mut file = File::create(&next).map_err(io_error("create", &next))?;
    file.write_all(name.as_bytes()).and_then(|()| file.sync_all()).map_err(io_error("write", &next))?;
    let current = dir.join(CURRENT_FILE);
    fs::rename(&next, &current).map_err(io_error("exchange", &current))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io_error("synchronise", dir))
}

/// Folders of builds, ascending; those of builds that died are among them.
fn generations(dir: &Path) -> Result<Vec<(u32, PathBuf)>, IndexError> {
    let mut found = Vec::new();
    for file in fs::read_dir(dir).map_err(io_error("read", dir))? {
        let path = file.map_err(io_error("read", dir))?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.strip_prefix('g')?.parse::<u32>().ok());
        found.extend(number.map(|number| (number, path)));
    }
    found.sort();
    Ok(found)
}

fn lock(dir: &Path) -> Result<File, IndexError> {
    let path = dir.join("build.lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io_error("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(IndexError::Locked { path: dir.into() }),
        Err(fs::TryLockError::Error(source)) => Err(IndexError::Io { action: "lock", path, source }),
    }
}

fn io_error(action: &'static str, path: &Path) -> impl Fn(io::Error) -> IndexError {
    let path = path.to_path_buf();
    move |source| IndexError::Io { action, path: path.clone(), source }
}

fn engine_error(path: &Path) -> impl Fn(TantivyError) -> IndexError {
    let path = path.to_path_buf();
    move |source| IndexError::Engine { path: path.clone(), source: Box::new(source) }
}

#[cfg(test)]
mod tests;
