//! Probes as data: which harmless requests there are, and which of them a release needs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::evidence::{Evidence, Service};
use crate::observation::Transport;
use crate::target::TargetError;

/// How much a probe does to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// Connect and read.
    Passive,
    /// What a normal client sends.
    Benign,
    /// Needs an attestation outside the signature; off by default.
    Review,
}

/// How the bytes of a probe travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// One connection of TCP, perhaps inside TLS.
    Stream,
    /// UDP: each message is one datagram, and what is received is the payloads in the order in which they came, equal ones once. A message
    /// that meets silence may have been lost: it is sent up to [`Delivery::sends`] times, so it must be one that may be said twice.
    Datagrams,
    /// Each message goes over a TCP connection of its own. What is received is the answers one after the other, each behind its length in
    /// four bytes, highest first; that of a connection without an answer is 0.
    StreamEach,
}

impl Delivery {
    /// How often one message is sent at most.
    pub fn sends(self) -> usize {
        match self {
            Delivery::Datagrams => 3,
            Delivery::Stream | Delivery::StreamEach => 1,
        }
    }
}

/// What a signature says that a release must allow before a probe is sent: `requires policy.snmp_public`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// The community `public` of SNMP, a credential in form, may be said.
    SnmpPublic,
}

impl Requirement {
    /// All that there are.
    pub const ALL: &'static [Requirement] = &[Requirement::SnmpPublic];

    /// As it is written after `policy.`.
    pub fn name(self) -> &'static str {
        match self {
            Requirement::SnmpPublic => "snmp_public",
        }
    }
}

/// What one probe costs at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProbeCost {
    /// Bytes of all its messages in their longest form.
    pub bytes_sent: usize,
    /// Bytes of its answer that are kept.
    pub bytes_kept: usize,
}

impl std::iter::Sum for ProbeCost {
    fn sum<I: Iterator<Item = ProbeCost>>(costs: I) -> ProbeCost {
        costs.fold(ProbeCost::default(), |all, one| ProbeCost {
            bytes_sent: all.bytes_sent.saturating_add(one.bytes_sent),
            bytes_kept: all.bytes_kept.saturating_add(one.bytes_kept),
        })
    }
}

/// What one signature may cost (V17). The defaults are far above what real signatures need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Probes that it reads, each counted once.
    pub probes: usize,
    /// Bytes that these send.
    pub bytes_sent: usize,
    /// Bytes of their answers that are kept.
    pub bytes_kept: usize,
    /// States of all its patterns, each counted once.
    pub regex_states: usize,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { probes: 16, bytes_sent: 16 << 10, bytes_kept: 16 << 20, regex_states: 250_000 }
    }
}

/// What the people who run scans decided, outside of any signature. By default nothing beyond what any client does is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Probes of class [`Safety::Review`] may be sent; only together with an attestation.
    pub review: bool,
    /// Who decided so, when, and for which targets.
    pub attestation: String,
    /// The community `public` may be said.
    pub snmp_public: bool,
    /// What one signature may cost.
    pub budget: Budget,
}

impl Policy {
    /// Whether a probe may be part of a release's plan.
    pub fn allows(&self, safety: Safety, requires: &[Requirement]) -> bool {
        let attested = safety < Safety::Review || self.review && !self.attestation.trim().is_empty();
        let granted = |requirement: &Requirement| match requirement {
            Requirement::SnmpPublic => self.snmp_public,
        };
        attested && requires.iter().all(granted)
    }
}

/// A probe constructor, declared beside its protocol.
#[derive(Debug)]
pub struct ConstructorDef {
    /// `http.get`.
    pub name: &'static str,
    /// The record root of its answer: `http` for `http.get`, so that `top.status` is `http.status`.
    pub root: &'static str,
    /// Fields below the root that no answer to it fills, by their names or the first parts of these: another probe of the root does.
    pub never_fills: &'static [&'static str],
    /// What it takes, in order; positional ones first. At most one of them is part of the probe's key.
    pub parameters: &'static [ParameterDef],
    /// How much it does.
    pub safety: Safety,
    /// How its bytes travel.
    pub delivery: Delivery,
    /// Ports where it is usually answered; TLS is tried where `tls_ports` says so.
    pub ports: &'static [u16],
    /// Ports where it is usually answered inside TLS.
    pub tls_ports: &'static [u16],
    /// Whether it is spoken inside TLS anywhere, on its own ports or on others.
    pub inside_tls: bool,
    /// What it sends and why that is harmless; source.
    pub doc: &'static str,
}

impl ConstructorDef {
    /// Its protocol: the first part of its name, and of the names of its fields.
    pub fn protocol(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    /// Whether an answer to it can hold that field.
    pub fn fills(&self, field: &str) -> bool {
        is_below(field, self.root) && !self.leaves_out(field)
    }

    /// Whether that field is one of [`ConstructorDef::never_fills`].
    pub fn leaves_out(&self, field: &str) -> bool {
        self.never_fills.iter().any(|part| is_below(field, part))
    }

    /// The parameter that tells the probes of this constructor apart, if any does.
    pub fn key_parameter(&self) -> Option<&'static ParameterDef> {
        self.parameters.iter().find(|parameter| parameter.part_of_key)
    }

    /// The simplest probe of this constructor.
    pub fn plain_probe(&self) -> ProbeKey {
        match self.key_parameter() {
            Some(parameter) => ProbeKey::with(self.name, parameter.usual),
            None => ProbeKey::new(self.name),
        }
    }

    /// How it is written, with the usual arguments: `ssdp.msearch(st: "upnp:rootdevice", mx: 1)`.
    pub fn form(&self) -> String {
        let parameters = self.parameters.iter().map(|parameter| match parameter.place {
            Place::Positional => parameter.usual_form(),
            Place::Named => format!("{}: {}", parameter.name, parameter.usual_form()),
        });
        format!("{}({})", self.name, parameters.collect::<Vec<_>>().join(", "))
    }
}

fn is_below(field: &str, part: &str) -> bool {
    field.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// One thing that a constructor takes. What is sent is shared by all signatures, so most arguments only state what a signature counts on:
/// they are checked, and do not change the request. The one that does is part of the probe's key.
#[derive(Debug)]
pub struct ParameterDef {
    /// `path`, `community`.
    pub name: &'static str,
    /// What may stand there.
    pub kind: ArgumentKind,
    /// How it is written.
    pub place: Place,
    /// It may not be left out.
    pub required: bool,
    /// Two probes that differ in it are two requests.
    pub part_of_key: bool,
    /// What stands there when nothing else is meant; for a list, one of its names. It is allowed by `kind`.
    pub usual: &'static str,
    /// What it says.
    pub doc: &'static str,
}

impl ParameterDef {
    fn usual_form(&self) -> String {
        match self.kind {
            ArgumentKind::Path | ArgumentKind::Text(_) => format!("{:?}", self.usual),
            ArgumentKind::Name(_) | ArgumentKind::Number(..) => self.usual.into(),
            ArgumentKind::Names(_) => format!("[{}]", self.usual),
            ArgumentKind::Location => "answer.location".into(),
        }
    }
}

/// Where an argument stands in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// By its position: `http.get("/")`.
    Positional,
    /// By its name: `ssdp.msearch(st: "upnp:rootdevice")`.
    Named,
}

/// What may stand as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentKind {
    /// A literal path on the host: starts with `/`, no query, no `..`, printable ASCII, at most 256 bytes. Or one that a page named.
    Path,
    /// A place that an answer of the same host named, as written there; never a literal.
    Location,
    /// One of these texts.
    Text(&'static [&'static str]),
    /// One of these names, without quotes; they may have dots.
    Name(&'static [&'static str]),
    /// A list of some of these names.
    Names(&'static [&'static str]),
    /// A whole number from the first to the last.
    Number(i64, i64),
}

/// Why an argument is refused. The compiler words it for authors in their language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// A literal path asks something with `?`.
    #[error("a path has no query: `?` is not allowed")]
    Query,
    /// No path that may be asked for.
    #[error(transparent)]
    Target(TargetError),
    /// The argument is not one of the words of its list.
    #[error("`{0}` is not among {list}", list = .1.join(", "))]
    NotAmong(String, &'static [&'static str]),
    /// The argument is no whole number from the first to the last.
    #[error("`{0}` is not a number from {1} to {2}")]
    NotBetween(String, i64, i64),
}

/// One probe: a constructor and the argument that tells it from others. Written `http.get("/")`, `ssh.banner()`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProbeKey {
    /// `http.get`.
    pub constructor: String,
    /// `/`; absent for constructors without a parameter that is part of the key.
    pub argument: Option<String>,
}

impl ProbeKey {
    /// A probe without argument.
    pub fn new(constructor: impl Into<String>) -> ProbeKey {
        ProbeKey { constructor: constructor.into(), argument: None }
    }

    /// Whether a scan asks: not for what is known of the host, nor for what another tool was answered.
    pub fn is_sent(&self) -> bool {
        ![crate::host::probe(), crate::foreign::probe()].contains(self)
    }

    /// A probe with an argument.
    pub fn with(constructor: impl Into<String>, argument: impl Into<String>) -> ProbeKey {
        ProbeKey { constructor: constructor.into(), argument: Some(argument.into()) }
    }
}

impl fmt::Display for ProbeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.argument {
            Some(argument) => write!(f, "{}({:?})", self.constructor, argument),
            None => write!(f, "{}()", self.constructor),
        }
    }
}

/// Why a text is not a probe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a probe: expected a form such as http.get(\"/\") or ssh.banner()")]
pub struct ProbeKeyError(pub String);

impl FromStr for ProbeKey {
    type Err = ProbeKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ProbeKeyError(text.to_string());
        let (constructor, rest) = text.split_once('(').ok_or_else(error)?;
        let inside = rest.strip_suffix(')').ok_or_else(error)?;
        let named = !constructor.is_empty() && constructor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_');
        if !named {
            return Err(error());
        }
        if inside.is_empty() {
            return Ok(ProbeKey::new(constructor));
        }
        let argument: String = serde_json::from_str(inside).map_err(|_| error())?;
        Ok(ProbeKey::with(constructor, argument))
    }
}

impl Serialize for ProbeKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProbeKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a scan sends to a host, computed by the compiler from a release, carried out by the scanner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbePlan {
    /// Each distinct probe once, sorted.
    pub probes: Vec<PlannedProbe>,
}

/// A probe of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedProbe {
    /// Which.
    pub request: Request,
    /// Ports where signatures expect it, sorted; from the signatures' `on`, else the constructor's own.
    pub ports: Vec<u16>,
    /// Every port that answers TLS besides.
    pub any_tls: bool,
    /// Sent only when [`Gate::follow_ups`] asks for it.
    pub follow_up: bool,
    /// How much it does.
    pub safety: Safety,
}

/// What a planned probe asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Exactly this.
    Exactly(ProbeKey),
    /// What an earlier answer of the same host names, with this constructor: `http.get`. Only a follow-up, and only as [`crate::target`]
    /// allows.
    Named(String),
}

impl Request {
    /// The constructor's name.
    pub fn constructor(&self) -> &str {
        match self {
            Request::Exactly(key) => &key.constructor,
            Request::Named(constructor) => constructor,
        }
    }

    /// Whether a follow-up with that key is one of these requests.
    pub fn covers(&self, key: &ProbeKey) -> bool {
        match self {
            Request::Exactly(exactly) => exactly == key,
            Request::Named(constructor) => *constructor == key.constructor,
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Exactly(key) => write!(f, "{key}"),
            Request::Named(constructor) => write!(f, "{constructor}(<place named by the device>)"),
        }
    }
}

/// A follow-up that a gate asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FollowUp {
    /// On which port of the same address.
    pub port: u16,
    /// What carries it.
    pub transport: Transport,
    /// What is asked, written out.
    pub probe: ProbeKey,
}

/// Decides which follow-ups a host gets after its first answers. The `ksig` library implements it with the matcher, so the scanner knows no
/// signature.
pub trait Gate: Send + Sync {
    /// Follow-up probes that this service of the host leads to, from what is known so far; empty for none. Each is sent at most once a port.
    fn follow_ups(&self, evidence: &Evidence, service: &Service) -> Vec<FollowUp>;

    /// Whether follow-ups may depend on the answers of several ports.
    fn spans_ports(&self) -> bool {
        false
    }

    /// Follow-up probes that all answers of the host together lead to, once every port was asked; empty for none.
    fn follow_ups_of_host(&self, _: &Evidence) -> Vec<FollowUp> {
        Vec::new()
    }
}

/// A gate that asks for nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFollowUps;

impl Gate for NoFollowUps {
    fn follow_ups(&self, _: &Evidence, _: &Service) -> Vec<FollowUp> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_read_back_as_written() {
        for text in ["http.get(\"/\")", "ssh.banner()", "http.get(\"/a b\")"] {
            assert_eq!(text.parse::<ProbeKey>().expect(text).to_string(), text);
        }
        for text in ["", "http.get", "http.get(/)", "(\"/\")", "http.get(\"/\""] {
            assert!(text.parse::<ProbeKey>().is_err(), "{text}");
        }
    }
}
