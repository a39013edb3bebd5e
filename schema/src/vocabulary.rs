//! The closed vocabulary of a release: vendors, classes and tags with their names in English and Japanese.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

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

/// A name as names compare: its letters and digits in lower case, in any script. `I-O DATA` and `iodata` are one name; so are forms of one
/// character (`Ａ` and `A`, a letter and a mark or both in one), and letters of other scripts that look like Latin ones.
pub fn plain(name: &str) -> String {
    name.nfkc().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).map(latin).collect()
}

/// Small letters of which the capital or the small form looks like a Latin letter: Cyrillic, then Greek.
const LOOKALIKES: [(char, char); 38] = [
    ('а', 'a'),
    ('в', 'b'),
    ('с', 'c'),
    ('ԁ', 'd'),
    ('е', 'e'),
    ('н', 'h'),
    ('һ', 'h'),
    ('і', 'i'),
    ('ӏ', 'i'),
    ('ј', 'j'),
    ('к', 'k'),
    ('м', 'm'),
    ('о', 'o'),
    ('р', 'p'),
    ('ԛ', 'q'),
    ('ѕ', 's'),
    ('т', 't'),
    ('ѵ', 'v'),
    ('ԝ', 'w'),
    ('х', 'x'),
    ('у', 'y'),
    ('ү', 'y'),
    ('α', 'a'),
    ('β', 'b'),
    ('ϲ', 'c'),
    ('ε', 'e'),
    ('η', 'h'),
    ('ι', 'i'),
    ('ϳ', 'j'),
    ('κ', 'k'),
    ('μ', 'm'),
    ('ν', 'n'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('τ', 't'),
    ('υ', 'y'),
    ('χ', 'x'),
    ('ζ', 'z'),
];

fn latin(letter: char) -> char {
    LOOKALIKES.iter().find(|(like, _)| *like == letter).map_or(letter, |(_, latin)| *latin)
}

/// A name as people can be shown it: composed, so that it compares as it looks, and without characters that nobody sees.
pub fn is_shown(name: &str) -> bool {
    unicode_normalization::is_nfc(name) && !name.chars().any(is_unseen)
}

/// Controls, and what changes how the characters beside it are shown.
fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
