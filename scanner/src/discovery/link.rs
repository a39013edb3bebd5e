//! From where packets go out: the interface, our addresses, and the next hop's address on the link, as Linux knows them.
//!
//! In: a target. Out: a [`Link`]. Asked once, before the first packet. Source: proc(5), `/proc/net/route`, `/proc/net/ipv6_route`, `/proc/net/arp`
//! (of IPv6 neighbours there is no file: their address is named); `/sys/class/net`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use super::packet::Mac;

/// What of it the user says; the rest is looked up.
#[derive(Clone, Debug, Default)]
pub struct LinkHints {
    /// The interface.
    pub interface: Option<String>,
    /// Our address.
    pub source: Option<IpAddr>,
    /// The next hop's address on the link.
    pub gateway_mac: Option<Mac>,
}

/// From where packets go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The interface.
    pub interface: String,
    /// Its number.
    pub index: u32,
    /// Our address.
    pub source: IpAddr,
    /// Our address on the link.
    pub mac: Mac,
    /// The next hop's.
    pub gateway_mac: Mac,
}

/// Reads `02:00:5e:10:00:01`.
pub fn parse_mac(text: &str) -> Option<Mac> {
    let bytes: Vec<u8> = text.trim().split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect::<Option<_>>()?;
    bytes.try_into().ok()
}

/// Finds the way to a target; an error says what is to be said by hand.
pub(super) fn find(hints: &LinkHints, target: IpAddr) -> Result<Link, String> {
    let source = match hints.source {
        Some(source) => source,
        // A UDP socket that is connected sends nothing, and knows its own address.
        None => {
            let any: IpAddr = if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
            let local = UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((target, 9)).and_then(|()| socket.local_addr()));
            local.map_err(|error| format!("no route to {target} ({error}); name --source and --interface"))?.ip()
        }
    };
    if source.is_ipv4() != target.is_ipv4() {
        return Err(format!("{source} and {target} are of different address families: scan each family by itself"));
    }
    let (interface, next_hop) = match &hints.interface {
        Some(interface) => (interface.clone(), route(target).and_then(|(_, hop)| hop)),
        None => route(target).ok_or_else(|| format!("no route to {target}; name --interface"))?,
    };
    let about = |file: &str| {
        std::fs::read_to_string(format!("/sys/class/net/{interface}/{file}")).map_err(|error| format!("interface {interface}: {error}"))
    };
    let index = about("ifindex")?.trim().parse().map_err(|_| format!("interface {interface} has no number"))?;
    let mac = parse_mac(&about("address")?).ok_or_else(|| format!("interface {interface} has no address of Ethernet"))?;
    let gateway_mac = match hints.gateway_mac {
        Some(mac) => mac,
        None => {
            let hop = next_hop.unwrap_or(target);
            neighbour(hop).ok_or_else(|| match hop {
                IpAddr::V4(_) => format!("{hop} is not in /proc/net/arp; ping it once, or name --gateway-mac"),
                IpAddr::V6(_) => format!("the link's address of {hop} stands in no file: name --gateway-mac (`ip -6 neighbour` shows it)"),
            })?
        }
    };
    Ok(Link { interface, index, source, mac, gateway_mac })
}

/// Interface and next hop towards an address; no next hop for one on the link itself.
fn route(target: IpAddr) -> Option<(String, Option<IpAddr>)> {
    match target {
        IpAddr::V4(target) => route_v4(&std::fs::read_to_string("/proc/net/route").ok()?, target),
        IpAddr::V6(target) => route_v6(&std::fs::read_to_string("/proc/net/ipv6_route").ok()?, target),
    }
}

fn route_v4(table: &str, target: Ipv4Addr) -> Option<(String, Option<IpAddr>)> {
    let rows = table.lines().skip(1).filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        // The numbers are in the machine's order.
        let number = |at: usize| u32::from_str_radix(words.get(at)?, 16).ok().map(u32::from_be);
        Some((words.first()?.to_string(), number(1)?, number(2)?, number(7)?))
    });
    let fitting = rows.filter(|(_, to, _, mask)| u32::from(target) & mask == *to);
    let (interface, _, hop, _) = fitting.max_by_key(|(_, _, _, mask)| *mask)?;
    Some((interface, (hop != 0).then(|| Ipv4Addr::from(hop).into())))
}

fn route_v6(table: &str, target: Ipv6Addr) -> Option<(String, Option<IpAddr>)> {
    // RTF_UP without RTF_REJECT, of linux/route.h; what is local to this machine has RTF_LOCAL, of linux/ipv6_route.h, and leads nowhere.
    const UP: u32 = 0x1;
    const NOWHERE: u32 = 0x200 | 0x8000_0000;
    let rows = table.lines().filter_map(|line| {
        let [to, bits, _, _, hop, _, _, _, flags, interface] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
        let number = |text: &str| u128::from_str_radix(text, 16).ok();
        let flags = u32::from_str_radix(flags, 16).ok()?;
        (flags & (UP | NOWHERE) == UP).then_some((interface.to_string(), number(to)?, u32::from_str_radix(bits, 16).ok()?, number(hop)?))
    });
    let fitting = rows.filter(|(_, to, bits, _)| (u128::from(target) ^ to).checked_shr(128 - (*bits).min(128)).unwrap_or(0) == 0);
    let (interface, _, _, hop) = fitting.max_by_key(|(_, _, bits, _)| *bits)?;
    Some((interface, (hop != 0).then(|| Ipv6Addr::from(hop).into())))
}

fn neighbour(address: IpAddr) -> Option<Mac> {
    let table = std::fs::read_to_string("/proc/net/arp").ok()?;
    let words = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let of_it = |words: Vec<&str>| (words.first()?.parse() == Ok(address)).then(|| parse_mac(words.get(3)?))?;
    words.filter_map(of_it).find(|mac| *mac != [0; 6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_link_are_read() {
        assert_eq!(parse_mac("02:00:5E:10:00:01\n"), Some([2, 0, 0x5e, 0x10, 0, 1]));
        for wrong in ["", "02:00:5e:10:00", "02:00:5e:10:00:01:02", "02:00:5e:10:00:zz", "0200.5e10.0001"] {
            assert_eq!(parse_mac(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_narrowest_route_leads_the_way() {
        let v4 = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
            eth0 00000000 0100000A 0003 0 0 0 00000000 0 0 0\neth1 0000A8C0 00000000 0001 0 0 0 0000FFFF 0 0 0\n";
        assert_eq!(route_v4(v4, Ipv4Addr::new(198, 18, 0, 1)), Some(("eth0".into(), Some([10, 0, 0, 1].into()))));
        assert_eq!(route_v4(v4, Ipv4Addr::new(192, 168, 7, 1)), Some(("eth1".into(), None)));
        let zeros = "0".repeat(32);
        let row = |to: &str, bits: &str, hop: &str, flags: &str, interface: &str| {
            format!("{to} {bits} {zeros} 00 {hop} 00000400 00000001 00000000 {flags} {interface}\n")
        };
        let v6 = [
            row(&zeros, "00", "fe800000000000000000000000000001", "00000003", "eth0"),
            row("fd000018000000000000000000000000", "40", &zeros, "00000001", "eth1"),
            row("fd000018000000000000000000000002", "80", &zeros, "80200001", "lo"),
        ]
        .concat();
        let to = |text: &str| route_v6(&v6, text.parse().expect(text));
        assert_eq!(to("fd00:19::1"), Some(("eth0".into(), Some("fe80::1".parse().expect("an address")))));
        assert_eq!(to("fd00:18::9"), Some(("eth1".into(), None)));
        assert_eq!(to("fd00:18::2"), Some(("eth1".into(), None)));
    }

    #[test]
    fn families_are_not_mixed() {
        let hints = LinkHints { source: Some([10, 0, 0, 1].into()), ..LinkHints::default() };
        assert!(find(&hints, "fd00::1".parse().expect("address")).expect_err("mixed").contains("different address families"));
    }
}
