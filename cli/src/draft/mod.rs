//! Proposes signatures for observations that a release does not identify.
//!
//! In: evidence. Out: [`Draft`]s: text with tests, its coverage, and how precise it is to be expected. Banners of one field that are built alike
//! are a cluster; each cluster with enough of them and a word that is not everybody's becomes a signature, with `evidence unverified`: none
//! is ever in a release before a person has named its source. Everything has a bound: banners that are kept, their length, drafts.

mod cluster;
mod judge;
mod words;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use ksig_schema::field::FieldType;
use ksig_schema::{Evidence, ProbeKey, Value, Vocabulary};

use crate::release::Release;
use cluster::Cluster;

pub use judge::{Judged, judge};

/// Most banners that are kept.
pub const BANNERS_MAX: usize = 200_000;
/// Longest banner that is drafted from.
pub const BANNER_BYTES_MAX: usize = 512;
/// Values of a field with a key that say what a device is.
const KEYS: &[&str] = &["server", "www-authenticate", "user-agent", "x-powered-by"];
/// Words that say nothing of a maker or a product.
const EVERYBODYS: &[&str] = &[
    "admin",
    "basic",
    "camera",
    "connection",
    "default",
    "device",
    "digest",
    "embedded",
    "firmware",
    "from",
    "gateway",
    "home",
    "http",
    "https",
    "httpd",
    "index",
    "interface",
    "linux",
    "login",
    "main",
    "network",
    "page",
    "password",
    "please",
    "printer",
    "ready",
    "realm",
    "release",
    "router",
    "server",
    "service",
    "software",
    "status",
    "switch",
    "system",
    "the",
    "user",
    "version",
    "web",
    "welcome",
    "with",
    "your",
];
/// Shortest word that can tell a maker or a product.
const TELLING_CHARS_MIN: usize = 3;

/// Where a banner was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which response.
    pub probe: ProbeKey,
    /// `http.header`.
    pub field: &'static str,
    /// `server`.
    pub key: Option<String>,
}

/// A banner of a service that the release does not identify.
#[derive(Clone, Debug)]
pub struct Banner {
    /// Where it was read.
    pub place: Place,
    /// Its text.
    pub text: String,
}

/// Observations, sorted into what is known and what is not.
#[derive(Debug, Default)]
pub struct Observed {
    /// Of services without an answer about a device, each text once a service.
    pub unknown: Vec<Banner>,
    /// Of services that are identified: no draft may match these.
    pub known: Vec<Banner>,
    /// Services that were read.
    pub services: usize,
    /// Banners beyond [`BANNERS_MAX`].
    pub left_out: usize,
}

impl Observed {
    /// Adds a host.
    pub fn add(&mut self, release: &Release, evidence: &Evidence) {
        let answers = release.identify(evidence);
        for (service, answer) in evidence.services.iter().zip(&answers) {
            self.services += 1;
            let known = answer.identifications.iter().chain(&answer.ambiguous).any(|one| one.identity.facet == "device");
            for response in &service.responses {
                for fact in response.facts.iter().filter(|fact| is_telling(fact.field, fact.key.as_deref())) {
                    for text in fact.values.iter().filter_map(|value| if let Value::Text(text) = value { Some(text) } else { None }) {
                        if text.len() > BANNER_BYTES_MAX || text.trim().is_empty() {
                            continue;
                        }
                        if self.unknown.len() + self.known.len() >= BANNERS_MAX {
                            self.left_out += 1;
                            continue;
                        }
                        let place = Place { probe: response.probe.clone(), field: fact.field.name, key: fact.key.clone() };
                        let all = if known { &mut self.known } else { &mut self.unknown };
                        all.push(Banner { place, text: text.clone() });
                    }
                }
            }
        }
    }
}

/// A short text by which a device names itself; nothing secret, nothing of the page's body.
fn is_telling(field: &ksig_schema::FieldDef, key: Option<&str>) -> bool {
    let body = field.name.ends_with(".body") || field.name.ends_with(".xml");
    !field.redact && !body && field.ty == FieldType::Text && key.is_none_or(|key| KEYS.contains(&key))
}

/// A signature that is proposed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its module and its file's name: `draft.acme_ac`.
    pub name: String,
    /// The file.
    pub text: String,
    /// Where its banners were read.
    pub place: Place,
    /// The maker's id and name.
    pub vendor: (String, String),
    /// The banners that it was made from, each once, sorted.
    pub from: Vec<String>,
    /// How many observations these are.
    pub observations: usize,
    /// What is captured, in words.
    pub captures: Vec<&'static str>,
}

/// The makers of drafts, as items, without those that are `known`.
pub fn vendors<'d>(drafts: impl Iterator<Item = &'d Draft>, known: &BTreeSet<String>) -> String {
    let lacking: BTreeMap<&str, &str> =
        drafts.map(|draft| (draft.vendor.0.as_str(), draft.vendor.1.as_str())).filter(|(id, _)| !known.contains(*id)).collect();
    lacking.iter().map(|(id, name)| format!("vendor {id} {{ name {} }}\n", ksig_lang::quoted(name))).collect()
}

/// Drafts from clusters of at least `least` observations, the largest first, at most `most`.
pub fn propose(observed: &Observed, vocabulary: &Vocabulary, least: usize, most: usize) -> Vec<Draft> {
    let mut chosen: Vec<Cluster> = cluster::clusters(&observed.unknown, least)
        .into_iter()
        .filter(|cluster| cluster.observations() >= least.max(2) && cluster.tells())
        .collect();
    chosen.sort_by_key(|cluster| std::cmp::Reverse(cluster.observations()));
    chosen.truncate(most);
    let mut names = BTreeSet::new();
    chosen.iter().map(|cluster| write::draft(cluster, observed, vocabulary, &mut names)).collect()
}

fn is_somebodys(word: &str) -> bool {
    let lower = word.to_lowercase();
    let parts = lower.split(['-', '.', '_']).filter(|part| part.chars().count() >= TELLING_CHARS_MIN);
    parts.into_iter().any(|part| !EVERYBODYS.contains(&part))
}
