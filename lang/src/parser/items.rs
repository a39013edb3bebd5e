//! The file, its header and its items.

use super::*;

pub(super) fn file(p: &mut Parser<'_>) {
    p.node(FILE, |p| {
        header(p);
        let mut separated = true;
        let mut items = false;
        loop {
            separated |= p.separators();
            match p.kind() {
                EOF => break,
                R_BRACE => stray_brace(p),
                _ => p.separated_line(&mut separated, &mut |p| item(p, &mut items)),
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
    let span = Span { start: p.start(), end: p.text.len() as u32 };
    let problem = p.error("too-complex", "this file is too complex to parse", span, "not read from here on").help("split it");
    p.report(problem);
    if p.at < p.tokens.len() {
        p.node(BROKEN, |p| {
            p.skip_to(usize::MAX - 1);
            Some(())
        });
    }
}

fn stray_brace(p: &mut Parser<'_>) {
    let problem = p
        .error("unexpected-token", "this `}` closes nothing", p.span(), "no block is open here")
        .help("remove it, or look for a block above that ends too early");
    p.report(problem);
    p.node(BROKEN, |p| {
        p.bump();
        Some(())
    });
}

/// `ksig 1` and `module a.b.c`.
fn header(p: &mut Parser<'_>) {
    p.separators();
    if p.at_word("ksig") {
        header_line(p, edition);
        header_end(p);
    } else {
        let problem = p
            .error("missing-edition", "a file starts with the edition of the language", Span { start: 0, end: 0 }, "expected `ksig 1`")
            .fix("say which edition this is", p.file, Span { start: 0, end: 0 }, "ksig 1\n");
        p.report(problem);
    }
    if p.at_word("module") {
        header_line(p, module);
    } else {
        let here = p.end_of_previous();
        let problem = p
            .error("missing-module", "the file does not say which module it is", here, "expected `module` and the path of the file")
            .help("for `signatures/router/acme/x1.ksig` write `module router.acme.x1`");
        p.report(problem);
    }
}

fn header_line(p: &mut Parser<'_>, rule: fn(&mut Parser<'_>) -> Step) {
    let mut separated = true;
    p.separated_line(&mut separated, &mut |p| rule(p));
}

fn header_end(p: &mut Parser<'_>) {
    if !p.separators() && !p.at(EOF) {
        let problem = p.unexpected_problem("the end of the line or `;`");
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
            let problem = p
                .error("unknown-edition", format!("edition {} is not known", p.token_text(p.at)), p.span(), "this tool reads edition 1")
                .help("a newer ksig may read it");
            p.report(problem);
        }
        p.expect(INT)
    })
    .map(|_| ())
}

fn module(p: &mut Parser<'_>) -> Step {
    p.node(MODULE, |p| {
        p.bump();
        path(p, "the module's path")
    })
    .map(|_| ())
}

/// `items` tells whether an item stood before.
fn item(p: &mut Parser<'_>, items: &mut bool) -> Step {
    let word = p.word();
    match word {
        "ksig" | "module" => misplaced(p, word, "stands once, at the top"),
        "use" if *items => misplaced(p, word, "stands before all items"),
        _ => {}
    }
    *items |= !matches!(word, "ksig" | "module" | "use");
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

fn misplaced(p: &mut Parser<'_>, word: &str, rule: &str) {
    let problem = p
        .error("misplaced-header", format!("`{word}` {rule}"), p.span(), "too late here")
        .help("a file is `ksig 1`, `module ...`, then `use ...`, then everything else");
    p.report(problem);
}

fn unknown(p: &mut Parser<'_>) -> Step {
    if p.kind() != IDENT {
        return p.unexpected("an item: `table`, `scheme`, `vendor`, `class`, `tag`, `probe`, `let`, `signature` or `choice`");
    }
    let word = p.word();
    if is_reserved(word) {
        return reserved(p, "an item");
    }
    let mut problem = p.error("unknown-item", format!("`{word}` starts no item"), p.span(), "not an item");
    problem = match nearest(word, &ITEM_WORDS) {
        Some(meant) => {
            let span = p.span();
            problem.fix(format!("write `{meant}`"), p.file, span, meant)
        }
        None => problem.help("items are `table`, `scheme`, `vendor`, `class`, `tag`, `probe`, `let`, `signature` and `choice`"),
    };
    p.fail(problem)
}

fn import(p: &mut Parser<'_>) -> Step {
    p.node(USE, |p| {
        p.bump();
        path(p, "a module's path")?;
        if !p.at(L_BRACE) {
            return p.unexpected("`{` and the names to use");
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
            name(p, "a name")
        })?;
        if count == 0 && close == R_BRACE {
            let problem = p
                .error("unexpected-token", "expected a name, found `}`", opening, "names nothing")
                .help("name what you use, or remove the line");
            p.report(problem);
        }
        Some(())
    })
    .map(|_| ())
}

/// A name that is bound or referred to.
pub(super) fn name(p: &mut Parser<'_>, wanted: &str) -> Step {
    let word = p.word();
    if is_reserved(word) {
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

/// A name before `:` or `=`: it may also be an operator's word, as `ends` in a table of support dates.
pub(super) fn slot_name(p: &mut Parser<'_>, wanted: &str) -> Step {
    let word = p.word();
    if WORD_OPERATORS.contains(&word) {
        return p
            .node(NAME, |p| {
                p.bump();
                Some(())
            })
            .map(|_| ());
    }
    name(p, wanted)
}

pub(super) fn reserved<T>(p: &mut Parser<'_>, wanted: &str) -> Option<T> {
    let word = p.word();
    let mut problem = p.error("reserved-word", format!("expected {wanted}, found the word `{word}`"), p.span(), "a word of the language");
    if WORD_OPERATORS.contains(&word) {
        problem = problem.help("it stands on the line of what it compares; only `and`, `or` and signs may start the next line");
    }
    p.fail(problem)
}

pub(super) fn hyphens(p: &mut Parser<'_>, wanted: &str) {
    let text = p.token_text(p.at);
    let problem = p
        .error("hyphen-name", format!("expected {wanted}, found `{text}`"), p.span(), "names have no hyphens")
        .help("names use `_`; keys and header names with hyphens stand in quotes");
    let span = p.span();
    let problem = if wanted == "a key" { problem.fix("quote it", p.file, span, format!("\"{text}\"")) } else { problem };
    p.report(problem);
}

/// `a.b.c`
pub(super) fn path(p: &mut Parser<'_>, wanted: &str) -> Step {
    if is_reserved(p.word()) {
        return reserved(p, wanted);
    }
    if !p.at(IDENT) {
        return p.unexpected(wanted);
    }
    p.node(PATH, |p| {
        p.bump();
        while p.eat(DOT) {
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
            name(p, "the table's name")?;
            if p.eat_word("from") { p.expect_text("the table's file in quotes") } else { Some(()) }
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
        slot_name(p, "a column's name")?;
        p.expect(COLON)?;
        p.join();
        ty(p)?;
        p.eat_word("key");
        Some(())
    })
    .map(|_| ())
}

/// `list<cve>`, `version(dotted)?`
pub(super) fn ty(p: &mut Parser<'_>) -> Step {
    p.nested(|p| {
        p.node(TYPE, |p| {
            name(p, "a type")?;
            if p.eat(LT) {
                ty(p)?;
                p.expect(GT)?;
            }
            if p.eat(L_PAREN) {
                name(p, "a version scheme")?;
                p.expect(R_PAREN)?;
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
        name(p, "the scheme's name")?;
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
            path(p, "its name")?;
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
        slot_name(p, "a parameter's name")?;
        p.expect(COLON)?;
        p.join();
        ty(p)
    })
    .map(|_| ())
}

fn attributes(p: &mut Parser<'_>) -> Step {
    p.block(|_| false, |p| attribute(p, "a word"))
}

/// `alias "MELCO", "Melco Inc."`: a word and values on its line; commas between them are free.
pub(super) fn attribute(p: &mut Parser<'_>, wanted: &str) -> Step {
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
        name(p, "the probe's name")?;
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
        let problem = p.error("port-range", format!("there is no port {text}"), p.span(), "ports are 1 to 65535");
        p.report(problem);
    } else if !p.at(INT) {
        return p.unexpected("a port, or `any tls`");
    }
    p.expect(INT)
}

pub(super) fn binding(p: &mut Parser<'_>) -> Step {
    p.node(LET, |p| {
        p.bump();
        name(p, "a name")?;
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
            name(p, "the signature's name")?;
            if p.eat_word("refines") { path(p, "the signature that this one refines") } else { Some(()) }
        })?;
        p.block(|_| false, statements::statement)
    })
    .map(|_| ())
}

fn choice(p: &mut Parser<'_>) -> Step {
    p.node(CHOICE, |p| {
        p.bump();
        p.before_block(|p| name(p, "the choice's name"))?;
        p.block(|_| false, |p| path(p, "a signature"))
    })
    .map(|_| ())
}
