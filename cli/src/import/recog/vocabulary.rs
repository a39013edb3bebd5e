//! Makers and classes that imported signatures name, and the module that declares them.
//!
//! In: the vocabulary that is known, and names as Recog writes them. Out: ids; those of the known vocabulary where it has the name, so that
//! answers of both speak of one maker, and new ones otherwise. The module declares all that was used: an imported set stands alone.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use ksig_schema::vocabulary::plain;
use ksig_schema::{Term, Vocabulary};

use super::classes;
use super::text::{Taken, quoted, word};

/// Names given and looked up.
#[derive(Debug)]
pub struct Words {
    known: Vocabulary,
    /// Vendors of the known vocabulary by their names.
    by_name: HashMap<String, String>,
    /// By id, what is declared.
    vendors: BTreeMap<String, Term>,
    classes: BTreeMap<String, Term>,
    ids: Taken,
    /// Ids that were asked for since [`Words::used`] was last read.
    asked: std::collections::BTreeSet<String>,
}

/// Longest id that is made of a name.
const ID_CHARS_MAX: usize = 40;

impl Words {
    /// With the names of a vocabulary.
    pub fn new(known: Vocabulary) -> Words {
        let mut by_name = HashMap::new();
        let mut ids = Taken::default();
        for (id, term) in &known.vendors {
            ids.give(id);
            std::iter::once(id.as_str()).chain(term.names()).for_each(|name| drop(by_name.insert(plain(name), id.clone())));
        }
        Words { known, by_name, vendors: BTreeMap::new(), classes: BTreeMap::new(), ids, asked: Default::default() }
    }

    /// The id of a maker.
    pub fn vendor(&mut self, name: &str) -> String {
        let key = plain(name);
        let id = match self.by_name.get(&key) {
            Some(id) => id.clone(),
            None => {
                let id = self.ids.give(&word(name, ID_CHARS_MAX));
                self.vendors.insert(id.clone(), Term { en: name.to_string(), ..Term::default() });
                // Its id is one of its names; another maker's name may be like it.
                self.by_name.entry(plain(&id)).or_insert_with(|| id.clone());
                self.by_name.insert(key, id.clone());
                id
            }
        };
        if let (false, Some(term)) = (self.vendors.contains_key(&id), self.known.vendors.get(&id)) {
            self.vendors.insert(id.clone(), term.clone());
        }
        self.asked.insert(id.clone());
        id
    }

    /// The id of a kind of device.
    pub fn class(&mut self, kind: &str) -> String {
        let listed = classes::of_kind(kind).filter(|id| self.known.classes.contains_key(*id)).map(str::to_string);
        let bears = |(_, term): &(&String, &Term)| term.names().any(|name| plain(name) == plain(kind));
        let named = || self.known.classes.iter().find(bears).map(|(id, _)| id.clone());
        let id = listed.or_else(named).unwrap_or_else(|| word(kind, ID_CHARS_MAX));
        // A class stands below its parents.
        let ends = id.match_indices('.').map(|(at, _)| at).chain([id.len()]);
        for part in ends.map(|end| &id[..end]) {
            let declared = self.known.classes.get(part).cloned();
            self.classes.entry(part.to_string()).or_insert_with(|| declared.unwrap_or(Term { en: kind.into(), ..Term::default() }));
        }
        id
    }

    /// The makers that were asked for since the last time.
    pub fn used(&mut self) -> Vec<String> {
        std::mem::take(&mut self.asked).into_iter().collect()
    }

    /// The items of the module that declares everything.
    pub fn items(&self) -> String {
        let mut out = String::new();
        for (id, term) in &self.vendors {
            let _ = write!(out, "\nvendor {id} {{\n  name {}\n", quoted(&term.en));
            names(&mut out, term);
        }
        for (id, term) in &self.classes {
            let _ = write!(out, "\nclass {id} {{\n  en {}\n", quoted(&term.en));
            names(&mut out, term);
        }
        out
    }
}

fn names(out: &mut String, term: &Term) {
    if !term.ja.is_empty() {
        let _ = writeln!(out, "  ja {}", quoted(&term.ja));
    }
    let former = term.former.iter().map(|former| &former.name);
    let others: Vec<String> = term.aliases.iter().chain(former).map(|name| quoted(name)).collect();
    if !others.is_empty() {
        let _ = writeln!(out, "  alias {}", others.join(", "));
    }
    out.push_str("}\n");
}
