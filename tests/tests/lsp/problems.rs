//! Problems as they come and go while somebody types, and what is done about them.

use ksig_tests::client::position;
use serde_json::{Value, json};

use crate::{Editor, ROUTER, place, root, write};

fn codes(problems: &Value) -> Vec<&str> {
    problems.as_array().into_iter().flatten().filter_map(|problem| problem["code"].as_str()).collect()
}

#[test]
fn problems_follow_each_edit_at_their_places_in_either_encoding() {
    for utf8 in [false, true] {
        let mut editor = Editor::at_router(utf8);
        let uri = editor.uri("router/acme.ksig");
        // One letter behind full-width ones: the column is that of the encoding.
        let line = ROUTER.lines().position(|line| line.contains("\"日本\"")).expect("the line");
        let written = ROUTER.lines().nth(line).expect("the line");
        let before = &written[..written.find("title").expect("title")];
        let column = if utf8 { before.len() } else { before.chars().map(char::len_utf16).sum() };
        let at = json!({ "line": line, "character": column });
        let edit = json!({ "range": { "start": at, "end": at }, "text": "x" });
        editor.client.tell("textDocument/didChange", json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [edit] }));
        let problems = editor.client.problems(&uri);
        assert_eq!(codes(&problems)[0], "unknown-field", "{problems}");
        let start = &problems[0]["range"]["start"];
        let name = before.find("top").expect("top");
        let name = if utf8 { name } else { before[..name].chars().map(char::len_utf16).sum() };
        assert_eq!((start["line"].as_u64(), start["character"].as_u64()), (Some(line as u64), Some(name as u64)), "utf8 {utf8}");
        assert!(problems[0]["codeDescription"]["href"].as_str().is_some_and(|href| href.contains("unknown-field")));
        let end = json!({ "line": line, "character": column + 1 });
        let back = json!({ "range": { "start": at, "end": end }, "text": "" });
        editor.client.tell("textDocument/didChange", json!({ "textDocument": { "uri": uri, "version": 3 }, "contentChanges": [back] }));
        assert_eq!(editor.client.problems(&uri), json!([]));
    }
}

#[test]
fn levels_of_lints_are_those_of_ksig_toml_and_a_closed_file_shows_none() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/acme.ksig");
    let text = ROUTER.replace("  summary \"ACME router by its title\"\n", "");
    editor.client.replace(&uri, 2, &text);
    let problems = editor.client.problems(&uri);
    assert_eq!(codes(&problems), ["missing-summary"]);
    assert_eq!(problems[0]["severity"], 1, "ksig.toml makes it an error");
    editor.client.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(editor.client.problems(&uri), json!([]));
    assert_eq!(editor.client.goodbye(), Some(0));
}

#[test]
fn what_another_file_breaks_is_shown_and_goes_when_it_is_mended() {
    let mut editor = Editor::at_router(false);
    let (makers, router) = (editor.uri("vocab/makers.ksig"), editor.uri("router/acme.ksig"));
    editor.client.open_document(&makers, crate::VOCABULARY);
    editor.client.problems(&makers);
    editor.client.replace(&makers, 2, &crate::VOCABULARY.replace("vendor acme", "vendor acne"));
    let problems = editor.client.problems_that(&router, |problems| !codes(problems).is_empty());
    assert!(codes(&problems).contains(&"unknown-import"), "{problems}");
    editor.client.replace(&makers, 3, crate::VOCABULARY);
    editor.client.problems_that(&router, |problems| codes(problems).is_empty());
}

#[test]
fn lints_of_the_whole_set_come_when_the_hands_rest() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/twin.ksig");
    let one = "  summary \"x\"\n  match { top.html.title == \"AC\" }\n  identify { vendor = acme; model = \"AC\" }\n  example \"AC\" in top.html.title => { model: \"AC\" }\n  example \"A\" in top.html.title => nothing\n";
    let two = one.replace("model = \"AC\"", "model = \"AD\"").replace("{ model: \"AC\" }", "{ model: \"AD\" }");
    let text = format!(
        "ksig 1\nmodule router.twin\nuse vocab.makers {{ acme }}\nprobe top = http.get(\"/\")\nsignature one {{\n{one}}}\nsignature two {{\n{two}}}\n"
    );
    // It is on no disk yet.
    editor.client.open_document(&uri, &text);
    let problems = editor.client.problems_that(&uri, |problems| codes(problems).contains(&"ambiguous-pair"));
    assert_eq!(problems[0]["relatedInformation"][0]["location"]["uri"], json!(uri));
}

#[test]
fn what_changes_on_disk_is_heard_of() {
    let mut editor = Editor::at_router(false);
    let router = editor.uri("router/acme.ksig");
    let folder = root(&editor.folder);
    // A column is gone from the table that the signature reads.
    write(&folder, "signatures/router/acme.csv", "model,series\nAC-1,Air\n");
    let changed =
        |name: &str, typ: u8| json!({ "changes": [{ "uri": format!("file://{}/signatures/{name}", folder.display()), "type": typ }] });
    editor.client.tell("workspace/didChangeWatchedFiles", changed("router/acme.csv", 2));
    editor.client.problems_that(&router, |problems| !codes(problems).is_empty());
    write(&folder, "signatures/router/acme.csv", crate::TABLE);
    editor.client.tell("workspace/didChangeWatchedFiles", changed("router/acme.csv", 2));
    editor.client.problems_that(&router, |problems| codes(problems).is_empty());
    // ksig.toml is read again, and what is wrong with it is shown there.
    write(&folder, "signatures/ksig.toml", "[lints]\nno-such-lint = \"off\"\n");
    editor.client.tell("workspace/didChangeWatchedFiles", changed("ksig.toml", 2));
    let toml = editor.uri("ksig.toml");
    let problems = editor.client.problems_that(&toml, |problems| problems.as_array().is_some_and(|all| !all.is_empty()));
    assert_eq!(problems[0]["range"]["start"], json!({ "line": 1, "character": 0 }), "{problems}");
}

#[test]
fn fixes_are_offered_and_lints_can_be_allowed() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/acme.ksig");
    let text = ROUTER
        .replace("vendor = acme", "vendor = apex")
        .replace("top.header[\"server\"] == \"acme\"", "top.header[\"server\"] ~ /^acme(?<unused>.)$/");
    editor.client.replace(&uri, 2, &text);
    let problems = editor.client.problems(&uri);
    assert_eq!(codes(&problems), ["unknown-vendor"]);
    let range = problems[0]["range"].clone();
    let ask = |editor: &mut Editor, range: &Value| {
        editor
            .client
            .ask("textDocument/codeAction", json!({ "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": [] } }))
    };
    let actions = ask(&mut editor, &range);
    let edit = &actions[0]["edit"]["documentChanges"][0];
    assert_eq!(edit["textDocument"], json!({ "uri": uri, "version": 2 }));
    assert_eq!(edit["edits"][0]["newText"], ", apex", "{actions}");
    let text = text.replace("{ acme, eol }", "{ acme, eol, apex }").replace("vendor: acme", "vendor: apex");
    editor.client.replace(&uri, 3, &text);
    let problems = editor.client.problems_that(&uri, |problems| codes(problems).contains(&"unused-capture"));
    let unused = problems.as_array().into_iter().flatten().find(|problem| problem["code"] == "unused-capture").expect("it is shown");
    assert_eq!(unused["tags"], json!([1]), "what is unused is shown faint");
    let actions = ask(&mut editor, &unused["range"]);
    let allow =
        actions.as_array().into_iter().flatten().find(|action| action["title"].as_str().is_some_and(|title| title.starts_with("allow")));
    let new = allow.expect("a lint can be allowed")["edit"]["documentChanges"][0]["edits"][0]["newText"].clone();
    assert_eq!(new, "\n  allow unused_capture \"say here why\"");
    let text = text.replace("in a header too\"\n", &format!("in a header too\"{}\n", new.as_str().unwrap_or_default()));
    editor.client.replace(&uri, 4, &text);
    editor.client.problems_that(&uri, |problems| !codes(problems).contains(&"unused-capture"));
}

#[test]
fn all_fixes_of_a_file_are_one_action() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/acme.ksig");
    let text = ROUTER.replace("vendor = acme", "vendor = acmee").replace("  match {\n    top.header", "  mach {\n    top.header");
    editor.client.replace(&uri, 2, &text);
    assert!(codes(&editor.client.problems(&uri)).len() >= 2);
    let whole = json!({ "start": position(&text, 0), "end": position(&text, text.len()) });
    let context = json!({ "diagnostics": [], "only": ["source.fixAll"] });
    let actions =
        editor.client.ask("textDocument/codeAction", json!({ "textDocument": { "uri": uri }, "range": whole, "context": context }));
    assert_eq!(actions.as_array().map(Vec::len), Some(1), "{actions}");
    let resolved = editor.client.ask("codeAction/resolve", actions[0].clone());
    let edit = &resolved["edit"]["documentChanges"][0]["edits"][0];
    let new = edit["newText"].as_str().expect("an edit");
    assert!(new.starts_with("    vendor = acme\n") && new.ends_with("\n  match {\n"), "{resolved}");
}

#[test]
fn tests_run_on_the_text_as_it_is() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/acme.ksig");
    let run = |editor: &mut Editor, test: Value| {
        editor.client.ask("workspace/executeCommand", json!({ "command": "ksig.runTests", "arguments": [uri, "router.acme.base", test] }))
    };
    let fine = run(&mut editor, Value::Null);
    assert_eq!(
        fine,
        json!({ "message": "3 tests of 1 signatures on jit and interpreter, 2 fixtures shown to the corpus, 0 failures", "failures": [] })
    );
    let text = ROUTER.replace("model: \"AC-1\", version: v\"1.2\" }", "model: \"AC-9\", version: v\"1.2\" }");
    editor.client.replace(&uri, 2, &text);
    editor.client.problems(&uri);
    let failed = run(&mut editor, json!("a page"));
    assert_eq!(failed["failures"].as_array().map(Vec::len), Some(2), "{failed}");
    let problems = editor.client.problems_that(&uri, |problems| problems.as_array().is_some_and(|all| !all.is_empty()));
    assert_eq!(problems[0]["source"], "ksig test");
    assert_eq!(problems[0]["range"]["start"], place(&text, "|expect identify { vendor"));
    // The next edit takes them away.
    editor.client.replace(&uri, 3, ROUTER);
    assert_eq!(editor.client.problems(&uri), json!([]));
}
