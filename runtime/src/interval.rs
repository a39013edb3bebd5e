//! What is known of a value: exactly, by a bound, a range, or a set of which it is one.
//!
//! In: data, and how their versions are ordered. Out: comparisons that are true only where each value that is allowed makes them true, membership
//! in ranges, and the order of a table's interval keys.

use std::cmp::Ordering;

use ksig_schema::Scheme;

use crate::plan::{BoundKind, CompareOp, Datum};

/// The order of two values; absent where they have none.
pub type Order<'o> = &'o dyn Fn(&Datum, &Datum) -> Option<Ordering>;

/// The order of two values of one type; versions by their scheme.
pub fn order(scheme: Option<&Scheme>, a: &Datum, b: &Datum) -> Option<Ordering> {
    match (a, b, scheme) {
        (Datum::Text(a), Datum::Text(b), Some(scheme)) => scheme.compare(&scheme.parse(a)?, &scheme.parse(b)?),
        (Datum::Text(a), Datum::Text(b), None) => Some(a.cmp(b)),
        (Datum::Bytes(a), Datum::Bytes(b), _) => Some(a.cmp(b)),
        (Datum::Int(a), Datum::Int(b), _) => Some(a.cmp(b)),
        (Datum::Date(a), Datum::Date(b), _) => Some(a.cmp(b)),
        (Datum::Duration(a), Datum::Duration(b), _) => Some(a.cmp(b)),
        (Datum::Bool(a), Datum::Bool(b), _) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Both ends of what a value can be; an end that is absent is open.
#[derive(Clone, Copy, Debug)]
struct Ends<'d> {
    low: Option<&'d Datum>,
    high: Option<&'d Datum>,
    /// The upper end is not allowed itself.
    below: bool,
    /// There is one value, and it is known.
    exact: bool,
}

impl<'d> Ends<'d> {
    fn of(datum: &'d Datum) -> Ends<'d> {
        match datum {
            Datum::Bound(BoundKind::Exactly, value) => Ends::of(value),
            Datum::Bound(BoundKind::AtLeast, value) => Ends { low: Some(value), high: None, below: false, exact: false },
            Datum::Bound(BoundKind::By, value) => Ends { low: None, high: Some(value), below: false, exact: false },
            Datum::Range { low, high, closed } => Ends { low: low.as_deref(), high: high.as_deref(), below: !closed, exact: false },
            value => Ends { low: Some(value), high: Some(value), below: false, exact: true },
        }
    }

    /// Every value that `other` allows is allowed here.
    fn holds(&self, other: &Ends<'_>, order: Order<'_>) -> bool {
        let above = self.low.is_none_or(|low| other.low.is_some_and(|theirs| order(low, theirs).is_some_and(Ordering::is_le)));
        let within = self.high.is_none_or(|high| {
            let order = other.high.and_then(|theirs| order(theirs, high));
            order.is_some_and(|order| order.is_lt() || order.is_eq() && (!self.below || other.below))
        });
        above && within
    }
}

/// The values, bounds or ranges of which a set says that it is one; anything else is one of itself.
pub fn alternatives(datum: &Datum) -> &[Datum] {
    match datum {
        Datum::Set(all) => all,
        one => std::slice::from_ref(one),
    }
}

/// Compares what is known: only what holds for each value that is allowed holds.
pub fn compare(op: CompareOp, a: &Datum, b: &Datum, order: Order<'_>) -> bool {
    let (all_a, all_b) = (alternatives(a), alternatives(b));
    !all_a.is_empty() && !all_b.is_empty() && all_a.iter().all(|a| all_b.iter().all(|b| compare_one(op, a, b, order)))
}

fn compare_one(op: CompareOp, a: &Datum, b: &Datum, order: Order<'_>) -> bool {
    let (a, b) = (Ends::of(a), Ends::of(b));
    let before = |high: Option<&Datum>, low: Option<&Datum>, or_equal: bool| match (high, low) {
        (Some(high), Some(low)) => order(high, low).is_some_and(|order| order.is_lt() || or_equal && order.is_eq()),
        _ => false,
    };
    match op {
        CompareOp::Eq => match (a.exact && b.exact, a.low, b.low) {
            (true, Some(a), Some(b)) => order(a, b).is_some_and(Ordering::is_eq),
            _ => false,
        },
        CompareOp::Lt => before(a.high, b.low, a.below),
        CompareOp::Le => before(a.high, b.low, true),
        CompareOp::Gt => before(b.high, a.low, b.below),
        CompareOp::Ge => before(b.high, a.low, true),
    }
}

/// Whether each value that is allowed lies in the range, or in one alternative of the set.
pub fn within(value: &Datum, range: &Datum, order: Order<'_>) -> bool {
    let (all, ranges) = (alternatives(value), alternatives(range));
    !all.is_empty() && all.iter().all(|value| ranges.iter().any(|range| Ends::of(range).holds(&Ends::of(value), order)))
}

/// A total order of values of one type: of versions without regard to trains, which then stand together.
pub fn sequence(scheme: Option<&Scheme>, a: &Datum, b: &Datum) -> Ordering {
    match (a, b) {
        (Datum::Int(a), Datum::Int(b)) => a.cmp(b),
        (Datum::Date(a), Datum::Date(b)) => a.cmp(b),
        (Datum::Duration(a), Datum::Duration(b)) => a.cmp(b),
        (Datum::Text(a), Datum::Text(b)) => match scheme.and_then(|scheme| Some(scheme.sequence(&scheme.parse(a)?, &scheme.parse(b)?))) {
            Some(order) => order,
            None => a.cmp(b),
        },
        _ => Ordering::Equal,
    }
}

/// Where two interval keys stand in a table: by their lower ends, an open one first.
pub fn sequence_of_keys(scheme: Option<&Scheme>, a: &Datum, b: &Datum) -> Ordering {
    match (Ends::of(a).low, Ends::of(b).low) {
        (Some(a), Some(b)) => sequence(scheme, a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Whether a key, and the key after it, share a value.
pub fn overlap(key: &Datum, next: &Datum, order: Order<'_>) -> bool {
    let (key, next) = (Ends::of(key), Ends::of(next));
    let Some(start) = next.low else { return true };
    match (key.high, key.low) {
        (Some(high), _) => order(high, start).is_some_and(|order| order.is_gt() || order.is_eq() && !key.below),
        (None, Some(low)) => order(low, start).is_some(),
        (None, None) => true,
    }
}

/// Whether a range allows no value at all.
pub fn is_empty(range: &Datum, order: Order<'_>) -> bool {
    let ends = Ends::of(range);
    match (ends.low, ends.high) {
        (Some(low), Some(high)) => !order(low, high).is_some_and(|order| order.is_lt() || order.is_eq() && !ends.below),
        (None, None) => true,
        _ => false,
    }
}

/// The row of a table with interval keys in which a value lies, whatever of it is allowed.
pub fn row(rows: &[Vec<Datum>], column: usize, scheme: Option<&Scheme>, value: &Datum, order: Order<'_>) -> Option<usize> {
    let ends = Ends::of(alternatives(value).first()?);
    let at = ends.low.or(ends.high)?;
    let before = rows.partition_point(|row| Ends::of(&row[column]).low.is_none_or(|low| sequence(scheme, low, at).is_le()));
    before.checked_sub(1).filter(|&row| within(value, &rows[row][column], order))
}

/// As text: what an answer or a problem shows of a range, a bound or a value.
pub fn shown(datum: &Datum) -> String {
    crate::expr::text_of(datum).unwrap_or_default()
}

/// A version as an identity says it: `1.0`, `1.0 | 1.2`, `1.0 ..< 1.20`, `>= 1.0`, `< 1.20`.
pub fn read_version(text: &str) -> Datum {
    let boxed = |text: &str| Some(Box::new(Datum::Text(text.to_string())));
    let one = |text: &str| {
        if let Some((low, high)) = text.split_once(" ..< ") {
            return Datum::Range { low: boxed(low), high: boxed(high), closed: false };
        }
        if let Some((low, high)) = text.split_once(" ..= ") {
            return Datum::Range { low: boxed(low), high: boxed(high), closed: true };
        }
        match text.split_once(' ') {
            Some((">=", low)) => Datum::Range { low: boxed(low), high: None, closed: true },
            Some(("<=", high)) => Datum::Range { low: None, high: boxed(high), closed: true },
            Some(("<", high)) => Datum::Range { low: None, high: boxed(high), closed: false },
            _ => Datum::Text(text.to_string()),
        }
    };
    let mut all: Vec<Datum> = text.split(" | ").map(one).collect();
    if all.len() == 1 { all.remove(0) } else { Datum::Set(all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &Datum, b: &Datum) -> Option<Ordering> {
        let scheme = Scheme::dotted();
        match (a, b) {
            (Datum::Text(a), Datum::Text(b)) => scheme.compare(&scheme.parse(a)?, &scheme.parse(b)?),
            _ => None,
        }
    }

    #[test]
    fn what_is_true_of_some_allowed_version_only_is_not_true() {
        let (wide, set) = (read_version("1.0 ..< 1.20"), read_version("1.0 | 1.2"));
        let at = |text: &str| Datum::Text(text.into());
        assert!(compare(CompareOp::Lt, &wide, &at("1.20"), &order) && !compare(CompareOp::Lt, &wide, &at("1.19"), &order));
        assert!(compare(CompareOp::Ge, &wide, &at("1.0"), &order) && !compare(CompareOp::Gt, &wide, &at("1.0"), &order));
        assert!(compare(CompareOp::Lt, &set, &at("1.3"), &order) && !compare(CompareOp::Lt, &set, &at("1.2"), &order));
        assert!(!compare(CompareOp::Eq, &set, &at("1.2"), &order));
        assert!(within(&set, &wide, &order) && !within(&wide, &set, &order));
        assert!(within(&wide, &read_version("< 1.20"), &order) && !within(&wide, &read_version("1.0 ..= 1.19"), &order));
    }
}
