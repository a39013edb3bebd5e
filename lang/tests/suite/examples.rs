//! The whole grammar once: files that hold every construct parse without a problem, into all that they say.

use ksig_lang::{ast::*, parse};

fn clean(text: &str) -> File {
    let parsed = parse(text, 0);
    assert_eq!(parsed.syntax().to_string(), text);
    assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
    parsed.ast
}

/// The design's examples stand beside a working copy, not in it.
#[test]
fn the_examples_of_the_design_parse() {
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = manifest.ancestors().skip(1).map(|folder| folder.join("shared/examples")).find(|folder| folder.is_dir());
    let Some(folder) = std::env::var_os("KSIG_EXAMPLES").map(Into::into).or(beside) else {
        println!("not run: there is no folder shared/examples beside the working copy, and KSIG_EXAMPLES names none");
        return;
    };
    let entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!entries.is_empty());
    for path in entries {
        let file = clean(&std::fs::read_to_string(path).unwrap());
        assert!(file.items.iter().any(|item| matches!(item, Item::Signature(signature) if signature.body.len() > 3)));
    }
}
