//! A quick hash for maps whose keys are the plan's own, so that nobody can choose collisions.

use std::hash::{BuildHasherDefault, Hasher};

/// Makes a hasher for a map.
pub(crate) type Quick = BuildHasherDefault<Words>;

/// Mixes eight bytes at a time.
#[derive(Debug, Default)]
pub(crate) struct Words(u64);

impl Hasher for Words {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = words(self.0, bytes);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = step(self.0, value);
    }

    fn write_usize(&mut self, value: usize) {
        self.0 = step(self.0, value as u64);
    }
}

/// A hash of bytes after others.
pub(crate) fn words(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let state = words.iter().fold(seed ^ bytes.len() as u64, |state, word| step(state, u64::from_le_bytes(*word)));
    rest.iter().fold(state, |state, &byte| step(state, u64::from(byte)))
}

fn step(state: u64, word: u64) -> u64 {
    (state ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
}
