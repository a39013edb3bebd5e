//! Engines that find all tests that hold for a page.

pub mod hyperscan;
pub mod ksig;
pub mod literals;
pub mod plain;
#[cfg(feature = "yara-x")]
pub mod yara;

/// An engine.
pub trait Engine {
    /// Appends the places of the tests that hold, in any order, possibly more than once.
    fn find(&self, page: &str, found: &mut Vec<usize>);
}
