//! How long and how much: bounds of conversations, and how many of them the machine can hold.

use ksig_protocols::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Bounds of every conversation of a scan. A protocol's own bound counts where it is tighter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TalkLimits {
    /// Longest wait for a connection, and again for a TLS handshake, in milliseconds.
    pub connect_ms: u64,
    /// Longest wait for the first byte, in milliseconds.
    pub first_byte_ms: u64,
    /// Longest silence between bytes, in milliseconds.
    pub silence_ms: u64,
    /// Longest whole talk after connecting, in milliseconds.
    pub total_ms: u64,
    /// Most bytes received.
    pub response_bytes_max: usize,
}

impl Default for TalkLimits {
    fn default() -> TalkLimits {
        TalkLimits { connect_ms: 5_000, first_byte_ms: 10_000, silence_ms: 10_000, total_ms: 60_000, response_bytes_max: 4 << 20 }
    }
}

impl TalkLimits {
    /// A protocol's bounds, none wider than these.
    pub(crate) fn bound(&self, own: Limits) -> Limits {
        Limits {
            response_bytes_max: own.response_bytes_max.min(self.response_bytes_max),
            first_byte_ms: own.first_byte_ms.min(self.first_byte_ms),
            silence_ms: own.silence_ms.min(self.silence_ms),
            total_ms: own.total_ms.min(self.total_ms),
        }
    }
}

/// Most conversations at once that are begun unasked: more would only wait for the rate.
const CONVERSATIONS_MAX: u64 = 4_096;
/// Descriptors that the rest of the program keeps.
const DESCRIPTORS_KEPT: u64 = 64;

/// How many conversations the process may hold at once: half of its descriptors, because a simulator, a store or a server in the same
/// process needs the other half.
pub(crate) fn conversations_max() -> usize {
    (raised_descriptors() / 2).saturating_sub(DESCRIPTORS_KEPT).clamp(1, CONVERSATIONS_MAX) as usize
}

/// How many descriptors the process may have, after its soft limit was raised to the hard one.
pub(crate) fn raised_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    current.unwrap_or(u64::MAX)
}
