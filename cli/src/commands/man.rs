//! `ksig man`: the manual.

use std::io::Write as _;
use std::path::PathBuf;

use super::{Failure, Outcome, answer, described};
use crate::failure::{OrSay as _, cannot_write};

/// Print the manual page of ksig, or write those of all commands into a folder
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  ksig man | man -l -\n  ksig man -o ~/.local/share/man/man1")]
pub struct Args {
    /// The folder that a page for each command is written to
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let Some(folder) = self.output else {
            let mut page = Vec::new();
            clap_mangen::Man::new(described()).render(&mut page)?;
            let mut out = std::io::stdout().lock();
            out.write_all(&page)?;
            out.flush()?;
            return Ok(Outcome::Fine);
        };
        let shown = folder.display().to_string();
        std::fs::create_dir_all(&folder).or_say(|| cannot_write(&shown))?;
        let before = std::fs::read_dir(&folder).or_say(|| cannot_write(&shown))?.count();
        clap_mangen::generate_to(described(), &folder).or_say(|| cannot_write(&shown))?;
        let pages = std::fs::read_dir(&folder).or_say(|| cannot_write(&shown))?.count().saturating_sub(before);
        answer(&format!("{pages} new pages in {shown}\n"))?;
        Ok(Outcome::Fine)
    }
}
