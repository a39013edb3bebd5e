//! Support that ends before there was anything to support: see [`LINT`].

use std::collections::{BTreeMap, BTreeSet};

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_runtime::plan::Datum;

use super::{Lint, Look, told};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "eol-before-release",
        meaning: Text::new(
            "A table says that the support of a model ended before its first firmware was released. One of the two days is wrong, or belongs to another model. A later firmware after the end of support is no mistake: makers mend what is dangerous.",
            "最初のファームウェアの公開日より前に、そのモデルのサポートが終了したことになっています。どちらかの日付が誤りか、別のモデルのものです。サポート終了後の追加公開は誤りとはみなしません。危険な不具合は終了後にも修正されるためです。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }

table life {
  model    : text key
  released : date
  ends     : date
  row "AC-1", 2024-04-01, 2016-04-01
}

probe top = http.get("/")

signature one {
  summary "ACME AC router by its title"
  match { top.html.title ~ /^ACME (?<model>AC-\d)$/ }
  identify { vendor = acme; model = model }
  support { ends = life[model].ends }
  details { released = life[model].released }
  example "ACME AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }

table life {
  model    : text key
  released : date
  ends     : date
  row "AC-1", 2014-04-01, 2026-04-01
}

probe top = http.get("/")

signature one {
  summary "ACME AC router by its title"
  match { top.html.title ~ /^ACME (?<model>AC-\d)$/ }
  identify { vendor = acme; model = model }
  support { ends = life[model].ends }
  details { released = life[model].released }
  example "ACME AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
"#,
    },
    level: Severity::Warning,
    look: Look::Set(|analysis, found| {
        let tables = told::tables(analysis);
        let at: BTreeMap<&str, usize> = tables.iter().enumerate().map(|(at, told)| (told.table.name.as_str(), at)).collect();
        // Each pair once, however many signatures read it: the table and the column of ends, the table of releases.
        let mut pairs: BTreeSet<(usize, usize, usize)> = BTreeSet::new();
        for signature in &analysis.program.signatures {
            let Some(support) = &signature.support else { continue };
            let Some((ends, column, _)) = support.ends.as_ref().and_then(|ends| told::cell(signature, ends)) else { continue };
            let Some(&ends) = at.get(ends) else { continue };
            pairs.insert((ends, column, ends));
            let latest = support.latest.as_ref().and_then(|latest| told::cell(signature, latest));
            pairs.extend(latest.and_then(|(table, ..)| at.get(table)).map(|&releases| (ends, column, releases)));
        }
        for (ends, column, releases) in pairs {
            let (ends, releases) = (&tables[ends], &tables[releases]);
            let history = releases.table.history.map(|column| column as usize);
            let Some(released) = history.or_else(|| releases.column("released")) else { continue };
            for row in &ends.table.rows {
                let (Some(end), Some(key)) = (told::last_day(&row[column]), ends.key(row)) else { continue };
                let days = releases.table.rows[releases.table.rows_of(&key)].iter().map(|row| &row[released]);
                let first = days.filter_map(|day| if let Datum::Date(day) = day { Some(*day) } else { None }).min();
                if let Some(first) = first.filter(|first| end < *first) {
                    let message = say!(
                        "support of `{key}` ended on {end}, before its first release on {first}",
                        "`{key}`のサポート終了日{end}が、最初の公開日{first}より前になっています"
                    );
                    let problem = ends.finding(&LINT, row, message, say!("ends too early", "終了日が早すぎます"));
                    let help = say!("compare both days with their sources", "両方の日付を出典と照合してください");
                    ends.tell(problem.help(help), found);
                }
            }
        }
    }),
};
