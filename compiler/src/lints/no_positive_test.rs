//! A signature that no test matches: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look};
use crate::hir::Expect;

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "no-positive-test",
        meaning: Text::new(
            "A signature needs at least one test that it matches, made from a banner whose source is named. A signature that nothing was ever seen to match identifies nothing, or the wrong thing.",
            "シグネチャには、該当することを示すテストが少なくとも一つ必要です。出典の明らかなバナーから作ってください。該当した例のないシグネチャは、何も特定しないか、誤ったものを特定します。",
        ),
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
    },
    level: Severity::Error,
    look: Look::Signature(|signature, _, found| {
        let matches = |expect: &Expect| !matches!(expect, Expect::NoMatch(..));
        if !signature.tests.iter().any(|test| test.expect.iter().any(matches)) {
            let name = &signature.name;
            let message =
                say!("signature `{name}` has no test that it matches", "シグネチャ`{name}`に、該当することを示すテストがありません");
            let problem = LINT.finding(signature, signature.name_span, message, say!("never seen to match", "該当した例がありません"));
            found.push(problem.help(say!(
                "add `example \"...\" in FIELD => {{ model: \"...\" }}`, or a test with `expect identify`",
                "`example \"...\" in FIELD => {{ model: \"...\" }}`か、`expect identify`のあるテストを追加してください"
            )));
        }
    }),
};
