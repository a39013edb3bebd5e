//! `ksig fmt`: one style.

use std::fs::Permissions;
use std::path::PathBuf;

use ksig_lang::say;

use super::check::or_signatures;
use super::{Failure, Outcome, answer, remark, show_drawn, style};
use crate::failure::{OrSay as _, cannot_write, failed};

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
        let files = asked.len();
        let summary = match self.check {
            true => say!(
                "{files} files, {changed} would change, {broken} with errors left as they are",
                "ファイル{files}件、変更が必要{changed}件、エラーのため対象外{broken}件"
            ),
            false => say!(
                "{files} files, {changed} changed, {broken} with errors left as they are",
                "ファイル{files}件、変更{changed}件、エラーのため変更なし{broken}件"
            ),
        };
        remark(summary.in_lang(lang));
        Ok(if broken > 0 || (self.check && changed > 0) { Outcome::Findings } else { Outcome::Fine })
    }
}

/// Writes beside the file and renames, so that a full disk loses nothing; a new file is made the same way. What nobody may write stays as it
/// is, although a rename could replace it.
pub(super) fn replace(path: &str, text: &str) -> Result<(), Failure> {
    let cannot_replace = || say!("cannot replace {path}", "{path}を置き換えられません");
    let permissions = match std::fs::metadata(path) {
        Ok(there) => Some(there.permissions()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).or_say(cannot_replace),
    };
    if permissions.as_ref().is_some_and(Permissions::readonly) {
        return Err(failed(say!("cannot replace {path}: it is read-only", "{path}を置き換えられません: 読み取り専用です")));
    }
    let beside = format!("{path}.new");
    std::fs::write(&beside, text).or_say(|| cannot_write(&beside))?;
    if let Some(permissions) = permissions {
        std::fs::set_permissions(&beside, permissions).or_say(|| cannot_write(&beside))?;
    }
    std::fs::rename(&beside, path).or_say(cannot_replace)
}
