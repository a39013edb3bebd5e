//! A set of sources under somebody's hands: after each edit, what the edited file means is worked out again and nothing else.
//!
//! In: an [`Input`], then texts of single files. Out: the same [`Analysis`] that [`crate::analyze`] makes of the texts as they are, in two
//! steps. [`Session::edit`] parses what it touches of one file, checks the signatures there that it did not spare, and collects all names. Files that depend on it are then stale, and
//! [`Session::settle`] checks one of them at a time, so that the caller can turn to the next edit between two. Lints follow the same two
//! steps; those that look at all signatures together run last, by [`Session::lint_set`].
//!
//! A file depends on another when it imports from it or refines a signature of it, and on all when what they declare has changed.

mod beside;
mod moved;
mod spared;

use std::collections::{BTreeMap, BTreeSet};

use ksig_lang::{Diagnostic, FileId, Severity, Sources, Span, SyntaxNode, ast};
use ksig_runtime::plan::Table;

use crate::lints::{self, Rules};
use crate::marks::{self, Mark, Marks};
use crate::names::{self, Names, dotted, module_of};
use crate::{Analysis, Input, Source, World, check, check_modules, echo, hir, tables, vocabulary};
use moved::Edit;
use spared::Layout;

/// Sources that are edited, and what they mean.
pub struct Session<'w> {
    world: World<'w>,
    rules: Rules,
    input: Input,
    parsed: Vec<ksig_lang::Parsed>,
    names: Names,
    /// Problems of the syntax are in `parsed`; these are of names, modules and choices.
    general: Vec<Diagnostic>,
    /// What is wrong with entries of the vocabulary.
    entries: Vec<Diagnostic>,
    costs: check::Costs,
    /// Of each table: the item as it was read, and what was wrong with it.
    read: BTreeMap<String, (String, Vec<Diagnostic>)>,
    files: Vec<Checked>,
    /// Its diagnostics stay empty: [`Session::diagnostics`] gathers them.
    analysis: Analysis,
    set_lints: Vec<Diagnostic>,
    stale: BTreeSet<FileId>,
}

/// What is known of one file.
#[derive(Default)]
struct Checked {
    diagnostics: Vec<Diagnostic>,
    lints: Vec<Diagnostic>,
    marks: Vec<Mark>,
}

impl<'w> Session<'w> {
    /// Everything is read and checked, by the rules that lints have; only [`Session::lint_set`] is left to do.
    pub fn new(input: Input, world: World<'w>, rules: Rules) -> Session<'w> {
        let mut sources = Sources::default();
        let mut parsed = Vec::with_capacity(input.sources.len());
        for source in &input.sources {
            let file = sources.add(&source.path, &source.text);
            parsed.push(ksig_lang::parse(&source.text, file));
        }
        let files: Vec<ast::File> = parsed.iter_mut().map(|parsed| std::mem::take(&mut parsed.ast)).collect();
        let analysis = Analysis { sources, files, program: hir::Program::default(), diagnostics: Vec::new() };
        let all: BTreeSet<FileId> = (0..parsed.len() as FileId).collect();
        let mut session = Session {
            world,
            rules,
            input,
            names: Names::default(),
            general: Vec::new(),
            entries: Vec::new(),
            costs: check::Costs::new(world.cost),
            read: BTreeMap::new(),
            files: parsed.iter().map(|_| Checked::default()).collect(),
            parsed,
            analysis,
            set_lints: Vec::new(),
            stale: all,
        };
        session.declare(true);
        let all: Vec<FileId> = session.stale.iter().copied().collect();
        session.check(&all);
        session
    }

    /// Puts a text in the place of a file's, and works out what the file means. Others may be stale then.
    pub fn edit(&mut self, file: FileId, text: &str) {
        if self.input.sources.get(file as usize).is_none_or(|source| source.text == text) {
            return;
        }
        let before_bases = self.bases_of(file);
        let edit = Edit::between(file, &self.input.sources[file as usize].text, text);
        let was_stale = self.stale.contains(&file);
        let says_entries =
            |ast: &ast::File| ast.items.iter().any(|item| matches!(item, ast::Item::Vendor(_) | ast::Item::Class(_) | ast::Item::Tag(_)));
        let says_nothing_more = |ast: &ast::File| {
            ast.items.iter().all(|item| matches!(item, ast::Item::Vendor(_) | ast::Item::Class(_) | ast::Item::Scheme(_)))
        };
        let before = &self.analysis.files[file as usize];
        let (layout, entries, nothing_more) = (Layout::of(before), says_entries(before), says_nothing_more(before));
        self.input.sources[file as usize].text = text.to_string();
        self.analysis.sources.replace(file, text);
        let mut before = std::mem::replace(&mut self.parsed[file as usize], ksig_lang::parse("", file));
        before.ast = std::mem::take(&mut self.analysis.files[file as usize]);
        let mut parsed = before.edit(text, edit.replaced, edit.inserted);
        self.analysis.files[file as usize] = std::mem::take(&mut parsed.ast);
        self.parsed[file as usize] = parsed;
        let elsewhere = |problem: &Diagnostic| problem.labels.iter().any(|label| label.file == file);
        self.set_lints.retain(|problem| !elsewhere(problem));
        for (other, checked) in (0..).zip(&self.files) {
            if checked.diagnostics.iter().chain(&checked.lints).any(elsewhere) {
                self.stale.insert(other);
            }
        }
        let entries = entries || says_entries(&self.analysis.files[file as usize]);
        let declared = self.declare(entries);
        if declared {
            self.stale.extend(0..self.files.len() as FileId);
        } else if !nothing_more || !says_nothing_more(&self.analysis.files[file as usize]) {
            let dependents = self.dependents(file);
            self.stale.extend(dependents);
        }
        match self.kept(&edit, &layout).filter(|_| !declared && !was_stale) {
            Some(kept) => self.check_beside(&edit, &kept),
            None => self.check(&[file]),
        }
        let bases = self.bases_of(file);
        if bases.iter().any(|base| *base != file && self.stale.contains(base)) {
            self.stale.insert(file);
        }
        // A capture is unused when neither its signature nor one that refines it says it.
        let bases: Vec<FileId> = bases.into_iter().chain(before_bases).filter(|base| *base != file).collect();
        if !bases.is_empty() {
            self.lint(&bases);
        }
    }

    /// Checks one of the stale files, and says which; absent when none is left.
    pub fn settle(&mut self) -> Option<FileId> {
        // Lints see a signature beside its base, so that bases come first.
        let waits = |file: &&FileId| self.bases_of(**file).iter().any(|base| base != *file && self.stale.contains(base));
        let file = self.stale.iter().find(|file| !waits(file)).or(self.stale.first()).copied()?;
        self.check(&[file]);
        Some(file)
    }

    /// Whether [`Session::settle`] has nothing left to do.
    pub fn is_settled(&self) -> bool {
        self.stale.is_empty()
    }

    /// Runs the lints that look at all signatures together, where nothing is an error.
    pub fn lint_set(&mut self) {
        self.set_lints = if self.has_errors() { Vec::new() } else { lints::run_on_set(&self.analysis, &self.rules) };
    }

    /// Whether the compiler refuses anything; findings of lints do not count.
    pub fn has_errors(&self) -> bool {
        self.problems().any(|problem| problem.severity == Severity::Error)
    }

    /// All problems, sorted by file and place as those of an [`Analysis`] are. A file with errors shows no lints.
    pub fn diagnostics(&self) -> Vec<&Diagnostic> {
        let mut refused: BTreeSet<FileId> = BTreeSet::new();
        let mut all: Vec<&Diagnostic> = self.problems().collect();
        for problem in &all {
            if problem.severity == Severity::Error {
                refused.extend(problem.labels.first().map(|label| label.file));
            }
        }
        let lints = self.files.iter().flat_map(|checked| &checked.lints).chain(&self.set_lints);
        all.extend(lints.filter(|problem| problem.labels.first().is_none_or(|label| !refused.contains(&label.file))));
        all.sort_by_key(|problem| problem.place());
        all.dedup();
        all
    }

    /// Texts, syntax and the typed program, without the diagnostics.
    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }

    /// The files as they are.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// What each file declares and may say.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What stands where in a file, sorted by place.
    pub fn marks(&self, file: FileId) -> &[Mark] {
        self.files.get(file as usize).map_or(&[], |checked| &checked.marks)
    }

    /// What stands where in all files.
    pub fn all_marks(&self) -> impl Iterator<Item = &Mark> {
        self.files.iter().flat_map(|checked| &checked.marks)
    }

    /// The tree of a file.
    pub fn syntax(&self, file: FileId) -> Option<SyntaxNode> {
        self.parsed.get(file as usize).map(ksig_lang::Parsed::syntax)
    }

    /// Fields and probes.
    pub fn world(&self) -> World<'w> {
        self.world
    }

    /// Problems of the compiler, those left out that a mistake of the syntax explains.
    fn problems(&self) -> impl Iterator<Item = &Diagnostic> {
        let syntax: Vec<&Diagnostic> = self.parsed.iter().flat_map(|parsed| &parsed.diagnostics).collect();
        let mistakes = echo::Mistakes::of_each(syntax.iter().copied());
        let asts: Vec<(FileId, &ast::File)> = (0..).zip(&self.analysis.files).collect();
        let meaning = self.general.iter().chain(&self.entries).chain(self.read.values().flat_map(|(_, problems)| problems));
        let meaning = meaning.chain(self.files.iter().flat_map(|checked| &checked.diagnostics));
        let unexplained: Vec<&Diagnostic> = meaning.filter(|problem| !mistakes.explain(problem, &asts)).collect();
        unexplained.into_iter().chain(syntax)
    }

    /// Collects what all files declare, and says whether that is other than before in a way that any file may notice. `entries`: those of the
    /// vocabulary may have changed.
    fn declare(&mut self, entries: bool) -> bool {
        self.general.clear();
        let asts: Vec<(FileId, &ast::File)> = (0..).zip(&self.analysis.files).collect();
        check_modules(&self.input, &asts, &mut self.general);
        let vocabulary = if entries {
            self.entries.clear();
            vocabulary::read(&names::vocabulary_entries(&asts), &mut self.entries)
        } else {
            self.names.vocabulary.clone()
        };
        let names = names::collect_beside(vocabulary, &asts, &mut self.general);
        let before = std::mem::replace(&mut self.names, names);
        let changed = !self.names.declares_as(&before);
        if changed {
            self.analysis.program.vocabulary.clone_from(&self.names.vocabulary);
        }
        self.read_tables(&before, changed);
        check::tag_parameters(&self.names, &mut self.general);
        let mut general = std::mem::take(&mut self.general);
        let choices = self.with_context(false, |context, _| check::choices(context, &mut general));
        self.analysis.program.choices = choices;
        self.general = general;
        changed
    }

    /// Reads tables that are new or written otherwise than before; where a table has problems, their places may have moved.
    fn read_tables(&mut self, before: &Names, changed: bool) {
        let mut known: BTreeMap<String, Table> =
            std::mem::take(&mut self.analysis.program.tables).into_iter().map(|table| (table.name.clone(), table)).collect();
        let mut all = Vec::new();
        self.read.retain(|full, _| self.names.tables.contains_key(full));
        for (full, place) in &self.names.tables {
            let source = &self.input.sources[place.file as usize];
            let ast::Item::Table(item) = &self.analysis.files[place.file as usize].items[place.item] else { continue };
            let text = source.text.get(item.span.start as usize..item.span.end as usize).unwrap_or_default();
            let same_scope = !changed && self.names.scopes.get(&place.file) == before.scopes.get(&place.file);
            let kept = known.remove(full).filter(|_| same_scope && self.read.get(full).is_some_and(|(was, p)| was == text && p.is_empty()));
            all.push(kept.unwrap_or_else(|| {
                let mut problems = Vec::new();
                let mut table = tables::read(item, full, place.file, &self.input, source, &self.names, &mut problems);
                if !self.world.unverified {
                    tables::keep_verified(&mut table);
                }
                self.read.insert(full.clone(), (text.to_string(), problems));
                table
            }));
        }
        self.analysis.program.tables = all;
    }

    /// Files that import from a file or refine a signature of it, and those that depend on these.
    fn dependents(&self, file: FileId) -> BTreeSet<FileId> {
        let mut found = BTreeSet::from([file]);
        let mut open = vec![file];
        while let Some(next) = open.pop() {
            let module = module_of(&self.analysis.files[next as usize]);
            for (other, ast) in (0..).zip(&self.analysis.files) {
                let depends = || imports_from(ast, &module) || self.based_on(other).contains(&next);
                if !found.contains(&other) && depends() {
                    found.insert(other);
                    open.push(other);
                }
            }
        }
        found.remove(&file);
        found
    }

    /// Files with signatures that those of this file refine, as far as the chain goes.
    fn bases_of(&self, file: FileId) -> BTreeSet<FileId> {
        let mut found = BTreeSet::new();
        let mut open = vec![file];
        while let Some(next) = open.pop() {
            open.extend(self.based_on(next).into_iter().filter(|base| found.insert(*base)));
        }
        found
    }

    /// Files with signatures that those of this file refine themselves.
    fn based_on(&self, file: FileId) -> Vec<FileId> {
        let refined = self.analysis.files[file as usize].items.iter().filter_map(|item| match item {
            ast::Item::Signature(signature) => check::signature_named(&self.names, file, signature.refines.as_ref()?),
            _ => None,
        });
        refined.filter_map(|base| Some(self.names.signatures.get(&base)?.file)).collect()
    }

    fn check(&mut self, files: &[FileId]) {
        let stale = std::mem::take(&mut self.stale);
        let rechecked: Vec<(check::Rechecked, Vec<Mark>)> = self.with_context(true, |context, known| {
            let one = |&file: &FileId| {
                let rechecked = check::file(context, file, known, &|at| stale.contains(&at));
                (rechecked, context.marks.as_ref().map(Marks::take).unwrap_or_default())
            };
            files.iter().map(one).collect()
        });
        self.stale = stale;
        let asked: BTreeSet<FileId> = files.iter().copied().collect();
        let signatures = &mut self.analysis.program.signatures;
        signatures.retain(|signature| !asked.contains(&signature.file));
        for (&file, (rechecked, marks)) in files.iter().zip(rechecked) {
            self.stale.remove(&file);
            signatures.extend(rechecked.signatures);
            let checked = &mut self.files[file as usize];
            checked.diagnostics = rechecked.diagnostics;
            checked.marks = marks;
        }
        signatures.sort_by(|a, b| a.name.cmp(&b.name));
        files.iter().for_each(|file| self.mark(*file));
        self.lint(files);
    }

    /// Completes the marks of a file.
    fn mark(&mut self, file: FileId) {
        let ast = &self.analysis.files[file as usize];
        let probe = |file: FileId, item: usize| Some(self.analysis.files.get(file as usize)?.items.get(item)?.span());
        let marks = &mut self.files[file as usize].marks;
        // What an imported `let` or a base names is marked in its own file.
        marks.retain(|mark| mark.file == file);
        marks.extend(marks::of_file(file, ast, &self.names, &probe));
        marks.extend(marks::of_choices(file, ast, &self.names));
        marks.sort_by(|a, b| (a.span, &a.target, !a.declares).cmp(&(b.span, &b.target, !b.declares)));
        marks.dedup_by(|a, b| a.span == b.span && a.target == b.target);
    }

    fn lint(&mut self, files: &[FileId]) {
        let mut found: BTreeMap<FileId, Vec<Diagnostic>> = files.iter().map(|file| (*file, Vec::new())).collect();
        let asked = found.clone();
        for problem in lints::run_on(&self.analysis, &self.rules, &|signature| asked.contains_key(&signature.file)) {
            let of = problem.labels.first().and_then(|label| found.get_mut(&label.file));
            of.into_iter().for_each(|of| of.push(problem.clone()));
        }
        found.into_iter().for_each(|(file, lints)| self.files[file as usize].lints = lints);
    }

    fn with_context<T>(&mut self, marked: bool, run: impl FnOnce(&check::Context, &[hir::Signature]) -> T) -> T {
        let tables = std::mem::take(&mut self.analysis.program.tables);
        let tables: BTreeMap<String, Table> = tables.into_iter().map(|table| (table.name.clone(), table)).collect();
        let files: BTreeMap<FileId, (&Source, &ast::File)> = (0..).zip(self.input.sources.iter().zip(&self.analysis.files)).collect();
        let marks = marked.then(Marks::default);
        let (names, input, costs) = (&self.names, &self.input, &self.costs);
        let context = check::Context { world: self.world, names, tables: &tables, input, files: &files, costs, marks };
        let result = run(&context, &self.analysis.program.signatures);
        self.analysis.program.tables = tables.into_values().collect();
        result
    }
}

/// Whether a file imports from a module, or stands in it.
fn imports_from(ast: &ast::File, module: &str) -> bool {
    let below = |path: &str| module.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    ast.uses.iter().any(|import| below(&dotted(&import.path))) || module_of(ast) == module
}

impl Session<'_> {
    /// What the file's text has at a place.
    pub fn written(&self, file: FileId, span: Span) -> &str {
        let text = self.analysis.sources.get(file).map_or("", |source| source.text.as_str());
        text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}
