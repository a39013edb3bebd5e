//! Which release a command runs: shared arguments.

use std::path::PathBuf;

use ksig_compiler::{Input, ReleaseName};

use super::Failure;
use crate::analysis::named;
use crate::policy::{self, PolicyArgs};
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
    #[command(flatten)]
    policy: PolicyArgs,
}

impl ReleaseArgs {
    pub(super) fn release(&self) -> Result<Release, Failure> {
        let engine = if self.interpreter { Engine::Interpreter } else { Engine::Jit };
        Ok(match &self.bundle {
            Some(path) => Release::from_bundle(path, engine)?,
            None if self.signatures.is_empty() => self.compiled(&crate::bundled::signatures()?, "bundled", engine)?,
            None => self.compiled(&crate::load::load(&self.signatures)?.input, "local", engine)?,
        })
    }

    fn compiled(&self, input: &Input, name: &str, engine: Engine) -> Result<Release, Failure> {
        let policy = policy::of(input, &self.policy)?;
        Ok(Release::compile(input, &ReleaseName { policy, ..named(name) }, engine)?)
    }

    /// What the signatures mean, their tests with them; those in the binary where none are named.
    pub(super) fn analysed(&self) -> Result<ksig_compiler::Analysis, Failure> {
        let input = if self.signatures.is_empty() { crate::bundled::signatures()? } else { crate::load::load(&self.signatures)?.input };
        Ok(ksig_compiler::analyze(&input, crate::analysis::world(&ksig_protocols::schema())))
    }

    /// Whether somebody answers for probes of class review: for a bundle, that can only be who runs it.
    pub(super) fn attested(&self) -> Result<bool, Failure> {
        if self.bundle.is_some() || self.signatures.is_empty() {
            return Ok(self.policy.attest.is_some());
        }
        Ok(policy::of(&crate::load::load(&self.signatures)?.input, &self.policy)?.review)
    }
}
