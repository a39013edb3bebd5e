//! The commands: one file each, its arguments, its help, its run.
//!
//! Standard output is for the answer, standard error for progress and problems. [`Outcome`] is the exit code.

mod atlas;
mod build;
mod calling;
mod check;
mod completions;
mod demo;
mod discover;
mod draft;
mod explain;
mod fmt;
mod forget;
mod identify;
mod import;
mod input;
mod lsp;
mod man;
mod notice;
mod plan;
mod prof;
mod progress;
mod record;
mod release;
mod scan;
mod show;
mod sim;
mod sweep;
mod test;
mod why;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory as _, Parser, Subcommand};
use ksig_atlas::{LogError, LogWriter};
use ksig_lang::{Lang, RenderStyle};

use crate::{failure, plain, store};

/// How a command ended, when the world did not fail it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0.
    Fine,
    /// Exit code 1: errors in signatures, failed tests.
    Findings,
}

/// What ended a command: wrong use or a failure of the world. One line, exit code 2.
pub type Failure = anyhow::Error;

#[derive(Parser)]
#[command(name = "ksig", version, about = "Identify devices from harmless banners by signatures", long_about = None, max_term_width = 110)]
#[command(after_help = "Start with `ksig demo`: it scans a simulated population and shows what was found.")]
struct Cli {
    /// The language of problems and explanations
    #[arg(long, global = true, value_name = "LANG", default_value = "en", value_parser = lang())]
    lang: Lang,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Args),
    Check(check::Args),
    Fmt(fmt::Args),
    Test(test::Args),
    Build(build::Args),
    Verify(build::VerifyArgs),
    Show(show::Args),
    Identify(identify::Args),
    Import(import::Args),
    Why(why::Args),
    Draft(draft::Args),
    Prof(prof::Args),
    Explain(explain::Args),
    Plan(plan::Args),
    Discover(discover::Args),
    Record(record::Args),
    Scan(scan::Args),
    Sweep(sweep::Args),
    Notice(notice::Args),
    Sim(sim::Args),
    Atlas(atlas::Args),
    Search(atlas::SearchArgs),
    Report(atlas::ReportArgs),
    Lsp(lsp::Args),
    Completions(completions::Args),
    Man(man::Args),
}

fn lang() -> impl TypedValueParser<Value = Lang> {
    PossibleValuesParser::new(["en", "ja"]).map(|word| if word == "ja" { Lang::Ja } else { Lang::En })
}

/// The command with all of its arguments, as help and pages describe it.
fn described() -> clap::Command {
    Cli::command()
}

/// Parses the arguments and runs the command.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let lang = cli.lang;
    let outcome = match cli.command {
        Command::Demo(args) => args.run(),
        Command::Check(args) => args.run(lang),
        Command::Fmt(args) => args.run(lang),
        Command::Test(args) => args.run(lang),
        Command::Build(args) => args.run(lang),
        Command::Verify(args) => args.run(),
        Command::Show(args) => args.run(),
        Command::Identify(args) => args.run(),
        Command::Import(args) => args.run(lang),
        Command::Why(args) => args.run(lang),
        Command::Draft(args) => args.run(lang),
        Command::Prof(args) => args.run(),
        Command::Explain(args) => args.run(lang),
        Command::Plan(args) => args.run(),
        Command::Discover(args) => args.run(),
        Command::Record(args) => args.run(lang),
        Command::Scan(args) => args.run(),
        Command::Sweep(args) => args.run(),
        Command::Notice(args) => args.run(lang),
        Command::Sim(args) => args.run(),
        Command::Atlas(args) => args.run(),
        Command::Search(args) => args.run(),
        Command::Report(args) => args.run(),
        Command::Lsp(args) => args.run(lang),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
    };
    match outcome {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(failure) if is_broken_pipe(&failure) => ExitCode::SUCCESS,
        Err(failure) => {
            // The one place where failures are shown; terminal control bytes of file names and inputs stay escaped.
            eprintln!("ksig: {}", plain::text(&failure::said(&failure, lang)));
            ExitCode::from(2)
        }
    }
}

/// Whoever read our output has seen enough, as in `ksig show ... | head`.
fn is_broken_pipe(failure: &Failure) -> bool {
    failure.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe))
}

/// Writes an answer to standard output; JSON comes from [`plain::json`], which this leaves as it is.
fn answer(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(plain::text(text).as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Writes a line of progress or a problem to standard error; a closed standard error is no failure.
fn remark(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", plain::text(text));
}

/// Shows problems on standard error, with colours where it is a terminal. What they quote is escaped by who draws them.
fn show_problems(analysis: &ksig_compiler::Analysis, lang: Lang) {
    show_drawn(&crate::problems::as_text(analysis, style(lang)));
}

/// Problems as they were drawn.
fn show_drawn(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Opens the log of a state directory to append to it. A last record that a crash cut off is told here; damaged ones come back, because who
/// reads the whole log tells them all.
fn open_log(state: &Path) -> Result<(LogWriter, Vec<LogError>), Failure> {
    let (log, recovery) = LogWriter::open(&store::log_dir(state))?;
    if let Some(torn) = recovery.torn {
        remark(&format!("{}: the last record was cut off by a crash and has been taken off", torn.path.display()));
    }
    Ok((log, recovery.damaged))
}

/// How problems are drawn on standard error.
fn style(lang: Lang) -> RenderStyle {
    RenderStyle { color: std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(), lang }
}
