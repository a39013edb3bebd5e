//! What the targets of libFuzzer promise for any bytes. A broken promise is a panic; [`tests/fuzz/run`](../run) says how to go on from there.
//!
//! | target | reads | promises |
//! |---|---|---|
//! | [`lexer`] | text | every byte in exactly one token |
//! | [`parser`] | text | the tree prints the text, every problem has its place and can be drawn |
//! | [`formatter`] | text | says the same afterwards, keeps every comment, changes nothing the second time |
//! | [`grammar`] | text | `spec/ksig.pest` and the parser take the same files |
//! | [`compiler`] | text beside the spec's vocabulary | what has no problem lowers to a plan that verifies |
//! | [`tables`] | CSV or TSV | rows or problems |
//! | [`bundle`] | a bundle, or the plan inside one | what is not refused runs on both engines |
//! | [`evidence`] | an evidence line | evidence or an error |
//! | [`decoders`] | which probe, and an answer | facts of that probe within 64 MiB; a conversation that ends, however the answer is split |
//! | [`engines`] | a program and evidence drawn from bytes | oracle, interpreter and JIT say the same |
//!
//! Time and memory are libFuzzer's to watch: an input that takes too much of either is a finding.

mod decoders;
mod grammar;
pub mod seeds;

use std::sync::{Arc, LazyLock};

use ksig::analysis::world;
use ksig_compiler::jit::JitBackend;
use ksig_compiler::{Input, ReleaseName, Source, analyze, lints, lower};
use ksig_lang::{Diagnostic, RenderStyle, Sources, SyntaxKind, render};
use ksig_runtime::{Backend, Interpreter, Matcher, bundle as bundles};
use ksig_schema::{Evidence, Schema, Service, Transport};
use ksig_tests::differential;
use sha2::{Digest, Sha256};

pub use decoders::decoders;
pub use grammar::grammar;

static SCHEMA: LazyLock<Schema> = LazyLock::new(ksig_protocols::schema);

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Every byte is in exactly one token.
pub fn lexer(bytes: &[u8]) {
    let text = text(bytes);
    let mut end = 0;
    for (kind, span) in ksig_lang::tokens(&text) {
        assert!(span.start == end && span.end > span.start && kind.is_token(), "{kind:?} at {span:?} behind {end}");
        assert!(text.is_char_boundary(span.end as usize), "{kind:?} ends inside a character");
        end = span.end;
    }
    assert_eq!(end as usize, text.len(), "tokens end before the text");
}

/// The tree prints the text, every problem has its place and can be drawn.
pub fn parser(bytes: &[u8]) {
    let text = text(bytes);
    let parsed = ksig_lang::parse(&text, 0);
    assert_eq!(parsed.syntax().to_string(), text);
    drawn(&text, &parsed.diagnostics);
}

/// Problems lie in the text, are documented, and never send a control character to the terminal.
fn drawn(text: &str, problems: &[Diagnostic]) {
    let mut sources = Sources::new();
    sources.add("a.ksig", text);
    for problem in problems {
        for label in &problem.labels {
            assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{label:?} of {}", problem.code);
        }
        assert!(ksig_lang::explain(problem.code).is_some(), "{} is not explained", problem.code);
    }
    let page = render(&problems[..problems.len().min(50)], &sources, RenderStyle::default());
    assert!(page.chars().all(|character| character == '\n' || !character.is_control()), "a control character in {page:?}");
}

/// The layout says the same, keeps every comment, and is its own layout.
pub fn formatter(bytes: &[u8]) {
    let text = text(bytes);
    let Ok(once) = ksig_lang::format(&text) else { return };
    let (before, after) = (ksig_lang::parse(&text, 0), ksig_lang::parse(&once, 0));
    assert_eq!(after.diagnostics, [], "the layout does not parse:\n{once}");
    assert_eq!(spanless(&before.ast), spanless(&after.ast), "the layout says something else:\n{once}");
    assert_eq!(comments(&text), comments(&once), "a comment is lost:\n{once}");
    assert_eq!(ksig_lang::format(&once).as_deref(), Ok(once.as_str()), "a second time changes it");
}

fn spanless(file: &ksig_lang::ast::File) -> String {
    let text = format!("{file:?}");
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split("Span { start: ");
    out.extend(parts.next());
    for part in parts {
        out.push_str(part.split_once('}').map_or(part, |(_, rest)| rest));
    }
    out
}

fn comments(text: &str) -> Vec<&str> {
    let tokens = ksig_lang::tokens(text).into_iter();
    let comments = tokens.filter(|(kind, _)| matches!(kind, SyntaxKind::COMMENT | SyntaxKind::DOC_COMMENT));
    comments.map(|(_, span)| text[span.start as usize..span.end as usize].trim_end()).collect()
}

/// What has no problem lowers to a plan that verifies.
pub fn compiler(bytes: &[u8]) {
    let text = text(bytes);
    let mut sources = seeds::prelude().to_vec();
    sources.push(Source { path: "a.ksig".into(), module: None, folder: String::new(), text: text.into_owned() });
    compiled(&Input { sources, ..Input::default() });
}

fn compiled(input: &Input) {
    let analysis = analyze(input, world(&SCHEMA));
    let style = RenderStyle::default();
    let page = render(&analysis.diagnostics[..analysis.diagnostics.len().min(50)], &analysis.sources, style);
    assert!(page.chars().all(|character| character == '\n' || !character.is_control()), "a control character in {page:?}");
    if analysis.failed() {
        return;
    }
    lints::run(&analysis, &lints::Rules::default());
    let release = ReleaseName { id: "fuzz".into(), unverified: true, ..ReleaseName::default() };
    let plan = lower::plan(&analysis.program, &release);
    if let Err(error) = plan.verify() {
        panic!("the compiler's own plan is refused: {error}");
    }
}

/// A table with a column of every kind, over a file that is CSV or TSV by the first byte, with or without a header that fits.
pub fn tables(bytes: &[u8]) {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let name = if choice & 1 == 0 { "t.csv" } else { "t.tsv" };
    let separator = if choice & 1 == 0 { "," } else { "\t" };
    let mut file = if choice & 2 == 0 { seeds::COLUMNS.join(separator).into_bytes() } else { Vec::new() };
    file.push(b'\n');
    file.extend_from_slice(rest);
    let mut input = Input { sources: seeds::prelude().to_vec(), ..Input::default() };
    let text = seeds::TABLE.replace("FILE", name);
    input.sources.push(Source { path: "a.ksig".into(), module: None, folder: String::new(), text });
    input.assets.insert(name.into(), file);
    compiled(&input);
}

/// What the runtime takes runs on both engines, which answer alike. By the first byte the rest is a bundle, or a plan to be put into one.
pub fn bundle(bytes: &[u8]) {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let whole = if choice & 1 == 0 { rest.to_vec() } else { seeds::bundle_of(rest) };
    let Ok(plan) = bundles::read(&whole) else { return };
    let Ok(machine_code) = JitBackend::compile(&plan) else { panic!("a verified plan has no machine code") };
    let engines: [Arc<dyn Backend>; 2] = [Arc::new(Interpreter::new(&plan)), Arc::new(machine_code)];
    let service = Service { address: None, port: 80, transport: Transport::Tcp, responses: Vec::new() };
    let evidence = Evidence { host: "h".into(), time: None, services: vec![service] };
    let answers = engines.map(|engine| Matcher::new(plan.clone(), engine).identify(&evidence));
    assert_eq!(answers[0], answers[1]);
}

/// A line is evidence, or is refused with a sentence.
pub fn evidence(bytes: &[u8]) {
    if let Err(error) = ksig::evidence_line::parse(&text(bytes), &SCHEMA) {
        assert!(!error.to_string().is_empty());
    }
}

/// Oracle, interpreter and JIT say the same of a program and evidence that these bytes draw.
pub fn engines(bytes: &[u8]) {
    let (program, facts) = bytes.split_at(bytes.len().min(160));
    if let Err(difference) = differential::run(program, facts, 2, &SCHEMA) {
        panic!("{difference:?}");
    }
}

/// A bundle around the bytes of a plan.
pub(crate) fn sealed(magic: &[u8], format: u32, plan: &[u8]) -> Vec<u8> {
    let payload = zstd::bulk::compress(plan, 1).unwrap_or_default();
    let length = u32::try_from(plan.len()).unwrap_or_default();
    [magic, &format.to_le_bytes(), &length.to_le_bytes(), &Sha256::digest(&payload), &payload].concat()
}
