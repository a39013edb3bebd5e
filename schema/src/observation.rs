//! Observations: what came over the wire, as it came.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::probe::ProbeKey;
use crate::value::Time;

/// What carries the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Plain TCP.
    Tcp,
    /// TLS over TCP; the received bytes are those inside TLS, except for `tls.hello()`, which sees the records themselves.
    Tls,
    /// UDP.
    Udp,
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// The protocol says that the answer is whole (length reached, greeting line read and silent).
    Complete,
    /// The peer closed.
    Eof,
    /// Our byte limit was reached.
    Cap,
    /// No further byte in time, or the whole talk took too long.
    Timeout,
    /// The peer reset the connection.
    Reset,
    /// The port refused the connection.
    Refused,
    /// No route, or an ICMP error said so.
    Unreachable,
    /// A TLS alert, or a handshake that failed.
    TlsAlert,
    /// A local failure (no descriptor, no port): says nothing of the peer.
    Local,
    /// The scan was stopped, or the address came on the blocklist meanwhile.
    Stopped,
}

impl Ended {
    /// Whether a connection was made at all.
    pub fn connected(self) -> bool {
        !matches!(self, Ended::Refused | Ended::Unreachable | Ended::Local)
    }
}

/// One conversation: exactly one of these for each, whatever happens. The JSON form is the observation line of the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Unique in its file; by default `<address>:<port>/<probe>@<time>`.
    pub id: String,
    /// Groups the observations of one host in one cycle.
    pub host: String,
    /// Who answered.
    pub address: IpAddr,
    /// On which port; for a port that a run binds elsewhere (`--ports 18080=http`), the port really used.
    pub port: u16,
    /// What carried the bytes.
    pub transport: Transport,
    /// Which probe.
    pub probe: ProbeKey,
    /// The bytes sent, as text with everything but printable ASCII escaped as `\xNN` (and `\r`, `\n`, `\t`, `\\`).
    pub sent: String,
    /// The bytes received, as far as they came.
    #[serde(rename = "received_b64", with = "base64_bytes")]
    pub received: Vec<u8>,
    /// How it ended.
    pub ended: Ended,
    /// When the connection was begun.
    pub time: Time,
}

/// Bytes as standard base64 in JSON.
pub mod base64_bytes {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Bytes to text.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    /// Text to bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
