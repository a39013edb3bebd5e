//! Expressions: every one gets a type, every name a meaning, every field its place in the schema.

use ksig_lang::ast::{self, BinaryOp, ExprKind as Ast};
use ksig_lang::source::Span;
use ksig_lang::{Text, say};
use ksig_schema::{Scheme, Type};

use super::{Captures, Checker};
use crate::hir::{Expr, ExprKind};
use crate::marks::Target;
use crate::problems;

impl Checker<'_> {
    /// Checks an expression. `expected` gives literals their type. Absent when a problem was reported.
    pub(super) fn expr(&mut self, e: &ast::Expr, expected: Option<&Type>) -> Option<Expr> {
        let before = self.captures;
        if !matches!(e.kind, Ast::Binary(BinaryOp::And | BinaryOp::Or | BinaryOp::Matches, ..)) {
            self.captures = Captures::Refused;
        }
        let checked = self.any_expr(e, expected);
        self.captures = before;
        checked
    }

    fn any_expr(&mut self, e: &ast::Expr, expected: Option<&Type>) -> Option<Expr> {
        let made = |kind: ExprKind, ty: Type| Some(Expr { kind, ty, span: e.span });
        match &e.kind {
            Ast::Name(name) if name == "absent" => {
                self.refuse(problems::unexpected(Text::quoted("`absent`"), say!("a value", "値"), self.file, e.span))
            }
            Ast::Name(name) if self.vars_by_name.contains_key(name) => {
                let id = self.vars_by_name[name];
                self.mark_variable(id, e.span);
                made(ExprKind::Var(id), self.vars[id as usize].ty.clone())
            }
            Ast::Name(name) if self.file_let(name).is_some() => {
                let place = self.file_let(name)?;
                self.mark(e.span, || Target::Let(place.0, place.1));
                self.let_value(place, expected, e.span)
            }
            Ast::Name(_) | Ast::Field(..) | Ast::Index(..) => self.place(e, expected),
            Ast::Text(_)
            | Ast::Prefixed(..)
            | Ast::Int(_)
            | Ast::Bool(_)
            | Ast::Date(_)
            | Ast::Duration(_)
            | Ast::Dotted(_)
            | Ast::List(_)
            | Ast::Worded(..) => self.constant(e, expected),
            Ast::Not(inner) => {
                let inner = self.bool_expr(inner)?;
                self.check_negation(&inner, e.span)?;
                made(ExprKind::Not(Box::new(inner)), Type::Bool)
            }
            Ast::Absent(inner) => {
                let inner = self.expr(inner, None)?;
                made(ExprKind::Absent(Box::new(inner)), Type::Bool)
            }
            Ast::Present(inner) => {
                let inner = self.expr(inner, None)?;
                made(ExprKind::Present(Box::new(inner)), Type::Bool)
            }
            Ast::Binary(op, left, right) => self.binary(*op, left, right, e),
            Ast::If(condition, then, otherwise) => {
                let condition = self.bool_expr(condition)?;
                let then = self.expr(then, expected)?;
                let otherwise = self.expr(otherwise, Some(then.ty.required()))?;
                self.same_type(&then, &otherwise)?;
                let ty = if otherwise.ty.is_optional() { then.ty.clone().optional() } else { then.ty.clone() };
                made(ExprKind::If(Box::new(condition), Box::new(then), Box::new(otherwise)), ty)
            }
            Ast::Otherwise(value, fallback) => {
                let value = self.expr(value, expected)?;
                let fallback = self.expr(fallback, Some(value.ty.required()))?;
                self.same_type(&value, &fallback)?;
                let ty = if fallback.ty.is_optional() { value.ty.clone() } else { value.ty.required().clone() };
                made(ExprKind::FirstOf(vec![value, fallback]), ty)
            }
            Ast::FirstOf(all) => {
                let all: Vec<Expr> = all.iter().map(|one| self.converted(one, expected)).collect::<Option<_>>()?;
                let ty = all.first().map_or(Type::Text, |first| first.ty.required().clone());
                for (other, before) in all.iter().skip(1).zip(&all) {
                    self.same_type(before, other)?;
                }
                made(ExprKind::FirstOf(all), ty.optional())
            }
            Ast::Regex { .. } => self.refuse(problems::unexpected(
                say!("a pattern", "パターン"),
                say!("a value; a pattern stands after `~`", "値（パターンは`~`の後に書きます）"),
                self.file,
                e.span,
            )),
            Ast::Record(_) => self.refuse(problems::unexpected(say!("a record", "レコード"), say!("a value", "値"), self.file, e.span)),
            Ast::Range { low, high, inclusive } => {
                let of = expected.map(|wanted| wanted.known_of().clone());
                let low = self.expr(low, of.as_ref())?;
                let high = self.expr(high, Some(low.ty.required()))?;
                self.same_type(&low, &high)?;
                let of = low.ty.required().clone();
                if !of.is_ordered() {
                    return self.refuse(problems::not_ordered(&of, self.file, e.span));
                }
                let optional = low.ty.is_optional() || high.ty.is_optional();
                let ty = Type::Range(Box::new(of));
                made(ExprKind::Range(Box::new(low), Box::new(high), *inclusive), if optional { ty.optional() } else { ty })
            }
            Ast::Call(callee, args) if matches!(callee.kind, Ast::Name(_)) => self.call(callee, args, e.span),
            Ast::Call(callee, args) => self.call_of_probe(callee, args, e, expected),
        }
    }

    /// An expression that must be true or false.
    pub(super) fn bool_expr(&mut self, e: &ast::Expr) -> Option<Expr> {
        let checked = self.expr(e, Some(&Type::Bool))?;
        if *checked.ty.required() != Type::Bool {
            return self.refuse(problems::type_mismatch(say!("a condition", "条件"), &Type::Bool, &checked.ty, self.file, checked.span));
        }
        Some(checked)
    }

    /// An expression read as `wanted`: text is converted, and is missing where it cannot be.
    pub(super) fn converted(&mut self, e: &ast::Expr, wanted: Option<&Type>) -> Option<Expr> {
        let checked = self.expr(e, wanted)?;
        let Some(wanted) = wanted.map(Type::required) else { return Some(checked) };
        let from = checked.ty.required();
        if from == wanted {
            return Some(checked);
        }
        let readable = *from == Type::Text && crate::types::is_read_from_text(wanted);
        if !readable && !matches!((from, wanted), (Type::Version(_), Type::Version(_))) {
            return self.refuse(problems::type_mismatch(say!("this value", "この値"), wanted, &checked.ty, self.file, checked.span));
        }
        let (scheme, span) = (self.scheme_of(wanted), checked.span);
        Some(Expr { kind: ExprKind::Convert(Box::new(checked), scheme), ty: wanted.clone().optional(), span })
    }

    pub(super) fn scheme_of(&self, ty: &Type) -> Option<Scheme> {
        match ty.required() {
            Type::Version(name) => self.names.schemes.get(name).cloned(),
            Type::Bound(of) | Type::Range(of) | Type::Set(of) | Type::List(of) => self.scheme_of(of),
            _ => None,
        }
    }

    pub(super) fn textual(&mut self, e: &Expr) -> Option<()> {
        match e.ty.required() {
            Type::Text | Type::Bytes | Type::Url | Type::Path | Type::Oid | Type::Version(_) => Some(()),
            _ => self.refuse(problems::type_mismatch(say!("this", "これ"), &Type::Text, &e.ty, self.file, e.span)),
        }
    }

    fn same_type(&mut self, a: &Expr, b: &Expr) -> Option<()> {
        if a.ty.required() == b.ty.required() {
            return Some(());
        }
        self.refuse(problems::type_mismatch(say!("this branch", "この分岐"), a.ty.required(), &b.ty, self.file, b.span))
    }

    /// `not x` where x can be missing does not compile without a guard (V2).
    fn check_negation(&mut self, inner: &Expr, span: Span) -> Option<()> {
        let mut unguarded: Option<Span> = None;
        let mut safe: Vec<*const Expr> = Vec::new();
        inner.walk(&mut |e| match &e.kind {
            ExprKind::Absent(of) | ExprKind::Present(of) => of.walk(&mut |below| safe.push(below)),
            ExprKind::Field(_) | ExprKind::Var(_) | ExprKind::Column(..) | ExprKind::ScanDate
                if e.ty.is_optional() && !self.guards.contains(&e.kind) && !safe.contains(&std::ptr::from_ref(e)) =>
            {
                unguarded.get_or_insert(e.span);
            }
            _ => {}
        });
        match unguarded {
            Some(place) => self.refuse(problems::negation_may_be_missing(self.file, span, place, self.text)),
            None => Some(()),
        }
    }
}
