//! Expressions, loosest first:
//!
//! ```text
//! if c then a else b | a otherwise b | a and b, a or b | not a | a == b, a absent | a ..< b | a.b, a[b], a(b)
//! ```

use super::{items::*, *};

pub(super) fn expr(p: &mut Parser<'_>) -> Option<Closed> {
    p.nested(|p| if p.at_word("if") { choice(p) } else { otherwise(p) })
}

fn choice(p: &mut Parser<'_>) -> Option<Closed> {
    p.node(IF_EXPR, |p| {
        p.bump();
        p.join();
        expr(p)?;
        for word in ["then", "else"] {
            p.continue_line();
            p.expect_word(word)?;
            p.join();
            expr(p)?;
        }
        Some(())
    })
}

/// Operands of one level, left to right, each `more` tells an operator and takes it.
fn chain(p: &mut Parser<'_>, operand: fn(&mut Parser<'_>) -> Option<Closed>, mut more: impl FnMut(&Parser<'_>) -> bool) -> Option<Closed> {
    let mut left = operand(p)?;
    let mut length = 1;
    loop {
        p.continue_line();
        if !more(p) {
            return Some(left);
        }
        length += 1;
        if length > DEPTH_MAX {
            return p.too_deep();
        }
        left = p.wrap(left, BINARY_EXPR, |p| {
            foreign_operator(p);
            p.bump();
            p.join();
            operand(p).map(|_| ())
        })?;
    }
}

fn otherwise(p: &mut Parser<'_>) -> Option<Closed> {
    chain(p, logic, |p| p.at_word("otherwise"))
}

fn logic(p: &mut Parser<'_>) -> Option<Closed> {
    let start = p.start();
    let mut first: Option<(bool, Span)> = None;
    let mut mixed: Option<Span> = None;
    let done = chain(p, negation, |p| {
        let and = match (p.kind(), p.token_text(p.at)) {
            (IDENT, "and") | (FOREIGN, "&&") => true,
            (IDENT, "or") | (FOREIGN, "||") => false,
            _ => return false,
        };
        let (first_and, _) = *first.get_or_insert((and, p.span()));
        if first_and != and {
            mixed.get_or_insert(p.span());
        }
        true
    });
    if let (Some((_, one)), Some(other)) = (first, mixed) {
        let whole = Span { start, end: p.end_of_previous().end };
        let problem = p
            .error(
                "mixed-and-or",
                say!("`and` and `or` stand in one expression without parentheses", "一つの式に`and`と`or`が括弧なしで混在しています"),
                one,
                say!("one of them here", "一方はここ"),
            )
            .label(p.file, other, say!("the other here", "もう一方はここ"))
            .label(p.file, whole, Text::NONE)
            .help(say!(
                "put parentheses around the part that belongs together, or use `any {{ }}` and `all {{ }}`",
                "先に結び付く部分を括弧で囲むか、`any {{ }}`と`all {{ }}`を使ってください"
            ));
        p.report(problem);
    }
    done
}

/// Names our operator for one of another language; the caller takes the token as ours.
fn foreign_operator(p: &mut Parser<'_>) {
    if !p.at(FOREIGN) {
        return;
    }
    let text = p.token_text(p.at);
    let ours = match text {
        "&&" => "and",
        "||" => "or",
        "!" => "not ",
        _ => "~",
    };
    let span = p.span();
    let problem = p
        .error(
            "foreign-operator",
            say!("there is no `{text}`", "`{text}`という演算子はありません"),
            span,
            say!("from another language", "他の言語の演算子です"),
        )
        .fix(write(ours.trim()), p.file, span, ours);
    p.report(problem);
}

fn negation(p: &mut Parser<'_>) -> Option<Closed> {
    let negates = p.at_word("not") || (p.at(FOREIGN) && p.token_text(p.at) == "!");
    if !negates {
        return comparison(p);
    }
    p.nested(|p| {
        p.node(NOT_EXPR, |p| {
            foreign_operator(p);
            p.bump();
            p.join();
            negation(p).map(|_| ())
        })
    })
}

fn at_comparison(p: &Parser<'_>) -> bool {
    match p.kind() {
        EQ_EQ | LT | LT_EQ | GT | GT_EQ | TILDE | EQ => true,
        FOREIGN => matches!(p.token_text(p.at), "!=" | "=~" | "!~"),
        IDENT => WORD_OPERATORS.contains(&p.word()),
        _ => false,
    }
}

fn comparison(p: &mut Parser<'_>) -> Option<Closed> {
    let start = p.start();
    let left = range(p)?;
    p.continue_line();
    if matches!(p.word(), "absent" | "present") {
        return p.wrap(left, TEST_EXPR, |p| {
            p.bump();
            Some(())
        });
    }
    if !at_comparison(p) {
        return Some(left);
    }
    let done = p.wrap(left, BINARY_EXPR, |p| {
        comparison_sign(p, start);
        p.bump();
        p.join();
        range(p).map(|_| ())
    })?;
    p.continue_line();
    if at_comparison(p) {
        let problem = p
            .error(
                "chained-comparison",
                say!("a comparison has two sides", "比較は左右の二つの値で行います"),
                p.span(),
                say!("a third side starts here", "三つ目の値がここから始まっています"),
            )
            .help(say!(
                "join two comparisons with `and`: `a < b and b < c`; a range is `x in a ..< b`",
                "二つの比較を`and`で結びます（`a < b and b < c`）。範囲は`x in a ..< b`と書きます"
            ));
        return p.fail(problem);
    }
    Some(done)
}

fn comparison_sign(p: &mut Parser<'_>, start: u32) {
    let span = p.span();
    match (p.kind(), p.token_text(p.at)) {
        (EQ, _) => {
            let problem = p
                .error(
                    "single-equals",
                    say!("`=` compares nothing", "`=`は比較ではありません"),
                    span,
                    say!("compares with `==`", "比較は`==`です"),
                )
                .fix(write("=="), p.file, span, "==");
            p.report(problem);
        }
        (FOREIGN, sign @ ("!=" | "!~")) => {
            let ours = if sign == "!=" { "==" } else { "~" };
            let mut problem = p
                .error(
                    "no-not-equal",
                    say!("there is no `{sign}`", "`{sign}`という演算子はありません"),
                    span,
                    say!("not an operator", "演算子ではありません"),
                )
                .note(say!(
                    "over a field that may be missing, say what its absence means: `x absent or not x == y`",
                    "欠けることのあるフィールドでは、欠けている場合の意味を書きます: `x absent or not x == y`"
                ))
                .fix(say!("write `not x {ours} y`", "`not x {ours} y`と書く"), p.file, span, ours);
            if let Some(fix) = &mut problem.fix {
                fix.edits.insert(0, (p.file, Span { start, end: start }, "not ".to_owned()));
            }
            p.report(problem);
        }
        _ => foreign_operator(p),
    }
}

fn range(p: &mut Parser<'_>) -> Option<Closed> {
    let low = operand(p)?;
    p.continue_line();
    if !matches!(p.kind(), DOT_DOT_LT | DOT_DOT_EQ) {
        return Some(low);
    }
    p.wrap(low, RANGE_EXPR, |p| {
        p.bump();
        p.join();
        operand(p).map(|_| ())
    })
}

/// `at_least v"1.2"`, `by 2026-12-31`, `leading 2`, `at scan.date`: a word before a value.
fn operand(p: &mut Parser<'_>) -> Option<Closed> {
    if matches!(p.word(), "at_least" | "by" | "leading" | "at") && at_worded_value(p) {
        return p.node(WORDED_EXPR, |p| {
            name(p, say!("a word", "単語"))?;
            postfix(p).map(|_| ())
        });
    }
    postfix(p)
}

fn at_worded_value(p: &Parser<'_>) -> bool {
    match p.nth(1) {
        IDENT => !is_operator(p.nth_word(1)) && p.nth_word(1) != "least",
        TEXT | INT | DATE | DURATION | DOTTED => true,
        _ => false,
    }
}

/// A value and what hangs on it: `.field`, `["key"]`, `(arguments)`.
pub(super) fn postfix(p: &mut Parser<'_>) -> Option<Closed> {
    let mut left = primary(p)?;
    let mut length = 1;
    loop {
        left = match p.kind() {
            DOT => p.wrap(left, FIELD_EXPR, segment)?,
            L_BRACKET => p.wrap(left, INDEX_EXPR, |p| p.one(R_BRACKET))?,
            L_PAREN => p.wrap(left, CALL_EXPR, |p| p.node(ARGS, |p| p.list(R_PAREN, false, arg)).map(|_| ()))?,
            _ => return Some(left),
        };
        length += 1;
        if length > DEPTH_MAX {
            return p.too_deep();
        }
    }
}

/// `.name`, `.0`; what starts with a digit and is no number is reported already.
fn segment(p: &mut Parser<'_>) -> Step {
    p.bump();
    match p.kind() {
        BAD_NUMBER => {
            p.bump();
            Some(())
        }
        IDENT | INT | DECIMAL | DOTTED if !p.token_text(p.at).starts_with('-') => {
            p.bump();
            Some(())
        }
        KEBAB => {
            let text = p.token_text(p.at);
            let problem = p
                .error(
                    "hyphen-name",
                    say!("expected a field, found `{text}`", "フィールドが必要ですが、`{text}`があります"),
                    p.span(),
                    say!("names have no hyphens", "名前にハイフンは使えません"),
                )
                .help(say!("for a key write `[\"{text}\"]`", "キーなら`[\"{text}\"]`と書きます"));
            p.fail(problem)
        }
        _ => p.unexpected(say!("a field", "フィールド")),
    }
}

fn arg(p: &mut Parser<'_>) -> Step {
    p.node(ARG, |p| {
        if p.at(IDENT) && p.nth(1) == COLON {
            slot_name(p, say!("an argument's name", "引数の名前"))?;
            p.expect(COLON)?;
            p.join();
        }
        expr(p).map(|_| ())
    })
    .map(|_| ())
}

fn is_literal(kind: SyntaxKind) -> bool {
    matches!(kind, TEXT | REGEX | INT | DATE | DURATION | DOTTED | BAD_NUMBER | DECIMAL)
}

pub(super) fn literal(p: &mut Parser<'_>) -> Option<Closed> {
    if !is_literal(p.kind()) {
        return p.unexpected(say!("a value in quotes, or a number", "引用符で囲んだ値、または数値"));
    }
    if p.at(DECIMAL) {
        let text = p.token_text(p.at);
        let problem = p
            .error(
                "bad-number",
                say!("`{text}` is no number", "`{text}`は数値として正しくありません"),
                p.span(),
                say!("numbers have no fraction", "数値に小数部は書けません"),
            )
            .help(say!("a version is `v\"{text}\"`", "バージョンなら`v\"{text}\"`と書きます"));
        p.report(problem);
    }
    p.node(LITERAL, |p| {
        p.bump();
        Some(())
    })
}

fn primary(p: &mut Parser<'_>) -> Option<Closed> {
    match p.kind() {
        kind if is_literal(kind) => literal(p),
        L_PAREN => p.node(PAREN_EXPR, |p| p.one(R_PAREN)),
        L_BRACKET => p.node(LIST_EXPR, |p| p.list(R_BRACKET, false, |p| expr(p).map(|_| ()))),
        L_BRACE => record_expr(p),
        KEBAB => {
            hyphens(p, say!("a value", "値"));
            name_expr(p)
        }
        IDENT if is_reserved(p.word()) => reserved(p, say!("a value", "値")),
        IDENT if p.at_word("first") && p.nth_word(1) == "of" => first_of(p),
        IDENT => name_expr(p),
        HEREDOC => {
            let problem = p
                .error(
                    "unexpected-token",
                    say!("a heredoc is a fixture, not a value", "ヒアドキュメントはフィクスチャであり、値ではありません"),
                    p.span(),
                    say!("only behind `given x =`", "`given x =`の後だけに書けます"),
                )
                .help(say!(
                    "write a text in quotes, with `\\n` for its line ends",
                    "引用符で囲んだテキストで書き、改行は`\\n`としてください"
                ));
            p.fail(problem)
        }
        _ => p.unexpected_help(
            say!("a value", "値"),
            say!(
                "a value is a literal, a name, a field, a call or a list: `\"text\"`, `401`, `top.status`, `latest(model)`, `[a, b]`",
                "値はリテラル、名前、フィールド、呼び出し、リストのいずれかです：`\"text\"`、`401`、`top.status`、`latest(model)`、`[a, b]`"
            ),
        ),
    }
}

fn name_expr(p: &mut Parser<'_>) -> Option<Closed> {
    p.node(NAME_EXPR, |p| {
        p.bump();
        Some(())
    })
}

fn first_of(p: &mut Parser<'_>) -> Option<Closed> {
    p.node(FIRST_OF, |p| {
        p.bump();
        p.bump();
        p.filled_block(say!("values", "値"), |_| false, |p| expr(p).map(|_| ()))
    })
}

fn record_expr(p: &mut Parser<'_>) -> Option<Closed> {
    p.node(RECORD_EXPR, |p| p.list(R_BRACE, true, record_entry))
}

/// `{ key: value }`
pub(super) fn record(p: &mut Parser<'_>) -> Step {
    if !p.at(L_BRACE) {
        return p.unexpected(Text::quoted("`{`"));
    }
    record_expr(p).map(|_| ())
}

/// `key: value`; a key is a name, a dotted name or a text.
pub(super) fn record_entry(p: &mut Parser<'_>) -> Step {
    p.node(RECORD_ENTRY, |p| {
        p.node(KEY, key)?;
        p.expect(COLON)?;
        p.join();
        expr(p).map(|_| ())
    })
    .map(|_| ())
}

fn key(p: &mut Parser<'_>) -> Step {
    if p.at_plain_text() {
        p.bump();
        return Some(());
    }
    if p.at(KEBAB) {
        let (file, span, quoted) = (p.file, p.span(), format!("\"{}\"", p.token_text(p.at)));
        hyphens_mended(p, say!("a key", "キー"), |problem| problem.fix(say!("quote it", "引用符で囲む"), file, span, quoted));
        p.bump();
        return Some(());
    }
    if CONTINUERS.contains(&p.word()) {
        return reserved(p, say!("a key", "キー"));
    }
    let start = p.span().start;
    if !p.eat(IDENT) {
        return p.unexpected(say!("a key", "キー"));
    }
    while p.at(DOT) {
        if p.nth(1) != KEBAB {
            segment(p)?;
            continue;
        }
        p.bump();
        let whole = Span { start, end: p.span().end };
        let quoted = format!("\"{}\"", &p.text[whole.start as usize..whole.end as usize]);
        let (file, ends_here) = (p.file, p.nth(1) == COLON);
        hyphens_mended(p, say!("a part of a key", "キーの一部"), |problem| match ends_here {
            true => problem.fix(say!("quote the whole key", "キー全体を引用符で囲む"), file, whole, quoted),
            false => problem,
        });
        p.bump();
    }
    Some(())
}

/// A value of metadata starts here.
pub(super) fn at_simple_value(p: &Parser<'_>) -> bool {
    match p.kind() {
        L_BRACKET | KEBAB => true,
        IDENT => !is_reserved(p.word()),
        kind => is_literal(kind),
    }
}

/// A value of metadata: a literal, a dotted name, a name with hyphens, or a list.
pub(super) fn simple_value(p: &mut Parser<'_>) -> Step {
    match p.kind() {
        kind if is_literal(kind) => literal(p).map(|_| ()),
        L_BRACKET => p.node(LIST_EXPR, |p| p.list(R_BRACKET, false, |p| expr(p).map(|_| ()))).map(|_| ()),
        KEBAB => name_expr(p).map(|_| ()),
        IDENT if is_reserved(p.word()) => reserved(p, say!("a value", "値")),
        IDENT => {
            let mut left = name_expr(p)?;
            let mut length = 1;
            while p.at(DOT) {
                left = p.wrap(left, FIELD_EXPR, segment)?;
                length += 1;
                if length > DEPTH_MAX {
                    return p.too_deep();
                }
            }
            Some(())
        }
        _ => p.unexpected(say!("a value", "値")),
    }
}
