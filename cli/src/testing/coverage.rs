//! What the tests of signatures show and what they do not: captures, lines and guards both ways, rows of tables.
//!
//! In: sources and what they mean. Out: [`Coverage`], counted from the traces of running each test on the interpreter.

use std::collections::{BTreeMap, BTreeSet};

use ksig_compiler::hir::{Program, Signature};
use ksig_compiler::{Analysis, Input, lower};
use ksig_lang::ast::{self, ExprKind};
use ksig_lang::{Lang, Span, Text, say};
use ksig_runtime::Truth;
use ksig_runtime::plan::Table;
use ksig_schema::Type;
use serde_json::json;

use super::expectations::trace_of;
use super::play::play;
use super::points::{Instrumented, PointKind, number_rows};
use super::{Asked, Place, with_rows};
use crate::analysis::{named, world};
use crate::release::{Engine, Release, ReleaseError};

/// What all tests together show.
#[derive(Debug, Default)]
pub struct Coverage {
    /// In the order of signatures.
    pub signatures: Vec<Covered>,
    /// The tables that these signatures read, by name.
    pub tables: Vec<Rows>,
}

/// What the tests of one signature show of it.
#[derive(Debug)]
pub struct Covered {
    /// Full name.
    pub signature: String,
    /// Captures, extracts and lets.
    pub captures: Vec<Bound>,
    /// Lines, guards and alternatives.
    pub points: Vec<Shown>,
}

/// A capture.
#[derive(Debug)]
pub struct Bound {
    /// Its name.
    pub name: String,
    /// Where it is first written.
    pub place: Place,
    /// A test gave it a value.
    pub bound: bool,
}

/// Something that can come out in two ways.
#[derive(Debug)]
pub struct Shown {
    /// What it is.
    pub kind: PointKind,
    /// As written, on one line.
    pub text: String,
    /// Where.
    pub place: Place,
    /// It was true in a test; an alternative of `first of` was taken.
    pub held: bool,
    /// It was false in a test; another alternative was taken.
    pub failed: bool,
}

/// The rows of a table.
#[derive(Debug)]
pub struct Rows {
    /// Full name.
    pub table: String,
    /// Where the table stands.
    pub place: Place,
    /// How many there are.
    pub rows: usize,
    /// Those that no test read: the key, or the number of the row where there is no key, and the place where it is written in the file.
    pub unused: Vec<(String, Place)>,
}

/// Keys that text shows of a table.
const KEYS_SHOWN: usize = 8;

/// Runs the tests that are asked for on signatures that say more, and counts.
pub fn measure(input: &Input, analysis: &Analysis, asked: &Asked<'_>) -> Result<Coverage, ReleaseError> {
    let chosen = asked.tests(analysis);
    let all = Run::of(&analysis.program, &chosen.iter().map(|(signature, _)| signature.name.as_str()).collect())?;
    let mut used: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let mut coverage = Coverage::default();
    for (signature, tests) in chosen {
        let Some(said) = all.instrumented.get(&signature.name) else { continue };
        let mut outcomes = vec![(false, false); said.points.len()];
        let mut bound: BTreeSet<String> = BTreeSet::new();
        for test in tests {
            // `with` puts other rows into tables, and patterns range over their keys.
            let own = if test.with.is_empty() { None } else { Some(Run::with(&with_rows(input, test), &signature.name)?) };
            let run = own.as_ref().unwrap_or(&all);
            let Some(said) = run.instrumented.get(&signature.name) else { continue };
            let played = play(run.release.matcher(), &said.signature, test);
            let Some(trace) = trace_of(&run.release, &said.signature, test, &played) else { continue };
            for (outcome, point) in outcomes.iter_mut().zip(&said.points) {
                let (held, failed) = point.outcomes(&trace);
                *outcome = (outcome.0 | held, outcome.1 | failed);
            }
            if trace.truth != Truth::False {
                bound.extend(trace.captures.keys().cloned());
            }
            if own.is_none() {
                said.rows_read(&trace).for_each(|(table, row)| _ = used.entry(table.into()).or_default().insert(row));
            }
        }
        for table in said.tables() {
            used.entry(table.into()).or_default();
        }
        coverage.signatures.push(covered(analysis, signature, said, &outcomes, &bound));
    }
    coverage.tables = used.iter().filter_map(|(table, used)| rows(input, analysis, table, used)).collect();
    Ok(coverage)
}

/// Signatures that say more, on the interpreter.
struct Run {
    instrumented: BTreeMap<String, Instrumented>,
    release: Release,
}

impl Run {
    fn of(program: &Program, names: &BTreeSet<&str>) -> Result<Run, ReleaseError> {
        let mut changed = program.clone();
        let mut instrumented = BTreeMap::new();
        for signature in changed.signatures.iter_mut().filter(|signature| names.contains(signature.name.as_str())) {
            let said = Instrumented::of(signature, program);
            *signature = said.signature.clone();
            instrumented.insert(signature.name.clone(), said);
        }
        number_rows(&mut changed);
        let name = ksig_compiler::ReleaseName { unverified: true, ..named("coverage") };
        let plan = lower::plan(&changed, &name).verify().map_err(|error| ReleaseError::Plan(error.to_string()))?;
        Ok(Run { instrumented, release: Release::of_plan(plan, Engine::Interpreter)? })
    }

    fn with(input: &Input, name: &str) -> Result<Run, ReleaseError> {
        let schema = ksig_protocols::schema();
        let analysis = ksig_compiler::analyze(input, world(&schema));
        if analysis.failed() {
            return Err(ReleaseError::of_signatures(&analysis));
        }
        Run::of(&analysis.program, &BTreeSet::from([name]))
    }
}

fn covered(
    analysis: &Analysis,
    signature: &Signature,
    said: &Instrumented,
    outcomes: &[(bool, bool)],
    bound: &BTreeSet<String>,
) -> Covered {
    let place = |span| Place::of(analysis, signature.file, span);
    let base = signature.refines.as_ref().and_then(|base| analysis.program.signatures.iter().find(|other| other.name == *base));
    let inherited = |name: &str| base.is_some_and(|base| base.vars.iter().any(|var| var.name == name));
    let own = signature.vars.iter().zip(&signature.var_spans).filter(|(var, _)| !inherited(&var.name));
    // A row is no value: that it was read is counted with its table.
    let values = own.filter(|(var, _)| !matches!(var.ty.required(), Type::Row(_)));
    Covered {
        signature: signature.name.clone(),
        captures: values
            .map(|(var, span)| Bound { name: var.name.clone(), place: place(*span), bound: bound.contains(&var.name) })
            .collect(),
        points: said
            .points
            .iter()
            .zip(outcomes)
            .map(|(point, &(held, failed))| Shown {
                kind: point.kind,
                text: source_text(analysis, signature.file, point.span),
                place: place(point.span),
                held,
                failed,
            })
            .collect(),
    }
}

/// As written, blanks and line ends made one blank.
pub(super) fn source_text(analysis: &Analysis, file: ksig_lang::FileId, span: Span) -> String {
    let text = analysis.sources.get(file).and_then(|source| source.text.get(span.start as usize..span.end as usize)).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn rows(input: &Input, analysis: &Analysis, name: &str, used: &BTreeSet<usize>) -> Option<Rows> {
    let table = analysis.program.tables.iter().find(|table| table.name == name)?;
    let (file, item) = item_of(analysis, name)?;
    let key_of = |row: usize| table.key.and_then(|key| Table::key_text(&table.rows[row][key as usize])).map(|key| key.into_owned());
    // Rows of one key are a history: who asked for the key asked for all of them.
    let keys: BTreeSet<String> = used.iter().filter(|row| **row < table.rows.len()).filter_map(|row| key_of(*row)).collect();
    let is_used = |row: &usize| used.contains(row) || table.history.is_some() && key_of(*row).is_some_and(|key| keys.contains(&key));
    let beside = beside(input, file, item).unwrap_or_default();
    let unused = (0..table.rows.len()).filter(|row| !is_used(row)).map(|row| {
        let key = key_of(row);
        let written = item.rows.iter().find(|written| key.is_some() && key_written(item, &written.value) == key);
        let span = written.map_or(item.from.as_ref().map_or(item.name.span, |from| from.span), |written| written.span);
        let place = key.as_ref().and_then(|key| beside.get(key)).cloned().unwrap_or_else(|| Place::of(analysis, file, span));
        (key.unwrap_or_else(|| format!("row {}", row + 1)), place)
    });
    Some(Rows { table: name.into(), place: Place::of(analysis, file, item.name.span), rows: table.rows.len(), unused: unused.collect() })
}

/// The lines of a file beside the signature, by the keys that stand there; of a history, the first of each key.
fn beside(input: &Input, file: ksig_lang::FileId, item: &ast::Table) -> Option<BTreeMap<String, Place>> {
    let (source, from) = (input.sources.get(file as usize)?, &item.from.as_ref()?.value);
    let bytes = input.asset(source, from)?;
    let delimiter = if from.ends_with(".tsv") { b'\t' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).comment(Some(b'#')).flexible(true).from_reader(bytes);
    let key = &item.columns.iter().find(|column| column.key)?.name.value;
    let column = reader.headers().ok()?.iter().position(|name| name.trim_start_matches('\u{feff}').trim() == key)?;
    let path = std::path::Path::new(&source.path).with_file_name(from).display().to_string();
    let mut places = BTreeMap::new();
    for record in reader.records().flatten() {
        let Some(key) = record.get(column) else { continue };
        let line = u32::try_from(record.position().map_or(0, csv::Position::line)).unwrap_or(u32::MAX);
        places.entry(key.trim().to_string()).or_insert_with(|| Place { path: path.clone(), line, column: 1 });
    }
    Some(places)
}

fn item_of<'a>(analysis: &'a Analysis, name: &str) -> Option<(ksig_lang::FileId, &'a ast::Table)> {
    let files = analysis.sources.iter().map(|(file, _)| file).zip(&analysis.files);
    files.into_iter().find_map(|(file, ast)| {
        let module = ast.module.as_ref()?.value.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(".");
        let own = name.strip_prefix(&module)?.strip_prefix('.')?;
        let tables = ast.items.iter().filter_map(|item| if let ast::Item::Table(table) = item { Some(table) } else { None });
        tables.into_iter().find(|table| table.name.value == own).map(|table| (file, table))
    })
}

/// The key of a row of a file, as far as it is a plain literal.
fn key_written(item: &ast::Table, row: &[ast::Expr]) -> Option<String> {
    let at = item.columns.iter().position(|column| column.key)?;
    match &row.get(at)?.kind {
        ExprKind::Text(text) | ExprKind::Prefixed(_, text) => Some(text.clone()),
        ExprKind::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Shown {
    /// What no test shows of it; absent when nothing is left.
    pub fn missing(&self) -> Option<Text> {
        let (kind, text) = (self.kind.name(), &self.text);
        match (self.kind, self.held, self.failed) {
            (PointKind::Choice, false, _) => Some(say!("no test takes the {kind} `{text}`", "候補`{text}`を採るテストがありません")),
            (PointKind::Choice, ..) | (_, true, true) => None,
            (_, false, false) => Some(say!("no test comes to the {kind} `{text}`", "`{text}`に到達するテストがありません")),
            (_, false, true) => Some(say!("the {kind} `{text}` is true in no test", "`{text}`が真になるテストがありません")),
            (_, true, false) => Some(say!("the {kind} `{text}` is false in no test", "`{text}`が偽になるテストがありません")),
        }
    }
}

impl Coverage {
    /// Everything that no test shows, each with its place, then how much is shown.
    pub fn text(&self, lang: Lang) -> (String, Text) {
        let mut out = String::new();
        let mut line = |place: &Place, name: &str, text: Text| out.push_str(&format!("{place}: {name}: {}\n", text.in_lang(lang)));
        for Covered { signature, captures, points } in &self.signatures {
            for capture in captures.iter().filter(|capture| !capture.bound) {
                let name = &capture.name;
                line(&capture.place, signature, say!("no test binds `{name}`", "`{name}`に値が入るテストがありません"));
            }
            for point in points {
                if let Some(text) = point.missing() {
                    line(&point.place, signature, text);
                }
            }
        }
        for Rows { table, place, rows, unused } in self.tables.iter().filter(|table| !table.unused.is_empty()) {
            let (count, more) = (unused.len(), unused.len().saturating_sub(KEYS_SHOWN));
            let elsewhere = |at: &Place| if at.path == place.path { String::new() } else { format!(" ({}:{})", at.path, at.line) };
            let keys = unused.iter().take(KEYS_SHOWN).map(|(key, at)| format!("{key:?}{}", elsewhere(at))).collect::<Vec<_>>().join(", ");
            let (en, ja) = if more > 0 { (format!(" and {more} more"), format!("ほか{more}件")) } else { Default::default() };
            let text = say!(
                "{count} of {rows} rows are read by no test: {keys}{en}",
                "{rows}行のうち{count}行はどのテストでも使われません: {keys}{ja}"
            );
            line(place, table, text);
        }
        (out, self.summary())
    }

    fn summary(&self) -> Text {
        let captures: Vec<bool> = self.signatures.iter().flat_map(|one| &one.captures).map(|capture| capture.bound).collect();
        let points: Vec<bool> = self.signatures.iter().flat_map(|one| &one.points).map(|point| point.missing().is_none()).collect();
        let count = |all: &[bool]| all.iter().filter(|shown| **shown).count();
        let (bound, captures) = (count(&captures), captures.len());
        let (shown, points) = (count(&points), points.len());
        let rows: usize = self.tables.iter().map(|table| table.rows).sum();
        let used = rows - self.tables.iter().map(|table| table.unused.len()).sum::<usize>();
        say!(
            "coverage: {shown} of {points} conditions and guards both ways, {bound} of {captures} captures bound, {used} of {rows} rows read\n",
            "カバレッジ: 真偽の両方を確認した条件{shown}/{points}、値が入ったキャプチャ{bound}/{captures}、使われた行{used}/{rows}\n"
        )
    }

    /// All of it, for programs.
    pub fn as_json(&self) -> serde_json::Value {
        let place = |place: &Place| json!({ "path": place.path, "line": place.line, "column": place.column });
        let signatures = self.signatures.iter().map(|one| {
            let captures = one.captures.iter().map(|it| json!({ "name": it.name, "bound": it.bound, "place": place(&it.place) }));
            let points = one.points.iter().map(|it| {
                json!({
                    "kind": it.kind.name(), "text": it.text, "place": place(&it.place), "true": it.held, "false": it.failed,
                    "covered": it.missing().is_none(),
                })
            });
            json!({
                "signature": one.signature, "captures": captures.collect::<Vec<_>>(), "points": points.collect::<Vec<_>>(),
            })
        });
        let tables = self.tables.iter().map(|table| {
            let unused = table.unused.iter().map(|(key, at)| json!({ "key": key, "place": place(at) })).collect::<Vec<_>>();
            json!({ "table": table.table, "rows": table.rows, "place": place(&table.place), "unused": unused })
        });
        json!({ "signatures": signatures.collect::<Vec<_>>(), "tables": tables.collect::<Vec<_>>() })
    }
}
