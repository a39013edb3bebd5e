//! One random program on random evidence: oracle, interpreter and JIT say the same, or a text says where they differ.
//!
//! Bytes come from a property test or from a fuzzer; [`crate::random`] draws both parts from them.

use anyhow::{Context, Result};
use ksig::analysis::world;
use ksig_compiler::analyze;
use ksig_schema::{Evidence, Response, Schema};

use crate::engines::Engines;
use crate::oracle::Truth;
use crate::random::{self, Dice};

/// What the signatures of one program said, over all evidence.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    /// Signatures that matched.
    pub matched: usize,
    /// Signatures that could not be decided.
    pub open: usize,
}

/// Draws a program and so many pieces of evidence, and asks every engine. Absent when the program does not compile.
///
/// # Errors
/// Two engines differ; the text shows the program and the evidence.
pub fn run(program: &[u8], facts: &[u8], evidence: usize, schema: &Schema) -> Result<Option<Answers>> {
    let input = random::program(&mut Dice::new(program));
    let analysis = analyze(&input, world(schema));
    if analysis.failed() {
        return Ok(None);
    }
    let text: String = input.sources[random::SHARED.len()..].iter().map(|source| source.text.as_str()).collect();
    let engines = Engines::new(analysis.program).with_context(|| text.clone())?;
    let mut dice = Dice::new(facts);
    let mut answers = Answers::default();
    for _ in 0..evidence {
        let evidence = random::evidence(&mut dice, schema);
        let shown = || format!("{text}\n{}", listed(&evidence));
        for outcome in engines.agree_on(&evidence).with_context(shown)? {
            match outcome.truth {
                Truth::True => answers.matched += 1,
                Truth::NotObserved => answers.open += 1,
                Truth::False => {}
            }
        }
    }
    Ok(Some(answers))
}

/// Evidence for people: a line a response, a line a fact.
fn listed(evidence: &Evidence) -> String {
    let mut out = format!("{:?}\n", evidence.time);
    for response in evidence.services.iter().flat_map(|service| &service.responses) {
        let Response { probe, ended, complete, partial, facts } = response;
        out.push_str(&format!("{probe} {ended:?} head {} body {} partial {partial}\n", complete.head, complete.body));
        for fact in facts.iter() {
            out.push_str(&format!("  {} {} = {:?}\n", fact.field.name, fact.key.as_deref().unwrap_or_default(), fact.values));
        }
    }
    out
}
