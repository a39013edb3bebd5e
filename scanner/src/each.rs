//! One conversation of which each message has a TCP connection of its own, under limits.
//!
//! In: whom to ask, what to say, how long and how much. Out: the answers one after the other, each behind its length in four bytes (that of
//! a connection without an answer is 0), whether there was any connection, and the one reason why it ended.

use std::net::SocketAddr;
use std::time::Duration;

use ksig_protocols::{Conversation, Limits, PeerState, Step};
use ksig_schema::Ended;
use tokio::time::Instant;

use crate::host::Scan;
use crate::patience::Patience;
use crate::talk::{Bytes, connect, talk};

/// Bytes of an answer's length.
const LENGTH_BYTES: usize = 4;

/// Says one message after the other. Where the first connection does not come about, nothing more is tried.
pub(crate) async fn talk_each(
    scan: &Scan,
    to: SocketAddr,
    conversation: &mut dyn Conversation,
    limits: &Limits,
    patience: &mut Patience,
    bytes: &mut Bytes,
) -> (bool, Ended) {
    let connect_for = Duration::from_millis(scan.options.limits.connect_ms);
    let end = Instant::now() + Duration::from_millis(limits.total_ms);
    let mut connected = false;
    let mut answer = Bytes::default();
    loop {
        let request = match conversation.next(&bytes.received, PeerState::Open) {
            Step::Send(request) => request,
            Step::Read | Step::Done => return (connected, conversation.ended(&bytes.received, PeerState::Open)),
        };
        if !bytes.sent.is_empty()
            && let Err(ended) = scan.turn(to.ip(), patience).await
        {
            return (connected, ended);
        }
        bytes.sent.extend_from_slice(&request);
        let room = limits.response_bytes_max.saturating_sub(bytes.received.len() + LENGTH_BYTES);
        let ended = match connect(to, end.min(Instant::now() + connect_for), patience).await {
            Ok(mut tcp) => {
                connected = true;
                let left = u64::try_from(end.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(u64::MAX);
                let limits = Limits { response_bytes_max: room, total_ms: left.min(limits.total_ms), ..*limits };
                let mut one = One { request: Some(request), whole: conversation };
                talk(&mut tcp, &mut one, &limits, patience, &mut answer).await
            }
            Err(ended) if !connected => return (false, ended),
            Err(ended) => ended,
        };
        if let Some(enough) = conversation.enough(&answer.received) {
            answer.received.truncate(enough);
        }
        let length = u32::try_from(answer.received.len()).expect("an answer is no longer than its limit, some thousand bytes");
        bytes.received.extend_from_slice(&length.to_be_bytes());
        bytes.received.extend_from_slice(&answer.received);
        answer.clear();
        match ended {
            // Says nothing of the peer, so the answer that is missing would be a false one.
            Ended::Stopped | Ended::Local => return (connected, ended),
            _ if Instant::now() >= end => return (connected, Ended::Timeout),
            _ if bytes.received.len() + LENGTH_BYTES >= limits.response_bytes_max => {
                return match conversation.next(&bytes.received, PeerState::Open) {
                    Step::Done => (connected, conversation.ended(&bytes.received, PeerState::Open)),
                    _ => (connected, Ended::Cap),
                };
            }
            _ => {}
        }
    }
}

/// The part of a conversation that one connection carries: a message, and as much of its answer as is wanted.
struct One<'c> {
    request: Option<Vec<u8>>,
    whole: &'c mut dyn Conversation,
}

impl Conversation for One<'_> {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        match self.request.take() {
            Some(request) => Step::Send(request),
            None if state == PeerState::Open && self.whole.enough(received).is_none() => Step::Read,
            None => Step::Done,
        }
    }

    fn limits(&self) -> Limits {
        self.whole.limits()
    }
}
