//! The lines of `match`, and what binds before `identify`: extracts and lets.

use ksig_lang::ast::{self, LineKind, Name};
use ksig_lang::say;
use ksig_lang::source::Span;
use ksig_runtime::plan::LineNote;
use ksig_schema::Type;

use super::{Captures, Checker};
use crate::hir::{Condition, Expr, ExprKind};
use crate::problems;

/// How much of a line is kept for explanations, in characters.
const NOTE_CHARS_MAX: usize = 160;

impl Checker<'_> {
    /// Lines joined by *and*.
    pub(super) fn lines(&mut self, lines: &[ast::Line]) -> Condition {
        Condition::All(lines.iter().filter_map(|line| self.line(line)).collect())
    }

    fn line(&mut self, line: &ast::Line) -> Option<Condition> {
        match &line.kind {
            LineKind::Condition(expr) => {
                let before = self.captures;
                if before == Captures::Refused && !self.in_none {
                    self.captures = Captures::Bind;
                }
                let checked = self.bool_expr(expr);
                self.captures = before;
                if checked.is_none() {
                    self.poison_captures(expr);
                }
                let label = line.label.as_ref().map(|label| label.value.clone()).unwrap_or_default();
                Some(Condition::Line { expr: checked?, note: LineNote { label, text: self.excerpt(line.span) } })
            }
            LineKind::All(lines) => Some(self.lines(lines)),
            LineKind::Any(lines) => Some(Condition::Any(self.branches(lines))),
            LineKind::AtLeast(count, lines) => {
                if count.value as usize > lines.len() || count.value == 0 {
                    return self.refuse(problems::at_least_out_of_range(count.value, lines.len(), self.file, count.span));
                }
                Some(Condition::AtLeast(count.value, self.branches(lines)))
            }
            LineKind::None(lines) => {
                let before = std::mem::replace(&mut self.in_none, true);
                let lines = lines.iter().filter_map(|line| self.line(line)).collect();
                self.in_none = before;
                Some(Condition::None(lines))
            }
            LineKind::Each { every, element, list, lines } => self.each(*every, element, list, lines, line),
        }
    }

    /// `all h in xs { }` or `any h in xs { }`; its element is known to its lines only.
    fn each(&mut self, every: bool, element: &Name, list: &ast::Expr, lines: &[ast::Line], line: &ast::Line) -> Option<Condition> {
        if self.element.is_some() {
            let found = say!("a line over each element", "各要素についての行");
            let wanted = say!("lines about the element at hand", "その要素についての行");
            return self.refuse(problems::unexpected(found, wanted, self.file, line.span));
        }
        let before = std::mem::replace(&mut self.captures, Captures::Refused);
        let list = self.expr(list, None);
        self.captures = before;
        let (Some(list), Some(())) = (list, self.new_name(element)) else {
            self.poison_lines(lines);
            return None;
        };
        let ty = match (&list.kind, list.ty.required()) {
            (_, Type::List(of)) => (**of).clone(),
            (ExprKind::Field(_), of) => of.clone(),
            _ => {
                self.poison_lines(lines);
                let wanted = say!("a field or a column with several values", "複数の値を持つフィールドか列");
                return self.refuse(problems::expected(wanted, self.file, list.span));
            }
        };
        let var = self.declare(element, ty);
        self.element = Some(var);
        // What every element shows is not what one of them shows: only `any` binds.
        let in_none = self.in_none;
        self.in_none |= every;
        let lines = lines.iter().filter_map(|line| self.line(line)).collect();
        self.in_none = in_none;
        self.element = None;
        self.vars_by_name.remove(&element.value);
        let label = line.label.as_ref().map(|label| label.value.clone()).unwrap_or_default();
        let word = if every { "all" } else { "any" };
        let text = format!("{word} {} in {}", element.value, self.excerpt(list.span));
        Some(Condition::Each { every, element: var, list, lines, note: LineNote { label, text } })
    }

    /// The names that broken lines would have bound.
    fn poison_lines(&mut self, lines: &[ast::Line]) {
        for line in lines {
            match &line.kind {
                LineKind::Condition(expr) => self.poison_captures(expr),
                LineKind::All(lines) | LineKind::Any(lines) | LineKind::None(lines) | LineKind::AtLeast(_, lines) => {
                    self.poison_lines(lines);
                }
                LineKind::Each { lines, .. } => self.poison_lines(lines),
            }
        }
    }

    /// Branches of which some hold: a name may be bound in several; one that is not bound in all of them may be missing.
    fn branches(&mut self, lines: &[ast::Line]) -> Vec<Condition> {
        let before = self.bound_now.clone();
        let mut after = before.clone();
        let mut in_all: Option<std::collections::BTreeSet<String>> = None;
        let mut conditions = Vec::with_capacity(lines.len());
        for line in lines {
            self.bound_now = before.clone();
            conditions.extend(self.line(line));
            after.extend(self.bound_now.iter().cloned());
            in_all = Some(match in_all {
                None => self.bound_now.clone(),
                Some(all) => all.intersection(&self.bound_now).cloned().collect(),
            });
        }
        let in_all = in_all.unwrap_or_default();
        for name in after.difference(&before).filter(|name| !in_all.contains(*name)) {
            let var = &mut self.vars[self.vars_by_name[name] as usize];
            var.ty = var.ty.clone().optional();
        }
        self.bound_now = after;
        conditions
    }

    /// The names that a broken line would have bound.
    fn poison_captures(&mut self, expr: &ast::Expr) {
        if let ast::ExprKind::Binary(_, left, right) = &expr.kind {
            self.poison_captures(left);
            self.poison_captures(right);
        }
        if let ast::ExprKind::Regex { pattern, .. } = &expr.kind {
            let names = pattern.split("(?<").skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next());
            self.poisoned.extend(names.flatten().map(str::to_string));
        }
    }

    /// `fw : version(dotted) = first of { ... }`.
    pub(super) fn extract(&mut self, extract: &ast::Extract) -> Option<(u32, Expr)> {
        let checked = self.extract_value(extract);
        if checked.is_none() {
            self.poisoned.insert(extract.name.value.clone());
        }
        checked
    }

    fn extract_value(&mut self, extract: &ast::Extract) -> Option<(u32, Expr)> {
        let ty = self.type_of(&extract.ty)?;
        let value = self.converted(&extract.value, Some(&ty))?;
        self.new_name(&extract.name)?;
        Some((self.declare(&extract.name, ty.optional()), value))
    }

    /// `let row = airstation[model]`.
    pub(super) fn binding(&mut self, binding: &ast::Let) -> Option<(u32, Expr)> {
        let Some(value) = self.expr(&binding.value, None) else {
            self.poisoned.insert(binding.name.value.clone());
            return None;
        };
        self.new_name(&binding.name)?;
        let ty = value.ty.clone();
        Some((self.declare(&binding.name, ty), value))
    }

    pub(super) fn new_name(&mut self, name: &ast::Name) -> Option<()> {
        self.readable(name)?;
        match self.vars_by_name.get(&name.value) {
            Some(&id) => {
                let first = self.var_spans[id as usize];
                self.refuse(problems::bound_twice(name, self.file, first))
            }
            None => Some(()),
        }
    }

    /// A name that an expression can say: `true`, `absent` and the words that join expressions are read as themselves.
    pub(super) fn readable(&mut self, name: &ast::Name) -> Option<()> {
        match matches!(name.value.as_str(), "true" | "false" | "absent") || ksig_lang::is_reserved(&name.value) {
            true => self.refuse(problems::reserved_word(name, self.file)),
            false => Some(()),
        }
    }

    /// A line as written, on one line, shortened.
    pub(super) fn excerpt(&self, span: Span) -> String {
        let text = self.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match joined.char_indices().nth(NOTE_CHARS_MAX) {
            Some((end, _)) => format!("{}…", &joined[..end]),
            None => joined,
        }
    }
}
