//! NTP: the clock of a server, and what its daemon says of itself.
//!
//! In: packets, one after the other. Out: facts under `ntp`. The answer of a clock is whole with its 48 bytes; that of a daemon when all parts of
//! its list are there.
//!
//! `ntp.client()` is what every machine that sets its clock sends. `ntp.readvar()` asks for the variables of the daemon, which is for those who
//! look after it: it changes nothing, but no client asks so, a server answers it only where nobody closed it to strangers, and since its
//! answer is larger than the question, watchers take it for the beginning of an attack. So it is of class review.

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, ProbeKey, Safety, Sections, Value};

use crate::ask::ask;
use crate::charset;
use crate::conversation::{Conversation, Limits, Peer};
use crate::protocol::{Decoded, Protocol};

ksig_schema::fields! {
    /// Version of the protocol in which the server answered.
    ///
    /// Source: RFC 5905 section 7.3, `VN`. Example: `4`.
    VERSION: Int = "ntp.version";

    /// How many servers stand between this one and a clock: 1 has a clock of its own, 16 is not set.
    ///
    /// 0 is a refusal whose reason is the reference. Source: RFC 5905 section 7.3. Example: `2`.
    STRATUM: Int = "ntp.stratum";

    /// Which clock a server of stratum 1 has, or why one of stratum 0 refuses.
    ///
    /// Absent for every other stratum, where it is the address of another server.
    /// Source: RFC 5905 sections 7.3 and 7.4. Example: `GPS`.
    REFERENCE: Text = "ntp.reference";

    /// How fine the server's clock is, as a power of two of seconds.
    ///
    /// Source: RFC 5905 section 7.3. Example: `-23`, a ten-millionth.
    PRECISION: Int = "ntp.precision";

    /// The variables of the daemon as it lists them.
    ///
    /// Source: RFC 9327 section 4, read variables. Example: `version="ntpd ntpsec-1.2.2", processor="x86_64", system="Linux/6.1.0"`.
    READVAR: Text = "ntp.readvar";

    /// A variable of the daemon by its name, without its quotes.
    ///
    /// Source: RFC 9327 section 4. Example: `ntp.variable["system"]` is `Linux/6.1.0`.
    VARIABLE: Text = "ntp.variable", keyed;
}

static CONSTRUCTORS: &[ConstructorDef] = &[
    ConstructorDef {
        name: "ntp.client",
        root: "ntp",
        never_fills: &["ntp.readvar", "ntp.variable"],
        parameters: &[],
        safety: Safety::Benign,
        delivery: Delivery::Datagrams,
        ports: &[123],
        tls_ports: &[],
        inside_tls: false,
        doc: "Asks what time it is: one packet of mode 3, as every machine sends that sets its clock. RFC 5905 section 9.2.",
    },
    ConstructorDef {
        name: "ntp.readvar",
        root: "ntp",
        never_fills: &["ntp.version", "ntp.stratum", "ntp.reference", "ntp.precision"],
        parameters: &[],
        safety: Safety::Review,
        delivery: Delivery::Datagrams,
        ports: &[123],
        tls_ports: &[],
        inside_tls: false,
        doc: "Reads the variables of the daemon: one packet of mode 6, as `ntpq` sends it, which changes nothing. No client asks so, and watchers \
              take it for a search for amplifiers, so it needs an attestation. RFC 9327 section 3.",
    },
];

/// NTP.
pub static PROTOCOL: Protocol = Protocol { name: "ntp", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: None };

/// Bounds of a question and its answer, which comes in parts of some 500 bytes.
const LIMITS: Limits = Limits { response_bytes_max: 8 * 1024, first_byte_ms: 3_000, silence_ms: 1_000, total_ms: 10_000 };

const CLOCK_BYTES: usize = 48;
const CONTROL_BYTES: usize = 12;
/// Version 4, mode 3.
const CLIENT: u8 = 0x23;
/// Version 2, mode 6: what the daemons' own tool says.
const CONTROL: u8 = 0x16;
const READ_VARIABLES: u8 = 2;
const MODE: u8 = 0x07;
const SERVER: u8 = 4;
const RESPONSE: u8 = 0x80;
const ERROR: u8 = 0x40;
const MORE: u8 = 0x20;
const OPERATION: u8 = 0x1f;
/// Stands where a client may say what time it is; the server gives it back.
const ORIGIN: &[u8; 8] = b"ksigksig";
/// Most parts of a list that are read.
const PARTS_MAX: usize = 32;
/// Most variables that are read.
const VARIABLES_MAX: usize = 64;

fn begin(constructor: &ConstructorDef, _: &str, _: &Peer) -> Box<dyn Conversation> {
    if constructor.name == "ntp.client" {
        let mut packet = [0; CLOCK_BYTES];
        packet[0] = CLIENT;
        packet[40..].copy_from_slice(ORIGIN);
        return ask(Some(packet.to_vec()), LIMITS, |received| clock(received).is_none());
    }
    let mut packet = [0; CONTROL_BYTES];
    (packet[0], packet[1], packet[3]) = (CONTROL, READ_VARIABLES, 1);
    ask(Some(packet.to_vec()), LIMITS, |received| list(received).is_none_or(|list| !list.whole))
}

/// The packet of a server that answers our question.
fn clock(received: &[u8]) -> Option<&[u8; CLOCK_BYTES]> {
    received.first_chunk::<CLOCK_BYTES>().filter(|packet| packet[0] & MODE == SERVER && packet[24..32] == ORIGIN[..])
}

/// A list of variables, as far as it came.
struct List {
    text: Vec<u8>,
    whole: bool,
}

/// Puts the parts of the list together: each says where it stands, and whether more follow. Absent when none is the beginning.
fn list(received: &[u8]) -> Option<List> {
    let mut parts: Vec<(usize, &[u8], bool)> = Vec::new();
    let mut rest = received;
    while parts.len() < PARTS_MAX
        && let Some((head, after)) = rest.split_first_chunk::<CONTROL_BYTES>()
        && head[0] & MODE == CONTROL & MODE
        && head[1] & (RESPONSE | OPERATION) == RESPONSE | READ_VARIABLES
    {
        let (offset, count) = (usize::from(u16::from_be_bytes([head[8], head[9]])), usize::from(u16::from_be_bytes([head[10], head[11]])));
        let Some(data) = after.get(..count) else { break };
        parts.push((offset, data, head[1] & MORE != 0));
        if head[1] & ERROR != 0 {
            return Some(List { text: Vec::new(), whole: true });
        }
        rest = after.get(count.next_multiple_of(4)..).unwrap_or_default();
        // What is whole stays so, whatever follows.
        if let Some(text) = joined(&parts) {
            return Some(List { text, whole: true });
        }
    }
    let first = parts.iter().find(|(offset, ..)| *offset == 0)?;
    Some(List { text: first.1.to_vec(), whole: false })
}

/// All parts in order, if none is missing.
fn joined(parts: &[(usize, &[u8], bool)]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        let (_, data, more) = parts.iter().find(|(offset, ..)| *offset == text.len())?;
        text.extend_from_slice(data);
        if !more {
            return Some(text);
        }
        if data.is_empty() {
            return None;
        }
    }
}

fn decode(probe: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    if probe.constructor == "ntp.readvar" {
        let Some(list) = list(received) else { return decoded };
        if !list.text.is_empty() {
            decoded.facts.push_read(&READVAR, None, charset::text(&list.text), &list.text);
        }
        decoded.complete = if list.whole { Sections::ALL } else { Sections::default() };
        return decoded;
    }
    let Some(packet) = clock(received) else { return decoded };
    decoded.facts.push(&VERSION, Value::Int((packet[0] >> 3 & 7).into()));
    decoded.facts.push(&STRATUM, Value::Int(packet[1].into()));
    decoded.facts.push(&PRECISION, Value::Int(i8::from_be_bytes([packet[3]]).into()));
    if packet[1] <= 1 {
        let reference = packet[12..16].split(|byte| *byte == 0).next().unwrap_or_default();
        decoded.facts.push_read(&REFERENCE, None, charset::text(reference), reference);
    }
    decoded.complete = Sections::ALL;
    decoded
}

/// The variables, from the list.
fn derive(facts: &mut Facts) {
    let Some(text) = facts.text(READVAR.name).map(str::to_string) else { return };
    for (name, value) in variables(&text) {
        if facts.get(VARIABLE.name, Some(&name)).is_empty() {
            facts.push_keyed(&VARIABLE, &name, Value::text(value));
        }
    }
}

/// Pairs of name and value; a value in quotes may hold a comma.
fn variables(text: &str) -> Vec<(String, &str)> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=')
        && all.len() < VARIABLES_MAX
    {
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').map_or((after.trim_end(), ""), |(value, next)| (value.trim_end(), next)),
        };
        all.push((name.trim_matches([',', ' ', '\r', '\n', '\t']).to_ascii_lowercase(), value));
        rest = next;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Step;
    use crate::tests::{Facted, decoded, talk};

    const CLOCK: &[u8] = include_bytes!("../captures/ntpsec-1.2.2-client.ntp");
    const LIST: &[u8] = include_bytes!("../captures/ntpsec-1.2.2-readvar.ntp");

    #[test]
    fn a_clock_of_debian_is_read() {
        let response = decoded("ntp.client()", Ended::Complete, CLOCK);
        assert_eq!(response.texts("ntp.version"), ["4"]);
        assert_eq!(response.texts("ntp.stratum").len(), 1);
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(talk("ntp.client()", CLOCK, 7).1, Step::Done);
        for cut in 0..CLOCK.len() {
            assert!(!decoded("ntp.client()", Ended::Timeout, &CLOCK[..cut]).answered(), "{cut}");
        }
    }

    #[test]
    fn a_daemon_of_debian_says_what_it_is() {
        let response = decoded("ntp.readvar()", Ended::Complete, LIST);
        assert!(response.texts("ntp.variable.version")[0].starts_with("ntpd ntpsec-1.2.2"), "{:?}", response.texts("ntp.readvar"));
        assert_eq!(response.complete, Sections::ALL);
        assert_eq!(talk("ntp.readvar()", LIST, 7), (vec![0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], Step::Done));
    }

    /// RFC 9327 section 2.
    fn part(offset: u16, text: &[u8], bits: u8) -> Vec<u8> {
        let mut bytes = vec![0x16, RESPONSE | bits | READ_VARIABLES, 0, 1, 0, 0, 0, 0];
        bytes.extend(offset.to_be_bytes());
        bytes.extend((text.len() as u16).to_be_bytes());
        bytes.extend(text);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn parts_are_put_together_in_any_order() {
        let (first, second) = (part(0, b"version=\"ntpd, 4\", pro", MORE), part(22, b"cessor=\"mips\",leap=3", 0));
        for bytes in [[first.clone(), second.clone()].concat(), [second.clone(), first.clone()].concat()] {
            let response = decoded("ntp.readvar()", Ended::Complete, &bytes);
            assert_eq!(response.texts("ntp.variable.version"), ["ntpd, 4"]);
            assert_eq!(response.texts("ntp.variable.processor"), ["mips"]);
            assert_eq!(response.texts("ntp.variable.leap"), ["3"]);
            assert_eq!(response.complete, Sections::ALL);
        }
        let cut = decoded("ntp.readvar()", Ended::Timeout, &first);
        assert_eq!((cut.texts("ntp.variable.version"), cut.complete), (vec!["ntpd, 4".to_string()], Sections::default()));
        assert!(!decoded("ntp.readvar()", Ended::Timeout, &second).answered());
    }

    #[test]
    fn a_refusal_is_an_answer_without_a_list() {
        let response = decoded("ntp.readvar()", Ended::Complete, &part(0, b"", ERROR));
        assert!(response.texts("ntp.readvar").is_empty() && response.complete == Sections::ALL);
    }

    #[test]
    fn a_reference_is_a_clock_or_a_reason_never_an_address() {
        let mut bytes = CLOCK.to_vec();
        (bytes[1], bytes[12], bytes[13], bytes[14], bytes[15]) = (1, b'G', b'P', b'S', 0);
        assert_eq!(decoded("ntp.client()", Ended::Complete, &bytes).texts("ntp.reference"), ["GPS"]);
        bytes[1] = 2;
        assert!(decoded("ntp.client()", Ended::Complete, &bytes).texts("ntp.reference").is_empty());
    }

    #[test]
    fn a_packet_that_nobody_asked_for_is_none() {
        let mut bytes = CLOCK.to_vec();
        bytes[24] ^= 1;
        assert!(!decoded("ntp.client()", Ended::Complete, &bytes).answered());
        assert!(!decoded("ntp.client()", Ended::Complete, LIST).answered());
        assert!(!decoded("ntp.readvar()", Ended::Complete, CLOCK).answered());
    }
}
