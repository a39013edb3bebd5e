//! Problems of the vocabulary's entries: vendors, classes, tags.

use ksig_lang::{CodeDoc, Text};

/// By name.
pub const CODES: &[CodeDoc] = &[
    CodeDoc {
        code: "bad-attribute",
        meaning: Text::new(
            "A statement of a vocabulary entry has another form; the help shows it.",
            "語彙の項目の文が、決められた書き方になっていません。正しい書き方はヘルプに示されます。",
        ),
        bad: r#"ksig 1
module a
vendor zenith { name "Zenith"; former "Zenith Telegraph" until "2003" }
"#,
        good: r#"ksig 1
module a
vendor zenith { name "Zenith"; former "Zenith Telegraph" until 2003-10-01 }
"#,
    },
    CodeDoc {
        code: "class-without-parent",
        meaning: Text::new(
            "Classes are a tree: what is a `router.home` is a `router` too, so that one needs the other.",
            "機器種別は木構造です。`router.home`は`router`でもあるため、親となる種別の宣言が必要です。",
        ),
        bad: r#"ksig 1
module a
class gauge.water { en "Water gauge"; ja "水位計" }
"#,
        good: r#"ksig 1
module a
class gauge { en "Gauge"; ja "計器" }
class gauge.water { en "Water gauge"; ja "水位計" }
"#,
    },
    CodeDoc {
        code: "entry-without-name",
        meaning: Text::new(
            "Every vendor has a `name`, every class and tag an `en`: the name that people are shown.",
            "ベンダーには`name`、機器種別とタグには`en`が必要です。画面に表示される名前です。",
        ),
        bad: r#"ksig 1
module a
vendor zenith { ja "ゼニス" }
"#,
        good: r#"ksig 1
module a
vendor zenith { name "Zenith"; ja "ゼニス" }
"#,
    },
    CodeDoc {
        code: "missing-japanese",
        meaning: Text::new(
            "Classes and tags have a Japanese name, `ja`, since answers and the search speak both languages.",
            "機器種別とタグには日本語名（`ja`）を付けます。結果の表示と検索が両方の言語を使うためです。",
        ),
        bad: r#"ksig 1
module a
class gauge { en "Gauge" }
"#,
        good: r#"ksig 1
module a
class gauge { en "Gauge"; ja "計器" }
"#,
    },
    CodeDoc {
        code: "name-taken",
        meaning: Text::new(
            "Two entries of a kind have one name. Ids, names, aliases and former names lead to one entry each; case, spaces and signs make no difference.",
            "同じ種類の二つの項目が、同じ名前を持っています。ID、名前、別名、旧称は、それぞれ一つの項目だけを指します。大文字と小文字、空白、記号の違いは区別しません。",
        ),
        bad: r#"ksig 1
module a
vendor zenith { name "Zenith"; alias "Acme, K.K." }
"#,
        good: r#"ksig 1
module a
vendor zenith { name "Zenith"; alias "Zenith, K.K." }
"#,
    },
    CodeDoc {
        code: "pen-taken",
        meaning: Text::new(
            "IANA gives each enterprise number to one organisation, so two vendors never share one.",
            "IANAは企業番号を一つの組織に一つずつ割り当てるため、二つのベンダーが同じ番号を持つことはありません。",
        ),
        bad: r#"ksig 1
module a
vendor zenith { name "Zenith"; pen 32473 }
"#,
        good: r#"ksig 1
module a
vendor zenith { name "Zenith" }
"#,
    },
    CodeDoc {
        code: "rebrand-cycle",
        meaning: Text::new(
            "`rebrand of` leads from a brand to the maker of its machines, never back.",
            "`rebrand of`は、ブランドからその製造元への一方向で書きます。製造元からブランドに戻ることはありません。",
        ),
        bad: r#"ksig 1
module a
vendor zenith { name "Zenith"; rebrand of nadir }
vendor nadir { name "Nadir"; rebrand of zenith }
"#,
        good: r#"ksig 1
module a
vendor zenith { name "Zenith"; rebrand of nadir }
vendor nadir { name "Nadir" }
"#,
    },
    CodeDoc {
        code: "unknown-attribute",
        meaning: Text::new(
            "A vocabulary entry of this kind has no such statement; the note lists those it has.",
            "この種類の語彙の項目に、その文はありません。使える文は注記に示されます。",
        ),
        bad: r#"ksig 1
module a
vendor zenith { name "Zenith"; japanese "ゼニス" }
"#,
        good: r#"ksig 1
module a
vendor zenith { name "Zenith"; ja "ゼニス" }
"#,
    },
];
