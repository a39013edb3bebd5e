//! What holds for every text.

use ksig_lang::{Parsed, RenderStyle, Sources, ast, parse, render, tokens};
use proptest::prelude::*;

use crate::samples;

/// Nothing is lost, every place lies in the text, and problems can be drawn.
fn check(text: &str) -> Parsed {
    let mut end = 0;
    for (kind, span) in tokens(text) {
        assert!(span.start == end && span.end > span.start && kind.is_token(), "{kind:?} {span:?}");
        end = span.end;
    }
    assert_eq!(end as usize, text.len());
    let parsed = parse(text, 0);
    assert_eq!(parsed.syntax().to_string(), text);
    for label in parsed.diagnostics.iter().flat_map(|problem| &problem.labels) {
        assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{label:?}");
    }
    for problem in &parsed.diagnostics {
        assert!(ksig_lang::explain(problem.code).is_some(), "{}", problem.code);
    }
    parsed
}

fn draw(text: &str) {
    let mut sources = Sources::new();
    let file = sources.add("a.ksig", text);
    let problems = parse(text, file).diagnostics;
    let drawn = render(&problems, &sources, RenderStyle::default());
    assert_eq!(drawn.is_empty(), problems.is_empty());
}

/// Pieces of sources in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(pieces()).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn pieces() -> Vec<&'static str> {
    let mut pieces: Vec<&str> = Vec::new();
    for text in samples::ALL {
        pieces.extend(tokens(text).iter().map(|(_, span)| &text[span.start as usize..span.end as usize]));
    }
    pieces.extend(["\"", "\"\"\"", "/", "b/", "\\", "!=", "&&", "\r", "\u{FEFF}", "“", "　", "あ", "}", "{", "(", "]", "1.2", "9-9"]);
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_kept(text in any::<String>()) {
        check(&text);
        draw(&text);
    }

    #[test]
    fn any_soup_is_kept(text in soup()) {
        check(&text);
        draw(&text);
    }

    #[test]
    fn a_soup_that_parses_is_formatted_for_good(text in soup()) {
        let text = format!("ksig 1\nmodule a\nsignature s {{\n  word {}\n}}\n", text.replace(['{', '}'], ""));
        if let Ok(once) = ksig_lang::format(&text) {
            prop_assert_eq!(ksig_lang::format(&once).ok(), Some(once.clone()));
            prop_assert_eq!(samples::without_spans(&parse(&text, 0).ast), samples::without_spans(&parse(&once, 0).ast));
        }
    }

    /// A sample with newlines, comments and separators put in keeps its meaning through the formatter, wherever it still parses.
    #[test]
    fn a_disturbed_sample_is_formatted_for_good(which in 0..3usize, places in prop::collection::vec((any::<prop::sample::Index>(), 0..5usize), 1..12)) {
        let text = samples::ALL[which];
        let mut parts: Vec<String> = tokens(text).iter().map(|(_, span)| text[span.start as usize..span.end as usize].to_owned()).collect();
        for (at, what) in places {
            let at = at.index(parts.len());
            parts.insert(at, ["\n", " // note\n", "\n\n\n", ";", "\n/// doc\n"][what].to_owned());
        }
        let text = parts.concat();
        if let Ok(once) = ksig_lang::format(&text) {
            prop_assert_eq!(ksig_lang::format(&once).ok(), Some(once.clone()), "{}", text);
            prop_assert_eq!(samples::without_spans(&parse(&text, 0).ast), samples::without_spans(&parse(&once, 0).ast), "{}\n{}", text, once);
        }
    }
}

/// Every prefix and every suffix of the samples, as an editor sends them.
#[test]
fn cut_samples_are_kept() {
    let text = samples::EVERYTHING;
    for (at, _) in text.char_indices() {
        check(&text[..at]);
        if at % 7 == 0 {
            check(&text[at..]);
        }
    }
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in
        [("(", ")"), ("[", "]"), ("{a:", "}"), ("f(", ")"), ("not ", ""), ("x[", "]"), ("if a then b else ", ""), ("first of {", "}")]
    {
        for depth in [30, 70, 100_000] {
            let text = format!("ksig 1\nmodule a\nlet x = {}a{}\n", open.repeat(depth), close.repeat(depth));
            let parsed = check(&text);
            assert_eq!(parsed.diagnostics.iter().any(|problem| problem.code == "too-deep"), depth > 64, "{open} {depth}");
        }
        check(&format!("ksig 1\nmodule a\nlet x = {}", open.repeat(100_000)));
    }
    for (link, depth) in [(" and a", 100_000), (".a", 100_000), ("(a)", 100_000), (" otherwise a", 100_000)] {
        let parsed = check(&format!("ksig 1\nmodule a\nlet x = a{}\n", link.repeat(depth)));
        assert_eq!(parsed.diagnostics[0].code, "too-deep", "{link}");
    }
    check(&format!("ksig 1\nmodule a\nsignature s {{ match {} }}", "{ any ".repeat(100_000)));
    check(&format!("ksig 1\nmodule a\ntable t {{ a: {} }}", "list<".repeat(100_000)));
}

/// Pieces that punish a parser that looks twice, when they are repeated.
const PUNISHING: [&str; 42] = [
    "signature s {\n",
    "\nsignature s {\n  match {\n",
    "vendor v {\n",
    "{",
    "}",
    "(",
    ")",
    "[\n",
    "f(",
    "(a,\n",
    "\"\"\"",
    "http\"\"\"\n",
    "\n\"\"\"\n",
    "http\"\"\"\nlet x = y\n",
    "http\"\"\"\n  \"\"\"\n",
    "\"",
    "\"\\",
    "/",
    "/\\",
    "b/x",
    "signature s { match { a == b }\n",
    "a and ",
    "a.",
    "not ",
    "if a then ",
    "let x = (\n",
    "let x = {\n",
    "あ",
    "a\n",
    "tag t when\n",
    "b\"\\",
    "1-",
    "1.",
    "a-",
    "first of {",
    "{a:1\n",
    "probe p = x() {\n",
    "any { a\n",
    "list<",
    "// x\n",
    "\n",
    " ",
];

/// What a parser does is counted, not timed: bytes looked at, tokens, looks at tokens, and what is kept of it. Each stays below a fixed
/// multiple of the text, whether it is short, long, or on one line.
#[test]
fn work_and_memory_grow_with_the_text() {
    for unit in PUNISHING {
        for bytes in [1_000, 20_000, 400_000] {
            for head in ["ksig 1\nmodule a\n", "ksig 1\nmodule a\nsignature s {\n  match {\n    a ==", "ksig 1\nmodule a\nlet x = "] {
                let text = format!("{head}{}", unit.repeat(bytes / unit.len()));
                let parsed = parse(&text, 0);
                let effort = parsed.effort;
                assert!(effort.bytes <= 3 * text.len() + 10, "{unit:?}: {effort:?} for {} bytes", text.len());
                assert!(effort.tokens <= text.len() + 1, "{unit:?}: {effort:?}");
                assert!(effort.looks <= 80 * effort.tokens as u64 + 500, "{unit:?}: {effort:?}");
                let said: usize = parsed.diagnostics.iter().map(|problem| problem.message.en.len() + 40 * problem.labels.len()).sum();
                assert!(said <= 400 * effort.tokens + 2 * text.len(), "{unit:?}: {said} bytes of problems for {effort:?}");
                // An edit in the middle costs no more than the file.
                let middle = (head.len() + bytes / 2 / unit.len() * unit.len()) as u32;
                let mut edited = text.clone();
                edited.insert(middle as usize, '\n');
                let again = parsed.edit(&edited, ksig_lang::Span { start: middle, end: middle }, 1).effort;
                assert!(again.bytes <= 3 * edited.len() + 10 && again.looks <= 80 * again.tokens as u64 + 500, "{unit:?}: {again:?}");
            }
        }
    }
}

#[test]
fn a_deep_tree_is_lowered_and_dropped() {
    let text = format!("ksig 1\nmodule a\nlet x = a{}\n", ".b".repeat(60));
    let parsed = check(&text);
    assert!(parsed.diagnostics.is_empty());
    assert!(matches!(&parsed.ast.items[0], ast::Item::Let(item) if matches!(item.value.kind, ast::ExprKind::Field(..))));
}
