//! `ksig draft`: signatures proposed for what no signature identifies.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::ValueEnum;
use ksig_lang::{Lang, say};

use super::input::InputArgs;
use super::{Failure, Outcome, answer};
use crate::analysis::named;
use crate::draft::{self, Judged, Observed};
use crate::failure::{OrSay as _, failed};
use crate::{Engine, Release, load, plain};

/// Propose signatures for observations that no signature identifies
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig draft --from banners.ndjson -o drafts\n  ksig draft --from observations.ndjson -o drafts --least 5\n  ksig test drafts && ksig test drafts --mutate\n\nBanners of one field that differ in versions, models and numbers only are one draft; where either alone is too rare, so are those of which some have a part more, which is optional then. Each is tried on every banner that was read and on every\nfixture of the corpus; one that answers to a fixture, or whose tests fail, is refused. The expected precision is the lower end of Wilson's\ninterval, at 95 %, for the share of its own observations among all that it matched. `evidence unverified` keeps drafts out of every release.\n\nExit codes: 0 something was proposed, 1 nothing, 2 wrong use or a failure of the world."
)]
pub struct Args {
    /// Observation lines or evidence lines; `-` is standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// What the lines are
    #[arg(long, value_enum, default_value_t = Lines::Evidence)]
    lines: Lines,
    /// A folder or file of signatures that know what is known; without it, the signatures in the binary
    #[arg(long, value_name = "PATH")]
    signatures: Vec<PathBuf>,
    /// Where drafts are written, a set of its own with its own vocabulary
    #[arg(short, long, value_name = "DIR", default_value = "drafts")]
    output: PathBuf,
    /// Fewest observations of one draft; at least 2
    #[arg(long, value_name = "N", default_value_t = 3)]
    least: usize,
    /// Most drafts, those of the most observations
    #[arg(long, value_name = "N", default_value_t = 50)]
    most: usize,
    /// How the proposals are told
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Lines {
    /// Evidence lines: banners cut into fields
    Evidence,
    /// Observation lines, as `ksig scan` writes them
    Observation,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// A line a draft, and a count
    Text,
    /// One JSON object
    Json,
}

impl Args {
    pub(super) fn run(self, lang: Lang) -> Result<Outcome, Failure> {
        if let Some(root) = load::root_above(&self.output) {
            let (shown, root) = (self.output.display(), root.display());
            return Err(failed(say!(
                "{shown} lies inside the signatures of {root}: drafts are a set of their own until somebody has read them",
                "{shown}は{root}のシグネチャの中にあります。下書きは、人が確認するまで独立した集まりです"
            )));
        }
        let corpus = if self.signatures.is_empty() { crate::bundled::signatures()? } else { load::load(&self.signatures)?.input };
        let release = Release::compile(&corpus, &named("draft"), Engine::Jit)?;
        let mut observed = Observed::default();
        let input = InputArgs::of_file(self.from.clone(), self.lines == Lines::Evidence);
        input.for_each_host(&mut |evidence, _| {
            observed.add(&release, evidence);
            Ok(())
        })?;
        let drafts = draft::propose(&observed, &release.plan().plan().vocabulary, self.least, self.most);
        let (kept, refused): (Vec<Judged>, Vec<Judged>) =
            draft::judge(&corpus, drafts, &observed)?.into_iter().partition(|one| one.refused.is_empty());
        self.write(&kept)?;
        match self.format {
            Format::Json => {
                let all = kept.iter().chain(&refused).map(|one| {
                    let refused: Vec<&str> = one.refused.iter().map(|reason| reason.in_lang(lang)).collect();
                    serde_json::json!({
                        "name": one.draft.name, "path": self.path(one).display().to_string(), "field": one.draft.place.field,
                        "observations": one.draft.observations, "captures": one.draft.captures, "own": one.own, "foreign": one.foreign,
                        "precision": (one.precision() * 1000.0).round() / 1000.0, "refused": refused,
                    })
                });
                let object = serde_json::json!({
                    "services": observed.services, "unknown": observed.unknown.len(), "known": observed.known.len(),
                    "left_out": observed.left_out, "drafts": all.collect::<Vec<_>>(),
                });
                answer(&format!("{}\n", plain::json(&object)?))?;
            }
            Format::Text => {
                for one in &kept {
                    answer(self.line(one).in_lang(lang))?;
                }
                for one in &refused {
                    let (name, reason) = (&one.draft.name, one.refused.first().cloned().unwrap_or_default());
                    answer(say!("refused: {name}: {reason}\n", "不採用: {name}: {reason}\n"; reason).in_lang(lang))?;
                }
                let (count, covered, unknown) = (kept.len(), kept.iter().map(|one| one.own).sum::<usize>(), observed.unknown.len());
                let summary = say!(
                    "drafts: {count}; they cover {covered} of {unknown} banners of services that no signature identifies\n",
                    "下書き{count}件で、未識別のサービスのバナー{unknown}件のうち{covered}件に該当します\n"
                );
                answer(summary.in_lang(lang))?;
            }
        }
        Ok(if kept.is_empty() { Outcome::Findings } else { Outcome::Fine })
    }

    fn path(&self, one: &Judged) -> PathBuf {
        self.output.join("draft").join(format!("{}.ksig", one.draft.name))
    }

    fn line(&self, one: &Judged) -> ksig_lang::Text {
        let (path, own, foreign, captures) = (self.path(one), one.own, one.foreign, one.draft.captures.join(", "));
        let (path, precision) = (path.display(), format!("{:.0}", one.precision() * 100.0));
        let (en, ja) =
            if captures.is_empty() { Default::default() } else { (format!(", reads {captures}"), format!("、取得: {captures}")) };
        say!(
            "{path}: {own} observations and {foreign} of others, expected precision at least {precision} %{en}\n",
            "{path}: 観測{own}件、ほかのものに{foreign}件該当、期待される適合率は{precision}%以上{ja}\n"
        )
    }

    fn write(&self, kept: &[Judged]) -> Result<(), Failure> {
        if kept.is_empty() {
            return Ok(());
        }
        for folder in ["vocab", "draft"].map(|folder| self.output.join(folder)) {
            std::fs::create_dir_all(&folder).or_say(|| crate::failure::cannot_write(folder.display()))?;
        }
        let vendors = draft::vendors(kept.iter().map(|one| &one.draft), &BTreeSet::new());
        let text = format!("ksig 1\nmodule vocab.vendors\n\n{vendors}");
        let text = ksig_lang::format(&text).unwrap_or(text);
        super::fmt::replace(&self.output.join("vocab/vendors.ksig").display().to_string(), &text)?;
        kept.iter().try_for_each(|one| super::fmt::replace(&self.path(one).display().to_string(), &one.draft.text))
    }
}
