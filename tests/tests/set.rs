//! Invariant 8: a plan, and every answer of it, is a function of the set of signatures. The order of files and of items says nothing.

use ksig::analysis::world;
use ksig_compiler::{Input, ReleaseName, analyze, compile};
use ksig_lang::source::Span;
use ksig_runtime::{Matcher, bundle};
use ksig_schema::{Evidence, Identification, Schema};
use ksig_tests::random::{self, Dice};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

/// Orders of the corpus that are tried.
const ORDERS: u32 = 8;
/// Random programs whose order is changed.
const PROGRAMS: u32 = 500;
/// Threads that ask one matcher.
const THREADS: usize = 4;

/// The bundle, or the codes of the problems.
fn built(input: &Input, schema: &Schema) -> Result<Vec<u8>, Vec<&'static str>> {
    let release = ReleaseName { id: "set".into(), unverified: true, ..ReleaseName::default() };
    let (plan, analysis) = compile(input, world(schema), &release);
    match plan {
        Some(plan) => Ok(bundle::write(&plan).expect("a plan of the compiler can be written")),
        None => {
            let mut codes: Vec<&str> = analysis.diagnostics.iter().map(|one| one.code).collect();
            codes.sort_unstable();
            Err(codes)
        }
    }
}

/// The same files and items in another order.
fn shuffled(input: &Input, seed: u64) -> Input {
    let mut state = seed | 1;
    let mut below = move |count: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % count.max(1) as u64) as usize
    };
    let mut out = input.clone();
    for source in &mut out.sources {
        source.text = {
            let mut pieces = items(&source.text);
            let head = pieces.remove(0);
            shuffle(&mut pieces, &mut below);
            head + &pieces.concat()
        };
    }
    shuffle(&mut out.sources, &mut below);
    out
}

fn shuffle<T>(all: &mut [T], below: &mut impl FnMut(usize) -> usize) {
    for at in (1..all.len()).rev() {
        all.swap(at, below(at + 1));
    }
}

/// A file cut before its items, each with the comments above it.
fn items(text: &str) -> Vec<String> {
    let mut sources = ksig_lang::Sources::default();
    let parsed = ksig_lang::parse(text, sources.add("set", text));
    let mut ends: Vec<usize> = parsed.ast.items.iter().map(|item| span(item).end as usize).collect();
    let head = parsed.ast.uses.last().map(|import| import.span.end).or(parsed.ast.module.as_ref().map(|module| module.span.end));
    ends.insert(0, head.unwrap_or_default() as usize);
    let mut pieces: Vec<String> = vec![text[..ends[0]].to_string()];
    pieces.extend(ends.windows(2).map(|pair| format!("\n{}", &text[pair[0]..pair[1]])));
    pieces.push("\n".into());
    pieces
}

fn span(item: &ksig_lang::ast::Item) -> Span {
    use ksig_lang::ast::Item;
    match item {
        Item::Table(of) => of.span,
        Item::Scheme(of) => of.span,
        Item::Vendor(of) | Item::Class(of) | Item::Tag(of) => of.span,
        Item::Probe(of) => of.span,
        Item::Let(of) => of.span,
        Item::Signature(of) => of.span,
        Item::Choice(of) => of.span,
    }
}

#[test]
fn the_order_of_files_and_items_does_not_change_the_corpus() {
    let input = ksig::bundled::signatures().expect("the bundled signatures are text");
    let schema = ksig_protocols::schema();
    let bundle = built(&input, &schema).expect("the corpus compiles");
    for order in 1..=u64::from(ORDERS) {
        let other = shuffled(&input, order.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let paths = |input: &Input| input.sources.iter().map(|source| source.path.clone()).collect::<Vec<_>>();
        assert_ne!(paths(&other), paths(&input), "order {order} is another one");
        assert!(built(&other, &schema).as_ref() == Ok(&bundle), "order {order} gives another bundle");
    }
}

#[test]
fn answers_do_not_depend_on_order() {
    let schema = ksig_protocols::schema();
    let config = Config { cases: PROGRAMS, failure_persistence: None, ..Config::default() };
    let drawn = (prop::collection::vec(any::<u8>(), 0..160), prop::collection::vec(any::<u8>(), 0..80), any::<u64>());
    let result = TestRunner::new(config).run(&drawn, |(program, facts, order)| {
        let input = random::program(&mut Dice::new(&program));
        let other = shuffled(&input, order);
        let (one, two) = (built(&input, &schema), built(&other, &schema));
        prop_assert!(one == two, "{} in order {order}", input.sources.last().map(|s| s.text.clone()).unwrap_or_default());
        if analyze(&input, world(&schema)).failed() {
            return Ok(());
        }
        let evidence = random::evidence(&mut Dice::new(&facts), &schema);
        let answer = answers(&input, &schema, &evidence);
        prop_assert_eq!(&answer, &answers(&other, &schema, &evidence));
        for of_a_thread in answers_on_threads(&other, &schema, &evidence) {
            prop_assert_eq!(&answer, &of_a_thread);
        }
        Ok(())
    });
    match result {
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        other => other.expect("programs can be drawn"),
    }
}

/// One matcher, asked by several threads at once.
fn answers_on_threads(input: &Input, schema: &Schema, evidence: &Evidence) -> Vec<Option<Vec<Identification>>> {
    let Ok(bundle) = built(input, schema) else { return Vec::new() };
    let plan = bundle::read(&bundle).expect("a bundle that was written can be read");
    let matcher = Matcher::new(plan.clone(), std::sync::Arc::new(ksig_runtime::Interpreter::new(&plan)));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| matcher.identify(evidence))).collect();
        threads.into_iter().map(|thread| thread.join().ok()).collect()
    })
}

fn answers(input: &Input, schema: &Schema, evidence: &Evidence) -> Option<Vec<Identification>> {
    let plan = bundle::read(&built(input, schema).ok()?).expect("a bundle that was written can be read");
    let engine = std::sync::Arc::new(ksig_runtime::Interpreter::new(&plan));
    Some(Matcher::new(plan, engine).identify(evidence))
}

#[test]
fn a_release_knows_no_key_of_a_row_that_is_unverified() {
    let text = r#"ksig 1
module a
table models { model: text key; evidence: text; row "AC-1", "observed"; row "AC-2", "unverified" }
probe top = http.get("/")
signature s {
  evidence observed "synthetic"
  match { top.html.title ~ /^(?<model in models>)$/ }
  identify { model = model }
}
"#;
    let schema = ksig_protocols::schema();
    let patterns = |unverified| {
        let release = ReleaseName { unverified, ..ReleaseName::default() };
        let (plan, analysis) = compile(&Input::single("a.ksig", text), world(&schema), &release);
        let plan = plan.unwrap_or_else(|| panic!("{:#?}", analysis.diagnostics));
        (plan.patterns[0].source.clone(), plan.tables[0].rows.len())
    };
    assert_eq!(patterns(true), (r"^(?<model>AC\-1|AC\-2)$".into(), 2));
    assert_eq!(patterns(false), (r"^(?<model>AC\-1)$".into(), 1));
}
