//! The schedule over simulated weeks: a network that answers from its addresses alone, and checks that look at every call.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;
use crate::mix::mix;

const BEGAN: Moment = Moment(1_700_000_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

fn hours(count: u64) -> Duration {
    Duration::from_secs(3600 * count)
}

fn aims() -> Aims {
    Aims { knock: Knock::Connection, cycle: 4 * DAY, rate: None, manners: Manners::default(), key: 1 }
}

fn targets(text: &str) -> TargetSet {
    text.parse().expect(text)
}

fn begin(targets: &TargetSet, ports: u8, aims: &Aims, kept: Kept) -> Schedule {
    Schedule::resume(targets.clone(), ports, aims.clone(), Arc::new(Blocklist::nobody()), kept, BEGAN)
}

/// What there is in the network: one address in eight has services, on a port in three.
fn open(address: IpAddr, port: u8) -> bool {
    let IpAddr::V4(v4) = address else { return false };
    let host = mix(u64::from(u32::from(v4)));
    host.is_multiple_of(8) && mix(host ^ u64::from(port)).is_multiple_of(3)
}

fn found(job: &Job, is_open: impl Fn(u8) -> bool) -> Outcome {
    let answered: PortSet = job.ports.iter().filter(|port| is_open(*port)).collect();
    Outcome { found: Found { answered, silent: job.ports.without(answered), ..Found::default() }, prohibited: false }
}

/// Runs until that moment; `outcome` answers each call at once.
fn run(schedule: &mut Schedule, from: Moment, until: Moment, mut outcome: impl FnMut(&Job, Moment) -> Outcome) {
    let mut now = from;
    while now < until {
        match schedule.turn(now) {
            Turn::Go(job) => {
                let outcome = outcome(&job, now);
                schedule.finish(job, outcome, now);
            }
            Turn::Wait(moment) => now = moment.max(Moment(now.0 + 1)),
        }
    }
}

fn standing(schedule: &Schedule, now: Moment) -> Standing {
    schedule.standing(schedule.ages(now), now)
}

/// Looks at every call: gaps of networks and hosts.
#[derive(Default)]
struct Watch {
    networks: HashMap<u32, Moment>,
    hosts: HashMap<u32, Moment>,
}

impl Watch {
    fn see(&mut self, job: &Job, now: Moment, manners: &Manners) {
        let IpAddr::V4(v4) = job.address else { return };
        let network = u32::from(v4) >> 8;
        if let Some(before) = self.networks.insert(network, now) {
            assert!(now.since(before) >= manners.network_gap, "{job:?} came {:?} after the last into its network", now.since(before));
        }
        if let Some(before) = self.hosts.insert(job.host, now) {
            assert!(now.since(before) >= manners.host_gap, "{job:?}");
        }
    }
}

#[test]
fn a_cycle_finds_every_service_and_later_cycles_keep_every_record_young() {
    for knock in [Knock::Connection, Knock::Packet] {
        let (targets, aims) = (targets("10.0.0.0/20,10.9.0.0/23"), Aims { knock, ..aims() });
        let mut schedule = begin(&targets, 4, &aims, Kept::default());
        let mut watch = Watch::default();
        let mut calls: BTreeMap<Lane, u64> = BTreeMap::new();
        run(&mut schedule, BEGAN, BEGAN.plus(12 * DAY + hours(1)), |job, now| {
            watch.see(job, now, &aims.manners);
            *calls.entry(job.lane).or_default() += 1;
            found(job, |port| open(job.address, port))
        });
        let now = BEGAN.plus(12 * DAY + hours(1));
        let standing = standing(&schedule, now);
        let wanted: Vec<u64> =
            (0..targets.count()).filter(|index| targets.at(*index).is_some_and(|address| (0..4).any(|port| open(address, port)))).collect();
        assert_eq!(standing.hosts, wanted.len() as u64);
        assert_eq!(standing.cycle, 4);
        assert!(standing.ages.max.expect("known hosts") <= 4 * 86_400, "{:?}", standing.ages);
        assert_eq!(calls[&Lane::Discovery], 3 * 4 * targets.count() + standing.through, "each place once a cycle");
        for host in wanted {
            let ports: PortSet = (0..4).filter(|port| open(targets.at(host).expect("a target"), *port)).collect();
            assert_eq!(schedule.known.host(host as u32).map(|record| record.ports), Some(ports));
        }
    }
}

#[test]
fn the_pass_is_spread_over_the_cycle() {
    let targets = targets("10.0.0.0/22");
    let mut schedule = begin(&targets, 2, &aims(), Kept::default());
    let mut by_day = [0u32; 4];
    run(&mut schedule, BEGAN, BEGAN.plus(4 * DAY), |job, now| {
        by_day[now.since(BEGAN).as_secs() as usize / 86_400] += 1;
        found(job, |_| false)
    });
    assert_eq!(by_day.iter().sum::<u32>(), 2048);
    assert!(by_day[..3].iter().all(|calls| calls.abs_diff(by_day[0]) <= 8), "{by_day:?}");
}

#[test]
fn a_service_that_moves_away_is_given_up_after_two_days_and_found_where_it_is_now() {
    let (targets, aims) = (targets("10.0.0.0/23"), aims());
    let mut schedule = begin(&targets, 1, &aims, Kept::default());
    let moved = BEGAN.plus(5 * DAY);
    let lives_at = |now: Moment| -> IpAddr { if now < moved { [10, 0, 0, 7].into() } else { [10, 0, 1, 9].into() } };
    let mut lanes = Vec::new();
    run(&mut schedule, BEGAN, BEGAN.plus(14 * DAY), |job, now| {
        if job.lane == Lane::Recheck {
            lanes.push(now);
        }
        found(job, |_| job.address == lives_at(now))
    });
    assert_eq!(lanes.len(), 3);
    assert!(lanes[2].since(lanes[0]) > hours(43), "{lanes:?}");
    let standing = standing(&schedule, BEGAN.plus(14 * DAY));
    assert_eq!((standing.hosts, standing.doubted, standing.counts.offline), (1, 0, 1));
    let index = targets.index_of([10, 0, 1, 9].into()).expect("a target") as u32;
    assert!(schedule.known.host(index).is_some());
}

proptest! {
    /// The sweep dies again and again; what it kept with the last changes is all that it begins with. Every place is called, and what is called
    /// twice was called after the last changes were kept.
    #[test]
    fn a_sweep_that_dies_leaves_nothing_out_and_repeats_only_its_window(key: u64, deaths in prop::collection::vec((1u64..400, 1u64..60), 1..6)) {
        let targets = targets("10.0.0.0/24,10.0.7.0/25");
        let aims = Aims { key, manners: Manners { network_gap: Duration::from_millis(200), ..Manners::default() }, cycle: hours(1), ..aims() };
        let mut disk = Disk::default();
        let mut schedule = begin(&targets, 3, &aims, disk.kept());
        let mut now = BEGAN;
        let mut called: HashMap<(u32, u8), u32> = HashMap::new();
        let mut since_kept = 0u64;
        let mut repeats_allowed = 0u64;
        let mut deaths = deaths.into_iter();
        let mut next = deaths.next();
        let mut keep_every = next.map_or(50, |(_, every)| every);
        let mut calls = 0u64;
        while !schedule.cycle_is_through() {
            if let Some((after, _)) = next && calls >= after {
                calls = 0;
                repeats_allowed += since_kept;
                since_kept = 0;
                now = now.plus(Duration::from_secs(5));
                schedule = Schedule::resume(targets.clone(), 3, aims.clone(), Arc::new(Blocklist::nobody()), disk.kept(), now);
                next = deaths.next();
                keep_every = next.map_or(50, |(_, every)| every);
            }
            match schedule.turn(now) {
                Turn::Go(job) => {
                    calls += 1;
                    since_kept += 1;
                    if job.lane == Lane::Discovery {
                        for port in job.ports.iter() {
                            *called.entry((job.host, port)).or_default() += 1;
                        }
                    }
                    let outcome = found(&job, |port| open(job.address, port));
                    schedule.finish(job, outcome, now);
                    if since_kept >= keep_every {
                        disk.keep(schedule.take_changes());
                        // What waits for its network may be above the mark.
                        since_kept = 0;
                    }
                }
                Turn::Wait(moment) => now = moment.max(Moment(now.0 + 1)),
            }
            prop_assert!(now < BEGAN.plus(DAY));
        }
        prop_assert_eq!(called.len() as u64, 3 * targets.count());
        let repeats: u64 = called.values().map(|times| u64::from(times - 1)).sum();
        // Places that were through above the mark when it was kept come again too: no more than may wait ten seconds for their networks.
        let waiting = 100 * 5;
        prop_assert!(repeats <= repeats_allowed + waiting, "{} repeats, {} allowed", repeats, repeats_allowed);
        disk.keep(schedule.take_changes());
        let again = Schedule::resume(targets.clone(), 3, aims.clone(), Arc::new(Blocklist::nobody()), disk.kept(), now);
        prop_assert_eq!(standing(&again, now).hosts, standing(&schedule, now).hosts);
        prop_assert!(again.cycle_is_through());
    }
}

/// Changes as a file would keep them.
#[derive(Default)]
struct Disk {
    cycle: Option<Cycle>,
    hosts: BTreeMap<IpAddr, KnownHost>,
    put_off: BTreeMap<u64, Moment>,
}

impl Disk {
    fn keep(&mut self, changes: Changes) {
        self.cycle = changes.cycle.or(self.cycle);
        if changes.put_off_void {
            self.put_off.clear();
        }
        for (address, record) in changes.hosts {
            match record {
                Some(record) => drop(self.hosts.insert(address, record)),
                None => drop(self.hosts.remove(&address)),
            }
        }
        for (place, until) in changes.put_off {
            match until {
                Some(until) => self.put_off.insert(place, until),
                None => self.put_off.remove(&place),
            };
        }
    }

    fn kept(&self) -> Kept {
        let hosts = self.hosts.clone().into_iter().collect();
        Kept { cycle: self.cycle, hosts, put_off: self.put_off.clone().into_iter().collect(), world_changed: false }
    }
}

#[test]
fn who_opts_out_is_not_called_again_and_not_remembered() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("blocklist");
    std::fs::write(&path, "# nobody yet\n").expect("write");
    let blocklist = Arc::new(Blocklist::read(&path).expect("a list"));
    let targets = targets("10.0.0.0/24");
    let mut schedule = Schedule::resume(targets, 1, aims(), blocklist.clone(), Kept::default(), BEGAN);
    let half = BEGAN.plus(6 * DAY);
    run(&mut schedule, BEGAN, half, |job, _| found(job, |_| true));
    assert_eq!(standing(&schedule, half).hosts, 256);
    std::fs::write(&path, "10.0.0.0/25\n").expect("write");
    blocklist.reload().expect("a list");
    let gone = |address: IpAddr| blocklist.blocks(address);
    run(&mut schedule, half, BEGAN.plus(12 * DAY), |job, _| {
        assert!(!gone(job.address), "{job:?}");
        found(job, |_| true)
    });
    assert_eq!(standing(&schedule, half).hosts, 128);
    let forgotten = schedule.take_changes().hosts.into_iter().filter(|(_, record)| record.is_none()).count();
    assert_eq!(forgotten, 128);
}

#[test]
fn silence_while_the_canaries_are_silent_too_is_our_own() {
    let targets = targets("10.0.0.0/24");
    let mut schedule = begin(&targets, 1, &aims(), Kept::default());
    schedule.heed_canaries();
    let mut now = BEGAN;
    let (cut, mended) = (BEGAN.plus(DAY), BEGAN.plus(DAY + hours(6)));
    let mut asked = BEGAN;
    let mut calls_while_known = 0;
    while now < BEGAN.plus(5 * DAY) {
        let up = now < cut || now >= mended;
        if now.since(asked) >= Duration::from_secs(30) {
            asked = now;
            if up { schedule.canaries_answered(now, now) } else { schedule.canaries_silent(now) }
        }
        match schedule.turn(now) {
            Turn::Go(job) => {
                calls_while_known += u32::from(!up);
                let outcome = found(&job, |_| up);
                schedule.finish(job, outcome, now);
            }
            Turn::Wait(moment) => now = moment.max(Moment(now.0 + 1)).min(asked.plus(Duration::from_secs(30))),
        }
    }
    let standing = standing(&schedule, now);
    assert_eq!((standing.hosts, standing.doubted, standing.counts.offline), (256, 0, 0));
    assert!(calls_while_known <= 1, "{calls_while_known} calls went out though nothing could come back");
}

#[test]
fn a_failure_of_our_own_says_nothing_of_a_host() {
    let targets = targets("10.0.0.0/28");
    let mut schedule = begin(&targets, 2, &aims(), Kept::default());
    // What is tried again takes places of the pace, so that the pass may be a little late.
    let until = BEGAN.plus(4 * DAY + hours(12));
    let mut failed = BTreeSet::new();
    run(&mut schedule, BEGAN, until, |job, _| if failed.insert((job.host, job.ports)) { Outcome::default() } else { found(job, |_| true) });
    let standing = standing(&schedule, until);
    assert_eq!((standing.hosts, standing.doubted), (16, 0));
    assert!(standing.counts.ours >= 32);
    assert!((0..16).all(|host| schedule.known.host(host).is_some_and(|record| record.ports.count() == 2)));
}

#[test]
fn who_is_asked_for_comes_before_all_others() {
    let targets = targets("10.0.0.0/20");
    let mut schedule = begin(&targets, 3, &aims(), Kept::default());
    assert_eq!(schedule.ask_for([[10, 0, 3, 3].into(), [192, 168, 0, 1].into()]), 1);
    let Turn::Go(job) = schedule.turn(BEGAN) else { panic!("nothing to do") };
    assert_eq!((job.lane, job.address, job.ports.count()), (Lane::Asked, IpAddr::from([10, 0, 3, 3]), 3));
}

#[test]
fn a_network_that_prohibits_is_left_alone_for_the_cycle() {
    let (targets, aims) = (targets("10.0.0.0/22"), Aims { cycle: DAY, ..aims() });
    let mut schedule = begin(&targets, 4, &aims, Kept::default());
    let unwelcome: IpAddr = [10, 0, 1, 0].into();
    let in_network = |address: IpAddr| matches!((address, unwelcome), (IpAddr::V4(a), IpAddr::V4(b)) if a.octets()[..3] == b.octets()[..3]);
    let mut calls = 0;
    run(&mut schedule, BEGAN, BEGAN.plus(DAY), |job, _| {
        let prohibited = in_network(job.address);
        calls += u32::from(prohibited);
        Outcome { prohibited, ..found(job, |_| false) }
    });
    assert_eq!(calls, 4, "one call, and one after each rest");
    let standing = standing(&schedule, BEGAN.plus(DAY));
    assert_eq!(standing.counts.left_alone, 4 * 256 - 4);
    assert_eq!(standing.counts.calls.iter().sum::<u64>(), 4 * 4 * 256 - standing.counts.left_alone);
}

#[test]
fn a_rate_holds_for_all_lanes_together() {
    let targets = targets("10.0.0.0/18");
    let aims = Aims {
        rate: NonZeroU32::new(5),
        cycle: hours(1),
        manners: Manners { network_gap: Duration::ZERO, ..Manners::default() },
        ..aims()
    };
    let mut schedule = begin(&targets, 1, &aims, Kept::default());
    schedule.ask_for((0..100).filter_map(|index| targets.at(index)));
    let mut by_second: BTreeMap<u32, u32> = BTreeMap::new();
    run(&mut schedule, BEGAN, BEGAN.plus(Duration::from_secs(60)), |job, now| {
        *by_second.entry(now.second()).or_default() += 1;
        found(job, |_| false)
    });
    assert!(by_second.values().all(|calls| *calls <= 6), "{by_second:?}");
    // The hundred that were asked for, and then the pass at the pace of its cycle, which is 4.7 a second.
    assert!(by_second.values().sum::<u32>() >= 280, "{by_second:?}");
}

#[test]
fn a_rate_that_is_too_low_for_the_cycle_starves_no_lane() {
    let targets = targets("10.0.0.0/22");
    let manners = Manners { network_gap: Duration::ZERO, ..Manners::default() };
    // Renewals alone would need twice the rate.
    let aims = Aims { rate: NonZeroU32::new(1), cycle: Duration::from_secs(512), manners, ..aims() };
    let mut schedule = begin(&targets, 1, &aims, Kept::default());
    let mut now = BEGAN;
    while !schedule.cycle_is_through() {
        match schedule.turn(now) {
            Turn::Go(job) => schedule.finish(job, found(&job, |_| true), now),
            Turn::Wait(moment) => now = moment.max(Moment(now.0 + 1)),
        }
    }
    assert!(now.since(BEGAN) < Duration::from_secs(3 * 1024), "{:?}", now.since(BEGAN));
    assert!(standing(&schedule, now).counts.calls[Lane::Refresh as usize] > 100);
}
