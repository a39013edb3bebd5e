//! Lints of those who keep the signatures: questions to the typed program, in the expressions of the language.
//!
//! In: the text of an expression and what it visits. Out: a [`Query`] that was checked, then its findings. `fields has "http.html.title" and
//! not source starts "^"` is true or false of a pattern; where it is true, there is something to say.
//!
//! Parsed by the language's own parser. There are no loops: `any(list, question)`, `all(list, question)` and `count(list, question)` ask
//! each part of one node once, and none of them stands in another, so that a query costs as much as the program is large.

mod ask;
mod node;

pub use node::{Attribute, Kind, VISITS, Visit};

use ksig_lang::ast::{ExprKind, Name, Statement};
use ksig_lang::{Diagnostic, Severity, Text, say};

use super::{Findings, own, told};
use crate::{Analysis, problems};
use ask::Ask;

/// What begins the names of these lints, so that none of them is ever one of ours. `allow` says it with `_`.
pub const PREFIX: &str = "own-";

/// Longest text of an expression, in bytes.
pub const EXPRESSION_MAX: usize = 4096;

/// A lint of those who keep the signatures.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Begins with [`PREFIX`].
    pub name: &'static str,
    /// How bad findings are; absent when it is off.
    pub level: Option<Severity>,
    /// What is said of a finding.
    pub message: Text,
    /// What it finds and why that matters; may be empty.
    pub doc: Text,
    /// What it looks at.
    pub visits: Visit,
    ask: Ask,
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryProblem {
    /// Where in its text, in bytes.
    pub at: usize,
    /// What, and what would be right.
    pub text: Text,
}

impl Query {
    /// Checks an expression against the attributes of what it visits. Level and texts are the caller's to set.
    ///
    /// # Errors
    /// What the parser refuses, names of no attribute, and types that do not agree: the first of them.
    pub fn new(name: &'static str, visits: Visit, expression: &str) -> Result<Query, QueryProblem> {
        let ask = ask::read(visits, expression)?;
        Ok(Query { name, level: Some(Severity::Warning), message: Text::NONE, doc: Text::NONE, visits, ask })
    }
}

/// What all of them find.
pub(super) fn run(queries: &[Query], analysis: &Analysis) -> Findings {
    let mut found = Findings::new();
    if queries.is_empty() {
        return found;
    }
    let tables = told::tables(analysis);
    for query in queries {
        let Some(severity) = query.level else { continue };
        node::each(query.visits, analysis, &tables, &mut |node| {
            let signature = node.signature;
            if signature.meta.allowed.iter().any(|(name, _)| name.replace('_', "-") == query.name) || !query.ask.is_true(&node) {
                return;
            }
            let (file, span) = node.place(analysis);
            let (visit, name) = (query.visits.word(), node.name());
            let label = say!("{visit} `{name}`", "{visit} `{name}`");
            let problem = Diagnostic::error(query.name, query.message.clone(), file, span, label);
            found.push((node.number, Diagnostic { severity, ..problem }));
        });
    }
    found
}

/// Where a signature allows a lint of one's own that there is not. The checker does not know them; here they are known.
pub(super) fn unknown(queries: &[Query], analysis: &Analysis) -> Vec<Diagnostic> {
    let known: Vec<String> = queries.iter().map(|query| query.name.replace('-', "_")).collect();
    let mut found = Vec::new();
    let is_unknown = |name: &str| is_own(name) && !known.contains(&name.replace('-', "_"));
    for signature in &analysis.program.signatures {
        if !signature.meta.allowed.iter().any(|(name, _)| is_unknown(name)) {
            continue;
        }
        for statement in own::item(signature, analysis).iter().flat_map(|item| &item.body) {
            if let Statement::Meta(attribute) = statement
                && attribute.name.value == "allow"
                && let Some(value) = attribute.values.first()
                && let ExprKind::Name(lint) | ExprKind::Text(lint) = &value.kind
                && is_unknown(lint)
            {
                let name = Name { value: lint.clone(), span: value.span };
                let known = known.iter().map(String::as_str);
                found.push(problems::unknown_lint(&name, &lint.replace('-', "_"), signature.file, known));
            }
        }
    }
    found
}

/// Whether a lint that a signature allows is one of those who keep the signatures.
pub(crate) fn is_own(name: &str) -> bool {
    name.replace('_', "-").starts_with(PREFIX)
}
