//! Problems of what must hold: lines, patterns, captures, absence.

use ksig_lang::{CodeDoc, Text};

/// By name.
pub const CODES: &[CodeDoc] = &[
    CodeDoc {
        code: "at-least-out-of-range",
        meaning: Text::new(
            "`at least N of { }` asks for more lines than the group holds, or for none, so it would always say the same.",
            "`at least N of { }`が求める行数が、グループの行数より多いか0です。このままでは結果が常に同じになります。",
        ),
        bad: r#"
  match { at least 3 of { top.status == 200; top.html.title present } }
  identify { vendor = acme }
"#,
        good: r#"
  match { at least 1 of { top.status == 200; top.html.title present } }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "bad-pattern",
        meaning: Text::new(
            "The regular expression cannot be read. ksig takes the syntax of Rust's `regex` crate with named groups only; `^` and `$` are the ends of the text, and there is no look-around and no backreference, so that every pattern runs in linear time.",
            "正規表現を読み取れません。構文はRustの`regex`クレートに準じ、グループは名前付きのものだけです。`^`と`$`はテキストの先頭と末尾を表します。どのパターンも線形時間で動くよう、先読み・後読みと後方参照はありません。",
        ),
        bad: r#"
  match { top.html.title ~ /^ACME (AC-\d+)$/ }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title ~ /^ACME (?:AC-\d+)$/ }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "bound-twice",
        meaning: Text::new(
            "A capture binds its name for the rest of the signature, once. Only branches of one `any { }` may bind the same name, since one of them is taken.",
            "キャプチャは、シグネチャの残りの部分に対して名前を一度だけ束縛します。同じ名前を束縛できるのは、いずれか一つが採用される`any { }`の分岐どうしだけです。",
        ),
        bad: r#"
  match {
    top.html.title ~ /^ACME (?<model>AC-\d+)$/
    top.header["server"] ~ /^acme\/(?<model>AC-\d+)$/
  }
  identify { vendor = acme; model = model }
"#,
        good: r#"
  match {
    any {
      top.html.title ~ /^ACME (?<model>AC-\d+)$/
      top.header["server"] ~ /^acme\/(?<model>AC-\d+)$/
    }
  }
  identify { vendor = acme; model = model }
"#,
    },
    CodeDoc {
        code: "bytes-text-mismatch",
        meaning: Text::new(
            "Bytes are matched by `b/.../`, text by `/.../`. Text was decoded from some charset, bytes never were, so one pattern cannot mean the same for both.",
            "バイト列は`b/.../`、テキストは`/.../`で照合します。テキストは文字コードから復号されたもので、バイト列は受信したままのものです。一つのパターンが両方で同じ意味になることはありません。",
        ),
        bad: r#"
  match { top.raw ~ /AC-10/ }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.raw ~ b/AC-10/ }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "capture-outside-match",
        meaning: Text::new(
            "A named group stands where it would bind nothing: under `not`, in `none { }`, in a guard, over a value that is no field, beside `(?<_>...)`. Use `(?:...)`, or `(?<_>...)` for a value.",
            "名前付きグループが、何も束縛しない場所にあります。`not`の中、`none { }`の中、ガードの中、フィールド以外の値に対するパターン、`(?<_>...)`と同じパターンの中などです。`(?:...)`を使うか、値を得る場合は`(?<_>...)`を使ってください。",
        ),
        bad: r#"
  match { none { top.html.title ~ /(?<model>AC-\d+)/ } }
  identify { vendor = acme }
"#,
        good: r#"
  match { none { top.html.title ~ /AC-\d+/ } }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "label-of-group",
        meaning: Text::new(
            "A label names a line: `ksig why` shows it there, and `expect no_match because` looks for it. What made a group true or false are its lines, so the label stands before one of them. A line over each element is a line.",
            "ラベルは行の名前です。`ksig why`に表示され、`expect no_match because`で指定できます。グループの真偽を決めるのはその中の行なので、ラベルは行に付けます。各要素についての行にも付けられます。",
        ),
        bad: r#"
  match { "a title": any { top.html.title == "ACME"; top.html.title == "ACME AC" } }
  identify { vendor = acme }
"#,
        good: r#"
  match { any { "a title": top.html.title == "ACME"; "a series": top.html.title == "ACME AC" } }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "negation-may-be-missing",
        meaning: Text::new(
            "`not` over a value that may be missing is neither true nor false: no title is not \"another title\". Say what a missing one means: `x absent or not x ~ /.../` takes it in, `x present and not ...` leaves it out.",
            "欠けることのある値に対する`not`は、真とも偽とも決まりません。タイトルがないことは「別のタイトルである」ことではないからです。欠けている場合の意味を書いてください。`x absent or not x ~ /.../`は含め、`x present and not ...`は除きます。",
        ),
        bad: r#"
  match { not top.header["server"] contains "nginx" }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.header["server"] present and not top.header["server"] contains "nginx" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "no-match-block",
        meaning: Text::new(
            "A signature says what must hold, in `match { }`. One without would match every device.",
            "シグネチャには、成立すべき条件を`match { }`で書きます。条件がなければ、すべての機器に該当してしまいます。",
        ),
        bad: r#"
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title == "ACME" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "unknown-flag",
        meaning: Text::new(
            "A pattern's flags are `i` (ASCII letters in either case), `iu` (all letters in either case), `m` (`^` and `$` are of lines), `s` (`.` takes a newline) and `fold_width` (full and half width are the same).",
            "パターンのフラグは`i`（ASCII文字の大文字と小文字を区別しない）、`iu`（すべての文字の大文字と小文字を区別しない）、`m`（`^`と`$`が行の先頭と末尾）、`s`（`.`が改行にも一致）、`fold_width`（全角と半角を区別しない）です。",
        ),
        bad: r#"
  match { top.html.title ~ /acme/g }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title ~ /acme/i }
  identify { vendor = acme }
"#,
    },
];
