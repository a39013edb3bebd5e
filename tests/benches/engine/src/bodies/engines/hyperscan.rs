//! Hyperscan, one database of all tests.

use std::ffi::CString;

use anyhow::{Context as _, Result};
use regex_syntax::hir::Hir;

use super::Engine;
use crate::bodies::corpus::{Asked, Corpus};
use crate::dialect::{Dialect, written};
use crate::peers::hyperscan::Database;

pub struct Hyperscan {
    database: Database,
}

impl Hyperscan {
    pub fn new(corpus: &Corpus) -> Result<Hyperscan> {
        let pattern = |place| {
            let hir = match corpus.asked(place) {
                Asked::Pattern(hir) => hir,
                Asked::Word(bytes) => Hir::literal(bytes),
            };
            Ok((place, CString::new(written(&hir, Dialect::Perl).context("Hyperscan cannot say a pattern")?)?))
        };
        let patterns: Vec<_> = (0..corpus.tests.len()).map(pattern).collect::<Result<_>>()?;
        Ok(Hyperscan { database: Database::new(&patterns)?.context("Hyperscan does not take the patterns")? })
    }
}

impl Engine for Hyperscan {
    fn find(&self, page: &str, found: &mut Vec<usize>) {
        self.database.scan(page.as_bytes(), found);
    }
}
