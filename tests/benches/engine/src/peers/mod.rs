//! Engines that find the winner of a banner and its captures.

pub mod hyperscan;
pub mod ksig;
pub mod literals;
pub mod regex_loop;
pub mod regex_set;
#[cfg(feature = "yara-x")]
pub mod yara;

use crate::work::Banner;

/// The pattern that wins, by its place, and the spans of its named groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Winner {
    /// Index into the field's patterns.
    pub place: usize,
    /// In the order in which the groups open; absent where a group took no part.
    pub captures: Vec<Option<(usize, usize)>>,
}

/// An engine.
pub trait Peer {
    /// As its rows say.
    fn name(&self) -> &'static str;

    /// The winner on a banner.
    fn find(&self, banner: &Banner) -> Option<Winner>;
}
