//! Places that a device names and a client may ask for next: redirects, scripts of a page, a description's address.
//!
//! In: what was written, and the origin of the answer in which it stood. Out: the path to ask for, on the same address, or why it is not
//! asked for. Text only: nothing is resolved, nothing is fetched. A place is followed as it was given, its query included; what could turn
//! into another request is refused, not mended.

use std::net::IpAddr;

use crate::observation::Transport;

/// Longest path, with its query, that is asked for, in bytes.
pub const TARGET_BYTES_MAX: usize = 256;
/// Ports on which printers print whatever they receive: nothing is ever sent there.
pub const RAW_PRINT_PORTS: std::ops::RangeInclusive<u16> = 9100..=9107;

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Absent in evidence that another tool cut: then no address is the same.
    pub address: Option<IpAddr>,
    /// 0 where it is not known: then no port is the same.
    pub port: u16,
    /// Whether it came inside TLS.
    pub tls: bool,
}

impl Origin {
    /// Of a service.
    pub fn new(address: Option<IpAddr>, port: u16, transport: Transport) -> Origin {
        Origin { address, port, tls: transport == Transport::Tls }
    }
}

/// Why a place that a device named is not asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another host, or one that is named by a name.
    #[error("it names another host")]
    OtherHost,
    /// The same host, and another port.
    #[error("it names another port")]
    OtherPort,
    /// `https`, `javascript`, `ftp`.
    #[error("it has another scheme")]
    OtherScheme,
    /// A port where a request could do harm.
    #[error("nothing is sent to port {0}")]
    UnsafePort(u16),
    /// What follows the host is no path that may be asked for.
    #[error("{0}")]
    Path(TargetError),
}

/// Why a path is not asked for. The compiler words it for authors in their language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Nothing was named.
    #[error("it is empty")]
    Empty,
    /// `index.html`.
    #[error("a path starts with `/`")]
    NotRooted,
    /// `//host/`.
    #[error("a path does not start with `//`, which would name another host")]
    NamesHost,
    /// So many bytes are more than [`TARGET_BYTES_MAX`].
    #[error("a path has at most {TARGET_BYTES_MAX} bytes, this one has {0}")]
    TooLong(usize),
    /// A blank, a control or a character outside ASCII.
    #[error("a path is printable ASCII without spaces: {0:?} is not allowed")]
    NotPrintable(char),
    /// `/a#b`.
    #[error("a path has no fragment: `#` is not allowed")]
    Fragment,
    /// `/a\b`.
    #[error("a path has no `\\`, which some servers read as `/`")]
    Backslash,
    /// `/%2e%2e`.
    #[error("a path hides no dot, slash, percent sign or NUL: `{0}` is not allowed")]
    Hidden(&'static str),
    /// `/../a`.
    #[error("a path has no `..`")]
    Upwards,
}

/// A path, perhaps with a query, that a device may be asked for: what cannot become another request or another place.
///
/// # Errors
/// What is wrong with it.
pub fn check_target(target: &str) -> Result<(), TargetError> {
    if !target.starts_with('/') {
        return Err(TargetError::NotRooted);
    }
    if target.starts_with("//") {
        return Err(TargetError::NamesHost);
    }
    if target.len() > TARGET_BYTES_MAX {
        return Err(TargetError::TooLong(target.len()));
    }
    if let Some(bad) = target.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(TargetError::NotPrintable(bad));
    }
    if target.contains('#') {
        return Err(TargetError::Fragment);
    }
    if target.contains('\\') {
        return Err(TargetError::Backslash);
    }
    let lower = target.to_ascii_lowercase();
    if let Some(code) = ["%2e", "%2f", "%5c", "%25", "%00"].into_iter().find(|code| lower.contains(code)) {
        return Err(TargetError::Hidden(code));
    }
    if target.contains("..") {
        return Err(TargetError::Upwards);
    }
    Ok(())
}

/// The path on the same origin that a page at `base` names: `/js/a.js?v=3`, `a.js` beside the page, `http://192.0.2.1/a.js` on its own host.
///
/// # Errors
/// It is another origin, or no path that may be asked for.
pub fn path_on(origin: Origin, base: &str, named: &str) -> Result<String, Refusal> {
    let named = named.split('#').next().unwrap_or_default().trim();
    let scheme = if origin.tls { "https" } else { "http" };
    let rest = match named.split_once("://") {
        Some((theirs, rest)) if !theirs.contains(['/', '?']) => match theirs.eq_ignore_ascii_case(scheme) {
            true => Some(rest),
            false => return Err(Refusal::OtherScheme),
        },
        _ => named.strip_prefix("//"),
    };
    let path = match rest {
        Some(rest) => {
            let (host, port, path) = authority(rest, if origin.tls { 443 } else { 80 }).ok_or(Refusal::OtherHost)?;
            if Some(host) != origin.address {
                return Err(Refusal::OtherHost);
            }
            if port != origin.port {
                return Err(Refusal::OtherPort);
            }
            rooted(path)
        }
        // A colon before any slash begins another scheme.
        None if named.split(['/', '?']).next().unwrap_or_default().contains(':') => return Err(Refusal::OtherScheme),
        None if named.is_empty() => return Err(Refusal::Path(TargetError::Empty)),
        None if named.starts_with('/') => named.to_string(),
        None => {
            let page = base.split('?').next().unwrap_or_default();
            let folder = &page[..page.rfind('/').map_or(0, |slash| slash + 1)];
            let folder = if folder.starts_with('/') { folder } else { "/" };
            format!("{folder}{}", named.strip_prefix("./").unwrap_or(named))
        }
    };
    check_target(&path).map_err(Refusal::Path)?;
    Ok(path)
}

/// The port and the path of a plain HTTP address on the same host, which a protocol other than HTTP named: UPnP's `LOCATION`. The port may
/// be another one, but none of the ports below 1024 other than 80, where something else listens, and none that prints.
///
/// # Errors
/// It is another host, another scheme, or a port or path that may not be asked for.
pub fn location_on(origin: Origin, named: &str) -> Result<(u16, String), Refusal> {
    let named = named.split('#').next().unwrap_or_default().trim();
    let rest = match named.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        _ => return Err(Refusal::OtherScheme),
    };
    let (host, port, path) = authority(rest, 80).ok_or(Refusal::OtherHost)?;
    if Some(host) != origin.address {
        return Err(Refusal::OtherHost);
    }
    if port < 1024 && port != 80 || RAW_PRINT_PORTS.contains(&port) {
        return Err(Refusal::UnsafePort(port));
    }
    let path = rooted(path);
    check_target(&path).map_err(Refusal::Path)?;
    Ok((port, path))
}

/// Address, port and what follows, of `192.0.2.1:8080/a`. Absent where the host is a name, or someone's (`user@`).
fn authority(rest: &str, default_port: u16) -> Option<(IpAddr, u16, &str)> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse::<u16>().ok()?),
        _ => (authority, default_port),
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    Some((address, port, path))
}

fn rooted(path: &str) -> String {
    if path.starts_with('/') { path.to_string() } else { format!("/{path}") }
}

/// The part of an address in a page before its query and fragment.
pub fn without_query(named: &str) -> &str {
    named.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str, port: u16, tls: bool) -> Origin {
        Origin { address: text.parse().ok(), port, tls }
    }

    #[test]
    fn a_place_on_the_same_origin_is_asked_for_as_it_was_given() {
        let here = origin("127.0.0.9", 8080, false);
        for (base, named, path) in [
            ("/", "/js/version.js?v=3", "/js/version.js?v=3"),
            ("/", "js/version.js", "/js/version.js"),
            ("/admin/index.html?x=/y/", "./a.js#top", "/admin/a.js"),
            ("/", "http://127.0.0.9:8080/a", "/a"),
            ("/", "HTTP://127.0.0.9:8080", "/"),
            ("/", "//127.0.0.9:8080/x", "/x"),
            ("/", "/go?to=http://x/", "/go?to=http://x/"),
        ] {
            assert_eq!(path_on(here, base, named).as_deref(), Ok(path), "{named}");
        }
        assert_eq!(path_on(origin("::1", 443, true), "/", "https://[::1]/a").as_deref(), Ok("/a"));
    }

    #[test]
    fn every_other_place_is_refused() {
        let here = origin("127.0.0.9", 8080, false);
        for (named, refusal) in [
            ("http://127.0.0.9/a", Refusal::OtherPort),
            ("https://127.0.0.9:8080/a", Refusal::OtherScheme),
            ("http://127.0.0.10:8080/a", Refusal::OtherHost),
            ("http://router.example:8080/", Refusal::OtherHost),
            ("http://user@127.0.0.9:8080/", Refusal::OtherHost),
            ("//169.254.169.254/", Refusal::OtherHost),
            ("javascript:alert(1)", Refusal::OtherScheme),
        ] {
            assert_eq!(path_on(here, "/", named), Err(refusal), "{named}");
        }
        for named in ["/../etc/passwd", "../a.js", "/a b", "", "/%2e%2e/x"] {
            assert!(matches!(path_on(here, "/", named), Err(Refusal::Path(_))), "{named}");
        }
        assert_eq!(path_on(Origin { address: None, port: 0, tls: false }, "/", "http://127.0.0.9/"), Err(Refusal::OtherHost));
    }

    #[test]
    fn a_location_stays_on_its_host() {
        let here = origin("192.0.2.1", 1900, false);
        assert_eq!(location_on(here, "http://192.0.2.1:49152/root.xml"), Ok((49152, "/root.xml".into())));
        assert_eq!(location_on(here, "http://192.0.2.77:49152/root.xml"), Err(Refusal::OtherHost));
        assert_eq!(location_on(here, "http://192.0.2.1:25/"), Err(Refusal::UnsafePort(25)));
        assert_eq!(location_on(here, "http://192.0.2.1:9100/"), Err(Refusal::UnsafePort(9100)));
        assert_eq!(location_on(here, "https://192.0.2.1/"), Err(Refusal::OtherScheme));
        assert_eq!(location_on(here, "/root.xml"), Err(Refusal::OtherScheme));
    }
}
