//! Rewrites the values that failing tests expect to those that came out.
//!
//! In: sources and what they mean. Out: [`Update`]: new texts, in which single values differ and every other byte is as it was. Only values of
//! `expect identify`, `captures`, `resolved` and `tags` and of examples are changed, where both engines came to the same one. That a signature
//! matches or does not match is never rewritten: that is what a test is for.

use std::collections::{BTreeMap, BTreeSet};

use ksig_compiler::hir::{self, Expect};
use ksig_compiler::{Analysis, Input};
use ksig_lang::ast::{self, ExprKind, Statement};
use ksig_lang::{FileId, Span, line_column, quoted};
use ksig_runtime::Truth;
use ksig_runtime::explain::Trace;
use ksig_schema::Type;

use super::expectations::{broken, device_of, own_answer, slot_of, trace_of};
use super::play::{Played, play};
use super::{Asked, engines, with_rows};
use crate::analysis::world;
use crate::release::{Release, ReleaseError};

/// What is changed.
#[derive(Debug, Default)]
pub struct Update {
    /// New texts by the path of the source.
    pub texts: BTreeMap<String, String>,
    /// Each change of a value: path, line, the line before and after.
    pub changes: Vec<Changed>,
}

/// A line with new values.
#[derive(Debug, PartialEq, Eq)]
pub struct Changed {
    /// The file.
    pub path: String,
    /// From 1, the same before and after.
    pub line: u32,
    /// As it was.
    pub before: String,
    /// As it is.
    pub after: String,
}

/// As a hunk of a diff.
impl std::fmt::Display for Changed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Changed { path, line, before, after } = self;
        writeln!(f, "{path}:{line}\n-{before}\n+{after}")
    }
}

/// A place and what is to stand there.
type Edit = (FileId, Span, String);

/// The changes that make tests pass which fail on values; a change that would not compile is left out.
pub fn update(input: &Input, analysis: &Analysis, asked: &Asked<'_>) -> Result<Update, ReleaseError> {
    let both = engines(input)?;
    let mut edits: Vec<Edit> = Vec::new();
    for (signature, tests) in asked.tests(analysis) {
        for test in tests {
            let own = if test.with.is_empty() { None } else { Some(engines(&with_rows(input, test))?) };
            let both = own.as_ref().unwrap_or(&both);
            let [jit, interpreter] = [0, 1].map(|engine| wanted(&both[engine], analysis, signature, test));
            if jit == interpreter {
                edits.extend(jit);
            }
        }
    }
    let mut kept = edits.clone();
    if !compiles(input, analysis, &kept) {
        kept.clear();
        for edit in edits {
            kept.push(edit);
            if !compiles(input, analysis, &kept) {
                kept.pop();
            }
        }
    }
    Ok(applied(analysis, &kept))
}

fn compiles(input: &Input, analysis: &Analysis, edits: &[Edit]) -> bool {
    let mut changed = input.clone();
    let texts = applied(analysis, edits).texts;
    for source in &mut changed.sources {
        if let Some(text) = texts.get(&source.path) {
            source.text.clone_from(text);
        }
    }
    !ksig_compiler::analyze(&changed, world(&ksig_protocols::schema())).failed()
}

fn applied(analysis: &Analysis, edits: &[Edit]) -> Update {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    // From the back, so that places before an edit stay where they are.
    edits.sort_by_key(|(file, span, _)| (*file, std::cmp::Reverse(span.start)));
    let mut update = Update::default();
    let mut lines: BTreeSet<(String, u32)> = BTreeSet::new();
    for (file, span, new) in edits {
        let Some(source) = analysis.sources.get(*file) else { continue };
        let text = update.texts.entry(source.path.clone()).or_insert_with(|| source.text.clone());
        text.replace_range(span.start as usize..span.end as usize, new);
        lines.insert((source.path.clone(), line_column(&source.text, span.start).0));
    }
    for (path, line) in lines {
        let Some((_, source)) = analysis.sources.iter().find(|(_, source)| source.path == path) else { continue };
        let of = |text: &str| text.lines().nth(line as usize - 1).unwrap_or_default().to_string();
        let after = update.texts.get(&path).map(|text| of(text)).unwrap_or_default();
        update.changes.push(Changed { before: of(&source.text), after, path, line });
    }
    update
}

/// What would make a test pass on one engine, as far as values go.
fn wanted(release: &Release, analysis: &Analysis, signature: &hir::Signature, test: &hir::Test) -> Vec<Edit> {
    if broken(release, signature, test).is_empty() {
        return Vec::new();
    }
    let played = play(release.matcher(), signature, test);
    let Some(trace) = trace_of(release, signature, test, &played).filter(|trace| trace.truth != Truth::False) else { return Vec::new() };
    let came = Came { release, signature, test, played, trace };
    let Some(written) = written(analysis, signature, test) else { return Vec::new() };
    let edits = match written {
        Written::Test(expects) => expects.iter().flat_map(|expect| came.edits(analysis, expect)).collect::<Vec<_>>(),
        Written::Example(slots) => {
            let (captures, identity) = (came.captures(), device_of(&came.trace));
            let own = |name: &str| signature.vars.iter().any(|var| var.name == name) && !is_slot(name);
            let found = |name: &str| match own(name) {
                true => captures.get(name).cloned(),
                false => identity.and_then(|identity| slot_of(identity, name).clone()),
            };
            came.of_values(slots, &found)
        }
    };
    edits.into_iter().map(|(span, text)| (signature.file, span, text)).collect()
}

fn is_slot(name: &str) -> bool {
    matches!(name, "vendor" | "brand" | "series" | "model" | "version" | "class" | "cpe")
}

/// The statement of a test.
enum Written<'a> {
    Test(&'a [ast::Expect]),
    Example(&'a [(ast::Name, ast::Expr)]),
}

fn written<'a>(analysis: &'a Analysis, signature: &hir::Signature, test: &hir::Test) -> Option<Written<'a>> {
    let items = &analysis.files.get(signature.file as usize)?.items;
    let bodies = items.iter().filter_map(|item| if let ast::Item::Signature(item) = item { Some(&item.body) } else { None });
    bodies.flatten().find_map(|statement| match statement {
        Statement::Test(written) if written.span == test.span => Some(Written::Test(&written.expect)),
        Statement::Example(written) if written.span == test.span => written.expect.as_deref().map(Written::Example),
        _ => None,
    })
}

/// What came out of a test.
struct Came<'a> {
    release: &'a Release,
    signature: &'a hir::Signature,
    test: &'a hir::Test,
    played: Played,
    trace: Trace,
}

impl Came<'_> {
    fn captures(&self) -> BTreeMap<String, String> {
        let (evidence, name) = (&self.played.evidence, &self.signature.name);
        self.release.matcher().captures(name, evidence, &evidence.services[0], self.test.at).unwrap_or_default()
    }

    fn edits(&self, analysis: &Analysis, expect: &ast::Expect) -> Vec<(Span, String)> {
        match expect {
            ast::Expect::Identify(slots, _) => {
                let identity = device_of(&self.trace);
                self.of_values(slots, &|name| identity.and_then(|identity| slot_of(identity, name).clone()))
            }
            ast::Expect::Resolved(slots, _) => {
                let answers = self.release.identify(&self.played.evidence);
                let Some(found) = own_answer(self.signature, &answers).and_then(|answer| answer.identifications.first()) else {
                    return Vec::new();
                };
                self.of_values(slots, &|name| slot_of(&found.identity, name).clone())
            }
            ast::Expect::Captures(values, _) => {
                let captures = self.captures();
                self.of_values(values, &|name| captures.get(name).cloned())
            }
            ast::Expect::Tags(names, span) => self.tags(analysis, names, *span).into_iter().collect(),
            ast::Expect::NoMatch(..) | ast::Expect::Sent(..) => Vec::new(),
        }
    }

    /// Each value that differs, written as the author wrote the one before.
    fn of_values(&self, values: &[(ast::Name, ast::Expr)], found: &dyn Fn(&str) -> Option<String>) -> Vec<(Span, String)> {
        let edit = |(name, value): &(ast::Name, ast::Expr)| {
            let found = found(&name.value);
            let new = match &found {
                None => "absent".to_string(),
                Some(found) => self.literal(&name.value, &value.kind, found),
            };
            let same = match (&value.kind, &found) {
                (ExprKind::Text(text) | ExprKind::Prefixed(_, text), Some(found)) => text == found,
                (ExprKind::Name(word), None) => word == "absent",
                _ => false,
            };
            (!same).then_some((value.span, new))
        };
        values.iter().filter_map(edit).collect()
    }

    fn literal(&self, name: &str, before: &ExprKind, found: &str) -> String {
        let ty = self.signature.vars.iter().find(|var| var.name == name && !is_slot(name)).map(|var| var.ty.required().clone());
        match (name, ty, before) {
            ("vendor" | "class", ..) => found.to_string(),
            ("cpe", ..) => format!("cpe{}", quoted(found)),
            (_, Some(Type::Int | Type::Bool | Type::Date | Type::Ip | Type::Oid | Type::Vendor | Type::Class | Type::Enum(_)), _) => {
                found.to_string()
            }
            (_, Some(Type::Hash), _) => format!("h{}", quoted(found)),
            ("version", ..) | (_, Some(Type::Version(_)), _) if !matches!(before, ExprKind::Text(_)) => format!("v{}", quoted(found)),
            _ => quoted(found),
        }
    }

    /// The list of tags, those that stay as they were written.
    fn tags(&self, analysis: &Analysis, names: &[ast::Name], span: Span) -> Option<(Span, String)> {
        let expected = self.test.expect.iter().find_map(|expect| match expect {
            Expect::Tags(tags, at) if *at == span => Some(tags),
            _ => None,
        })?;
        let found: BTreeSet<&str> = self.trace.tags.iter().map(|tag| tag.name.as_str()).collect();
        if expected.iter().map(String::as_str).collect::<BTreeSet<_>>() == found {
            return None;
        }
        let as_written = |tag: &&str| {
            let before = expected.iter().zip(names).find(|(full, _)| full == tag).map(|(_, name)| name.value.clone());
            before.unwrap_or_else(|| tag.rsplit('.').next().unwrap_or(tag).to_string())
        };
        let list = found.iter().map(as_written).collect::<Vec<_>>().join(", ");
        let text = &analysis.sources.get(self.signature.file)?.text;
        let inside = text.get(span.start as usize..span.end as usize)?;
        let (open, close) = (inside.find('[')?, inside.rfind(']')?);
        Some((Span { start: span.start + open as u32 + 1, end: span.start + close as u32 }, list))
    }
}
