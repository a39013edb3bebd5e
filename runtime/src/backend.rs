//! What an engine must do: answer the tests of a slot, the captures of a pattern, and the gate of a signature. Everything else is shared by all engines.
//!
//! In: values of one slot, or the truths of all tests. Out: which tests hold, or what the gate says. Presence, absence and completeness are not
//! asked of an engine: [`crate::Matcher`] knows them from the responses.

use ksig_schema::Value;

use crate::pattern::{CompiledPattern, Found};
use crate::plan::{Condition, Predicate, SignatureId, SlotId, TestId};
use crate::verify::VerifiedPlan;

/// Kleene's truth: *and* is the least, *or* the greatest, *not* turns it round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Truth {
    /// It does not hold.
    #[default]
    False = 0,
    /// It was not observed (V3b).
    NotObserved = 1,
    /// It holds.
    True = 2,
}

impl Truth {
    /// From a bool.
    pub fn from_bool(holds: bool) -> Truth {
        if holds { Truth::True } else { Truth::False }
    }

    /// From its number; anything else than 0 and 1 is true.
    pub fn from_number(number: u8) -> Truth {
        match number {
            0 => Truth::False,
            1 => Truth::NotObserved,
            _ => Truth::True,
        }
    }

    /// What a count of true and of unobserved lines says to `at least`.
    pub fn at_least(wanted: u32, holding: u32, unobserved: u32) -> Truth {
        if holding >= wanted {
            Truth::True
        } else if holding.saturating_add(unobserved) >= wanted {
            Truth::NotObserved
        } else {
            Truth::False
        }
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        Truth::from_number(2 - self as u8)
    }
}

/// A value as an engine sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueView<'v> {
    /// true or false.
    Bool(bool),
    /// 64-bit signed.
    Int(i64),
    /// Decoded text.
    Text(&'v str),
    /// Raw bytes.
    Bytes(&'v [u8]),
    /// A value that no test asks about.
    Other,
}

impl<'v> ValueView<'v> {
    /// Of a value.
    pub fn of(value: &'v Value) -> ValueView<'v> {
        match value {
            Value::Bool(value) => ValueView::Bool(*value),
            Value::Int(value) => ValueView::Int(*value),
            Value::Text(text) => ValueView::Text(text),
            Value::Bytes(bytes) => ValueView::Bytes(bytes),
            Value::Date(_) => ValueView::Other,
        }
    }

    /// Text or bytes; absent for others.
    pub fn bytes(&self) -> Option<&'v [u8]> {
        match self {
            ValueView::Text(text) => Some(text.as_bytes()),
            ValueView::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// An engine.
pub trait Backend: Send + Sync {
    /// `interpreter`, `jit`.
    fn name(&self) -> &'static str;

    /// Appends the tests of the slot that hold for at least one of the values, in any order, possibly more than once. How many tests it had to
    /// try one by one.
    fn eval_slot(&self, slot: SlotId, values: &[ValueView<'_>], hits: &mut Vec<TestId>) -> usize;

    /// Where the leftmost-first match of a test's pattern lies in a value, and its groups in the order in which they open; absent without one.
    fn find<'p>(&self, _test: TestId, pattern: &'p CompiledPattern, haystack: &[u8]) -> Option<Found<'p>> {
        pattern.find_captures(haystack)
    }

    /// What the gate of a signature says, given the [`Truth`] of each test as its number. See [`gate`].
    fn eval_gate(&self, signature: SignatureId, truths: &[u8]) -> Truth;
}

/// Whether a predicate holds for one value: the meaning that every engine must agree with. Of presence, absence and completeness, which are
/// not questions to a value, none holds.
pub fn holds(plan: &VerifiedPlan, predicate: &Predicate, value: ValueView<'_>) -> bool {
    match predicate {
        Predicate::Present | Predicate::Absent | Predicate::Complete => false,
        Predicate::Bool(wanted) => value == ValueView::Bool(*wanted),
        Predicate::IntIn(low, high) => matches!(value, ValueView::Int(value) if (*low..=*high).contains(&value)),
        Predicate::Equals(wanted) => value.bytes() == Some(wanted.as_slice()),
        Predicate::Starts(prefix) => value.bytes().is_some_and(|bytes| bytes.starts_with(prefix)),
        Predicate::Ends(suffix) => value.bytes().is_some_and(|bytes| bytes.ends_with(suffix)),
        Predicate::Contains(needle) => value.bytes().is_some_and(|bytes| memchr::memmem::find(bytes, needle).is_some()),
        Predicate::OneOf(items) => value.bytes().is_some_and(|bytes| items.binary_search_by(|item| item.as_slice().cmp(bytes)).is_ok()),
        Predicate::Under(oid) => value.bytes().is_some_and(|bytes| is_under(bytes, oid.as_bytes())),
        Predicate::Matches(pattern) => {
            let pattern = plan.pattern(*pattern);
            match value {
                ValueView::Text(text) if !pattern.on_bytes() => pattern.is_match(text.as_bytes()),
                ValueView::Bytes(bytes) if pattern.on_bytes() => pattern.is_match(bytes),
                _ => false,
            }
        }
    }
}

/// That object id or one below it.
pub fn is_under(oid: &[u8], root: &[u8]) -> bool {
    oid.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest[0] == b'.')
}

/// What a gate says: the condition over the truths of its tests. A [`Condition::Late`] line is decided afterwards, so here it counts as
/// whatever lets the condition hold: true, and false inside `not`.
pub fn gate(condition: &Condition, truths: &[u8]) -> Truth {
    gate_part(condition, truths, Truth::True)
}

fn gate_part(condition: &Condition, truths: &[u8], late: Truth) -> Truth {
    match condition {
        Condition::Test(leaf) => Truth::from_number(truths[leaf.test as usize]),
        Condition::Late(..) | Condition::Search(_) => late,
        Condition::Each(each) => each.present.map_or(late, |test| late.min(Truth::from_number(truths[test as usize]))),
        Condition::All(parts) => parts.iter().map(|part| gate_part(part, truths, late)).min().unwrap_or(Truth::True),
        Condition::Any(parts) => parts.iter().map(|part| gate_part(part, truths, late)).max().unwrap_or(Truth::False),
        Condition::AtLeast(wanted, parts) => {
            let (mut holding, mut unobserved) = (0, 0);
            for part in parts {
                match gate_part(part, truths, late) {
                    Truth::True => holding += 1,
                    Truth::NotObserved => unobserved += 1,
                    Truth::False => {}
                }
            }
            Truth::at_least(*wanted, holding, unobserved)
        }
        Condition::Not(part) => !gate_part(part, truths, !late),
    }
}
