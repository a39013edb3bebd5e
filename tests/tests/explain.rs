//! What `ksig explain` says is true: the bad example of every code reports that code and no other, the good one nothing; and every text
//! that ksig says about a mistake is said in both languages.

use std::path::Path;

use ksig::analysis::world;
use ksig_compiler::{analyze, codes, lints};
use ksig_lang::{CodeDoc, Diagnostic, Lang, RenderStyle, Text};
use ksig_tests::fences::{self, Book};

fn book() -> Book {
    fences::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec"))).expect("the spec can be read")
}

/// What is found in an example of a code, and the findings for people. Lints speak only where the example is one of a lint.
fn found(book: &Book, group: &str, code: &str, text: &str) -> (Vec<Diagnostic>, String) {
    if group == "syntax" {
        let problems = ksig_lang::parse(text, 0).diagnostics;
        let shown = format!("{problems:#?}");
        return (problems, shown);
    }
    // What differs from its path differs from `signatures/a.ksig`.
    let module = text.starts_with("ksig 1").then_some("a");
    let schema = ksig_protocols::schema();
    let analysis = analyze(&book.beside_the_prelude("example", &book.framed(text), module), world(&schema));
    let mut all = analysis.diagnostics.clone();
    if group == "lints" {
        all.extend(fences::linted(&analysis, code));
    }
    let shown = ksig_lang::render(&all, &analysis.sources, RenderStyle::default());
    (all, shown)
}

fn wrong(book: &Book, group: &str, doc: &CodeDoc) -> Option<String> {
    let (bad, shown) = found(book, group, doc.code, doc.bad);
    if bad.is_empty() || bad.iter().any(|problem| problem.code != doc.code) {
        return Some(format!("{}: its bad example shows\n{shown}", doc.code));
    }
    let (good, shown) = found(book, group, doc.code, doc.good);
    (!good.is_empty()).then(|| format!("{}: its good example shows\n{shown}", doc.code))
}

#[test]
fn every_code_is_reported_by_its_bad_example_and_not_by_its_good_one() {
    let book = book();
    let mut wrong_ones = Vec::new();
    for group in codes::groups() {
        for doc in group.codes.iter().filter(|doc| !ksig_lang::is_limit(doc.code)) {
            wrong_ones.extend(wrong(&book, group.name, doc));
        }
    }
    assert!(wrong_ones.is_empty(), "{}", wrong_ones.join("\n"));
}

/// English has letters and no Japanese; Japanese has Japanese outside the code that it quotes.
fn is_said_in_both(text: &Text) -> bool {
    let japanese = |text: &str| text.chars().any(|c| matches!(c, '\u{3041}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'));
    let unquoted = |text: &str| text.split('`').step_by(2).collect::<String>();
    let (en, ja) = (unquoted(text.in_lang(Lang::En)), unquoted(text.in_lang(Lang::Ja)));
    !en.trim().is_empty() && !japanese(&en) && japanese(&ja)
}

#[test]
fn every_meaning_is_said_in_both_languages() {
    for group in codes::groups() {
        assert!(is_said_in_both(&group.about), "{}", group.name);
        for doc in group.codes {
            assert!(is_said_in_both(&doc.meaning), "{}", doc.code);
            assert!(doc.meaning.en.ends_with('.') && doc.meaning.ja.ends_with('。'), "{}: sentences", doc.code);
        }
    }
}

/// Texts that quote the words of others, and are the same in both languages, are listed here by the code whose reason they are.
#[test]
fn every_problem_of_an_example_is_said_in_both_languages() {
    let book = book();
    let mut wrong = Vec::new();
    for group in codes::groups() {
        for problem in group.codes.iter().flat_map(|doc| found(&book, group.name, doc.code, doc.bad).0) {
            let labels = problem.labels.iter().map(|label| &label.text).filter(|text| !text.is_empty());
            let fix = problem.fix.iter().map(|fix| &fix.message);
            let texts = [&problem.message].into_iter().chain(labels).chain(&problem.help).chain(&problem.note).chain(fix);
            wrong.extend(texts.filter(|text| !is_said_in_both(text)).map(|text| format!("{}: {text:?}", problem.code)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lints_stand_in_the_order_of_their_names() {
    assert!(lints::ALL.is_sorted_by_key(|lint| lint.doc.code));
}
