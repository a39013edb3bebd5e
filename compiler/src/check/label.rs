//! What the lines and tests of a signature are called: each by a name that no other has. Lists of names say each once.
//!
//! In: a signature's syntax, and that of its bases, whose lines it has too. Out: problems.

use std::collections::BTreeMap;

use ksig_lang::ast::{self, Line, LineKind, Name, Statement};
use ksig_lang::source::Span;
use ksig_lang::{FileId, say};

use super::Checker;
use crate::{hir, problems};

impl Checker<'_> {
    /// Labels of lines, and names of tests; examples have none.
    pub(super) fn called_once(&mut self, ast: &ast::Signature, base: Option<&hir::Signature>) {
        let mut labels = self.labels_of_bases(base);
        for line in lines_of(ast) {
            let Some(label) = &line.label else { continue };
            let file = self.file;
            if label.value.trim().is_empty() {
                let problem = problems::empty_name(say!("a label", "ラベル"), file, label.span);
                self.diagnostics.push(match self.with_colon(label.span, line.span) {
                    Some(written) => problem.fix(say!("leave the label out", "ラベルを外す"), file, written, ""),
                    None => problem,
                });
                continue;
            }
            if matches!(line.kind, LineKind::All(_) | LineKind::Any(_) | LineKind::None(_) | LineKind::AtLeast(..)) {
                self.diagnostics.push(problems::label_of_group(label, file));
            }
            match labels.get(label.value.as_str()) {
                Some(&(first_file, first)) => self.diagnostics.push(problems::declared_twice(label, file, first_file, first)),
                None => drop(labels.insert(label.value.clone(), (file, label.span))),
            }
        }
        let mut tests: BTreeMap<&str, Span> = BTreeMap::new();
        for statement in &ast.body {
            let Statement::Test(ast::Test { name, .. }) = statement else { continue };
            if name.value.trim().is_empty() {
                self.diagnostics.push(problems::empty_name(say!("the name of a test", "テストの名前"), self.file, name.span));
                continue;
            }
            match tests.get(name.value.as_str()) {
                Some(first) => self.diagnostics.push(problems::declared_twice(name, self.file, self.file, *first)),
                None => drop(tests.insert(&name.value, name.span)),
            }
        }
    }

    /// Names of a list of which none stands in it twice.
    pub(super) fn each_once(&mut self, names: &[Name]) -> Option<()> {
        let mut before: BTreeMap<&str, Span> = BTreeMap::new();
        for name in names {
            if let Some(first) = before.insert(&name.value, name.span) {
                return self.refuse(problems::said_twice(name, self.file, first));
            }
        }
        Some(())
    }

    /// Where each label of the lines that a signature inherits stands.
    fn labels_of_bases(&self, base: Option<&hir::Signature>) -> BTreeMap<String, (FileId, Span)> {
        let mut labels = BTreeMap::new();
        let mut next = base.map(|base| base.name.clone());
        while let Some(place) = next.and_then(|name| self.names.signatures.get(&name)) {
            let ast::Item::Signature(ast) = &self.files[&place.file].1.items[place.item] else { break };
            for label in lines_of(ast).into_iter().filter_map(|line| line.label.as_ref()) {
                labels.insert(label.value.clone(), (place.file, label.span));
            }
            next = ast.refines.as_ref().and_then(|path| super::signature_named(self.names, place.file, path));
        }
        labels
    }

    /// A label with its colon and what parts it from its line; absent when a comment stands between.
    fn with_colon(&self, label: Span, line: Span) -> Option<Span> {
        let behind = self.text.get(label.end as usize..line.end as usize)?;
        let line_itself = behind.trim_start().strip_prefix(':')?.trim_start();
        let fine = !line_itself.starts_with("//");
        fine.then(|| Span { start: label.start, end: line.end - line_itself.len() as u32 })
    }
}

/// All lines of a signature's blocks, those in groups behind the group.
fn lines_of(ast: &ast::Signature) -> Vec<&Line> {
    let mut all = Vec::new();
    let mut open: Vec<&Line> = Vec::new();
    for statement in ast.body.iter().rev() {
        if let Statement::Match { lines, .. } = statement {
            open.extend(lines.iter().rev());
        }
    }
    while let Some(line) = open.pop() {
        all.push(line);
        match &line.kind {
            LineKind::Condition(_) => {}
            LineKind::Each { lines, .. }
            | LineKind::All(lines)
            | LineKind::Any(lines)
            | LineKind::None(lines)
            | LineKind::AtLeast(_, lines) => open.extend(lines.iter().rev()),
        }
    }
    all
}
