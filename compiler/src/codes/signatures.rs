//! Problems of what a signature says: metadata, identity, tests, and how signatures stand to each other.

use ksig_lang::{CodeDoc, Text};

/// By name.
pub const CODES: &[CodeDoc] = &[
    CodeDoc {
        code: "bad-metadata",
        meaning: Text::new(
            "`summary`, `added`, `evidence` and their like each have one form; the help shows it.",
            "`summary`、`added`、`evidence`などの書き方はそれぞれ一つに決まっています。正しい書き方はヘルプに示されます。",
        ),
        bad: r#"
  added "yesterday"
  match { top.html.title == "ACME" }
  identify { vendor = acme }
"#,
        good: r#"
  added 2026-06-30
  match { top.html.title == "ACME" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "component-without-product",
        meaning: Text::new(
            "A component names its `product`: a version alone would be the version of nothing.",
            "`component`には`product`が必要です。バージョンだけでは、何のバージョンかわかりません。",
        ),
        bad: r#"
  match { top.html.title == "ACME" }
  component { vendor = acme; version = "1.0" }
"#,
        good: r#"
  match { top.html.title == "ACME" }
  component { vendor = acme; product = "acme-httpd"; version = "1.0" }
"#,
    },
    CodeDoc {
        code: "empty-choice",
        meaning: Text::new(
            "A choice lists the signatures of which the first that matches stands, and this one lists none.",
            "`choice`は、最初に該当したものを採用するシグネチャの一覧です。この一覧は空です。",
        ),
        bad: "ksig 1\nmodule a\nchoice either { }\n",
        good: r#"ksig 1
module a
use vocab.vendors { acme }
probe top = http.get("/")
choice either { one }
signature one { match { top.html.title == "ACME" }; identify { vendor = acme } }
"#,
    },
    CodeDoc {
        code: "empty-name",
        meaning: Text::new(
            "A label names a line, and a test says what it shows; `because` names one of the lines. Empty quotes name nothing, or everything.",
            "ラベルは行の名前、テストの名前はそのテストが示す内容です。`because`は行を一つ指します。空の引用符は何も指さないか、すべてを指してしまいます。",
        ),
        bad: r#"
  match { "": top.html.title == "ACME" }
  identify { vendor = acme }
"#,
        good: r#"
  match { "the title": top.html.title == "ACME" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "evidence-without-source",
        meaning: Text::new(
            "`evidence observed`, `documented` and `derived` name where the knowledge comes from, so that another person can check it.",
            "`evidence observed`、`documented`、`derived`には、他の人が確かめられるように出典を書きます。",
        ),
        bad: r#"
  evidence observed
  match { top.html.title == "ACME" }
  identify { vendor = acme }
"#,
        good: r#"
  evidence observed "the administration page of an AC-10"
  match { top.html.title == "ACME" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "fixture-form",
        meaning: Text::new(
            "The word before a heredoc is the protocol of its probe, and says how the lines stand on the wire. Protocols of bytes, such as TLS and SNMP, have no such form: their answers are files of bytes, or facts.",
            "ヒアドキュメントの前の語はプローブのプロトコルで、各行が通信上どう送られるかを決めます。TLSやSNMPのようなバイナリーのプロトコルにこの形はなく、応答はバイト列のファイルかファクトで書きます。",
        ),
        bad: r#"
  probe t = tls.hello()
  match { t.cert.subject.cn == "ACME" }
  identify { vendor = acme }
  test "a certificate" {
    given t = tls"""
      CN=ACME
      """
    expect identify { vendor: acme }
  }
"#,
        good: r#"
  probe t = tls.hello()
  match { t.cert.subject.cn == "ACME" }
  identify { vendor = acme }
  test "a certificate" {
    given t = tls { cert.subject: "CN=ACME" }
    expect identify { vendor: acme }
  }
"#,
    },
    CodeDoc {
        code: "identifies-nothing",
        meaning: Text::new(
            "A signature says what a device is (`identify`) or what software runs (`component`).",
            "シグネチャには、機器が何であるか（`identify`）、または動作しているソフトウェアが何であるか（`component`）を書きます。",
        ),
        bad: r#"
  match { top.html.title == "ACME" }
"#,
        good: r#"
  match { top.html.title == "ACME" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "member-twice",
        meaning: Text::new(
            "A signature stands once in one choice: its place there says what gives way to what.",
            "シグネチャを書けるのは、一つの`choice`に一度だけです。その中での位置が優先順位を表します。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }
probe top = http.get("/")
choice either { one; one }
signature one { match { top.html.title == "ACME" }; identify { vendor = acme } }
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }
probe top = http.get("/")
choice either { one; other }
signature one { match { top.html.title == "ACME" }; identify { vendor = acme } }
signature other { match { top.status == 200 }; identify { vendor = acme } }
"#,
    },
    CodeDoc {
        code: "refines-cycle",
        meaning: Text::new(
            "`refines` must lead to a base, in a few steps: a signature that refines itself would inherit its condition from nowhere.",
            "`refines`をたどると、基になるシグネチャに行き着かなければなりません。自分自身を詳細化するシグネチャには、引き継ぐ条件がありません。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }
signature one refines two { identify { vendor = acme } }
signature two refines one { identify { vendor = acme } }
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }
probe top = http.get("/")
signature one { match { top.html.title == "ACME" }; identify { vendor = acme } }
signature two refines one { identify { vendor = acme } }
"#,
    },
    CodeDoc {
        code: "said-twice",
        meaning: Text::new(
            "A statement, a slot, an option or a port that may stand once stands twice, and nothing says which is meant.",
            "一度しか書けない文、スロット、オプション、ポートが二度書かれています。どちらが正しいかは決められません。",
        ),
        bad: r#"
  summary "ACME router"
  summary "ACME AC router"
  match { top.html.title == "ACME" }
  identify { vendor = acme }
"#,
        good: r#"
  summary "ACME AC router"
  match { top.html.title == "ACME" }
  identify { vendor = acme }
"#,
    },
    CodeDoc {
        code: "scope-below-base",
        meaning: Text::new(
            "A signature holds only where its base does. What its base says of the whole host cannot be asked of one service, so `scope` can widen what is inherited, never narrow it.",
            "シグネチャは、基になるシグネチャが成り立つところでだけ成り立ちます。ホスト全体についての条件を一つのサービスに問うことはできないため、`scope`は範囲を広げるだけで、狭めることはできません。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }
probe top = http.get("/")
signature one { scope host; match { top.html.title == "ACME" }; identify { vendor = acme } }
signature two refines one { scope service; identify { vendor = acme } }
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }
probe top = http.get("/")
signature one { match { top.html.title == "ACME" }; identify { vendor = acme } }
signature two refines one { scope host; identify { vendor = acme } }
"#,
    },
    CodeDoc {
        code: "test-expects-nothing",
        meaning: Text::new(
            "A test without `expect` cannot fail, so it shows nothing.",
            "`expect`のないテストは失敗することがなく、何も示しません。",
        ),
        bad: r#"
  match { top.html.title == "ACME" }
  identify { vendor = acme }
  test "refused" { given top = refused }
"#,
        good: r#"
  match { top.html.title == "ACME" }
  identify { vendor = acme }
  test "refused" { given top = refused; expect no_match }
"#,
    },
    CodeDoc {
        code: "unknown-base",
        meaning: Text::new(
            "`refines` names no signature of this file, none that is imported, and no full name of one.",
            "`refines`の対象が、このファイルのシグネチャにも、インポートされたシグネチャにも、完全な名前で指定したシグネチャにも見つかりません。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }
signature s refines missing { identify { vendor = acme } }
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }
probe top = http.get("/")
signature base { match { top.html.title == "ACME" }; identify { vendor = acme } }
signature s refines base { identify { vendor = acme; model = "AC-1" } }
"#,
    },
    CodeDoc {
        code: "unknown-lint",
        meaning: Text::new(
            "`allow` names a lint that a signature may break, and says why. There is no lint of this name, so nothing would be allowed. The chapter of lints has them all.",
            "`allow`には、守らなくてよいリントの名前とその理由を書きます。この名前のリントはないため、何も許可されません。リントの一覧はリントの章にあります。",
        ),
        bad: r#"
  summary "ACME"
  allow no_near_mis_test "the title is the maker's name"
  match { top.html.title == "ACME" }
  identify { vendor = acme }
  example "ACME" in top.html.title => { vendor: acme }
"#,
        good: r#"
  summary "ACME"
  allow no_near_miss_test "the title is the maker's name"
  match { top.html.title == "ACME" }
  identify { vendor = acme }
  example "ACME" in top.html.title => { vendor: acme }
"#,
    },
    CodeDoc {
        code: "unknown-member",
        meaning: Text::new(
            "A choice names no such signature: it is not in this file, not imported, and no full name.",
            "`choice`に書かれた名前が、このファイルのシグネチャにも、インポートされたシグネチャにも、完全な名前で指定したシグネチャにも見つかりません。",
        ),
        bad: "ksig 1\nmodule a\nchoice either { one }\n",
        good: r#"ksig 1
module a
use vocab.vendors { acme }
probe top = http.get("/")
choice either { one }
signature one { match { top.html.title == "ACME" }; identify { vendor = acme } }
"#,
    },
    CodeDoc {
        code: "unknown-slot",
        meaning: Text::new(
            "The record has no such slot. A device has vendor, brand, series, model, version, class and cpe; other knowledge goes into tags.",
            "そのスロットはありません。機器のスロットはvendor、brand、series、model、version、class、cpeです。それ以外の情報はタグで表します。",
        ),
        bad: r#"
  match { top.html.title == "ACME" }
  identify { vendor = acme; firmware = "1.0" }
"#,
        good: r#"
  match { top.html.title == "ACME" }
  identify { vendor = acme; version = "1.0" }
"#,
    },
    CodeDoc {
        code: "unknown-word",
        meaning: Text::new(
            "One of a few words may stand here, and this is none of them; the label lists them.",
            "ここに書ける単語は決まっており、この単語は含まれません。使える単語はラベルに示されます。",
        ),
        bad: r#"
  confidence sure
  match { top.html.title == "ACME" }
  identify { vendor = acme }
"#,
        good: r#"
  confidence certain
  match { top.html.title == "ACME" }
  identify { vendor = acme }
"#,
    },
];
