//! Records of TLS up to 1.2, and the handshake messages in them, read while they arrive.

/// Longest record: RFC 5246 section 6.2.3.
const RECORD_BYTES_MAX: usize = 16 * 1024 + 2048;
/// Longest message that is put together; a longer chain of certificates is read as far as that.
const MESSAGE_BYTES_MAX: usize = 128 * 1024;
/// Most certificates that are counted.
const CHAIN_MAX: usize = 1024;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;
const FATAL: u8 = 2;

/// What a server answered, as far as it came. Looks at each record once, however the answer is split.
#[derive(Debug, Default)]
pub struct Flight {
    /// Where the next record begins.
    record_at: usize,
    /// Handshake bytes that no whole message used yet.
    handshake: Vec<u8>,
    /// Version and cipher suite of the ServerHello.
    pub chosen: Option<(u16, u16)>,
    /// Numbers of the ServerHello's extensions, in order.
    pub extensions: Vec<u16>,
    /// Body of the Certificate message, as far as it came.
    pub certificates: Option<Vec<u8>>,
    /// Level and description of the first alert.
    pub alert: Option<(u8, u8)>,
    /// Nothing more is wanted.
    pub over: bool,
    /// The server said all that was asked: its certificate, or that it has none.
    pub whole: bool,
}

impl Flight {
    /// Looks at all bytes so far.
    pub fn look(&mut self, bytes: &[u8]) {
        while !self.over {
            let rest = bytes.get(self.record_at..).unwrap_or_default();
            let foreign = rest.first().is_some_and(|kind| !(20..=23).contains(kind)) || rest.get(1).is_some_and(|major| *major != 3);
            if foreign {
                self.over = true;
            }
            let [kind, _, _, high, low, rest @ ..] = rest else { return };
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if length > RECORD_BYTES_MAX {
                self.over = true;
            }
            let Some(fragment) = rest.get(..length).filter(|_| !self.over) else { return };
            self.record_at += 5 + length;
            match *kind {
                HANDSHAKE => {
                    self.handshake.extend_from_slice(fragment);
                    self.messages();
                }
                ALERT => {
                    if let [level, description, ..] = *fragment {
                        self.alert.get_or_insert((level, description));
                        self.over |= level == FATAL || description == 0;
                    }
                }
                // What comes now is encrypted.
                _ => self.over = true,
            }
        }
    }

    /// The certificates of a message that did not come whole, for a decoder that gets no more bytes.
    pub fn finish(&mut self) {
        if let [CERTIFICATE, _, _, _, body @ ..] = self.handshake.as_slice()
            && self.certificates.is_none()
        {
            self.certificates = Some(body.to_vec());
        }
    }

    fn messages(&mut self) {
        let mut at = 0;
        while let Some([kind, a, b, c, rest @ ..]) = self.handshake.get(at..).filter(|_| !self.over) {
            let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            let Some(body) = rest.get(..length) else {
                self.over = self.handshake.len() - at > MESSAGE_BYTES_MAX;
                break;
            };
            match *kind {
                SERVER_HELLO if self.chosen.is_none() => {
                    self.chosen = server_hello(body);
                    self.extensions = extensions(body).unwrap_or_default();
                }
                CERTIFICATE => {
                    self.certificates = Some(body.to_vec());
                    (self.over, self.whole) = (true, true);
                }
                SERVER_HELLO_DONE => (self.over, self.whole) = (true, true),
                _ => {}
            }
            at += 4 + length;
        }
        self.handshake.drain(..at);
    }
}

/// Version and cipher suite: RFC 5246 section 7.4.1.3.
fn server_hello(body: &[u8]) -> Option<(u16, u16)> {
    let (version, rest) = body.split_first_chunk::<2>()?;
    let session_length = usize::from(*rest.get(32)?);
    let cipher = rest.get(33 + session_length..)?.first_chunk::<2>()?;
    Some((u16::from_be_bytes(*version), u16::from_be_bytes(*cipher)))
}

/// Numbers of the extensions of a ServerHello. Absent when it ends before them.
fn extensions(body: &[u8]) -> Option<Vec<u16>> {
    // Version and random, session, cipher suite, compression, length of all extensions.
    let session_length = usize::from(*body.get(2 + 32)?);
    let mut rest = body.get(2 + 32 + 1 + session_length + 2 + 1 + 2..)?;
    let mut numbers = Vec::new();
    while let [number_high, number_low, high, low, after @ ..] = rest {
        numbers.push(u16::from_be_bytes([*number_high, *number_low]));
        rest = after.get(usize::from(u16::from_be_bytes([*high, *low]))..)?;
    }
    Some(numbers)
}

/// The certificates in a message's body that came whole, the server's own first.
pub fn chain(body: &[u8]) -> Vec<&[u8]> {
    let mut certificates = Vec::new();
    let mut rest = body.get(3..).unwrap_or_default();
    while let [a, b, c, after @ ..] = rest
        && certificates.len() < CHAIN_MAX
    {
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let Some((certificate, next)) = after.split_at_checked(length) else { break };
        certificates.push(certificate);
        rest = next;
    }
    certificates
}
