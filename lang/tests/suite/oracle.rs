//! The parser takes what the normative grammar takes, and refuses what it refuses.

use std::collections::BTreeSet;

use pest::Parser;

use crate::samples;

#[derive(pest_derive::Parser)]
#[grammar = "../spec/ksig.pest"]
struct Grammar;

/// Rules that pest may try for one text: it tries some of a deep nest again and again, and then says nothing of it.
const CALLS_MAX: usize = 50_000_000;

/// Both take the text, or both refuse it; tells which. What is nested too deep is refused by the parser alone.
pub fn agree(text: &str) -> bool {
    shown(text).is_some()
}

/// The rules that pest names in its tree of the text, when both take it; absent when both refuse it.
pub fn shown(text: &str) -> Option<BTreeSet<String>> {
    pest::set_call_limit(std::num::NonZeroUsize::new(CALLS_MAX));
    let problems = ksig_lang::parse(text, 0).diagnostics;
    match Grammar::parse(Rule::file, text) {
        Ok(pairs) if problems.is_empty() => {
            let rules: BTreeSet<Rule> = pairs.flatten().map(|pair| pair.as_rule()).collect();
            Some(rules.into_iter().map(|rule| format!("{rule:?}")).collect())
        }
        Err(_) if !problems.is_empty() => None,
        Ok(_) if problems.iter().all(|problem| problem.code == "too-deep") => None,
        Ok(_) => panic!("the grammar takes it, the parser says {problems:#?}\n{text}"),
        Err(error) => panic!("the parser takes it, the grammar says {error}\n{text}"),
    }
}

#[test]
fn the_samples_are_sources() {
    for text in samples::ALL {
        assert!(agree(text));
    }
}

/// Lines at the places where the two could differ, each in a signature's `match` and as a `let`.
#[test]
fn the_corners_agree() {
    let lines = [
        "a",
        "a.b.0.1.2",
        "a.0x",
        "a.0.b",
        "a.0.b.1.2.c",
        "a.0 .b",
        "a. 0.b",
        "a.\n0.b",
        "a.0.1 .2.b",
        "a.0.b-c",
        "a.0-1.b",
        "a.0.1b",
        "a.0.b\"c\"",
        "a.0.b/c/",
        "a.-1.b",
        "a.5s.b",
        "a.0..<b.1.c",
        "a.1234567890123456789.b",
        "a.0.1234567890123456789.b",
        "1.b",
        "1 .b",
        "1.2.3.b",
        "a.-1",
        "a-b",
        "a -1",
        "a- 1",
        "1.5",
        "1.2.3",
        "1..<2",
        "a ..< b",
        "a...<b",
        "x[0]",
        "x[0,]",
        "x[]",
        "f(,)",
        "f(a,)",
        "f(a b)",
        "f(n: 1)",
        "f(and: 1)",
        "f(ends: 1)",
        "{}",
        "{ a: 1 }",
        "{ and: 1 }",
        "{ ends: 1 }",
        "{ a.0.b: 1, \"c\": 2 }",
        "{ v\"a\": 1 }",
        "a and b or c",
        "(a and b) or c",
        "a and\n b",
        "a\n and b",
        "a\n contains b",
        "a contains\n b",
        "a == b == c",
        "a != b",
        "a = b",
        "a absent",
        "a absent absent",
        "absent absent",
        "not not a",
        "not a and b",
        "a and not b",
        "a == not b",
        "if a then b else c",
        "a and if b then c else d",
        "(if a then b else c)",
        "if a\nthen b\nelse c",
        "first of { a }",
        "first of { }",
        "first of { a; b\n c }",
        "first of a",
        "first",
        "first.of",
        "at least 2 of { a }",
        "at least 0 of { a }",
        "at least 1000 of { a }",
        "at least x of { a }",
        "at least",
        "at x",
        "at",
        "by 2026-01-01",
        "by (x)",
        "by absent",
        "leading 2",
        "leading in x",
        "at_least v\"1\" ..< b",
        "any { a }",
        "any{a;b}",
        "any h in x { a }",
        "any h in x",
        "all in x",
        "any",
        "none x",
        "none { }",
        "table in x",
        "table x",
        "tag x",
        "probe == 1",
        "match { a }",
        "match == a",
        "signature",
        "let x",
        "\"l\": a",
        "\"l\":\n a",
        "v\"l\": a",
        "\"l\" : \"m\"",
        "\"l\"",
        "/x/",
        "/x/i",
        "/x/ii",
        "/[/]/",
        "/\\//",
        "/a",
        "//",
        "b/x/",
        "b//",
        "b /x/",
        "ab/x/",
        "b\"\\x00\"",
        "b\"é\"",
        "\"\\x00\"",
        "\"\\u{0}\"",
        "\"\\u{110000}\"",
        "\"\\u{10FFFF}\"",
        "\"\\u{d800}\"",
        "\"\\u{00D8FF}\"",
        "\"\\u{00d7ff}\"",
        "\"\\u{}\"",
        "\"\\u{0000000}\"",
        "\"\\u{000041}\"",
        "b\"\\u{41}\"",
        "\"\\q\"",
        "\"a",
        "\"\"",
        "\"\"\"",
        "\"\"\"\"",
        "in\"x\"",
        "x \"y\"",
        "http\"\"\"\n\"\"\"",
        "-5",
        "--5",
        "5-5",
        "12345678901234567890",
        "123456789012345678",
        "1234567890123456789",
        "2026-12-31",
        "2026-2-30",
        "2026-02-29",
        "2024-02-29",
        "2000-02-29",
        "1900-02-29",
        "0000-02-29",
        "2026-04-31",
        "2026-13-01",
        "2026-00-10",
        "2026-10-00",
        "5s",
        "5ms",
        "5min",
        "5d",
        "-5s",
        "1.2.3.4",
        "1.2.3.",
        ".1",
        "a.b.",
        "a . b",
        "a .0",
        "a(b)(c)[d].e",
        "a (b)",
        "a [b]",
        "a b",
        "a == b c",
        "a ~ /x/ b",
        "a ~~ b",
        "a =~ b",
        "a !~ b",
        "a && b",
        "a || b",
        "!a",
        "a <= b",
        "a =< b",
        "a <== b",
        "a => b",
        "a === b",
        "a has b",
        "has a",
        "a in",
        "in",
        "a under 1.3.6",
        "a otherwise b",
        "a otherwise b and c otherwise d",
        "otherwise",
        "when",
        "for",
        "true",
        "not",
        "a,b",
        "(a",
        "a)",
        "[a",
        "a]",
        "[a,\nb\n,c,\n]",
        "[a\nb]",
        "(\na\n)",
        "f(\n)",
        "f(\na\n,\nb)",
        "{\na: 1\nb: 2\n}",
        "{ a: 1\n, b: 2,\n}",
        "{ a: 1 b: 2 }",
        "{ a: 1,, b: 2 }",
        "a; b",
        "a;;b",
        "; a",
        "a }",
        "{ a",
        "a // c\n and b",
        "a and // c\n b",
        "/// d\na",
        "a\r\n and b",
        "a\rb",
        "a\u{3000}b",
        "a#b",
        "a\u{FEFF}b",
        "é",
        "\u{0}",
        "a ==\ntag x",
        "a ==\nlet in b",
        "a ==\ntest \"x\"",
        "a ==\nmatch { b }",
        "f(a,\nprobe x)",
        "a\n..< b",
        "a ..<\n b",
        "a\n< b",
        "a <\n b",
    ];
    for line in lines {
        agree(&format!("ksig 1\nmodule m\nsignature s {{\n  match {{\n    {line}\n  }}\n}}\n"));
        agree(&format!("ksig 1\nmodule m\nsignature s {{\n{line}\n}}\n"));
        agree(&format!("ksig 1\nmodule m\nlet x = {line}\n"));
        agree(&format!("ksig 1\nmodule m\ntable t {{\n  row {line}\n}}\n"));
        agree(&format!("ksig 1\nmodule m\nvendor v {{\n  word {line}\n}}\n"));
        agree(&format!("ksig 1\nmodule m\nsignature s {{\n  identify {{\n  model = {line}\n}}\n extract {{\n x : text = {line} }} }}"));
        agree(&format!("ksig 1\nmodule m\nsignature s {{\n  tag t({line}) for r in {line} where {line} when {line}\n}}\n"));
        agree(&format!("ksig 1\nmodule m\nsignature s {{\n  test \"t\" at {line} {{\n given t = {line} }}\n}}\n"));
        agree(&format!("ksig 1\nmodule m\nprobe p = {line} on 80 {{ {line} }}\nscheme s = {line}\n"));
        agree(&format!("ksig 1\nmodule m\n{line}\n"));
        agree(line);
    }
}

#[test]
fn headers_and_items_agree() {
    let files = [
        "",
        "ksig 1",
        "ksig 2\nmodule a",
        "ksig 1 module a",
        "ksig 1;module a",
        "ksig 01\nmodule a",
        "ksig 1\n\nmodule a.b.c",
        "ksig 1\nmodule in",
        "ksig 1\nmodule a.in",
        "ksig 1\nmodule a\nuse b { c }\nlet x = y\nuse d { e }",
        "ksig 1\nmodule a\nuse b {}",
        "ksig 1\nmodule a\nuse b",
        "ksig 1\nmodule a\nuse b { c d }",
        "ksig 1\nmodule a let x = y",
        "ksig 1\nmodule a choice either { }",
        "ksig 1\nmodule a // note\n}",
        "ksig 1\nmodule a\nmodule b",
        "ksig 1\nmodule a\nuse b {\nc\n,\nd,\n}",
        "module a\nksig 1",
        "ksig 1\nmodule a\n}",
        "ksig 1\nmodule a\nclass x",
        "ksig 1\nmodule a\nclass x.y {\n}",
        "ksig 1\nmodule a\nclass x\n{\n}",
        "ksig 1\nmodule a\ntag x(a: text?, b: list<list<cve>>,) { }",
        "ksig 1\nmodule a\ntag x() {}",
        "ksig 1\nmodule a\nvendor x(a: text) {}",
        "ksig 1\nmodule a\ntable t { a: version(b)?, c: text }",
        "ksig 1\nmodule a\ntable t { a: version(b)? key; row: text; row 1 }",
        "ksig 1\nmodule a\ntable t from b\"x\" { }",
        "ksig 1\nmodule a\ntable t { a: list<b>(c)? key key }",
        "ksig 1\nmodule a\nprobe p = x on 0",
        "ksig 1\nmodule a\nprobe p = x on 65535, 1",
        "ksig 1\nmodule a\nprobe p = x on 65536",
        "ksig 1\nmodule a\nprobe p = x on 080",
        "ksig 1\nmodule a\nprobe p = x on any tls",
        "ksig 1\nmodule a\nprobe p = x on any",
        "ksig 1\nmodule a\nprobe p = x on 1, any tls",
        "ksig 1\nmodule a\nchoice c { a b }",
        "ksig 1\nmodule a\nchoice c { a; b.in\nc }",
        "ksig 1\nmodule a\nchoice c { table }",
        "ksig 1\nmodule a\nchoice c { table x }",
        "ksig 1\nmodule a\nsignature refines refines b { }",
        "ksig 1\nmodule a\nsignature a refines { }",
        "ksig 1\nmodule a\nsignature a { choice b }",
        "ksig 1\nmodule a\nsignature a { choice-b }",
        "ksig 1\nmodule a\nsignature a { x [a, b and c] \"d\" 1.2.3 e-f g.h.0 , i }",
        "ksig 1\nmodule a\nsignature a { x , }",
        "ksig 1\nmodule a\nsignature a { x y, }",
        "ksig 1\nmodule a\nsignature a { x a,\nprobe y\n}",
        "ksig 1\nmodule a\nsignature a {\nprobe y = z\ntag b\nlet c = d\n}",
        "ksig 1\nmodule a\nsignature a { extract { ends: text = x } }",
        "ksig 1\nmodule a\nsignature a { extract { e: list<text>= x } }",
        "ksig 1\nmodule a\nsignature a { extract { e: text?= x } }",
        "ksig 1\nmodule a\nsignature a { identify { ends = x } }",
        "ksig 1\nmodule a\nsignature a { component x { } }",
        "ksig 1\nmodule a\nsignature a { identify x { } }",
        "ksig 1\nmodule a\nsignature a { follow f = g(h) at i; follow f =\n g }",
        "ksig 1\nmodule a\nsignature a { test \"t\" { expect no_match because v\"x\" } }",
        "ksig 1\nmodule a\nsignature a { test \"t\" { expect resolved unknown; expect resolved {} } }",
        "ksig 1\nmodule a\nsignature a { test \"t\" { expect tags { a } } }",
        "ksig 1\nmodule a\nsignature a { test \"t\" { expect tags [a,] ; expect sent [\n] } }",
        "ksig 1\nmodule a\nsignature a { test \"t\" { given x = timeout {} ; given y = timeout from 1.2.3 } }",
        "ksig 1\nmodule a\nsignature a { test \"t\" { given x = fixture(\n\"a\"\n) from \"b\" } }",
        "ksig 1\nmodule a\nsignature a { test \"t\" { given x = fixture; given y = fixture {} } }",
        "ksig 1\nmodule a\nsignature a { test \"t\" { given x = http\"\"\" a\n\"\"\" } }",
        "ksig 1\nmodule a\nsignature a { test \"t\" { given x = http\"\"\"\n a \"\"\"\n\"\"\" } }",
        "ksig 1\nmodule a\nsignature a { test \"t\" { given x = \"\"\"\n\"\"\" } }",
        "ksig 1\nmodule a\nsignature a { example 1 in x => nothing; example \"a\" in b => { c: 1 } }",
        "ksig 1\nmodule a\nsignature a { example x in y => nothing }",
        "\u{FEFF}ksig 1\nmodule a",
        " \u{FEFF}ksig 1\nmodule a",
    ];
    for file in files {
        agree(file);
    }
}

/// A generator that gives the same numbers on every machine.
pub struct Dice(u64);

impl Dice {
    /// Begun with a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// From 0 to `sides - 1`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// Drops, doubles, swaps, copies or replaces a piece.
pub fn mutate(tokens: &mut Vec<&str>, dice: &mut Dice) {
    let (at, other) = (dice.roll(tokens.len()), dice.roll(tokens.len()));
    match dice.roll(5) {
        0 => {
            tokens.remove(at);
        }
        1 => tokens.insert(at, tokens[at]),
        2 => tokens.swap(at, other),
        3 => tokens.insert(at, tokens[other]),
        _ => tokens[at] = tokens[other],
    }
}
