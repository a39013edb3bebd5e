//! Probes and follows: each is a constructor of the schema with an argument that is harmless.

use ksig_lang::ast::{self, ExprKind as Ast, Name, Statement};
use ksig_schema::ProbeKey;
use ksig_schema::probe::ArgumentKind;

use super::{Checker, dotted_name};
use crate::names::Definition;
use crate::{hir, problems};

impl<'a> Checker<'a> {
    /// Probes of the file and of the signature itself; follows are entered where they stand.
    pub(super) fn probes_in_scope(&mut self, ast: &ast::Signature) {
        let scope = self.scope;
        let files = self.files;
        let mut declared: Vec<&'a ast::Probe> = Vec::new();
        for definition in scope.values() {
            if let Definition::Probe(file, item) = definition
                && let ast::Item::Probe(probe) = &files[file].1.items[*item]
            {
                declared.push(probe);
            }
        }
        for probe in declared {
            self.probe(probe);
        }
        for statement in &ast.body {
            match statement {
                Statement::Probe(probe) => self.probe(probe),
                // Follows are known before the lines about them, wherever they stand.
                Statement::Follow(follow) => self.declare_follow(follow),
                _ => {}
            }
        }
    }

    fn probe(&mut self, probe: &ast::Probe) {
        if self.probes.iter().any(|known| known.name == probe.name.value && known.span == probe.span) {
            return;
        }
        let Some((key, constructor)) = self.constructor(&probe.call) else {
            self.poisoned.insert(probe.name.value.clone());
            return;
        };
        if let Some(span) = probe.on_any_tls {
            self.diagnostics.push(problems::not_compiled_yet("`on any tls`", self.file, span));
        }
        for option in &probe.options {
            self.diagnostics.push(problems::not_compiled_yet(&format!("the probe option `{}`", option.name.value), self.file, option.span));
        }
        let mut ports: Vec<u16> = probe.ports.iter().map(|port| port.value).collect();
        if ports.is_empty() {
            ports = constructor.ports.iter().chain(constructor.tls_ports).copied().collect();
        }
        ports.sort_unstable();
        ports.dedup();
        let made = hir::Probe {
            name: probe.name.value.clone(),
            key,
            root: constructor.root,
            ports,
            follow: false,
            safety: constructor.safety,
            span: probe.span,
        };
        self.enter_probe(made, &probe.name);
    }

    fn declare_follow(&mut self, follow: &ast::Follow) {
        let Some((key, constructor)) = self.constructor(&follow.call) else {
            self.poisoned.insert(follow.name.value.clone());
            return;
        };
        if let Some(at) = &follow.at {
            self.diagnostics.push(problems::not_compiled_yet("`at` in a follow", self.file, at.span));
        }
        let ports = constructor.ports.iter().chain(constructor.tls_ports).copied().collect();
        let made = hir::Probe {
            name: follow.name.value.clone(),
            key,
            root: constructor.root,
            ports,
            follow: true,
            safety: constructor.safety,
            span: follow.span,
        };
        self.enter_probe(made, &follow.name);
    }

    fn enter_probe(&mut self, probe: hir::Probe, name: &Name) {
        match self.probes.iter().position(|known| known.name == probe.name) {
            Some(at) if self.probes[at].key == probe.key => self.probes[at] = probe,
            Some(at) => {
                let first = self.probes[at].span;
                self.diagnostics.push(problems::declared_twice(name, self.file, self.file, first));
            }
            None => self.probes.push(probe),
        }
    }

    /// `http.get("/")` against the constructors of the schema.
    fn constructor(&mut self, call: &ast::Expr) -> Option<(ProbeKey, &'static ksig_schema::ConstructorDef)> {
        let Ast::Call(callee, args) = &call.kind else {
            return self.refuse(problems::unexpected("this", "a probe such as http.get(\"/\")", self.file, call.span));
        };
        let name = dotted_name(callee).unwrap_or_default();
        let Some(constructor) = self.schema.constructor(&name) else {
            let known: Vec<_> = self.schema.constructors().map(|constructor| constructor.name).collect();
            return self.refuse(problems::unknown_constructor(&name, self.file, callee.span, known.into_iter()));
        };
        match (constructor.argument, args.as_slice()) {
            (None, []) => Some((ProbeKey::new(constructor.name), constructor)),
            (Some(kind), [ast::Arg { name: None, value }]) => match &value.kind {
                Ast::Text(text) => match (self.argument)(kind, text) {
                    Ok(()) => Some((ProbeKey::with(constructor.name, text), constructor)),
                    Err(reason) => self.refuse(problems::probe_not_benign(&reason, self.file, value.span)),
                },
                _ => self.refuse(problems::not_compiled_yet("a path taken from the page", self.file, value.span)),
            },
            (Some(ArgumentKind::Path), _) => {
                self.refuse(problems::unexpected("these arguments", &format!("one path: {name}(\"/\")"), self.file, call.span))
            }
            (None, _) => self.refuse(problems::unexpected("these arguments", &format!("none: {name}()"), self.file, call.span)),
        }
    }
}
