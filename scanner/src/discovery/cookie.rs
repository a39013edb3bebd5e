//! Sequence numbers that prove themselves: whoever answers a SYN repeats its number, so a keyed hash of whom it went to needs no memory.

use std::hash::Hasher as _;
use std::net::IpAddr;

use siphasher::sip::SipHasher13;

/// A key of one run; forged answers do not know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct CookieKey(u64, u64);

impl CookieKey {
    pub fn random() -> std::io::Result<CookieKey> {
        Ok(CookieKey(crate::order::Permutation::random_key()?, crate::order::Permutation::random_key()?))
    }

    /// The sequence number of a packet to that port.
    pub fn sequence(self, address: IpAddr, port: u16) -> u32 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        match address {
            IpAddr::V4(v4) => hasher.write_u64(u64::from(u32::from(v4)) << 16 | u64::from(port)),
            IpAddr::V6(v6) => {
                hasher.write_u128(u128::from(v6));
                hasher.write_u16(port);
            }
        }
        hasher.finish() as u32
    }
}
