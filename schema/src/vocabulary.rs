//! The closed vocabulary of a release: vendors, classes and tags with their names in English and Japanese.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// Other names in any language, former names included.
    pub aliases: Vec<String>,
}

impl Term {
    /// All names: English, Japanese, aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [self.en.as_str(), self.ja.as_str()].into_iter().chain(self.aliases.iter().map(String::as_str)).filter(|name| !name.is_empty())
    }
}
