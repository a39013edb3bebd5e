//! Live observations under limits, and a simulated population to practise on. This crate knows no signature.

pub mod blocklist;
mod mix;
pub mod order;
pub mod ports;
mod ranges;
pub mod sim;
pub mod targets;

pub use blocklist::{Blocklist, BlocklistError};
pub use ports::{PortUse, ServiceName, parse_ports};
pub use targets::{TargetError, TargetSet};
