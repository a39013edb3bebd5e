//! `ksig test`: the tests inside signatures.

use std::path::PathBuf;

use clap::ValueEnum;
use ksig_lang::{Lang, Severity};

use super::{Failure, Outcome, answer, remark, show_problems};
use crate::plain;
use crate::testing::{self, Asked, report};

/// Run the tests inside signatures on the JIT and the interpreter, then show every fixture to the whole corpus
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig test signatures\n  ksig test --filter yamaha\n  ksig test signatures/server --format junit > report.xml\n\nExit codes: 0 all tests passed, 1 some failed, 2 wrong use or a failure of the world."
)]
pub struct Args {
    /// Files and folders; the folder `signatures` when none is named
    paths: Vec<PathBuf>,
    /// Only tests whose `signature: name` contains this
    #[arg(long, default_value = "")]
    filter: String,
    /// How results are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// Failures with their traces, and a count
    Text,
    /// One JSON object
    Json,
    /// JUnit XML, a test case a test
    Junit,
    /// TAP 14, with what is wrong as YAML
    Tap,
    /// GitHub annotation lines
    Github,
}

impl Args {
    pub(super) fn run(self, lang: Lang) -> Result<Outcome, Failure> {
        let (loaded, analysis) = super::check::analysed(self.paths)?;
        if analysis.diagnostics.iter().any(|problem| problem.severity == Severity::Error) {
            show_problems(&analysis, lang);
            return Ok(Outcome::Findings);
        }
        let file = |path: &str| loaded.asked.iter().any(|asked| asked == path);
        let asked = Asked { filter: &self.filter, file: &file };
        let ran = testing::run(&loaded.input, &analysis, &asked)?;
        match self.format {
            Format::Json => answer(&format!("{}\n", plain::json(&report::as_json(&ran, lang))?))?,
            Format::Junit => answer(&report::as_junit(&ran, lang))?,
            Format::Tap => answer(&report::as_tap(&ran, lang))?,
            Format::Github => answer(&report::as_github(&ran, lang))?,
            Format::Text => {
                let failures = report::as_text(&ran, lang);
                if !failures.is_empty() {
                    remark(failures.trim_end());
                }
                answer(report::summary(&ran).in_lang(lang))?;
            }
        }
        Ok(if ran.failures().next().is_none() { Outcome::Fine } else { Outcome::Findings })
    }
}
