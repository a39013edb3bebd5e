//! A capture that nothing reads: see [`LINT`].

use std::collections::BTreeSet;

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look, own};
use crate::hir::{Asks, Expect, Expr, ExprKind};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "unused-capture",
        meaning: Text::new(
            "A capture, extract or `let` that no slot, tag, condition, follow or test reads is a leftover, or a version that was meant to be reported and is not.",
            "どのスロット、タグ、条件、`follow`、テストからも参照されないキャプチャ、`extract`、`let`は、消し忘れか、出力するはずだったバージョンの書き忘れです。",
        ),
        bad: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]*) (?<fw>[\d.]+)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "BRL-04UR 1.20" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
        good: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]*) (?<fw: version(dotted)>[\d.]+)$/ }
  identify { vendor = acme; model = model; version = fw; class = router.home }
  example "BRL-04UR 1.20" in top.auth.basic.realm => { model: "BRL-04UR", version: v"1.20" }
  example "Login" in top.auth.basic.realm => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        let mut read = BTreeSet::new();
        let mut note = |expr: &Expr| {
            if let ExprKind::Var(id) = expr.kind {
                read.insert(id);
            }
        };
        signature.walk(&mut note);
        for probe in &signature.probes {
            if let Asks::Named { from, .. } = &probe.asks {
                from.walk(&mut note);
            }
        }
        let tested: Vec<&str> = signature
            .tests
            .iter()
            .flat_map(|test| &test.expect)
            .flat_map(|expect| if let Expect::Captures(values, _) = expect { values.as_slice() } else { &[] })
            .map(|(name, _)| name.as_str())
            .collect();
        let refined = analysis.program.signatures.iter().any(|other| other.refines.as_deref() == Some(&signature.name));
        // What a base bound stands in another signature, perhaps of another file.
        let inherited = own::base(signature, analysis).map_or(0, |base| base.vars.len());
        for (id, var) in signature.vars.iter().enumerate().skip(inherited) {
            let span = signature.var_spans[id];
            if signature.holds(span) && !refined && !read.contains(&(id as u32)) && !tested.contains(&var.name.as_str()) && !var.redact {
                let name = &var.name;
                let message = say!("nothing reads `{name}`", "`{name}`はどこからも参照されていません");
                let problem = LINT.finding(signature, span, message, say!("bound here", "ここで束縛しています"));
                found.push(problem.help(say!("use it, or write (?:...)", "使用するか、(?:...)に書き換えてください")));
            }
        }
    }),
};
