//! Takes out what belongs to one device or person, by the rule of the lint `personal-data-in-fixture`; of a recording, which stands nowhere yet,
//! also what tells of the site: its addresses and the names of its hosts.

use std::net::IpAddr;

use ksig_compiler::lints::personal_data_in_fixture::{personal, site};
use ksig_schema::{Facts, Value};

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

/// Most rounds over one text; each takes out up to sixteen values.
const ROUNDS_MAX: usize = 64;

/// A text without what is personal. `facts`: what it decodes to, of which some fields never leave.
pub(super) fn scrub(text: &str, place: &str, facts: &Facts, address: IpAddr, scrubbed: &mut Vec<Scrubbed>) -> String {
    let mut text = text.to_string();
    let mut replace = |text: &mut String, was: &str, is: &str| {
        let Some(at) = text.find(was).filter(|_| !was.is_empty() && was != is) else { return false };
        let line = 1 + text[..at].matches('\n').count();
        *text = text.replace(was, is);
        scrubbed.push(Scrubbed { place: format!("{place}, line {line}"), was: was.into(), is: is.into() });
        true
    };
    for fact in facts.iter().filter(|fact| fact.field.redact) {
        for value in fact.values.iter().filter_map(Value::as_text) {
            replace(&mut text, value, &masked(value));
        }
    }
    replace(&mut text, &address.to_string(), instead_of(address));
    for _ in 0..ROUNDS_MAX {
        let found: Vec<_> = personal(&text).into_iter().chain(site(&text)).collect();
        let mut changed = false;
        for value in found {
            let is = value.instead.clone().unwrap_or_else(|| masked(&value.text));
            changed |= replace(&mut text, &value.text, &is);
        }
        if !changed {
            break;
        }
    }
    text
}

/// Facts without what is personal; those that never leave are left out.
pub(super) fn facts_without(facts: &Facts, place: &str, address: IpAddr, scrubbed: &mut Vec<Scrubbed>) -> Facts {
    let mut kept = Facts::default();
    for fact in facts.iter() {
        let name = fact.key.as_ref().map_or(fact.field.name.to_string(), |key| format!("{}.{key}", fact.field.name));
        let place = format!("{place}, {name}");
        for value in &fact.values {
            if fact.field.redact {
                let was = value.as_text().map_or_else(|| format!("{value:?}"), str::to_string);
                scrubbed.push(Scrubbed { place: place.clone(), was, is: String::new() });
                continue;
            }
            let value = match value {
                Value::Text(text) => Value::Text(scrub(text, &place, &Facts::default(), address, scrubbed)),
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

fn instead_of(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "192.0.2.1" } else { "2001:db8::1" }
}

/// A value of the same shape that is nobody's: an `x` for each letter and digit.
fn masked(value: &str) -> String {
    value.chars().map(|c| if c.is_alphanumeric() { 'x' } else { c }).collect()
}
