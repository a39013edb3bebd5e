//! How fast connections begin: one global rate.
//!
//! In: the moment now. Out: the moment at which the caller may begin. No clock is read here.

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Unused time counts for later, up to so much: timers fire late by about a millisecond, and the rate must still be reached.
const SAVED_MAX: Duration = Duration::from_millis(20);

/// A token bucket, kept as the moment at which the next token appears.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub fn new(per_second: NonZeroU32) -> Pace {
        Pace { interval: Duration::from_secs(1) / per_second.get(), next: Mutex::new(None) }
    }

    /// Takes the next token: the caller begins at that moment, which may have passed.
    pub fn take(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let earliest = now.checked_sub(SAVED_MAX).unwrap_or(now);
        let mine = next.map_or(now, |next| next.max(earliest));
        *next = Some(mine + self.interval);
        mine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hundred_a_second() -> Pace {
        Pace::new(NonZeroU32::new(100).expect("not zero"))
    }

    #[test]
    fn a_crowd_is_spread_over_time() {
        let (pace, now) = (hundred_a_second(), Instant::now());
        let last = (0..=100).map(|_| pace.take(now)).last().expect("a moment");
        assert_eq!(last - now, Duration::from_secs(1));
    }

    #[test]
    fn a_long_rest_saves_only_a_little() {
        let (pace, start) = (hundred_a_second(), Instant::now());
        pace.take(start);
        let later = start + Duration::from_secs(60);
        let ready = (0..10).filter(|_| pace.take(later) <= later).count();
        assert_eq!(ready, 3);
    }
}
