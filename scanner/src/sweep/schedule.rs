//! The schedule of a sweep: who is called next, on which ports, and what follows from how it went.
//!
//! In: the moment, through [`Schedule::turn`]; and what a call brought, once that is safe, through [`Schedule::finish`]. Out: [`Turn`]s, and
//! [`Changes`] to be kept. Absent: sockets, clocks, files: the same schedule runs a sweep over a network and one over simulated weeks.
//!
//! Lanes, each before the next: what was asked for, ports that were found open, doubted services, hosts whose record is old, and the pass through the whole set.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::courtesy::{Courtesy, Manners, Verdict};
use super::discovery::{Cycle, Discovery, Place};
use super::known::{Ages, Found, Known, KnownHost};
use super::moment::{Moment, micros};
use super::pace::Pace;
use super::port_set::PortSet;
use crate::blocklist::Blocklist;
use crate::targets::TargetSet;

/// Why somebody is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Somebody asked for it.
    Asked,
    /// A packet found a port open, and now it is asked.
    Found,
    /// A service fell silent and is tried again.
    Recheck,
    /// The host's record is old.
    Refresh,
    /// The pass through the whole target set.
    Discovery,
}

impl Lane {
    /// All, in the order in which they come.
    pub const ALL: [Lane; 5] = [Lane::Asked, Lane::Found, Lane::Recheck, Lane::Refresh, Lane::Discovery];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Asked => "asked",
            Lane::Found => "found",
            Lane::Recheck => "recheck",
            Lane::Refresh => "refresh",
            Lane::Discovery => "discovery",
        }
    }
}

/// One host to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Job {
    /// Why.
    pub lane: Lane,
    /// Index of the host in the target set.
    pub host: u32,
    /// Its address.
    pub address: IpAddr,
    /// On which ports.
    pub ports: PortSet,
    /// Where it stands in the order of the cycle, if it is a part of its pass: this place is through when the job is.
    place: Option<u64>,
}

/// How a call went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was found on the ports of the job. A port that is in none of its sets was not asked, because of a failure of our own: it is called again.
    pub found: Found,
    /// The network said that it does not want to be called.
    pub prohibited: bool,
}

/// What a schedule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Call that host now. Whatever happens, [`Schedule::finish`] is told.
    Go(Job),
    /// Nothing to do before that moment, unless a call ends.
    Wait(Moment),
}

/// What a call of discovery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knock {
    /// One packet: a port that answers is called once more, to talk ([`Lane::Found`]).
    Packet,
    /// A connection: a port that answers is talked to at once.
    Connection,
}

/// What a sweep is to do.
#[derive(Clone, Debug)]
pub struct Aims {
    /// How discovery calls.
    pub knock: Knock,
    /// How long a pass through the whole set takes, and how old a record may become.
    pub cycle: Duration,
    /// Most calls a second, whatever the cycle needs.
    pub rate: Option<NonZeroU32>,
    /// Limits towards those who are called.
    pub manners: Manners,
    /// The key of the first cycle's order.
    pub key: u64,
}

/// A record is renewed when it is that old, measured by the cycle: what remains is for hosts that cannot be called at once.
const REFRESH_PART: f64 = 0.9;
/// Records are renewed at most so many times faster than an even pace needs, when many are due at once.
const REFRESH_HASTE: u64 = 4;
/// Jobs that could not be done at once and are tried later, at most; while there are so many, no further one is begun.
const LATER_MAX: usize = 1 << 16;
/// Calls that nobody answers are looked at so often without anything to do; then it is another's turn.
const PASSED_OVER_MAX: u32 = 4096;
/// A job that failed for a reason of our own is tried again after this time.
const AFTER_OUR_FAILURE: Duration = Duration::from_secs(5);

/// What was done, counted since the schedule began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Calls, by lane in the order of [`Lane::ALL`].
    pub calls: [u64; 5],
    /// Ports that answered.
    pub answered: u64,
    /// Ports from which nothing came.
    pub silent: u64,
    /// Ports that refused.
    pub refused: u64,
    /// Places passed over because the blocklist names them.
    pub blocked: u64,
    /// Places passed over because their network is left alone.
    pub left_alone: u64,
    /// Ports that could not be asked, for reasons of our own.
    pub ours: u64,
    /// Services given up after all tries.
    pub offline: u64,
}

/// What has to be kept to go on after an end at any moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The cycle as it stands.
    pub cycle: Option<Cycle>,
    /// Hosts whose record changed, with their doubts; absent for one that is known no more.
    pub hosts: Vec<(IpAddr, Option<KnownHost>)>,
    /// Places that are put off until a moment, or no more.
    pub put_off: Vec<(u64, Option<Moment>)>,
    /// Whether all places that were put off before belong to an earlier cycle.
    pub put_off_void: bool,
}

/// What was kept.
#[derive(Debug, Default)]
pub struct Kept {
    /// The cycle; absent at the very beginning.
    pub cycle: Option<Cycle>,
    /// Known hosts.
    pub hosts: Vec<(IpAddr, KnownHost)>,
    /// Places put off.
    pub put_off: Vec<(u64, Moment)>,
    /// The target set or the ports have changed since the cycle was begun, so that `cycle` is the next one, which begins now.
    pub world_changed: bool,
}

impl Changes {
    /// These, and then later ones.
    pub fn then(&mut self, later: Changes) {
        if later.put_off_void {
            self.put_off.clear();
        }
        self.cycle = later.cycle.or(self.cycle);
        self.hosts.extend(later.hosts);
        self.put_off.extend(later.put_off);
        self.put_off_void |= later.put_off_void;
    }
}

/// The state of a sweep.
#[derive(Debug)]
pub struct Schedule {
    targets: TargetSet,
    ports: u8,
    aims: Aims,
    courtesy: Courtesy,
    known: Known,
    discovery: Discovery,
    asked: VecDeque<(u32, PortSet)>,
    /// Jobs other than those of discovery that have to wait.
    later: BinaryHeap<Reverse<(Moment, Job)>>,
    next_refresh: Moment,
    /// A record that old is renewed.
    refresh_age: Duration,
    /// After a renewal a place goes first: where a rate is too low for both, neither waits for ever.
    discovery_first: bool,
    /// The rate of all lanes together.
    pace: Option<Pace>,
    /// Calls that brought nothing, kept back until the canaries have answered once more. Absent: there are no canaries.
    doubtful: Option<Vec<(Job, Outcome, Moment)>>,
    /// The canaries are silent: our own connection is at fault.
    paused: bool,
    counts: Counts,
    /// The cycle that is kept.
    cycle_kept: Option<Cycle>,
    put_off_void: bool,
    dropped: Vec<IpAddr>,
}

impl Schedule {
    /// Goes on from what was kept, or begins. `ports` is how many there are; hosts of `kept` that are not in the target set are forgotten.
    pub fn resume(targets: TargetSet, ports: u8, aims: Aims, blocklist: Arc<Blocklist>, kept: Kept, now: Moment) -> Schedule {
        let cycle = match kept.cycle {
            Some(cycle) if kept.world_changed => Cycle { began: now, ..cycle },
            Some(cycle) => cycle,
            None => Cycle::first(aims.key, now),
        };
        let discovery = Discovery::resume(cycle, aims.cycle, targets.count(), ports.into(), kept.put_off);
        let (mut known, mut dropped) = (Known::default(), Vec::new());
        for (address, host) in kept.hosts {
            match host_of(&targets, address) {
                Some(index) => known.restore(index, host),
                None => dropped.push(address),
            }
        }
        known.settle();
        let pace = aims.rate.map(|rate| Pace::new(1_000_000_000 / u64::from(rate.get()), now));
        let mut schedule = Schedule {
            courtesy: Courtesy::new(aims.manners.clone(), aims.knock == Knock::Connection, blocklist, now),
            targets,
            ports,
            refresh_age: aims.cycle.mul_f64(REFRESH_PART),
            aims,
            known,
            discovery,
            asked: VecDeque::new(),
            later: BinaryHeap::new(),
            next_refresh: now,
            discovery_first: false,
            pace,
            doubtful: None,
            paused: false,
            counts: Counts::default(),
            cycle_kept: kept.cycle,
            put_off_void: false,
            dropped,
        };
        schedule.forget_blocked();
        schedule
    }

    /// What to do at that moment.
    pub fn turn(&mut self, now: Moment) -> Turn {
        if self.courtesy.reread_blocklist() {
            self.forget_blocked();
        }
        if self.paused {
            return Turn::Wait(now.plus(Duration::from_secs(1)));
        }
        if let Some(moment) = self.pace.as_ref().map(Pace::next).filter(|next| *next > now) {
            return Turn::Wait(moment);
        }
        if !self.discovery_first {
            return match self.visit(now) {
                Some(job) => self.begin(job, now),
                None => self.discover(now),
            };
        }
        match self.discover(now) {
            Turn::Go(job) => Turn::Go(job),
            Turn::Wait(moment) => self.visit(now).map_or(Turn::Wait(moment), |job| self.begin(job, now)),
        }
    }

    fn begin(&mut self, job: Job, now: Moment) -> Turn {
        if job.lane != Lane::Discovery {
            self.courtesy.visits(job.host, now);
        }
        self.counts.calls[job.lane as usize] += 1;
        self.discovery_first = job.lane == Lane::Refresh;
        if let Some(pace) = &mut self.pace {
            pace.take(now);
        }
        Turn::Go(job)
    }

    /// The same job as one that talks: a place of discovery that cannot be knocked at.
    pub fn talk(&mut self, job: Job, now: Moment) -> Job {
        if job.lane != Lane::Discovery {
            return job;
        }
        self.courtesy.visits(job.host, now);
        Job { lane: Lane::Found, ..job }
    }

    /// A host to visit, of the lanes before discovery.
    fn visit(&mut self, now: Moment) -> Option<Job> {
        while let Some(job) = self.due(now) {
            if self.courtesy.has_had_enough(job.host, now) && job.lane != Lane::Asked {
                self.later.push(Reverse((now.plus(Duration::from_secs(3600)), job)));
                continue;
            }
            match self.courtesy.ask(job.address, job.host, now) {
                Verdict::Go => return Some(job),
                Verdict::Later(moment) => self.later.push(Reverse((moment, job))),
                // A record that cannot be renewed now stays as it is; the pass of a later cycle comes by.
                Verdict::LeftAlone => self.pass_over(job, |counts| &mut counts.left_alone),
                Verdict::Blocked => self.pass_over(job, |counts| &mut counts.blocked),
            }
        }
        None
    }

    /// A job is not done.
    fn pass_over(&mut self, job: Job, counter: impl FnOnce(&mut Counts) -> &mut u64) {
        *counter(&mut self.counts) += 1;
        if let Some(place) = job.place {
            self.discovery.place_through(place);
        }
    }

    /// A job whose moment has come.
    fn due(&mut self, now: Moment) -> Option<Job> {
        if let Some(Reverse((moment, job))) = self.later.peek().copied()
            && moment <= now
        {
            self.later.pop();
            return Some(job);
        }
        if self.later.len() >= LATER_MAX {
            return None;
        }
        if let Some((host, ports)) = self.asked.pop_front() {
            return self.job(Lane::Asked, host, ports);
        }
        if let Some((host, ports)) = self.known.pop_doubted(now) {
            return self.job(Lane::Recheck, host, ports);
        }
        if self.next_refresh > now {
            return None;
        }
        let (host, record) = self.known.pop_aged(self.refresh_age, now)?;
        let even = micros(self.aims.cycle) / (self.known.count() as u64).max(1);
        self.next_refresh = Moment(self.next_refresh.max(Moment(now.0.saturating_sub(1_000_000))).0 + even / REFRESH_HASTE);
        self.job(Lane::Refresh, host, record.ports)
    }

    fn job(&self, lane: Lane, host: u32, ports: PortSet) -> Option<Job> {
        Some(Job { lane, host, address: self.targets.at(host.into())?, ports, place: None })
    }

    /// The next place of the pass, or when to ask again.
    fn discover(&mut self, now: Moment) -> Turn {
        for _ in 0..PASSED_OVER_MAX {
            match self.discovery.next(now) {
                Some(Ok(place)) => {
                    if let Some(turn) = self.discover_at(place, now) {
                        return turn;
                    }
                }
                Some(Err(moment)) => return Turn::Wait(self.soonest(moment)),
                None if self.discovery.is_through() && self.discovery.ends() <= now => self.next_cycle(now),
                None => return Turn::Wait(self.soonest(self.discovery.ends().max(now.plus(Duration::from_millis(100))))),
            }
        }
        Turn::Wait(now)
    }

    fn discover_at(&mut self, place: Place, now: Moment) -> Option<Turn> {
        let Some(address) = self.targets.at(place.host.into()) else {
            self.discovery.place_through(place.at);
            return None;
        };
        let job = Job { lane: Lane::Discovery, host: place.host, address, ports: PortSet::only(place.port), place: Some(place.at) };
        match self.courtesy.ask(address, place.host, now) {
            Verdict::Go => {
                self.discovery.begun(now);
                return Some(self.begin(job, now));
            }
            Verdict::Later(moment) => self.discovery.wait(place.at, moment, now),
            Verdict::LeftAlone => self.pass_over(job, |counts| &mut counts.left_alone),
            Verdict::Blocked => self.pass_over(job, |counts| &mut counts.blocked),
        }
        None
    }

    /// The moment at which any lane may have something to do, no later than that one.
    fn soonest(&self, moment: Moment) -> Moment {
        let later = self.later.peek().map(|Reverse((moment, _))| *moment);
        let known = self.known.next_due(self.refresh_age).map(|due| due.max(self.next_refresh));
        later.into_iter().chain(known).fold(moment, Moment::min)
    }

    fn next_cycle(&mut self, now: Moment) {
        let cycle = self.discovery.cycle().next(now);
        self.discovery = Discovery::resume(cycle, self.aims.cycle, self.targets.count(), self.ports.into(), []);
        self.courtesy.begin_cycle(now);
        self.put_off_void = true;
    }

    /// Notes how a call went. To be called once for each job, and only when what it brought is safe: what this changes lets the sweep go on
    /// behind it.
    pub fn finish(&mut self, job: Job, outcome: Outcome, now: Moment) {
        self.courtesy.left(job.host, now);
        let asked = outcome.found.answered.union(outcome.found.missing()).common(job.ports);
        let unasked = job.ports.without(asked);
        self.counts.ours += u64::from(unasked.count());
        if !unasked.is_empty() {
            self.again(Job { ports: unasked, ..job }, now.plus(AFTER_OUR_FAILURE), now);
            if asked.is_empty() {
                return;
            }
        }
        match &mut self.doubtful {
            Some(doubtful) if !outcome.found.silent.is_empty() => doubtful.push((Job { ports: asked, ..job }, outcome, now)),
            _ => self.settle(Job { ports: asked, ..job }, outcome, !unasked.is_empty(), now),
        }
    }

    /// A job is to be done once more.
    fn again(&mut self, job: Job, moment: Moment, now: Moment) {
        match job.place.filter(|_| job.lane == Lane::Discovery) {
            Some(place) => self.discovery.wait(place, moment, now),
            None => self.later.push(Reverse((moment, job))),
        }
    }

    /// Takes an outcome as it is. `goes_on`: the place of the job is not through yet.
    fn settle(&mut self, job: Job, outcome: Outcome, goes_on: bool, now: Moment) {
        let found = outcome.found;
        self.counts.answered += u64::from(found.answered.count());
        self.counts.silent += u64::from(found.silent.count());
        self.counts.refused += u64::from(found.refused.count());
        let before = self.known.host(job.host).map(|record| record.ports).unwrap_or_default();
        let knocked = job.lane == Lane::Discovery && self.aims.knock == Knock::Packet;
        if outcome.prohibited {
            self.courtesy.prohibited(job.address, now);
        } else if !found.answered.is_empty() {
            self.courtesy.answered(job.address);
        } else if !found.silent.common(before).is_empty() {
            self.courtesy.lost(job.address, now);
        }
        if knocked && !found.answered.without(before).is_empty() {
            // The place is through when its service has been asked: a sweep that dies before finds it again.
            self.later.push(Reverse((now, Job { lane: Lane::Found, ..job })));
            return;
        }
        let concerns_known = !before.is_empty() || !found.answered.is_empty();
        if concerns_known && !knocked && !self.courtesy.blocks(job.address) {
            self.known.visited(job.host, job.ports, found, now);
        }
        if let Some(place) = job.place.filter(|_| !goes_on) {
            self.discovery.place_through(place);
        }
    }

    /// Hosts are asked for: they are called as soon as manners allow. Says how many of them are in the target set. Without ports, all are asked.
    pub fn ask_for(&mut self, hosts: impl IntoIterator<Item = IpAddr>) -> usize {
        let every = PortSet::first(self.ports.into());
        let before = self.asked.len();
        let targets = &self.targets;
        self.asked.extend(hosts.into_iter().filter_map(|address| Some((host_of(targets, address)?, every))));
        self.asked.len() - before
    }

    /// There are canaries: silence counts only between two of their answers.
    pub fn heed_canaries(&mut self) {
        self.doubtful.get_or_insert_default();
    }

    /// The canaries answered a question that was put at that moment. What brought nothing before is taken as it is.
    pub fn canaries_answered(&mut self, asked: Moment, now: Moment) {
        self.paused = false;
        let doubtful = self.doubtful.take().unwrap_or_default();
        let (settled, waiting): (Vec<_>, Vec<_>) = doubtful.into_iter().partition(|(_, _, moment)| *moment <= asked);
        for (job, outcome, _) in settled {
            self.settle(job, outcome, false, now);
        }
        self.doubtful = Some(waiting);
    }

    /// No canary answered: our own connection is at fault. Nothing is called, and what brought nothing since they last answered is called again.
    pub fn canaries_silent(&mut self, now: Moment) {
        self.paused = true;
        for (job, outcome, _) in self.doubtful.as_mut().map(std::mem::take).unwrap_or_default() {
            let (answered, unheard) = (outcome.found.answered, outcome.found.missing());
            if !answered.is_empty() {
                let heard = Outcome { found: Found { answered, ..Found::default() }, prohibited: false };
                self.settle(Job { ports: answered, ..job }, heard, true, now);
            }
            self.again(Job { ports: unheard, ..job }, now, now);
        }
    }

    /// Hosts on the blocklist are known no more.
    fn forget_blocked(&mut self) {
        let (targets, courtesy) = (&self.targets, &self.courtesy);
        self.known.forget(|host| targets.at(host.into()).is_none_or(|address| courtesy.blocks(address)));
    }

    /// What changed since the last call and has to be kept.
    pub fn take_changes(&mut self) -> Changes {
        let cycle = self.discovery.cycle();
        let changed = self.known.take_changed();
        let to_keep = |host| Some((self.targets.at(u64::from(host))?, self.known.to_keep(host)));
        let mut hosts: Vec<_> = changed.into_iter().filter_map(to_keep).collect();
        hosts.extend(self.dropped.drain(..).map(|address| (address, None)));
        let changes = Changes {
            cycle: (self.cycle_kept != Some(cycle)).then_some(cycle),
            hosts,
            put_off: self.discovery.take_put_off_changed(),
            put_off_void: std::mem::take(&mut self.put_off_void),
        };
        self.cycle_kept = Some(cycle);
        changes
    }

    /// How old the records are. Looks at every host: a second for some tens of millions.
    pub fn ages(&self, now: Moment) -> Ages {
        self.known.ages(now)
    }

    /// Where the sweep stands; the ages are those of [`Schedule::ages`], which may be told less often.
    pub fn standing(&self, ages: Ages, now: Moment) -> Standing {
        let cycle = self.discovery.cycle();
        Standing {
            cycle: cycle.number,
            began: cycle.began,
            ends: self.discovery.ends(),
            places: self.discovery.size(),
            through: self.discovery.through(),
            rate: self.discovery.rate(),
            hosts: self.known.count() as u64,
            doubted: self.known.doubted() as u64,
            ages,
            later: self.later.len() as u64,
            paused: self.paused,
            counts: Counts { offline: self.known.offline(), ..self.counts },
            now,
        }
    }

    /// The ports of a host with a service that answered and was not given up since.
    pub fn services(&self, address: IpAddr) -> PortSet {
        host_of(&self.targets, address).and_then(|host| self.known.host(host)).map(|record| record.ports).unwrap_or_default()
    }

    /// The cycle as it stands.
    pub fn cycle(&self) -> Cycle {
        self.discovery.cycle()
    }

    /// Whether the canaries are silent, so that nothing is called.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether every place of this cycle is through.
    pub fn cycle_is_through(&self) -> bool {
        self.discovery.is_through()
    }
}

/// The number of a host, which is its index in the target set: that has at most 2^32 addresses.
fn host_of(targets: &TargetSet, address: IpAddr) -> Option<u32> {
    u32::try_from(targets.index_of(address)?).ok()
}

/// Where a sweep stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Number of the cycle.
    pub cycle: u32,
    /// When it began.
    pub began: Moment,
    /// When it ends as planned.
    pub ends: Moment,
    /// Places (address and port) of a cycle.
    pub places: u64,
    /// Places that are through.
    pub through: u64,
    /// Places a second, as planned at the moment.
    pub rate: f64,
    /// Hosts with services.
    pub hosts: u64,
    /// Services in doubt.
    pub doubted: u64,
    /// How old the records are.
    pub ages: Ages,
    /// Calls that wait because of manners.
    pub later: u64,
    /// The canaries are silent, and nothing is called.
    pub paused: bool,
    /// What was done since the sweep was started.
    pub counts: Counts,
    /// The moment of all this.
    pub now: Moment,
}

impl Standing {
    /// The share of this cycle's places that are through.
    pub fn coverage(&self) -> f64 {
        if self.places == 0 { 1.0 } else { self.through as f64 / self.places as f64 }
    }

    /// When the pass will be through, if it goes on as since its beginning; absent before anything is.
    pub fn projected_end(&self) -> Option<Moment> {
        let passed = self.now.since(self.began);
        (self.through > 0).then(|| self.began.plus(passed.mul_f64(self.places as f64 / self.through as f64)))
    }
}

#[cfg(test)]
mod tests;
