//! A slot that is read from the device and that no test looks at: see [`LINT`].

use std::collections::BTreeSet;

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_runtime::plan::{Datum, IdentitySlot};

use super::{Lint, Look, own};
use crate::hir::{Expect, Signature};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "capture-untested",
        meaning: Text::new(
            "A model or a version is made of what a pattern captured, and no test says what comes out for any banner. When the pattern takes a character too many, nothing fails. One test that names the slot is enough.",
            "パターンのキャプチャからモデルやバージョンを作っていますが、どのテストもその値を確かめていません。パターンが1文字余計に取り込んでも、何も失敗しません。そのスロットの値を書いたテストが一つあれば十分です。",
        ),
        bad: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]*) (?<fw: version(dotted)>[\d.]+)$/ }
  identify { vendor = acme; model = model; version = fw; class = router.home }
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
        let (slots, vars) = looked_at(signature);
        // Without a test that it matches there is another thing to say.
        if slots.is_empty() {
            return;
        }
        for (slot, expr) in own::slots(signature, analysis) {
            let name = match slot {
                IdentitySlot::Model => "model",
                IdentitySlot::Version => "version",
                _ => continue,
            };
            let Some(var) = own::capture(signature, expr) else { continue };
            if slots.contains(name) || vars.contains(var) {
                continue;
            }
            let message = say!("no test says what `{name}` comes out", "`{name}`の値を確かめるテストがありません");
            let label = say!("captured as `{var}`", "`{var}`として取り出した値です");
            let problem = LINT.finding(signature, expr.span, message, label);
            found.push(problem.help(say!("name `{name}` in an example or a test", "例かテストに`{name}`の値を書いてください")));
        }
    }),
};

/// The slots and the variables of which tests say a value.
fn looked_at(signature: &Signature) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let (mut slots, mut vars) = (BTreeSet::new(), BTreeSet::new());
    for expect in signature.tests.iter().flat_map(|test| &test.expect) {
        let (said, values) = match expect {
            Expect::Identify(values, _) | Expect::Resolved(values, _) => (&mut slots, values),
            Expect::Captures(values, _) => (&mut vars, values),
            _ => continue,
        };
        said.extend(values.iter().filter(|(_, value)| *value != Datum::Missing).map(|(name, _)| name.as_str()));
    }
    (slots, vars)
}
