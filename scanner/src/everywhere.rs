//! Hosts that take a connection on every port, as tarpits and some middleboxes do: what answers there is no service.
//!
//! In: which ports of a host took a connection, one after the other. Out: when to look closer, and on which ports nobody expects anything.
//! A host that takes connections there too answers everywhere: it is marked ([`ksig_schema::host`]), and nothing more is asked of it.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::mix::keyed;

/// So many open ports and none that is not make a host suspect.
pub(crate) const SUSPECT_PORTS: usize = 8;
/// Ports for which no service is registered (RFC 6335 section 6), above those that Linux gives to clients.
pub(crate) const HIGH_PORTS: std::ops::RangeInclusive<u16> = 61_440..=u16::MAX;

/// What is known of a host in this respect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suspicion {
    /// Ports that took a connection.
    pub open: usize,
    /// Whether it answers everywhere. Absent while nobody has looked.
    pub judged: Option<bool>,
    /// Some port took none.
    closed: bool,
}

impl Suspicion {
    /// `open` ports took a connection earlier; `judged`: what was found out then.
    pub fn of(open: usize, judged: Option<bool>) -> Suspicion {
        Suspicion { open, judged, closed: false }
    }

    /// One more port was called.
    pub fn tried(&mut self, open: bool) {
        self.open += usize::from(open);
        self.closed |= !open;
    }

    /// Whether it is time to look closer.
    pub fn wants_controls(&self) -> bool {
        self.judged.is_none() && !self.closed && self.open >= SUSPECT_PORTS
    }

    /// Whether it is known that the host answers everywhere, and enough of its ports were asked.
    pub fn has_enough(&self) -> bool {
        self.judged == Some(true) && self.open >= SUSPECT_PORTS
    }
}

/// Ports to look at: the same ones of a host under a key, as if drawn.
pub(crate) fn control_ports(key: u64, address: IpAddr, expected: impl Fn(u16) -> bool) -> Vec<u16> {
    let host = match address {
        IpAddr::V4(address) => u64::from(u32::from(address)),
        IpAddr::V6(address) => keyed(key, (u128::from(address) >> 64) as u64, "network") ^ u128::from(address) as u64,
    };
    let span = u64::from(HIGH_PORTS.end() - HIGH_PORTS.start()) + 1;
    let begin = keyed(key, host, "control") % span;
    // Far apart, so that no range of ports that is passed on holds them all; odd, so that every port has its turn: their number is a power of two.
    let step = (span / ksig_schema::host::CONTROLS as u64 + 1) | 1;
    let mut ports = Vec::with_capacity(ksig_schema::host::CONTROLS);
    for place in (0..span).map(|nth| (begin + nth * step) % span) {
        let port = HIGH_PORTS.start() + place as u16;
        if ports.len() == ksig_schema::host::CONTROLS {
            break;
        }
        if !expected(port) && !ports.contains(&port) {
            ports.push(port);
        }
    }
    ports
}

/// When there are so many hosts, all are forgotten, and looked at again.
const JUDGED_MAX: usize = 1 << 16;

/// Hosts that somebody has looked at closer, for those who call a host more than once.
#[derive(Debug, Default)]
pub(crate) struct Judged(HashMap<IpAddr, bool>);

impl Judged {
    /// What was found out of a host.
    pub fn of(&self, address: IpAddr) -> Option<bool> {
        self.0.get(&address).copied()
    }

    /// Whether it answers everywhere.
    pub fn note(&mut self, address: IpAddr, everywhere: bool) {
        if self.0.len() >= JUDGED_MAX {
            self.0.clear();
        }
        self.0.insert(address, everywhere);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_open_ports_and_no_other_make_a_host_suspect() {
        let tried = |open: &[bool]| {
            let mut suspicion = Suspicion::default();
            open.iter().for_each(|open| suspicion.tried(*open));
            suspicion.wants_controls()
        };
        assert!(tried(&[true; SUSPECT_PORTS]));
        assert!(!tried(&[true; SUSPECT_PORTS - 1]));
        assert!(!tried(&[&[false][..], &[true; SUSPECT_PORTS]].concat()));
        assert!(!Suspicion::of(SUSPECT_PORTS, Some(false)).wants_controls(), "nobody is looked at twice");
        assert!(Suspicion::of(SUSPECT_PORTS, Some(true)).has_enough() && !Suspicion::of(0, Some(true)).has_enough());
    }

    #[test]
    fn controls_are_three_ports_on_which_nobody_expects_anything() {
        for host in 0..2_000u32 {
            let address = IpAddr::V4(host.into());
            let ports = control_ports(7, address, |port| port % 2 == 0);
            assert_eq!(ports.len(), 3);
            assert!(ports.iter().all(|port| HIGH_PORTS.contains(port) && port % 2 == 1));
            assert!(ports[0] != ports[1] && ports[1] != ports[2] && ports[0] != ports[2]);
            assert_eq!(ports, control_ports(7, address, |port| port % 2 == 0));
        }
        assert!(control_ports(7, IpAddr::V4([0; 4].into()), |_| true).is_empty());
    }
}
