//! A fixture of one device that another device's signature answers to: see [`LINT`].

use ksig_lang::{CodeDoc, Diagnostic, Severity, Span, Text, say};

use super::{Lint, Look};
use crate::hir::Signature;

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "foreign-fixture",
        meaning: Text::new(
            "A signature answers to an answer that a test gives for another device, with another vendor or model, and nothing decides between the two: one of them is wrong, or asks for too little. Fixtures are decoded and all signatures are asked, which takes longer than any other lint: `ksig check --fixtures` does it, and `ksig test`, where it is a failure while its level is `error`. A signature that refines the other, or whose confidence is higher, stands alone and is not told.",
            "別の機器のテストの応答に、異なるベンダーやモデルを示すシグネチャも該当し、どちらとも決まりません。どちらかが誤っているか、条件が足りません。応答をデコードしてすべてのシグネチャに示すため、ほかのリントより時間がかかります。`ksig check --fixtures`が実行します。`ksig test`も実行し、レベルが`error`なら失敗になります。相手をrefineするシグネチャや、信頼度の高いシグネチャは単独で残るため、報告されません。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }

probe top = http.get("/")

signature one {
  summary "ACME AC-1 by its title"
  match { top.html.title == "ACME AC-1 setup" }
  identify { vendor = acme; model = "AC-1" }
  example "ACME AC-1 setup" in top.html.title => { model: "AC-1" }
  example "ACME AC-2 setup" in top.html.title => nothing
}
signature two {
  summary "ACME AC-1 Pro by its title"
  match { top.html.title starts "ACME AC-1" }
  identify { vendor = acme; model = "AC-1 Pro" }
  example "ACME AC-1 Pro setup" in top.html.title => { model: "AC-1 Pro" }
  example "ACME AC-2 Pro setup" in top.html.title => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }

probe top = http.get("/")

signature one {
  summary "ACME AC-1 by its title"
  match { top.html.title == "ACME AC-1 setup" }
  identify { vendor = acme; model = "AC-1" }
  example "ACME AC-1 setup" in top.html.title => { model: "AC-1" }
  example "ACME AC-2 setup" in top.html.title => nothing
}
signature two {
  summary "ACME AC-1 Pro by its title"
  match { top.html.title starts "ACME AC-1 Pro" }
  identify { vendor = acme; model = "AC-1 Pro" }
  example "ACME AC-1 Pro setup" in top.html.title => { model: "AC-1 Pro" }
  example "ACME AC-2 Pro setup" in top.html.title => nothing
}
"#,
    },
    level: Severity::Error,
    look: Look::Fixtures,
};

/// That `other` answers to a fixture of `signature`, whose expectation stands at `expected`; what it says instead is its `model`.
pub fn found(signature: &Signature, expected: Span, other: &Signature, model: Option<&str>) -> Diagnostic {
    let (name, of) = (&other.name, &signature.name);
    let message = match model {
        Some(model) => say!(
            "`{name}` answers to a fixture of `{of}` too, with the model `{model}`",
            "`{of}`の応答に`{name}`も該当し、モデルを`{model}`としています"
        ),
        None => say!("`{name}` answers to a fixture of `{of}` too", "`{of}`の応答に`{name}`も該当します"),
    };
    let label = say!("what the fixture is", "この応答の機器");
    let problem = LINT.finding(signature, expected, message, label);
    let problem = problem.label(other.file, other.name_span, say!("answers too", "これも該当します"));
    problem.help(say!("ask in one of them for what tells the two apart", "両者を区別できる条件を、どちらかに加えてください"))
}
