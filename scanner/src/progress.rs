//! Counters of a running scan, readable by anyone at any time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a scan has done so far. Each number is right by itself; two of them may belong to moments a little apart.
#[derive(Debug, Default)]
pub struct Progress {
    hosts: AtomicU64,
    hosts_done: AtomicU64,
    conversations: AtomicU64,
    received_bytes: AtomicU64,
    in_flight: AtomicU64,
}

impl Progress {
    /// Hosts of the scan; 0 before it has begun.
    pub fn hosts(&self) -> u64 {
        self.hosts.load(Relaxed)
    }

    /// Hosts that are through.
    pub fn hosts_done(&self) -> u64 {
        self.hosts_done.load(Relaxed)
    }

    /// Conversations that have ended.
    pub fn conversations(&self) -> u64 {
        self.conversations.load(Relaxed)
    }

    /// Bytes received.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes.load(Relaxed)
    }

    /// Conversations going on.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    pub(crate) fn begin(&self, hosts: u64) {
        self.hosts.store(hosts, Relaxed);
    }

    pub(crate) fn host_done(&self) {
        self.hosts_done.fetch_add(1, Relaxed);
    }

    pub(crate) fn conversation_begun(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    pub(crate) fn conversation_ended(&self, received_bytes: usize) {
        self.in_flight.fetch_sub(1, Relaxed);
        self.conversations.fetch_add(1, Relaxed);
        self.received_bytes.fetch_add(received_bytes as u64, Relaxed);
    }
}
