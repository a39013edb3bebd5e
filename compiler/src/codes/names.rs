//! Problems of names: modules, imports, the vocabulary.

use ksig_lang::{CodeDoc, Text};

/// By name.
pub const CODES: &[CodeDoc] = &[
    CodeDoc {
        code: "ambiguous-import",
        meaning: Text::new(
            "A `use` finds what its module declares, and what the modules below it declare where that is one. Several declare this name: import it from the module that is meant.",
            "`use`は、そのモジュールの宣言と、下位のモジュールの宣言のうち一つに決まるものを取り込みます。この名前は複数の下位モジュールで宣言されているため、どのモジュールのものかを指定してください。",
        ),
        bad: "ksig 1\nmodule a\nuse vocab { build }\n",
        good: "ksig 1\nmodule a\nuse vocab.vendors { build }\n",
    },
    CodeDoc {
        code: "declared-twice",
        meaning: Text::new(
            "Two items of a module, an item and an import, two columns of a table, two parameters of a tag, or two probes, two tests or the labels of two lines of a signature are the same name. Which one a use of the name means would depend on the order of the file, so neither wins: rename or remove one.",
            "一つのモジュールの二つの項目、項目とインポート、テーブルの二つの列、タグの二つのパラメーター、または一つのシグネチャの二つのプローブ、二つのテスト、二つの行のラベルが同じ名前です。どちらを指すかがファイル内の順序で変わってしまうため、どちらも採用しません。一方の名前を変えるか削除してください。",
        ),
        bad: r#"ksig 1
module a
vendor one { name "One" }
vendor one { name "Another" }
"#,
        good: r#"ksig 1
module a
vendor one { name "One" }
vendor another { name "Another" }
"#,
    },
    CodeDoc {
        code: "let-cycle",
        meaning: Text::new(
            "A `let` outside a signature stands for its value wherever it is named, so it cannot stand for itself, nor for more parts than a signature may have.",
            "シグネチャの外の`let`は、名前が書かれた場所でその値を表します。そのため、自分自身を参照したり、シグネチャに許される数を超える要素を表したりすることはできません。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }
probe top = http.get("/")
let one = two
let two = one
signature s { match { one }; identify { vendor = acme } }
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }
probe top = http.get("/")
let one = two
let two = top.html.title == "ACME"
signature s { match { one }; identify { vendor = acme } }
"#,
    },
    CodeDoc {
        code: "module-differs-from-path",
        meaning: Text::new(
            "A module's name is its path below the root of the signatures, with dots and without the extension, so that a signature is found where its name says. The examples stand in `signatures/a.ksig`.",
            "モジュール名は、シグネチャのルートからのパスを拡張子を除いてドットでつないだものです。名前からファイルの場所がわかるようにするためです。例はどちらも`signatures/a.ksig`の内容です。",
        ),
        bad: "ksig 1\nmodule b\n",
        good: "ksig 1\nmodule a\n",
    },
    CodeDoc {
        code: "unknown-class",
        meaning: Text::new(
            "The class is not in the vocabulary. Classes form a tree with dots, are declared once in `signatures/vocab`, and are known everywhere without an import.",
            "機器種別が語彙にありません。機器種別はドット区切りの木で、`signatures/vocab`で一度だけ宣言され、インポートなしでどこでも使えます。",
        ),
        bad: r#"
  match { top.status == 200 }
  identify { vendor = acme; class = router.hom }
"#,
        good: r#"
  match { top.status == 200 }
  identify { vendor = acme; class = router.home }
"#,
    },
    CodeDoc {
        code: "unknown-import",
        meaning: Text::new("The module exists and declares no such name.", "モジュールは存在しますが、その名前を宣言していません。"),
        bad: "ksig 1\nmodule a\nuse vocab.vendors { acne }\n",
        good: "ksig 1\nmodule a\nuse vocab.vendors { acme }\n",
    },
    CodeDoc {
        code: "unknown-module",
        meaning: Text::new(
            "No file of the set is that module. A module is named by its path below the root of the signatures.",
            "そのモジュールのファイルが見つかりません。モジュールは、シグネチャのルートからのパスで指定します。",
        ),
        bad: "ksig 1\nmodule a\nuse vocab.vendor { acme }\n",
        good: "ksig 1\nmodule a\nuse vocab.vendors { acme }\n",
    },
    CodeDoc {
        code: "unknown-name",
        meaning: Text::new(
            "Nothing of that name is declared in this file, imported by a `use` line, or bound by a capture, `extract` or `let` above.",
            "その名前は、このファイルで宣言されておらず、`use`でインポートされておらず、これより上のキャプチャ、`extract`、`let`でも束縛されていません。",
        ),
        bad: r#"
  match { top.html.title ~ /^ACME (?<model>AC-\d+)$/ }
  identify { vendor = acme; model = modell }
"#,
        good: r#"
  match { top.html.title ~ /^ACME (?<model>AC-\d+)$/ }
  identify { vendor = acme; model = model }
"#,
    },
    CodeDoc {
        code: "unknown-parameter",
        meaning: Text::new(
            "The tag has no such parameter. A tag's parameters and their types are declared with it, in `signatures/vocab/tags.ksig`.",
            "タグにそのパラメーターはありません。パラメーターとその型は、タグとともに`signatures/vocab/tags.ksig`で宣言されています。",
        ),
        bad: r#"
  match { top.status == 200 }
  identify { vendor = acme }
  tag eol(since: 2026-06-30)
"#,
        good: r#"
  match { top.status == 200 }
  identify { vendor = acme }
  tag eol(on: 2026-06-30)
"#,
    },
    CodeDoc {
        code: "unknown-tag",
        meaning: Text::new(
            "The tag is not in the vocabulary, or not imported into this file. Tags are declared once, with typed parameters and texts in both languages, so that the same finding always carries the same tag.",
            "タグが語彙にないか、このファイルにインポートされていません。同じ事象には常に同じタグが付くよう、タグは型付きのパラメーターと日英の表示文とともに一度だけ宣言します。",
        ),
        bad: r#"
  match { top.status == 200 }
  identify { vendor = acme }
  tag end_of_life
"#,
        good: r#"
  match { top.status == 200 }
  identify { vendor = acme }
  tag eol
"#,
    },
    CodeDoc {
        code: "unknown-vendor",
        meaning: Text::new(
            "The vendor is not in the vocabulary, or not imported into this file. A vendor is declared once, with its other names, so that one maker never appears under two names: a typo is a mistake and no new maker.",
            "ベンダーが語彙にないか、このファイルにインポートされていません。一つのメーカーが二つの名前で現れないよう、ベンダーは別名とともに一度だけ宣言します。綴りの誤りが新しいメーカーになることはありません。",
        ),
        bad: r#"
  match { top.status == 200 }
  identify { vendor = amce }
"#,
        good: r#"
  match { top.status == 200 }
  identify { vendor = acme }
"#,
    },
];
