//! Weeks of a sweep in minutes: the schedule that `ksig sweep` runs, over a network that exists in memory alone.
//!
//! `cargo bench -p ksig-scanner --bench virtual_time [-- ADDRESSES [PORTS [DAYS [CYCLES]]]]`; without numbers, 190 million addresses, 40 ports, 14
//! days, one cycle, as two scanners with half the set each. One in some three hundred places answers; hosts move to other addresses, networks
//! opt out. Every call is checked as it is made: the gaps of networks and hosts, the rate of autonomous systems, and that nobody who opted out is called.
//! Nothing is sent: a set of simulated targets is refused by whatever opens a socket.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::io::Write as _;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ksig_scanner::sweep::{Aims, Found, Job, Kept, Knock, Lane, Manners, Moment, Outcome, PortSet, Schedule, Systems, Turn};
use ksig_scanner::{Blocklist, TargetSet};

const BEGAN: Moment = Moment(1_800_000_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);
/// Networks that opt out, spread over the time.
const OPT_OUTS: u64 = 60;
/// Systems of the table.
const SYSTEMS: u32 = 200;
/// Calls a second into one system, at most: so many times what the largest one needs.
const SYSTEM_SHARE: f64 = 1.5;

fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// What lives at an address: a function of the address and the moment. One address in twenty has a host with some of the ports open; a host in four
/// moves away within two weeks, and another may come in its place.
fn open(address: u32, port: u8, now: Moment) -> bool {
    let fixed = mix(u64::from(address));
    let moves = fixed.is_multiple_of(4);
    let life = if moves { 14 + fixed % 28 } else { 10_000 };
    let epoch = (now.0 / 86_400_000_000 + fixed % life) / life;
    let host = mix(fixed ^ epoch.wrapping_mul(0x1234_5678_9abc_def1));
    host.is_multiple_of(20) && mix(host ^ u64::from(port)).is_multiple_of(15)
}

/// Blocks of 65,536 addresses spread over the space of unicast addresses.
fn blocks(addresses: u64) -> Vec<String> {
    let count = addresses.div_ceil(65_536);
    (0..count)
        .map(|block| {
            let at = (1 << 8) + block * 50_000 / count.max(1);
            let last = (addresses - block * 65_536).min(65_536) - 1;
            format!("{}.{}.0.0-{}.{}.{}.{}", at >> 8, at & 255, at >> 8, at & 255, last >> 8, last & 255)
        })
        .collect()
}

fn system_of(address: u32) -> u32 {
    (mix(u64::from(address >> 20)) % u64::from(SYSTEMS)) as u32
}

fn systems() -> Systems {
    let table: String = (0..1u32 << 12)
        .map(|block| format!("{}.{}.0.0\t12\t{}\n", block >> 4, (block & 15) << 4, 64_000 + system_of(block << 20)))
        .collect();
    Systems::parse("systems", &table).expect("a table")
}

/// What one scanner did, and whether it kept its promises.
#[derive(Default)]
struct Seen {
    calls: u64,
    visits: u64,
    broken: u64,
    first_broken: Option<String>,
    host_live: HashSet<u32>,
    host_last: HashMap<u32, u64>,
    /// The second of the last call into each system, and how many there were in it.
    system_calls: Vec<(u32, u32)>,
    opted_out: HashSet<u32>,
}

impl Seen {
    fn broken(&mut self, what: &str, job: &Job, now: Moment) {
        self.broken += 1;
        self.first_broken.get_or_insert_with(|| format!("{what}: {job:?} at {now:?}"));
    }
}

/// Milliseconds of the last call into each /24, in a table of its own.
struct Networks(Vec<u32>);

fn v4(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(v4) => u32::from(v4),
        IpAddr::V6(_) => unreachable!("the set is IPv4"),
    }
}

struct Plan {
    ports: u8,
    days: u64,
    cycles: u64,
    system_rate: NonZeroU32,
}

fn run(targets: TargetSet, plan: &Plan, blocklist: &Arc<Blocklist>, path: &Path, index: u32) -> (Seen, Schedule, Moment) {
    let cycle = DAY * plan.days as u32;
    let manners = Manners { system_rate: Some(plan.system_rate), systems: systems(), ..Manners::default() };
    let (network_gap, host_gap) = (manners.network_gap.as_millis() as u32, manners.host_gap.as_micros() as u64);
    let aims = Aims { knock: Knock::Packet, cycle, rate: None, manners, key: 7 + u64::from(index) };
    let end = BEGAN.plus(cycle * plan.cycles as u32);
    let mut schedule = Schedule::resume(targets.clone(), plan.ports, aims, blocklist.clone(), Kept::default(), BEGAN);
    let mut networks = Networks(vec![0; 1 << 24]);
    let mut seen = Seen { system_calls: vec![(0, 0); SYSTEMS as usize], ..Seen::default() };
    // Even over longer times, with a second's worth at once.
    let system_max = 2 * plan.system_rate.get() + 1;
    let mut talking: BinaryHeap<Reverse<(Moment, Job)>> = BinaryHeap::new();
    let opt_out_every = Duration::from_micros(end.since(BEGAN).as_micros() as u64 / OPT_OUTS);
    let (mut next_opt_out, mut opted) = (BEGAN.plus(opt_out_every), String::from("# opted out\n"));
    let mut now = BEGAN;
    let mut kept = BEGAN;
    while now < end {
        if index == 0 && now >= next_opt_out {
            next_opt_out = next_opt_out.plus(opt_out_every);
            let address = v4(targets.at(mix(next_opt_out.0) % targets.count()).expect("a target"));
            seen.opted_out.insert(address >> 8);
            opted.push_str(&format!("{}/24\n", std::net::Ipv4Addr::from(address & !255)));
            std::fs::write(path, &opted).and_then(|()| blocklist.reload().map_err(std::io::Error::other)).expect("a blocklist");
        }
        while talking.peek().is_some_and(|Reverse((ends, _))| *ends <= now) {
            let Some(Reverse((ends, job))) = talking.pop() else { break };
            seen.host_live.remove(&job.host);
            seen.host_last.insert(job.host, ends.0);
            schedule.finish(job, outcome(&job, ends), ends);
        }
        // What changed is taken as a run takes it, so that nothing piles up.
        if now.since(kept) > Duration::from_secs(60) {
            drop(schedule.take_changes());
            seen.host_last.retain(|_, last| now.0 - *last < host_gap);
            kept = now;
        }
        match schedule.turn(now) {
            Turn::Go(job) => {
                seen.calls += 1;
                let address = v4(job.address);
                let ms = (now.since(BEGAN).as_millis() as u32) + network_gap;
                let before = std::mem::replace(&mut networks.0[(address >> 8) as usize], ms);
                if before != 0 && ms < before + network_gap {
                    seen.broken("a network was called too soon", &job, now);
                }
                let (second, calls) = &mut seen.system_calls[system_of(address) as usize];
                (*second, *calls) = if *second == now.second() { (*second, *calls + 1) } else { (now.second(), 1) };
                if *calls > system_max {
                    seen.broken("a system was called too often in a second", &job, now);
                }
                if !seen.opted_out.is_empty() && seen.opted_out.contains(&(address >> 8)) {
                    seen.broken("who opted out was called", &job, now);
                }
                if job.lane == Lane::Discovery {
                    schedule.finish(job, outcome(&job, now), now);
                } else {
                    seen.visits += 1;
                    let too_soon = seen.host_last.get(&job.host).is_some_and(|last| now.0 - last < host_gap);
                    if !seen.host_live.insert(job.host) || too_soon {
                        seen.broken("a host was called too soon", &job, now);
                    }
                    talking.push(Reverse((now.plus(Duration::from_millis(50 + mix(now.0) % 10_000)), job)));
                }
            }
            Turn::Wait(moment) => {
                let soonest = talking.peek().map_or(moment, |Reverse((ends, _))| moment.min(*ends));
                now = soonest.max(Moment(now.0 + 1));
            }
        }
    }
    for Reverse((ends, job)) in talking {
        schedule.finish(job, outcome(&job, ends), ends);
    }
    (seen, schedule, now)
}

fn outcome(job: &Job, now: Moment) -> Outcome {
    let address = v4(job.address);
    let answered: PortSet = job.ports.iter().filter(|port| open(address, *port, now)).collect();
    Outcome { found: Found { answered, silent: job.ports.without(answered), ..Found::default() }, prohibited: false }
}

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.replace('_', "").parse().ok()).collect();
    let number = |at: usize, usual: u64| numbers.get(at).copied().unwrap_or(usual);
    let (addresses, ports, days, cycles) = (number(0, 190_000_000), number(1, 40), number(2, 14), number(3, 1));
    let pace = addresses as f64 * ports as f64 / (days * 86_400) as f64;
    let mut shares = vec![0u64; SYSTEMS as usize];
    blocks(addresses)
        .iter()
        .filter_map(|block| block.split('-').next()?.parse().ok())
        .for_each(|first| shares[system_of(v4(first)) as usize] += 1);
    let largest = shares.iter().copied().max().unwrap_or(1) as f64 / shares.iter().sum::<u64>().max(1) as f64;
    let system_rate = NonZeroU32::new((pace * largest * SYSTEM_SHARE).ceil() as u32).unwrap_or(NonZeroU32::MIN);
    let plan = Plan { ports: ports as u8, days, cycles, system_rate };
    let targets = TargetSet::simulated(blocks(addresses).iter().map(String::as_str)).expect("a set");
    let directory = tempfile::tempdir().expect("a folder");
    let path = directory.path().join("blocklist");
    std::fs::write(&path, "# opted out\n").expect("a blocklist");
    let begun = Instant::now();
    let parts: Vec<(Seen, Schedule, Moment)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2u32)
            .map(|index| {
                // A blocklist each: the opt-outs of one file come at moments of the first one's time.
                let blocklist = Arc::new(Blocklist::read(&path).expect("a blocklist"));
                let (part, plan, path) = (targets.part(index, 2).expect("a half"), &plan, &path);
                scope.spawn(move || run(part, plan, &blocklist, path, index))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a scanner")).collect()
    });
    let seconds = begun.elapsed().as_secs_f64();
    let mut broken = 0;
    for (index, (seen, schedule, now)) in parts.iter().enumerate() {
        let standing = schedule.standing(schedule.ages(*now), *now);
        let (lost, known) = truth(&targets.part(index as u32, 2).expect("a half"), schedule, ports as u8, *now);
        broken += seen.broken;
        println!(
            "scanner {index}: {} places, cycle {}, coverage {:.4}; {} calls, {} of them visits; {} hosts known, {} in doubt, {} services offline",
            standing.places,
            standing.cycle,
            standing.coverage(),
            seen.calls,
            seen.visits,
            standing.hosts,
            standing.doubted,
            standing.counts.offline
        );
        println!(
            "  ages in days: {:?}",
            [standing.ages.p50, standing.ages.p90, standing.ages.p99, standing.ages.max].map(|age| f64::from(age.unwrap_or(0)) / 86_400.0)
        );
        println!(
            "  of 1,000,000 sampled addresses: {known} services of the moment known, {lost} not (moved in since their place was called)"
        );
        println!("  promises broken: {} {}", seen.broken, seen.first_broken.as_deref().unwrap_or_default());
        println!("  blocked {}, left alone {}", standing.counts.blocked, standing.counts.left_alone);
    }
    let calls: u64 = parts.iter().map(|(seen, _, _)| seen.calls).sum();
    println!("{calls} calls of {} simulated days in {seconds:.0} s: {:.1} million a second", days * cycles, calls as f64 / seconds / 1e6);
    let row = serde_json::json!({ "bench": "virtual_time", "addresses": addresses, "ports": ports, "days": days * cycles, "calls": calls, "seconds": seconds, "broken": broken });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench/virtual_time.ndjson");
    let opened = file
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::OpenOptions::new().create(true).append(true).open(&file));
    opened.and_then(|mut file| writeln!(file, "{row}")).expect("the row");
    assert_eq!(broken, 0, "a promise was broken");
}

/// Of sampled addresses: services that are there now and not known, and those that are.
fn truth(targets: &TargetSet, schedule: &Schedule, ports: u8, now: Moment) -> (u64, u64) {
    let (mut lost, mut known) = (0, 0);
    for sample in 0..1_000_000u64 {
        let index = mix(sample) % targets.count();
        let address = targets.at(index).expect("a target");
        let record = schedule.services(address);
        for port in 0..ports {
            if open(v4(address), port, now) {
                if record.contains(port) { known += 1 } else { lost += 1 }
            }
        }
    }
    (lost, known)
}
