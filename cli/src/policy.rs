//! What the people decided who keep the signatures and run them, in `ksig.toml` beside them: `[policy]` is what a release may send, over
//! which the flags win, and `[lints]` how bad the findings of lints are.
//!
//! ```toml
//! [policy]
//! review = true
//! attestation = "A. Example, 2026-11-23: our own hosts, 198.51.100.0/24"
//! snmp_public = true
//!
//! [lints]
//! unanchored-model = "error"
//! missing-summary = "off"
//! ```

use ksig_compiler::Input;
use ksig_compiler::lints::Levels;
use ksig_lang::{Lang, Text, say};
use ksig_schema::Policy;
use serde::Deserialize;

use crate::analysis::Rules;
use crate::levels::{self, LevelProblem};

/// The file beside the signatures.
pub(crate) const FILE: &str = "ksig.toml";

/// Flags of the commands that make a release.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PolicyArgs {
    /// Who decided that probes of class review are sent, when, and for which targets; without it none is
    #[arg(long, value_name = "TEXT")]
    pub attest: Option<String>,
    /// The SNMP community `public` may be said; needs an attestation too
    #[arg(long)]
    pub snmp_public: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    policy: Policy,
    lints: levels::Written,
}

/// Why there is no policy.
#[derive(Debug)]
pub enum PolicyError {
    /// Not TOML, or not of the form.
    Form(String),
    /// Levels of no lint, or that are none: all of them, in the order of the file.
    Lints(Vec<LevelProblem>),
    /// Review without saying who answers for it.
    Unattested,
}

impl PolicyError {
    /// What is said of it; what is wrong with TOML is said by its reader, in English.
    pub fn text(&self) -> Text {
        match self {
            PolicyError::Form(reason) => Text::quoted(format!("{FILE}: {reason}")),
            PolicyError::Lints(problems) => {
                let lines = |lang| problems.iter().map(|problem| problem.line(FILE, lang)).collect::<Vec<_>>().join("\n").into();
                Text { en: lines(Lang::En), ja: lines(Lang::Ja) }
            }
            PolicyError::Unattested => say!(
                "{FILE}: `review = true` needs an `attestation` that says who decided, when, and for which targets",
                "{FILE}: `review = true`には、誰が、いつ、どの対象について決めたかを書いた`attestation`が必要です"
            ),
        }
    }
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text().en)
    }
}

impl std::error::Error for PolicyError {}

/// The policy of these signatures; without a file, nothing beyond what any client does is sent.
pub fn of(input: &Input, flags: &PolicyArgs) -> Result<Policy, PolicyError> {
    permitted(read(input)?.0, flags)
}

fn permitted(mut policy: Policy, flags: &PolicyArgs) -> Result<Policy, PolicyError> {
    if let Some(attestation) = &flags.attest {
        policy.review = true;
        policy.attestation = attestation.clone();
    }
    policy.snmp_public |= flags.snmp_public;
    if policy.review && policy.attestation.trim().is_empty() {
        return Err(PolicyError::Unattested);
    }
    Ok(policy)
}

/// The levels of lints of these signatures; without a file, each lint is as bad as it says itself.
///
/// # Errors
/// As [`of`], but for a review that nobody answers for.
pub fn levels(input: &Input) -> Result<Levels, PolicyError> {
    Ok(read(input)?.1)
}

/// What is decided about checking these signatures.
///
/// # Errors
/// As [`of`].
pub fn rules(input: &Input) -> Result<Rules, PolicyError> {
    let (policy, levels) = read(input)?;
    Ok(Rules { budget: permitted(policy, &PolicyArgs::default())?.budget, levels })
}

/// The file, whole: who asks for one part of it is told what is wrong with the other too.
fn read(input: &Input) -> Result<(Policy, Levels), PolicyError> {
    let Some(bytes) = input.assets.get(FILE) else { return Ok(Default::default()) };
    let text = std::str::from_utf8(bytes).map_err(|error| PolicyError::Form(error.to_string()))?;
    let file: File = toml::from_str(text).map_err(|error| PolicyError::Form(error.to_string()))?;
    let levels = levels::read(file.lints, text).map_err(PolicyError::Lints)?;
    Ok((file.policy, levels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str, flags: &PolicyArgs) -> Result<Policy, PolicyError> {
        let assets = [(FILE.to_string(), text.as_bytes().to_vec())].into_iter().collect();
        of(&Input { assets, ..Input::default() }, flags)
    }

    #[test]
    fn review_needs_somebody_who_answers_for_it() {
        let none = PolicyArgs::default();
        assert_eq!(of(&Input::default(), &none).expect("no file"), Policy::default());
        assert!(matches!(policy("[policy]\nreview = true\n", &none), Err(PolicyError::Unattested)));
        assert!(matches!(policy("[policy]\nreviews = true\n", &none), Err(PolicyError::Form(_))));
        let attested = policy("[policy]\nreview = true\nattestation = \"A. Example, 2026-11-23\"\n", &none).expect("attested");
        assert!(attested.allows(ksig_schema::Safety::Review, &[]));
        let flags = PolicyArgs { attest: Some("A. Example".into()), snmp_public: true };
        assert!(policy("", &flags).expect("by flags").snmp_public);
    }
}
