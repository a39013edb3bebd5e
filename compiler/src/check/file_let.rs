//! `let` outside a signature: a name for a condition or a value over a file's probes, tables and constants.
//!
//! In: a name that stands for one. Out: its value, checked in its own file, as if it were written where the name stands. It sees no capture and
//! binds none.

use ksig_lang::ast;
use ksig_lang::source::Span;
use ksig_lang::{FileId, say};
use ksig_schema::Type;

use super::Checker;
use crate::hir::{self, Expr, ProbeId};
use crate::names::{Definition, module_of};
use crate::problems;

/// How many `let`s of files may stand in each other.
const LETS_DEPTH_MAX: usize = 16;
/// Most parts of expressions that `let`s of files stand for in one signature.
const LET_PARTS_MAX: usize = 16 * 1024;

impl<'a> Checker<'a> {
    /// The `let` of a file that a name stands for.
    pub(super) fn file_let(&self, name: &str) -> Option<(FileId, usize)> {
        match self.scope.get(name) {
            Some(Definition::Let(file, item)) if !self.vars_by_name.contains_key(name) => Some((*file, *item)),
            _ => None,
        }
    }

    /// What a `let` of a file was written as.
    pub(super) fn let_source(&self, (file, item): (FileId, usize)) -> Option<&'a ast::Let> {
        match &self.files[&file].1.items[item] {
            ast::Item::Let(binding) => Some(binding),
            _ => None,
        }
    }

    /// The value of a `let` of a file, at a place where it is named.
    pub(super) fn let_value(&mut self, place: (FileId, usize), expected: Option<&Type>, span: Span) -> Option<Expr> {
        let value = self.inside_let(place, span, |this, value| this.expr(value, expected))?;
        let mut parts = 0;
        value.walk(&mut |_| parts += 1);
        self.let_parts += parts;
        if self.let_parts > LET_PARTS_MAX {
            let reason = say!("this stands for more than {LET_PARTS_MAX} parts", "これが表す式の要素が{LET_PARTS_MAX}個を超えています");
            return self.refuse(problems::let_cycle(reason, self.file, span));
        }
        Some(Expr { span, ..value })
    }

    /// Reads the value of a `let` where it was written: by the names of its file.
    pub(super) fn inside_let<T>(
        &mut self,
        place: (FileId, usize),
        span: Span,
        read: impl FnOnce(&mut Self, &'a ast::Expr) -> Option<T>,
    ) -> Option<T> {
        let binding = self.let_source(place)?;
        let name = &binding.name.value;
        if self.lets.contains(&place) || self.lets.len() >= LETS_DEPTH_MAX {
            let reason = say!("`{name}` stands for itself, or too deep", "`{name}`が自分自身を参照しているか、参照が深すぎます");
            return self.refuse(problems::let_cycle(reason, self.file, span));
        }
        let (source, ast) = self.files[&place.0];
        let (file, own_source, text, scope) = (self.file, self.source, self.text, self.scope);
        let (module, vars) = (std::mem::take(&mut self.module), std::mem::take(&mut self.vars_by_name));
        let (mut probes, captures) = (std::mem::take(&mut self.probes), self.captures);
        let outermost = self.signature_probes.is_none();
        if outermost {
            self.signature_probes = Some(std::mem::take(&mut probes));
        }
        (self.file, self.source, self.text, self.module) = (place.0, source, &source.text, module_of(ast));
        self.scope = &self.names.scopes[&place.0];
        self.captures = super::Captures::Refused;
        self.lets.push(place);
        self.file_probes();
        let value = read(self, &binding.value);
        self.lets.pop();
        self.probes = if outermost { self.signature_probes.take().unwrap_or_default() } else { probes };
        (self.file, self.source, self.text, self.scope) = (file, own_source, text, scope);
        (self.module, self.vars_by_name, self.captures) = (module, vars, captures);
        value
    }

    /// The number of a probe in scope, by its place there: inside a `let` the scope is that of its file, and the probe is one of the
    /// signature that asks the same, or is added to it.
    pub(super) fn probe_id(&mut self, at: usize) -> ProbeId {
        let Some(own) = &self.signature_probes else { return at as ProbeId };
        let probe = &self.probes[at];
        let same = |known: &hir::Probe| known.asks == probe.asks && known.hop == 0;
        if let Some(known) = own.iter().chain(&self.let_probes).position(same) {
            return known as ProbeId;
        }
        self.let_probes.push(probe.clone());
        (own.len() + self.let_probes.len() - 1) as ProbeId
    }

    /// The probe of a number, one of a `let` too.
    pub(super) fn probe_of(&self, id: ProbeId) -> &hir::Probe {
        let own = self.signature_probes.as_ref().unwrap_or(&self.probes);
        let id = id as usize;
        if id < own.len() { &own[id] } else { &self.let_probes[id - own.len()] }
    }
}
