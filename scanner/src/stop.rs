//! Ending a scan early: one flag that everyone who waits can see.

use tokio::sync::watch;

/// Set once, seen by all clones. Conversations that are going on end as [`ksig_schema::Ended::Stopped`] and are handed over like all others.
#[derive(Clone, Debug)]
pub struct Stop {
    flag: watch::Sender<bool>,
}

impl Default for Stop {
    fn default() -> Stop {
        Stop { flag: watch::Sender::new(false) }
    }
}

impl Stop {
    /// Not stopped yet.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// Stops.
    pub fn stop(&self) {
        self.flag.send_replace(true);
    }

    /// Whether it has been stopped.
    pub fn is_stopped(&self) -> bool {
        *self.flag.borrow()
    }

    /// Waits until it is stopped. Holds no reference to this value.
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut flag = self.flag.subscribe();
        async move {
            // An error says that every sender is gone: then nobody can stop any more.
            if flag.wait_for(|stopped| *stopped).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
