//! Problems, shown when they change: those of an edited document at once, those of its root when all is settled, and lints of the whole set when
//! the hands rest.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ksig_lang::{Diagnostic, FileId, Lang, Severity};
use lsp_types as lsp;
use serde_json::json;

use super::super::diagnostics;
use super::super::workspace::{belongs, uri_of};
use super::Server;
use crate::policy::{self, PolicyError};

/// Files that are not open and whose errors are shown all the same, at most.
const CLOSED_SHOWN_MAX: usize = 100;

impl<W: Write> Server<'_, W> {
    /// Works on while nothing else is to do; says whether something was.
    pub(super) fn work_out(&mut self) -> io::Result<bool> {
        if !self.edited.is_empty() {
            for path in self.take_over() {
                self.publish_file(&path)?;
            }
            return Ok(true);
        }
        for at in 0..self.roots.len() {
            if self.roots[at].session.settle().is_some() {
                if self.roots[at].session.is_settled() {
                    self.publish_root(at)?;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn lint_sets(&mut self) -> io::Result<()> {
        for at in 0..self.roots.len() {
            if !self.roots[at].set_linted {
                self.roots[at].session.lint_set();
                self.roots[at].set_linted = true;
                self.publish_root(at)?;
            }
        }
        Ok(())
    }

    /// Shows the problems of one document, whether or not they are new: the client waits for them.
    pub(super) fn publish_file(&mut self, path: &Path) -> io::Result<()> {
        let root = belongs(path);
        let Some((at, file)) =
            self.roots.iter().enumerate().find_map(|(at, known)| Some((at, (known.path == root).then(|| known.file(path))??)))
        else {
            return Ok(());
        };
        let mut shown = self.problems_of(at, file);
        shown.extend(self.failed_tests.get(path).into_iter().flatten().cloned());
        let Some(document) = self.documents.get(path) else { return Ok(()) };
        let (uri, version) = (document.uri.clone(), document.version);
        self.publish_of(&uri, Some(version), &shown)?;
        self.published.insert(path.to_path_buf(), shown);
        Ok(())
    }

    fn problems_of(&self, at: usize, file: FileId) -> Vec<lsp::Diagnostic> {
        self.with(at, file, |view| {
            let own =
                view.session().diagnostics().into_iter().filter(|problem| problem.labels.first().is_some_and(|label| label.file == file));
            own.map(|problem| diagnostics::shown(view, problem)).collect()
        })
    }

    /// Shows what is new of all files of a root: all problems of those that are open, errors of the others.
    fn publish_root(&mut self, at: usize) -> io::Result<()> {
        let mut by_file: BTreeMap<FileId, Vec<&Diagnostic>> = BTreeMap::new();
        for problem in self.roots[at].session.diagnostics() {
            by_file.entry(problem.labels.first().map_or(FileId::MAX, |label| label.file)).or_default().push(problem);
        }
        let mut shown: BTreeMap<PathBuf, Vec<lsp::Diagnostic>> = BTreeMap::new();
        let mut closed = 0;
        for (file, mut problems) in by_file {
            let Some(path) = self.roots[at].path_of(file) else { continue };
            if !self.documents.contains_key(&path) {
                problems.retain(|problem| problem.severity == Severity::Error);
                if problems.is_empty() || closed == CLOSED_SHOWN_MAX {
                    continue;
                }
                closed += 1;
            }
            let problems = self.with(at, file, |view| problems.iter().map(|problem| diagnostics::shown(view, problem)).collect());
            shown.insert(path, problems);
        }
        let refused = self.roots[at].policy.as_ref().map(|error| (self.roots[at].path.join(policy::FILE), error));
        if let Some((path, error)) = refused {
            shown.entry(path).or_default().extend(policy_problems(error, self.lang));
        }
        for (path, failed) in &self.failed_tests {
            if path.starts_with(&self.roots[at].path) {
                shown.entry(path.clone()).or_default().extend(failed.iter().cloned());
            }
        }
        let root = self.roots[at].path.clone();
        let gone: Vec<PathBuf> =
            self.published.keys().filter(|path| path.starts_with(&root) && !shown.contains_key(*path)).cloned().collect();
        for path in gone {
            shown.entry(path).or_default();
        }
        for (path, problems) in shown {
            let before = self.published.get(&path).map(Vec::as_slice).unwrap_or_default();
            if before != problems {
                let document = self.documents.get(&path);
                let (uri, version) = document.map_or_else(|| (uri_of(&path), None), |open| (open.uri.clone(), Some(open.version)));
                self.publish_of(&uri, version, &problems)?;
            }
            match problems.is_empty() {
                true => drop(self.published.remove(&path)),
                false => drop(self.published.insert(path, problems)),
            }
        }
        for text in std::mem::take(&mut self.roots[at].unread) {
            self.show(lsp::MessageType::WARNING, &text)?;
        }
        Ok(())
    }

    pub(super) fn publish_of(&mut self, uri: &str, version: Option<i32>, problems: &[lsp::Diagnostic]) -> io::Result<()> {
        self.tell("textDocument/publishDiagnostics", json!({ "uri": uri, "version": version, "diagnostics": problems }))
    }
}

/// What is wrong with `ksig.toml`, in it.
fn policy_problems(error: &PolicyError, lang: Lang) -> Vec<lsp::Diagnostic> {
    let problem = |place: (u32, u32), message: String| {
        let start = lsp::Position { line: place.0.saturating_sub(1), character: place.1.saturating_sub(1) };
        let severity = Some(lsp::DiagnosticSeverity::ERROR);
        let source = Some(diagnostics::SOURCE.into());
        lsp::Diagnostic { range: lsp::Range { start, end: start }, severity, source, message, ..lsp::Diagnostic::default() }
    };
    match error {
        PolicyError::Lints(problems) => problems.iter().map(|one| problem(one.place, one.text.in_lang(lang).to_string())).collect(),
        other => vec![problem((1, 1), other.text().in_lang(lang).to_string())],
    }
}
