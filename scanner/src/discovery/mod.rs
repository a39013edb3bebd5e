//! Discovery: which ports of a target set take connections, by one SYN each, without a connection.
//!
//! | module | holds |
//! |---|---|
//! | `packet` | SYNs and their answers as bytes |
//! | `cookie` | sequence numbers that prove whom a packet went to |
//! | `link` | interface, addresses, next hop |
//! | [`discover`] | the loop: send a batch at the pace, take the answers, cool down |
//!
//! In: a target set, ports, a pace. Out: [`Answer`]s through a callback, each (address, port, state) once within a window of a million. Nothing is
//! remembered of what was sent: an answer is checked against the keyed number that it repeats. Our system answers a SYN-ACK that it does not expect
//! with a RST by itself, so that no host is left with half a connection.

mod cookie;
mod link;
mod packet;

use std::collections::{HashSet, VecDeque};
use std::io;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use link::{Link, LinkHints, parse_mac};
pub use packet::{Mac, PortState};

use crate::blocklist::Blocklist;
use crate::order::Permutation;
use crate::raw::{BATCH, Frames, Instruction, PacketSocket};
use crate::stop::Stop;
use crate::targets::TargetSet;
use cookie::CookieKey;
use packet::{IPV4, IPV6, Reply, Source, Template};

/// What a discovery does.
#[derive(Clone)]
pub struct DiscoverOptions {
    /// Whom; all of one address family.
    pub targets: TargetSet,
    /// Where.
    pub ports: Vec<u16>,
    /// Who must not be called.
    pub blocklist: Arc<Blocklist>,
    /// Packets a second.
    pub rate: NonZeroU32,
    /// How long answers are waited for after the last packet.
    pub cooldown: Duration,
    /// The key of the order.
    pub order_key: u64,
    /// The part of the order: every `count`-th place, beginning with the `index`-th from 0.
    pub shard: (u64, u64),
    /// Places of the shard that are passed over, because an earlier run had them.
    pub skip: u64,
    /// From where packets go out, as far as it is said.
    pub link: LinkHints,
}

/// An answer to one of our packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// Whose port.
    pub address: IpAddr,
    /// Which.
    pub port: u16,
    /// What came.
    pub state: PortState,
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiscoverCounts {
    /// Places of the shard, the skipped ones too.
    pub places: u64,
    /// Places that are through: skipped, sent or blocked.
    pub through: u64,
    /// Places whose answers have been waited for as well: a run that ends goes on behind them.
    pub settled: u64,
    /// Packets that the system took.
    pub sent: u64,
    /// Places that the blocklist names.
    pub blocked: u64,
    /// Ports that take connections.
    pub open: u64,
    /// Ports that refuse.
    pub closed: u64,
    /// Places that a router calls unreachable.
    pub unreachable: u64,
    /// Places that we are not allowed to reach.
    pub prohibited: u64,
    /// Answers that came once more.
    pub repeated: u64,
    /// Frames that look like answers, and repeat no number of ours.
    pub forged: u64,
    /// How often the system had no room for packets; none was counted as sent.
    pub waited: u64,
}

/// Why a discovery did not begin, or broke off.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The targets stand for a network in memory.
    #[error("these targets are a simulation: nobody may be called")]
    Simulated,
    /// No port.
    #[error("no port is named")]
    NoPorts,
    /// The way out is not known.
    #[error("{0}")]
    Link(String),
    /// The system does not let us.
    #[error("packets cannot be sent: {0} (CAP_NET_RAW is needed)")]
    NotAllowed(io::Error),
    /// The network failed.
    #[error("the network failed: {0}")]
    Network(io::Error),
}

/// Answers that are remembered, so that each is told once.
const SEEN_MAX: usize = 1 << 20;
/// Time that passed unused counts for later, up to so much.
const SAVED_MAX: Duration = Duration::from_millis(10);
/// Our ports are above those that the system gives to others.
const OUR_PORTS: std::ops::Range<u16> = 61_000..65_000;
/// How often a watcher is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// Sends one SYN to every place and takes what comes back. Runs on its own thread until all places and the cool-down are through, or it is stopped.
/// Callbacks: `answered` for each answer, `told` with the counts now and then and at the end.
pub fn discover(
    options: &DiscoverOptions,
    stop: &Stop,
    mut answered: impl FnMut(Answer),
    mut told: impl FnMut(&DiscoverCounts),
) -> Result<DiscoverCounts, DiscoverError> {
    if options.targets.is_simulated() {
        return Err(DiscoverError::Simulated);
    }
    let first = options.targets.at(0).filter(|_| !options.ports.is_empty()).ok_or(DiscoverError::NoPorts)?;
    let link = link::find(&options.link, first).map_err(DiscoverError::Link)?;
    let mut wire = Wire::open(&link).map_err(DiscoverError::NotAllowed)?;
    let mut places = Places::new(options);
    let mut counts = DiscoverCounts { places: places.count, through: places.next, settled: places.next, ..DiscoverCounts::default() };
    let mut pace = Pace { gap_ns: 1_000_000_000 / u64::from(options.rate.get()), ahead_ns: 0, at: Instant::now() };
    let mut settling: VecDeque<(Instant, u64)> = VecDeque::new();
    let mut next_told = Instant::now();
    let mut last_sent = Instant::now();
    while !stop.is_stopped() {
        let now = Instant::now();
        let allowed = pace.allowed(now);
        let batch = wire.fill(allowed, || places.next(options, &mut counts));
        if batch > 0 {
            wire.send(batch, &mut counts).map_err(DiscoverError::Network)?;
            pace.spend(batch as u64);
            last_sent = now;
        }
        let got = wire.receive(&mut counts, &mut answered).map_err(DiscoverError::Network)?;
        if now >= next_told {
            next_told = now + TELL_EVERY;
            counts.through = places.next;
            settling.push_back((now + options.cooldown, places.next));
            while let Some((_, settled)) = settling.pop_front_if(|(moment, _)| *moment <= now) {
                counts.settled = settled;
            }
            told(&counts);
        }
        if batch == 0 && places.next == places.count && now.duration_since(last_sent) >= options.cooldown {
            counts.settled = places.count;
            break;
        }
        if batch == 0 && got == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    counts.through = places.next;
    told(&counts);
    Ok(counts)
}

/// The places of a shard, in their order.
struct Places {
    order: Permutation,
    ports: u64,
    index: u64,
    step: u64,
    next: u64,
    count: u64,
}

impl Places {
    fn new(options: &DiscoverOptions) -> Places {
        let ports = options.ports.len() as u64;
        let order = Permutation::new(options.targets.count() * ports, options.order_key);
        let (index, step) = (options.shard.0, options.shard.1.max(1));
        let count = order.size().saturating_sub(index).div_ceil(step);
        Places { order, ports, index, step, next: options.skip.min(count), count }
    }

    /// The next place that the blocklist does not name at this moment: the last line before the packet.
    fn next(&mut self, options: &DiscoverOptions, counts: &mut DiscoverCounts) -> Option<(IpAddr, u16)> {
        while self.next < self.count {
            let number = self.order.at(self.index + self.next * self.step)?;
            self.next += 1;
            let address = options.targets.at(number / self.ports)?;
            if !options.blocklist.blocks(address) {
                return Some((address, options.ports[(number % self.ports) as usize]));
            }
            counts.blocked += 1;
        }
        None
    }
}

/// How many packets may go out.
struct Pace {
    gap_ns: u64,
    /// Nanoseconds by which we are ahead of `at`.
    ahead_ns: u64,
    at: Instant,
}

impl Pace {
    fn allowed(&mut self, now: Instant) -> usize {
        let passed = u64::try_from(now.duration_since(self.at).as_nanos()).unwrap_or(u64::MAX);
        self.at = now;
        self.ahead_ns = self.ahead_ns.saturating_sub(passed);
        // One packet at least, however slow the pace.
        let saved = self.gap_ns.max(SAVED_MAX.as_nanos() as u64);
        ((saved.saturating_sub(self.ahead_ns)) / self.gap_ns.max(1)).min(BATCH as u64) as usize
    }

    fn spend(&mut self, packets: u64) {
        self.ahead_ns += packets * self.gap_ns;
    }
}

/// The sockets, the frames, and what was seen.
struct Wire {
    sending: PacketSocket,
    receiving: PacketSocket,
    template: Template,
    key: CookieKey,
    our_port: u16,
    frames: Vec<u8>,
    received: Frames,
    seen: HashSet<Answer>,
    seen_order: VecDeque<Answer>,
}

impl Wire {
    fn open(link: &Link) -> io::Result<Wire> {
        let random = Permutation::random_key()?;
        let our_port = OUR_PORTS.start + (random % u64::from(OUR_PORTS.end - OUR_PORTS.start)) as u16;
        let source = Source { mac: link.mac, gateway_mac: link.gateway_mac, address: link.source, port: our_port };
        let template = Template::new(&source, (random >> 32) as u32);
        let ethertype = if link.source.is_ipv4() { IPV4 } else { IPV6 };
        Ok(Wire {
            sending: PacketSocket::open(link.index, None, &[])?,
            receiving: PacketSocket::open(link.index, Some(ethertype), &filter(link.source, our_port))?,
            frames: vec![0; BATCH * template.frame_bytes()],
            template,
            key: CookieKey::random()?,
            our_port,
            received: Frames::default(),
            seen: HashSet::new(),
            seen_order: VecDeque::new(),
        })
    }

    /// Writes at most so many frames; says how many.
    fn fill(&mut self, allowed: usize, mut place: impl FnMut() -> Option<(IpAddr, u16)>) -> usize {
        let mut count = 0;
        for frame in self.frames.chunks_exact_mut(self.template.frame_bytes()).take(allowed) {
            let Some((address, port)) = place() else { break };
            self.template.fill(frame, address, port, self.key.sequence(address, port));
            count += 1;
        }
        count
    }

    /// Sends that many frames, all of them: where the system has no room, it is waited for.
    fn send(&mut self, count: usize, counts: &mut DiscoverCounts) -> io::Result<()> {
        let frames: Vec<&[u8]> = self.frames.chunks_exact(self.template.frame_bytes()).take(count).collect();
        let mut begun = 0;
        while begun < count {
            match self.sending.send(&frames[begun..]) {
                Ok(sent) => {
                    begun += sent;
                    counts.sent += sent as u64;
                }
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::EAGAIN | libc::EINTR)) => {
                    counts.waited += 1;
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes the answers that wait; says how many frames there were.
    fn receive(&mut self, counts: &mut DiscoverCounts, answered: &mut impl FnMut(Answer)) -> io::Result<usize> {
        let Wire { receiving, received, key, our_port, seen, seen_order, .. } = self;
        receiving.receive(received, |frame| {
            let Some(Reply { address, port, our_port: to, sequence, state }) = packet::reply(frame) else { return };
            if to != *our_port {
                return;
            }
            if sequence != key.sequence(address, port) {
                counts.forged += 1;
                return;
            }
            let answer = Answer { address, port, state };
            if !seen.insert(answer) {
                counts.repeated += 1;
                return;
            }
            seen_order.push_back(answer);
            if seen_order.len() > SEEN_MAX
                && let Some(oldest) = seen_order.pop_front()
            {
                seen.remove(&oldest);
            }
            *match state {
                PortState::Open => &mut counts.open,
                PortState::Closed => &mut counts.closed,
                PortState::Unreachable => &mut counts.unreachable,
                PortState::Prohibited => &mut counts.prohibited,
            } += 1;
            answered(answer);
        })
    }
}

/// Lets through TCP to our port, and the messages of ICMP; nothing else reaches us.
fn filter(source: IpAddr, our_port: u16) -> Vec<Instruction> {
    const LOAD_BYTE: u16 = 0x30;
    const LOAD_SHORT: u16 = 0x28;
    const LOAD_SHORT_BEHIND_HEADER: u16 = 0x48;
    const HEADER_LENGTH: u16 = 0xb1;
    const EQUAL: u16 = 0x15;
    const ANSWER: u16 = 0x06;
    let port = u32::from(our_port);
    match source {
        IpAddr::V4(_) => vec![
            Instruction(LOAD_BYTE, 0, 0, 23),
            Instruction(EQUAL, 4, 0, 1),
            Instruction(EQUAL, 0, 4, 6),
            Instruction(HEADER_LENGTH, 0, 0, 14),
            Instruction(LOAD_SHORT_BEHIND_HEADER, 0, 0, 16),
            Instruction(EQUAL, 0, 1, port),
            Instruction(ANSWER, 0, 0, u32::MAX),
            Instruction(ANSWER, 0, 0, 0),
        ],
        IpAddr::V6(_) => vec![
            Instruction(LOAD_BYTE, 0, 0, 20),
            Instruction(EQUAL, 3, 0, 58),
            Instruction(EQUAL, 0, 3, 6),
            Instruction(LOAD_SHORT, 0, 0, 56),
            Instruction(EQUAL, 0, 1, port),
            Instruction(ANSWER, 0, 0, u32::MAX),
            Instruction(ANSWER, 0, 0, 0),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_together_are_the_whole_and_a_run_goes_on_behind_what_it_skips() {
        let targets: TargetSet = "10.0.0.0/28,10.0.9.7".parse().expect("targets");
        let options = |shard, skip| DiscoverOptions {
            targets: targets.clone(),
            ports: vec![22, 80, 443],
            blocklist: Arc::new(Blocklist::nobody()),
            rate: NonZeroU32::MIN,
            cooldown: Duration::ZERO,
            order_key: 7,
            shard,
            skip,
            link: LinkHints::default(),
        };
        let all = |options: &DiscoverOptions| {
            let (mut places, mut counts) = (Places::new(options), DiscoverCounts::default());
            std::iter::from_fn(|| places.next(options, &mut counts)).collect::<Vec<_>>()
        };
        let whole = all(&options((0, 1), 0));
        assert_eq!(whole.iter().collect::<HashSet<_>>().len(), 51);
        for count in [1, 2, 3, 7, 60] {
            let parts: Vec<_> = (0..count).flat_map(|index| all(&options((index, count), 0))).collect();
            assert_eq!(parts.len(), whole.len());
            assert_eq!(parts.iter().collect::<HashSet<_>>(), whole.iter().collect::<HashSet<_>>());
        }
        assert_eq!(all(&options((1, 2), 9)), all(&options((1, 2), 0))[9..]);
        assert!(all(&options((0, 1), 1000)).is_empty());
    }

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
