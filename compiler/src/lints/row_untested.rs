//! A row that was seen, and that no test shows: see [`LINT`].

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_runtime::plan::{Datum, Table};
use ksig_schema::identification::Grade;

use super::{Lint, Look, told};
use crate::hir::{Expect, Fixture, Test};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "row-untested",
        meaning: Text::new(
            "A row of a table says `observed`, so that somebody has the answer of that device, and no test of the signatures that read the table shows it: a key with a letter too many finds nothing, and nobody notices. A row is shown where its key comes out of a test or stands in what it gives. Of a table without grades one row must be shown. Rows that are `documented` or `derived` have no answer to show.",
            "テーブルの行が`observed`（観測済み）とされているのに、そのテーブルを参照するシグネチャのどのテストにも現れません。観測された応答があるはずで、キーの誤記があっても誰も気づけません。キーがテストの結果か入力に現れれば、示されたとみなします。区分の列がないテーブルでは、少なくとも一行を示します。`documented`と`derived`の行には、示すべき応答がありません。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }

table models {
  model    : text key
  series   : text
  evidence : text
  row "AC-1", "AC", "observed"
  row "AC-2", "AC", "observed"
}

probe top = http.get("/")

signature one {
  summary "ACME AC router by its title"
  match { top.html.title ~ /^ACME (?<model in models>)$/ }
  identify { vendor = acme; series = models[model].series; model = model }
  example "ACME AC-1" in top.html.title => { series: "AC", model: "AC-1" }
  example "Login" in top.html.title => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }

table models {
  model    : text key
  series   : text
  evidence : text
  row "AC-1", "AC", "observed"
  row "AC-2", "AC", "derived"
}

probe top = http.get("/")

signature one {
  summary "ACME AC router by its title"
  match { top.html.title ~ /^ACME (?<model in models>)$/ }
  identify { vendor = acme; series = models[model].series; model = model }
  example "ACME AC-1" in top.html.title => { series: "AC", model: "AC-1" }
  example "Login" in top.html.title => nothing
}
"#,
    },
    level: Severity::Warning,
    look: Look::Set(|analysis, found| {
        for told in told::tables(analysis) {
            let tests: Vec<&Test> = told.readers.iter().flat_map(|reader| &analysis.program.signatures[*reader].tests).collect();
            let positive = |test: &&Test| test.expect.iter().any(|expect| !matches!(expect, Expect::NoMatch(..)));
            // Without a test that it matches there is another thing to say.
            if told.table.key.is_none() || !tests.iter().any(positive) {
                continue;
            }
            let keys: Vec<Cow<'_, str>> = told.table.rows.iter().filter_map(|row| told.key(row)).collect();
            let shown = Shown::of(told.table, &tests, &keys);
            let graded = told.column("evidence").is_some();
            let is_shown = |row: &[Datum]| told.key(row).is_none_or(|key| shown.has(told.table, &key));
            let rows = &told.table.rows;
            let untested: Vec<&Vec<Datum>> = if graded {
                let observed = (0..rows.len()).filter(|row| told.table.grade(*row) == Some(Grade::Observed));
                observed.map(|row| &rows[row]).filter(|row| !is_shown(row)).collect()
            } else if rows.iter().any(|row| is_shown(row)) {
                Vec::new()
            } else {
                rows.iter().collect()
            };
            let Some(first) = untested.first() else { continue };
            let (count, table, key) = (untested.len(), &told.item.name.value, told.key(first).unwrap_or_default());
            let message = match (graded, count) {
                (true, 1) => say!("no test shows the row `{key}` of `{table}`", "`{table}`の行`{key}`を示すテストがありません"),
                (true, _) => say!(
                    "no test shows {count} rows of `{table}` that were observed, `{key}` the first of them",
                    "`{table}`の観測済みの{count}行を示すテストがありません。最初の行は`{key}`です"
                ),
                (false, _) => say!("no test shows any row of `{table}`", "`{table}`の行を示すテストが一つもありません"),
            };
            let problem = told.finding(&LINT, first, message, say!("never looked up", "一度も参照されていません"));
            told.tell(problem.help(say!("show the answer that was seen", "観測した応答を示すテストを書いてください")), found);
        }
    }),
};

/// What tests give and say comes out.
struct Shown<'a> {
    /// Values, as keys of the table are compared.
    values: BTreeSet<String>,
    /// Keys that stand somewhere in an answer.
    keys: HashSet<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(table: &Table, tests: &[&Test], keys: &'a [Cow<'a, str>]) -> Shown<'a> {
        let (mut values, mut texts) = (BTreeSet::new(), Vec::new());
        let mut value = |datum: &Datum| values.extend(Table::key_text(datum).map(|text| table.folded(&text).into_owned()));
        for test in tests {
            for expect in &test.expect {
                if let Expect::Identify(said, _) | Expect::Captures(said, _) | Expect::Resolved(said, _) = expect {
                    said.iter().for_each(|(_, datum)| value(datum));
                }
            }
            for (_, fixture) in &test.given {
                match fixture {
                    Fixture::Inline { text, .. } => texts.push(text.as_str().into()),
                    Fixture::Bytes(bytes) => texts.push(String::from_utf8_lossy(bytes)),
                    Fixture::Value(_, datum) => given(datum, &mut value, &mut texts),
                    Fixture::Facts(facts) => facts.iter().for_each(|(_, datum)| given(datum, &mut value, &mut texts)),
                    Fixture::Timeout | Fixture::Refused => {}
                }
            }
        }
        Shown { values, keys: standing_in(&texts, keys) }
    }

    fn has(&self, table: &Table, key: &str) -> bool {
        self.values.contains(table.folded(key).as_ref()) || self.keys.contains(key)
    }
}

/// The keys that stand in one of the texts. Each place of a text is looked at for each length of a key that begins with its byte, so that twice
/// the rows and twice the tests take twice as long.
fn standing_in<'k>(texts: &[Cow<'_, str>], keys: &'k [Cow<'k, str>]) -> HashSet<&'k str> {
    let known: HashSet<&str> = keys.iter().map(|key| key.as_ref()).collect();
    let mut lengths: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); 256];
    for key in &known {
        key.bytes().take(1).for_each(|first| _ = lengths[usize::from(first)].insert(key.len()));
    }
    let mut found = HashSet::new();
    for text in texts {
        for (at, first) in text.bytes().enumerate() {
            let words = lengths[usize::from(first)].iter().filter_map(|length| text.get(at..at + length));
            found.extend(words.filter_map(|word| known.get(word)));
        }
    }
    found
}

fn given<'a>(datum: &'a Datum, value: &mut impl FnMut(&Datum), texts: &mut Vec<Cow<'a, str>>) {
    match datum {
        Datum::Text(text) => texts.push(text.as_str().into()),
        _ => value(datum),
    }
}
