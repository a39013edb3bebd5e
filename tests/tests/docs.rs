//! The examples in the documents for newcomers do what they say, and links lead somewhere.
//!
//! ```` ```console ```` fences: each `$ ` line runs in a shell at the root of the repository with `ksig` on its path and must succeed; lines below
//! it must stand in the output in that order. ```` ```ksig ```` fences must compile.

use std::collections::{BTreeMap, BTreeSet};
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

/// Runs the commands of a fence; gives how many.
fn run_console(place: &str, body: &str, folder: &Path, path: &str, succeeds: bool) -> usize {
    let (mut lines, mut ran) = (body.lines().peekable(), 0);
    while let Some(command) = lines.next().and_then(|line| line.strip_prefix("$ ")) {
        let output = Command::new("sh").arg("-c").arg(command).current_dir(folder).env("PATH", path).output().expect("a shell");
        let shown = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.success(), succeeds, "{place}: `{command}` ends with {:?}:\n{shown}", output.status);
        let mut rest = shown.as_str();
        while let Some(expected) = lines.next_if(|line| !line.starts_with("$ ")) {
            let at = rest.find(expected).unwrap_or_else(|| panic!("{place}: `{command}` does not print\n{expected}\nbut\n{shown}"));
            rest = &rest[at + expected.len()..];
        }
        ran += 1;
    }
    ran
}

/// A folder with `ksig` in it, and a path that begins with it.
fn with_ksig() -> (tempfile::TempDir, String) {
    let commands = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(ksig_tests::binary::ksig(), commands.path().join("ksig")).expect("a link");
    let path = format!("{}:{}", commands.path().display(), std::env::var("PATH").unwrap_or_default());
    (commands, path)
}

/// In the book a fence may name the file that it is: ```` ```ksig,file=signatures/a.ksig ````. Each page has a folder of its own, in which its
/// files are written and its commands run, in order; those of `console,fails` fail.
#[test]
fn the_pages_of_the_book_do_what_they_say() {
    let (_commands, path) = with_ksig();
    let pages = root().join("docs/book/src");
    let mut ran = BTreeMap::new();
    for entry in std::fs::read_dir(&pages).expect("the pages of the book") {
        let page = entry.expect("a page").path();
        let name = page.file_name().expect("a page has a name").to_string_lossy().into_owned();
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (language, line, body) in fences(&std::fs::read_to_string(&page).expect("a page is text")) {
            let place = format!("{name}:{line}");
            if let Some((_, file)) = language.split_once(",file=") {
                let file = folder.path().join(file);
                std::fs::create_dir_all(file.parent().expect("a file stands in a folder")).expect("a folder");
                std::fs::write(file, body).expect("a file");
            } else if let "console" | "console,fails" = language.as_str() {
                *ran.entry(name.clone()).or_insert(0) += run_console(&place, &body, folder.path(), &path, language == "console");
            }
        }
    }
    assert!(ran["tutorial.md"] >= 8, "{ran:?}");
    assert!(ran.len() >= 4, "{ran:?}");
}

#[test]
fn the_book_has_every_page_and_every_chapter_once() {
    let pages = root().join("docs/book/src");
    let summary = std::fs::read_to_string(pages.join("SUMMARY.md")).expect("the summary");
    let linked: Vec<String> = summary.lines().flat_map(links).collect();
    let there: BTreeSet<String> = std::fs::read_dir(&pages)
        .expect("the pages of the book")
        .map(|entry| entry.expect("a page").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "SUMMARY.md")
        .collect();
    assert_eq!(linked.iter().cloned().collect::<BTreeSet<_>>(), there);
    assert_eq!(linked.len(), there.len(), "each page is linked once");
    let mut included = BTreeSet::new();
    for name in &there {
        let text = std::fs::read_to_string(pages.join(name)).expect("a page is text");
        for path in text.split("{{#include ").skip(1).filter_map(|rest| rest.split("}}").next()) {
            let path = pages.join(path).canonicalize().unwrap_or_else(|error| panic!("{name}: {path}: {error}"));
            included.insert(path.strip_prefix(root()).expect("inside the repository").to_path_buf());
        }
    }
    let chapters = documents().into_keys().filter(|path| path.starts_with("spec") && !path.ends_with("README.md"));
    let missing: Vec<PathBuf> = chapters.filter(|path| !included.contains(path)).collect();
    assert!(missing.is_empty(), "chapters that the book leaves out: {missing:?}");
}

#[test]
fn console_examples_run_and_print_what_the_documents_show() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    for name in ["signatures", "scanner"] {
        std::os::unix::fs::symlink(root().join(name), scratch.path().join(name)).expect("a link");
    }
    let (_commands, path) = with_ksig();
    let mut ran = 0;
    for document in ["README.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root().join(document)).expect(document);
        for (language, line, body) in fences(&text) {
            if language != "console" {
                continue;
            }
            ran += run_console(&format!("{document}:{line}"), &body, scratch.path(), &path, true);
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

/// Every document of the repository, by its path from the root.
fn documents() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).expect("a folder of the repository") {
            let entry = entry.expect("a folder of the repository");
            let (name, path) = (entry.file_name(), folder.join(entry.file_name()));
            let hidden = name.to_string_lossy().starts_with('.') || name == "target";
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !hidden {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.insert(path, std::fs::read_to_string(entry.path()).expect("a document is text"));
            }
        }
    }
    found
}

/// The lines that are no fence, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside: Option<usize> = None;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let ticks = line.trim_start().bytes().take_while(|byte| *byte == b'`').count();
        match inside {
            None if ticks >= 3 => inside = Some(ticks),
            None => return true,
            Some(opened) if ticks >= opened => inside = None,
            Some(_) => {}
        }
        false
    })
}

/// Where the links of a line lead; what stands in backticks is no link, but may be the text of one.
fn links(line: &str) -> Vec<String> {
    let outside_code: String = line.split('`').enumerate().map(|(at, part)| if at % 2 == 0 { part } else { "" }).collect();
    let parts = outside_code.split("](").skip(1);
    parts.filter_map(|part| Some(part.split_once(')')?.0.to_string())).collect()
}

/// The anchors of a document, as GitHub makes them: letters and digits in lower case, `-` for a blank, a number behind one that was there.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(text).filter(|(_, line)| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        let plain: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let free = (1..).map(|number| format!("{plain}-{number}"));
        let anchor = std::iter::once(plain.clone()).chain(free).find(|anchor| !anchors.contains(anchor)).expect("numbers do not end");
        anchors.insert(anchor);
    }
    anchors
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let documents = documents();
    let (mut followed, mut dead) = (0, Vec::new());
    for (path, text) in &documents {
        for (number, line) in prose(text) {
            for link in links(line).into_iter().filter(|link| !link.contains("://")) {
                let (file, anchor) = link.split_once('#').map_or((link.as_str(), None), |(file, anchor)| (file, Some(anchor)));
                let target = match file {
                    "" => path.clone(),
                    file => path.parent().expect("a document stands in a folder").join(file),
                };
                let there = root().join(&target).canonicalize();
                let document = there.as_ref().ok().and_then(|there| documents.get(there.strip_prefix(root()).ok()?));
                let fine = match (anchor, document) {
                    (None, _) => there.is_ok(),
                    (Some(anchor), Some(document)) => anchors(document).contains(anchor),
                    (Some(_), None) => false,
                };
                followed += 1;
                if !fine {
                    dead.push(format!("{}:{number}: {link}", path.display()));
                }
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
    assert!(followed > 100, "only {followed} links were found");
}

#[test]
fn each_chapter_that_is_made_from_code_is_linked_from_those_that_are_written() {
    let spec: BTreeMap<_, _> = documents().into_iter().filter(|(path, _)| path.starts_with("spec")).collect();
    let made = |path: &Path| path.file_stem().is_some_and(|stem| ksig::chapters::NAMES.iter().any(|name| stem == *name));
    for name in ksig::chapters::NAMES {
        let leads = |text: &String| prose(text).flat_map(|(_, line)| links(line)).any(|link| link.starts_with(&format!("{name}.md")));
        let from = spec.iter().filter(|(path, text)| !made(path) && !path.ends_with("README.md") && leads(text)).count();
        assert!(from >= 2, "{name}.md is linked from {from} chapters");
    }
}
