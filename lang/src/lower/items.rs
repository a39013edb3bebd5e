//! The file and its items.

use super::{expressions::*, *};

pub(crate) fn file(root: &SyntaxNode) -> File {
    file_from(root, 0)
}

/// The file without the items that start before a place; the edition and the module are there wherever they stand.
pub(crate) fn file_from(root: &SyntaxNode, from: u32) -> File {
    let edition = child(root, EDITION).and_then(|node| int(&node));
    let module = child(root, MODULE).and_then(|node| path(&node));
    let behind = || root.children().filter(|node| u32::from(node.text_range().start()) >= from);
    let uses = behind().filter(|node| node.kind() == USE).filter_map(|node| import(&node)).collect();
    let items = behind().filter_map(|node| item(&node)).collect();
    File { edition, module, uses, items }
}

fn import(node: &SyntaxNode) -> Option<Use> {
    let names = child(node, NAMES).map(|list| super::names(&list).collect()).unwrap_or_default();
    Some(Use { path: path(node)?, names, span: span(node) })
}

fn item(node: &SyntaxNode) -> Option<Item> {
    Some(match node.kind() {
        TABLE => Item::Table(table(node)?),
        SCHEME => Item::Scheme(scheme(node)?),
        VENDOR => Item::Vendor(entry(node)?),
        CLASS => Item::Class(entry(node)?),
        TAG_ENTRY => Item::Tag(entry(node)?),
        PROBE => Item::Probe(probe(node)?),
        LET => Item::Let(binding(node)?),
        SIGNATURE => Item::Signature(signature(node)?),
        CHOICE => Item::Choice(choice(node)?),
        _ => return None,
    })
}

fn table(node: &SyntaxNode) -> Option<Table> {
    let columns = block(node).filter(|line| line.kind() == COLUMN).filter_map(|line| column(&line)).collect();
    let rows = block(node).filter(|line| line.kind() == ROW).map(|line| Spanned { value: exprs(&line).collect(), span: span(&line) });
    Some(Table { doc: doc(node), name: name(node)?, from: text(node), columns, rows: rows.collect(), span: span(node) })
}

fn column(node: &SyntaxNode) -> Option<Column> {
    let folds = super::names(node).skip(1).collect();
    Some(Column { name: name(node)?, ty: ty(node)?, key: has_word(node, "key"), folds, history: has_word(node, "history") })
}

fn scheme(node: &SyntaxNode) -> Option<Scheme> {
    let mut value = first_expr(node)?;
    if let ExprKind::Call(_, args) = &mut value.kind {
        args.iter_mut().for_each(|arg| worded_as_call(&mut arg.value));
    }
    Some(Scheme { doc: doc(node), name: name(node)?, value, span: span(node) })
}

/// `leading 2` is `leading(2)` in a scheme.
fn worded_as_call(expr: &mut Expr) {
    if let ExprKind::Worded(word, value) = &expr.kind {
        let callee = Expr { kind: ExprKind::Name(word.value.clone()), span: word.span };
        let arg = Arg { name: None, value: (**value).clone() };
        expr.kind = ExprKind::Call(Box::new(callee), vec![arg]);
    }
}

fn entry(node: &SyntaxNode) -> Option<Entry> {
    let params = child(node, PARAMS).map(|list| children(&list, PARAM).filter_map(|param| self::param(&param)).collect());
    Some(Entry { doc: doc(node), path: path(node)?, params: params.unwrap_or_default(), attributes: attributes(node), span: span(node) })
}

fn param(node: &SyntaxNode) -> Option<Param> {
    Some(Param { name: name(node)?, ty: ty(node)? })
}

fn attributes(node: &SyntaxNode) -> Vec<Attribute> {
    block(node).filter(|line| line.kind() == ATTRIBUTE).filter_map(|line| attribute(&line)).collect()
}

pub(super) fn attribute(node: &SyntaxNode) -> Option<Attribute> {
    Some(Attribute { name: name(node)?, values: exprs(node).collect(), span: span(node) })
}

pub(super) fn probe(node: &SyntaxNode) -> Option<Probe> {
    let ports = child(node, PORTS);
    let numbers =
        ports.iter().flat_map(ints).filter_map(|port| Some(Spanned { value: port.value.try_into().ok()?, span: port.span })).collect();
    let on_any_tls = ports.filter(|ports| has_word(ports, "any")).map(|ports| span(&ports));
    Some(Probe {
        doc: doc(node),
        name: name(node)?,
        call: first_expr(node)?,
        ports: numbers,
        on_any_tls,
        options: attributes(node),
        span: span(node),
    })
}

pub(super) fn binding(node: &SyntaxNode) -> Option<Let> {
    Some(Let { name: name(node)?, value: first_expr(node)?, span: span(node) })
}

fn signature(node: &SyntaxNode) -> Option<Signature> {
    let body = block(node).filter_map(|line| statements::statement(&line)).collect();
    Some(Signature { doc: doc(node), name: name(node)?, refines: path(node), body, span: span(node) })
}

fn choice(node: &SyntaxNode) -> Option<Choice> {
    let members = block(node).filter(|line| line.kind() == PATH).filter_map(|line| path_of(&line)).collect();
    Some(Choice { doc: doc(node), name: name(node)?, members, span: span(node) })
}
