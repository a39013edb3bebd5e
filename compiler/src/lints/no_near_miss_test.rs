//! A signature without a near miss: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look};
use crate::hir::Expect;

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "no-near-miss-test",
        meaning: Text::new(
            "A signature should show something that is nearly what it looks for, and that it does not match: another product of the same maker, another maker's product with the same web server, a realm of the same shape. Without one, nothing fails when a pattern grows too wide, and a wrong identification is worse than none.",
            "シグネチャには、対象に似ているが該当しないものの例を示します。同じメーカーの別製品、同じWebサーバーを使う別メーカーの製品、同じ形のrealmなどです。例がなければ、パターンが広がりすぎても何も失敗しません。誤った特定は、特定できないことよりも有害です。",
        ),
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
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, _, found| {
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
    }),
};
