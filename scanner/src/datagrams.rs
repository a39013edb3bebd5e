//! One conversation over UDP, under limits.
//!
//! In: whom to ask, what to say, how long and how much. Out: the payloads that came, one after the other, and the one reason why it ended.
//!
//! Each conversation has a socket of its own that is connected to its peer, so that the kernel passes over what comes from another address
//! or port, and a late answer finds nobody. A message that meets silence may have been lost and is said again, spaced out
//! ([`Delivery::sends`]); a payload that came already is not kept a second time, for it answers the same question.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use ksig_protocols::{Conversation, Limits, PeerState, Step};
use ksig_schema::{Delivery, Ended};
use tokio::net::UdpSocket;
use tokio::time::Instant;

use crate::host::Scan;
use crate::patience::{Interruption, Patience};
use crate::talk::{Bytes, LocalTries, interrupted, not_connected};

/// Most datagrams that one conversation takes, whatever is in them.
const DATAGRAMS_MAX: usize = 64;
/// The largest payload of UDP over IPv4, and of any that is not fragmented.
const PAYLOAD_BYTES_MAX: usize = 65_535;

/// Asks and listens until the conversation is done, the peer refuses, or a limit ends it.
pub(crate) async fn talk(
    scan: &Scan,
    to: SocketAddr,
    conversation: &mut dyn Conversation,
    limits: &Limits,
    patience: &mut Patience,
    bytes: &mut Bytes,
) -> Ended {
    let socket = match socket(to, patience).await {
        Ok(socket) => socket,
        Err(ended) => return ended,
    };
    let end = Instant::now() + Duration::from_millis(limits.total_ms);
    let mut message = Message::new(Vec::new());
    let mut came = Came::default();
    let mut state = PeerState::Open;
    loop {
        match conversation.next(&bytes.received, state) {
            Step::Done => return conversation.ended(&bytes.received, state),
            _ if state == PeerState::Closed => return Ended::Eof,
            Step::Send(request) => {
                // The conversation itself had its turn; what it says later takes its own.
                if message.sends > 0
                    && let Err(ended) = scan.turn(to.ip(), patience).await
                {
                    return ended;
                }
                message = Message::new(request);
                if let Err(ended) = message.send(&socket, end, limits, patience, bytes).await {
                    return ended;
                }
                state = PeerState::Open;
            }
            Step::Read if bytes.received.len() >= limits.response_bytes_max || came.count >= DATAGRAMS_MAX => return Ended::Cap,
            Step::Read => {
                let deadline = match state {
                    PeerState::Silent => end,
                    _ if message.answered => end.min(Instant::now() + Duration::from_millis(limits.silence_ms)),
                    _ => end.min(message.silent_at),
                };
                state = match patience.until(deadline, came.take(&socket, limits, &mut bytes.received)).await {
                    Ok(Ok(())) => {
                        message.answered = true;
                        PeerState::Open
                    }
                    // A port that refuses after it has answered says no more: what came counts.
                    Ok(Err(_)) if !bytes.received.is_empty() => PeerState::Closed,
                    Ok(Err(error)) => return not_connected(&error),
                    Err(Interruption::TimedOut) if deadline == end => return Ended::Timeout,
                    Err(Interruption::TimedOut) if !message.answered && message.sends < Delivery::Datagrams.sends() => {
                        if let Err(ended) = scan.turn(to.ip(), patience).await {
                            return ended;
                        }
                        if let Err(ended) = message.send(&socket, end, limits, patience, bytes).await {
                            return ended;
                        }
                        PeerState::Open
                    }
                    Err(Interruption::TimedOut) => PeerState::Silent,
                    Err(interruption) => return interrupted(interruption),
                };
            }
        }
    }
}

/// What was said last.
struct Message {
    bytes: Vec<u8>,
    sends: usize,
    /// Something came after it.
    answered: bool,
    /// If nothing has come by then, it is said again, or the peer is silent.
    silent_at: Instant,
}

impl Message {
    fn new(bytes: Vec<u8>) -> Message {
        Message { bytes, sends: 0, answered: false, silent_at: Instant::now() }
    }

    /// Sends it once more, and sets the moment until which its answer is waited for: the time for a first byte, shared among all its sends.
    async fn send(
        &mut self,
        socket: &UdpSocket,
        end: Instant,
        limits: &Limits,
        patience: &mut Patience,
        bytes: &mut Bytes,
    ) -> Result<(), Ended> {
        bytes.sent.extend_from_slice(&self.bytes);
        self.sends += 1;
        let sent = patience.until(end, socket.send(&self.bytes)).await.map_err(interrupted)?;
        self.silent_at = Instant::now() + Duration::from_millis(limits.first_byte_ms) / Delivery::Datagrams.sends() as u32;
        match sent {
            Ok(_) => Ok(()),
            // The refusal of an earlier datagram is told here; the next read tells it again if it counts.
            Err(_) if !bytes.received.is_empty() => Ok(()),
            Err(error) => Err(not_connected(&error)),
        }
    }
}

/// The datagrams so far.
#[derive(Default)]
struct Came {
    count: usize,
    /// Where each that was kept stands in what was received.
    kept: Vec<Range<usize>>,
}

impl Came {
    /// Waits for the next datagram and appends it, as far as there is room, unless its like came already.
    async fn take(&mut self, socket: &UdpSocket, limits: &Limits, received: &mut Vec<u8>) -> io::Result<()> {
        loop {
            socket.readable().await?;
            match self.try_take(socket, limits, received) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
        }
    }

    /// Not a future, so that the room for the largest datagram stands on the stack only while it is read.
    fn try_take(&mut self, socket: &UdpSocket, limits: &Limits, received: &mut Vec<u8>) -> io::Result<()> {
        let mut room = [0; PAYLOAD_BYTES_MAX];
        let length = socket.try_recv(&mut room)?;
        let payload = &room[..length.min(limits.response_bytes_max.saturating_sub(received.len()))];
        self.count += 1;
        if !self.kept.iter().any(|range| received[range.clone()] == *payload) {
            self.kept.push(received.len()..received.len() + payload.len());
            received.extend_from_slice(payload);
        }
        Ok(())
    }
}

/// A socket that speaks with one peer alone; an error is the way in which the conversation ended before it began.
async fn socket(to: SocketAddr, patience: &mut Patience) -> Result<UdpSocket, Ended> {
    let mut tries = LocalTries::default();
    loop {
        match socket_once(to).await.map_err(|error| not_connected(&error)) {
            Err(Ended::Local) if tries.again(patience).await? => {}
            outcome => return outcome,
        }
    }
}

async fn socket_once(to: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(to).await?;
    Ok(socket)
}
