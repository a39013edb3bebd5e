//! Applies the fixes of problems to sources.
//!
//! In: sources with problems. Out: sources with fewer. A fix is taken only when what it makes has no more problems than before, so that a
//! wrong guess changes nothing. Files are not touched here.

use std::collections::BTreeMap;

use ksig_compiler::{Analysis, Input};
use ksig_lang::{Diagnostic, FileId, Fix};

use crate::analysis::{Rules, check_by};

/// Fixes may uncover problems that have fixes themselves; more rounds than any real file needs.
const ROUNDS_MAX: usize = 8;

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// New texts by the path of the source.
    pub texts: BTreeMap<String, String>,
    /// How many fixes were applied.
    pub count: usize,
}

/// Fixes what can be fixed in the sources that `asked` names; what the rules do not report stays. `input` is changed as the files should be.
pub fn fix(input: &mut Input, rules: &Rules, asked: &dyn Fn(&str) -> bool) -> Fixed {
    let mut fixed = Fixed::default();
    let mut analysis = check_by(input, rules);
    for _ in 0..ROUNDS_MAX {
        let mut fixes: Vec<Fix> = chosen(&analysis, asked);
        let mut accepted = None;
        // All at once where that is an improvement; otherwise the first half of them, down to one.
        while !fixes.is_empty() {
            let changed = applied(&analysis, &fixes);
            let mut tried = input.clone();
            for source in &mut tried.sources {
                if let Some(text) = changed.get(&source.path) {
                    source.text.clone_from(text);
                }
            }
            let after = check_by(&tried, rules);
            if weight(&after) < weight(&analysis) {
                accepted = Some((tried, changed, after));
                break;
            }
            fixes.truncate(fixes.len() / 2);
        }
        let Some((tried, changed, after)) = accepted else { break };
        *input = tried;
        analysis = after;
        fixed.count += fixes.len();
        fixed.texts.extend(changed);
    }
    fixed
}

/// Errors of the compiler count most: lints, which may be errors too, are silent until the last of those is gone, and must not speak against
/// mending it.
fn weight(analysis: &Analysis) -> (usize, usize) {
    let lint = |code: &str| ksig_compiler::lints::ALL.iter().any(|lint| lint.doc.code == code);
    let error = |problem: &&Diagnostic| problem.severity == ksig_lang::Severity::Error && !lint(problem.code);
    (analysis.diagnostics.iter().filter(error).count(), analysis.diagnostics.len())
}

/// Fixes in the order of problems, each whole, none that overlaps one before it.
fn chosen(analysis: &Analysis, asked: &dyn Fn(&str) -> bool) -> Vec<Fix> {
    let mut taken: Vec<(FileId, ksig_lang::Span)> = Vec::new();
    let mut chosen = Vec::new();
    for fix in analysis.diagnostics.iter().filter_map(|problem: &Diagnostic| problem.fix.as_ref()) {
        let fits = fix.edits.iter().all(|(file, span, _)| {
            let source = analysis.sources.get(*file);
            source.is_some_and(|source| asked(&source.path))
                && !taken.iter().any(|(other, at)| other == file && span.start <= at.end && at.start <= span.end)
        });
        if fits {
            taken.extend(fix.edits.iter().map(|(file, span, _)| (*file, *span)));
            chosen.push(fix.clone());
        }
    }
    chosen
}

/// The sources that fixes change, with their new texts.
fn applied(analysis: &Analysis, fixes: &[Fix]) -> BTreeMap<String, String> {
    let mut edits: Vec<_> = fixes.iter().flat_map(|fix| &fix.edits).collect();
    // From the back, so that places before an edit stay where they are.
    edits.sort_by_key(|(file, span, _)| (*file, std::cmp::Reverse(span.start)));
    let mut texts = BTreeMap::new();
    for (file, span, replacement) in edits {
        let Some(source) = analysis.sources.get(*file) else { continue };
        let text: &mut String = texts.entry(source.path.clone()).or_insert_with(|| source.text.clone());
        text.replace_range(span.start as usize..span.end as usize, replacement);
    }
    texts
}
