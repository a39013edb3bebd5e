//! Lints: what compiles and is still a mistake, or soon will be. One file a lint; its examples run as tests.
//!
//! To add one, copy [`no_near_miss_test`], and add its line to [`ALL`].

mod missing_summary;
pub mod no_near_miss_test;
mod no_positive_test;
mod unanchored_model;
mod unused_capture;

use ksig_lang::{CodeDoc, Diagnostic, Severity, Text};

use crate::hir::{Program, Signature};

/// A lint.
pub struct Lint {
    /// What it finds and why that matters. The code is its name, and that of what it finds; the examples are statements of a signature.
    pub doc: CodeDoc,
    /// How bad a finding is.
    pub level: Severity,
    /// Looks at one signature.
    pub check: fn(&Signature, &Program, &mut Vec<Diagnostic>),
}

/// All lints, by name.
pub const ALL: &[&Lint] =
    &[&missing_summary::LINT, &no_near_miss_test::LINT, &no_positive_test::LINT, &unanchored_model::LINT, &unused_capture::LINT];

/// Runs all lints. A signature that says `allow name "why"` is not shown that one.
pub fn run(program: &Program) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for signature in &program.signatures {
        for lint in ALL {
            let allowed = signature.meta.allowed.iter().any(|(name, reason)| name.replace('_', "-") == lint.doc.code && !reason.is_empty());
            if !allowed {
                (lint.check)(signature, program, &mut found);
            }
        }
    }
    found
}

impl Lint {
    /// A finding at a place of the signature.
    fn finding(&self, signature: &Signature, span: ksig_lang::Span, message: Text, label: Text) -> Diagnostic {
        Diagnostic { severity: self.level, ..Diagnostic::error(self.doc.code, message, signature.file, span, label) }
    }
}
