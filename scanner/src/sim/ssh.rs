//! The key exchange of a simulated SSH server, computed without any I/O.
//!
//! In: the server's identification line, the text of which its key is made, and what the client has sent. Out: what to send. It is a whole
//! exchange by curve25519, with a signature that holds, so that `ssh-keyscan` takes it as well. Behind it the server says nothing: nobody logs
//! in to a simulation.

use ksig_protocols::ssh::packet::{messages, packet, push_string, string};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};

const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const INIT: u8 = 30;
const REPLY: u8 = 31;
const KEY_KIND: &[u8] = b"ssh-ed25519";
/// Methods, keys, and then for each direction ciphers, codes, compressions, languages (RFC 4253 section 7.1).
const OFFER: [&str; 10] = [
    "curve25519-sha256,curve25519-sha256@libssh.org",
    "ssh-ed25519",
    "aes128-ctr,aes256-ctr",
    "aes128-ctr,aes256-ctr",
    "hmac-sha2-256,hmac-sha1",
    "hmac-sha2-256,hmac-sha1",
    "none",
    "none",
    "",
    "",
];

/// One server's side of an exchange.
pub(super) struct KeyExchange {
    /// Without its line end.
    line: Vec<u8>,
    key: Ed25519KeyPair,
    random: SystemRandom,
    /// The message with which it began.
    offer: Vec<u8>,
    /// Packets sent.
    sent: usize,
}

/// What to do next.
pub(super) enum Step {
    Send(Vec<u8>),
    Read,
    /// There is nothing more to say.
    Done,
}

impl KeyExchange {
    /// Equal texts make equal keys. Absent when there is no randomness.
    pub fn new(greeting: &[u8], key_text: &[u8]) -> Option<KeyExchange> {
        let line = greeting.rsplit(|byte| *byte == b'\n').find(|line| !line.is_empty()).unwrap_or_default().trim_ascii_end().to_vec();
        let key = Ed25519KeyPair::from_seed_unchecked(digest(&SHA256, key_text).as_ref()).ok()?;
        let random = SystemRandom::new();
        let mut offer = vec![KEXINIT; 17];
        random.fill(&mut offer[1..]).ok()?;
        for names in OFFER {
            push_string(&mut offer, names.as_bytes());
        }
        offer.extend_from_slice(&[0; 5]);
        Some(KeyExchange { line, key, random, offer, sent: 0 })
    }

    /// `received`: all that the client has sent.
    pub fn next(&mut self, received: &[u8]) -> Step {
        if self.sent == 0 {
            self.sent = 1;
            return Step::Send(packet(&self.offer));
        }
        if self.sent > 1 {
            return Step::Done;
        }
        let Some(end) = received.iter().position(|byte| *byte == b'\n') else { return Step::Read };
        let said = messages(&received[end + 1..]);
        let of = |number: u8| said.whole.iter().copied().find(|message| message[0] == number);
        match (of(KEXINIT), of(INIT)) {
            (Some(offer), Some(init)) => {
                self.sent = 2;
                self.reply(received[..end].trim_ascii_end(), offer, init).map_or(Step::Done, Step::Send)
            }
            _ if said.over => Step::Done,
            _ => Step::Read,
        }
    }

    /// The key, our public value, and the signature of both sides' words (RFC 8731, RFC 8709). Absent for a value that is none.
    fn reply(&self, client_line: &[u8], client_offer: &[u8], init: &[u8]) -> Option<Vec<u8>> {
        let (theirs, _) = string(&init[1..])?;
        let mine = EphemeralPrivateKey::generate(&X25519, &self.random).ok()?;
        let public = mine.compute_public_key().ok()?;
        let secret = agree_ephemeral(mine, &UnparsedPublicKey::new(&X25519, theirs), unsigned).ok()?;
        let key = named(self.key.public_key().as_ref());
        let mut words = Vec::new();
        for part in [client_line, &self.line, client_offer, &self.offer, &key, theirs, public.as_ref(), &secret] {
            push_string(&mut words, part);
        }
        let signature = named(self.key.sign(digest(&SHA256, &words).as_ref()).as_ref());
        let mut reply = vec![REPLY];
        for part in [&key[..], public.as_ref(), &signature] {
            push_string(&mut reply, part);
        }
        Some([packet(&reply), packet(&[NEWKEYS])].concat())
    }
}

/// A key or a signature behind its kind.
fn named(bytes: &[u8]) -> Vec<u8> {
    let mut named = Vec::new();
    push_string(&mut named, KEY_KIND);
    push_string(&mut named, bytes);
    named
}

/// A number as SSH writes it (RFC 4251 section 5, `mpint`), without its length.
fn unsigned(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let sign = number.get(start).is_some_and(|byte| *byte >= 0x80);
    [if sign { &[0][..] } else { &[] }, &number[start..]].concat()
}
