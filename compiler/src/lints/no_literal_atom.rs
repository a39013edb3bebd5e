//! Patterns that ask for a shape and for no text: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_runtime::pattern;
use regex_syntax::hir::{Hir, HirKind};

use super::{Lint, Look, own};
use crate::hir::{Expr, ExprKind};

/// So many signs are as good as a word: some banners are rows of asterisks.
const SIGNS_MIN: usize = 8;

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "no-literal-atom",
        meaning: Text::new(
            "Patterns decide, and none of them needs a letter or a digit of its own: `/^[A-Z]+-\\d+$/` asks for the shape that names of models have with every maker. Such a pattern is tried on every value, too, because nothing in it can be looked for. Put the part that names the maker or the series into it as text, or ask for it in another line.",
            "パターンだけで決まりますが、どのパターンにも固定の文字や数字がありません。`/^[A-Z]+-\\d+$/`が問うのは、どのメーカーのモデル名にも共通する形だけです。検索の手がかりになる文字列がないため、すべての値に対して試されることにもなります。メーカーやシリーズを表す部分を文字列としてパターンに含めるか、別の行で条件にしてください。",
        ),
        bad: r#"
  summary "ACME router by the shape of its realm"
  match { top.auth.basic.realm ~ /^(?<model>[A-Z]{3}-\d{2}[A-Z]{2})$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
        good: r#"
  summary "ACME BRL router"
  match { top.auth.basic.realm ~ /^(?<model>BRL-\d{2}[A-Z]{2})$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, _, found| {
        let evidence = own::evidence(&signature.condition);
        if !evidence.is_empty() && evidence.iter().all(|expr| is_shape(expr)) {
            let name = &signature.name;
            let message = say!("the patterns of `{name}` ask for a shape only", "`{name}`のパターンは文字列の形しか問うていません");
            let label = say!("no letter or digit is certain", "必ず現れる文字や数字がありません");
            let problem = LINT.finding(signature, signature.name_span, message, label);
            found.push(
                problem.help(say!(
                    "ask for a text that names the maker or the series",
                    "メーカーやシリーズを表す文字列を条件に加えてください"
                )),
            );
        }
    }),
};

/// Whether a question asks for a pattern that needs no letter and no digit, in whatever case.
fn is_shape(expr: &Expr) -> bool {
    let ExprKind::Matches(_, matched) = &expr.kind else { return false };
    let strict = own::strict(&matched.pattern);
    pattern::hir(&strict).is_ok_and(|meaning| {
        // A byte outside of ASCII is one of a letter, or of bytes that somebody chose.
        let letters = needed(&meaning, &|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
        letters == 0 && needed(&meaning, &|byte| byte.is_ascii_punctuation()) < SIGNS_MIN
    })
}

/// How many bytes of a kind every match has at least, of those that stand in the pattern themselves.
fn needed(meaning: &Hir, counts: &dyn Fn(u8) -> bool) -> usize {
    match meaning.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => 0,
        HirKind::Literal(text) => text.0.iter().filter(|byte| counts(**byte)).count(),
        HirKind::Repetition(run) => needed(&run.sub, counts).saturating_mul(run.min as usize),
        HirKind::Capture(group) => needed(&group.sub, counts),
        HirKind::Concat(parts) => parts.iter().map(|part| needed(part, counts)).fold(0, usize::saturating_add),
        HirKind::Alternation(parts) => parts.iter().map(|part| needed(part, counts)).min().unwrap_or(0),
    }
}
