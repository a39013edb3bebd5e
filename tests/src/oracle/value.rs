//! Values: comparing them, reading text as another type, writing them down.

use std::cmp::Ordering;

use ksig_runtime::plan::{BoundKind, CompareOp, Datum};
use ksig_schema::{Scheme, Type};

/// The elements that a question is put to: those of a list, else the value itself (V4).
pub fn elements(value: &Datum) -> &[Datum] {
    match value {
        Datum::List(all) => all,
        one => std::slice::from_ref(one),
    }
}

/// Whether a comparison is true; a bound only where everything that it allows makes it so.
pub fn compare(op: CompareOp, scheme: Option<&Scheme>, a: &Datum, b: &Datum) -> bool {
    let (low_a, high_a) = ends(a);
    let (low_b, high_b) = ends(b);
    let least = |x: Option<&Datum>, y: Option<&Datum>, wanted: &[Ordering]| match (x, y) {
        (Some(x), Some(y)) => order(scheme, x, y).is_some_and(|order| wanted.contains(&order)),
        _ => false,
    };
    match op {
        CompareOp::Eq => match (exact(a), exact(b)) {
            (Some(a), Some(b)) => equal(scheme, a, b),
            _ => false,
        },
        // Every value that `a` may be is below every value that `b` may be.
        CompareOp::Lt => least(high_a, low_b, &[Ordering::Less]),
        CompareOp::Le => least(high_a, low_b, &[Ordering::Less, Ordering::Equal]),
        CompareOp::Gt => least(low_a, high_b, &[Ordering::Greater]),
        CompareOp::Ge => least(low_a, high_b, &[Ordering::Greater, Ordering::Equal]),
    }
}

/// The lowest and the highest value that something known by a bound can have; absent where there is no end.
fn ends(value: &Datum) -> (Option<&Datum>, Option<&Datum>) {
    match value {
        Datum::Bound(BoundKind::Exactly, x) => (Some(x), Some(x)),
        Datum::Bound(BoundKind::AtLeast, x) => (Some(x), None),
        Datum::Bound(BoundKind::By, x) => (None, Some(x)),
        x => (Some(x), Some(x)),
    }
}

/// The value, where it is known exactly.
fn exact(value: &Datum) -> Option<&Datum> {
    match value {
        Datum::Bound(BoundKind::Exactly, x) => Some(x),
        Datum::Bound(..) => None,
        x => Some(x),
    }
}

fn equal(scheme: Option<&Scheme>, a: &Datum, b: &Datum) -> bool {
    match scheme {
        Some(_) => order(scheme, a, b) == Some(Ordering::Equal),
        None => a == b,
    }
}

/// The order of two values; absent between different trains, and where there is none.
fn order(scheme: Option<&Scheme>, a: &Datum, b: &Datum) -> Option<Ordering> {
    match (a, b) {
        (Datum::Int(a), Datum::Int(b)) => Some(a.cmp(b)),
        (Datum::Date(a), Datum::Date(b)) => Some(a.cmp(b)),
        (Datum::Text(a), Datum::Text(b)) => {
            let scheme = scheme?;
            scheme.compare(&scheme.parse(a)?, &scheme.parse(b)?)
        }
        _ => None,
    }
}

/// Text or bytes as bytes; absent for others.
pub fn bytes(value: &Datum) -> Option<&[u8]> {
    match value {
        Datum::Text(text) => Some(text.as_bytes()),
        Datum::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

/// Longest text that a capture, an extract or a template makes, in bytes; a longer one is missing.
pub const TEXT_BYTES_MAX: usize = 4096;

/// As an answer writes it; absent for what is missing, for rows, and for bounds that leave the value open.
pub fn shown(value: &Datum) -> Option<String> {
    let text = match value {
        Datum::Missing | Datum::NotObserved | Datum::Row(..) => return None,
        Datum::Bound(BoundKind::AtLeast | BoundKind::By, _) => return None,
        Datum::Bool(v) => v.to_string(),
        Datum::Int(v) => v.to_string(),
        Datum::Text(v) => v.clone(),
        Datum::Bytes(v) => String::from_utf8(v.clone()).ok()?,
        Datum::Date(v) => v.to_string(),
        Datum::Bound(BoundKind::Exactly, v) => shown(v)?,
        Datum::List(all) => all.iter().map(shown).collect::<Option<Vec<_>>>()?.join(" "),
    };
    (text.len() <= TEXT_BYTES_MAX).then_some(text)
}

/// Reads text as a type; missing where it is not one. What is no text stays as it is.
pub fn read_as(value: &Datum, ty: &Type, scheme: Option<&Scheme>) -> Datum {
    let ty = ty.required();
    let textual = matches!(
        ty,
        Type::Text
            | Type::Version(_)
            | Type::Url
            | Type::Path
            | Type::Ip
            | Type::Mac
            | Type::Oid
            | Type::Cve
            | Type::Cpe
            | Type::Vendor
            | Type::Class
    );
    let text = match value {
        Datum::Text(text) => text.clone(),
        Datum::Bytes(_) if matches!(ty, Type::Bytes | Type::Hash) => return value.clone(),
        Datum::Bytes(bytes) => match String::from_utf8(bytes.clone()) {
            Ok(text) => text,
            Err(_) => return Datum::Missing,
        },
        Datum::Int(number) if textual => number.to_string(),
        other => return other.clone(),
    };
    let digits = |text: &str, base: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(base));
    let read = match ty {
        Type::Text | Type::Url | Type::Path | Type::Cpe | Type::Vendor | Type::Class => Some(Datum::Text(text)),
        Type::Version(_) => scheme.is_none_or(|scheme| scheme.parse(&text).is_some()).then_some(Datum::Text(text)),
        Type::Int | Type::Duration => text.trim().parse().ok().map(Datum::Int),
        Type::Bool => text.trim().parse().ok().map(Datum::Bool),
        Type::Bytes => Some(Datum::Bytes(text.into_bytes())),
        Type::Hash => (text.len() % 2 == 0 && digits(&text, 16))
            .then(|| Datum::Bytes((0..text.len() / 2).filter_map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()).collect())),
        Type::Date => day(text.trim()).map(Datum::Date),
        Type::Ip => text.parse::<std::net::IpAddr>().is_ok().then_some(Datum::Text(text)),
        Type::Mac => {
            let plain = text.len() == 12 && digits(&text, 16);
            let parts: Vec<&str> = text.split([':', '-']).collect();
            (plain || parts.len() == 6 && parts.iter().all(|part| part.len() == 2 && digits(part, 16))).then_some(Datum::Text(text))
        }
        Type::Oid => text.split('.').all(|part| digits(part, 10)).then_some(Datum::Text(text)),
        Type::Cve => {
            let parts: Vec<&str> = text.split('-').collect();
            let fits = matches!(parts.as_slice(), ["CVE", year, number]
                if year.len() == 4 && digits(year, 10) && (4..=10).contains(&number.len()) && digits(number, 10));
            fits.then_some(Datum::Text(text))
        }
        Type::Optional(_) | Type::List(_) | Type::Bound(_) | Type::Row(_) => None,
    };
    read.unwrap_or_default()
}

/// `2024-01-31`, `2024/1/31`, `2024.01.31`, `20240131`.
fn day(text: &str) -> Option<ksig_schema::Date> {
    let written = regex::Regex::new(r"^([0-9]{4})(?:[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|([0-9]{2})([0-9]{2}))$").ok()?;
    let found = written.captures(text)?;
    let number = |first: usize, second: usize| found.get(first).or_else(|| found.get(second))?.as_str().parse::<i8>().ok();
    ksig_schema::Date::new(found[1].parse().ok()?, number(2, 4)?, number(3, 5)?).ok()
}
