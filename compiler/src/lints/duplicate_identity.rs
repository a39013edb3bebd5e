//! A signature that stands twice: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look, alike};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "duplicate-identity",
        meaning: Text::new(
            "Two signatures ask exactly the same and identify the same: one was copied to become another, or two people wrote down one device. Who mends one of them later leaves the other wrong. Keep one, with the examples of both.",
            "二つのシグネチャが、まったく同じ条件から同じものを特定しています。別のものを書くためにコピーしたままか、二人が同じ機器を書いたかのどちらかです。後で一方だけを直すと、もう一方に誤りが残ります。両方の例をまとめて一つにしてください。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }

probe top = http.get("/")

signature one {
  summary "ACME AC-1 by its title"
  match { top.html.title == "AC-1" }
  identify { vendor = acme; model = "AC-1" }
  example "AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
signature again {
  summary "ACME AC-1 by its title"
  match { top.html.title == "AC-1" }
  identify { vendor = acme; model = "AC-1" }
  example "AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }

probe top = http.get("/")

signature one {
  summary "ACME AC-1 by its title"
  match { top.html.title == "AC-1" }
  identify { vendor = acme; model = "AC-1" }
  example "AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
"#,
    },
    level: Severity::Warning,
    look: Look::Set(|analysis, found| {
        let signatures = &analysis.program.signatures;
        // One that only names software or details may add what the other leaves out.
        for (first, number) in alike::pairs(analysis, |before, own| !own.is_empty() && before == own) {
            let (first, signature) = (&signatures[first], &signatures[number]);
            let (name, before) = (&signature.name, &first.name);
            let message = say!("`{name}` says what `{before}` says", "`{name}`は`{before}`と同じ内容です");
            let label = say!("asks the same and identifies the same", "同じ条件から同じものを特定しています");
            let problem = LINT.finding(signature, signature.name_span, message, label);
            let problem = problem.label(first.file, first.name_span, say!("first here", "最初はここ"));
            found.push((number, problem.help(say!("keep one, with the examples of both", "両方の例をまとめて一つにしてください"))));
        }
    }),
};
