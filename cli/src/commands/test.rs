//! `ksig test`: the tests inside signatures.

use std::path::PathBuf;

use clap::ValueEnum;
use ksig_lang::{Lang, Severity, say};

use super::{Failure, Outcome, answer, remark, show_problems};
use crate::{plain, testing};

/// Run the tests inside signatures on the JIT and the interpreter, then show every fixture to the whole corpus
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  ksig test signatures\n  ksig test --filter yamaha\n  ksig test signatures/server --format json")]
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
}

impl Args {
    pub(super) fn run(self, lang: Lang) -> Result<Outcome, Failure> {
        let (loaded, analysis) = super::check::analysed(self.paths)?;
        if analysis.diagnostics.iter().any(|problem| problem.severity == Severity::Error) {
            show_problems(&analysis, lang);
            return Ok(Outcome::Findings);
        }
        let asked = |path: &str| loaded.asked.iter().any(|asked| asked == path);
        let report = testing::run(&loaded.input, &analysis, &self.filter, &asked)?;
        match self.format {
            Format::Json => answer(&format!("{}\n", plain::json(&report.as_json(lang))?))?,
            Format::Text => {
                for failure in &report.failures {
                    remark(&format!(
                        "{}:{}:{}: {} [{}] {}\n  {}",
                        failure.path,
                        failure.line,
                        failure.column,
                        failure.signature,
                        failure.engine,
                        failure.test,
                        failure.reason.in_lang(lang).trim_end().replace('\n', "\n  ")
                    ));
                }
                let testing::Report { tests, signatures, fixtures_shown, failures } = &report;
                let failures = failures.len();
                let summary = say!(
                    "{tests} tests of {signatures} signatures on jit and interpreter, {fixtures_shown} fixtures shown to the corpus, {failures} failures\n",
                    "テスト{tests}件（シグネチャ{signatures}件、jitとinterpreterで実行）、全シグネチャと照合した応答{fixtures_shown}件、失敗{failures}件\n"
                );
                answer(summary.in_lang(lang))?;
            }
        }
        Ok(if report.failures.is_empty() { Outcome::Fine } else { Outcome::Findings })
    }
}
