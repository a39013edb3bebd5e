//! A pattern that every text matches: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look, own};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "always-true-condition",
        meaning: Text::new(
            "A pattern that can match nothing at all, and is tied to no place, is found in every text: in `/.*/` and `/(?:ACME)?/` nothing is asked but whether the field is there. `present` says that, and whoever meant more sees what is missing.",
            "空文字列にも一致し、位置も定めないパターンは、どのテキストでも一致します。`/.*/`や`/(?:ACME)?/`が問うのは、フィールドがあるかどうかだけです。`present`と書けばそれが明示され、他に問うべきことがあったかどうかにも気づけます。",
        ),
        bad: r#"
  summary "ACME BRL router"
  match {
    top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]+)$/
    top.header["server"] ~ /(?:acme-httpd)?/
  }
  identify { vendor = acme; model = model; class = router.home }
  test "the realm of a BRL-04UR" {
    given top = http { auth.basic.realm: "BRL-04UR", "header.server": "acme-httpd" }
    expect identify { model: "BRL-04UR" }
  }
  example "Login" in top.auth.basic.realm => nothing
"#,
        good: r#"
  summary "ACME BRL router"
  match {
    top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]+)$/
    top.header["server"] present
  }
  identify { vendor = acme; model = model; class = router.home }
  test "the realm of a BRL-04UR" {
    given top = http { auth.basic.realm: "BRL-04UR", "header.server": "acme-httpd" }
    expect identify { model: "BRL-04UR" }
  }
  example "Login" in top.auth.basic.realm => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        for asked in own::patterns(signature, analysis) {
            let Ok(meaning) = ksig_runtime::pattern::hir(&asked.matched.pattern) else { continue };
            let says = meaning.properties();
            if says.minimum_len() != Some(0) || !says.look_set().is_empty() || !asked.matched.captures.is_empty() {
                continue;
            }
            let message = say!("every text matches this pattern", "このパターンはどのテキストにも一致します");
            let label = say!("asks only whether there is one", "値があるかどうかしか問うていません");
            let problem = LINT.finding(signature, asked.expr.span, message, label);
            let help =
                say!("write `present`, or what the text has to hold", "`present`とするか、テキストに含まれるべきものを書いてください");
            let fix = say!("ask whether it is there", "値があるかどうかを問う");
            found.push(problem.help(help).fix(fix, signature.file, asked.question, " present"));
        }
    }),
};
