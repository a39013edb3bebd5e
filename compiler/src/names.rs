//! What each module declares, and what each file may say because of its `use` lines.
//!
//! In: all files of a set. Out: [`Names`], which later phases only read. A name that is declared twice keeps its first declaration.

use std::collections::{BTreeMap, HashMap};

use ksig_lang::ast::{self, Item, Name, Path};
use ksig_lang::{Diagnostic, FileId, Span};
use ksig_schema::{Scheme, Vocabulary};

use crate::problems;
use crate::types::Params;
use crate::vocabulary::{self, Entry, Kind};

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Definition {
    /// A vendor's id.
    Vendor(String),
    /// A class's id.
    Class(String),
    /// A tag's id.
    Tag(String),
    /// A table's full name.
    Table(String),
    /// A scheme's full name.
    Scheme(String),
    /// A probe: file and index of its item.
    Probe(FileId, usize),
    /// A signature's full name.
    Signature(String),
    /// A choice's full name.
    Choice(String),
    /// A `let` of a file: file and index of its item.
    Let(FileId, usize),
}

/// Where an item is declared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// In which file.
    pub file: FileId,
    /// Which item.
    pub item: usize,
}

/// All declarations of a set of files.
#[derive(Debug, Default)]
pub struct Names {
    /// Vendors, classes and tags with their display names.
    pub vocabulary: Vocabulary,
    /// Each tag's parameters, and the file that declares them.
    pub tag_params: BTreeMap<String, (FileId, Params)>,
    /// Each scheme by full name, built-in ones by their short one.
    pub schemes: BTreeMap<String, Scheme>,
    /// Tables by full name.
    pub tables: BTreeMap<String, Place>,
    /// Signatures by full name.
    pub signatures: BTreeMap<String, Place>,
    /// Choices by full name.
    pub choices: BTreeMap<String, Place>,
    /// A file's scope: its own items and what it imports.
    pub scopes: HashMap<FileId, BTreeMap<String, Definition>>,
    /// Vendors and tags by id: the module that declares each.
    homes: BTreeMap<String, String>,
    /// The names that each module declares.
    exports: BTreeMap<String, Vec<String>>,
}

impl Names {
    /// All modules, sorted.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.exports.keys().map(String::as_str)
    }

    /// The names that a module and those below it declare.
    pub fn exported(&self, module: &str) -> impl Iterator<Item = &str> {
        let below = format!("{module}.");
        let inside = move |name: &str| name == module || name.starts_with(&below);
        self.exports.iter().filter(move |(name, _)| inside(name)).flat_map(|(_, names)| names).map(String::as_str)
    }
}

/// An edit that imports a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// From where.
    pub module: String,
    /// Where the text goes in.
    pub place: Span,
    /// A name for the braces of a `use` that is there, or a line.
    pub text: String,
}

impl Names {
    /// Whether the same is declared, so that a file without imports from one that changed means the same and has the same problems: where in
    /// their files the items stand is another matter.
    pub(crate) fn declares_as(&self, other: &Names) -> bool {
        fn places(of: &BTreeMap<String, Place>) -> impl Iterator<Item = (&String, FileId)> {
            of.iter().map(|(name, place)| (name, place.file))
        }
        let named = |params: &(FileId, Params)| {
            params.1.iter().map(|param| (param.name.value.clone(), param.ty.name.value.clone())).collect::<Vec<_>>()
        };
        self.vocabulary == other.vocabulary
            && self.schemes == other.schemes
            && self.homes == other.homes
            && places(&self.signatures).eq(places(&other.signatures))
            && places(&self.tables).eq(places(&other.tables))
            && places(&self.choices).eq(places(&other.choices))
            && self.exports == other.exports
            && self
                .tag_params
                .iter()
                .map(|(tag, params)| (tag, named(params)))
                .eq(other.tag_params.iter().map(|(tag, params)| (tag, named(params))))
    }

    /// What imports a vendor or a tag into a file; absent when there is none of that id, or the file has no header to write it under.
    pub fn import_of(&self, name: &str, file: FileId, ast: &ast::File) -> Option<Import> {
        if self.scopes.get(&file).is_some_and(|scope| scope.contains_key(name)) {
            return None;
        }
        let module = self.homes.get(name)?.clone();
        let after = |span: Span| Span { start: span.end, end: span.end };
        if let Some(last) = ast.uses.iter().find(|import| dotted(&import.path) == module).and_then(|import| import.names.last()) {
            return Some(Import { module, place: after(last.span), text: format!(", {name}") });
        }
        let header = ast.uses.last().map(|import| import.span).or(ast.module.as_ref().map(|path| path.span))?;
        let text = format!("\nuse {module} {{ {name} }}");
        Some(Import { module, place: after(header), text })
    }
}

/// `router.buffalo.airstation` as text.
pub fn dotted(path: &Path) -> String {
    path.value.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(".")
}

/// The module of a file as text; empty when it has none.
pub fn module_of(file: &ast::File) -> String {
    file.module.as_ref().map(dotted).unwrap_or_default()
}

/// `module.name`, or `name` alone in a file without a module.
pub fn full_name(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_string() } else { format!("{module}.{name}") }
}

/// What a module declares: each name with what it stands for and where.
type Exports = BTreeMap<String, (Definition, FileId, Span)>;

/// Collects all declarations; problems: names declared twice, entries of the vocabulary, unknown modules and names in `use`.
pub fn collect(files: &[(FileId, &ast::File)], diagnostics: &mut Vec<Diagnostic>) -> Names {
    let vocabulary = vocabulary::read(&vocabulary_entries(files), diagnostics);
    collect_beside(vocabulary, files, diagnostics)
}

/// As [`collect`], with the vocabulary of these files.
pub fn collect_beside(vocabulary: Vocabulary, files: &[(FileId, &ast::File)], diagnostics: &mut Vec<Diagnostic>) -> Names {
    let mut names = Names { vocabulary, ..Names::default() };
    for builtin in ["dotted", "semver", "date"] {
        names.schemes.extend(Scheme::builtin(builtin).map(|scheme| (builtin.to_string(), scheme)));
    }
    let mut exports: BTreeMap<String, Exports> = BTreeMap::new();
    for &(file, ast) in files {
        let module = module_of(ast);
        let exported = exports.entry(module.clone()).or_default();
        for (index, item) in ast.items.iter().enumerate() {
            let Some((name, definition)) = declare(&mut names, file, index, item, &module, diagnostics) else { continue };
            if let Some((_, first_file, first)) = exported.get(&name.value) {
                diagnostics.push(problems::declared_twice(&name, file, *first_file, *first));
            } else {
                if matches!(definition, Definition::Vendor(_) | Definition::Tag(_)) {
                    names.homes.entry(name.value.clone()).or_insert_with(|| module.clone());
                }
                exported.insert(name.value.clone(), (definition, file, name.span));
            }
        }
    }
    for &(file, ast) in files {
        let mut scope = Scope { file, known: BTreeMap::new() };
        if let Some(own) = exports.get(&module_of(ast)) {
            let own = own.iter().filter(|(_, (_, at, _))| *at == file);
            scope.known.extend(own.map(|(name, (definition, _, span))| (name.clone(), (definition.clone(), *span))));
        }
        for import in &ast.uses {
            let path = dotted(&import.path);
            let modules = modules_at(&exports, &path);
            if modules.is_empty() {
                diagnostics.push(problems::unknown_module(&path, file, import.path.span, exports.keys().map(String::as_str)));
                continue;
            }
            for name in &import.names {
                let homes: Vec<_> = modules.iter().filter_map(|(module, exported)| Some((*module, exported.get(&name.value)?))).collect();
                match homes.as_slice() {
                    [] => {
                        let known = modules.iter().flat_map(|(_, exported)| exported.keys()).map(String::as_str);
                        diagnostics.push(problems::unknown_import(&path, name, file, known, &names.vocabulary));
                    }
                    // What the module itself declares stands before what those below it do.
                    [(_, (definition, ..))] => scope.import(name, definition, diagnostics),
                    [(module, (definition, ..)), ..] if *module == path => scope.import(name, definition, diagnostics),
                    several => {
                        let homes: Vec<&str> = several.iter().map(|(module, _)| *module).collect();
                        diagnostics.push(problems::ambiguous_import(&path, name, &homes, file));
                    }
                }
            }
        }
        names.scopes.insert(file, scope.known.into_iter().map(|(name, (definition, _))| (name, definition)).collect());
    }
    names.exports = exports.into_iter().map(|(module, exported)| (module, exported.into_keys().collect())).collect();
    names
}

/// What a file may say, while its imports are read.
struct Scope {
    file: FileId,
    /// Each name with what it stands for and where that is said.
    known: BTreeMap<String, (Definition, Span)>,
}

impl Scope {
    /// Enters an imported name; one that stands for something else already is a problem, and keeps its first meaning.
    fn import(&mut self, name: &Name, definition: &Definition, diagnostics: &mut Vec<Diagnostic>) {
        match self.known.get(&name.value) {
            Some((known, _)) if known == definition => {}
            Some((_, first)) => diagnostics.push(problems::declared_twice(name, self.file, self.file, *first)),
            None => drop(self.known.insert(name.value.clone(), (definition.clone(), name.span))),
        }
    }
}

/// A module and those below it, in order: the module itself comes first.
fn modules_at<'a>(exports: &'a BTreeMap<String, Exports>, path: &str) -> Vec<(&'a str, &'a Exports)> {
    let below = format!("{path}.");
    let own = exports.get_key_value(path).into_iter();
    let others = exports.range(below.clone()..).take_while(|(module, _)| module.starts_with(&below));
    own.chain(others).map(|(module, exported)| (module.as_str(), exported)).collect()
}

/// The entries of the vocabulary in these files.
pub(crate) fn vocabulary_entries<'a>(files: &[(FileId, &'a ast::File)]) -> Vec<Entry<'a>> {
    let of_file = |&(file, ast): &(FileId, &'a ast::File)| {
        ast.items.iter().filter_map(move |item| {
            let (kind, entry) = match item {
                Item::Vendor(entry) => (Kind::Vendor, entry),
                Item::Class(entry) => (Kind::Class, entry),
                Item::Tag(entry) => (Kind::Tag, entry),
                _ => return None,
            };
            Some(Entry { kind, file, entry })
        })
    };
    files.iter().flat_map(of_file).collect()
}

/// Enters one item into the lists; gives back its name in the module.
fn declare(
    names: &mut Names,
    file: FileId,
    index: usize,
    item: &Item,
    module: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<(Name, Definition)> {
    let place = Place { file, item: index };
    let entry_name = |entry: &ast::Entry| Name { value: dotted(&entry.path), span: entry.path.span };
    match item {
        Item::Vendor(entry) => {
            let name = entry_name(entry);
            Some((name.clone(), Definition::Vendor(name.value)))
        }
        Item::Class(entry) => {
            let name = entry_name(entry);
            Some((name.clone(), Definition::Class(name.value)))
        }
        Item::Tag(entry) => {
            let name = entry_name(entry);
            names.tag_params.entry(name.value.clone()).or_insert_with(|| (file, entry.params.clone()));
            Some((name.clone(), Definition::Tag(name.value)))
        }
        Item::Table(table) => {
            let full = full_name(module, &table.name.value);
            names.tables.entry(full.clone()).or_insert(place);
            Some((table.name.clone(), Definition::Table(full)))
        }
        Item::Scheme(scheme) => {
            let full = full_name(module, &scheme.name.value);
            match crate::types::scheme(&full, &scheme.value) {
                Ok(read) => {
                    names.schemes.entry(full.clone()).or_insert(read);
                }
                Err(reason) => diagnostics.push(problems::bad_scheme(reason, file, scheme.value.span)),
            }
            Some((scheme.name.clone(), Definition::Scheme(full)))
        }
        Item::Probe(probe) => Some((probe.name.clone(), Definition::Probe(file, index))),
        Item::Signature(signature) => {
            let full = full_name(module, &signature.name.value);
            names.signatures.entry(full.clone()).or_insert(place);
            Some((signature.name.clone(), Definition::Signature(full)))
        }
        Item::Let(binding) => Some((binding.name.clone(), Definition::Let(file, index))),
        Item::Choice(choice) => {
            let full = full_name(module, &choice.name.value);
            names.choices.entry(full.clone()).or_insert(place);
            Some((choice.name.clone(), Definition::Choice(full)))
        }
    }
}
