//! One page a case, with all that the phases make of it; and one page a group of codes, with what ksig says. The pages are read by people:
//! what looks wrong there is wrong.
//!
//! A case is `tests/pages/NAME.ksig`, with evidence lines in `NAME.ndjson` where it has answers.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ksig::analysis::{named, world};
use ksig_compiler::{ReleaseName, analyze, codes, compile, jit::JitBackend, lints};
use ksig_lang::{Diagnostic, Lang, RenderStyle, Sources};
use ksig_tests::engines::Engines;
use ksig_tests::fences::{self, Book};

/// A phase that says more is shown by its size.
const LINES_MAX: usize = 160;

fn book() -> Book {
    fences::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec"))).expect("the spec can be read")
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages");
    let files = std::fs::read_dir(folder).expect("the cases can be listed").map(|entry| entry.expect("a case can be listed").path());
    let mut cases: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|extension| extension == "ksig")).collect();
    cases.sort();
    cases
}

/// With the signatures of the cases, which name no evidence.
fn release() -> ReleaseName {
    ReleaseName { unverified: true, ..named("page") }
}

fn section(page: &mut String, title: &str, language: &str, text: &str) {
    let lines = text.lines().count();
    if lines > LINES_MAX {
        let _ = write!(page, "\n## {title}\n\n{lines} lines.\n");
    } else if !text.is_empty() {
        let _ = write!(page, "\n## {title}\n\n````{language}\n{}\n````\n", text.trim_end());
    }
}

/// The first functions, as many as a page shows.
fn first_functions(code: &str) -> String {
    let starts: Vec<usize> = code.match_indices("\n; ").map(|(at, _)| at + 1).chain([code.len()]).collect();
    let fits = |end: &&usize| code[..**end].lines().count() < LINES_MAX;
    let shown = starts.iter().take_while(fits).count();
    let end = shown.checked_sub(1).map_or(0, |last| starts[last]);
    let left = starts.len() - shown;
    if left == 0 { code.to_string() } else { format!("{}; and {left} more\n", &code[..end]) }
}

fn drawn(problems: &[Diagnostic], sources: &Sources, lang: Lang) -> String {
    ksig_lang::render(problems, sources, RenderStyle { color: false, lang })
}

fn page(book: &Book, name: &str, text: &str, evidence: &str) -> String {
    let parsed = ksig_lang::parse(text, 0);
    let mut page = format!("# {name}\n");
    section(&mut page, "Source", "ksig", text);
    section(&mut page, "Tokens", "text", &ksig::phases::tokens(text));
    section(&mut page, "Tree", "text", &format!("{:#?}", parsed.syntax()));
    section(&mut page, "Ast", "text", &format!("{:#?}", parsed.ast));
    let schema = ksig_protocols::schema();
    let input = book.beside_the_prelude(&format!("{name}.ksig"), text, None);
    let (plan, analysis) = compile(&input, world(&schema), &release());
    let mut problems = analysis.diagnostics.clone();
    if !analysis.failed() {
        problems.extend(lints::run(&analysis, &ksig_tests::fences::rules()));
    }
    section(&mut page, "Problems", "text", &drawn(&problems, &analysis.sources, Lang::En));
    section(&mut page, "Problems in Japanese", "text", &drawn(&problems, &analysis.sources, Lang::Ja));
    let Some(plan) = plan else { return page };
    section(&mut page, "Hir", "text", &format!("{:#?}", analysis.program.signatures));
    section(&mut page, "Plan", "text", &format!("{plan:#?}"));
    let verified = plan.verify().expect("what compiles is a plan");
    // Empty where nothing that a case asks is compiled.
    section(&mut page, "Clif", "text", &first_functions(&JitBackend::clif(&verified).expect("a plan has code")));
    section(&mut page, "Answers", "json", &answers(Engines::new(analysis.program).expect("both engines take it"), evidence));
    page
}

fn answers(engines: Engines, evidence: &str) -> String {
    let schema = ksig_protocols::schema();
    let mut out = String::new();
    for line in evidence.lines() {
        let read = ksig::evidence_line::parse(line, &schema).expect("an evidence line").evidence;
        for answer in engines.identify(&read).expect("all engines agree") {
            let answer = serde_json::to_value(answer).expect("an answer is JSON");
            let _ = writeln!(out, "{line}\n{}", serde_json::to_string_pretty(&answer).expect("JSON is text"));
        }
    }
    out
}

#[test]
fn every_case_has_its_page() {
    let book = book();
    let cases = cases();
    assert!(cases.len() >= 8, "only {} cases", cases.len());
    for path in cases {
        let name = path.file_stem().expect("a case has a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a case can be read");
        let evidence = std::fs::read_to_string(path.with_extension("ndjson")).unwrap_or_default();
        insta::assert_snapshot!(format!("case_{name}"), page(&book, &name, &text, &evidence));
    }
}

#[test]
fn code_is_the_same_each_time() {
    let book = book();
    let schema = ksig_protocols::schema();
    for path in cases() {
        let text = std::fs::read_to_string(&path).expect("a case can be read");
        let made = || {
            let (plan, _) = compile(&book.beside_the_prelude("case", &text, None), world(&schema), &release());
            plan.map(|plan| JitBackend::clif(&plan.verify().expect("what compiles is a plan")).expect("a plan has code"))
        };
        assert_eq!(made(), made(), "{}", path.display());
    }
}

#[test]
fn what_is_said_of_every_code_is_on_a_page() {
    let book = book();
    let schema = ksig_protocols::schema();
    for group in codes::groups() {
        let mut page = format!("# {}\n", group.about.in_lang(Lang::En));
        for doc in group.codes.iter().filter(|doc| !doc.bad.is_empty()) {
            let module = doc.bad.starts_with("ksig 1").then_some("a");
            // Of a file that is only read, nothing else is said.
            let (problems, sources) = if group.name == "syntax" {
                let mut sources = Sources::new();
                let file = sources.add("a.ksig", doc.bad);
                (ksig_lang::parse(doc.bad, file).diagnostics, sources)
            } else {
                let analysis = analyze(&book.beside_the_prelude("a.ksig", &book.framed(doc.bad), module), world(&schema));
                let linted = if group.name == "lints" { ksig_tests::fences::linted(&analysis, doc.code) } else { Vec::new() };
                (analysis.diagnostics.into_iter().chain(linted).collect(), analysis.sources)
            };
            let _ = write!(page, "\n## {}\n\n````text\n", doc.code);
            let _ = write!(page, "{}\n{}````\n", drawn(&problems, &sources, Lang::En), drawn(&problems, &sources, Lang::Ja));
        }
        insta::assert_snapshot!(format!("problems_{}", group.name), page);
    }
}
