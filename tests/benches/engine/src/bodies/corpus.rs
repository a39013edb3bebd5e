//! Signatures on the bodies of pages, made from words of products.
//!
//! In: a file of tokens, lines of JSON with `facts: [{part, words}]`, read at run time. Out: a compiled plan and the tests of its slot.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use ksig_compiler::{Input, Source};
use ksig_runtime::VerifiedPlan;
use ksig_runtime::plan::{Predicate, SlotId, TestId};
use ksig_tests::bench::shuffled;
use regex_syntax::hir::Hir;
use serde::Deserialize;

/// Tests that are made; words beyond them are left out.
const TESTS_MAX: usize = 5_000;
const WORD_BYTES_MIN: usize = 4;
/// One of so many words is asked for with a version behind it.
const VERSION_EVERY: usize = 10;
const SIGNATURES_PER_FILE: usize = 100;

#[derive(Deserialize)]
struct Line {
    facts: Vec<Fact>,
}

#[derive(Deserialize)]
struct Fact {
    part: Option<String>,
    #[serde(default)]
    words: Vec<String>,
}

/// What is looked for.
pub struct Corpus {
    pub plan: VerifiedPlan,
    /// The slot of bodies.
    pub slot: SlotId,
    /// Its tests; engines answer by their places here.
    pub tests: Vec<TestId>,
    /// The words that they are made of.
    pub words: Vec<String>,
}

impl Corpus {
    pub fn read(path: &Path) -> Result<Corpus> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let mut products = Vec::new();
        let mut seen = BTreeSet::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let line: Line = serde_json::from_str(line).context("a line of the tokens is not as expected")?;
            for fact in line.facts.into_iter().filter(|fact| fact.part.as_deref() == Some("body")) {
                let is_new = |word: &String| word.len() >= WORD_BYTES_MIN && !word.contains(['\n', '\r']) && seen.insert(word.clone());
                products.push(fact.words.into_iter().filter(is_new).collect::<Vec<String>>());
            }
        }
        products.retain(|words| !words.is_empty());
        let mut products = shuffled(products);
        let mut left = TESTS_MAX;
        products.retain_mut(|words| {
            words.truncate(left);
            left -= words.len();
            !words.is_empty()
        });
        let schema = ksig_protocols::schema();
        let release = ksig_compiler::ReleaseName { unverified: true, ..ksig::analysis::named("bodies") };
        let (plan, analysis) = ksig_compiler::compile(&input(&products), ksig::analysis::world(&schema), &release);
        let plan = plan.with_context(|| format!("{:?}", analysis.diagnostics.first()))?.verify()?;
        let slot = plan.plan().slots.iter().position(|slot| slot.field == "http.body").context("no test asks for a body")? as SlotId;
        let tests = plan.tests_of(slot).to_vec();
        Ok(Corpus { plan, slot, tests, words: products.concat() })
    }

    /// What the test at a place asks.
    pub fn asked(&self, place: usize) -> Asked<'_> {
        match &self.plan.plan().tests[self.tests[place] as usize].predicate {
            Predicate::Contains(word) => Asked::Word(word),
            Predicate::Matches(pattern) => Asked::Pattern(self.plan.pattern(*pattern).hir()),
            other => unreachable!("the corpus has no {other:?}"),
        }
    }

    /// Tests that are not words alone.
    pub fn patterns(&self) -> usize {
        (0..self.tests.len()).filter(|place| matches!(self.asked(*place), Asked::Pattern(_))).count()
    }
}

/// A test.
pub enum Asked<'c> {
    /// This stands in the body.
    Word(&'c [u8]),
    /// This matches somewhere.
    Pattern(Hir),
}

fn input(products: &[Vec<String>]) -> Input {
    let mut sources = Vec::new();
    let vocabulary = "ksig 1\nmodule bodies.vocab\n\nvendor acme {\n  name \"ACME\"\n}\n";
    sources.push(source("bodies.vocab", vocabulary.into()));
    let mut place = 0;
    for (file, products) in products.chunks(SIGNATURES_PER_FILE).enumerate() {
        let module = format!("bodies.file_{file}");
        let mut text = format!("ksig 1\nmodule {module}\n\nuse bodies.vocab {{ acme }}\n\nprobe top = http.get(\"/\")\n");
        for (at, words) in products.iter().enumerate() {
            let _ =
                write!(text, "\nsignature page_{at} {{\n  summary \"SYNTHETIC\"\n  evidence derived \"made for a bench\"\n  match {{\n");
            // Several words: any of them, as it was found to be enough.
            let any = words.len() > 1;
            text.push_str(if any { "    any {\n" } else { "" });
            for word in words {
                place += 1;
                let _ = writeln!(text, "    {}", line(word, !any && place % VERSION_EVERY < 3, any && place % VERSION_EVERY == 0));
            }
            text.push_str(if any { "    }\n" } else { "" });
            let version = if text.ends_with("/\n") { "; version = version" } else { "" };
            let _ = write!(text, "  }}\n  identify {{ vendor = acme; series = \"P{file}-{at}\"{version} }}\n}}\n");
        }
        sources.push(source(&module, text));
    }
    Input { sources, ..Input::default() }
}

fn line(word: &str, with_version: bool, ignoring_case: bool) -> String {
    let pattern = regex_syntax::escape(word).replace('/', "\\/");
    if with_version {
        format!(r"top.body ~ /{pattern}[^<\d]{{0,24}}(?<version: version(dotted)>\d+(?:\.\d+)+)/")
    } else if ignoring_case {
        format!("top.body ~ /{pattern}/i")
    } else {
        format!("top.body contains \"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t"))
    }
}

fn source(module: &str, text: String) -> Source {
    Source { path: format!("{}.ksig", module.replace('.', "/")), module: Some(module.into()), folder: "bodies".into(), text }
}
