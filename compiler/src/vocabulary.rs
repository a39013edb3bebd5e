//! Vendors, classes and tags: each statement of an entry is read, and every name leads to one entry.
//!
//! In: entries as syntax, with their files. Out: the [`Vocabulary`]. A statement with a problem is left out; its entry stays, so that what
//! uses it is checked too.

use std::collections::{BTreeMap, BTreeSet};

use ksig_lang::ast::{self, Attribute, Expr, ExprKind};
use ksig_lang::source::Span;
use ksig_lang::{Diagnostic, FileId, Text, say};
use ksig_schema::vocabulary::{is_shown, plain};
use ksig_schema::{FormerName, Term, Vocabulary};

use crate::names::dotted;
use crate::problems::vocabulary as problems;

/// What an entry declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `vendor`.
    Vendor,
    /// `class`.
    Class,
    /// `tag`.
    Tag,
}

impl Kind {
    /// The word in messages.
    pub fn word(self) -> Text {
        match self {
            Kind::Vendor => say!("vendor", "ベンダー"),
            Kind::Class => say!("class", "機器種別"),
            Kind::Tag => say!("tag", "タグ"),
        }
    }

    /// The statements of its entries, the one with its English name first.
    pub fn statements(self) -> &'static [&'static str] {
        match self {
            Kind::Vendor => &["name", "ja", "alias", "former", "rebrand", "pen"],
            Kind::Class => &["en", "ja", "alias"],
            Kind::Tag => &["en", "ja", "alias", "needs"],
        }
    }
}

/// An entry with its place.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    pub kind: Kind,
    pub file: FileId,
    pub entry: &'a ast::Entry,
}

/// Largest enterprise number; the registry gives 32 bits.
const PEN_MAX: i64 = u32::MAX as i64;

/// Reads all entries of a set. Of two entries with one id the first is read.
pub fn read(entries: &[Entry], diagnostics: &mut Vec<Diagnostic>) -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    let mut first: BTreeMap<(Kind, String), Entry> = BTreeMap::new();
    let mut names = NamesSoFar::default();
    for &entry in entries {
        let id = dotted(&entry.entry.path);
        if let Some(first) = first.get(&(entry.kind, id.clone())) {
            // Two in one module are a problem of names already.
            if first.file != entry.file {
                let id = ast::Name { value: id, span: entry.entry.path.span };
                diagnostics.push(crate::problems::declared_twice(&id, entry.file, first.file, first.entry.path.span));
            }
            continue;
        }
        first.insert((entry.kind, id.clone()), entry);
        names.enter(entry, &id, &id, entry.entry.path.span, diagnostics);
        let term = Reader { entry, id: &id, names: &mut names, diagnostics, term: Term::default() }.read();
        let terms = match entry.kind {
            Kind::Vendor => &mut vocabulary.vendors,
            Kind::Class => &mut vocabulary.classes,
            Kind::Tag => &mut vocabulary.tags,
        };
        terms.insert(id, term);
    }
    for ((kind, id), entry) in &first {
        if *kind == Kind::Class
            && let Some((parent, _)) = id.rsplit_once('.')
            && !vocabulary.classes.contains_key(parent)
        {
            diagnostics.push(problems::class_without_parent(id, parent, entry.file, entry.entry.path.span));
        }
        if *kind == Kind::Vendor {
            check_rebrands(id, entry, &vocabulary, diagnostics);
        }
    }
    vocabulary
}

/// Who bears each name in plain form, and who has each enterprise number: the kind, the id, and where it is said.
#[derive(Default)]
struct NamesSoFar {
    names: BTreeMap<(Kind, String), (String, FileId, Span)>,
    pens: BTreeMap<u32, (String, FileId, Span)>,
}

impl NamesSoFar {
    fn enter(&mut self, entry: Entry, id: &str, name: &str, span: Span, diagnostics: &mut Vec<Diagnostic>) {
        let plain = plain(name);
        // A dotted id is no name that people say, and `router.home` is no `routerhome`.
        if plain.is_empty() || name == id && name.contains('.') {
            return;
        }
        match self.names.get(&(entry.kind, plain.clone())) {
            Some((other, file, first)) if other != id => {
                diagnostics.push(problems::name_taken(entry.kind.word(), name, other, entry.file, span, *file, *first));
            }
            Some(_) => {}
            None => {
                self.names.insert((entry.kind, plain), (id.to_string(), entry.file, span));
            }
        }
    }
}

/// One entry while it is read.
struct Reader<'a, 'e> {
    entry: Entry<'e>,
    id: &'a str,
    names: &'a mut NamesSoFar,
    diagnostics: &'a mut Vec<Diagnostic>,
    term: Term,
}

impl Reader<'_, '_> {
    fn read(mut self) -> Term {
        let (kind, file, syntax) = (self.entry.kind, self.entry.file, self.entry.entry);
        let mut said: BTreeMap<&str, Span> = BTreeMap::new();
        for attribute in &syntax.attributes {
            let word = attribute.name.value.as_str();
            if !kind.statements().contains(&word) {
                self.diagnostics.push(problems::unknown_attribute(kind.word(), &attribute.name, file, kind.statements()));
                continue;
            }
            if matches!(word, "name" | "en" | "ja" | "needs")
                && let Some(first) = said.insert(word, attribute.name.span)
            {
                self.diagnostics.push(crate::problems::said_twice(&attribute.name, file, first));
                continue;
            }
            if self.statement(word, attribute).is_none() {
                self.diagnostics.push(problems::bad_attribute(word, file, attribute.span));
            }
        }
        let english = kind.statements()[0];
        if self.term.en.is_empty() {
            if !said.contains_key(english) {
                self.diagnostics.push(problems::entry_without_name(kind.word(), self.id, english, file, syntax.path.span));
            }
            self.term.en = self.id.to_string();
        }
        if kind != Kind::Vendor && !said.contains_key("ja") {
            self.diagnostics.push(problems::missing_japanese(kind.word(), self.id, file, syntax.path.span));
        }
        self.term
    }

    /// Reads one statement; absent when its values have another form.
    fn statement(&mut self, word: &str, attribute: &Attribute) -> Option<()> {
        let values = attribute.values.as_slice();
        match word {
            "name" | "en" => self.term.en = self.one_text(values)?,
            "ja" => self.term.ja = self.one_text(values)?,
            // A sentence, and no name of the entry.
            "needs" => {
                let [Expr { kind: ExprKind::Text(text), .. }] = values else { return None };
                (!text.trim().is_empty()).then_some(())?;
            }
            "alias" => {
                let names = self.texts(values)?;
                self.term.aliases.extend(names);
            }
            "former" => match values {
                [name, until, date] if matches!(&until.kind, ExprKind::Name(word) if word == "until") => {
                    let ExprKind::Date(until) = date.kind else { return None };
                    let name = self.one_text(std::slice::from_ref(name))?;
                    self.term.former.push(FormerName { name, until: Some(until) });
                }
                names => {
                    let names = self.texts(names)?;
                    self.term.former.extend(names.into_iter().map(|name| FormerName { name, until: None }));
                }
            },
            "rebrand" => {
                let [of, makers @ ..] = values else { return None };
                if !matches!(&of.kind, ExprKind::Name(word) if word == "of") || makers.is_empty() {
                    return None;
                }
                let makers = makers.iter().map(crate::check::dotted_name).collect::<Option<Vec<_>>>()?;
                self.term.rebrand_of.extend(makers);
            }
            _ => self.numbers(values)?,
        }
        Some(())
    }

    fn one_text(&mut self, values: &[Expr]) -> Option<String> {
        if values.len() == 1 { self.texts(values)?.pop() } else { None }
    }

    /// Texts that people can be shown, entered as names.
    fn texts(&mut self, values: &[Expr]) -> Option<Vec<String>> {
        let texts = values.iter().map(|value| match &value.kind {
            ExprKind::Text(text) if !text.trim().is_empty() && is_shown(text) => Some(text.clone()),
            _ => None,
        });
        let texts = texts.collect::<Option<Vec<_>>>().filter(|texts| !texts.is_empty())?;
        for (text, value) in texts.iter().zip(values) {
            self.names.enter(self.entry, self.id, text, value.span, self.diagnostics);
        }
        Some(texts)
    }

    fn numbers(&mut self, values: &[Expr]) -> Option<()> {
        for value in values {
            let ExprKind::Int(number @ 1..=PEN_MAX) = value.kind else { return None };
            let number = u32::try_from(number).ok()?;
            match self.names.pens.get(&number) {
                Some((other, file, first)) => {
                    self.diagnostics.push(problems::pen_taken(number, other, self.entry.file, value.span, *file, *first));
                }
                None => {
                    self.names.pens.insert(number, (self.id.to_string(), self.entry.file, value.span));
                    self.term.enterprise_numbers.push(number);
                }
            }
        }
        (!values.is_empty()).then_some(())
    }
}

/// The makers that a brand names exist, and none sells its machines in turn.
fn check_rebrands(id: &str, entry: &Entry, vocabulary: &Vocabulary, diagnostics: &mut Vec<Diagnostic>) {
    for attribute in entry.entry.attributes.iter().filter(|attribute| attribute.name.value == "rebrand") {
        for value in attribute.values.iter().skip(1) {
            let Some(maker) = crate::check::dotted_name(value) else { continue };
            if !vocabulary.vendors.contains_key(&maker) {
                diagnostics.push(crate::problems::unknown_vendor(&maker, entry.file, value.span, vocabulary, None));
            } else if reaches(&maker, id, vocabulary) {
                diagnostics.push(problems::rebrand_cycle(id, &maker, entry.file, value.span));
            }
        }
    }
}

/// Whether a vendor is another one, or leads to it by `rebrand of`.
fn reaches(from: &str, to: &str, vocabulary: &Vocabulary) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        if id == to {
            return true;
        }
        if seen.insert(id) {
            open.extend(vocabulary.vendors.get(id).into_iter().flat_map(|term| &term.rebrand_of).map(String::as_str));
        }
    }
    false
}

/// What a name that is not an id is to the vendor that bears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// It is no longer in use.
    Former,
    /// It is the one that Japanese readers are shown.
    Japanese,
    /// The English one, an alias, or the id in other letters.
    Other,
}

/// The vendor that bears a name which is not its id.
pub fn bearer<'a>(vocabulary: &'a Vocabulary, name: &str) -> Option<(&'a str, NameKind)> {
    let name = plain(name);
    let is = |known: &str| plain(known) == name;
    vocabulary.vendors.iter().find_map(|(id, term)| {
        let kind = match term {
            _ if name.is_empty() => return None,
            _ if term.former.iter().any(|former| is(&former.name)) => NameKind::Former,
            _ if is(&term.ja) => NameKind::Japanese,
            _ if term.names().any(is) || is(id) => NameKind::Other,
            _ => return None,
        };
        Some((id.as_str(), kind))
    })
}
