//! Each test in turn.

use anyhow::Result;
use memchr::memmem::Finder;
use regex_automata::meta::Regex;

use super::Engine;
use crate::bodies::corpus::{Asked, Corpus};
use crate::peers::regex_loop::config;

/// The tests, each ready to be asked.
pub struct Loop<'c> {
    pub tests: Vec<Test<'c>>,
}

/// One test.
pub enum Test<'c> {
    Word(Finder<'c>),
    Pattern(Regex),
}

impl<'c> Loop<'c> {
    pub fn new(corpus: &'c Corpus) -> Result<Loop<'c>> {
        let test = |place| match corpus.asked(place) {
            Asked::Word(word) => Ok(Test::Word(Finder::new(word))),
            Asked::Pattern(hir) => Ok(Test::Pattern(Regex::builder().configure(config()).build_from_hir(&hir)?)),
        };
        Ok(Loop { tests: (0..corpus.tests.len()).map(test).collect::<Result<_>>()? })
    }
}

impl Test<'_> {
    pub fn holds(&self, page: &str) -> bool {
        match self {
            Test::Word(word) => word.find(page.as_bytes()).is_some(),
            Test::Pattern(regex) => regex.is_match(page),
        }
    }
}

impl Engine for Loop<'_> {
    fn find(&self, page: &str, found: &mut Vec<usize>) {
        found.extend(self.tests.iter().enumerate().filter(|(_, test)| test.holds(page)).map(|(place, _)| place));
    }
}
