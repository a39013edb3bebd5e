//! What speaks on which port: `--ports 80,443,8000-8010,18080=http,18443=https`.
//!
//! In: the text of the command line. Out: [`PortUse`]s in the order written, each port once. A port that stands alone has no service: there the
//! plan's own ports decide which probes are sent.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use ksig_schema::Delivery;
use serde::{Deserialize, Serialize};

/// What speaks on a port: a protocol (`http`, `ssh`), or a protocol inside TLS (`https`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName {
    root: &'static str,
    tls: bool,
}

/// A protocol that a port can speak, and what carries it.
#[derive(Debug)]
struct Root {
    name: &'static str,
    over_tcp: bool,
    over_udp: bool,
}

/// The protocols that a port can speak: those with probes, named as these are. TLS is what carries them, not one of them.
fn roots() -> &'static [Root] {
    static ROOTS: OnceLock<Vec<Root>> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let schema = ksig_protocols::schema();
        let mut roots: Vec<Root> = Vec::new();
        for constructor in schema.constructors().filter(|constructor| constructor.protocol() != "tls") {
            let over_udp = constructor.delivery == Delivery::Datagrams;
            match roots.iter_mut().find(|root| root.name == constructor.protocol()) {
                Some(root) => (root.over_tcp, root.over_udp) = (root.over_tcp || !over_udp, root.over_udp || over_udp),
                None => roots.push(Root { name: constructor.protocol(), over_tcp: !over_udp, over_udp }),
            }
        }
        roots
    })
}

fn names() -> String {
    roots().iter().map(|root| root.name).collect::<Vec<_>>().join(", ")
}

impl ServiceName {
    /// The record root of the probes that fit: `http` for `https` too.
    pub fn root(&self) -> &'static str {
        self.root
    }

    /// Whether it speaks inside TLS.
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// Whether some probe of it goes over TCP.
    pub fn over_tcp(&self) -> bool {
        self.tls || roots().iter().any(|root| root.name == self.root && root.over_tcp)
    }

    /// Whether some probe of it goes over UDP.
    pub fn over_udp(&self) -> bool {
        !self.tls && roots().iter().any(|root| root.name == self.root && root.over_udp)
    }
}

/// A text that is no service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a service that ksig speaks; known are {known}, and with an `s` behind them inside TLS", known = names())]
pub struct ServiceNameError(pub String);

impl FromStr for ServiceName {
    type Err = ServiceNameError;

    fn from_str(text: &str) -> Result<ServiceName, ServiceNameError> {
        let root_of = |name: &str| roots().iter().map(|root| root.name).find(|root| *root == name);
        if let Some(root) = root_of(text) {
            return Ok(ServiceName { root, tls: false });
        }
        let root = text.strip_suffix('s').and_then(root_of);
        root.map(|root| ServiceName { root, tls: true }).ok_or_else(|| ServiceNameError(text.to_string()))
    }
}

impl TryFrom<String> for ServiceName {
    type Error = ServiceNameError;

    fn try_from(text: String) -> Result<ServiceName, ServiceNameError> {
        text.parse()
    }
}

impl From<ServiceName> for String {
    fn from(name: ServiceName) -> String {
        name.to_string()
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.root, if self.tls { "s" } else { "" })
    }
}

/// A port and what speaks there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortUse {
    /// The port; 0 only where a simulator is asked to take a free one.
    pub port: u16,
    /// What speaks there; absent: what the plan expects there.
    pub service: Option<ServiceName>,
}

/// What is wrong with a list of ports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortsError {
    /// Nothing between two commas, or nothing at all.
    #[error("`{0}` names no port; write ports as 80,443,18080=http")]
    Empty(String),
    /// Not a number from 1 to 65535.
    #[error("`{0}` is not a port: expected a number from 1 to 65535")]
    Port(String),
    /// A range that ends before it begins.
    #[error("ports {0}-{1} end before they begin")]
    Backwards(u16, u16),
    /// The same port twice.
    #[error("port {0} is named twice")]
    Twice(u16),
    /// An unknown service.
    #[error("port {port}: {reason}")]
    Service {
        /// At which port.
        port: u16,
        /// What is wrong.
        reason: ServiceNameError,
    },
}

/// Reads `80,443,8000-8010,18080=http`.
///
/// ```
/// let ports = ksig_scanner::ports::parse_ports("80, 18443-18444=https")?;
/// assert_eq!(ports[0].service, None);
/// assert!(ports[2].service.as_ref().is_some_and(|service| service.tls()));
/// # Ok::<(), ksig_scanner::ports::PortsError>(())
/// ```
pub fn parse_ports(text: &str) -> Result<Vec<PortUse>, PortsError> {
    let mut ports: Vec<PortUse> = Vec::new();
    let mut known = HashSet::new();
    for part in text.split(',').map(str::trim) {
        if part.is_empty() {
            return Err(PortsError::Empty(text.to_string()));
        }
        let (numbers, service) = match part.split_once('=') {
            Some((numbers, service)) => (numbers.trim(), Some(service.trim())),
            None => (part, None),
        };
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let (first, last) = (parse_port(first)?, parse_port(last)?);
        if first > last {
            return Err(PortsError::Backwards(first, last));
        }
        let service = service.map(str::parse).transpose().map_err(|reason| PortsError::Service { port: first, reason })?;
        for port in first..=last {
            if !known.insert(port) {
                return Err(PortsError::Twice(port));
            }
            ports.push(PortUse { port, service: service.clone() });
        }
    }
    Ok(ports)
}

fn parse_port(text: &str) -> Result<u16, PortsError> {
    let text = text.trim();
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| PortsError::Port(text.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_the_port_and_the_remedy() {
        let check = |text: &str, wanted: &str| {
            let error = parse_ports(text).expect_err(text).to_string();
            assert!(error.contains(wanted), "{error}");
        };
        check("", "names no port");
        check("80,,443", "names no port");
        check("0", "`0` is not a port");
        check("70000", "from 1 to 65535");
        check("80,443,80", "port 80 is named twice");
        check("80-90,85", "port 85 is named twice");
        check("90-80", "ports 90-80 end before they begin");
        check("80-", "`` is not a port");
        check("18080=web", "port 18080: `web` is not a service");
    }

    #[test]
    fn a_service_inside_tls_has_the_root_of_the_plain_one() {
        let https: ServiceName = "https".parse().expect("https");
        assert_eq!((https.root(), https.tls(), https.to_string().as_str()), ("http", true, "https"));
    }
}
