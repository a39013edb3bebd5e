//! What the atlas knows of one product at one place: the row that search finds and reports count.
//!
//! In: the [`Evidence`] of a host and the [`Identification`]s of its services. Out: [`Entry`]s, one for each (address, port, product).
//! Absent: the raw bytes, which stay in the log, and facts that name a person or a single machine ([`redact`]).
//!
//! [`redact`]: ksig_schema::FieldDef::redact

mod html;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ksig_schema::identification::{Component, Confidence, Grade, Identification, Identified, Known, Tag};
use ksig_schema::value::Date;
use ksig_schema::{Evidence, Fact, Service, Time, Transport};
use serde::{Deserialize, Serialize};

/// How much text of one service is kept for search.
pub const TEXT_BYTES_MAX: usize = 64 << 10;

/// Headers that change with each answer and say nothing of the device.
const PASSING_HEADERS: &[&str] = &["date", "expires", "etag", "last-modified", "content-length", "age"];

/// One product at one (address, port, transport). Slots that are not known are absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Groups the entries of one host in one cycle.
    pub host: String,
    /// Absent in evidence that another tool cut.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<IpAddr>,
    /// 0 in evidence that another tool cut.
    pub port: u16,
    /// What carried the bytes.
    pub transport: Transport,
    /// When it was observed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time: Option<Time>,
    /// `device`, `os`; absent for a service that is not identified, as everything up to `signature` then is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub facet: Option<String>,
    /// Id in the vocabulary, `buffalo`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vendor: Option<String>,
    /// The brand it is sold under, where that is another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub brand: Option<String>,
    /// Product series.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub series: Option<String>,
    /// Model.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// Version as written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// Id in the vocabulary, `router.home`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<String>,
    /// CPE 2.3 name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpe: Option<String>,
    /// Sorted by name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tags: Vec<Tag>,
    /// Which signature decided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature: Option<String>,
    /// How sure it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confidence: Option<Confidence>,
    /// Grade of the knowledge behind it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<Grade>,
    /// Whether support had ended when it was observed.
    pub support_ended: Known,
    /// When support ends or ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub support_ends: Option<Date>,
    /// Whether the version was the latest known when it was observed.
    pub latest: Known,
    /// The latest version known then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub latest_version: Option<String>,
    /// Software on it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub components: Vec<Component>,
    /// Title of the page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// The `Server` header.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub server: Option<String>,
    /// WHATWG name of the charset from which the text was decoded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub charset: Option<String>,
    /// Everything readable that the service said, at most [`TEXT_BYTES_MAX`]: each fact on its own line, markup taken out.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub text: String,
    /// Digest of the answer of an unidentified service: equal answers have equal digests.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
    /// Which release said so.
    pub release: String,
}

/// The entries of one host.
///
/// An identification belongs to the service of its address and port; one that names no port is of the whole host, and what it adds to the
/// services' own answers is entered at the service that decided first, else at the first. A service that answered and was not identified gets one entry without a vendor; one
/// that did not answer gets none.
pub fn entries(evidence: &Evidence, identifications: &[Identification]) -> Vec<Entry> {
    let mut left: Vec<&Identification> = identifications.iter().collect();
    let mut entries: Vec<Entry> = Vec::new();
    for service in &evidence.services {
        let own: Vec<&Identification> = left.extract_if(.., |answer| is_of(answer, service)).collect();
        let release = own.first().or(left.first()).map_or("", |answer| answer.release.as_str());
        let seen =
            Entry { release: release.into(), digest: own.iter().find_map(|answer| answer.digest.clone()), ..seen(evidence, service) };
        let products: Vec<&Identified> = own.iter().flat_map(|answer| &answer.identifications).collect();
        if products.is_empty() && service.responses.iter().any(|response| !response.facts.is_empty()) {
            entries.push(seen);
        } else {
            entries.extend(products.into_iter().map(|product| identified(&seen, product)));
        }
    }
    let Some(first) = evidence.services.first() else { return entries };
    for answer in left {
        for product in &answer.identifications {
            let said = entries.iter().any(|entry| says_the_same(entry, product));
            if !said {
                let decided = product.proof.iter().find_map(|proof| proof.port);
                let service = evidence.services.iter().find(|service| Some(service.port) == decided).unwrap_or(first);
                let seen = Entry { release: answer.release.clone(), ..seen(evidence, service) };
                let here = |entry: &Entry| (entry.address, entry.port, entry.transport) == (seen.address, seen.port, seen.transport);
                // That nothing was known of the service is not so any more.
                entries.retain(|entry| entry.signature.is_some() || !here(entry));
                entries.push(identified(&seen, product));
            }
        }
    }
    entries
}

/// The newest state of each (address or host, port, transport), in that order: what a search index of the present holds.
///
/// Older entries go even when they name another product: the device behind the address was changed.
pub fn newest(entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    type Place = (Option<IpAddr>, String, u16, Transport);
    let mut places: BTreeMap<Place, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        let host = if entry.address.is_some() { String::new() } else { entry.host.clone() };
        let here = places.entry((entry.address, host, entry.port, entry.transport)).or_default();
        match here.first().map(|known| entry.time.cmp(&known.time)) {
            Some(std::cmp::Ordering::Less) => {}
            Some(std::cmp::Ordering::Greater) => *here = vec![entry],
            _ => here.push(entry),
        }
    }
    places.into_values().flatten().collect()
}

fn is_of(answer: &Identification, service: &Service) -> bool {
    let address = answer.address.is_none() || service.address.is_none() || answer.address == service.address;
    address && answer.port.map_or(service.port == 0, |port| port == service.port)
}

fn says_the_same(entry: &Entry, product: &Identified) -> bool {
    let identity = &product.identity;
    entry.facet.as_ref() == Some(&identity.facet) && entry.vendor == identity.vendor && entry.model == identity.model
}

/// What was read at a service, before anyone says what it is.
fn seen(evidence: &Evidence, service: &Service) -> Entry {
    let facts = || service.responses.iter().flat_map(|response| response.facts.iter());
    let first = |name: &str, key: Option<&str>| {
        let values = service.responses.iter().flat_map(|response| response.facts.get(name, key));
        values.filter_map(|value| value.as_text()).next().map(str::to_string)
    };
    Entry {
        host: evidence.host.clone(),
        address: service.address,
        port: service.port,
        transport: service.transport,
        time: evidence.time,
        facet: None,
        vendor: None,
        brand: None,
        series: None,
        model: None,
        version: None,
        class: None,
        cpe: None,
        tags: Vec::new(),
        signature: None,
        confidence: None,
        evidence: None,
        support_ended: Known::Unknown,
        support_ends: None,
        latest: Known::Unknown,
        latest_version: None,
        components: Vec::new(),
        title: first("http.html.title", None),
        server: first("http.header", Some("server")),
        charset: facts().filter(|fact| fact.field.name.ends_with(".charset")).find_map(|fact| Some(fact.values.first()?.as_text()?.into())),
        text: text(facts()),
        digest: None,
        release: String::new(),
    }
}

fn identified(seen: &Entry, product: &Identified) -> Entry {
    let identity = product.identity.clone();
    Entry {
        facet: Some(identity.facet),
        vendor: identity.vendor,
        brand: identity.brand,
        series: identity.series,
        model: identity.model,
        version: identity.version,
        class: identity.class,
        cpe: identity.cpe,
        tags: product.tags.clone(),
        signature: Some(product.signature.clone()),
        confidence: Some(product.confidence),
        evidence: Some(product.evidence),
        support_ended: product.support.ended,
        support_ends: product.support.ends,
        latest: product.support.latest,
        latest_version: product.support.latest_version.clone(),
        components: product.components.clone(),
        digest: None,
        ..seen.clone()
    }
}

/// All text facts, each value once, in wire order.
fn text<'a>(facts: impl Iterator<Item = &'a Fact>) -> String {
    let mut text = String::new();
    let mut said = std::collections::HashSet::new();
    let passing = |fact: &Fact| fact.key.as_deref().is_some_and(|key| PASSING_HEADERS.contains(&key));
    let words = facts.filter(|fact| !fact.field.redact && !fact.field.name.ends_with(".charset") && !passing(fact));
    for value in words.flat_map(|fact| &fact.values).filter_map(|value| value.as_text()) {
        let readable = html::readable(value);
        let readable = readable.trim();
        if readable.is_empty() || !said.insert(readable.to_string()) {
            continue;
        }
        let room = TEXT_BYTES_MAX.saturating_sub(text.len() + 1);
        text.push_str(&readable[..readable.floor_char_boundary(room)]);
        text.push('\n');
        if text.len() >= TEXT_BYTES_MAX {
            break;
        }
    }
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

#[cfg(test)]
mod tests;
