//! How fast calls begin: one after the other at a distance, in the moments of a sweep.
//!
//! In: the moment of each call. Out: when the next may begin. Distances are nanoseconds, because a fast sweep has many calls a microsecond.

use std::time::Duration;

use super::moment::{Moment, micros};

/// Unused time counts for later, up to so much: timers fire late by about a millisecond, and the pace must still be reached.
const SAVED_MAX: Duration = Duration::from_millis(20);

/// A token bucket, kept as the moment at which the next token appears.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    next: Moment,
    gap_ns: u64,
    /// Nanoseconds that did not fit into `next`.
    rest_ns: u64,
}

impl Pace {
    /// The first call may begin at that moment.
    pub fn new(gap_ns: u64, next: Moment) -> Pace {
        Pace { next, gap_ns, rest_ns: 0 }
    }

    /// When the next call may begin.
    pub fn next(&self) -> Moment {
        self.next
    }

    /// Nanoseconds from call to call.
    pub fn gap_ns(&self) -> u64 {
        self.gap_ns
    }

    /// From the next call on.
    pub fn set_gap_ns(&mut self, gap_ns: u64) {
        self.gap_ns = gap_ns;
    }

    /// A call begins: the next keeps its distance.
    pub fn take(&mut self, now: Moment) {
        let earliest = Moment(now.0.saturating_sub(micros(SAVED_MAX)));
        let total = self.gap_ns + self.rest_ns;
        (self.next, self.rest_ns) = (Moment(self.next.max(earliest).0 + total / 1000), total % 1000);
    }
}
