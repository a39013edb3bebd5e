//! What may stand at a place of a text: one of 256 bytes, or its end.

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes([u64; 4]);

/// A set of bytes, and perhaps the end of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Symbols {
    pub bytes: Bytes,
    pub end: bool,
}

impl Bytes {
    pub const ALL: Bytes = Bytes([u64::MAX; 4]);

    pub fn one(byte: u8) -> Bytes {
        Bytes::range(byte, byte)
    }

    pub fn range(low: u8, high: u8) -> Bytes {
        let mut bytes = Bytes::default();
        bytes.add(low, high);
        bytes
    }

    pub fn add(&mut self, low: u8, high: u8) {
        (low..=high).for_each(|byte| self.0[usize::from(byte >> 6)] |= 1 << (byte & 63));
    }

    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    pub fn and(&self, other: &Bytes) -> Bytes {
        Bytes(std::array::from_fn(|at| self.0[at] & other.0[at]))
    }

    pub fn or(&self, other: &Bytes) -> Bytes {
        Bytes(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    pub fn not(&self) -> Bytes {
        Bytes(self.0.map(|word| !word))
    }

    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// The 64 bytes from 64 times `at` on, as bits.
    pub fn word(&self, at: usize) -> u64 {
        self.0[at]
    }

    /// Closed ranges in order, apart.
    pub fn ranges(&self) -> Vec<(u8, u8)> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for byte in (0..=255u8).filter(|byte| self.contains(*byte)) {
            match ranges.last_mut() {
                Some(last) if last.1.checked_add(1) == Some(byte) => last.1 = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        ranges
    }

    /// The only byte; or the small letter of the only two, which are both cases of it. With the bit that tells the two apart.
    pub fn only(&self) -> Option<(u8, u8)> {
        match self.ranges().as_slice() {
            [(low, high)] if low == high => Some((*low, 0)),
            [(large, _), (small, _)] if self.len() == 2 && large.is_ascii_uppercase() && *small == large.to_ascii_lowercase() => {
                Some((*small, 0x20))
            }
            _ => None,
        }
    }
}

impl Symbols {
    pub const ALL: Symbols = Symbols { bytes: Bytes::ALL, end: true };
    pub const END: Symbols = Symbols { bytes: Bytes([0; 4]), end: true };

    pub fn and(&self, other: &Symbols) -> Symbols {
        Symbols { bytes: self.bytes.and(&other.bytes), end: self.end && other.end }
    }

    pub fn or(&self, other: &Symbols) -> Symbols {
        Symbols { bytes: self.bytes.or(&other.bytes), end: self.end || other.end }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.end
    }
}

impl From<Bytes> for Symbols {
    fn from(bytes: Bytes) -> Symbols {
        Symbols { bytes, end: false }
    }
}
