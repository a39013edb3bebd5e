//! Mistakes in one expression: a wider pattern, a boundary moved, another literal, a branch taken for the other.
//!
//! In: a typed expression. Out: others of the same type that could stand there. What an author writes on purpose never becomes an error: a
//! constant becomes another of its type.

use ksig_compiler::hir::{Expr, ExprKind};
use ksig_lang::{Span, Text, say};
use ksig_runtime::plan::{CompareOp, Datum};
use ksig_schema::Type;

use super::widen::{self, Wider};

/// Other expressions that could stand in the place of one, each with what was changed and which test would notice.
pub(super) fn of(expr: &Expr, is_slot: bool, source: &dyn Fn(Span) -> String) -> Vec<(Expr, Text, Text)> {
    let text = source(expr.span);
    let same = |kind: ExprKind| Expr { kind, ..expr.clone() };
    let mut out = Vec::new();
    match &expr.kind {
        ExprKind::Matches(value, found) => {
            for Wider { source, from, to, around } in widen::all(&found.pattern) {
                let mut found = found.clone();
                found.pattern.source = source;
                let (what, kill) = match to.is_empty() {
                    true => (
                        say!("`{from}` is gone from `{around}`", "`{around}`から`{from}`を削除"),
                        say!("a near miss that only `{from}` keeps out", "`{from}`があるために該当しない否定テスト"),
                    ),
                    false => (
                        say!("`{from}` became `{to}` in `{around}`", "`{around}`の`{from}`を`{to}`に変更"),
                        say!(
                            "a near miss that `{to}` takes there and `{from}` does not",
                            "その位置で`{to}`なら該当し、`{from}`なら該当しない否定テスト"
                        ),
                    ),
                };
                out.push((same(ExprKind::Matches(value.clone(), found)), what, kill));
            }
        }
        ExprKind::Compare(op, scheme, a, b) => {
            let boundary = match op {
                CompareOp::Lt => Some((CompareOp::Le, "<", "<=")),
                CompareOp::Le => Some((CompareOp::Lt, "<=", "<")),
                CompareOp::Gt => Some((CompareOp::Ge, ">", ">=")),
                CompareOp::Ge => Some((CompareOp::Gt, ">=", ">")),
                CompareOp::Eq => None,
            };
            if let Some((op, from, to)) = boundary {
                let what = say!("`{from}` became `{to}` in `{text}`", "`{text}`の`{from}`を`{to}`に変更");
                let kill = say!("a test in which both sides of `{text}` are equal", "`{text}`の両辺が等しくなるテスト");
                out.push((same(ExprKind::Compare(op, scheme.clone(), a.clone(), b.clone())), what, kill));
            }
            if let Some(other) = other_constant(b) {
                let (what, kill) = said_of_literal(&source(b.span), &text);
                out.push((same(ExprKind::Compare(*op, scheme.clone(), a.clone(), Box::new(other))), what, kill));
            }
        }
        ExprKind::TextTest(op, a, b) => {
            if let Some(other) = other_constant(b) {
                let (what, kill) = said_of_literal(&source(b.span), &text);
                out.push((same(ExprKind::TextTest(*op, a.clone(), Box::new(other))), what, kill));
            }
        }
        ExprKind::InList(value, items) if items.len() > 1 => {
            for at in 0..items.len() {
                let mut fewer = items.clone();
                let gone = shown(&fewer.remove(at));
                let what = say!("{gone} is gone from the list of `{text}`", "`{text}`のリストから{gone}を削除");
                let kill = say!("a test with {gone}", "{gone}を使うテスト");
                out.push((same(ExprKind::InList(value.clone(), fewer)), what, kill));
            }
        }
        ExprKind::And(a, b) | ExprKind::Or(a, b) if a.without_places() != b.without_places() => {
            let or = matches!(expr.kind, ExprKind::Or(..));
            for (kept, gone) in [(b, a), (a, b)] {
                let part = source(gone.span);
                let what = say!("`{part}` is gone from `{text}`", "`{text}`から`{part}`を削除");
                let kill = match or {
                    true => say!("a test in which `{part}` alone makes it true", "`{part}`だけで真になるテスト"),
                    false => say!("a test in which `{part}` alone makes it false", "`{part}`だけで偽になるテスト"),
                };
                out.push(((**kept).clone(), what, kill));
            }
        }
        ExprKind::If(test, a, b) if a.without_places() != b.without_places() => {
            let test_text = source(test.span);
            let what = say!("the branches of `if {test_text}` are swapped", "`if {test_text}`の分岐を入れ替え");
            let kill = say!("a test that expects the value where `{test_text}` holds", "`{test_text}`が成り立つときの値を確認するテスト");
            out.push((same(ExprKind::If(test.clone(), b.clone(), a.clone())), what, kill));
        }
        ExprKind::FirstOf(items) if items.len() > 1 => {
            for at in 0..items.len() {
                let mut fewer = items.clone();
                let gone = source(fewer.remove(at).span);
                let what = say!("`{gone}` is gone from the choice", "候補から`{gone}`を削除");
                let kill = say!("a test that expects the value that `{gone}` gives", "`{gone}`が選ばれたときの値を確認するテスト");
                out.push((same(ExprKind::FirstOf(fewer)), what, kill));
            }
        }
        ExprKind::Const(datum) if is_slot && *expr.ty.required() == Type::Text => {
            if let Some(other) = other_datum(datum) {
                let what = say!("{text} became another text", "{text}を別のテキストに変更");
                let kill = say!("a test that expects {text}", "{text}を確認するテスト");
                out.push((same(ExprKind::Const(other)), what, kill));
            }
        }
        _ => {}
    }
    out
}

fn said_of_literal(literal: &str, text: &str) -> (Text, Text) {
    let what = say!("{literal} became another value in `{text}`", "`{text}`の{literal}を別の値に変更");
    (what, say!("a test whose outcome hangs on {literal}", "結果が{literal}で決まるテスト"))
}

/// Another constant of the same type: a text that is not equal, a number one higher, a date one day later.
fn other_constant(expr: &Expr) -> Option<Expr> {
    let ExprKind::Const(datum) = &expr.kind else { return None };
    Some(Expr { kind: ExprKind::Const(other_datum(datum)?), ..expr.clone() })
}

fn other_datum(datum: &Datum) -> Option<Datum> {
    Some(match datum {
        Datum::Text(text) if text.is_ascii() && text.ends_with(|c: char| c.is_ascii_digit()) => Datum::Text(format!("{text}1")),
        Datum::Text(text) => {
            let mut chars: Vec<char> = text.chars().collect();
            let last = chars.last_mut()?;
            *last = if *last == 'x' { 'y' } else { 'x' };
            Datum::Text(chars.into_iter().collect())
        }
        Datum::Int(number) => Datum::Int(number.checked_add(1)?),
        Datum::Bool(value) => Datum::Bool(!value),
        _ => return next_day(datum),
    })
}

/// The day after a date, or after the one that a bound names.
pub(super) fn next_day(datum: &Datum) -> Option<Datum> {
    match datum {
        Datum::Date(date) => date.tomorrow().ok().map(Datum::Date),
        Datum::Bound(kind, inner) => Some(Datum::Bound(*kind, Box::new(next_day(inner)?))),
        _ => None,
    }
}

fn shown(datum: &Datum) -> String {
    match datum {
        Datum::Text(text) => format!("{text:?}"),
        Datum::Int(number) => number.to_string(),
        Datum::Bytes(bytes) => format!("h\"{}\"", ksig_schema::form::hex_digits(bytes)),
        Datum::Date(date) => date.to_string(),
        other => format!("{other:?}"),
    }
}
