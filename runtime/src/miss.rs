//! How near a false line came: how far a text agreed with what was asked, both sides of a comparison, the nearest key.
//!
//! In: a test or an expression that is false, and the values it was put to. Out: a [`Miss`], for explanations only. Work is bounded: a pattern is
//! cut at most [`PARTS_MAX`] times, and where it was cut is found by halving.

use std::cmp::Reverse;

use regex_automata::meta::Regex;
use regex_syntax::hir::{Hir, HirKind};
use serde::Serialize;

use crate::pattern::{CompiledPattern, build};
use crate::plan::CompareOp;

/// Most parts of a pattern that are told apart.
const PARTS_MAX: usize = 512;
/// Most alternatives of a pattern that are tried.
const BRANCHES_MAX: usize = 16;
/// Characters shown on each side of the place.
const AROUND_CHARS: usize = 40;
/// Most characters of what was asked for.
const WANTED_CHARS: usize = 40;

/// What was nearest to making a line true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "of", rename_all = "kebab-case")]
pub enum Miss {
    /// A text agrees up to a place.
    Text(TextMiss),
    /// Two values are not in the order that was asked for.
    Order {
        /// The left one, as text.
        left: String,
        /// `==`, `<`, `in` and so on.
        op: &'static str,
        /// The right one, as text.
        right: String,
        /// Where the left one lies: `below`, `above`, `equal`, or `incomparable`.
        side: &'static str,
    },
    /// A table has no such key.
    Key {
        /// The table's full name.
        table: String,
        /// What was looked up.
        key: String,
        /// The key that agrees with it longest.
        nearest: String,
    },
}

/// How far a text agrees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TextMiss {
    /// Byte offset in the value.
    pub at: usize,
    /// The last characters before the place.
    pub before: String,
    /// The first characters behind it.
    pub after: String,
    /// What was asked for there: a part of a pattern, or a text.
    pub wanted: String,
    /// The whole text that is nearest, where several were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl TextMiss {
    fn new(value: &[u8], at: usize, wanted: String) -> TextMiss {
        let (head, tail) = value.split_at(at.min(value.len()));
        let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
        let skipped = head.chars().count().saturating_sub(AROUND_CHARS);
        TextMiss {
            at,
            before: head.chars().skip(skipped).collect(),
            after: tail.chars().take(AROUND_CHARS).collect(),
            wanted: wanted.chars().take(WANTED_CHARS).collect(),
            nearest: None,
        }
    }
}

/// Of several values, the one that the pattern follows longest.
pub(crate) fn of_pattern<'v>(pattern: &CompiledPattern, values: impl Iterator<Item = &'v [u8]>) -> Option<TextMiss> {
    let meaning = pattern.hir();
    let branches: Vec<Vec<Hir>> = match top(&meaning).kind() {
        HirKind::Alternation(branches) => branches.iter().take(BRANCHES_MAX).map(parts).collect(),
        _ => vec![parts(&meaning)],
    };
    let reached = values.flat_map(|value| branches.iter().map(move |parts| (value, parts))).filter_map(|(value, parts)| {
        let (taken, end) = reach(parts, value, pattern.on_bytes())?;
        Some((taken, end, value, parts))
    });
    // The first of equals stands.
    let (taken, end, value, parts) = reached.max_by_key(|(taken, end, value, _)| (*taken, *end, Reverse(value.len())))?;
    Some(TextMiss::new(value, end, written(&parts[taken..])))
}

fn top(hir: &Hir) -> &Hir {
    if let HirKind::Capture(group) = hir.kind() { top(&group.sub) } else { hir }
}

/// What must follow one another, literals by character.
fn parts(hir: &Hir) -> Vec<Hir> {
    let mut found = Vec::new();
    collect(hir, &mut found);
    found
}

fn collect(hir: &Hir, found: &mut Vec<Hir>) {
    match hir.kind() {
        HirKind::Concat(all) => all.iter().for_each(|one| collect(one, found)),
        HirKind::Capture(group) => collect(&group.sub, found),
        HirKind::Literal(literal) if found.len() < PARTS_MAX => match std::str::from_utf8(&literal.0) {
            Ok(text) => found.extend(text.chars().map(|c| Hir::literal(c.to_string().into_bytes()))),
            Err(_) => found.extend(literal.0.iter().map(|byte| Hir::literal([*byte]))),
        },
        _ => found.push(hir.clone()),
    }
}

/// How many of the parts are found one behind the other, and where they end. A text that holds so many holds fewer too.
fn reach(parts: &[Hir], value: &[u8], on_bytes: bool) -> Option<(usize, usize)> {
    let end = |count: usize| -> Option<usize> {
        let regex: Regex = build(&Hir::concat(parts[..count].to_vec()), on_bytes, true).ok()?;
        regex.find(value).map(|found| found.end())
    };
    let (mut low, mut low_end, mut high) = (0, 0, parts.len());
    while low + 1 < high {
        let middle = (low + high) / 2;
        match end(middle) {
            Some(found) => (low, low_end) = (middle, found),
            None => high = middle,
        }
    }
    (!parts.is_empty()).then_some((low, low_end))
}

/// The first part, or the characters that begin with it.
fn written(parts: &[Hir]) -> String {
    let literal = |part: &&Hir| matches!(part.kind(), HirKind::Literal(_));
    let characters: Vec<&Hir> = parts.iter().take_while(literal).collect();
    if characters.is_empty() {
        return parts.first().map(Hir::to_string).unwrap_or_default();
    }
    let bytes =
        characters.iter().flat_map(|part| if let HirKind::Literal(literal) = part.kind() { literal.0.to_vec() } else { Vec::new() });
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}

/// Where a text and what was asked for part, seen from the beginning.
pub(crate) fn of_texts<'v>(values: impl Iterator<Item = &'v [u8]> + Clone, wanted: &[&[u8]]) -> Option<TextMiss> {
    let pairs = values.flat_map(|value| wanted.iter().map(move |wanted| (value, *wanted)));
    let nearest = pairs.max_by_key(|(value, wanted)| (common(value, wanted), Reverse(value.len().abs_diff(wanted.len()))))?;
    let (value, text) = nearest;
    let at = common(value, text);
    let whole = (wanted.len() > 1).then(|| String::from_utf8_lossy(text).into_owned());
    Some(TextMiss { nearest: whole, ..TextMiss::new(value, at, String::from_utf8_lossy(&text[at..]).into_owned()) })
}

/// Where a text that holds most of the beginning of `needle` stops to agree.
pub(crate) fn of_inside<'v>(values: impl Iterator<Item = &'v [u8]>, needle: &[u8]) -> Option<TextMiss> {
    let longest = values.map(|value| {
        let (mut low, mut low_end, mut high) = (0, 0, needle.len());
        while low + 1 < high {
            let middle = (low + high) / 2;
            match memchr::memmem::find(value, &needle[..middle]) {
                Some(start) => (low, low_end) = (middle, start + middle),
                None => high = middle,
            }
        }
        (low, low_end, value)
    });
    let (taken, end, value) = longest.max_by_key(|(taken, ..)| *taken)?;
    Some(TextMiss::new(value, end, String::from_utf8_lossy(&needle[taken..]).into_owned()))
}

/// Bytes that both begin with, whole characters only.
fn common(a: &[u8], b: &[u8]) -> usize {
    let mut same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    while same > 0 && a.get(same).is_some_and(|byte| byte & 0xc0 == 0x80) {
        same -= 1;
    }
    same
}

/// The key that agrees longest with one that there is not, then the one of the nearest length.
pub(crate) fn nearest_key<'k>(keys: impl Iterator<Item = std::borrow::Cow<'k, str>>, key: &str) -> Option<String> {
    let near = |other: &str| {
        let (own, other) = (key.to_lowercase(), other.to_lowercase());
        let (head, tail) =
            (common(own.as_bytes(), other.as_bytes()), own.bytes().rev().zip(other.bytes().rev()).take_while(|(a, b)| a == b).count());
        (head + tail, Reverse(own.len().abs_diff(other.len())))
    };
    keys.max_by(|a, b| near(a).cmp(&near(b)).then_with(|| b.cmp(a))).map(|key| key.into_owned())
}

/// As it is written.
pub(crate) fn op_text(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "==",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Pattern;

    fn miss(source: &str, value: &str) -> (String, String, String) {
        let pattern = Pattern { source: source.into(), ignore_case: false, ignore_case_unicode: false, bytes: false };
        let pattern = CompiledPattern::new(&pattern).expect("a pattern");
        let miss = of_pattern(&pattern, std::iter::once(value.as_bytes())).expect("a miss");
        (miss.before, miss.after, miss.wanted)
    }

    #[test]
    fn a_pattern_is_followed_as_far_as_it_goes() {
        let said = |before: &str, after: &str, wanted: &str| (before.to_string(), after.to_string(), wanted.to_string());
        assert_eq!(miss(r"^AXIS (?<model>A\d{4}) Network$", "AXIS A1001 Netwrk"), said("AXIS A1001 Netw", "rk", "ork"));
        assert_eq!(miss(r"^ab$", "abc"), said("ab", "c", "\\z"));
        assert_eq!(miss(r"zz\.top", "a zz-top"), said("a zz", "-top", ".top"));
    }

    #[test]
    fn texts_part_at_a_whole_character() {
        let miss = of_texts(["日本x".as_bytes()].into_iter(), &["日木".as_bytes()]).expect("a miss");
        assert_eq!((miss.at, miss.before.as_str(), miss.wanted.as_str()), (3, "日", "木"));
        let inside = of_inside([&b"xx server"[..]].into_iter(), b"serving").expect("a miss");
        assert_eq!((inside.at, inside.wanted.as_str()), (7, "ing"));
        assert_eq!(nearest_key(["WSR-1166", "WHR-G54"].into_iter().map(Into::into), "WHR-G54S").as_deref(), Some("WHR-G54"));
    }
}
