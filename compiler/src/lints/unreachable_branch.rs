//! A branch that nothing takes: see [`LINT`].

use ksig_lang::{CodeDoc, Diagnostic, Severity, Span, Text, say};

use super::unsatisfiable_condition::{contradictions, together};
use super::{Lint, Look, own};
use crate::hir::{Condition, Expr, ExprKind, Signature};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "unreachable-branch",
        meaning: Text::new(
            "A branch is never taken: what stands before it in `first of` is always there, an `if` around it has decided the same question already, or a branch of `any` asks a field for a value that lines outside of it rule out. Its author thinks of devices that it finds; it finds none.",
            "決して選ばれない枝があります。`first of`の手前の値が必ず存在する、外側の`if`が同じ問いをすでに決めている、`any`の枝が外側の行と両立しない値を求めている、のいずれかです。作者の想定した機器は、この枝では見つかりません。",
        ),
        bad: r#"
  summary "ACME router"
  match {
    top.html.title == "ACME router"
    top.status == 200
    any {
      top.status == 401
      top.header["server"] contains "acme"
    }
  }
  identify { vendor = acme; class = router.home }
  test "a page" {
    given top = http { html.title: "ACME router", status: 200, "header.server": "acme-httpd" }
    expect identify { vendor: acme }
  }
  example "Login" in top.html.title => nothing
"#,
        good: r#"
  summary "ACME router"
  match {
    top.html.title == "ACME router"
    any {
      top.status == 401
      top.header["server"] contains "acme"
    }
  }
  identify { vendor = acme; class = router.home }
  test "a page" {
    given top = http { html.title: "ACME router", status: 200, "header.server": "acme-httpd" }
    expect identify { vendor: acme }
  }
  example "Login" in top.html.title => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        let mut told = |span: Span, before: Option<Span>, why: Text| {
            let message = say!("this branch is never taken", "この枝が選ばれることはありません");
            let mut problem = LINT.finding(signature, span, message, say!("never reached", "ここには到達しません"));
            if let Some(before) = before {
                problem = problem.label(signature.file, before, why);
            }
            let help = say!("leave it out, or mend what stands before it", "削除するか、手前の条件を直してください");
            found.push(Diagnostic { severity: LINT.level, ..problem.help(help) });
        };
        let mut outside: Vec<&Expr> = Vec::new();
        let blocks = own::blocks(signature, analysis);
        blocks.iter().for_each(|block| together(block, &mut outside));
        blocks.iter().for_each(|block| branches(block, &outside, &mut told));
        // What a `let` of a file stands for is written elsewhere.
        for expr in own::exprs(signature, analysis).into_iter().filter(|expr| signature.holds(expr.span)) {
            never_taken(signature, expr, &mut Vec::new(), &mut told);
        }
    }),
};

type Told<'t> = dyn FnMut(Span, Option<Span>, Text) + 't;

/// The branches of groups of which some must hold, beside the lines that must hold anyway.
fn branches(condition: &Condition, outside: &[&Expr], told: &mut Told) {
    match condition {
        Condition::All(lines) => lines.iter().for_each(|line| branches(line, outside, told)),
        Condition::Any(lines) | Condition::AtLeast(_, lines) => {
            for line in lines {
                let mut own: Vec<&Expr> = Vec::new();
                together(line, &mut own);
                let of_branch = |span: Span| own.iter().any(|expr| expr.span == span);
                let all: Vec<&Expr> = outside.iter().chain(&own).copied().collect();
                // Lines outside that contradict each other are told as such.
                if let Some((span, first)) = contradictions(&all).into_iter().find(|(span, first)| of_branch(*span) || of_branch(*first)) {
                    let (here, other) = if of_branch(span) { (span, first) } else { (first, span) };
                    told(here, Some(other), say!("rules it out", "この行と両立しません"));
                } else {
                    branches(line, &all, told);
                }
            }
        }
        Condition::Line { .. } | Condition::None(_) | Condition::Each { .. } => {}
    }
}

/// `decided`: conditions of the `if`s around, with what they came out as.
fn never_taken(signature: &Signature, expr: &Expr, decided: &mut Vec<(Expr, Span, bool)>, told: &mut Told) {
    match &expr.kind {
        ExprKind::FirstOf(parts) => {
            // `{x|cpe}` of a template is made of parts that stand at one place.
            for pair in parts.windows(2).filter(|pair| pair[0].span.end <= pair[1].span.start) {
                if !pair[0].ty.is_optional() && signature.holds(pair[1].span) {
                    told(pair[1].span, Some(pair[0].span), say!("always there", "必ず存在します"));
                    break;
                }
            }
            parts.iter().for_each(|part| never_taken(signature, part, decided, told));
        }
        ExprKind::If(condition, then, otherwise) => {
            let question = condition.without_places();
            if let Some((_, before, came_out)) = decided.iter().find(|(asked, ..)| *asked == question) {
                let never = if *came_out { otherwise } else { then };
                told(never.span, Some(*before), say!("has decided it", "ここですでに決まっています"));
                return;
            }
            for (branch, came_out) in [(then, true), (otherwise, false)] {
                decided.push((question.clone(), condition.span, came_out));
                never_taken(signature, branch, decided, told);
                decided.pop();
            }
        }
        _ => {
            let mut inside = Vec::new();
            expr.walk(&mut |inner| {
                if inner.span != expr.span && matches!(inner.kind, ExprKind::If(..) | ExprKind::FirstOf(_)) {
                    inside.push(inner);
                }
            });
            // Outermost first: what stands inside one of them is looked at there.
            let mut end = 0;
            for inner in inside {
                if inner.span.start >= end && signature.holds(inner.span) {
                    end = inner.span.end;
                    never_taken(signature, inner, decided, told);
                }
            }
        }
    }
}
