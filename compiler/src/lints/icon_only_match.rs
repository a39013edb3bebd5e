//! A signature that an icon decides: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_schema::identification::Confidence;

use super::{Lint, Look, own};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "icon-only-match",
        meaning: Text::new(
            "Only the icon of a page decides, and one icon serves many products: a maker's whole range, a web framework, whoever copied the page. Ask for something besides it, or say `confidence weak`, so that what names the product wins.",
            "ページのアイコンだけで決まります。同じアイコンは、メーカーの全製品やWebフレームワーク、ページを流用した別製品でも使われます。他の条件を加えるか、`confidence weak`と書いて、製品名に基づくシグネチャが優先されるようにしてください。",
        ),
        bad: r#"
  summary "ACME router by its icon"
  match { icon.mmh3 == -1234567 }
  identify { vendor = acme; class = router.home }
  example -1234567 in icon.mmh3 => { vendor: acme }
  example 1234567 in icon.mmh3 => nothing
"#,
        good: r#"
  summary "ACME router by its icon"
  confidence weak
  match { icon.mmh3 == -1234567 }
  identify { vendor = acme; class = router.home }
  example -1234567 in icon.mmh3 => { vendor: acme }
  example 1234567 in icon.mmh3 => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, _, found| {
        let sure = !matches!(signature.meta.confidence, Confidence::Weak | Confidence::Hint);
        if sure && own::asks_only(signature, |field| field.starts_with("http.favicon.")) {
            let name = &signature.name;
            let message = say!("signature `{name}` looks at an icon only", "シグネチャ`{name}`はアイコンしか見ていません");
            let label = say!("other products show the same one", "他の製品も同じものを使います");
            let problem = LINT.finding(signature, signature.name_span, message, label);
            found.push(problem.help(say!(
                "ask for something besides it, or say `confidence weak`",
                "他の条件を加えるか、`confidence weak`と書いてください"
            )));
        }
    }),
};
