//! Whether anything has a hash: a bit that is asked without a branch, for many hashes one after another.
//!
//! In: hashes. Out: for a hash, a word whose lowest bit says no for sure, or yes, perhaps. The sizes are known where this is compiled, so that a
//! look is a shift, a load and a shift.

/// Hashes up to which a size serves: then at most one of thirty-two bits is set, of the larger ones fewer.
const FEW: usize = 256;
const SOME: usize = 4096;
const MANY: usize = 32 * 1024;

/// A set of hashes; most slots have few.
#[derive(Debug, Default)]
pub(crate) enum HashBits {
    #[default]
    None,
    /// A kilobyte.
    Few(Words<128>),
    /// 32 KiB, what stays in the nearest cache.
    Some(Words<4096>),
    /// 128 KiB.
    Many(Words<{ 16 * 1024 }>),
    /// 512 KiB.
    More(Words<{ 64 * 1024 }>),
}

/// What answers a look.
pub(crate) trait Looks {
    /// A word whose lowest bit is set if anything has this hash, and seldom else.
    fn look(&self, hash: u32) -> u64;
}

/// Nothing has any hash.
pub(crate) struct Nothing;

impl Looks for Nothing {
    fn look(&self, _: u32) -> u64 {
        0
    }
}

/// The high end of a hash says which word, its low end which bit of it.
#[derive(Debug)]
pub(crate) struct Words<const COUNT: usize>(Box<[u64; COUNT]>);

impl<const COUNT: usize> Words<COUNT> {
    const SHIFT: u32 = 32 - COUNT.trailing_zeros();

    fn of(hashes: impl Iterator<Item = u32>) -> Words<COUNT> {
        let Ok(mut words) = <Box<[u64; COUNT]>>::try_from(vec![0; COUNT].into_boxed_slice()) else { unreachable!("as many as asked for") };
        hashes.for_each(|hash| words[(hash >> Self::SHIFT) as usize] |= 1 << (hash % 64));
        Words(words)
    }
}

impl<const COUNT: usize> Looks for Words<COUNT> {
    #[inline(always)]
    fn look(&self, hash: u32) -> u64 {
        self.0[(hash >> Self::SHIFT) as usize].wrapping_shr(hash)
    }
}

/// For few looks; for many, match first.
impl Looks for HashBits {
    fn look(&self, hash: u32) -> u64 {
        match self {
            HashBits::None => 0,
            HashBits::Few(words) => words.look(hash),
            HashBits::Some(words) => words.look(hash),
            HashBits::Many(words) => words.look(hash),
            HashBits::More(words) => words.look(hash),
        }
    }
}

impl HashBits {
    /// Of hashes, the same one possibly more than once.
    pub fn of(hashes: impl ExactSizeIterator<Item = u32>) -> HashBits {
        match hashes.len() {
            0 => HashBits::None,
            count if count <= FEW => HashBits::Few(Words::of(hashes)),
            count if count <= SOME => HashBits::Some(Words::of(hashes)),
            count if count <= MANY => HashBits::Many(Words::of(hashes)),
            _ => HashBits::More(Words::of(hashes)),
        }
    }
}
