//! One name for two things: see [`LINT`].

use std::collections::{BTreeMap, HashMap};

use ksig_lang::ast::{Item, Name, Statement};
use ksig_lang::{CodeDoc, FileId, Severity, Span, Text, say};

use super::{Findings, Lint, Look, own};
use crate::Analysis;
use crate::hir::Signature;

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "shadowed-name",
        meaning: Text::new(
            "A capture, a `let`, a probe or a row of a signature has the name of something that its file declares or imports: a table, a probe, a `let`, a vendor. Inside the signature the name means its own, and a reader who knows the file reads the other.",
            "シグネチャ内のキャプチャ、`let`、プローブ、行の名前が、ファイルで宣言またはインポートされたテーブル、プローブ、`let`、ベンダーと同じです。シグネチャ内では内側のものを指しますが、ファイルを知る人は外側のものと読んでしまいます。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }

let series = "AC"

probe top = http.get("/")

signature one {
  summary "ACME router by its title"
  match { top.html.title ~ /^ACME (?<series>[A-Z]{2})-router$/ }
  identify { vendor = acme; series = series }
  example "ACME BR-router" in top.html.title => { series: "BR" }
  example "Login" in top.html.title => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }

probe top = http.get("/")

signature one {
  summary "ACME router by its title"
  match { top.html.title ~ /^ACME (?<series>[A-Z]{2})-router$/ }
  identify { vendor = acme; series = series }
  example "ACME BR-router" in top.html.title => { series: "BR" }
  example "Login" in top.html.title => nothing
}
"#,
    },
    level: Severity::Warning,
    look: Look::Set(|analysis, found| {
        // A file may hold thousands of signatures: what it declares is collected once.
        let mut declared: HashMap<FileId, BTreeMap<&str, Span>> = HashMap::new();
        for (number, signature) in analysis.program.signatures.iter().enumerate() {
            let outer = declared.entry(signature.file).or_insert_with(|| names(analysis, signature.file));
            tell(number, signature, analysis, outer, found);
        }
    }),
};

fn tell(number: usize, signature: &Signature, analysis: &Analysis, outer: &BTreeMap<&str, Span>, found: &mut Findings) {
    for (name, span) in inner(signature, analysis) {
        let Some(first) = outer.get(name) else { continue };
        let message = say!("`{name}` hides another `{name}` of this file", "`{name}`が、このファイルの別の`{name}`を隠しています");
        let problem = LINT.finding(signature, span, message, say!("means this one", "シグネチャ内ではこちらを指します"));
        let problem = problem.label(signature.file, *first, say!("hidden", "隠されています"));
        found.push((number, problem.help(say!("give one of the two another name", "どちらかの名前を変えてください"))));
    }
}

/// The names that a signature gives itself, with their places.
fn inner<'a>(signature: &'a Signature, analysis: &'a Analysis) -> Vec<(&'a str, Span)> {
    let inherited = own::base(signature, analysis).map_or(0, |base| base.vars.len());
    let vars = signature.vars.iter().zip(&signature.var_spans).zip(&signature.var_files).skip(inherited);
    // What a `let` of the file binds stands outside of the signature.
    let vars = vars
        .filter(|((_, span), file)| **file == signature.file && signature.holds(**span))
        .map(|((var, span), _)| (var.name.as_str(), *span));
    let probes = own::item(signature, analysis).into_iter().flat_map(|item| &item.body).filter_map(|statement| match statement {
        Statement::Probe(probe) => Some((probe.name.value.as_str(), probe.name.span)),
        Statement::Follow(follow) => Some((follow.name.value.as_str(), follow.name.span)),
        _ => None,
    });
    vars.chain(probes).collect()
}

/// The names of a file that a signature of it may say for a value: what can only stand behind `tag`, `class` or `refines` is no other's.
fn names(analysis: &Analysis, file: FileId) -> BTreeMap<&str, Span> {
    let Some(ast) = analysis.files.get(file as usize) else { return BTreeMap::new() };
    let declared = ast.items.iter().filter_map(|item| match item {
        Item::Table(table) => Some(&table.name),
        Item::Probe(probe) => Some(&probe.name),
        Item::Let(binding) => Some(&binding.name),
        _ => None,
    });
    let words = &analysis.program.vocabulary;
    let is_value = |name: &&Name| !words.tags.contains_key(&name.value) && !words.classes.contains_key(&name.value);
    let imported = ast.uses.iter().flat_map(|import| &import.names).filter(is_value);
    declared.chain(imported).map(|name| (name.value.as_str(), name.span)).collect()
}
