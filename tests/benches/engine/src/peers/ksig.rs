//! ksig: the tests of a slot and the captures of the first; and all that an identification is.

use std::cell::RefCell;
use std::sync::Arc;

use anyhow::Result;
use ksig_compiler::jit::JitBackend;
use ksig_runtime::plan::{Probe, TestId};
use ksig_runtime::{Backend, Matcher, ValueView};
use ksig_schema::{Evidence, Facts, Identification, ProbeKey, Schema, Service, Transport};

use super::{Peer, Winner};
use crate::work::{Banner, Work};

/// The engine of a release.
pub struct Ksig<'w> {
    work: &'w Work,
    backend: JitBackend,
    /// By test: its place in its field.
    places: Vec<usize>,
    hits: RefCell<Vec<TestId>>,
}

impl<'w> Ksig<'w> {
    pub fn new(work: &'w Work) -> Result<Ksig<'w>> {
        let mut places = vec![usize::MAX; work.plan.plan().tests.len()];
        for field in &work.fields {
            field.patterns.iter().enumerate().for_each(|(place, (test, _))| places[*test as usize] = place);
        }
        let backend = hot(work)?;
        println!("    ksig: {:?}", backend.counts());
        Ok(Ksig { work, backend, places, hits: RefCell::default() })
    }
}

impl Peer for Ksig<'_> {
    fn name(&self) -> &'static str {
        "ksig"
    }

    fn find(&self, banner: &Banner) -> Option<Winner> {
        let field = &self.work.fields[banner.field];
        let on_bytes = self.work.plan.pattern(field.patterns[0].1).on_bytes();
        let value = match std::str::from_utf8(if on_bytes { &[] } else { banner.bytes }) {
            Ok(text) if !on_bytes => ValueView::Text(text),
            _ => ValueView::Bytes(banner.bytes),
        };
        let mut hits = self.hits.borrow_mut();
        hits.clear();
        self.backend.eval_slot(field.slot, &[value], &mut hits);
        let place = hits.iter().map(|test| self.places[*test as usize]).min().filter(|place| *place != usize::MAX)?;
        let (test, pattern) = field.patterns[place];
        let pattern = self.work.plan.pattern(pattern);
        let (_, found) = self.backend.find(test, pattern, banner.bytes)?;
        let captures = pattern.groups().iter().map(|name| found.iter().find(|(group, _)| group == name).map(|(_, span)| *span));
        Some(Winner { place, captures: captures.collect() })
    }
}

/// As a release runs when each pattern has been asked some times: a sweep asks them all within its first minutes.
fn hot(work: &Work) -> Result<JitBackend> {
    let begin = std::time::Instant::now();
    let backend = JitBackend::compile(&work.plan)?;
    println!("    all code made in {} ms", begin.elapsed().as_millis());
    Ok(backend)
}

/// The whole of the production path after decoding.
pub struct Identify<'w> {
    work: &'w Work,
    schema: Schema,
    matcher: Matcher,
}

impl<'w> Identify<'w> {
    pub fn new(work: &'w Work) -> Result<Identify<'w>> {
        let backend: Arc<dyn Backend> = Arc::new(hot(work)?);
        Ok(Identify { work, schema: ksig_protocols::schema(), matcher: Matcher::new(work.plan.clone(), backend) })
    }

    /// A banner as evidence.
    pub fn evidence(&self, banner: &Banner) -> Evidence {
        let plan = self.work.plan.plan();
        let slot = &plan.slots[self.work.fields[banner.field].slot as usize];
        let field = self.schema.field(&slot.field).expect("a slot reads a field of the schema");
        let mut facts = Facts::default();
        facts.push_read(field, slot.key.as_deref(), String::from_utf8_lossy(banner.bytes).into_owned(), banner.bytes);
        let key = match &plan.probes[slot.probe as usize] {
            Probe::Exactly(key) => key.clone(),
            _ => ProbeKey::new("banner"),
        };
        let response = ksig_protocols::partial_response(key, facts, ksig_schema::Ended::Complete, false);
        let service = Service { address: None, port: 0, transport: Transport::Tcp, responses: vec![response] };
        Evidence { host: "bench".into(), time: None, services: vec![service] }
    }

    /// All answers.
    pub fn identify(&self, evidence: &Evidence) -> Vec<Identification> {
        self.matcher.identify(evidence)
    }
}
