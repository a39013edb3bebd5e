//! What the editor has open, and the sets of signatures that it belongs to.
//!
//! In: texts of open documents, and what stands on disk. Out: [`Root`]s, each a [`Session`] over a folder of signatures in which open
//! documents stand before the files of the same name. A document outside of any such folder is a root by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ksig_compiler::{Input, Session, World};
use ksig_lang::{FileId, Text};
use ksig_schema::Schema;

use crate::analysis::{Rules, world};
use crate::load;
use crate::policy::{self, PolicyError};

/// A text that the editor holds.
#[derive(Clone, Debug)]
pub struct Document {
    /// As the client calls it.
    pub uri: String,
    /// As the client counts.
    pub version: i32,
    /// As it is now.
    pub text: String,
}

/// A set of signatures.
pub struct Root<'w> {
    /// The folder, or the file that stands alone.
    pub path: PathBuf,
    /// What all of it means.
    pub session: Session<'w>,
    /// What `ksig.toml` decides.
    pub rules: Rules,
    /// What could not be read, and what is wrong with `ksig.toml`.
    pub unread: Vec<Text>,
    /// What is wrong with `ksig.toml`.
    pub policy: Option<PolicyError>,
    /// Lints of the whole set have run since the last edit.
    pub set_linted: bool,
    /// Counts edits.
    pub generation: u64,
    /// The chapters about lints and about all other problems, where they stand beside the signatures.
    pub chapters: [Option<String>; 2],
    files: BTreeMap<PathBuf, FileId>,
}

impl<'w> Root<'w> {
    /// Reads a root. Open documents stand before files.
    pub fn read(path: &Path, documents: &BTreeMap<PathBuf, Document>, schema: &'w Schema) -> Root<'w> {
        let mut unread = Vec::new();
        let mut input = if path.is_dir() {
            let (input, errors) = load::readable(path);
            unread.extend(errors.iter().map(load::LoadError::text));
            input
        } else {
            load::load(&[path.to_path_buf()]).map(|loaded| loaded.input).unwrap_or_default()
        };
        for (file, document) in documents.iter().filter(|(file, _)| belongs(file) == *path) {
            open(&mut input, path, file, &document.text);
        }
        input.sources.sort_by(|a, b| a.path.cmp(&b.path));
        let (rules, policy) = match policy::rules(&input) {
            Ok(rules) => (rules, None),
            Err(error) => (Rules::default(), Some(error)),
        };
        let files = (0..).zip(&input.sources).map(|(file, source)| (PathBuf::from(&source.path), file)).collect();
        let session = Session::new(input, World { budget: rules.budget, ..world(schema) }, rules.lints.clone());
        let chapter = |name: &str| path.ancestors().map(|folder| folder.join(name)).find(|path| path.is_file()).map(|path| uri_of(&path));
        let chapters = ["spec/lints.md", "spec/problems.md"].map(chapter);
        Root { path: path.to_path_buf(), session, rules, unread, policy, set_linted: false, generation: 0, chapters, files }
    }

    /// The number of a file.
    pub fn file(&self, path: &Path) -> Option<FileId> {
        self.files.get(path).copied()
    }

    /// The path of a number.
    pub fn path_of(&self, file: FileId) -> Option<PathBuf> {
        self.session.analysis().sources.get(file).map(|source| PathBuf::from(&source.path))
    }

    /// Takes a new text of a file.
    pub fn edit(&mut self, file: FileId, text: &str) {
        self.session.edit(file, text);
        self.set_linted = false;
        self.generation += 1;
    }
}

/// The root that a file belongs to.
pub fn belongs(file: &Path) -> PathBuf {
    load::root_of_file(file).unwrap_or_else(|| file.to_path_buf())
}

/// Puts an open document where its file is, or would be.
fn open(input: &mut Input, root: &Path, file: &Path, text: &str) {
    let shown = file.display().to_string();
    if let Some(source) = input.sources.iter_mut().find(|source| source.path == shown) {
        source.text = text.to_string();
        return;
    }
    let name = match file.strip_prefix(root) {
        Ok(inside) if inside.as_os_str().is_empty() => None,
        Ok(inside) => Some(inside.to_string_lossy().replace('\\', "/")),
        Err(_) => None,
    };
    match name {
        Some(name) => drop(load::add(input, &shown, &name, text.as_bytes().to_vec())),
        None => input.sources.push(ksig_compiler::Source { path: shown, module: None, folder: String::new(), text: text.to_string() }),
    }
}

/// The path of a `file:` URI; one of another scheme is a path that no file has.
pub fn path_of(uri: &str) -> PathBuf {
    let Some(rest) = uri.strip_prefix("file://") else { return PathBuf::from(format!("/{uri}")) };
    let path = rest.find('/').map_or(rest, |slash| &rest[slash..]);
    let mut bytes = Vec::with_capacity(path.len());
    let mut at = path.bytes();
    while let Some(byte) = at.next() {
        let hex = || {
            let digits = at.clone().take(2).map(|b| (b as char).to_digit(16)).collect::<Option<Vec<_>>>()?;
            if let [high, low] = digits[..] { Some((high * 16 + low) as u8) } else { None }
        };
        match (byte, (byte == b'%').then(hex).flatten()) {
            (_, Some(decoded)) => {
                bytes.push(decoded);
                at.nth(1);
            }
            (byte, None) => bytes.push(byte),
        }
    }
    let path = PathBuf::from(String::from_utf8_lossy(&bytes).into_owned());
    // One file under several names is one: links are followed where the file or its folder is there.
    let parent = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(parent).unwrap_or(path)
}

/// The `file:` URI of a path.
pub fn uri_of(path: &Path) -> String {
    format!("file://{}", crate::problems::uri(&path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_its_uri_are_one() {
        let path = Path::new("/nowhere/バッファロー a%b.ksig");
        let uri = uri_of(path);
        assert!(uri.is_ascii() && !uri.contains(' '), "{uri}");
        assert_eq!(path_of(&uri), path);
        assert_eq!(path_of("file:///nowhere/a%2"), Path::new("/nowhere/a%2"));
        assert_eq!(path_of("untitled:Untitled-1"), Path::new("/untitled:Untitled-1"));
    }
}
