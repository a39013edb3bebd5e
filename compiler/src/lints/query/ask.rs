//! The expression of a query: read by the language's parser, checked against attributes, asked of one node.
//!
//! In: a text, and the kind of node that it is about. Out: an [`Ask`] that is a bool, or the first problem with its place.
//!
//! ```text
//! name                 an attribute of the node         signature.name      one of the signature that it stands in
//! == < <= > >=         texts and numbers                contains starts ends ~ /re/    texts
//! has                  a list and one of its kind       in [..]                        texts and numbers
//! present absent       a text or list that is not empty, or is
//! any(list, x) all(list, x) count(list) count(list, x)   x is about the parts
//! not and or ( )
//! ```

use ksig_lang::ast::{self, BinaryOp, ExprKind as Ast, Item};
use ksig_lang::{Text, say};
use ksig_runtime::CompiledPattern;
use ksig_runtime::plan::Pattern;

use super::node::{Attribute, Kind, Node, Value, Visit};
use super::{EXPRESSION_MAX, QueryProblem};
use crate::problems::nearest;

/// A checked expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask {
    Text(String),
    Number(i64),
    Truth(bool),
    /// Of the node, or of its signature.
    Attribute(Attribute, bool),
    Compare(BinaryOp, Box<Ask>, Box<Ask>),
    Matches(Box<Ask>, Regex),
    In(Box<Ask>, Vec<Ask>),
    Present(Box<Ask>),
    Not(Box<Ask>),
    And(Box<Ask>, Box<Ask>),
    Or(Box<Ask>, Box<Ask>),
    /// `any`, `all`, `count` of a list, with a question to each part.
    Each(Each, Box<Ask>, Option<Box<Ask>>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Each {
    Any,
    All,
    Count,
}

/// A pattern, equal to one of the same text.
#[derive(Clone)]
pub(super) struct Regex(Pattern, std::sync::Arc<CompiledPattern>);

impl PartialEq for Regex {
    fn eq(&self, other: &Regex) -> bool {
        self.0 == other.0
    }
}

impl std::fmt::Debug for Regex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.source)
    }
}

/// What the parser wants before an expression.
const BEFORE: &str = "ksig 1\nmodule query\nlet query = ";

/// Reads and checks an expression.
pub(super) fn read(visits: Visit, expression: &str) -> Result<Ask, QueryProblem> {
    if expression.len() > EXPRESSION_MAX {
        let text = say!("an expression has at most {EXPRESSION_MAX} bytes", "式は{EXPRESSION_MAX}バイトまでです");
        return Err(QueryProblem { at: 0, text });
    }
    let parsed = ksig_lang::parse(&format!("{BEFORE}{expression}\n"), 0);
    if let Some(problem) = parsed.diagnostics.first() {
        let at = problem.labels.first().map_or(0, |label| label.span.start as usize);
        return Err(QueryProblem { at: inside(at).min(expression.len()), text: problem.message.clone() });
    }
    let [Item::Let(binding)] = parsed.ast.items.as_slice() else {
        return Err(QueryProblem { at: 0, text: say!("this is not one expression", "式が一つだけ必要です") });
    };
    let checker = Checker { visits, within: None };
    let (ask, kind) = checker.expr(&binding.value)?;
    match kind {
        Kind::Truth => Ok(ask),
        _ => Err(wrong(
            &binding.value,
            say!("a query is true or false, and this is {kind}", "式の結果はboolでなければなりませんが、{kind}です"),
        )),
    }
}

fn inside(at: usize) -> usize {
    at.saturating_sub(BEFORE.len())
}

fn wrong(expr: &ast::Expr, text: Text) -> QueryProblem {
    QueryProblem { at: inside(expr.span.start as usize), text }
}

type Checked = Result<(Ask, Kind), QueryProblem>;

struct Checker {
    visits: Visit,
    /// The parts of which `any`, `all` or `count` ask, inside one.
    within: Option<Visit>,
}

impl Checker {
    fn expr(&self, expr: &ast::Expr) -> Checked {
        match &expr.kind {
            Ast::Text(text) => Ok((Ask::Text(text.clone()), Kind::Text)),
            Ast::Int(number) => Ok((Ask::Number(*number), Kind::Number)),
            Ast::Bool(truth) => Ok((Ask::Truth(*truth), Kind::Truth)),
            Ast::Name(name) => self.attribute(name, self.within.unwrap_or(self.visits), false, expr),
            Ast::Field(base, name) if matches!(&base.kind, Ast::Name(base) if base == "signature") => {
                self.attribute(&name.value, Visit::Signature, true, expr)
            }
            Ast::Not(inner) => Ok((Ask::Not(Box::new(self.truth(inner)?)), Kind::Truth)),
            Ast::Present(inner) => Ok((self.present(inner)?, Kind::Truth)),
            Ast::Absent(inner) => Ok((Ask::Not(Box::new(self.present(inner)?)), Kind::Truth)),
            Ast::Binary(op, left, right) => self.binary(*op, left, right),
            Ast::Call(called, arguments) => self.call(called, arguments, expr),
            _ => Err(wrong(expr, say!("a query has no such expression", "この式はクエリでは使えません"))),
        }
    }

    fn attribute(&self, name: &str, of: Visit, whole: bool, expr: &ast::Expr) -> Checked {
        let attributes = of.attributes();
        if let Some(attribute) = attributes.iter().find(|attribute| attribute.name == name) {
            if whole && matches!(attribute.kind, Kind::Nodes(_)) && (self.visits != Visit::Signature || self.within.is_some()) {
                // Asked of each part, it would cost their square.
                let text =
                    say!("`signature.{name}` is asked of signatures only", "`signature.{name}`はsignatureを対象とするクエリでのみ使えます");
                return Err(wrong(expr, text));
            }
            return Ok((Ask::Attribute(*attribute, whole), attribute.kind));
        }
        let word = of.word();
        let known = || attributes.iter().map(|attribute| attribute.name);
        Err(wrong(
            expr,
            match nearest(name, known()) {
                Some(near) => say!(
                    "a {word} has no `{name}`; did you mean `{near}`?",
                    "{word}に`{name}`という属性はありません。`{near}`の間違いではありませんか"
                ),
                None => {
                    let all = known().collect::<Vec<_>>().join(", ");
                    say!("a {word} has no `{name}`; it has {all}", "{word}に`{name}`という属性はありません。属性は{all}です")
                }
            },
        ))
    }

    fn truth(&self, expr: &ast::Expr) -> Result<Ask, QueryProblem> {
        match self.expr(expr)? {
            (ask, Kind::Truth) => Ok(ask),
            (_, kind) => Err(wrong(expr, say!("this is {kind}, where true or false is asked", "boolが必要ですが、{kind}です"))),
        }
    }

    fn present(&self, expr: &ast::Expr) -> Result<Ask, QueryProblem> {
        match self.expr(expr)? {
            (ask, Kind::Text | Kind::Texts | Kind::Numbers | Kind::Nodes(_)) => Ok(Ask::Present(Box::new(ask))),
            (_, kind) => Err(wrong(expr, say!("{kind} is always there", "{kind}は常に存在します"))),
        }
    }

    fn binary(&self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr) -> Checked {
        use BinaryOp::{And, Contains, Ends, Eq, Ge, Gt, Has, In, Le, Lt, Matches, Or, Starts};
        let boxed = Box::new;
        let ask = match op {
            And => Ask::And(boxed(self.truth(left)?), boxed(self.truth(right)?)),
            Or => Ask::Or(boxed(self.truth(left)?), boxed(self.truth(right)?)),
            Matches => Ask::Matches(boxed(self.of(left, Kind::Text)?), regex(right)?),
            Contains | Starts | Ends => Ask::Compare(op, boxed(self.of(left, Kind::Text)?), boxed(self.of(right, Kind::Text)?)),
            Eq | Lt | Le | Gt | Ge => {
                let (ask, kind) = self.expr(left)?;
                let orders = op != Eq && kind == Kind::Truth;
                if orders || matches!(kind, Kind::Texts | Kind::Numbers | Kind::Nodes(_)) {
                    return Err(wrong(left, say!("{kind} is not compared like this", "{kind}はこのように比較できません")));
                }
                Ask::Compare(op, boxed(ask), boxed(self.of(right, kind)?))
            }
            Has => {
                let (ask, kind) = self.expr(left)?;
                let element = match kind {
                    Kind::Texts => Kind::Text,
                    Kind::Numbers => Kind::Number,
                    _ => return Err(wrong(left, say!("`has` asks a list, and this is {kind}", "`has`の左はリストですが、{kind}です"))),
                };
                Ask::Compare(op, boxed(ask), boxed(self.of(right, element)?))
            }
            In => {
                let (ask, kind) = self.expr(left)?;
                let Ast::List(values) = &right.kind else {
                    return Err(wrong(
                        right,
                        say!("`in` wants a list, `[\"a\", \"b\"]`", "`in`の右には`[\"a\", \"b\"]`のようなリストを書きます"),
                    ));
                };
                if !matches!(kind, Kind::Text | Kind::Number) {
                    return Err(wrong(left, say!("{kind} stands in no list", "{kind}はリストの要素になりません")));
                }
                Ask::In(boxed(ask), values.iter().map(|value| self.of(value, kind)).collect::<Result<_, _>>()?)
            }
            _ => return Err(wrong(right, say!("a query has no such operator", "この演算子はクエリでは使えません"))),
        };
        Ok((ask, Kind::Truth))
    }

    fn of(&self, expr: &ast::Expr, wanted: Kind) -> Result<Ask, QueryProblem> {
        match self.expr(expr)? {
            (ask, kind) if kind == wanted => Ok(ask),
            (_, kind) => Err(wrong(expr, say!("this is {kind}, where {wanted} is asked", "{wanted}が必要ですが、{kind}です"))),
        }
    }

    fn call(&self, called: &ast::Expr, arguments: &[ast::Arg], expr: &ast::Expr) -> Checked {
        let each = match &called.kind {
            Ast::Name(name) => match name.as_str() {
                "any" => Some(Each::Any),
                "all" => Some(Each::All),
                "count" => Some(Each::Count),
                _ => None,
            },
            _ => None,
        };
        let Some(each) = each else {
            return Err(wrong(
                called,
                say!("a query calls `any`, `all` and `count` only", "クエリで呼べるのは`any`、`all`、`count`だけです"),
            ));
        };
        let (list, question) = match arguments {
            [list] if each == Each::Count => (&list.value, None),
            [list, question] => (&list.value, Some(&question.value)),
            _ => {
                let text = say!("write `any(list, question)`, or `count(list)`", "`any(リスト, 式)`か`count(リスト)`のように書きます");
                return Err(wrong(expr, text));
            }
        };
        if self.within.is_some() {
            return Err(wrong(expr, say!("one of these stands in no other", "`any`、`all`、`count`は入れ子にできません")));
        }
        let (ask, kind) = self.expr(list)?;
        let question = match (kind, question) {
            (Kind::Nodes(visit), Some(question)) => {
                let checker = Checker { visits: self.visits, within: Some(visit) };
                Some(Box::new(checker.truth(question)?))
            }
            (Kind::Nodes(_) | Kind::Texts | Kind::Numbers, None) => None,
            (kind, _) => {
                return Err(wrong(list, say!("this is {kind}, where a list of parts is asked", "要素のリストが必要ですが、{kind}です")));
            }
        };
        let kind = if each == Each::Count { Kind::Number } else { Kind::Truth };
        Ok((Ask::Each(each, Box::new(ask), question), kind))
    }
}

fn regex(expr: &ast::Expr) -> Result<Regex, QueryProblem> {
    let Ast::Regex { pattern, flags, bytes: false, .. } = &expr.kind else {
        return Err(wrong(expr, say!("`~` wants a pattern, `/^acme/`", "`~`の右には`/^acme/`のようなパターンを書きます")));
    };
    let flagged = |name: &str| flags.iter().any(|flag| flag.value == name);
    if let Some(flag) = flags.iter().find(|flag| !matches!(flag.value.as_str(), "i" | "iu")) {
        let flag = &flag.value;
        return Err(wrong(
            expr,
            say!("a query has no flag `{flag}`; there are `i` and `iu`", "フラグ`{flag}`は使えません。使えるのは`i`と`iu`です"),
        ));
    }
    let pattern = Pattern { source: pattern.clone(), ignore_case: flagged("i"), ignore_case_unicode: flagged("iu"), bytes: false };
    match CompiledPattern::new(&pattern) {
        Ok(compiled) => Ok(Regex(pattern, std::sync::Arc::new(compiled))),
        Err(error) => Err(wrong(expr, Text::quoted(error.to_string()))),
    }
}

impl Ask {
    /// Whether it is true of a node.
    pub fn is_true(&self, node: &Node<'_>) -> bool {
        matches!(self.value(node), Value::Truth(true))
    }

    fn value<'a>(&self, node: &Node<'a>) -> Value<'a> {
        match self {
            Ask::Text(text) => Value::Text(text.clone()),
            Ask::Number(number) => Value::Number(*number),
            Ask::Truth(truth) => Value::Truth(*truth),
            Ask::Attribute(attribute, true) => (attribute.of)(&node.whole()),
            Ask::Attribute(attribute, false) => (attribute.of)(node),
            Ask::Compare(op, left, right) => Value::Truth(compare(*op, &left.value(node), &right.value(node))),
            Ask::Matches(of, regex) => Value::Truth(matches!(of.value(node), Value::Text(text) if regex.1.is_match(text.as_bytes()))),
            Ask::In(of, values) => {
                let value = of.value(node);
                Value::Truth(values.iter().any(|one| one.value(node) == value))
            }
            Ask::Present(of) => Value::Truth(length(&of.value(node)) > 0),
            Ask::Not(of) => Value::Truth(!of.is_true(node)),
            Ask::And(a, b) => Value::Truth(a.is_true(node) && b.is_true(node)),
            Ask::Or(a, b) => Value::Truth(a.is_true(node) || b.is_true(node)),
            Ask::Each(each, list, question) => {
                let list = list.value(node);
                let holds = match (&list, question) {
                    (Value::Nodes(nodes), Some(question)) => nodes.iter().filter(|node| question.is_true(node)).count(),
                    _ => length(&list),
                };
                match each {
                    Each::Any => Value::Truth(holds > 0),
                    Each::All => Value::Truth(holds == length(&list)),
                    Each::Count => Value::Number(i64::try_from(holds).unwrap_or(i64::MAX)),
                }
            }
        }
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Texts(texts) => texts.len(),
        Value::Numbers(numbers) => numbers.len(),
        Value::Nodes(nodes) => nodes.len(),
        Value::Number(_) | Value::Truth(_) => 1,
    }
}

fn compare(op: BinaryOp, left: &Value, right: &Value) -> bool {
    use std::cmp::Ordering;
    let order = match (left, right) {
        (Value::Text(a), Value::Text(b)) => match op {
            BinaryOp::Contains => return a.contains(b.as_str()),
            BinaryOp::Starts => return a.starts_with(b.as_str()),
            BinaryOp::Ends => return a.ends_with(b.as_str()),
            _ => a.cmp(b),
        },
        (Value::Number(a), Value::Number(b)) => a.cmp(b),
        (Value::Truth(a), Value::Truth(b)) => a.cmp(b),
        (Value::Texts(all), Value::Text(one)) => return all.contains(one),
        (Value::Numbers(all), Value::Number(one)) => return all.contains(one),
        // The checker lets nothing else through.
        _ => return false,
    };
    match op {
        BinaryOp::Eq => order == Ordering::Equal,
        BinaryOp::Lt => order == Ordering::Less,
        BinaryOp::Le => order != Ordering::Greater,
        BinaryOp::Gt => order == Ordering::Greater,
        BinaryOp::Ge => order != Ordering::Less,
        _ => false,
    }
}
