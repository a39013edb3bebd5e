//! Redirects: where an answer sends its reader, when that is the same origin.

use std::net::IpAddr;

use super::message;
use crate::conversation::Peer;
use crate::path;

/// The path, with its query, that a redirect leads to on the same scheme, host and port. Absent for an answer that is no redirect, and
/// for every other place: another host, another port, another scheme, a host name. A relative target is resolved against `/`. The caller
/// follows at most three.
pub fn redirect_target(response: &[u8], peer: &Peer) -> Option<String> {
    let message = message::read(response, false, true);
    if !matches!(message.status()?, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = std::str::from_utf8(message.head.as_ref()?.values("location").next()?).ok()?;
    let location = location.split('#').next().unwrap_or_default().trim();
    let target = same_origin(location, peer)?;
    let target = if target.starts_with('/') { target.to_string() } else { format!("/{target}") };
    path::check_target(&target).is_ok().then_some(target)
}

fn same_origin<'a>(location: &'a str, peer: &Peer) -> Option<&'a str> {
    if let Some((scheme, rest)) = location.split_once("://") {
        let own = if peer.tls { "https" } else { "http" };
        return if scheme.eq_ignore_ascii_case(own) { behind_authority(rest, peer) } else { None };
    }
    if let Some(rest) = location.strip_prefix("//") {
        return behind_authority(rest, peer);
    }
    // A colon before any slash begins another scheme.
    let relative = !location.is_empty() && !location.split(['/', '?']).next().unwrap_or_default().contains(':');
    relative.then_some(location)
}

/// What follows `host:port` when that is the peer.
fn behind_authority<'a>(rest: &'a str, peer: &Peer) -> Option<&'a str> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse::<u16>().ok()?),
        _ => (authority, if peer.tls { 443 } else { 80 }),
    };
    let address: IpAddr = host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    (address == peer.address && port == peer.port).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::ScanIdentity;

    fn target(location: &str) -> Option<String> {
        let identity = ScanIdentity { contact: String::new() };
        let peer = Peer { address: "127.0.0.9".parse().expect("an address"), port: 8080, tls: false, identity: &identity };
        redirect_target(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n").as_bytes(), &peer)
    }

    #[test]
    fn the_same_origin_is_followed() {
        for (location, path) in [
            ("/login.html", "/login.html"),
            ("login.asp?lang=ja", "/login.asp?lang=ja"),
            ("http://127.0.0.9:8080/a#b", "/a"),
            ("HTTP://127.0.0.9:8080", "/"),
            ("//127.0.0.9:8080/x", "/x"),
        ] {
            assert_eq!(target(location).as_deref(), Some(path), "{location}");
        }
    }

    #[test]
    fn every_other_place_is_not() {
        for location in [
            "http://127.0.0.9/a",
            "https://127.0.0.9:8080/a",
            "http://127.0.0.10:8080/a",
            "http://router.example:8080/",
            "http://user@127.0.0.9:8080/",
            "//169.254.169.254/",
            "javascript:alert(1)",
            "/../etc/passwd",
            "/a b",
            "",
        ] {
            assert_eq!(target(location), None, "{location}");
        }
    }

    #[test]
    fn only_a_redirect_redirects() {
        let identity = ScanIdentity { contact: String::new() };
        let peer = Peer { address: "::1".parse().expect("an address"), port: 443, tls: true, identity: &identity };
        assert_eq!(redirect_target(b"HTTP/1.1 200 OK\r\nLocation: /a\r\n\r\n", &peer), None);
        assert_eq!(redirect_target(b"HTTP/1.1 308 x\nLocation: https://[::1]/a\n\n", &peer).as_deref(), Some("/a"));
        assert_eq!(redirect_target(b"\0\xff", &peer), None);
    }
}
