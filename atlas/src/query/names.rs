//! What people call things: names of the vocabulary, in both languages, to ids.
//!
//! In: a [`Vocabulary`] and a word of a query. Out: the vendors, classes and tags that bear it, and what else to look for in text. These
//! names find more than any cutting of text can: a page rarely says its maker in the script of the query.

use std::collections::{BTreeMap, BTreeSet};

use ksig_schema::{Term, Vocabulary};

use super::spelling;
use crate::fold::is_kana;
use crate::tokenizer::key;

/// A Japanese name ends with its kind (`ネットワークカメラ`), so a query for the kind means every class whose name ends so. From so many
/// characters on, because a single last character (`機`) says too little.
const KIND_CHARS_MIN: usize = 2;
/// Shorter Latin names (`TV`) stand in too many texts to be looked for there in place of another name.
const TEXT_NAME_CHARS_MIN: usize = 3;

/// A vocabulary by its names.
#[derive(Clone, Debug, Default)]
pub struct Names {
    vocabulary: Vocabulary,
    vendors: ByName,
    classes: ByName,
    tags: ByName,
}

/// Ids by the key of each name.
type ByName = BTreeMap<String, BTreeSet<String>>;

/// What a word of a query means besides itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// Vendors that bear the name.
    pub vendors: BTreeSet<String>,
    /// Classes that bear it, or whose name ends with it.
    pub classes: BTreeSet<String>,
    /// Tags that bear it.
    pub tags: BTreeSet<String>,
    /// Other names and spellings to look for in text.
    pub texts: Vec<String>,
}

impl Names {
    /// Sorts a vocabulary by its names.
    pub fn new(vocabulary: &Vocabulary) -> Names {
        Names {
            vendors: by_name(&vocabulary.vendors),
            classes: by_name(&vocabulary.classes),
            tags: by_name(&vocabulary.tags),
            vocabulary: vocabulary.clone(),
        }
    }

    /// The vocabulary as it was given.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Vendors of that id or name; empty when there is none.
    pub fn vendors(&self, name: &str) -> BTreeSet<String> {
        self.vendors.get(&key(name)).cloned().unwrap_or_default()
    }

    /// Classes of that id or name, or whose Japanese name ends with it.
    pub fn classes(&self, name: &str) -> BTreeSet<String> {
        let name = key(name);
        let mut found = self.classes.get(&name).cloned().unwrap_or_default();
        let is_kind = name.chars().count() >= KIND_CHARS_MIN && name.chars().all(|c| is_kana(c) || !c.is_ascii());
        if is_kind {
            found.extend(self.classes.iter().filter(|(known, _)| known.ends_with(&name)).flat_map(|(_, ids)| ids.clone()));
        }
        found
    }

    /// Tags of that id or name.
    pub fn tags(&self, name: &str) -> BTreeSet<String> {
        self.tags.get(&key(name)).cloned().unwrap_or_default()
    }

    /// Whether the vocabulary has this name, exactly.
    pub fn has(&self, name: &str) -> bool {
        let name = key(name);
        [&self.vendors, &self.classes, &self.tags].iter().any(|names| names.contains_key(&name))
    }

    /// Everything that a word of a query means.
    pub fn meaning(&self, word: &str) -> Meaning {
        let mut meaning =
            Meaning { vendors: self.vendors(word), classes: self.classes(word), tags: self.tags(word), texts: spelling::variants(word) };
        let vendors = meaning.vendors.iter().filter_map(|id| self.vocabulary.vendors.get(id));
        // A class that is meant by the end of its name is found by its class; its longer name holds the word anyway.
        let own = self.classes.get(&key(word)).into_iter().flatten().filter_map(|id| self.vocabulary.classes.get(id));
        let others: Vec<String> = vendors.chain(own).flat_map(Term::names).filter(|name| stands_alone(name)).map(str::to_string).collect();
        let mut said = BTreeSet::from([key(word)]);
        meaning.texts.extend(others);
        meaning.texts.retain(|text| said.insert(key(text)));
        meaning
    }
}

/// Whether a name is long enough to be looked for in text.
fn stands_alone(name: &str) -> bool {
    let key = key(name);
    !key.is_ascii() && key.chars().count() >= KIND_CHARS_MIN || key.len() >= TEXT_NAME_CHARS_MIN
}

fn by_name(terms: &BTreeMap<String, Term>) -> ByName {
    let mut names = ByName::new();
    for (id, term) in terms {
        for name in term.names().chain([id.as_str()]) {
            names.entry(key(name)).or_default().insert(id.clone());
        }
    }
    names.remove("");
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(en: &str, ja: &str, aliases: &[&str]) -> Term {
        Term { en: en.into(), ja: ja.into(), aliases: aliases.iter().map(|alias| alias.to_string()).collect(), ..Term::default() }
    }

    fn names() -> Names {
        Names::new(&Vocabulary {
            vendors: [("acme".to_string(), term("ACME Works", "アクメ", &["アクメ・ワークス"]))].into(),
            classes: [
                ("camera".to_string(), term("Network camera", "ネットワークカメラ", &[])),
                ("router".to_string(), term("Router", "ルーター", &[])),
                ("media.tv".to_string(), term("TV", "テレビ", &[])),
            ]
            .into(),
            tags: [("eol".to_string(), term("Support has ended", "サポート終了", &[]))].into(),
        })
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| id.to_string()).collect()
    }

    #[test]
    fn each_name_in_each_spelling_finds_its_id() {
        for name in ["acme", "ACME Works", "アクメ", "ｱｸﾒ", "アクメワークス", "acme-works"] {
            assert_eq!(names().vendors(name), set(&["acme"]), "{name}");
        }
        assert_eq!(names().classes("ルータ"), set(&["router"]));
        assert_eq!(names().tags("サポート終了"), set(&["eol"]));
        assert!(names().vendors("").is_empty() && names().vendors("other").is_empty());
    }

    #[test]
    fn a_kind_means_the_classes_whose_names_end_with_it() {
        assert_eq!(names().classes("カメラ"), set(&["camera"]));
        assert!(names().classes("ラ").is_empty(), "one character is no kind");
        assert!(names().classes("ネットワーク").is_empty(), "a beginning is no kind");
        assert!(names().classes("er").is_empty(), "Latin names are words");
    }

    #[test]
    fn a_meaning_lists_what_else_to_look_for() {
        let router = names().meaning("ルータ");
        assert_eq!(router.texts, ["Router"]);
        assert_eq!(names().meaning("アクメ").texts, ["ACME Works", "アクメ・ワークス"]);
        assert!(names().meaning("テレビ").texts.is_empty(), "TV stands in too many texts");
        assert_eq!(names().meaning("noname"), Meaning::default());
    }
}
