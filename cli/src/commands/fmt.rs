//! `ksig fmt`: one style.

use std::path::PathBuf;

use anyhow::Context as _;

use super::check::or_signatures;
use super::{Failure, Outcome, answer, remark, show_drawn, style};

/// Write signatures in the one style; comments stay
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig fmt signatures\n  ksig fmt --check signatures   # for CI: changes nothing, exit code 1 if a file would change"
)]
pub struct Args {
    /// Files and folders; the folder `signatures` when none is named
    paths: Vec<PathBuf>,
    /// Change nothing; name the files that would change
    #[arg(long)]
    check: bool,
}

impl Args {
    pub(super) fn run(self, lang: ksig_lang::Lang) -> Result<Outcome, Failure> {
        let loaded = crate::load::load(&or_signatures(self.paths))?;
        let (mut changed, mut broken) = (0, 0);
        let asked: Vec<_> = loaded.input.sources.iter().filter(|source| loaded.asked.contains(&source.path)).collect();
        for source in &asked {
            match ksig_lang::format(&source.text) {
                Ok(text) if text == source.text => {}
                Ok(text) => {
                    changed += 1;
                    if self.check {
                        answer(&format!("{}\n", source.path))?;
                    } else {
                        replace(&source.path, &text)?;
                    }
                }
                Err(problems) => {
                    broken += 1;
                    let mut sources = ksig_lang::Sources::new();
                    sources.add(&source.path, &source.text);
                    show_drawn(&ksig_lang::render(&problems, &sources, style(lang)));
                }
            }
        }
        let verb = if self.check { "would change" } else { "changed" };
        remark(&format!("{} files, {changed} {verb}, {broken} with errors left as they are", asked.len()));
        Ok(if broken > 0 || (self.check && changed > 0) { Outcome::Findings } else { Outcome::Fine })
    }
}

/// Writes beside the file and renames, so that a full disk loses nothing. What nobody may write stays as it is, although a rename could
/// replace it.
pub(super) fn replace(path: &str, text: &str) -> Result<(), Failure> {
    let permissions = std::fs::metadata(path).with_context(|| format!("cannot replace {path}"))?.permissions();
    anyhow::ensure!(!permissions.readonly(), "cannot replace {path}: it is read-only");
    let beside = format!("{path}.new");
    std::fs::write(&beside, text).with_context(|| format!("cannot write {beside}"))?;
    std::fs::set_permissions(&beside, permissions).with_context(|| format!("cannot write {beside}"))?;
    std::fs::rename(&beside, path).with_context(|| format!("cannot replace {path}"))
}
