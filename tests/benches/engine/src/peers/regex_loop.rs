//! Each pattern in turn.

use std::cell::RefCell;

use anyhow::Result;
use ksig_runtime::plan::PatternId;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::captures::Captures;
use regex_syntax::hir::Hir;

use super::{Peer, Winner};
use crate::work::{Banner, Work};

/// The patterns of each field, compiled by the engine of the `regex` crate; other peers take captures from it.
///
/// They are built from their meaning: written out and read again, `(?:a+)?` would become `a+?`.
pub struct RegexLoop {
    fields: Vec<Vec<Pattern>>,
}

struct Pattern {
    regex: Regex,
    captures: RefCell<Captures>,
}

impl RegexLoop {
    pub fn new(work: &Work) -> Result<RegexLoop> {
        let pattern = |id: PatternId| {
            let regex = Regex::builder().configure(config()).build_from_hir(&meaning(work, id))?;
            Ok(Pattern { captures: RefCell::new(regex.create_captures()), regex })
        };
        let fields = work.fields.iter().map(|field| field.patterns.iter().map(|(_, id)| pattern(*id)).collect());
        Ok(RegexLoop { fields: fields.collect::<Result<_>>()? })
    }

    /// Whether one pattern matches.
    pub fn is_match(&self, banner: &Banner, place: usize) -> bool {
        self.fields[banner.field][place].regex.is_match(banner.bytes)
    }

    /// What one pattern captures; absent when it does not match.
    pub fn captures(&self, banner: &Banner, place: usize) -> Option<Winner> {
        let Pattern { regex, captures } = &self.fields[banner.field][place];
        let mut captures = captures.borrow_mut();
        regex.captures(banner.bytes, &mut captures);
        if !captures.is_match() {
            return None;
        }
        let groups = 1..captures.group_info().group_len(captures.pattern()?);
        let captures = groups.map(|at| captures.get_group(at).map(|span| (span.start, span.end)));
        Some(Winner { place, captures: captures.collect() })
    }
}

/// As `regex::bytes` configures its engine.
pub fn config() -> Config {
    Config::new().utf8_empty(false)
}

/// What a pattern means.
pub fn meaning(work: &Work, pattern: PatternId) -> Hir {
    work.plan.pattern(pattern).hir()
}

impl Peer for RegexLoop {
    fn name(&self) -> &'static str {
        "regex"
    }

    fn find(&self, banner: &Banner) -> Option<Winner> {
        (0..self.fields[banner.field].len()).find_map(|place| self.captures(banner, place))
    }
}
