//! Types and values of facts.

use serde::{Deserialize, Serialize};

/// A calendar day, proleptic Gregorian, no time zone. Serialised as `2026-12-31`.
pub type Date = jiff::civil::Date;
/// A moment in UTC. Serialised as RFC 3339, `2026-12-31T00:00:00Z`.
pub type Time = jiff::Timestamp;

/// The day of a moment.
pub fn day_of(time: Time) -> Date {
    time.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The type of a field, capture, column or parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    /// true or false.
    Bool,
    /// 64-bit signed.
    Int,
    /// Decoded text, NFC, never with undecoded bytes.
    Text,
    /// Bytes as they came.
    Bytes,
    /// Ordered inside the scheme of that name (see [`crate::version`]).
    Version(String),
    /// A day.
    Date,
    /// A span of time.
    Duration,
    /// A web address as text.
    Url,
    /// A path on the same host, as text.
    Path,
    /// IPv4 or IPv6 address.
    Ip,
    /// Hardware address, in lower case with colons.
    Mac,
    /// SNMP object id.
    Oid,
    /// `CVE-2024-1234`.
    Cve,
    /// A CPE 2.3 name.
    Cpe,
    /// Bytes of a digest.
    Hash,
    /// A vendor of the vocabulary.
    Vendor,
    /// A class of the vocabulary.
    Class,
    /// Several values in wire order.
    List(Box<Type>),
    /// `= x`, `at_least x`, `by x`: what is known of a version or date.
    Bound(Box<Type>),
    /// From a lower end to an upper one, either of which may be open: `1.0 ..< 1.20`.
    Range(Box<Type>),
    /// One of several values, which is not known: `1.0 | 1.2`.
    Set(Box<Type>),
    /// A row of the table of that name.
    Row(String),
    /// May be missing.
    Optional(Box<Type>),
    /// One of these words, sorted.
    Enum(Vec<String>),
}

impl Type {
    /// The type without `?`.
    pub fn required(&self) -> &Type {
        match self {
            Type::Optional(inner) => inner.required(),
            other => other,
        }
    }

    /// With `?`, once.
    pub fn optional(self) -> Type {
        match self {
            Type::Optional(_) => self,
            other => Type::Optional(Box::new(other)),
        }
    }

    /// The type of the values that a bound, a range or a set allows; of any other, itself.
    pub fn known_of(&self) -> &Type {
        match self.required() {
            Type::Bound(of) | Type::Range(of) | Type::Set(of) => of,
            other => other,
        }
    }

    /// Whether one value can be less than another.
    pub fn is_ordered(&self) -> bool {
        matches!(self, Type::Int | Type::Date | Type::Duration | Type::Version(_))
    }

    /// Whether a value may be missing.
    pub fn is_optional(&self) -> bool {
        matches!(self, Type::Optional(_))
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Type::Version(scheme) => write!(f, "version({scheme})"),
            Type::List(of) => write!(f, "list<{of}>"),
            Type::Bound(of) => write!(f, "bound<{of}>"),
            Type::Range(of) => write!(f, "range<{of}>"),
            Type::Set(of) => write!(f, "set<{of}>"),
            Type::Row(table) => write!(f, "row of {table}"),
            Type::Optional(of) => write!(f, "{of}?"),
            Type::Enum(words) => write!(f, "enum({})", words.join(", ")),
            other => f.write_str(&format!("{other:?}").to_lowercase()),
        }
    }
}

/// One value of a fact. A fact with several values has several of these in wire order; an absent fact has none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Value {
    /// true or false.
    Bool(bool),
    /// 64-bit signed.
    Int(i64),
    /// Decoded text; also urls, paths, ips, object ids, cves.
    Text(String),
    /// Bytes as they came; also digests.
    Bytes(Vec<u8>),
    /// A day.
    Date(Date),
}

impl Value {
    /// Text from anything that becomes a string.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes that text and bytes patterns run on: UTF-8 for text, the bytes themselves for bytes; absent for others.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Text(text) => Some(text.as_bytes()),
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Bool(v) => write!(f, "{v}"),
            Value::Int(v) => write!(f, "{v}"),
            Value::Text(v) => f.write_str(v),
            Value::Bytes(v) => write!(f, "{}", v.escape_ascii()),
            Value::Date(v) => write!(f, "{v}"),
        }
    }
}
