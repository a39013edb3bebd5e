//! Chapters of the spec that are made from code: fields and probes, problems, lints. A test compares them with the files in `spec/`.

use ksig_compiler::{codes, lints};
use ksig_lang::{CodeDoc, Lang, Severity};
use ksig_schema::probe::{ArgumentKind, ConstructorDef, Safety};
use ksig_schema::{FieldDef, Schema};

/// The names of the chapters, which are their files without `.md`.
pub const NAMES: [&str; 3] = ["fields", "problems", "lints"];

/// A chapter by its name; absent for another name.
pub fn chapter(name: &str) -> Option<String> {
    match name {
        "fields" => Some(fields(&ksig_protocols::schema())),
        "problems" => Some(problems()),
        "lints" => Some(lints_chapter()),
        _ => None,
    }
}

fn head(title: &str, name: &str) -> String {
    format!("# {title}\n\nMade from code by `ksig show {name} --format markdown`; a test holds it to the code.\n")
}

fn fields(schema: &Schema) -> String {
    let mut out = head("Fields and probes", "fields");
    out.push_str(
        "\nA field is written with a probe's name in the place of its root: with `probe top = http.get(\"/\")`, `top.status` is `http.status`. \
         The [section](absence.md#absence-needs-proof-v3) is the part of an answer that must be whole before the absence of the field is proven. \
         A keyed field is a map: `http.header[\"server\"]`. *Several*: a question asks whether any of its values answers yes ([V4](conditions.md#several-values-v4)). \
         *Redacted*: it names a person or one machine, and never leaves the engine.\n",
    );
    let root = |name: &str| name.split('.').next().unwrap_or_default().to_string();
    let mut roots: Vec<String> = schema.fields().map(|field| root(field.name)).collect();
    roots.extend(schema.constructors().map(|constructor| root(constructor.root)));
    roots.sort();
    roots.dedup();
    for protocol in roots {
        out.push_str(&format!("\n## {protocol}\n"));
        for constructor in schema.constructors().filter(|constructor| root(constructor.root) == protocol) {
            out.push_str(&probe(constructor));
        }
        let mut fields: Vec<&FieldDef> = schema.fields().filter(|field| root(field.name) == protocol).collect();
        fields.sort_by_key(|field| field.name);
        if !fields.is_empty() {
            out.push_str("\n| field | type | section | holds |\n|---|---|---|---|\n");
            fields.iter().for_each(|field| out.push_str(&row(field)));
        }
    }
    out
}

fn probe(constructor: &ConstructorDef) -> String {
    let safety = match constructor.safety {
        Safety::Passive => "passive: connects and reads",
        Safety::Benign => "benign: sends what a normal client sends",
        Safety::Review => "review: off by default, needs an attestation outside the signature",
    };
    let without = match constructor.never_fills {
        [] => String::new(),
        parts => format!(", never with `{}`", parts.join("`, `")),
    };
    let (form, doc, root) = (constructor.form(), prose(constructor.doc), constructor.root);
    let mut out = format!("\n### `{form}`\n\n{doc} Its answer is a `{root}`{without}. Safety: {safety}.\n");
    if !constructor.parameters.is_empty() {
        out.push('\n');
    }
    for parameter in constructor.parameters {
        let takes = match parameter.kind {
            ArgumentKind::Path => "a path".to_string(),
            ArgumentKind::Location => "a place that an answer named".to_string(),
            ArgumentKind::Text(known) | ArgumentKind::Name(known) => format!("one of `{}`", known.join("`, `")),
            ArgumentKind::Names(known) => format!("a list of `{}`", known.join("`, `")),
            ArgumentKind::Number(low, high) => format!("a number from {low} to {high}"),
        };
        out.push_str(&format!("- `{}`: {takes}. {}\n", parameter.name, prose(parameter.doc)));
    }
    out
}

fn row(field: &FieldDef) -> String {
    let key = if field.keyed { "[\"...\"]" } else { "" };
    let several = if field.many { ", several" } else { "" };
    let redacted = if field.redact { ", redacted" } else { "" };
    let section = format!("{:?}", field.section).to_lowercase();
    let holds = prose(field.doc).replace('|', "\\|");
    format!("| `{}{key}` | {}{several}{redacted} | {section} | {holds} |\n", field.name, field.ty.ty())
}

/// A doc comment as one line.
fn prose(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn problems() -> String {
    let mut out = head("Problems", "problems");
    out.push_str(
        "\nEvery problem that `ksig check` reports has a code; `ksig explain CODE` says the same as this page, with `--lang ja` in Japanese. \
         Each code has an example that reports it and one that does not; where these are statements, they stand in [the frame](README.md#the-frame).\n",
    );
    for group in codes::groups().iter().filter(|group| group.name != "lints") {
        out.push_str(&format!("\n## {}\n", group.about.in_lang(Lang::En)));
        group.codes.iter().for_each(|doc| out.push_str(&code(doc, "")));
    }
    out
}

/// How levels are chosen; the fences run with the other chapters'.
const LEVELS: &str = r#"
## Levels

Each lint says below how bad its findings are: an error, which makes `ksig check` fail, a warning, or a note. Those who keep signatures may see it otherwise, and say so in `ksig.toml` beside them, with `"error"`, `"warning"`, `"note"` or `"off"`:

```file=ksig.toml
[lints]
missing-summary = "off"
no-near-miss-test = "off"
```

```ksig,body,clean
match { top.html.title == "ACME router" }
identify { vendor = acme }
example "ACME router" in top.html.title => { vendor: acme }
```

The same signature without that file:

```ksig,body,problem=missing-summary
match { top.html.title == "ACME router" }
identify { vendor = acme }
example "ACME router" in top.html.title => { vendor: acme }
```

`allow` spares a signature whatever the level is:

```file=ksig.toml
[lints]
no-near-miss-test = "error"
```

```ksig,body,clean
summary "ACME router by its title"
allow no_near_miss_test "no other product has a title like it"
match { top.html.title == "ACME router" }
identify { vendor = acme }
example "ACME router" in top.html.title => { vendor: acme }
```

A name that no lint has, and a level that is none, end every command that reads the file, with exit code 2: nothing would be found where somebody counts on it. What is no lint, an error of a signature that does not compile, has no level.

## All lints
"#;

fn lints_chapter() -> String {
    let mut out = head("Lints", "lints");
    out.push_str(
        "\nA lint finds what compiles and is still a mistake, or soon will be. A signature says `allow name \"why\"` (with `_` for `-`) to be \
         spared one; without a reason nothing is spared. Examples that are no whole files are statements in [the frame](README.md#the-frame).\n",
    );
    out.push_str(LEVELS);
    for lint in lints::ALL {
        let level = match lint.level {
            Severity::Error => "Error.",
            Severity::Warning => "Warning.",
            Severity::Note => "Note.",
        };
        out.push_str(&code(&lint.doc, level));
    }
    out
}

/// The fences say `text`: the examples are run as what they are, by the tests of `ksig explain`.
fn code(doc: &CodeDoc, level: &str) -> String {
    let mut out = format!("\n### {}\n\n", doc.code);
    if !level.is_empty() {
        out.push_str(&format!("{level} "));
    }
    out.push_str(&format!("{}\n", doc.meaning.in_lang(Lang::En)));
    for (heading, example) in [("Reported for:", doc.bad), ("Not reported for:", doc.good)] {
        if !example.is_empty() {
            out.push_str(&format!("\n{heading}\n\n```text\n{}\n```\n", example.trim_matches('\n')));
        }
    }
    out
}
