//! A mistake in a source: what, where, why, and what to do. Data only; [`crate::render()`] draws it.

use crate::{source::Span, text::Text};

/// Which file of the set a span belongs to: an index into [`crate::Sources`].
pub type FileId = u32;

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The build stops.
    Error,
    /// The build goes on.
    Warning,
    /// A remark.
    Note,
}

/// One mistake. Its texts are in both languages, written by [`say!`](crate::say) in the function that finds or names the mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable kebab-case name, `unknown-field`: `ksig explain` takes it.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, one sentence without a full stop.
    pub message: Text,
    /// Where; the first is the primary one.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<Text>,
    /// Why.
    pub note: Option<Text>,
    /// An edit that mends it.
    pub fix: Option<Fix>,
}

/// A place and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// In which file.
    pub file: FileId,
    /// Where.
    pub span: Span,
    /// What; may be empty.
    pub text: Text,
}

/// A machine-applicable edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does.
    pub message: Text,
    /// Replacements in one file, in source order, without overlap.
    pub edits: Vec<(FileId, Span, String)>,
}

impl Diagnostic {
    /// An error with one place.
    pub fn error(code: &'static str, message: Text, file: FileId, span: Span, label: Text) -> Self {
        let labels = vec![Label { file, span, text: label }];
        Diagnostic { code, severity: Severity::Error, message, labels, help: None, note: None, fix: None }
    }

    /// The same as a warning.
    pub fn warning(code: &'static str, message: Text, file: FileId, span: Span, label: Text) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(code, message, file, span, label) }
    }

    /// With a second place.
    pub fn label(mut self, file: FileId, span: Span, text: Text) -> Self {
        self.labels.push(Label { file, span, text });
        self
    }

    /// By what problems are sorted: file, place and code; those without a place first.
    pub fn place(&self) -> (Option<(FileId, Span)>, &'static str) {
        (self.labels.first().map(|label| (label.file, label.span)), self.code)
    }

    /// With what to do.
    pub fn help(mut self, text: Text) -> Self {
        self.help = Some(text);
        self
    }

    /// With why.
    pub fn note(mut self, text: Text) -> Self {
        self.note = Some(text);
        self
    }

    /// With an edit that mends it.
    pub fn fix(mut self, message: Text, file: FileId, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { message, edits: vec![(file, span, replacement.into())] });
        self
    }
}
