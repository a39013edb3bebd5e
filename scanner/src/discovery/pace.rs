//! How fast places are begun.
//!
//! In: the moment now. Out: how many may begin at once.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use crate::raw::BATCH;

/// Time that passed unused counts for later, up to so much.
const SAVED_MAX: Duration = Duration::from_millis(10);

/// A token bucket that gives a batch at most.
pub(super) struct Pace {
    gap_ns: u64,
    /// Nanoseconds by which we are ahead of `at`.
    ahead_ns: u64,
    at: Instant,
}

impl Pace {
    pub fn new(per_second: NonZeroU32, now: Instant) -> Pace {
        Pace { gap_ns: 1_000_000_000 / u64::from(per_second.get()), ahead_ns: 0, at: now }
    }

    /// How many may begin now.
    pub fn allowed(&mut self, now: Instant) -> usize {
        let passed = u64::try_from(now.duration_since(self.at).as_nanos()).unwrap_or(u64::MAX);
        self.at = now;
        self.ahead_ns = self.ahead_ns.saturating_sub(passed);
        // One packet at least, however slow the pace.
        let saved = self.gap_ns.max(SAVED_MAX.as_nanos() as u64);
        ((saved.saturating_sub(self.ahead_ns)) / self.gap_ns.max(1)).min(BATCH as u64) as usize
    }

    /// So many have begun.
    pub fn spend(&mut self, packets: u64) {
        self.ahead_ns += packets * self.gap_ns;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_kept_over_time_be_it_slow_or_fast() {
        for (rate, seconds, wanted) in [(1, 10, 10..=11), (7, 10, 70..=71), (1000, 1, 1000..=1011), (50_000, 1, 50_000..=50_600)] {
            let begun = Instant::now();
            let mut pace = Pace { gap_ns: 1_000_000_000 / rate, ahead_ns: 0, at: begun };
            let mut sent = 0;
            for ms in 0..1000 * seconds {
                // A batch is bounded: a fast pace takes several.
                loop {
                    let allowed = pace.allowed(begun + Duration::from_millis(ms));
                    pace.spend(allowed as u64);
                    sent += allowed;
                    if allowed < BATCH {
                        break;
                    }
                }
            }
            assert!(wanted.contains(&sent), "{sent} at {rate} a second");
        }
    }
}
