//! A day that has not come: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_runtime::plan::Datum;

use super::{Lint, Look, own, told};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "checked-in-future",
        meaning: Text::new(
            "A row was `checked`, or a signature `added`, on a day that has not come yet: the year is mistyped, or the row was never compared with its source. Whoever looks for rows to check again does not find it for years.",
            "行の`checked`やシグネチャの`added`が、まだ来ていない日付になっています。年の書き間違いか、出典と照合していない行です。再確認の対象を探しても、この行は何年も見つかりません。",
        ),
        bad: r#"
  summary "ACME AC router by its title"
  added 2999-11-23
  match { top.html.title ~ /^ACME (?<model>AC-\d)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "ACME AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
"#,
        good: r#"
  summary "ACME AC router by its title"
  added 2025-11-23
  match { top.html.title ~ /^ACME (?<model>AC-\d)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "ACME AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Ruled(|analysis, rules, found| {
        // A day is an argument: nothing here reads a clock.
        let Some(today) = rules.today else { return };
        let label = || say!("today is {today}", "今日は{today}です");
        let help = || say!("write the day on which it was done", "実際に行った日付を書いてください");
        for (number, signature) in analysis.program.signatures.iter().enumerate() {
            let Some(added) = signature.meta.added.filter(|added| *added > today) else { continue };
            let span = own::said(signature, analysis, "added").map_or(signature.name_span, |said| said.span);
            let message = say!("added on {added}, which has not come", "追加日{added}はまだ来ていません");
            found.push((number, LINT.finding(signature, span, message, label()).help(help())));
        }
        for told in told::tables(analysis) {
            let Some(column) = told.column("checked") else { continue };
            let mut late = told.table.rows.iter().filter(|row| matches!(row[column], Datum::Date(day) if day > today));
            let Some(row) = late.next() else { continue };
            let (more, table) = (late.count(), &told.item.name.value);
            let (key, day) = (told.key(row).unwrap_or_default(), ksig_runtime::interval::shown(&row[column]));
            let message = match more {
                0 => say!("the row `{key}` of `{table}` was checked on {day}", "`{table}`の行`{key}`の確認日が{day}になっています"),
                _ => say!(
                    "the row `{key}` of `{table}` was checked on {day}, and {more} more on days that have not come",
                    "`{table}`の行`{key}`の確認日が{day}です。ほかに{more}行も、まだ来ていない日付です"
                ),
            };
            told.tell(told.finding(&LINT, row, message, label()).help(help()), found);
        }
    }),
};
