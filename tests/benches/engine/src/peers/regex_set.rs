//! What `RegexSet` is, for each field.

use std::cell::RefCell;

use anyhow::Result;
use regex_automata::meta::Regex;
use regex_automata::{Input, MatchKind, PatternSet};

use super::regex_loop::{RegexLoop, config, meaning};
use super::{Peer, Winner};
use crate::work::{Banner, Work};

/// Room for the automata of one field.
const SIZE_BYTES_MAX: usize = 1 << 30;

/// The sets, and the patterns for captures.
pub struct RegexSets {
    sets: Vec<(Regex, RefCell<PatternSet>)>,
    regexes: RegexLoop,
}

impl RegexSets {
    pub fn new(work: &Work) -> Result<RegexSets> {
        let set = |field: &crate::work::Field| {
            let meanings: Vec<_> = field.patterns.iter().map(|(_, id)| meaning(work, *id)).collect();
            let config = config().match_kind(MatchKind::All).nfa_size_limit(Some(SIZE_BYTES_MAX)).hybrid_cache_capacity(SIZE_BYTES_MAX);
            let regex = Regex::builder().configure(config).build_many_from_hir(&meanings)?;
            let found = RefCell::new(PatternSet::new(regex.pattern_len()));
            Ok((regex, found))
        };
        Ok(RegexSets { sets: work.fields.iter().map(set).collect::<Result<_>>()?, regexes: RegexLoop::new(work)? })
    }
}

impl Peer for RegexSets {
    fn name(&self) -> &'static str {
        "regex-set"
    }

    fn find(&self, banner: &Banner) -> Option<Winner> {
        let (regex, found) = &self.sets[banner.field];
        let mut found = found.borrow_mut();
        found.clear();
        regex.which_overlapping_matches(&Input::new(banner.bytes), &mut found);
        let first = found.iter().next()?.as_usize();
        self.regexes.captures(banner, first)
    }
}
