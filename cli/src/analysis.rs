//! Signatures analysed with the fields of all protocols.

use ksig_compiler::lints;
use ksig_compiler::{Analysis, Input, ReleaseName, World};
use ksig_schema::{Budget, Schema};

/// Fields and probes, with what the protocols say of arguments and costs, and the budget that a policy has by default.
pub fn world(schema: &Schema) -> World<'_> {
    World {
        schema,
        argument: ksig_protocols::check_argument,
        cost: ksig_protocols::requests::cost,
        budget: Budget::default(),
        unverified: true,
    }
}

/// What those decided who keep the signatures: by default what a policy allows by default, and lints as they are.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// What a signature may cost.
    pub budget: Budget,
    /// What lints are told.
    pub lints: lints::Rules,
}

/// As [`check_by`], by default rules.
pub fn check(input: &Input) -> Analysis {
    check_by(input, &Rules::default())
}

/// Analyses sources, and lints them when they have no error.
pub fn check_by(input: &Input, rules: &Rules) -> Analysis {
    let mut analysis = compiled(input, rules);
    if !analysis.failed() {
        lint(&mut analysis, rules);
    }
    analysis
}

/// Analyses sources, without lints.
pub fn compiled(input: &Input, rules: &Rules) -> Analysis {
    let schema = ksig_protocols::schema();
    ksig_compiler::analyze(input, World { budget: rules.budget, ..world(&schema) })
}

/// Adds what lints find in an analysis without errors.
pub fn lint(analysis: &mut Analysis, rules: &Rules) {
    let found = lints::run(analysis, &rules.lints);
    analysis.diagnostics.extend(found);
    analysis.sort();
}

/// The vocabulary of the bundled signatures.
pub fn vocabulary() -> ksig_schema::Vocabulary {
    let mut input = crate::bundled::signatures().unwrap_or_default();
    input.sources.retain(|source| source.module.as_deref().is_some_and(|module| module.starts_with("vocab.")));
    ksig_compiler::analyze(&input, world(&ksig_protocols::schema())).program.vocabulary
}

/// A release without a date.
pub fn named(id: &str) -> ReleaseName {
    ReleaseName { id: id.into(), ..ReleaseName::default() }
}
