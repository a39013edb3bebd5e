//! Signatures to plans, and plans to machine code.
//!
//! ```text
//! Input -> parse (lang) -> names -> tables -> check -> hir::Program -> lower -> Plan -> verify (runtime) -> jit
//! ```
//!
//! [`analyze`] and [`compile`] read as a table of contents; both give back all problems of all files. Nothing here does I/O.

mod check;
pub mod codes;
mod echo;
pub mod hir;
pub mod input;
pub mod jit;
pub mod lints;
pub mod lower;
mod marks;
mod names;
mod problems;
pub mod reasons;
mod session;
mod tables;
mod types;
mod vocabulary;
pub mod words;

use std::collections::BTreeMap;

use ksig_lang::{Diagnostic, FileId, Severity, Sources, ast};
use ksig_runtime::plan::Plan;
use ksig_schema::probe::{ArgumentError, ArgumentKind};
use ksig_schema::{Budget, Date, Policy, ProbeCost, Request, Schema};

pub use check::dotted_name;
pub use input::{Input, Source};
pub use marks::{Mark, Target};
pub use names::{Definition, Import, Names, Place};
pub use problems::nearest;
pub use session::Session;
pub use tables::sort_by_key;

/// Says why an argument of a probe is refused. `protocols` knows; it is an argument here so that the compiler needs no protocol.
pub type ArgumentCheck = fn(ArgumentKind, &str) -> Result<(), ArgumentError>;

/// What signatures are checked against.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Fields and probe constructors.
    pub schema: &'a Schema,
    /// What may be asked.
    pub argument: ArgumentCheck,
    /// What a probe costs at most, as `protocols` knows.
    pub cost: fn(&Request) -> ProbeCost,
    /// What a signature may cost; that of its policy when a release is made.
    pub budget: Budget,
    /// Rows of tables that nobody has verified count; a release for others is compiled without them.
    pub unverified: bool,
}

#[cfg(test)]
impl<'a> World<'a> {
    /// Where every argument is harmless and nothing costs anything.
    fn of(schema: &'a Schema) -> World<'a> {
        World { schema, argument: |_, _| Ok(()), cost: |_| ProbeCost::default(), budget: Budget::default(), unverified: true }
    }
}

/// What a set of sources means, and everything that is wrong with it.
pub struct Analysis {
    /// Texts by file id, for rendering.
    pub sources: Sources,
    /// Syntax by file id.
    pub files: Vec<ast::File>,
    /// What could be checked; whole when there is no error.
    pub program: hir::Program,
    /// Sorted by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Analysis {
    /// Whether anything is an error.
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Puts the problems in the order of files and places.
    pub fn sort(&mut self) {
        self.diagnostics.sort_by_key(Diagnostic::place);
    }
}

/// What a release is called.
#[derive(Clone, Debug, Default)]
pub struct ReleaseName {
    /// As written in every answer.
    pub id: String,
    /// Its date.
    pub date: Option<Date>,
    /// It may hold signatures whose evidence is unverified; a release for others never does.
    pub unverified: bool,
    /// Which probes its plan may send.
    pub policy: Policy,
}

/// Parses, resolves and checks all files.
pub fn analyze(input: &Input, world: World) -> Analysis {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let parsed = parse_all(input, &mut sources, &mut diagnostics);
    let mut syntax = std::mem::take(&mut diagnostics);
    let asts: Vec<(FileId, &ast::File)> = parsed.iter().map(|(file, ast)| (*file, ast)).collect();
    check_modules(input, &asts, &mut diagnostics);
    let names = names::collect(&asts, &mut diagnostics);
    let files: BTreeMap<FileId, (&Source, &ast::File)> =
        asts.iter().zip(&input.sources).map(|(&(file, ast), source)| (file, (source, ast))).collect();
    let mut tables = read_tables(&names, &files, input, &mut diagnostics);
    if !world.unverified {
        tables.values_mut().for_each(tables::keep_verified);
    }
    let costs = check::Costs::new(world.cost);
    let context = check::Context { world, names: &names, tables: &tables, input, files: &files, costs: &costs, marks: None };
    check::tag_parameters(&names, &mut diagnostics);
    check::probes(&context, &mut diagnostics);
    let signatures = check::signatures(&context, &mut diagnostics);
    let choices = check::choices(&context, &mut diagnostics);
    let program = hir::Program { signatures, choices, tables: tables.into_values().collect(), vocabulary: names.vocabulary };
    let mistakes = echo::Mistakes::of(&syntax);
    diagnostics.retain(|problem| !mistakes.explain(problem, &asts));
    diagnostics.append(&mut syntax);
    diagnostics.sort_by_key(Diagnostic::place);
    diagnostics.dedup();
    Analysis { sources, files: parsed.into_iter().map(|(_, ast)| ast).collect(), program, diagnostics }
}

/// Analyses, and lowers what has no error to a plan; absent when there is one.
pub fn compile(input: &Input, world: World, release: &ReleaseName) -> (Option<Plan>, Analysis) {
    let analysis = analyze(input, World { budget: release.policy.budget, unverified: release.unverified, ..world });
    let plan = (!analysis.failed()).then(|| lower::plan(&analysis.program, release));
    (plan, analysis)
}

fn parse_all(input: &Input, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Vec<(FileId, ast::File)> {
    let mut parsed = Vec::with_capacity(input.sources.len());
    for source in &input.sources {
        let file = sources.add(&source.path, &source.text);
        let result = ksig_lang::parse(&source.text, file);
        diagnostics.extend(result.diagnostics);
        parsed.push((file, result.ast));
    }
    parsed
}

/// The module's name against the file's path. That there is one, and the edition, is for the parser to say.
fn check_modules(input: &Input, asts: &[(FileId, &ast::File)], diagnostics: &mut Vec<Diagnostic>) {
    for (&(file, ast), source) in asts.iter().zip(&input.sources) {
        if let (Some(expected), Some(path)) = (&source.module, &ast.module)
            && names::dotted(path) != *expected
        {
            diagnostics.push(problems::module_differs(expected, &names::dotted(path), file, path.span));
        }
    }
}

fn read_tables(
    names: &names::Names,
    files: &BTreeMap<FileId, (&Source, &ast::File)>,
    input: &Input,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<String, ksig_runtime::plan::Table> {
    let mut tables = BTreeMap::new();
    for (full, place) in &names.tables {
        let (source, ast) = files[&place.file];
        if let ast::Item::Table(item) = &ast.items[place.item] {
            tables.insert(full.clone(), tables::read(item, full, place.file, input, source, names, diagnostics));
        }
    }
    tables
}
