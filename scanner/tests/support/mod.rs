//! What tests of scans have in common: a simulated population, a plan, and a scan of the one by the other.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use ksig_protocols::ScanIdentity;
use ksig_scanner::sim::{Fault, Population, Simulator, Truth};
use ksig_scanner::{HostObservations, PortUse, ScanOptions, ScanSummary, Stop, TalkLimits, TargetSet, scan};
use ksig_schema::{Gate, Observation, PlannedProbe, ProbePlan, Request, Safety, Time};
use tokio::sync::mpsc;

pub const LIMITS: TalkLimits =
    TalkLimits { connect_ms: 5_000, first_byte_ms: 1_000, silence_ms: 500, total_ms: 2_500, response_bytes_max: 256 << 10 };

#[allow(dead_code)] // The tests of sweeps have no use for it.
pub fn faults() -> Population {
    Population::parse("faults.toml", include_str!("../../populations/faults.toml")).expect("faults.toml")
}

pub fn started(population: Population, services: &[&str]) -> Simulator {
    let ports = services.iter().map(|service| PortUse { port: 0, service: Some(service.parse().expect("a service")) });
    Simulator::start(population, &ports.collect::<Vec<_>>()).expect("free ports")
}

pub fn plan(first: &[&str], follow_ups: &[&str]) -> ProbePlan {
    let planned = |probe: &&str, follow_up| PlannedProbe {
        request: Request::Exactly(probe.parse().expect("a probe")),
        ports: Vec::new(),
        any_tls: false,
        follow_up,
        safety: Safety::Benign,
    };
    ProbePlan { probes: first.iter().map(|p| planned(p, false)).chain(follow_ups.iter().map(|p| planned(p, true))).collect() }
}

pub fn options(simulator: &Simulator) -> ScanOptions {
    let targets = TargetSet::of_addresses(simulator.addresses().map(IpAddr::V4)).expect("targets");
    let identity = ScanIdentity { contact: "https://scan.example/".into() };
    let mut options = ScanOptions::new(targets, simulator.ports().to_vec(), identity, Arc::new(|| Time::UNIX_EPOCH));
    options.no_blocklist = true;
    options.limits = LIMITS;
    // Few enough that a busy machine does not make a well-behaved device look slow.
    options.conversations_max = NonZeroUsize::new(200);
    options
}

/// Scans, and gives to `watch` everything that comes.
#[allow(dead_code)] // The tests of sweeps have no use for it.
pub fn scanned(
    options: &ScanOptions,
    plan: &ProbePlan,
    gate: Arc<dyn Gate>,
    stop: &Stop,
    mut watch: impl FnMut(&HostObservations),
) -> (ScanSummary, Vec<HostObservations>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (out, mut hosts) = mpsc::channel(4);
        let listen = async {
            let mut all = Vec::new();
            while let Some(host) = hosts.recv().await {
                watch(&host);
                all.push(host);
            }
            all
        };
        let (summary, all) = tokio::join!(scan(options, plan, gate, stop, out), listen);
        (summary.expect("the scan begins"), all)
    })
}

#[allow(dead_code)] // The tests of sweeps have no use for it.
pub fn by_address(hosts: &[HostObservations]) -> BTreeMap<IpAddr, &[Observation]> {
    hosts.iter().map(|host| (host.observations[0].address, host.observations.as_slice())).collect()
}

/// The hosts of a device with exactly that fault.
#[allow(dead_code)] // The tests of sweeps have no use for it.
pub fn with_fault<'a>(truths: &'a [Truth], device: &'a str, fault: Option<Fault>) -> impl Iterator<Item = &'a Truth> {
    truths.iter().filter(move |truth| truth.device == device && truth.faults.first().copied() == fault)
}
