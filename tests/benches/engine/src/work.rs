//! The work that all engines do: the patterns of each field in the order in which they win, and banners.
//!
//! In: a folder of Recog's databases, imported and compiled as a release is; perhaps a file of facts. Out: [`Work`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use ksig_runtime::VerifiedPlan;
use ksig_runtime::plan::{PatternId, Predicate, SlotId, TestId};
use ksig_tests::bench::shuffled;

/// A field with its patterns.
pub struct Field {
    /// In the plan.
    pub slot: SlotId,
    /// In the order in which they win.
    pub patterns: Vec<(TestId, PatternId)>,
}

/// A value of a field.
#[derive(Clone, Copy, Debug)]
pub struct Banner<'w> {
    /// Index into [`Work::fields`].
    pub field: usize,
    /// As it was received.
    pub bytes: &'w [u8],
}

/// What is measured.
pub struct Work {
    /// The release.
    pub plan: VerifiedPlan,
    /// Fields that patterns ask for.
    pub fields: Vec<Field>,
    /// Different ones, by field.
    pub banners: BTreeSet<(usize, Vec<u8>)>,
}

impl Work {
    /// Reads the databases and, of facts, the values of their fields.
    pub fn read(databases: &Path, facts: Option<&Path>) -> Result<Work> {
        let (import, input) = ksig_tests::recog::imported(databases)?;
        let schema = ksig_protocols::schema();
        let release = ksig_compiler::ReleaseName { unverified: true, ..ksig::analysis::named("recog") };
        let (plan, _) = ksig_compiler::compile(&input, ksig::analysis::world(&schema), &release);
        let plan = plan.context("what was imported does not compile")?.verify()?;
        let fields = fields(&plan);
        let mut places: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
        for (at, field) in fields.iter().enumerate() {
            let slot = &plan.plan().slots[field.slot as usize];
            places.insert((slot.field.clone(), slot.key.clone()), at);
        }
        let mut banners = BTreeSet::new();
        for case in &import.cases {
            let place = (case.place.field.to_string(), case.place.key.clone());
            banners.extend(places.get(&place).map(|&field| (field, case.bytes.clone())));
        }
        for line in facts.map(std::fs::read).transpose()?.unwrap_or_default().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let row = ksig_tests::facts::Row::read(line).map_err(anyhow::Error::msg)?;
            let Some(line) = row.evidence_line(&schema) else { continue };
            let evidence = ksig::evidence_line::parse(&line, &schema)?.evidence;
            for fact in evidence.services.iter().flat_map(|service| &service.responses).flat_map(|response| response.facts.iter()) {
                let place = (fact.field.name.to_string(), fact.key.clone());
                let values = (0..fact.values.len()).filter_map(|at| fact.raw(at));
                banners.extend(places.get(&place).into_iter().flat_map(|&field| values.clone().map(move |bytes| (field, bytes.to_vec()))));
            }
        }
        Ok(Work { plan, fields, banners })
    }

    /// How many patterns there are.
    pub fn patterns(&self) -> usize {
        self.fields.iter().map(|field| field.patterns.len()).sum()
    }

    /// The banners again and again, shuffled, so that caches act as in life.
    pub fn replicated(&self, count: usize) -> Vec<Banner<'_>> {
        let again = self.banners.iter().cycle().take(count);
        shuffled(again.map(|(field, bytes)| Banner { field: *field, bytes }).collect())
    }

    /// Banners that no pattern of their field matches: each is asked on the fields of others.
    pub fn matching_nothing(&self, count: usize) -> Vec<Banner<'_>> {
        let fields = self.fields.len();
        let strangers =
            (1..fields).flat_map(|step| self.banners.iter().map(move |(field, bytes)| Banner { field: (field + step) % fields, bytes }));
        let matches = |banner: &Banner| {
            self.fields[banner.field].patterns.iter().any(|(_, pattern)| self.plan.pattern(*pattern).is_match(banner.bytes))
        };
        let different: Vec<Banner> = shuffled(strangers.collect())
            .into_iter()
            .filter(|banner| std::str::from_utf8(banner.bytes).is_ok() && !matches(banner))
            .take(count / 20)
            .collect();
        shuffled(different.iter().copied().cycle().take(if different.is_empty() { 0 } else { count }).collect())
    }
}

/// The slots that patterns are asked of; a pattern wins by its choice and its place in that.
fn fields(plan: &VerifiedPlan) -> Vec<Field> {
    let described = plan.plan();
    let mut places: BTreeMap<TestId, (u32, u32)> = BTreeMap::new();
    for signature in &described.signatures {
        let member = signature.choice.as_ref().map_or((u32::MAX, u32::MAX), |member| (member.choice, member.place));
        for &test in &signature.triggers {
            let place = places.entry(test).or_insert(member);
            *place = (*place).min(member);
        }
    }
    let mut by_slot: BTreeMap<SlotId, Vec<((u32, u32), TestId, PatternId)>> = BTreeMap::new();
    for (test, place) in places {
        let asked = &described.tests[test as usize];
        if let Predicate::Matches(pattern) = asked.predicate {
            by_slot.entry(asked.slot).or_default().push((place, test, pattern));
        }
    }
    let field = |(slot, mut asked): (SlotId, Vec<_>)| {
        asked.sort();
        Field { slot, patterns: asked.into_iter().map(|(_, test, pattern)| (test, pattern)).collect() }
    };
    by_slot.into_iter().map(field).collect()
}
