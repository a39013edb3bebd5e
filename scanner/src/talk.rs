//! One conversation over one connection, under limits.
//!
//! In: a connection, what to say, how long and how much. Out: the bytes that came and the one reason why it ended. Whatever happens,
//! bytes that came are kept.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use ksig_protocols::{Conversation, Limits, PeerState, Step};
use ksig_schema::Ended;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::patience::{Interruption, Patience};

/// Room for the first read; most answers fit.
const FIRST_READ_BYTES: usize = 4 << 10;
/// A failure of our own machine is tried again so often before it counts.
const LOCAL_TRIES: u32 = 3;
/// Descriptors and ports come back when other conversations end.
const LOCAL_PAUSE: Duration = Duration::from_millis(50);

/// The bytes of a conversation, both ways. Reused from one to the next.
#[derive(Default)]
pub(crate) struct Bytes {
    pub sent: Vec<u8>,
    pub received: Vec<u8>,
    /// What came first where TLS failed, before TLS. Those of the last conversation, until the next one begins.
    pub before_tls: Vec<u8>,
}

impl Bytes {
    /// Bigger buffers are given back after a conversation.
    const KEPT: usize = 64 << 10;

    pub fn clear(&mut self) {
        for buffer in [&mut self.sent, &mut self.received] {
            buffer.clear();
            buffer.shrink_to(Bytes::KEPT);
        }
    }
}

/// Connects; an error is the way in which the conversation ended before it began.
pub(crate) async fn connect(to: SocketAddr, deadline: Instant, patience: &mut Patience) -> Result<TcpStream, Ended> {
    let mut tries = LocalTries::default();
    loop {
        match connect_once(to, deadline, patience).await {
            Err(Ended::Local) if tries.again(patience).await? => {}
            outcome => return outcome,
        }
    }
}

/// How often something failed because of our own machine.
#[derive(Default)]
pub(crate) struct LocalTries(u32);

impl LocalTries {
    /// After one more failure: whether to try again, and not before something may have come back. An error says that the scan was stopped.
    pub async fn again(&mut self, patience: &mut Patience) -> Result<bool, Ended> {
        self.0 += 1;
        if self.0 < LOCAL_TRIES {
            patience.wait(Instant::now() + LOCAL_PAUSE).await.map_err(interrupted)?;
        }
        Ok(self.0 < LOCAL_TRIES)
    }
}

async fn connect_once(to: SocketAddr, deadline: Instant, patience: &mut Patience) -> Result<TcpStream, Ended> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|_| Ended::Local)?;
    let connected = patience.until(deadline, socket.connect(to)).await.map_err(interrupted)?;
    connected.map_err(|error| not_connected(&error))
}

/// How a conversation ended that never had a connection.
pub(crate) fn not_connected(error: &io::Error) -> Ended {
    match error.kind() {
        ErrorKind::ConnectionRefused => Ended::Refused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Ended::Reset,
        ErrorKind::TimedOut => Ended::Timeout,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown | ErrorKind::PermissionDenied => {
            Ended::Unreachable
        }
        // No descriptor, no memory, no free port.
        _ => Ended::Local,
    }
}

/// How a conversation ended whose connection failed. Absent when the peer closed without TLS's goodbye, which is an end like any other.
pub(crate) fn broken(error: &io::Error) -> Option<Ended> {
    match error.kind() {
        ErrorKind::UnexpectedEof => None,
        ErrorKind::InvalidData => Some(Ended::TlsAlert),
        ErrorKind::TimedOut => Some(Ended::Timeout),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Some(Ended::Unreachable),
        _ => Some(Ended::Reset),
    }
}

pub(crate) fn interrupted(interruption: Interruption) -> Ended {
    match interruption {
        Interruption::TimedOut => Ended::Timeout,
        Interruption::Stopped => Ended::Stopped,
    }
}

/// Talks until the conversation is done, the peer ends it, or a limit does.
pub(crate) async fn talk<W>(
    wire: &mut W,
    conversation: &mut dyn Conversation,
    limits: &Limits,
    patience: &mut Patience,
    bytes: &mut Bytes,
) -> Ended
where
    W: AsyncRead + AsyncWrite + Unpin,
{
    let begun = Instant::now();
    let first_byte_by = begun + Duration::from_millis(limits.first_byte_ms);
    let end = begun + Duration::from_millis(limits.total_ms);
    let mut state = PeerState::Open;
    loop {
        match conversation.next(&bytes.received, state) {
            Step::Done => return conversation.ended(&bytes.received, state),
            _ if state == PeerState::Closed => return Ended::Eof,
            Step::Send(request) => {
                bytes.sent.extend_from_slice(&request);
                match patience.until(end, write(wire, &request)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return drain(wire, &error, limits, end, patience, bytes).await,
                    Err(interruption) => return interrupted(interruption),
                }
                // A write that finds room never waits: without this look, a peer could keep us answering for ever.
                if Instant::now() >= end {
                    return Ended::Timeout;
                }
            }
            Step::Read if bytes.received.len() >= limits.response_bytes_max => return Ended::Cap,
            Step::Read => {
                let deadline = match state {
                    PeerState::Silent => end,
                    _ if bytes.received.is_empty() => first_byte_by.min(end),
                    _ => end.min(Instant::now() + Duration::from_millis(limits.silence_ms)),
                };
                state = match patience.until(deadline, read(wire, limits, &mut bytes.received)).await {
                    Ok(Ok(0)) => PeerState::Closed,
                    Ok(Ok(_)) => PeerState::Open,
                    Ok(Err(error)) => match broken(&error) {
                        Some(ended) => return ended,
                        None => PeerState::Closed,
                    },
                    Err(Interruption::TimedOut) if deadline < end => PeerState::Silent,
                    Err(interruption) => return interrupted(interruption),
                };
            }
        }
    }
}

async fn write<W: AsyncWrite + Unpin>(wire: &mut W, request: &[u8]) -> io::Result<()> {
    wire.write_all(request).await?;
    wire.flush().await
}

/// Appends what came, never beyond the limit. 0: the peer closed.
async fn read<W: AsyncRead + Unpin>(wire: &mut W, limits: &Limits, received: &mut Vec<u8>) -> io::Result<usize> {
    if received.capacity() - received.len() < FIRST_READ_BYTES / 2 {
        received.reserve(received.len().max(FIRST_READ_BYTES));
    }
    let room = limits.response_bytes_max.saturating_sub(received.len());
    wire.take(room as u64).read_buf(received).await
}

/// A peer that takes no more bytes may have answered before: what it said is still there to be read.
async fn drain<W: AsyncRead + Unpin>(
    wire: &mut W,
    error: &io::Error,
    limits: &Limits,
    end: Instant,
    patience: &mut Patience,
    bytes: &mut Bytes,
) -> Ended {
    while bytes.received.len() < limits.response_bytes_max {
        match patience.until(end, read(wire, limits, &mut bytes.received)).await {
            Ok(Ok(count)) if count > 0 => {}
            Err(Interruption::Stopped) => return Ended::Stopped,
            _ => break,
        }
    }
    broken(error).unwrap_or(Ended::Eof)
}

/// Bytes as text: everything but printable ASCII as `\xNN`, with the short forms `\r`, `\n`, `\t`, `\\`.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    for byte in bytes {
        match byte {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'\\' => text.push_str("\\\\"),
            0x20..=0x7e => text.push(char::from(*byte)),
            _ => {
                text.push_str("\\x");
                text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sent_bytes_read_as_text() {
        assert_eq!(escaped(b"GET / \"\\\"\r\n\t\x00\xff\xfd"), r#"GET / "\\"\r\n\t\x00\xff\xfd"#);
    }

    #[test]
    fn failures_of_our_machine_say_nothing_of_the_peer() {
        // EMFILE, ENFILE, EADDRNOTAVAIL, ENOBUFS of Linux.
        for code in [24, 23, 99, 105] {
            assert_eq!(not_connected(&io::Error::from_raw_os_error(code)), Ended::Local);
        }
        assert_eq!(not_connected(&io::Error::from_raw_os_error(111)), Ended::Refused);
        assert_eq!(not_connected(&io::Error::from_raw_os_error(113)), Ended::Unreachable);
    }
}
