//! Discovery: which ports of a target set take connections.
//!
//! | module | holds |
//! |---|---|
//! | `places` | the order of addresses and ports, and how far a run has come |
//! | `pace` | how fast they are begun |
//! | `course` | what every run keeps, however it asks |
//! | `syn` | asking by one packet each, without a connection: needs CAP_NET_RAW |
//! | `wire` | for it and for sweeps: packets on their way, and answers that are ours |
//! | `packet`, `cookie`, `link` | SYNs and their answers as bytes; sequence numbers that prove whom a packet went to; interface and next hop |
//! | `connect` | asking by a connection each that is closed at once: anybody may, and it is slower |
//!
//! In: a target set, ports, a pace. Out: [`Answer`]s through a callback.

mod connect;
mod cookie;
mod course;
mod link;
mod pace;
mod packet;
mod places;
mod syn;
pub(crate) mod wire;

use std::io;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

pub use link::{Link, LinkHints, parse_mac};
pub use packet::{Mac, PortState};

use crate::blocklist::Blocklist;
use crate::stop::Stop;
use crate::targets::TargetSet;
use course::Course;

/// How a port is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By a SYN that no connection follows. Needs CAP_NET_RAW; targets are of one address family.
    Syn,
    /// By a connection of the system that is closed as soon as it stands.
    Connect,
}

/// What a discovery does.
#[derive(Clone)]
pub struct DiscoverOptions {
    /// How.
    pub method: Method,
    /// Whom.
    pub targets: TargetSet,
    /// Where.
    pub ports: Vec<u16>,
    /// Who must not be called.
    pub blocklist: Arc<Blocklist>,
    /// Packets or connections a second.
    pub rate: NonZeroU32,
    /// How long answers are waited for after the last packet, or each connection is.
    pub cooldown: Duration,
    /// The key of the order.
    pub order_key: u64,
    /// The part of the order: every `count`-th place, beginning with the `index`-th from 0.
    pub shard: (u64, u64),
    /// Places of the shard that are passed over, because an earlier run had them.
    pub skip: u64,
    /// From where packets go out, as far as it is said; connections go where the system sends them.
    pub link: LinkHints,
}

/// What came of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// Whose port.
    pub address: IpAddr,
    /// Which.
    pub port: u16,
    /// What came.
    pub state: PortState,
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiscoverCounts {
    /// Places of the shard, the skipped ones too.
    pub places: u64,
    /// Places that are through: skipped, sent or blocked.
    pub through: u64,
    /// Places whose answers have been waited for as well: a run that ends goes on behind them.
    pub settled: u64,
    /// Packets that the system took, or connections that were begun.
    pub sent: u64,
    /// Places that the blocklist names.
    pub blocked: u64,
    /// Ports that take connections.
    pub open: u64,
    /// Ports that refuse.
    pub closed: u64,
    /// Places that a router calls unreachable.
    pub unreachable: u64,
    /// Places that we are not allowed to reach.
    pub prohibited: u64,
    /// Answers that came once more.
    pub repeated: u64,
    /// Frames that look like answers, and repeat no number of ours.
    pub forged: u64,
    /// How often the system had no room for packets; none was counted as sent.
    pub waited: u64,
    /// Places that our own machine could not ask, although it tried again: no descriptor, no free port.
    pub local: u64,
}

/// Why a discovery did not begin, or broke off.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The targets stand for a network in memory.
    #[error("these targets are a simulation: nobody may be called")]
    Simulated,
    /// Packets do not go to this machine itself.
    #[error("loopback addresses are reached by connections, not by packets")]
    Loopback,
    /// A link sends packets of one family.
    #[error("packets go to targets of one address family: discover IPv4 and IPv6 each by itself, or by connections")]
    Families,
    /// No port.
    #[error("no port is named")]
    NoPorts,
    /// The way out is not known.
    #[error("{0}")]
    Link(String),
    /// The system does not let us.
    #[error("packets cannot be sent: {0} (CAP_NET_RAW is needed)")]
    NotAllowed(io::Error),
    /// The network failed.
    #[error("the network failed: {0}")]
    Network(io::Error),
}

/// Asks every place and takes what comes back. Runs on its own thread until all places and the cool-down are through, or it is stopped.
/// Callbacks: `answered` for each answer, `told` with the counts now and then and at the end.
pub fn discover(
    options: &DiscoverOptions,
    stop: &Stop,
    answered: impl FnMut(Answer),
    told: impl FnMut(&DiscoverCounts),
) -> Result<DiscoverCounts, DiscoverError> {
    if options.targets.is_simulated() {
        return Err(DiscoverError::Simulated);
    }
    let first = options.targets.at(0).filter(|_| !options.ports.is_empty()).ok_or(DiscoverError::NoPorts)?;
    let course = Course::new(options, told);
    match options.method {
        Method::Syn if options.targets.reaches_loopback() => Err(DiscoverError::Loopback),
        Method::Syn if !options.targets.is_of_one_family() => Err(DiscoverError::Families),
        Method::Syn => syn::run(course, first, stop, answered),
        Method::Connect => connect::run(course, stop, answered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_go_neither_to_this_machine_nor_to_two_families_at_once() {
        let refused = |targets: &str| {
            let options = DiscoverOptions {
                method: Method::Syn,
                targets: targets.parse().expect("targets"),
                ports: vec![80],
                blocklist: Arc::new(Blocklist::nobody()),
                rate: NonZeroU32::MIN,
                cooldown: Duration::ZERO,
                order_key: 7,
                shard: (0, 1),
                skip: 0,
                link: LinkHints::default(),
            };
            discover(&options, &Stop::new(), |_| panic!("nobody is asked"), |_| {}).expect_err(targets)
        };
        assert!(matches!(refused("10.0.0.1,127.0.0.1"), DiscoverError::Loopback));
        assert!(matches!(refused("::1"), DiscoverError::Loopback));
        assert!(matches!(refused("10.0.0.1,fd00::1"), DiscoverError::Families));
    }
}
