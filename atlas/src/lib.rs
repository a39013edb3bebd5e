//! The atlas: what was seen, kept for ever; what it is, searchable in English and Japanese; what follows, counted.
//!
//! Observations flow in and are never altered; everything after the log can be thrown away and computed again. Nothing here decides what a
//! device is: identifications come from the caller. Absent: the network, the clock, and drawing.
//!
//! | module | step | in | out |
//! |---|---|---|---|
//! | [`log`] | keep | [`Observation`](ksig_schema::Observation)s, through [`LogWriter`] | the same, through [`LogReader`] |
//! | [`document`] | describe | a host's [`Evidence`](ksig_schema::Evidence) and identifications, through [`entries`] | [`Entry`]s; of several cycles the [`newest`] |
//! | [`index`] | build | entries and the [`Vocabulary`](ksig_schema::Vocabulary), through [`Index::build`] | an [`Index`] on disk, exchanged whole |
//! | [`query`] | read | one line, through [`Query::parse`] | a [`Query`]; its fields are [`FIELDS`] |
//! | [`index`] | search | a query, through [`Index::search`] | an [`Answer`]: what was searched, count, rows, facets |
//! | [`reports`] | count | entries | [`VersionReport`], through [`versions`] |
//! | [`fold`], [`tokenizer`] | spell, cut | text of pages and of queries | the terms under which it is found |
//!
//! [`versions`]: reports::versions::versions
//!
//! ```
//! use ksig_atlas::{Facet, Index, Query};
//!
//! let dir = tempfile::tempdir()?;
//! let index = Index::build(dir.path(), [], &ksig_schema::Vocabulary::default())?;
//! let answer = index.search("ルーター vendor:バッファロー version:<1.20 -eol:false")?;
//! assert_eq!(answer.count(), answer.entries().len());
//! assert!(answer.facet(Facet::Version, 10)?.is_empty());
//! assert_eq!(Query::parse("vender:x").unwrap_err().column, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod document;
pub mod fold;
pub mod index;
pub mod log;
pub mod query;
pub mod reports;
pub mod tokenizer;

pub use document::{Entry, entries, newest};
pub use index::{Answer, Facet, FacetCount, Index, IndexError, SearchError};
pub use log::{Fate, LogError, LogReader, LogWriter, Recovery, Rewritten, rewrite};
pub use query::{FIELDS, Query, QueryError};
pub use reports::versions::{VersionQuestion, VersionReport};
