//! Signatures that ask the same. Not a lint, but what those look at that compare signatures.
//!
//! In: all signatures. Out: pairs whose conditions are the same but for the names of probes and the places where they are written. One that
//! refines another is left out: it was made to stand in its place.

use std::collections::BTreeMap;

use ksig_lang::Span;
use ksig_runtime::plan::{LineNote, VarId};

use crate::Analysis;
use crate::hir::{Condition, Expr, ExprKind, Identity, ProbeId, Signature};

/// How many of its group a signature is compared with, so that a thousand that ask the same take a thousand times as long as one.
const COMPARED_MAX: usize = 64;

/// Of signatures that ask the same, the numbers of each whose identities stand to those of an earlier one as `tells` says: the first such one,
/// then it.
pub fn pairs(analysis: &Analysis, tells: impl Fn(&[Identity], &[Identity]) -> bool) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for group in groups(analysis) {
        let said: Vec<Vec<Identity>> = group.iter().map(|number| identities(&analysis.program.signatures[*number])).collect();
        for (at, own) in said.iter().enumerate() {
            let first = said[..at.min(COMPARED_MAX)].iter().position(|before| tells(before, own));
            pairs.extend(first.map(|first| (group[first], group[at])));
        }
    }
    pairs
}

/// Numbers of signatures that ask the same, at least two, in the order of files.
fn groups(analysis: &Analysis) -> Vec<Vec<usize>> {
    let signatures = &analysis.program.signatures;
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, signature) in signatures.iter().enumerate().filter(|(_, signature)| signature.refines.is_none()) {
        let mut numbers = Numbers::default();
        let condition = numbers.condition(&signature.condition);
        let asks: Vec<String> = numbers.probes.iter().map(|probe| format!("{:?}", signature.probe(*probe).asks)).collect();
        groups.entry(format!("{:?} {asks:?} {condition:?}", signature.scope)).or_default().push(number);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|group| group.len() > 1).collect();
    for group in &mut groups {
        group.sort_by_key(|number| (signatures[*number].file, signatures[*number].span.start));
    }
    groups.sort();
    groups
}

/// What a signature says of a device, comparable with what another of its group says.
fn identities(signature: &Signature) -> Vec<Identity> {
    let mut numbers = Numbers::default();
    numbers.condition(&signature.condition);
    let said = signature.identities.iter().map(|identity| Identity {
        facet: identity.facet.clone(),
        slots: identity.slots.iter().map(|(slot, expr)| (*slot, numbers.expr(expr))).collect(),
    });
    said.collect()
}

/// Numbers for probes and variables by their first use, which are the same where the same is asked.
#[derive(Default)]
struct Numbers {
    probes: Vec<ProbeId>,
    vars: Vec<VarId>,
}

fn number(known: &mut Vec<u32>, id: u32) -> u32 {
    let at = known.iter().position(|other| *other == id).unwrap_or_else(|| {
        known.push(id);
        known.len() - 1
    });
    at as u32
}

impl Numbers {
    fn condition(&mut self, condition: &Condition) -> Condition {
        let mut all = |lines: &[Condition]| lines.iter().map(|line| self.condition(line)).collect::<Vec<_>>();
        match condition {
            Condition::Line { expr, .. } => Condition::Line { expr: self.expr(expr), note: LineNote::default() },
            Condition::All(lines) => Condition::All(all(lines)),
            Condition::Any(lines) => Condition::Any(all(lines)),
            Condition::None(lines) => Condition::None(all(lines)),
            Condition::AtLeast(count, lines) => Condition::AtLeast(*count, all(lines)),
            Condition::Each { every, element, list, lines, .. } => {
                let list = self.expr(list);
                let element = number(&mut self.vars, *element);
                let lines = lines.iter().map(|line| self.condition(line)).collect();
                Condition::Each { every: *every, element, list, lines, note: LineNote::default() }
            }
        }
    }

    fn expr(&mut self, expr: &Expr) -> Expr {
        let mut expr = expr.clone();
        self.renumber(&mut expr);
        expr
    }

    fn renumber(&mut self, expr: &mut Expr) {
        expr.span = Span::default();
        match &mut expr.kind {
            ExprKind::Field(field) => field.probe = number(&mut self.probes, field.probe),
            ExprKind::Var(var) => *var = number(&mut self.vars, *var),
            ExprKind::Matches(_, matched) => {
                matched.captures.iter_mut().for_each(|(_, var)| *var = number(&mut self.vars, *var));
                // The pattern has the keys in it.
                matched.keys.clear();
            }
            _ => {}
        }
        expr.children_mut().into_iter().for_each(|child| self.renumber(child));
    }
}
