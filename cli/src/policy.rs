//! What a release may send, as the people decided who run it: `[policy]` of `ksig.toml`, and the flags that win over it.
//!
//! ```toml
//! [policy]
//! review = true
//! attestation = "A. Example, 2026-11-23: our own hosts, 198.51.100.0/24"
//! snmp_public = true
//! ```

use ksig_compiler::Input;
use ksig_lang::{Text, say};
use ksig_schema::Policy;
use serde::Deserialize;

/// The file beside the signatures.
const FILE: &str = "ksig.toml";

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
#[serde(default)]
struct File {
    policy: Policy,
}

/// Why there is no policy.
#[derive(Debug)]
pub enum PolicyError {
    /// Not TOML, or not of the form.
    Form(String),
    /// Review without saying who answers for it.
    Unattested,
}

impl PolicyError {
    /// What is said of it; what is wrong with TOML is said by its reader, in English.
    pub fn text(&self) -> Text {
        match self {
            PolicyError::Form(reason) => Text::quoted(format!("{FILE}: {reason}")),
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
    let mut policy = match input.assets.get(FILE) {
        Some(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|error| PolicyError::Form(error.to_string()))?;
            toml::from_str::<File>(text).map_err(|error| PolicyError::Form(error.to_string()))?.policy
        }
        None => Policy::default(),
    };
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
