//! A mistake in a source: what, where, why, and what to do. Data only; [`crate::render()`] draws it.

use crate::source::Span;

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

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Diagnostic {
    /// A stable kebab-case name, `unknown-field`: `ksig explain` takes it.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// Where; the first is the primary one.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// Why.
    pub note: Option<String>,
    /// An edit that mends it.
    pub fix: Option<Fix>,
}

/// A place and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Label {
    /// In which file.
    pub file: FileId,
    /// Where.
    pub span: Span,
    /// What; may be empty.
    pub text: String,
}

/// A machine-applicable edit.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fix {
    /// What it does.
    pub message: String,
    /// Replacements in one file, in source order, without overlap.
    pub edits: Vec<(FileId, Span, String)>,
}

impl Diagnostic {
    /// An error with one place.
    pub fn error(code: &'static str, message: impl Into<String>, file: FileId, span: Span, label: impl Into<String>) -> Self {
        let labels = vec![Label { file, span, text: label.into() }];
        Diagnostic { code, severity: Severity::Error, message: message.into(), labels, help: None, note: None, fix: None }
    }

    /// The same as a warning.
    pub fn warning(code: &'static str, message: impl Into<String>, file: FileId, span: Span, label: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(code, message, file, span, label) }
    }

    /// With a second place.
    pub fn label(mut self, file: FileId, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { file, span, text: text.into() });
        self
    }

    /// With what to do.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// With why.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = Some(text.into());
        self
    }

    /// With an edit that mends it.
    pub fn fix(mut self, message: impl Into<String>, file: FileId, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { message: message.into(), edits: vec![(file, span, replacement.into())] });
        self
    }
}
