//! Questions: comparisons, membership, patterns, and the captures that a pattern binds.

use ksig_lang::ast::{self, BinaryOp, ExprKind as Ast, Name};
use ksig_lang::source::Span;
use ksig_lang::{Text, say};
use ksig_runtime::plan::{CompareOp, Datum, KeyFold, Pattern, TextOp, Var};
use ksig_schema::{Scheme, Type};

use super::{Captures, Checker, pattern};
use crate::hir::{Expr, ExprKind, Match};
use crate::marks::Target;
use crate::names::Definition;
use crate::{problems, reasons, tables};

impl Checker<'_> {
    pub(super) fn binary(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr, e: &ast::Expr) -> Option<Expr> {
        let made = |kind: ExprKind| Some(Expr { kind, ty: Type::Bool, span: e.span });
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let bound_before = self.bound_now.clone();
                let left = self.bool_expr(left)?;
                let guards = self.guards.len();
                settled(&left, op, &mut self.guards);
                let right = self.bool_expr(right);
                self.guards.truncate(guards);
                let (left, right) = (Box::new(left), Box::new(right?));
                if op == BinaryOp::Or {
                    // Which side holds is not known, so what either binds may be missing.
                    for name in self.bound_now.difference(&bound_before) {
                        let var = &mut self.vars[self.vars_by_name[name] as usize];
                        var.ty = var.ty.clone().optional();
                    }
                }
                made(if op == BinaryOp::And { ExprKind::And(left, right) } else { ExprKind::Or(left, right) })
            }
            BinaryOp::Matches => self.matches(left, right, e.span),
            BinaryOp::Contains | BinaryOp::Starts | BinaryOp::Ends => {
                let left = self.expr(left, None)?;
                let right = self.expr(right, Some(left.ty.required()))?;
                self.textual(&left)?;
                if right.ty.required() != left.ty.required() {
                    return self.refuse(problems::type_mismatch(
                        say!("the right side", "右辺"),
                        left.ty.required(),
                        &right.ty,
                        self.file,
                        right.span,
                    ));
                }
                let op = match op {
                    BinaryOp::Contains => TextOp::Contains,
                    BinaryOp::Starts => TextOp::Starts,
                    _ => TextOp::Ends,
                };
                made(ExprKind::TextTest(op, Box::new(left), Box::new(right)))
            }
            BinaryOp::Has => self.compare(CompareOp::Eq, left, right, e.span),
            BinaryOp::In => self.membership(left, right, e.span),
            BinaryOp::Under => {
                let left = self.expr(left, None)?;
                let Ast::Dotted(oid) = &right.kind else {
                    return self.refuse(problems::expected(
                        say!("an object id such as 1.3.6.1.4.1.1182", "1.3.6.1.4.1.1182のようなオブジェクトID"),
                        self.file,
                        right.span,
                    ));
                };
                if *left.ty.required() != Type::Oid {
                    return self.refuse(problems::type_mismatch(
                        say!("the left side of `under`", "`under`の左辺"),
                        &Type::Oid,
                        &left.ty,
                        self.file,
                        left.span,
                    ));
                }
                made(ExprKind::Under(Box::new(left), oid.clone()))
            }
            BinaryOp::Eq => self.compare(CompareOp::Eq, left, right, e.span),
            BinaryOp::Lt => self.compare(CompareOp::Lt, left, right, e.span),
            BinaryOp::Le => self.compare(CompareOp::Le, left, right, e.span),
            BinaryOp::Gt => self.compare(CompareOp::Gt, left, right, e.span),
            BinaryOp::Ge => self.compare(CompareOp::Ge, left, right, e.span),
        }
    }

    fn compare(&mut self, op: CompareOp, left: &ast::Expr, right: &ast::Expr, span: Span) -> Option<Expr> {
        let left = self.expr(left, None)?;
        let right = self.expr(right, Some(left.ty.known_of()))?;
        let (a, b) = (left.ty.known_of().clone(), right.ty.known_of().clone());
        if let (Type::Version(a), Type::Version(b)) = (&a, &b) {
            if a != b {
                return self.refuse(problems::scheme_mismatch(a, b, self.file, span));
            }
        } else if a != b {
            return self.refuse(problems::cannot_compare(&left.ty, &right.ty, self.file, left.span, right.span));
        }
        if op != CompareOp::Eq && !a.is_ordered() {
            return self.refuse(problems::not_ordered(&a, self.file, span));
        }
        let scheme = self.scheme_of(&a);
        Some(Expr { kind: ExprKind::Compare(op, scheme, Box::new(left), Box::new(right)), ty: Type::Bool, span })
    }

    fn membership(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> Option<Expr> {
        let value = self.expr(left, None)?;
        self.member_of(value, right, span)
    }

    fn member_of(&mut self, value: Expr, right: &ast::Expr, span: Span) -> Option<Expr> {
        let of = value.ty.known_of().clone();
        if let Ast::Name(name) = &right.kind
            && let Some(place) = self.file_let(name)
        {
            self.mark(right.span, || Target::Let(place.0, place.1));
            return self.inside_let(place, right.span, |this, list| this.member_of(value, list, span));
        }
        let kind = match &right.kind {
            Ast::List(items) => {
                let data = items.iter().map(|item| self.constant_datum(item, &of)).collect::<Option<Vec<_>>>()?;
                match self.scheme_of(&of) {
                    // Versions that are written otherwise can be equal.
                    Some(scheme) if !data.is_empty() => return Some(self.one_of(&value, data, &scheme, span)),
                    _ => ExprKind::InList(Box::new(value), data),
                }
            }
            Ast::Range { low, high, inclusive } => {
                let (low, high) = (self.expr(low, Some(&of))?, self.expr(high, Some(&of))?);
                for end in [&low, &high] {
                    if *end.ty.required() != of {
                        return self.refuse(problems::type_mismatch(
                            say!("an end of this range", "この範囲の端"),
                            &of,
                            &end.ty,
                            self.file,
                            end.span,
                        ));
                    }
                }
                if !of.is_ordered() {
                    return self.refuse(problems::not_ordered(&of, self.file, span));
                }
                let scheme = self.scheme_of(&of);
                let (value, low, high) = (Box::new(value), Box::new(low), Box::new(high));
                ExprKind::InRange { value, low, high, inclusive: *inclusive, scheme }
            }
            Ast::Name(name) if !self.vars_by_name.contains_key(name) => match self.scope.get(name) {
                Some(Definition::Table(full)) => {
                    self.mark(right.span, || Target::Table(full.clone()));
                    let wanted = self.key_type(full);
                    if wanted == Type::Text {
                        self.textual(&value)?;
                    } else if *value.ty.known_of() != wanted {
                        return self.refuse(problems::type_mismatch(
                            say!("a table's key", "テーブルのキー"),
                            &wanted,
                            &value.ty,
                            self.file,
                            value.span,
                        ));
                    }
                    ExprKind::InTable(Box::new(value), full.clone())
                }
                _ => return self.unknown_name(name, right.span),
            },
            Ast::Name(_) | Ast::Field(..) | Ast::Index(..) | Ast::Worded(..) => return self.within(value, right, span),
            _ => {
                return self.refuse(problems::expected(
                    say!("a list, a range or a table", "リスト、範囲、テーブルのいずれか"),
                    self.file,
                    right.span,
                ));
            }
        };
        Some(Expr { kind, ty: Type::Bool, span })
    }

    /// `in` a column or a name: a range, a list of ranges, a set, a bound, or a list of values.
    fn within(&mut self, value: Expr, right: &ast::Expr, span: Span) -> Option<Expr> {
        let of = value.ty.known_of().clone();
        let wanted = Type::Range(Box::new(of.clone()));
        let range = self.expr(right, Some(&wanted))?;
        let element = match range.ty.required() {
            Type::List(of) => (**of).clone(),
            other => other.clone(),
        };
        let ordered = of.is_ordered();
        let is_list = matches!(range.ty.required(), Type::List(_));
        let spans = matches!(element, Type::Range(_) | Type::Set(_) | Type::Bound(_));
        if *element.known_of() != of || !(is_list || spans) || spans && !ordered {
            return self.refuse(problems::type_mismatch(
                say!("the right side of `in`", "`in`の右辺"),
                &wanted,
                &range.ty,
                self.file,
                range.span,
            ));
        }
        let (value, range) = (Box::new(value), Box::new(range));
        let scheme = self.scheme_of(&of);
        let kind = match ordered {
            true => ExprKind::Within(scheme, value, range),
            false => ExprKind::Compare(CompareOp::Eq, None, value, range),
        };
        Some(Expr { kind, ty: Type::Bool, span })
    }

    /// A version equal to one of these.
    fn one_of(&self, value: &Expr, versions: Vec<Datum>, scheme: &Scheme, span: Span) -> Expr {
        let made = |kind: ExprKind| Expr { kind, ty: Type::Bool, span };
        let equal = |version: Datum| {
            let version = Expr { kind: ExprKind::Const(version), ty: value.ty.required().clone(), span };
            made(ExprKind::Compare(CompareOp::Eq, Some(scheme.clone()), Box::new(value.clone()), Box::new(version)))
        };
        let either = |a: Expr, b: Expr| made(ExprKind::Or(Box::new(a), Box::new(b)));
        versions.into_iter().map(equal).reduce(either).unwrap_or_else(|| made(ExprKind::Const(Datum::Bool(false))))
    }

    /// `x ~ /pattern/`: a condition, or a value where the pattern has `(?<_>...)`.
    fn matches(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> Option<Expr> {
        let mut value = self.expr(left, None)?;
        self.textual(&value)?;
        let Ast::Regex { pattern: text, pattern_span, flags, bytes } = &right.kind else {
            return self.refuse(problems::expected(
                say!("a pattern such as /^AirStation/", "/^AirStation/のようなパターン"),
                self.file,
                right.span,
            ));
        };
        let on_bytes = *value.ty.required() == Type::Bytes;
        if on_bytes != *bytes {
            return self.refuse(problems::bytes_and_text(on_bytes, self.file, value.span, right.span));
        }
        let mut compiled = Pattern { source: String::new(), ignore_case: false, ignore_case_unicode: false, bytes: *bytes };
        let mut inside_flags = String::new();
        self.each_once(flags)?;
        for flag in flags {
            match flag.value.as_str() {
                "i" => compiled.ignore_case = true,
                "iu" => compiled.ignore_case_unicode = true,
                "m" => inside_flags.push('m'),
                "s" => inside_flags.push('s'),
                "fold_width" => match &mut value.kind {
                    ExprKind::Field(field) => field.fold_width = true,
                    _ => {
                        return self.refuse(problems::unexpected(
                            Text::quoted("/fold_width"),
                            say!("it on a field only", "対象となるフィールド"),
                            self.file,
                            flag.span,
                        ));
                    }
                },
                _ => return self.refuse(problems::unknown_flag(flag, self.file)),
            }
        }
        let (scope, all) = (self.scope, self.tables);
        let keys = |name: &str| match scope.get(name) {
            Some(Definition::Table(full)) if all[full].key.is_none() => {
                Err(say!("table `{name}` has no key column", "テーブル`{name}`にはキー列がありません"))
            }
            Some(Definition::Table(full)) if tables::has_intervals(&all[full]) => {
                Err(say!("the keys of table `{name}` are ranges", "テーブル`{name}`のキーは範囲です"))
            }
            Some(Definition::Table(full)) if !tables::has_text_keys(&all[full]) => {
                Err(say!("the keys of table `{name}` are no texts", "テーブル`{name}`のキーは文字列ではありません"))
            }
            Some(Definition::Table(full)) => {
                match tables::keys(&all[full]).map(|key| all[full].folded(key).into_owned()).collect::<Vec<_>>() {
                    keys if keys.is_empty() => Err(say!("table `{name}` has no rows", "テーブル`{name}`に行がありません")),
                    keys => Ok(pattern::Keys { all: keys, ignore_case: all[full].folds.contains(&KeyFold::Case) }),
                }
            }
            _ => Err(say!("there is no table `{name}` here", "ここに`{name}`というテーブルはありません")),
        };
        let inside = |range: (usize, usize)| Span {
            start: pattern_span.start + range.0.min(text.len()) as u32,
            end: pattern_span.start + range.1.min(text.len()) as u32,
        };
        if !compiled.bytes && !unicode_normalization::is_nfc(text) {
            return self.refuse(problems::bad_pattern(tables::not_nfc(), self.file, *pattern_span));
        }
        let expanded = match pattern::expand(text, pattern_span.start, &keys) {
            Ok(expanded) => expanded,
            Err(mistake) => return self.refuse(problems::bad_pattern(mistake.message, self.file, inside(mistake.range))),
        };
        compiled.source = match inside_flags.as_str() {
            "" => expanded.source,
            flags => format!("(?{flags}){}", expanded.source),
        };
        for (table, span) in expanded.groups.iter().filter_map(|group| Some((scope.get(group.table.as_ref()?)?, group.table_span?))) {
            if let Definition::Table(full) = table {
                self.mark(span, || Target::Table(full.clone()));
            }
        }
        let folds_width =
            |name: &String| matches!(scope.get(name), Some(Definition::Table(full)) if all[full].folds.contains(&KeyFold::Width));
        if expanded.groups.iter().filter_map(|group| group.table.as_ref()).any(folds_width) {
            match &mut value.kind {
                ExprKind::Field(field) => field.fold_width = true,
                _ => {
                    let wanted = say!("a field: the table's keys fold width", "フィールド（このテーブルのキーは全角と半角を区別しません）");
                    return self.refuse(problems::expected(wanted, self.file, value.span));
                }
            }
        }
        // Made as a release makes it, so that what is too large is said here and not when the release is loaded.
        if !self.patterns.contains(&compiled) {
            match self.costs.states(&compiled) {
                Ok(states) => {
                    self.regex_states = self.regex_states.saturating_add(states);
                    self.patterns.insert(compiled.clone());
                }
                Err(error) => {
                    let place = if expanded.verbatim && inside_flags.is_empty() { inside(error.span) } else { *pattern_span };
                    return self.refuse(problems::bad_pattern(reasons::of_pattern(&error.problem), self.file, place));
                }
            }
        }
        if let Some(of_value) = expanded.groups.iter().find(|group| group.name == "_") {
            if let Some(other) = expanded.groups.iter().find(|group| group.name != "_") {
                return self.refuse(problems::capture_binds_nothing(&Name { value: other.name.clone(), span: other.span }, self.file));
            }
            let ty = value.ty.required().clone().optional();
            let found = Expr { kind: ExprKind::Extract(Box::new(value), compiled, "_".into()), ty, span };
            let Some(written) = &of_value.ty else { return Some(found) };
            let ty = self.captured_type(written)?;
            let scheme = self.scheme_of(&ty);
            return Some(Expr { kind: ExprKind::Convert(Box::new(found), scheme), ty: ty.optional(), span });
        }
        let (mut captures, mut keys) = (Vec::new(), Vec::new());
        let binds = match value.kind {
            ExprKind::Field(_) => true,
            ExprKind::Var(var) => self.element == Some(var),
            _ => false,
        };
        if !binds {
            self.captures = Captures::Refused;
        }
        for group in &expanded.groups {
            let ty = match &group.ty {
                Some(written) => self.captured_type(written)?.optional(),
                None => value.ty.required().clone(),
            };
            let name = Name { value: group.name.clone(), span: group.span };
            let var = self.bind_capture(&name, ty)?;
            if let Some(Definition::Table(full)) = group.table.as_ref().and_then(|table| scope.get(table)) {
                keys.push((var, full.clone()));
            }
            captures.push((group.name.clone(), var));
        }
        Some(Expr { kind: ExprKind::Matches(Box::new(value), Match { pattern: compiled, captures, keys }), ty: Type::Bool, span })
    }

    /// The type that a group's text is read as.
    fn captured_type(&mut self, written: &ast::TypeExpr) -> Option<Type> {
        let ty = self.type_of(written)?;
        if crate::types::is_read_from_text(&ty) {
            return Some(ty);
        }
        let reason = say!("text is not read as {ty}", "テキストを{ty}型として読み取ることはできません");
        self.refuse(problems::bad_type(reason, self.file, written.span))
    }

    /// Enters a capture; in sibling branches of `any` the same name is the same variable.
    fn bind_capture(&mut self, name: &Name, ty: Type) -> Option<u32> {
        if self.captures == Captures::Refused {
            return self.refuse(problems::capture_binds_nothing(name, self.file));
        }
        self.readable(name)?;
        if self.bound_now.contains(&name.value) {
            let first = self.vars_by_name.get(&name.value).map_or(name.span, |id| self.var_spans[*id as usize]);
            return self.refuse(problems::bound_twice(name, self.file, first));
        }
        self.bound_now.insert(name.value.clone());
        if let Some(&id) = self.vars_by_name.get(&name.value) {
            let before = &self.vars[id as usize].ty;
            if before.required() != ty.required() {
                let problem = problems::capture_types_differ(name, before, &ty, self.file, self.var_spans[id as usize]);
                return self.refuse(problem);
            }
            self.mark_declaration(name.span, Target::Variable(self.var_files[id as usize], self.var_spans[id as usize]), Some(&ty));
            return Some(id);
        }
        Some(self.declare(name, ty))
    }

    /// Enters a variable.
    pub(super) fn declare(&mut self, name: &Name, ty: Type) -> u32 {
        let id = self.vars.len() as u32;
        let scheme = self.scheme_of(&ty);
        self.mark_declaration(name.span, Target::Variable(self.file, name.span), Some(&ty));
        self.var_files.push(self.file);
        self.vars.push(Var { name: name.value.clone(), ty, scheme, redact: false });
        self.var_spans.push(name.span);
        self.vars_by_name.insert(name.value.clone(), id);
        id
    }
}

/// What the parts of a chain settle for those behind them: in `x absent or y or ...` and `x present and y and ...`, that x is there.
fn settled(left: &Expr, op: BinaryOp, guards: &mut Vec<ExprKind>) {
    match (&left.kind, op) {
        (ExprKind::Absent(inner), BinaryOp::Or) | (ExprKind::Present(inner), BinaryOp::And) => guards.push(inner.kind.clone()),
        (ExprKind::Or(a, b), BinaryOp::Or) | (ExprKind::And(a, b), BinaryOp::And) => {
            settled(a, op, guards);
            settled(b, op, guards);
        }
        _ => {}
    }
}
