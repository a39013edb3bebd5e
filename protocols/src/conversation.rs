//! Conversations: what is said to a peer and when it is enough, as a machine that is fed with bytes.
//!
//! In: all bytes received so far and whether the peer still talks. Out: a [`Step`]. The caller owns sockets, time and limits, so that a
//! conversation can be tried on any bytes without a network.
//!
//! A conversation's steps depend on the bytes, never on how they were split.

use std::net::IpAddr;

use ksig_schema::Ended;

/// Who scans: shown to the scanned in every protocol that has a place for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanIdentity {
    /// Address of a page that explains the scan and takes opt-outs: `https://scan.example.org/`.
    pub contact: String,
}

/// Longest contact that is shown, in bytes; the rest is cut.
pub const CONTACT_BYTES_MAX: usize = 128;

/// What ksig calls itself on the wire.
pub const PRODUCT: &str = "ksig";

impl ScanIdentity {
    /// The contact as it goes on the wire: printable ASCII without spaces, so that it cannot break out of a header or a line.
    pub fn shown(&self) -> String {
        self.contact.chars().filter(char::is_ascii_graphic).take(CONTACT_BYTES_MAX).collect()
    }

    /// The host name in the contact, for protocols that want a name. A contact without one gives `ksig.invalid` (RFC 2606).
    pub fn host_name(&self) -> String {
        let shown = self.shown();
        let after_scheme = shown.split_once("://").map_or(shown.as_str(), |(_, rest)| rest);
        let host = after_scheme.rsplit('@').next().unwrap_or_default().split(['/', ':', '?', '#']).next().unwrap_or_default();
        let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if host.contains('.') && host.split('.').all(label) { host.to_ascii_lowercase() } else { "ksig.invalid".into() }
    }
}

/// The other side of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Whether the bytes travel inside TLS.
    pub tls: bool,
    /// Who asks.
    pub identity: &'a ScanIdentity,
}

/// Whether a conversation may be held on that port at all.
pub fn may_speak(peer: &Peer) -> bool {
    !ksig_schema::target::RAW_PRINT_PORTS.contains(&peer.port)
}

/// What the peer does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// It may send more.
    Open,
    /// It closed its side: no byte will come.
    Closed,
    /// It sent nothing for [`Limits::silence_ms`], or no first byte for [`Limits::first_byte_ms`].
    Silent,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send these bytes, then ask again at once. Where they are a datagram, its answer is still to come: the peer is [`PeerState::Open`]
    /// again.
    Send(Vec<u8>),
    /// Wait for bytes, then ask again. After [`PeerState::Silent`] it means that silence does not end this answer: wait on, until
    /// [`Limits::total_ms`].
    Read,
    /// Close the connection. The observation ended by [`Conversation::ended`].
    Done,
}

/// Named bounds of one conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes that are kept; at that size the conversation ends with [`Ended::Cap`].
    pub response_bytes_max: usize,
    /// Longest wait for the first byte after connecting, in milliseconds.
    pub first_byte_ms: u64,
    /// Silence after which [`PeerState::Silent`] is told, in milliseconds: a greeting is complete when the peer is silent that long.
    pub silence_ms: u64,
    /// Longest whole talk after connecting, in milliseconds; then it ends with [`Ended::Timeout`].
    pub total_ms: u64,
}

/// One talk with one peer.
pub trait Conversation: Send {
    /// What to do next. Called first with no bytes and [`PeerState::Open`], later with all bytes so far.
    fn next(&mut self, received: &[u8], state: PeerState) -> Step;

    /// The bounds under which the talk is held.
    fn limits(&self) -> Limits;

    /// Where each message has a connection of its own ([`Delivery::StreamEach`](ksig_schema::Delivery::StreamEach)): how many bytes of this
    /// answer are all that it takes, so that the rest is cut off and the connection closed. Absent while more are wanted.
    fn enough(&self, _answer: &[u8]) -> Option<usize> {
        None
    }

    /// An answer to which it says all that it usually says, for people who want to see that beforehand ([`crate::requests`]). Empty where it
    /// asks without waiting.
    fn usual_answer(&self) -> Vec<u8> {
        Vec::new()
    }

    /// How the observation ended when [`Conversation::next`] said [`Step::Done`] in that state: whole; closed by the peer; or no byte in
    /// time.
    fn ended(&self, received: &[u8], state: PeerState) -> Ended {
        match state {
            PeerState::Closed => Ended::Eof,
            PeerState::Silent if received.is_empty() => Ended::Timeout,
            PeerState::Silent | PeerState::Open => Ended::Complete,
        }
    }
}
