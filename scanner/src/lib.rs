//! Live observations under limits, and a simulated population to practise on. This crate knows no signature.

pub mod blocklist;
mod calls;
mod datagrams;
mod delegated;
pub mod discovery;
mod each;
mod elsewhere;
pub mod engine;
mod everywhere;
mod feed;
mod host;
#[cfg(feature = "legacy-tls")]
mod legacy_tls;
mod limits;
mod mix;
mod opening;
pub mod order;
mod pace;
mod patience;
pub mod permission;
pub mod ports;
mod progress;
mod ranges;
mod raw;
pub mod sim;
mod stop;
pub mod sweep;
mod talk;
pub mod targets;
mod tls;

pub use blocklist::{Blocklist, BlocklistError, Reloaded};
pub use engine::{Clock, HostObservations, ScanError, ScanOptions, ScanSummary, scan};
pub use feed::{Feed, FeedError};
pub use limits::TalkLimits;
pub use permission::{Denied, Permission};
pub use ports::{PortUse, ServiceName, parse_ports};
pub use progress::Progress;
pub use stop::Stop;
pub use targets::{TargetError, TargetSet};
