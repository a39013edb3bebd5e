//! What a signature says of itself: `summary`, `evidence`, `confidence` and their like.

use std::collections::BTreeMap;

use ksig_lang::ast::{self, ExprKind as Ast, Statement};
use ksig_lang::say;
use ksig_lang::source::Span;
use ksig_schema::identification::{Confidence, Grade};

use super::Checker;
use crate::hir::Meta;
use crate::marks::Target;
use crate::{lints, problems};

impl Checker<'_> {
    /// `summary`, `evidence`, `confidence` and their like.
    pub(super) fn meta(&mut self, ast: &ast::Signature) -> Meta {
        let mut meta = Meta::default();
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        let mut allowed: BTreeMap<String, Span> = BTreeMap::new();
        for statement in &ast.body {
            let Statement::Meta(attribute) = statement else { continue };
            let word = attribute.name.value.as_str();
            if !matches!(word, "allow" | "reference" | "redact")
                && let Some(first) = seen.insert(word, attribute.name.span)
            {
                self.diagnostics.push(problems::said_twice(&attribute.name, self.file, first));
            }
            let kinds: Vec<&Ast> = attribute.values.iter().map(|value| &value.kind).collect();
            match (word, kinds.as_slice()) {
                ("summary", [Ast::Text(text)]) => meta.summary = text.clone(),
                ("added", [Ast::Date(date)]) => meta.added = Some(*date),
                ("reference", [Ast::Text(place), ..]) if !place.trim().is_empty() => {}
                ("redact", [_, ..]) => {}
                ("allow", [Ast::Name(lint) | Ast::Text(lint), Ast::Text(reason)]) if !reason.trim().is_empty() => {
                    let lint = ast::Name { value: lint.clone(), span: attribute.values[0].span };
                    if self.allowed_once(&lint, &mut allowed) {
                        meta.allowed.push((lint.value, reason.clone()));
                    }
                }
                ("confidence", [Ast::Name(level)]) => match level.as_str() {
                    "hint" => meta.confidence = Confidence::Hint,
                    "weak" => meta.confidence = Confidence::Weak,
                    "strong" => meta.confidence = Confidence::Strong,
                    "certain" => meta.confidence = Confidence::Certain,
                    _ => self.diagnostics.push(problems::unknown_word(
                        level,
                        say!("confidence", "確信度"),
                        "hint, weak, strong or certain",
                        self.file,
                        attribute.span,
                    )),
                },
                ("evidence", [Ast::Name(grade), rest @ ..]) => {
                    meta.grade = match grade.as_str() {
                        "observed" => Grade::Observed,
                        "documented" => Grade::Documented,
                        "derived" => Grade::Derived,
                        "unverified" => Grade::Unverified,
                        _ => {
                            let known = "observed, documented, derived or unverified";
                            self.diagnostics.push(problems::unknown_word(
                                grade,
                                say!("evidence grade", "根拠の区分"),
                                known,
                                self.file,
                                attribute.span,
                            ));
                            Grade::Unverified
                        }
                    };
                    match rest {
                        [Ast::Text(source)] if !source.trim().is_empty() => meta.evidence = source.clone(),
                        [] if meta.grade == Grade::Unverified => {}
                        _ => self.diagnostics.push(problems::evidence_without_source(self.file, attribute.span)),
                    }
                }
                // Read by [`Checker::scope`].
                ("scope", [Ast::Name(scope)]) if matches!(scope.as_str(), "service" | "host") => {}
                ("summary" | "added" | "allow" | "confidence" | "evidence" | "scope" | "reference" | "redact", _) => {
                    self.diagnostics.push(problems::bad_metadata(word, self.file, attribute.span));
                }
                _ => self.diagnostics.push(problems::unknown_statement(&attribute.name, self.file)),
            }
        }
        meta
    }

    /// A lint that is allowed exists, or is one of those who keep the signatures, of which [`lints::query`]
    /// knows; and it is allowed once: a second reason would say why the first is not enough.
    fn allowed_once(&mut self, lint: &ast::Name, before: &mut BTreeMap<String, Span>) -> bool {
        let as_name = |code: &str| code.replace('-', "_");
        let written = as_name(&lint.value);
        let known: Vec<String> = lints::ALL.iter().map(|lint| as_name(lint.doc.code)).collect();
        if !known.contains(&written) && !lints::query::is_own(&written) {
            self.diagnostics.push(problems::unknown_lint(lint, &written, self.file, known.iter().map(String::as_str)));
            return false;
        }
        self.mark(lint.span, || Target::Lint(written.replace('_', "-")));
        match before.insert(written, lint.span) {
            Some(first) => {
                self.diagnostics.push(problems::said_twice(lint, self.file, first));
                false
            }
            None => true,
        }
    }
}
