//! The answer to a query: one set of entries, from which count, rows, facets and exports are all taken.
//!
//! In: a translated query. Out: an [`Answer`]. Because everything comes from the one set, an export has as many rows as the count said.

use std::collections::HashMap;
use std::ops::Range;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::schema::Value;
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader, TantivyDocument};

use super::layout::column;
use super::{Index, IndexError, engine_error};
use crate::document::Entry;
use crate::query::translate::Translated;

/// The entries that a query found, sorted by address, then port; those without an address come first. It keeps eight bytes an entry.
#[derive(Debug)]
pub struct Answer<'a> {
    index: &'a Index,
    searched: Vec<String>,
    found: Vec<DocAddress>,
}

/// By what an answer can be divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Facet {
    /// By vendor id.
    Vendor,
    /// By model as written.
    Model,
    /// By version as written.
    Version,
    /// By class id.
    Class,
    /// By tag; an entry counts for each of its tags.
    Tag,
}

impl Facet {
    /// Every facet.
    pub const ALL: [Facet; 5] = [Facet::Vendor, Facet::Model, Facet::Version, Facet::Class, Facet::Tag];

    fn column(self) -> &'static str {
        match self {
            Facet::Vendor => column::VENDOR,
            Facet::Model => column::MODEL,
            Facet::Version => column::VERSION,
            Facet::Class => column::CLASS,
            Facet::Tag => column::TAG,
        }
    }
}

/// One value of a facet.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FacetCount {
    /// The value; absent for the entries that have none.
    pub value: Option<String>,
    /// How many entries have it.
    pub count: u64,
}

impl<'a> Answer<'a> {
    pub(super) fn collect(index: &'a Index, translated: Translated) -> Result<Answer<'a>, IndexError> {
        let mut keyed = index.searcher.search(&*translated.query, &Sorted).map_err(engine_error(&index.path))?;
        keyed.sort_unstable();
        let found = keyed.into_iter().map(|key| DocAddress::new(key.segment, key.doc)).collect();
        Ok(Answer { index, searched: translated.searched, found })
    }

    /// What was really looked for, a line for each word: `ルーター = class:router, Router`.
    pub fn searched(&self) -> &[String] {
        &self.searched
    }

    /// How many entries were found: as many as [`Answer::entries`] gives.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// All entries, read one at a time.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Result<Entry, IndexError>> + '_ {
        self.found.iter().map(|address| self.entry(*address))
    }

    /// A page of them; a range that reaches beyond the end is cut.
    pub fn page(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = Result<Entry, IndexError>> + '_ {
        let end = range.end.min(self.found.len());
        let start = range.start.min(end);
        self.found[start..end].iter().map(|address| self.entry(*address))
    }

    fn entry(&self, address: DocAddress) -> Result<Entry, IndexError> {
        let document: TantivyDocument = self.index.searcher.doc(address).map_err(engine_error(&self.index.path))?;
        let stored = document.get_first(self.index.layout.entry).and_then(|value| value.as_str());
        stored.and_then(|json| serde_json::from_str(json).ok()).ok_or_else(|| IndexError::Entry { path: self.index.path.clone() })
    }

    /// How the found entries divide: the commonest values first, equal ones by name, at most `limit`.
    pub fn facet(&self, facet: Facet, limit: usize) -> Result<Vec<FacetCount>, IndexError> {
        let failed = engine_error(&self.index.path);
        let mut by_segment: HashMap<SegmentOrdinal, Vec<DocId>> = HashMap::new();
        for address in &self.found {
            by_segment.entry(address.segment_ord).or_default().push(address.doc_id);
        }
        let mut counts: HashMap<Option<String>, u64> = HashMap::new();
        for (segment, docs) in by_segment {
            let Some(column) = self.index.searcher.segment_reader(segment).fast_fields().str(facet.column()).map_err(&failed)? else {
                *counts.entry(None).or_default() += docs.len() as u64;
                continue;
            };
            let mut by_ordinal: HashMap<Option<u64>, u64> = HashMap::new();
            for doc in docs {
                let mut ordinals = column.term_ords(doc).peekable();
                if ordinals.peek().is_none() {
                    *by_ordinal.entry(None).or_default() += 1;
                }
                ordinals.for_each(|ordinal| *by_ordinal.entry(Some(ordinal)).or_default() += 1);
            }
            for (ordinal, count) in by_ordinal {
                let mut value = String::new();
                if let Some(ordinal) = ordinal {
                    column.ord_to_str(ordinal, &mut value).map_err(|error| failed(error.into()))?;
                }
                *counts.entry(ordinal.map(|_| value)).or_default() += count;
            }
        }
        let mut counts: Vec<FacetCount> = counts.into_iter().map(|(value, count)| FacetCount { value, count }).collect();
        counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        counts.truncate(limit);
        Ok(counts)
    }
}

/// Where an entry stands in the order of answers, and where it lies in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    address: u128,
    port: u16,
    ordinal: u64,
    segment: SegmentOrdinal,
    doc: DocId,
}

/// Collects every match with its key.
struct Sorted;

struct SegmentSorted {
    segment: SegmentOrdinal,
    address: Column<std::net::Ipv6Addr>,
    port: Column<u64>,
    ordinal: Column<u64>,
    found: Vec<Key>,
}

impl Collector for Sorted {
    type Fruit = Vec<Key>;
    type Child = SegmentSorted;

    fn for_segment(&self, segment: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentSorted> {
        let columns = reader.fast_fields();
        Ok(SegmentSorted {
            segment,
            address: columns.ip_addr(column::ADDRESS)?,
            port: columns.u64(column::PORT)?,
            ordinal: columns.u64(column::ORDINAL)?,
            found: Vec::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Vec<Key>>) -> tantivy::Result<Vec<Key>> {
        Ok(fruits.concat())
    }
}

impl SegmentCollector for SegmentSorted {
    type Fruit = Vec<Key>;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.found.push(Key {
            address: self.address.first(doc).map_or(0, u128::from),
            port: self.port.first(doc).unwrap_or(0) as u16,
            ordinal: self.ordinal.first(doc).unwrap_or(0),
            segment: self.segment,
            doc,
        });
    }

    fn harvest(self) -> Vec<Key> {
        self.found
    }
}
