//! What every run of a discovery keeps, however it asks: which place is next and when, the counts, and how far a run that ends may be resumed.
//!
//! In: the moment now, and what came. Out: places to ask, counts for whoever watches.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::pace::Pace;
use super::places::{Places, Settling};
use super::{Answer, DiscoverCounts, DiscoverOptions, PortState};

/// How often a watcher is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// A run.
pub(super) struct Course<'a, T> {
    pub options: &'a DiscoverOptions,
    pub counts: DiscoverCounts,
    places: Places,
    pace: Pace,
    settling: Settling,
    told: T,
    next_told: Instant,
    last_begun: Instant,
}

impl<'a, T: FnMut(&DiscoverCounts)> Course<'a, T> {
    pub fn new(options: &'a DiscoverOptions, told: T) -> Course<'a, T> {
        let (places, now) = (Places::new(options), Instant::now());
        let counts = DiscoverCounts { places: places.count, through: places.next, settled: places.next, ..DiscoverCounts::default() };
        let (pace, settling) = (Pace::new(options.rate, now), Settling::default());
        Course { options, counts, places, pace, settling, told, next_told: now, last_begun: now }
    }

    /// How many places may begin now.
    pub fn allowed(&mut self, now: Instant) -> usize {
        self.pace.allowed(now)
    }

    /// The next place that may be called at this moment; absent when all are through.
    pub fn next(&mut self) -> Option<(IpAddr, u16)> {
        self.places.next(self.options, &mut self.counts)
    }

    /// So many places have begun.
    pub fn begun(&mut self, count: usize, now: Instant) {
        self.pace.spend(count as u64);
        self.last_begun = now;
    }

    /// A place that answered for the first time.
    pub fn count(&mut self, answer: &Answer) {
        *match answer.state {
            PortState::Open => &mut self.counts.open,
            PortState::Closed => &mut self.counts.closed,
            PortState::Unreachable => &mut self.counts.unreachable,
            PortState::Prohibited => &mut self.counts.prohibited,
        } += 1;
    }

    /// Tells the watcher, when it is time.
    pub fn tell(&mut self, now: Instant) {
        if now < self.next_told {
            return;
        }
        self.next_told = now + TELL_EVERY;
        self.counts.through = self.places.next;
        self.settling.through(self.places.next, now + self.options.cooldown);
        if let Some(settled) = self.settling.settled(now) {
            self.counts.settled = settled;
        }
        (self.told)(&self.counts);
    }

    /// Whether all places have begun.
    pub fn all_begun(&self) -> bool {
        self.places.next == self.places.count
    }

    /// Whether all places have begun and the last of them has been waited for.
    pub fn is_over(&self, now: Instant) -> bool {
        self.all_begun() && now.duration_since(self.last_begun) >= self.options.cooldown
    }

    /// The counts at the end; `whole`: nothing is waited for any more.
    pub fn end(mut self, whole: bool) -> DiscoverCounts {
        self.counts.through = self.places.next;
        if whole {
            self.counts.settled = self.places.count;
        }
        (self.told)(&self.counts);
        self.counts
    }
}
