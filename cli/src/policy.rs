//! What the people decided who keep the signatures and run them, in `ksig.toml` beside them: `[policy]` is what a release may send, over
//! which the flags win, `[lints]` how bad the findings of lints are, `[[lint]]` further lints ([`own_lints`]), and `[metadata]` what every signature must say of itself.
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
//!
//! [metadata]
//! required = ["evidence", "added"]
//! ```

use ksig_compiler::lints;
use ksig_compiler::words::METADATA;
use ksig_compiler::{Input, nearest};
use ksig_lang::{Lang, Text, say};
use ksig_schema::{Date, Policy, Time, day_of};
use serde::Deserialize;

use crate::analysis::Rules;
use crate::levels::{self, LevelProblem};
use crate::own_lints;

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
    lint: Vec<own_lints::Written>,
    metadata: Metadata,
}

/// What every signature must say of itself.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Metadata {
    required: Vec<toml::Spanned<String>>,
}

/// Why there is no policy.
#[derive(Debug)]
pub enum PolicyError {
    /// Not TOML, or not of the form.
    Form(String),
    /// Levels of no lint, or that are none, and required metadata that there is not: all of them, in the order of the file.
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

/// What lints are told of these signatures; without a file, each is as bad as it says itself, and nothing is required.
///
/// # Errors
/// As [`of`], but for a review that nobody answers for.
pub fn lints(input: &Input, today: Option<Date>) -> Result<lints::Rules, PolicyError> {
    let (policy, rules) = read(input)?;
    Ok(lints::Rules { today, policy, ..rules })
}

/// What is decided about checking these signatures, as of today.
///
/// # Errors
/// As [`of`].
pub fn rules(input: &Input) -> Result<Rules, PolicyError> {
    let (policy, rules) = read(input)?;
    let policy = permitted(policy, &PolicyArgs::default())?;
    Ok(Rules { budget: policy.budget, lints: lints::Rules { today: Some(day_of(Time::now())), policy, ..rules } })
}

/// The file, whole: who asks for one part of it is told what is wrong with the other too.
fn read(input: &Input) -> Result<(Policy, lints::Rules), PolicyError> {
    let Some(bytes) = input.assets.get(FILE) else { return Ok(Default::default()) };
    let text = std::str::from_utf8(bytes).map_err(|error| PolicyError::Form(error.to_string()))?;
    let file: File = toml::from_str(text).map_err(|error| PolicyError::Form(error.to_string()))?;
    let mut problems = Vec::new();
    let mut queries = own_lints::read(file.lint, text, &mut problems);
    let own: Vec<&'static str> = queries.iter().map(|query| query.name).collect();
    let levels = levels::read(file.lints, text, &own).unwrap_or_else(|wrong| {
        problems.extend(wrong);
        Default::default()
    });
    for query in &mut queries {
        query.level = levels.get(query.name).copied().unwrap_or(query.level);
    }
    let required = required(file.metadata.required, text, &mut problems);
    problems.sort_by_key(|problem| problem.place);
    match problems.is_empty() {
        true => Ok((file.policy, lints::Rules { levels, required, queries, ..Default::default() })),
        false => Err(PolicyError::Lints(problems)),
    }
}

/// Words of metadata that a signature can say.
fn required(written: Vec<toml::Spanned<String>>, text: &str, problems: &mut Vec<LevelProblem>) -> Vec<String> {
    for word in written.iter().filter(|word| !METADATA.contains(&word.get_ref().as_str())) {
        let (word, at) = (word.get_ref(), word.span().start);
        let all = METADATA.join(", ");
        let reason = match nearest(word, METADATA.iter().copied()) {
            Some(near) => say!(
                "a signature says no `{word}` of itself; did you mean `{near}`?",
                "`{word}`というメタデータはありません。`{near}`の間違いではありませんか"
            ),
            None => say!(
                "a signature says no `{word}` of itself; there are {all}",
                "`{word}`というメタデータはありません。メタデータは{all}です"
            ),
        };
        problems.push(LevelProblem::at(text, at, reason));
    }
    written.into_iter().map(toml::Spanned::into_inner).collect()
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
