//! Packets on their way: frames filled, sent and received, answers checked.
//!
//! In: places to ask. Out: answers that repeat a number of ours, as often as they come. Never waits.

use std::io;
use std::net::IpAddr;

use super::cookie::CookieKey;
use super::link::{self, Link, LinkHints};
use super::packet::{self, IPV4, IPV6, Reply, Source, Template};
use super::{Answer, DiscoverError};
use crate::order::Permutation;
use crate::raw::{BATCH, Frames, Instruction, PacketSocket};

/// Our ports are above those that the system gives to others.
const OUR_PORTS: std::ops::Range<u16> = 61_000..65_000;

/// What a frame that came says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// It answers a packet of ours.
    Answer(Answer),
    /// It looks like an answer, and repeats no number of ours.
    Forged,
}

/// The sockets and the frames.
pub(crate) struct Wire {
    sending: PacketSocket,
    receiving: PacketSocket,
    template: Template,
    key: CookieKey,
    our_port: u16,
    frames: Vec<u8>,
    /// Frames that are filled, and how many of them are sent.
    filled: usize,
    sent: usize,
    received: Frames,
}

impl Wire {
    /// The wire towards an address.
    pub fn towards(hints: &LinkHints, address: IpAddr) -> Result<Wire, DiscoverError> {
        // Asked first: whoever may send nothing needs no link.
        PacketSocket::allowed().map_err(DiscoverError::NotAllowed)?;
        let link = link::find(hints, address).map_err(DiscoverError::Link)?;
        Wire::open(&link).map_err(DiscoverError::NotAllowed)
    }

    fn open(link: &Link) -> io::Result<Wire> {
        let random = Permutation::random_key()?;
        let our_port = OUR_PORTS.start + (random % u64::from(OUR_PORTS.end - OUR_PORTS.start)) as u16;
        let source = Source { mac: link.mac, gateway_mac: link.gateway_mac, address: link.source, port: our_port };
        let template = Template::new(&source, (random >> 32) as u32);
        let ethertype = if link.source.is_ipv4() { IPV4 } else { IPV6 };
        Ok(Wire {
            sending: PacketSocket::open(link.index, None, &[])?,
            receiving: PacketSocket::open(link.index, Some(ethertype), &filter(link.source, our_port))?,
            frames: vec![0; BATCH * template.frame_bytes()],
            template,
            key: CookieKey::random()?,
            our_port,
            filled: 0,
            sent: 0,
            received: Frames::default(),
        })
    }

    /// Whether one more frame may be filled before the others are sent.
    pub fn has_room(&self) -> bool {
        self.filled < BATCH
    }

    /// How many filled frames are not sent yet.
    pub fn unsent(&self) -> usize {
        self.filled - self.sent
    }

    /// Fills a frame; there must be room.
    pub fn fill(&mut self, address: IpAddr, port: u16) {
        let bytes = self.template.frame_bytes();
        let frame = &mut self.frames[self.filled * bytes..(self.filled + 1) * bytes];
        self.template.fill(frame, address, port, self.key.sequence(address, port));
        self.filled += 1;
    }

    /// Hands filled frames to the system; says how many it took: none while it has no room. All taken, there is room for a batch again.
    pub fn send(&mut self) -> io::Result<usize> {
        if self.unsent() == 0 {
            return Ok(0);
        }
        let frames: Vec<&[u8]> = self.frames.chunks_exact(self.template.frame_bytes()).take(self.filled).skip(self.sent).collect();
        let taken = match self.sending.send(&frames) {
            Ok(taken) => taken,
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::EAGAIN | libc::EINTR)) => 0,
            Err(error) => return Err(error),
        };
        self.sent += taken;
        if self.unsent() == 0 {
            (self.filled, self.sent) = (0, 0);
        }
        Ok(taken)
    }

    /// Takes what waits to be received, a batch at most; says how many frames there were.
    pub fn receive(&mut self, mut heard: impl FnMut(Incoming)) -> io::Result<usize> {
        let Wire { receiving, received, key, our_port, .. } = self;
        receiving.receive(received, |frame| {
            let Some(Reply { address, port, our_port: to, sequence, state }) = packet::reply(frame) else { return };
            if to == *our_port {
                let ours = sequence == key.sequence(address, port);
                heard(if ours { Incoming::Answer(Answer { address, port, state }) } else { Incoming::Forged });
            }
        })
    }
}

/// Lets through TCP to our port, and the messages of ICMP; nothing else reaches us.
fn filter(source: IpAddr, our_port: u16) -> Vec<Instruction> {
    const LOAD_BYTE: u16 = 0x30;
    const LOAD_SHORT: u16 = 0x28;
    const LOAD_SHORT_BEHIND_HEADER: u16 = 0x48;
    const HEADER_LENGTH: u16 = 0xb1;
    const EQUAL: u16 = 0x15;
    const ANSWER: u16 = 0x06;
    let port = u32::from(our_port);
    match source {
        IpAddr::V4(_) => vec![
            Instruction(LOAD_BYTE, 0, 0, 23),
            Instruction(EQUAL, 4, 0, 1),
            Instruction(EQUAL, 0, 4, 6),
            Instruction(HEADER_LENGTH, 0, 0, 14),
            Instruction(LOAD_SHORT_BEHIND_HEADER, 0, 0, 16),
            Instruction(EQUAL, 0, 1, port),
            Instruction(ANSWER, 0, 0, u32::MAX),
            Instruction(ANSWER, 0, 0, 0),
        ],
        IpAddr::V6(_) => vec![
            Instruction(LOAD_BYTE, 0, 0, 20),
            Instruction(EQUAL, 3, 0, 58),
            Instruction(EQUAL, 0, 3, 6),
            Instruction(LOAD_SHORT, 0, 0, 56),
            Instruction(EQUAL, 0, 1, port),
            Instruction(ANSWER, 0, 0, u32::MAX),
            Instruction(ANSWER, 0, 0, 0),
        ],
    }
}
