//! What a signature speaks of: one service, or the whole host, where each first-stage probe stands on a service of its own (V14).

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
        // A follow may stand beside another one: what is nearer to the first stage is placed first.
        for hop in 1..=ksig_runtime::plan::HOPS_MAX {
            let open: Vec<ProbeId> =
                out.used_probes().into_iter().filter(|id| out.probe(*id).hop == hop && out.probe(*id).at.is_none()).collect();
            for id in open {
                let beside =
                    said_place(ast, out, &out.probe(id).name).or_else(|| names_it(out.probe(id))).or_else(|| only(&out.first_stage()));
                match beside.and_then(|other| if out.probe(other).hop == 0 { Some(other) } else { out.probe(other).at }) {
                    Some(role) => out.probes[id as usize].at = Some(role),
                    None => {
                        let follow = out.probe(id);
                        let known = out.first_stage().into_iter().map(|id| out.probe(id).name.as_str());
                        self.diagnostics.push(problems::follow_needs_at(&follow.name, self.file, follow.span, known));
                    }
                }
            }
        }
    }
}

/// The probe of `at rtsp`, as a follow of this signature says it.
fn said_place(ast: &ast::Signature, out: &hir::Signature, name: &str) -> Option<ProbeId> {
    let at = ast.body.iter().find_map(|statement| match statement {
        Statement::Follow(follow) if follow.name.value == name => follow.at.as_ref(),
        _ => None,
    })?;
    out.probes.iter().position(|probe| probe.name == at.value).map(|at| at as ProbeId)
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
