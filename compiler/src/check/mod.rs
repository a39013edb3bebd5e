//! Checks signatures: each in turn becomes [`hir::Signature`], bases before what refines them.
//!
//! In: syntax and [`Names`]. Out: typed signatures; one with a problem is left out, and so is what refines it.

mod asked;
mod budget;
mod choice;
mod condition;
mod expr;
mod file_let;
mod label;
mod literal;
mod meta;
mod pattern;
mod place;
mod probe;
mod question;
mod record;
mod scope;
mod test;

use std::collections::{BTreeMap, BTreeSet};

use ksig_lang::ast::{self, ExprKind as Ast, Name, Statement};
use ksig_lang::source::Span;
use ksig_lang::{Diagnostic, FileId, say};
use ksig_runtime::plan::{Pattern, Table, Var};
use ksig_schema::{Budget, Schema, Type};

use crate::hir::{self, Condition, ExprKind};
use crate::input::{Input, Source};
use crate::marks::{Mark, Marks, Target, last};
use crate::names::{Definition, Names, dotted, full_name, module_of};
use crate::{ArgumentCheck, World, problems};

use asked::Asked;
pub(crate) use budget::Costs;
pub(crate) use choice::choices;
pub(crate) use record::{COMPONENT_SLOTS, IDENTITY_SLOTS, tag_parameters};

/// What all signatures are checked against.
pub(crate) struct Context<'a> {
    pub world: World<'a>,
    pub names: &'a Names,
    pub tables: &'a BTreeMap<String, Table>,
    pub input: &'a Input,
    pub files: &'a BTreeMap<FileId, (&'a Source, &'a ast::File)>,
    pub costs: &'a Costs,
    /// Where names are marked, for an editor.
    pub marks: Option<Marks>,
}

/// The full name of a scheme that a file may say: a built-in one, its own, or an imported one.
pub(crate) fn scheme_in_scope(names: &Names, file: FileId, name: &str) -> Option<String> {
    match names.scopes.get(&file).and_then(|scope| scope.get(name)) {
        Some(Definition::Scheme(full)) => names.schemes.contains_key(full).then(|| full.clone()),
        Some(_) => None,
        None => ksig_schema::Scheme::builtin(name).map(|scheme| scheme.name),
    }
}

/// `router.home` of a dotted expression; absent for any other.
pub fn dotted_name(e: &ast::Expr) -> Option<String> {
    match &e.kind {
        Ast::Name(name) => Some(name.clone()),
        Ast::Field(base, name) => dotted_name(base).map(|base| format!("{base}.{}", name.value)),
        _ => None,
    }
}

impl Context<'_> {
    /// Marks a name of a file, where somebody asks for marks.
    fn mark(&self, file: FileId, span: Span, target: impl FnOnce() -> Target) {
        if let Some(marks) = &self.marks {
            marks.borrow_mut().push(Mark::of_use(file, span, target()));
        }
    }
}

/// Checks all signatures of the set; the result is sorted by name.
pub(crate) fn signatures(context: &Context, diagnostics: &mut Vec<Diagnostic>) -> Vec<hir::Signature> {
    let mut order = Order { context, known: None, done: BTreeMap::new(), on_path: Vec::new() };
    for name in context.names.signatures.keys() {
        order.visit(name, diagnostics);
    }
    order.done.into_values().flatten().collect()
}

/// What came of checking one file again.
pub(crate) struct Rechecked {
    /// Its signatures without problems.
    pub signatures: Vec<hir::Signature>,
    /// What is wrong in it.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks one file: its probes, its signatures, and its `let`s, which mark what they name. Bases in other files are those of `known`, sorted by
/// name, unless their file is `stale`: then they are checked for this once.
pub(crate) fn file(context: &Context, file: FileId, known: &[hir::Signature], stale: &dyn Fn(FileId) -> bool) -> Rechecked {
    file_beside(context, file, known, stale, &|_| false)
}

/// The same without the signatures of the file that are `kept`, which are those of `known`.
pub(crate) fn file_beside(
    context: &Context,
    file: FileId,
    known: &[hir::Signature],
    stale: &dyn Fn(FileId) -> bool,
    kept: &dyn Fn(&str) -> bool,
) -> Rechecked {
    let mut diagnostics = Vec::new();
    let (_, ast) = context.files[&file];
    if ast.items.iter().any(|item| matches!(item, ast::Item::Probe(_))) {
        Checker::of(context, file, None, &mut diagnostics).file_probes();
    }
    if context.marks.is_some() {
        for (at, item) in ast.items.iter().enumerate() {
            if let ast::Item::Let(binding) = item {
                // What is wrong with it is said where it is used: only there its type is known.
                let mut unsaid = Vec::new();
                let mut checker = Checker::of(context, file, None, &mut unsaid);
                checker.inside_let((file, at), binding.span, |this, value| this.expr(value, None));
            }
        }
    }
    let fresh = |name: &str, at: FileId| if at == file { !kept(name) } else { stale(at) };
    let mut order = Order { context, known: Some((known, &fresh)), done: BTreeMap::new(), on_path: Vec::new() };
    let own = context.names.signatures.iter().filter(|(name, place)| place.file == file && !kept(name));
    for (name, _) in own {
        order.visit(name, &mut diagnostics);
    }
    let signatures = order.done.into_values().flatten().filter(|signature| signature.file == file && !kept(&signature.name)).collect();
    Rechecked { signatures, diagnostics }
}

/// Checks the probes of every file, whether or not a signature reads them.
pub(crate) fn probes(context: &Context, diagnostics: &mut Vec<Diagnostic>) {
    for (&file, (_, ast)) in context.files {
        if ast.items.iter().any(|item| matches!(item, ast::Item::Probe(_))) {
            Checker::of(context, file, None, diagnostics).file_probes();
        }
    }
}

/// Depth first along `refines`.
struct Order<'a> {
    context: &'a Context<'a>,
    /// Signatures that were checked before, and the files whose signatures are checked now.
    known: Option<Known<'a>>,
    done: BTreeMap<String, Option<hir::Signature>>,
    on_path: Vec<String>,
}

/// Signatures sorted by name, and which of them, by name and file, are checked all the same.
type Known<'a> = (&'a [hir::Signature], &'a dyn Fn(&str, FileId) -> bool);

/// Longest chain of `refines`.
const REFINES_MAX: usize = 16;

impl Order<'_> {
    fn visit(&mut self, name: &str, diagnostics: &mut Vec<Diagnostic>) {
        if self.done.contains_key(name) {
            return;
        }
        let place = self.context.names.signatures[name];
        if let Some((known, fresh)) = self.known
            && !fresh(name, place.file)
        {
            let found = known.binary_search_by(|signature| signature.name.as_str().cmp(name)).ok();
            self.done.insert(name.to_string(), found.map(|at| known[at].clone()));
            return;
        }
        let (_, ast) = self.context.files[&place.file];
        let ast::Item::Signature(signature) = &ast.items[place.item] else { return };
        let base = signature.refines.as_ref().map(|path| (signature_named(self.context.names, place.file, path), path));
        let checked = match base {
            None => check_one(self.context, place.file, name, signature, None, diagnostics),
            Some((None, path)) => {
                let known = self.context.names.signatures.keys().map(String::as_str);
                diagnostics.push(problems::unknown_base(&dotted(path), place.file, path.span, known));
                None
            }
            Some((Some(base), path)) => {
                self.context.mark(place.file, last(path), || Target::Signature(base.clone()));
                let closes = self.known.and_then(|_| self.closes_cycle(name, &base));
                if closes == Some(false) {
                    None
                } else if closes == Some(true) || self.on_path.contains(&base) || base == name || self.on_path.len() >= REFINES_MAX {
                    diagnostics.push(problems::refines_cycle(name, place.file, path.span));
                    None
                } else {
                    self.on_path.push(name.to_string());
                    self.visit(&base, diagnostics);
                    self.on_path.pop();
                    match self.done.get(&base).cloned().flatten() {
                        Some(base) => check_one(self.context, place.file, name, signature, Some(&base), diagnostics),
                        None => None,
                    }
                }
            }
        };
        self.done.insert(name.to_string(), checked);
    }
}

impl Order<'_> {
    /// Of a signature that refines itself in the end, whether it is the one of the cycle where that is said: the one before the first by name,
    /// at which a walk by name gets around.
    fn closes_cycle(&self, name: &str, base: &str) -> Option<bool> {
        let names = self.context.names;
        let base_of = |name: &str| {
            let place = names.signatures.get(name)?;
            let ast::Item::Signature(signature) = self.context.files[&place.file].1.items.get(place.item)? else { return None };
            signature_named(names, place.file, signature.refines.as_ref()?)
        };
        let (mut first, mut at) = (base.to_string(), base.to_string());
        for _ in 0..names.signatures.len() {
            if at == name {
                return Some(first == base);
            }
            at = base_of(&at)?;
            first = first.min(at.clone());
        }
        None
    }
}

/// The full name of a signature that a file names: by its name in scope, or by its full one.
pub(crate) fn signature_named(names: &Names, file: FileId, path: &ast::Path) -> Option<String> {
    let written = dotted(path);
    match names.scopes.get(&file).and_then(|scope| scope.get(&written)) {
        Some(Definition::Signature(full)) => Some(full.clone()),
        _ => names.signatures.contains_key(&written).then_some(written),
    }
}

/// Whether patterns may bind captures where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Captures {
    Bind,
    Refused,
}

/// One signature while it is checked.
struct Checker<'a> {
    schema: &'a Schema,
    argument: ArgumentCheck,
    costs: &'a Costs,
    budget: Budget,
    names: &'a Names,
    tables: &'a BTreeMap<String, Table>,
    input: &'a Input,
    source: &'a Source,
    text: &'a str,
    file: FileId,
    module: String,
    scope: &'a BTreeMap<String, Definition>,
    files: &'a BTreeMap<FileId, (&'a Source, &'a ast::File)>,
    diagnostics: &'a mut Vec<Diagnostic>,
    probes: Asked,
    vars: Vec<Var>,
    var_spans: Vec<Span>,
    var_files: Vec<FileId>,
    marks: Option<&'a Marks>,
    vars_by_name: BTreeMap<String, u32>,
    /// Names bound on the way to the line at hand; a sibling branch of `any` starts without those of its siblings.
    bound_now: BTreeSet<String>,
    captures: Captures,
    /// Inside `none { }`: nothing is bound there.
    in_none: bool,
    /// The element that the lines at hand speak of.
    element: Option<u32>,
    /// The `let`s of files that are being read, outermost first.
    lets: Vec<(FileId, usize)>,
    /// Parts of expressions that `let`s of files stood for.
    let_parts: usize,
    /// Probes of other files that such a `let` may read.
    let_probes: Vec<hir::Probe>,
    /// Inside a `let` of a file, the signature's own probes.
    signature_probes: Option<Asked>,
    /// What `absent or` and `present and` around the expression at hand have settled.
    guards: Vec<ExprKind>,
    /// Its patterns.
    patterns: BTreeSet<Pattern>,
    /// Most states of them all, its base's with them.
    regex_states: usize,
    /// Names whose declaration has a problem: what mentions them is not reported again.
    poisoned: BTreeSet<String>,
    /// What names the places that follows ask for, until the follow is reached.
    follow_inputs: BTreeMap<String, ast::Expr>,
    /// Identity slots already said, for templates.
    identity_so_far: Vec<(String, hir::Expr)>,
}

fn check_one(
    context: &Context,
    file: FileId,
    name: &str,
    signature: &ast::Signature,
    base: Option<&hir::Signature>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<hir::Signature> {
    let before = diagnostics.len();
    let mut checker = Checker::of(context, file, base, diagnostics);
    let checked = checker.signature(name, signature, base);
    let failed = diagnostics[before..].iter().any(|found| found.severity == ksig_lang::Severity::Error);
    (!failed).then_some(checked)
}

impl<'a> Checker<'a> {
    /// What is known where a signature of a file starts: what its base knows.
    fn of(context: &'a Context<'a>, file: FileId, base: Option<&hir::Signature>, diagnostics: &'a mut Vec<Diagnostic>) -> Checker<'a> {
        let (source, ast) = context.files[&file];
        let mut checker = Checker {
            schema: context.world.schema,
            argument: context.world.argument,
            costs: context.costs,
            budget: context.world.budget,
            names: context.names,
            tables: context.tables,
            input: context.input,
            source,
            text: &source.text,
            file,
            module: module_of(ast),
            scope: &context.names.scopes[&file],
            files: context.files,
            diagnostics,
            probes: Asked::of(base.map_or_else(Vec::new, |base| base.probes.clone())),
            vars: base.map_or_else(Vec::new, |base| base.vars.clone()),
            var_spans: base.map_or_else(Vec::new, |base| base.var_spans.clone()),
            var_files: base.map_or_else(Vec::new, |base| base.var_files.clone()),
            marks: context.marks.as_ref(),
            vars_by_name: BTreeMap::new(),
            bound_now: BTreeSet::new(),
            captures: Captures::Refused,
            in_none: false,
            element: None,
            lets: Vec::new(),
            let_parts: 0,
            let_probes: Vec::new(),
            signature_probes: None,
            guards: Vec::new(),
            patterns: BTreeSet::new(),
            regex_states: base.map_or(0, |base| base.regex_states),
            poisoned: BTreeSet::new(),
            follow_inputs: BTreeMap::new(),
            identity_so_far: Vec::new(),
        };
        for (id, var) in checker.vars.iter().enumerate() {
            checker.vars_by_name.insert(var.name.clone(), id as u32);
            checker.bound_now.insert(var.name.clone());
        }
        checker
    }

    /// Marks what a name stands for, where somebody asks for marks.
    fn mark(&self, span: Span, target: impl FnOnce() -> Target) {
        if let Some(marks) = self.marks {
            marks.borrow_mut().push(Mark::of_use(self.file, span, target()));
        }
    }

    /// Marks a variable. In a template it stands in holes of a literal, whose span that is.
    fn mark_variable(&self, id: u32, span: Span) {
        let Some(marks) = self.marks else { return };
        let (file, declared, name) = (self.var_files[id as usize], self.var_spans[id as usize], &self.vars[id as usize].name);
        let written = self.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        let mark = |start: usize| {
            let start = span.start + start as u32;
            let span = Span { start, end: start + name.len() as u32 };
            marks.borrow_mut().push(Mark::of_use(self.file, span, Target::Variable(file, declared)));
        };
        if written == name {
            return mark(0);
        }
        for (open, _) in written.match_indices('{') {
            let hole = &written[open + 1..];
            let inside = hole.trim_start();
            let behind = inside.strip_prefix(name.as_str()).map(str::trim_start);
            if behind.is_some_and(|behind| behind.starts_with(['|', '}'])) {
                mark(open + 1 + hole.len() - inside.len());
            }
        }
    }

    /// Marks a probe's name.
    fn mark_probe(&self, id: hir::ProbeId, span: Span) {
        let probe = &self.probes[id as usize];
        if probe.span.end > 0 {
            self.mark(span, || Target::Probe(probe.file, probe.span));
        }
    }

    /// Marks a declaration; of a variable, with its type.
    fn mark_declaration(&self, span: Span, target: Target, ty: Option<&Type>) {
        if let Some(marks) = self.marks {
            marks.borrow_mut().push(Mark { file: self.file, span, target, declares: true, ty: ty.cloned() });
        }
    }

    /// Reports a problem, for `return self.refuse(...)`.
    fn refuse<T>(&mut self, problem: Diagnostic) -> Option<T> {
        self.diagnostics.push(problem);
        None
    }

    fn signature(&mut self, name: &str, ast: &ast::Signature, base: Option<&hir::Signature>) -> hir::Signature {
        let mut out = hir::Signature {
            name: name.to_string(),
            file: self.file,
            name_span: ast.name.span,
            span: ast.span,
            meta: self.meta(ast),
            scope: self.scope(ast, base),
            refines: base.map(|base| base.name.clone()),
            probes: Vec::new(),
            vars: Vec::new(),
            var_spans: Vec::new(),
            var_files: Vec::new(),
            condition: Condition::All(Vec::new()),
            gates: Vec::new(),
            steps: base.map_or_else(Vec::new, |base| base.steps.clone()),
            identities: base.map_or_else(Vec::new, |base| base.identities.clone()),
            components: base.map_or_else(Vec::new, |base| base.components.clone()),
            details: base.map_or_else(Vec::new, |base| base.details.clone()),
            tags: base.map_or_else(Vec::new, |base| base.tags.clone()),
            support: base.and_then(|base| base.support.clone()),
            regex_states: 0,
            tests: Vec::new(),
        };
        self.probes_in_scope(ast);
        self.said_once(&ast.body);
        self.called_once(ast, base);
        let mut blocks: Vec<Condition> = match base.map(|base| &base.condition) {
            Some(Condition::All(blocks)) => blocks.clone(),
            other => other.into_iter().cloned().collect(),
        };
        let mut matched = base.is_some();
        let mut redacted = Vec::new();
        for statement in &ast.body {
            match statement {
                Statement::Meta(attribute) if attribute.name.value == "redact" => redacted.extend(&attribute.values),
                Statement::Meta(_) | Statement::Probe(_) => {}
                Statement::Follow(follow) => self.follow_input(follow, &out.steps),
                Statement::Match { of, lines, .. } => {
                    matched = true;
                    if let Some((of, id)) = of.as_ref().and_then(|of| Some((of, self.probes.named(&of.value)?))) {
                        self.mark_probe(id, of.span);
                    }
                    if let Some(of) = of.as_ref().filter(|of| self.probes.named(&of.value).is_none_or(|id| self.probe_of(id).hop == 0)) {
                        self.diagnostics.push(problems::match_of_unknown_follow(of, self.file));
                    }
                    blocks.push(self.lines(lines));
                }
                Statement::Extract(extracts, _) => {
                    for extract in extracts {
                        if let Some(step) = self.extract(extract) {
                            out.steps.push(step);
                        }
                    }
                }
                Statement::Let(binding) => out.steps.extend(self.binding(binding)),
                Statement::Identify(record) => self.identify(record, &mut out.identities),
                Statement::Component(record) => out.components.extend(self.component(record)),
                Statement::Details(record) => self.details(record, &mut out.details),
                Statement::Support(record) => out.support = self.support(record),
                Statement::Tag(tag) => out.tags.extend(self.tag(tag)),
                Statement::Test(_) | Statement::Example(_) => {}
            }
        }
        if !matched {
            self.diagnostics.push(problems::no_match_block(&ast.name, self.file));
        }
        // A record with a problem of its own still says something.
        let says =
            ast.body.iter().any(|statement| matches!(statement, Statement::Identify(_) | Statement::Component(_) | Statement::Details(_)));
        if !says && out.identities.is_empty() && out.components.is_empty() && out.details.is_empty() {
            self.diagnostics.push(problems::identifies_nothing(&ast.name, self.file));
        }
        let names = redacted.iter().filter_map(|value| Some(Name { value: dotted_name(value)?, span: value.span }));
        self.each_once(&names.collect::<Vec<_>>());
        for value in redacted {
            let name = dotted_name(value);
            match name.as_ref().and_then(|name| self.vars_by_name.get(name)) {
                Some(&id) => {
                    self.vars[id as usize].redact = true;
                    self.mark_variable(id, value.span);
                }
                None if name.is_some_and(|name| self.poisoned.contains(&name)) => {}
                None => self.diagnostics.push(problems::expected(say!("the name of a capture", "キャプチャの名前"), self.file, value.span)),
            }
        }
        for statement in &ast.body {
            match statement {
                Statement::Test(test) => out.tests.extend(self.test(test)),
                Statement::Example(example) => out.tests.extend(self.example(example)),
                _ => {}
            }
        }
        out.gates = self.gates(&blocks);
        let speaks = |gate: &Condition| {
            let mut lines = 0;
            gate.walk(&mut |_| lines += 1);
            lines > 0
        };
        if out.gates.first().is_some_and(|gate| !speaks(gate)) {
            self.diagnostics.push(problems::follow_without_gate(&ast.name, self.file));
        }
        out.condition = Condition::All(blocks);
        out.probes = std::mem::take(&mut self.probes).into_vec();
        out.probes.append(&mut self.let_probes);
        self.place_follows(ast, &mut out);
        out.vars = std::mem::take(&mut self.vars);
        out.var_spans = std::mem::take(&mut self.var_spans);
        out.var_files = std::mem::take(&mut self.var_files);
        out.regex_states = self.regex_states;
        self.spending(&out);
        out
    }

    fn type_of(&mut self, ty: &ast::TypeExpr) -> Option<Type> {
        if let Some(marks) = self.marks {
            marks.borrow_mut().extend(crate::marks::of_type(ty, self.file, self.names));
        }
        match crate::types::read(ty, &|scheme| scheme_in_scope(self.names, self.file, scheme)) {
            Ok(ty) => Some(ty),
            Err(reason) => self.refuse(problems::bad_type_expr(reason, self.file, ty)),
        }
    }

    /// A table's full name, by the name in scope.
    fn table_named(&mut self, name: &Name) -> Option<String> {
        match self.scope.get(&name.value) {
            Some(Definition::Table(full)) => {
                self.mark(name.span, || Target::Table(full.clone()));
                Some(full.clone())
            }
            _ => {
                let own = full_name(&self.module, &name.value);
                let known = self.tables.keys().map(String::as_str);
                if self.tables.contains_key(&own) {
                    self.mark(name.span, || Target::Table(own.clone()));
                    Some(own)
                } else {
                    self.refuse(problems::unknown_name(&name.value, self.file, name.span, known))
                }
            }
        }
    }
}
