//! `ksig plan`: everything that a release could send.

use std::net::{IpAddr, Ipv4Addr};

use ksig_protocols::{Peer, PeerState, ScanIdentity, Step};
use ksig_schema::{PlannedProbe, ProbeKey};

use super::release::ReleaseArgs;
use super::{Failure, Outcome, answer};

/// Print every request that a release can send, to which ports, and after what
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  ksig plan\n  ksig plan --signatures signatures/router")]
pub struct Args {
    #[command(flatten)]
    release: ReleaseArgs,
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let release = self.release.release()?;
        let plan = &release.plan().plan().probe_plan;
        let mut text = String::new();
        for probe in &plan.probes {
            text.push_str(&describe(probe));
        }
        let first = plan.probes.iter().filter(|probe| !probe.follow_up).count();
        text.push_str(&format!("{first} probes at first, {} only after a gate\n", plan.probes.len() - first));
        answer(&text)?;
        Ok(Outcome::Fine)
    }
}

fn describe(probe: &PlannedProbe) -> String {
    let ports = probe.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let stage = if probe.follow_up { ", only after its gate" } else { "" };
    let mut text = format!("{} ({:?}{stage}) on {ports}\n", probe.key, probe.safety);
    for request in requests(&probe.key) {
        text.push_str(&format!("    sends {}\n", request.escape_ascii()));
    }
    text
}

/// What the probe sends at once; `<...>` stand where a run's own values go.
fn requests(key: &ProbeKey) -> Vec<Vec<u8>> {
    let identity = ScanIdentity { contact: "<contact>".into() };
    let peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 0, tls: false, identity: &identity };
    let mut sent = Vec::new();
    if let Some(mut talk) = ksig_protocols::conversation(key, &peer) {
        while let Step::Send(bytes) = talk.next(&[], PeerState::Open) {
            sent.push(bytes);
            // What follows depends on the peer's answer; no probe of the language says more than a few lines.
            if sent.len() >= 8 {
                break;
            }
        }
    }
    sent
}
