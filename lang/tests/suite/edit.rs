//! After an edit a file is what a fresh parse of it is, and only the items around the edit were parsed.

use std::fmt::Write as _;

use ksig_lang::{Parsed, Span, parse};

use crate::oracle::Dice;
use crate::samples;

/// Edits of the normal run, for each source.
const EDITS: usize = 1_500;

/// What edits put in: pieces that open, close and cut.
const PIECES: [&str; 40] = [
    "",
    "",
    " ",
    "\n",
    "\n\n",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\"\"\"",
    "http\"\"\"\n",
    "\n\"\"\"\n",
    "/",
    "//",
    "// x\n",
    "/// x\n",
    "x",
    "-",
    "=",
    ";",
    ",",
    "signature",
    "signature a {\n",
    "\nsignature a {\n}\n",
    "\nlet b = c\n",
    "let b = c",
    "\ntag d\n",
    "\nmodule e\n",
    "module e\n",
    "\nuse f { g }\n",
    "use",
    "\nvendor h {\n",
    "ksig 1\n",
    "あ",
    "\r\n",
    "\u{FEFF}",
    "\n  probe p = q()\n",
];

fn sources() -> Vec<String> {
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources: Vec<String> = samples::ALL.map(str::to_owned).into();
    sources.push(include_str!("samples/twenty.ksig").to_owned());
    for file in ["vocab/classes.ksig", "server/apache.ksig", "server/vsftpd.ksig"] {
        sources.push(std::fs::read_to_string(manifest.join("../signatures").join(file)).unwrap());
    }
    sources
}

/// A span between characters, mostly a short one.
fn somewhere(text: &str, dice: &mut Dice) -> Span {
    let mut place = |from: usize, most: usize| {
        let mut at = (from + dice.roll(most.max(1))).min(text.len());
        while !text.is_char_boundary(at) {
            at += 1;
        }
        at
    };
    let start = place(0, text.len() + 1);
    let most = [1, 1, 2, 10, 200, text.len()][place(0, 6).min(5)];
    Span { start: start as u32, end: place(start, most) as u32 }
}

fn assert_same(edited: &Parsed, text: &str, from: &str) {
    let fresh = parse(text, 0);
    assert_eq!(edited.syntax().to_string(), text);
    assert!(edited.tree == fresh.tree, "the trees differ\n{from}\n=====\n{text}");
    assert_eq!(edited.diagnostics, fresh.diagnostics, "the problems differ\n{from}\n=====\n{text}");
    assert!(edited.ast == fresh.ast, "the asts differ\n{from}\n=====\n{text}");
}

#[test]
fn an_edited_file_is_a_parsed_one() {
    let mut dice = Dice::new(11);
    for source in sources() {
        let mut text = source.clone();
        let mut parsed = parse(&text, 0);
        for count in 0..EDITS {
            let span = somewhere(&text, &mut dice);
            let piece = match dice.roll(3) {
                0 => {
                    let from = somewhere(&source, &mut dice);
                    source[from.start as usize..from.end as usize].to_owned()
                }
                _ => PIECES[dice.roll(PIECES.len())].to_owned(),
            };
            let before = text.clone();
            text.replace_range(span.start as usize..span.end as usize, &piece);
            parsed = parsed.edit(&text, span, piece.len() as u32);
            assert_same(&parsed, &text, &before);
            // From time to time the file is whole again, so that edits meet files with few mistakes too.
            if count % 5 == 4 || text.len() > 2 * source.len() + 1000 {
                let span = Span { start: 0, end: text.len() as u32 };
                parsed = parsed.edit(&source, span, source.len() as u32);
                assert_same(&parsed, &source, &text);
                text.clone_from(&source);
            }
        }
    }
}

#[test]
fn an_edit_parses_what_it_touches() {
    let mut text = String::from("ksig 1\nmodule a\nuse vocab.vendors { acme }\nprobe top = http.get(\"/\")\n");
    for number in 0..1_000 {
        let _ = write!(text, "\n/// Family {number}.\nsignature s{number} {{\n  match {{\n    top.html.title == \"{number}\"\n  }}\n}}\n");
    }
    let whole = parse(&text, 0);
    let one = whole.effort.tokens / 1_000;
    let at = text.find("== \"500\"").unwrap() as u32 + 4;
    let (before, mut after) = (text.clone(), text);
    after.insert_str(at as usize, "new ");
    let edited = whole.clone().edit(&after, Span { start: at, end: at }, 4);
    assert_same(&edited, &after, &before);
    assert!(edited.effort.tokens < 2 * one, "{} tokens were cut, a signature has {one}", edited.effort.tokens);
    assert!(edited.effort.looks * 500 < whole.effort.looks, "{:?} of {:?}", edited.effort, whole.effort);
    // The items before and behind are the same memory.
    let shared = |parsed: &Parsed, name: &str| {
        let wanted = format!("signature {name} {{");
        let tree = parsed.tree.children().filter_map(|child| child.into_node().map(std::ptr::from_ref));
        let places: Vec<_> = parsed.syntax().children().map(|node| node.text().to_string().starts_with(&wanted)).collect();
        tree.zip(places).find(|(_, is)| *is).map(|(node, _)| node)
    };
    for name in ["s0", "s499", "s501", "s999"] {
        assert_eq!(shared(&whole, name), shared(&edited, name), "{name} was built again");
    }
    assert_ne!(shared(&whole, "s500"), shared(&edited, "s500"));

    // A new first line is part of the one before until it is an item.
    let at = before.find("signature s700").unwrap() as u32;
    let mut after = before.clone();
    after.insert(at as usize, 'x');
    let edited = whole.edit(&after, Span { start: at, end: at }, 1);
    assert_same(&edited, &after, &before);
    assert!(edited.effort.tokens < 3 * one, "{:?}", edited.effort);
}

#[test]
fn an_edit_that_fits_nowhere_is_a_fresh_parse() {
    let text = "ksig 1\nmodule a\nlet b = \"あ\"\n";
    for (start, end, inserted) in [(0, 99, 0), (5, 3, 0), (0, 0, 7), (u32::MAX, u32::MAX, 1), (0, u32::MAX, u32::MAX), (26, 26, 0)] {
        assert_same(&parse("ksig 1\n", 0).edit(text, Span { start, end }, inserted), text, "ksig 1\n");
        assert_same(&parse(text, 0).edit(text, Span { start, end }, inserted), text, text);
    }
}
