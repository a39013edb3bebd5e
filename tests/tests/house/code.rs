//! Rust source as words that run: comments and literals blanked, `use` trees spread out.
//!
//! In: the text of a file. Out: [`Code`], with the line of everything it names. Absent: syntax. What is looked for here are names, and a
//! name is found without a tree.

use std::fs;
use std::path::{Path, PathBuf};

/// One file.
pub struct Code {
    /// From the root of the workspace.
    pub path: String,
    /// As written.
    pub lines: Vec<String>,
    /// With every comment, string and character replaced by spaces; lines stay where they were.
    pub code: String,
}

/// A path such as `std::net::TcpStream` and the line (from 1) where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub line: usize,
    pub name: String,
}

/// Every Rust file below a folder, sorted.
pub fn files_below(root: &Path, folder: &str) -> Vec<Code> {
    let mut paths = Vec::new();
    list(&root.join(folder), &mut paths);
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{} must be readable: {error}", path.display()));
            let shown = path.strip_prefix(root).expect("listed below the root").display().to_string();
            Code { path: shown, lines: text.lines().map(String::from).collect(), code: blank(&text) }
        })
        .collect()
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            list(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

impl Code {
    /// Where a pattern stands in what runs.
    pub fn find(&self, pattern: &regex::Regex) -> Vec<Named> {
        pattern.find_iter(&self.code).map(|found| Named { line: self.line_at(found.start()), name: found.as_str().into() }).collect()
    }

    /// All paths of two or more names, those of `use` trees spread out: `use std::{fs, net::IpAddr}` gives `std::fs` and
    /// `std::net::IpAddr`.
    pub fn paths(&self) -> Vec<Named> {
        let uses = regex::Regex::new(r"(?s)\buse\s+([^;]+);").expect("a pattern");
        let inline = regex::Regex::new(r"\b[A-Za-z_]\w*(?:\s*::\s*[A-Za-z_]\w*)+").expect("a pattern");
        let mut named = Vec::new();
        for tree in uses.captures_iter(&self.code) {
            let tree = tree.get(1).expect("the group is not optional");
            let mut names = Vec::new();
            spread("", tree.as_str(), &mut names);
            named.extend(names.into_iter().map(|name| Named { line: self.line_at(tree.start()), name }));
        }
        let outside = uses.replace_all(&self.code, |tree: &regex::Captures<'_>| {
            tree[0].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect::<String>()
        });
        for found in inline.find_iter(&outside) {
            let name = found.as_str().split("::").map(str::trim).collect::<Vec<_>>().join("::");
            named.push(Named { line: line_at(&outside, found.start()), name });
        }
        named.sort();
        named
    }

    fn line_at(&self, offset: usize) -> usize {
        line_at(&self.code, offset)
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

fn spread(prefix: &str, tree: &str, names: &mut Vec<String>) {
    let tree = tree.trim().trim_start_matches("::");
    let join = |rest: &str| if prefix.is_empty() { rest.trim().to_string() } else { format!("{prefix}::{}", rest.trim()) };
    let Some((head, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree).trim();
        names.push(if path == "self" { prefix.to_string() } else { join(path) });
        return;
    };
    let prefix = if head.trim().is_empty() { prefix.to_string() } else { join(head.trim().trim_end_matches("::")) };
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    let (mut depth, mut start) = (0i32, 0);
    for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !group[start..at].trim().is_empty() {
                    spread(&prefix, &group[start..at], names);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// Replaces comments, strings and characters by spaces.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => text[at..].find('\n').map_or(bytes.len(), |length| at + length),
            b'/' if bytes[at..].starts_with(b"/*") => block_comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'r' if !inside_word(bytes, at) => raw_string_end(bytes, at).unwrap_or(at),
            b'\'' => character_end(text, at).unwrap_or(at),
            _ => at,
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).expect("whole literals were replaced")
}

fn inside_word(bytes: &[u8], at: usize) -> bool {
    // `br"..."` is a raw string too: the `b` before it is its prefix.
    let before = |at: usize| at.checked_sub(1).map(|at| bytes[at]);
    let word = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    match before(at) {
        Some(b'b') => word(before(at - 1)),
        other => word(other),
    }
}

fn block_comment_end(bytes: &[u8], begin: usize) -> usize {
    let (mut depth, mut at) = (0, begin);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn raw_string_end(bytes: &[u8], begin: usize) -> Option<usize> {
    let hashes = bytes[begin + 1..].iter().take_while(|&&b| b == b'#').count();
    let open = begin + 1 + hashes;
    (bytes.get(open) == Some(&b'"')).then(|| {
        let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
        let found = bytes[open + 1..].windows(close.len()).position(|window| window == close);
        found.map_or(bytes.len(), |length| open + 1 + length + close.len())
    })
}

/// Absent for a lifetime.
fn character_end(text: &str, begin: usize) -> Option<usize> {
    let rest = &text[begin + 1..];
    let first = rest.chars().next()?;
    if first == '\\' {
        let close = rest[2..].find('\'')?;
        return Some(begin + 1 + 2 + close + 1);
    }
    rest[first.len_utf8()..].starts_with('\'').then(|| begin + 1 + first.len_utf8() + 1)
}

#[test]
fn comments_and_literals_are_no_code() {
    let source = "let a = \"std::fs \\\" // x\"; // std::fs\n/* a /* b */ std::fs */ let b: &'a str = r#\"unsafe\"#; let c = '\"'; let d = '\\''; real()";
    assert_eq!(blank(source).split_whitespace().collect::<Vec<_>>().join(" "), "let a = ; let b: &'a str = ; let c = ; let d = ; real()");
    assert_eq!(blank(source).len(), source.len());
}

#[test]
fn grouped_imports_are_named_in_full() {
    let source = "use std::{\n    fs,\n    net::{self, IpAddr, TcpStream as S},\n};\nfn f() { std::process::exit(1) }";
    let code = Code { path: String::new(), lines: Vec::new(), code: blank(source) };
    let names: Vec<(usize, String)> = code.paths().into_iter().map(|named| (named.line, named.name)).collect();
    let expected = [(1, "std::fs"), (1, "std::net"), (1, "std::net::IpAddr"), (1, "std::net::TcpStream"), (5, "std::process::exit")];
    assert_eq!(names, expected.map(|(line, name)| (line, name.to_string())));
}
