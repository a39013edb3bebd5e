//! All conversations with one host, one after another.
//!
//! In: an address and what may be asked. Out: its observations in order, one for each conversation. A port of TCP to which no connection
//! comes about has one observation, that of its first probe; the rest is not tried there. So has a port of UDP that refuses; one that is
//! silent is asked everything, for many services answer one question and drop another. A conversation that was never begun has none: after a
//! stop, for an address that came on the blocklist meanwhile, and on the other ports of a host that turns out to answer on every one
//! ([`crate::everywhere`]); then its controls have one each.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ksig_protocols::{Conversation, Limits, Peer};
use ksig_schema::host::{CONTROLS, control as control_probe};
use ksig_schema::{Ended, FollowUp, Gate, Observation, ProbeKey, Service, Transport};
use rustls::pki_types::ServerName;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::blocklist::Blocklist;
#[cfg(feature = "legacy-tls")]
use crate::calls::TLS;
use crate::calls::{Call, Carrier, PortCalls};
use crate::datagrams;
use crate::each::talk_each;
use crate::elsewhere::Elsewhere;
use crate::engine::ScanOptions;
use crate::everywhere::{Suspicion, control_ports};
use crate::opening::Opening;
use crate::pace::Pace;
use crate::patience::Patience;
use crate::stop::Stop;
use crate::talk::{Bytes, broken, connect, escaped, interrupted, talk};

/// Redirects followed from one answer.
const REDIRECTS_MAX: usize = 3;
/// How often the gate is asked about one service.
const HOPS_MAX: usize = 2;

/// Most follow-ups that one host gets in a visit.
const FOLLOW_UPS_MAX: usize = 32;

/// What all workers of a scan share.
pub(crate) struct Scan {
    pub options: ScanOptions,
    pub calls: Vec<PortCalls>,
    /// Constructors whose follow-ups may be asked on any port of a host.
    pub anywhere: Vec<String>,
    /// What is asked of a service that is not the one expected on its port.
    pub elsewhere: Elsewhere,
    pub gate: Arc<dyn Gate>,
    pub blocklist: Arc<Blocklist>,
    pub pace: Option<Pace>,
    pub tls: TlsConnector,
    /// For devices that are older than what that speaks.
    #[cfg(feature = "legacy-tls")]
    pub legacy_tls: crate::legacy_tls::LegacyClient,
    pub stop: Stop,
}

impl Scan {
    /// The call that a gate asks for: one that the plan has for that port, where `recognised` services come first, or one that may be asked
    /// on any.
    fn follow_up(&self, recognised: &[PortCalls], port: u16, transport: Transport, probe: &ProbeKey) -> Option<Call> {
        let of_port = recognised.iter().chain(&self.calls).find(|calls| calls.port == port);
        let here = of_port.and_then(|calls| calls.follow_up(probe, transport));
        let anywhere = || {
            let allowed = transport == Transport::Tcp && self.anywhere.contains(&probe.constructor);
            allowed.then(|| Call { probe: probe.clone(), carrier: Carrier::Plain, named: true })
        };
        here.or_else(anywhere)
    }

    /// Waits until the rate allows one more beginning. Then comes the last line before each connection and each datagram: an error says that
    /// the scan was stopped, or that the address came on the blocklist a moment ago.
    pub(crate) async fn turn(&self, address: IpAddr, patience: &mut Patience) -> Result<(), Ended> {
        if let Some(pace) = &self.pace {
            let turn = Instant::from_std(pace.take(Instant::now().into_std()));
            if turn > Instant::now() {
                patience.wait(turn).await.map_err(interrupted)?;
            }
        }
        if self.stop.is_stopped() || self.blocklist.blocks(address) { Err(Ended::Stopped) } else { Ok(()) }
    }
}

/// What one worker reuses from host to host.
pub(crate) struct Worker {
    pub scan: Arc<Scan>,
    patience: Patience,
    bytes: Bytes,
}

impl Worker {
    /// Must be made inside a runtime with time.
    pub fn new(scan: Arc<Scan>) -> Worker {
        let patience = Patience::new(&scan.stop);
        Worker { scan, patience, bytes: Bytes::default() }
    }

    /// Holds all conversations with a host, on the ports for which `on` holds. Where the host turns out to answer on every port, the rest is
    /// left.
    pub async fn call(&mut self, address: IpAddr, host: &str, suspicion: Suspicion, on: impl Fn(u16) -> bool) -> Heard {
        let scan = self.scan.clone();
        let heard = Heard { observations: Vec::with_capacity(scan.calls.len()), reached: Vec::new(), everywhere: suspicion.judged };
        let mut visit = Visit { worker: self, scan: &scan, address, host, heard, suspicion, recognised: Vec::new(), followed: 0 };
        for port in scan.calls.iter().filter(|calls| on(calls.port)) {
            visit.port(port).await;
            if visit.answers_everywhere(port).await {
                return visit.heard;
            }
        }
        if scan.gate.spans_ports() {
            visit.host_follow_ups().await;
        }
        visit.heard
    }
}

/// What a call to a host brought.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// In the order of the conversations.
    pub observations: Vec<Observation>,
    /// Ports to which a connection came about, and those of UDP that answered, each once.
    pub reached: Vec<u16>,
    /// Whether it answers on every port. Absent where nobody looked.
    pub everywhere: Option<bool>,
}

/// The conversations with one host so far.
struct Visit<'a> {
    worker: &'a mut Worker,
    scan: &'a Scan,
    address: IpAddr,
    host: &'a str,
    heard: Heard,
    suspicion: Suspicion,
    /// What took the place of the calls of ports where another service speaks than was expected.
    recognised: Vec<PortCalls>,
    /// Follow-ups so far.
    followed: usize,
}

/// What becomes of the rest of a port.
#[derive(PartialEq)]
enum Next {
    GoOn,
    Leave,
}

impl Visit<'_> {
    async fn port(&mut self, port: &PortCalls) {
        // The first answer over TCP tells whether the service is the one that is expected here.
        let first = port.first.iter().find(|call| call.carrier != Carrier::Datagrams);
        let reached = match first {
            Some(call) => self.ask(port.port, call).await != Next::Leave,
            None => false,
        };
        let instead = first.filter(|_| reached).and_then(|call| self.another_service(port, call));
        let port = instead.as_ref().unwrap_or(port);
        // What was asked already is passed over.
        let others = port.first.iter().filter(|call| reached || call.carrier == Carrier::Datagrams);
        if !self.ask_all(others.map(|call| (port.port, call))).await {
            return;
        }
        for _ in 0..HOPS_MAX {
            let calls = self.follow_ups(port);
            if calls.is_empty() || !self.ask_all(calls.iter().map(|(at, call)| (*at, call))).await {
                return;
            }
        }
    }

    /// Notes how that port was found, and looks closer where many are open: whether the host answers everywhere, so that the rest says nothing.
    async fn answers_everywhere(&mut self, port: &PortCalls) -> bool {
        if port.first.iter().all(|call| call.carrier == Carrier::Datagrams) {
            return false;
        }
        self.suspicion.tried(self.heard.reached.contains(&port.port));
        if !self.suspicion.wants_controls() {
            return self.suspicion.has_enough();
        }
        let expected = |port: u16| self.scan.calls.iter().any(|calls| calls.port == port);
        let controls = control_ports(self.scan.options.order_key, self.address, expected);
        if controls.len() < CONTROLS {
            return false;
        }
        for control in controls {
            let called = self.heard.observations.len();
            self.converse(control, control_probe(), Carrier::Plain, ksig_protocols::control_conversation()).await;
            match self.heard.observations.get(called).map(|control| control.ended) {
                Some(Ended::Complete) => {}
                // Says nothing of the host: another visit looks.
                None | Some(Ended::Local | Ended::Stopped) => return false,
                Some(_) => {
                    self.suspicion.judged = Some(false);
                    self.heard.everywhere = Some(false);
                    return false;
                }
            }
        }
        self.heard.everywhere = Some(true);
        true
    }

    /// Asks one after the other. Where TCP leads nowhere, UDP may, and the other way round; false when nothing leads further.
    async fn ask_all<'c>(&mut self, calls: impl Iterator<Item = (u16, &'c Call)>) -> bool {
        let (mut over_tcp, mut over_udp) = (None, None);
        for (port, call) in calls {
            let next = if call.carrier == Carrier::Datagrams { &mut over_udp } else { &mut over_tcp };
            if *next != Some(Next::Leave) {
                *next = Some(self.ask(port, call).await);
            }
        }
        [over_tcp, over_udp].contains(&Some(Next::GoOn))
    }

    /// What to ask instead on a port whose first answer is another protocol's.
    fn another_service(&mut self, port: &PortCalls, first: &Call) -> Option<PortCalls> {
        let answer = self.heard.observations.last().filter(|last| last.port == port.port)?;
        let mut calls = self.scan.elsewhere.instead(port, first, answer, &self.worker.bytes.before_tls)?;
        // What UDP answers has nothing to do with it.
        calls.first.extend(port.first.iter().filter(|call| call.carrier == Carrier::Datagrams).cloned());
        calls.follow_ups.extend(port.follow_ups.iter().filter(|(_, carrier)| *carrier == Carrier::Datagrams).cloned());
        self.recognised.push(calls.clone());
        Some(calls)
    }

    /// What all answers of the host together lead to.
    async fn host_follow_ups(&mut self) {
        for _ in 0..HOPS_MAX {
            let evidence = ksig_protocols::evidence(&self.heard.observations);
            let asked = evidence.iter().flat_map(|evidence| self.scan.gate.follow_ups_of_host(evidence)).collect();
            let calls = self.allowed(asked);
            if calls.is_empty() {
                return;
            }
            for (at, call) in calls {
                // A port that fails says nothing of the others.
                self.ask(at, &call).await;
            }
        }
    }

    /// What the gate asks for after the answers of a port.
    fn follow_ups(&mut self, port: &PortCalls) -> Vec<(u16, Call)> {
        if port.follow_ups.is_empty() && self.scan.anywhere.is_empty() {
            return Vec::new();
        }
        let mut asked = Vec::new();
        for evidence in ksig_protocols::evidence(&self.heard.observations) {
            let here = |service: &&Service| service.port == port.port && service.address == Some(self.address);
            for service in evidence.services.iter().filter(here) {
                asked.extend(self.scan.gate.follow_ups(&evidence, service));
            }
        }
        self.allowed(asked)
    }

    /// Follow-ups with the port where each is asked: as far as the plan allows them, and they were not asked there yet.
    fn allowed(&mut self, asked: Vec<FollowUp>) -> Vec<(u16, Call)> {
        let mut calls = Vec::new();
        for FollowUp { port: at, transport, probe } in asked {
            let call = self.scan.follow_up(&self.recognised, at, transport, &probe).map(|call| (at, call));
            calls.extend(call.filter(|call| !self.asked(at, transport, &probe) && !calls.contains(call)));
        }
        calls.truncate(FOLLOW_UPS_MAX.saturating_sub(self.followed));
        self.followed += calls.len();
        calls
    }

    /// Whether that probe has been sent to the port, over that transport.
    fn asked(&self, port: u16, transport: Transport, probe: &ProbeKey) -> bool {
        let same = |o: &Observation| o.port == port && o.transport == transport && o.probe == *probe;
        self.heard.observations.iter().any(same)
    }

    /// Sends a probe and follows where its answer leads on the same service.
    async fn ask(&mut self, port: u16, call: &Call) -> Next {
        let peer = self.peer(port, call.carrier);
        let conversation = if call.named {
            ksig_protocols::named_conversation(&call.probe, &peer)
        } else {
            ksig_protocols::conversation(&call.probe, &peer)
        };
        let Some(conversation) = conversation.filter(|_| !self.asked(port, call.carrier.transport(), &call.probe)) else {
            return Next::GoOn;
        };
        let mut next = self.converse(port, call.probe.clone(), call.carrier, conversation).await;
        for _ in 0..REDIRECTS_MAX {
            let Some(last) = self.heard.observations.last().filter(|last| next == Next::GoOn && last.port == port) else { return next };
            let Some(target) = redirect(last, &peer) else { return next };
            let probe = ProbeKey::with(call.probe.constructor.clone(), target);
            let Some(conversation) = ksig_protocols::named_conversation(&probe, &peer) else { return next };
            if self.asked(port, call.carrier.transport(), &probe) {
                return next;
            }
            next = self.converse(port, probe, call.carrier, conversation).await;
        }
        next
    }

    /// Borrows the scan, not the visit, so that the visit can go on while the peer is in use.
    fn peer<'p>(&self, port: u16, carrier: Carrier) -> Peer<'p>
    where
        Self: 'p,
    {
        let scan: &'p Scan = self.scan;
        Peer { address: self.address, port, tls: carrier == Carrier::InsideTls, identity: &scan.options.identity }
    }

    /// Holds one conversation and keeps its observation.
    async fn converse(&mut self, port: u16, probe: ProbeKey, carrier: Carrier, mut conversation: Box<dyn Conversation>) -> Next {
        let Worker { patience, bytes, .. } = &mut *self.worker;
        if !self.heard.observations.is_empty() && patience.wait(Instant::now() + self.scan.options.host_gap).await.is_err() {
            return Next::Leave;
        }
        if self.scan.turn(self.address, patience).await.is_err() {
            return Next::Leave;
        }
        let progress = &self.scan.options.progress;
        let time = self.scan.options.clock.now();
        progress.conversation_begun();
        let limits = self.scan.options.limits.bound(conversation.limits());
        let to = SocketAddr::new(self.address, port);
        let (reached, ended) = hold(self.scan, to, carrier, conversation.as_mut(), &limits, patience, bytes).await;
        progress.conversation_ended(bytes.received.len());
        self.heard.observations.push(Observation {
            id: format!("{to}/{probe}@{time}"),
            host: self.host.to_string(),
            address: self.address,
            port,
            transport: carrier.transport(),
            probe,
            sent: escaped(&bytes.sent),
            received: bytes.received.clone(),
            ended,
            time,
        });
        bytes.clear();
        if reached && !self.heard.reached.contains(&port) {
            self.heard.reached.push(port);
        }
        let silent = carrier == Carrier::Datagrams && ended == Ended::Timeout;
        if (reached || silent) && ended != Ended::Stopped { Next::GoOn } else { Next::Leave }
    }
}

/// Where an answer leads on the same service.
fn redirect(observation: &Observation, peer: &Peer) -> Option<String> {
    let http = observation.probe.constructor.starts_with("http.") && observation.transport != Transport::Udp;
    // Every redirect has a status of the form 3xx: most answers need no closer look.
    let may_be = http && observation.received.get(..16).is_some_and(|start| start.windows(2).any(|pair| pair == b" 3"));
    if may_be { ksig_protocols::redirect_target(&observation.received, peer) } else { None }
}

/// One conversation from the connection to its end: whether there was a connection (of UDP, an answer), and how it ended.
async fn hold(
    scan: &Scan,
    to: SocketAddr,
    carrier: Carrier,
    conversation: &mut dyn Conversation,
    limits: &Limits,
    patience: &mut Patience,
    bytes: &mut Bytes,
) -> (bool, Ended) {
    bytes.before_tls.clear();
    match carrier {
        Carrier::Datagrams => {
            let ended = datagrams::talk(scan, to, conversation, limits, patience, bytes).await;
            return (!bytes.received.is_empty(), ended);
        }
        Carrier::TlsRecordsEach => return talk_each(scan, to, conversation, limits, patience, bytes).await,
        Carrier::Plain | Carrier::InsideTls | Carrier::TlsRecords => {}
    }
    let patience_ms = Duration::from_millis(scan.options.limits.connect_ms);
    let mut tcp = match connect(to, Instant::now() + patience_ms, patience).await {
        Ok(tcp) => tcp,
        Err(ended) => return (false, ended),
    };
    if carrier != Carrier::InsideTls {
        return (true, talk(&mut tcp, conversation, limits, patience, bytes).await);
    }
    let handshake = scan.tls.connect(ServerName::IpAddress(to.ip().into()), Opening::new(tcp)).into_fallible();
    match patience.until(Instant::now() + patience_ms, handshake).await {
        Ok(Ok(mut tls)) => (true, talk(&mut tls, conversation, limits, patience, bytes).await),
        Ok(Err((error, opening))) => {
            bytes.before_tls = opening.into_first_bytes();
            let ended = broken(&error).unwrap_or(Ended::Eof);
            #[cfg(feature = "legacy-tls")]
            if ended == Ended::TlsAlert && ksig_protocols::recognise(&bytes.before_tls, false) == Some(TLS) {
                return (true, hold_inside_legacy_tls(scan, to, conversation, limits, patience, bytes).await);
            }
            (true, ended)
        }
        Err(interruption) => (true, interrupted(interruption)),
    }
}

/// The same over another connection, with a server that speaks TLS, but none that is safe.
#[cfg(feature = "legacy-tls")]
async fn hold_inside_legacy_tls(
    scan: &Scan,
    to: SocketAddr,
    conversation: &mut dyn Conversation,
    limits: &Limits,
    patience: &mut Patience,
    bytes: &mut Bytes,
) -> Ended {
    if let Err(ended) = scan.turn(to.ip(), patience).await {
        return ended;
    }
    let patience_ms = Duration::from_millis(scan.options.limits.connect_ms);
    let tcp = match connect(to, Instant::now() + patience_ms, patience).await {
        Ok(tcp) => tcp,
        Err(ended) => return ended,
    };
    match patience.until(Instant::now() + patience_ms, scan.legacy_tls.connect(tcp)).await {
        Ok(Ok(mut tls)) => {
            // What came before it was TLS, and no other protocol.
            bytes.before_tls.clear();
            talk(&mut tls, conversation, limits, patience, bytes).await
        }
        Ok(Err(error)) => broken(&error).unwrap_or(Ended::Eof),
        Err(interruption) => interrupted(interruption),
    }
}
