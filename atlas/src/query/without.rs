//! Negation for Tantivy: every document but those that another query finds.
//!
//! In: a query. Out: its complement, worked out as a set of bits for each segment. Tantivy's own exclusion (0.27, `Exclude`) asks a phrase
//! for a document before the one where it stands, which trips its assertion and may go past a match; a set of bits has no order to break.

use tantivy::query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{BitSet, DocId, Score, SegmentReader};

/// Finds what the other query does not.
#[derive(Debug)]
pub(super) struct Without(pub(super) Box<dyn Query>);

impl Clone for Without {
    fn clone(&self) -> Self {
        Without(self.0.box_clone())
    }
}

impl Query for Without {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(WithoutWeight(self.0.weight(scoring)?)))
    }
}

struct WithoutWeight(Box<dyn Weight>);

impl Weight for WithoutWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut left = BitSet::with_max_value_and_full(reader.max_doc());
        self.0.for_each_no_score(reader, &mut |found| found.iter().for_each(|doc| left.remove(*doc)))?;
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(left), boost)))
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("not found by the other query", 1.0))
    }
}
