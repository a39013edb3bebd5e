//! Versions are ordered only inside a scheme; between trains they are incomparable, which is an answer.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// How versions of one kind are read and ordered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scheme {
    /// `dotted`, or the name that a `scheme` item gave.
    pub name: String,
    /// Its rules.
    pub kind: SchemeKind,
}

/// The rules of a scheme.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SchemeKind {
    /// Numbers and letter runs, separated by `.`, `-`, `_` or nothing; a missing number counts as 0, a missing letter run sorts first.
    Dotted {
        /// How many numbers a version must have, if stated.
        parts: Option<u32>,
        /// How many leading numbers make the train: two versions of different trains are incomparable. 0: one train.
        train: u32,
        /// What may stand before the first number and says nothing: `V`, `Ver.`.
        prefixes: Vec<String>,
        /// What begins the part that does not order: `-` in `1.2-b45`.
        build: Option<String>,
    },
    /// Semantic versioning 2.0: three numbers; a pre-release sorts before its release; build metadata is ignored.
    Semver,
    /// Digits of a date, most significant first, `20240131` or `2024-01-31`.
    Date,
}

/// A version as it was written, with the parts that order it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// As written.
    pub text: String,
    parts: Vec<Part>,
    prerelease: Option<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// Decimal digits without leading zeros; compared by length, then digits, so that no size overflows.
    Number(String),
    Letters(String),
}

/// Longest version text that is read as a version; longer ones are missing.
pub const VERSION_BYTES_MAX: usize = 128;

impl SchemeKind {
    /// Any number of parts, one train, no prefix, no build.
    fn plain() -> SchemeKind {
        SchemeKind::Dotted { parts: None, train: 0, prefixes: Vec::new(), build: None }
    }
}

impl Scheme {
    /// The scheme `dotted`.
    pub fn dotted() -> Scheme {
        Scheme { name: "dotted".into(), kind: SchemeKind::plain() }
    }

    /// A scheme that is always there: `dotted`, `semver`, `date`. Absent for other names.
    pub fn builtin(name: &str) -> Option<Scheme> {
        let kind = match name {
            "dotted" => SchemeKind::plain(),
            "semver" => SchemeKind::Semver,
            "date" => SchemeKind::Date,
            _ => return None,
        };
        Some(Scheme { name: name.into(), kind })
    }

    /// Reads a version. Absent when the text is not one of this scheme: empty, too long, no digit at its start, or the wrong number of parts.
    pub fn parse(&self, text: &str) -> Option<Version> {
        if text.len() > VERSION_BYTES_MAX || !text.is_ascii() {
            return None;
        }
        let ordering = self.ordering_part(text);
        if !ordering.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (main, prerelease) = match self.kind {
            SchemeKind::Semver => {
                let no_build = text.split('+').next().unwrap_or(text);
                match no_build.split_once('-') {
                    Some((main, pre)) => (main, Some(parts_of(pre)?)),
                    None => (no_build, None),
                }
            }
            _ => (ordering, None),
        };
        let parts = parts_of(main)?;
        let numbers = parts.iter().filter(|part| matches!(part, Part::Number(_))).count();
        let fits = match &self.kind {
            SchemeKind::Dotted { parts: Some(wanted), .. } => numbers == *wanted as usize,
            SchemeKind::Dotted { .. } => numbers > 0,
            SchemeKind::Semver => numbers == 3 && parts.len() == 3,
            SchemeKind::Date => numbers == parts.len() && matches!(date_digits(&parts).len(), 6 | 8),
        };
        fits.then(|| Version { text: text.to_string(), parts, prerelease })
    }

    /// The text without its prefix and without its build.
    fn ordering_part<'t>(&self, text: &'t str) -> &'t str {
        let SchemeKind::Dotted { prefixes, build, .. } = &self.kind else { return text };
        let longest = prefixes.iter().filter(|prefix| text.starts_with(prefix.as_str())).max_by_key(|prefix| prefix.len());
        let rest = &text[longest.map_or(0, String::len)..];
        build.as_ref().and_then(|build| rest.split_once(build.as_str())).map_or(rest, |(before, _)| before)
    }

    /// Orders two versions of this scheme; absent when they are of different trains.
    pub fn compare(&self, a: &Version, b: &Version) -> Option<Ordering> {
        match self.kind {
            SchemeKind::Dotted { train, .. } => {
                let train = train as usize;
                let numbers =
                    |v: &Version| v.parts.iter().filter(|p| matches!(p, Part::Number(_))).take(train).cloned().collect::<Vec<_>>();
                if train > 0 && numbers(a) != numbers(b) {
                    return None;
                }
                Some(compare_parts(&a.parts, &b.parts))
            }
            SchemeKind::Semver => Some(compare_parts(&a.parts, &b.parts).then_with(|| match (&a.prerelease, &b.prerelease) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(a), Some(b)) => compare_parts(a, b),
            })),
            SchemeKind::Date => Some(date_digits(&a.parts).cmp(&date_digits(&b.parts))),
        }
    }
}

impl Scheme {
    /// A total order that agrees with [`Scheme::compare`] and keeps the versions of a train together.
    pub fn sequence(&self, a: &Version, b: &Version) -> Ordering {
        self.compare(a, b).unwrap_or_else(|| compare_parts(&a.parts, &b.parts))
    }

    /// Whether versions have trains, so that some are incomparable.
    pub fn has_trains(&self) -> bool {
        matches!(self.kind, SchemeKind::Dotted { train, .. } if train > 0)
    }
}

fn date_digits(parts: &[Part]) -> String {
    let two = |digits: &String| if digits.len() < 2 { format!("0{digits}") } else { digits.clone() };
    parts.iter().filter_map(|part| if let Part::Number(digits) = part { Some(two(digits)) } else { None }).collect()
}

/// Numbers and letter runs; absent on a character that stands in no version.
fn parts_of(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let class = |b: u8| (b.is_ascii_digit(), b.is_ascii_alphabetic());
        match class(bytes[at]) {
            (true, _) => {
                while at < bytes.len() && bytes[at].is_ascii_digit() {
                    at += 1;
                }
                let digits = text[start..at].trim_start_matches('0');
                parts.push(Part::Number(if digits.is_empty() { "0".into() } else { digits.into() }));
            }
            (_, true) => {
                while at < bytes.len() && bytes[at].is_ascii_alphabetic() {
                    at += 1;
                }
                parts.push(Part::Letters(text[start..at].to_ascii_lowercase()));
            }
            _ if matches!(bytes[at], b'.' | b'-' | b'_' | b'/' | b' ' | b'(' | b')' | b'~' | b'+' | b':') => at += 1,
            _ => return None,
        }
    }
    Some(parts)
}

fn compare_parts(a: &[Part], b: &[Part]) -> Ordering {
    let zero = Part::Number("0".into());
    for at in 0..a.len().max(b.len()) {
        let order = match (a.get(at), b.get(at)) {
            (Some(x), Some(y)) => compare_part(x, y),
            (Some(x), None) => missing_or(x, &zero),
            (None, Some(y)) => missing_or(y, &zero).reverse(),
            (None, None) => Ordering::Equal,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// How a part orders against nothing at its place.
fn missing_or(part: &Part, zero: &Part) -> Ordering {
    match part {
        Part::Number(_) => compare_part(part, zero),
        Part::Letters(_) => Ordering::Greater,
    }
}

fn compare_part(a: &Part, b: &Part) -> Ordering {
    match (a, b) {
        (Part::Number(a), Part::Number(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (Part::Letters(a), Part::Letters(b)) => a.cmp(b),
        (Part::Number(_), Part::Letters(_)) => Ordering::Greater,
        (Part::Letters(_), Part::Number(_)) => Ordering::Less,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(scheme: &Scheme, a: &str, b: &str) -> Option<Ordering> {
        scheme.compare(&scheme.parse(a).expect(a), &scheme.parse(b).expect(b))
    }

    #[test]
    fn dotted_orders_numbers_not_text() {
        let dotted = Scheme::dotted();
        assert_eq!(order(&dotted, "1.9", "1.20"), Some(Ordering::Less));
        assert_eq!(order(&dotted, "1.20", "1.20.0"), Some(Ordering::Equal));
        assert_eq!(order(&dotted, "9.2p1", "9.2"), Some(Ordering::Greater));
        assert_eq!(order(&dotted, "2.80a", "2.80b"), Some(Ordering::Less));
        assert_eq!(order(&dotted, "99999999999999999999999", "99999999999999999999998"), Some(Ordering::Greater));
        assert!(dotted.parse("v1").is_none());
        assert!(dotted.parse("").is_none());
    }

    #[test]
    fn trains_are_incomparable() {
        let scheme = Scheme { name: "rev".into(), kind: SchemeKind::Dotted { parts: Some(3), train: 2, prefixes: vec![], build: None } };
        assert_eq!(order(&scheme, "14.01.38", "14.01.42"), Some(Ordering::Less));
        assert_eq!(order(&scheme, "14.01.38", "15.02.01"), None);
        assert!(scheme.parse("14.01").is_none());
    }

    #[test]
    fn a_prefix_and_a_build_do_not_order() {
        let prefixes = vec!["V".into(), "Ver.".into()];
        let scheme = Scheme { name: "rev".into(), kind: SchemeKind::Dotted { parts: None, train: 0, prefixes, build: Some("-".into()) } };
        assert_eq!(order(&scheme, "Ver.1.9-b2", "V1.9-b10"), Some(Ordering::Equal));
        assert_eq!(order(&scheme, "1.9", "V1.20"), Some(Ordering::Less));
        assert!(scheme.parse("v1.9").is_none() && scheme.parse("V").is_none());
    }

    #[test]
    fn semver_puts_a_prerelease_before_its_release() {
        let semver = Scheme::builtin("semver").expect("builtin");
        assert_eq!(order(&semver, "1.0.0-rc.1", "1.0.0"), Some(Ordering::Less));
        assert_eq!(order(&semver, "1.0.0+a", "1.0.0+b"), Some(Ordering::Equal));
    }

    #[test]
    fn dates_order_with_and_without_dashes() {
        let date = Scheme::builtin("date").expect("builtin");
        assert_eq!(order(&date, "2024-01-31", "20240201"), Some(Ordering::Less));
    }
}
