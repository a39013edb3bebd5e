//! Every file of the bundled signatures, opened and asked about.

use ksig_tests::binary::workspace;
use ksig_tests::client::{Client, position, uri};
use serde_json::{Value, json};

/// What a page of tokens covers: each within its line, none before the one before.
fn tokens_lie_in_the_text(data: &[u64], text: &str) {
    let lines: Vec<Vec<u16>> = text.split('\n').map(|line| line.encode_utf16().collect()).collect();
    let (mut line, mut column) = (0usize, 0usize);
    for token in data.chunks(5) {
        let [down, right, length, ..] = token else { panic!("tokens come in fives") };
        column = if *down == 0 { column + *right as usize } else { *right as usize };
        line += *down as usize;
        assert!(column + *length as usize <= lines[line].len(), "line {line}, column {column}, length {length}");
        assert!(*length > 0);
    }
}

#[test]
fn every_file_of_the_corpus_can_be_opened_and_asked_about() {
    let root = workspace().join("signatures");
    let mut files = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ksig") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(files.len() > 30, "the corpus is there");
    let mut client = Client::open(&root, false);
    for path in files {
        let (uri, text) = (uri(&path), std::fs::read_to_string(&path).expect("a source"));
        client.open_document(&uri, &text);
        assert_eq!(client.problems(&uri), json!([]), "{}", path.display());
        let document = json!({ "uri": uri });
        let tokens = client.ask("textDocument/semanticTokens/full", json!({ "textDocument": document }));
        let data: Vec<u64> = tokens["data"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        assert!(data.len() > 10, "{}: {tokens}", path.display());
        tokens_lie_in_the_text(&data, &text);
        let range = json!({ "start": { "line": 0, "character": 0 }, "end": position(&text, text.len()) });
        let part = client.ask("textDocument/semanticTokens/range", json!({ "textDocument": document, "range": range }));
        assert_eq!(part["data"], tokens["data"], "the whole range is the whole");
        let symbols = client.ask("textDocument/documentSymbol", json!({ "textDocument": document }));
        assert!(symbols.as_array().is_some_and(|symbols| !symbols.is_empty()), "{}: {symbols}", path.display());
        let folds = client.ask("textDocument/foldingRange", json!({ "textDocument": document }));
        assert!(folds.is_array(), "{folds}");
        let hints = client.ask("textDocument/inlayHint", json!({ "textDocument": document, "range": range }));
        assert!(hints.is_array(), "{hints}");
        let edits =
            client.ask("textDocument/formatting", json!({ "textDocument": document, "options": { "tabSize": 2, "insertSpaces": true } }));
        assert_eq!(edits, json!([]), "{} is in the one style", path.display());
        // Each field that the outline's first signature names can be hovered over.
        for (at, _) in text.match_indices("top.").take(3) {
            let hover = client.ask("textDocument/hover", json!({ "textDocument": document, "position": position(&text, at) }));
            assert!(hover.get("error").is_none(), "{hover}");
        }
        client.tell("textDocument/didClose", json!({ "textDocument": document }));
    }
    assert_eq!(client.goodbye(), Some(0));
}
