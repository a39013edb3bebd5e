//! The parser beside the normative grammar.

use pest::Parser;

/// Rules that pest may try for one text. A text of many nestings makes it try some of them again and again; it says nothing then.
const CALLS_MAX: usize = 20_000_000;

#[derive(pest_derive::Parser)]
#[grammar = "../../spec/ksig.pest"]
struct Grammar;

/// `spec/ksig.pest` and the parser take the same files.
pub fn grammar(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    pest::set_call_limit(std::num::NonZeroUsize::new(CALLS_MAX));
    let problems = ksig_lang::parse(&text, 0).diagnostics;
    match Grammar::parse(Rule::file, &text) {
        Ok(_) if problems.is_empty() || problems.iter().all(|problem| problem.code == "too-deep") => {}
        Ok(_) => panic!("the grammar takes it, the parser says {problems:#?}"),
        Err(_) if !problems.is_empty() => {}
        Err(error) if error.to_string().contains("call limit") => {}
        Err(error) => panic!("the parser takes it, the grammar says {error}"),
    }
}
