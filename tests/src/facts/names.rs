//! The rule of equal names: models in plain letters and digits without their vendor's name, vendors through the vocabulary's aliases.

use std::collections::{BTreeMap, BTreeSet};

use ksig_schema::Vocabulary;
use ksig_schema::vocabulary::plain as plain_vendor;

/// Kinds in sources' words and the class that each means; the words of the vocabulary itself need no line.
const KINDS: &str = include_str!("kinds.csv");

/// Names of vendors and classes, ready to compare.
#[derive(Debug, Default)]
pub struct Names {
    /// Vendor ids by every name in plain form; two makers may share a name.
    vendors: BTreeMap<String, BTreeSet<String>>,
    /// Every plain name of a vendor by its id, longest first.
    of_vendor: BTreeMap<String, Vec<String>>,
    classes: BTreeMap<String, String>,
}

/// Lower-cased, letters and digits only. A text without any ASCII letter or digit keeps its own: Japanese names stay apart.
pub fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    let ascii: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    if ascii.is_empty() { lower.split_whitespace().collect() } else { ascii }
}

/// Lower-cased, without a leading `v`, `ver.` or `version`.
pub(super) fn plain_version(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    let bare = ["version", "ver.", "ver", "v"].iter().find_map(|prefix| {
        let rest = lower.strip_prefix(prefix)?.trim_start();
        rest.starts_with(|c: char| c.is_ascii_digit()).then_some(rest)
    });
    bare.unwrap_or(&lower).to_string()
}

impl Names {
    /// From a release's vocabulary.
    pub fn new(vocabulary: &Vocabulary) -> Names {
        let mut names = Names::default();
        for (id, term) in &vocabulary.vendors {
            let mut own: Vec<String> = term.names().chain([id.as_str()]).map(plain_vendor).filter(|name| !name.is_empty()).collect();
            own.sort_by_key(|name| std::cmp::Reverse(name.len()));
            own.dedup();
            // A machine of a brand is a machine of its maker too: sources name either.
            for id in [id].into_iter().chain(&term.rebrand_of) {
                for name in &own {
                    names.vendors.entry(name.clone()).or_default().insert(id.clone());
                }
            }
            names.of_vendor.insert(id.clone(), own);
        }
        for line in KINDS.lines().skip(1) {
            if let Some((kind, class)) = line.split_once(',') {
                names.classes.insert(plain(kind), class.trim().to_string());
            }
        }
        for (id, term) in &vocabulary.classes {
            for name in term.names().chain([id.as_str()]) {
                names.classes.insert(plain(name), id.clone());
            }
        }
        names
    }

    /// Whether two names are one maker's: the same vendor of the vocabulary, or the same letters.
    pub fn same_vendor(&self, one: &str, other: &str) -> bool {
        let (one, other) = (plain_vendor(one), plain_vendor(other));
        let known = |name: &String| self.vendors.get(name);
        one == other || known(&one).zip(known(&other)).is_some_and(|(one, other)| one.intersection(other).next().is_some())
    }

    /// A model or series in plain form without the name of its maker (any name of any of those given) in front. A text that is nothing but
    /// the name keeps it.
    pub fn without_vendor<'a>(&self, text: &str, vendors: impl Iterator<Item = &'a str>) -> String {
        let text = plain(text);
        let longest = vendors
            .flat_map(|vendor| {
                let written = plain_vendor(vendor);
                let ids = self.vendors.get(&written).into_iter().flatten();
                let own: Vec<String> = ids.flat_map(|id| &self.of_vendor[id]).cloned().collect();
                own.into_iter().chain([written])
            })
            .filter(|name| !name.is_empty() && text.len() > name.len() && text.starts_with(name.as_str()))
            .max_by_key(String::len);
        match longest {
            Some(name) => text[name.len()..].to_string(),
            None => text,
        }
    }

    /// The class of a kind in a source's words: `IP Camera` is `camera`. Absent for a word that no one placed.
    pub fn class_of_kind(&self, kind: &str) -> Option<String> {
        self.classes.get(&plain(kind)).cloned()
    }
}
