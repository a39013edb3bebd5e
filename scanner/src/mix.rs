//! A small keyed hash: spreads choices evenly, keeps nothing secret.

/// One round of SplitMix64: every input bit reaches every output bit.
pub(crate) fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The same number for the same key, number and text, on every machine.
pub(crate) fn keyed(key: u64, number: u64, text: &str) -> u64 {
    let seeded = mix(mix(key) ^ number);
    text.bytes().fold(seeded, |sum, byte| mix(sum ^ u64::from(byte)))
}
