//! What a signature says of itself: `summary`, `evidence`, `confidence` and their like.

use std::collections::BTreeMap;

use ksig_lang::ast::{self, ExprKind as Ast, Statement};
use ksig_lang::say;
use ksig_lang::source::Span;
use ksig_schema::identification::{Confidence, Grade};

use super::Checker;
use crate::hir::Meta;
use crate::problems;

impl Checker<'_> {
    /// `summary`, `evidence`, `confidence` and their like.
    pub(super) fn meta(&mut self, ast: &ast::Signature) -> Meta {
        let mut meta = Meta::default();
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
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
                ("reference", [Ast::Text(_), ..]) | ("redact", [_, ..]) => {}
                ("allow", [Ast::Name(lint), Ast::Text(reason)]) => meta.allowed.push((lint.clone(), reason.clone())),
                ("allow", [Ast::Text(lint), Ast::Text(reason)]) => meta.allowed.push((lint.clone(), reason.clone())),
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
                        [Ast::Text(source)] => meta.evidence = source.clone(),
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
}
