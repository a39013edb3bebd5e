//! Two signatures that ask the same and answer otherwise: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look, alike};
use crate::hir::{ExprKind, Identity};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "ambiguous-pair",
        meaning: Text::new(
            "Two signatures ask exactly the same and say different things of the device. Whenever one matches the other does, so that the answer is `ambiguous`, or one of them never stands: the less confident one, or the later one of a `choice`. Ask in each for what tells the two apart.",
            "二つのシグネチャが、まったく同じ条件から異なる識別結果を出しています。一方が該当すれば必ずもう一方も該当するため、結果は`ambiguous`になるか、一方は決して採用されません（確信度の低い方、または`choice`の中で後にある方）。両者を区別できる条件を、それぞれに加えてください。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme, apex }

probe top = http.get("/")

signature one {
  summary "ACME AC-1 by its title"
  match { top.html.title == "AC-1" }
  identify { vendor = acme; model = "AC-1" }
  example "AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
signature two {
  summary "Apex AC-1 by its title"
  match { top.html.title == "AC-1" }
  identify { vendor = apex; model = "AC-1" }
  example "AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme, apex }

probe top = http.get("/")

signature one {
  summary "ACME AC-1 by its title"
  match { top.html.title == "ACME AC-1" }
  identify { vendor = acme; model = "AC-1" }
  example "ACME AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
signature two {
  summary "Apex AC-1 by its title"
  match { top.html.title == "Apex AC-1" }
  identify { vendor = apex; model = "AC-1" }
  example "Apex AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
"#,
    },
    level: Severity::Warning,
    look: Look::Set(|analysis, found| {
        let signatures = &analysis.program.signatures;
        for (first, number) in alike::pairs(analysis, contradict) {
            let (first, signature) = (&signatures[first], &signatures[number]);
            let (name, before) = (&signature.name, &first.name);
            let message = say!("`{name}` matches whenever `{before}` does", "`{name}`は`{before}`が該当するときに必ず該当します");
            let label = say!("asks the same and answers otherwise", "同じ条件から異なる結果を出しています");
            let problem = LINT.finding(signature, signature.name_span, message, label);
            let problem = problem.label(first.file, first.name_span, say!("asks the same", "同じ条件です"));
            let help = say!("ask in each for what tells the two apart", "両者を区別できる条件を、それぞれに加えてください");
            found.push((number, problem.help(help)));
        }
    }),
};

/// Whether two answers can never be one: a slot of one facet has another constant in each. Otherwise they are joined.
fn contradict(one: &[Identity], other: &[Identity]) -> bool {
    let slots = |of: &Identity, other: &Identity| {
        of.slots.iter().any(|(slot, value)| {
            let constant = |value: &ExprKind| matches!(value, ExprKind::Const(_));
            let differs = |(of, than): &(_, crate::hir::Expr)| of == slot && constant(&than.kind) && than.kind != value.kind;
            constant(&value.kind) && other.slots.iter().any(differs)
        })
    };
    one.iter().any(|one| other.iter().any(|other| one.facet == other.facet && slots(one, other)))
}
