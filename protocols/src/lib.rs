//! Bytes to facts, one sans-I/O file a protocol: its fields, the harmless requests it can make, the decoder of its answers.
//!
//! | in | through | out |
//! |---|---|---|
//! | a probe and a peer | [`conversation`] | the bytes to send and the moment to stop, one [`Step`] at a time |
//! | an [`Observation`](ksig_schema::Observation) | [`decode`], [`evidence`] | facts with the sections that are whole |
//! | a request of a plan | [`requests`] | its messages in their longest form, and their cost |
//! | the first bytes of a service | [`recognise()`] | the protocol that speaks so |
//! | the text of a test in a signature | [`fixture_bytes`], then [`decode_bytes`] | the same facts as from the wire |
//! | facts that another tool took | [`partial_response`] | those facts and the ones that follow from them |
//!
//! Absent: sockets, clocks, randomness, signatures. Nothing here panics, hangs or allocates beyond named limits on any bytes.
//!
//! A protocol is added by its file and its line in `PROTOCOLS`.

mod answer;
mod ask;
mod body;
pub mod charset;
mod conversation;
mod dns_message;
mod frame;
mod greeting;
mod head;
mod html;
mod path;
mod protocol;
mod recognise;
mod tree;

pub mod bacnet;
pub mod banner;
pub mod ber;
pub mod dns;
pub mod enip;
pub mod fins;
pub mod ftp;
pub mod http;
pub mod imap;
pub mod ipp;
pub mod ldap;
pub mod mdns;
pub mod modbus;
pub mod mqtt;
pub mod mysql;
pub mod nntp;
pub mod ntp;
pub mod pop3;
pub mod postgresql;
pub mod rdp;
pub mod requests;
pub mod rtsp;
pub mod s7;
pub mod sip;
pub mod smtp;
pub mod snmp;
pub mod ssdp;
pub mod ssh;
pub mod telnet;
pub mod tls;
pub mod upnp;
pub mod vnc;
pub mod wsd;
pub mod x11;

pub use answer::{decode, decode_bytes, evidence, partial_response};
pub use conversation::{CONTACT_BYTES_MAX, Conversation, Limits, Peer, PeerState, ScanIdentity, Step};
pub use http::redirect_target;
pub use path::check_argument;
pub use recognise::{FIRST_BYTES_MAX, recognisable, recognise};
pub use upnp::location_on;

use ksig_schema::{ProbeKey, Schema};
use protocol::Protocol;

/// Every protocol that ksig speaks, by name.
static PROTOCOLS: &[&Protocol] = &[
    &bacnet::PROTOCOL,
    &banner::PROTOCOL,
    &dns::PROTOCOL,
    &enip::PROTOCOL,
    &fins::PROTOCOL,
    &ftp::PROTOCOL,
    &http::PROTOCOL,
    &imap::PROTOCOL,
    &ipp::PROTOCOL,
    &ldap::PROTOCOL,
    &mdns::PROTOCOL,
    &modbus::PROTOCOL,
    &mqtt::PROTOCOL,
    &mysql::PROTOCOL,
    &nntp::PROTOCOL,
    &ntp::PROTOCOL,
    &pop3::PROTOCOL,
    &postgresql::PROTOCOL,
    &rdp::PROTOCOL,
    &rtsp::PROTOCOL,
    &s7::PROTOCOL,
    &sip::PROTOCOL,
    &smtp::PROTOCOL,
    &snmp::PROTOCOL,
    &ssdp::PROTOCOL,
    &ssh::PROTOCOL,
    &telnet::PROTOCOL,
    &tls::PROTOCOL,
    &upnp::PROTOCOL,
    &vnc::PROTOCOL,
    &wsd::PROTOCOL,
    &x11::PROTOCOL,
];

/// All fields and probe constructors of all protocols.
pub fn schema() -> Schema {
    Schema::new(
        PROTOCOLS
            .iter()
            .flat_map(|protocol| protocol.fields.iter().copied())
            .chain(ksig_schema::host::FIELDS.iter().chain(ksig_schema::foreign::FIELDS).copied()),
        PROTOCOLS.iter().flat_map(|protocol| protocol.constructors.iter()),
    )
    .with_selectors(http::SELECTORS)
    .with_text_forms(PROTOCOLS.iter().filter(|protocol| protocol.fixture.is_some()).map(|protocol| protocol.name))
}

/// The talk that carries out a probe. Absent for an unknown constructor, for an argument that its kind refuses, and on ports where a
/// printer prints whatever it receives.
pub fn conversation(probe: &ProbeKey, peer: &Peer) -> Option<Box<dyn Conversation>> {
    let (protocol, constructor) = protocol::find(probe)?;
    let argument = match (constructor.key_parameter(), &probe.argument) {
        (None, None) => "",
        (Some(parameter), Some(argument)) => check_argument(parameter.kind, argument).is_ok().then_some(argument.as_str())?,
        _ => return None,
    };
    conversation::may_speak(peer).then(|| (protocol.begin)(constructor, argument, peer))
}

/// The talk for a place that an answer of the same service named, as [`redirect_target`] or a follow gives it: here a query is allowed,
/// because the device wrote it. Absent for a probe that asks for no place.
pub fn named_conversation(probe: &ProbeKey, peer: &Peer) -> Option<Box<dyn Conversation>> {
    let (protocol, constructor) = protocol::find(probe)?;
    let asks = constructor.key_parameter().is_some_and(|parameter| {
        matches!(parameter.kind, ksig_schema::probe::ArgumentKind::Path | ksig_schema::probe::ArgumentKind::Location)
    });
    let target = probe.argument.as_deref()?;
    let follows = asks && path::check_target(target).is_ok() && conversation::may_speak(peer);
    follows.then(|| (protocol.begin)(constructor, target, peer))
}

/// The talk of a [control](ksig_schema::host::control): nothing is said.
pub fn control_conversation() -> Box<dyn Conversation> {
    ask::ask(None, frame::LIMITS, |_| false)
}

/// The wire bytes of a test's heredoc: lines joined by `\n`, as they stand in the signature. Kinds are the names of protocols and
/// `banner`. Absent for an unknown kind.
pub fn fixture_bytes(kind: &str, text: &str) -> Option<Vec<u8>> {
    let protocol = PROTOCOLS.iter().find(|protocol| protocol.name == kind)?;
    Some((protocol.fixture?)(text))
}

/// The simplest probe that fills a field: `http.html.title` -> `http.get("/")`, `ssh.software` -> `ssh.banner()`. Takes the path of a
/// field with or without a key. Absent for an unknown field.
pub fn plain_probe(field: &str) -> Option<ProbeKey> {
    let is = |name: &str, keyed: bool| name == field || keyed && field.strip_prefix(name).is_some_and(|key| key.starts_with('.'));
    let unasked = [(ksig_schema::host::FIELDS, ksig_schema::host::probe()), (ksig_schema::foreign::FIELDS, ksig_schema::foreign::probe())];
    if let Some((_, probe)) = unasked.into_iter().find(|(fields, _)| fields.iter().any(|known| is(known.name, known.keyed))) {
        return Some(probe);
    }
    let known = |f: &&ksig_schema::FieldDef| is(f.name, f.keyed) || f.alias.is_some_and(|alias| is(alias, f.keyed));
    let protocol = PROTOCOLS.iter().find(|protocol| protocol.fields.iter().any(known))?;
    let filling = || protocol.constructors.iter().filter(|constructor| constructor.fills(field));
    let deepest = filling().map(|constructor| constructor.root.len()).max()?;
    filling().find(|constructor| constructor.root.len() == deepest).map(ksig_schema::ConstructorDef::plain_probe)
}

#[cfg(test)]
mod tests;
