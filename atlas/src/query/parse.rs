//! From text to [`Query`]: pest for the shape, then each value by the kind of its field.

use std::net::IpAddr;
use std::ops::Bound;

use ipnet::IpNet;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ksig_schema::Scheme;
use ksig_schema::identification::Known;
use pest::Parser;
use pest::error::InputLocation;
use pest::iterators::Pair;

use super::fields::{FieldName, Values, field_named, nearest_name};
use super::{Condition, Field, Point, QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_VALUES_MAX, Query, QueryError};

#[derive(pest_derive::Parser)]
#[grammar = "query/query.pest"]
struct Grammar;

type Parsed<T> = Result<T, QueryError>;

pub(super) fn parse(text: &str) -> Parsed<Query> {
    check_brackets(text)?;
    let mut pairs = Grammar::parse(Rule::query, text).map_err(|error| shape_error(text, &error))?;
    let mut reader = Reader { text, values: 0 };
    match pairs.next().and_then(|query| query.into_inner().next()) {
        Some(any) if any.as_rule() == Rule::any => reader.any(any),
        _ => Ok(Query::All),
    }
}

fn error_at(text: &str, byte: usize, reason: impl Into<String>) -> QueryError {
    let before = text.get(..byte).unwrap_or(text);
    QueryError { column: before.chars().count() + 1, reason: reason.into() }
}

/// Size, nesting and pairing, before anything recurses: so that no query can exhaust the stack, and each bracket is named by its own place.
fn check_brackets(text: &str) -> Parsed<()> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(error_at(text, 0, format!("the query has {} bytes, at most {QUERY_BYTES_MAX} are read", text.len())));
    }
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        let is_quote = matches!(c, '"' | '“' | '”' | '＂');
        if quote.is_some() {
            if is_quote && !escaped {
                quote = None;
            }
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            _ if is_quote => quote = Some(at),
            '(' | '（' => open.push((at, '(')),
            '{' => open.push((at, '{')),
            ')' | '）' | '}' => {
                let wanted = if c == '}' { '{' } else { '(' };
                if open.pop().is_none_or(|(_, opened)| opened != wanted) {
                    return Err(error_at(text, at, format!("this `{c}` closes nothing; put it in quotation marks to search for it")));
                }
            }
            _ => {}
        }
        if open.len() > QUERY_DEPTH_MAX {
            return Err(error_at(text, at, format!("parentheses are nested deeper than {QUERY_DEPTH_MAX}")));
        }
    }
    if let Some(at) = quote {
        return Err(error_at(text, at, "this quotation mark is never closed"));
    }
    match open.pop() {
        Some((at, c)) => Err(error_at(text, at, format!("this `{c}` is never closed"))),
        None => Ok(()),
    }
}

fn shape_error(text: &str, error: &pest::error::Error<Rule>) -> QueryError {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let reason = match text.get(at..).and_then(|rest| rest.trim_start().chars().next()) {
        None => "the query ends where a word, a field or `(` is expected".to_string(),
        Some(')' | '）') => "a word, a field or `(` is expected before this `)`".to_string(),
        Some('{' | '}') => "a list is written `field:{a,b}`; put braces in quotation marks to search for them".to_string(),
        Some(_) => "a word, a field such as `vendor:buffalo` or `(` is expected here".to_string(),
    };
    error_at(text, at, reason)
}

struct Reader<'a> {
    text: &'a str,
    values: usize,
}

impl Reader<'_> {
    fn error(&self, pair: &Pair<Rule>, reason: impl Into<String>) -> QueryError {
        error_at(self.text, pair.as_span().start(), reason)
    }

    fn count(&mut self, pair: &Pair<Rule>) -> Parsed<()> {
        self.values += 1;
        if self.values > QUERY_VALUES_MAX {
            return Err(self.error(pair, format!("the query has more than {QUERY_VALUES_MAX} words and values")));
        }
        Ok(())
    }

    fn any(&mut self, pair: Pair<Rule>) -> Parsed<Query> {
        let parts = pair.into_inner().filter(|part| part.as_rule() == Rule::all);
        let mut parts = parts.map(|part| self.all(part)).collect::<Parsed<Vec<_>>>()?;
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Query::Or(parts) })
    }

    fn all(&mut self, pair: Pair<Rule>) -> Parsed<Query> {
        let parts = pair.into_inner().filter(|part| part.as_rule() == Rule::item);
        let mut parts = parts.map(|part| self.item(part)).collect::<Parsed<Vec<_>>>()?;
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Query::And(parts) })
    }

    fn item(&mut self, pair: Pair<Rule>) -> Parsed<Query> {
        let mut negated = false;
        let mut found = Query::All;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::not => negated = !negated,
                Rule::group => found = part.into_inner().next().map_or(Ok(Query::All), |any| self.any(any))?,
                Rule::field => found = self.field(part)?,
                Rule::choices => {
                    let words = part.into_inner().map(|choice| self.choice(choice)).collect::<Parsed<Vec<_>>>()?;
                    found = Query::Or(words);
                }
                Rule::quoted => found = self.quote(&part)?,
                _ => found = self.word(&part, part.as_str())?,
            }
        }
        Ok(if negated { Query::Not(Box::new(found)) } else { found })
    }

    fn choice(&mut self, pair: Pair<Rule>) -> Parsed<Query> {
        let whole = pair.clone();
        match pair.into_inner().next() {
            Some(part) if part.as_rule() == Rule::quoted => self.quote(&part),
            Some(part) => self.word(&part, part.as_str()),
            None => Err(self.error(&whole, "a word is missing here")),
        }
    }

    fn word(&mut self, pair: &Pair<Rule>, word: &str) -> Parsed<Query> {
        self.count(pair)?;
        if word == "*" {
            return Ok(Query::All);
        }
        let (word, prefix) = word.strip_suffix('*').map_or((word, false), |word| (word, true));
        self.check_words(pair, word)?;
        Ok(if prefix { Query::Prefix(word.into()) } else { Query::Word(word.into()) })
    }

    fn quote(&mut self, pair: &Pair<Rule>) -> Parsed<Query> {
        self.count(pair)?;
        let text = unquoted(pair);
        self.check_words(pair, &text)?;
        Ok(Query::Quote(text))
    }

    fn check_words(&self, pair: &Pair<Rule>, text: &str) -> Parsed<()> {
        if crate::tokenizer::alternatives(text).is_empty() {
            return Err(self.error(pair, format!("`{text}` has no letter or digit to search for")));
        }
        Ok(())
    }

    fn field(&mut self, pair: Pair<Rule>) -> Parsed<Query> {
        let whole = pair.clone();
        let mut parts = pair.into_inner();
        let (Some(name), value) = (parts.next(), parts.next()) else {
            return Err(self.error(&whole, "a field is written `name:value`"));
        };
        let Some(field) = field_named(name.as_str()) else {
            let near = nearest_name(name.as_str()).map_or(String::new(), |near| format!("did you mean `{near}`? "));
            let whole = whole.as_str().replace('"', "");
            let reason = format!("there is no field `{}`; {near}To search for the text itself write \"{whole}\"", name.as_str());
            return Err(self.error(&name, reason));
        };
        let Some(value) = value.and_then(|value| value.into_inner().next()) else {
            return Err(self.error(&whole, format!("the value after `{}:` is missing", name.as_str())));
        };
        let conditions = match value.as_rule() {
            Rule::choices => value.into_inner().map(|choice| self.condition(field, choice)).collect::<Parsed<Vec<_>>>()?,
            _ => vec![self.condition(field, value)?],
        };
        Ok(Query::Field(field.field, conditions))
    }

    /// One value: a choice, a comparison, a quotation or a plain one.
    fn condition(&mut self, field: &FieldName, pair: Pair<Rule>) -> Parsed<Condition> {
        self.count(&pair)?;
        let pair = if pair.as_rule() == Rule::choice { pair.clone().into_inner().next().unwrap_or(pair) } else { pair };
        let mut sign = "";
        let mut value = pair.clone();
        if pair.as_rule() == Rule::compared {
            for part in pair.clone().into_inner() {
                match part.as_rule() {
                    Rule::sign => sign = part.as_str(),
                    _ => value = part,
                }
            }
        }
        let quoted = value.as_rule() == Rule::quoted;
        let text = if quoted { unquoted(&value) } else { value.as_str().to_string() };
        let condition = if sign.is_empty() || sign == "=" { plain(field, &text, quoted) } else { compared(field, sign, &text) };
        condition.map_err(|reason| self.error(&pair, reason))
    }
}

fn unquoted(pair: &Pair<Rule>) -> String {
    let inside = pair.clone().into_inner().next().map_or("", |inside| inside.as_str());
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

/// A value without a comparison sign. The error is a sentence.
fn plain(field: &FieldName, text: &str, quoted: bool) -> Result<Condition, String> {
    if text == "*" && !quoted {
        return Ok(Condition::Present);
    }
    let begins = if quoted { None } else { text.strip_suffix('*') };
    match field.values {
        Values::Known => known(text).map(Condition::Known).ok_or(format!("`{text}` is none of true, false, unknown")),
        Values::Words | Values::Name => {
            let words = begins.unwrap_or(text);
            if crate::tokenizer::key(words).is_empty() {
                return Err(format!("`{text}` has no letter or digit to search for"));
            }
            Ok(begins.map_or_else(|| Condition::Is(text.into()), |begins| Condition::Begins(begins.into())))
        }
        Values::Version => match (text.split_once(".."), begins) {
            (Some((low, high)), _) => range(field, low, high),
            (None, Some(begins)) => Ok(Condition::Begins(begins.into())),
            (None, None) => Ok(Condition::Is(text.into())),
        },
        Values::Address => match (text.parse::<IpNet>(), text.split_once("..")) {
            (Ok(net), _) => between(Point::Address(net.network()), Point::Address(net.broadcast())),
            (_, Some((low, high))) => range(field, low, high),
            _ => {
                let (low, high) = span(field, text)?;
                between(low, high)
            }
        },
        Values::Number | Values::Moment | Values::Day => match text.split_once("..") {
            Some((low, high)) => range(field, low, high),
            None => {
                let (low, high) = span(field, text)?;
                between(low, high)
            }
        },
    }
}

fn between(low: Point, high: Point) -> Result<Condition, String> {
    Ok(Condition::Between(Bound::Included(low), Bound::Included(high)))
}

/// `low..high`, both included; an end that is left out is open.
fn range(field: &FieldName, low: &str, high: &str) -> Result<Condition, String> {
    let high = high.strip_prefix('=').unwrap_or(high);
    let low = if low.is_empty() { Bound::Unbounded } else { Bound::Included(span(field, low)?.0) };
    let high = if high.is_empty() { Bound::Unbounded } else { Bound::Included(span(field, high)?.1) };
    if low == Bound::Unbounded && high == Bound::Unbounded {
        return Ok(Condition::Present);
    }
    Ok(Condition::Between(low, high))
}

fn compared(field: &FieldName, sign: &str, text: &str) -> Result<Condition, String> {
    if matches!(field.values, Values::Known | Values::Words | Values::Name) {
        return Err(format!("values of `{}` have no order, so `{sign}` cannot be used", field.names[0]));
    }
    let (first, last) = span(field, text)?;
    Ok(match sign {
        "<" => Condition::Between(Bound::Unbounded, Bound::Excluded(first)),
        "<=" => Condition::Between(Bound::Unbounded, Bound::Included(last)),
        ">" => Condition::Between(Bound::Excluded(last), Bound::Unbounded),
        _ => Condition::Between(Bound::Included(first), Bound::Unbounded),
    })
}

/// The first and last point that a value stands for; the same one for all but a day of a moment.
fn span(field: &FieldName, text: &str) -> Result<(Point, Point), String> {
    let both = |point: Point| (point.clone(), point);
    match field.values {
        Values::Number => match text.parse::<u16>() {
            Ok(number) => Ok(both(Point::Number(i64::from(number)))),
            Err(_) => Err(format!("`{text}` is not a number from 0 to 65535")),
        },
        Values::Version => match Scheme::dotted().parse(text) {
            Some(version) => Ok(both(Point::Version(version))),
            None => Err(format!("`{text}` is not a version that can be compared: it begins with a digit, as in 1.20")),
        },
        Values::Address => match text.parse::<IpAddr>() {
            Ok(address) => Ok(both(Point::Address(address))),
            Err(_) => Err(format!("`{text}` is neither an address nor a network such as 192.0.2.0/24")),
        },
        Values::Moment | Values::Day => {
            let wrong = || format!("`{text}` is not a day such as 2026-11-01");
            let day: Date = text.parse().map_err(|_| wrong())?;
            let second = day.to_zoned(TimeZone::UTC).map_err(|_| wrong())?.timestamp().as_second();
            Ok(match field.values {
                Values::Moment => (Point::Second(second), Point::Second(second + 86_399)),
                _ => both(Point::Day(second.div_euclid(86_400))),
            })
        }
        Values::Known | Values::Words | Values::Name => Err(format!("values of `{}` have no order", field.names[0])),
    }
}

fn known(text: &str) -> Option<Known> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" => Some(Known::Yes),
        "false" | "no" => Some(Known::No),
        "unknown" => Some(Known::Unknown),
        _ => None,
    }
}

impl Field {
    /// The name that people usually write.
    pub fn name(self) -> &'static str {
        super::FIELDS.iter().find(|name| name.field == self).map_or("", |name| name.names[0])
    }
}
