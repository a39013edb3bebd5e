//! The formatter changes the layout and nothing else.

use crate::samples::{self, without_spans};
use ksig_lang::{format, parse};

fn formatted(text: &str) -> String {
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
