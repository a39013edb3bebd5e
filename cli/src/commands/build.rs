//! `ksig build` and `ksig verify`: bundles.

use std::path::PathBuf;

use ksig_lang::{Severity, say};

use super::{Failure, Outcome, answer, show_problems};
use crate::analysis;
use crate::failure::{OrSay as _, cannot_write};
use crate::whole;

/// Compile signatures to a bundle: the same bytes for the same signatures
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig build signatures -o week-47.kbundle --release 2026-47 --date 2026-11-23\n  ksig verify week-47.kbundle"
)]
pub struct Args {
    /// Files and folders; the folder `signatures` when none is named
    paths: Vec<PathBuf>,
    /// Where the bundle goes
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The release's name, as every answer writes it
    #[arg(long, default_value = "local")]
    release: String,
    /// The release's date
    #[arg(long)]
    date: Option<ksig_schema::Date>,
    #[command(flatten)]
    policy: crate::policy::PolicyArgs,
}

impl Args {
    pub(super) fn run(self, lang: ksig_lang::Lang) -> Result<Outcome, Failure> {
        let loaded = crate::load::load(&super::check::or_signatures(self.paths))?;
        let schema = ksig_protocols::schema();
        let policy = crate::policy::of(&loaded.input, &self.policy)?;
        let name = ksig_compiler::ReleaseName { id: self.release, date: self.date, unverified: false, policy };
        let (plan, analysis) = ksig_compiler::compile(&loaded.input, analysis::world(&schema), &name);
        let Some(mut plan) = plan else {
            show_problems(&analysis, lang);
            let errors = analysis.diagnostics.iter().filter(|problem| problem.severity == Severity::Error).count();
            answer(say!("nothing was built: {errors} errors\n", "バンドルは作成されませんでした。エラー{errors}件\n").in_lang(lang))?;
            return Ok(Outcome::Findings);
        };
        plan.requests_sha256 = crate::templates::sha256(&crate::templates::of(&plan.probe_plan));
        let bytes = ksig_runtime::bundle::write(&plan)?;
        whole::write_synced(&self.output, &bytes).or_say(|| cannot_write(self.output.display()))?;
        let (path, signatures, bytes) = (self.output.display(), plan.signatures.len(), bytes.len());
        let summary = say!("{path}: {signatures} signatures, {bytes} bytes\n", "{path}: シグネチャ{signatures}件、{bytes}バイト\n");
        answer(summary.in_lang(lang))?;
        Ok(Outcome::Fine)
    }
}

/// Check that a bundle is whole and safe to run
#[derive(clap::Args)]
pub struct VerifyArgs {
    /// The bundle
    bundle: PathBuf,
}

impl VerifyArgs {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let release = crate::Release::from_bundle(&self.bundle, crate::Engine::Interpreter)?;
        let plan = release.plan().plan();
        let date = plan.date.map(|date| format!(" of {date}")).unwrap_or_default();
        answer(&format!(
            "{}: release {}{date}, {} signatures, {} tables, {} probes, whole\n",
            self.bundle.display(),
            plan.release,
            plan.signatures.len(),
            plan.tables.len(),
            plan.probe_plan.probes.len()
        ))?;
        Ok(Outcome::Fine)
    }
}
