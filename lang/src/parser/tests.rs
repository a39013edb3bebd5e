//! `test` and `example`.

use super::{items::*, *};

pub(super) fn test(p: &mut Parser<'_>) -> Step {
    p.node(TEST, |p| {
        p.bump();
        p.before_block(|p| {
            p.expect_text(say!("what the test shows, in quotes", "テストが示すこと（引用符で囲む）"))?;
            if p.at_word("at") {
                p.node(AT, |p| {
                    p.bump();
                    expressions::postfix(p).map(|_| ())
                })?;
            }
            Some(())
        })?;
        p.block(|_| false, line)
    })
    .map(|_| ())
}

fn line(p: &mut Parser<'_>) -> Step {
    match p.word() {
        "given" => given(p),
        "with" => with(p),
        "expect" => expect(p),
        word => {
            let mut problem = p.unexpected_problem(Text::quoted("`given`, `with` or `expect`"));
            if let Some(meant) = nearest(word, &["given", "with", "expect"]) {
                let span = p.span();
                problem = problem.fix(write(meant), p.file, span, meant);
            }
            p.fail(problem)
        }
    }
}

fn given(p: &mut Parser<'_>) -> Step {
    p.node(GIVEN, |p| {
        p.bump();
        name(p, say!("a probe", "プローブ"))?;
        p.expect(EQ)?;
        p.join();
        fixture(p)?;
        if p.at_word("from") {
            p.node(FROM, |p| {
                p.bump();
                if p.eat(DOTTED) { Some(()) } else { p.expect_text(say!("an address", "アドレス")) }
            })?;
        }
        Some(())
    })
    .map(|_| ())
}

fn fixture(p: &mut Parser<'_>) -> Step {
    match (p.kind(), p.word(), p.nth(1)) {
        (HEREDOC, ..) => {
            if p.token_text(p.at).starts_with('"') {
                let problem = p
                    .error(
                        "unexpected-token",
                        say!("this heredoc does not say what it is", "このヒアドキュメントの種類が書かれていません"),
                        p.span(),
                        say!("a word is missing before `\"\"\"`", "`\"\"\"`の前に種類を表す単語が必要です"),
                    )
                    .help(say!(
                        "`http\"\"\"`, `banner\"\"\"`, ...: the protocol decides how its lines end",
                        "`http\"\"\"`や`banner\"\"\"`のように書きます。行末の扱いはプロトコルで決まります"
                    ));
                p.report(problem);
            }
            p.node(LITERAL, |p| {
                p.bump();
                Some(())
            })
        }
        (_, "fixture", L_PAREN) => p.node(FILE_FIXTURE, |p| {
            p.bump();
            p.bump();
            p.join();
            p.expect_text(say!("a file in quotes", "引用符で囲んだファイル名"))?;
            p.join();
            p.expect(R_PAREN)
        }),
        (IDENT, _, L_BRACE) => p.node(FACTS, |p| {
            name(p, say!("a protocol", "プロトコル"))?;
            p.list(R_BRACE, true, expressions::record_entry)
        }),
        (_, "timeout", _) => word_node(p, TIMEOUT),
        (_, "refused", _) => word_node(p, REFUSED),
        _ => {
            return p.unexpected_help(
                say!("a fixture", "フィクスチャ"),
                say!(
                    "what a probe read is `http\"\"\"` and lines, `fixture(\"file\")`, or facts in braces; nothing came: `timeout`, `refused`",
                    "読み取った内容は`http\"\"\"`と続く行、`fixture(\"file\")`、または波括弧で囲んだファクト、応答がなければ`timeout`か`refused`です"
                ),
            );
        }
    }
    .map(|_| ())
}

fn word_node(p: &mut Parser<'_>, kind: SyntaxKind) -> Option<Closed> {
    p.node(kind, |p| {
        p.bump();
        Some(())
    })
}

fn with(p: &mut Parser<'_>) -> Step {
    p.node(WITH, |p| {
        p.bump();
        name(p, say!("a table", "テーブル"))?;
        p.expect(EQ)?;
        p.join();
        expressions::expr(p).map(|_| ())
    })
    .map(|_| ())
}

/// Words behind `expect`.
pub const EXPECTATIONS: [&str; 6] = ["identify", "captures", "resolved", "no_match", "tags", "sent"];

fn expect(p: &mut Parser<'_>) -> Step {
    p.node(EXPECT, |p| {
        p.bump();
        let word = p.word();
        if !EXPECTATIONS.contains(&word) {
            return unknown_expectation(p);
        }
        p.bump();
        match word {
            "resolved" if p.eat_word("unknown") => Some(()),
            "identify" | "captures" | "resolved" => expressions::record(p),
            "no_match" => {
                if p.eat_word("because") {
                    p.expect_text(say!("a label in quotes", "引用符で囲んだラベル"))?;
                }
                Some(())
            }
            _ if p.at(L_BRACKET) => names(p, R_BRACKET),
            _ => p.unexpected(Text::quoted("`[` and names")),
        }
    })
    .map(|_| ())
}

fn unknown_expectation(p: &mut Parser<'_>) -> Step {
    if !p.at(IDENT) {
        return p.unexpected(say!("what to expect", "期待する内容"));
    }
    let word = p.word();
    let mut problem = p.error(
        "unknown-expectation",
        say!("`{word}` is nothing that a test expects", "`{word}`はテストの期待として書けません"),
        p.span(),
        say!("not known", "未知の単語です"),
    );
    problem = match nearest(word, &EXPECTATIONS) {
        Some(meant) => {
            let span = p.span();
            problem.fix(write(meant), p.file, span, meant)
        }
        None => {
            let all = Text { en: EXPECTATIONS.join("`, `").into(), ja: EXPECTATIONS.join("`、`").into() };
            problem.help(say!("a test expects `{all}`", "テストに書ける期待は`{all}`です"; all))
        }
    };
    p.fail(problem)
}

pub(super) fn example(p: &mut Parser<'_>) -> Step {
    p.node(EXAMPLE, |p| {
        p.bump();
        expressions::literal(p)?;
        p.expect_word("in")?;
        p.join();
        expressions::postfix(p)?;
        p.expect(FAT_ARROW)?;
        p.join();
        if p.eat_word("nothing") { Some(()) } else { expressions::record(p) }
    })
    .map(|_| ())
}
