//! Problems of tables and of files beside a signature.

use ksig_lang::{CodeDoc, Text};

/// By name.
pub const CODES: &[CodeDoc] = &[
    CodeDoc {
        code: "bad-table-row",
        meaning: Text::new(
            "A row of a table, in the file or in a CSV beside it, has the wrong number of cells, or a cell that is not of its column's type. Nothing is dropped silently: mend the row. A column whose cells may be empty has a type with `?`.",
            "テーブルの行（ファイル内、または隣のCSV）のセル数が合わないか、セルの値が列の型ではありません。行を黙って捨てることはないため、行を直してください。空のセルがありうる列の型には`?`を付けます。",
        ),
        bad: r#"ksig 1
module a
table models {
  model : text key
  ends  : date?
  row "AC-1", "soon"
}
"#,
        good: r#"ksig 1
module a
table models {
  model : text key
  ends  : date?
  row "AC-1", absent
}
"#,
    },
    CodeDoc {
        code: "missing-file",
        meaning: Text::new(
            "A table or a fixture is not beside the signature. Paths are relative to the folder of the signature's file and never lead out of the signatures.",
            "テーブルまたはフィクスチャのファイルが見つかりません。パスはシグネチャのファイルがあるフォルダーからの相対パスで、シグネチャのルートの外を指すことはできません。",
        ),
        bad: r#"ksig 1
module a
table models from "models.csv" { model : text key }
"#,
        good: r#"ksig 1
module a
table models {
  model : text key
  row "AC-1"
}
"#,
    },
    CodeDoc {
        code: "second-key",
        meaning: Text::new(
            "A table has one key column, by which its rows are looked up.",
            "テーブルのキー列は一つだけです。行はその列で参照します。",
        ),
        bad: r#"ksig 1
module a
table models {
  model : text key
  code  : text key
}
"#,
        good: r#"ksig 1
module a
table models {
  model : text key
  code  : text
}
"#,
    },
    CodeDoc {
        code: "table-key-duplicate",
        meaning: Text::new(
            "Two rows have the same key, so that a lookup would depend on their order.",
            "二つの行のキーが同じです。このままでは、参照の結果が行の順序に依存してしまいます。",
        ),
        bad: r#"ksig 1
module a
table models {
  model : text key
  row "AC-1"
  row "AC-1"
}
"#,
        good: r#"ksig 1
module a
table models {
  model : text key
  row "AC-1"
  row "AC-2"
}
"#,
    },
    CodeDoc {
        code: "table-keys-overlap",
        meaning: Text::new(
            "Two rows of a table whose keys are ranges share a value, so that a lookup would depend on their order.",
            "キーが範囲であるテーブルの二つの行に、同じ値が含まれています。参照の結果が行の順序に左右されてしまいます。",
        ),
        bad: r#"ksig 1
module a
table generations {
  web  : range<version(dotted)> key
  name : text
  row v"1.0" ..= v"2.0", "first"
  row at_least v"2.0",   "second"
}
"#,
        good: r#"ksig 1
module a
table generations {
  web  : range<version(dotted)> key
  name : text
  row v"1.0" ..< v"2.0", "first"
  row at_least v"2.0",   "second"
}
"#,
    },
    CodeDoc {
        code: "table-with-history",
        meaning: Text::new(
            "A table with history has several rows of one key, each from its day on. `latest(table.column, key, at day)` says what holds on a day.",
            "履歴を持つテーブルには、同じキーの行が複数あり、それぞれの日付から有効です。ある日に有効な値は`latest(テーブル.列, キー, at 日付)`で参照します。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }
table firmware {
  model    : text key
  version  : version(dotted)
  released : date history
  row "AC-1", v"1.0", 2025-01-01
}
probe top = http.get("/")
signature s {
  match { top.html.title == "AC-1" }
  identify { vendor = acme; version = firmware["AC-1"].version }
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }
table firmware {
  model    : text key
  version  : version(dotted)
  released : date history
  row "AC-1", v"1.0", 2025-01-01
}
probe top = http.get("/")
signature s {
  match { top.html.title == "AC-1" }
  identify { vendor = acme; model = "AC-1" }
  support { latest = latest(firmware.version, "AC-1", at scan.date) }
}
"#,
    },
    CodeDoc {
        code: "table-without-key",
        meaning: Text::new(
            "A table that is looked up has a key column: write `key` after the type of the column that names a row.",
            "参照するテーブルにはキー列が必要です。行を識別する列の型の後に`key`と書いてください。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }
table models { model : text; row "AC-1" }
probe top = http.get("/")
signature s {
  match { top.html.title == "ACME" }
  identify { vendor = acme; model = models["AC-1"].model }
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }
table models { model : text key; row "AC-1" }
probe top = http.get("/")
signature s {
  match { top.html.title == "ACME" }
  identify { vendor = acme; model = models["AC-1"].model }
}
"#,
    },
    CodeDoc {
        code: "unknown-column",
        meaning: Text::new("The table has no such column.", "テーブルにその列はありません。"),
        bad: r#"
  match { top.status == 200 }
  identify { vendor = acme; series = models["AC-1"].serie }
"#,
        good: r#"
  match { top.status == 200 }
  identify { vendor = acme; series = models["AC-1"].series }
"#,
    },
];
