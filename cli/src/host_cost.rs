//! What a host costs: bounds from the requests of a release, and averages from the observations of scans.
//!
//! In: templates, or a state directory. Out: connections, datagrams and bytes a host. Bounds count the ports that the release expects and every
//! follow-up once a port; what a scan really costs depends on what stands open, so that only observations can tell it.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;

use ksig_atlas::{LogError, LogReader};
use ksig_schema::{Delivery, Ended, Transport};
use serde::Serialize;

use crate::store;
use crate::templates::Template;

/// What a host costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HostCost {
    /// Connections of TCP that are begun.
    pub connections: usize,
    /// Datagrams of UDP that are sent.
    pub datagrams: usize,
    /// Bytes that are sent, without those of TCP, UDP, IP and TLS themselves.
    pub bytes_sent: usize,
    /// Bytes of answers that are kept.
    pub bytes_kept: usize,
}

impl fmt::Display for HostCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} connections, {} datagrams, {} bytes sent", self.connections, self.datagrams, self.bytes_sent)
    }
}

/// A host that says nothing, and one that answers on every port that the templates name.
pub fn bounds(templates: &[Template]) -> (HostCost, HostCost) {
    let schema = ksig_protocols::schema();
    let (mut silent, mut answering) = (HostCost::default(), HostCost::default());
    // Where no connection comes about, the first probe of a port is the last.
    let mut tried = BTreeSet::new();
    for template in templates {
        let name = template.probe.split('(').next().unwrap_or_default();
        let delivery = schema.constructor(name).map_or(Delivery::Stream, |constructor| constructor.delivery);
        let (ports, messages) = (template.ports.len(), template.sends.len());
        match delivery {
            Delivery::Datagrams => {
                answering.datagrams += ports * messages;
                if !template.follow_up {
                    silent.datagrams += ports * messages * delivery.sends();
                    silent.bytes_sent += ports * template.cost.bytes_sent * delivery.sends();
                }
            }
            Delivery::Stream | Delivery::StreamEach => {
                answering.connections += ports * if delivery == Delivery::StreamEach { messages } else { 1 };
                if !template.follow_up {
                    silent.connections += template.ports.iter().filter(|port| tried.insert(**port)).count();
                }
            }
        }
        answering.bytes_sent += ports * template.cost.bytes_sent;
        answering.bytes_kept = answering.bytes_kept.saturating_add(ports.saturating_mul(template.cost.bytes_kept));
    }
    (silent, answering)
}

/// What hosts cost that were called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    /// Hosts, each in each cycle.
    pub hosts: u64,
    /// Conversations over TCP, a host.
    pub connections: f64,
    /// Those that came about.
    pub connected: f64,
    /// Conversations over UDP, a host.
    pub datagram_talks: f64,
    /// Bytes sent, a host.
    pub bytes_sent: f64,
    /// Bytes received, a host.
    pub bytes_received: f64,
    /// Conversations that no more than one host in a hundred had more of.
    pub conversations_p99: u64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured { hosts, connections, connected, datagram_talks, bytes_sent, bytes_received, conversations_p99 } = self;
        write!(
            f,
            "{hosts} hosts that were called: {connections:.2} connections ({connected:.2} came about), {datagram_talks:.2} talks over UDP, {bytes_sent:.0} bytes sent, \
             {bytes_received:.0} received on the average; 99 of 100 had at most {conversations_p99} conversations"
        )
    }
}

/// The averages of all observations in a state directory. Damaged records are passed over. 16 bytes of memory a host.
pub fn measured(state: &Path) -> Result<Measured, LogError> {
    let mut measured = Measured::default();
    // A sweep calls a host several times in a cycle, with others between: hosts are told apart by a hash of their names.
    let (hasher, mut hosts) = (RandomState::new(), HashMap::<u64, u64>::new());
    for observation in LogReader::open(&store::log_dir(state))? {
        let observation = match observation {
            Err(LogError::Damaged { .. }) => continue,
            other => other?,
        };
        *hosts.entry(hasher.hash_one(&observation.host)).or_default() += 1;
        if observation.transport == Transport::Udp {
            measured.datagram_talks += 1.0;
        } else {
            measured.connections += 1.0;
            // A time-out before anything was sent is nearly always one of connecting.
            let silent = observation.ended == Ended::Timeout && observation.sent.is_empty();
            measured.connected += if observation.ended.connected() && !silent { 1.0 } else { 0.0 };
        }
        measured.bytes_sent += sent_bytes(&observation.sent) as f64;
        measured.bytes_received += observation.received.len() as f64;
    }
    measured.hosts = hosts.len() as u64;
    for sum in [
        &mut measured.connections,
        &mut measured.connected,
        &mut measured.datagram_talks,
        &mut measured.bytes_sent,
        &mut measured.bytes_received,
    ] {
        *sum /= hosts.len().max(1) as f64;
    }
    let mut conversations: Vec<u64> = hosts.into_values().collect();
    conversations.sort_unstable();
    measured.conversations_p99 = conversations.iter().rev().nth(conversations.len() / 100).copied().unwrap_or(0);
    Ok(measured)
}

/// How many bytes an escaped text stands for.
fn sent_bytes(escaped: &str) -> usize {
    let mut rest = escaped.as_bytes();
    let mut bytes = 0;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'\\', [b'x', _, _, more @ ..]) => more,
            (b'\\', [_, more @ ..]) => more,
            _ => after,
        };
        bytes += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use ksig_atlas::LogWriter;
    use ksig_schema::{Observation, ProbeKey, Time};

    use super::*;

    #[test]
    fn a_host_that_is_called_several_times_is_one() {
        let state = tempfile::tempdir().expect("a folder");
        let (mut log, _) = LogWriter::open(&store::log_dir(state.path())).expect("a log");
        for (at, host) in ["a", "b", "a", "a"].into_iter().enumerate() {
            let observation = Observation {
                id: at.to_string(),
                host: host.into(),
                address: [127, 0, 0, 1].into(),
                port: 80,
                transport: Transport::Tcp,
                probe: ProbeKey::with("http.get", "/"),
                sent: "GET\\r\\n".into(),
                received: b"x".to_vec(),
                ended: Ended::Eof,
                time: Time::UNIX_EPOCH,
            };
            log.append(&observation).expect("appended");
        }
        log.commit().expect("committed");
        let measured = measured(state.path()).expect("a log");
        assert_eq!((measured.hosts, measured.connections, measured.conversations_p99), (2, 2.0, 3));
        assert_eq!((measured.bytes_sent, measured.bytes_received, measured.datagram_talks), (10.0, 2.0, 0.0));
    }

    #[test]
    fn escaped_bytes_are_counted_as_they_were_sent() {
        assert_eq!(sent_bytes(r"GET / \\\r\n\x00\xff"), 6 + 1 + 2 + 2);
        assert_eq!(sent_bytes(r"\"), 1);
    }
}
