//! Each pattern in turn.

use anyhow::Result;
use regex::bytes::Regex;

use super::{Peer, Winner};
use crate::work::{Banner, Work};

/// The patterns of each field, compiled by `regex`; other peers take captures from it.
pub struct RegexLoop {
    fields: Vec<Vec<Regex>>,
}

impl RegexLoop {
    pub fn new(work: &Work) -> Result<RegexLoop> {
        let fields = work.fields.iter().map(|field| field.patterns.iter().map(|(_, id)| Ok(Regex::new(&source(work, *id))?)).collect());
        Ok(RegexLoop { fields: fields.collect::<Result<_>>()? })
    }

    /// Whether one pattern matches.
    pub fn is_match(&self, banner: &Banner, place: usize) -> bool {
        self.fields[banner.field][place].is_match(banner.bytes)
    }

    /// What one pattern captures; absent when it does not match.
    pub fn captures(&self, banner: &Banner, place: usize) -> Option<Winner> {
        let regex = &self.fields[banner.field][place];
        let found = regex.captures(banner.bytes)?;
        let named = regex.capture_names().enumerate().filter(|(_, name)| name.is_some());
        let captures = named.map(|(at, _)| found.get(at).map(|group| (group.start(), group.end()))).collect();
        Some(Winner { place, captures })
    }
}

/// A pattern as `regex` reads it: its meaning, without ksig's flags.
pub fn source(work: &Work, pattern: ksig_runtime::plan::PatternId) -> String {
    work.plan.pattern(pattern).hir().to_string()
}

impl Peer for RegexLoop {
    fn name(&self) -> &'static str {
        "regex"
    }

    fn find(&self, banner: &Banner) -> Option<Winner> {
        (0..self.fields[banner.field].len()).find_map(|place| self.captures(banner, place))
    }
}
