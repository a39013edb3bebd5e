//! Which of some thousand patterns stand in a page: ksig beside its peers, on the same patterns in the same run, with equal answers.
//!
//! `tests/benches/engine/run bodies [TOKENS]`. Rows go to `target/bench/bodies.ndjson`; `KSIG_ENGINES=hyperscan,ksig` runs some of the engines,
//! `KSIG_BODIES=100` takes as many pages of each kind.
//!
//! | row | what runs |
//! |---|---|
//! | `loop` | each pattern in turn: what all others must equal |
//! | `literals` | one aho-corasick of required literals, then `memmem` or `regex` for what they wake |
//! | `hyperscan` | Hyperscan 5.4.0, all patterns in one database |
//! | `yara-x` | YARA-X 1.22, a rule a test |
//! | `ksig` | `eval_slot` of the JIT, the code of every pattern made |
//!
//! The patterns are made from words of products (`corpus`): nine of ten ask for the word as it is, the others for a version behind it. The pages
//! are invented (`ksig_tests::pages`); of each length there are pages with one to three of the words, pages with none that have beginnings of
//! words instead, and pages with neither. Some words stand in many pages (`viewport`): pages with none are drawn without such lines.

mod corpus;
mod engines;

use std::path::Path;

use anyhow::Result;
use ksig_tests::bench::{Row, Rows, Times, rss_mb};
use ksig_tests::pages::Pages;

use corpus::Corpus;
use engines::Engine;

const LENGTHS: [usize; 4] = [1 << 10, 2 << 10, 4 << 10, 16 << 10];
/// Pages of each length and kind, where `KSIG_BODIES` does not say how many.
const PAGES: usize = 300;
/// Rounds over all of them, where `KSIG_ROUNDS` does not say how many; a page counts with its fastest.
const ROUNDS: usize = 7;

pub fn run(tokens: &Path) -> Result<()> {
    let corpus = Corpus::read(tokens)?;
    println!("{} tests on http.body, {} of them patterns", corpus.tests.len(), corpus.patterns());
    let (count, rounds) = (crate::number("KSIG_BODIES", PAGES)?, crate::number("KSIG_ROUNDS", ROUNDS)?);
    let reference = engines::plain::Loop::new(&corpus)?;
    let finder = engines::literals::Literals::new(&corpus)?;
    let mut kinds = Vec::new();
    for bytes in LENGTHS {
        for (kind, pages) in pages(&corpus, &finder, bytes, count) {
            let answers: Vec<_> = pages.iter().map(|page| found(&reference, page)).collect();
            // What is cut or put together may yet be a word.
            let fits = |answer: &Vec<_>| answer.is_empty() != (kind == "with words");
            let kept = pages.into_iter().zip(answers).filter(|(_, answer)| fits(answer));
            let (pages, answers): (Vec<String>, Vec<_>) = kept.unzip();
            let mean = answers.iter().map(Vec::len).sum::<usize>() as f64 / answers.len().max(1) as f64;
            println!("    {} pages of {bytes} bytes {kind}, {mean:.1} answers each", pages.len());
            kinds.push((bytes, kind, pages, answers));
        }
    }
    let asked = std::env::var("KSIG_ENGINES").ok();
    let is_asked = |name: &str| asked.as_ref().is_none_or(|asked| asked.split(',').any(|asked| asked == name));
    type Make = fn(&Corpus) -> Result<Box<dyn Engine + '_>>;
    let all: Vec<(&str, Make)> = vec![
        ("loop", |corpus| Ok(Box::new(engines::plain::Loop::new(corpus)?))),
        ("literals", |corpus| Ok(Box::new(engines::literals::Literals::new(corpus)?))),
        ("hyperscan", |corpus| Ok(Box::new(engines::hyperscan::Hyperscan::new(corpus)?))),
        #[cfg(feature = "yara-x")]
        ("yara-x", |corpus| Ok(Box::new(engines::yara::Yara::new(corpus)?))),
        ("ksig", |corpus| Ok(Box::new(engines::ksig::Ksig::new(corpus)?))),
    ];
    let mut rows = Rows::begin("bodies");
    for (name, make) in all.iter().filter(|(name, _)| is_asked(name)) {
        let engine = make(&corpus)?;
        for (bytes, kind, pages, answers) in &kinds {
            let differs = pages.iter().zip(answers).position(|(page, answer)| found(&*engine, page) != *answer);
            let rounds = if *name == "loop" { 1 } else { rounds };
            let mut hits = Vec::new();
            let times = Times::of(pages, rounds, |page| {
                hits.clear();
                engine.find(page, &mut hits);
            });
            rows.add(&Row {
                bench: "bodies",
                engine: (*name).into(),
                order: "mixed",
                corpus: format!("{bytes} bytes {kind}, {} ns/KiB", times.median() * 1024 / *bytes as u64),
                ns_median: times.median(),
                ns_p99: times.p99(),
                rss_mb: rss_mb(),
                equal: Some(differs.is_none()),
            });
            if let Some(at) = differs {
                println!("    page {at}: expected {:?}, found {:?}", answers[at], found(&*engine, &pages[at]));
            }
        }
    }
    Ok(())
}

/// The tests that an engine finds, sorted.
fn found(engine: &dyn Engine, page: &str) -> Vec<usize> {
    let mut found = Vec::new();
    engine.find(page, &mut found);
    found.sort_unstable();
    found.dedup();
    found
}

fn pages(corpus: &Corpus, finder: &dyn Engine, bytes: usize, count: usize) -> [(&'static str, Vec<String>); 3] {
    let drawn = |pages: &mut Pages| {
        let word = pages.below(corpus.words.len());
        corpus.words[word].as_str()
    };
    let mut pages = Pages::new(bytes as u64);
    let with_words = (0..count).map(|at| {
        let texts: Vec<String> = (0..1 + at % 3).map(|_| format!("<p>{} 1.{}</p>", drawn(&mut pages), pages.below(90))).collect();
        pages.page(bytes, &texts)
    });
    let with_words: Vec<String> = with_words.collect();
    let matches = |line: &str| !found(finder, line).is_empty();
    let mut pages = Pages::avoiding(bytes as u64, &matches);
    let with_beginnings = (0..count).map(|at| {
        let cut = |word: &str| word[..word.floor_char_boundary(word.len() * 3 / 4)].to_string();
        let texts: Vec<String> = (0..1 + at % 3).map(|_| cut(drawn(&mut pages))).filter(|text| !matches(text)).collect();
        pages.page(bytes, &texts)
    });
    let with_beginnings: Vec<String> = with_beginnings.collect();
    let without = (0..count).map(|_| pages.page(bytes, &[])).collect();
    [("with words", with_words), ("with beginnings", with_beginnings), ("without", without)]
}
