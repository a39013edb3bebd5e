//! What looks wrong only because something beside it was not read.
//!
//! In: problems of the syntax, which the parser has reported where they stand, and problems of the meaning. Out: the latter without those
//! that say the same once more: at the very place of a mistake of the syntax, or that a signature lacks what stands in it misspelt.

use std::collections::HashMap;

use ksig_lang::{Diagnostic, FileId, Span, ast};

/// Problems that say what a signature lacks.
const LACKING: [&str; 2] = ["identifies-nothing", "no-match-block"];

/// Where the syntax has mistakes, by file.
pub(crate) struct Mistakes {
    by_file: HashMap<FileId, Vec<Mistake>>,
}

struct Mistake {
    start: u32,
    /// The furthest end of this one and all before.
    reaches: u32,
}

impl Mistakes {
    /// Takes note of what the parser said.
    pub fn of(syntax: &[Diagnostic]) -> Mistakes {
        Mistakes::of_each(syntax.iter())
    }

    /// As [`Mistakes::of`].
    pub fn of_each<'a>(syntax: impl Iterator<Item = &'a Diagnostic>) -> Mistakes {
        let mut spans: Vec<(FileId, Span)> = syntax.filter_map(primary).collect();
        spans.sort_unstable();
        let mut by_file: HashMap<FileId, Vec<Mistake>> = HashMap::new();
        for (file, span) in spans {
            let before = by_file.entry(file).or_default();
            let reaches = before.last().map_or(span.end, |last| last.reaches.max(span.end));
            before.push(Mistake { start: span.start, reaches });
        }
        Mistakes { by_file }
    }

    /// A mistake of the syntax explains the problem.
    pub fn explain(&self, problem: &Diagnostic, files: &[(FileId, &ast::File)]) -> bool {
        let Some((file, span)) = primary(problem) else { return false };
        if !LACKING.contains(&problem.code) {
            return self.touch(file, span);
        }
        let Ok(place) = files.binary_search_by_key(&file, |(id, _)| *id) else { return false };
        let items = &files[place].1.items;
        let before = items.partition_point(|item| item.span().start <= span.start);
        before.checked_sub(1).is_some_and(|last| self.touch(file, items[last].span()))
    }

    fn touch(&self, file: FileId, span: Span) -> bool {
        let Some(mistakes) = self.by_file.get(&file) else { return false };
        let before = mistakes.partition_point(|mistake| mistake.start <= span.end);
        before.checked_sub(1).is_some_and(|last| mistakes[last].reaches >= span.start)
    }
}

fn primary(problem: &Diagnostic) -> Option<(FileId, Span)> {
    problem.labels.first().map(|label| (label.file, label.span))
}

#[cfg(test)]
mod tests {
    use crate::Input;

    /// Codes of a file's problems, in its order.
    fn codes(text: &str) -> Vec<&'static str> {
        let schema = ksig_schema::Schema::default();
        let world = crate::World::of(&schema);
        crate::analyze(&Input::single("a.ksig", text), world).diagnostics.iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn what_a_broken_line_would_have_bound_is_not_missed() {
        let text =
            "ksig 1\nmodule a\nsignature s {\n  match { top.title ~ /(?<serial>\\d+)/x }\n  redact serial\n  details { a = serial }\n}\n";
        assert_eq!(codes(text), ["unknown-name"]);
    }

    #[test]
    fn a_mistake_of_the_syntax_is_said_once() {
        let text = "ksig 1\nmodule a\nsignature s {\n  added 2026-02-30\n  mtch { }\n  idntify { model = m }\n}\n";
        assert_eq!(codes(text), ["bad-date", "unknown-statement", "unknown-statement"]);
        let text = "ksig 1\nmodule a\nsignature s {\n}\nsignature t {\n  idntify { model = m }\n}\n";
        assert_eq!(codes(text), ["identifies-nothing", "no-match-block", "unknown-statement"]);
    }
}
