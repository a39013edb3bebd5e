//! The examples of every lint are true: the bad one is found by that lint and by no other, the good one by none.

use ksig::analysis::world;
use ksig_compiler::lints::{self, Lint};
use ksig_compiler::{Input, Source, analyze};
use ksig_lang::RenderStyle;
use ksig_tests::random::SHARED;

/// Codes of what is found in the statements of a signature, and the findings for people.
fn found(body: &str) -> (Vec<&'static str>, String) {
    let file =
        format!("ksig 1\nmodule lint.example\nuse vocab.vendors {{ acme }}\nprobe top = http.get(\"/\")\nsignature example {{{body}}}\n");
    let source = |path: &str, text: &str| Source { path: path.into(), module: None, folder: String::new(), text: text.into() };
    let mut sources: Vec<Source> = SHARED.iter().map(|text| source("shared", text)).collect();
    sources.push(source("example", &file));
    let schema = ksig_protocols::schema();
    let analysis = analyze(&Input { sources, ..Input::default() }, world(&schema));
    let mut all = analysis.diagnostics.clone();
    all.extend(lints::run(&analysis.program));
    let text = ksig_lang::render(&all, &analysis.sources, RenderStyle::default());
    let mut codes: Vec<&str> = all.iter().map(|one| one.code).collect();
    codes.dedup();
    (codes, text)
}

fn wrong(lint: &Lint) -> Option<String> {
    let (bad, shown) = found(lint.bad);
    if bad != [lint.name] {
        return Some(format!("{}: its bad example shows {bad:?}\n{shown}", lint.name));
    }
    let (good, shown) = found(lint.good);
    (!good.is_empty()).then(|| format!("{}: its good example shows {good:?}\n{shown}", lint.name))
}

#[test]
fn every_lint_finds_its_bad_example_and_nothing_in_the_good_one() {
    assert!(!lints::ALL.is_empty());
    let wrong: Vec<String> = lints::ALL.iter().filter_map(|lint| wrong(lint)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lints_stand_in_the_order_of_their_names() {
    assert!(lints::ALL.windows(2).all(|pair| pair[0].name < pair[1].name));
}
