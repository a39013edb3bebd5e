//! Problems of values: types, literals, versions, fields.

use ksig_lang::{CodeDoc, Text};

/// By name.
pub const CODES: &[CodeDoc] = &[
    CodeDoc {
        code: "bad-literal",
        meaning: Text::new(
            "The literal is not of the type that its place needs, such as a version that its scheme does not read, or a character that the encoding of a bytes literal does not have.",
            "リテラルが、その場所に必要な型の値として読めません。バージョン体系で読めないバージョンや、バイト列リテラルの文字コードにない文字などです。",
        ),
        bad: r#"
  match { top.html.title ~ /^ACME (?<fw: version(revision)>\S+)$/; fw == v"1.2" }
  identify { vendor = acme; version = fw }
"#,
        good: r#"
  match { top.html.title ~ /^ACME (?<fw: version(revision)>\S+)$/; fw == v"1.2.3" }
  identify { vendor = acme; version = fw }
"#,
    },
    CodeDoc {
        code: "bad-scheme",
        meaning: Text::new(
            "A version scheme is `dotted`, `semver`, `date`, or `dotted(parts: N, train: leading N)`. It says how versions are read and ordered; at least one part stands behind the train, to order by.",
            "バージョン体系は`dotted`、`semver`、`date`、`dotted(parts: N, train: leading N)`のいずれかです。バージョンの読み方と順序を決めます。系列の後には、順序を決める部分が一つ以上必要です。",
        ),
        bad: "ksig 1\nmodule a\nscheme odd = roman\n",
        good: "ksig 1\nmodule a\nscheme even = dotted(parts: 3, train: leading 2)\n",
    },
    CodeDoc {
        code: "bad-type",
        meaning: Text::new(
            "The type is not one of the language's, or one that cannot stand here: a list says of what, and not of lists or of values that may be missing; a bound is of a date or a version; a key is never missing; and text is never read as a vendor, a class or something with parts.",
            "言語にない型か、ここでは使えない型です。リストには要素の型が必要で、リストや欠けることのある値は要素にできません。`bound`にできるのは日付とバージョンだけで、キー列は欠けることがありません。また、テキストをベンダー、機器種別、要素を持つ型として読み取ることはできません。",
        ),
        bad: r#"
  match { top.html.title ~ /^ACME (?<fw: number>\d+)$/ }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title ~ /^ACME (?<fw: int>\d+)$/ }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "field-needs-key",
        meaning: Text::new(
            "The field is a map, such as the headers: say which entry.",
            "このフィールドは、ヘッダーなどのマップです。どの項目かをキーで指定してください。",
        ),
        bad: r#"
  match { top.header == "acme" }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.header["server"] == "acme" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "field-takes-no-key",
        meaning: Text::new(
            "The field is one value and no map, so it has no entries to choose from.",
            "このフィールドは単一の値であり、マップではないため、キーで選ぶ項目がありません。",
        ),
        bad: r#"
  match { top.status["x"] == 200 }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.status == 200 }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "no-such-part",
        meaning: Text::new(
            "Only rows of a table have columns and only probes have fields; a text or a number has no parts.",
            "列を持つのはテーブルの行、フィールドを持つのはプローブだけです。テキストや数値に要素はありません。",
        ),
        bad: r#"
  match { top.html.title ~ /^(?<model>\S+)/; model.length == 3 }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title ~ /^(?<model>\S{3})$/ }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "not-ordered",
        meaning: Text::new(
            "Only numbers, dates and versions are ordered. The order of texts would depend on a language and make \"1.10\" less than \"1.9\"; read a version inside a text with a typed capture.",
            "順序があるのは数値、日付、バージョンだけです。テキストの順序は言語に依存し、\"1.10\"が\"1.9\"より前になってしまいます。テキスト中のバージョンは型付きキャプチャで読み取ってください。",
        ),
        bad: r#"
  match { top.html.title ~ /^ACME (?<fw>[\d.]+)$/; fw < "1.20" }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title ~ /^ACME (?<fw: version(dotted)>[\d.]+)$/; fw < v"1.20" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "type-mismatch",
        meaning: Text::new(
            "The types differ. Nothing is converted silently: literals take the type of their place, typed captures and `extract` convert, and what does not convert is missing.",
            "型が一致しません。暗黙の変換は行いません。リテラルはその場所の型になり、型付きキャプチャと`extract`は変換を行います。変換できない値は欠けたものとして扱います。",
        ),
        bad: r#"
  match { top.status == "200" }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.status == 200 }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "unexpected-form",
        meaning: Text::new(
            "The form is right elsewhere and not here; the label says what is expected. A pattern, for example, stands after `~` only, and `~` takes a pattern and no text.",
            "他の場所では正しい書き方ですが、ここには書けません。何が必要かはラベルに示されます。たとえばパターンは`~`の後だけに書け、`~`の後にテキストは書けません。",
        ),
        bad: r#"
  match { top.html.title ~ "AC-1" }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title ~ /AC-1/ }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "unknown-field",
        meaning: Text::new(
            "No protocol has such a field. `ksig show fields` lists all of them with what they hold.",
            "どのプロトコルにもそのフィールドはありません。すべてのフィールドとその内容は`ksig show fields`で確認できます。",
        ),
        bad: r#"
  match { top.html.titel == "ACME" }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title == "ACME" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "unknown-function",
        meaning: Text::new(
            "There is one function, `latest(table.column, key, at day)`, for tables with history.",
            "使える関数は、履歴を持つテーブルを参照する`latest(テーブル.列, キー, at 日付)`だけです。",
        ),
        bad: "match { top.html.title == \"ACME\" }\nlet newest = newest(models.latest, \"AC-1\", at scan.date)\nidentify { vendor = acme }\n",
        good: "match { top.html.title == \"ACME\" }\nlet newest = models[\"AC-1\"].latest\nidentify { vendor = acme }\n",
    },
    CodeDoc {
        code: "unknown-prefix",
        meaning: Text::new(
            "A text literal with a prefix is a literal of another type: `v` a version, `h` a hash in hexadecimal, `b` bytes, `sjis` and `eucjp` bytes in that encoding, `cpe` a CPE name. There are no others.",
            "接頭辞の付いたテキストは別の型のリテラルです。`v`はバージョン、`h`は16進数のハッシュ、`b`はバイト列、`sjis`と`eucjp`はその文字コードのバイト列、`cpe`はCPE名です。ほかの接頭辞はありません。",
        ),
        bad: r#"
  match { top.html.title == q"AC-1" }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title == "AC-1" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "version-scheme-mismatch",
        meaning: Text::new(
            "Versions are ordered only inside one scheme: what comes after `1.10` is another question in each of them. Read both versions by the same scheme.",
            "バージョンの順序は、一つのバージョン体系の中でだけ決まります。`1.10`の次が何かは体系ごとに異なります。両方を同じ体系で読み取ってください。",
        ),
        bad: r#"
  match { top.html.title ~ /^(?<a: version(dotted)>\S+) (?<b: version(semver)>\S+)$/; a < b }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title ~ /^(?<a: version(dotted)>\S+) (?<b: version(dotted)>\S+)$/; a < b }
  identify { vendor = acme }
"#,
    },
];
