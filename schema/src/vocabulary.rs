//! The closed vocabulary of a release: vendors, classes and tags with their names in English and Japanese.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Date;

/// Names that signatures may use, and what people call them. Filled by the compiler from `signatures/vocab`, kept in the bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vocabulary {
    /// By id, `buffalo`.
    pub vendors: BTreeMap<String, Term>,
    /// By id, `router.home`; a parent is the id up to its last dot.
    pub classes: BTreeMap<String, Term>,
    /// By id, `eol`.
    pub tags: BTreeMap<String, Term>,
}

/// One entry of the vocabulary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// English display name.
    pub en: String,
    /// Japanese display name; empty when there is none.
    pub ja: String,
    /// Other names of today, in any language.
    pub aliases: Vec<String>,
    /// Names that it no longer bears.
    pub former: Vec<FormerName>,
    /// Ids of the vendors whose machines this one sells under its own name; empty for most.
    pub rebrand_of: Vec<String>,
    /// Enterprise numbers that IANA gave a vendor, the arc below `1.3.6.1.4.1` in its SNMP object ids.
    pub enterprise_numbers: Vec<u32>,
}

/// A name of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerName {
    /// In any language.
    pub name: String,
    /// The day from which another name stood in its place; absent when that is not known.
    pub until: Option<Date>,
}

impl Term {
    /// All names: English, Japanese, aliases, former ones.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let now = [self.en.as_str(), self.ja.as_str()].into_iter().chain(self.aliases.iter().map(String::as_str));
        now.chain(self.former.iter().map(|former| former.name.as_str())).filter(|name| !name.is_empty())
    }
}

/// A name as names compare: its letters and digits in lower case, in any script. `I-O DATA` and `iodata` are one name.
pub fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
