//! Lints: what compiles and is still a mistake, or soon will be. One file a lint; its examples run as tests.
//!
//! To add one, copy [`no_near_miss_test`], and add its line to [`ALL`]. What a signature inherits, or names, is written elsewhere and told
//! there: [`own`] has what it writes itself. Tables are in [`told`].

mod alike;
mod always_true_condition;
mod ambiguous_pair;
mod brand_word_only;
mod capture_untested;
mod case_insensitive_not_needed;
mod checked_in_future;
mod confusable_character;
mod duplicate_condition;
mod duplicate_identity;
mod eol_before_release;
pub mod foreign_fixture;
mod framework_favicon;
mod generic_title;
mod icon_only_match;
mod identity_incomplete;
mod latest_older_than_seen;
mod matches_everything;
mod missing_metadata;
mod missing_summary;
mod mojibake_literal;
mod near_duplicate_probe;
mod needless_regex;
mod no_literal_atom;
pub mod no_near_miss_test;
mod no_positive_test;
mod own;
pub mod personal_data_in_fixture;
pub mod query;
mod row_untested;
mod shadowed_name;
mod status_only_match;
mod told;
mod unanchored_model;
mod unbounded_dot;
mod unreachable_branch;
mod unreachable_by_plan;
mod unsafe_port;
mod unsatisfiable_condition;
mod unused_capture;
mod unused_table_column;
mod unverified_evidence;
mod version_in_model;

use std::collections::BTreeMap;

use ksig_lang::{CodeDoc, Diagnostic, Severity, Text};
use ksig_schema::{Date, Policy};

use crate::Analysis;
use crate::hir::Signature;

/// A lint.
pub struct Lint {
    /// What it finds and why that matters. The code is its name, and that of what it finds; the examples are statements of a signature.
    pub doc: CodeDoc,
    /// How bad a finding is, unless [`Levels`] say otherwise.
    pub level: Severity,
    /// What it looks at.
    pub look: Look,
}

/// What a lint looks at, and finds there.
pub enum Look {
    /// One signature.
    Signature(fn(&Signature, &Analysis, &mut Vec<Diagnostic>)),
    /// All signatures together; each finding with the number of the signature that it is about.
    Set(fn(&Analysis, &mut Findings)),
    /// All of them, by what the lint is told besides.
    Ruled(fn(&Analysis, &Rules, &mut Findings)),
    /// Fixtures as they are decoded. The compiler knows no protocol: who does looks, and asks [`level`] and [`allows`].
    Fixtures,
}

/// What is found, each with the number of the signature that it is about.
pub type Findings = Vec<(usize, Diagnostic)>;

/// All lints, by name.
pub const ALL: &[&Lint] = &[
    &always_true_condition::LINT,
    &ambiguous_pair::LINT,
    &brand_word_only::LINT,
    &capture_untested::LINT,
    &case_insensitive_not_needed::LINT,
    &checked_in_future::LINT,
    &confusable_character::LINT,
    &duplicate_condition::LINT,
    &duplicate_identity::LINT,
    &eol_before_release::LINT,
    &foreign_fixture::LINT,
    &framework_favicon::LINT,
    &generic_title::LINT,
    &icon_only_match::LINT,
    &identity_incomplete::LINT,
    &latest_older_than_seen::LINT,
    &matches_everything::LINT,
    &missing_metadata::LINT,
    &missing_summary::LINT,
    &mojibake_literal::LINT,
    &near_duplicate_probe::LINT,
    &needless_regex::LINT,
    &no_literal_atom::LINT,
    &no_near_miss_test::LINT,
    &no_positive_test::LINT,
    &personal_data_in_fixture::LINT,
    &row_untested::LINT,
    &shadowed_name::LINT,
    &status_only_match::LINT,
    &unanchored_model::LINT,
    &unbounded_dot::LINT,
    &unreachable_branch::LINT,
    &unreachable_by_plan::LINT,
    &unsafe_port::LINT,
    &unsatisfiable_condition::LINT,
    &unused_capture::LINT,
    &unused_table_column::LINT,
    &unverified_evidence::LINT,
    &version_in_model::LINT,
];

/// How bad the findings of a lint are, by its name, where that is not what the lint itself says; nothing for one that is off.
pub type Levels = BTreeMap<&'static str, Option<Severity>>;

/// What lints are told besides the signatures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// How bad findings are.
    pub levels: Levels,
    /// Today. Without it, what speaks of days to come finds nothing.
    pub today: Option<Date>,
    /// What a release may send.
    pub policy: Policy,
    /// The metadata that every signature must say.
    pub required: Vec<String>,
    /// Lints of those who keep the signatures.
    pub queries: Vec<query::Query>,
}

/// Runs all lints. A signature that says `allow name "why"` is not shown that one.
pub fn run(analysis: &Analysis, rules: &Rules) -> Vec<Diagnostic> {
    let mut found = run_on(analysis, rules, &|_| true);
    found.extend(run_on_set(analysis, rules));
    found
}

/// What the lints find that look at one signature, in those that are `asked` for.
pub fn run_on(analysis: &Analysis, rules: &Rules, asked: &dyn Fn(&Signature) -> bool) -> Vec<Diagnostic> {
    let (mut found, chosen) = (Vec::new(), chosen(&rules.levels));
    for signature in analysis.program.signatures.iter().filter(|signature| asked(signature)) {
        for (lint, level) in &chosen {
            let Look::Signature(look) = lint.look else { continue };
            if !allows(signature, lint) {
                let before = found.len();
                look(signature, analysis, &mut found);
                found[before..].iter_mut().for_each(|finding: &mut Diagnostic| finding.severity = *level);
            }
        }
    }
    found
}

/// What the lints find that look at all signatures together.
pub fn run_on_set(analysis: &Analysis, rules: &Rules) -> Vec<Diagnostic> {
    let signatures = &analysis.program.signatures;
    let mut found = Vec::new();
    for (lint, level) in &chosen(&rules.levels) {
        let mut of_set = Findings::new();
        match lint.look {
            Look::Signature(_) | Look::Fixtures => continue,
            Look::Set(look) => look(analysis, &mut of_set),
            Look::Ruled(look) => look(analysis, rules, &mut of_set),
        }
        let spared = |(about, _): &(usize, Diagnostic)| allows(&signatures[*about], lint);
        let shown = of_set.into_iter().filter(|finding| !spared(finding));
        found.extend(shown.map(|(_, finding)| Diagnostic { severity: *level, ..finding }));
    }
    found.extend(query::run(&rules.queries, analysis).into_iter().map(|(_, finding)| finding));
    found.extend(query::unknown(&rules.queries, analysis));
    found
}

/// Lints that are not off, with their levels.
fn chosen(levels: &Levels) -> Vec<(&'static Lint, Severity)> {
    ALL.iter().filter_map(|lint| Some((*lint, level(lint, levels)?))).collect()
}

/// How bad the findings of a lint are; nothing when it is off.
pub fn level(lint: &Lint, levels: &Levels) -> Option<Severity> {
    levels.get(lint.doc.code).copied().unwrap_or(Some(lint.level))
}

/// Whether a signature is spared a lint.
pub fn allows(signature: &Signature, lint: &Lint) -> bool {
    signature.meta.allowed.iter().any(|(name, reason)| name.replace('_', "-") == lint.doc.code && !reason.is_empty())
}

impl Lint {
    /// A finding at a place of the signature.
    fn finding(&self, signature: &Signature, span: ksig_lang::Span, message: Text, label: Text) -> Diagnostic {
        Diagnostic { severity: self.level, ..Diagnostic::error(self.doc.code, message, signature.file, span, label) }
    }
}
