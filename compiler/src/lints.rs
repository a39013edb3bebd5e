//! Lints: what compiles and is still a mistake, or soon will be. One file a lint; its examples run as tests.
//!
//! To add one, copy [`no_near_miss_test`], and add its line to [`ALL`]. What a signature inherits, or names, is written elsewhere and told
//! there: [`own`] has what it writes itself.

mod alike;
mod always_true_condition;
mod ambiguous_pair;
mod brand_word_only;
mod capture_untested;
mod case_insensitive_not_needed;
mod confusable_character;
mod duplicate_condition;
mod duplicate_identity;
mod generic_title;
mod icon_only_match;
mod identity_incomplete;
mod matches_everything;
mod missing_summary;
mod mojibake_literal;
mod near_duplicate_probe;
mod needless_regex;
mod no_literal_atom;
pub mod no_near_miss_test;
mod no_positive_test;
mod own;
mod personal_data_in_fixture;
mod status_only_match;
mod unanchored_model;
mod unbounded_dot;
mod unsafe_port;
mod unsatisfiable_condition;
mod unused_capture;
mod unused_table_column;
mod version_in_model;

use std::collections::BTreeMap;

use ksig_lang::{CodeDoc, Diagnostic, Severity, Text};

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
    Set(fn(&Analysis, &mut Vec<(usize, Diagnostic)>)),
}

/// All lints, by name.
pub const ALL: &[&Lint] = &[
    &always_true_condition::LINT,
    &ambiguous_pair::LINT,
    &brand_word_only::LINT,
    &capture_untested::LINT,
    &case_insensitive_not_needed::LINT,
    &confusable_character::LINT,
    &duplicate_condition::LINT,
    &duplicate_identity::LINT,
    &generic_title::LINT,
    &icon_only_match::LINT,
    &identity_incomplete::LINT,
    &matches_everything::LINT,
    &missing_summary::LINT,
    &mojibake_literal::LINT,
    &near_duplicate_probe::LINT,
    &needless_regex::LINT,
    &no_literal_atom::LINT,
    &no_near_miss_test::LINT,
    &no_positive_test::LINT,
    &personal_data_in_fixture::LINT,
    &status_only_match::LINT,
    &unanchored_model::LINT,
    &unbounded_dot::LINT,
    &unsafe_port::LINT,
    &unsatisfiable_condition::LINT,
    &unused_capture::LINT,
    &unused_table_column::LINT,
    &version_in_model::LINT,
];

/// How bad the findings of a lint are, by its name, where that is not what the lint itself says; nothing for one that is off.
pub type Levels = BTreeMap<&'static str, Option<Severity>>;

/// Runs all lints as they are. A signature that says `allow name "why"` is not shown that one.
pub fn run(analysis: &Analysis) -> Vec<Diagnostic> {
    run_at(analysis, &Levels::default())
}

/// As [`run`], with the levels that somebody chose.
pub fn run_at(analysis: &Analysis, levels: &Levels) -> Vec<Diagnostic> {
    let mut found = run_on(analysis, levels, &|_| true);
    found.extend(run_on_set(analysis, levels));
    found
}

/// What the lints find that look at one signature, in those that are `asked` for.
pub fn run_on(analysis: &Analysis, levels: &Levels, asked: &dyn Fn(&Signature) -> bool) -> Vec<Diagnostic> {
    let (mut found, chosen) = (Vec::new(), chosen(levels));
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
pub fn run_on_set(analysis: &Analysis, levels: &Levels) -> Vec<Diagnostic> {
    let signatures = &analysis.program.signatures;
    let mut found = Vec::new();
    for (lint, level) in &chosen(levels) {
        let Look::Set(look) = lint.look else { continue };
        let mut of_set = Vec::new();
        look(analysis, &mut of_set);
        let spared = |(about, _): &(usize, Diagnostic)| allows(&signatures[*about], lint);
        let shown = of_set.into_iter().filter(|finding| !spared(finding));
        found.extend(shown.map(|(_, finding)| Diagnostic { severity: *level, ..finding }));
    }
    found
}

/// Lints that are not off, with their levels.
fn chosen(levels: &Levels) -> Vec<(&'static Lint, Severity)> {
    let level = |lint: &Lint| levels.get(lint.doc.code).copied().unwrap_or(Some(lint.level));
    ALL.iter().filter_map(|lint| Some((*lint, level(lint)?))).collect()
}

fn allows(signature: &Signature, lint: &Lint) -> bool {
    signature.meta.allowed.iter().any(|(name, reason)| name.replace('_', "-") == lint.doc.code && !reason.is_empty())
}

impl Lint {
    /// A finding at a place of the signature.
    fn finding(&self, signature: &Signature, span: ksig_lang::Span, message: Text, label: Text) -> Diagnostic {
        Diagnostic { severity: self.level, ..Diagnostic::error(self.doc.code, message, signature.file, span, label) }
    }
}
