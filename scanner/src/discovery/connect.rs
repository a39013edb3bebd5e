//! Asking by connections: the system makes each, and it is closed as soon as it stands.
//!
//! In: a run's course. Out: its answers. As many at a time as the descriptors allow. What a router calls prohibited, the system tells as unreachable.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ksig_schema::Ended;
use tokio::task::JoinSet;

use super::course::Course;
use super::{Answer, DiscoverCounts, DiscoverError, PortState};
use crate::limits::conversations_max;
use crate::patience::Patience;
use crate::stop::Stop;
use crate::talk::connect;

/// How long the loop rests where nothing came: no longer than a slow timer is late.
const REST: Duration = Duration::from_millis(1);

/// Runs a course.
pub(super) fn run<T: FnMut(&DiscoverCounts)>(
    course: Course<'_, T>,
    stop: &Stop,
    answered: impl FnMut(Answer),
) -> Result<DiscoverCounts, DiscoverError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(DiscoverError::Network)?;
    Ok(runtime.block_on(ask(course, stop, answered)))
}

async fn ask<T: FnMut(&DiscoverCounts)>(mut course: Course<'_, T>, stop: &Stop, mut answered: impl FnMut(Answer)) -> DiscoverCounts {
    let most = conversations_max();
    let mut calls = JoinSet::new();
    let mut whole = false;
    while !whole && !stop.is_stopped() {
        let now = Instant::now();
        let room = course.allowed(now).min(most - calls.len());
        for _ in 0..room {
            let Some(place) = course.next() else { break };
            calls.spawn(call(place.into(), course.options.cooldown, stop.clone()));
            course.counts.sent += 1;
            course.begun(1, now);
        }
        tokio::select! {
            Some(ended) = calls.join_next() => {
                let mut next = Some(ended);
                while let Some(ended) = next {
                    let (place, ended) = ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
                    take(&mut course, place, ended, &mut answered);
                    next = calls.try_join_next();
                }
            }
            () = tokio::time::sleep(REST) => {}
        }
        course.tell(now);
        whole = course.all_begun() && calls.is_empty();
    }
    // Whoever is still being called when the run is stopped is called again by the next one.
    course.end(whole)
}

/// How a connection to a place went: absent when it stood.
async fn call(place: SocketAddr, wait: Duration, stop: Stop) -> (SocketAddr, Option<Ended>) {
    let mut patience = Patience::new(&stop);
    (place, connect(place, tokio::time::Instant::now() + wait, &mut patience).await.err())
}

fn take<T: FnMut(&DiscoverCounts)>(course: &mut Course<'_, T>, place: SocketAddr, ended: Option<Ended>, answered: &mut impl FnMut(Answer)) {
    let state = match ended {
        None => PortState::Open,
        Some(Ended::Refused | Ended::Reset) => PortState::Closed,
        Some(Ended::Unreachable) => PortState::Unreachable,
        Some(Ended::Local) => {
            course.counts.local += 1;
            return;
        }
        // Silent.
        Some(_) => return,
    };
    let answer = Answer { address: place.ip(), port: place.port(), state };
    course.count(&answer);
    answered(answer);
}
