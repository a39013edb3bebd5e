//! The file, its header and its items.

use super::*;

/// One part of a file; `before` tells that an item stands in an earlier one.
pub(super) fn part(p: &mut Parser<'_>, head: bool, before: bool) {
    p.node(FILE, |p| {
        let mut separated = !head || header(p);
        while p.at < p.limit {
            separated |= p.separators();
            match p.kind() {
                _ if p.at >= p.limit => break,
                EOF => break,
                R_BRACE => stray_brace(p),
                _ => p.separated_line(&mut separated, &mut |p| item(p, before)),
            }
        }
        if p.fuel.get() == 0 {
            out_of_fuel(p);
        }
        Some(())
    });
}

/// The language has no text that needs so many looks; a rule that loops must still not hang.
fn out_of_fuel(p: &mut Parser<'_>) {
    let end = p.limit.checked_sub(1).and_then(|last| p.tokens.get(last)).map_or(0, |last| last.span.end);
    let span = Span { start: p.start().min(end), end };
    let problem = p
        .error(
            "too-complex",
            say!("this file is too complex to parse", "このファイルは複雑すぎて解析できません"),
            span,
            say!("not read from here on", "ここから先は読み込みません"),
        )
        .help(say!("split it", "ファイルを分割してください"));
    p.report(problem);
    if p.at < p.limit {
        p.node(BROKEN, |p| {
            p.skip_to(usize::MAX - 1);
            Some(())
        });
    }
}

fn stray_brace(p: &mut Parser<'_>) {
    let problem = p
        .error(
            "unexpected-token",
            say!("this `}}` closes nothing", "この`}}`に対応する`{{`がありません"),
            p.span(),
            say!("no block is open here", "ここで開いているブロックはありません"),
        )
        .help(say!(
            "remove it, or look for a block above that ends too early",
            "削除するか、これより上で早く閉じすぎたブロックがないか確認してください"
        ));
    p.report(problem);
    p.node(BROKEN, |p| {
        p.bump();
        Some(())
    });
}

/// `ksig 1` and `module a.b.c`; tells whether an item may follow on the same line.
fn header(p: &mut Parser<'_>) -> bool {
    p.separators();
    if p.at_word("ksig") {
        header_line(p, edition);
        header_end(p);
    } else {
        let problem = p
            .error(
                "missing-edition",
                say!("a file starts with the edition of the language", "ファイルは言語のエディションから始まります"),
                Span { start: 0, end: 0 },
                say!("expected `ksig 1`", "`ksig 1`が必要です"),
            )
            .fix(say!("say which edition this is", "エディションを書く"), p.file, Span { start: 0, end: 0 }, "ksig 1\n");
        p.report(problem);
    }
    if p.at_word("module") {
        header_line(p, module);
        return false;
    }
    let here = p.end_of_previous();
    let problem = p
        .error(
            "missing-module",
            say!("the file does not say which module it is", "このファイルがどのモジュールか書かれていません"),
            here,
            say!("expected `module` and the path of the file", "`module`とファイルのパスが必要です"),
        )
        .help(say!(
            "for `signatures/router/acme/x1.ksig` write `module router.acme.x1`",
            "`signatures/router/acme/x1.ksig`なら`module router.acme.x1`と書きます"
        ));
    p.report(problem);
    true
}

fn header_line(p: &mut Parser<'_>, rule: fn(&mut Parser<'_>) -> Step) {
    let mut separated = true;
    p.separated_line(&mut separated, &mut |p| rule(p));
}

fn header_end(p: &mut Parser<'_>) {
    if !p.separators() && !p.at(EOF) {
        let problem = p.unexpected_problem(say!("the end of the line or `;`", "行末または`;`"));
        p.report(problem);
        if !p.at_word("module") {
            p.recover();
            p.separators();
        }
    }
}

fn edition(p: &mut Parser<'_>) -> Step {
    p.node(EDITION, |p| {
        p.bump();
        if p.at(INT) && p.token_text(p.at) != "1" {
            let edition = p.token_text(p.at);
            let problem = p
                .error(
                    "unknown-edition",
                    say!("edition {edition} is not known", "エディション{edition}には対応していません"),
                    p.span(),
                    say!("this tool reads edition 1", "このツールが読めるのはエディション1です"),
                )
                .help(say!("a newer ksig may read it", "新しいksigなら読める可能性があります"));
            p.report(problem);
        }
        p.expect(INT)
    })
    .map(|_| ())
}

fn module(p: &mut Parser<'_>) -> Step {
    p.node(MODULE, |p| {
        p.bump();
        path(p, say!("the module's path", "モジュールのパス"))
    })
    .map(|_| ())
}

/// `before` tells that an item stands in an earlier part.
fn item(p: &mut Parser<'_>, before: bool) -> Step {
    let word = p.word();
    match word {
        "ksig" | "module" => misplaced(p, word, say!("stands once, at the top", "は先頭に一度だけ書きます")),
        "use" if before || p.items => misplaced(p, word, say!("stands before all items", "はすべての項目より前に書きます")),
        _ => {}
    }
    p.items |= !matches!(word, "ksig" | "module" | "use");
    match word {
        "ksig" => edition(p),
        "module" => module(p),
        "use" => import(p),
        "table" => table(p),
        "scheme" => scheme(p),
        "vendor" => entry(p, VENDOR),
        "class" => entry(p, CLASS),
        "tag" => entry(p, TAG_ENTRY),
        "probe" => probe(p),
        "let" => binding(p),
        "signature" => signature(p),
        "choice" => choice(p),
        _ => unknown(p),
    }
}

fn misplaced(p: &mut Parser<'_>, word: &str, rule: Text) {
    let problem = p
        .error("misplaced-header", say!("`{word}` {rule}", "`{word}`{rule}"; rule), p.span(), say!("too late here", "ここでは遅すぎます"))
        .help(say!(
            "a file is `ksig 1`, `module ...`, then `use ...`, then everything else",
            "ファイルは`ksig 1`、`module ...`、`use ...`、その他の順に書きます"
        ));
    p.report(problem);
}

fn unknown(p: &mut Parser<'_>) -> Step {
    if p.kind() != IDENT {
        return p.unexpected(say!(
            "an item: `table`, `scheme`, `vendor`, `class`, `tag`, `probe`, `let`, `signature` or `choice`",
            "項目（`table`、`scheme`、`vendor`、`class`、`tag`、`probe`、`let`、`signature`、`choice`のいずれか）"
        ));
    }
    let word = p.word();
    if is_reserved(word) {
        return reserved(p, say!("an item", "項目"));
    }
    let mut problem = p.error(
        "unknown-item",
        say!("`{word}` starts no item", "`{word}`で始まる項目はありません"),
        p.span(),
        say!("not an item", "項目ではありません"),
    );
    problem = match nearest(word, &ITEM_WORDS) {
        Some(meant) => {
            let span = p.span();
            problem.fix(write(meant), p.file, span, meant)
        }
        None => problem.help(say!(
            "items are `table`, `scheme`, `vendor`, `class`, `tag`, `probe`, `let`, `signature` and `choice`",
            "項目は`table`、`scheme`、`vendor`、`class`、`tag`、`probe`、`let`、`signature`、`choice`です"
        )),
    };
    p.fail(problem)
}

fn import(p: &mut Parser<'_>) -> Step {
    p.node(USE, |p| {
        p.bump();
        path(p, say!("a module's path", "モジュールのパス"))?;
        if !p.at(L_BRACE) {
            return p.unexpected(Text::quoted("`{` and the names to use"));
        }
        names(p, R_BRACE)
    })
    .map(|_| ())
}

/// `{ a, b }` or `[a, b]`.
pub(super) fn names(p: &mut Parser<'_>, close: SyntaxKind) -> Step {
    p.node(NAMES, |p| {
        let opening = p.span();
        let mut count = 0;
        p.list(close, false, |p| {
            count += 1;
            name(p, say!("a name", "名前"))
        })?;
        if count == 0 && close == R_BRACE {
            let problem = p
                .error(
                    "unexpected-token",
                    say!("expected a name, found `}}`", "名前が必要ですが、`}}`があります"),
                    opening,
                    say!("names nothing", "名前が一つもありません"),
                )
                .help(say!("name what you use, or remove the line", "使用する名前を書くか、行を削除してください"));
            p.report(problem);
        }
        Some(())
    })
    .map(|_| ())
}

/// A name that is bound or referred to.
pub(super) fn name(p: &mut Parser<'_>, wanted: Text) -> Step {
    let word = p.word();
    if is_reserved(word) || is_truth(word) {
        return reserved(p, wanted);
    }
    if p.at(KEBAB) {
        hyphens(p, wanted);
    } else if word.is_empty() {
        return p.unexpected(wanted);
    }
    p.node(NAME, |p| {
        p.bump();
        Some(())
    })
    .map(|_| ())
}

/// A name before `:` or `=`, which nothing else is taken for: it may also be an operator's word, as `ends` in a table of support dates.
pub(super) fn slot_name(p: &mut Parser<'_>, wanted: Text) -> Step {
    let word = p.word();
    if WORD_OPERATORS.contains(&word) || is_truth(word) {
        return p
            .node(NAME, |p| {
                p.bump();
                Some(())
            })
            .map(|_| ());
    }
    name(p, wanted)
}

pub(super) fn reserved<T>(p: &mut Parser<'_>, wanted: Text) -> Option<T> {
    let word = p.word();
    let mut problem = p.error(
        "reserved-word",
        say!("expected {wanted}, found the word `{word}`", "{wanted}が必要ですが、予約語`{word}`があります"; wanted),
        p.span(),
        say!("a word of the language", "言語の予約語です"),
    );
    if is_truth(word) {
        problem = problem.help(say!("it is a value, so nothing else is called like this", "値なので、ほかのものの名前には使えません"));
    } else if WORD_OPERATORS.contains(&word) {
        problem = problem.help(say!(
            "it stands on the line of what it compares; only `and`, `or` and signs may start the next line",
            "比較対象と同じ行に書きます。次の行の先頭に書けるのは`and`、`or`と記号だけです"
        ));
    } else {
        problem = problem.help(say!(
            "it joins or begins expressions, so nothing is called like this; is something missing before it?",
            "式をつなぐ、または始める語なので、名前には使えません。手前に何か抜けていませんか"
        ));
    }
    p.fail(problem)
}

pub(super) fn hyphens(p: &mut Parser<'_>, wanted: Text) {
    hyphens_mended(p, wanted, |problem| problem);
}

/// As [`hyphens`], with what mends it there.
pub(super) fn hyphens_mended(p: &mut Parser<'_>, wanted: Text, mended: impl FnOnce(Diagnostic) -> Diagnostic) {
    let text = p.token_text(p.at);
    let problem = p
        .error(
            "hyphen-name",
            say!("expected {wanted}, found `{text}`", "{wanted}が必要ですが、`{text}`があります"; wanted),
            p.span(),
            say!("names have no hyphens", "名前にハイフンは使えません"),
        )
        .help(say!(
            "names use `_`; keys and header names with hyphens stand in quotes",
            "名前には`_`を使い、ハイフンを含むキーやヘッダー名は引用符で囲みます"
        ));
    p.report(mended(problem));
}

/// `a.b.c`
pub(super) fn path(p: &mut Parser<'_>, wanted: Text) -> Step {
    path_of(p, wanted, true)
}

/// `a`, or `a.b.c` where there may be dots.
fn path_of(p: &mut Parser<'_>, wanted: Text, dots: bool) -> Step {
    if is_reserved(p.word()) || is_truth(p.word()) {
        return reserved(p, wanted);
    }
    if !p.at(IDENT) {
        return p.unexpected(wanted);
    }
    p.node(PATH, |p| {
        p.bump();
        while dots && p.eat(DOT) {
            p.expect(IDENT)?;
        }
        Some(())
    })
    .map(|_| ())
}

fn table(p: &mut Parser<'_>) -> Step {
    p.node(TABLE, |p| {
        p.bump();
        p.before_block(|p| {
            name(p, say!("the table's name", "テーブルの名前"))?;
            if !p.eat_word("from") {
                return Some(());
            }
            if !p.at_plain_text() {
                return p.unexpected_help(
                    say!("the table's file in quotes", "引用符で囲んだテーブルのファイル名"),
                    say!(
                        "write `from \"models.csv\"`, a file beside this one",
                        "`from \"models.csv\"`のように、このファイルの隣にあるファイルを書いてください"
                    ),
                );
            }
            p.bump();
            Some(())
        })?;
        p.block(|_| false, |p| if p.at_word("row") && p.nth(1) != COLON { row(p) } else { column(p) })
    })
    .map(|_| ())
}

fn row(p: &mut Parser<'_>) -> Step {
    p.node(ROW, |p| {
        p.bump();
        expressions::expr(p)?;
        while p.eat(COMMA) {
            p.join();
            expressions::expr(p)?;
        }
        Some(())
    })
    .map(|_| ())
}

fn column(p: &mut Parser<'_>) -> Step {
    p.node(COLUMN, |p| {
        slot_name(p, say!("a column's name", "列の名前"))?;
        p.expect(COLON)?;
        p.join();
        ty(p)?;
        if p.eat_word("key") {
            if p.eat(L_PAREN) {
                name(p, say!("how keys are made equal", "キーの正規化の方法"))?;
                while p.eat(COMMA) {
                    name(p, say!("how keys are made equal", "キーの正規化の方法"))?;
                }
                p.expect(R_PAREN)?;
            }
        } else {
            p.eat_word("history");
        }
        Some(())
    })
    .map(|_| ())
}

/// `list<cve>`, `version(dotted)?`
pub(super) fn ty(p: &mut Parser<'_>) -> Step {
    p.nested(|p| {
        p.node(TYPE, |p| {
            name(p, say!("a type", "型"))?;
            if p.eat(LT) {
                ty(p)?;
                p.expect(GT)?;
            }
            if p.at(L_PAREN) {
                p.list(R_PAREN, false, |p| name(p, say!("a version scheme, or a word of an enum", "バージョン体系またはenumの語")))?;
            }
            p.eat(QUESTION);
            Some(())
        })
    })
    .map(|_| ())
}

fn scheme(p: &mut Parser<'_>) -> Step {
    p.node(SCHEME, |p| {
        p.bump();
        name(p, say!("the scheme's name", "バージョン体系の名前"))?;
        p.expect(EQ)?;
        p.join();
        expressions::postfix(p).map(|_| ())
    })
    .map(|_| ())
}

fn entry(p: &mut Parser<'_>, kind: SyntaxKind) -> Step {
    p.node(kind, |p| {
        p.bump();
        p.before_block(|p| {
            // Classes are a tree; all else is used by one name.
            path_of(p, say!("its name", "名前"), kind == CLASS)?;
            if kind == TAG_ENTRY && p.at(L_PAREN) {
                p.node(PARAMS, |p| p.list(R_PAREN, false, param))?;
            }
            Some(())
        })?;
        attributes(p)
    })
    .map(|_| ())
}

fn param(p: &mut Parser<'_>) -> Step {
    p.node(PARAM, |p| {
        slot_name(p, say!("a parameter's name", "パラメーターの名前"))?;
        p.expect(COLON)?;
        p.join();
        ty(p)
    })
    .map(|_| ())
}

fn attributes(p: &mut Parser<'_>) -> Step {
    p.block(|_| false, |p| attribute(p, say!("a word", "単語")))
}

/// `alias "MELCO", "Melco Inc."`: a word and values on its line; commas between them are free.
pub(super) fn attribute(p: &mut Parser<'_>, wanted: Text) -> Step {
    if BLOCK_ENDERS.contains(&p.word()) {
        return p.unexpected(wanted);
    }
    p.node(ATTRIBUTE, |p| {
        name(p, wanted)?;
        let mut more = false;
        while more || expressions::at_simple_value(p) {
            expressions::simple_value(p)?;
            more = p.eat(COMMA);
            if more {
                p.join();
            }
        }
        Some(())
    })
    .map(|_| ())
}

pub(super) fn probe(p: &mut Parser<'_>) -> Step {
    p.node(PROBE, |p| {
        p.bump();
        name(p, say!("the probe's name", "プローブの名前"))?;
        p.expect(EQ)?;
        p.join();
        expressions::postfix(p)?;
        if p.at_word("on") {
            ports(p)?;
        }
        if p.at(L_BRACE) {
            attributes(p)?;
        }
        Some(())
    })
    .map(|_| ())
}

fn ports(p: &mut Parser<'_>) -> Step {
    p.node(PORTS, |p| {
        p.bump();
        if p.eat_word("any") {
            return p.expect_word("tls");
        }
        loop {
            port(p)?;
            if !p.eat(COMMA) {
                return Some(());
            }
            p.join();
        }
    })
    .map(|_| ())
}

fn port(p: &mut Parser<'_>) -> Step {
    let text = p.token_text(p.at);
    if p.at(INT) && (text.starts_with('0') || text.parse::<u16>().is_err()) {
        let problem = p.error(
            "port-range",
            say!("there is no port {text}", "{text}番ポートは存在しません"),
            p.span(),
            say!("ports are 1 to 65535", "ポート番号は1から65535までです"),
        );
        p.report(problem);
    } else if !p.at(INT) {
        return p.unexpected(say!("a port, or `any tls`", "ポート番号、または`any tls`"));
    }
    p.expect(INT)
}

pub(super) fn binding(p: &mut Parser<'_>) -> Step {
    p.node(LET, |p| {
        p.bump();
        name(p, say!("a name", "名前"))?;
        p.expect(EQ)?;
        p.join();
        expressions::expr(p).map(|_| ())
    })
    .map(|_| ())
}

fn signature(p: &mut Parser<'_>) -> Step {
    p.node(SIGNATURE, |p| {
        p.bump();
        p.before_block(|p| {
            name(p, say!("the signature's name", "シグネチャの名前"))?;
            if p.eat_word("refines") {
                path(p, say!("the signature that this one refines", "このシグネチャが詳細化する元のシグネチャ"))
            } else {
                Some(())
            }
        })?;
        p.block(|_| false, statements::statement)
    })
    .map(|_| ())
}

fn choice(p: &mut Parser<'_>) -> Step {
    p.node(CHOICE, |p| {
        p.bump();
        p.before_block(|p| name(p, say!("the choice's name", "`choice`の名前")))?;
        p.block(|_| false, |p| path(p, say!("a signature", "シグネチャ")))
    })
    .map(|_| ())
}
