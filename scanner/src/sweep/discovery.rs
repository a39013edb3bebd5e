//! The lane that goes through the whole target set: every address on every port, once a cycle, in a random order.
//!
//! In: the moment, and which places are through. Out: the next place whose turn it is. Places that cannot be called at the moment wait here; those
//! that wait long are put off: they are kept by name, so that the low-water mark can pass them. Absent: who may be called.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::low_water::LowWater;
use super::moment::{Moment, micros};
use super::pace::Pace;
use crate::mix::mix;
use crate::order::Permutation;

/// Places that wait at a time, at most; when so many do, no further place begins.
const WAITING_MAX: usize = 1 << 20;
/// How far the first place that was not begun may be ahead of the first that is not through.
const AHEAD_MAX: u64 = 1 << 24;
/// A place that has to wait longer is put off.
const PUT_OFF_AFTER: Duration = Duration::from_secs(10);
/// The whole set is planned to be through after this share of the cycle; the rest is for what has to be tried again.
const CYCLE_PART: (u64, u64) = (97, 100);

/// One pass through the target set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub began: Moment,
    /// The key of its order.
    pub key: u64,
    /// Every place below is through, or put off.
    pub mark: u64,
}

impl Cycle {
    /// The first one, under a key that nobody has to guess.
    pub fn first(key: u64, began: Moment) -> Cycle {
        Cycle { number: 1, began, key, mark: 0 }
    }

    /// The next one, in another order.
    pub fn next(self, began: Moment) -> Cycle {
        Cycle { number: self.number.saturating_add(1), began, key: mix(self.key), mark: 0 }
    }
}

/// A place of the order, and what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub at: u64,
    /// Index in the target set.
    pub host: u32,
    /// Place in the list of ports.
    pub port: u8,
}

/// The pass that is going on.
#[derive(Debug)]
pub(super) struct Discovery {
    cycle: Cycle,
    length: Duration,
    order: Permutation,
    ports: u64,
    next: u64,
    low_water: LowWater,
    waiting: BinaryHeap<Reverse<(Moment, u64)>>,
    /// Places that are put off, with the moment until which they are.
    put_off: HashMap<u64, Moment>,
    put_off_changed: Vec<u64>,
    pace: Pace,
    /// The pace is fitted again at this moment.
    renewed: Moment,
}

/// A pass that is late goes at most so many times faster than an even one.
const HASTE: u64 = 4;
/// How often the pace is fitted to what is left.
const RENEW_EVERY: Duration = Duration::from_secs(1);
impl Discovery {
    /// Goes on with a cycle: at its mark, and with what it has put off.
    pub fn resume(cycle: Cycle, length: Duration, hosts: u64, ports: u64, put_off: impl IntoIterator<Item = (u64, Moment)>) -> Discovery {
        let put_off: HashMap<u64, Moment> = put_off.into_iter().collect();
        let waiting = put_off.iter().map(|(place, until)| Reverse((*until, *place))).collect();
        let pace = Pace::new(0, Moment::default());
        let order = Permutation::new(hosts * ports, cycle.key);
        let (next, low_water) = (cycle.mark, LowWater::at(cycle.mark));
        Discovery {
            cycle,
            length,
            order,
            ports,
            next,
            low_water,
            waiting,
            put_off,
            put_off_changed: Vec::new(),
            pace,
            renewed: Moment::default(),
        }
    }

    /// The cycle, with its mark as it stands now.
    pub fn cycle(&self) -> Cycle {
        Cycle { mark: self.low_water.mark(), ..self.cycle }
    }

    /// How many places the order has.
    pub fn size(&self) -> u64 {
        self.order.size()
    }

    /// How many places are through, nearly: those that wait and those that are out count as not.
    pub fn through(&self) -> u64 {
        self.low_water.mark() - (self.put_off.len() as u64).min(self.low_water.mark())
    }

    /// Whether every place is through.
    pub fn is_through(&self) -> bool {
        self.low_water.mark() == self.order.size() && self.put_off.is_empty()
    }

    /// When the cycle ends as planned.
    pub fn ends(&self) -> Moment {
        self.cycle.began.plus(self.length)
    }

    /// The next place, or when there may be one; absent when all places have begun and none waits.
    pub fn next(&mut self, now: Moment) -> Option<Result<Place, Moment>> {
        if self.pace.next() > now {
            return Some(Err(self.pace.next()));
        }
        let waiting = self.waiting.peek().map(|Reverse((until, place))| (*until, *place));
        let place = match waiting {
            Some((until, place)) if until <= now => {
                self.waiting.pop();
                place
            }
            _ if self.next < self.order.size() && self.waiting.len() < WAITING_MAX && self.next - self.low_water.mark() < AHEAD_MAX => {
                self.next += 1;
                self.next - 1
            }
            Some((until, _)) => return Some(Err(until)),
            None => return None,
        };
        let number = self.order.at(place).unwrap_or_default();
        // The target set has at most 2^32 addresses, and there are at most 128 ports.
        Some(Ok(Place { at: place, host: (number / self.ports) as u32, port: (number % self.ports) as u8 }))
    }

    /// A place has begun: the next one keeps its distance.
    pub fn begun(&mut self, now: Moment) {
        if now >= self.renewed {
            self.renew_pace(now);
        }
        self.pace.take(now);
    }

    fn renew_pace(&mut self, now: Moment) {
        let planned = micros(self.length) / CYCLE_PART.1 * CYCLE_PART.0;
        let left = self.cycle.began.0.saturating_add(planned).saturating_sub(now.0);
        let gap = |time: u64, places: u64| u64::try_from(u128::from(time) * 1000 / u128::from(places.max(1))).unwrap_or(u64::MAX);
        let (even, needed) = (gap(planned, self.order.size()), gap(left, self.order.size() - self.next + self.waiting.len() as u64));
        self.pace.set_gap_ns(needed.clamp(even / HASTE, even));
        self.renewed = now.plus(RENEW_EVERY);
    }

    /// Places in a second, as planned.
    pub fn rate(&self) -> f64 {
        if self.pace.gap_ns() == 0 { 0.0 } else { 1e9 / self.pace.gap_ns() as f64 }
    }

    /// A place has to wait until that moment.
    pub fn wait(&mut self, place: u64, until: Moment, now: Moment) {
        self.waiting.push(Reverse((until, place)));
        let known = self.put_off.contains_key(&place);
        if known || until.since(now) > PUT_OFF_AFTER {
            self.put_off.insert(place, until);
            self.put_off_changed.push(place);
            if !known {
                self.low_water.through(place);
            }
        }
    }

    /// A place is through.
    pub fn place_through(&mut self, place: u64) {
        if !self.put_off.is_empty() && self.put_off.remove(&place).is_some() {
            self.put_off_changed.push(place);
        } else {
            self.low_water.through(place);
        }
    }

    /// Places that were put off or are no more since the last call, each with its moment while it is.
    pub fn take_put_off_changed(&mut self) -> Vec<(u64, Option<Moment>)> {
        let changed = std::mem::take(&mut self.put_off_changed);
        changed.into_iter().map(|place| (place, self.put_off.get(&place).copied())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const BEGAN: Moment = Moment(1_000_000_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn discovery(cycle: Cycle, hosts: u64, ports: u64) -> Discovery {
        Discovery::resume(cycle, DAY, hosts, ports, [])
    }

    proptest! {
        /// Places end in any sequence, some wait, some are put off, and the sweep dies at any moment: what begins again is what was not through,
        /// and nothing is left out.
        #[test]
        fn a_cycle_that_is_broken_off_leaves_nothing_out(key: u64, hosts in 1u64..60, ports in 1u64..5, choices in prop::collection::vec((0u8..8, any::<bool>()), 1..600)) {
            let mut now = BEGAN;
            let mut all = discovery(Cycle::first(key, now), hosts, ports);
            let (mut kept, mut kept_put_off) = (all.cycle(), BTreeMap::new());
            let mut through: BTreeMap<(u32, u8), u32> = BTreeMap::new();
            let mut out: Vec<Place> = Vec::new();
            let mut choices = choices.into_iter().cycle();
            let mut deaths = 0;
            for step in 0..20_000 {
                let (choice, die) = choices.next().expect("a cycle has no end");
                if step < 3_000 && die && choice == 7 && deaths < 5 {
                    deaths += 1;
                    out.clear();
                    all = Discovery::resume(kept, DAY, hosts, ports, kept_put_off.clone());
                    continue;
                }
                match all.next(now) {
                    Some(Ok(place)) => match choice {
                        0 if step < 3_000 => all.wait(place.at, now.plus(Duration::from_secs(3)), now),
                        1 if step < 3_000 => all.wait(place.at, now.plus(Duration::from_secs(300)), now),
                        _ => { all.begun(now); out.push(place) }
                    },
                    Some(Err(later)) => now = later.max(now),
                    None if out.is_empty() => break,
                    None => {}
                }
                if !out.is_empty() && (choice.is_multiple_of(3) || step >= 3_000) {
                    let place = out.swap_remove(usize::from(choice) % out.len());
                    *through.entry((place.host, place.port)).or_default() += 1;
                    all.place_through(place.at);
                    for (place, until) in all.take_put_off_changed() {
                        match until {
                            Some(until) => drop(kept_put_off.insert(place, until)),
                            None => drop(kept_put_off.remove(&place)),
                        }
                    }
                    kept = all.cycle();
                }
            }
            prop_assert!(all.is_through());
            prop_assert_eq!(through.len() as u64, hosts * ports);
            prop_assert!(deaths > 0 || through.values().all(|times| *times == 1));
        }
    }

    #[test]
    fn the_pace_is_such_that_the_cycle_suffices() {
        let mut all = discovery(Cycle::first(1, BEGAN), 50_000, 2);
        let mut now = BEGAN;
        let mut fastest = 0;
        let mut in_second = (now.second(), 0);
        loop {
            match all.next(now) {
                Some(Ok(place)) => {
                    all.begun(now);
                    all.place_through(place.at);
                    in_second = if in_second.0 == now.second() { (in_second.0, in_second.1 + 1) } else { (now.second(), 1) };
                    fastest = fastest.max(in_second.1);
                }
                Some(Err(later)) => now = later,
                None => break,
            }
        }
        let share = now.since(BEGAN).as_secs_f64() / DAY.as_secs_f64();
        assert!((0.96..0.98).contains(&share), "{share}");
        // 100,000 places in 97 hundredths of a day.
        assert!(fastest <= 3, "{fastest}");
    }

    #[test]
    fn every_cycle_has_another_order() {
        let first = Cycle::first(7, BEGAN);
        let second = first.next(BEGAN.plus(DAY));
        let begin = |cycle| {
            let mut all = discovery(cycle, 1000, 1);
            (0..20).filter_map(|_| all.next(BEGAN)?.ok()).map(|place| place.host).collect::<Vec<_>>()
        };
        assert_ne!(begin(first), begin(second));
        assert_eq!((second.number, second.mark), (2, 0));
    }
}
