//! A model that is found anywhere in a text: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look};
use crate::hir::ExprKind;

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "unanchored-model",
        meaning: Text::new(
            "A pattern that captures a model from a short field (a realm, a title, a header) should be tied to a place in it, with `^`, `$` or literal text beside the capture. One that begins and ends with the capture finds models inside other words and numbers.",
            "短いフィールド（realm、タイトル、ヘッダー）からモデル名を取り出すパターンは、`^`、`$`、またはキャプチャの隣の固定文字列によって位置を決めます。キャプチャで始まりキャプチャで終わるパターンは、別の単語や数字の中にもモデル名を見つけてしまいます。",
        ),
        bad: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /(?<model>BRL-\d\d[A-Z]*)/ }
  identify { vendor = acme; model = model; class = router.home }
  example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
        good: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d\d[A-Z]*)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, _, found| {
        signature.condition.walk(&mut |expr| {
            let ExprKind::Matches(_, matched) = &expr.kind else { return };
            let source = &matched.pattern.source;
            let bare = source.starts_with("(?<model>") && !source.ends_with('$');
            if bare && closes_at_end(source) {
                let message = say!("this model is looked for anywhere in the text", "モデル名をテキストのどこからでも探しています");
                let problem = LINT.finding(
                    signature,
                    expr.span,
                    message,
                    say!("begins and ends with the capture", "パターンがキャプチャで始まりキャプチャで終わっています"),
                );
                found.push(problem.help(say!(
                    "tie it to a place: /^...$/, or literal text beside the capture",
                    "/^...$/とするか、キャプチャの隣に固定の文字列を置いて位置を決めてください"
                )));
            }
        });
    }),
};

/// Whether the group that opens at the start closes at the end.
fn closes_at_end(source: &str) -> bool {
    let (mut depth, mut escaped, mut in_class) = (0usize, false, false);
    for (at, c) in source.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1 == source.len();
                }
            }
            _ => {}
        }
    }
    false
}
