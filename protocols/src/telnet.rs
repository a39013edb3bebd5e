//! Telnet: what a terminal would show before anyone types.
//!
//! In: what a server says first. Out: facts under `telnet`: the text without commands, and the options that the server negotiated. It is
//! whole when the peer falls silent or closes.
//!
//! ksig refuses every option, once each, so that the server goes on to its prompt and no loop can begin. It types nothing.

use std::collections::BTreeSet;

use ksig_schema::{ConstructorDef, Delivery, Ended, ProbeKey, Safety, Sections, Value};

use crate::charset;
use crate::conversation::{Conversation, Limits, Peer, PeerState, Step};
use crate::greeting;
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// What is shown before anyone types: greeting and prompt, with line ends as they came.
    ///
    /// Absent when only commands came.
    /// Source: RFC 854. Example: `login: `.
    TEXT: Text = "telnet.text";

    /// Options that the server asked for or offered, in order, each once; unknown ones by their number.
    ///
    /// Source: RFC 855, the IANA registry of telnet options. Example: `DO TERMINAL-TYPE`.
    OPTIONS: Text = "telnet.options", many;
}

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "telnet.banner",
    root: "telnet",
    never_fills: &[],
    parameters: &[],
    safety: Safety::Passive,
    delivery: Delivery::Stream,
    ports: &[23, 2323],
    tls_ports: &[992],
    inside_tls: true,
    doc: "Reads what the server shows before anyone types, refuses the options it negotiates, and closes. No user name. RFC 854, RFC 855.",
}];

/// Telnet.
pub static PROTOCOL: Protocol =
    Protocol { name: "telnet", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive: |_| {}, fixture: Some(fixture) };

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

/// Most options that are kept and answered.
const OPTIONS_MAX: usize = 64;

fn begin(_: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    Box::new(Exchange { at: 0, refused: BTreeSet::new() })
}

struct Exchange {
    /// Before it, everything is read.
    at: usize,
    /// Commands that were answered, with their options.
    refused: BTreeSet<(u8, u8)>,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        let mut refusals = Vec::new();
        while let Some((part, next)) = part(received, self.at) {
            self.at = next;
            if let Part::Option(command @ (DO | WILL), option) = part
                && self.refused.len() < OPTIONS_MAX
                && self.refused.insert((command, option))
            {
                refusals.extend([IAC, if command == DO { WONT } else { DONT }, option]);
            }
        }
        match state {
            PeerState::Closed => Step::Done,
            _ if !refusals.is_empty() => Step::Send(refusals),
            PeerState::Open => Step::Read,
            PeerState::Silent => Step::Done,
        }
    }

    fn limits(&self) -> Limits {
        greeting::LIMITS
    }
}

enum Part {
    /// Shown.
    Text(u8),
    /// DO, DONT, WILL or WONT with an option.
    Option(u8, u8),
    /// Another command.
    Command,
}

/// The part that begins at `at`, and where the next one begins. Absent while it is not whole.
fn part(bytes: &[u8], at: usize) -> Option<(Part, usize)> {
    match *bytes.get(at..)? {
        [] | [IAC] | [b'\r'] => None,
        // A carriage return alone travels with a NUL (RFC 854).
        [b'\r', 0, ..] => Some((Part::Text(b'\r'), at + 2)),
        [IAC, IAC, ..] => Some((Part::Text(IAC), at + 2)),
        [IAC, command @ WILL..=DONT, ref rest @ ..] => rest.first().map(|option| (Part::Option(command, *option), at + 3)),
        [IAC, SB, ref rest @ ..] => {
            let end = rest.windows(2).position(|pair| pair == [IAC, SE])?;
            Some((Part::Command, at + 2 + end + 2))
        }
        [IAC, _, ..] => Some((Part::Command, at + 2)),
        [byte, ..] => Some((Part::Text(byte), at + 1)),
    }
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], _: bool) -> bool {
    matches!(bytes, [IAC, WILL | WONT | DO | DONT, option, ..] if *option != IAC)
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let received = &received[..received.len().min(greeting::LIMITS.response_bytes_max)];
    let mut decoded = Decoded::default();
    let mut text = Vec::new();
    let mut options = Vec::new();
    let mut at = 0;
    while let Some((part, next)) = part(received, at) {
        at = next;
        match part {
            Part::Text(byte) => text.push(byte),
            Part::Option(command, option) if options.len() < OPTIONS_MAX && !options.contains(&(command, option)) => {
                options.push((command, option));
            }
            Part::Option(..) | Part::Command => {}
        }
    }
    let whole = greeting::ended_by_peer(ended);
    if whole && received.get(at..) == Some(b"\r") {
        text.push(b'\r');
    }
    if !text.is_empty() {
        decoded.facts.push_read(&TEXT, None, charset::text(&text), &text);
    }
    for (command, option) in options {
        decoded.facts.push(&OPTIONS, Value::Text(option_text(command, option)));
    }
    decoded.complete = if whole && !decoded.facts.is_empty() { Sections::ALL } else { Sections::default() };
    decoded
}

fn option_text(command: u8, option: u8) -> String {
    let command = match command {
        WILL => "WILL",
        WONT => "WONT",
        DO => "DO",
        _ => "DONT",
    };
    let option = match option {
        0 => "BINARY",
        1 => "ECHO",
        3 => "SUPPRESS-GO-AHEAD",
        5 => "STATUS",
        6 => "TIMING-MARK",
        24 => "TERMINAL-TYPE",
        31 => "NAWS",
        32 => "TERMINAL-SPEED",
        33 => "TOGGLE-FLOW-CONTROL",
        34 => "LINEMODE",
        35 => "X-DISPLAY-LOCATION",
        36 => "ENVIRON",
        37 => "AUTHENTICATION",
        38 => "ENCRYPT",
        39 => "NEW-ENVIRON",
        number => return format!("{command} {number}"),
    };
    format!("{command} {option}")
}

/// A prompt has no line end of its own, so none is added.
fn fixture(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Facted, decoded, talk};

    const CAPTURE: &[u8] = include_bytes!("../captures/inetutils-telnetd-2.4.telnet");

    #[test]
    fn a_server_of_debian_is_read() {
        let response = decoded("telnet.banner()", Ended::Complete, CAPTURE);
        assert_eq!(response.texts("telnet.options")[0], "WILL AUTHENTICATION");
        assert!(response.texts("telnet.options").contains(&"DO TERMINAL-TYPE".to_string()));
        assert_eq!(response.texts("telnet.text").join("").trim_end().lines().last(), Some("acme login:"));
        assert_eq!(response.complete, Sections::ALL);
    }

    #[test]
    fn every_option_is_refused_once() {
        let bytes = [IAC, DO, 24, IAC, WILL, 1, IAC, DO, 24, IAC, WONT, 3, IAC, DONT, 3, b'l'];
        let (sent, step) = talk("telnet.banner()", &bytes, 4);
        assert_eq!((sent, step), (vec![IAC, WONT, 24, IAC, DONT, 1], Step::Read));
    }

    #[test]
    fn an_option_loop_ends() {
        let mut bytes: Vec<u8> = (0..=u8::MAX).flat_map(|option| [IAC, DO, option, IAC, WILL, option]).collect();
        bytes.extend([IAC, DO, 24].repeat(10_000));
        let (sent, _) = talk("telnet.banner()", &bytes, 1000);
        assert_eq!(sent.len(), 3 * OPTIONS_MAX);
        assert_eq!(decoded("telnet.banner()", Ended::Cap, &bytes).texts("telnet.options").len(), OPTIONS_MAX);
    }

    #[test]
    fn commands_are_not_shown() {
        let bytes = [b"a\r\n".as_slice(), &[IAC, SB, 24, 1, IAC, SE, IAC, 241, IAC, IAC], b"\r\0b: ", &[IAC, DO]].concat();
        let response = decoded("telnet.banner()", Ended::Complete, &bytes);
        assert_eq!(response.texts("telnet.text"), ["a\r\nÿ\rb: "]);
        assert!(response.texts("telnet.options").is_empty());
        assert_eq!(decoded("telnet.banner()", Ended::Complete, &[IAC, DO, 200]).texts("telnet.options"), ["DO 200"]);
    }

    #[test]
    fn a_prompt_still_arriving_proves_nothing() {
        assert_eq!(decoded("telnet.banner()", Ended::Timeout, b"logi").complete, Sections::default());
    }
}
