//! What a probe puts on the wire, without a peer: for people who want to see what goes out, and for what a signature costs.
//!
//! In: a request of a plan; what stands in its holes. Out: its messages in order, as to a peer that answers as usual; their bytes in the longest
//! form.

use std::net::{IpAddr, Ipv6Addr};

use ksig_schema::target::TARGET_BYTES_MAX;
use ksig_schema::{Delivery, ProbeCost, ProbeKey, Request};

use crate::{CONTACT_BYTES_MAX, Conversation, Peer, PeerState, ScanIdentity, Step, conversation, named_conversation, protocol};

/// Stands for the scanned host: of the documentation prefix, so that no literal of a signature is this one.
const HOST: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x6b73));
const PORT: u16 = 65_535;

/// How much longer an address can be than [`HOST`]: 39 characters to 17.
const HOST_BYTES_MORE: usize = 22;

/// More than any probe sends.
const MESSAGES_MAX: usize = 16;

/// An answer without a byte, behind its length.
const EMPTY_ANSWER: [u8; 4] = [0; 4];

/// What stands in the holes of a request.
#[derive(Clone, Copy, Debug)]
pub struct Holes<'h> {
    /// The place that a device names: `/js/app.js?v=3`.
    pub place: &'h str,
    /// The contact of the scan.
    pub contact: &'h str,
}

/// Every message that a request can send, in order. The host in them is the one that [`host_name`] gives.
pub fn messages(request: &Request, holes: Holes) -> Vec<Vec<u8>> {
    talk(request, holes).map(|(mut talk, delivery)| said(&mut *talk, delivery)).unwrap_or_default()
}

/// How the scanned host is written in [`messages`].
pub fn host_name() -> String {
    format!("[{HOST}]:{PORT}")
}

/// What a request costs at most: each message in its longest form, and as much of the answer as is kept.
pub fn cost(request: &Request) -> ProbeCost {
    let (place, contact) = (format!("/{}", "x".repeat(TARGET_BYTES_MAX - 1)), "x".repeat(CONTACT_BYTES_MAX));
    let Some((mut talk, delivery)) = talk(request, Holes { place: &place, contact: &contact }) else { return ProbeCost::default() };
    let bytes_kept = talk.limits().response_bytes_max;
    let once: usize = said(&mut *talk, delivery).iter().map(|bytes| bytes.len() + HOST_BYTES_MORE).sum();
    ProbeCost { bytes_sent: once * delivery.sends(), bytes_kept }
}

fn talk(request: &Request, holes: Holes) -> Option<(Box<dyn Conversation>, Delivery)> {
    let identity = ScanIdentity { contact: holes.contact.into() };
    let peer = Peer { address: HOST, port: PORT, tls: false, identity: &identity };
    let (talk, key) = match request {
        Request::Exactly(key) => (conversation(key, &peer), key.clone()),
        Request::Named(constructor) => {
            let key = ProbeKey::with(constructor, holes.place);
            (named_conversation(&key, &peer), key)
        }
    };
    Some((talk?, protocol::find(&key)?.1.delivery))
}

/// What is sent to a peer that answers as usual, or not at all.
fn said(talk: &mut dyn Conversation, delivery: Delivery) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    let mut received = talk.usual_answer();
    let mut state = PeerState::Open;
    while sent.len() < MESSAGES_MAX {
        match talk.next(&received, state) {
            Step::Send(bytes) => sent.push(bytes),
            Step::Read if delivery == Delivery::StreamEach => received.extend_from_slice(&EMPTY_ANSWER),
            Step::Read if state == PeerState::Open => state = PeerState::Silent,
            Step::Read | Step::Done => break,
        }
    }
    sent
}
