//! The simplest conversation, which most protocols hold: one message, or none, and listening until the answer is enough.
//!
//! In: the message, and whether an answer so far lacks something. Out: a [`Conversation`]. It ends as well when the peer closes or falls silent.

use crate::conversation::{Conversation, Limits, PeerState, Step};

/// Says a message, if there is one, and listens while `lacks` holds of what was received.
pub fn ask<L>(message: Option<Vec<u8>>, limits: Limits, lacks: L) -> Box<dyn Conversation>
where
    L: Fn(&[u8]) -> bool + Send + 'static,
{
    Box::new(Ask { message, limits, lacks })
}

/// Says a message and takes all that comes until the peer is silent: how many answers there are, nobody says.
pub fn ask_all(message: Vec<u8>, limits: Limits) -> Box<dyn Conversation> {
    ask(Some(message), limits, |_| true)
}

struct Ask<L> {
    /// Taken when it was sent.
    message: Option<Vec<u8>>,
    limits: Limits,
    lacks: L,
}

impl<L: Fn(&[u8]) -> bool + Send> Conversation for Ask<L> {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        match self.message.take() {
            Some(message) => Step::Send(message),
            None if state == PeerState::Open && (self.lacks)(received) => Step::Read,
            None => Step::Done,
        }
    }

    fn limits(&self) -> Limits {
        self.limits
    }
}
