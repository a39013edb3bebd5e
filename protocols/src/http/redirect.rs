//! Redirects: where an answer sends its reader, when that is the same origin.

use ksig_schema::Origin;
use ksig_schema::target::path_on;

use super::message;
use crate::conversation::Peer;

/// The path, with its query, that a redirect leads to on the same scheme, host and port. Absent for an answer that is no redirect, and
/// for every other place: another host, another port, another scheme, a host name. A relative target is resolved against `/`. The caller
/// follows at most three.
pub fn redirect_target(response: &[u8], peer: &Peer) -> Option<String> {
    let message = message::read(response, false, true);
    if !matches!(message.status()?, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = std::str::from_utf8(message.head.as_ref()?.values("location").next()?).ok()?;
    path_on(Origin { address: Some(peer.address), port: peer.port, tls: peer.tls }, "/", location).ok()
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
