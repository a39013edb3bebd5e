//! Takes out what belongs to one device or person, by the rule of the lint `personal-data-in-fixture`; of a recording, which stands nowhere yet,
//! also what tells of the site ([`super::site`]).

use std::net::IpAddr;

use ksig_compiler::lints::personal_data_in_fixture::personal;
use ksig_schema::{Facts, Observation, Value};

use super::site::{ADDRESS, ADDRESS_6, site};

/// Something that was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrubbed {
    /// Where it stood: `127.0.0.1:8080 http.get("/"), line 3`.
    pub place: String,
    /// As it was.
    pub was: String,
    /// What stands there now; empty for a fact that was left out.
    pub is: String,
}

/// Whose answer it is.
pub(super) struct Answer<'a> {
    /// Where it was given, as [`Scrubbed::place`] begins.
    pub(super) place: String,
    /// In which protocol.
    pub(super) protocol: &'a str,
    /// From which address.
    pub(super) address: IpAddr,
}

impl Answer<'_> {
    pub(super) fn of(observation: &Observation) -> Answer<'_> {
        let Observation { address, port, probe, .. } = observation;
        let protocol = probe.constructor.split('.').next().unwrap_or_default();
        Answer { place: format!("{address}:{port} {probe}"), protocol, address: *address }
    }
}

/// Most rounds over one text; each takes out up to sixteen values.
const ROUNDS_MAX: usize = 64;

/// A text without what is personal. `facts`: what it decodes to, of which some fields never leave.
pub(super) fn scrub(text: &str, answer: &Answer<'_>, facts: &Facts, scrubbed: &mut Vec<Scrubbed>) -> String {
    let mut text = text.to_string();
    let mut replace = |text: &mut String, was: &str, is: &str, whole_words: bool| {
        let places: Vec<usize> =
            text.match_indices(was).map(|(at, _)| at).filter(|at| !whole_words || stands_alone(text, *at, was)).collect();
        let Some(first) = places.first().filter(|_| !was.is_empty() && was != is) else { return false };
        let line = 1 + text[..*first].matches('\n').count();
        scrubbed.push(Scrubbed { place: format!("{}, line {line}", answer.place), was: was.into(), is: is.into() });
        for at in places.into_iter().rev() {
            text.replace_range(at..at + was.len(), is);
        }
        true
    };
    for fact in facts.iter().filter(|fact| fact.field.redact) {
        for value in fact.values.iter().filter_map(Value::as_text) {
            replace(&mut text, value, &masked(value), false);
        }
    }
    replace(&mut text, &answer.address.to_string(), instead_of(answer.address), true);
    for _ in 0..ROUNDS_MAX {
        let mut changed = false;
        for value in personal(&text) {
            let is = value.instead.clone().unwrap_or_else(|| masked(&value.text));
            changed |= replace(&mut text, &value.text, &is, false);
        }
        for value in site(&text, answer.protocol) {
            changed |= replace(&mut text, &value.was, value.is, true);
        }
        if !changed {
            break;
        }
    }
    text
}

/// What stands in the place of the host's own address.
pub(super) fn instead_of(address: IpAddr) -> &'static str {
    if address.is_ipv4() { ADDRESS } else { ADDRESS_6 }
}

/// Whether what stands at a place is no part of a longer word or number.
fn stands_alone(text: &str, at: usize, word: &str) -> bool {
    let before = text[..at].chars().next_back();
    let behind = text[at + word.len()..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !behind.is_some_and(char::is_alphanumeric)
}

/// Facts without what is personal; those that never leave are left out.
pub(super) fn facts_without(facts: &Facts, answer: &Answer<'_>, scrubbed: &mut Vec<Scrubbed>) -> Facts {
    let mut kept = Facts::default();
    for fact in facts.iter() {
        let name = fact.key.as_ref().map_or(fact.field.name.to_string(), |key| format!("{}.{key}", fact.field.name));
        let place = format!("{}, {name}", answer.place);
        for value in &fact.values {
            if fact.field.redact {
                let was = value.as_text().map_or_else(|| format!("{value:?}"), str::to_string);
                scrubbed.push(Scrubbed { place: place.clone(), was, is: String::new() });
                continue;
            }
            let value = match value {
                Value::Text(text) => Value::Text(scrub(text, &Answer { place: place.clone(), ..*answer }, &Facts::default(), scrubbed)),
                other => other.clone(),
            };
            match &fact.key {
                Some(key) => kept.push_keyed(fact.field, key, value),
                None => kept.push(fact.field, value),
            }
        }
    }
    kept
}

/// A value of the same shape that is nobody's: an `x` for each letter and digit.
fn masked(value: &str) -> String {
    value.chars().map(|c| if c.is_alphanumeric() { 'x' } else { c }).collect()
}
