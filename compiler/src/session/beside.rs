//! Checks the signatures of a file that an edit touched, beside those that mean what they meant.
//!
//! In: an edit, and how the file was laid out before. Out: the file as if all of it had been checked again: signatures, problems, marks and lints of
//! those that are kept only move.

use std::collections::{BTreeMap, BTreeSet};

use ksig_lang::{Diagnostic, FileId, Span, ast};

use super::Session;
use super::moved::Edit;
use super::spared::{Layout, holder};
use crate::marks::Marks;
use crate::names::{Definition, full_name, module_of};
use crate::{check, hir, lints};

impl Session<'_> {
    /// The signatures of an edited file that mean what they meant, each with where it stood: those that the edit spared and about which there is
    /// nothing to say. Absent where any signature of the file may mean something else.
    pub(super) fn kept(&self, edit: &Edit, layout: &Layout) -> Option<BTreeMap<String, Span>> {
        let ast = &self.analysis.files[edit.file as usize];
        let spared = layout.spared(edit, ast)?;
        // The parts of a `let` of another file have places there, and do not say so.
        let foreign = |definition: &Definition| matches!(definition, Definition::Let(file, _) if *file != edit.file);
        let checked = &self.files[edit.file as usize];
        let is_placed = |label: &ksig_lang::Label| label.file == edit.file && layout.signature_holds(label.span);
        let placed = |problems: &[Diagnostic]| problems.iter().all(|problem| problem.labels.first().is_some_and(is_placed));
        if self.names.scopes.get(&edit.file)?.values().any(foreign) || !placed(&checked.diagnostics) || !placed(&checked.lints) {
            return None;
        }
        let spans: Vec<Span> = spared.iter().map(|(_, span)| *span).collect();
        let labels = checked.diagnostics.iter().flat_map(|problem| &problem.labels).filter(|label| label.file == edit.file);
        let told: BTreeSet<usize> = labels.filter_map(|label| holder(&spans, label.span)).collect();
        let module = module_of(ast);
        let mut kept: BTreeMap<String, (Span, Option<&str>)> = BTreeMap::new();
        for (nth, (number, span)) in spared.iter().enumerate().filter(|(nth, _)| !told.contains(nth)) {
            let ast::Item::Signature(item) = &ast.items[*number] else { continue };
            let known = self.signature(&full_name(&module, &item.name.value));
            if let Some(known) = known.filter(|known| known.file == edit.file && known.span == spans[nth]) {
                kept.insert(known.name.clone(), (*span, known.refines.as_deref()));
            }
        }
        // What refines one that is checked again is checked again.
        loop {
            let lost: Vec<String> = kept
                .iter()
                .filter(|(_, (_, base))| base.is_some_and(|base| !kept.contains_key(base)))
                .map(|(name, _)| name.clone())
                .collect();
            if lost.is_empty() {
                return Some(kept.into_iter().map(|(name, (span, _))| (name, span)).collect());
            }
            lost.iter().for_each(|name| _ = kept.remove(name));
        }
    }

    fn signature(&self, name: &str) -> Option<&hir::Signature> {
        let all = &self.analysis.program.signatures;
        all.binary_search_by(|signature| signature.name.as_str().cmp(name)).ok().map(|at| &all[at])
    }

    /// Checks an edited file but for the signatures that are kept, which move.
    pub(super) fn check_beside(&mut self, edit: &Edit, kept: &BTreeMap<String, Span>) {
        let file = edit.file;
        let is_kept = |signature: &hir::Signature| signature.file == file && kept.contains_key(&signature.name);
        let mut touched = self.relatives(file, &is_kept);
        self.analysis.program.signatures.iter_mut().filter(|signature| is_kept(signature)).for_each(|signature| edit.signature(signature));
        let stale = std::mem::take(&mut self.stale);
        let (rechecked, fresh) = self.with_context(true, |context, known| {
            let rechecked = check::file_beside(context, file, known, &|at| stale.contains(&at), &|name| kept.contains_key(name));
            (rechecked, context.marks.as_ref().map(Marks::take).unwrap_or_default())
        });
        self.stale = stale;
        self.stale.remove(&file);
        let signatures = &mut self.analysis.program.signatures;
        signatures.retain(|signature| signature.file != file || is_kept(signature));
        signatures.extend(rechecked.signatures);
        signatures.sort_by(|a, b| a.name.cmp(&b.name));
        let mut places: Vec<Span> = kept.values().copied().collect();
        places.sort_unstable();
        let checked = &mut self.files[file as usize];
        checked.diagnostics = rechecked.diagnostics;
        checked.marks.retain(|mark| holder(&places, mark.span).is_some());
        checked.marks.iter_mut().for_each(|mark| edit.mark(mark));
        checked.marks.extend(fresh);
        self.mark(file);
        touched.extend(self.relatives(file, &is_kept));
        let mut quiet: Vec<Span> = kept.iter().filter(|(name, _)| !touched.contains(*name)).map(|(_, span)| *span).collect();
        quiet.sort_unstable();
        let mut lints = std::mem::take(&mut self.files[file as usize].lints);
        lints.retain(|problem| problem.labels.first().is_some_and(|label| holder(&quiet, label.span).is_some()));
        lints.iter_mut().for_each(|problem| edit.problem(problem));
        let asked = |signature: &hir::Signature| signature.file == file && (!is_kept(signature) || touched.contains(&signature.name));
        lints.extend(lints::run_on(&self.analysis, &self.rules, &asked));
        self.files[file as usize].lints = lints;
    }

    /// The bases in a file of its signatures that are not kept, as far as the chains go: whether a base's captures are unused is seen beside
    /// what refines it.
    fn relatives(&self, file: FileId, is_kept: &dyn Fn(&hir::Signature) -> bool) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for signature in self.analysis.program.signatures.iter().filter(|signature| signature.file == file && !is_kept(signature)) {
            let mut base = signature.refines.as_deref();
            while let Some(name) = base.filter(|name| found.insert((*name).to_string())) {
                base = self.signature(name).and_then(|signature| signature.refines.as_deref());
            }
        }
        found
    }
}
