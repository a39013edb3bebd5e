//! From a [`Query`] to Tantivy's own: the one place that knows both.
//!
//! In: a query, the [`Names`] of the vocabulary, the fields of the index and its terms. Out: [`Translated`], with what is really looked for.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Bound;

use ipnet::IpNet;
use ksig_schema::{Scheme, Version};
use tantivy::query::{AllQuery, BooleanQuery, EmptyQuery, PhraseQuery, Query as EngineQuery, RangeQuery, TermQuery, TermSetQuery};
use tantivy::schema::{Field as IndexField, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::fields::{FIELDS, Values};
use super::names::{Meaning, Names};
use super::without::Without;
use super::{Condition, Field, Point, Query};
use crate::index::{Layout, known_term, v6};
use crate::tokenizer::{Phrase, alternatives, key, word_prefix};

/// So many words in a row are tried as one name of the vocabulary (`konica minolta`).
const NAME_WORDS_MAX: usize = 4;

/// A query as the engine takes it.
pub(crate) struct Translated {
    /// What to run.
    pub(crate) query: Box<dyn EngineQuery>,
    /// What it looks for, a line for each word that means more than itself, and one for each plain word.
    pub(crate) searched: Vec<String>,
}

/// Translates a query. Errors come from reading the terms of the index only.
pub(crate) fn translate(query: &Query, names: &Names, layout: &Layout, searcher: &Searcher) -> tantivy::Result<Translated> {
    let mut translator = Translator { names, layout, searcher, searched: Vec::new() };
    let query = translator.query(query)?;
    let mut said = BTreeSet::new();
    translator.searched.retain(|line| said.insert(line.clone()));
    Ok(Translated { query, searched: translator.searched })
}

struct Translator<'a> {
    names: &'a Names,
    layout: &'a Layout,
    searcher: &'a Searcher,
    searched: Vec<String>,
}

type Part = Box<dyn EngineQuery>;

impl Translator<'_> {
    fn query(&mut self, query: &Query) -> tantivy::Result<Part> {
        Ok(match query {
            Query::All => Box::new(AllQuery),
            Query::Word(word) => self.word(word),
            Query::Prefix(word) => {
                self.searched.push(format!("{word}*"));
                self.beginning(Field::Text, word)
            }
            Query::Quote(text) => {
                self.searched.push(format!("\"{text}\""));
                self.text(Field::Text, text)
            }
            Query::Field(field, conditions) => {
                let parts = conditions.iter().map(|condition| self.condition(*field, condition)).collect::<tantivy::Result<_>>()?;
                any(parts)
            }
            Query::Not(query) => without(self.query(query)?),
            Query::Or(queries) => any(queries.iter().map(|query| self.query(query)).collect::<tantivy::Result<_>>()?),
            Query::And(queries) => {
                let queries = self.with_names_joined(queries);
                all(queries.iter().map(|query| self.query(query)).collect::<tantivy::Result<_>>()?)
            }
        })
    }

    /// Neighbouring words that the vocabulary knows as one name become one word.
    fn with_names_joined(&self, queries: &[Query]) -> Vec<Query> {
        let mut joined = Vec::with_capacity(queries.len());
        let mut rest = queries;
        while let Some(first) = rest.first() {
            let words: Vec<&str> =
                rest.iter().map_while(|query| if let Query::Word(word) = query { Some(word.as_str()) } else { None }).collect();
            let longest = words.len().min(NAME_WORDS_MAX);
            let name = (2..=longest).rev().map(|count| (count, words[..count].join(" "))).find(|(_, name)| self.names.has(name));
            match name {
                Some((count, name)) => {
                    joined.push(Query::Word(name));
                    rest = &rest[count..];
                }
                None => {
                    joined.push(first.clone());
                    rest = &rest[1..];
                }
            }
        }
        joined
    }

    /// A bare word: in any text, or what the vocabulary says it means.
    fn word(&mut self, word: &str) -> Part {
        let meaning = self.names.meaning(word);
        self.searched.push(searched(word, &meaning));
        let mut parts = vec![self.text(Field::Text, word)];
        parts.extend(meaning.texts.iter().map(|text| self.text(Field::Text, text)));
        parts.extend(self.terms(Field::Vendor, &meaning.vendors));
        parts.extend(self.terms(Field::Class, &meaning.classes));
        parts.extend(self.terms(Field::Tag, &meaning.tags));
        if let Some((low, high)) = addresses(word) {
            parts.push(self.address_range(Bound::Included(low), Bound::Included(high)));
        }
        any(parts)
    }

    fn condition(&mut self, field: Field, condition: &Condition) -> tantivy::Result<Part> {
        let values = FIELDS.iter().find(|name| name.field == field).map_or(Values::Name, |name| name.values);
        let has_text = matches!(values, Values::Words | Values::Name | Values::Version);
        Ok(match (condition, values) {
            (Condition::Present, _) => self.present(field, values),
            (Condition::Known(known), Values::Known) => self.term(field, known_term(*known)),
            (Condition::Begins(text), _) if has_text => self.beginning(field, text),
            (Condition::Is(text), Values::Words) => {
                self.searched.push(format!("{}:{text}", field.name()));
                self.text(field, text)
            }
            (Condition::Is(text), _) if has_text => self.name(field, text),
            (Condition::Between(low, high), Values::Version) => self.versions(low, high)?,
            (Condition::Between(low, high), Values::Address) => self.address_range(address(low), address(high)),
            (Condition::Between(low, high), Values::Number | Values::Moment | Values::Day) => self.number_range(field, low, high),
            // The parser makes none of the others; a query made by hand that asks a field for what it cannot have finds nothing.
            _ => Box::new(EmptyQuery),
        })
    }

    /// A value of a field of names: all ids that bear the name, and the value itself.
    fn name(&mut self, field: Field, text: &str) -> Part {
        let (ids, own) = match field {
            Field::Vendor => (self.names.vendors(text), text.to_lowercase()),
            Field::Class => (self.names.classes(text), text.to_lowercase()),
            Field::Tag => (self.names.tags(text), text.to_lowercase()),
            Field::Version => (BTreeSet::new(), text.to_string()),
            _ => (BTreeSet::new(), key(text)),
        };
        let mut ids = ids;
        let shown = if ids.is_empty() || ids.contains(&own) && ids.len() == 1 {
            format!("{}:{text}", field.name())
        } else {
            let ids: Vec<String> = ids.iter().map(|id| format!("{}:{id}", field.name())).collect();
            format!("{}:{text} = {}", field.name(), ids.join(", "))
        };
        self.searched.push(shown);
        ids.insert(own);
        any(self.terms(field, &ids).collect())
    }

    fn terms<'b>(&'b self, field: Field, ids: &'b BTreeSet<String>) -> impl Iterator<Item = Part> + 'b {
        ids.iter().map(move |id| self.term(field, id))
    }

    fn term(&self, field: Field, term: &str) -> Part {
        Box::new(TermQuery::new(Term::from_field_text(self.layout.field(field), term), IndexRecordOption::Basic))
    }

    /// Text in a field of words.
    fn text(&self, field: Field, text: &str) -> Part {
        any(alternatives(text).into_iter().map(|phrase| self.phrase(field, phrase)).collect())
    }

    fn phrase(&self, field: Field, mut phrase: Phrase) -> Part {
        match phrase.len() {
            0 => Box::new(EmptyQuery),
            1 => self.term(field, &phrase.swap_remove(0).1),
            _ => {
                let field = self.layout.field(field);
                let terms = phrase.into_iter().map(|(at, term)| (at, Term::from_field_text(field, &term))).collect();
                Box::new(PhraseQuery::new_with_offset(terms))
            }
        }
    }

    /// Values that begin so. Japanese words are found inside longer ones without a star, so there the star says nothing new.
    fn beginning(&self, field: Field, text: &str) -> Part {
        let prefix = match field {
            Field::Text | Field::Title | Field::Server | Field::Component => match word_prefix(text) {
                Some(prefix) => prefix,
                None => return self.text(field, text),
            },
            Field::Vendor | Field::Class | Field::Tag => text.to_lowercase(),
            Field::Version => text.to_string(),
            _ => key(text),
        };
        let field = self.layout.field(field);
        let after = format!("{prefix}{}", char::MAX);
        let term = |text: &str| Term::from_field_text(field, text);
        Box::new(RangeQuery::new(Bound::Included(term(&prefix)), Bound::Excluded(term(&after))))
    }

    fn present(&self, field: Field, values: Values) -> Part {
        let index_field = self.layout.field(field);
        match values {
            Values::Known => without(self.term(field, "unknown")),
            Values::Number => Box::new(AllQuery),
            Values::Moment | Values::Day => self.number_range(field, &Bound::Unbounded, &Bound::Unbounded),
            Values::Address => self.address_range(Bound::Unbounded, Bound::Unbounded),
            _ => {
                let (first, last) = (Term::from_field_text(index_field, ""), Term::from_field_text(index_field, &char::MAX.to_string()));
                Box::new(RangeQuery::new(Bound::Included(first), Bound::Included(last)))
            }
        }
    }

    fn number_range(&self, field: Field, low: &Bound<Point>, high: &Bound<Point>) -> Part {
        let index_field = self.layout.field(field);
        let term = |number: i64| match field {
            Field::Port => Term::from_field_u64(index_field, u64::try_from(number).unwrap_or(0)),
            _ => Term::from_field_i64(index_field, number),
        };
        // An open end is the smallest or largest number: the engine must be told the field by at least one end.
        let closed = |bound: &Bound<Point>, end: i64| match bound {
            Bound::Included(point) => number(point).map(|number| Bound::Included(term(number))),
            Bound::Excluded(point) => number(point).map(|number| Bound::Excluded(term(number))),
            Bound::Unbounded => Some(Bound::Included(term(end))),
        };
        match (closed(low, i64::MIN), closed(high, i64::MAX)) {
            (Some(low), Some(high)) => Box::new(RangeQuery::new(low, high)),
            _ => Box::new(EmptyQuery),
        }
    }

    fn address_range(&self, low: Bound<IpAddr>, high: Bound<IpAddr>) -> Part {
        let field = self.layout.field(Field::Ip);
        let term = |address: IpAddr| Term::from_field_ip_addr(field, v6(address));
        let low = if low == Bound::Unbounded { Bound::Included(IpAddr::from([0; 16])) } else { low };
        let high = if high == Bound::Unbounded { Bound::Included(IpAddr::from([0xFF; 16])) } else { high };
        Box::new(RangeQuery::new(low.map(term), high.map(term)))
    }

    /// Versions between two others: a filter over the distinct ones, for the order of versions is none that the engine has.
    fn versions(&self, low: &Bound<Point>, high: &Bound<Point>) -> tantivy::Result<Part> {
        let field = self.layout.field(Field::Version);
        let scheme = Scheme::dotted();
        let fits = |text: &str| scheme.parse(text).is_some_and(|version| within(&scheme, &version, low, high));
        let distinct = self.distinct(field)?;
        Ok(Box::new(TermSetQuery::new(distinct.iter().filter(|text| fits(text)).map(|text| Term::from_field_text(field, text)))))
    }

    fn distinct(&self, field: IndexField) -> tantivy::Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(field)?;
            let mut terms = index.terms().stream()?;
            while terms.advance() {
                found.extend(std::str::from_utf8(terms.key()).map(str::to_string));
            }
        }
        Ok(found)
    }
}

fn within(scheme: &Scheme, version: &Version, low: &Bound<Point>, high: &Bound<Point>) -> bool {
    let order = |point: &Point| if let Point::Version(end) = point { scheme.compare(version, end) } else { None };
    let above = match low {
        Bound::Unbounded => true,
        Bound::Included(end) => matches!(order(end), Some(Ordering::Greater | Ordering::Equal)),
        Bound::Excluded(end) => order(end) == Some(Ordering::Greater),
    };
    above
        && match high {
            Bound::Unbounded => true,
            Bound::Included(end) => matches!(order(end), Some(Ordering::Less | Ordering::Equal)),
            Bound::Excluded(end) => order(end) == Some(Ordering::Less),
        }
}

fn number(point: &Point) -> Option<i64> {
    match point {
        Point::Number(number) | Point::Second(number) | Point::Day(number) => Some(*number),
        Point::Version(_) | Point::Address(_) => None,
    }
}

fn address(bound: &Bound<Point>) -> Bound<IpAddr> {
    match bound {
        Bound::Included(Point::Address(address)) => Bound::Included(*address),
        Bound::Excluded(Point::Address(address)) => Bound::Excluded(*address),
        _ => Bound::Unbounded,
    }
}

/// The addresses that a bare word names, if it is an address or a network.
fn addresses(word: &str) -> Option<(IpAddr, IpAddr)> {
    let net = word.parse::<IpNet>().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from))?;
    Some((net.network(), net.broadcast()))
}

fn searched(word: &str, meaning: &Meaning) -> String {
    let vendors = meaning.vendors.iter().map(|id| format!("vendor:{id}"));
    let classes = meaning.classes.iter().map(|id| format!("type:{id}"));
    let tags = meaning.tags.iter().map(|id| format!("tag:{id}"));
    let all: Vec<String> = vendors.chain(classes).chain(tags).chain(meaning.texts.iter().cloned()).collect();
    if all.is_empty() { word.to_string() } else { format!("{word} = {}", all.join(", ")) }
}

fn any(mut parts: Vec<Part>) -> Part {
    match parts.len() {
        0 => Box::new(EmptyQuery),
        1 => parts.swap_remove(0),
        _ => Box::new(BooleanQuery::union(parts)),
    }
}

fn all(parts: Vec<Part>) -> Part {
    Box::new(BooleanQuery::intersection(parts))
}

fn without(part: Part) -> Part {
    Box::new(Without(part))
}
