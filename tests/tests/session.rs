//! A session means the same as its texts: after any edits, settled, it has the problems that a check of the whole set has.

use ksig::analysis::{Rules, check_by, world};
use ksig_compiler::{Input, Session};
use ksig_lang::Diagnostic;
/// Picks that are the same on every machine.
struct Picks(u64);

impl Picks {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

fn is_lint(problem: &Diagnostic) -> bool {
    ksig_compiler::lints::ALL.iter().any(|lint| lint.doc.code == problem.code)
}

/// What a check of all texts from the beginning says.
fn expected(input: &Input) -> Vec<Diagnostic> {
    check_by(input, &Rules::default()).diagnostics
}

/// What the session says, as a check would: lints only where nothing is an error.
fn found(session: &mut Session) -> Vec<Diagnostic> {
    while session.settle().is_some() {}
    session.lint_set();
    let silent = session.has_errors();
    session.diagnostics().into_iter().filter(|problem| !silent || !is_lint(problem)).cloned().collect()
}

/// An edit that people make: a piece of the text is left out, doubled, written otherwise, or taken from elsewhere.
fn edited(picks: &mut Picks, text: &str, other: &str) -> String {
    let tokens = ksig_lang::tokens(text);
    let (_, span) = tokens[picks.below(tokens.len())];
    let (before, piece, after) = (&text[..span.start as usize], &text[span.start as usize..span.end as usize], &text[span.end as usize..]);
    match picks.below(6) {
        0 => format!("{before}{after}"),
        1 => format!("{before}{piece} {piece}{after}"),
        2 => format!("{before}{piece}x{after}"),
        3 => format!("// 一行\n{text}"),
        4 => {
            let lines: Vec<&str> = other.lines().collect();
            let line = lines[picks.below(lines.len())];
            let at = before.rfind('\n').map_or(0, |newline| newline + 1);
            format!("{}{line}\n{}", &text[..at], &text[at..])
        }
        _ => {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.remove(picks.below(lines.len()));
            lines.join("\n")
        }
    }
}

fn compare(input: Input, edits: usize, seed: u64) {
    let schema = ksig_protocols::schema();
    let mut now = input.clone();
    let mut session = Session::new(input.clone(), world(&schema), Default::default());
    assert_eq!(found(&mut session), expected(&now), "as it was read");
    assert!(!session.has_errors(), "the files are right before they are edited: {:#?}", session.diagnostics());
    let mut picks = Picks(seed);
    for nth in 0..edits {
        // Several edits stand before they are taken back, one after another.
        if nth % 4 == 3 {
            for (file, source) in (0..).zip(&input.sources) {
                session.edit(file, &source.text);
            }
            now = input.clone();
        } else {
            let (file, other) = (picks.below(now.sources.len()), picks.below(now.sources.len()));
            let text = edited(&mut picks, &now.sources[file].text, &now.sources[other].text);
            session.edit(file as u32, &text);
            now.sources[file].text = text;
        }
        let (found, expected) = (found(&mut session), expected(&now));
        let only = |these: &[Diagnostic], those: &[Diagnostic]| -> Vec<Diagnostic> {
            these.iter().filter(|one| !those.contains(one)).cloned().collect()
        };
        let texts: Vec<&str> = now.sources.iter().map(|source| source.text.as_str()).filter(|_| input.sources.len() < 10).collect();
        assert!(
            found == expected,
            "edit {nth} of\n{}\nonly the session: {:#?}\nonly the check: {:#?}",
            texts.join("\n"),
            only(&found, &expected),
            only(&expected, &found)
        );
    }
}

#[test]
fn edits_of_the_corpus_mean_what_a_check_says() {
    let corpus = ksig::bundled::signatures().expect("the bundled signatures are text");
    compare(corpus, 60, 1);
}

#[test]
fn edits_of_files_that_build_on_each_other_mean_what_a_check_says() {
    let files = [
        (
            "vocab",
            "ksig 1\nmodule vocab\nvendor acme { name \"ACME\" }\nvendor apex { name \"Apex\" }\nclass router { en \"Router\"; ja \"ルーター\" }\ntag eol(on: date) { en \"End of life\"; ja \"サポート終了\" }\n",
        ),
        (
            "a",
            "ksig 1\nmodule a\nuse vocab { acme }\nscheme rev = dotted(parts: 3)\ntable models {\n  model: text key\n  ends: date\n  row \"AC-1\", 2020-01-01\n  row \"AC-2\", 2021-01-01\n}\nprobe top = http.get(\"/\")\nlet titled = top.html.title starts \"ACME\"\nsignature base {\n  summary \"ACME by title\"\n  match { titled; top.html.title ~ /^ACME (?<model>AC-\\d)(?: V(?<fw: version(rev)>[\\d.]+))?$/ }\n  identify { vendor = acme; class = router; model = model; version = fw }\n  example \"ACME AC-1\" in top.html.title => { model: \"AC-1\" }\n  example \"ACME\" in top.html.title => nothing\n}\n",
        ),
        (
            "b",
            "ksig 1\nmodule b\nuse a { base, top, models, titled }\nuse vocab { eol }\nsignature narrow refines base {\n  summary \"ACME of a table\"\n  match { top.header[\"server\"] == \"acme\"; titled }\n  let row = models[model]\n  tag eol(on: row.ends)\n  test \"a page\" {\n    given top = http { html.title: \"ACME AC-1\", \"header.server\": \"acme\" }\n    expect identify { vendor: acme, model: \"AC-1\" }\n    expect tags [eol]\n  }\n}\nsignature narrower refines narrow {\n  summary \"narrower\"\n  match { top.status == 200 }\n}\n",
        ),
        (
            "c",
            "ksig 1\nmodule c\nuse vocab { apex }\nprobe top = http.get(\"/\")\nsignature one {\n  match { top.html.title == \"AC\" }\n  identify { vendor = apex; model = \"AC\" }\n}\nsignature two refines b.narrow {\n  match { top.html.title == \"AC\" }\n}\nsignature three {\n  match { top.html.title == \"AC\" }\n  identify { vendor = apex; model = \"AD\" }\n}\nchoice both {\n  one\n  three\n}\n",
        ),
    ];
    let source = |(name, text): &(&str, &str)| ksig_compiler::Source {
        path: format!("{name}.ksig"),
        module: Some((*name).into()),
        folder: String::new(),
        text: (*text).into(),
    };
    let refining = &files[2].1[files[2].1.find("signature narrow").expect("a signature")..];
    let one = files[1].1.replace("use vocab { acme }", "use vocab { acme, eol }") + refining;
    let alone = [files[0], ("a", one.as_str())];
    for seed in 0..8 {
        // All of them in one file, where an edit spares most.
        compare(Input { sources: alone.iter().map(source).collect(), ..Input::default() }, 200, seed);
        compare(Input { sources: files.iter().map(source).collect(), ..Input::default() }, 200, seed);
    }
}
