//! ksig: the tests of the slot of bodies as machine code.

use std::cell::RefCell;

use anyhow::Result;
use ksig_compiler::jit::JitBackend;
use ksig_runtime::plan::{SlotId, TestId};
use ksig_runtime::{Backend, ValueView};

use super::Engine;
use crate::bodies::corpus::Corpus;

pub struct Ksig {
    backend: JitBackend,
    slot: SlotId,
    /// By test: its place.
    places: Vec<usize>,
    hits: RefCell<Vec<TestId>>,
}

impl Ksig {
    pub fn new(corpus: &Corpus) -> Result<Ksig> {
        let mut places = vec![usize::MAX; corpus.plan.plan().tests.len()];
        corpus.tests.iter().enumerate().for_each(|(place, test)| places[*test as usize] = place);
        let backend = JitBackend::compile(&corpus.plan)?;
        println!("    ksig: {:?}", backend.counts());
        Ok(Ksig { backend, slot: corpus.slot, places, hits: RefCell::default() })
    }
}

impl Engine for Ksig {
    fn find(&self, page: &str, found: &mut Vec<usize>) {
        let mut hits = self.hits.borrow_mut();
        hits.clear();
        self.backend.eval_slot(self.slot, &[ValueView::Text(page)], &mut hits);
        found.extend(hits.iter().map(|test| self.places[*test as usize]));
    }
}
