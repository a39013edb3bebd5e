//! The icon of what a product is built on: see [`LINT`].

use std::collections::{BTreeMap, BTreeSet};

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_runtime::plan::{CompareOp, Datum, IdentitySlot, Table};

use super::{Lint, Look, own};
use crate::hir::{Expr, ExprKind, Signature};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "framework-favicon",
        meaning: Text::new(
            "All that a device must show is an icon that another maker's product shows too: it belongs to the web server or the framework that both are built on. Such an icon says what software answers, and not who made the device, however little confidence the signature has. Ask for something besides it that names the maker.",
            "機器に求めているのがアイコンだけで、しかも別のメーカーの製品も同じアイコンを使っています。両者が土台にしているWebサーバーやフレームワークのアイコンです。どのソフトウェアが応答したかは分かりますが、確信度を下げても、機器のメーカーは分かりません。メーカーが分かる条件を加えてください。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme, apex }

probe icon = http.favicon()

signature one {
  summary "ACME router by its icon"
  confidence weak
  match { icon.mmh3 == 1410071322 }
  identify { vendor = acme; class = router.home }
  example 1410071322 in icon.mmh3 => { vendor: acme }
  example 7 in icon.mmh3 => nothing
}
signature two {
  summary "Apex router by its icon"
  confidence weak
  match { icon.mmh3 in [1410071322, 5] }
  identify { vendor = apex; class = router.home }
  example 1410071322 in icon.mmh3 => { vendor: apex }
  example 7 in icon.mmh3 => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme, apex }

probe icon = http.favicon()

signature one {
  summary "ACME router by its icon"
  confidence weak
  match { icon.mmh3 == 1410071322 }
  identify { vendor = acme; class = router.home }
  example 1410071322 in icon.mmh3 => { vendor: acme }
  example 7 in icon.mmh3 => nothing
}
signature two {
  summary "Apex router by its icon"
  confidence weak
  match { icon.mmh3 == 5 }
  identify { vendor = apex; class = router.home }
  example 5 in icon.mmh3 => { vendor: apex }
  example 7 in icon.mmh3 => nothing
}
"#,
    },
    level: Severity::Warning,
    look: Look::Set(|analysis, found| {
        let signatures = &analysis.program.signatures;
        let mut makers: BTreeMap<(&str, String), BTreeMap<&str, usize>> = BTreeMap::new();
        let mut asked = Vec::new();
        for (number, signature) in signatures.iter().enumerate() {
            let Some(maker) = maker(signature).filter(|_| own::asks_only(signature, |field| field.starts_with("http.favicon."))) else {
                continue;
            };
            for icon in own::evidence(&signature.condition).into_iter().flat_map(icons) {
                makers.entry(icon.clone()).or_default().entry(maker).or_insert(number);
                asked.push((number, maker, icon));
            }
        }
        let mut told = BTreeSet::new();
        for (number, maker, icon) in asked {
            let other = makers.get(&icon).and_then(|makers| makers.iter().find(|(other, _)| **other != maker));
            let Some((other, by)) = other.filter(|_| told.insert(number)) else { continue };
            let (signature, by, (_, icon)) = (&signatures[number], &signatures[*by], icon);
            let message = say!(
                "the icon {icon} is no maker's: products of `{other}` show it too",
                "アイコン{icon}は`{other}`の製品でも使われています"
            );
            let label = say!("says nothing of the maker", "メーカーの手がかりになりません");
            let problem = LINT.finding(signature, signature.name_span, message, label);
            let problem = problem.label(by.file, by.name_span, say!("asked for here too", "こちらでも求めています"));
            let help = say!("ask for something that names the maker besides it", "メーカーが分かる条件を加えてください");
            found.push((number, problem.help(help)));
        }
    }),
};

/// The maker that a signature names, where it always names the same.
fn maker(signature: &Signature) -> Option<&str> {
    let mut makers = signature.device_slots().filter(|(slot, _)| *slot == IdentitySlot::Vendor);
    match makers.next().map(|(_, expr)| &expr.kind) {
        Some(ExprKind::Const(Datum::Text(vendor))) => Some(vendor),
        _ => None,
    }
}

/// The icons that a question asks for: field and value.
fn icons(expr: &Expr) -> Vec<(&'static str, String)> {
    let (subject, values): (_, Vec<&Datum>) = match &expr.kind {
        ExprKind::Compare(CompareOp::Eq, _, subject, value) => match &value.kind {
            ExprKind::Const(value) => (subject, vec![value]),
            _ => return Vec::new(),
        },
        ExprKind::InList(subject, values) => (subject, values.iter().collect()),
        _ => return Vec::new(),
    };
    let ExprKind::Field(field) = &subject.kind else { return Vec::new() };
    values.into_iter().filter_map(Table::key_text).map(|value| (field.field.name, value.into_owned())).collect()
}
