//! Live observations under limits, and a simulated population to practise on. This crate knows no signature.

mod mix;
pub mod ports;
pub mod sim;

pub use ports::{PortUse, ServiceName, parse_ports};
