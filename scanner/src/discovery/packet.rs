//! SYN packets and their answers, as bytes.
//!
//! In: from where to where, with which sequence number; and frames that came. Out: frames of Ethernet with a TCP SYN, IPv4 or IPv6; and what an
//! answer says of whom. Absent: sockets, and whether an answer is one to us, beyond its form.
//!
//! Source: RFC 9293 section 3.1 (TCP), RFC 791 section 3.1, RFC 8200 section 3, RFC 792 and 4443 (ICMP), RFC 1071 (checksums). The options and
//! their order are those of Linux, because some networks drop what no client would send.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An Ethernet address.
pub type Mac = [u8; 6];

const ETHERNET_BYTES: usize = 14;
const TCP_BYTES: usize = 40;
const TCP: u8 = 6;
/// EtherTypes of IPv4 and IPv6.
pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86dd;
/// MSS 1460, SACK permitted, timestamps, no operation, window scale 7.
const OPTIONS: [u8; 20] = [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7];

/// From where packets come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Our address on the link.
    pub mac: Mac,
    /// The next hop's.
    pub gateway_mac: Mac,
    /// Our address; its family is that of all targets.
    pub address: IpAddr,
    /// Our port.
    pub port: u16,
}

/// A SYN with everything filled in but whom it is for.
#[derive(Clone, Debug)]
pub(super) struct Template {
    frame: Vec<u8>,
    ip_bytes: usize,
}

/// The one's complement sum of 16-bit words, before it is folded. An odd byte at the end counts as the high half of a word.
fn sum(bytes: &[u8]) -> u32 {
    bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low))).sum()
}

fn checksum(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

impl Template {
    pub fn new(source: &Source, timestamp: u32) -> Template {
        let mut frame = Vec::with_capacity(ETHERNET_BYTES + 40 + TCP_BYTES);
        frame.extend_from_slice(&source.gateway_mac);
        frame.extend_from_slice(&source.mac);
        let ip_bytes = match source.address {
            IpAddr::V4(address) => {
                frame.extend_from_slice(&IPV4.to_be_bytes());
                // Version and header length, then 60 bytes in all, no fragments, hop limit 64.
                frame.extend_from_slice(&[0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, TCP, 0, 0]);
                frame.extend_from_slice(&address.octets());
                frame.extend_from_slice(&[0; 4]);
                20
            }
            IpAddr::V6(address) => {
                frame.extend_from_slice(&IPV6.to_be_bytes());
                frame.extend_from_slice(&[0x60, 0, 0, 0, 0, TCP_BYTES as u8, TCP, 64]);
                frame.extend_from_slice(&address.octets());
                frame.extend_from_slice(&[0; 16]);
                40
            }
        };
        frame.extend_from_slice(&source.port.to_be_bytes());
        // Port, sequence number and acknowledgement; then ten words of header, SYN, the window of Linux.
        frame.extend_from_slice(&[0; 10]);
        frame.extend_from_slice(&[0xa0, 0x02, 0xfa, 0xf0, 0, 0, 0, 0]);
        let mut options = OPTIONS;
        options[8..12].copy_from_slice(&timestamp.to_be_bytes());
        frame.extend_from_slice(&options);
        Template { frame, ip_bytes }
    }

    /// How long every frame is, in bytes.
    pub fn frame_bytes(&self) -> usize {
        self.frame.len()
    }

    /// Writes the frame for one target; `frame` has [`Template::frame_bytes`]. The target is of the source's family.
    pub fn fill(&self, frame: &mut [u8], target: IpAddr, port: u16, sequence: u32) {
        frame.copy_from_slice(&self.frame);
        let (ip, tcp) = frame[ETHERNET_BYTES..].split_at_mut(self.ip_bytes);
        tcp[2..4].copy_from_slice(&port.to_be_bytes());
        tcp[4..8].copy_from_slice(&sequence.to_be_bytes());
        let addresses = match target {
            IpAddr::V4(v4) => {
                ip[16..20].copy_from_slice(&v4.octets());
                let check = checksum(sum(ip));
                ip[10..12].copy_from_slice(&check.to_be_bytes());
                sum(&ip[12..20])
            }
            IpAddr::V6(v6) => {
                ip[24..40].copy_from_slice(&v6.octets());
                sum(&ip[8..40])
            }
        };
        let check = checksum(addresses + u32::from(TCP) + TCP_BYTES as u32 + sum(tcp));
        tcp[16..18].copy_from_slice(&check.to_be_bytes());
    }
}

/// What came back from a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PortState {
    /// It takes connections.
    Open,
    /// The host says that nobody listens.
    Closed,
    /// A router says that the host cannot be reached.
    Unreachable,
    /// A router or host says that we are not allowed.
    Prohibited,
}

impl PortState {
    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            PortState::Open => "open",
            PortState::Closed => "closed",
            PortState::Unreachable => "unreachable",
            PortState::Prohibited => "prohibited",
        }
    }
}

/// An answer, as far as its form goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// Of whom it speaks.
    pub address: IpAddr,
    /// Of which port.
    pub port: u16,
    /// To which of our ports it came.
    pub our_port: u16,
    /// The sequence number of the packet that it answers.
    pub sequence: u32,
    pub state: PortState,
}

/// Reads a frame; absent for one that is no answer to a SYN.
pub(super) fn reply(frame: &[u8]) -> Option<Reply> {
    let ethertype = u16::from_be_bytes(frame.get(12..14)?.try_into().ok()?);
    let packet = frame.get(ETHERNET_BYTES..)?;
    match ethertype {
        IPV4 => {
            let (from, protocol, rest) = ipv4(packet)?;
            match protocol {
                TCP => tcp(from, rest),
                1 => unreachable_v4(rest),
                _ => None,
            }
        }
        IPV6 => {
            let (from, protocol, rest) = ipv6(packet)?;
            match protocol {
                TCP => tcp(from, rest),
                58 => unreachable_v6(rest),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Source, protocol and payload.
fn ipv4(packet: &[u8]) -> Option<(IpAddr, u8, &[u8])> {
    let header = usize::from(packet.first()? & 15) * 4;
    let from: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    (packet[0] >> 4 == 4 && header >= 20).then_some((IpAddr::from(from), *packet.get(9)?, packet.get(header..)?))
}

fn ipv6(packet: &[u8]) -> Option<(IpAddr, u8, &[u8])> {
    let from: [u8; 16] = packet.get(8..24)?.try_into().ok()?;
    (packet[0] >> 4 == 6).then_some((IpAddr::from(from), packet[6], packet.get(40..)?))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn tcp(address: IpAddr, segment: &[u8]) -> Option<Reply> {
    let (port, our_port) = (short(segment, 0)?, short(segment, 2)?);
    let sequence = number(segment, 8)?.wrapping_sub(1);
    let flags = segment.get(13)?;
    let (fin_syn_rst, ack) = (flags & 0b111, flags & 0b1_0000 != 0);
    let state = match fin_syn_rst {
        0b010 if ack => PortState::Open,
        0b100 if ack => PortState::Closed,
        _ => return None,
    };
    Some(Reply { address, port, our_port, sequence, state })
}

/// Destination unreachable, with the packet that it is about.
fn unreachable_v4(message: &[u8]) -> Option<Reply> {
    let [3, code, ..] = message else { return None };
    let packet = message.get(8..)?;
    let header = usize::from(packet.first()? & 15) * 4;
    let to: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
    let state = if matches!(code, 9 | 10 | 13) { PortState::Prohibited } else { PortState::Unreachable };
    (packet.get(9) == Some(&TCP)).then_some(())?;
    quoted(Ipv4Addr::from(to).into(), packet.get(header..)?, state)
}

fn unreachable_v6(message: &[u8]) -> Option<Reply> {
    let [1, code, ..] = message else { return None };
    let packet = message.get(8..)?;
    let to: [u8; 16] = packet.get(24..40)?.try_into().ok()?;
    let state = if matches!(code, 1 | 5 | 6) { PortState::Prohibited } else { PortState::Unreachable };
    (packet.get(6) == Some(&TCP)).then_some(())?;
    quoted(Ipv6Addr::from(to).into(), packet.get(40..)?, state)
}

/// The beginning of our own segment, as a router quotes it.
fn quoted(address: IpAddr, segment: &[u8], state: PortState) -> Option<Reply> {
    Some(Reply { address, port: short(segment, 2)?, our_port: short(segment, 0)?, sequence: number(segment, 4)?, state })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Source {
        Source { mac: [2, 0, 0, 0, 0, 1], gateway_mac: [2, 0, 0, 0, 0, 2], address: address.parse().expect(address), port: 61_000 }
    }

    fn syn(from: &str, to: &str) -> Vec<u8> {
        let template = Template::new(&source(from), 7);
        let mut frame = vec![0; template.frame_bytes()];
        template.fill(&mut frame, to.parse().expect(to), 443, 0xdead_beef);
        frame
    }

    #[test]
    fn checksums_are_those_of_the_rfc() {
        // RFC 1071 section 3: the example 00 01 f2 03 f4 f5 f6 f7 sums to ddf2.
        assert_eq!(checksum(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])), !0xddf2);
        let frame = syn("198.18.0.2", "198.19.1.2");
        assert_eq!(checksum(sum(&frame[14..34])), 0, "a header with its checksum sums to nothing");
        let pseudo = sum(&frame[26..34]) + 6 + 40;
        assert_eq!(checksum(pseudo + sum(&frame[34..])), 0);
        let frame = syn("fd00::2", "fd00::99");
        let pseudo = sum(&frame[22..54]) + 6 + 40;
        assert_eq!(checksum(pseudo + sum(&frame[54..])), 0);
    }

    #[test]
    fn a_syn_looks_like_that_of_linux() {
        let frame = syn("198.18.0.2", "198.19.1.2");
        assert_eq!(frame.len(), 74);
        let tcp = &frame[34..];
        assert_eq!((&tcp[2..4], &tcp[4..8], tcp[12] >> 4, tcp[13]), ([0x01, 0xbb].as_slice(), [0xde, 0xad, 0xbe, 0xef].as_slice(), 10, 2));
        assert_eq!(tcp[20..], [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7]);
    }

    /// The answer of a host to a SYN: addresses and ports exchanged, the sequence number acknowledged.
    fn answer(syn: &[u8], flags: u8) -> Vec<u8> {
        let mut frame = syn.to_vec();
        let v4 = frame[12..14] == [8, 0];
        let (from, to, length, tcp) = if v4 { (26, 30, 4, 34) } else { (22, 38, 16, 54) };
        for at in 0..length {
            frame.swap(from + at, to + at);
        }
        frame.swap(tcp, tcp + 2);
        frame.swap(tcp + 1, tcp + 3);
        let sequence = u32::from_be_bytes(syn[tcp + 4..tcp + 8].try_into().expect("four bytes"));
        frame[tcp + 8..tcp + 12].copy_from_slice(&sequence.wrapping_add(1).to_be_bytes());
        frame[tcp + 13] = flags;
        frame
    }

    #[test]
    fn answers_are_told_apart() {
        for (from, to) in [("198.18.0.2", "198.19.1.2"), ("fd00::2", "fd00::99")] {
            let syn = syn(from, to);
            let wanted = |state| Some(Reply { address: to.parse().expect(to), port: 443, our_port: 61_000, sequence: 0xdead_beef, state });
            assert_eq!(reply(&answer(&syn, 0x12)), wanted(PortState::Open));
            assert_eq!(reply(&answer(&syn, 0x14)), wanted(PortState::Closed));
            for other in [0x02, 0x10, 0x11, 0x13, 0x04] {
                assert_eq!(reply(&answer(&syn, other)), None, "{other:#x}");
            }
            let v4 = to.contains('.');
            let codes: &[(u8, PortState)] = if v4 {
                &[(0, PortState::Unreachable), (1, PortState::Unreachable), (13, PortState::Prohibited), (10, PortState::Prohibited)]
            } else {
                &[(0, PortState::Unreachable), (3, PortState::Unreachable), (1, PortState::Prohibited)]
            };
            for (code, state) in codes {
                let mut frame = syn[..14].to_vec();
                if v4 {
                    frame.extend_from_slice(&[
                        0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0, 198, 18, 0, 1, 198, 18, 0, 2, 3, *code, 0, 0, 0, 0, 0, 0,
                    ]);
                } else {
                    frame.extend_from_slice(&[0x60, 0, 0, 0, 0, 0, 58, 64]);
                    frame.extend_from_slice(&[0; 32]);
                    frame.extend_from_slice(&[1, *code, 0, 0, 0, 0, 0, 0]);
                }
                frame.extend_from_slice(&syn[14..]);
                assert_eq!(reply(&frame), wanted(*state), "{code}");
            }
        }
    }

    #[test]
    fn no_bytes_do_harm() {
        let syn = syn("198.18.0.2", "198.19.1.2");
        for end in 0..syn.len() {
            for at in 0..end {
                let mut frame = answer(&syn, 0x12)[..end].to_vec();
                frame[at] ^= 0xff;
                reply(&frame);
            }
        }
    }
}
