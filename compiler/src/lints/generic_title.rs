//! A signature that a common title decides: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look, own};
use crate::hir::{Expr, ExprKind};

/// Titles that products of many makers have, in lower case.
const GENERIC: &[&str] = &[
    "",
    "401 unauthorized",
    "403 forbidden",
    "404 not found",
    "admin",
    "administration",
    "configuration",
    "default page",
    "error",
    "home",
    "home page",
    "index",
    "index of /",
    "index.html",
    "login",
    "login page",
    "log in",
    "main",
    "main page",
    "management",
    "network camera",
    "printer",
    "router",
    "settings",
    "setup",
    "sign in",
    "status",
    "switch",
    "test page",
    "untitled",
    "untitled document",
    "web management",
    "web server",
    "welcome",
    "ログイン",
    "管理画面",
    "設定",
    "設定画面",
];

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "generic-title",
        meaning: Text::new(
            "Only the title of a page decides, and it is one that products of many makers have: `Login`, `Index`, `Network Camera`. Ask for something besides it that names the product.",
            "ページのタイトルだけで決まりますが、`Login`、`Index`、`Network Camera`のように、多くのメーカーの製品に共通するタイトルです。製品名の現れるものを条件に加えてください。",
        ),
        bad: r#"
  summary "ACME router by its title"
  match { top.html.title == "Login" }
  identify { vendor = acme; class = router.home }
  example "Login" in top.html.title => { vendor: acme }
  example "Apex Login" in top.html.title => nothing
"#,
        good: r#"
  summary "ACME router by its title"
  match { top.html.title == "ACME router login" }
  identify { vendor = acme; class = router.home }
  example "ACME router login" in top.html.title => { vendor: acme }
  example "Login" in top.html.title => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, _, found| {
        let evidence = own::evidence(&signature.condition);
        let status = |expr: &Expr| {
            let fields = own::fields(expr);
            !fields.is_empty() && fields.iter().all(|field| field.ends_with(".status"))
        };
        let titles: Vec<&Expr> = evidence.into_iter().filter(|expr| !status(expr)).collect();
        if !titles.is_empty() && titles.iter().all(|expr| is_generic(expr)) {
            let name = &signature.name;
            let message = say!(
                "signature `{name}` looks at a title that many products have",
                "シグネチャ`{name}`は、多くの製品に共通するタイトルしか見ていません"
            );
            let label = say!("products of other makers answer to it too", "他のメーカーの製品にも該当します");
            let problem = LINT.finding(signature, signature.name_span, message, label);
            found.push(problem.help(say!("ask for something that names the product", "製品名の現れるものを条件に加えてください")));
        }
    }),
};

/// Whether a question to the title asks for nothing but such words.
fn is_generic(expr: &Expr) -> bool {
    let is_title = |subject: &Expr| matches!(&subject.kind, ExprKind::Field(field) if field.field.name == "http.html.title");
    let generic = |text: &String| GENERIC.contains(&text.trim().to_lowercase().as_str());
    own::texts(expr).is_some_and(|(subject, texts)| is_title(subject) && texts.iter().all(generic))
}
