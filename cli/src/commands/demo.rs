//! `ksig demo`: the whole road in one go, on a simulated population.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use comfy_table::{Table, presets};
use ksig_atlas::{Entry, Facet, Index, VersionQuestion, VersionReport};
use ksig_lang::say;
use ksig_protocols::ScanIdentity;
use ksig_scanner::sim::{Population, Simulator, Truth};
use ksig_scanner::{ScanOptions, ScanSummary, Stop, TargetSet};
use ksig_schema::identification::{Identified, Known};
use serde::Serialize;

use super::{Failure, Outcome, answer, remark};
use crate::accuracy::{Accuracy, SlotScore};
use crate::analysis::named;
use crate::failure::{OrSay as _, failed};
use crate::live::{LiveError, LiveHost, identify_live};
use crate::{Engine, Release, store};

/// Scan a simulated population and show what was found: the whole road in one go
///
/// Compiles the bundled signatures, starts some thousand simulated devices on 127/8, scans them over real sockets, identifies them with the
/// JIT, stores what was seen, and holds the answers against the simulator's truth. Nothing leaves this machine.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig demo\n  ksig demo --hosts 600 --format json\n  ksig demo --state atlas     # keeps the store, for `ksig search`"
)]
pub struct Args {
    /// How many hosts; the population's own number without it
    #[arg(long)]
    hosts: Option<u32>,
    /// Deals devices, models, firmware and faults
    #[arg(long)]
    seed: Option<u64>,
    /// Keep the store there; a new folder below the system's temporary one without it
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// What is searched
    #[arg(long, default_value = "ルーター 無線LAN eol:true")]
    search: String,
    /// text or json (one object)
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    format: String,
    /// Run the reference interpreter instead of machine code
    #[arg(long)]
    interpreter: bool,
}

/// Everything that the demo found.
#[derive(Serialize)]
struct Findings {
    hosts: u64,
    observed: u64,
    #[serde(flatten)]
    accuracy: Accuracy,
    seconds: f64,
    scan_seconds: f64,
    hosts_per_second: f64,
    compile_seconds: f64,
    index_seconds: f64,
    conversations: BTreeMap<ksig_schema::Ended, u64>,
    signatures: usize,
    engine: &'static str,
    memory_peak_mb: Option<u64>,
    population: Shares,
    versions: Option<VersionReport>,
    search: SearchFindings,
    state: String,
}

/// Shares over all devices whose support or latest firmware is known.
#[derive(Default, Serialize)]
struct Shares {
    support_ended: u64,
    supported: u64,
    support_unknown: u64,
    on_latest: u64,
    behind: u64,
    latest_unknown: u64,
}

#[derive(Serialize)]
struct SearchFindings {
    query: String,
    searched: Vec<String>,
    count: usize,
    entries: Vec<Entry>,
}

/// How many hits of the search are shown.
const HITS_SHOWN: usize = 5;

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let started = Instant::now();
        let release = Arc::new(self.compile()?);
        let compile_seconds = started.elapsed().as_secs_f64();
        self.say(&format!("compiled {} signatures in {compile_seconds:.2} s", release.plan().plan().signatures.len()));

        let simulator = self.simulate()?;
        let truth: HashMap<IpAddr, Truth> = simulator.truth().map(|truth| (truth.address.into(), truth)).collect();
        let ports = simulator.ports().iter().filter_map(|port| Some(format!("{}={}", port.port, port.service.as_ref()?)));
        self.say(&format!("simulating {} SYNTHETIC devices on 127/8, ports {}", truth.len(), ports.collect::<Vec<_>>().join(" ")));

        let state = self.state()?;
        let (mut log, damaged) = super::open_log(&state)?;
        damaged.iter().for_each(|damaged| remark(&damaged.to_string()));
        let mut found = Found { truth: &truth, accuracy: Accuracy::default(), observed: 0, entries: Vec::new() };
        let scanning = Instant::now();
        let summary = self.scan(&simulator, &release, |host| {
            store::append(&mut log, &host.observations.observations)?;
            found.take(host);
            Ok(())
        })?;
        log.commit()?;
        let scan_seconds = scanning.elapsed().as_secs_f64();
        if summary.stopped {
            let (hosts, state) = (summary.hosts, state.display());
            return Err(failed(say!(
                "stopped after {hosts} hosts; what was observed is in {state}",
                "ホスト{hosts}件で中断しました。観測した内容は{state}にあります"
            )));
        }

        let indexing = Instant::now();
        let Found { accuracy, observed, entries, .. } = found;
        let population = Shares::of(&entries);
        let product = most_seen_with_support(&entries);
        let index = Index::build(&store::index_dir(&state), ksig_atlas::newest(entries), &release.plan().plan().vocabulary)?;
        let index_seconds = indexing.elapsed().as_secs_f64();

        let findings = Findings {
            hosts: summary.hosts,
            observed,
            accuracy,
            scan_seconds,
            hosts_per_second: summary.hosts as f64 / scan_seconds.max(1e-9),
            compile_seconds,
            index_seconds,
            conversations: summary.ended,
            signatures: release.plan().plan().signatures.len(),
            engine: release.matcher().engine(),
            memory_peak_mb: memory_peak_mb(),
            population,
            versions: product.map(|question| versions(&index, &question)).transpose()?,
            search: search(&index, &self.search)?,
            seconds: started.elapsed().as_secs_f64(),
            state: state.display().to_string(),
        };
        answer(&if self.format == "json" { format!("{}\n", crate::plain::json(&findings)?) } else { findings.text() })?;
        Ok(if findings.accuracy.wrong == 0 { Outcome::Fine } else { Outcome::Findings })
    }

    /// Progress, where no program reads the answer.
    fn say(&self, text: &str) {
        if self.format == "text" {
            remark(text);
        }
    }

    fn compile(&self) -> Result<Release, Failure> {
        let mut input = crate::bundled::signatures()?;
        crate::bundled::add_demo(&mut input)?;
        let engine = if self.interpreter { Engine::Interpreter } else { Engine::Jit };
        Ok(Release::compile(&input, &named("demo"), engine)?)
    }

    fn simulate(&self) -> Result<Simulator, Failure> {
        let text = crate::bundled::population("demo.toml")
            .or_say(|| say!("this binary was built without the demo's population", "この実行ファイルにはデモ用の機器が含まれていません"))?;
        let mut population = Population::parse("demo.toml", text)?;
        if let Some(hosts) = self.hosts {
            population = population.with_hosts(hosts)?;
        }
        if let Some(seed) = self.seed {
            population = population.with_seed(seed);
        }
        let ports = population.free_ports();
        Ok(Simulator::start(population, &ports)?)
    }

    fn state(&self) -> Result<PathBuf, Failure> {
        let Some(state) = &self.state else {
            let folder = std::env::temp_dir().join(format!("ksig-demo-{}", std::process::id()));
            let shown = folder.display();
            std::fs::create_dir_all(&folder).or_say(|| say!("cannot create {shown}", "{shown}を作成できません"))?;
            return Ok(folder);
        };
        Ok(state.clone())
    }

    fn scan(
        &self,
        simulator: &Simulator,
        release: &Arc<Release>,
        sink: impl FnMut(&LiveHost) -> Result<(), Failure>,
    ) -> Result<ScanSummary, Failure> {
        let targets = TargetSet::of_addresses(simulator.addresses().map(IpAddr::from))?;
        let identity = ScanIdentity { contact: "https://ksig.example/demo".into() };
        let mut options = ScanOptions::new(targets, simulator.ports().to_vec(), identity, Arc::new(super::calling::now));
        // The population is on this machine and was made for this; nobody can have opted out.
        options.no_blocklist = true;
        // Devices on the same machine are near: whoever is silent for this long has a fault.
        options.limits.first_byte_ms = 1_500;
        options.limits.total_ms = 3_000;
        let stop = Stop::new();
        super::scan::runtime()?.block_on(async {
            super::scan::stop_on_interrupt(&stop);
            let scanning = async { identify_live(&options, release, &stop, sink).await.map_err(LiveError::into_failure) };
            if self.format == "json" {
                return scanning.await;
            }
            tokio::select! {
                summary = scanning => summary,
                () = super::progress::show(Arc::clone(&options.progress)) => unreachable!("progress is shown for ever"),
            }
        })
    }
}

/// What the hosts said, gathered as they came.
struct Found<'a> {
    truth: &'a HashMap<IpAddr, Truth>,
    accuracy: Accuracy,
    observed: u64,
    entries: Vec<Entry>,
}

impl Found<'_> {
    fn take(&mut self, host: &LiveHost) {
        for (evidence, answers) in &host.evidence {
            let spoke = evidence.services.iter().any(|service| service.responses.iter().any(|response| !response.facts.is_empty()));
            self.observed += u64::from(spoke);
            let address = evidence.services.first().and_then(|service| service.address);
            if let Some(truth) = address.and_then(|address| self.truth.get(&address)) {
                self.accuracy.add(truth, device(answers));
            }
            self.entries.extend(ksig_atlas::entries(evidence, answers));
        }
    }
}

/// The device of a host: the last answer is the host's own.
fn device(answers: &[ksig_schema::Identification]) -> Option<&Identified> {
    answers.last()?.identifications.iter().find(|found| found.identity.facet == "device")
}

impl Shares {
    fn of(entries: &[Entry]) -> Shares {
        let mut shares = Shares::default();
        for entry in entries.iter().filter(|entry| entry.facet.as_deref() == Some("device") && entry.model.is_some()) {
            match entry.support_ended {
                Known::Yes => shares.support_ended += 1,
                Known::No => shares.supported += 1,
                Known::Unknown => shares.support_unknown += 1,
            }
            match entry.latest {
                Known::Yes => shares.on_latest += 1,
                Known::No => shares.behind += 1,
                Known::Unknown => shares.latest_unknown += 1,
            }
        }
        shares
    }
}

/// The product that most entries name among those whose latest firmware is known.
fn most_seen_with_support(entries: &[Entry]) -> Option<VersionQuestion> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.latest_version.is_some() && entry.version.is_some()) {
        if let (Some(vendor), Some(model)) = (&entry.vendor, &entry.model) {
            *counts.entry((vendor, model)).or_default() += 1;
        }
    }
    let ((vendor, model), _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    Some(VersionQuestion { vendor: vendor.into(), model: model.into(), cell_min: None })
}

fn versions(index: &Index, question: &VersionQuestion) -> Result<VersionReport, Failure> {
    let everything = index.search(&format!("vendor:\"{}\"", question.vendor))?;
    Ok(ksig_atlas::reports::versions::versions(everything.entries(), question)?)
}

fn search(index: &Index, query: &str) -> Result<SearchFindings, Failure> {
    let found = index.search(query)?;
    let entries = found.page(0..HITS_SHOWN).collect::<Result<Vec<_>, _>>()?;
    // Facets and rows come from the same answer; one is asked for here so that the demo would notice if they parted.
    let by_vendor: u64 = found.facet(Facet::Vendor, usize::MAX)?.iter().map(|one| one.count).sum();
    anyhow::ensure!(by_vendor as usize == found.count(), "the facets of `{query}` count {by_vendor}, its rows {}", found.count());
    Ok(SearchFindings { query: query.into(), searched: found.searched().to_vec(), count: found.count(), entries })
}

/// Peak resident memory of this process, from the kernel; absent where it does not say.
fn memory_peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
}

impl Findings {
    fn text(&self) -> String {
        let accuracy = &self.accuracy;
        let mut out = format!(
            "\n{} hosts in {:.1} s: {:.0} hosts/s, {} conversations, {} MB at most\n",
            self.hosts,
            self.scan_seconds,
            self.hosts_per_second,
            self.conversations.values().sum::<u64>(),
            self.memory_peak_mb.map_or_else(|| "?".into(), |mb| mb.to_string()),
        );
        out.push_str(&format!(
            "\nAgainst the simulator's truth: {} of {} known hosts wholly right, {} in part, {} missed, {} wrong; {} unknown hosts left unknown\n",
            accuracy.correct, accuracy.known, accuracy.incomplete, accuracy.missed_known, accuracy.wrong, accuracy.unknown_ok
        ));
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["", "right", "wrong", "known", "precision", "recall"]);
        let slots: [(&str, &SlotScore); 4] =
            [("vendor", &accuracy.vendor), ("series", &accuracy.series), ("model", &accuracy.model), ("version", &accuracy.version)];
        for (name, score) in slots {
            let percent = |ratio: Option<f64>| ratio.map_or_else(|| "-".into(), |ratio| format!("{:.1} %", ratio * 100.0));
            table.add_row([
                name.to_string(),
                score.right.to_string(),
                score.wrong.to_string(),
                score.known.to_string(),
                percent(score.precision()),
                percent(score.recall()),
            ]);
        }
        out.push_str(&format!("{table}\n"));
        for wrong in &accuracy.wrong_hosts {
            out.push_str(&format!("wrong: {wrong}\n"));
        }
        if let Some(versions) = &self.versions {
            out.push_str(&format!("\nVersions of one product (SYNTHETIC population)\n{}", super::atlas::version_table(versions)));
        }
        let shares = &self.population;
        out.push_str(&format!(
            "\nOf all devices: support ended {}, supported {}, not known {}; on the latest firmware {}, behind {}, not known {}\n",
            shares.support_ended, shares.supported, shares.support_unknown, shares.on_latest, shares.behind, shares.latest_unknown
        ));
        out.push_str(&format!("\nSearch: {}\n", self.search.query));
        for line in &self.search.searched {
            out.push_str(&format!("  searched {line}\n"));
        }
        out.push_str(&format!("{}\n{} found\n", super::atlas::entry_table(&self.search.entries), self.search.count));
        out.push_str(&format!(
            "\nWhat next\n  ksig search 'ルーター latest:false' --state {state}\n  ksig report versions --vendor yukimi --model YN-1200 --state {state}\n  ksig plan                       # every request that was sent\n  ksig check signatures && ksig test signatures\n",
            state = self.state
        ));
        out
    }
}
