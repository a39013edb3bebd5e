//! A model without its maker: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_runtime::plan::IdentitySlot;

use super::{Lint, Look};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "identity-incomplete",
        meaning: Text::new(
            "An identity with a model, a series or a version and without a vendor: makers share names of models, nobody finds the device under its maker, and no support table fits it. Who sold it under another name stands in `brand`.",
            "モデル、シリーズ、バージョンがあるのにベンダーのない識別結果です。同じモデル名は複数のメーカーが使うことがあり、メーカー名で検索しても見つからず、サポート情報とも結び付きません。別の名前で販売した会社は`brand`に書きます。",
        ),
        bad: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]*)$/ }
  identify { model = model; class = router.home }
  example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
        good: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]*)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, _, found| {
        for identity in signature.identities.iter().filter(|identity| identity.facet == "device") {
            let has = |wanted: IdentitySlot| identity.slots.iter().any(|(slot, _)| *slot == wanted);
            let named = [IdentitySlot::Model, IdentitySlot::Series, IdentitySlot::Version].into_iter().any(has);
            if named && !has(IdentitySlot::Vendor) {
                let name = &signature.name;
                let message = say!("`{name}` names a device without its maker", "`{name}`の識別結果にメーカーがありません");
                let label = say!("no `vendor` in `identify`", "`identify`に`vendor`がありません");
                let problem = LINT.finding(signature, signature.name_span, message, label);
                found.push(problem.help(say!("add `vendor = ...`", "`vendor = ...`を追加してください")));
            }
        }
    }),
};
