//! What is said about mistakes.

use ksig_lang::{CODES, Diagnostic, Lang, RenderStyle, Sources, Text, parse, render};

fn codes(text: &str) -> Vec<&'static str> {
    parse(text, 0).diagnostics.iter().map(|problem| problem.code).collect()
}

fn rendered(text: &str) -> String {
    let mut sources = Sources::new();
    let file = sources.add("signatures/test.ksig", text);
    render(&parse(text, file).diagnostics, &sources, RenderStyle::default())
}

#[test]
fn every_code_is_explained_by_examples_that_are_true() {
    for doc in CODES {
        assert_eq!(doc.bad.is_empty(), ksig_lang::is_limit(doc.code), "{}", doc.code);
        if doc.bad.is_empty() {
            continue;
        }
        assert!(
            codes(doc.bad).iter().all(|code| *code == doc.code) && !codes(doc.bad).is_empty(),
            "{}: the bad example reports {:?}",
            doc.code,
            codes(doc.bad)
        );
        assert!(codes(doc.good).is_empty(), "{}: the good example reports {:?}", doc.code, codes(doc.good));
    }
    assert!(CODES.is_sorted_by_key(|doc| doc.code));
}

#[test]
fn a_bad_example_reports_one_mistake_once() {
    for doc in CODES.iter().filter(|doc| !doc.bad.is_empty()) {
        let most = if matches!(doc.code, "foreign-operator" | "unexpected-character") { 2 } else { 1 };
        assert!(codes(doc.bad).len() <= most, "{}: {:?}", doc.code, codes(doc.bad));
    }
}

#[test]
fn a_file_over_the_limit_is_not_parsed() {
    let text = " ".repeat(ksig_lang::SOURCE_BYTES_MAX + 1);
    let parsed = parse(&text, 0);
    assert_eq!(parsed.diagnostics[0].code, "file-too-large");
    assert_eq!(parsed.syntax().to_string(), text);
}

/// Twenty mistakes of twenty kinds, one a statement: each is reported where it stands, and nothing else is.
#[test]
fn twenty_mistakes_are_twenty_problems() {
    let text = include_str!("samples/twenty.ksig");
    let wrong: Vec<u32> =
        text.lines().zip(1..).filter(|(line, _)| line.ends_with("// wrong") || line.ends_with("\"")).map(|(_, number)| number).collect();
    let found: Vec<u32> = parse(text, 0).diagnostics.iter().map(|problem| line(text, problem)).collect();
    assert_eq!(found, wrong, "{}", rendered(text));
    assert_eq!(found.len(), 20);
    // Each says what to do: in words, or as an edit.
    insta::assert_snapshot!(rendered(text));
    for problem in parse(text, 0).diagnostics {
        assert!(problem.help.is_some() || problem.fix.is_some(), "{}: {}", problem.code, problem.message.en);
    }
}

fn line(text: &str, problem: &Diagnostic) -> u32 {
    ksig_lang::line_column(text, problem.labels[0].span.start).0
}

#[test]
fn what_is_around_a_mistake_is_still_read() {
    let parsed = parse(include_str!("samples/twenty.ksig"), 0);
    let signatures = parsed.ast.items.iter().filter(|item| matches!(item, ksig_lang::ast::Item::Signature(_))).count();
    assert_eq!(signatures, 3);
}

#[test]
fn fixes_mend() {
    for doc in CODES.iter().filter(|doc| !doc.bad.is_empty()) {
        let mut text = doc.bad.to_owned();
        for _ in 0..3 {
            let mut edits: Vec<_> =
                parse(&text, 0).diagnostics.into_iter().filter_map(|problem| problem.fix).flat_map(|fix| fix.edits).collect();
            edits.sort_by_key(|(_, span, _)| std::cmp::Reverse(*span));
            for (_, span, replacement) in edits {
                text.replace_range(span.start as usize..span.end as usize, &replacement);
            }
        }
        if text != doc.bad {
            assert_eq!(codes(&text), [""; 0], "{}: after its fix\n{text}", doc.code);
        }
    }
}

#[test]
fn pages() {
    let text = "ksig 1\nmodule test\n\nsignature title {\n\tmatch {\n\t\t\"題\": top.html.title == \"無線LANルータ\" and a or b\n\t\ttop.text.charset != \"無線\"\n\t\ttop.header[\"x\"] ~ /\u{1b}[31m赤\n\t\t（a）\n\t}\n\n  test \"t\" {\n    expect nomatch\n\nsignature next { }\n";
    insta::assert_snapshot!(rendered(text));
}

#[test]
fn several_files_and_all_parts_are_drawn() {
    let mut sources = Sources::new();
    let one = sources.add("vocab.ksig", "\u{FEFF}ksig 1\r\nmodule vocab\r\nvendor acme { }\r\n");
    let two = sources.add("sig.ksig", "ksig 1\nmodule sig\nuse vocab { acmee }\n");
    let span = |start, end| ksig_lang::Span { start, end };
    let problem = Diagnostic::warning("unknown-name", Text::quoted("there is no `acmee`"), two, span(30, 35), Text::quoted("not declared"))
        .label(one, span(34, 38), Text::quoted("this one is near"))
        .note(Text::quoted("the vocabulary is closed"))
        .help(Text::quoted("declare it, or fix the spelling\u{202e}"))
        .fix(Text::quoted("write `acme`"), two, span(30, 35), "acme");
    insta::assert_snapshot!(render(&[problem], &sources, RenderStyle::default()));
}

#[test]
fn no_control_reaches_the_terminal() {
    let controls: String =
        (0..=0x9f).filter_map(char::from_u32).filter(|c| c.is_control()).chain(['\u{202e}', '\u{2066}', '\u{200f}']).collect();
    let text = format!("ksig 1\nmodule a\nlet {controls} \"{controls}\n");
    let mut sources = Sources::new();
    let file = sources.add(format!("a{controls}.ksig"), &text);
    let mut problems = parse(&text, file).diagnostics;
    let said = || Text::quoted(controls.clone());
    problems.push(Diagnostic::error("x", said(), file, ksig_lang::Span { start: 0, end: 4 }, said()).help(said()).note(said()).fix(
        said(),
        file,
        ksig_lang::Span { start: 0, end: 4 },
        &controls,
    ));
    let drawn = render(&problems, &sources, RenderStyle::default());
    assert!(drawn.chars().all(|c| c == '\n' || !c.is_control() && !"\u{202e}\u{2066}\u{200f}".contains(c)), "{drawn:?}");
    assert!(drawn.contains(r"\u{1b}") && drawn.contains(r"\u{9b}"));
}

#[test]
fn a_span_that_lies_nowhere_does_not_hurt() {
    let mut sources = Sources::new();
    let file = sources.add("a", "あ");
    let wild = ksig_lang::Span { start: 1, end: u32::MAX };
    let problem = Diagnostic::error("x", Text::quoted("m"), file, wild, Text::NONE)
        .label(file + 1, wild, Text::quoted("no such file"))
        .fix(Text::quoted("f"), file, wild, "い");
    assert!(render(&[problem], &sources, RenderStyle { color: true, lang: Lang::Ja }).contains('m'));
}

#[test]
fn lines_and_columns_count_characters() {
    let text = "\u{FEFF}あ\r\nいxう";
    assert_eq!(
        [0, 3, 6, 8, 11, 12, 15, 99].map(|at| ksig_lang::line_column(text, at)),
        [(1, 1), (1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (2, 4), (2, 4)]
    );
}

#[test]
fn bytes_that_are_no_text_are_placed() {
    let error = ksig_lang::decode_source(b"ksig 1\n// \xe3\x81\x82\x83x".to_vec()).unwrap_err();
    assert_eq!((error.line, error.column, error.offset, error.byte), (2, 5, 13, 0x83));
    assert_eq!(error.to_string(), "line 2, column 5: the byte 0x83 is not UTF-8; save the file as UTF-8");
    assert_eq!(ksig_lang::decode_source("あ".into()).as_deref(), Ok("あ"));
}
