//! Writes a cluster of banners as a signature with tests.
//!
//! In: banners of one skeleton. Out: a [`Draft`]: literals where all agree, captures for a version and a model, and examples from the banners.

use std::collections::{BTreeMap, BTreeSet};

use ksig_lang::quoted;
use ksig_schema::Vocabulary;
use ksig_schema::vocabulary::Term;

use super::cluster::{self, Cluster, Row};
use super::words::{Shape, Word, cut, skeleton};
use super::{Draft, Observed, is_somebodys};

/// Most banners that become examples.
const EXAMPLES_MAX: usize = 4;
/// Fewer models are listed in a table; more are captured by their shape.
const SHAPE_FROM: usize = 4;

/// What stands at one place of the pattern.
enum Part {
    Literal(String),
    Pattern(String),
    Version,
    /// The pattern, or absent for the keys of the table.
    Model(Option<String>),
}

pub(super) fn draft(cluster: &Cluster, observed: &Observed, vocabulary: &Vocabulary, names: &mut BTreeSet<String>) -> Draft {
    let rows = cluster.rows();
    let parts = parts(&rows);
    let constant = constant_model(&rows).filter(|_| !parts.iter().any(|part| matches!(part, Part::Model(_))));
    let words: Vec<&str> = cluster::names(&rows).into_iter().map(|word| word.text.as_str()).collect();
    let vendor = vendor(&words, vocabulary);
    let series: Vec<&str> = words.iter().copied().filter(|word| is_somebodys(word) && !word.eq_ignore_ascii_case(&vendor.1)).collect();
    let name = unique(&slug(&vendor.0, &series, constant), names);
    let place = &cluster.place;
    let (field, text) = (reference(place), pattern(&parts, &cluster.optional_columns()));
    let table = table(&rows, &parts);
    let has = |wanted: fn(&Part) -> bool| parts.iter().any(wanted);
    let (captures_version, captures_model) = (has(|part| matches!(part, Part::Version)), has(|part| matches!(part, Part::Model(_))));

    let mut identify = format!("vendor = {}", vendor.0);
    if !series.is_empty() && !captures_model && constant.is_none() {
        identify.push_str(&format!("; series = {}", quoted(&series.join(" "))));
    }
    match (captures_model, constant) {
        (true, _) => identify.push_str("; model = model"),
        (false, Some(model)) => identify.push_str(&format!("; model = {}", quoted(model))),
        (false, None) => {}
    }
    if captures_version {
        identify.push_str("; version = fw");
    }
    let captures: Vec<&str> =
        [("model", captures_model), ("version", captures_version)].iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    let mut examples = String::new();
    for (row, text) in some(&rows, cluster) {
        let mut expected: Vec<String> = Vec::new();
        for (word, part) in row.iter().zip(&parts).filter_map(|(word, part)| Some((word.as_ref()?, part))) {
            match part {
                Part::Model(_) => expected.push(format!("model: {}", quoted(&word.text))),
                Part::Version => expected.push(format!("version: v{}", quoted(word.text.trim_start_matches(['v', 'V', 'r', 'R'])))),
                _ => {}
            }
        }
        if expected.is_empty() {
            expected.push(format!("vendor: {}", vendor.0));
        }
        examples.push_str(&format!("  example {} in {field} => {{ {} }}\n", quoted(text), expected.join(", ")));
    }
    if let Some(other) = near_miss(cluster, observed) {
        examples.push_str(&format!("  example {} in {field} => nothing\n", quoted(other)));
    }
    let observations = cluster.observations();
    let summary = format!("{} by its {}", vendor.1, place.field);
    let source = format!(
        "// Drafted by `ksig draft` from {observations} observations that no signature identifies. No release holds it before `evidence` names a source.\nksig 1\nmodule draft.{name}\n\nuse vocab.vendors {{ {} }}\n\n{table}probe seen = {}\n\nsignature banner {{\n  summary {}\n  evidence unverified\n\n  match {{ {field} ~ /^{text}$/ }}\n  identify {{ {identify} }}\n\n{examples}}}\n",
        vendor.0,
        place.probe,
        quoted(&summary),
    );
    let text = ksig_lang::format(&source).unwrap_or(source);
    Draft { name, text, place: place.clone(), vendor, from: cluster.texts().map(str::to_string).collect(), observations, captures }
}

/// The words of each column: of one shape, and at least one.
fn columns(rows: &[Row]) -> impl Iterator<Item = Vec<&Word>> {
    (0..rows[0].len()).map(|column| rows.iter().filter_map(|row| row[column].as_ref()).collect())
}

fn parts(rows: &[Row]) -> Vec<Part> {
    let (mut version, mut model) = (false, false);
    let is_value = |words: Vec<&Word>| words[0].shape == Shape::Value;
    let is_id = columns(rows).any(is_value) || columns(rows).next().is_some_and(|words| words[0].text.ends_with(':'));
    let part = |words: Vec<&Word>| {
        let values: BTreeSet<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let (first, same) = (words[0], values.len() == 1);
        match first.shape {
            Shape::Plain | Shape::Between => Part::Literal(first.text.clone()),
            Shape::Version if !version => {
                version = true;
                Part::Version
            }
            Shape::Version => Part::Pattern(r"[vVrR]?\d[\w.-]*".into()),
            Shape::Model if same && !is_id => Part::Literal(first.text.clone()),
            Shape::Model if !model => {
                model = true;
                Part::Model(if is_id { Some("[^;]+".into()) } else { shape_of(&values) })
            }
            Shape::Model => Part::Pattern(r"[\w.-]+".into()),
            Shape::Number if same => Part::Literal(first.text.clone()),
            Shape::Number => Part::Pattern(r"\d+".into()),
            Shape::Id => Part::Pattern("[0-9A-Fa-f:-]+".into()),
            Shape::Value => Part::Pattern("[^;]*".into()),
        }
    };
    columns(rows).map(part).collect()
}

/// The parts one after another; those of an optional run in a group that may be missing.
fn pattern(parts: &[Part], optional: &[std::ops::Range<usize>]) -> String {
    let of = |part: &Part| match part {
        Part::Literal(text) => escaped(text),
        Part::Pattern(pattern) => pattern.clone(),
        Part::Version => r"[vVrR]?(?<fw: version(dotted)>\d[\w.-]*)".into(),
        Part::Model(Some(pattern)) => format!("(?<model>{pattern})"),
        Part::Model(None) => "(?<model in models>)".into(),
    };
    let mut text = String::new();
    for (column, part) in parts.iter().enumerate() {
        let at = |place: fn(&std::ops::Range<usize>) -> usize, place_is: usize| optional.iter().any(|range| place(range) == place_is);
        text.push_str(if at(|range| range.start, column) { "(?:" } else { "" });
        text.push_str(&of(part));
        text.push_str(if at(|range| range.end, column + 1) { ")?" } else { "" });
    }
    text
}

/// The models as a table, where they are not captured by their shape.
fn table(rows: &[Row], parts: &[Part]) -> String {
    let Some(at) = parts.iter().position(|part| matches!(part, Part::Model(None))) else { return String::new() };
    let models: BTreeSet<&str> = rows.iter().filter_map(|row| Some(row[at].as_ref()?.text.as_str())).collect();
    let written: String = models.iter().map(|model| format!("  row {}\n", quoted(model))).collect();
    format!("/// The models that were seen.\ntable models {{\n  model: text key\n{written}}}\n\n")
}

/// A pattern for words that are built alike: the same runs of letters, digits and signs, of other lengths. Absent for few, and for unlike ones.
fn shape_of(values: &BTreeSet<&str>) -> Option<String> {
    if values.len() < SHAPE_FROM {
        return None;
    }
    let all: Vec<Vec<(char, String)>> = values.iter().map(|value| runs(value)).collect();
    let kinds = |runs: &[(char, String)]| runs.iter().map(|(kind, _)| *kind).collect::<Vec<_>>();
    let first = kinds(&all[0]);
    if all.iter().any(|runs| kinds(runs) != first) {
        return None;
    }
    let run = |at: usize| {
        let texts: BTreeSet<&str> = all.iter().map(|runs| runs[at].1.as_str()).collect();
        if texts.len() == 1 {
            return escaped(&all[0][at].1);
        }
        let lengths = texts.iter().map(|text| text.chars().count());
        let (least, most) = (lengths.clone().min().unwrap_or(1), lengths.max().unwrap_or(1));
        let class = match first[at] {
            'A' => "[A-Z]",
            'a' => "[a-z]",
            '0' => r"\d",
            _ => r"[^\s]",
        };
        if least == most { format!("{class}{{{least}}}") } else { format!("{class}{{{least},{most}}}") }
    };
    Some((0..first.len()).map(run).collect())
}

fn runs(value: &str) -> Vec<(char, String)> {
    let mut runs: Vec<(char, String)> = Vec::new();
    for c in value.chars() {
        let kind = match c {
            'A'..='Z' => 'A',
            'a'..='z' => 'a',
            '0'..='9' => '0',
            other => other,
        };
        match runs.last_mut() {
            Some((last, text)) if *last == kind => text.push(c),
            _ => runs.push((kind, c.to_string())),
        }
    }
    runs
}

/// A model-shaped word that all banners share.
fn constant_model(rows: &[Row]) -> Option<&str> {
    let shared =
        |words: &Vec<&Word>| words.len() == rows.len() && words.iter().all(|word| word.shape == Shape::Model && word.text == words[0].text);
    columns(rows).find(shared).map(|words| words[0].text.as_str())
}

/// The id and the name of a maker: one of the vocabulary's that the banner names, or the first word that is not everybody's.
fn vendor(words: &[&str], vocabulary: &Vocabulary) -> (String, String) {
    for word in words.iter().copied().chain(words.iter().flat_map(|word| word.split(['-', '_', '.', ' ']))) {
        let wanted = folded(word);
        let named = |name: &str| !wanted.is_empty() && folded(name) == wanted;
        let bears = |term: &Term| {
            let former = term.former.iter().map(|former| former.name.as_str());
            [&term.en, &term.ja].into_iter().chain(&term.aliases).map(String::as_str).chain(former).any(named)
        };
        if let Some((id, term)) = vocabulary.vendors.iter().find(|(id, term)| named(id) || bears(term)) {
            return (id.clone(), term.en.clone());
        }
    }
    let word = words.iter().copied().find(|word| is_somebodys(word) && folded(word).len() > 1).unwrap_or("unnamed").trim();
    let id: String = folded(word).chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    (format!("drafted_{id}"), word.to_string())
}

/// Letters and digits in lower case: what tells two makers apart.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn identifier(word: &str) -> String {
    let plain: String = word.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    plain.trim_matches('_').chars().take(40).collect()
}

fn slug(vendor: &str, series: &[&str], model: Option<&str>) -> String {
    let mut parts = vec![vendor.to_string()];
    parts.extend(series.iter().take(2).copied().chain(model).map(identifier));
    parts.retain(|part| !part.is_empty());
    parts.join("_")
}

fn unique(name: &str, names: &mut BTreeSet<String>) -> String {
    let free = (1..).map(|n| if n == 1 { name.to_string() } else { format!("{name}_{n}") }).find(|name| !names.contains(name));
    let name = free.unwrap_or_default();
    names.insert(name.clone());
    name
}

/// The field as a signature names it.
fn reference(place: &super::Place) -> String {
    let below = place.field.split_once('.').map_or(place.field, |(_, below)| below);
    match &place.key {
        Some(key) => format!("seen.{below}[{}]", quoted(key)),
        None => format!("seen.{below}"),
    }
}

/// Text inside `/.../`.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '/' | '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\x{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Banners from all over the cluster.
fn some<'a>(rows: &'a [Row], cluster: &'a Cluster) -> Vec<(&'a Row, &'a str)> {
    let step = rows.len().div_ceil(EXAMPLES_MAX).max(1);
    rows.iter().zip(cluster.texts()).step_by(step).take(EXAMPLES_MAX).collect()
}

/// The banner of the same field, of another skeleton, that begins most alike.
fn near_miss<'a>(cluster: &Cluster, observed: &'a Observed) -> Option<&'a str> {
    let text = cluster.texts().next()?;
    let own = cluster.skeletons();
    let common = |other: &str| text.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let mut nearest: BTreeMap<usize, &str> = BTreeMap::new();
    for banner in observed.unknown.iter().chain(&observed.known).filter(|banner| banner.place == cluster.place) {
        let alike = common(&banner.text);
        if nearest.last_key_value().is_none_or(|(most, _)| alike > *most) && !own.contains(&skeleton(&cut(&banner.text))) {
            nearest.insert(alike, &banner.text);
        }
    }
    nearest.last_key_value().map(|(_, text)| *text)
}
