//! A `RegexSet` for each field.

use anyhow::Result;
use regex::bytes::{RegexSet, RegexSetBuilder};

use super::regex_loop::{RegexLoop, source};
use super::{Peer, Winner};
use crate::work::{Banner, Work};

/// Room for the automata of one field.
const SIZE_BYTES_MAX: usize = 1 << 30;

/// The sets, and the patterns for captures.
pub struct RegexSets {
    sets: Vec<RegexSet>,
    regexes: RegexLoop,
}

impl RegexSets {
    pub fn new(work: &Work) -> Result<RegexSets> {
        let set = |field: &crate::work::Field| {
            let sources = field.patterns.iter().map(|(_, id)| source(work, *id));
            Ok(RegexSetBuilder::new(sources).size_limit(SIZE_BYTES_MAX).dfa_size_limit(SIZE_BYTES_MAX).build()?)
        };
        Ok(RegexSets { sets: work.fields.iter().map(set).collect::<Result<_>>()?, regexes: RegexLoop::new(work)? })
    }
}

impl Peer for RegexSets {
    fn name(&self) -> &'static str {
        "regex-set"
    }

    fn find(&self, banner: &Banner) -> Option<Winner> {
        let first = self.sets[banner.field].matches(banner.bytes).iter().next()?;
        self.regexes.captures(banner, first)
    }
}
