//! Many files that nobody wrote: the parser and the normative grammar take the same ones, and what they take is formatted for good.
//!
//! `KSIG_FILES=1000000 cargo test -p ksig-lang --test suite generated` tries more than the normal run, `KSIG_SEED=2` others. A failure shows
//! the text; the same seed and number make it again.

use std::collections::{BTreeMap, BTreeSet};

use crate::generate::{Goal, Grammar};
use crate::oracle::{Dice, agree, shown};
use crate::samples;

/// Files of the normal run.
const FILES: u64 = 20_000;
/// So many failures are enough to see what is wrong.
const FAILURES_MAX: usize = 10;
/// So many files that are taken hold each rule of the grammar.
const HELD_MIN: usize = 50;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

#[test]
fn generated_files_agree_and_are_formatted_for_good() {
    let (files, seed) = (setting("KSIG_FILES", FILES), setting("KSIG_SEED", 1));
    let grammar = Grammar::read(include_str!("../../../spec/ksig.pest"));
    let (sources, mut goals) = (written(), Goals::new(&grammar));
    let begin = std::time::Instant::now();
    let (mut taken, mut failed) = (0, Vec::new());
    for number in 0..files {
        let mut dice = Dice::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(number.wrapping_mul(0xD134_2543_DE82_EF95)));
        let (text, drawn) = file(&grammar, &sources, &goals, &mut dice);
        let tried = std::panic::catch_unwind(|| {
            let shown = shown(&text)?;
            crate::fmt::formatted(&text);
            Some(shown)
        });
        match tried {
            Ok(Some(shown)) => {
                taken += 1;
                goals.count(&drawn, &shown);
            }
            Ok(None) => {}
            Err(_) => failed.push(number),
        }
        assert!(failed.len() < FAILURES_MAX, "seed {seed}: the files {failed:?} broke a promise, as told above");
    }
    assert!(failed.is_empty(), "seed {seed}: the files {failed:?} broke a promise, as told above");
    println!("{files} files with seed {seed} in {} s: {taken} taken by both, {} refused by both", begin.elapsed().as_secs(), files - taken);
    assert!(taken > files / 8 && taken < files * 9 / 10, "{taken} of {files} files are taken");
    println!("the rules that the fewest of them hold: {:?}", goals.rarest(5));
    let missing = goals.rarest(usize::MAX).into_iter().filter(|(_, held)| *held < HELD_MIN).collect::<Vec<_>>();
    assert!(files < FILES || missing.is_empty(), "rules that fewer than {HELD_MIN} files hold which are taken: {missing:?}");
}

/// In how many files that were taken as they were drawn each rule stood.
struct Goals {
    /// With the ways to the rule.
    held: BTreeMap<String, (usize, Goal)>,
    /// The rules that pest's tree must show too: that they were drawn does not say that they were read so.
    shown: BTreeSet<String>,
}

impl Goals {
    fn new(grammar: &Grammar) -> Goals {
        let held = grammar.names().into_iter().map(|name| (name.to_owned(), (0, grammar.goal(name)))).collect();
        Goals { held, shown: grammar.shown().into_iter().map(str::to_owned).collect() }
    }

    fn count(&mut self, drawn: &BTreeSet<String>, shown: &BTreeSet<String>) {
        for name in drawn.iter().filter(|name| !self.shown.contains(*name) || shown.contains(*name)) {
            self.held.entry(name.clone()).and_modify(|(held, _)| *held += 1);
        }
    }

    /// The rules that fewest files hold.
    fn rarest(&self, count: usize) -> Vec<(&str, usize)> {
        let mut all: Vec<(&str, usize)> = self.held.iter().map(|(name, (held, _))| (name.as_str(), *held)).collect();
        all.sort_by_key(|(_, held)| *held);
        all.truncate(count);
        all
    }

    /// One of the rules that fewest files hold.
    fn next(&self, dice: &mut Dice) -> &Goal {
        let rarest = self.rarest(8);
        &self.held[rarest[dice.roll(rarest.len())].0].1
    }
}

/// Samples, fences and signatures, to be changed.
fn written() -> Vec<String> {
    let mut sources: Vec<String> = samples::ALL.map(str::to_owned).into();
    sources.extend(crate::spec::fences().into_iter().map(|fence| fence.text));
    sources.extend(samples::corpus().into_iter().map(|(_, text)| text).filter(|text| text.len() < 20_000));
    sources
}

/// A drawn file with its rules, one in four of them for a rule that few files hold, as it is or a little changed; or a written one that is
/// changed.
fn file(grammar: &Grammar, sources: &[String], goals: &Goals, dice: &mut Dice) -> (String, BTreeSet<String>) {
    if dice.roll(4) == 0 {
        let text = &sources[dice.roll(sources.len())];
        return (changed(text, dice), BTreeSet::new());
    }
    let drawn = if dice.roll(4) == 0 { grammar.draw_towards(goals.next(dice), dice) } else { grammar.draw(dice) };
    if dice.roll(3) == 0 { (changed(&drawn.text, dice), BTreeSet::new()) } else { (drawn.text, drawn.rules) }
}

/// A few tokens, or a few characters, are dropped, doubled, moved or replaced.
fn changed(text: &str, dice: &mut Dice) -> String {
    let mut pieces: Vec<&str> = if dice.roll(4) == 0 {
        text.char_indices().map(|(at, character)| &text[at..at + character.len_utf8()]).collect()
    } else {
        ksig_lang::tokens(text).iter().map(|(_, span)| &text[span.start as usize..span.end as usize]).collect()
    };
    for _ in 0..=dice.roll(3) {
        if !pieces.is_empty() {
            crate::oracle::mutate(&mut pieces, dice);
        }
    }
    pieces.concat()
}

#[test]
fn the_corpus_agrees() {
    let corpus = samples::corpus();
    assert!(corpus.len() > 50, "{} files", corpus.len());
    for (path, text) in corpus {
        assert!(agree(&text), "{path}: both refuse it");
    }
}
