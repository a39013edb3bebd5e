//! A column that no signature reads: see [`LINT`].

use std::collections::{BTreeMap, BTreeSet};

use ksig_lang::ast::Item;
use ksig_lang::{CodeDoc, Diagnostic, Severity, Text, say};
use ksig_schema::Type;

use super::{Lint, Look};
use crate::hir::ExprKind;
use crate::names::{full_name, module_of};

/// Columns that speak of the row itself, to its readers.
const RESERVED: [&str; 3] = ["evidence", "source", "checked"];

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "unused-table-column",
        meaning: Text::new(
            "Signatures read a table, and none of them this column: somebody keeps its cells for nothing, or a slot or a tag was forgotten that should show them. The key, a column with history, and `evidence`, `source` and `checked` say something by themselves.",
            "シグネチャが参照するテーブルに、どのシグネチャからも読まれない列があります。無駄に維持されているか、その値を示すはずのスロットやタグの書き忘れです。キー、`history`の列、`evidence`、`source`、`checked`は、読まれなくても意味を持ちます。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }

table models {
  model  : text key
  series : text
  ends   : date?
  row "BRL-04UR", "BRL", 2026-06-30
}

probe top = http.get("/")

signature one {
  summary "ACME BRL router, model in the Basic realm"
  match { top.auth.basic.realm ~ /^(?<model in models>)$/ }
  identify { vendor = acme; series = models[model].series; model = model }
  example "BRL-04UR" in top.auth.basic.realm => { series: "BRL", model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }

table models {
  model  : text key
  series : text
  ends   : date?
  row "BRL-04UR", "BRL", 2026-06-30
}

probe top = http.get("/")

signature one {
  summary "ACME BRL router, model in the Basic realm"
  match { top.auth.basic.realm ~ /^(?<model in models>)$/ }
  identify { vendor = acme; series = models[model].series; model = model }
  support { ends = models[model].ends }
  example "BRL-04UR" in top.auth.basic.realm => { series: "BRL", model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
}
"#,
    },
    level: Severity::Warning,
    look: Look::Set(|analysis, found| {
        let mut readers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut read: BTreeSet<(&str, u32)> = BTreeSet::new();
        for (number, signature) in analysis.program.signatures.iter().enumerate() {
            signature.walk(&mut |expr| match &expr.kind {
                ExprKind::Row(table, _) => {
                    readers.entry(table).or_insert(number);
                }
                ExprKind::Column(row, column) => {
                    if let Type::Row(table) = row.ty.required() {
                        readers.entry(table).or_insert(number);
                        read.insert((table, *column));
                    }
                }
                ExprKind::Latest { table, column, .. } => {
                    readers.entry(table).or_insert(number);
                    read.insert((table, *column));
                }
                _ => {}
            });
        }
        for (file, ast) in analysis.files.iter().enumerate() {
            for item in &ast.items {
                let Item::Table(table) = item else { continue };
                let name = full_name(&module_of(ast), &table.name.value);
                let Some(reader) = readers.get(name.as_str()) else { continue };
                for (at, column) in table.columns.iter().enumerate() {
                    let word = &column.name.value;
                    let speaks = column.key || column.history || RESERVED.contains(&word.as_str());
                    if speaks || read.contains(&(name.as_str(), at as u32)) {
                        continue;
                    }
                    let message = say!("no signature reads the column `{word}`", "列`{word}`はどのシグネチャからも読まれていません");
                    let label = say!("kept for nothing, or forgotten", "不要な列か、参照のし忘れです");
                    let problem = Diagnostic::error(LINT.doc.code, message, file as u32, column.name.span, label);
                    found.push((
                        *reader,
                        problem.help(say!(
                            "read it in a slot, a tag or `support`, or leave it out",
                            "スロット、タグ、`support`で参照するか、列を削除してください"
                        )),
                    ));
                }
            }
        }
    }),
};
