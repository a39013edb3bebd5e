//! Patterns that match more than one: an anchor less, a wider class, a looser quantifier, a dot that means any character.
//!
//! In: a pattern as it runs, tables already spliced in. Out: [`Wider`] ones, each with what was replaced by what.

use ksig_runtime::plan::Pattern;
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{AssertionKind, Ast, ClassPerlKind, LiteralKind, RepetitionKind, RepetitionRange, Span, Visitor, visit};

/// Most wider patterns of one; the anchors come first.
const WIDER_MAX: usize = 8;
/// How much of the pattern is shown on each side of a change.
const AROUND_CHARS: usize = 16;

/// A wider pattern.
#[derive(Clone, Debug)]
pub(super) struct Wider {
    /// As it runs.
    pub source: String,
    /// What was replaced.
    pub from: String,
    /// By what; empty where it is gone.
    pub to: String,
    /// The pattern around the place, before the change.
    pub around: String,
}

/// Wider patterns; nothing where the pattern is not read.
pub(super) fn all(pattern: &Pattern) -> Vec<Wider> {
    let Ok(ast) = Parser::new().parse(&pattern.source) else { return Vec::new() };
    let Ok(mut places) = visit(&ast, Places::default());
    places.sort_by_key(|(span, to)| (!to.is_empty(), span.start.offset));
    let (anchors, others): (Vec<_>, Vec<_>) = places.into_iter().partition(|(_, to)| to.is_empty());
    let room = WIDER_MAX.saturating_sub(anchors.len());
    // Of many, some from all over the pattern.
    let step = others.len().div_ceil(room.max(1)).max(1);
    let chosen = anchors.into_iter().take(WIDER_MAX).chain(others.into_iter().step_by(step).take(room));
    chosen.map(|(span, to)| wider(&pattern.source, span.start.offset, span.end.offset, to)).collect()
}

fn wider(source: &str, start: usize, end: usize, to: String) -> Wider {
    let before: String = source[..start].chars().rev().take(AROUND_CHARS).collect::<Vec<_>>().into_iter().rev().collect();
    let after: String = source[end..].chars().take(AROUND_CHARS).collect();
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let (head, tail) = (cut(before.len() < start), cut(after.len() < source.len() - end));
    let from = source[start..end].to_string();
    Wider { source: format!("{}{to}{}", &source[..start], &source[end..]), around: format!("{head}{before}{from}{after}{tail}"), from, to }
}

#[derive(Default)]
struct Places {
    found: Vec<(Span, String)>,
}

impl Visitor for Places {
    type Output = Vec<(Span, String)>;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self::Output, Self::Err> {
        Ok(self.found)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        let wider = match ast {
            Ast::Assertion(assertion) => {
                let anchor = matches!(
                    assertion.kind,
                    AssertionKind::StartLine | AssertionKind::EndLine | AssertionKind::StartText | AssertionKind::EndText
                );
                anchor.then(|| (assertion.span, String::new()))
            }
            Ast::Repetition(repetition) => {
                let to = match &repetition.op.kind {
                    RepetitionKind::ZeroOrOne | RepetitionKind::OneOrMore => Some("*".to_string()),
                    RepetitionKind::ZeroOrMore => None,
                    RepetitionKind::Range(RepetitionRange::Exactly(count)) => Some(format!("{{{count},}}")),
                    RepetitionKind::Range(RepetitionRange::Bounded(low, _)) => Some(format!("{{{low},}}")),
                    RepetitionKind::Range(RepetitionRange::AtLeast(_)) => Some("*".into()),
                };
                let lazy = if repetition.greedy { "" } else { "?" };
                to.map(|to| (repetition.op.span, format!("{to}{lazy}")))
            }
            Ast::ClassPerl(class) => match class.kind {
                ClassPerlKind::Digit if !class.negated => Some((class.span, "\\w".into())),
                _ => Some((class.span, ".".into())),
            },
            Ast::ClassBracketed(class) => Some((class.span, ".".into())),
            Ast::Literal(literal) if literal.c == '.' && literal.kind == LiteralKind::Meta => Some((literal.span, ".".into())),
            _ => None,
        };
        self.found.extend(wider);
        Ok(())
    }
}
