//! Population files: which simulated devices there are, what they answer, how many there are of each.
//!
//! In: the TOML text that `scanner/populations/README.md` describes. Out: a [`Population`] whose every template, charset, path, weight and
//! share has been checked, so that nothing can be wrong once a device is called. Errors name file, line and reason.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;

use base64::Engine;
use encoding_rs::Encoding;
use ipnet::Ipv4Net;
use serde::Deserialize;
use toml::Spanned;

use super::datagrams::DatagramAnswers;
use super::fault::Fault;
use super::template::{Template, Variables, is_name};
use crate::ports::ServiceName;

mod datagrams;

use datagrams::{AgentSource, DatagramSource, datagram_answers};

/// A checked population file.
#[derive(Clone, Debug)]
pub struct Population {
    /// Where the hosts live, a part of 127/8; the first host has the network's second address.
    pub(super) network: Ipv4Net,
    pub(super) hosts: u32,
    pub(super) seed: u64,
    pub(super) devices: Vec<Device>,
}

/// One kind of device.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub name: String,
    pub weight: u32,
    /// Absent for a device that no signature can know.
    pub truth: Option<TruthTemplates>,
    pub variants: Vec<Variant>,
    pub lists: BTreeMap<String, Vec<String>>,
    pub services: Vec<Service>,
    pub faults: Vec<FaultShare>,
    /// Takes a connection on every high port too.
    pub every_port: bool,
}

/// Variables that go together, such as a model and its version.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub weight: u32,
    pub vars: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub(super) struct TruthTemplates {
    pub vendor: Option<Template>,
    pub series: Option<Template>,
    pub model: Option<Template>,
    pub version: Option<Template>,
}

/// A fault and the share of a device's hosts that it befalls.
#[derive(Clone, Debug)]
pub(super) struct FaultShare {
    pub fault: Fault,
    /// Of 1.
    pub share: f64,
}

/// What a device answers on one or several services.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub on: Vec<ServiceName>,
    pub answers: Answers,
    pub certificate: Certificate,
}

#[derive(Clone, Debug)]
pub(super) enum Answers {
    Http(Vec<HttpResponse>),
    /// `host_key`: the text of which an SSH server's key is made.
    Greeting {
        greeting: Template,
        replies: Vec<Reply>,
        host_key: Option<Template>,
    },
    Datagrams(DatagramAnswers),
}

impl Answers {
    /// Whether they go over UDP, not over TCP.
    pub fn over_udp(&self) -> bool {
        matches!(self, Answers::Datagrams(_))
    }
}

/// One path's answer.
#[derive(Clone, Debug)]
pub(super) struct HttpResponse {
    /// Absent: every path that no other response has.
    pub path: Option<String>,
    /// `HTTP/1.1 200 OK`.
    pub status_line: Template,
    /// Whole lines, in order, without a line end.
    pub headers: Vec<Template>,
    pub body: Body,
    /// Without a length, so that the end of the connection ends the body.
    pub until_close: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    Text(Template),
    Bytes(Vec<u8>),
}

/// What a greeting service says after a line that begins so.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub to: String,
    pub text: Template,
}

/// The self-signed certificate of services inside TLS.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    /// `CN`, `O`, ... with their values.
    pub subject: Vec<(String, Template)>,
    pub names: Vec<Template>,
    /// Days, inclusive.
    pub not_before: jiff::civil::Date,
    pub not_after: jiff::civil::Date,
    /// Refuses TLS 1.3, as most older devices do.
    pub only_tls12: bool,
}

/// Why a population file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PopulationError {
    /// The file cannot be read.
    #[error("{file}: {source}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error("{file}:{line}: {reason}")]
    Wrong {
        /// Which file.
        file: String,
        /// In which line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// More hosts than addresses.
    #[error("{hosts} hosts do not fit into {network}, which has room for {room}")]
    Crowded {
        /// How many were asked for.
        hosts: u32,
        /// The network.
        network: Ipv4Net,
        /// How many fit.
        room: u32,
    },
}

impl Population {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Population, PopulationError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Population::parse(&file, &text),
            Err(source) => Err(PopulationError::Unreadable { file, source }),
        }
    }

    /// Checks a text; `file` is only named in errors.
    pub fn parse(file: &str, text: &str) -> Result<Population, PopulationError> {
        let wrong = |offset: usize, reason: String| {
            let line = 1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count();
            PopulationError::Wrong { file: file.to_string(), line, reason }
        };
        let source: PopulationSource = toml::from_str(text)
            .map_err(|error| wrong(error.span().map_or(0, |span| span.start), error.message().replace('\n', " ").to_string()))?;
        let population = population(source).map_err(|mistake| wrong(mistake.at, mistake.reason))?;
        population.clone().with_hosts(population.hosts)
    }

    /// The same population with another number of hosts.
    pub fn with_hosts(mut self, hosts: u32) -> Result<Population, PopulationError> {
        let room = room(self.network);
        if hosts > room {
            return Err(PopulationError::Crowded { hosts, network: self.network, room });
        }
        self.hosts = hosts;
        Ok(self)
    }

    /// The same population, dealt differently.
    pub fn with_seed(mut self, seed: u64) -> Population {
        self.seed = seed;
        self
    }

    /// How many hosts.
    pub fn hosts(&self) -> u32 {
        self.hosts
    }

    /// Every service that some device has, sorted.
    pub fn services(&self) -> Vec<ServiceName> {
        let all = self.devices.iter().flat_map(|device| &device.services).flat_map(|service| service.on.iter().cloned());
        all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// Whether some device answers on that service over UDP, or otherwise over TCP.
    pub(super) fn serves(&self, service: &ServiceName, over_udp: bool) -> bool {
        let mut services = self.devices.iter().flat_map(|device| &device.services);
        services.any(|known| known.on.contains(service) && known.answers.over_udp() == over_udp)
    }

    /// Every fault that can befall some host.
    pub(super) fn faults(&self) -> impl Iterator<Item = Fault> + '_ {
        self.devices.iter().flat_map(|device| &device.faults).map(|share| share.fault)
    }

    pub(super) fn first_address(&self) -> u32 {
        u32::from(self.network.network()) + 1
    }
}

/// Addresses without the network's first and last one.
fn room(network: Ipv4Net) -> u32 {
    (1u32 << (32 - u32::from(network.prefix_len()))).saturating_sub(2)
}

/// A mistake and the byte where it stands.
struct Mistake {
    at: usize,
    reason: String,
}

fn mistake<T>(at: usize, reason: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake { at, reason: reason.into() })
}

// The file as written.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PopulationSource {
    synthetic: Spanned<bool>,
    network: Spanned<String>,
    hosts: u32,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    device: Vec<DeviceSource>,
    #[serde(default)]
    fault: Vec<FaultSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceSource {
    name: Spanned<String>,
    #[serde(default = "one")]
    weight: u32,
    charset: Option<Spanned<String>>,
    truth: Option<TruthSource>,
    #[serde(default)]
    variants: Vec<Spanned<BTreeMap<String, toml::Value>>>,
    #[serde(default)]
    vars: BTreeMap<Spanned<String>, Vec<String>>,
    #[serde(default)]
    service: Vec<ServiceSource>,
    #[serde(default)]
    fault: Vec<FaultSource>,
    #[serde(default)]
    every_port: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TruthSource {
    vendor: Option<Spanned<String>>,
    series: Option<Spanned<String>>,
    model: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultSource {
    fault: Spanned<Fault>,
    share: Spanned<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceSource {
    on: Spanned<OneOrMany>,
    charset: Option<Spanned<String>>,
    greeting: Option<Spanned<String>>,
    #[serde(default)]
    reply: Vec<ReplySource>,
    host_key: Option<Spanned<String>>,
    #[serde(default)]
    response: Vec<ResponseSource>,
    #[serde(default)]
    datagram: Vec<DatagramSource>,
    agent: Option<AgentSource>,
    certificate: Option<CertificateSource>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplySource {
    to: Spanned<String>,
    text: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseSource {
    path: Spanned<String>,
    charset: Option<Spanned<String>>,
    #[serde(default = "http11")]
    version: Spanned<String>,
    #[serde(default = "ok")]
    status: Spanned<String>,
    #[serde(default)]
    headers: Vec<Spanned<String>>,
    body: Option<Spanned<String>>,
    body_base64: Option<Spanned<String>>,
    #[serde(default)]
    until_close: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct CertificateSource {
    subject: Option<Spanned<String>>,
    #[serde(default)]
    names: Vec<Spanned<String>>,
    not_before: Option<Spanned<String>>,
    not_after: Option<Spanned<String>>,
    #[serde(default)]
    only_tls12: bool,
}

fn one() -> u32 {
    1
}

fn http11() -> Spanned<String> {
    Spanned::new(0..0, "1.1".into())
}

fn ok() -> Spanned<String> {
    Spanned::new(0..0, "200 OK".into())
}

// From the file as written to the checked population.

fn population(source: PopulationSource) -> Result<Population, Mistake> {
    if !*source.synthetic.get_ref() {
        return mistake(source.synthetic.span().start, "a population is simulated: it must say `synthetic = true`");
    }
    let network = network(&source.network)?;
    if source.device.is_empty() {
        return mistake(0, "a population needs at least one [[device]]");
    }
    let common = fault_shares(&source.fault)?;
    let mut devices: Vec<Device> = Vec::new();
    for device_source in source.device {
        let at = device_source.name.span().start;
        let device = device(device_source, &common)?;
        if devices.iter().any(|known| known.name == device.name) {
            return mistake(at, format!("device {} is described twice", device.name));
        }
        devices.push(device);
    }
    if devices.iter().all(|device| device.weight == 0) {
        return mistake(0, "every device has weight 0: nothing could be drawn");
    }
    Ok(Population { network, hosts: source.hosts, seed: source.seed, devices })
}

fn network(source: &Spanned<String>) -> Result<Ipv4Net, Mistake> {
    let at = source.span().start;
    let network: Ipv4Net = match source.get_ref().parse() {
        Ok(network) => network,
        Err(_) => return mistake(at, format!("`{}` is not a network: expected a form such as 127.16.0.0/13", source.get_ref())),
    };
    if network.network().octets()[0] != 127 || network.prefix_len() < 8 {
        return mistake(at, format!("network {network} is not inside 127.0.0.0/8"));
    }
    Ok(network.trunc())
}

fn device(source: DeviceSource, common_faults: &[(usize, FaultShare)]) -> Result<Device, Mistake> {
    let at = source.name.span().start;
    let variants = source.variants.iter().map(variant).collect::<Result<Vec<Variant>, Mistake>>()?;
    for (written, this) in source.variants.iter().zip(&variants) {
        if !this.vars.keys().eq(variants[0].vars.keys()) {
            return mistake(written.span().start, "every variant of a device sets the same variables");
        }
    }
    if !variants.is_empty() && variants.iter().all(|variant| variant.weight == 0) {
        return mistake(at, "every variant has weight 0: nothing could be drawn");
    }
    let mut lists = BTreeMap::new();
    for (name, values) in source.vars {
        let at = name.span().start;
        let name = name.into_inner();
        if !is_name(&name) {
            return mistake(at, format!("`{name}` is not a name: expected small letters, digits and _"));
        }
        if values.is_empty() || variants.first().is_some_and(|variant| variant.vars.contains_key(&name)) {
            return mistake(at, format!("variable {name} has no value, or is set by the variants too"));
        }
        lists.insert(name, values);
    }
    let variables = variables(&variants, &lists);
    let charset = charset(source.charset.as_ref())?.unwrap_or(encoding_rs::UTF_8);
    let truth = source.truth.map(|truth| truth_templates(truth, &variables)).transpose()?;
    let mut services: Vec<Service> = Vec::new();
    for service_source in source.service {
        let at = service_source.on.span().start;
        let service = service(service_source, charset, &variables)?;
        if let Some(twice) = service.on.iter().find(|name| services.iter().any(|known| known.on.contains(name))) {
            return mistake(at, format!("service {twice} is described twice"));
        }
        services.push(service);
    }
    let faults = device_faults(at, &source.fault, common_faults, &services)?;
    let (name, weight, every_port) = (source.name.into_inner(), source.weight, source.every_port);
    Ok(Device { name, weight, truth, variants, lists, services, faults, every_port })
}

fn variant(source: &Spanned<BTreeMap<String, toml::Value>>) -> Result<Variant, Mistake> {
    let at = source.span().start;
    let mut variant = Variant { weight: 1, vars: BTreeMap::new() };
    for (name, value) in source.get_ref() {
        match value {
            toml::Value::Integer(weight) if name == "weight" => match u32::try_from(*weight) {
                Ok(weight) => variant.weight = weight,
                Err(_) => return mistake(at, "a weight is a number from 0 to 4294967295"),
            },
            toml::Value::String(text) if name != "weight" && is_name(name) => {
                variant.vars.insert(name.clone(), text.clone());
            }
            _ => return mistake(at, format!("`{name}` in a variant: expected name = \"text\", or weight = number")),
        }
    }
    Ok(variant)
}

fn variables<'a>(variants: &'a [Variant], lists: &'a BTreeMap<String, Vec<String>>) -> Variables<'a> {
    let mut variables: Variables =
        lists.iter().map(|(name, values)| (name.as_str(), values.iter().map(String::as_str).collect())).collect();
    for (name, value) in variants.iter().flat_map(|variant| &variant.vars) {
        variables.entry(name).or_default().push(value);
    }
    variables
}

fn charset(source: Option<&Spanned<String>>) -> Result<Option<&'static Encoding>, Mistake> {
    let Some(source) = source else { return Ok(None) };
    let found = Encoding::for_label(source.get_ref().as_bytes());
    // UTF-16 can be read by the library, but not written.
    match found.filter(|encoding| encoding.output_encoding() == *encoding) {
        Some(encoding) => Ok(Some(encoding)),
        None => mistake(
            source.span().start,
            format!("`{}` is not a charset that can be written: try shift_jis, euc-jp, utf-8", source.get_ref()),
        ),
    }
}

fn template(source: &Spanned<String>, charset: &'static Encoding, variables: &Variables) -> Result<Template, Mistake> {
    Template::parse(source.get_ref(), charset, variables).or_else(|reason| mistake(source.span().start, reason))
}

fn truth_templates(source: TruthSource, variables: &Variables) -> Result<TruthTemplates, Mistake> {
    let of = |text: Option<Spanned<String>>| text.map(|text| template(&text, encoding_rs::UTF_8, variables)).transpose();
    Ok(TruthTemplates { vendor: of(source.vendor)?, series: of(source.series)?, model: of(source.model)?, version: of(source.version)? })
}

fn fault_shares(sources: &[FaultSource]) -> Result<Vec<(usize, FaultShare)>, Mistake> {
    let share = |source: &FaultSource| {
        let share = *source.share.get_ref();
        if !(0.0..=1.0).contains(&share) {
            return mistake(source.share.span().start, format!("share {share} is not a number from 0 to 1"));
        }
        Ok((source.fault.span().start, FaultShare { fault: *source.fault.get_ref(), share }))
    };
    sources.iter().map(share).collect()
}

/// A device's own faults must befall one of its services; of those of the whole population, the ones that can do so apply.
fn device_faults(at: usize, own: &[FaultSource], common: &[(usize, FaultShare)], services: &[Service]) -> Result<Vec<FaultShare>, Mistake> {
    let befalls = |fault: Fault| services.iter().flat_map(|service| &service.on).any(|name| fault.befalls(name));
    let mut faults = Vec::new();
    for (at, share) in fault_shares(own)? {
        if !befalls(share.fault) {
            return mistake(at, format!("fault {} befalls no service of this device", share.fault.name()));
        }
        faults.push(share);
    }
    faults.extend(common.iter().map(|(_, share)| share.clone()).filter(|share| befalls(share.fault)));
    let sum: f64 = faults.iter().map(|fault| fault.share).sum();
    if sum > 1.0 + 1e-9 {
        return mistake(at, format!("the faults of this device, with those of the population, have shares of {sum} in all, more than 1"));
    }
    Ok(faults)
}

fn service(source: ServiceSource, device_charset: &'static Encoding, variables: &Variables) -> Result<Service, Mistake> {
    let at = source.on.span().start;
    let written = match source.on.into_inner() {
        OneOrMany::One(name) => vec![name],
        OneOrMany::Many(names) => names,
    };
    let on = written.iter().map(|name| name.parse()).collect::<Result<Vec<ServiceName>, _>>();
    let on = on.or_else(|error| mistake(at, error.to_string()))?;
    let http = on.iter().filter(|name| name.root() == "http").count();
    if on.is_empty() || (http > 0 && http < on.len()) {
        return mistake(at, "`on` names one service or more, and http and https only beside each other");
    }
    let charset = charset(source.charset.as_ref())?.unwrap_or(device_charset);
    let datagrams = datagram_answers(at, source.datagram, source.agent, charset, variables)?;
    let over_udp = datagrams.is_some();
    if let Some(other) = on.iter().find(|name| if over_udp { !name.over_udp() } else { !name.over_tcp() }) {
        let (carrier, answers) = if over_udp {
            ("TCP", "a `greeting` or responses")
        } else {
            ("UDP", "[[device.service.datagram]] or an [device.service.agent]")
        };
        return mistake(at, format!("{other} goes over {carrier}: it answers with {answers}"));
    }
    if let Some(key) = &source.host_key
        && (on.iter().any(|name| name.root() != "ssh") || !source.reply.is_empty())
    {
        return mistake(key.span().start, "a host key is that of a service `ssh`, which has no replies to lines beside it");
    }
    let answers = if let Some(datagrams) = datagrams {
        if source.greeting.is_some() || !source.reply.is_empty() || !source.response.is_empty() {
            return mistake(at, "what answers with datagrams has no greeting, reply or response");
        }
        Answers::Datagrams(datagrams)
    } else if http > 0 {
        if source.greeting.is_some() || !source.reply.is_empty() {
            return mistake(at, "http and https answer with [[device.service.response]], not with a greeting");
        }
        http_answers(at, source.response, charset, variables)?
    } else {
        if !source.response.is_empty() {
            return mistake(at, format!("{} answers with `greeting` and [[device.service.reply]], not with responses", on[0]));
        }
        let greeting = match &source.greeting {
            Some(greeting) => template(greeting, charset, variables)?,
            None => return mistake(at, format!("{} needs a `greeting`; write \"\" for a service that waits", on[0])),
        };
        let reply = |reply: ReplySource| {
            if reply.to.get_ref().is_empty() {
                return mistake(reply.to.span().start, "`to` is the beginning of a line, and not empty");
            }
            Ok(Reply { text: template(&reply.text, charset, variables)?, to: reply.to.into_inner() })
        };
        let replies: Vec<Reply> = source.reply.into_iter().map(reply).collect::<Result<_, _>>()?;
        let host_key = source.host_key.as_ref().map(|text| template(text, encoding_rs::UTF_8, variables)).transpose()?;
        Answers::Greeting { greeting, replies, host_key }
    };
    if source.certificate.is_some() && !on.iter().any(|name| name.tls()) {
        return mistake(at, "a certificate needs a service inside TLS, such as https");
    }
    let certificate = certificate(source.certificate.unwrap_or_default(), variables)?;
    Ok(Service { on, answers, certificate })
}

fn http_answers(at: usize, sources: Vec<ResponseSource>, charset: &'static Encoding, variables: &Variables) -> Result<Answers, Mistake> {
    let mut responses: Vec<HttpResponse> = Vec::new();
    for source in sources {
        let at = source.path.span().start;
        let response = http_response(source, charset, variables)?;
        if responses.iter().any(|known| known.path == response.path) {
            return mistake(at, "this path is answered twice");
        }
        responses.push(response);
    }
    if responses.is_empty() {
        return mistake(at, "http and https need at least one [[device.service.response]]");
    }
    Ok(Answers::Http(responses))
}

fn http_response(source: ResponseSource, service_charset: &'static Encoding, variables: &Variables) -> Result<HttpResponse, Mistake> {
    let at = source.path.span().start;
    let charset = charset(source.charset.as_ref())?.unwrap_or(service_charset);
    let path = match source.path.get_ref().as_str() {
        "*" => None,
        path if path.starts_with('/') => Some(path.to_string()),
        path => return mistake(at, format!("path `{path}` begins with / (or is * for every other path)")),
    };
    let status = source.status.map_in(|status, version| format!("HTTP/{version} {status}"), source.version.get_ref());
    let body = match (source.body, source.body_base64) {
        (Some(body), Some(_)) => return mistake(body.span().start, "`body` and `body_base64` exclude each other"),
        (Some(body), None) => Body::Text(template(&body, charset, variables)?),
        (None, Some(encoded)) => {
            let text: String = encoded.get_ref().split_whitespace().collect();
            match base64::engine::general_purpose::STANDARD.decode(text) {
                Ok(bytes) => Body::Bytes(bytes),
                Err(error) => return mistake(encoded.span().start, format!("`body_base64` is not base64: {error}")),
            }
        }
        (None, None) => Body::Bytes(Vec::new()),
    };
    for header in &source.headers {
        if !header.get_ref().contains(':') || header.get_ref().contains(['\r', '\n']) {
            return mistake(header.span().start, "a header is one line, `Name: value`");
        }
    }
    Ok(HttpResponse {
        path,
        status_line: template(&status, charset, variables)?,
        headers: source.headers.iter().map(|header| template(header, charset, variables)).collect::<Result<_, _>>()?,
        body,
        until_close: source.until_close,
    })
}

trait MapIn {
    fn map_in(self, map: impl FnOnce(String, &str) -> String, other: &str) -> Self;
}

impl MapIn for Spanned<String> {
    /// Another text at the same place, so that its mistakes are found there.
    fn map_in(self, map: impl FnOnce(String, &str) -> String, other: &str) -> Spanned<String> {
        let span = self.span();
        Spanned::new(span, map(self.into_inner(), other))
    }
}

const SUBJECT_PARTS: &[&str] = &["CN", "O", "OU", "C", "L", "ST"];

fn certificate(source: CertificateSource, variables: &Variables) -> Result<Certificate, Mistake> {
    let mut subject = Vec::new();
    if let Some(written) = &source.subject {
        for part in written.get_ref().split(',') {
            match part.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
                Some((name, value)) if SUBJECT_PARTS.contains(&name) => {
                    let value = Spanned::new(written.span(), value.to_string());
                    subject.push((name.to_string(), template(&value, encoding_rs::UTF_8, variables)?));
                }
                _ => {
                    let known = SUBJECT_PARTS.join(", ");
                    return mistake(written.span().start, format!("`{part}`: expected `CN=name, O=organisation` with parts of {known}"));
                }
            }
        }
    }
    let day = |text: &Option<Spanned<String>>, otherwise: jiff::civil::Date| match text {
        None => Ok(otherwise),
        Some(text) => {
            text.get_ref().parse().or_else(|_| mistake(text.span().start, format!("`{}` is not a day such as 2015-01-01", text.get_ref())))
        }
    };
    let not_before = day(&source.not_before, jiff::civil::date(2015, 1, 1))?;
    let not_after = day(&source.not_after, jiff::civil::date(2035, 1, 1))?;
    let names = source.names.iter().map(|name| template(name, encoding_rs::UTF_8, variables)).collect::<Result<_, _>>()?;
    Ok(Certificate { subject, names, not_before, not_after, only_tls12: source.only_tls12 })
}

/// The address of the host with that index.
pub(super) fn address_of(population: &Population, index: u32) -> Ipv4Addr {
    Ipv4Addr::from(population.first_address() + index)
}
