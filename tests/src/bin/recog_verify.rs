//! `recog-verify DIR [--format json]`: Recog's databases imported, compiled, and every example of theirs run on the production path.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ksig_tests::recog::{Report, verify};

/// Import a folder of Recog's databases, compile it, and run every example: from bytes through decoder, plan and machine code
#[derive(Parser)]
#[command(
    name = "recog-verify",
    after_help = "Examples:\n  recog-verify recog/xml\n  recog-verify recog --format json\n\nExit codes: 0 every figure is whole, 1 something differs or was refused, 2 nothing could be read."
)]
struct Cli {
    /// The folder of the databases
    dir: PathBuf,
    /// How the figures are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// A line a figure
    Text,
    /// One JSON object
    Json,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let report = match verify(&cli.dir) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("recog-verify: {error:#}");
            return ExitCode::from(2);
        }
    };
    match cli.format {
        Format::Text => text(&report),
        Format::Json => println!("{}", serde_json::to_string(&report).unwrap_or_default()),
    }
    ExitCode::from(u8::from(!report.differences.is_empty() || !report.refused.is_empty()))
}

fn text(report: &Report) {
    report.refused.iter().for_each(|refused| eprintln!("{refused}"));
    report.differences.iter().for_each(|difference| eprintln!("{difference}"));
    println!("databases          {}", report.databases);
    println!("patterns           {}", report.patterns);
    println!("patterns refused   {}", report.patterns_refused);
    println!("examples           {}", report.examples);
    println!("matched            {}", report.matched);
    println!("decoded from bytes {}", report.decoded);
    println!("values equal       {}", report.values_equal);
    println!("values different   {}", report.values_different);
    println!("first match kept   {}", report.first_match_kept);
    println!("seconds            {:.1}", report.seconds);
}
