//! Asking by SYN: one packet each, and no connection.
//!
//! In: a run's course. Out: its answers, each (address, port, state) once within a window of a million. Nothing is remembered of what was sent: an
//! answer is checked against the keyed number that it repeats. Our system answers a SYN-ACK that it does not expect with a RST by itself, so that no
//! host is left with half a connection.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::course::Course;
use super::wire::{Incoming, Wire};
use super::{Answer, DiscoverCounts, DiscoverError};
use crate::stop::Stop;

/// Answers that are remembered, so that each is told once.
const SEEN_MAX: usize = 1 << 20;
/// How long is waited where nothing is to be done, or the system has no room.
const REST: Duration = Duration::from_millis(1);

/// Runs a course. The link is that towards `first`.
pub(super) fn run<T: FnMut(&DiscoverCounts)>(
    mut course: Course<'_, T>,
    first: IpAddr,
    stop: &Stop,
    mut answered: impl FnMut(Answer),
) -> Result<DiscoverCounts, DiscoverError> {
    let mut wire = Wire::towards(&course.options.link, first)?;
    let mut seen = Seen::default();
    let mut whole = false;
    while !whole && !stop.is_stopped() {
        let now = Instant::now();
        let mut batch = 0;
        for _ in 0..course.allowed(now) {
            let Some((address, port)) = course.next() else { break };
            wire.fill(address, port);
            batch += 1;
        }
        if batch > 0 {
            send(&mut wire, &mut course).map_err(DiscoverError::Network)?;
            course.begun(batch, now);
        }
        let got = wire.receive(|heard| match heard {
            Incoming::Forged => course.counts.forged += 1,
            Incoming::Answer(answer) if !seen.first_time(answer) => course.counts.repeated += 1,
            Incoming::Answer(answer) => {
                course.count(&answer);
                answered(answer);
            }
        });
        let got = got.map_err(DiscoverError::Network)?;
        course.tell(now);
        whole = batch == 0 && course.is_over(now);
        if batch == 0 && got == 0 && !whole {
            std::thread::sleep(REST);
        }
    }
    Ok(course.end(whole))
}

/// Sends all that is filled: where the system has no room, it is waited for.
fn send<T: FnMut(&DiscoverCounts)>(wire: &mut Wire, course: &mut Course<'_, T>) -> io::Result<()> {
    while wire.unsent() > 0 {
        let taken = wire.send()?;
        course.counts.sent += taken as u64;
        if taken == 0 {
            course.counts.waited += 1;
            std::thread::sleep(REST);
        }
    }
    Ok(())
}

/// Answers of late.
#[derive(Default)]
struct Seen {
    answers: HashSet<Answer>,
    order: VecDeque<Answer>,
}

impl Seen {
    fn first_time(&mut self, answer: Answer) -> bool {
        if !self.answers.insert(answer) {
            return false;
        }
        self.order.push_back(answer);
        if self.order.len() > SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
        true
    }
}
