//! `ksig atlas`, `ksig search`, `ksig report`: the store and what it says.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use comfy_table::{CellAlignment, Table, presets};
use ksig_atlas::{Entry, Facet, Index, VersionQuestion, VersionReport};
use ksig_lang::say;
use ksig_schema::Observation;
use ksig_schema::identification::Known;

use super::input::for_each_line;
use super::release::ReleaseArgs;
use super::{Failure, Outcome, answer, remark};
use crate::failure::{OrSay as _, cannot_read, failed};
use crate::store;

/// Keep observations, and identify them again
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: AtlasCommand,
}

#[derive(clap::Subcommand)]
enum AtlasCommand {
    /// Append observation lines to the log, identify them, and renew the index
    #[command(after_help = "Example:\n  ksig atlas ingest observations.ndjson --state atlas")]
    Ingest {
        /// Files of observation lines, as `ksig scan -o` writes them
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The state directory
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        #[command(flatten)]
        release: ReleaseArgs,
    },
    /// Identify the whole log again with a release, and build the index anew
    #[command(after_help = "Example:\n  ksig atlas rematch --state atlas --bundle week-47.kbundle")]
    Rematch {
        /// The state directory
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        #[command(flatten)]
        release: ReleaseArgs,
    },
    Forget(super::forget::Args),
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        match self.command {
            AtlasCommand::Forget(args) => args.run(),
            AtlasCommand::Ingest { files, state, release } => {
                let release = release.release()?;
                let (mut log, _) = super::open_log(&state)?;
                let (mut kept, mut broken) = (0u64, 0u64);
                for path in &files {
                    let shown = path.display();
                    let file = std::fs::File::open(path).or_say(|| cannot_read(&shown))?;
                    let input: Box<dyn BufRead> = Box::new(BufReader::with_capacity(1 << 20, file));
                    for_each_line(input, &mut |number, line| {
                        match line.and_then(|line| serde_json::from_str::<Observation>(line).map_err(|error| error.to_string())) {
                            Ok(observation) => {
                                log.append(&observation)?;
                                kept += 1;
                            }
                            Err(reason) => {
                                broken += 1;
                                remark(&format!("{shown}:{number}: {reason}"));
                            }
                        }
                        Ok(())
                    })?;
                }
                log.commit()?;
                drop(log);
                let done = store::rematch(&state, &release, &mut |_| {})?;
                report_damage(&done);
                answer(&format!(
                    "{kept} observations appended, {} in the log, {} entries in the index\n",
                    done.observations, done.entries
                ))?;
                if broken > 0 {
                    let text = say!(
                        "{broken} lines could not be read; the others were kept",
                        "{broken}行を読み取れませんでした。ほかの行は保存しました"
                    );
                    return Err(failed(text));
                }
                Ok(Outcome::Fine)
            }
            AtlasCommand::Rematch { state, release } => {
                let release = release.release()?;
                let done = store::rematch(&state, &release, &mut |_| {})?;
                report_damage(&done);
                answer(&format!("{} observations identified again, {} entries in the index\n", done.observations, done.entries))?;
                Ok(Outcome::Fine)
            }
        }
    }
}

fn report_damage(done: &store::Rematched) {
    for damaged in &done.damaged {
        remark(damaged);
    }
}

/// Search the index, in English or Japanese
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig search 'ルーター eol:true' --state atlas\n  ksig search 'vendor:yamaha version:<14.01.42' --state atlas --facet version\n  ksig search 'type:camera ip:192.168.0.0/16' --state atlas --format json"
)]
pub struct SearchArgs {
    /// Words, field:value, AND OR NOT, ( ), quotes, ranges
    query: String,
    /// The state directory
    #[arg(long, value_name = "DIR", default_value = "atlas")]
    state: PathBuf,
    /// Most entries shown; all are counted
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Divide the answer instead: vendor, model, version, class or tag
    #[arg(long, value_parser = facet)]
    facet: Option<Facet>,
    /// text or json (lines)
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    format: String,
}

fn facet(text: &str) -> Result<Facet, String> {
    serde_json::from_value(serde_json::Value::String(text.into())).map_err(|_| "expected vendor, model, version, class or tag".into())
}

impl SearchArgs {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let index = Index::open(&store::index_dir(&self.state))?;
        let found = index.search(&self.query)?;
        let json = self.format == "json";
        let mut out = String::new();
        if let Some(facet) = self.facet {
            for one in found.facet(facet, self.limit)? {
                if json {
                    out.push_str(&format!("{}\n", crate::plain::json(&one)?));
                } else {
                    out.push_str(&format!("{:>8}  {}\n", one.count, one.value.as_deref().unwrap_or("-")));
                }
            }
        } else if json {
            for entry in found.page(0..self.limit) {
                out.push_str(&format!("{}\n", crate::plain::json(&serde_json::to_value(entry?)?)?));
            }
        } else {
            let entries = found.page(0..self.limit).collect::<Result<Vec<_>, _>>()?;
            out.push_str(&format!("{}\n", entry_table(&entries)));
        }
        answer(&out)?;
        for line in found.searched() {
            remark(&format!("searched {line}"));
        }
        remark(&format!("{} entries", found.count()));
        Ok(Outcome::Fine)
    }
}

/// Entries as a table.
pub(super) fn entry_table(entries: &[Entry]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["address", "vendor", "model", "version", "class", "tags", "title"]);
    for entry in entries {
        let text = |slot: &Option<String>| slot.clone().unwrap_or_else(|| "-".into());
        let address = entry.address.map_or_else(|| entry.host.clone(), |address| format!("{address}:{}", entry.port));
        let tags = entry.tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(" ");
        let title: String = entry.title.clone().unwrap_or_default().chars().filter(|c| !c.is_control()).take(40).collect();
        table.add_row([address, text(&entry.vendor), text(&entry.model), text(&entry.version), text(&entry.class), tags, title]);
    }
    table
}

/// Print a report
#[derive(clap::Args)]
#[command(after_help = "Example:\n  ksig report versions --vendor yamaha --model RTX1210 --state atlas")]
pub struct ReportArgs {
    /// Which: versions
    #[arg(value_parser = ["versions"])]
    name: String,
    /// Id of the vendor
    #[arg(long)]
    vendor: String,
    /// The model
    #[arg(long)]
    model: String,
    /// The state directory
    #[arg(long, value_name = "DIR", default_value = "atlas")]
    state: PathBuf,
    /// Cells under this are shown together; reports that leave the house use 30
    #[arg(long)]
    cell_min: Option<u64>,
    /// text or json
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    format: String,
}

impl ReportArgs {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let index = Index::open(&store::index_dir(&self.state))?;
        let everything = index.search(&format!("vendor:\"{}\"", self.vendor.replace('"', " ")))?;
        let question = VersionQuestion { vendor: self.vendor, model: self.model, cell_min: self.cell_min };
        let report = ksig_atlas::reports::versions::versions(everything.entries(), &question)?;
        if self.format == "json" {
            answer(&format!("{}\n", crate::plain::json(&report)?))?;
        } else {
            answer(&version_table(&report))?;
        }
        Ok(Outcome::Fine)
    }
}

/// The version report for people.
pub(super) fn version_table(report: &VersionReport) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["version", "addresses", "share", "95 % interval", ""]);
    let percent = |value: f64| format!("{:.1} %", value * 100.0);
    let mut add = |name: &str, share: &ksig_atlas::reports::Share, mark: &str| {
        let interval = format!("{} - {}", percent(share.low), percent(share.high));
        table.add_row([name.to_string(), share.part.to_string(), percent(share.share), interval, mark.to_string()]);
    };
    for row in &report.rows {
        add(&row.version, &row.share, if row.latest { "<- latest" } else { "" });
    }
    if let Some(rare) = &report.rare {
        add(&format!("{} rare versions", rare.versions), &rare.share, "");
    }
    if let Some(unknown) = &report.unknown {
        add("unknown", unknown, "");
    }
    for column in 1..4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let date = report.about.date.map_or_else(|| "no date".to_string(), |date| date.to_string());
    let mut text = format!("{} {}: {} addresses, {date}\n{table}\n", report.vendor, report.model, report.total);
    text.push_str(&match (report.support.ended, report.support.ends) {
        (Known::Yes, Some(ends)) => format!("support ended {ends}\n"),
        (Known::No, Some(ends)) => format!("supported until {ends}\n"),
        (Known::Yes, None) => "support has ended\n".to_string(),
        _ => "end of support not known\n".to_string(),
    });
    for (what, tally) in [("past support", &report.past_support), ("on the latest firmware", &report.on_latest)] {
        if let Some(tally) = tally {
            text.push_str(&format!("{what}: {}\n", tally_text(tally)));
        }
    }
    text
}

fn tally_text(tally: &ksig_atlas::reports::Tally) -> String {
    let share = match &tally.share_of_known {
        Some(share) => format!("{:.1} % of known ({:.1} - {:.1} %)", share.share * 100.0, share.low * 100.0, share.high * 100.0),
        None => "not known of any".to_string(),
    };
    format!("{share}; {} yes, {} no, {} unknown", tally.yes, tally.no, tally.unknown)
}
