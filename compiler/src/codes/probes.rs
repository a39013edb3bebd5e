//! Problems of what is asked: probes and follows.

use ksig_lang::{CodeDoc, Text};

/// By name.
pub const CODES: &[CodeDoc] = &[
    CodeDoc {
        code: "follow-without-gate",
        meaning: Text::new(
            "A `follow` is sent only after the first stage matched, so the signature needs lines of `match` about its first-stage probes. Otherwise the follow would go to every host.",
            "`follow`は第1段が成立した後にだけ送られるため、第1段のプローブに対する`match`の行が必要です。条件がなければ、すべてのホストに送られてしまいます。",
        ),
        bad: r#"
  follow about = http.get("/version.txt")
  match about { about.status == 200 }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title == "ACME" }
  follow about = http.get("/version.txt")
  match about { about.status == 200 }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "match-of-unknown-follow",
        meaning: Text::new(
            "`match name { }` speaks of the answer to a `follow` of the same signature, and there is none of that name.",
            "`match name { }`は同じシグネチャの`follow`の応答に対する条件ですが、その名前の`follow`がありません。",
        ),
        bad: r#"
  match { top.html.title == "ACME" }
  match about { top.status == 200 }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title == "ACME" }
  follow about = http.get("/version.txt")
  match about { about.status == 200 }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "probe-not-benign",
        meaning: Text::new(
            "The request is not one that a normal client sends. Paths are literal, without query, `..` or encoded separators; every other argument is one of a closed list.",
            "通常のクライアントが送るリクエストではありません。パスは固定の文字列で、クエリー、`..`、エンコードされた区切り文字を含みません。それ以外の引数は、決められた一覧の中から選びます。",
        ),
        bad: r#"
  probe page = http.get("/../etc/passwd")
  match { page.status == 200 }
  identify { vendor = acme }
"#,
        good: r#"
  probe page = http.get("/index.html")
  match { page.status == 200 }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "unknown-probe",
        meaning: Text::new(
            "Probes are harmless by construction: only the constructors that the protocols declare exist, and none of them changes anything on a device. `ksig show fields` lists them.",
            "プローブは仕組みとして無害です。使えるのはプロトコルで宣言されたものだけで、機器の状態を変えるものはありません。一覧は`ksig show fields`で確認できます。",
        ),
        bad: r#"
  probe page = http.post("/")
  match { page.status == 200 }
  identify { vendor = acme }
"#,
        good: r#"
  probe page = http.get("/")
  match { page.status == 200 }
  identify { vendor = acme }
"#,
    },
];
