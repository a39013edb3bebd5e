//! Which release a command runs: shared arguments.

use std::path::PathBuf;

use ksig_compiler::{Analysis, Input, ReleaseName, hir};

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
        match &self.bundle {
            Some(path) => Ok(Release::from_bundle(path, self.engine())?),
            None => Ok(self.compiled()?.0),
        }
    }

    /// The release, and the signatures as they are written: of a bundle, those in the binary, which it may have been made of.
    pub(super) fn with_signatures(&self) -> Result<(Release, Vec<hir::Signature>), Failure> {
        if let Some(path) = &self.bundle {
            return Ok((Release::from_bundle(path, self.engine())?, self.analysed()?.program.signatures));
        }
        let (release, analysis) = self.compiled()?;
        Ok((release, analysis.program.signatures))
    }

    /// Signatures that are compiled now.
    fn compiled(&self) -> Result<(Release, Analysis), Failure> {
        let input = self.input()?;
        let name = if self.signatures.is_empty() { "bundled" } else { "local" };
        let name = ReleaseName { policy: policy::of(&input, &self.policy)?, ..named(name) };
        Ok(Release::analysed(&input, &name, self.engine())?)
    }

    /// What the signatures mean, their tests with them.
    pub(super) fn analysed(&self) -> Result<Analysis, Failure> {
        Ok(ksig_compiler::analyze(&self.input()?, crate::analysis::world(&ksig_protocols::schema())))
    }

    /// The sources; those in the binary where none are named.
    fn input(&self) -> Result<Input, Failure> {
        Ok(if self.signatures.is_empty() { crate::bundled::signatures()? } else { crate::load::load(&self.signatures)?.input })
    }

    fn engine(&self) -> Engine {
        if self.interpreter { Engine::Interpreter } else { Engine::Jit }
    }

    /// Whether somebody answers for probes of class review: for a bundle, that can only be who runs it.
    pub(super) fn attested(&self) -> Result<bool, Failure> {
        if self.bundle.is_some() || self.signatures.is_empty() {
            return Ok(self.policy.attest.is_some());
        }
        Ok(policy::of(&crate::load::load(&self.signatures)?.input, &self.policy)?.review)
    }
}
