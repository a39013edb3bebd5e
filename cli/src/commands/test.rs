//! `ksig test`: the tests inside signatures.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget};
use ksig_lang::{Lang, Severity, say};

use super::{Failure, Outcome, answer, remark, show_problems};
use crate::plain;
use crate::testing::mutation::Mutation;
use crate::testing::update::Changed;
use crate::testing::{self, Asked, report};

/// Run the tests inside signatures on the JIT and the interpreter, then show every fixture to the whole corpus
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig test signatures\n  ksig test --filter yamaha\n  ksig test signatures/server --format junit > report.xml\n  ksig test signatures/router/yamaha --coverage\n  ksig test signatures/router/yamaha --mutate --score-min 80\n  ksig test signatures/router/yamaha --update && git diff\n\nExit codes: 0 all tests passed, 1 some failed or --score-min is missed, 2 wrong use or a failure of the world."
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
    /// Say what no test shows: captures that none binds, conditions that are never true or never false, rows that none reads
    #[arg(long)]
    coverage: bool,
    /// Write the values that came out into `expect` and `example` where a test fails on values, and show what changed. That a signature matches
    /// or does not is never rewritten
    #[arg(long)]
    update: bool,
    /// Put one mistake after another into each signature and say which of them its tests let pass
    #[arg(long)]
    mutate: bool,
    /// Most mistakes that are tried in one signature, chosen from all over it
    #[arg(long, value_name = "N", default_value_t = 40, requires = "mutate")]
    mutants_max: usize,
    /// Fail when the tests notice less than this share of the mistakes, in percent
    #[arg(long, value_name = "N", requires = "mutate", value_parser = clap::value_parser!(u8).range(0..=100))]
    score_min: Option<u8>,
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
        let (loaded, analysis) = super::check::analysed(self.paths.clone())?;
        if analysis.diagnostics.iter().any(|problem| problem.severity == Severity::Error) {
            show_problems(&analysis, lang);
            return Ok(Outcome::Findings);
        }
        let file = |path: &str| loaded.asked.iter().any(|asked| asked == path);
        let asked = Asked { filter: &self.filter, file: &file };
        if self.update {
            let update = testing::update::update(&loaded.input, &analysis, &asked)?;
            for (path, text) in &update.texts {
                super::fmt::replace(path, text)?;
            }
            let shown: String = update.changes.iter().map(Changed::to_string).collect();
            // The answer may be a document that nothing may stand before.
            if self.format == Format::Text {
                answer(&shown)?
            } else {
                remark(shown.trim_end())
            }
            if !update.texts.is_empty() {
                return Args { update: false, ..self }.run(lang);
            }
        }
        let ran = testing::run(&loaded.input, &analysis, &asked)?;
        let coverage = if self.coverage { Some(testing::coverage::measure(&loaded.input, &analysis, &asked)?) } else { None };
        let mutation = self.mutate.then(|| mutate(&analysis, &asked, self.mutants_max, lang));
        match self.format {
            Format::Json => {
                let mut object = report::as_json(&ran, lang);
                if let Some(coverage) = &coverage {
                    object["coverage"] = coverage.as_json();
                }
                if let Some(mutation) = &mutation {
                    object["mutation"] = mutation.as_json(lang);
                }
                answer(&format!("{}\n", plain::json(&object)?))?;
            }
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
        let texts = coverage.map(|coverage| coverage.text(lang)).into_iter().chain(mutation.as_ref().map(|mutation| mutation.text(lang)));
        for (found, summary) in texts.filter(|_| self.format != Format::Json) {
            let text = format!("{found}{}", summary.in_lang(lang));
            // The other forms are documents that nothing may follow.
            if self.format == Format::Text { answer(&text)? } else { remark(text.trim_end()) }
        }
        let weak = mutation.zip(self.score_min).is_some_and(|(mutation, least)| mutation.score() < f64::from(least));
        Ok(if ran.failures().next().is_none() && !weak { Outcome::Fine } else { Outcome::Findings })
    }
}

/// Tries mutants, with progress on standard error.
fn mutate(analysis: &ksig_compiler::Analysis, asked: &Asked<'_>, most: usize, lang: Lang) -> Mutation {
    let bar = ProgressBar::hidden();
    if std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr());
    } else {
        remark(say!("trying mutants", "変異体を試しています").in_lang(lang));
    }
    let mutation = testing::mutation::run(analysis, asked, most, &|done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    mutation
}
