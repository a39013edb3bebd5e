//! Which release a command runs: shared arguments.

use std::path::PathBuf;

use super::Failure;
use crate::analysis::named;
use crate::{Engine, Release};

/// Which release, and which engine.
#[derive(clap::Args)]
pub struct ReleaseArgs {
    /// A bundle made by `ksig build`
    #[arg(long, conflicts_with = "signatures", value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// A folder or file of signatures, compiled now; without it and --bundle, the signatures in the binary
    #[arg(long, value_name = "PATH")]
    signatures: Vec<PathBuf>,
    /// Run the reference interpreter instead of machine code
    #[arg(long)]
    interpreter: bool,
}

impl ReleaseArgs {
    pub(super) fn release(&self) -> Result<Release, Failure> {
        let engine = if self.interpreter { Engine::Interpreter } else { Engine::Jit };
        Ok(match &self.bundle {
            Some(path) => Release::from_bundle(path, engine)?,
            None if self.signatures.is_empty() => Release::bundled(engine)?,
            None => Release::from_signatures(&self.signatures, &named("local"), engine)?,
        })
    }
}
