//! The beginning of a key exchange, as far as the server's key, which comes in clear.
//!
//! In: what a server said behind its identification line. Out: what ksig says next, and what the server's messages hold. Absent: secrets. ksig
//! shows a public value that anyone can compute, makes no key of the answer and closes before one is in use: so there is no cryptography here.

use super::packet::{Messages, messages, packet, push_string, string};

/// Numbers of messages: RFC 4250 section 4.1, RFC 4419 section 5, RFC 5656 section 7.1.
const DISCONNECT: u8 = 1;
const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const INIT: u8 = 30;
/// The answer to [`INIT`]: the key; of a method that asks for a group, the group.
const REPLY: u8 = 31;
const GROUP_INIT: u8 = 32;
const GROUP_REPLY: u8 = 33;
const GROUP_REQUEST: u8 = 34;

/// How keys can be exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// By a public value that is the same each time: that of a curve's generator, a valid one of which nobody keeps the secret.
    Value(&'static [u8]),
    /// In a group whose prime has so many bits.
    Prime(u32),
    /// In a group that the server chooses.
    Asked,
}

/// Methods that are offered, those that cost a server least first. Old devices know the last ones alone.
static METHODS: &[(&str, Method)] = &[
    ("curve25519-sha256", Method::Value(&X25519)),
    ("curve25519-sha256@libssh.org", Method::Value(&X25519)),
    ("ecdh-sha2-nistp256", Method::Value(&P256)),
    ("ecdh-sha2-nistp384", Method::Value(&P384)),
    ("ecdh-sha2-nistp521", Method::Value(&P521)),
    ("diffie-hellman-group14-sha256", Method::Prime(2048)),
    ("diffie-hellman-group14-sha1", Method::Prime(2048)),
    ("diffie-hellman-group1-sha1", Method::Prime(1024)),
    ("diffie-hellman-group-exchange-sha256", Method::Asked),
    ("diffie-hellman-group-exchange-sha1", Method::Asked),
    ("diffie-hellman-group15-sha512", Method::Prime(3072)),
    ("diffie-hellman-group16-sha512", Method::Prime(4096)),
    ("diffie-hellman-group17-sha512", Method::Prime(6144)),
    ("diffie-hellman-group18-sha512", Method::Prime(8192)),
];

/// Kinds of keys that are asked for, in this order, so that a server shows the same one each time. Those that are quick to sign with first.
const HOST_KEYS: &str = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256,ssh-rsa,ssh-dss";
/// None of these is ever used; without a common one a server shows no key. Weak ones too: old devices know no other.
const CIPHERS: &str = "aes128-ctr,aes192-ctr,aes256-ctr,chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,\
     aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc,blowfish-cbc,cast128-cbc,twofish128-cbc,twofish256-cbc,arcfour256,arcfour128,arcfour,des-cbc";
const MACS: &str = "hmac-sha2-256,hmac-sha2-512,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,umac-128-etm@openssh.com,\
     umac-64-etm@openssh.com,umac-128@openssh.com,umac-64@openssh.com,hmac-sha1,hmac-sha1-96,hmac-md5,hmac-md5-96,hmac-ripemd160";
const COMPRESSIONS: &str = "none,zlib@openssh.com,zlib";

/// RFC 7748 section 4.1: the base point.
static X25519: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 9;
    point
};
/// SEC 2 section 2.4.2: G, uncompressed.
static P256: [u8; 65] = hex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
     4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
/// SEC 2 section 2.5.1: G, uncompressed.
static P384: [u8; 97] = hex("04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7\
     3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f");
/// SEC 2 section 2.6.1: G, uncompressed.
static P521: [u8; 133] = hex(
    "0400c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66\
     011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
);

/// Primes of a group that the server chooses have as many bits as these at least and at most; the middle one is asked for.
const PRIME_BITS: [u32; 3] = [1024, 2048, 8192];

/// The message with which ksig begins, in its packet.
pub fn opening() -> Vec<u8> {
    let mut message = vec![KEXINIT];
    // No key is ever made of it.
    message.extend_from_slice(&[0; 16]);
    let methods: Vec<&str> = METHODS.iter().map(|(name, _)| *name).collect();
    let both_ways = [CIPHERS, CIPHERS, MACS, MACS, COMPRESSIONS, COMPRESSIONS, "", ""];
    for names in [&methods.join(","), HOST_KEYS].into_iter().chain(both_ways) {
        push_string(&mut message, names.as_bytes());
    }
    // No guess follows; reserved.
    message.extend_from_slice(&[0; 5]);
    packet(&message)
}

/// What a server said in the exchange.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said<'a> {
    /// What it can do.
    pub offer: Option<Offer<'a>>,
    method: Option<Method>,
    prime: Option<&'a [u8]>,
    /// Its public key, as RFC 4253 section 6.6 has it.
    pub key: Option<&'a [u8]>,
    /// It broke off, or spoke no SSH: nothing more is said to it.
    pub over: bool,
}

impl<'a> Said<'a> {
    /// Reads what came behind the identification line.
    pub fn read(bytes: &'a [u8]) -> Said<'a> {
        let Messages { whole, over } = messages(bytes);
        let mut said = Said::default();
        for message in whole {
            said.take(message);
            if said.over || said.key.is_some() {
                return said;
            }
        }
        said.over = over;
        said
    }

    fn take(&mut self, message: &'a [u8]) {
        match (message[0], self.method) {
            (DISCONNECT | NEWKEYS, _) => self.over = true,
            (KEXINIT, _) if self.offer.is_none() => {
                self.offer = Offer::read(message);
                self.method = self.offer.as_ref().and_then(Offer::method);
                self.over = self.method.is_none();
            }
            (REPLY, Some(Method::Asked)) if self.prime.is_none() => {
                self.prime = string(&message[1..]).map(|(prime, _)| prime);
                self.over = self.prime.is_none();
            }
            (GROUP_REPLY, Some(Method::Asked)) | (REPLY, Some(Method::Value(_) | Method::Prime(_))) => {
                self.key = string(&message[1..]).map(|(key, _)| key);
                self.over = self.key.is_none();
            }
            // Chatter (RFC 4253 section 11), or what nobody asked for.
            _ => {}
        }
    }

    /// What ksig says after [`opening`], in order, each message in its packet: as far as the server has said what it takes to say it.
    pub fn answers(&self) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        let mut message = vec![INIT];
        match self.method {
            None => return answers,
            Some(Method::Value(value)) => push_string(&mut message, value),
            Some(Method::Prime(bits)) => push_string(&mut message, &value_in_group(bits)),
            Some(Method::Asked) => {
                message[0] = GROUP_REQUEST;
                message.extend(PRIME_BITS.iter().flat_map(|bits| bits.to_be_bytes()));
            }
        }
        answers.push(packet(&message));
        if let Some(bits) = self.prime.and_then(bits).filter(|bits| (PRIME_BITS[0]..=PRIME_BITS[2]).contains(bits)) {
            let mut message = vec![GROUP_INIT];
            push_string(&mut message, &value_in_group(bits));
            answers.push(packet(&message));
        }
        answers
    }
}

/// Algorithms that a server offers.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The ten lists of RFC 4253 section 7.1, in its order.
    lists: [&'a [u8]; 10],
}

impl<'a> Offer<'a> {
    /// Reads a KEXINIT. Absent when it is cut.
    fn read(message: &'a [u8]) -> Option<Offer<'a>> {
        let mut rest = message.get(17..)?;
        let mut lists = [&b""[..]; 10];
        for list in &mut lists {
            (*list, rest) = string(rest)?;
        }
        Some(Offer { lists })
    }

    /// Methods of key exchange, kinds of keys, and towards us ciphers, MACs and compressions, each as the server orders them.
    pub fn lists(&self) -> [&'a [u8]; 5] {
        [0, 1, 3, 5, 7].map(|at| self.lists[at])
    }

    /// The first of ours that the server has (RFC 4253 section 7.1).
    fn method(&self) -> Option<Method> {
        let offered = |name: &str| self.lists[0].split(|byte| *byte == b',').any(|known| known == name.as_bytes());
        METHODS.iter().find(|(name, _)| offered(name)).map(|(_, method)| *method)
    }
}

/// How many bits a number has. Absent for zero and for a negative one.
fn bits(number: &[u8]) -> Option<u32> {
    let start = number.iter().position(|byte| *byte != 0)?;
    let bits = u32::try_from(number.len() - start).ok()?.checked_mul(8)? - number[start].leading_zeros();
    (number[0] < 0x80).then_some(bits)
}

/// A public value for a prime of so many bits, 64 at least: the square of 2^k + 3, with k as large as leaves it below the prime. A square lies
/// in the group that is meant; and it has five bits set, because OpenSSH takes a value with fewer than four for a broken one.
fn value_in_group(bits: u32) -> Vec<u8> {
    let k = (bits - 2) / 2;
    let mut value = vec![0u8; (2 * k / 8 + 1) as usize];
    let last = value.len() - 1;
    // 2^2k + 6 * 2^k + 9
    for bit in [2 * k, k + 2, k + 1, 3, 0] {
        value[last - (bit / 8) as usize] |= 1 << (bit % 8);
    }
    if value[0] >= 0x80 {
        value.insert(0, 0);
    }
    value
}

/// Bytes by their digits.
const fn hex<const N: usize>(digits: &str) -> [u8; N] {
    const fn digit(byte: u8) -> u8 {
        if byte.is_ascii_digit() { byte - b'0' } else { byte - b'a' + 10 }
    }
    let digits = digits.as_bytes();
    assert!(digits.len() == 2 * N);
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = digit(digits[2 * at]) << 4 | digit(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_below_its_prime_and_no_broken_one() {
        for n in (1024..=8192).step_by(7).chain([1024, 1025, 2048, 8192]) {
            let value = value_in_group(n);
            assert!(bits(&value).is_some_and(|bits| bits < n && bits + 2 >= n), "{n}");
            assert_eq!(value.iter().map(|byte| byte.count_ones()).sum::<u32>(), 5, "{n}");
        }
        // k = 31: (2^31 + 3)^2.
        assert_eq!(value_in_group(64), ((1u64 << 31) + 3).pow(2).to_be_bytes());
    }

    #[test]
    fn bits_of_numbers() {
        assert_eq!((bits(&[0, 0x80]), bits(&[1, 0]), bits(&[0]), bits(&[]), bits(&[0x80])), (Some(8), Some(9), None, None, None));
    }
}
