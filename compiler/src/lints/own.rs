//! What a signature says itself, and what all of it amounts to. Not a lint, but what several of them look at.
//!
//! In: a signature with all that it inherits. Out: the lines that it adds to its base's, the places of its patterns, and its questions that a
//! device has to answer with something.

use ksig_lang::ast::{self, Item, Statement};
use ksig_lang::{Span, SyntaxKind};
use ksig_runtime::pattern;
use ksig_runtime::plan::{CompareOp, Datum, IdentitySlot, Pattern};
use regex_syntax::hir::HirKind;

use crate::Analysis;
use crate::hir::{Condition, Expr, ExprKind, Match, Signature};

/// The blocks of `match` that a signature adds to those of its base, which are looked at where they are written.
pub fn blocks<'a>(signature: &'a Signature, analysis: &Analysis) -> &'a [Condition] {
    let Condition::All(blocks) = &signature.condition else { return &[] };
    let inherited = match base(signature, analysis).map(|base| &base.condition) {
        Some(Condition::All(blocks)) => blocks.len(),
        Some(_) => 1,
        None => 0,
    };
    blocks.get(inherited..).unwrap_or_default()
}

/// The signature that it refines.
pub fn base<'a>(signature: &Signature, analysis: &'a Analysis) -> Option<&'a Signature> {
    let name = signature.refines.as_deref()?;
    let all = &analysis.program.signatures;
    all.binary_search_by(|other| other.name.as_str().cmp(name)).ok().map(|at| &all[at])
}

/// A signature as it is written.
pub fn item<'a>(signature: &Signature, analysis: &'a Analysis) -> Option<&'a ast::Signature> {
    let items = &analysis.files.get(signature.file as usize)?.items;
    // Items stand in source order.
    let at = items.partition_point(|item| item.span().start < signature.span.start);
    match items.get(at)? {
        Item::Signature(item) if item.span == signature.span => Some(item),
        _ => None,
    }
}

/// Where a signature says `evidence`, `added` or their like itself.
pub fn said<'a>(signature: &Signature, analysis: &'a Analysis, word: &str) -> Option<&'a ast::Attribute> {
    item(signature, analysis)?.body.iter().find_map(|statement| match statement {
        Statement::Meta(attribute) if attribute.name.value == word => Some(attribute),
        _ => None,
    })
}

/// The expressions that a signature adds to its base's: lines, steps, slots, tags and what it says of support.
pub fn exprs<'a>(signature: &'a Signature, analysis: &'a Analysis) -> Vec<&'a Expr> {
    let base = base(signature, analysis);
    let mut all: Vec<&Expr> = Vec::new();
    for block in blocks(signature, analysis) {
        lines(block, &mut all);
    }
    let inherited = base.map_or(0, |base| base.steps.len());
    all.extend(signature.steps.iter().skip(inherited).map(|(_, expr)| expr));
    all.extend(slots(signature, analysis).into_iter().map(|(_, expr)| expr));
    for tag in signature.tags.iter().filter(|tag| base.is_none_or(|base| !base.tags.contains(tag))) {
        let filter = tag.each.iter().filter_map(|each| each.filter.as_ref());
        all.extend(tag.params.iter().map(|(_, expr)| expr).chain(&tag.when).chain(filter));
    }
    if let Some(support) = signature.support.as_ref().filter(|support| base.is_none_or(|base| base.support.as_ref() != Some(support))) {
        all.extend(support.ends.iter().chain(&support.latest));
    }
    all
}

fn lines<'a>(condition: &'a Condition, all: &mut Vec<&'a Expr>) {
    match condition {
        Condition::Line { expr, .. } => all.push(expr),
        Condition::All(lines_of) | Condition::Any(lines_of) | Condition::None(lines_of) | Condition::AtLeast(_, lines_of) => {
            lines_of.iter().for_each(|line| lines(line, all));
        }
        Condition::Each { list, lines: lines_of, .. } => {
            all.push(list);
            lines_of.iter().for_each(|line| lines(line, all));
        }
    }
}

/// What a signature's own records say of the device: not what its base says in the same words.
pub fn slots<'a>(signature: &'a Signature, analysis: &Analysis) -> Vec<(IdentitySlot, &'a Expr)> {
    let base = base(signature, analysis);
    let inherited = |slot: &&(IdentitySlot, Expr)| base.is_some_and(|base| base.device_slots().any(|other| other == *slot));
    signature.device_slots().filter(|slot| !inherited(slot)).map(|(slot, expr)| (*slot, expr)).collect()
}

/// The name of the capture that a slot is.
pub fn capture<'a>(signature: &'a Signature, expr: &Expr) -> Option<&'a str> {
    let ExprKind::Var(id) = expr.kind else { return None };
    let stepped = signature.steps.iter().any(|(step, _)| *step == id);
    (!stepped).then(|| signature.vars[id as usize].name.as_str())
}

/// What stands at a place of the signature's file.
pub fn written<'a>(signature: &Signature, analysis: &'a Analysis, span: Span) -> &'a str {
    let source = analysis.sources.get(signature.file).map_or("", |source| source.text.as_str());
    source.get(span.start as usize..span.end as usize).unwrap_or_default()
}

/// A pattern as it is written.
pub struct Asked<'a> {
    /// The whole line, `x ~ /y/i`.
    pub expr: &'a Expr,
    /// `x`.
    pub subject: &'a Expr,
    /// What it means.
    pub matched: &'a Match,
    /// ` ~ /y/i`.
    pub question: Span,
    /// `i`.
    pub flags: Span,
}

/// The patterns of a signature's own lines. One that a `let` of a file stands for is written elsewhere: at its place is a name.
pub fn patterns<'a>(signature: &'a Signature, analysis: &Analysis) -> Vec<Asked<'a>> {
    let mut patterns = Vec::new();
    for block in blocks(signature, analysis) {
        block.walk(&mut |expr| patterns.extend(asked(signature, analysis, expr)));
    }
    patterns
}

fn asked<'a>(signature: &Signature, analysis: &Analysis, expr: &'a Expr) -> Option<Asked<'a>> {
    let ExprKind::Matches(subject, matched) = &expr.kind else { return None };
    if !signature.holds(subject.span) || !signature.holds(expr.span) || subject.span.end >= expr.span.end {
        return None;
    }
    let question = Span { start: subject.span.end, end: expr.span.end };
    let text = written(signature, analysis, question);
    let literal = text.trim_start().strip_prefix('~')?.trim_start();
    // No flag has a slash in its name.
    let flags = text.rfind('/')? as u32 + 1 + question.start;
    literal.trim_start_matches('b').starts_with('/').then_some(Asked {
        expr,
        subject,
        matched,
        question,
        flags: Span { start: flags, end: question.end },
    })
}

/// The literals of a signature as they are written, its tests' too: texts, heredocs, patterns.
pub fn literals<'a>(signature: &Signature, analysis: &'a Analysis) -> Vec<(u32, &'a str)> {
    let text = written(signature, analysis, signature.span);
    let literal = |kind: SyntaxKind| matches!(kind, SyntaxKind::TEXT | SyntaxKind::HEREDOC | SyntaxKind::REGEX);
    let tokens = ksig_lang::tokens(text).into_iter().filter(|(kind, _)| literal(*kind));
    tokens.map(|(_, span)| (signature.span.start + span.start, &text[span.start as usize..span.end as usize])).collect()
}

/// The sides of an `and` that stand where it stands: what a `let` of a file stands for is one question, with its parts elsewhere.
pub fn sides(expr: &Expr) -> Option<(&Expr, &Expr)> {
    let ExprKind::And(a, b) = &expr.kind else { return None };
    (expr.span.start <= a.span.start && a.span.end <= b.span.start && b.span.end <= expr.span.end).then_some((a, b))
}

/// The questions to which a device must answer with something for the signature to match: nothing below `none` or `not`, no `absent`; and
/// `present` only of a field with a key, whose name says something by itself.
pub fn evidence(condition: &Condition) -> Vec<&Expr> {
    let mut found = Vec::new();
    match condition {
        Condition::Line { expr, .. } => of_expr(expr, &mut found),
        Condition::All(lines) | Condition::Any(lines) | Condition::AtLeast(_, lines) => found.extend(lines.iter().flat_map(evidence)),
        Condition::Each { list, .. } => found.push(list),
        Condition::None(_) => {}
    }
    found
}

fn of_expr<'a>(expr: &'a Expr, found: &mut Vec<&'a Expr>) {
    match &expr.kind {
        ExprKind::And(a, b) | ExprKind::Or(a, b) => {
            of_expr(a, found);
            of_expr(b, found);
        }
        ExprKind::Not(_) | ExprKind::Absent(_) => {}
        ExprKind::Present(of) if matches!(&of.kind, ExprKind::Field(field) if field.key.is_none()) => {}
        _ => found.push(expr),
    }
}

/// The names of the fields that a question reads.
pub fn fields(expr: &Expr) -> Vec<&'static str> {
    let mut names = Vec::new();
    expr.walk(&mut |expr| {
        if let ExprKind::Field(field) = &expr.kind {
            names.push(field.field.name);
        }
    });
    names
}

/// What is asked, and the texts of which it must be or hold one, where these are all: `== "x"`, `contains "x"`, `in ["x", "y"]`, a pattern
/// that is one text.
pub fn texts(expr: &Expr) -> Option<(&Expr, Vec<String>)> {
    let text = |datum: &Datum| if let Datum::Text(text) = datum { Some(text.clone()) } else { None };
    let (subject, texts) = match &expr.kind {
        ExprKind::Compare(CompareOp::Eq, _, subject, value) | ExprKind::TextTest(_, subject, value) => match &value.kind {
            ExprKind::Const(value) => (subject, vec![text(value)?]),
            _ => return None,
        },
        ExprKind::InList(subject, values) => (subject, values.iter().map(text).collect::<Option<Vec<_>>>()?),
        ExprKind::Matches(subject, matched) => (subject, vec![only_text(pattern::hir(&strict(&matched.pattern)).ok()?.kind())?]),
        _ => return None,
    };
    (!texts.is_empty()).then_some((subject, texts))
}

/// The same pattern without its flags for case, so that a letter in it stays a letter.
pub fn strict(pattern: &Pattern) -> Pattern {
    Pattern { ignore_case: false, ignore_case_unicode: false, ..pattern.clone() }
}

/// The text of a pattern that has nothing but one, tied to whatever place.
fn only_text(meaning: &HirKind) -> Option<String> {
    match meaning {
        HirKind::Literal(text) => String::from_utf8(text.0.to_vec()).ok(),
        HirKind::Look(_) => Some(String::new()),
        HirKind::Concat(parts) => parts.iter().map(|part| only_text(part.kind())).collect(),
        _ => None,
    }
}

/// Whether there is a question, and all of them read such fields only.
pub fn asks_only(signature: &Signature, of: impl Fn(&str) -> bool) -> bool {
    let evidence = evidence(&signature.condition);
    let only = |expr: &&Expr| {
        let fields = fields(expr);
        !fields.is_empty() && fields.into_iter().all(&of)
    };
    !evidence.is_empty() && evidence.iter().all(only)
}
