//! YARA-X, one set of rules of all tests; what it does not take is asked in turn.

use anyhow::Result;
use regex_syntax::hir::Hir;

use super::Engine;
use super::plain::Loop;
use crate::bodies::corpus::{Asked, Corpus};
use crate::dialect::{Dialect, written};
use crate::peers::yara::Rules;

pub struct Yara<'c> {
    rules: Rules,
    /// Patterns that YARA-X does not take.
    refused: Vec<usize>,
    tests: Loop<'c>,
}

impl<'c> Yara<'c> {
    pub fn new(corpus: &'c Corpus) -> Result<Yara<'c>> {
        let string = |place| match corpus.asked(place) {
            Asked::Pattern(hir) => Some(format!("/{}/", written(&hir, Dialect::Yara)?)),
            Asked::Word(bytes) if bytes.len() > 1 => {
                Some(format!("\"{}\"", bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>()))
            }
            Asked::Word(bytes) => Some(format!("/{}/", written(&Hir::literal(bytes), Dialect::Yara)?)),
        };
        let (rules, refused) = Rules::new((0..corpus.tests.len()).map(|place| (place, string(place))))?;
        println!("    yara-x does not take {} tests; each is asked in turn", refused.len());
        Ok(Yara { rules, refused, tests: Loop::new(corpus)? })
    }
}

impl Engine for Yara<'_> {
    fn find(&self, page: &str, found: &mut Vec<usize>) {
        // A failed scan leaves answers out, which the comparison shows.
        let _ = self.rules.scan(page.as_bytes(), found);
        found.extend(self.refused.iter().copied().filter(|&place| self.tests.tests[place].holds(page)));
    }
}
