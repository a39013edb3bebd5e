//! Where the parameters of a fingerprint stand in a signature.
//!
//! In: a fingerprint. Out: [`Meaning`]: for each parameter its [`Said`], and the records of the signature in order.

use std::collections::BTreeMap;

use super::read::{Fingerprint, Param};
use super::text::{Taken, quoted, word};
use super::{cpe, vocabulary::Words};

/// Where a parameter's value stands in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A slot of an identity: facet and slot.
    Identity(&'static str, &'static str),
    /// A slot of a component, by its place among the signature's own.
    Component(usize, &'static str),
    /// A detail.
    Detail(String),
    /// A capture that is redacted.
    Capture(String),
    /// The signature's confidence, or the name of the protocol: the same for all answers.
    Constant(String),
}

/// A value as a signature writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// A constant.
    Constant(String),
    /// A name of the signature.
    Name(String),
    /// Constants and names one after another.
    Mixed(Vec<Term>),
}

/// A record with its slots as they are written.
pub type Record = Vec<(&'static str, String)>;

/// What a fingerprint says, in ksig's words.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    /// By capture number: its name.
    pub captures: BTreeMap<usize, String>,
    /// Captures that name a person or one machine.
    pub redacted: Vec<String>,
    /// `identify { }`.
    pub device: Record,
    /// `identify os { }`.
    pub os: Record,
    /// `component { }` each.
    pub components: Vec<Record>,
    /// `details { }`.
    pub details: Vec<(String, String)>,
    /// By parameter.
    pub said: BTreeMap<String, Said>,
    /// By parameter that is captured: the capture's name.
    pub named: BTreeMap<String, String>,
    /// Makers and kinds as Recog writes them: their ids.
    pub ids: BTreeMap<String, String>,
    /// Parameters that read a capture which the pattern has not.
    pub unread: Vec<(String, usize)>,
}

/// Longest name of a capture or a detail.
const NAME_CHARS_MAX: usize = 60;

/// Names that mean something else where captures stand: slots of an identity, and probes.
const NOT_CAPTURES: [&str; 15] = [
    "vendor", "brand", "series", "model", "version", "class", "cpe", "top", "greeting", "icon", "system", "media", "hello", "host",
    "foreign",
];

/// Parameters that name one machine or a person.
fn is_personal(name: &str) -> bool {
    name.starts_with("host.") || name.ends_with("serial_number") || name.ends_with(".serial")
}

fn is_temporary(name: &str) -> bool {
    name.starts_with("_tmp.")
}

fn is_certainty(name: &str) -> bool {
    name.ends_with(".certainty")
}

/// Reads a fingerprint whose pattern has `groups` captures.
pub fn meaning(fingerprint: &Fingerprint, groups: usize, protocol: &str, words: &mut Words) -> Meaning {
    let mut meaning = Meaning::default();
    let mut names = Taken::default();
    NOT_CAPTURES.iter().for_each(|name| drop(names.give(name)));
    let params: Vec<&Param> = fingerprint.params.iter().filter(|param| !is_certainty(&param.name)).collect();
    name_captures(&params, groups, &mut names, &mut meaning);
    for param in &params {
        if let Some(name) = meaning.captures.get(&param.pos) {
            meaning.named.insert(param.name.clone(), name.clone());
        }
    }
    let values = values(&params, &meaning);
    for param in fingerprint.params.iter().filter(|param| is_certainty(&param.name)) {
        meaning.said.insert(param.name.clone(), Said::Constant(param.value.clone()));
    }
    if !protocol.is_empty() {
        meaning.said.insert("service.protocol".into(), Said::Constant(protocol.into()));
    }
    meaning.said.insert("matched".into(), Said::Constant(fingerprint.description.clone()));
    let mut writer = Writer { values: &values, meaning: &mut meaning, words, details: Taken::default() };
    writer.device();
    writer.os();
    writer.software("service");
    writer.software("service.component");
    for param in params.iter().filter(|param| !is_temporary(&param.name)) {
        writer.rest(&param.name);
    }
    if meaning.device.is_empty() && meaning.os.is_empty() && meaning.components.is_empty() && meaning.details.is_empty() {
        // A fingerprint may say no more than that it matched.
        meaning.details.push(("matched".into(), quoted(&fingerprint.description)));
    }
    meaning
}

/// A capture is called by the first parameter that reads it, and is redacted where all that do are personal.
fn name_captures(params: &[&Param], groups: usize, names: &mut Taken, meaning: &mut Meaning) {
    for param in params.iter().filter(|param| param.pos > 0) {
        if param.pos > groups {
            meaning.unread.push((param.name.clone(), param.pos));
            continue;
        }
        if meaning.captures.contains_key(&param.pos) {
            continue;
        }
        let readers: Vec<&&Param> = params.iter().filter(|other| other.pos == param.pos).collect();
        let named_by = readers.iter().find(|reader| !is_personal(&reader.name)).unwrap_or(&readers[0]);
        let name = names.give(&word(&named_by.name, NAME_CHARS_MAX));
        if readers.iter().all(|reader| is_personal(&reader.name)) {
            meaning.redacted.push(name.clone());
        }
        meaning.captures.insert(param.pos, name);
    }
}

/// The value of each parameter, with `{name}` in constants put in, in one pass as Recog does it.
fn values(params: &[&Param], meaning: &Meaning) -> BTreeMap<String, Term> {
    let mut values: BTreeMap<String, Term> = BTreeMap::new();
    for param in params {
        let term = match (param.pos, meaning.captures.get(&param.pos)) {
            (0, _) => Term::Constant(param.value.clone()),
            (_, Some(name)) => Term::Name(name.clone()),
            (_, None) => continue,
        };
        values.insert(param.name.clone(), term);
    }
    for param in params.iter().filter(|param| param.pos == 0 && !param.name.ends_with("cpe23")) {
        if let Some(mixed) = filled(&param.value, &values) {
            values.insert(param.name.clone(), mixed);
        }
    }
    values
}

/// A constant with its holes filled; absent when it has none.
fn filled(text: &str, values: &BTreeMap<String, Term>) -> Option<Term> {
    let mut parts: Vec<Term> = Vec::new();
    let mut rest = text;
    let mut any = false;
    while let Some((open, close)) = hole(rest) {
        let name = &rest[open + 1..close];
        parts.push(Term::Constant(rest[..open].into()));
        match values.get(name) {
            Some(Term::Mixed(inner)) => parts.extend(inner.clone()),
            Some(term) => parts.push(term.clone()),
            None => parts.push(Term::Constant(rest[open..=close].into())),
        }
        any = true;
        rest = &rest[close + 1..];
    }
    parts.push(Term::Constant(rest.into()));
    if !any {
        return None;
    }
    // Constants that stand side by side are one.
    let mut joined: Vec<Term> = Vec::new();
    for part in parts {
        match (joined.last_mut(), part) {
            (Some(Term::Constant(before)), Term::Constant(text)) => before.push_str(&text),
            (_, Term::Constant(text)) if text.is_empty() => {}
            (_, part) => joined.push(part),
        }
    }
    Some(if joined.len() == 1 { joined.remove(0) } else { Term::Mixed(joined) })
}

/// The first `{name}` of a text: where its braces stand.
fn hole(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| from + at) {
        let inside = text[open + 1..].find(|c: char| c.is_whitespace() || c == '{' || c == '}').map(|at| open + 1 + at);
        match inside {
            Some(close) if text.as_bytes()[close] == b'}' && close > open + 1 => return Some((open, close)),
            _ => from = open + 1,
        }
    }
    None
}

impl Term {
    /// As an expression of text.
    pub fn written(&self) -> String {
        match self {
            Term::Constant(text) => quoted(text),
            Term::Name(name) => name.clone(),
            Term::Mixed(parts) => {
                let text: String = parts.iter().map(Term::inside).collect();
                format!("t{}", quoted(&text))
            }
        }
    }

    fn inside(&self) -> String {
        match self {
            Term::Constant(text) => text.clone(),
            Term::Name(name) => format!("{{{name}}}"),
            Term::Mixed(parts) => parts.iter().map(Term::inside).collect(),
        }
    }
}

struct Writer<'m> {
    values: &'m BTreeMap<String, Term>,
    meaning: &'m mut Meaning,
    words: &'m mut Words,
    details: Taken,
}

impl Writer<'_> {
    fn is_free(&self, name: &str) -> bool {
        self.values.contains_key(name) && !self.meaning.said.contains_key(name)
    }

    /// The first of these parameters that has a value which nothing said yet.
    fn first<'n>(&self, names: &[&'n str]) -> Option<(&'n str, &Term)> {
        names.iter().find(|name| self.is_free(name)).and_then(|name| Some((*name, self.values.get(*name)?)))
    }

    fn slot(&mut self, facet: &'static str, slot: &'static str, names: &[&str]) {
        let Some((name, term)) = self.first(names) else { return };
        let written = term.written();
        self.said(facet, slot, name, written);
    }

    fn said(&mut self, facet: &'static str, slot: &'static str, name: &str, written: String) {
        self.meaning.said.insert(name.into(), Said::Identity(facet, slot));
        if facet == "os" { &mut self.meaning.os } else { &mut self.meaning.device }.push((slot, written));
    }

    /// A maker of the vocabulary, or the words of the device as its brand.
    fn vendor(&mut self, facet: &'static str, name: &str) {
        let Some((name, term)) = self.first(&[name]) else { return };
        match term.clone() {
            Term::Constant(maker) => {
                let id = self.words.vendor(&maker);
                self.meaning.ids.insert(maker, id.clone());
                self.said(facet, "vendor", name, id);
            }
            other => self.said(facet, "brand", name, other.written()),
        }
    }

    fn device(&mut self) {
        self.vendor("device", "hw.vendor");
        self.slot("device", "series", &["hw.family", "hw.series"]);
        self.slot("device", "model", &["hw.product", "hw.model"]);
        self.slot("device", "version", &["hw.version"]);
        let kinds = ["hw.device", "os.device", "service.device"];
        if let Some((name, Term::Constant(kind))) = self.first(&kinds) {
            let (name, kind) = (name.to_string(), kind.clone());
            let class = self.words.class(&kind);
            self.meaning.ids.insert(kind.clone(), class.clone());
            self.said("device", "class", &name, class);
            // What is said of the device alone is not said again of its system.
            for other in kinds {
                if self.is_free(other) && self.values.get(other) == Some(&Term::Constant(kind.clone())) {
                    self.meaning.said.insert(other.into(), Said::Identity("device", "class"));
                }
            }
        }
        if let Some(template) = self.cpe("hw.cpe23") {
            self.said("device", "cpe", "hw.cpe23", template);
        }
    }

    fn os(&mut self) {
        self.vendor("os", "os.vendor");
        self.slot("os", "series", &["os.family"]);
        self.slot("os", "model", &["os.product"]);
        self.slot("os", "version", &["os.version"]);
        if let Some(template) = self.cpe("os.cpe23") {
            self.said("os", "cpe", "os.cpe23", template);
        }
    }

    /// A program; without a product it is none, and what is said of it are details.
    fn software(&mut self, root: &str) {
        let named = |part: &str| format!("{root}.{part}");
        if !self.is_free(&named("product")) {
            return;
        }
        let at = self.meaning.components.len();
        let mut record: Record = Vec::new();
        for (slot, part) in [("vendor", "vendor"), ("product", "product"), ("series", "family"), ("version", "version")] {
            let name = named(part);
            let Some((_, term)) = self.first(&[name.as_str()]) else { continue };
            record.push((slot, term.written()));
            self.meaning.said.insert(name, Said::Component(at, slot));
        }
        let name = named("cpe23");
        if let Some(template) = self.cpe(&name) {
            record.push(("cpe", template));
            self.meaning.said.insert(name, Said::Component(at, "cpe"));
        }
        self.meaning.components.push(record);
    }

    /// `cpe"a:acme:httpd:{service_version|na}"`; absent for a value that is no CPE name.
    fn cpe(&self, name: &str) -> Option<String> {
        let (_, Term::Constant(uri)) = self.first(&[name])? else { return None };
        let attributes = cpe::attributes(uri)?;
        let mut text = String::new();
        let joined = attributes.join(":");
        let mut rest = joined.as_str();
        while let Some((open, close)) = hole(rest) {
            text.push_str(&rest[..open]);
            let inner = &rest[open + 1..close];
            // A version that is not there is `-`; of anything else that is not there, there is no name.
            let form = if inner.ends_with(".version") { "|na" } else { "" };
            match self.values.get(inner)? {
                Term::Constant(constant) => text.push_str(&cpe::constant(constant)),
                Term::Name(var) => text.push_str(&format!("{{{var}{form}}}")),
                Term::Mixed(parts) => parts.iter().for_each(|part| match part {
                    Term::Name(var) => text.push_str(&format!("{{{var}{form}}}")),
                    other => text.push_str(&cpe::constant(&other.inside())),
                }),
            }
            rest = &rest[close + 1..];
        }
        text.push_str(rest);
        Some(format!("cpe{}", quoted(&text)))
    }

    /// What has no slot: a detail, or a capture that stays inside.
    fn rest(&mut self, name: &str) {
        if !self.is_free(name) {
            return;
        }
        let term = self.values[name].clone();
        if let Term::Name(capture) = &term
            && self.meaning.redacted.contains(capture)
        {
            self.meaning.said.insert(name.into(), Said::Capture(capture.clone()));
            return;
        }
        let detail = self.details.give(&word(name, NAME_CHARS_MAX));
        self.meaning.details.push((detail.clone(), term.written()));
        self.meaning.said.insert(name.into(), Said::Detail(detail));
    }
}
