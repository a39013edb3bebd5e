//! The examples in the documents for newcomers do what they say.
//!
//! ```` ```console ```` fences: each `$ ` line runs in a shell at the root of the repository with `ksig` on its path and must succeed; lines below
//! it must stand in the output in that order. ```` ```ksig ```` fences must compile.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the root of the repository")
}

/// Fences of a document with their language, first line number and text.
fn fences(text: &str) -> Vec<(String, usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((language.trim().to_string(), number + 2, String::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some((_, _, body))) => {
                body.push_str(line);
                body.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

#[test]
fn console_examples_run_and_print_what_the_documents_show() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    for name in ["signatures", "scanner"] {
        std::os::unix::fs::symlink(root().join(name), scratch.path().join(name)).expect("a link");
    }
    let commands = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(ksig_tests::binary::ksig(), commands.path().join("ksig")).expect("a link");
    let path = format!("{}:{}", commands.path().display(), std::env::var("PATH").unwrap_or_default());
    let mut ran = 0;
    for document in ["README.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root().join(document)).expect(document);
        for (language, line, body) in fences(&text) {
            if language != "console" {
                continue;
            }
            let mut lines = body.lines().peekable();
            while let Some(command) = lines.next().and_then(|line| line.strip_prefix("$ ")) {
                let output =
                    Command::new("sh").arg("-c").arg(command).current_dir(scratch.path()).env("PATH", &path).output().expect("a shell");
                let shown = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                assert!(output.status.success(), "{document}:{line}: `{command}` failed:\n{shown}");
                let mut rest = shown.as_str();
                while let Some(expected) = lines.next_if(|line| !line.starts_with("$ ")) {
                    let at = rest
                        .find(expected)
                        .unwrap_or_else(|| panic!("{document}:{line}: `{command}` does not print\n{expected}\nbut\n{shown}"));
                    rest = &rest[at + expected.len()..];
                }
                ran += 1;
            }
        }
    }
    assert!(ran >= 5, "only {ran} console examples were found");
}

#[test]
fn ksig_examples_compile() {
    let mut compiled = 0;
    for document in ["README.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root().join(document)).expect(document);
        for (language, line, body) in fences(&text) {
            if language == "ksig" {
                let schema = ksig_protocols::schema();
                let analysis = ksig_compiler::analyze(&ksig_compiler::Input::single(document, &body), ksig::analysis::world(&schema));
                assert!(
                    !analysis.failed(),
                    "{document}:{line}:\n{}",
                    ksig::problems::as_text(&analysis, ksig_lang::RenderStyle::default())
                );
                compiled += 1;
            }
        }
    }
    assert!(compiled > 0, "no ksig example was found");
}
