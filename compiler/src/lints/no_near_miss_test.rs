//! A signature without a near miss: see [`LINT`].

use ksig_lang::{Severity, say};

use super::Lint;
use crate::hir::Expect;

/// The lint.
pub const LINT: Lint = Lint {
    name: "no-near-miss-test",
    doc: "\
A signature should show something that is nearly what it looks for, and that it does not match: another product of the same
maker, another maker's product with the same web server, a realm of the same shape. Without one, nothing fails when a pattern
grows too wide, and a wrong identification is worse than none.",
    bad: r#"
  summary "ACME BRL router, model in the Basic realm"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]+)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
"#,
    good: r#"
  summary "ACME BRL router, model in the Basic realm"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]+)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
    level: Severity::Warning,
    check: |signature, _, found| {
        let refuses = |expect: &Expect| matches!(expect, Expect::NoMatch(..));
        if !signature.tests.iter().any(|test| test.expect.iter().any(refuses)) {
            let name = &signature.name;
            let message = say!("signature `{name}` has no near miss", "シグネチャ`{name}`に、似ているが該当しない例がありません");
            let problem = LINT.finding(
                signature,
                signature.name_span,
                message,
                say!("nothing shows what it must not match", "該当してはならないものを示すテストがありません"),
            );
            found.push(problem.help(say!(
                "add `example \"...\" in FIELD => nothing`, or a test with `expect no_match`",
                "`example \"...\" in FIELD => nothing`か、`expect no_match`のあるテストを追加してください"
            )));
        }
    },
};
