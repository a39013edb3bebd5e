//! Moments of a sweep: microseconds since 1970 on a clock that never goes back.
//!
//! In: what the wall says at the start, and how long the sweep has run since. Out: [`Moment`]s. When the wall clock is stepped, a running
//! sweep does not notice; one that starts again begins no earlier than the last moment it has on record.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment(pub u64);

impl Moment {
    /// That much later.
    pub fn plus(self, time: Duration) -> Moment {
        Moment(self.0.saturating_add(micros(time)))
    }

    /// How long after another moment; nothing when it is before that one.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// Whole seconds since 1970, as they are kept for each host; the last one is in the year 2106.
    pub fn second(self) -> u32 {
        u32::try_from(self.0 / 1_000_000).unwrap_or(u32::MAX)
    }

    /// The beginning of that second.
    pub fn of_second(second: u32) -> Moment {
        Moment(u64::from(second) * 1_000_000)
    }
}

/// A duration in microseconds; what is too long for them is as long as they go.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Tells moments while a sweep runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeline {
    begun: Moment,
    at: Instant,
}

impl Timeline {
    /// Begins at what the wall says, or at the last moment on record, whichever is later.
    pub fn begin(wall: Moment, last: Moment, at: Instant) -> Timeline {
        Timeline { begun: wall.max(last), at }
    }

    /// The moment of an instant.
    pub fn moment(&self, instant: Instant) -> Moment {
        self.begun.plus(instant.saturating_duration_since(self.at))
    }

    /// The instant of a moment.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.at + moment.since(self.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_that_was_set_back_does_not_take_the_sweep_with_it() {
        let at = Instant::now();
        let timeline = Timeline::begin(Moment(5_000_000), Moment(9_000_000), at);
        assert_eq!(timeline.moment(at + Duration::from_secs(2)), Moment(11_000_000));
        assert_eq!(timeline.instant(Moment(11_000_000)), at + Duration::from_secs(2));
        assert_eq!(timeline.instant(Moment(1)), at);
    }
}
