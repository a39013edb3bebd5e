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

/// All that a value can be: of a set each member, else the value, bound or range itself.
fn each(value: &Datum) -> Vec<&Datum> {
    match value {
        Datum::Set(all) => all.iter().collect(),
        one => vec![one],
    }
}

/// Whether a comparison is true; of a bound, a range or a set only where everything that it allows makes it so.
pub fn compare(op: CompareOp, scheme: Option<&Scheme>, a: &Datum, b: &Datum) -> bool {
    let pairs: Vec<(&Datum, &Datum)> = each(a).into_iter().flat_map(|a| each(b).into_iter().map(move |b| (a, b))).collect();
    !pairs.is_empty() && pairs.into_iter().all(|(a, b)| compare_known(op, scheme, a, b))
}

fn compare_known(op: CompareOp, scheme: Option<&Scheme>, a: &Datum, b: &Datum) -> bool {
    let ((low_a, high_a), (low_b, high_b)) = (ends(a), ends(b));
    let least = |x: Option<&Datum>, y: Option<&Datum>, wanted: &[Ordering]| match (x, y) {
        (Some(x), Some(y)) => order(scheme, x, y).is_some_and(|order| wanted.contains(&order)),
        _ => false,
    };
    // Below an end that is not allowed itself, equal ends part the values.
    let strict = |other_is_open: bool, wanted: Ordering| if other_is_open { vec![wanted, Ordering::Equal] } else { vec![wanted] };
    match op {
        CompareOp::Eq => match (exact(a), exact(b)) {
            (Some(a), Some(b)) => equal(scheme, a, b),
            _ => false,
        },
        // Every value that `a` may be is below every value that `b` may be.
        CompareOp::Lt => least(high_a, low_b, &strict(is_open(a), Ordering::Less)),
        CompareOp::Le => least(high_a, low_b, &[Ordering::Less, Ordering::Equal]),
        CompareOp::Gt => least(low_a, high_b, &strict(is_open(b), Ordering::Greater)),
        CompareOp::Ge => least(low_a, high_b, &[Ordering::Greater, Ordering::Equal]),
    }
}

/// Whether the upper end of a range is not in it.
fn is_open(value: &Datum) -> bool {
    matches!(value, Datum::Range { closed: false, high: Some(_), .. })
}

/// Whether everything that a value may be lies in a range, or in a member of a set.
pub fn lies_in(scheme: Option<&Scheme>, value: &Datum, range: &Datum) -> bool {
    let inside = |value: &Datum, range: &Datum| {
        let ((low, high), (first, last)) = (ends(value), ends(range));
        let starts = match (first, low) {
            (None, _) => true,
            (Some(first), Some(low)) => order(scheme, low, first).is_some_and(|order| order != Ordering::Less),
            (Some(_), None) => false,
        };
        let stops = match (last, high) {
            (None, _) => true,
            (Some(last), Some(high)) => match order(scheme, high, last) {
                Some(Ordering::Less) => true,
                Some(Ordering::Equal) => !is_open(range) || is_open(value),
                _ => false,
            },
            (Some(_), None) => false,
        };
        starts && stops
    };
    let all = each(value);
    !all.is_empty() && all.into_iter().all(|value| each(range).into_iter().any(|range| inside(value, range)))
}

/// The lowest and the highest value that something known by a bound can have; absent where there is no end.
fn ends(value: &Datum) -> (Option<&Datum>, Option<&Datum>) {
    match value {
        Datum::Bound(BoundKind::Exactly, x) => (Some(x), Some(x)),
        Datum::Bound(BoundKind::AtLeast, x) => (Some(x), None),
        Datum::Bound(BoundKind::By, x) => (None, Some(x)),
        Datum::Range { low, high, .. } => (low.as_deref(), high.as_deref()),
        x => (Some(x), Some(x)),
    }
}

/// The value, where it is known exactly.
fn exact(value: &Datum) -> Option<&Datum> {
    match value {
        Datum::Bound(BoundKind::Exactly, x) => Some(x),
        Datum::Bound(..) | Datum::Range { .. } => None,
        x => Some(x),
    }
}

/// A version as an identity says it, read back.
pub fn read_version(text: &str) -> Datum {
    let all: Vec<Datum> = text.split(" | ").map(read_one).collect();
    if let [one] = all.as_slice() { one.clone() } else { Datum::Set(all) }
}

fn read_one(text: &str) -> Datum {
    let end = |text: &str| Some(Box::new(Datum::Text(text.into())));
    let words: Vec<&str> = text.split(' ').collect();
    match words.as_slice() {
        [low, "..<", high] => Datum::Range { low: end(low), high: end(high), closed: false },
        [low, "..=", high] => Datum::Range { low: end(low), high: end(high), closed: true },
        [">=", low] => Datum::Range { low: end(low), high: None, closed: true },
        ["<=", high] => Datum::Range { low: None, high: end(high), closed: true },
        ["<", high] => Datum::Range { low: None, high: end(high), closed: false },
        _ => Datum::Text(text.into()),
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
        (Datum::Duration(a), Datum::Duration(b)) => Some(a.ms.cmp(&b.ms)),
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
        Datum::Duration(v) => v.to_string(),
        Datum::Bound(BoundKind::Exactly, v) => shown(v)?,
        Datum::Range { low, high, closed } => match (low, high) {
            (Some(low), Some(high)) => format!("{} {} {}", shown(low)?, if *closed { "..=" } else { "..<" }, shown(high)?),
            (Some(low), None) => format!(">= {}", shown(low)?),
            (None, Some(high)) => format!("{} {}", if *closed { "<=" } else { "<" }, shown(high)?),
            (None, None) => return None,
        },
        Datum::Set(all) => all.iter().map(shown).collect::<Option<Vec<_>>>()?.join(" | "),
        Datum::List(all) => all.iter().map(shown).collect::<Option<Vec<_>>>()?.join(" "),
    };
    (text.len() <= TEXT_BYTES_MAX).then_some(text)
}

/// A capture's value as a literal says it.
pub fn written(value: &Datum, ty: &Type) -> Option<String> {
    match (value, ty.required()) {
        (Datum::Bytes(bytes), Type::Hash) => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        (Datum::Bytes(bytes), _) => Some(bytes.escape_ascii().to_string()),
        _ => shown(value),
    }
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
        Type::Text | Type::Path | Type::Vendor | Type::Class => Some(Datum::Text(text)),
        Type::Url => {
            let forms = r"^(?i:https?|ftp|rtsps?)://[^\s\p{Cc}/?#][^\s\p{Cc}]*$";
            regex::Regex::new(forms).is_ok_and(|forms| forms.is_match(&text)).then_some(Datum::Text(text))
        }
        Type::Enum(words) => words.contains(&text).then_some(Datum::Text(text)),
        Type::Cpe => is_cpe(&text).then_some(Datum::Text(text)),
        Type::Version(_) => scheme.is_none_or(|scheme| scheme.parse(&text).is_some()).then_some(Datum::Text(text)),
        Type::Int => text.trim().parse().ok().map(Datum::Int),
        Type::Duration => span_of_time(text.trim()),
        Type::Bool => text.trim().parse().ok().map(Datum::Bool),
        Type::Bytes => Some(Datum::Bytes(text.into_bytes())),
        Type::Hash => (text.len() % 2 == 0 && digits(&text, 16))
            .then(|| Datum::Bytes((0..text.len() / 2).filter_map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()).collect())),
        Type::Date => day(text.trim()).map(Datum::Date),
        Type::Ip => text.parse().ok().map(|address: std::net::IpAddr| Datum::Text(address.to_string())),
        Type::Mac => {
            let forms = r"^([0-9A-Fa-f]{12}|(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})$";
            let known = regex::Regex::new(forms).is_ok_and(|forms| forms.is_match(&text));
            let plain: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).map(|digit| digit.to_ascii_lowercase()).collect();
            let pairs = plain.chunks(2).map(|pair| pair.iter().collect::<String>());
            known.then(|| Datum::Text(pairs.collect::<Vec<_>>().join(":")))
        }
        Type::Oid => text.split('.').all(|part| digits(part, 10)).then_some(Datum::Text(text)),
        Type::Cve => {
            let parts: Vec<&str> = text.split('-').collect();
            let fits = matches!(parts.as_slice(), ["CVE", year, number]
                if year.len() == 4 && digits(year, 10) && (4..=10).contains(&number.len()) && digits(number, 10));
            fits.then_some(Datum::Text(text))
        }
        Type::Optional(_) | Type::List(_) | Type::Bound(_) | Type::Range(_) | Type::Set(_) | Type::Row(_) => None,
    };
    read.unwrap_or_default()
}

/// `250ms`, `5s`, `10m`, `2h`, `14d`.
fn span_of_time(text: &str) -> Option<Datum> {
    let found = regex::Regex::new(r"^([0-9]+)(ms|s|m|h|d)$").ok()?.captures(text)?;
    let unit: u64 = match &found[2] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        _ => 24 * 60 * 60 * 1000,
    };
    let ms = found[1].parse::<u64>().ok()?.checked_mul(unit)?;
    Some(Datum::Duration(ksig_schema::Duration { ms }))
}

/// A name of CPE 2.3: the kind, and ten values of letters, digits and signs behind a backslash.
fn is_cpe(text: &str) -> bool {
    let value = r"(?:\*|-|(?:\*|\?+)?(?:[A-Za-z0-9._-]|\\[!-/:-@\[-`{-~])+(?:\*|\?+)?)";
    regex::Regex::new(&format!("^cpe:2\\.3:[aho*-](?::{value}){{10}}$")).is_ok_and(|form| form.is_match(text))
}

/// `2024-01-31`, `2024/1/31`, `2024.01.31`, `20240131`.
fn day(text: &str) -> Option<ksig_schema::Date> {
    let written = regex::Regex::new(r"^([0-9]{4})(?:[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|([0-9]{2})([0-9]{2}))$").ok()?;
    let found = written.captures(text)?;
    let number = |first: usize, second: usize| found.get(first).or_else(|| found.get(second))?.as_str().parse::<i8>().ok();
    ksig_schema::Date::new(found[1].parse().ok()?, number(2, 4)?, number(3, 5)?).ok()
}
