//! Databases as signatures.
//!
//! In: [`Database`]s. Out: [`Import`]: files of ksig, formatted, one a database and one for their vocabulary; a [`Case`] for each example; what
//! was refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ksig_runtime::pattern::CompiledPattern;
use ksig_runtime::plan::Pattern;
use ksig_schema::{Vocabulary, form};
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::place::{Place, Value, digest};
use super::read::{Database, Example, Fingerprint};
use super::ruby::{Translated, translate};
use super::said::{Meaning, Said, meaning};
use super::text::{Taken, as_text, bytes, quoted, word};
use super::vocabulary::Words;
use super::{Refused, cpe};

/// A file of signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// `ftp_banners.ksig`.
    pub name: String,
    /// In the one style.
    pub text: String,
}

/// An example, and what the signature of its fingerprint must say of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its signature's full name.
    pub signature: String,
    /// The database, as it was named, and the example's line in it.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// Where it is seen.
    pub place: Place,
    /// What is seen.
    pub bytes: Vec<u8>,
    /// In the order of the example.
    pub expected: Vec<Expected>,
}

/// A value that an answer must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// `service.version`.
    pub param: String,
    /// As ksig says it: of a maker or a class the id, of a CPE name the formatted form.
    pub value: String,
    /// Where; absent for a parameter that the fingerprint does not have.
    pub said: Option<Said>,
}

/// What came of databases.
#[derive(Debug, Default)]
pub struct Import {
    /// By name.
    pub files: Vec<File>,
    /// In the order of databases and examples.
    pub cases: Vec<Case>,
    /// In the order of databases and lines.
    pub refused: Vec<Refused>,
    /// Databases.
    pub databases: usize,
    /// Fingerprints, refused ones too.
    pub patterns: usize,
    /// Examples, refused ones and those of refused fingerprints too.
    pub examples: usize,
    /// Signatures without an example.
    pub without_example: usize,
}

/// Longest name of a signature.
const NAME_CHARS_MAX: usize = 60;
/// Longest example that is shown as a near miss.
const NEAR_MISS_BYTES_MAX: usize = 400;
/// How many neighbours of an example are looked at for a near miss.
const NEIGHBOURS_MAX: usize = 24;
/// Most digests that a pattern may stand for.
const DIGESTS_MAX: usize = 4096;

/// Writes databases as signatures. `known`: a vocabulary whose ids are used where it has the names; `licence`: the text that stands at the
/// head of each file; `progress` is told each database.
pub fn import(databases: &[Database], licence: &str, known: Vocabulary, progress: &mut dyn FnMut(&str)) -> Import {
    let mut import = Import { databases: databases.len(), ..Import::default() };
    let mut modules = Taken::default();
    let vocabulary = modules.give("vocabulary");
    let mut words = Words::new(known);
    let mut written: Vec<Written<'_>> = Vec::new();
    for database in databases {
        progress(&database.path);
        let module = modules.give(&word(&database.name, NAME_CHARS_MAX));
        written.push(Written::of(database, module, &mut words, &mut import));
    }
    let choices = choices(&written);
    for of in &written {
        let text = of.text(licence, &vocabulary, choices.get(&of.module).map_or("", String::as_str));
        import.file(&of.module, text);
        import.cases.extend(of.cases());
    }
    let head = format!("{}ksig 1\nmodule {vocabulary}\n", head("the makers and classes that Recog's databases name", licence));
    import.file(&vocabulary, format!("{head}{}", words.items()));
    import.files.sort_by(|a, b| a.name.cmp(&b.name));
    import
}

impl Import {
    /// Adds a file in the one style; one that cannot be read is a mistake of the importer's, kept as it is for its problems to be seen.
    fn file(&mut self, module: &str, text: String) {
        let text = ksig_lang::format(&text).unwrap_or(text);
        self.files.push(File { name: format!("{module}.ksig"), text });
    }
}

/// The members of each key in the order in which Recog asks them, written in the module of the first: an item `choice`.
fn choices(written: &[Written<'_>]) -> BTreeMap<String, String> {
    let mut by_key: BTreeMap<&str, Vec<&Written<'_>>> = BTreeMap::new();
    for of in written {
        by_key.entry(&of.database.key).or_default().push(of);
    }
    let mut choices = BTreeMap::new();
    for group in by_key.values_mut() {
        group.sort_by(|a, b| b.database.preference.total_cmp(&a.database.preference).then_with(|| a.module.cmp(&b.module)));
        let owner = &group[0].module;
        let member = |of: &Written<'_>, name: &str| if of.module == *owner { name.to_string() } else { format!("{}.{name}", of.module) };
        let members: Vec<String> = group.iter().flat_map(|of| of.signatures.iter().map(|signature| member(of, &signature.name))).collect();
        if members.len() > 1 {
            let text = format!("\n/// The first that matches stands.\nchoice in_order {{\n  {}\n}}\n", members.join("\n  "));
            choices.insert(owner.clone(), text);
        }
    }
    choices
}

fn head(of: &str, licence: &str) -> String {
    let mut out = format!("// Imported by `ksig import recog`: {of}.\n");
    if licence.is_empty() {
        out.push_str("// No licence stood beside it.\n");
    }
    for line in licence.trim_end().lines() {
        let _ = writeln!(out, "{}", format!("// {line}").trim_end());
    }
    out.push('\n');
    out
}

/// A database on its way.
struct Written<'d> {
    database: &'d Database,
    module: String,
    place: Place,
    vendors: Vec<String>,
    signatures: Vec<Signature<'d>>,
}

/// A fingerprint on its way.
struct Signature<'d> {
    fingerprint: &'d Fingerprint,
    name: String,
    meaning: Meaning,
    line: Line,
    /// An example of another that this one does not match.
    near_miss: Option<&'d [u8]>,
}

/// What a signature asks.
enum Line {
    Pattern(Translated),
    Digests(Vec<Vec<u8>>),
}

impl<'d> Written<'d> {
    fn of(database: &'d Database, module: String, words: &mut Words, import: &mut Import) -> Written<'d> {
        let mut place = Place::of(&database.key);
        import.patterns += database.fingerprints.len();
        import.examples += database.fingerprints.iter().map(|fingerprint| fingerprint.examples.len()).sum::<usize>();
        let mut names = Taken::default();
        let mut signatures: Vec<Signature<'d>> = Vec::new();
        for fingerprint in &database.fingerprints {
            let refused = |line: u32, reason: String, pattern: bool| Refused {
                path: database.path.clone(),
                line,
                what: fingerprint.description.clone(),
                reason,
                pattern,
            };
            let (meaning, translated) = match read(fingerprint, &database.protocol, words) {
                Ok(read) => read,
                Err(reason) => {
                    import.refused.push(refused(fingerprint.line, reason, true));
                    continue;
                }
            };
            for (param, pos) in &meaning.unread {
                let reason = format!("`{param}` reads capture {pos}, and the pattern has {}", translated.groups);
                import.refused.push(refused(fingerprint.line, reason, false));
            }
            import.without_example += usize::from(fingerprint.examples.is_empty());
            let name = names.give(&word(&fingerprint.description, NAME_CHARS_MAX));
            signatures.push(Signature { fingerprint, name, meaning, line: Line::Pattern(translated), near_miss: None });
        }
        if let Value::Hash(length) = place.value {
            // All of a database are asked of one field: a pattern that is no list of digests takes all to the answers as they are written.
            let digests: Option<Vec<_>> = signatures.iter().map(|signature| signature.line.digests(length)).collect();
            match digests {
                Some(digests) => {
                    signatures.iter_mut().zip(digests).for_each(|(signature, digests)| signature.line = Line::Digests(digests))
                }
                None => place = Place::foreign(&database.key),
            }
        }
        near_misses(&mut signatures);
        let vendors = words.used();
        // A signature may be called as a maker that its file names.
        for signature in signatures.iter_mut().filter(|signature| vendors.contains(&signature.name)) {
            signature.name = names.give(&signature.name);
        }
        Written { database, module, place, vendors, signatures }
    }

    fn text(&self, licence: &str, vocabulary: &str, choice: &str) -> String {
        let mut out = head(&format!("Recog, {}.xml", self.database.name), licence);
        let _ = writeln!(out, "ksig 1\nmodule {}\n", self.module);
        if !self.vendors.is_empty() {
            let _ = writeln!(out, "use {vocabulary} {{\n  {},\n}}\n", self.vendors.join(",\n  "));
        }
        if let Some((name, constructor)) = self.place.probe {
            let _ = writeln!(out, "probe {name} = {constructor}\n");
        }
        self.signatures.iter().for_each(|signature| self.signature(signature, &mut out));
        out.push_str(choice);
        out
    }

    fn signature(&self, signature: &Signature<'_>, out: &mut String) {
        let Signature { fingerprint, name, meaning, line, near_miss } = signature;
        let _ = write!(out, "\nsignature {name} {{\n  summary {}\n", quoted(&fingerprint.description));
        let place = format!("Recog, {}.xml, line {}", self.database.name, fingerprint.line);
        let _ = match fingerprint.examples.is_empty() {
            false => writeln!(out, "  evidence observed {}", quoted(&place)),
            true => writeln!(out, "  evidence derived {}", quoted(&format!("{place}, which shows no example"))),
        };
        if let Some(confidence) = confidence(fingerprint) {
            let _ = writeln!(out, "  confidence {confidence}");
        }
        if fingerprint.examples.is_empty() {
            out.push_str("  allow no-positive-test \"Recog shows no example\"\n");
        }
        for capture in &meaning.redacted {
            let _ = writeln!(out, "  redact {capture}");
        }
        let _ = writeln!(out, "\n  match {{\n    {}\n  }}", self.line(line));
        record(out, "identify", &meaning.device);
        record(out, "identify os", &meaning.os);
        meaning.components.iter().for_each(|component| record(out, "component", component));
        record(out, "details", &meaning.details);
        out.push('\n');
        for example in &fingerprint.examples {
            if let Some(value) = self.literal(&example.bytes) {
                let expected = expected_names(example, meaning);
                let _ = writeln!(out, "  example {value} => {{{expected}}}");
            }
        }
        if let Some(value) = near_miss.and_then(|bytes| self.literal(bytes)) {
            let _ = writeln!(out, "  example {value} => nothing");
        }
        out.push_str("}\n");
    }

    fn line(&self, line: &Line) -> String {
        match line {
            Line::Pattern(of) => {
                let flags = [('i', of.ignore_case), ('m', of.lines), ('s', of.dot_all)];
                let flags: String = flags.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag).collect();
                format!("{} ~ b/{}/{flags}", self.place.raw(), of.pattern)
            }
            Line::Digests(digests) => {
                let digits = |digest: &Vec<u8>| format!("h\"{}\"", form::hex_digits(digest));
                match digests.as_slice() {
                    [one] => format!("{} == {}", self.place.written, digits(one)),
                    many => {
                        format!(
                            "{} in [\n      {},\n    ]",
                            self.place.written,
                            many.iter().map(digits).collect::<Vec<_>>().join(",\n      ")
                        )
                    }
                }
            }
        }
    }

    /// `"..." in greeting.banner`, or as bytes where the text would mean others; absent for what is no value of the field.
    fn literal(&self, value: &[u8]) -> Option<String> {
        let Place { written, .. } = &self.place;
        match self.place.value {
            Value::Text => Some(match as_text(value) {
                Some(text) => format!("{} in {written}", quoted(text)),
                None => format!("{} in {}", bytes(value), self.place.raw()),
            }),
            Value::Bytes => Some(format!("{} in {written}", bytes(value))),
            Value::Hash(length) => {
                digest(value, length)?;
                Some(format!("h{} in {written}", quoted(&String::from_utf8_lossy(value))))
            }
        }
    }

    fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for signature in &self.signatures {
            for example in &signature.fingerprint.examples {
                cases.push(Case {
                    signature: format!("{}.{}", self.module, signature.name),
                    path: self.database.path.clone(),
                    line: example.line,
                    place: self.place.clone(),
                    bytes: example.bytes.clone(),
                    expected: example.expected.iter().map(|(param, value)| expected(param, value, signature)).collect(),
                });
            }
        }
        cases
    }
}

/// The meaning of a fingerprint and its pattern, which is known to compile.
fn read(fingerprint: &Fingerprint, protocol: &str, words: &mut Words) -> Result<(Meaning, Translated), String> {
    // How many captures there are says which parameters read one.
    let plain = translate(&fingerprint.pattern, &fingerprint.flags, &|_| None).map_err(|error| error.to_string())?;
    let meaning = meaning(fingerprint, plain.groups, protocol, words);
    let translated = translate(&fingerprint.pattern, &fingerprint.flags, &|number| meaning.captures.get(&number).cloned())
        .map_err(|error| error.to_string())?;
    compiled(&translated).map_err(|error| error.to_string())?;
    Ok((meaning, translated))
}

fn compiled(translated: &Translated) -> Result<CompiledPattern, ksig_runtime::PatternError> {
    CompiledPattern::new(&pattern(translated))
}

/// As the engines run it.
fn pattern(translated: &Translated) -> Pattern {
    let flags: String =
        [('m', translated.lines), ('s', translated.dot_all)].into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag).collect();
    let source = translated.pattern.replace(": text>", ">").replace("\\/", "/");
    let source = if flags.is_empty() { source } else { format!("(?{flags}){source}") };
    Pattern { source, ignore_case: translated.ignore_case, ignore_case_unicode: false, bytes: true }
}

impl Line {
    /// The digests that the pattern matches, where it is a list of them and binds nothing.
    fn digests(&self, length: usize) -> Option<Vec<Vec<u8>>> {
        let Line::Pattern(translated) = self else { return None };
        if translated.pattern.contains(": text>") {
            return None;
        }
        let hir = ksig_runtime::pattern::hir(&pattern(translated)).ok()?;
        let HirKind::Concat(parts) = hir.kind() else { return None };
        let (first, last) = (parts.first()?, parts.last()?);
        let begins = matches!(first.kind(), HirKind::Look(Look::Start | Look::StartLF));
        let ends = matches!(last.kind(), HirKind::Look(Look::End | Look::EndLF));
        if !begins || !ends {
            return None;
        }
        let texts = parts[1..parts.len() - 1].iter().try_fold(vec![Vec::new()], |texts, part| followed(&texts, &members(part)?))?;
        let mut digests: Vec<Vec<u8>> = texts.iter().filter_map(|text| digest(text, length)).collect();
        digests.sort();
        digests.dedup();
        (!digests.is_empty()).then_some(digests)
    }
}

/// All texts of an expression that has few.
fn members(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Empty => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Class(Class::Bytes(class)) => {
            let bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            Some(bytes.take(64).map(|byte| vec![byte]).collect()).filter(|all: &Vec<Vec<u8>>| all.len() < 64)
        }
        HirKind::Capture(group) => members(&group.sub),
        HirKind::Concat(parts) => parts.iter().try_fold(vec![Vec::new()], |texts, part| followed(&texts, &members(part)?)),
        HirKind::Alternation(parts) => {
            let all = parts.iter().map(members).collect::<Option<Vec<_>>>()?.concat();
            (all.len() <= DIGESTS_MAX).then_some(all)
        }
        HirKind::Repetition(repetition) => {
            let (times, of) = (repetition.max?, members(&repetition.sub)?);
            let mut texts = vec![Vec::new()];
            let mut all = if repetition.min == 0 { texts.clone() } else { Vec::new() };
            for time in 1..=times.min(64) {
                texts = followed(&texts, &of)?;
                if time >= repetition.min {
                    all.extend(texts.iter().cloned());
                }
            }
            (times <= 64 && all.len() <= DIGESTS_MAX).then_some(all)
        }
        HirKind::Class(Class::Unicode(_)) | HirKind::Look(_) => None,
    }
}

fn followed(texts: &[Vec<u8>], by: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    (texts.len() * by.len() <= DIGESTS_MAX)
        .then(|| texts.iter().flat_map(|text| by.iter().map(|next| [&text[..], next].concat())).collect())
}

/// For each signature an example of another that is most like its own and that it does not match.
fn near_misses(signatures: &mut [Signature<'_>]) {
    let of = |at: usize| signatures[at].fingerprint.examples.iter().map(move |example| (example.bytes.as_slice(), at));
    let mut all: Vec<(&[u8], usize)> = (0..signatures.len()).flat_map(of).filter(|(bytes, _)| bytes.len() <= NEAR_MISS_BYTES_MAX).collect();
    all.sort();
    let found: Vec<Option<&[u8]>> = (0..signatures.len())
        .map(|at| {
            let own = signatures[at].fingerprint.examples.first()?;
            let place = all.partition_point(|(bytes, _)| *bytes < own.bytes.as_slice());
            let (before, after) = (all[..place].iter().rev(), all[place..].iter());
            let mut neighbours: Vec<&(&[u8], usize)> = before.take(NEIGHBOURS_MAX).chain(after.take(NEIGHBOURS_MAX)).collect();
            let shared = |other: &[u8]| other.iter().zip(&own.bytes).take_while(|(a, b)| a == b).count();
            neighbours.sort_by_key(|(bytes, _)| std::cmp::Reverse(shared(bytes)));
            let misses = signatures[at].line.misses();
            neighbours.into_iter().find(|(bytes, of)| *of != at && misses(bytes)).map(|(bytes, _)| *bytes)
        })
        .collect();
    signatures.iter_mut().zip(found).for_each(|(signature, found)| signature.near_miss = found);
}

/// Says of a value whether a line is false of it.
type Misses<'l> = Box<dyn Fn(&[u8]) -> bool + 'l>;

impl Line {
    /// Whether the line is false of a value.
    fn misses(&self) -> Misses<'_> {
        match self {
            Line::Digests(digests) => Box::new(|value| digest(value, digests[0].len()).is_some_and(|digest| !digests.contains(&digest))),
            Line::Pattern(translated) => match compiled(translated) {
                Ok(pattern) => Box::new(move |value| !pattern.is_match(value)),
                Err(_) => Box::new(|_| false),
            },
        }
    }
}

/// How sure: the highest of Recog's certainties, where it is not its default.
fn confidence(fingerprint: &Fingerprint) -> Option<&'static str> {
    let said = fingerprint.params.iter().filter(|param| param.name.ends_with(".certainty")).filter_map(|param| param.value.parse().ok());
    let most = said.chain(fingerprint.certainty).max_by(f64::total_cmp)?;
    match most {
        most if most >= 1.0 => Some("certain"),
        most if most >= 0.7 => None,
        most if most >= 0.4 => Some("weak"),
        _ => Some("hint"),
    }
}

fn record<N: AsRef<str>>(out: &mut String, word: &str, slots: &[(N, String)]) {
    match slots {
        [] => {}
        [(slot, value)] => drop(writeln!(out, "  {word} {{ {} = {value} }}", slot.as_ref())),
        many => {
            let _ = writeln!(out, "  {word} {{");
            for (slot, value) in many {
                let _ = writeln!(out, "    {} = {value}", slot.as_ref());
            }
            out.push_str("  }\n");
        }
    }
}

/// The names of the signature whose values the example states: captures. What is constant needs no statement.
fn expected_names(example: &Example, meaning: &Meaning) -> String {
    let captured = |param: &str| meaning.named.get(param);
    let mut seen: Vec<&String> = Vec::new();
    let mut out = String::new();
    for (param, value) in &example.expected {
        let Some(name) = captured(param).filter(|name| !value.is_empty() && !seen.contains(name)) else { continue };
        seen.push(name);
        let _ = write!(out, "{} {name}: {}", if out.is_empty() { "" } else { "," }, quoted(value));
    }
    if !out.is_empty() {
        out.push(' ');
    }
    out
}

fn expected(param: &str, value: &str, signature: &Signature<'_>) -> Expected {
    let said = signature.meaning.said.get(param).cloned();
    let value = match &said {
        Some(Said::Identity(_, "vendor" | "class")) => signature.meaning.ids.get(value).cloned().unwrap_or_else(|| value.to_string()),
        Some(Said::Identity(_, "cpe") | Said::Component(_, "cpe")) => match cpe::attributes(value) {
            Some(mut attributes) => {
                attributes.resize(11, "*".into());
                format!("cpe:2.3:{}", attributes.join(":"))
            }
            None => value.to_string(),
        },
        _ => value.to_string(),
    };
    Expected { param: param.into(), value, said }
}
