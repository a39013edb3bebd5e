//! Hosts with services that answered: how old each one's last visit is, and which services have fallen silent since.
//!
//! In: what visits brought. Out: whom to visit next, the oldest first, and which doubted service to try again. Absent: who may be called at
//! the moment, and what the answers were.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::moment::Moment;
use super::port_set::PortSet;

/// What is remembered of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// Second (since 1970) of the last call that asked all of its services.
    pub visited: u32,
    /// Ports with a service that answered, and has not been given up since.
    pub ports: PortSet,
}

/// A service that fell silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// Which port.
    pub port: u8,
    /// How often it has been tried in vain since.
    pub tries: u8,
    /// Second of the last try.
    pub tried: u32,
}

/// A host as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownHost {
    /// What is remembered of it.
    pub record: HostRecord,
    /// Its services that fell silent.
    pub doubts: Vec<Doubt>,
}

/// After which time a service that fell silent is tried again; when the last try fails too, it is offline.
pub const RECHECKS: [Duration; 3] = [Duration::from_secs(4 * 3600), Duration::from_secs(20 * 3600), Duration::from_secs(24 * 3600)];

/// All hosts with services, by their index in the target set.
#[derive(Debug, Default)]
pub(super) struct Known {
    hosts: HashMap<u32, HostRecord>,
    /// Second of the last visit, host: ascending. An entry that differs from the host's record is void.
    aged: VecDeque<(u32, u32)>,
    doubts: HashMap<(u32, u8), Doubt>,
    /// Doubts by the number of their tries, those tried first in front. An entry that differs from the doubt is void.
    rechecks: [VecDeque<(u32, Doubt)>; RECHECKS.len()],
    /// Hosts whose record changed since the last call of [`Known::take_changed`].
    changed: HashSet<u32>,
    offline: u64,
}

/// What a visit found, by port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// A connection came about.
    pub answered: PortSet,
    /// Nothing came back.
    pub silent: PortSet,
    /// The host or its network refused.
    pub refused: PortSet,
}

impl Found {
    /// What did not answer.
    pub fn missing(self) -> PortSet {
        self.silent.union(self.refused)
    }
}

impl Known {
    /// Takes up a host as it was kept. Hosts come in any order; [`Known::settle`] ends it.
    pub fn restore(&mut self, host: u32, kept: KnownHost) {
        self.hosts.insert(host, kept.record);
        self.aged.push_back((kept.record.visited, host));
        for doubt in kept.doubts {
            self.doubts.insert((host, doubt.port), doubt);
            if let Some(queue) = self.rechecks.get_mut(usize::from(doubt.tries)) {
                queue.push_back((host, doubt));
            }
        }
    }

    /// Puts what was restored into order.
    pub fn settle(&mut self) {
        self.aged.make_contiguous().sort_unstable();
        for queue in &mut self.rechecks {
            queue.make_contiguous().sort_unstable_by_key(|(host, doubt)| (doubt.tried, *host));
        }
    }

    /// What is remembered of a host.
    pub fn host(&self, host: u32) -> Option<&HostRecord> {
        self.hosts.get(&host)
    }

    /// A host as it is to be kept; absent when it is not known.
    pub fn to_keep(&self, host: u32) -> Option<KnownHost> {
        let record = *self.host(host)?;
        let doubts = record.ports.iter().filter_map(|port| self.doubts.get(&(host, port)).copied()).collect();
        Some(KnownHost { record, doubts })
    }

    /// How many hosts.
    pub fn count(&self) -> usize {
        self.hosts.len()
    }

    /// How many services are in doubt.
    pub fn doubted(&self) -> usize {
        self.doubts.len()
    }

    /// Services that were given up, since the sweep began.
    pub fn offline(&self) -> u64 {
        self.offline
    }

    /// Notes what a visit at that moment found. `asked` are the ports that were asked.
    pub fn visited(&mut self, host: u32, asked: PortSet, found: Found, now: Moment) {
        let record = self.hosts.get(&host).copied();
        let before = record.map(|record| record.ports).unwrap_or_default();
        let mut ports = before.union(found.answered);
        for port in found.answered.common(before).iter() {
            self.doubts.remove(&(host, port));
        }
        for port in found.missing().common(before).iter() {
            if self.doubt(host, port, now) {
                ports = ports.without(PortSet::only(port));
            }
        }
        if before.is_empty() && ports.is_empty() {
            return;
        }
        self.changed.insert(host);
        if ports.is_empty() {
            self.hosts.remove(&host);
            return;
        }
        // A visit that left a known service out does not make the host's record any younger.
        let whole = before.without(asked).is_empty();
        let visited = record.filter(|_| !whole).map_or(now.second(), |record| record.visited);
        self.hosts.insert(host, HostRecord { visited, ports });
        if record.is_none_or(|record| record.visited != visited) {
            self.aged.push_back((visited, host));
        }
    }

    /// A known service did not answer; says whether it is given up. A try before its time does not count.
    fn doubt(&mut self, host: u32, port: u8, now: Moment) -> bool {
        let before = self.doubts.get(&(host, port));
        let wait = before.and_then(|doubt| RECHECKS.get(usize::from(doubt.tries)));
        if before.zip(wait).is_some_and(|(doubt, wait)| Moment::of_second(doubt.tried).plus(*wait) > now) {
            return false;
        }
        let tries = before.map_or(0, |doubt| doubt.tries + 1);
        let doubt = Doubt { port, tries, tried: now.second() };
        match self.rechecks.get_mut(usize::from(tries)) {
            Some(queue) => {
                queue.push_back((host, doubt));
                self.doubts.insert((host, port), doubt);
                false
            }
            None => {
                self.doubts.remove(&(host, port));
                self.offline += 1;
                true
            }
        }
    }

    /// The host with the oldest visit, if that is at least so old.
    pub fn pop_aged(&mut self, age: Duration, now: Moment) -> Option<(u32, HostRecord)> {
        while let Some((visited, host)) = self.aged.pop_front_if(|(visited, _)| Moment::of_second(*visited).plus(age) <= now) {
            if let Some(record) = self.hosts.get(&host).filter(|record| record.visited == visited) {
                return Some((host, *record));
            }
        }
        None
    }

    /// A doubted service whose time for the next try has come.
    pub fn pop_doubted(&mut self, now: Moment) -> Option<(u32, PortSet)> {
        for (queue, wait) in self.rechecks.iter_mut().zip(RECHECKS) {
            while let Some((host, doubt)) = queue.pop_front_if(|(_, doubt)| Moment::of_second(doubt.tried).plus(wait) <= now) {
                if self.doubts.get(&(host, doubt.port)) == Some(&doubt) {
                    return Some((host, PortSet::only(doubt.port)));
                }
            }
        }
        None
    }

    /// When a host or a doubt may be due next, or earlier; absent when nothing is known.
    pub fn next_due(&self, age: Duration) -> Option<Moment> {
        let aged = self.aged.front().map(|(visited, _)| Moment::of_second(*visited).plus(age));
        let fronts = self.rechecks.iter().zip(RECHECKS);
        let doubted = fronts.filter_map(|(queue, wait)| Some(Moment::of_second(queue.front()?.1.tried).plus(wait)));
        aged.into_iter().chain(doubted).min()
    }

    /// Forgets the hosts for which that holds.
    pub fn forget(&mut self, mut goes: impl FnMut(u32) -> bool) {
        let changed = &mut self.changed;
        self.hosts.retain(|host, _| {
            let goes = goes(*host);
            if goes {
                changed.insert(*host);
            }
            !goes
        });
        self.doubts.retain(|(host, _), _| self.hosts.contains_key(host));
    }

    /// The hosts whose record changed since the last call.
    pub fn take_changed(&mut self) -> HashSet<u32> {
        std::mem::take(&mut self.changed)
    }

    /// How old the records are. Looks at every host: a second for some tens of millions.
    pub fn ages(&self, now: Moment) -> Ages {
        let mut ages: Vec<u32> = self.hosts.values().map(|record| now.second().saturating_sub(record.visited)).collect();
        let mut at = |percent: usize| {
            let place = ages.len().checked_sub(1)?.min(ages.len() * percent / 100);
            Some(*ages.select_nth_unstable(place).1)
        };
        Ages { p50: at(50), p90: at(90), p99: at(99), max: at(100) }
    }
}

/// How old the records of the known hosts are, in seconds. Absent when nobody is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ages {
    /// Half of them are no older.
    pub p50: Option<u32>,
    /// Nine of ten are no older.
    pub p90: Option<u32>,
    /// Of a hundred, one is older.
    pub p99: Option<u32>,
    /// The oldest.
    pub max: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_000_000_000_000);

    fn hours(count: u64) -> Duration {
        Duration::from_secs(3600 * count)
    }

    fn answered(ports: &[u8]) -> Found {
        Found { answered: ports.iter().copied().collect(), ..Found::default() }
    }

    fn silent(ports: &[u8]) -> Found {
        Found { silent: ports.iter().copied().collect(), ..Found::default() }
    }

    #[test]
    fn the_oldest_is_next_and_a_visit_makes_it_the_youngest() {
        let mut known = Known::default();
        let ports = PortSet::only(0);
        for host in 1..=3 {
            known.visited(host, ports, answered(&[0]), NOW.plus(hours(host.into())));
        }
        known.visited(1, ports, answered(&[0]), NOW.plus(hours(10)));
        assert_eq!(known.pop_aged(hours(24), NOW.plus(hours(25))), None);
        let mut popped = || known.pop_aged(hours(24), NOW.plus(hours(50))).map(|(host, _)| host);
        assert_eq!([popped(), popped(), popped(), popped()], [Some(2), Some(3), Some(1), None]);
    }

    #[test]
    fn a_port_that_is_found_later_does_not_make_the_other_services_younger() {
        let mut known = Known::default();
        known.visited(1, PortSet::only(0), answered(&[0]), NOW);
        known.visited(1, PortSet::only(5), answered(&[5]), NOW.plus(hours(5)));
        let record = *known.host(1).expect("known");
        assert_eq!((record.visited, record.ports.count()), (NOW.second(), 2));
        known.visited(1, record.ports, answered(&[0, 5]), NOW.plus(hours(6)));
        assert_eq!(known.host(1).expect("known").visited, NOW.plus(hours(6)).second());
    }

    #[test]
    fn a_service_that_falls_silent_is_tried_three_times_in_two_days_before_it_is_offline() {
        let mut known = Known::default();
        let both: PortSet = [0, 1].into_iter().collect();
        known.visited(1, both, answered(&[0, 1]), NOW);
        let mut now = NOW.plus(hours(1));
        known.visited(1, both, Found { answered: PortSet::only(0), ..silent(&[1]) }, now);
        for wait in RECHECKS {
            assert_eq!(known.pop_doubted(now), None);
            assert_eq!(known.next_due(hours(1000)), Some(now.plus(wait)));
            now = now.plus(wait);
            assert_eq!(known.pop_doubted(now), Some((1, PortSet::only(1))));
            assert_eq!(known.doubted(), 1);
            known.visited(1, PortSet::only(1), silent(&[1]), now);
        }
        assert_eq!(now, NOW.plus(hours(49)));
        assert_eq!((known.doubted(), known.offline()), (0, 1));
        assert_eq!(known.host(1).map(|record| record.ports), Some(PortSet::only(0)));
    }

    #[test]
    fn an_answer_ends_a_doubt() {
        let mut known = Known::default();
        known.visited(1, PortSet::only(3), answered(&[3]), NOW);
        known.visited(1, PortSet::only(3), silent(&[3]), NOW);
        known.visited(1, PortSet::only(3), answered(&[3]), NOW.plus(hours(1)));
        assert_eq!((known.doubted(), known.pop_doubted(NOW.plus(hours(100)))), (0, None));
    }

    #[test]
    fn what_was_kept_is_taken_up_in_any_order() {
        let mut known = Known::default();
        let record = |hour: u64| HostRecord { visited: NOW.plus(hours(hour)).second(), ports: PortSet::only(0) };
        let doubt = Doubt { port: 0, tries: 1, tried: NOW.second() };
        known.restore(5, KnownHost { record: record(5), doubts: vec![doubt] });
        known.restore(2, KnownHost { record: record(2), doubts: Vec::new() });
        known.settle();
        assert_eq!(known.pop_doubted(NOW.plus(RECHECKS[1])), Some((5, PortSet::only(0))));
        assert_eq!(known.pop_aged(hours(1), NOW.plus(hours(9))).map(|(host, _)| host), Some(2));
        assert_eq!(known.pop_aged(hours(1), NOW.plus(hours(9))).map(|(host, _)| host), Some(5));
        assert!(known.take_changed().is_empty());
    }

    #[test]
    fn who_opts_out_is_forgotten() {
        let mut known = Known::default();
        known.visited(1, PortSet::only(0), answered(&[0]), NOW);
        known.visited(1, PortSet::only(0), silent(&[0]), NOW);
        known.take_changed();
        known.forget(|host| host == 1);
        assert_eq!((known.count(), known.doubted(), known.pop_aged(hours(0), NOW.plus(hours(1)))), (0, 0, None));
        assert_eq!(known.take_changed().into_iter().collect::<Vec<_>>(), [1]);
    }
}
