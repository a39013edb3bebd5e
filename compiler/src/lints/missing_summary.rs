//! A signature that does not say what it is: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "missing-summary",
        meaning: Text::new(
            "Every signature says in one line what it identifies and by what: `summary \"...\"`. The line stands in changelogs, in `ksig why` and on the signature's page.",
            "どのシグネチャにも、何を、何によって特定するかを一行で書きます（`summary \"...\"`）。この行は、更新履歴、`ksig why`、シグネチャのページに表示されます。",
        ),
        bad: r#"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]+)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
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
    level: Severity::Warning,
    look: Look::Signature(|signature, _, found| {
        if signature.meta.summary.is_empty() {
            let name = &signature.name;
            let message = say!("signature `{name}` has no summary", "シグネチャ`{name}`に`summary`がありません");
            found.push(LINT.finding(signature, signature.name_span, message, say!("not summarised", "概要がありません")).help(say!(
                "add `summary \"what it identifies, and by what\"`",
                "`summary \"何を、何によって特定するか\"`を追加してください"
            )));
        }
    }),
};
