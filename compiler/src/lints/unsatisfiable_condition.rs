//! Lines that no device can make true together: see [`LINT`].

use std::collections::BTreeMap;

use ksig_lang::{CodeDoc, Diagnostic, Severity, Span, Text, say};
use ksig_runtime::plan::{CompareOp, Datum, TextOp};

use super::{Lint, Look, own};
use crate::hir::{Condition, Expr, ExprKind, FieldRef, ProbeId, Signature};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "unsatisfiable-condition",
        meaning: Text::new(
            "Two lines that must both hold ask one field, which has one value, for values that no single one is: the signature never matches. Values of which any will do stand in `any { }` or in `in [...]`.",
            "両方とも成り立つ必要のある二つの行が、値を一つしか持たないフィールドに、両立しない値を求めています。このシグネチャが該当することはありません。どれか一つでよい値は、`any { }`か`in [...]`に書きます。",
        ),
        bad: r#"
  summary "ACME router"
  match {
    top.html.title == "ACME router"
    top.status == 200
    top.status == 401
  }
  identify { vendor = acme; class = router.home }
  test "a page" {
    given top = http { html.title: "ACME router", status: 200 }
    expect identify { vendor: acme }
  }
  example "Login" in top.html.title => nothing
"#,
        good: r#"
  summary "ACME router"
  match {
    top.html.title == "ACME router"
    top.status in [200, 401]
  }
  identify { vendor = acme; class = router.home }
  test "a page" {
    given top = http { html.title: "ACME router", status: 200 }
    expect identify { vendor: acme }
  }
  example "Login" in top.html.title => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        let mut lines: Vec<&Expr> = Vec::new();
        own::blocks(signature, analysis).iter().for_each(|block| together(block, &mut lines));
        found.extend(contradictions(&lines).into_iter().map(|(span, first)| contradiction(signature, span, first)));
    }),
};

/// Of lines that must all hold, those that leave their field no value, each with the line that first asked the field for one.
pub(super) fn contradictions(lines: &[&Expr]) -> Vec<(Span, Span)> {
    let mut found = Vec::new();
    let asked: Vec<Asked> = lines.iter().filter_map(|line| question(line)).collect();
    let mut values: BTreeMap<Place, Left> = BTreeMap::new();
    // First what a value can be, then what it must be like.
    for (field, values_of, span) in asked.iter().filter_map(|asked| Some((asked.field, asked.one_of()?, asked.span))) {
        let (first, left) = values.entry(place(field)).or_insert_with(|| (span, values_of.clone()));
        let before = left.len();
        left.retain(|value| values_of.contains(value));
        if left.is_empty() && before > 0 {
            found.push((span, *first));
        }
    }
    for asked in asked.iter().filter(|asked| asked.one_of().is_none()) {
        let Some((first, left)) = values.get_mut(&place(asked.field)) else { continue };
        let before = left.len();
        left.retain(|value| asked.allows(value));
        if left.is_empty() && before > 0 {
            found.push((asked.span, *first));
        }
    }
    found
}

/// Most values of a list that is judged; each line about its field looks at all of them.
const VALUES_MAX: usize = 256;

/// A field of one answer: its probe, its name and its key.
type Place<'a> = (ProbeId, &'a str, Option<&'a str>);

/// Where a field was first asked for certain values, and those of them that every line allows.
type Left<'a> = (Span, Vec<&'a Datum>);

fn place(field: &FieldRef) -> Place<'_> {
    (field.probe, field.field.name, field.key.as_deref())
}

fn contradiction(signature: &Signature, span: Span, first: Span) -> Diagnostic {
    let message = say!("no device makes both lines true", "両方の行を満たす機器はありません");
    let label = say!("asks for another value", "別の値を求めています");
    let problem = LINT.finding(signature, span, message, label);
    problem.label(signature.file, first, say!("than this", "この行と両立しません")).help(say!(
        "where any of the values will do, write `in [...]` or `any {{ }}`",
        "どれか一つでよければ、`in [...]`か`any {{ }}`を使ってください"
    ))
}

/// The lines that must all hold.
pub(super) fn together<'a>(condition: &'a Condition, lines: &mut Vec<&'a Expr>) {
    match condition {
        Condition::Line { expr, .. } => sides(expr, lines),
        Condition::All(all) => all.iter().for_each(|line| together(line, lines)),
        _ => {}
    }
}

fn sides<'a>(expr: &'a Expr, lines: &mut Vec<&'a Expr>) {
    match own::sides(expr) {
        Some((a, b)) => {
            sides(a, lines);
            sides(b, lines);
        }
        None => lines.push(expr),
    }
}

/// A question to a field with one value, about constants.
struct Asked<'a> {
    field: &'a FieldRef,
    span: Span,
    kind: Kind<'a>,
}

enum Kind<'a> {
    OneOf(Vec<&'a Datum>),
    Compare(CompareOp, &'a Datum),
    Text(TextOp, &'a Datum),
}

/// The question that an expression asks, where it is one of those that can be judged for sure: texts and whole numbers as they stand.
fn question(expr: &Expr) -> Option<Asked<'_>> {
    let (subject, kind) = match &expr.kind {
        ExprKind::Compare(op, None, subject, value) => match (op, constant(value)?) {
            (CompareOp::Eq, value) => (subject, Kind::OneOf(vec![value])),
            (op, value) => (subject, Kind::Compare(*op, value)),
        },
        ExprKind::TextTest(op, subject, value) => (subject, Kind::Text(*op, constant(value)?)),
        ExprKind::InList(subject, values) => (subject, Kind::OneOf(values.iter().collect())),
        _ => return None,
    };
    let ExprKind::Field(field) = &subject.kind else { return None };
    let judged = |value: &Datum| matches!(value, Datum::Text(_) | Datum::Int(_));
    let all = match &kind {
        Kind::OneOf(values) => values.len() <= VALUES_MAX && values.iter().all(|value| judged(value)),
        Kind::Compare(_, value) => matches!(value, Datum::Int(_)),
        Kind::Text(_, value) => judged(value),
    };
    let plain = matches!(*subject.ty.required(), ksig_schema::Type::Text | ksig_schema::Type::Int);
    (all && plain && !field.field.many && !field.fold_width && !field.raw).then_some(Asked { field, span: expr.span, kind })
}

fn constant(expr: &Expr) -> Option<&Datum> {
    if let ExprKind::Const(datum) = &expr.kind { Some(datum) } else { None }
}

impl<'a> Asked<'a> {
    fn one_of(&self) -> Option<Vec<&'a Datum>> {
        if let Kind::OneOf(values) = &self.kind { Some(values.clone()) } else { None }
    }

    /// Whether a value can answer it.
    fn allows(&self, value: &Datum) -> bool {
        match (&self.kind, value) {
            (Kind::OneOf(values), _) => values.contains(&value),
            (Kind::Compare(op, Datum::Int(than)), Datum::Int(value)) => match op {
                CompareOp::Eq => value == than,
                CompareOp::Lt => value < than,
                CompareOp::Le => value <= than,
                CompareOp::Gt => value > than,
                CompareOp::Ge => value >= than,
            },
            (Kind::Text(op, Datum::Text(part)), Datum::Text(value)) => match op {
                TextOp::Starts => value.starts_with(part.as_str()),
                TextOp::Ends => value.ends_with(part.as_str()),
                TextOp::Contains => value.contains(part.as_str()),
            },
            _ => true,
        }
    }
}
