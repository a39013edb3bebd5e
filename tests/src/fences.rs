//! Runs the Markdown of `spec/`: every fence is compiled, and its tests run on the oracle and on every engine.
//!
//! | fence | is |
//! |---|---|
//! | ```` ```ksig,prelude ```` | a file that stands beside every other fence |
//! | ```` ```ksig,frame ```` | the file into which the statements of a `body` fence are put, at `{body}` |
//! | ```` ```ksig ```` | a whole file that compiles; its tests pass |
//! | ```` ```ksig,body ```` | the statements of one signature, in the frame |
//! | ```` ```ksig,problem=CODE ```` , ```` ```ksig,body,problem=CODE ```` | a file, or statements, in which exactly that problem is found |
//! | ```` ```ksig,clean ```` , ```` ```ksig,body,clean ```` | the same in which nothing is found, no warning either |
//! | ```` ```ksig,escapes ```` | a file in which `\xNN` is a byte and `\\` a backslash |
//! | ```` ```file=NAME ```` , ```` ```file=NAME,escapes ```` | a file beside the fence after it, one of `.ksig` as another source; with escapes, `\\xNN` is a byte and `\\\\` a backslash |
//! | ```` ```evidence ```` and ```` ```identification ```` | one line each for the fence before: every slot that is written must come out so; `null` is one that must not; of several services, in the line of the host |
//! | ```` ```plan ```` , ```` ```plan,attested ```` | what a release of the fence before sends by its policy, and whom that cannot feed |
//!
//! Fences of other languages are prose. Absent: the chapters of [`SYNTAX`].

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use ksig::analysis::world;
use ksig::testing::Asked;
use ksig_compiler::hir::Program;
use ksig_compiler::{Input, ReleaseName, Source, analyze, lints, lower};
use ksig_lang::{RenderStyle, Severity};
use ksig_runtime::feed;
use ksig_schema::{Policy, Schema};
use serde_json::Value as Json;

use crate::engines::Engines;

/// Chapters about syntax alone: their fences are parsed, by the tests of `lang`, and need not mean anything.
const SYNTAX: &[&str] = &["grammar.md", "lexical.md"];

/// All that `spec/` says in fences.
#[derive(Debug, Default)]
pub struct Book {
    prelude: Vec<String>,
    frame: String,
    /// In the order of files and lines.
    pub cases: Vec<Case>,
}

/// One fence of ksig, with the evidence after it.
#[derive(Debug)]
pub struct Case {
    /// `spec/absence.md:12`.
    pub place: String,
    text: String,
    problem: Option<String>,
    /// Nothing may be found in it, no warning either.
    clean: bool,
    /// Files beside it.
    files: BTreeMap<String, Vec<u8>>,
    /// Evidence, identification, and where the latter stands.
    answers: Vec<(String, String, String)>,
    plans: Vec<PlanFence>,
}

/// What a release of a fence's file sends.
#[derive(Debug)]
struct PlanFence {
    place: String,
    /// Somebody answers for probes of class review.
    attested: bool,
    expected: String,
}

/// Reads every chapter of a folder but those of [`SYNTAX`].
///
/// # Errors
/// A file that cannot be read, a fence that is not closed or of an unknown form.
pub fn read(folder: &Path) -> Result<Book> {
    book(fences_below(folder, &|name| !SYNTAX.contains(&name))?)
}

/// Reads every chapter, those of [`SYNTAX`] too: their fences are sources, and [`Book::run`] is not for them.
///
/// # Errors
/// As [`read`].
pub fn whole(folder: &Path) -> Result<Book> {
    book(fences_below(folder, &|_| true)?)
}

/// The codes of all problems that a fence of any chapter shows.
///
/// # Errors
/// As [`read`].
pub fn problems(folder: &Path) -> Result<Vec<String>> {
    let fences = fences_below(folder, &|_| true)?;
    Ok(fences.iter().filter_map(|fence| Some(fence.form.split_once("problem=")?.1.to_string())).collect())
}

fn fences_below(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Fence>> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<_>>()?;
    names.retain(|name| name.ends_with(".md") && wanted(name));
    names.sort();
    let mut fences = Vec::new();
    for name in &names {
        let text = std::fs::read_to_string(folder.join(name)).with_context(|| name.clone())?;
        fences.extend(fences_of(&format!("spec/{name}"), &text)?);
    }
    Ok(fences)
}

struct Fence {
    place: String,
    form: String,
    text: String,
}

fn fences_of(name: &str, markdown: &str) -> Result<Vec<Fence>> {
    let mut fences = Vec::new();
    let mut lines = markdown.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        if ticks < 3 {
            continue;
        }
        let (close, form) = line.split_at(ticks);
        let place = format!("{name}:{}", number + 1);
        let mut text = String::new();
        loop {
            match lines.next() {
                Some((_, line)) if line == close => break,
                Some((_, line)) => {
                    text.push_str(line);
                    text.push('\n');
                }
                None => bail!("{place}: the fence is not closed"),
            }
        }
        fences.push(Fence { place, form: form.trim().to_string(), text });
    }
    Ok(fences)
}

fn book(fences: Vec<Fence>) -> Result<Book> {
    let mut book = Book::default();
    for fence in &fences {
        match fence.form.as_str() {
            "ksig,prelude" => book.prelude.push(fence.text.clone()),
            "ksig,frame" => book.frame = fence.text.clone(),
            _ => {}
        }
    }
    let mut fences = fences.into_iter().peekable();
    let mut files = BTreeMap::new();
    while let Some(Fence { place, form, text }) = fences.next() {
        let mut parts = form.split(',');
        match parts.next() {
            Some("ksig") => {}
            Some("plan") => {
                let case = book.cases.last_mut().with_context(|| format!("{place}: no signature stands before this plan"))?;
                case.plans.push(PlanFence { place, attested: form == "plan,attested", expected: text });
                continue;
            }
            Some(file) if file.starts_with("file=") => {
                let bytes =
                    if parts.next() == Some("escapes") { unescaped(&text).with_context(|| place.clone())? } else { text.into_bytes() };
                files.insert(file["file=".len()..].to_string(), bytes);
                continue;
            }
            Some("evidence") => {
                let Some(answer) = fences.next_if(|next| next.form == "identification") else {
                    bail!("{place}: no identification follows this evidence")
                };
                let case = book.cases.last_mut().with_context(|| format!("{place}: no signature stands before this evidence"))?;
                case.answers.push((text, answer.text, answer.place));
                continue;
            }
            _ => continue,
        }
        let (mut body, mut problem, mut shared, mut clean, mut escapes) = (false, None, false, false, false);
        for part in parts {
            match part.split_once('=') {
                None if part == "body" => body = true,
                None if part == "clean" => clean = true,
                None if part == "escapes" => escapes = true,
                None if matches!(part, "prelude" | "frame") => shared = true,
                Some(("problem", code)) => problem = Some(code.to_string()),
                _ => bail!("{place}: a fence has no option `{part}`"),
            }
        }
        if !shared {
            let text = if escapes { String::from_utf8(unescaped(&text).with_context(|| place.clone())?)? } else { text };
            let text = if body { book.frame.replace("{body}\n", &text) } else { text };
            let files = std::mem::take(&mut files);
            book.cases.push(Case { place, text, problem, clean, files, answers: Vec::new(), plans: Vec::new() });
        }
    }
    Ok(book)
}

/// Text in which `\xNN` is a byte and `\\` a backslash.
fn unescaped(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, length) = match after.as_bytes().first() {
            Some(b'\\') => (b'\\', 1),
            Some(b'x') => (u8::from_str_radix(after.get(1..3).unwrap_or_default(), 16)?, 3),
            _ => bail!("`\\` stands before neither `xNN` nor `\\`"),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

impl Case {
    /// The file, whole.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The evidence lines after it.
    pub fn evidence(&self) -> impl Iterator<Item = &str> {
        self.answers.iter().map(|(evidence, ..)| evidence.as_str())
    }
}

/// The day on which fences and examples are checked: no test reads a clock.
pub const TODAY: ksig_schema::Date = jiff::civil::date(2026, 11, 27);

/// What the lints find in an example of a code. The one that decodes fixtures speaks of its own example alone: in those of others two signatures ask too
/// little as well.
pub fn linted(analysis: &ksig_compiler::Analysis, code: &str) -> Vec<ksig_lang::Diagnostic> {
    let mut found = lints::run(analysis, &rules());
    if code == lints::foreign_fixture::LINT.doc.code && !analysis.failed() {
        found.extend(ksig::testing::corpus::foreign(analysis, &rules()).expect("a plan of what compiles is verified"));
    }
    found
}

/// What lints are told of an example.
pub fn rules() -> lints::Rules {
    lints::Rules { today: Some(TODAY), ..lints::Rules::default() }
}

impl Book {
    /// Statements of a signature in the frame; a whole file, which says `ksig 1`, as it stands.
    pub fn framed(&self, text: &str) -> String {
        if text.starts_with("ksig 1") { text.to_string() } else { self.frame.replace("{body}\n", text) }
    }

    /// A file with the prelude beside it. `module`: what its path says.
    pub fn beside_the_prelude(&self, path: &str, text: &str, module: Option<&str>) -> Input {
        let source = |path: &str, text: &str, module: Option<&str>| Source {
            path: path.into(),
            module: module.map(str::to_string),
            folder: String::new(),
            text: text.into(),
        };
        let mut sources: Vec<Source> = self.prelude.iter().map(|text| source("prelude", text, None)).collect();
        sources.push(source(path, text, module));
        Input { sources, ..Input::default() }
    }

    /// The files that stand beside every fence.
    pub fn prelude(&self) -> impl Iterator<Item = &str> {
        self.prelude.iter().map(String::as_str)
    }

    /// Runs one fence.
    ///
    /// # Errors
    /// What differs from what the fence says, as a text for people.
    pub fn run(&self, case: &Case, schema: &Schema) -> Result<()> {
        let mut input = self.beside_the_prelude(&case.place, &case.text, None);
        for (name, bytes) in &case.files {
            match name.strip_suffix(".ksig") {
                Some(_) => input.sources.push(Source {
                    path: name.clone(),
                    module: None,
                    folder: String::new(),
                    text: String::from_utf8(bytes.clone()).with_context(|| name.clone())?,
                }),
                None => drop(input.assets.insert(name.clone(), bytes.clone())),
            }
        }
        let analysis = analyze(&input, world(schema));
        let linted = lints::run(&analysis, &ksig::policy::lints(&input, Some(TODAY))?);
        let rendered = |found: &[ksig_lang::Diagnostic]| ksig_lang::render(found, &analysis.sources, RenderStyle::default());
        let errors: Vec<_> = analysis.diagnostics.iter().filter(|found| found.severity == Severity::Error).cloned().collect();
        if let Some(code) = &case.problem {
            let exact = !errors.is_empty() && errors.iter().all(|found| found.code == code.as_str());
            let warned = errors.is_empty() && linted.iter().chain(&analysis.diagnostics).any(|found| found.code == code.as_str());
            ensure!(exact || warned, "expected the problem `{code}`, found:\n{}{}", rendered(&errors), rendered(&linted));
            return Ok(());
        }
        ensure!(errors.is_empty(), "does not compile:\n{}", rendered(&errors));
        let found = [analysis.diagnostics.as_slice(), linted.as_slice()].concat();
        ensure!(!case.clean || found.is_empty(), "is not clean:\n{}", rendered(&found));
        let report = ksig::testing::run(&input, &analysis, &Asked { filter: "", file: &|_| true })?;
        // That another signature answers to a fixture too is what some chapters show.
        let failures = report.failures().filter(|(_, failure)| failure.engine != "corpus");
        let failures: Vec<String> = failures.map(|(case, f)| format!("test {:?}, {}: {}", case.test, f.engine, f.reason.en)).collect();
        ensure!(failures.is_empty(), "{}", failures.join("\n"));
        let says_something =
            !report.cases.is_empty() || !case.answers.is_empty() || !case.plans.is_empty() || analysis.program.signatures.is_empty();
        ensure!(says_something || case.clean, "nothing here can fail: a signature of the fence needs a test");
        for plan in &case.plans {
            planned(&analysis.program, plan)?;
        }

        let engines = Engines::new(analysis.program)?;
        let signatures = engines.program().signatures.iter();
        for (signature, test) in signatures.flat_map(|signature| signature.tests.iter().map(move |test| (signature, test))) {
            let played = |engines: &Engines| ksig::testing::play(engines.matcher(), signature, test).evidence;
            if test.with.is_empty() {
                engines.agree_on(&played(&engines))?;
            } else {
                let mut changed = input.clone();
                changed.rows.extend(test.with.iter().cloned());
                let changed = Engines::new(analyze(&changed, world(schema)).program)?;
                changed.agree_on(&played(&changed))?;
            }
        }
        for (evidence, expected, place) in &case.answers {
            let line = ksig::evidence_line::parse(evidence, schema).with_context(|| place.clone())?;
            ensure!(line.left_out.is_empty(), "{place}: {}", line.left_out[0]);
            engines.agree_on(&line.evidence)?;
            let answers = engines.identify(&line.evidence)?;
            let answer = if line.evidence.services.len() == 1 { answers.first() } else { answers.last() };
            let answer = serde_json::to_value(answer)?;
            let expected: Json = serde_json::from_str(expected).with_context(|| place.clone())?;
            ensure!(contains(&answer, &expected), "{place}: the answer is {answer:#}");
        }
        Ok(())
    }
}

/// Compares the requests of a release, and the signatures that they cannot feed, with what a fence says.
fn planned(program: &Program, fence: &PlanFence) -> Result<()> {
    let attestation = if fence.attested { "the reader of this chapter".to_string() } else { String::new() };
    let policy = Policy { review: fence.attested, attestation, snmp_public: fence.attested, ..Policy::default() };
    let plan = lower::plan(program, &ReleaseName { id: "spec".into(), unverified: true, policy, ..ReleaseName::default() });
    let probes: Vec<String> = plan.probe_plan.probes.iter().map(|planned| planned.request.to_string()).collect();
    let found = serde_json::json!({ "probes": probes, "unfed": feed::unfed(&plan) });
    let expected: Json = serde_json::from_str(&fence.expected).with_context(|| fence.place.clone())?;
    ensure!(contains(&found, &expected), "{}: the plan is {found:#}", fence.place);
    Ok(())
}

/// Whether a JSON value says all that another one says; lists have the same length, and of what is not there nothing is said.
fn contains(all: &Json, part: &Json) -> bool {
    match (all, part) {
        (Json::Object(all), Json::Object(part)) => part.iter().all(|(key, part)| match all.get(key) {
            Some(all) => contains(all, part),
            None => says_nothing(part),
        }),
        (Json::Array(all), Json::Array(part)) => all.len() == part.len() && all.iter().zip(part).all(|(all, part)| contains(all, part)),
        (all, part) => all == part,
    }
}

/// `null`, an empty list, or a record of them.
fn says_nothing(part: &Json) -> bool {
    match part {
        Json::Null => true,
        Json::Array(part) => part.is_empty(),
        Json::Object(part) => part.values().all(says_nothing),
        _ => false,
    }
}
