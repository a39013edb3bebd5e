//! What the server answers about one small set of signatures, each answer a page.

use serde_json::{Value, json};

use crate::{Editor, ROUTER, VOCABULARY, place};

fn held(name: &str, shown: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, shown));
}

/// The text of a hover.
fn said(hover: &Value) -> String {
    hover["contents"]["value"].as_str().map_or_else(|| format!("{hover}"), str::to_string)
}

/// Labels with their details, one a line.
fn labels(items: &Value) -> String {
    let line = |item: &Value| {
        let detail = item["detail"].as_str().map(|detail| format!("  {detail}")).unwrap_or_default();
        let import = item["additionalTextEdits"][0]["newText"].as_str().map(|text| format!("  imports {text:?}")).unwrap_or_default();
        let new = item["textEdit"]["newText"].as_str().unwrap_or_default();
        let new = if new == item["label"] { String::new() } else { format!("  writes {new:?}") };
        format!("{}{detail}{new}{import}\n", item["label"].as_str().unwrap_or_default())
    };
    items.as_array().map_or_else(|| items.to_string(), |items| items.iter().map(line).collect())
}

#[test]
fn hover_says_what_a_name_is() {
    let mut editor = Editor::at_router(false);
    let mut page = String::new();
    for needle in [
        "top.html.ti|tle starts",
        "http.g|et",
        "vendor = ac|me",
        "class = rou|ter",
        "tag e|ol",
        "models|[model]",
        "row.ser|ies",
        "(?<mod|el in",
        "(?<fw|: version",
        "refines ba|se",
        "probe t|op",
        "    titl|ed",
        "module rou|ter",
        "header[\"serv|er\"]",
    ] {
        let hover = editor.ask_at("textDocument/hover", ROUTER, needle, json!({}));
        page += &format!("# {needle}\n\n{}\n\n", said(&hover));
    }
    // A key of a table shows its row.
    let keyed = ROUTER
        .replace("let row = models[model]", "let row = models[\"ac-1\"]")
        .replace("model: text key\n", "model: text key(fold_case)\n");
    let uri = editor.uri("router/acme.ksig");
    editor.client.replace(&uri, 2, &keyed);
    let hover = editor.ask_at("textDocument/hover", &keyed, "models[\"a|c-1\"]", json!({}));
    page += &format!("# models[\"a|c-1\"]\n\n{}\n\n", said(&hover));
    let wrong = ROUTER.replace("top.html.title starts", "top.html.titel starts");
    editor.client.replace(&uri, 3, &wrong);
    let hover = editor.ask_at("textDocument/hover", &wrong, "top.html.ti|tel", json!({}));
    page += &format!("# top.html.ti|tel, where a problem stands\n\n{}\n", said(&hover));
    held("lsp_hover", &page);
}

#[test]
fn completion_knows_what_may_stand_where_in_broken_texts_too() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/acme.ksig");
    let (mut page, mut version) = (String::new(), 1);
    for (old, new) in [
        ("    titled\n", "    top.auth.|\n"),
        ("    titled\n", "    top.html.|\n"),
        ("    titled\n", "    |\n"),
        ("    titled\n", "    top.html.title |\n"),
        ("    vendor = acme\n", "    vendor = |\n"),
        ("    class = router\n", "    class = |\n"),
        ("    class = router\n", "    |\n"),
        ("    series = row.series\n", "    series = row.|\n"),
        ("    series = row.series\n", "    series = models[model].|\n"),
        ("  let row = models[model]\n", "  |\n"),
        ("  let row = models[model]\n", "  confidence |\n"),
        ("  let row = models[model]\n", "  evidence |\n"),
        ("  let row = models[model]\n", "  extract { x: |\n"),
        ("probe top = http.get(\"/\")", "probe top = ssh.|"),
        ("let titled =", "|\nlet titled ="),
        ("{ acme, eol }", "{ | }"),
        ("use vocab.makers { acme, eol }", "use vocab.|"),
        ("refines base", "refines |"),
        ("  tag eol(on: row.ends) when row.ends <= scan.date\n", "  tag |\n"),
        ("    expect captures { fw: v\"1.2\" }\n", "    |\n"),
        ("    expect captures { fw: v\"1.2\" }\n", "    expect |\n"),
        ("    expect captures { fw: v\"1.2\" }\n", "    expect captures { |\n"),
        ("    expect captures { fw: v\"1.2\" }\n", "    given |\n"),
        ("    given top = http { html.title: \"ACME「AC-1」 V1.2\" }\n", "    given top = http { html.| }\n"),
        ("  ends: date\n", "  ends: |\n"),
        ("  summary \"ACME router by its title\"\n", "  summary \"top.|\"\n"),
    ] {
        let marked = ROUTER.replacen(old, new, 1);
        assert_ne!(marked, ROUTER, "{old}");
        let at = marked.find('|').filter(|at| marked[..*at].lines().count() > 1).expect("the place");
        // Patterns have such signs too: the one that is ours stands where the edit is.
        let at = ROUTER.find(old).map_or(at, |start| start + new.find('|').expect("a place"));
        let text = format!("{}{}", &marked[..at], &marked[at + 1..]);
        version += 1;
        editor.client.replace(&uri, version, &text);
        let params = json!({ "textDocument": { "uri": uri }, "position": ksig_tests::client::position(&text, at) });
        let items = editor.client.ask("textDocument/completion", params);
        page += &format!("# {}\n\n{}\n", new.trim().replace('\n', " "), labels(&items));
    }
    held("lsp_completion", &page);
}

#[test]
fn names_lead_to_their_declarations_and_to_all_who_say_them() {
    let mut editor = Editor::at_router(false);
    let mut page = String::new();
    for needle in [
        "use vocab.makers { ac|me",
        "models|[model]",
        "    titl|ed",
        "refines ba|se",
        "row.ser|ies",
        "version = f|w",
        "probe to|p",
        "\"acme.c|sv\"",
    ] {
        let at = |value: &Value| {
            let line = |location: &Value| {
                let uri = location["uri"].as_str().unwrap_or_default().rsplit_once("/signatures/").map_or("", |(_, name)| name).to_string();
                let (start, end) = (&location["range"]["start"], &location["range"]["end"]);
                format!("  {uri} {}:{}-{}:{}\n", start["line"], start["character"], end["line"], end["character"])
            };
            value.as_array().map_or_else(|| format!("  {value}\n"), |all| all.iter().map(line).collect())
        };
        let definition = editor.ask_at("textDocument/definition", ROUTER, needle, json!({}));
        let references = editor.ask_at("textDocument/references", ROUTER, needle, json!({ "context": { "includeDeclaration": false } }));
        let highlights = editor.ask_at("textDocument/documentHighlight", ROUTER, needle, json!({}));
        let highlights = highlights.as_array().map_or(0, Vec::len);
        page += &format!("# {needle}\n\ndeclared\n{}said\n{}highlighted {highlights}\n\n", at(&definition), at(&references));
    }
    held("lsp_navigation", &page);
}

/// A text after the edits of a rename.
fn renamed(text: &str, edit: &Value, uri: &str) -> String {
    let documents = edit["documentChanges"].as_array().cloned().unwrap_or_default();
    let mut edits: Vec<Value> = documents
        .into_iter()
        .filter(|document| document["textDocument"]["uri"] == uri)
        .flat_map(|document| document["edits"].as_array().cloned().unwrap_or_default())
        .collect();
    let offset = |text: &str, place: &Value| {
        let line = place["line"].as_u64().unwrap_or_default() as usize;
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut left = place["character"].as_u64().unwrap_or_default() as usize;
        let rest = text[start..].char_indices().find(|(_, c)| {
            let done = left == 0;
            left = left.saturating_sub(c.len_utf16());
            done
        });
        start + rest.map_or(text.len() - start, |(at, _)| at)
    };
    edits.sort_by_key(|edit| offset(text, &edit["range"]["start"]));
    let mut out = text.to_string();
    for edit in edits.iter().rev() {
        let (start, end) = (offset(text, &edit["range"]["start"]), offset(text, &edit["range"]["end"]));
        out.replace_range(start..end, edit["newText"].as_str().unwrap_or_default());
    }
    out
}

#[test]
fn a_name_is_changed_wherever_it_stands_or_not_at_all() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/acme.ksig");
    let mut page = String::new();
    for (needle, new) in [
        ("(?<mod|el in", "name"),
        ("(?<f|w:", "firmware"),
        ("table mod|els", "products"),
        ("signature ba|se", "by_title"),
        ("probe to|p", "page"),
        ("let titl|ed", "named_so"),
    ] {
        let edit = editor.ask_at("textDocument/rename", ROUTER, needle, json!({ "newName": new }));
        let text = renamed(ROUTER, &edit, &uri);
        let lines = ROUTER.lines().zip(text.lines()).filter(|(old, new)| old != new);
        let lines: String = lines.map(|(_, new)| format!("{new}\n")).collect();
        page += &format!("# {needle} -> {new}\n\n{lines}\n");
        assert_ne!(text, ROUTER, "{needle}: {edit}");
    }
    for (needle, new) in [
        ("(?<mod|el in", "fw"),
        ("(?<mod|el in", "9a"),
        ("(?<mod|el in", "when"),
        ("signature ba|se", "narrow"),
        ("  end|s: date", "over"),
        ("top.html.ti|tle starts", "b"),
        ("module router.ac|me", "gateway.acme"),
        ("use vocab.ma|kers", "router.acme"),
        ("// 家|庭", "b"),
        ("probe to|p", "http x"),
    ] {
        let refused = editor.ask_at("textDocument/rename", ROUTER, needle, json!({ "newName": new }));
        page += &format!("# {needle} -> {new}\n\n{}\n\n", editor.shown(&refused["error"]["message"]));
    }
    // What the vocabulary declares, and modules, whose files move.
    let vocabulary = editor.uri("vocab/makers.ksig");
    for (needle, new) in [
        ("vendor = ac|me", "acme_jp"),
        ("class = rou|ter", "gateway"),
        ("tag e|ol(", "ended"),
        ("use vocab.ma|kers", "words.makers"),
        ("module router.ac|me", "router.apex"),
    ] {
        let edit = editor.ask_at("textDocument/rename", ROUTER, needle, json!({ "newName": new }));
        page += &format!("# {needle} -> {new}\n\n");
        for (text, uri) in [(ROUTER, &uri), (VOCABULARY, &vocabulary)] {
            let text_now = renamed(text, &edit, uri);
            page.extend(text.lines().zip(text_now.lines()).filter(|(old, new)| old != new).map(|(_, new)| format!("{new}\n")));
        }
        for moved in edit["documentChanges"].as_array().into_iter().flatten().filter(|change| change["kind"] == "rename") {
            page += &format!("{} -> {}\n", editor.shown(&moved["oldUri"]), editor.shown(&moved["newUri"]));
        }
        page.push('\n');
    }
    // Across files.
    let other = editor.uri("router/other.ksig");
    let text = "ksig 1\nmodule router.other\nuse router.acme { base, top }\nsignature third refines base {\n  summary \"x\"\n  match { top.status == 200 }\n  example \"ACME\" in top.html.title => nothing\n}\n";
    editor.client.open_document(&other, text);
    editor.client.problems(&other);
    let edit = editor.ask_at("textDocument/rename", ROUTER, "signature ba|se", json!({ "newName": "by_title" }));
    page += &format!("# across files\n\n{}\n", renamed(text, &edit, &other));
    // A file that is broken may say the name where nobody knows it.
    editor.client.replace(&other, 2, &text.replace("== 200", "= 200"));
    let refused = editor.ask_at("textDocument/rename", ROUTER, "signature ba|se", json!({ "newName": "by_title" }));
    page += &format!("# while another file is broken\n\n{}\n", editor.shown(&refused["error"]["message"]));
    held("lsp_rename", &page);
}

#[test]
fn the_outline_the_folds_and_the_tokens_are_those_of_the_text() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/acme.ksig");
    let document = json!({ "textDocument": { "uri": uri } });
    let mut page = String::from("# outline\n\n");
    fn outline(symbols: &Value, depth: usize, page: &mut String) {
        for symbol in symbols.as_array().into_iter().flatten() {
            let line = &symbol["selectionRange"]["start"]["line"];
            *page += &format!("{}{} ({}) line {line}\n", "  ".repeat(depth), symbol["name"].as_str().unwrap_or_default(), symbol["kind"]);
            outline(&symbol["children"], depth + 1, page);
        }
    }
    outline(&editor.client.ask("textDocument/documentSymbol", document.clone()), 0, &mut page);
    page += "\n# folds\n\n";
    for fold in editor.client.ask("textDocument/foldingRange", document.clone()).as_array().into_iter().flatten() {
        page += &format!("{}-{} {}\n", fold["startLine"], fold["endLine"], fold["kind"].as_str().unwrap_or_default());
    }
    page += "\n# tokens\n\n";
    let can = ksig_tests::client::Client::start(&[]).hello(&crate::root(&editor.folder), false);
    let names = can["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"].clone();
    let tokens = editor.client.ask("textDocument/semanticTokens/full", document.clone());
    let data: Vec<usize> = tokens["data"].as_array().into_iter().flatten().filter_map(|n| Some(n.as_u64()? as usize)).collect();
    let lines: Vec<Vec<u16>> = ROUTER.lines().map(|line| line.encode_utf16().collect()).collect();
    let (mut line, mut column) = (0, 0);
    for token in data.chunks(5) {
        column = if token[0] == 0 { column + token[1] } else { token[1] };
        line += token[0];
        let text = String::from_utf16_lossy(&lines[line][column..column + token[2]]);
        let declares = if token[4] & 1 == 1 { " declared" } else { "" };
        page += &format!("{line}:{column} {text} {}{declares}\n", names[token[3]].as_str().unwrap_or_default());
    }
    page += "\n# types\n\n";
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    let hints = editor.client.ask("textDocument/inlayHint", json!({ "textDocument": { "uri": uri }, "range": range }));
    for hint in hints.as_array().into_iter().flatten() {
        page += &format!("{}:{} {}\n", hint["position"]["line"], hint["position"]["character"], hint["label"].as_str().unwrap_or_default());
    }
    page += "\n# a selection grows\n\n";
    let at = place(ROUTER, "version = f|w");
    let mut range =
        editor.client.ask("textDocument/selectionRange", json!({ "textDocument": { "uri": uri }, "positions": [at] }))[0].clone();
    while range.is_object() {
        let (start, end) = (&range["range"]["start"], &range["range"]["end"]);
        page += &format!("{}:{}-{}:{}\n", start["line"], start["character"], end["line"], end["character"]);
        range = range["parent"].clone();
    }
    page += "\n# symbols of the workspace that have the letters `rab`\n\n";
    for symbol in editor.client.ask("workspace/symbol", json!({ "query": "rab" })).as_array().into_iter().flatten() {
        page += &format!("{} in {}\n", symbol["name"].as_str().unwrap_or_default(), symbol["containerName"].as_str().unwrap_or_default());
    }
    held("lsp_structure", &page);
}

#[test]
fn lenses_run_tests_count_fixtures_and_tell_the_cost() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/acme.ksig");
    let lenses = editor.client.ask("textDocument/codeLens", json!({ "textDocument": { "uri": uri } }));
    let mut page = String::new();
    for lens in lenses.as_array().cloned().into_iter().flatten() {
        let lens = if lens["command"].is_null() { editor.client.ask("codeLens/resolve", lens) } else { lens };
        let command = &lens["command"];
        page += &format!(
            "line {}: {} | {}\n",
            lens["range"]["start"]["line"],
            command["title"].as_str().unwrap_or_default(),
            command["command"].as_str().unwrap_or_default()
        );
    }
    held("lsp_lenses", &page);
}

#[test]
fn a_file_is_put_into_the_one_style_by_an_edit_of_what_differs() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/acme.ksig");
    let text = ROUTER.replace("    vendor = acme\n", "       vendor   =  acme\n");
    editor.client.replace(&uri, 2, &text);
    let params = json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 8, "insertSpaces": false } });
    let edits = editor.client.ask("textDocument/formatting", params.clone());
    let start = place(&text, "|       vendor   =");
    assert_eq!(edits[0]["range"]["start"], start, "{edits}");
    assert_eq!(edits[0]["newText"], "    vendor = acme\n");
    editor.client.replace(&uri, 3, "signature {");
    assert_eq!(editor.client.ask("textDocument/formatting", params), Value::Null, "what is broken is left alone");
}

#[test]
fn what_is_said_is_in_the_language_of_the_editor() {
    let folder = crate::workspace();
    let mut client = ksig_tests::client::Client::start(&["--stdio"]);
    client.ask("initialize", json!({ "processId": null, "rootUri": null, "capabilities": {}, "locale": "ja-JP" }));
    client.tell("initialized", json!({}));
    let uri = ksig_tests::client::uri(&crate::root(&folder).join("signatures/router/acme.ksig"));
    client.open_document(&uri, &ROUTER.replace("html.title starts", "html.titel starts"));
    let problems = client.problems(&uri);
    assert!(problems[0]["message"].as_str().is_some_and(|text| text.contains("フィールド")), "{problems}");
    let page = client.ask("ksig/explain", json!({ "code": "unknown-field" }));
    assert!(page.as_str().is_some_and(|page| page.contains("問題のある例")), "{page}");
}
