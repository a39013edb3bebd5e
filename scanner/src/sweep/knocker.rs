//! Discovery by packets: one SYN to a port, and later what came of it.
//!
//! In: jobs of discovery, each for one port. Out: each of them once, with the state of its port, or with none when nothing came in time. Never waits:
//! whoever sweeps looks in again and again. Absent: who may be called, and when.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::known::Found;
use super::schedule::{Job, Outcome};
use crate::discovery::wire::{Incoming, Wire};
use crate::discovery::{Answer, DiscoverError, LinkHints, PortState};

/// Knocks that are out at a time, at most.
const OUT_MAX: usize = 1 << 17;

/// How a sweep knocks.
#[derive(Clone, Debug, Default)]
pub struct Knocking {
    /// From where packets go out, as far as it is said.
    pub link: LinkHints,
    /// How long an answer is waited for.
    pub patience: Duration,
}

/// Knocks, and knows who has not answered yet.
pub(super) struct Knocker {
    wire: Wire,
    patience: Duration,
    of_v4: bool,
    /// Who has not answered yet, each with the moment at which he is given up.
    out: HashMap<(IpAddr, u16), (Job, Instant)>,
    /// The same in the order in which they went out.
    order: VecDeque<(Instant, IpAddr, u16)>,
}

impl Knocker {
    /// The way out is that towards `first`.
    pub fn open(knocking: &Knocking, first: IpAddr) -> Result<Knocker, DiscoverError> {
        if first.is_loopback() {
            return Err(DiscoverError::Loopback);
        }
        let wire = Wire::towards(&knocking.link, first)?;
        Ok(Knocker { wire, patience: knocking.patience, of_v4: first.is_ipv4(), out: HashMap::new(), order: VecDeque::new() })
    }

    /// Whether an address can be reached by the link: its packets are of one family, and none comes to this machine itself.
    pub fn reaches(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.of_v4 && !address.is_loopback()
    }

    /// Whether one more knock may go out.
    pub fn has_room(&self) -> bool {
        self.wire.has_room() && self.out.len() < OUT_MAX
    }

    /// Whether nobody's answer is waited for.
    pub fn is_idle(&self) -> bool {
        self.out.is_empty()
    }

    /// Knocks at a port; there must be room.
    pub fn knock(&mut self, job: Job, port: u16, now: Instant) {
        self.wire.fill(job.address, port);
        let until = now + self.patience;
        self.out.insert((job.address, port), (job, until));
        self.order.push_back((until, job.address, port));
    }

    /// Sends what is filled, as far as the system has room, and takes what came; gives the jobs whose ports answered, or have been waited for.
    pub fn turn(&mut self, now: Instant) -> io::Result<Vec<(Job, Option<PortState>)>> {
        self.wire.send()?;
        let mut ended = Vec::new();
        let out = &mut self.out;
        // An answer that came late, or once more, belongs to nobody.
        let mut take = |incoming| {
            if let Incoming::Answer(Answer { address, port, state }) = incoming
                && let Some((job, _)) = out.remove(&(address, port))
            {
                ended.push((job, Some(state)));
            }
        };
        while self.wire.receive(&mut take)? > 0 {}
        while let Some((until, address, port)) = self.order.pop_front_if(|(until, ..)| *until <= now) {
            // Whoever answered may have been knocked at once more.
            if self.out.get(&(address, port)).is_some_and(|(_, last)| *last == until)
                && let Some((job, _)) = self.out.remove(&(address, port))
            {
                ended.push((job, None));
            }
        }
        Ok(ended)
    }
}

/// What the state of its port says of a job.
pub(super) fn outcome(job: &Job, state: Option<PortState>) -> Outcome {
    let found = match state {
        Some(PortState::Open) => Found { answered: job.ports, ..Found::default() },
        Some(PortState::Closed) => Found { refused: job.ports, ..Found::default() },
        Some(PortState::Unreachable | PortState::Prohibited) | None => Found { silent: job.ports, ..Found::default() },
    };
    Outcome { found, prohibited: state == Some(PortState::Prohibited) }
}
