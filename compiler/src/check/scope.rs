//! What a signature speaks of: one service, or the whole host, where each first-stage probe stands on a service of its own (V14).

use std::collections::HashMap;

use ksig_lang::ast::{self, ExprKind as Ast, Statement};

use super::Checker;
use crate::hir::{Asks, Expr, ExprKind, ProbeId, Scope};
use crate::{hir, problems};

impl Checker<'_> {
    /// Its own scope, else its base's. What a base says of the whole host cannot hold of one service.
    pub(super) fn scope(&mut self, ast: &ast::Signature, base: Option<&hir::Signature>) -> Scope {
        let inherited = base.map_or(Scope::Service, |base| base.scope);
        let said = ast.body.iter().find_map(|statement| match statement {
            Statement::Meta(attribute) if attribute.name.value == "scope" => Some(attribute),
            _ => None,
        });
        match said.map(|attribute| (attribute.values.as_slice(), attribute.span)) {
            Some(([ast::Expr { kind: Ast::Name(word), .. }], _)) if word == "host" => Scope::Host,
            Some(([ast::Expr { kind: Ast::Name(word), .. }], span)) if word == "service" && inherited == Scope::Host => {
                self.diagnostics.push(problems::scope_below_base(self.file, span));
                inherited
            }
            _ => inherited,
        }
    }

    /// Finds out on which service each follow of a signature about the whole host is asked.
    pub(super) fn place_follows(&mut self, ast: &ast::Signature, out: &mut hir::Signature) {
        if out.scope == Scope::Service {
            return;
        }
        let said = said_places(ast, out);
        // A follow may stand beside another one: what is nearer to the first stage is placed first.
        for hop in 1..=ksig_runtime::plan::HOPS_MAX {
            let open: Vec<ProbeId> =
                out.used_probes().into_iter().filter(|id| out.probe(*id).hop == hop && out.probe(*id).at.is_none()).collect();
            let (known, mut alone) = (out.first_stage(), Vec::new());
            for id in open {
                match said.get(&id).copied().or_else(|| names_it(out.probe(id))) {
                    Some(beside) => self.stand_beside(id, Some(beside), &known, out),
                    None => alone.push(id),
                }
            }
            // Only now: a place that is said may be the only thing that a signature says of a probe.
            let first_stage = out.first_stage();
            for id in alone {
                self.stand_beside(id, only(&first_stage), &first_stage, out);
            }
        }
    }

    /// Puts a follow on the service of another probe, or says that it may be on several.
    fn stand_beside(&mut self, id: ProbeId, beside: Option<ProbeId>, first_stage: &[ProbeId], out: &mut hir::Signature) {
        match beside.and_then(|other| if out.probe(other).hop == 0 { Some(other) } else { out.probe(other).at }) {
            Some(role) => out.probes[id as usize].at = Some(role),
            None => {
                let follow = out.probe(id);
                let known = first_stage.iter().map(|id| out.probe(*id).name.as_str());
                self.diagnostics.push(problems::follow_needs_at(&follow.name, self.file, follow.span, known));
            }
        }
    }
}

/// Of each follow of this signature that says `at rtsp`, that probe.
fn said_places(ast: &ast::Signature, out: &hir::Signature) -> HashMap<ProbeId, ProbeId> {
    let mut by_name: HashMap<&str, ProbeId> = HashMap::new();
    for (id, probe) in (0..).zip(&out.probes) {
        by_name.entry(&probe.name).or_insert(id);
    }
    let places = ast.body.iter().filter_map(|statement| match statement {
        Statement::Follow(follow) => Some((&follow.name, follow.at.as_ref()?)),
        _ => None,
    });
    places.filter_map(|(follow, at)| Some((*by_name.get(follow.value.as_str())?, *by_name.get(at.value.as_str())?))).collect()
}

/// The probe whose answer names the place of a follow.
fn names_it(follow: &hir::Probe) -> Option<ProbeId> {
    let of_field = |expr: &Expr| match &expr.kind {
        ExprKind::Field(field) => Some(field.probe),
        _ => None,
    };
    match &follow.asks {
        Asks::Exactly(_) => None,
        Asks::Named { from, .. } => match &from.kind {
            ExprKind::Pick(field, ..) => of_field(field),
            _ => of_field(from),
        },
    }
}

fn only(all: &[ProbeId]) -> Option<ProbeId> {
    match all {
        [one] => Some(*one),
        _ => None,
    }
}
