//! A signature that does not say what it is: see [`LINT`].

use ksig_lang::Severity;

use super::Lint;

/// The lint.
pub const LINT: Lint = Lint {
    name: "missing-summary",
    doc: "\
Every signature says in one line what it identifies and by what: `summary \"...\"`. The line stands in changelogs, in `ksig why`
and on the signature's page.",
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
    level: Severity::Warning,
    check: |signature, _, found| {
        if signature.meta.summary.is_empty() {
            let message = format!("signature `{}` has no summary", signature.name);
            found.push(LINT.finding(signature, signature.name_span, message, "").help("add `summary \"what it identifies, and by what\"`"));
        }
    },
};
