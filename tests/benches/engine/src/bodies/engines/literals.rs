//! Aho-corasick over words and required literals. A word is compared where it was found; a pattern that is woken is asked once a page.

use std::cell::RefCell;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use anyhow::{Context as _, Result};

use super::Engine;
use super::plain::{Loop, Test};
use crate::bodies::corpus::{Asked, Corpus};

pub struct Literals<'c> {
    automaton: AhoCorasick,
    /// By literal: the test that it wakes, and the word if that is all.
    woken: Vec<(usize, Option<&'c [u8]>)>,
    tests: Loop<'c>,
    asked: RefCell<Vec<usize>>,
}

impl<'c> Literals<'c> {
    pub fn new(corpus: &'c Corpus) -> Result<Literals<'c>> {
        let (mut literals, mut woken) = (Vec::new(), Vec::new());
        for place in 0..corpus.tests.len() {
            match corpus.asked(place) {
                Asked::Word(word) => {
                    literals.push(word.to_vec());
                    woken.push((place, Some(word)));
                }
                Asked::Pattern(hir) => {
                    for literal in ksig_runtime::literals::required(&hir).context("a pattern of the corpus has a word")? {
                        literals.push(literal);
                        woken.push((place, None));
                    }
                }
            }
        }
        let automaton = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(&literals)?;
        Ok(Literals { automaton, woken, tests: Loop::new(corpus)?, asked: RefCell::default() })
    }
}

impl Engine for Literals<'_> {
    fn find(&self, page: &str, found: &mut Vec<usize>) {
        let mut asked = self.asked.borrow_mut();
        asked.clear();
        for hit in self.automaton.find_overlapping_iter(page) {
            match self.woken[hit.pattern().as_usize()] {
                (place, Some(word)) if page.as_bytes()[hit.range()] == *word => found.push(place),
                (_, Some(_)) => {}
                (place, None) if !asked.contains(&place) => {
                    asked.push(place);
                    if let Test::Pattern(regex) = &self.tests.tests[place]
                        && regex.is_match(page)
                    {
                        found.push(place);
                    }
                }
                _ => {}
            }
        }
    }
}
