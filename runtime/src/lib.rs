//! What runs: plans, bundles, the interpreter and the matcher. No syntax is known here and no code generator is needed.

pub mod literals;
pub mod pattern;
pub mod plan;

pub use pattern::{CompiledPattern, PatternError};
