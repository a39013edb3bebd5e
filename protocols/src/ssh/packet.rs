//! Messages of SSH before any key is in use: in packets, in clear.
//!
//! In: bytes behind the identification line. Out: their messages in order, and whether more can come; or a message in its packet. A length
//! that no packet has ends what is read.

/// Longest packet that is read (RFC 4253 section 6.1).
const PACKET_BYTES_MAX: usize = 35_000;
/// Most messages that are looked at: a key exchange has five.
const MESSAGES_MAX: usize = 32;
/// A packet fills blocks of so many bytes.
const BLOCK_BYTES: usize = 8;
/// Least padding.
const PADDING_BYTES_MIN: usize = 4;
/// Before the message: length of the packet, and of its padding.
const HEAD_BYTES: usize = 5;

/// The messages so far.
#[derive(Debug, PartialEq, Eq)]
pub struct Messages<'a> {
    /// Those that are whole, none of them empty.
    pub whole: Vec<&'a [u8]>,
    /// What follows is none of SSH, or more than is looked at.
    pub over: bool,
}

/// Reads the messages of a peer.
pub fn messages(mut bytes: &[u8]) -> Messages<'_> {
    let mut whole = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > PACKET_BYTES_MAX || whole.len() == MESSAGES_MAX {
            return Messages { whole, over: true };
        }
        let Some((packet, next)) = rest.split_at_checked(length) else { break };
        let message = packet.split_first().and_then(|(padding, body)| body.get(..body.len().checked_sub(usize::from(*padding))?));
        match message {
            Some(message) if !message.is_empty() => whole.push(message),
            _ => return Messages { whole, over: true },
        }
        bytes = next;
    }
    Messages { whole, over: false }
}

/// A message in its packet. The padding is of zeros: nothing is encrypted with it.
pub fn packet(message: &[u8]) -> Vec<u8> {
    let short = (HEAD_BYTES + message.len() + PADDING_BYTES_MIN) % BLOCK_BYTES;
    let padding = PADDING_BYTES_MIN + if short == 0 { 0 } else { BLOCK_BYTES - short };
    let mut packet = length_32(1 + message.len() + padding).to_vec();
    packet.push(padding as u8);
    packet.extend_from_slice(message);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// Bytes behind their length (RFC 4251 section 5, `string`).
pub fn push_string(message: &mut Vec<u8>, bytes: &[u8]) {
    message.extend_from_slice(&length_32(bytes.len()));
    message.extend_from_slice(bytes);
}

/// Bytes behind their length, and what follows them.
pub fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length).try_into().ok()?)
}

/// Lengths of our own short messages.
fn length_32(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("ksig's own messages have some thousand bytes").to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_out_of_its_packet() {
        for length in 1..40 {
            let message = vec![20; length];
            let packet = packet(&message);
            assert!(packet.len().is_multiple_of(BLOCK_BYTES) && packet.len() >= 16, "{length}: {}", packet.len());
            assert_eq!(messages(&packet), Messages { whole: vec![&message], over: false });
            assert_eq!(messages(&packet[..packet.len() - 1]), Messages { whole: vec![], over: false });
        }
    }

    #[test]
    fn lengths_that_no_packet_has_end_what_is_read() {
        for bytes in [&b"\0\0\0\0"[..], b"\0\0\0\x02\x04\x14", b"\xff\xff\xff\xff", b"\0\0\x88\xb9", b"\0\0\0\x01\0"] {
            assert!(messages(bytes).over, "{bytes:?}");
        }
        assert!(messages(&packet(&[2]).repeat(MESSAGES_MAX + 1)).over);
    }
}
