//! Above a signature: run its tests, how many fixtures of the workspace it matches, what it costs. Behind its names: their types.

use ksig_compiler::hir::Signature;
use ksig_lang::{ast, say};
use ksig_schema::{ProbeCost, Request};
use lsp_types::{CodeLens, Command, InlayHint, InlayHintKind, InlayHintLabel, Range};
use serde_json::json;

use super::view::View;

/// The command that runs tests: the file, the signature's full name, and a test's name or nothing.
pub const RUN_TESTS: &str = "ksig.runTests";
/// The command that says which fixtures a signature matches.
pub const SHOW_MATCHES: &str = "ksig.showMatches";

/// The lenses of a file. How many fixtures match is worked out when a lens comes into sight.
pub fn lenses(view: &View) -> Vec<CodeLens> {
    let mut found = Vec::new();
    let Some(uri) = view.uri_of(view.file) else { return found };
    for item in &view.ast().items {
        let ast::Item::Signature(signature) = item else { continue };
        let full = view.full(&signature.name.value);
        let range = view.range_of(view.file, signature.name.span);
        let tests =
            signature.body.iter().filter(|statement| matches!(statement, ast::Statement::Test(_) | ast::Statement::Example(_))).count();
        let lens = |title: String, command: &str, arguments: Vec<serde_json::Value>| CodeLens {
            range,
            command: Some(Command { title, command: command.into(), arguments: Some(arguments) }),
            data: None,
        };
        if tests > 0 {
            let title = say!("run {tests} tests", "テスト{tests}件を実行").in_lang(view.lang).to_string();
            found.push(lens(title, RUN_TESTS, vec![json!(uri), json!(full), json!(null)]));
        }
        found.push(CodeLens { range, command: None, data: Some(json!({ "matches": full, "uri": uri })) });
        let known = view.analysis().program.signatures.iter().find(|known| known.name == full);
        if let Some(known) = known {
            found.push(lens(cost(view, known), "", Vec::new()));
        }
        for statement in &signature.body {
            if let ast::Statement::Test(test) = statement {
                let title = say!("run test", "テストを実行").in_lang(view.lang).to_string();
                let command =
                    Command { title, command: RUN_TESTS.into(), arguments: Some(vec![json!(uri), json!(full), json!(test.name.value)]) };
                found.push(CodeLens { range: view.range_of(view.file, test.name.span), command: Some(command), data: None });
            }
        }
    }
    found
}

/// What a signature asks of a device, and how large its patterns are.
fn cost(view: &View, signature: &Signature) -> String {
    let mut requests: Vec<Request> = signature.sent_probes().into_iter().map(|id| signature.probe(id).asks.request()).collect();
    requests.sort();
    requests.dedup();
    let sent: ProbeCost = requests.iter().map(|request| (view.session().world().cost)(request)).sum();
    let (probes, bytes, states) = (requests.len(), sent.bytes_sent, signature.regex_states);
    say!("cost: {probes} probes, {bytes} bytes sent, {states} states", "コスト: プローブ{probes}件、送信{bytes}バイト、{states}状態")
        .in_lang(view.lang)
        .to_string()
}

/// Types of captures and `let`s behind their names; one whose type is written is left out.
pub fn hints(view: &View, range: Range) -> Vec<InlayHint> {
    let lines = view.lines();
    let part = lines.span(range);
    let text = view.text();
    let inside = view.session().marks(view.file).iter().filter(|mark| part.start <= mark.span.end && mark.span.start <= part.end);
    let hint = |mark: &ksig_compiler::Mark| {
        let ty = mark.ty.as_ref().filter(|_| mark.declares)?;
        if text[mark.span.end as usize..].trim_start().starts_with(':') {
            return None;
        }
        Some(InlayHint {
            position: lines.position(mark.span.end),
            label: InlayHintLabel::String(format!(": {ty}")),
            kind: Some(InlayHintKind::TYPE),
            text_edits: None,
            tooltip: None,
            padding_left: None,
            padding_right: None,
            data: None,
        })
    };
    inside.filter_map(hint).collect()
}
