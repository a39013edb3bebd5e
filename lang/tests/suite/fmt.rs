//! The formatter changes the layout and nothing else.

use crate::samples::{self, without_spans};
use ksig_lang::{format, parse};

pub fn formatted(text: &str) -> String {
    let once = format(text).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
    assert_eq!(without_spans(&parse(text, 0).ast), without_spans(&parse(&once, 0).ast), "says something else:\n{once}");
    assert_eq!(format(&once).as_deref(), Ok(once.as_str()), "a second time changes it");
    assert_eq!(comments(text), comments(&once));
    once
}

fn comments(text: &str) -> Vec<String> {
    let tokens = ksig_lang::tokens(text).into_iter();
    let comments = tokens.filter(|(kind, _)| matches!(kind, ksig_lang::SyntaxKind::COMMENT | ksig_lang::SyntaxKind::DOC_COMMENT));
    comments.map(|(_, span)| text[span.start as usize..span.end as usize].trim_end().to_owned()).collect()
}

#[test]
fn a_source_in_the_layout_stays() {
    assert_eq!(formatted(samples::EVERYTHING), samples::EVERYTHING);
}

#[test]
fn every_sample_says_the_same_afterwards() {
    for text in samples::ALL {
        formatted(text);
        assert_eq!(formatted(&text.replace('\n', "\r\n")), formatted(text));
        assert_eq!(formatted(&format!("\u{FEFF}{text}")), formatted(text));
    }
}

#[test]
fn spaces_and_separators_become_one_style() {
    let text = "ksig   1;module a . b;let x=[1,2 ,3 , ]\n\n\n\nlet y = { a :1\n b: 2 }   // why\nsignature s{match{a==b;;c}\n\n\n identify{\n\nmodel=m;version=v}}";
    assert_eq!(
        formatted(text),
        "ksig 1\nmodule a.b\nlet x = [1, 2, 3]\n\nlet y = { a: 1, b: 2 } // why\nsignature s {\n  match { a == b; c }\n\n  identify {\n    model = m\n    version = v\n  }\n}\n"
    );
}

#[test]
fn comments_stay_where_they_say_something() {
    let text = "// top\n\n\n// of file\nksig 1 // one\nmodule a\n/// doc\n  let x = [ // first\n 1 // one\n , // two\n 2\n // last\n]\nlet y = a // left\n  and // why\n  b\nsignature s { // open\n  // only\n}\n\n\n// end\n";
    assert_eq!(
        formatted(text),
        "// top\n\n// of file\nksig 1 // one\nmodule a\n/// doc\nlet x = [ // first\n  1, // one\n  // two\n  2,\n  // last\n]\nlet y = a // left\n  and // why\n  b\nsignature s { // open\n  // only\n}\n\n// end\n"
    );
}

#[test]
fn a_comment_behind_a_separator_that_goes_follows_nothing() {
    assert_eq!(formatted(";// top\nksig 1\nmodule a\n"), "// top\nksig 1\nmodule a\n");
    assert_eq!(formatted("ksig 1\n; // why\nmodule a\n"), "ksig 1\n// why\nmodule a\n");
}

#[test]
fn a_lone_separator_is_no_empty_line() {
    let doc = |text: &str| match parse(text, 0).ast.items.remove(0) {
        ksig_lang::ast::Item::Class(class) => class.doc,
        other => panic!("{other:?}"),
    };
    let behind = "ksig 1\nmodule a; /// of no item\nclass b { }\n";
    assert_eq!((doc(behind), doc(&formatted(behind))), (String::new(), String::new()));
    formatted("ksig 1\nmodule a\nsignature s { /// of no probe\n\n  probe p = q()\n}\n");
    for (between, wanted) in [("\n;\n", "doc"), ("\n\n;\n", ""), ("\n;\n\n", ""), ("\n;;\n;\n", "doc")] {
        let text = format!("ksig 1\nmodule a\n/// doc{between}class b {{ }}\n");
        assert_eq!(doc(&text), wanted, "{text}");
        assert_eq!(doc(&formatted(&text)), wanted, "{text}");
    }
}

#[test]
fn a_carriage_return_before_a_line_end_is_text() {
    for heredoc in ["http\"\"\"\r\r\n a\r\n \"\"\"", "http\"\"\"\r\n a\r\r\n \"\"\""] {
        formatted(&format!("ksig 1\nmodule a\nsignature s {{\n  test \"t\" {{\n    given p = {heredoc}\n  }}\n}}\n"));
    }
}

#[test]
fn digits_behind_a_dot_stay_a_name_of_their_own() {
    assert_eq!(
        formatted("ksig 1\nmodule a\nlet x = b.0 .c.1.2 .d\nlet y = 2024-02-29 .e\n"),
        "ksig 1\nmodule a\nlet x = b.0.c.1.2.d\nlet y = 2024-02-29 .e\n"
    );
}

#[test]
fn literals_keep_every_byte() {
    let regex = r#"/^ (?<a>\/|"x") \u{3042}$/iufold_width"#;
    let heredoc = "http\"\"\"  \n    A:  b  \n\tx\n\n  \"\"\"";
    let text = format!("ksig 1\nmodule a\nlet r = a ~ {regex}\nsignature s {{\ntest \"t\" {{ given t = {heredoc} }}\n}}\n");
    let out = formatted(&text);
    assert!(out.contains(regex) && out.contains(heredoc), "{out}");
}

#[test]
fn a_source_with_problems_is_not_touched() {
    let problems = format("ksig 1\nmodule a\nlet x = \n").unwrap_err();
    assert_eq!(problems.len(), 1);
}
