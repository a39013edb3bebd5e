//! Waiting with an end: for one future at a time, until a deadline, or until the scan is stopped.
//!
//! One timer serves all conversations of a worker. It is moved only when it fires too early or stands too late, so that a conversation
//! that goes well costs no timer at all.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use crate::stop::Stop;

/// Why a wait was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// The deadline passed.
    TimedOut,
    /// The scan was stopped.
    Stopped,
}

pub(crate) struct Patience {
    sleep: Pin<Box<Sleep>>,
    deadline: Instant,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_stopped: bool,
}

impl Patience {
    /// Must be made inside a runtime with time.
    pub fn new(stop: &Stop) -> Patience {
        let sleep = Box::pin(sleep(Duration::ZERO));
        Patience { deadline: sleep.deadline(), sleep, stopped: Box::pin(stop.stopped()), is_stopped: false }
    }

    /// The output of the future, unless the deadline or a stop comes first. A future that is ready wins.
    pub async fn until<F: Future>(&mut self, deadline: Instant, future: F) -> Result<F::Output, Interruption> {
        self.deadline = deadline;
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            self.is_stopped = self.is_stopped || self.stopped.as_mut().poll(context).is_ready();
            if self.is_stopped {
                return Poll::Ready(Err(Interruption::Stopped));
            }
            if self.sleep.deadline() > self.deadline {
                self.sleep.as_mut().reset(self.deadline);
            }
            while self.sleep.as_mut().poll(context).is_ready() {
                if self.sleep.deadline() >= self.deadline {
                    return Poll::Ready(Err(Interruption::TimedOut));
                }
                self.sleep.as_mut().reset(self.deadline);
            }
            Poll::Pending
        })
        .await
    }

    /// Waits for a moment; an error says that the scan was stopped before.
    pub async fn wait(&mut self, moment: Instant) -> Result<(), Interruption> {
        match self.until(moment, std::future::pending::<()>()).await {
            Err(Interruption::Stopped) => Err(Interruption::Stopped),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn deadlines_may_move_both_ways() {
        let stop = Stop::new();
        let mut patience = Patience::new(&stop);
        let start = Instant::now();
        for seconds in [5, 2, 9, 1] {
            let begun = Instant::now();
            patience.wait(begun + Duration::from_secs(seconds)).await.expect("nobody stops");
            assert_eq!(begun.elapsed().as_secs(), seconds);
        }
        assert_eq!(start.elapsed().as_secs(), 17);
        assert_eq!(patience.until(start, async { 7 }).await, Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_every_wait_at_once_and_for_good() {
        let stop = Stop::new();
        let mut patience = Patience::new(&stop);
        let later = Instant::now() + Duration::from_secs(3600);
        stop.stop();
        for _ in 0..2 {
            assert_eq!(patience.wait(later).await, Err(Interruption::Stopped));
        }
    }
}
