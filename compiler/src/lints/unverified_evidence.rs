//! Knowledge that nobody has verified: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_schema::identification::Grade;

use super::{Lint, Look, own, told};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "unverified-evidence",
        meaning: Text::new(
            "A signature, or a row of a table that it reads, says `unverified`. No release for others holds it: it is checked and tested each time, and identifies nothing. Verify it, and say `observed`, `documented` or `derived` with the source, or take it out.",
            "シグネチャ、または参照するテーブルの行が`unverified`になっています。公開用のリリースには含まれず、検査とテストの対象になるだけで、何も特定しません。確認して`observed`、`documented`、`derived`のいずれかと出典を書くか、削除してください。",
        ),
        bad: r#"
  summary "ACME AC router by its title"
  evidence unverified "a list of titles without a source"
  match { top.html.title ~ /^ACME (?<model>AC-\d)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "ACME AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
"#,
        good: r#"
  summary "ACME AC router by its title"
  evidence observed "title ACME AC-1, on our own router, 2026-10-01"
  match { top.html.title ~ /^ACME (?<model>AC-\d)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "ACME AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Set(|analysis, found| {
        let help = || say!("verify it and name the source, or take it out", "確認して出典を書くか、削除してください");
        for (number, signature) in analysis.program.signatures.iter().enumerate() {
            // One that says nothing of its evidence has another lint.
            if signature.meta.grade == Grade::Unverified
                && let Some(said) = own::said(signature, analysis, "evidence")
            {
                let name = &signature.name;
                let message = say!("signature `{name}` is in no release", "シグネチャ`{name}`はリリースに含まれません");
                let label = say!("nobody has verified it", "未確認です");
                found.push((number, LINT.finding(signature, said.span, message, label).help(help())));
            }
        }
        for told in told::tables(analysis) {
            let rows = &told.table.rows;
            let mut unverified = (0..rows.len()).filter(|row| told.table.grade(*row) == Some(Grade::Unverified));
            let Some(first) = unverified.next() else { continue };
            let (count, table) = (1 + unverified.count(), &told.item.name.value);
            let key = told.key(&rows[first]).unwrap_or_default();
            let message = say!(
                "{count} rows of `{table}` are in no release, `{key}` the first of them",
                "`{table}`の{count}行はリリースに含まれません。最初の行は`{key}`です"
            );
            let problem = told.finding(&LINT, &rows[first], message, say!("nobody has verified it", "未確認です"));
            told.tell(problem.help(help()), found);
        }
    }),
};
