//! `ksig plan`: everything that a release could send.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::ValueEnum;
use ksig_schema::{ProbeCost, Request};
use serde::Serialize;

use super::release::ReleaseArgs;
use super::{Failure, Outcome, answer};
use crate::host_cost::{self, HostCost, Measured};
use crate::templates::{self, Template};

/// Print every request that a release can send, to which ports, and after what
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig plan\n  ksig plan --signatures signatures/router --format json\n  ksig plan --state atlas   # and what a host cost on the average, by the observations kept there"
)]
pub struct Args {
    #[command(flatten)]
    release: ReleaseArgs,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Show what each signature costs at most: probes, bytes sent, bytes kept, memory of its patterns
    #[arg(long)]
    costs: bool,
    /// Say what a host cost in the scans whose observations this state directory keeps
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// The answer as JSON.
#[derive(Serialize)]
struct Plan<'p> {
    templates: &'p [Template],
    /// SHA-256 of the templates.
    sha256: String,
    /// How often one probe is sent to one port of a host.
    times_per_port: u32,
    /// Most follow-ups that one service leads to at a time.
    follow_ups_per_service: usize,
    /// Signatures that no planned probe can feed.
    unfed: Vec<&'p str>,
    /// What a host costs that says nothing, and one that answers on every port; bounds, on the ports that the release expects.
    silent_host: HostCost,
    answering_host: HostCost,
    /// What hosts cost that were called, on the average.
    #[serde(skip_serializing_if = "Option::is_none")]
    measured: Option<Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    costs: Option<Vec<Cost<'p>>>,
}

/// What one signature costs at most.
#[derive(Serialize)]
struct Cost<'p> {
    signature: &'p str,
    probes: usize,
    bytes_sent: usize,
    bytes_kept: usize,
    regex_states: usize,
    pattern_bytes: usize,
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let release = self.release.release()?;
        let plan = release.plan();
        let templates = templates::of(&plan.plan().probe_plan);
        let (silent_host, answering_host) = host_cost::bounds(&templates);
        let shown = Plan {
            silent_host,
            answering_host,
            measured: self.state.as_deref().map(host_cost::measured).transpose()?,
            sha256: templates::sha256(&templates),
            times_per_port: 1,
            follow_ups_per_service: ksig_runtime::matcher::FOLLOW_UPS_MAX,
            unfed: ksig_runtime::feed::unfed(plan.plan()),
            costs: self.costs.then(|| costs(plan)),
            templates: &templates,
        };
        match self.format {
            Format::Json => answer(&format!("{}\n", serde_json::to_string(&shown)?))?,
            Format::Text => answer(&text(&shown))?,
        }
        Ok(Outcome::Fine)
    }
}

fn text(plan: &Plan<'_>) -> String {
    let mut out: String = plan.templates.iter().map(describe).collect();
    let first = plan.templates.iter().filter(|template| !template.follow_up).count();
    out.push_str(&format!("{first} probes at first, {} only after a gate; each once a port\n", plan.templates.len() - first));
    out.push_str(&format!("requests sha256 {}\n", plan.sha256));
    out.push_str(&format!("a host that says nothing: {}\n", plan.silent_host));
    out.push_str(&format!(
        "a host that answers on every port: at most {}, {} bytes kept\n",
        plan.answering_host, plan.answering_host.bytes_kept
    ));
    if let Some(measured) = &plan.measured {
        out.push_str(&format!("{measured}\n"));
    }
    for signature in &plan.unfed {
        out.push_str(&format!("no planned probe can feed {signature}\n"));
    }
    for cost in plan.costs.iter().flatten() {
        let Cost { signature, probes, bytes_sent, bytes_kept, regex_states, pattern_bytes } = cost;
        out.push_str(&format!(
            "{signature}: {probes} probes, {bytes_sent} bytes sent, {bytes_kept} bytes kept, {regex_states} regex states in {pattern_bytes} bytes at most\n"
        ));
    }
    out
}

fn describe(template: &Template) -> String {
    let ports = template.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let stage = if template.follow_up { ", only after its gate" } else { "" };
    let mut text = format!("{} ({:?}{stage}) on {ports}, at most {} bytes\n", template.probe, template.safety, template.cost.bytes_sent);
    for message in &template.sends {
        text.push_str(&format!("    sends {message}\n"));
    }
    text
}

/// Static bounds of each signature (V17), with the probes that the policy leaves out.
fn costs(plan: &ksig_runtime::VerifiedPlan) -> Vec<Cost<'_>> {
    let signatures = plan.plan().signatures.iter().enumerate();
    signatures
        .map(|(id, signature)| {
            let needs = ksig_runtime::feed::needs(plan.plan(), id as u32);
            let requests: BTreeSet<Request> =
                needs.probes.iter().filter_map(|probe| plan.plan().probes[*probe as usize].request()).collect();
            let cost: ProbeCost = requests.iter().map(ksig_protocols::requests::cost).sum();
            let patterns = || needs.patterns.iter().map(|pattern| plan.pattern(*pattern));
            Cost {
                signature: &signature.name,
                probes: requests.len(),
                bytes_sent: cost.bytes_sent,
                bytes_kept: cost.bytes_kept,
                regex_states: patterns().map(|pattern| pattern.states_at_most()).sum(),
                pattern_bytes: patterns().map(|pattern| pattern.size_bytes()).sum(),
            }
        })
        .collect()
}
