//! Identifies every banner of a facts file and compares the answers with the truth.
//!
//! `cargo run --release -p ksig-tests --bin facts -- FILE.ndjson [--format json] [--wrong] [--signatures DIR]`
//!
//! Exit code 0 when every line was read, 2 when a file or a line could not be: each such line is named on standard error, the others are
//! scored all the same.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use ksig::{Engine, Release};
use ksig_schema::Schema;
use ksig_tests::facts::{Answer, Names, Report, Row};

/// Compares ksig's answers with banners whose devices are known.
#[derive(Parser)]
struct Arguments {
    /// One banner a line: {"id","field","value" or "value_b64","truth":{...},"schema_field"?,"score"?}
    file: PathBuf,
    /// Tables for a person, or one JSON object
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// List the rows with a wrong slot
    #[arg(long)]
    wrong: bool,
    /// Signatures below this folder instead of those that the binary carries
    #[arg(long, value_name = "DIR")]
    signatures: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Longest line that is read; a longer one is named and passed over.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Between two lines about progress.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(bad_lines) => {
            eprintln!("lines that could not be read: {bad_lines}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("facts: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<u64> {
    let path = &arguments.file;
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        bail!("cannot read {}: it is a folder", path.display());
    }
    let release = match &arguments.signatures {
        Some(folder) => Release::from_signatures(std::slice::from_ref(folder), &ksig::analysis::named("facts"), Engine::Jit),
        None => Release::bundled(Engine::Jit),
    }?;
    let report = compare(path, BufReader::new(file), &release, arguments.wrong)?;
    let shown = match arguments.format {
        Format::Text => report.text(),
        Format::Json => serde_json::to_string(&report)? + "\n",
    };
    std::io::stdout().write_all(shown.as_bytes()).context("cannot write the report")?;
    Ok(report.bad_lines)
}

fn compare(path: &Path, mut lines: impl BufRead, release: &Release, keep_wrong: bool) -> Result<Report> {
    let schema = ksig_protocols::schema();
    let names = Names::new(&release.plan().plan().vocabulary);
    let mut report = Report::default();
    let (begin, mut shown) = (Instant::now(), Instant::now());
    let mut line = Vec::new();
    for number in 1u64.. {
        let read = read_line(&mut lines, &mut line).with_context(|| format!("{}:{number}", path.display()))?;
        let added = match read {
            LineRead::End => break,
            LineRead::TooLong => Err(format!("longer than {LINE_BYTES_MAX} bytes")),
            LineRead::Line if line.trim_ascii().is_empty() => Ok(()),
            LineRead::Line => add(&mut report, &line, &schema, release, &names, keep_wrong),
        };
        if let Err(reason) = added {
            eprintln!("{}:{number}: {reason}", path.display());
            report.bad_lines += 1;
        }
        if shown.elapsed() > PROGRESS_EVERY {
            shown = Instant::now();
            eprintln!("{} rows, {:.0} a second", report.rows, report.rows as f64 / begin.elapsed().as_secs_f64());
        }
    }
    Ok(report)
}

fn add(report: &mut Report, line: &[u8], schema: &Schema, release: &Release, names: &Names, keep_wrong: bool) -> Result<(), String> {
    let row = Row::read(line)?;
    let Some(evidence) = row.evidence_line(schema) else {
        report.add_unscored(&row);
        return Ok(());
    };
    let evidence = ksig::evidence_line::parse(&evidence, schema).map_err(|error| format!("row {}: {error}", row.id))?.evidence;
    report.add(&row, &Answer::of(&release.identify(&evidence)), names, keep_wrong);
    Ok(())
}

enum LineRead {
    Line,
    TooLong,
    End,
}

/// Reads up to the end of a line; of one that is too long, the rest is passed over.
fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<LineRead> {
    line.clear();
    let read = lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', line)?;
    if read as u64 == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
        lines.skip_until(b'\n')?;
        return Ok(LineRead::TooLong);
    }
    Ok(if read == 0 { LineRead::End } else { LineRead::Line })
}
