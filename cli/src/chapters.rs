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

## Metadata

`[metadata]` names what every signature must say of itself; [missing-metadata](#missing-metadata) tells who does not.

```file=ksig.toml
[metadata]
required = ["evidence"]
```

```ksig,body,problem=missing-metadata
summary "ACME router by its title"
match { top.html.title == "ACME router" }
identify { vendor = acme }
example "ACME router" in top.html.title => { vendor: acme }
example "Login" in top.html.title => nothing
```

## What takes longer

That a signature answers to another device's fixture shows only when the fixture is decoded and all signatures are asked. `ksig check --fixtures` does so for every positive fixture: see [foreign-fixture](#foreign-fixture). `ksig test` does so after its tests, and a signature of another device that answers is a failure of the engine `corpus`.
"#;

/// Lints of those who keep signatures, before the lists of what they can ask.
const OWN: &str = r#"
## Lints of your own

`[[lint]]` in `ksig.toml` declares a lint: a name that begins with `own-`, what it `visits`, and `where` it has something to say, a question in the language's own expressions. `level` is `"warning"` without it. `message` is shown at each finding, `message_ja` in Japanese; `doc` and `doc_ja` by `ksig explain NAME`, and both in SARIF. `[lints]` changes its level as it does that of any lint, so that a set of signatures may take over the lints of another and be less strict.

```file=ksig.toml
[[lint]]
name = "own-anchored-titles"
level = "error"
visits = "pattern"
where = 'fields has "http.html.title" and not (source starts "^" or signature.confidence in ["weak", "hint"])'
message = "a pattern of a title begins with ^, or the signature is weak"
```

```ksig,body,problem=own-anchored-titles
summary "ACME AC router by its title"
match { top.html.title ~ /ACME (?<model>AC-\d)$/ }
identify { vendor = acme; model = model }
example "ACME AC-1" in top.html.title => { model: "AC-1" }
example "Login" in top.html.title => nothing
```

Parts of a signature are asked together by `any`, `all` and `count`. `allow` spares a signature, as it does with any lint:

```file=ksig.toml
[[lint]]
name = "own-two-near-misses"
visits = "signature"
where = 'count(tests, expects has "no_match") < 2 and not all(identities, model absent)'
message = "a signature that names a model shows two near misses"
```

```ksig,body,problem=own-two-near-misses
summary "ACME AC-1 by its title"
match { top.html.title == "ACME AC-1" }
identify { vendor = acme; model = "AC-1" }
example "ACME AC-1" in top.html.title => { model: "AC-1" }
example "Login" in top.html.title => nothing
```

```file=ksig.toml
[[lint]]
name = "own-two-near-misses"
visits = "signature"
where = 'count(tests, expects has "no_match") < 2'
message = "a signature shows two near misses"
```

```ksig,body,clean
summary "ACME AC-1 by its title"
allow own_two_near_misses "the title is the whole model"
match { top.html.title == "ACME AC-1" }
identify { vendor = acme; model = "AC-1" }
example "ACME AC-1" in top.html.title => { model: "AC-1" }
example "Login" in top.html.title => nothing
```

One that `ksig.toml` does not declare cannot be allowed:

```ksig,body,problem=unknown-lint
summary "ACME AC-1 by its title"
allow own_three_near_misses "nobody asks for them"
match { top.html.title == "ACME AC-1" }
identify { vendor = acme; model = "AC-1" }
example "ACME AC-1" in top.html.title => { model: "AC-1" }
example "Login" in top.html.title => nothing
```

In a question stand attributes, texts, whole numbers, `true` and `false`; `==` `<` `<=` `>` `>=`; `contains` `starts` `ends` and `~ /pattern/` of a text; a list `has` a value, a value is `in [...]`; `present` and `absent` of a text or a list, where absent is empty; `not` `and` `or`; `any(list, question)`, `all(list, question)`, `count(list)` and `count(list, question)`, whose question is about the parts of the list. `signature.name` is an attribute of the signature that a part stands in. None of `any`, `all` and `count` stands in another, so that a lint costs no more than the program is large. A mistake is told with its line and column, and ends the command with exit code 2.
"#;

fn lints_chapter() -> String {
    let mut out = head("Lints", "lints");
    out.push_str(
        "\nA lint finds what compiles and is still a mistake, or soon will be. A signature says `allow name \"why\"` (with `_` for `-`) to be \
         spared one; without a reason nothing is spared. Examples that are no whole files are statements in [the frame](README.md#the-frame).\n",
    );
    out.push_str(LEVELS);
    out.push_str(OWN);
    for (word, visit) in lints::query::VISITS {
        out.push_str(&format!("\n`{word}`:\n\n| attribute | type | |\n|---|---|---|\n"));
        for attribute in visit.attributes() {
            out.push_str(&format!("| `{}` | `{}` | {} |\n", attribute.name, attribute.kind, attribute.about));
        }
    }
    out.push_str("\n## All lints\n");
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
