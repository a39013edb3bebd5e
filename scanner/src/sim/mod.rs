//! A simulated population of devices on 127/8, over real sockets, without root.
//!
//! In: a [`Population`] and the ports that its services get. Out: a running [`Simulator`], and the [`Truth`] about every host to compare
//! answers with. The format of population files stands in `scanner/populations/README.md`.

mod agent;
mod certificate;
mod datagrams;
mod device;
mod fault;
mod population;
mod script;
mod serve;
mod ssh;
mod template;
mod tls_flight;
mod udp;

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

pub use device::{Host, Truth};
pub use fault::{Fault, Reach};
pub use population::{Population, PopulationError};

use crate::everywhere::HIGH_PORTS;
use crate::ports::{PortUse, ServiceName};

/// A running population. Dropping it closes every listener and connection.
pub struct Simulator {
    shared: Arc<serve::Shared>,
    ports: Vec<PortUse>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// High ports of hosts that take a connection on every port: the kernel answers, nobody accepts.
    _open: Vec<TcpListener>,
}

/// Why a population cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A port without a service.
    #[error("port {0}: say what listens there, as in {0}=http")]
    NoService(u16),
    /// No device of the population has that service.
    #[error("port {port}: no device of the population speaks {service}; it has {has}")]
    NotSpoken {
        /// Which port.
        port: u16,
        /// Which service.
        service: ServiceName,
        /// What the population has.
        has: String,
    },
    /// A port cannot be listened on.
    #[error("port {port} ({service}) cannot be listened on: {source}{hint}", hint = in_use(source))]
    Listen {
        /// Which port.
        port: u16,
        /// Which service.
        service: ServiceName,
        /// Why.
        source: std::io::Error,
    },
    /// A host that takes a connection on every port cannot.
    #[error("port {port} of {address}, which is to take a connection on every port: {source}")]
    EveryPort {
        /// Which host.
        address: Ipv4Addr,
        /// Which port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The thread that serves the population cannot be started.
    #[error("the simulator cannot start: {0}")]
    Thread(std::io::Error),
}

fn in_use(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::AddrInUse => "; another program, or another simulator, holds it: choose another port",
        std::io::ErrorKind::PermissionDenied => "; ports below 1024 are for root: choose another port",
        _ => "",
    }
}

impl Population {
    /// Every service of the population on a free port.
    pub fn free_ports(&self) -> Vec<PortUse> {
        self.services().into_iter().map(|service| PortUse { port: 0, service: Some(service) }).collect()
    }
}

impl Simulator {
    /// Listens on the given ports and answers for every host, in a thread of its own. Port 0 takes a free one.
    pub fn start(population: Population, ports: &[PortUse]) -> Result<Simulator, SimError> {
        let spoken = population.services();
        crate::limits::raised_descriptors();
        let mut listeners = Vec::new();
        let mut posts = Vec::new();
        let mut bound = Vec::new();
        for PortUse { port, service } in ports {
            let service = service.clone().ok_or(SimError::NoService(*port))?;
            if !spoken.contains(&service) {
                let has = spoken.iter().map(ServiceName::to_string).collect::<Vec<_>>().join(", ");
                return Err(SimError::NotSpoken { port: *port, service, has });
            }
            let failed = |source| SimError::Listen { port: *port, service: service.clone(), source };
            let mut port = *port;
            if population.serves(&service, false) {
                let listener = serve::listen(port).map_err(failed)?;
                port = listener.local_addr().map_err(failed)?.port();
                listeners.push((listener, service.clone()));
            }
            if population.serves(&service, true) {
                let (bound, opened) = udp::open(&population, &service, port).map_err(failed)?;
                (port, posts) = (bound, [posts, opened].into_iter().flatten().collect());
            }
            bound.push(PortUse { port, service: Some(service) });
        }
        let open = open_high_ports(&population)?;
        let shared = Arc::new(serve::Shared::new(population));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(SimError::Thread)?;
        let serving = shared.clone();
        let thread = std::thread::Builder::new()
            .name("ksig-sim".into())
            .spawn(move || runtime.block_on(serve::serve(serving, listeners, posts, stopped)))
            .map_err(SimError::Thread)?;
        Ok(Simulator { shared, ports: bound, stop: Some(stop), thread: Some(thread), _open: open })
    }

    /// The ports really listened on, in the order asked for.
    pub fn ports(&self) -> &[PortUse] {
        &self.ports
    }

    /// The port of a service.
    pub fn port_of(&self, service: &str) -> Option<u16> {
        let service: ServiceName = service.parse().ok()?;
        self.ports.iter().find(|known| known.service.as_ref() == Some(&service)).map(|known| known.port)
    }

    /// The address of every host, in order.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        (0..self.shared.population.hosts()).map(|index| population::address_of(&self.shared.population, index))
    }

    /// What every host really is, by address.
    pub fn truth(&self) -> impl Iterator<Item = Truth> + '_ {
        self.shared.population.every_host().map(|host| host.truth())
    }

    /// Writes the truth, one JSON line a host.
    pub fn write_truth(&self, mut to: impl Write) -> std::io::Result<()> {
        for truth in self.truth() {
            serde_json::to_writer(&mut to, &truth)?;
            to.write_all(b"\n")?;
        }
        to.flush()
    }

    /// How many connections that host has accepted, on all its ports; 0 for an address without a host.
    pub fn connects(&self, address: Ipv4Addr) -> u32 {
        self.shared.connects(address)
    }

    /// How many datagrams that host got, on all its ports; 0 for an address without a host.
    pub fn datagrams(&self, address: Ipv4Addr) -> u32 {
        self.shared.datagrams(address)
    }

    /// How many connections came for addresses without a host.
    pub fn connects_astray(&self) -> u64 {
        self.shared.astray.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// Listens on the high ports of the hosts that do so on every port. One that another simulator holds is open already.
fn open_high_ports(population: &Population) -> Result<Vec<TcpListener>, SimError> {
    let mut open = Vec::new();
    for host in population.every_host().filter(|host| host.device.every_port) {
        for port in HIGH_PORTS {
            match TcpListener::bind((host.address, port)) {
                Ok(listener) => open.push(listener),
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
                Err(source) => return Err(SimError::EveryPort { address: host.address, port, source }),
            }
        }
    }
    Ok(open)
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the serving thread has printed itself; a second one here would hide it.
            let _ = thread.join();
        }
    }
}
