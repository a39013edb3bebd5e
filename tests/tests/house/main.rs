//! The house keeps its own rules: which crate may know which, who does I/O, who prints, where `unsafe` stands.
//!
//! In: `cargo metadata` and the sources of the workspace. Every message names the file and line and says what to do.

mod code;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use code::{Code, files_below};
use regex::Regex;

/// Floor of each crate, and what it may be built on besides: a crate depends only on floors below it.
///
/// Some rooms are narrower than their floor: loading a plan needs no parser, and the scanner knows no signature.
const FLOORS: &[(&str, u8, Option<&[&str]>)] = &[
    ("ksig-schema", 0, None),
    ("ksig-lang", 0, None),
    ("ksig-runtime", 1, Some(&["ksig-schema"])),
    ("ksig-protocols", 1, Some(&["ksig-schema"])),
    ("ksig-compiler", 2, Some(&["ksig-lang", "ksig-runtime", "ksig-schema"])),
    ("ksig-scanner", 2, Some(&["ksig-protocols", "ksig-schema"])),
    ("ksig-atlas", 3, None),
    ("ksig", 4, None),
    ("ksig-tests", 5, None),
];

/// Crates that are functions of their arguments: no I/O, no clock, no environment.
const PURE: &[&str] = &["lang", "compiler", "runtime", "protocols", "schema"];

/// Everything but the binary's crate: it alone prints and ends the process.
const SILENT: &[&str] = &["lang", "compiler", "runtime", "protocols", "schema", "scanner", "atlas"];

/// The only files with `unsafe`: the owner of machine code, the fences around texts of its tests, the raw socket, and a bench's calls of another
/// engine.
const UNSAFE_FILES: &[&str] =
    &["compiler/src/jit/code.rs", "compiler/tests/fenced/mod.rs", "scanner/src/raw.rs", "tests/benches/engine/src/peers/hyperscan.rs"];

/// Paths that a pure crate may not name, and what to do instead.
const IMPURE: &[(&str, &str)] = &[
    ("std::fs", "take the bytes as an argument: the `ksig` library reads files"),
    ("std::io::stdin", "take a reader or bytes as an argument"),
    ("std::io::stdout", "return what is to be shown: `cli` prints"),
    ("std::io::stderr", "return what is to be shown: `cli` prints"),
    ("std::env", "take the setting as an argument"),
    ("std::process", "return an error: `cli` runs and ends processes"),
    ("std::os", "leave the system to the scanner and `cli`"),
    ("std::thread::sleep", "take the moment as an argument: only the scanner waits"),
    ("std::time::SystemTime", "take the date from the evidence"),
    ("std::time::Instant", "take the moment as an argument"),
    ("jiff::Timestamp::now", "take the date from the evidence"),
    ("jiff::Zoned::now", "take the date from the evidence"),
    ("Timestamp::now", "take the date from the evidence"),
    ("Time::now", "take the date from the evidence"),
    ("Zoned::now", "take the date from the evidence"),
    ("SystemTime::now", "take the date from the evidence"),
    ("Instant::now", "take the moment as an argument"),
    ("tokio", "leave waiting and sockets to the scanner"),
    ("socket2", "leave sockets to the scanner"),
];

/// Of `std::net` a pure crate may name addresses, never sockets.
const ADDRESS_TYPES: &[&str] =
    &["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr", "SocketAddrV4", "SocketAddrV6", "AddrParseError", "Ipv6MulticastScope"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the workspace").to_path_buf()
}

fn fail_if_any(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}\n{}", broken.join("\n"));
}

fn metadata() -> serde_json::Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--offline", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .expect("cargo runs: set CARGO to the binary if it is not on the path");
    assert!(output.status.success(), "cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

#[test]
fn crates_depend_only_on_floors_below() {
    let floors: BTreeMap<&str, (u8, Option<&[&str]>)> = FLOORS.iter().map(|&(name, floor, only)| (name, (floor, only))).collect();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let mut broken = Vec::new();
    let mut edges = 0;
    for package in packages {
        let from = package["name"].as_str().expect("a package has a name");
        let Some(&(floor, only)) = floors.get(from) else {
            broken.push(format!("{from}: no floor is known: give it one in FLOORS of tests/tests/house/main.rs"));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let to = dependency["name"].as_str().expect("a dependency has a name");
            let Some(&(below, _)) = floors.get(to) else { continue };
            edges += 1;
            let kind = dependency["kind"].as_str().unwrap_or("normal");
            let room = only.filter(|only| kind == "normal" && !only.contains(&to));
            if below >= floor {
                broken.push(format!(
                    "{from} (floor {floor}) -> {to} (floor {below}), {kind}: move what both need to a floor below them, or pass it in as a trait"
                ));
            } else if let Some(only) = room {
                broken.push(format!(
                    "{from} -> {to}: this room knows only {}: pass it in as an argument, or move the code to `cli`",
                    only.join(", ")
                ));
            }
        }
    }
    fail_if_any("A crate depends only on floors below it.", broken);
    assert!(edges > FLOORS.len(), "only {edges} edges between crates were seen: are FLOORS' names still those of the workspace?");
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let metadata = metadata();
    let inherits = Regex::new(r"(?m)^\[lints\]\s*\nworkspace = true$").expect("a pattern");
    let mut broken = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let manifest = package["manifest_path"].as_str().expect("a package has a manifest");
        let text = std::fs::read_to_string(manifest).expect("cargo named this file");
        if !inherits.is_match(&text) {
            broken.push(format!("{manifest}: add the lines `[lints]` and `workspace = true`"));
        }
    }
    let crate_wide = Regex::new(r"#!\[\s*(?:allow|expect)\s*\([^)]*\)\s*\]").expect("a pattern");
    for file in all_sources() {
        for found in file.find(&crate_wide) {
            // Whether `unsafe` may stand in a file is another rule's question.
            if found.name.contains("unsafe_code") {
                continue;
            }
            broken.push(format!(
                "{}:{}: `{}` lifts a lint from a whole module: mend the code, or allow it at the one item with a comment that says why",
                file.path, found.line, found.name
            ));
        }
    }
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    for line in ["unsafe_code = \"deny\"", "missing_docs = \"warn\"", "all = { level = \"warn\", priority = -1 }"] {
        if !workspace.contains(line) {
            broken.push(format!("Cargo.toml: put `{line}` back into the workspace's lints"));
        }
    }
    fail_if_any("One set of lints holds everywhere.", broken);
}

#[test]
fn pure_crates_do_no_io_and_read_no_clock() {
    let mut broken = Vec::new();
    for file in PURE.iter().flat_map(|room| files_below(&root(), &format!("{room}/src"))) {
        for named in file.paths() {
            if let Some(advice) = impurity(&named.name) {
                broken.push(format!("{}:{}: `{}`: {advice}", file.path, named.line, named.name));
            }
        }
    }
    fail_if_any("lang, compiler, runtime, protocols and schema are functions of their arguments.", broken);
}

/// Why a path may not stand in a pure crate; absent when it may.
fn impurity(name: &str) -> Option<&'static str> {
    if let Some(rest) = name.strip_prefix("std::net") {
        let leaf = rest.trim_start_matches("::").split("::").next().unwrap_or_default();
        return (!ADDRESS_TYPES.contains(&leaf))
            .then_some("name address types one by one (`use std::net::IpAddr;`); sockets belong to the scanner");
    }
    let below = |path: &str| name == path || name.strip_prefix(path).is_some_and(|rest| rest.starts_with("::"));
    IMPURE.iter().find(|(path, _)| below(path)).map(|&(_, advice)| advice)
}

#[test]
fn the_rule_of_purity_tells_sockets_from_addresses() {
    for allowed in ["std::net::IpAddr", "std::net::Ipv4Addr::LOCALHOST", "std::io::Read", "std::time::Duration", "std::fmt"] {
        assert_eq!(impurity(allowed), None, "{allowed}");
    }
    for refused in
        ["std::net", "std::net::TcpStream", "std::fs::read", "std::time::Instant", "std::process::exit", "Timestamp::now", "tokio::spawn"]
    {
        assert!(impurity(refused).is_some(), "{refused}");
    }
}

#[test]
fn only_the_command_line_prints_and_exits() {
    let printing = Regex::new(r"\b(?:println|print|eprintln|eprint|dbg)!").expect("a pattern");
    let ending = Regex::new(r"\bprocess::(?:exit|abort)\b").expect("a pattern");
    let mut broken = Vec::new();
    for file in SILENT.iter().flat_map(|room| files_below(&root(), &format!("{room}/src"))) {
        for found in file.find(&printing).into_iter().chain(file.find(&ending)) {
            broken.push(format!(
                "{}:{}: `{}`: return a value or an error: a command of `cli` prints it and chooses the exit code",
                file.path, found.line, found.name
            ));
        }
    }
    fail_if_any("cli alone prints and ends the process.", broken);
}

#[test]
fn unsafe_stands_only_in_named_files_with_its_reason() {
    let word = Regex::new(r"\bunsafe\b").expect("a pattern");
    // Blocks, implementations and functions; the type of a function pointer claims nothing.
    let claim = Regex::new(r"\bunsafe\s*(?:\{|impl\b|trait\b|(?:extern\s+)?fn\s+\w)").expect("a pattern");
    let allowance = Regex::new(r"\b(?:allow|expect)\s*\(\s*unsafe_code").expect("a pattern");
    let mut broken = Vec::new();
    for file in all_sources() {
        let named = UNSAFE_FILES.contains(&file.path.as_str());
        let found = if named { file.find(&claim) } else { [file.find(&word), file.find(&allowance)].concat() };
        for found in found {
            if !named {
                broken.push(format!(
                    "{}:{}: `{}`: write it without, or through one of {UNSAFE_FILES:?}",
                    file.path,
                    found.line,
                    file.lines[found.line - 1].trim()
                ));
            } else if !has_reason(&file, found.line) {
                broken.push(format!(
                    "{}:{}: say in a comment `// SAFETY: ...` right above (in `# Safety` of its docs for a function) which check makes this sound",
                    file.path, found.line
                ));
            }
        }
    }
    fail_if_any("unsafe stands in named files only, each with the check that makes it sound.", broken);
}

/// A comment that gives the reason stands on the line or among the comments, attributes and the statement's lines right above it.
fn has_reason(file: &Code, line: usize) -> bool {
    let says = |text: &str| text.contains("SAFETY:") || text.contains("# Safety");
    let mut above = file.lines[..line].iter().rev();
    above.next().is_some_and(|own| says(own))
        || above
            .take_while(|text| {
                let text = text.trim();
                !text.is_empty() && !text.ends_with('}') && (text.starts_with("//") || !text.ends_with(';') || text.starts_with('#'))
            })
            .any(|text| says(text))
}

#[test]
fn nothing_is_left_unfinished_or_skipped() {
    let unfinished = Regex::new(r"\b(?:todo|unimplemented)!|#\[\s*ignore\b").expect("a pattern");
    let mut broken = Vec::new();
    for file in all_sources() {
        for found in file.find(&unfinished) {
            broken.push(format!("{}:{}: `{}`: finish it, or take it out and say so", file.path, found.line, found.name));
        }
    }
    fail_if_any("No stubs, no skipped tests.", broken);
}

/// Sources, tests and benches of every crate.
fn all_sources() -> Vec<Code> {
    let rooms = SILENT.iter().chain(&["cli", "tests"]);
    let files: Vec<Code> = rooms.flat_map(|room| files_below(&root(), room)).collect();
    assert!(
        files.len() > 50,
        "only {} Rust files were found: did a room move? Then change SILENT of tests/tests/house/main.rs",
        files.len()
    );
    files
}
