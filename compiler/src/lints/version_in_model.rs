//! A version inside the name of a model: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_runtime::plan::{Datum, IdentitySlot};

use super::{Lint, Look, own};
use crate::hir::{Expect, ExprKind};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "version-in-model",
        meaning: Text::new(
            "A model, as it is written or as a test expects it, ends with a version of firmware: each release of the maker would be another model, and the device would have no version. The version has a slot of its own. A revision of the hardware, `AC-1 v2`, belongs to the model.",
            "`identify`やテストに書かれたモデル名の末尾に、ファームウェアのバージョンが含まれています。このままでは、更新のたびに別のモデルとして扱われ、機器のバージョンも出力されません。バージョンには専用のスロットがあります。`AC-1 v2`のようなハードウェアの版は、モデル名の一部です。",
        ),
        bad: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]* v[\d.]+)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "BRL-04UR v1.20" in top.auth.basic.realm => { model: "BRL-04UR v1.20" }
  example "Login" in top.auth.basic.realm => nothing
"#,
        good: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]*) v(?<fw: version(dotted)>[\d.]+)$/ }
  identify { vendor = acme; model = model; version = fw; class = router.home }
  example "BRL-04UR v1.20" in top.auth.basic.realm => { model: "BRL-04UR", version: v"1.20" }
  example "Login" in top.auth.basic.realm => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        let constants = own::slots(signature, analysis).into_iter().filter_map(|(slot, expr)| match (slot, &expr.kind) {
            (IdentitySlot::Model, ExprKind::Const(Datum::Text(model))) => Some((expr.span, model)),
            _ => None,
        });
        let expected = signature.tests.iter().flat_map(|test| &test.expect).flat_map(|expect| {
            let slots = if let Expect::Identify(slots, _) | Expect::Resolved(slots, _) = expect { slots.as_slice() } else { &[] };
            slots.iter().filter_map(|(slot, value)| match value {
                Datum::Text(model) if slot == "model" => Some((expect.span(), model)),
                _ => None,
            })
        });
        // The tests of one signature show one mistake.
        if let Some((span, model)) = constants.chain(expected).find(|(_, model)| ends_with_version(model)) {
            let message = say!("the model `{model}` ends with a version", "モデル名`{model}`の末尾がバージョンになっています");
            let label = say!("each firmware would be a model of its own", "ファームウェアごとに別のモデルになってしまいます");
            let problem = LINT.finding(signature, span, message, label);
            found.push(problem.help(say!("put it into `version`", "`version`に書いてください")));
        }
    }),
};

/// `AC-1 v1.20`, `AC-1 Ver. 1.20`, `AC-1 firmware 1.20.3`: a word for versions before numbers with dots.
fn ends_with_version(model: &str) -> bool {
    let numbers = model.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = model[numbers.len()..].trim_start_matches('.');
    let word = numbers.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    let dotted = number.contains('.') && !number.ends_with('.');
    dotted && [" v", " ver", " version", " firmware", " fw"].iter().any(|end| word.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::ends_with_version;

    #[test]
    fn a_version_has_dots_and_a_word() {
        for model in ["AC-1 v1.20", "AC-1 Ver. 1.20", "AC-1 Firmware 1.20.3"] {
            assert!(ends_with_version(model), "{model}");
        }
        for model in ["AC-1 v2", "AC-1v1.20", "AC 1.20", "iLO 4", "AC-1 v1.", "AC-1", ""] {
            assert!(!ends_with_version(model), "{model}");
        }
    }
}
