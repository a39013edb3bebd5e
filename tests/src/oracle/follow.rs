//! Follows: what is asked after the first answers, and where (V13).
//!
//! In: a signature, the answers so far. Out: the answers to its follows. A place is worked out by comparing what a page names with what the
//! origin of the page is called, letter by letter.

use std::net::IpAddr;

use ksig_compiler::hir::{Asks, ExprKind, Signature};
use ksig_runtime::plan::Datum;
use ksig_schema::{Evidence, ProbeKey, Response, Service, Transport};

use super::Truth;
use super::expr::{Names, World};
use super::facts::Answers;

/// The service on which each probe of a signature is asked, by its number; absent where there is none.
pub type Standing<'w> = [Option<&'w Service>];

/// Answers to every probe that is written out, whether it is sent first or later, and what is known of the host. `cut`: what nobody listed was
/// perhaps not observed.
pub fn first_answers<'w>(signature: &Signature, standing: &Standing<'w>, host: &'w Response, cut: bool) -> Answers<'w> {
    let answered = |asks: &Asks, service: Option<&'w Service>| match asks {
        Asks::Exactly(key) if *key == host.probe => service.and_then(|service| response(service, key)).or(Some(host)),
        Asks::Exactly(key) => response(service?, key),
        Asks::Named { .. } => None,
    };
    let probes = signature.probes.iter().zip(standing);
    Answers { responses: probes.map(|(probe, service)| answered(&probe.asks, *service)).collect(), cut }
}

fn response<'w>(service: &'w Service, key: &ProbeKey) -> Option<&'w Response> {
    service.responses.iter().find(|response| response.probe == *key)
}

/// Adds the answers of that hop's follows whose place earlier answers name.
pub fn answer<'w>(world: &mut World<'w>, hop: u32, evidence: &'w Evidence, standing: &Standing<'w>) {
    let signature = world.signature;
    for (at, probe) in signature.probes.iter().enumerate() {
        let (Asks::Named { constructor, any_port, from }, Some(service)) = (&probe.asks, standing[at]) else { continue };
        if probe.hop != hop {
            continue;
        }
        let mut names = Names::none(signature);
        if signature.gates.get(hop as usize - 1).is_some_and(|gate| world.condition(gate, &mut names) == Truth::False) {
            names = Names::none(signature);
        }
        let Datum::Text(named) = world.value(from, &names) else { continue };
        let page = match &from.kind {
            ExprKind::Field(field) => world.answers.responses[field.probe as usize],
            ExprKind::Pick(field, ..) => match &field.kind {
                ExprKind::Field(field) => world.answers.responses[field.probe as usize],
                _ => None,
            },
            _ => None,
        };
        let base = page.and_then(|page| page.probe.argument.clone()).unwrap_or_else(|| "/".into());
        let named = named.split('#').next().unwrap_or_default().trim();
        world.answers.responses[at] = if *any_port {
            elsewhere(named, service).and_then(|(port, path)| {
                let there = |other: &&Service| other.address == service.address && other.port == port && other.transport == Transport::Tcp;
                evidence.services.iter().filter(there).find_map(|other| response(other, &ProbeKey::with(*constructor, &path)))
            })
        } else {
            here(named, &base, service).and_then(|path| response(service, &ProbeKey::with(*constructor, path)))
        };
    }
}

/// The path of a place on the same origin.
fn here(named: &str, base: &str, service: &Service) -> Option<String> {
    let (scheme, usual) = if service.transport == Transport::Tls { ("https", 443) } else { ("http", 80) };
    let first = named.split(['/', '?']).next().unwrap_or_default();
    let path = if named.starts_with("//") || first.contains(':') {
        let lower = named.to_ascii_lowercase();
        let prefixes = [format!("{scheme}://"), "//".into()];
        let rest = prefixes.iter().find(|prefix| lower.starts_with(prefix.as_str())).map(|prefix| &named[prefix.len()..])?;
        let own = spellings(service.address?, service.port, usual);
        own.iter().find_map(|own| after(rest, own))?
    } else if named.starts_with('/') {
        named.to_string()
    } else if named.is_empty() {
        return None;
    } else {
        let page = base.split('?').next().unwrap_or_default();
        let folder: String = page.rsplit_once('/').map_or("/".into(), |(folder, _)| format!("{folder}/"));
        format!("{folder}{}", named.strip_prefix("./").unwrap_or(named))
    };
    harmless(&path).then_some(path)
}

/// The port and path of a place on the same address.
fn elsewhere(named: &str, service: &Service) -> Option<(u16, String)> {
    let rest = named.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://")).map(|_| &named[7..])?;
    let address = service.address?;
    let ports = std::iter::once(80).chain(1024..=u16::MAX).filter(|port| !(9100..=9107).contains(port));
    let mut places = ports.flat_map(|port| spellings(address, port, 80).into_iter().map(move |own| (port, own)));
    let (port, path) = places.find_map(|(port, own)| Some((port, after(rest, &own)?)))?;
    harmless(&path).then_some((port, path))
}

/// How an address and a port are written.
fn spellings(address: IpAddr, port: u16, usual: u16) -> Vec<String> {
    let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
    if port == usual { vec![format!("{host}:{port}"), host] } else { vec![format!("{host}:{port}")] }
}

/// What follows an authority, as a path.
fn after(rest: &str, authority: &str) -> Option<String> {
    let path = rest.strip_prefix(authority)?;
    match path.chars().next() {
        None => Some("/".into()),
        Some('/') => Some(path.into()),
        Some('?') => Some(format!("/{path}")),
        Some(_) => None,
    }
}

/// Nothing in it could make another request of it.
fn harmless(path: &str) -> bool {
    let hidden = ["..", "\\", "%2e", "%2f", "%5c", "%25", "%00"];
    let lower = path.to_lowercase();
    path.len() <= 256
        && !path.starts_with("//")
        && path.chars().all(|c| c.is_ascii_graphic())
        && !hidden.iter().any(|bad| lower.contains(bad))
}
