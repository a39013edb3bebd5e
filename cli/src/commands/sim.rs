//! `ksig sim`: the simulated population by itself.

use std::path::PathBuf;

use ksig_lang::say;
use ksig_scanner::parse_ports;
use ksig_scanner::sim::{Population, Simulator};

use super::{Failure, Outcome, answer, remark};
use crate::failure::{OrSay as _, cannot_write};

/// Answer as a simulated population on 127/8 until Ctrl-C
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig sim --population scanner/populations/demo.toml --ports 18080=http,12222=ssh --truth truth.ndjson\n  ksig sim --population my.toml            # free ports, printed as JSON"
)]
pub struct Args {
    /// The population file; its format is described in scanner/populations/README.md
    #[arg(long, value_name = "FILE")]
    population: PathBuf,
    /// Ports and what they speak, 18080=http,12222=ssh; free ones without it
    #[arg(long)]
    ports: Option<String>,
    /// How many hosts, instead of the file's number
    #[arg(long)]
    hosts: Option<u32>,
    /// The seed, instead of the file's
    #[arg(long)]
    seed: Option<u64>,
    /// Write what every host really is there, as lines of JSON
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let mut population = Population::read(&self.population)?;
        if let Some(hosts) = self.hosts {
            population = population.with_hosts(hosts)?;
        }
        if let Some(seed) = self.seed {
            population = population.with_seed(seed);
        }
        let ports = match &self.ports {
            Some(text) => parse_ports(text)?,
            None => population.free_ports(),
        };
        let simulator = Simulator::start(population, &ports)?;
        if let Some(path) = &self.truth {
            let written = std::fs::File::create(path).map(std::io::BufWriter::new).and_then(|file| simulator.write_truth(file));
            written.or_say(|| cannot_write(path.display()))?;
        }
        let ports: Vec<_> = simulator
            .ports()
            .iter()
            .map(|port| serde_json::json!({ "port": port.port, "service": port.service.as_ref().map(ToString::to_string) }))
            .collect();
        let (first, last) = (simulator.addresses().next(), simulator.addresses().last());
        answer(&format!(
            "{}\n",
            serde_json::json!({ "ports": ports, "hosts": simulator.addresses().count(), "first": first, "last": last })
        ))?;
        remark("answering; Ctrl-C ends it");
        super::scan::runtime()?.block_on(tokio::signal::ctrl_c()).or_say(|| say!("cannot wait for Ctrl-C", "Ctrl-Cを待てません"))?;
        Ok(Outcome::Fine)
    }
}
