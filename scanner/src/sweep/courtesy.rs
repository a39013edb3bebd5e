//! How much is asked of whom: gaps for each network, each host and each autonomous system, and retreat where we are not wanted.
//!
//! In: who is to be called, the moment, and later how it went. Out: a [`Verdict`]. A network is a /24 of IPv4 or a /48 of IPv6. No clock is
//! read here. What is asked for every single call of a sweep stands in eight bytes a network, found without a search.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::moment::{Moment, micros};
use super::systems::Systems;
use crate::blocklist::Blocklist;
use crate::ranges::{Range, Ranges, address, number};

/// Limits towards those who are called.
#[derive(Clone, Debug)]
pub struct Manners {
    /// Least time between two calls into one network. Kept in whole milliseconds.
    pub network_gap: Duration,
    /// Least time between the end of a call to a host and the next call to it.
    pub host_gap: Duration,
    /// Most calls to a host whose services are known within one day (UTC).
    pub host_day_max: u32,
    /// Most calls a second into one autonomous system, over any longer time; a second's worth may come at once. Absent: as many as the gaps of its
    /// networks allow.
    pub system_rate: Option<NonZeroU32>,
    /// Which network belongs to which autonomous system; empty when nobody said.
    pub systems: Systems,
}

impl Default for Manners {
    fn default() -> Manners {
        let second = Duration::from_secs(1);
        Manners { network_gap: second, host_gap: second, host_day_max: 64, system_rate: None, systems: Systems::default() }
    }
}

/// Whether somebody may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Now.
    Go,
    /// Not before that moment.
    Later(Moment),
    /// Not in this cycle: the network said repeatedly that it does not want to be called, or lost what was sent.
    LeftAlone,
    /// Never: on the blocklist.
    Blocked,
}

/// How long a network rests after its first, second and third trouble; after the next it is left alone for the cycle.
const RESTS: [Duration; 3] = [Duration::from_secs(60), Duration::from_secs(600), Duration::from_secs(3600)];
/// So many known services of a network that fall silent one after the other are a trouble.
const LOSSES_MAX: u8 = 3;

/// What is remembered of a network, in one word: the next call in milliseconds after [`Courtesy::epoch`] (32 bits), its system (24), its
/// troubles (4), and whether the blocklist names a part of it (1). A table of plain words is not touched before it is written to.
#[derive(Clone, Copy, Debug, Default)]
struct Network(u64);

impl Network {
    const BLOCKED: u64 = 1 << 60;

    fn next_ms(self) -> u32 {
        self.0 as u32
    }

    fn set_next_ms(&mut self, next_ms: u32) {
        self.0 = self.0 >> 32 << 32 | u64::from(next_ms);
    }

    /// The number of its system; 0 is none.
    fn system(self) -> usize {
        (self.0 >> 32 & 0xff_ffff) as usize
    }

    fn set_system(&mut self, system: u32) {
        self.0 = self.0 & !(0xff_ffff << 32) | u64::from(system & 0xff_ffff) << 32;
    }

    fn troubles(self) -> usize {
        (self.0 >> 56 & 15) as usize
    }

    fn set_troubles(&mut self, troubles: usize) {
        self.0 = self.0 & !(15 << 56) | (troubles.min(15) as u64) << 56;
    }

    fn is_blocked_in_part(self) -> bool {
        self.0 & Network::BLOCKED != 0
    }

    fn set_blocked_in_part(&mut self, blocked: bool) {
        self.0 = if blocked { self.0 | Network::BLOCKED } else { self.0 & !Network::BLOCKED };
    }
}

/// Changes the note of a network that stands in a table of words.
fn change(word: &mut u64, change: impl FnOnce(&mut Network)) {
    let mut network = Network(*word);
    change(&mut network);
    *word = network.0;
}

/// Remembers who was called when.
#[derive(Debug)]
pub(super) struct Courtesy {
    manners: Manners,
    /// Every call lasts for a while, so that its host must be remembered until it ends.
    calls_last: bool,
    blocklist: Arc<Blocklist>,
    /// The generation of the blocklist that the notes of networks show.
    generation: u64,
    blocked: Arc<Ranges>,
    /// Milliseconds of networks count from here.
    epoch: Moment,
    /// By the first three bytes of the address. Pages that nobody touches are never made.
    v4: Vec<u64>,
    /// By the first six bytes.
    v6: HashMap<u64, u64>,
    /// By number.
    systems: Vec<System>,
    /// Known services of a network that fell silent one after the other.
    losses: HashMap<NetworkKey, u8>,
    hosts: HashMap<u32, Host>,
    /// Hosts whose gap ends, in that order.
    gaps: VecDeque<(Moment, u32)>,
    today: u64,
    calls_today: HashMap<u32, u32>,
}

/// What is remembered of a system.
#[derive(Clone, Copy, Debug, Default)]
struct System {
    /// When all calls so far would have gone out, had they kept their distance. A call may go out at most [`SYSTEM_BURST`] before it.
    due: Moment,
    /// The last moment that was promised to somebody who has to wait: each gets one of his own, lest all come back at once.
    promised: Moment,
}

/// Calls into a system are even over times longer than this.
const SYSTEM_BURST: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
struct Host {
    next: Moment,
    live: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum NetworkKey {
    V4(u32),
    V6(u64),
}

impl NetworkKey {
    fn of(address: IpAddr) -> NetworkKey {
        match address {
            IpAddr::V4(v4) => NetworkKey::V4(u32::from(v4) >> 8),
            IpAddr::V6(v6) => NetworkKey::V6((u128::from(v6) >> 80) as u64),
        }
    }
}

impl Courtesy {
    pub fn new(manners: Manners, calls_last: bool, blocklist: Arc<Blocklist>, now: Moment) -> Courtesy {
        let mut v4 = vec![0; 1 << 24];
        manners.systems.each_network(|network, system| change(&mut v4[network as usize], |network| network.set_system(system)));
        let systems = vec![System::default(); manners.systems.count() + 1];
        let mut courtesy = Courtesy {
            calls_last: calls_last || manners.network_gap < manners.host_gap,
            manners,
            generation: 0,
            blocked: Arc::default(),
            blocklist,
            epoch: now,
            v4,
            v6: HashMap::new(),
            systems,
            losses: HashMap::new(),
            hosts: HashMap::new(),
            gaps: VecDeque::new(),
            today: 0,
            calls_today: HashMap::new(),
        };
        courtesy.reread_blocklist();
        courtesy
    }

    /// Whether the blocklist has changed since it was asked last; if so, what is on it now counts from here on.
    pub fn reread_blocklist(&mut self) -> bool {
        let generation = self.blocklist.generation();
        if generation == self.generation {
            return false;
        }
        for range in self.blocked.iter() {
            mark_blocked(&mut self.v4, range, false);
        }
        self.generation = generation;
        self.blocked = self.blocklist.ranges();
        for range in self.blocked.clone().iter() {
            mark_blocked(&mut self.v4, range, true);
        }
        true
    }

    /// Whether that address is on the blocklist.
    pub fn blocks(&self, address: IpAddr) -> bool {
        self.blocked.contains(address)
    }

    /// Whether a host may be called now; if so, the call is noted. `host` is its index in the target set.
    pub fn ask(&mut self, address: IpAddr, host: u32, now: Moment) -> Verdict {
        let network = self.network(address);
        if network.is_blocked_in_part() && self.blocked.contains(address) {
            return Verdict::Blocked;
        }
        if network.troubles() > RESTS.len() {
            return Verdict::LeftAlone;
        }
        let mut earliest = self.epoch.plus(Duration::from_millis(u64::from(network.next_ms())));
        let system = Some(network.system()).filter(|system| *system > 0).zip(self.manners.system_rate);
        if let Some((system, rate)) = system {
            let System { due, promised } = &mut self.systems[system];
            if *due > now.plus(SYSTEM_BURST) {
                *promised = now.max(*promised).plus(Duration::from_secs(1) / rate.get());
                return Verdict::Later((*promised).max(earliest));
            }
        }
        if !self.hosts.is_empty() {
            self.forget_hosts(now);
            if let Some(known) = self.hosts.get(&host) {
                earliest =
                    earliest.max(if known.live { now.plus(self.manners.host_gap.max(Duration::from_millis(1))) } else { known.next });
            }
        }
        if earliest > now {
            return Verdict::Later(earliest);
        }
        let gap = self.manners.network_gap * (1 << network.troubles());
        let next = micros(now.since(self.epoch)).saturating_add(micros(gap)).div_ceil(1000);
        self.note(address, |network| network.set_next_ms(u32::try_from(next).unwrap_or(u32::MAX)));
        if let Some((system, rate)) = system {
            let due = &mut self.systems[system].due;
            *due = (*due).max(now).plus(Duration::from_secs(1) / rate.get());
        }
        // Where a call is one packet, and networks rest at least as long as hosts, their gaps hold for hosts too.
        if self.calls_last {
            self.hosts.insert(host, Host { next: now, live: true });
        }
        Verdict::Go
    }

    /// A visit to a host begins, which lasts until [`Courtesy::left`]. Counts towards the day's limit.
    pub fn visits(&mut self, host: u32, now: Moment) {
        self.hosts.insert(host, Host { next: now, live: true });
        self.turn_day(now);
        *self.calls_today.entry(host).or_default() += 1;
    }

    /// Whether the host has had its calls of the day.
    pub fn has_had_enough(&mut self, host: u32, now: Moment) -> bool {
        self.turn_day(now);
        self.calls_today.get(&host).is_some_and(|calls| *calls >= self.manners.host_day_max)
    }

    fn turn_day(&mut self, now: Moment) {
        let day = now.0 / micros(Duration::from_secs(86_400));
        if day != self.today {
            self.today = day;
            self.calls_today.clear();
        }
    }

    /// A call to a host has ended.
    pub fn left(&mut self, host: u32, now: Moment) {
        if let Some(known) = self.hosts.get_mut(&host) {
            *known = Host { next: now.plus(self.manners.host_gap), live: false };
            self.gaps.push_back((known.next, host));
        }
    }

    fn forget_hosts(&mut self, now: Moment) {
        while let Some((moment, host)) = self.gaps.pop_front_if(|(moment, _)| *moment <= now) {
            if self.hosts.get(&host).is_some_and(|known| !known.live && known.next <= moment) {
                self.hosts.remove(&host);
            }
        }
    }

    /// A known service answered: its network is well.
    pub fn answered(&mut self, address: IpAddr) {
        if !self.losses.is_empty() {
            self.losses.remove(&NetworkKey::of(address));
        }
        let network = self.network(address);
        // One that is left alone stays so for the cycle: an answer to what was under way changes nothing.
        if (1..=RESTS.len()).contains(&network.troubles()) {
            self.note(address, |network| network.set_troubles(network.troubles() - 1));
        }
    }

    /// A known service fell silent.
    pub fn lost(&mut self, address: IpAddr, now: Moment) {
        let losses = self.losses.entry(NetworkKey::of(address)).or_default();
        *losses += 1;
        if *losses >= LOSSES_MAX {
            self.losses.remove(&NetworkKey::of(address));
            self.prohibited(address, now);
        }
    }

    /// The network said that it does not want to be called, or lost so much that it comes to the same.
    pub fn prohibited(&mut self, address: IpAddr, now: Moment) {
        let epoch = self.epoch;
        self.note(address, |network| {
            let troubles = network.troubles();
            network.set_troubles(troubles + 1);
            if let Some(rest) = RESTS.get(troubles) {
                let next = u32::try_from(now.plus(*rest).since(epoch).as_millis()).unwrap_or(u32::MAX);
                network.set_next_ms(network.next_ms().max(next));
            }
        });
    }

    /// A new cycle: troubles are half forgotten, and moments count from now.
    pub fn begin_cycle(&mut self, now: Moment) {
        let passed = u32::try_from(now.since(self.epoch).as_millis()).unwrap_or(u32::MAX);
        // Pages that nobody wrote to stay unmade.
        for word in self.v4.iter_mut().filter(|word| Network(**word).next_ms() != 0).chain(self.v6.values_mut()) {
            change(word, |network| {
                network.set_next_ms(network.next_ms().saturating_sub(passed));
                network.set_troubles(network.troubles() / 2);
            });
        }
        self.epoch = now;
        self.losses.clear();
    }

    fn network(&self, address: IpAddr) -> Network {
        match NetworkKey::of(address) {
            NetworkKey::V4(key) => Network(self.v4[key as usize]),
            // Which of them the blocklist names is not noted: each is looked up.
            NetworkKey::V6(key) => Network(self.v6.get(&key).copied().unwrap_or_default() | Network::BLOCKED),
        }
    }

    fn note(&mut self, address: IpAddr, note: impl FnOnce(&mut Network)) {
        let word = match NetworkKey::of(address) {
            NetworkKey::V4(key) => &mut self.v4[key as usize],
            NetworkKey::V6(key) => self.v6.entry(key).or_default(),
        };
        change(word, note);
    }
}

/// Notes for every IPv4 network that has addresses in the range that they are (no more) blocked in part.
fn mark_blocked(v4: &mut [u64], range: &Range, blocked: bool) {
    let v4_space = Range { first: number([0, 0, 0, 0].into()), last: number([255, 255, 255, 255].into()) };
    let (first, last) = (range.first.max(v4_space.first), range.last.min(v4_space.last));
    if first > last {
        return;
    }
    let network = |place: u128| match NetworkKey::of(address(place)) {
        NetworkKey::V4(key) => key as usize,
        NetworkKey::V6(_) => unreachable!("the place is in the IPv4 space"),
    };
    for word in &mut v4[network(first)..=network(last)] {
        change(word, |network| network.set_blocked_in_part(blocked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_000_000_000);

    fn second(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    fn courtesy(manners: Manners) -> Courtesy {
        Courtesy::new(manners, false, Arc::new(Blocklist::nobody()), NOW)
    }

    #[test]
    fn a_network_is_called_once_in_its_gap_and_others_are_not_held_up() {
        for (a, b, other) in [("10.0.0.1", "10.0.0.200", "10.0.1.1"), ("fd00:0:1::1", "fd00:0:1:2::9", "fd00:0:2::1")] {
            let mut courtesy = courtesy(Manners::default());
            assert_eq!(courtesy.ask(address(a), 1, NOW), Verdict::Go);
            assert_eq!(courtesy.ask(address(b), 2, NOW), Verdict::Later(NOW.plus(second(1))));
            assert_eq!(courtesy.ask(address(other), 3, NOW), Verdict::Go);
            assert_eq!(courtesy.ask(address(b), 2, NOW.plus(second(1))), Verdict::Go);
        }
    }

    #[test]
    fn a_host_has_one_call_at_a_time_and_its_gap_after_it() {
        let mut courtesy = courtesy(Manners { network_gap: Duration::from_millis(1), ..Manners::default() });
        let host = address("10.0.0.1");
        assert_eq!(courtesy.ask(host, 7, NOW), Verdict::Go);
        let later = NOW.plus(second(30));
        assert!(matches!(courtesy.ask(host, 7, later), Verdict::Later(_)));
        courtesy.left(7, later);
        assert_eq!(courtesy.ask(host, 7, later), Verdict::Later(later.plus(second(1))));
        assert_eq!(courtesy.ask(host, 7, later.plus(second(1))), Verdict::Go);
        assert_eq!(courtesy.gaps.len(), 0);
    }

    #[test]
    fn a_host_has_a_limit_for_a_day() {
        let mut courtesy = courtesy(Manners { host_day_max: 2, ..Manners::default() });
        for _ in 0..2 {
            assert!(!courtesy.has_had_enough(7, NOW));
            courtesy.visits(7, NOW);
        }
        assert!(courtesy.has_had_enough(7, NOW) && !courtesy.has_had_enough(8, NOW));
        assert!(!courtesy.has_had_enough(7, NOW.plus(second(86_400))));
    }

    #[test]
    fn a_system_is_called_at_its_rate_whatever_the_networks() {
        let systems = Systems::parse("systems.txt", "10.0.0.0\t8\t64500\n10.9.0.0\t16\t64501\n").expect("a table");
        let mut courtesy = courtesy(Manners { system_rate: NonZeroU32::new(2), systems, ..Manners::default() });
        let at = |courtesy: &mut Courtesy, host: u32, ms| {
            courtesy.ask(IpAddr::from((host << 8).to_be_bytes()), host, NOW.plus(Duration::from_millis(ms)))
        };
        let (system, other, none) = (10 << 16, (10 << 16) + (9 << 8), 192 << 16);
        // Two in a second, and a second's worth at once; then each waits for a moment of his own.
        for network in 0..3 {
            assert_eq!(at(&mut courtesy, system + network, 0), Verdict::Go);
        }
        for turn in 1..4 {
            assert_eq!(at(&mut courtesy, system + 7, 0), Verdict::Later(NOW.plus(Duration::from_millis(500 * turn))));
        }
        assert_eq!(at(&mut courtesy, other, 0), Verdict::Go);
        assert_eq!(at(&mut courtesy, none, 0), Verdict::Go);
        let gone = (0..100).filter(|turn| at(&mut courtesy, system + 10 + *turn as u32, 100 * turn) == Verdict::Go).count();
        assert!((19..=21).contains(&gone), "{gone} calls in ten seconds");
    }

    #[test]
    fn trouble_makes_a_network_rest_longer_and_longer_until_it_is_left_alone() {
        let mut courtesy = courtesy(Manners::default());
        let (host, mut now) = (address("10.0.0.1"), NOW);
        for rest in RESTS {
            courtesy.prohibited(host, now);
            assert_eq!(courtesy.ask(host, 1, now), Verdict::Later(now.plus(rest)));
            now = now.plus(rest);
            assert_eq!(courtesy.ask(host, 1, now), Verdict::Go);
            now = now.plus(second(60));
        }
        courtesy.prohibited(host, now);
        assert_eq!(courtesy.ask(host, 1, now.plus(second(1 << 30))), Verdict::LeftAlone);
        courtesy.answered(host);
        assert_eq!(courtesy.ask(host, 1, now), Verdict::LeftAlone);
        courtesy.begin_cycle(now.plus(second(86_400)));
        assert_eq!(courtesy.ask(host, 1, now.plus(second(86_400))), Verdict::Go);
    }

    #[test]
    fn losses_in_a_row_are_a_trouble_and_an_answer_between_them_is_none() {
        let mut courtesy = courtesy(Manners::default());
        let host = address("10.0.0.1");
        for turn in 0..10 {
            courtesy.lost(host, NOW);
            courtesy.lost(address("10.0.0.9"), NOW);
            courtesy.answered(host);
            assert_eq!(courtesy.ask(host, 1, NOW.plus(second(turn))), Verdict::Go);
        }
        (0..3).for_each(|_| courtesy.lost(host, NOW));
        assert_eq!(courtesy.ask(host, 1, NOW.plus(second(10))), Verdict::Later(NOW.plus(RESTS[0])));
    }

    #[test]
    fn who_opts_out_is_blocked_from_the_next_question_on() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("blocklist");
        std::fs::write(&path, "# nobody yet\n").expect("write");
        let blocklist = Arc::new(Blocklist::read(&path).expect("a list"));
        let mut courtesy = Courtesy::new(Manners::default(), false, blocklist.clone(), NOW);
        let at = |courtesy: &mut Courtesy, text: &str, after| courtesy.ask(address(text), 1, NOW.plus(second(after)));
        assert_eq!(at(&mut courtesy, "10.0.0.1", 0), Verdict::Go);
        std::fs::write(&path, "10.0.0.0-10.0.1.9\nfd00::/64\n").expect("write");
        blocklist.reload().expect("a list");
        assert!(courtesy.reread_blocklist() && !courtesy.reread_blocklist());
        for blocked in ["10.0.0.1", "10.0.1.9", "fd00::7"] {
            assert_eq!(at(&mut courtesy, blocked, 9), Verdict::Blocked);
        }
        assert_eq!(at(&mut courtesy, "10.0.1.10", 9), Verdict::Go);
        std::fs::write(&path, "# nobody any more\n").expect("write");
        blocklist.reload().expect("a list");
        courtesy.reread_blocklist();
        assert_eq!(at(&mut courtesy, "10.0.0.1", 19), Verdict::Go);
    }
}
