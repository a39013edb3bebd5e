//! A release: signatures compiled and ready to identify.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ksig_compiler::{Analysis, Input, ReleaseName};
use ksig_lang::{Lang, RenderStyle, Text, say};
use ksig_runtime::counts::Clock;
use ksig_runtime::{Backend, Interpreter, Matcher, VerifiedPlan};
use ksig_schema::{Evidence, Identification};

use crate::analysis::{named, world};
use crate::load::LoadError;
use crate::policy::PolicyError;
use crate::{failure, problems};

/// Which engine runs the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// Machine code.
    #[default]
    Jit,
    /// The reference.
    Interpreter,
}

/// Signatures ready to identify.
pub struct Release {
    matcher: Matcher,
}

/// Why there is no release.
#[derive(Debug)]
pub enum ReleaseError {
    /// Signatures could not be read.
    Load(LoadError),
    /// What the release may send is not said, or not whole.
    Policy(PolicyError),
    /// Signatures have errors; the text shows all of them.
    Signatures(Text),
    /// A bundle could not be read.
    Unreadable {
        /// Which.
        path: String,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// A file is no bundle, or a damaged one.
    Bundle {
        /// Which.
        path: String,
        /// What is wrong with it.
        reason: ksig_runtime::BundleError,
    },
    /// A plan that the compiler made did not verify, or the engine refused it: a mistake of ksig's own.
    Plan(String),
}

impl ReleaseError {
    /// That these have errors, which are shown.
    pub(crate) fn of_signatures(analysis: &Analysis) -> ReleaseError {
        let shown = |lang| problems::as_text(analysis, RenderStyle { lang, ..RenderStyle::default() }).into();
        ReleaseError::Signatures(Text { en: shown(Lang::En), ja: shown(Lang::Ja) })
    }

    /// What is said of it.
    pub fn text(&self) -> Text {
        match self {
            ReleaseError::Load(error) => error.text(),
            ReleaseError::Policy(error) => error.text(),
            ReleaseError::Signatures(shown) => {
                say!("the signatures have errors:\n{shown}", "シグネチャにエラーがあります:\n{shown}"; shown)
            }
            ReleaseError::Unreadable { path, reason } => {
                let (cannot, reason) = (failure::cannot_read(path), failure::of_system(reason));
                say!("{cannot}: {reason}", "{cannot}: {reason}"; cannot, reason)
            }
            ReleaseError::Bundle { path, reason } => {
                let reason = failure::of_bundle(reason);
                say!("{path} is no usable bundle: {reason}", "{path}は使用できないバンドルです: {reason}"; reason)
            }
            ReleaseError::Plan(reason) => {
                say!("the compiled plan is refused: {reason}", "コンパイルしたプランが拒否されました: {reason}")
            }
        }
    }
}

impl std::fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text().en)
    }
}

impl std::error::Error for ReleaseError {}

impl From<LoadError> for ReleaseError {
    fn from(error: LoadError) -> ReleaseError {
        ReleaseError::Load(error)
    }
}

impl From<PolicyError> for ReleaseError {
    fn from(error: PolicyError) -> ReleaseError {
        ReleaseError::Policy(error)
    }
}

/// Largest bundle that is read.
const BUNDLE_BYTES_MAX: u64 = 1 << 30;

impl Release {
    /// The signatures that the binary carries.
    pub fn bundled(engine: Engine) -> Result<Release, ReleaseError> {
        Release::compile(&crate::bundled::signatures()?, &named("bundled"), engine)
    }

    /// The signatures below folders or in files.
    pub fn from_signatures(paths: &[PathBuf], name: &ReleaseName, engine: Engine) -> Result<Release, ReleaseError> {
        Release::compile(&crate::load::load(paths)?.input, name, engine)
    }

    /// A bundle on disk.
    pub fn from_bundle(path: &Path, engine: Engine) -> Result<Release, ReleaseError> {
        let shown = path.display().to_string();
        let unreadable = |reason| ReleaseError::Unreadable { path: shown.clone(), reason };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > BUNDLE_BYTES_MAX {
            let too_large = say!("{size} bytes are more than any bundle has", "{size}バイトあり、バンドルとしては大きすぎます");
            return Err(unreadable(failure::as_system(too_large)));
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let plan = ksig_runtime::bundle::read(&bytes).map_err(|reason| ReleaseError::Bundle { path: shown.clone(), reason })?;
        Release::of_plan(plan, engine)
    }

    /// Sources in memory.
    pub fn compile(input: &Input, name: &ReleaseName, engine: Engine) -> Result<Release, ReleaseError> {
        Ok(Release::analysed(input, name, engine)?.0)
    }

    /// The same, with what the sources mean.
    pub fn analysed(input: &Input, name: &ReleaseName, engine: Engine) -> Result<(Release, Analysis), ReleaseError> {
        let schema = ksig_protocols::schema();
        let (plan, analysis) = ksig_compiler::compile(input, world(&schema), name);
        let Some(plan) = plan else {
            return Err(ReleaseError::of_signatures(&analysis));
        };
        let verified = plan.verify().map_err(|error| ReleaseError::Plan(error.to_string()))?;
        Ok((Release::of_plan(verified, engine)?, analysis))
    }

    /// A verified plan.
    pub fn of_plan(plan: VerifiedPlan, engine: Engine) -> Result<Release, ReleaseError> {
        let backend: Arc<dyn Backend> = match engine {
            Engine::Interpreter => Arc::new(Interpreter::new(&plan)),
            Engine::Jit => Arc::new(ksig_compiler::jit::JitBackend::tiered(&plan).map_err(|error| ReleaseError::Plan(error.to_string()))?),
        };
        Ok(Release { matcher: Matcher::new(plan, backend) })
    }

    /// The same, which measures the time of what it counts.
    pub fn with_clock(self, clock: Clock) -> Release {
        Release { matcher: self.matcher.with_clock(clock) }
    }

    /// What runs.
    pub fn plan(&self) -> &VerifiedPlan {
        self.matcher.plan()
    }

    /// The engine, for explanations.
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// One answer for each service and one for the host, in that order.
    pub fn identify(&self, evidence: &Evidence) -> Vec<Identification> {
        self.matcher.identify(evidence)
    }
}

impl ksig_schema::Gate for Release {
    fn spans_ports(&self) -> bool {
        self.matcher().spans_ports()
    }

    fn follow_ups_of_host(&self, evidence: &Evidence) -> Vec<ksig_schema::FollowUp> {
        self.matcher().follow_ups_of_host(evidence)
    }

    fn follow_ups(&self, evidence: &Evidence, service: &ksig_schema::Service) -> Vec<ksig_schema::FollowUp> {
        self.matcher.follow_ups(evidence, service)
    }
}
