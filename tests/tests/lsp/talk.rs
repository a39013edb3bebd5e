//! How a client and the server speak: hello and goodbye, order, garbage.

use ksig_tests::client::Client;
use serde_json::{Value, json};

use crate::{Editor, ROUTER};

#[test]
fn a_client_that_says_goodbye_sees_exit_code_0_and_one_that_leaves_sees_1() {
    let mut editor = Editor::open(false);
    assert_eq!(editor.client.goodbye(), Some(0));

    let mut editor = Editor::open(false);
    editor.client.tell("exit", json!({}));
    assert_eq!(editor.client.ended(), Some(1));

    let mut editor = Editor::open(false);
    editor.client.hang_up();
    assert_eq!(editor.client.ended(), Some(1));

    let mut editor = Editor::open(false);
    editor.client.ask("shutdown", Value::Null);
    let refused = editor.client.ask("textDocument/hover", json!({}));
    assert_eq!(refused["error"]["code"], -32600, "after shutdown nothing is answered");
    editor.client.hang_up();
    assert_eq!(editor.client.ended(), Some(0));
}

#[test]
fn nothing_is_answered_before_hello() {
    let mut client = Client::start(&[]);
    let refused = client.ask("textDocument/hover", json!({}));
    assert_eq!(refused["error"]["code"], -32002);
    client.tell("textDocument/didOpen", json!({}));
    let folder = crate::workspace();
    let can = client.hello(&crate::root(&folder), true);
    assert_eq!(can["capabilities"]["positionEncoding"], "utf-8");
    assert_eq!(client.goodbye(), Some(0));
}

#[test]
fn garbage_is_answered_with_an_error_and_what_follows_is_heard() {
    let mut editor = Editor::at_router(false);
    let client = &mut editor.client;
    for (bytes, code) in [
        ("HELO there\r\n", -32700),
        ("Content-Length: many\r\n\r\n", -32700),
        ("Content-Length: 3\r\n\r\n{\"\n", -32700),
        ("Content-Length: 2\r\n\r\n[]", -32600),
        ("Content-Length: 11\r\n\r\n{\"id\":null}", -32600),
    ] {
        client.write(bytes.as_bytes());
        let error = client.note(|message| message.get("error").is_some() && message["id"].is_null());
        assert_eq!(error["error"]["code"], code, "{bytes:?}: {error}");
    }
    for (method, params, code) in [
        ("textDocument/hover", json!({ "position": "here" }), -32602),
        ("textDocument/hover", json!([1, 2]), -32602),
        ("textDocument/dance", json!({}), -32601),
        ("workspace/executeCommand", json!({ "command": "rm", "arguments": [] }), -32602),
        ("codeLens/resolve", json!(null), -32602),
    ] {
        let refused = client.ask(method, params.clone());
        assert_eq!(refused["error"]["code"], code, "{method} {params}: {refused}");
    }
    client.tell("textDocument/didChange", json!({ "textDocument": { "uri": "file:///none.ksig", "version": 3 }, "contentChanges": [] }));
    client.tell("textDocument/didChange", json!(7));
    client.tell("$/setTrace", json!({}));
    let hover = editor.ask_at("textDocument/hover", ROUTER, "probe to|p", json!({}));
    assert!(hover["contents"]["value"].as_str().is_some_and(|text| text.contains("http.get")), "{hover}");
    assert_eq!(editor.client.goodbye(), Some(0));
}

#[test]
fn a_request_that_is_cancelled_before_its_turn_is_not_worked_on() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/acme.ksig");
    // All in one write, so that they wait in one queue.
    let message = |value: Value| {
        let body = value.to_string();
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let mut bytes = String::new();
    for id in 100..140 {
        bytes += &message(
            json!({ "jsonrpc": "2.0", "id": id, "method": "textDocument/semanticTokens/full", "params": { "textDocument": { "uri": uri } } }),
        );
    }
    bytes += &message(json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": 139 } }));
    editor.client.write(bytes.as_bytes());
    let last = editor.client.answer(139);
    assert!(last["error"]["code"] == -32800 || last["data"].is_array(), "{last}");
    for id in 100..139 {
        assert!(editor.client.answer(id)["data"].is_array(), "each other one is answered");
    }
}

#[test]
fn any_positions_and_texts_are_answered_without_a_mistake() {
    let mut editor = Editor::at_router(false);
    let uri = editor.uri("router/acme.ksig");
    let requests = [
        "textDocument/hover",
        "textDocument/definition",
        "textDocument/completion",
        "textDocument/documentHighlight",
        "textDocument/prepareRename",
        "textDocument/semanticTokens/full",
        "textDocument/documentSymbol",
        "textDocument/foldingRange",
        "textDocument/codeLens",
        "textDocument/formatting",
        "textDocument/inlayHint",
        "textDocument/codeAction",
        "textDocument/selectionRange",
        "textDocument/references",
    ];
    let mut version = 1;
    for cut in (0..ROUTER.len()).step_by(61) {
        let cut = (cut..).find(|at| ROUTER.is_char_boundary(*at)).unwrap_or_default();
        version += 1;
        editor.client.replace(&uri, version, &ROUTER[..cut]);
        for (nth, method) in requests.iter().enumerate() {
            let at = json!({ "line": (cut + nth * 7) % 70, "character": (cut * 3 + nth) % 90 });
            let range = json!({ "start": { "line": 0, "character": 0 }, "end": at });
            let params = json!({
                "textDocument": { "uri": uri }, "position": at, "positions": [at], "range": range, "options": { "tabSize": 2, "insertSpaces": true },
                "context": { "diagnostics": [], "includeDeclaration": true, "triggerKind": 1 },
            });
            let answer = editor.client.ask(method, params);
            let code = answer["error"]["code"].as_i64().unwrap_or_default();
            // A rename may be refused; nothing may break.
            assert!(code == 0 || code == -32803, "{method} at {cut}: {answer}");
        }
    }
    editor.client.replace(&uri, version + 1, ROUTER);
    let hover = editor.ask_at("textDocument/hover", ROUTER, "probe to|p", json!({}));
    assert!(hover["contents"]["value"].is_string());
}
