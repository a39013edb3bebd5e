//! Sockets of the simulated population: accepts, finds out which device was called, and performs its acts.
//!
//! One wildcard listener a service port serves every host: the local address of an accepted connection says who was called. Nobody outside
//! 127/8 is served: the listener is bound to the loopback device where the kernel allows that, and any other peer is reset at accept.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificate::Certificates;
use super::device::Host;
use super::population::{Answers, Population, Service};
use super::script::{Act, before_anything, http_answer, opening, prepare, reply_to_line};
use super::ssh::{self, KeyExchange};
use super::udp;
use crate::ports::ServiceName;

/// Connections that the kernel keeps for us until they are accepted.
const BACKLOG: i32 = 4096;
/// A peer that says nothing for so long is forgotten.
const IDLE_MAX: Duration = Duration::from_secs(300);
/// How long a closed connection waits for the peer to close too, so that what was sent is not lost to a reset.
const LINGER_MAX: Duration = Duration::from_secs(5);
/// Longest request head or line; a peer that sends more is closed.
const REQUEST_BYTES_MAX: usize = 16 << 10;
/// What a web server answers to bytes that are no request.
const NO_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Rest after a failed accept: descriptors come back when others close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// What every connection needs.
pub(super) struct Shared {
    pub population: Population,
    pub astray: AtomicU64,
    connects: Vec<AtomicU32>,
    datagrams: Vec<AtomicU32>,
    certificates: Certificates,
}

impl Shared {
    pub fn new(population: Population) -> Shared {
        prepare(population.faults());
        let counters = || (0..population.hosts()).map(|_| AtomicU32::new(0)).collect();
        let (connects, datagrams) = (counters(), counters());
        Shared { population, astray: AtomicU64::new(0), connects, datagrams, certificates: Certificates::new() }
    }

    pub fn connects(&self, address: Ipv4Addr) -> u32 {
        self.population.index_of(address).map_or(0, |index| self.connects[index as usize].load(Relaxed))
    }

    pub fn datagrams(&self, address: Ipv4Addr) -> u32 {
        self.population.index_of(address).map_or(0, |index| self.datagrams[index as usize].load(Relaxed))
    }

    pub fn count_datagram(&self, address: Ipv4Addr) {
        if let Some(index) = self.population.index_of(address) {
            self.datagrams[index as usize].fetch_add(1, Relaxed);
        }
    }

    fn count(&self, address: Ipv4Addr) {
        match self.population.index_of(address) {
            Some(index) => self.connects[index as usize].fetch_add(1, Relaxed).into(),
            None => self.astray.fetch_add(1, Relaxed),
        };
    }
}

/// A listener for every address of 127/8.
pub(super) fn listen(port: u16) -> io::Result<StdListener> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    // Old kernels leave this to root; the check at accept holds in any case.
    let _ = socket.bind_device(Some(b"lo"));
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Serves until the sender of `stopped` is dropped.
pub(super) async fn serve(
    shared: Arc<Shared>,
    listeners: Vec<(StdListener, ServiceName)>,
    posts: Vec<udp::Post>,
    stopped: oneshot::Receiver<()>,
) {
    for post in posts {
        tokio::spawn(udp::serve(shared.clone(), post));
    }
    for (listener, service) in listeners {
        tokio::spawn(accept(shared.clone(), listener, Arc::new(service)));
    }
    let _ = stopped.await;
}

async fn accept(shared: Arc<Shared>, listener: StdListener, service: Arc<ServiceName>) {
    let listener = TcpListener::from_std(listener).expect("the listener was made non-blocking, inside a runtime with I/O");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => welcome(&shared, stream, peer, &service),
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

fn welcome(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr, service: &Arc<ServiceName>) {
    let called = match (peer.ip(), stream.local_addr().map(|local| local.ip())) {
        (IpAddr::V4(peer), Ok(IpAddr::V4(called))) if peer.is_loopback() && called.is_loopback() => called,
        _ => return reset(&stream),
    };
    shared.count(called);
    if shared.population.index_of(called).is_none() {
        return reset(&stream);
    }
    let (shared, service) = (shared.clone(), service.clone());
    tokio::spawn(async move {
        if let Some(host) = shared.population.host(called) {
            // An error is a peer that has gone: there is nobody left to tell.
            let _ = converse(&shared, &host, &service, stream).await;
        }
    });
}

/// The connection's end will be a reset instead of a goodbye.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// A connection, plain or inside TLS.
enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    fn tcp(&self) -> &TcpStream {
        match self {
            Wire::Plain(stream) => stream,
            Wire::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Appends what the peer sends next; 0 when it has closed or said nothing for too long.
    async fn read(&mut self, buffer: &mut Vec<u8>, patience: Duration) -> io::Result<usize> {
        let read = async {
            match self {
                Wire::Plain(stream) => stream.read_buf(buffer).await,
                Wire::Tls(stream) => stream.read_buf(buffer).await,
            }
        };
        timeout(patience, read).await.unwrap_or(Ok(0))
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Wire::Plain(stream) => stream.write_all(bytes).await,
            Wire::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    /// Says goodbye and waits for the peer's.
    async fn close(&mut self) -> io::Result<()> {
        match self {
            Wire::Plain(stream) => stream.shutdown().await?,
            Wire::Tls(stream) => stream.shutdown().await?,
        }
        self.listen_until_gone(LINGER_MAX).await
    }

    async fn listen_until_gone(&mut self, patience: Duration) -> io::Result<()> {
        let mut ignored = Vec::with_capacity(1 << 10);
        while self.read(&mut ignored, patience).await? > 0 {
            ignored.clear();
        }
        Ok(())
    }
}

/// Whether the conversation goes on after some acts.
#[derive(PartialEq)]
enum Next {
    GoOn,
    Over,
}

async fn converse(shared: &Shared, host: &Host<'_>, name: &ServiceName, stream: TcpStream) -> io::Result<()> {
    let Some(service) = host.service(name) else {
        reset(&stream);
        return Ok(());
    };
    let fault = host.fault_on(name);
    if fault == Some(super::Fault::ZeroWindow) {
        // As small as it goes; the kernel knows best how small that is.
        let _ = socket2::SockRef::from(&stream).set_recv_buffer_size(1);
    }
    let mut wire = Wire::Plain(stream);
    if perform(&mut wire, before_anything(fault, name.tls())).await? == Next::Over {
        return Ok(());
    }
    if name.tls() {
        let Wire::Plain(stream) = wire else { return Ok(()) };
        let Some(server) = shared.certificates.server(&service.certificate, &host.filling()) else {
            reset(&stream);
            return Ok(());
        };
        let handshake = timeout(IDLE_MAX, TlsAcceptor::from(server).accept(stream)).await;
        wire = Wire::Tls(Box::new(handshake.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?));
    }
    if perform(&mut wire, opening(host, service, fault)).await? == Next::Over {
        return Ok(());
    }
    answer(host, service, fault, &mut wire).await
}

async fn answer(host: &Host<'_>, service: &Service, fault: Option<super::Fault>, wire: &mut Wire) -> io::Result<()> {
    let mut received: Vec<u8> = Vec::with_capacity(1 << 10);
    if let Answers::Greeting { greeting, host_key: Some(key), .. } = &service.answers {
        let filling = host.filling();
        return exchange_keys(KeyExchange::new(&greeting.fill(&filling), &key.fill(&filling)), received, wire).await;
    }
    loop {
        let taken = match &service.answers {
            // A hello of TLS, or another protocol.
            Answers::Http(_) if received.first().is_some_and(|byte| !byte.is_ascii_alphabetic()) => {
                wire.write(NO_REQUEST).await?;
                return wire.close().await;
            }
            Answers::Http(responses) => match request_end(&received) {
                Some(end) => {
                    let head = &received[..end];
                    let acts = http_answer(host, responses, path_of(head), fault);
                    if perform(wire, acts).await? == Next::Over {
                        return Ok(());
                    }
                    if wants_close(head) {
                        return wire.close().await;
                    }
                    end
                }
                None => 0,
            },
            // What answers over UDP has nothing to say here.
            Answers::Datagrams(_) => return wire.close().await,
            Answers::Greeting { replies, .. } => match received.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    perform(wire, reply_to_line(host, replies, &received[..end])).await?;
                    end + 1
                }
                None => 0,
            },
        };
        received.drain(..taken);
        if taken == 0 && (received.len() > REQUEST_BYTES_MAX || wire.read(&mut received, IDLE_MAX).await? == 0) {
            return wire.close().await;
        }
    }
}

async fn exchange_keys(exchange: Option<KeyExchange>, mut received: Vec<u8>, wire: &mut Wire) -> io::Result<()> {
    let Some(mut exchange) = exchange else { return wire.close().await };
    loop {
        match exchange.next(&received) {
            ssh::Step::Send(bytes) => wire.write(&bytes).await?,
            ssh::Step::Read if received.len() <= REQUEST_BYTES_MAX && wire.read(&mut received, IDLE_MAX).await? > 0 => {}
            ssh::Step::Read | ssh::Step::Done => return wire.close().await,
        }
    }
}

/// Where the head of a request ends: behind its empty line.
fn request_end(received: &[u8]) -> Option<usize> {
    let crlf = received.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
    crlf.or_else(|| received.windows(2).position(|window| window == b"\n\n").map(|at| at + 2))
}

/// The path of a request without its query; `/` when there is none.
fn path_of(head: &[u8]) -> &str {
    let target = head.split(|byte| *byte == b' ').nth(1).unwrap_or(b"/");
    let path = target.split(|byte| *byte == b'?').next().unwrap_or(b"/");
    std::str::from_utf8(path).unwrap_or("/")
}

fn wants_close(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.trim_ascii());
    let old = lines.next().is_some_and(|line| line.ends_with(b"HTTP/1.0"));
    old || lines.any(|line| line.eq_ignore_ascii_case(b"connection: close"))
}

async fn perform(wire: &mut Wire, acts: Vec<Act>) -> io::Result<Next> {
    for act in acts {
        match act {
            Act::Send(bytes) => wire.write(&bytes).await?,
            Act::Drip(bytes, pause) => {
                for byte in bytes {
                    wire.write(&[byte]).await?;
                    sleep(pause).await;
                }
            }
            Act::Repeat { bytes, times, pause } => {
                for _ in 0..times {
                    wire.write(&bytes).await?;
                    if !pause.is_zero() {
                        sleep(pause).await;
                    }
                }
            }
            Act::Hold => {
                wire.listen_until_gone(IDLE_MAX).await?;
                return Ok(Next::Over);
            }
            Act::Stall(pause) => sleep(pause).await,
            Act::Reset => {
                reset(wire.tcp());
                return Ok(Next::Over);
            }
            Act::Close => {
                wire.close().await?;
                return Ok(Next::Over);
            }
        }
    }
    Ok(Next::GoOn)
}
