//! What runs: plans, bundles, the interpreter and the matcher. No syntax is known here and no code generator is needed.
//!
//! ```text
//! Plan --verify--> VerifiedPlan --+--> Interpreter, or the JIT of the compiler     (Backend)
//! bundle bytes --read--^          +--> Matcher: evidence in, identifications out
//! ```
//!
//! Nothing here reads a file, a clock or the network.

pub mod approach;
pub mod backend;
pub mod binding;
mod board;
pub mod bundle;
pub mod counts;
mod depth;
mod evaluate;
pub mod explain;
mod expr;
pub mod feed;
pub mod fold;
mod grams;
mod hash;
mod hash_bits;
pub mod interpreter;
pub mod interval;
mod join;
pub mod literals;
pub mod matcher;
mod miss;
pub mod pattern;
mod pattern_engine;
mod plain_pattern;
pub mod plan;
pub mod prefilter;
mod prefix_index;
mod proof;
mod resolve;
mod rows;
#[cfg(test)]
mod sample;
pub mod text_automaton;
mod trigger;
pub mod verify;

pub use backend::{Backend, Truth, ValueView};
pub use bundle::BundleError;
pub use explain::Trace;
pub use interpreter::Interpreter;
pub use matcher::{Matcher, Scratch};
pub use pattern::{CompiledPattern, PatternError};
pub use plan::Plan;
pub use verify::{Problem, VerifiedPlan, VerifyError};
