//! Problems of what is asked: probes and follows.

use ksig_lang::{CodeDoc, Text};

/// By name.
pub const CODES: &[CodeDoc] = &[
    CodeDoc {
        code: "charset-of-a-probe",
        meaning: Text::new(
            "A probe cannot say how its answer is decoded. All text is decoded by one function, so that a field has one value for every signature, in searches and in evidence. Ask for the charset that was found (`top.text.charset`), or for bytes (`sjis\"...\"`).",
            "応答の復号方法をプローブごとに指定することはできません。文字列はすべて一つの関数で復号され、フィールドの値はどのシグネチャでも、検索でも証拠でも同じです。判定された文字コード（`top.text.charset`）かバイト列（`sjis\"...\"`）を条件にしてください。",
        ),
        bad: r#"
  probe page = http.get("/") { charset [shift_jis] }
  match { page.html.title == "ACME" }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.text.charset == "Shift_JIS"; top.html.title == "ACME" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "field-never-filled",
        meaning: Text::new(
            "Probes of one protocol share its fields, and not every one fills all of them: an answer without a body has no page, a handshake has no JARM hash. A line about such a field would say the same of every device. The help names the probes that fill it.",
            "同じプロトコルのプローブはフィールドを共有しますが、どのプローブもすべてを満たすわけではありません。本文のない応答にページはなく、一回のハンドシェイクからJARMハッシュは得られません。そのようなフィールドの条件は、どの機器でも同じ結果になります。得られるプローブはヘルプに示されます。",
        ),
        bad: r#"
  probe t = tls.hello()
  match { t.jarm == "29d29d15d29d29d00042d42d000000cd600c085f371f8533aaf66051f8e5b1" }
  identify { vendor = acme }
"#,
        good: r#"
  probe t = tls.jarm()
  match { t.jarm == "29d29d15d29d29d00042d42d000000cd600c085f371f8533aaf66051f8e5b1" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "follow-needs-at",
        meaning: Text::new(
            "With `scope host` the first-stage probes may be answered on different ports. A follow is asked on the port of one of them: of the one whose answer names its place, or of the only one there is. Otherwise `at` says of which.",
            "`scope host`では、最初のプローブがそれぞれ別のポートで応答することがあります。`follow`はそのうちの一つのポートに送ります。場所を示した応答のポート、またはプローブが一つだけならそのポートです。それ以外の場合は`at`で指定します。",
        ),
        bad: r#"
  scope host
  probe ssh = ssh.banner()
  match {
    top.html.title == "ACME"
    ssh.software starts "acme"
  }
  follow version = http.get("/version.txt")
  identify { vendor = acme; version = version.html.title }
"#,
        good: r#"
  scope host
  probe ssh = ssh.banner()
  match {
    top.html.title == "ACME"
    ssh.software starts "acme"
  }
  follow version = http.get("/version.txt") at top
  identify { vendor = acme; version = version.html.title }
"#,
    },
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
        code: "never-inside-tls",
        meaning: Text::new(
            "`on any tls` asks on every port that speaks TLS, inside it. This protocol is never spoken there: it brings its own encryption, or none, or goes over UDP.",
            "`on any tls`は、TLSで応答するすべてのポートに、TLSの中で送ります。このプロトコルがTLSの中で使われることはありません。独自の暗号化を持つか、暗号化がないか、UDPで送られるものです。",
        ),
        bad: r#"
  probe ssh = ssh.banner() on any tls
  match { ssh.software == "acme" }
  identify { vendor = acme }
"#,
        good: r#"
  probe ssh = ssh.banner() on 22, 2222
  match { ssh.software == "acme" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "not-a-link",
        meaning: Text::new(
            "A follow asks for a place that an answer makes any client fetch: a selector such as `script_src`, a field of links, or a capture of type `path` or `url`. A place that is built from other text would be a request that no client makes.",
            "`follow`が求めるのは、応答がどのクライアントにも取得させる場所です。`script_src`のような関数、リンクのフィールド、`path`型か`url`型のキャプチャが使えます。ほかの文字列から作った場所は、どのクライアントも送らないリクエストになります。",
        ),
        bad: r#"
  match { top.html.title present }
  follow page = http.get(top.html.title)
  match page { page.status == 200 }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title present }
  follow page = http.get(top.html.script_src("/version.js"))
  match page { page.status == 200 }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "probe-budget-exceeded",
        meaning: Text::new(
            "What a signature costs is known before anything is sent: its probes, the bytes that they send, the bytes of their answers that are kept, and the states of its patterns. The policy limits each, by default far above what real signatures need; `[policy.budget]` in `ksig.toml` changes the limits, and `ksig plan --costs` shows what each signature costs.",
            "シグネチャのコストは、何も送信しないうちに決まります。プローブの数、送信バイト数、保存する応答のバイト数、正規表現の状態数です。それぞれにポリシーの上限があり、既定値は実際のシグネチャに必要な値よりはるかに大きくなっています。上限は`ksig.toml`の`[policy.budget]`で変更でき、各シグネチャのコストは`ksig plan --costs`で表示されます。",
        ),
        bad: r#"
  match { any { top.html.title ~ /^\p{L}{47}$/; top.html.title ~ /^\p{L}{48}$/; top.html.title ~ /^\p{L}{49}$/; top.html.title ~ /^\p{L}{50}$/ } }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.title ~ /^\p{L}+$/ }
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
        code: "safety-understated",
        meaning: Text::new(
            "`safety` repeats what the protocol says of a probe. One that says less would hide what is sent.",
            "`safety`は、プロトコルが定めたプローブの安全区分を繰り返すものです。実際より軽い区分を書くと、送る内容が隠れてしまいます。",
        ),
        bad: r#"
  probe page = http.get("/") { safety passive }
  match { page.status == 200 }
  identify { vendor = acme }
"#,
        good: r#"
  probe page = http.get("/") { safety benign }
  match { page.status == 200 }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "too-many-hops",
        meaning: Text::new(
            "A follow waits for the answer that names its place. What the first answers name is one hop away, what a follow's answer names is two; no follow goes further.",
            "`follow`は、その場所を示す応答を待ちます。最初の応答が示す場所は一段先、`follow`の応答が示す場所は二段先で、それより先へは進みません。",
        ),
        bad: r#"
  match { top.html.title == "ACME" }
  follow one = http.get(top.html.script_src("a.js"))
  follow two = http.get(one.html.script_src("b.js"))
  follow three = http.get(two.html.script_src("c.js"))
  identify { vendor = acme; version = three.html.title }
"#,
        good: r#"
  match { top.html.title == "ACME" }
  follow one = http.get(top.html.script_src("a.js"))
  follow two = http.get(one.html.script_src("b.js"))
  identify { vendor = acme; version = two.html.title }
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
    CodeDoc {
        code: "unknown-probe-option",
        meaning: Text::new(
            "A probe's options are `safety` and `requires`; headers, cookies and credentials cannot be said.",
            "プローブに指定できるのは`safety`と`requires`です。ヘッダー、Cookie、認証情報は指定できません。",
        ),
        bad: r#"
  probe page = http.get("/") { cookie "a" }
  match { page.status == 200 }
  identify { vendor = acme }
"#,
        good: r#"
  probe page = http.get("/")
  match { page.status == 200 }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "unknown-selector",
        meaning: Text::new(
            "The field has no such function. `ksig show fields` lists all of them.",
            "そのような関数はフィールドにありません。一覧は`ksig show fields`で確認できます。",
        ),
        bad: r#"
  match { top.html.script_source("/acme.js") present }
  identify { vendor = acme }
"#,
        good: r#"
  match { top.html.script_src("/acme.js") present }
  identify { vendor = acme }
"#,
    },
];
