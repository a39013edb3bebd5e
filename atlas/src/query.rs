//! The query language: what to look for, in one line.
//!
//! In: a text such as `ルーター vendor:バッファロー version:<1.20 -eol:false`. Out: a [`Query`], which knows no search engine;
//! `translate` turns it into Tantivy's terms with the [`Names`] of the vocabulary. The grammar is `query.pest`, the fields are [`FIELDS`].
//!
//! | form | finds |
//! |---|---|
//! | `word` | the word in any text, and what the vocabulary says it means |
//! | `"two words"` | exactly this, in this order |
//! | `field:value`, `field:"a value"`, `field:{a,b}` | the value in that field, one of the values |
//! | `wsr*`, `model:WSR*`, `model:*` | what begins so; any value |
//! | `port:8000..8999`, `version:<1.20`, `time:>=2026-11-01`, `ip:192.0.2.0/24` | ranges, ends included |
//! | `a b`, `a AND b`, `a OR b`, `-a`, `NOT a`, `( )` | both, both, either, not, grouping; `AND` binds closer than `OR` |
//!
//! [`FIELDS`]: fields::FIELDS
//! [`Names`]: names::Names

pub mod fields;
pub mod names;
mod parse;
mod spelling;
pub(crate) mod translate;
mod without;

use std::net::IpAddr;
use std::ops::Bound;

use ksig_schema::Version;
use ksig_schema::identification::Known;

pub use fields::{FIELDS, Field};

/// Longest query, in bytes.
pub const QUERY_BYTES_MAX: usize = 4096;
/// Deepest nesting of parentheses.
pub const QUERY_DEPTH_MAX: usize = 32;
/// Most words and values in one query.
pub const QUERY_VALUES_MAX: usize = 256;

/// What to look for.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Every entry.
    All,
    /// A bare word: in any text, or as a name of the vocabulary.
    Word(String),
    /// Words that begin so, in any text.
    Prefix(String),
    /// A quotation: this text exactly, but for the fold.
    Quote(String),
    /// One of the conditions holds for the field.
    Field(Field, Vec<Condition>),
    /// What the other does not find.
    Not(Box<Query>),
    /// What all of them find.
    And(Vec<Query>),
    /// What any of them finds.
    Or(Vec<Query>),
}

/// What is asked of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// It has a value.
    Present,
    /// The value, or one of its names.
    Is(String),
    /// The value begins so.
    Begins(String),
    /// Yes, no or unknown.
    Known(Known),
    /// The value lies between.
    Between(Bound<Point>, Bound<Point>),
}

/// An end of a range.
#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    /// A port.
    Number(i64),
    /// A second since 1970 in UTC, for a field of time.
    Second(i64),
    /// A day since 1970, for a field of days.
    Day(i64),
    /// A version in dotted order.
    Version(Version),
    /// An address.
    Address(IpAddr),
}

/// Why a query cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {reason}")]
pub struct QueryError {
    /// Where, counted in characters from 1.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub reason: String,
}

impl Query {
    /// Reads a query. The empty one finds everything.
    pub fn parse(text: &str) -> Result<Query, QueryError> {
        parse::parse(text)
    }
}

#[cfg(test)]
mod tests;
