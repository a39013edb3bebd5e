//! An editor at work: a client speaks to `ksig lsp` over its pipes, and each answer is held.

mod corpus;
mod features;
mod problems;
mod talk;

use std::path::{Path, PathBuf};

use ksig_tests::client::{Client, position, uri};
use serde_json::{Value, json};

const VOCABULARY: &str = "ksig 1\nmodule vocab.makers\n\nvendor acme {\n  name \"ACME\"\n  ja \"アクメ\"\n  alias \"Acme Inc.\"\n}\nvendor apex {\n  name \"Apex\"\n}\nclass router {\n  en \"Router\"\n  ja \"ルーター\"\n}\ntag eol(on: date) {\n  en \"End of life\"\n  ja \"サポート終了\"\n}\n";
const TABLE: &str = "model,series,ends\nAC-1,Air,2020-01-01\nAC-2,空気,2021-06-30\n";
const ROUTER: &str = r#"// 家庭用ルーター。
ksig 1
module router.acme

use vocab.makers { acme, eol }

/// Rows are from the maker's page.
table models from "acme.csv" {
  model: text key
  series: text
  ends: date
}

/// What a browser asks.
probe top = http.get("/")

let titled = top.html.title starts "ACME"

/// The title names the model: 「ACME AC-1」.
signature base {
  summary "ACME router by its title"
  evidence observed "a title, seen twice"
  match {
    titled
    "日本": top.html.title ~ /^ACME「(?<model in models>)」(?: V(?<fw: version(dotted)>[\d.]+))?$/
  }
  let row = models[model]
  identify {
    vendor = acme
    series = row.series
    model = model
    version = fw
    class = router
  }
  tag eol(on: row.ends) when row.ends <= scan.date
  test "a page" at 2022-01-01 {
    given top = http { html.title: "ACME「AC-1」 V1.2" }
    expect identify { vendor: acme, model: "AC-1", version: v"1.2" }
    expect captures { fw: v"1.2" }
  }
  example "ACME「AC-2」" in top.html.title => { model: "AC-2" }
  example "ACME" in top.html.title => nothing
}

signature narrow refines base {
  summary "ACME router that says so in a header too"
  match {
    top.header["server"] == "acme"
  }
  test "a page" at 2022-01-01 {
    given top = http { html.title: "ACME「AC-1」 V1.2", "header.server": "acme" }
    expect identify { model: "AC-1" }
  }
  example "ACME" in top.html.title => nothing
}
"#;

/// A small set of signatures in a folder of its own, and a client that has it open.
struct Editor {
    folder: tempfile::TempDir,
    client: Client,
}

impl Editor {
    fn open(utf8: bool) -> Editor {
        let folder = workspace();
        let client = Client::open(&root(&folder), utf8);
        Editor { folder, client }
    }

    /// With the router's file open, its first problems heard.
    fn at_router(utf8: bool) -> Editor {
        let mut editor = Editor::open(utf8);
        let uri = editor.uri("router/acme.ksig");
        editor.client.open_document(&uri, ROUTER);
        let problems = editor.client.problems(&uri);
        assert_eq!(problems, json!([]), "the file is right");
        editor
    }

    fn path(&self, name: &str) -> PathBuf {
        root(&self.folder).join("signatures").join(name)
    }

    fn uri(&self, name: &str) -> String {
        uri(&self.path(name))
    }

    /// Asks about the place of the first `needle`; `|` in it is the place itself.
    fn ask_at(&mut self, method: &str, text: &str, needle: &str, more: Value) -> Value {
        let (name, text) = ("router/acme.ksig", text.to_string());
        let mut params = json!({ "textDocument": { "uri": self.uri(name) }, "position": place(&text, needle) });
        for (key, value) in more.as_object().into_iter().flatten() {
            params[key] = value.clone();
        }
        self.client.ask(method, params)
    }

    /// An answer as text, with the folder's name taken out.
    fn shown(&self, value: &Value) -> String {
        let text = serde_json::to_string_pretty(value).expect("JSON");
        text.replace(&root(&self.folder).display().to_string(), "")
    }
}

/// The position of `|` in the first occurrence of a needle.
fn place(text: &str, needle: &str) -> Value {
    let (before, after) = needle.split_once('|').unwrap_or((needle, ""));
    let at = text.find(&format!("{before}{after}")).unwrap_or_else(|| panic!("{needle} stands in the text"));
    position(text, at + before.len())
}

/// The folder's true name.
fn root(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().canonicalize().expect("the folder is there")
}

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // The refined signature says no evidence of its own: places in the tests count its lines.
    write(folder.path(), "signatures/ksig.toml", "[lints]\nmissing-summary = \"error\"\nmissing-metadata = \"off\"\n");
    write(folder.path(), "signatures/vocab/makers.ksig", VOCABULARY);
    write(folder.path(), "signatures/router/acme.csv", TABLE);
    write(folder.path(), "signatures/router/acme.ksig", ROUTER);
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}
