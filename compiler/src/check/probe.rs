//! Probes and follows: each is a constructor of the schema with an argument that is harmless.

use std::collections::{BTreeMap, HashMap};

use ksig_lang::ast::{self, ExprKind as Ast, Name, Statement};
use ksig_lang::source::Span;
use ksig_lang::{Text, say};
use ksig_runtime::plan::{Datum, HOPS_MAX};
use ksig_schema::probe::Requirement;
use ksig_schema::probe::{ArgumentKind, Place};
use ksig_schema::{ConstructorDef, ParameterDef, ProbeKey, Safety, Type};

use super::{Checker, dotted_name};
use crate::hir::{Asks, Condition, Expr, ExprKind, ProbeId};
use crate::marks::Target;
use crate::names::Definition;
use crate::{hir, problems, reasons};

/// What a probe asks for, as far as its call says.
enum Argument<'c> {
    /// Exactly this.
    Literal(ProbeKey),
    /// The place that an expression names.
    Named(&'c ast::Expr),
}

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
        for definition in scope.values() {
            if let Definition::Probe(file, item) = definition
                && let (source, ast) = files[file]
                && let ast::Item::Probe(probe) = &ast.items[*item]
            {
                // An imported probe stands in its own file: problems name that one.
                let here = (std::mem::replace(&mut self.file, *file), std::mem::replace(&mut self.text, &source.text));
                self.probe(probe);
                (self.file, self.text) = here;
            }
        }
        self.unasked_facts("host", ksig_schema::host::probe());
        self.unasked_facts("foreign", ksig_schema::foreign::probe());
    }

    /// What is known of the host, and what another tool was answered, stands under its own root as if a probe had asked; a probe of that name
    /// hides it.
    fn unasked_facts(&mut self, root: &'static str, key: ProbeKey) {
        if self.probes.named(root).is_none() {
            self.probes.push(hir::Probe {
                name: root.into(),
                asks: Asks::Exactly(key),
                root,
                ports: Vec::new(),
                any_tls: false,
                at: None,
                hop: 0,
                safety: Safety::Passive,
                requires: Vec::new(),
                text: String::new(),
                span: Span { start: 0, end: 0 },
                file: self.file,
            });
        }
    }

    fn probe(&mut self, probe: &ast::Probe) {
        if self.probes.named(&probe.name.value).is_some_and(|known| self.probes[known as usize].span == probe.span) {
            return;
        }
        self.mark_declaration(probe.name.span, Target::Probe(self.file, probe.span), None);
        let Some((argument, constructor)) = self.constructor(&probe.call) else {
            self.poisoned.insert(probe.name.value.clone());
            return;
        };
        let key = match argument {
            Argument::Literal(key) => key,
            Argument::Named(place) => {
                self.diagnostics.push(problems::first_stage_named(self.file, place.span));
                self.poisoned.insert(probe.name.value.clone());
                return;
            }
        };
        let requires = self.probe_options(probe, constructor);
        self.places(probe, constructor);
        let mut ports: Vec<u16> = probe.ports.iter().map(|port| port.value).collect();
        if ports.is_empty() {
            // `on any tls` alone means no port that is not TLS; what reads TLS records itself has only such ports.
            let only_tls = probe.on_any_tls.is_some() && !constructor.tls_ports.is_empty();
            let own = if only_tls { &[] } else { constructor.ports };
            ports = own.iter().chain(constructor.tls_ports).copied().collect();
        }
        ports.sort_unstable();
        ports.dedup();
        let made = hir::Probe {
            name: probe.name.value.clone(),
            asks: Asks::Exactly(key),
            root: constructor.root,
            ports,
            any_tls: probe.on_any_tls.is_some(),
            at: None,
            hop: 0,
            safety: constructor.safety,
            requires,
            text: self.excerpt(probe.span),
            span: probe.span,
            file: self.file,
        };
        self.enter_probe(made, &probe.name);
    }

    fn declare_follow(&mut self, follow: &ast::Follow) {
        self.mark_declaration(follow.name.span, Target::Probe(self.file, follow.span), None);
        let Some((argument, constructor)) = self.constructor(&follow.call) else {
            self.poisoned.insert(follow.name.value.clone());
            return;
        };
        if let Some(at) = follow.at.as_ref().filter(|at| self.probes.named(&at.value).is_none()) {
            let known = self.probes.iter().map(|probe| probe.name.as_str());
            self.diagnostics.push(problems::unknown_name(&at.value, self.file, at.span, known));
        }
        if let Some((at, id)) = follow.at.as_ref().and_then(|at| Some((at, self.probes.named(&at.value)?))) {
            self.mark_probe(id, at.span);
        }
        let asks = match argument {
            Argument::Literal(key) => Asks::Exactly(key),
            Argument::Named(place) => {
                let any_port = constructor.key_parameter().is_some_and(|parameter| parameter.kind == ArgumentKind::Location);
                // What names it may be a capture, which is known only where the follow stands: see [`Checker::follow_input`].
                let from = Expr { kind: ExprKind::Const(Datum::Missing), ty: Type::Path.optional(), span: place.span };
                self.follow_inputs.insert(follow.name.value.clone(), place.clone());
                Asks::Named { constructor: constructor.name, any_port, from: Box::new(from) }
            }
        };
        let made = hir::Probe {
            name: follow.name.value.clone(),
            asks,
            root: constructor.root,
            ports: constructor.ports.iter().chain(constructor.tls_ports).copied().collect(),
            any_tls: false,
            at: None,
            hop: 1,
            safety: constructor.safety,
            requires: Vec::new(),
            text: self.excerpt(follow.span),
            span: follow.span,
            file: self.file,
        };
        self.enter_probe(made, &follow.name);
    }

    /// `{ safety review; requires policy.snmp_public }`: what a reader must know, and what a release must allow. Gives the latter.
    fn probe_options(&mut self, probe: &ast::Probe, constructor: &ConstructorDef) -> Vec<Requirement> {
        let mut requires = Vec::new();
        let mut said: BTreeMap<String, Span> = BTreeMap::new();
        for option in &probe.options {
            let words: Vec<Option<String>> = option.values.iter().map(dotted_name).collect();
            let words: Vec<&str> = words.iter().map(|word| word.as_deref().unwrap_or_default()).collect();
            // A release may have to allow several things.
            let once = match (option.name.value.as_str(), words.as_slice()) {
                ("requires", [word]) => Name { value: format!("requires {word}"), span: option.span },
                _ => option.name.clone(),
            };
            if let Some(first) = said.insert(once.value.clone(), once.span) {
                self.diagnostics.push(problems::said_twice(&once, self.file, first));
                continue;
            }
            match (option.name.value.as_str(), words.as_slice()) {
                ("safety", [word]) => {
                    let known = [("passive", Safety::Passive), ("benign", Safety::Benign), ("review", Safety::Review)];
                    match known.iter().find(|(name, _)| name == word) {
                        Some((_, said)) if *said < constructor.safety => {
                            self.diagnostics.push(problems::safety_understated(
                                constructor.name,
                                constructor.safety,
                                self.file,
                                option.span,
                            ));
                        }
                        Some(_) => {}
                        None => {
                            let what = say!("safety class", "安全区分");
                            self.diagnostics.push(problems::unknown_word(word, what, "passive, benign, review", self.file, option.span));
                        }
                    }
                }
                ("requires", [word]) => match Requirement::ALL.iter().find(|known| word.strip_prefix("policy.") == Some(known.name())) {
                    Some(known) => requires.push(*known),
                    None => {
                        let what = say!("policy", "ポリシー");
                        self.diagnostics.push(problems::unknown_word(word, what, "policy.snmp_public", self.file, option.span));
                    }
                },
                ("charset", _) => self.diagnostics.push(problems::charset_of_a_probe(self.file, option.span)),
                _ => self.diagnostics.push(problems::unknown_probe_option(&option.name, self.file, option.span)),
            }
        }
        requires
    }

    /// `on 80, 8080` and `on any tls`: what the constructor can be asked on, each port once.
    fn places(&mut self, probe: &ast::Probe, constructor: &ConstructorDef) {
        let mut said: BTreeMap<u16, Span> = BTreeMap::new();
        for (at, port) in probe.ports.iter().enumerate() {
            if let Some(first) = said.get(&port.value) {
                let again = Name { value: port.value.to_string(), span: port.span };
                let with_comma = Span { start: probe.ports[at - 1].span.end, end: port.span.end };
                let fix = say!("leave the second out", "二つ目を外す");
                self.diagnostics.push(problems::said_twice(&again, self.file, *first).fix(fix, self.file, with_comma, ""));
            } else {
                said.insert(port.value, port.span);
            }
        }
        if let Some(span) = probe.on_any_tls.filter(|_| !constructor.inside_tls) {
            let before = Span { start: probe.call.span.end, end: span.end };
            let fix = say!("leave `on any tls` out", "`on any tls`を外す");
            self.diagnostics
                .push(problems::never_inside_tls(constructor.name, self.file, span, probe.call.span).fix(fix, self.file, before, ""));
        }
    }

    fn enter_probe(&mut self, probe: hir::Probe, name: &Name) {
        let Some(id) = self.probes.named(&probe.name) else { return self.probes.push(probe) };
        let known = &self.probes[id as usize];
        if known.asks == probe.asks || !known.asks.is_sent() {
            self.probes.replace(id, probe);
        } else {
            self.diagnostics.push(problems::declared_twice(name, self.file, self.file, known.span));
        }
    }

    /// What names the place that a follow asks for, checked where the follow stands: a link of an answer, or a capture of one.
    pub(super) fn follow_input(&mut self, follow: &ast::Follow, steps: &[(u32, Expr)]) {
        let Some(input) = self.follow_inputs.remove(&follow.name.value) else { return };
        let Some(checked) = self.expr(&input, Some(&Type::Path)) else { return };
        let field_is_link = |expr: &Expr| matches!(&expr.kind, ExprKind::Field(field) if field.field.link);
        let names_a_place = match &checked.kind {
            ExprKind::Pick(field, ..) => field_is_link(field),
            ExprKind::Var(id) => matches!(checked.ty.required(), Type::Path | Type::Url) && !steps.iter().any(|(step, _)| step == id),
            _ => field_is_link(&checked),
        };
        if !names_a_place {
            self.diagnostics.push(problems::not_a_link(self.file, checked.span));
            return;
        }
        if let Some(id) = self.probes.named(&follow.name.value)
            && let Asks::Named { from, .. } = &mut self.probes.get_mut(id).asks
        {
            **from = checked;
        }
    }

    /// How many answers each follow waits for, and so which blocks of `match` gate it: those that speak of earlier answers only.
    pub(super) fn gates(&mut self, blocks: &[Condition]) -> Vec<Condition> {
        loop {
            let mut settled = true;
            let bound = self.hops_of_captures(blocks);
            for at in 0..self.probes.len() {
                let Asks::Named { from, .. } = &self.probes[at].asks else { continue };
                let mut after = 0;
                from.walk(&mut |expr| match &expr.kind {
                    ExprKind::Field(field) => after = after.max(self.probe_of(field.probe).hop),
                    ExprKind::Var(var) => after = after.max(bound.get(var).copied().unwrap_or_default()),
                    _ => {}
                });
                if after >= HOPS_MAX {
                    let (name, span) = (self.probes[at].name.clone(), self.probes[at].span);
                    self.diagnostics.push(problems::too_many_hops(&name, self.file, span));
                    return Vec::new();
                }
                settled &= self.probes[at].hop == after + 1;
                self.probes.get_mut(at as ProbeId).hop = after + 1;
            }
            if settled {
                break;
            }
        }
        let hops = 0..self.probes.iter().map(|probe| probe.hop).max().unwrap_or_default();
        hops.map(|hop| Condition::All(blocks.iter().filter(|block| self.hop_of(block) <= hop).cloned().collect())).collect()
    }

    /// The earliest block that binds each capture, by the latest answer that it speaks of.
    fn hops_of_captures(&self, blocks: &[Condition]) -> HashMap<u32, u32> {
        let mut bound = HashMap::new();
        for block in blocks {
            let hop = self.hop_of(block);
            block.walk(&mut |expr| {
                if let ExprKind::Matches(_, matching) = &expr.kind {
                    for &(_, var) in &matching.captures {
                        bound.entry(var).and_modify(|known: &mut u32| *known = hop.min(*known)).or_insert(hop);
                    }
                }
            });
        }
        bound
    }

    /// The latest answer that a block speaks of.
    fn hop_of(&self, block: &Condition) -> u32 {
        let mut hop = 0;
        block.walk(&mut |expr| {
            if let ExprKind::Field(field) = &expr.kind {
                hop = hop.max(self.probe_of(field.probe).hop);
            }
        });
        hop
    }

    /// `http.get("/")` against the constructors of the schema.
    fn constructor<'c>(&mut self, call: &'c ast::Expr) -> Option<(Argument<'c>, &'static ConstructorDef)> {
        let Ast::Call(callee, args) = &call.kind else {
            return self.refuse(problems::expected(
                say!("a probe such as http.get(\"/\")", "http.get(\"/\")のようなプローブ"),
                self.file,
                call.span,
            ));
        };
        let name = dotted_name(callee).unwrap_or_default();
        if let Some(known) = self.schema.constructor(&name) {
            self.mark(callee.span, || Target::Constructor(known.name));
        }
        let Some(constructor) = self.schema.constructor(&name) else {
            let known: Vec<_> = self.schema.constructors().map(|constructor| constructor.name).collect();
            return self.refuse(problems::unknown_constructor(&name, self.file, callee.span, known.into_iter()));
        };
        Some((self.arguments(constructor, args, call.span)?, constructor))
    }

    /// Checks the arguments of a call; gives the one that is part of the probe's key, if there is such a parameter.
    fn arguments<'c>(&mut self, constructor: &'static ConstructorDef, args: &'c [ast::Arg], span: Span) -> Option<Argument<'c>> {
        let mut given: Vec<&'static str> = Vec::new();
        let (mut key, mut named) = (None, None);
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
            if matches!(parameter.kind, ArgumentKind::Path | ArgumentKind::Location) && names_a_place(&arg.value) {
                named = Some(&arg.value);
                continue;
            }
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
        if !fine {
            return None;
        }
        Some(named.map_or_else(|| Argument::Literal(ProbeKey { constructor: constructor.name.into(), argument: key }), Argument::Named))
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
        let names: Vec<Name> = written.iter().map(|(text, span)| Name { value: text.clone(), span: *span }).collect();
        self.each_once(&names)?;
        for (text, span) in &written {
            if let Err(reason) = (self.argument)(parameter.kind, text) {
                return self.refuse(problems::probe_not_benign(reasons::of_argument(&reason), self.file, *span));
            }
        }
        Some(written.into_iter().map(|(text, _)| text).collect())
    }
}

/// Whether an argument is an expression over answers, not a literal.
fn names_a_place(value: &ast::Expr) -> bool {
    matches!(value.kind, Ast::Name(_) | Ast::Field(..) | Ast::Index(..) | Ast::Call(..))
}
