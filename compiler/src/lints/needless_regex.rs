//! A pattern that is a text: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, quoted, say};
use ksig_runtime::pattern;
use ksig_schema::Type;
use regex_syntax::hir::{Hir, HirKind, Look as Place};
use unicode_normalization::is_nfc;

use super::own::{self, Asked};
use super::{Lint, Look};
use crate::hir::ExprKind;

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "needless-regex",
        meaning: Text::new(
            "The pattern is one text, perhaps tied to an end: `==`, `starts`, `ends` and `contains` say the same without escapes, and nobody overlooks a `.` that matches anything.",
            "このパターンは、先頭や末尾の指定を除けば一つの文字列です。`==`、`starts`、`ends`、`contains`を使えば、エスケープなしで同じことが書けます。任意の1文字に一致する`.`を見落とすこともありません。",
        ),
        bad: r#"
  summary "ACME BRL router by its server"
  match { top.header["server"] ~ /^acme-httpd\/1\.0$/ }
  identify { vendor = acme; class = router.home }
  example "acme-httpd/1.0" in top.header["server"] => { vendor: acme }
  example "acme-httpd/1.01" in top.header["server"] => nothing
"#,
        good: r#"
  summary "ACME BRL router by its server"
  match { top.header["server"] == "acme-httpd/1.0" }
  identify { vendor = acme; class = router.home }
  example "acme-httpd/1.0" in top.header["server"] => { vendor: acme }
  example "acme-httpd/1.01" in top.header["server"] => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        for asked in own::patterns(signature, analysis) {
            let Some((word, text)) = plainly(&asked) else { continue };
            let said = format!("{word} {}", quoted(&text));
            let message = say!("this pattern is a text", "このパターンは単なる文字列です");
            let problem = LINT.finding(signature, asked.expr.span, message, say!("has no part that varies", "変化する部分がありません"));
            let fix = say!("write `{said}`", "`{said}`と書く");
            found.push(problem.fix(fix, signature.file, asked.question, format!(" {said}")));
        }
    }),
};

/// The word and the text that ask the same; absent where the pattern asks more, or its field is compared otherwise.
fn plainly(asked: &Asked) -> Option<(&'static str, String)> {
    let folds = matches!(&asked.subject.kind, ExprKind::Field(field) if field.fold_width);
    if folds || *asked.subject.ty.required() != Type::Text || !asked.matched.captures.is_empty() {
        return None;
    }
    let meaning = pattern::hir(&asked.matched.pattern).ok()?;
    let mut parts: &[Hir] = match meaning.kind() {
        HirKind::Concat(parts) => parts,
        _ => std::slice::from_ref(&meaning),
    };
    let is = |part: Option<&Hir>, look: Place| part.is_some_and(|part| *part.kind() == HirKind::Look(look));
    let (starts, ends) = (is(parts.first(), Place::Start), is(parts.last(), Place::End));
    parts = &parts[usize::from(starts)..];
    parts = &parts[..parts.len().saturating_sub(usize::from(ends))];
    let [text] = parts else { return None };
    let HirKind::Literal(text) = text.kind() else { return None };
    let text = String::from_utf8(text.0.to_vec()).ok()?;
    let word = match (starts, ends) {
        (true, true) => "==",
        (true, false) => "starts",
        (false, true) => "ends",
        (false, false) => "contains",
    };
    // A literal of another form would not be read.
    is_nfc(&text).then_some((word, text))
}
