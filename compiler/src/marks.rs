//! What stands where: every name of a source with what it stands for, as the checker found out while it read it.
//!
//! In: nothing by itself; [`crate::check`] makes a mark at each place where it resolves a name. Out: [`Mark`]s, from which an editor answers
//! what a name is, where it is declared and who else says it. A release is compiled without them.

use std::cell::RefCell;

use ksig_lang::ast::{Item, Name, Path};
use ksig_lang::{FileId, Span, ast};
use ksig_schema::Type;

use crate::check::dotted_name;
use crate::names::{Definition, Names, dotted, full_name, module_of};

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A capture, an extract, a `let` of a signature, an element or a row, by the place of its first declaration.
    Variable(FileId, Span),
    /// A probe or a follow, by the place of its whole declaration.
    Probe(FileId, Span),
    /// A `let` of a file: the file and the number of its item.
    Let(FileId, usize),
    /// A table by its full name.
    Table(String),
    /// A column, by its table's full name and its number.
    Column(String, u32),
    /// A scheme by its full name.
    Scheme(String),
    /// A signature by its full name.
    Signature(String),
    /// A choice by its full name.
    Choice(String),
    /// A vendor by its id.
    Vendor(String),
    /// A class by its id.
    Class(String),
    /// A tag by its id.
    Tag(String),
    /// A field of the schema.
    Field(&'static str),
    /// A selector of the schema.
    Selector(&'static str),
    /// A constructor of probes.
    Constructor(&'static str),
    /// A lint.
    Lint(String),
    /// A module.
    Module(String),
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// In which file.
    pub file: FileId,
    /// Where the name stands, and nothing else.
    pub span: Span,
    /// What it stands for.
    pub target: Target,
    /// The name is declared here; a capture may be in several places.
    pub declares: bool,
    /// Of a variable that is declared here: its type.
    pub ty: Option<Type>,
}

/// Marks while they are made.
pub(crate) type Marks = RefCell<Vec<Mark>>;

impl Mark {
    pub(crate) fn of_use(file: FileId, span: Span, target: Target) -> Mark {
        Mark { file, span, target, declares: false, ty: None }
    }

    pub(crate) fn of_declaration(file: FileId, span: Span, target: Target) -> Mark {
        Mark { file, span, target, declares: true, ty: None }
    }
}

impl Definition {
    /// As marks name it. `probe`: where the probe of an item stands.
    pub(crate) fn target(&self, probe: &dyn Fn(FileId, usize) -> Option<Span>) -> Option<Target> {
        Some(match self {
            Definition::Vendor(id) => Target::Vendor(id.clone()),
            Definition::Class(id) => Target::Class(id.clone()),
            Definition::Tag(id) => Target::Tag(id.clone()),
            Definition::Table(full) => Target::Table(full.clone()),
            Definition::Scheme(full) => Target::Scheme(full.clone()),
            Definition::Signature(full) => Target::Signature(full.clone()),
            Definition::Choice(full) => Target::Choice(full.clone()),
            Definition::Let(file, item) => Target::Let(*file, *item),
            Definition::Probe(file, item) => Target::Probe(*file, probe(*file, *item)?),
        })
    }
}

/// The last name of a path: of `router.acme.base`, what is called so.
pub(crate) fn last(path: &Path) -> Span {
    path.value.last().map_or(path.span, |name| name.span)
}

/// The marks of a file's header and of the names that its items declare: what needs no checking.
pub(crate) fn of_file(file: FileId, ast: &ast::File, names: &Names, probe: &dyn Fn(FileId, usize) -> Option<Span>) -> Vec<Mark> {
    let mut marks = Vec::new();
    let module = module_of(ast);
    if let Some(path) = &ast.module {
        marks.push(Mark::of_declaration(file, path.span, Target::Module(dotted(path))));
    }
    let scope = names.scopes.get(&file);
    for import in &ast.uses {
        marks.push(Mark::of_use(file, import.path.span, Target::Module(dotted(&import.path))));
        for name in &import.names {
            let Some(definition) = scope.and_then(|scope| scope.get(&name.value)) else { continue };
            marks.extend(definition.target(probe).map(|target| Mark::of_use(file, name.span, target)));
        }
    }
    let mut declares = |name: &Name, target: Target| marks.push(Mark::of_declaration(file, name.span, target));
    for (index, item) in ast.items.iter().enumerate() {
        let full = |name: &Name| full_name(&module, &name.value);
        let entry = |entry: &ast::Entry| Name { value: dotted(&entry.path), span: entry.path.span };
        match item {
            Item::Table(table) => {
                declares(&table.name, Target::Table(full(&table.name)));
                for (at, column) in (0..).zip(&table.columns) {
                    declares(&column.name, Target::Column(full(&table.name), at));
                }
            }
            Item::Scheme(scheme) => declares(&scheme.name, Target::Scheme(full(&scheme.name))),
            Item::Vendor(item) => declares(&entry(item), Target::Vendor(dotted(&item.path))),
            Item::Class(item) => declares(&entry(item), Target::Class(dotted(&item.path))),
            Item::Tag(item) => declares(&entry(item), Target::Tag(dotted(&item.path))),
            Item::Probe(probe) => declares(&probe.name, Target::Probe(file, probe.span)),
            Item::Let(binding) => declares(&binding.name, Target::Let(file, index)),
            Item::Signature(signature) => declares(&signature.name, Target::Signature(full(&signature.name))),
            Item::Choice(choice) => declares(&choice.name, Target::Choice(full(&choice.name))),
        }
    }
    for item in &ast.items {
        if let Item::Table(table) = item {
            for ty in table.columns.iter().map(|column| &column.ty) {
                marks.extend(of_type(ty, file, names));
            }
            marks.extend(of_cells(table, file));
        }
        if let Item::Vendor(vendor) = item {
            let makers = vendor.attributes.iter().filter(|attribute| attribute.name.value == "rebrand");
            let makers = makers.flat_map(|attribute| attribute.values.iter().skip(1));
            marks.extend(makers.filter_map(|maker| Some(Mark::of_use(file, maker.span, Target::Vendor(dotted_name(maker)?)))));
        }
    }
    marks
}

/// Vendors and classes that the rows of a table name.
fn of_cells(table: &ast::Table, file: FileId) -> impl Iterator<Item = Mark> {
    let of_column = |column: usize| {
        let ty = &table.columns.get(column)?.ty;
        match ty.of.as_deref().unwrap_or(ty).name.value.as_str() {
            "vendor" => Some(Target::Vendor as fn(String) -> Target),
            "class" => Some(Target::Class as fn(String) -> Target),
            _ => None,
        }
    };
    let cells = table.rows.iter().flat_map(|row| row.value.iter().enumerate());
    let named = cells.filter_map(move |(column, cell)| Some((of_column(column)?, cell))).flat_map(|(target, cell)| {
        let all = if let ast::ExprKind::List(values) = &cell.kind { values.as_slice() } else { std::slice::from_ref(cell) };
        all.iter().map(move |cell| (target, cell))
    });
    named.filter_map(move |(target, cell)| Some(Mark::of_use(file, cell.span, target(dotted_name(cell)?))))
}

/// The marks of the members of choices.
pub(crate) fn of_choices(file: FileId, ast: &ast::File, names: &Names) -> Vec<Mark> {
    let choices = ast.items.iter().filter_map(|item| if let Item::Choice(choice) = item { Some(choice) } else { None });
    let member = |path: &Path| Some(Mark::of_use(file, last(path), Target::Signature(crate::check::signature_named(names, file, path)?)));
    choices.flat_map(|choice| &choice.members).filter_map(member).collect()
}

/// The scheme that a type names: `version(yamaha_rev)`.
pub(crate) fn of_type(ty: &ast::TypeExpr, file: FileId, names: &Names) -> Option<Mark> {
    let ty = ty.of.as_deref().unwrap_or(ty);
    let [scheme] = ty.words.as_slice() else { return None };
    match names.scopes.get(&file)?.get(&scheme.value)? {
        Definition::Scheme(full) if ty.name.value == "version" => Some(Mark::of_use(file, scheme.span, Target::Scheme(full.clone()))),
        _ => None,
    }
}
