//! A product that is known by its maker's name alone: see [`LINT`].

use std::collections::BTreeSet;

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_runtime::plan::{Datum, IdentitySlot};
use ksig_schema::vocabulary::plain;

use super::{Lint, Look, own};
use crate::hir::{Expr, ExprKind};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "brand-word-only",
        meaning: Text::new(
            "All that a device must say is the name of its maker, and the answer is one certain model or series: every other product of the maker gets that name too. Ask for what only this product says, or leave the model and the series out.",
            "機器の応答に求めているのがメーカー名だけなのに、特定のモデルやシリーズと判定しています。同じメーカーの他の製品も、すべてその名前になってしまいます。その製品だけに現れるものを条件に加えるか、モデルとシリーズを書かないでください。",
        ),
        bad: r#"
  summary "ACME BRL router by its title"
  match { top.html.title contains "ACME" }
  identify { vendor = acme; series = "BRL"; class = router.home }
  example "ACME router" in top.html.title => { series: "BRL" }
  example "Login" in top.html.title => nothing
"#,
        good: r#"
  summary "ACME BRL router by its title"
  match { top.html.title contains "ACME BRL" }
  identify { vendor = acme; series = "BRL"; class = router.home }
  example "ACME BRL router" in top.html.title => { series: "BRL" }
  example "ACME camera" in top.html.title => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        let constant = |expr: &Expr| if let ExprKind::Const(Datum::Text(text)) = &expr.kind { Some(text.clone()) } else { None };
        let said: Vec<(IdentitySlot, String)> =
            signature.device_slots().filter_map(|(slot, expr)| Some((*slot, constant(expr)?))).collect();
        if !said.iter().any(|(slot, _)| matches!(slot, IdentitySlot::Model | IdentitySlot::Series)) {
            return;
        }
        let makers = said.iter().filter(|(slot, _)| matches!(slot, IdentitySlot::Vendor | IdentitySlot::Brand));
        let makers = makers.filter_map(|(_, id)| analysis.program.vocabulary.vendors.get(id));
        let names: BTreeSet<String> = makers.flat_map(|maker| maker.names()).map(plain).collect();
        let evidence = own::evidence(&signature.condition);
        let brand = |expr: &&Expr| own::texts(expr).is_some_and(|(_, texts)| texts.iter().all(|text| names.contains(&plain(text))));
        if !evidence.is_empty() && evidence.iter().all(brand) {
            let name = &signature.name;
            let message =
                say!("`{name}` names a product and asks for its maker only", "`{name}`はメーカー名しか問わずに製品を特定しています");
            let label = say!("every product of the maker answers to it", "同じメーカーのどの製品にも該当します");
            let problem = LINT.finding(signature, signature.name_span, message, label);
            found.push(problem.help(say!(
                "ask for what only this product says, or leave `model` and `series` out",
                "その製品だけに現れるものを条件に加えるか、`model`と`series`を外してください"
            )));
        }
    }),
};
