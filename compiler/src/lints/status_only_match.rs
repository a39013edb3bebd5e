//! A signature that a status code decides: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look, own};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "status-only-match",
        meaning: Text::new(
            "All that a device must answer with for the signature to match is a status code, and every other server answers with the same ones. Ask for something that names the product: a realm, a title, a header.",
            "該当するために機器が返すべきものがステータスコードだけです。同じコードは他のどのサーバーも返します。realm、タイトル、ヘッダーなど、製品名の現れるものを条件に加えてください。",
        ),
        bad: r#"
  summary "ACME router"
  match {
    top.status == 401
    top.header["server"] absent
  }
  identify { vendor = acme; class = router.home }
  test "a login" {
    given top = http"""
HTTP/1.1 401 Unauthorized

"""
    expect identify { vendor: acme }
  }
  example "Login" in top.html.title => nothing
"#,
        good: r#"
  summary "ACME router"
  match {
    top.status == 401
    top.auth.basic.realm starts "ACME "
  }
  identify { vendor = acme; class = router.home }
  test "a login" {
    given top = http"""
HTTP/1.1 401 Unauthorized
WWW-Authenticate: Basic realm="ACME BRL"

"""
    expect identify { vendor: acme }
  }
  example "Login" in top.html.title => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, _, found| {
        if own::asks_only(signature, is_status) {
            let name = &signature.name;
            let message = say!("signature `{name}` looks at status codes only", "シグネチャ`{name}`はステータスコードしか見ていません");
            let label = say!("every server answers with these", "どのサーバーも返すものです");
            let problem = LINT.finding(signature, signature.name_span, message, label);
            found.push(problem.help(say!("ask for something that names the product", "製品名の現れるものを条件に加えてください")));
        }
    }),
};

/// `http.status`, and those of other protocols.
fn is_status(field: &str) -> bool {
    field.ends_with(".status")
}
