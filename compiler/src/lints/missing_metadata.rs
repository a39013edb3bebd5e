//! What the others say, and this one does not: see [`LINT`].

use std::collections::BTreeMap;

use ksig_lang::ast::{self, Item, Statement};
use ksig_lang::{CodeDoc, FileId, Severity, Text, say};

use super::{Lint, Look, own};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "missing-metadata",
        meaning: Text::new(
            "A signature does not say what `[metadata]` of `ksig.toml` requires of all (`required = [\"evidence\", \"added\"]`), or what every other signature of its file says, where there are at least two others: where its knowledge is from (`evidence`), and when it came (`added`). Without `evidence` it is in no release for others.",
            "`ksig.toml`の`[metadata]`で必須とされたメタデータ（`required = [\"evidence\", \"added\"]`）や、同じファイルの他のシグネチャ（二つ以上ある場合）がすべて書いている`evidence`（根拠）や`added`（追加日）がありません。`evidence`のないシグネチャは、公開用のリリースに含まれません。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }

probe top = http.get("/")

signature one {
  summary "ACME AC-1 by its title"
  evidence documented "manual of the AC-1"
  match { top.html.title == "ACME AC-1" }
  identify { vendor = acme; model = "AC-1" }
  example "ACME AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
signature two {
  summary "ACME AC-2 by its title"
  match { top.html.title == "ACME AC-2" }
  identify { vendor = acme; model = "AC-2" }
  example "ACME AC-2" in top.html.title => { model: "AC-2" }
  example "Login" in top.html.title => nothing
}
signature three {
  summary "ACME AC-3 by its title"
  evidence documented "manual of the AC-3"
  match { top.html.title == "ACME AC-3" }
  identify { vendor = acme; model = "AC-3" }
  example "ACME AC-3" in top.html.title => { model: "AC-3" }
  example "Login" in top.html.title => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }

probe top = http.get("/")

signature one {
  summary "ACME AC-1 by its title"
  evidence documented "manual of the AC-1"
  match { top.html.title == "ACME AC-1" }
  identify { vendor = acme; model = "AC-1" }
  example "ACME AC-1" in top.html.title => { model: "AC-1" }
  example "Login" in top.html.title => nothing
}
signature two {
  summary "ACME AC-2 by its title"
  evidence documented "manual of the AC-2"
  match { top.html.title == "ACME AC-2" }
  identify { vendor = acme; model = "AC-2" }
  example "ACME AC-2" in top.html.title => { model: "AC-2" }
  example "Login" in top.html.title => nothing
}
signature three {
  summary "ACME AC-3 by its title"
  evidence documented "manual of the AC-3"
  match { top.html.title == "ACME AC-3" }
  identify { vendor = acme; model = "AC-3" }
  example "ACME AC-3" in top.html.title => { model: "AC-3" }
  example "Login" in top.html.title => nothing
}
"#,
    },
    level: Severity::Warning,
    look: Look::Ruled(|analysis, rules, found| {
        let mut known: BTreeMap<FileId, (usize, BTreeMap<&str, usize>)> = BTreeMap::new();
        for (number, signature) in analysis.program.signatures.iter().enumerate() {
            let (signatures, said) = known.entry(signature.file).or_insert_with(|| counted(&analysis.files[signature.file as usize]));
            let usual = USUAL.iter().copied().filter(|word| *signatures > OTHERS_MIN && said.get(word) == Some(&(*signatures - 1)));
            let required = rules.required.iter().map(String::as_str);
            let mut missing: Vec<&str> = required.chain(usual).filter(|word| own::said(signature, analysis, word).is_none()).collect();
            missing.sort_unstable();
            missing.dedup();
            for word in missing {
                let name = &signature.name;
                let message = say!("signature `{name}` does not say `{word}`", "シグネチャ`{name}`に`{word}`がありません");
                let label = match rules.required.iter().any(|required| required == word) {
                    true => say!("required by ksig.toml", "ksig.tomlで必須とされています"),
                    false => say!("all others of this file do", "このファイルの他のシグネチャにはすべてあります"),
                };
                let help = say!("write `{word} ...` below its summary", "summaryの下に`{word} ...`を書いてください");
                found.push((number, LINT.finding(signature, signature.name_span, message, label).help(help)));
            }
        }
    }),
};

/// Of how many others it is said that all of them do: one that does is no custom.
const OTHERS_MIN: usize = 2;

/// What is missed where all others of a file say it.
const USUAL: [&str; 2] = ["added", "evidence"];

/// How many signatures a file has, and how many of them say each word.
fn counted(file: &ast::File) -> (usize, BTreeMap<&str, usize>) {
    let (mut signatures, mut said) = (0, BTreeMap::new());
    for item in &file.items {
        let Item::Signature(signature) = item else { continue };
        signatures += 1;
        for word in USUAL {
            let says = |statement: &Statement| matches!(statement, Statement::Meta(attribute) if attribute.name.value == word);
            *said.entry(word).or_default() += usize::from(signature.body.iter().any(says));
        }
    }
    (signatures, said)
}
