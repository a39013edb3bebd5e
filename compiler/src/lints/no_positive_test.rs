//! A signature that no test matches: see [`LINT`].

use ksig_lang::Severity;

use super::Lint;
use crate::hir::Expect;

/// The lint.
pub const LINT: Lint = Lint {
    name: "no-positive-test",
    doc: "\
A signature needs at least one test that it matches, made from a banner whose source is named. A signature that nothing was
ever seen to match identifies nothing, or the wrong thing.",
    bad: r#"
  summary "ACME BRL router, model in the Basic realm"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]+)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "Login" in top.auth.basic.realm => nothing
"#,
    good: r#"
  summary "ACME BRL router, model in the Basic realm"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]+)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
    level: Severity::Error,
    check: |signature, _, found| {
        let matches = |expect: &Expect| !matches!(expect, Expect::NoMatch(..));
        if !signature.tests.iter().any(|test| test.expect.iter().any(matches)) {
            let message = format!("signature `{}` has no test that it matches", signature.name);
            let problem = LINT.finding(signature, signature.name_span, message, "never seen to match");
            found.push(problem.help("add `example \"...\" in FIELD => { model: \"...\" }`, or a test with `expect identify`"));
        }
    },
};
