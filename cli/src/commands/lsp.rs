//! `ksig lsp`: the language server.

use std::io::{BufReader, stdin, stdout};

use ksig_lang::Lang;

use super::{Failure, Outcome, remark};
use crate::lsp::{Ended, serve};

/// Serve an editor: problems as you type, completion, navigation, renaming, tests; over standard input and output
#[derive(clap::Args)]
#[command(
    after_help = "An editor starts this; `editors/README.md` says how to set up VS Code, Neovim and Helix.\n\nExit codes: 0 the editor said goodbye, 1 it went without, 2 a pipe broke."
)]
pub struct Args {
    /// Speak over standard input and output, which is the only way there is: editors ask for it by name
    #[arg(long)]
    stdio: bool,
}

impl Args {
    pub(super) fn run(self, lang: Lang) -> Result<Outcome, Failure> {
        let ended = serve(BufReader::new(stdin()), &mut stdout().lock(), &|line| remark(&format!("ksig lsp: {line}")), lang)?;
        Ok(if ended == Ended::AsAgreed { Outcome::Fine } else { Outcome::Findings })
    }
}
