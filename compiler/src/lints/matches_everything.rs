//! A signature that asks nothing of a device: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look, own};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "matches-everything",
        meaning: Text::new(
            "Nothing that the device says makes the signature match: its lines only ask what is absent, what something is not, or whether a field that every answer has is there. It holds for nearly every device, and for every honeypot.",
            "機器の応答の内容が、該当の根拠になっていません。条件は、何かがないこと、何かではないこと、どの応答にもあるフィールドがあることしか問うていません。これでは、ほとんどすべての機器と、あらゆるハニーポットに該当します。",
        ),
        bad: r#"
  summary "ACME router without a server header"
  match {
    top.html.title present
    none { top.header["server"] contains "apex" }
  }
  identify { vendor = acme; class = router.home }
  test "a page" {
    given top = http"""
HTTP/1.1 200 OK
Content-Length: 27

<title>ACME router</title>
"""
    expect identify { vendor: acme }
  }
  example "Login" in top.auth.basic.realm => nothing
"#,
        good: r#"
  summary "ACME router without a server header"
  match {
    top.html.title == "ACME router"
    none { top.header["server"] contains "apex" }
  }
  identify { vendor = acme; class = router.home }
  test "a page" {
    given top = http"""
HTTP/1.1 200 OK
Content-Length: 27

<title>ACME router</title>
"""
    expect identify { vendor: acme }
  }
  example "Login" in top.auth.basic.realm => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, _, found| {
        if own::evidence(&signature.condition).is_empty() {
            let name = &signature.name;
            let message =
                say!("nothing that a device says makes `{name}` match", "機器の応答の内容が`{name}`に該当する根拠になっていません");
            let label = say!("holds for nearly every device", "ほとんどすべての機器に該当します");
            let problem = LINT.finding(signature, signature.name_span, message, label);
            found.push(problem.help(say!("ask for something that names the product", "製品名の現れるものを条件に加えてください")));
        }
    }),
};
