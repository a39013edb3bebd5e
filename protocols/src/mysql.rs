//! MySQL and MariaDB: the greeting of a server.
//!
//! In: the first packet of a server. Out: facts under `mysql`: its version and what it can do, or why it turns us away. The challenge in it
//! is no fact.
//!
//! ksig says nothing, not even a user name, and closes.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Peer};
use crate::frame::{self, Frame, zero_ended};
use crate::greeting;
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Version of the protocol: `10`, or `9` of servers before 3.21.
    ///
    /// Absent in an error.
    /// Source: MySQL internals, Protocol::Handshake. Example: `10`.
    PROTOCOL_VERSION: Int = "mysql.protocol";

    /// Version of the server, as it says it. MariaDB writes `5.5.5-` before its own until version 11.
    ///
    /// Absent in an error.
    /// Source: MySQL internals, Protocol::HandshakeV10. Example: `5.5.5-10.11.19-MariaDB-0+deb12u1`.
    VERSION: Text = "mysql.version";

    /// What the server can do, as a sum of the capability flags: 2048 for TLS.
    ///
    /// Absent in an error, and when the packet ends before them.
    /// Source: MySQL internals, Capabilities Flags. Example: `2181036030`.
    CAPABILITIES: Int = "mysql.capabilities";

    /// Number of the server's character set and collation.
    ///
    /// Source: MySQL internals, Protocol::HandshakeV10. Example: `45`.
    CHARSET: Int = "mysql.charset";

    /// How the server wants passwords to be proven.
    ///
    /// Absent when the server names none.
    /// Source: MySQL internals, Protocol::HandshakeV10. Example: `mysql_native_password`.
    AUTH_PLUGIN: Text = "mysql.auth_plugin";

    /// Why the server turns us away, in its words.
    ///
    /// Absent in a greeting.
    /// Source: MySQL internals, ERR_Packet. Example: `Host '192.0.2.1' is not allowed to connect to this MariaDB server`.
    ERROR: Text = "mysql.error";

    /// Number of the error: 1130 when our address is not let in, 1040 when there are too many clients.
    ///
    /// Absent in a greeting.
    /// Source: MySQL internals, ERR_Packet. Example: `1130`.
    ERROR_CODE: Int = "mysql.error_code";
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "mysql.greeting",
    root: "mysql",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Passive,
    delivery: Delivery::Stream,
    ports: &[3306],
    tls_ports: &[],
    inside_tls: false,
    doc: "Reads the greeting that the server sends first, says nothing and closes. MySQL internals, Protocol::Handshake.",
}];

/// MySQL.
pub static PROTOCOL: Protocol =
    Protocol { name: "mysql", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: None };

/// Longest first packet that is read: names and a message, far below this.
const PACKET_BYTES_MAX: usize = 4 * 1024;
/// Thread, first part of the challenge, and a zero.
const BEFORE_CAPABILITIES: usize = 4 + 8 + 1;
/// Reserved bytes of a greeting.
const RESERVED: usize = 10;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    frame::ask(None, greeting::LIMITS, packet)
}

/// The first packet: three bytes of length, lowest first, its number, and the kind.
fn packet(bytes: &[u8]) -> Frame<'_> {
    let foreign = |at: usize, known: fn(u8) -> bool| bytes.get(at).is_some_and(|byte| !known(*byte));
    if foreign(2, |high| high == 0) || foreign(3, |number| number <= 1) || foreign(4, |kind| matches!(kind, 9 | 10 | 0xff)) {
        return Frame::Foreign;
    }
    let [low, high, _, _, ..] = bytes else { return Frame::Arriving };
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    if length == 0 { Frame::Foreign } else { Frame::of(bytes, 4 + length, 4 + PACKET_BYTES_MAX) }
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], _: bool) -> bool {
    packet(bytes).whole().is_some()
}

fn decode(_: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut facts = Facts::default();
    let read = match packet(received).whole() {
        Some([_, _, _, _, 0xff, error @ ..]) => read_error(error, &mut facts),
        Some([_, _, _, _, protocol, greeting @ ..]) => read_greeting(*protocol, greeting, &mut facts),
        _ => None,
    };
    match read {
        Some(()) => Decoded { complete: Sections::ALL, facts },
        None => Decoded::default(),
    }
}

fn push_text(facts: &mut Facts, field: &'static ksig_schema::FieldDef, text: &[u8]) {
    facts.push_read(field, None, charset::text(text), text);
}

/// Number, perhaps a state behind `#`, message.
fn read_error(error: &[u8], facts: &mut Facts) -> Option<()> {
    let (code, message) = error.split_first_chunk::<2>()?;
    let message = if message.first() == Some(&b'#') { message.get(6..)? } else { message };
    facts.push(&ERROR_CODE, Value::Int(u16::from_le_bytes(*code).into()));
    push_text(facts, &ERROR, message);
    Some(())
}

/// A greeting may end anywhere behind the version: servers before 4.1 know nothing of what follows.
fn read_greeting(protocol: u8, greeting: &[u8], facts: &mut Facts) -> Option<()> {
    let (version, rest) = zero_ended(greeting)?;
    facts.push(&PROTOCOL_VERSION, Value::Int(protocol.into()));
    push_text(facts, &VERSION, version);
    if protocol == 10 {
        read_capabilities(rest, facts);
    }
    Some(())
}

fn read_capabilities(rest: &[u8], facts: &mut Facts) -> Option<()> {
    let (low, rest) = rest.get(BEFORE_CAPABILITIES..)?.split_first_chunk::<2>()?;
    let low = u16::from_le_bytes(*low).into();
    let Some(([charset, _, _, high_low, high_high, challenge_bytes], rest)) = rest.split_first_chunk::<6>() else {
        facts.push(&CAPABILITIES, Value::Int(low));
        return None;
    };
    let high: i64 = u16::from_le_bytes([*high_low, *high_high]).into();
    facts.push(&CAPABILITIES, Value::Int(high << 16 | low));
    facts.push(&CHARSET, Value::Int((*charset).into()));
    // The rest of the challenge: at least 13 bytes, whatever its length says.
    let challenge = usize::from(*challenge_bytes).saturating_sub(8).max(13);
    let (plugin, _) = zero_ended(rest.get(RESERVED + challenge..)?)?;
    if !plugin.is_empty() {
        push_text(facts, &AUTH_PLUGIN, plugin);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::check_cuts;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/mariadb-10.11.19.mysql");
    const REFUSAL: &[u8] = include_bytes!("../captures/mariadb-10.11.19-refusal.mysql");
    const PROBE: &str = "mysql.greeting()";

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded(PROBE, Ended::Complete, CAPTURE);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(response.texts("mysql.protocol"), ["10"]);
        assert_eq!(response.texts("mysql.version"), ["5.5.5-10.11.19-MariaDB-0+deb12u1"]);
        assert_eq!(response.texts("mysql.auth_plugin"), ["mysql_native_password"]);
        assert_eq!(response.texts("mysql.charset"), ["8"]);
        assert_eq!(response.texts("mysql.capabilities"), [(0x81ff_f7fe_u32).to_string()]);
        assert!(response.texts("mysql.error").is_empty());
        check_cuts(PROBE, CAPTURE);
    }

    #[test]
    fn a_server_that_turns_away_is_read() {
        let response = decoded(PROBE, Ended::Eof, REFUSAL);
        assert_eq!(response.texts("mysql.error_code"), ["1130"]);
        assert_eq!(response.texts("mysql.error"), ["Host '127.0.0.1' is not allowed to connect to this MariaDB server"]);
        assert!(response.texts("mysql.version").is_empty());
        check_cuts(PROBE, REFUSAL);
    }

    #[test]
    fn errors_with_a_state_and_old_greetings_are_read() {
        let busy = decoded(PROBE, Ended::Eof, b"\x0d\0\0\x01\xff\x10\x04#08004busy");
        assert_eq!((busy.texts("mysql.error_code"), busy.texts("mysql.error")), (vec!["1040".into()], vec!["busy".into()]));
        let old = decoded(PROBE, Ended::Complete, b"\x14\0\0\0\x0a3.23.58\0\x01\0\0\0abcdefg");
        assert_eq!((old.texts("mysql.version"), old.texts("mysql.capabilities")), (vec!["3.23.58".into()], vec![]));
        let nine = decoded(PROBE, Ended::Complete, b"\x08\0\0\0\x093.20.1\0");
        assert_eq!((nine.texts("mysql.protocol"), nine.complete), (vec!["9".into()], Sections::ALL));
    }

    #[test]
    fn lengths_and_other_protocols_give_no_facts() {
        for bytes in
            [&b"SSH-2.0-x\r\n"[..], b"\0\0\0\0\x0a", b"\xff\xff\0\0\x0a5.0\0", b"\x02\0\0\0\x0a5", b"\x02\0\0\0\xff\x01", b"220 x\r\n"]
        {
            assert!(!decoded(PROBE, Ended::Complete, bytes).answered(), "{bytes:?}");
        }
        assert_eq!(packet(&[0x01, 0x10, 0, 0, 10]), Frame::Foreign, "one byte more than PACKET_BYTES_MAX");
        assert!(talk(PROBE, CAPTURE, 1).0.is_empty());
    }
}
