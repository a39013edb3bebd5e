//! `ksig completions`: what a shell completes.

use std::io::Write as _;

use clap_complete::Shell;

use super::{Failure, Outcome, described};

/// Print a script that completes commands and flags in a shell
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig completions bash > ~/.local/share/bash-completion/completions/ksig\n  ksig completions zsh > ~/.zfunc/_ksig\n  ksig completions fish > ~/.config/fish/completions/ksig.fish"
)]
pub struct Args {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut described(), "ksig", &mut script);
        // A script is no answer about anything: control characters in it are its own.
        let mut out = std::io::stdout().lock();
        out.write_all(&script)?;
        out.flush()?;
        Ok(Outcome::Fine)
    }
}
