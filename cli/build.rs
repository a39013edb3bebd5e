//! Puts the bundled signatures and the demo's population into the binary, so that `ksig demo` needs no file beside it.
//!
//! Writes one file into `OUT_DIR` and nothing into the tree.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("..");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("bundled.rs");
    let mut text = String::new();
    list(&mut text, "SIGNATURES", &root.join("signatures"));
    list(&mut text, "POPULATIONS", &root.join("scanner/populations"));
    std::fs::write(out, text).expect("OUT_DIR can be written");
}

/// A constant with every file below `folder`, by its path from there, sorted.
fn list(text: &mut String, constant: &str, folder: &Path) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    writeln!(text, "/// Files by their path.\npub const {constant}: &[(&str, &[u8])] = &[").expect("a string takes all");
    for file in files {
        let name = file.strip_prefix(folder).expect("below the folder").to_string_lossy().replace('\\', "/");
        let path = file.canonicalize().expect("just listed");
        writeln!(text, "    ({name:?}, include_bytes!({:?})),", path.display().to_string()).expect("a string takes all");
    }
    writeln!(text, "];").expect("a string takes all");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
