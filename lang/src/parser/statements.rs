//! The body of a signature.

use super::{items::*, *};

/// Words that start a statement of a signature; every other word is metadata.
pub const STATEMENT_WORDS: [&str; 12] =
    ["probe", "match", "follow", "extract", "let", "identify", "component", "details", "support", "tag", "test", "example"];

pub(super) fn statement(p: &mut Parser<'_>) -> Step {
    match p.word() {
        "probe" => probe(p),
        "match" => conditions(p),
        "follow" => follow(p),
        "extract" => extract(p),
        "let" => binding(p),
        "identify" => record(p, IDENTIFY),
        "component" => record(p, COMPONENT),
        "details" => record(p, DETAILS),
        "support" => record(p, SUPPORT),
        "tag" => tag(p),
        "test" => tests::test(p),
        "example" => tests::example(p),
        _ => metadata(p),
    }
}

/// `summary "..."`, `confidence weak`: known or not, the compiler says.
fn metadata(p: &mut Parser<'_>) -> Step {
    let (word, span) = (p.word(), p.span());
    if word.is_empty() && !p.at(KEBAB) {
        return p.unexpected(say!("a statement", "文"));
    }
    attribute(p, say!("a statement", "文"))?;
    if p.at_statement_end() {
        return Some(());
    }
    let mut problem = p
        .error(
            "unknown-statement",
            say!("`{word}` starts no statement that goes on like this", "`{word}`で始まり、このように続く文はありません"),
            span,
            say!("read as metadata: a word and values", "メタデータ（単語と値の並び）として読みました"),
        )
        .label(p.file, p.span(), say!("not a value", "値ではありません"));
    problem = match nearest(word, &STATEMENT_WORDS) {
        Some(meant) => problem.fix(write(meant), p.file, span, meant),
        None => {
            let all = Text { en: STATEMENT_WORDS.join("`, `").into(), ja: STATEMENT_WORDS.join("`、`").into() };
            problem.help(say!("statements are `{all}`", "文は`{all}`です"; all))
        }
    };
    p.fail(problem)
}

/// A line that starts a statement of the signature stands where lines of a group are read: the group was left open.
fn at_statement(p: &Parser<'_>) -> bool {
    let starts = p.tokens.get(p.at).is_some_and(|token| token.newline) && STATEMENT_WORDS.contains(&p.word());
    starts
        && match p.nth(1) {
            L_BRACE | TEXT => true,
            IDENT => !is_operator(p.nth_word(1)),
            _ => false,
        }
}

fn conditions(p: &mut Parser<'_>) -> Step {
    p.node(MATCH, |p| {
        p.bump();
        if !p.at(L_BRACE) {
            name(p, Text::quoted("`{` or the name of a follow"))?;
        }
        lines(p)
    })
    .map(|_| ())
}

/// Lines in braces, at least one: of none it would have to be known whether they all hold, or whether any does.
fn lines(p: &mut Parser<'_>) -> Step {
    p.filled_block(say!("lines", "行"), at_statement, line)
}

fn line(p: &mut Parser<'_>) -> Step {
    p.node(LINE, |p| {
        if p.at_plain_text() && p.nth(1) == COLON {
            p.node(LABEL, |p| {
                p.bump();
                p.bump();
                Some(())
            });
            p.join();
        }
        match (p.word(), p.nth(1)) {
            ("any", L_BRACE) => group(p, ANY),
            ("all", L_BRACE) => group(p, ALL),
            ("none", L_BRACE) => group(p, NONE),
            ("any" | "all", IDENT) if p.nth_word(2) == "in" => each(p),
            ("at", IDENT) if p.nth_word(1) == "least" => at_least(p),
            _ => expressions::expr(p).map(|_| ()),
        }
    })
    .map(|_| ())
}

fn group(p: &mut Parser<'_>, kind: SyntaxKind) -> Step {
    p.node(kind, |p| {
        p.bump();
        lines(p)
    })
    .map(|_| ())
}

fn at_least(p: &mut Parser<'_>) -> Step {
    p.node(AT_LEAST, |p| {
        p.bump();
        p.bump();
        count(p)?;
        p.expect_word("of")?;
        lines(p)
    })
    .map(|_| ())
}

/// How many lines must hold: 1 to 999.
fn count(p: &mut Parser<'_>) -> Step {
    let text = p.token_text(p.at);
    if p.at(INT) && (!text.starts_with(|first| matches!(first, '1'..='9')) || text.len() > 3) {
        let problem = p.error(
            "bad-number",
            say!("`at least {text}` is no count", "`at least {text}`は回数として正しくありません"),
            p.span(),
            say!("a count is 1 to 999", "1から999までの数値です"),
        );
        p.report(problem);
    }
    p.expect(INT)
}

fn each(p: &mut Parser<'_>) -> Step {
    p.node(EACH, |p| {
        p.bump();
        name(p, say!("a name for the element", "要素の名前"))?;
        p.expect_word("in")?;
        expressions::postfix(p)?;
        lines(p)
    })
    .map(|_| ())
}

fn follow(p: &mut Parser<'_>) -> Step {
    p.node(FOLLOW, |p| {
        p.bump();
        name(p, say!("a name for the answer", "応答の名前"))?;
        p.expect(EQ)?;
        p.join();
        expressions::postfix(p)?;
        if p.eat_word("at") {
            name(p, say!("a probe", "プローブ"))?;
        }
        Some(())
    })
    .map(|_| ())
}

fn extract(p: &mut Parser<'_>) -> Step {
    p.node(EXTRACT, |p| {
        p.bump();
        p.block(at_statement, |p| {
            p.node(EXTRACT_LINE, |p| {
                name(p, say!("a name", "名前"))?;
                p.expect(COLON)?;
                p.join();
                ty(p)?;
                p.expect(EQ)?;
                p.join();
                expressions::expr(p).map(|_| ())
            })
            .map(|_| ())
        })
    })
    .map(|_| ())
}

fn record(p: &mut Parser<'_>, kind: SyntaxKind) -> Step {
    p.node(kind, |p| {
        p.bump();
        if kind == IDENTIFY && !p.at(L_BRACE) {
            name(p, Text::quoted("`{` or a facet"))?;
        }
        p.block(at_statement, |p| {
            p.node(SLOT, |p| {
                slot_name(p, say!("a slot", "スロット"))?;
                p.expect(EQ)?;
                p.join();
                expressions::expr(p).map(|_| ())
            })
            .map(|_| ())
        })
    })
    .map(|_| ())
}

fn tag(p: &mut Parser<'_>) -> Step {
    p.node(TAG_USE, |p| {
        p.bump();
        name(p, say!("a tag", "タグ"))?;
        if p.at(L_PAREN) {
            p.node(ARGS, |p| {
                p.list(R_PAREN, false, |p| {
                    p.node(ARG, |p| {
                        slot_name(p, say!("a parameter of the tag", "タグのパラメーター"))?;
                        p.expect(COLON)?;
                        p.join();
                        expressions::expr(p).map(|_| ())
                    })
                    .map(|_| ())
                })
            })?;
        }
        if p.at_word("for") {
            each_row(p)?;
        }
        p.continue_line();
        if p.at_word("when") {
            p.node(WHEN, |p| {
                p.bump();
                p.join();
                expressions::expr(p).map(|_| ())
            })?;
        }
        Some(())
    })
    .map(|_| ())
}

fn each_row(p: &mut Parser<'_>) -> Step {
    p.node(EACH_ROW, |p| {
        p.bump();
        name(p, say!("a name for the row", "行の名前"))?;
        p.expect_word("in")?;
        p.join();
        expressions::postfix(p)?;
        p.continue_line();
        if p.eat_word("where") {
            p.join();
            expressions::expr(p)?;
        }
        Some(())
    })
    .map(|_| ())
}
