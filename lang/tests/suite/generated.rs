//! Many files that nobody wrote: the parser and the normative grammar take the same ones, and what they take is formatted for good.
//!
//! `KSIG_FILES=1000000 cargo test -p ksig-lang --test suite generated` tries more than the normal run, `KSIG_SEED=2` others. A failure shows
//! the text; the same seed and number make it again.

use std::collections::BTreeSet;

use crate::generate::Grammar;
use crate::oracle::{Dice, agree};
use crate::samples;

/// Files of the normal run.
const FILES: u64 = 20_000;
/// So many failures are enough to see what is wrong.
const FAILURES_MAX: usize = 10;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

#[test]
fn generated_files_agree_and_are_formatted_for_good() {
    let (files, seed) = (setting("KSIG_FILES", FILES), setting("KSIG_SEED", 1));
    let grammar = Grammar::read(include_str!("../../../spec/ksig.pest"));
    let sources = written();
    let begin = std::time::Instant::now();
    let (mut taken, mut held, mut failed) = (0, BTreeSet::new(), Vec::new());
    for number in 0..files {
        let mut dice = Dice::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(number.wrapping_mul(0xD134_2543_DE82_EF95)));
        let (text, rules) = file(&grammar, &sources, &mut dice);
        let tried = std::panic::catch_unwind(|| {
            let agreed = agree(&text);
            if agreed {
                crate::fmt::formatted(&text);
            }
            agreed
        });
        match tried {
            Ok(true) => {
                taken += 1;
                held.extend(rules);
            }
            Ok(false) => {}
            Err(_) => failed.push(number),
        }
        assert!(failed.len() < FAILURES_MAX, "seed {seed}: the files {failed:?} broke a promise, as told above");
    }
    assert!(failed.is_empty(), "seed {seed}: the files {failed:?} broke a promise, as told above");
    println!("{files} files with seed {seed} in {} s: {taken} taken by both, {} refused by both", begin.elapsed().as_secs(), files - taken);
    assert!(taken > files / 8 && taken < files * 9 / 10, "{taken} of {files} files are taken");
    let names = grammar.names();
    let missing: Vec<&str> = names.iter().copied().filter(|name| !held.contains(*name)).collect();
    println!("rules that no file holds which is taken as it was drawn: {missing:?}");
    assert!(files < FILES || missing.len() * 4 < names.len(), "too many rules are in no file that is taken: {missing:?}");
}

/// Samples, fences and signatures, to be changed.
fn written() -> Vec<String> {
    let mut sources: Vec<String> = samples::ALL.map(str::to_owned).into();
    sources.extend(crate::spec::fences().into_iter().map(|fence| fence.text));
    sources.extend(samples::corpus().into_iter().map(|(_, text)| text).filter(|text| text.len() < 20_000));
    sources
}

/// A drawn file, as it is or a little changed, or a written one that is changed.
fn file(grammar: &Grammar, sources: &[String], dice: &mut Dice) -> (String, BTreeSet<String>) {
    if dice.roll(4) == 0 {
        let text = &sources[dice.roll(sources.len())];
        return (changed(text, dice), BTreeSet::new());
    }
    let drawn = grammar.draw(dice);
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
