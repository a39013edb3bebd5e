//! Probes and follows: each is a constructor of the schema with an argument that is harmless.

use ksig_lang::ast::{self, ExprKind as Ast, Name, Statement};
use ksig_lang::source::Span;
use ksig_lang::{Text, say};
use ksig_schema::probe::{ArgumentKind, Place};
use ksig_schema::{ConstructorDef, ParameterDef, ProbeKey};

use super::{Checker, dotted_name};
use crate::names::Definition;
use crate::{hir, problems};

impl<'a> Checker<'a> {
    /// Probes of the file and of the signature itself; follows are entered where they stand.
    pub(super) fn probes_in_scope(&mut self, ast: &ast::Signature) {
        self.file_probes();
        for statement in &ast.body {
            match statement {
                Statement::Probe(probe) => self.probe(probe),
                // Follows are known before the lines about them, wherever they stand.
                Statement::Follow(follow) => self.declare_follow(follow),
                _ => {}
            }
        }
    }

    /// The file's own probes and those that it imports.
    pub(super) fn file_probes(&mut self) {
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
            self.diagnostics.push(problems::not_compiled_yet(Text::quoted("`on any tls`"), self.file, span));
        }
        for option in &probe.options {
            let name = &option.name.value;
            self.diagnostics.push(problems::not_compiled_yet(
                say!("the probe option `{name}`", "プローブのオプション`{name}`"),
                self.file,
                option.span,
            ));
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
            self.diagnostics.push(problems::not_compiled_yet(say!("`at` in a follow", "`follow`の`at`"), self.file, at.span));
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
    fn constructor(&mut self, call: &ast::Expr) -> Option<(ProbeKey, &'static ConstructorDef)> {
        let Ast::Call(callee, args) = &call.kind else {
            return self.refuse(problems::expected(
                say!("a probe such as http.get(\"/\")", "http.get(\"/\")のようなプローブ"),
                self.file,
                call.span,
            ));
        };
        let name = dotted_name(callee).unwrap_or_default();
        let Some(constructor) = self.schema.constructor(&name) else {
            let known: Vec<_> = self.schema.constructors().map(|constructor| constructor.name).collect();
            return self.refuse(problems::unknown_constructor(&name, self.file, callee.span, known.into_iter()));
        };
        let argument = self.arguments(constructor, args, call.span)?;
        Some((ProbeKey { constructor: constructor.name.into(), argument }, constructor))
    }

    /// Checks the arguments of a call; gives the one that is part of the probe's key, if there is such a parameter.
    fn arguments(&mut self, constructor: &'static ConstructorDef, args: &[ast::Arg], span: Span) -> Option<Option<String>> {
        let mut given: Vec<&'static str> = Vec::new();
        let mut key = None;
        let mut fine = true;
        for (at, arg) in args.iter().enumerate() {
            let parameter = match &arg.name {
                None => constructor.parameters.get(at).filter(|parameter| parameter.place == Place::Positional),
                Some(name) => constructor.parameters.iter().find(|p| p.place == Place::Named && p.name == name.value),
            };
            let Some(parameter) = parameter.filter(|parameter| !given.contains(&parameter.name)) else {
                let place = arg.name.as_ref().map_or(arg.value.span, |name| name.span);
                return self.refuse(problems::unexpected(
                    say!("this argument", "この引数"),
                    Text::quoted(constructor.form()),
                    self.file,
                    place,
                ));
            };
            given.push(parameter.name);
            match self.argument_texts(parameter, &arg.value) {
                Some(texts) if parameter.part_of_key => key = texts.into_iter().next(),
                Some(_) => {}
                None => fine = false,
            }
        }
        if constructor.parameters.iter().any(|parameter| parameter.required && !given.contains(&parameter.name)) {
            return self.refuse(problems::unexpected(
                say!("these arguments", "これらの引数"),
                Text::quoted(constructor.form()),
                self.file,
                span,
            ));
        }
        fine.then_some(key)
    }

    /// An argument as texts that its kind takes: one, or the names of a list.
    fn argument_texts(&mut self, parameter: &ParameterDef, value: &ast::Expr) -> Option<Vec<String>> {
        let written: Option<Vec<(String, Span)>> = match (parameter.kind, &value.kind) {
            (ArgumentKind::Path | ArgumentKind::Text(_), Ast::Text(text)) => Some(vec![(text.clone(), value.span)]),
            (ArgumentKind::Number(..), Ast::Int(number)) => Some(vec![(number.to_string(), value.span)]),
            (ArgumentKind::Name(_), _) => dotted_name(value).map(|name| vec![(name, value.span)]),
            (ArgumentKind::Names(_), Ast::List(items)) => {
                items.iter().map(|item| dotted_name(item).map(|name| (name, item.span))).collect()
            }
            (ArgumentKind::Path | ArgumentKind::Location, Ast::Name(_) | Ast::Field(..) | Ast::Index(..) | Ast::Call(..)) => {
                return self.refuse(problems::not_compiled_yet(
                    say!("a path taken from the page", "ページから得たパス"),
                    self.file,
                    value.span,
                ));
            }
            _ => None,
        };
        let Some(written) = written else {
            let wanted = match parameter.kind {
                ArgumentKind::Path => say!("a path in quotes, or one that a page names", "引用符で囲んだパス、またはページに書かれたパス"),
                ArgumentKind::Location => {
                    say!("a place that an answer names, such as `find.location`", "`find.location`のような、応答に書かれた場所")
                }
                ArgumentKind::Text(_) => say!("a text in quotes", "引用符で囲んだテキスト"),
                ArgumentKind::Name(_) => say!("a name without quotes", "引用符なしの名前"),
                ArgumentKind::Names(_) => say!("a list of names: [a, b]", "名前のリスト（[a, b]）"),
                ArgumentKind::Number(..) => say!("a whole number", "整数"),
            };
            return self.refuse(problems::unexpected(say!("this argument", "この引数"), wanted, self.file, value.span));
        };
        for (text, span) in &written {
            if let Err(reason) = (self.argument)(parameter.kind, text) {
                return self.refuse(problems::probe_not_benign(Text::quoted(reason), self.file, *span));
            }
        }
        Some(written.into_iter().map(|(text, _)| text).collect())
    }
}
