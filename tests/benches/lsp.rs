//! How long an editor waits: from a keystroke to the problems that it makes.
//!
//! `cargo bench -p ksig-tests --bench lsp [-- FILES...]`. A workspace of 6,000 signatures: Recog's, imported by `ksig import recog` where
//! `shared/peers/recog` stands beside the repository, and invented families up to that number. A client speaks to `ksig lsp` over its pipes as an
//! editor does. In each of two files, one of twenty families and the largest that there is, it types 200 letters into a comment, a title and a pattern,
//! each as a `didChange` of its own, and waits for `publishDiagnostics`.
//!
//! | row | from | to |
//! |---|---|---|
//! | `open` | the first `didOpen`, nothing read yet | its problems |
//! | `key` | a `didChange` | the problems of that file |
//! | `key while settling` | a `didChange` in the vocabulary, which all files import, and at once one in the file | the problems of the file |
//! | `complete` | a request behind `top.` | its answer |

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ksig_tests::bench::{Row, Rows, synthetic};
use ksig_tests::binary::{run_in, shared, workspace};
use ksig_tests::client::{Client, position, uri};
use serde_json::json;

const SIGNATURES: usize = 6_000;
const KEYS: usize = 200;

fn main() {
    let folder = workspace().join("target/bench/lsp");
    let _ = fs::remove_dir_all(&folder);
    let root = folder.join("signatures");
    let imported = import(&folder, &root);
    let invented = synthetic(SIGNATURES.saturating_sub(imported));
    for source in &invented.sources {
        // Recog's vocabulary has the class already.
        let class = source.text.find("class router").filter(|_| imported > 0).unwrap_or(source.text.len());
        write(&root.join(&source.path), &source.text[..class]);
    }
    write(&root.join("ksig.toml"), "");
    let corpus = format!("{imported} of Recog, {} invented", SIGNATURES - imported);
    let mut rows = Rows::begin("lsp");
    let mut client = Client::open(&folder.join("elsewhere"), false);
    let (small, large) = (root.join("acme/family_0.ksig"), largest(&root));
    for (nth, file) in [&small, &large].into_iter().enumerate() {
        let text = fs::read_to_string(file).expect("a source");
        let name = file.strip_prefix(&root).expect("below the root").display().to_string();
        let corpus = format!("{name} ({} KB)", text.len() / 1024);
        let uri = uri(file);
        let begin = Instant::now();
        client.open_document(&uri, &text);
        client.problems(&uri);
        let opened = begin.elapsed().as_nanos() as u64;
        if nth == 0 {
            rows.add(&row("open", &corpus, vec![opened], &client));
        }
        let keys = type_in(&mut client, &uri, &text);
        rows.add(&row("key", &corpus, keys, &client));
        let answers = complete(&mut client, &uri, &text);
        rows.add(&row("complete", &corpus, answers, &client));
    }
    let keys = type_while_settling(&mut client, &root, &small);
    rows.add(&row("key while settling", "acme/family_0.ksig", keys, &client));
    println!("{corpus}");
    client.goodbye();
}

fn row(bench: &'static str, corpus: &str, mut times: Vec<u64>, client: &Client) -> Row {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    let (engine, order) = ("-".to_string(), "-");
    Row { bench, engine, order, corpus: corpus.into(), ns_median: at(50), ns_p99: at(99), rss_mb: client.rss_mb(), equal: None }
}

/// Recog's signatures below a root; gives how many.
fn import(folder: &Path, root: &Path) -> usize {
    fs::create_dir_all(folder).expect("the target folder can be written");
    let Some(recog) = shared("peers/recog") else { return 0 };
    run_in(folder, &["import", "recog", &recog.display().to_string(), "-o", &root.display().to_string()]);
    files(root).iter().map(|file| fs::read_to_string(file).unwrap_or_default().matches("\nsignature ").count()).sum()
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

fn files(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ksig") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn largest(root: &Path) -> PathBuf {
    files(root).into_iter().max_by_key(|path| fs::metadata(path).map_or(0, |metadata| metadata.len())).expect("there are files")
}

/// Types letters, each behind the one before: into a comment above all, and into a literal in the middle of the file.
fn type_in(client: &mut Client, uri: &str, text: &str) -> Vec<u64> {
    let mut text = text.to_string();
    let head = text.find('\n').expect("a file has lines") + 1;
    text.insert_str(head, "// \n");
    client.replace(uri, 2, &text);
    client.problems(uri);
    let middle = text.len() / 2;
    let literal = text[middle..].find("== \"").or(text[middle..].find("~ /^")).map_or(middle, |at| middle + at + 4);
    let mut times = Vec::new();
    let (mut comment, mut literal, mut version) = (head + 3, literal, 2);
    for key in 0..KEYS {
        let letter = char::from(b'a' + (key % 26) as u8);
        let at = if key % 2 == 0 { &mut comment } else { &mut literal };
        let place = position(&text, *at);
        text.insert(*at, letter);
        *at += 1;
        // What stands behind moves.
        if key % 2 == 0 {
            literal += 1;
        }
        version += 1;
        let change = json!({ "range": { "start": place, "end": place }, "text": letter.to_string() });
        let begin = Instant::now();
        client.tell("textDocument/didChange", json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": [change] }));
        client.note(|note| {
            note["method"] == "textDocument/publishDiagnostics" && note["params"]["uri"] == uri && note["params"]["version"] == version
        });
        times.push(begin.elapsed().as_nanos() as u64);
    }
    times
}

fn complete(client: &mut Client, uri: &str, text: &str) -> Vec<u64> {
    let at = text.find("top.").or(text.find(" in ")).map_or(0, |at| at + 4);
    let params = json!({ "textDocument": { "uri": uri }, "position": position(text, at) });
    let ask = |_| {
        let begin = Instant::now();
        client.ask("textDocument/completion", params.clone());
        begin.elapsed().as_nanos() as u64
    };
    (0..KEYS).map(ask).collect()
}

/// Each key in the file follows one in the vocabulary, so that all files are stale.
fn type_while_settling(client: &mut Client, root: &Path, file: &Path) -> Vec<u64> {
    let (vocabulary, own) = (uri(&root.join("acme/vocab.ksig")), uri(file));
    let words = fs::read_to_string(root.join("acme/vocab.ksig")).expect("the vocabulary");
    let text = fs::read_to_string(file).expect("a source");
    client.open_document(&vocabulary, &words);
    client.problems(&vocabulary);
    let mut times = Vec::new();
    for key in 0..KEYS / 4 {
        let version = 10_000 + key as i64;
        client.replace(&vocabulary, version, &words.replace("\"ACME\"", &format!("\"ACME{key}\"")));
        client.note(|note| note["params"]["uri"] == vocabulary && note["params"]["version"] == version);
        let begin = Instant::now();
        client.replace(&own, version, &format!("{text}// {key}\n"));
        client.note(|note| note["params"]["uri"] == own && note["params"]["version"] == version);
        times.push(begin.elapsed().as_nanos() as u64);
    }
    times
}
