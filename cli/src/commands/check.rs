//! `ksig check`: all problems of all files.

use std::path::PathBuf;

use clap::ValueEnum;
use ksig_compiler::Analysis;
use ksig_compiler::lints::foreign_fixture;
use ksig_lang::{Lang, Severity, Text, say};

use super::{Failure, Outcome, answer, remark, show_problems};
use crate::analysis::{check_by, compiled, lint};
use crate::testing::corpus::foreign;
use crate::{fixing, plain, policy, problems};

/// Parse, resolve, type-check and lint signatures; show all problems of all files
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig check signatures\n  ksig check signatures --fix\n  ksig check signatures --fixtures\n  ksig check signatures/router/yamaha/rtx.ksig --format sarif\n\nExit codes: 0 no error, 1 errors, 2 files could not be read, or ksig.toml not understood.\n\n[lints] in ksig.toml beside the signatures says how bad the findings of a lint are: \"error\", \"warning\", \"note\" or \"off\". `allow name \"why\"` in a signature spares it one, whatever the level.\n\n  [lints]\n  unanchored-model = \"error\"\n  missing-summary = \"off\"\n\n[[lint]] declares lints of your own, [metadata] what every signature must say; spec/lints.md has both. `--fixtures` runs the lint that takes longest: `foreign-fixture` decodes each fixture and asks all signatures, as `ksig test` does after the tests.\n\nLines and columns count from 1 in every format, columns in characters: a tab, an accent by itself and a full-width letter are one each, a byte order mark none. Text counts what it shows."
)]
pub struct Args {
    /// Files and folders; the folder `signatures` when none is named
    paths: Vec<PathBuf>,
    /// How problems are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Apply the fixes that problems offer and that leave fewer problems; then check again
    #[arg(long)]
    fix: bool,
    /// Show every positive fixture to all signatures too, and tell those of other devices that answer
    #[arg(long)]
    fixtures: bool,
    /// Warnings count as errors
    #[arg(long)]
    deny_warnings: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// With source lines, for people
    Text,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub annotation lines
    Github,
    /// JUnit XML, a test case a file
    Junit,
}

/// The paths, or the folder `signatures`.
pub(super) fn or_signatures(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    if paths.is_empty() { vec![PathBuf::from("signatures")] } else { paths }
}

/// Loads and checks; problems of files that were not asked for are left out.
pub(super) fn analysed(paths: Vec<PathBuf>) -> Result<(crate::Loaded, Analysis), Failure> {
    let loaded = crate::load::load(&or_signatures(paths))?;
    let rules = policy::rules(&loaded.input)?;
    let analysis = of_asked(check_by(&loaded.input, &rules), &loaded.asked);
    Ok((loaded, analysis))
}

/// Without the problems of other files. An answer to a fixture is also a problem of the file whose signature answers.
fn of_asked(mut analysis: Analysis, asked: &[String]) -> Analysis {
    let asked: Vec<u32> = analysis.sources.iter().filter(|(_, source)| asked.contains(&source.path)).map(|(file, _)| file).collect();
    analysis.diagnostics.retain(|problem| {
        let places = if problem.code == foreign_fixture::LINT.doc.code { problem.labels.len() } else { 1 };
        problem.labels.is_empty() || problem.labels.iter().take(places).any(|label| asked.contains(&label.file))
    });
    analysis
}

impl Args {
    pub(super) fn run(self, lang: Lang) -> Result<Outcome, Failure> {
        let paths = or_signatures(self.paths);
        if self.fix {
            fix(&paths, lang)?;
        }
        let loaded = crate::load::load(&paths)?;
        let rules = policy::rules(&loaded.input)?;
        let mut analysis = compiled(&loaded.input, &rules);
        if !analysis.failed() {
            lint(&mut analysis, &rules);
            if self.fixtures {
                let found = foreign(&analysis, &rules.lints)?;
                analysis.diagnostics.extend(found);
                analysis.sort();
            }
        }
        let analysis = of_asked(analysis, &loaded.asked);
        let count = |severity| analysis.diagnostics.iter().filter(|problem| problem.severity == severity).count();
        let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
        let failed = errors > 0 || (self.deny_warnings && warnings > 0);
        match self.format {
            Format::Text => {
                if !analysis.diagnostics.is_empty() {
                    show_problems(&analysis, lang);
                }
                let (files, signatures) = (loaded.asked.len(), analysis.program.signatures.len());
                // No lint is a note unless `ksig.toml` makes it one.
                let noted = if notes == 0 { Text::NONE } else { say!(", {notes} notes", "、注意{notes}件") };
                let summary = say!(
                    "{files} files, {signatures} signatures, {errors} errors, {warnings} warnings{noted}\n",
                    "ファイル{files}件、シグネチャ{signatures}件、エラー{errors}件、警告{warnings}件{noted}\n";
                    noted
                );
                answer(summary.in_lang(lang))?;
            }
            Format::Json => {
                let object = serde_json::json!({
                    "files": loaded.asked.len(), "signatures": analysis.program.signatures.len(),
                    "errors": errors, "warnings": warnings, "notes": notes, "problems": problems::as_json(&analysis, lang),
                });
                answer(&format!("{}\n", plain::json(&object)?))?;
            }
            Format::Sarif => answer(&format!("{}\n", plain::json(&problems::as_sarif(&analysis, &rules.lints.queries, lang))?))?,
            Format::Github => answer(&problems::as_github(&analysis, lang))?,
            Format::Junit => answer(&problems::as_junit(&analysis, &loaded.asked, lang))?,
        }
        Ok(if failed { Outcome::Findings } else { Outcome::Fine })
    }
}

/// Rewrites the files that fixes change.
fn fix(paths: &[PathBuf], lang: Lang) -> Result<(), Failure> {
    let mut loaded = crate::load::load(paths)?;
    let asked = loaded.asked;
    let rules = policy::rules(&loaded.input)?;
    let fixed = fixing::fix(&mut loaded.input, &rules, &|path| asked.iter().any(|asked| asked == path));
    for (path, text) in &fixed.texts {
        super::fmt::replace(path, text)?;
    }
    let (count, files) = (fixed.count, fixed.texts.len());
    let done = match count {
        0 => say!("nothing to fix", "修正できるものはありません"),
        _ => say!("{count} fixes in {files} files", "{files}件のファイルで{count}か所を修正しました"),
    };
    remark(done.in_lang(lang));
    Ok(())
}
