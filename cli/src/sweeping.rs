//! A sweep that keeps what it brings in a state directory: the ledger, the report of where it stands, and hosts that are asked for.
//!
//! ```text
//! DIR/log/          observations, appended and never altered
//! DIR/sweep.redb    where the sweep stands
//! DIR/status.json   the same for people, written about once a second
//! DIR/metrics.prom  the same for Prometheus, in the form of node_exporter's textfile collector
//! DIR/asked/        hosts that are asked for, one file a question
//! ```

use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use ksig_atlas::{LogError, LogWriter};
use ksig_scanner::sweep::{Lane, Ledger, Moment, Standing, Unkept};
use ksig_schema::{Observation, Time};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::whole;

/// Where the report is.
pub fn status_file(state: &Path) -> PathBuf {
    state.join("status.json")
}

/// Where questions are put.
pub fn asked_dir(state: &Path) -> PathBuf {
    state.join("asked")
}

/// Keeps observations in a log.
#[derive(Debug)]
pub struct LogLedger {
    log: LogWriter,
}

impl LogLedger {
    /// Appends to that log.
    pub fn new(log: LogWriter) -> LogLedger {
        LogLedger { log }
    }
}

impl Ledger for LogLedger {
    /// After a failure in the middle, the first observations stand in the log twice: readers take the later of equals.
    fn keep(&mut self, observations: &[Observation]) -> Result<(), Unkept> {
        for observation in observations {
            match self.log.append(observation) {
                // Limits of conversations are far below; waiting would not make it smaller.
                Ok(()) | Err(LogError::TooLarge { .. }) => {}
                Err(error) => return Err(unkept(&error)),
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Unkept> {
        self.log.commit().map_err(|error| unkept(&error))
    }
}

fn unkept(error: &LogError) -> Unkept {
    Unkept { reason: error.to_string(), since_commit: matches!(error, LogError::Unsure { .. }) }
}

/// How often the folder of questions is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Hands on the questions that are put into a state directory, for ever. A line that is no address is passed over: `ksig sweep ask` writes none.
pub async fn take_asked(state: &Path, asks: mpsc::Sender<Vec<IpAddr>>) {
    let directory = asked_dir(state);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Ok(files) = std::fs::read_dir(&directory) else { continue };
        for path in files.filter_map(|file| Some(file.ok()?.path())).filter(|path| path.extension().is_some_and(|end| end == "txt")) {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let hosts = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
            if asks.send(hosts).await.is_err() || std::fs::remove_file(&path).is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Where a sweep stands, as it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The numbers.
    #[serde(flatten)]
    pub standing: Standing,
    /// Whether the sweep was going on when this was written.
    pub running: bool,
}

impl Report {
    /// Writes the report and the metrics, each whole or not at all.
    pub fn write(&self, state: &Path) -> io::Result<()> {
        let json = serde_json::to_vec(self)?;
        whole::write(&status_file(state), &json)?;
        whole::write(&state.join("metrics.prom"), self.metrics().as_bytes())
    }

    /// One line.
    pub fn line(&self) -> String {
        let standing = &self.standing;
        format!(
            "cycle {}: {:.1} % of {} places, {} hosts known, {} services in doubt, {} offline",
            standing.cycle,
            100.0 * standing.coverage(),
            standing.places,
            standing.hosts,
            standing.doubted,
            standing.counts.offline
        )
    }

    /// Some lines for a terminal that is drawn anew.
    pub fn lines(&self) -> String {
        let standing = &self.standing;
        let calls: Vec<String> =
            Lane::ALL.iter().zip(standing.counts.calls).map(|(lane, calls)| format!("{} {calls}", lane.name())).collect();
        let counts = &standing.counts;
        format!(
            "{}\n  pace {:.1}/s, ends {} (planned {})\n  calls: {}; {} wait\n  ports: {} answered, {} refused, {} silent, {} not asked; {} blocked, {} left alone\n  age: {}",
            self.line(),
            standing.rate,
            standing.projected_end().map_or_else(|| "?".into(), date),
            date(standing.ends),
            calls.join(", "),
            standing.later,
            counts.answered,
            counts.refused,
            counts.silent,
            counts.ours,
            counts.blocked,
            counts.left_alone,
            self.ages(),
        )
    }

    fn ages(&self) -> String {
        let ages = &self.standing.ages;
        let named = [("half", ages.p50), ("90 %", ages.p90), ("99 %", ages.p99), ("all", ages.max)];
        let shown: Vec<String> = named.iter().filter_map(|(name, age)| Some(format!("{name} under {}", age_text((*age)?)))).collect();
        if shown.is_empty() { "nobody known".into() } else { shown.join(", ") }
    }

    /// The report for people.
    pub fn table(&self, now: Time) -> String {
        let standing = &self.standing;
        let counts = &standing.counts;
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let mut add = |name: &str, value: String| {
            table.add_row([name.to_string(), value]);
        };
        add("cycle", format!("{}, begun {}", standing.cycle, date(standing.began)));
        add("coverage", format!("{:.2} % of {} places", 100.0 * standing.coverage(), standing.places));
        add("projected end", standing.projected_end().map_or_else(|| "not known yet".into(), date));
        add("planned end", date(standing.ends));
        add("pace", format!("{:.2} places a second", standing.rate));
        add("known hosts", standing.hosts.to_string());
        add("age of records", self.ages());
        add("services in doubt", standing.doubted.to_string());
        add("services offline", counts.offline.to_string());
        for (lane, calls) in Lane::ALL.iter().zip(counts.calls) {
            add(&format!("calls, {}", lane.name()), calls.to_string());
        }
        add("calls that wait", standing.later.to_string());
        add("ports answered", counts.answered.to_string());
        add("ports refused", counts.refused.to_string());
        add("ports silent", counts.silent.to_string());
        add("ports not asked", format!("{} (for reasons of our own; they are asked again)", counts.ours));
        add("places blocked", counts.blocked.to_string());
        add("places left alone", counts.left_alone.to_string());
        if let Some(column) = table.column_mut(0) {
            column.set_cell_alignment(CellAlignment::Left);
        }
        let since = now.as_second().saturating_sub(i64::from(standing.now.second()));
        let state = match (self.running, standing.paused) {
            (false, _) => format!("ended {}", date(standing.now)),
            (true, _) if since > 10 => format!("no sign of life since {}: it has died, or stands", date(standing.now)),
            (true, true) => "running, but no canary answers: nothing is called".into(),
            (true, false) => "running".into(),
        };
        format!("{state}\n{table}\n")
    }

    /// The report in the text format of Prometheus.
    fn metrics(&self) -> String {
        let standing = &self.standing;
        let counts = &standing.counts;
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, rows: &[(String, f64)]| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP ksig_sweep_{name} {help}\n# TYPE ksig_sweep_{name} {kind}");
            for (labels, value) in rows {
                let _ = writeln!(text, "ksig_sweep_{name}{labels} {value}");
            }
        };
        let one = |value: f64| vec![(String::new(), value)];
        let labelled = |label: &str, rows: &[(&str, f64)]| -> Vec<(String, f64)> {
            rows.iter().map(|(name, value)| (format!("{{{label}=\"{name}\"}}"), *value)).collect()
        };
        metric("cycle", "gauge", "Number of the cycle.", &one(standing.cycle.into()));
        metric("places", "gauge", "Addresses times ports of a cycle.", &one(standing.places as f64));
        metric("places_through", "gauge", "Places of this cycle that are through.", &one(standing.through as f64));
        metric("cycle_end_seconds", "gauge", "When the cycle ends as planned, since 1970.", &one(standing.ends.second().into()));
        if let Some(end) = standing.projected_end() {
            metric(
                "projected_end_seconds",
                "gauge",
                "When the pass will be through at the pace so far, since 1970.",
                &one(end.second().into()),
            );
        }
        metric("hosts", "gauge", "Hosts with services.", &one(standing.hosts as f64));
        metric("services_doubted", "gauge", "Services that fell silent and are tried again.", &one(standing.doubted as f64));
        let ages = &standing.ages;
        let ages = [("0.5", ages.p50), ("0.9", ages.p90), ("0.99", ages.p99), ("1", ages.max)];
        let ages: Vec<(&str, f64)> = ages.iter().filter_map(|(name, age)| Some((*name, f64::from((*age)?)))).collect();
        metric("record_age_seconds", "gauge", "How old the records of known hosts are.", &labelled("quantile", &ages));
        let calls: Vec<(&str, f64)> = Lane::ALL.iter().zip(counts.calls).map(|(lane, calls)| (lane.name(), calls as f64)).collect();
        metric("calls_total", "counter", "Calls since the sweep was started.", &labelled("lane", &calls));
        let ports = [("answered", counts.answered), ("refused", counts.refused), ("silent", counts.silent), ("ours", counts.ours)];
        let ports: Vec<(&str, f64)> = ports.iter().map(|(name, count)| (*name, *count as f64)).collect();
        metric("ports_total", "counter", "Ports by what came back; ours: not asked, for reasons of our own.", &labelled("outcome", &ports));
        let passed_over = [("blocklist", counts.blocked as f64), ("trouble", counts.left_alone as f64)];
        metric("passed_over_total", "counter", "Places that were not called, and why.", &labelled("reason", &passed_over));
        metric("offline_total", "counter", "Services that were given up after all tries.", &one(counts.offline as f64));
        metric("paused", "gauge", "Whether no canary answers.", &one(f64::from(u8::from(standing.paused))));
        metric("running", "gauge", "Whether the sweep was going on when this was written.", &one(f64::from(u8::from(self.running))));
        text
    }
}

fn date(moment: Moment) -> String {
    Time::from_second(i64::from(moment.second())).map_or_else(|_| "?".into(), |time| time.to_string())
}

fn age_text(seconds: u32) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
