//! A newest version that is not: see [`LINT`].

use std::cmp::Ordering;

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_runtime::interval;
use ksig_runtime::plan::{Datum, IdentitySlot};

use super::{Lint, Look, told};
use crate::hir::{Expect, Expr, ExprKind, Signature};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "latest-older-than-seen",
        meaning: Text::new(
            "A test shows a device that runs a version, and the table that `support` reads says of this model that an older one is the newest. Devices do not run what was not released: the row is out of date, and calls outdated devices current.",
            "テストの機器が動かしているバージョンより、`support`が参照するテーブルの最新バージョンの方が古くなっています。公開前のバージョンで動く機器はありません。行が更新されておらず、古い機器まで最新と判定されてしまいます。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }

table firmware {
  model  : text key
  latest : version(dotted)
  row "AC-1", v"1.20"
}

probe top = http.get("/")

signature one {
  summary "ACME AC router by its title"
  match { top.html.title ~ /^ACME (?<model>AC-\d) (?<fw: version(dotted)>\d\.\d\d)$/ }
  identify { vendor = acme; model = model; version = fw }
  support { latest = firmware[model].latest }
  example "ACME AC-1 1.21" in top.html.title => { model: "AC-1", version: v"1.21" }
  example "Login" in top.html.title => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }

table firmware {
  model  : text key
  latest : version(dotted)
  row "AC-1", v"1.21"
}

probe top = http.get("/")

signature one {
  summary "ACME AC router by its title"
  match { top.html.title ~ /^ACME (?<model>AC-\d) (?<fw: version(dotted)>\d\.\d\d)$/ }
  identify { vendor = acme; model = model; version = fw }
  support { latest = firmware[model].latest }
  example "ACME AC-1 1.21" in top.html.title => { model: "AC-1", version: v"1.21" }
  example "Login" in top.html.title => nothing
}
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        let Some(support) = &signature.support else { return };
        let Some((name, column, key)) = support.latest.as_ref().and_then(|latest| told::cell(signature, latest)) else { return };
        let tables = &analysis.program.tables;
        let Ok(at) = tables.binary_search_by(|table| table.name.as_str().cmp(name)) else { return };
        if !is_model(signature, key) {
            return;
        }
        let table = &tables[at];
        let scheme = support.scheme.as_ref().or(table.columns[column].scheme.as_ref());
        // A row that replaces the table's is the test's own.
        for test in signature.tests.iter().filter(|test| test.with.is_empty()) {
            for expect in &test.expect {
                let Some((model, seen)) = seen(expect) else { continue };
                let rows = &table.rows[table.rows_of(model)];
                let version = Datum::Text(seen.into());
                let is_older = |row: &Vec<Datum>| {
                    highest(&row[column]).is_some_and(|latest| interval::order(scheme, latest, &version) == Some(Ordering::Less))
                };
                if rows.is_empty() || !rows.iter().all(is_older) {
                    continue;
                }
                let latest = interval::shown(&rows[rows.len() - 1][column]);
                let message = say!(
                    "`{model}` was seen with {seen}, and its latest version is said to be {latest}",
                    "`{model}`では{seen}が観測されていますが、最新バージョンは{latest}とされています"
                );
                let label = say!("newer than the row in `{name}`", "`{name}`の行より新しいバージョンです");
                let problem = LINT.finding(signature, expect.span(), message, label);
                let help = say!("look the latest version up again", "最新バージョンを調べ直してください");
                found.push(problem.help(help));
            }
        }
    }),
};

/// Whether that expression is the model that the signature identifies, or the key of the row from which it takes the model.
fn is_model(signature: &Signature, key: &Expr) -> bool {
    let key = told::resolved(signature, key).without_places();
    let same = |expr: &Expr| told::resolved(signature, expr).without_places() == key;
    let mut models = signature.device_slots().filter(|(slot, _)| *slot == IdentitySlot::Model).map(|(_, expr)| expr);
    models.any(|model| same(model) || told::cell(signature, model).is_some_and(|(_, _, of)| same(of)) || converted(model).is_some_and(same))
}

fn converted(expr: &Expr) -> Option<&Expr> {
    if let ExprKind::Convert(of, _) = &expr.kind { Some(of) } else { None }
}

/// The model and the version that a test says were seen.
fn seen(expect: &Expect) -> Option<(&str, &str)> {
    let (Expect::Identify(slots, _) | Expect::Resolved(slots, _)) = expect else { return None };
    let said = |name: &str| match slots.iter().find(|(slot, _)| slot == name) {
        Some((_, Datum::Text(text))) => Some(text.as_str()),
        _ => None,
    };
    Some((said("model")?, said("version")?))
}

fn highest(datum: &Datum) -> Option<&Datum> {
    match datum {
        Datum::Bound(_, version) => Some(version),
        Datum::Text(_) => Some(datum),
        _ => None,
    }
}
