//! Reads signatures from disk into [`Input`].
//!
//! In: files and folders that a user named. Out: everything below their root, because vocabulary and bases stand in other files, and which
//! of it was asked for. The root is the nearest folder above that is called `signatures` or holds a `ksig.toml`; without one, a named folder
//! is its own root, and a named file stands alone.

use std::path::{Path, PathBuf};

use ksig_compiler::{Input, Source};
use ksig_lang::{NotUtf8, Text, say};

use crate::failure;

/// Largest table or fixture.
const ASSET_BYTES_MAX: u64 = 256 << 20;

/// Signatures read from disk.
#[derive(Debug, Default)]
pub struct Loaded {
    /// All files below the roots.
    pub input: Input,
    /// Paths of sources that were asked for, as problems name them; all of them when a root itself was named.
    pub asked: Vec<String>,
}

/// Why signatures could not be read.
#[derive(Debug)]
pub enum LoadError {
    /// A folder or file cannot be read.
    Unreadable {
        /// Which.
        path: String,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// A source is not UTF-8.
    NotUtf8 {
        /// Which.
        path: String,
        /// Where and what.
        reason: NotUtf8,
    },
    /// Nothing to read.
    Nothing(String),
}

impl LoadError {
    /// What is said of it.
    pub fn text(&self) -> Text {
        match self {
            LoadError::Unreadable { path, reason } => {
                let (cannot, reason) = (failure::cannot_read(path), failure::of_system(reason));
                say!("{cannot}: {reason}", "{cannot}: {reason}"; cannot, reason)
            }
            LoadError::NotUtf8 { path, reason } => {
                let reason = reason.text();
                say!("{path}:{reason}", "{path}:{reason}"; reason)
            }
            LoadError::Nothing(path) => say!("there is no .ksig file in {path}", "{path}に.ksigファイルがありません"),
        }
    }
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text().en)
    }
}

impl std::error::Error for LoadError {}

/// Reads what the paths name and what it needs.
pub fn load(paths: &[PathBuf]) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded::default();
    let mut roots: Vec<PathBuf> = Vec::new();
    for path in paths {
        let unreadable = |reason| LoadError::Unreadable { path: path.display().to_string(), reason };
        let is_folder = std::fs::metadata(path).map_err(unreadable)?.is_dir();
        let root = root_of(path, is_folder);
        match &root {
            Some(root) if !roots.contains(root) => {
                roots.push(root.clone());
                read_root(root, &mut loaded.input)?;
            }
            Some(_) => {}
            None => read_alone(path, &mut loaded.input)?,
        }
        let before = loaded.asked.len();
        let wanted = path.canonicalize().map_err(unreadable)?;
        for source in &loaded.input.sources {
            let inside = Path::new(&source.path).canonicalize().is_ok_and(|source| source.starts_with(&wanted));
            if inside && !loaded.asked.contains(&source.path) {
                loaded.asked.push(source.path.clone());
            }
        }
        if loaded.asked.len() == before && paths.len() == 1 {
            return Err(LoadError::Nothing(path.display().to_string()));
        }
    }
    Ok(loaded)
}

/// The root of the signatures that a folder lies in, or would if it were made, when that is not the folder itself.
pub(crate) fn root_above(folder: &Path) -> Option<PathBuf> {
    let Ok(whole) = folder.canonicalize() else {
        let parent = folder.parent()?;
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        return match parent.canonicalize() {
            Ok(whole) => whole.ancestors().find(|folder| is_root(folder)).map(Path::to_path_buf),
            Err(_) => root_above(parent),
        };
    };
    root_of(folder, true).filter(|root| root.canonicalize().ok() != Some(whole))
}

/// The root that a file stands in, or would if it were saved; absent for one that stands alone.
pub(crate) fn root_of_file(file: &Path) -> Option<PathBuf> {
    file.ancestors().skip(1).find(|folder| is_root(folder)).map(Path::to_path_buf)
}

/// Reads all below a root as far as it can be read, and says what cannot.
pub(crate) fn readable(root: &Path) -> (Input, Vec<LoadError>) {
    let (mut input, mut unread) = (Input::default(), Vec::new());
    let mut files = Vec::new();
    unread.extend(list(root, &mut files).err());
    files.sort();
    for file in files {
        let Ok(inside) = file.strip_prefix(root) else { continue };
        let name = inside.to_string_lossy().replace('\\', "/");
        let added = read(&file).and_then(|bytes| add(&mut input, &file.display().to_string(), &name, bytes));
        unread.extend(added.err());
    }
    (input, unread)
}

fn is_root(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == "signatures") || folder.join("ksig.toml").is_file()
}

fn root_of(path: &Path, is_folder: bool) -> Option<PathBuf> {
    let whole = path.canonicalize().ok()?;
    // The root is named as the user named the path, so that problems show paths that can be opened from where they stand.
    let above = whole.ancestors().skip(usize::from(!is_folder)).position(is_root);
    match above {
        Some(steps) => {
            let steps = steps + usize::from(!is_folder);
            let written =
                path.ancestors().nth(steps).filter(|written| written.canonicalize().ok().as_deref() == whole.ancestors().nth(steps));
            Some(match written {
                Some(written) if !written.as_os_str().is_empty() => written.to_path_buf(),
                _ => whole.ancestors().nth(steps)?.to_path_buf(),
            })
        }
        None => is_folder.then(|| path.to_path_buf()),
    }
}

fn read_root(root: &Path, input: &mut Input) -> Result<(), LoadError> {
    let mut files = Vec::new();
    list(root, &mut files)?;
    files.sort();
    for file in files {
        let Ok(inside) = file.strip_prefix(root) else { continue };
        let name = inside.to_string_lossy().replace('\\', "/");
        let bytes = read(&file)?;
        add(input, &file.display().to_string(), &name, bytes)?;
    }
    Ok(())
}

/// Adds one file by its path below the root: a source or an asset.
pub(crate) fn add(input: &mut Input, path: &str, name: &str, bytes: Vec<u8>) -> Result<(), LoadError> {
    let Some(stem) = name.strip_suffix(".ksig") else {
        input.assets.insert(name.to_string(), bytes);
        return Ok(());
    };
    let text = decode(path, bytes)?;
    let folder = stem.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
    input.sources.push(Source { path: path.into(), module: Some(stem.replace('/', ".")), folder, text });
    Ok(())
}

/// A file outside any root: its folder's files are its tables and fixtures.
fn read_alone(path: &Path, input: &mut Input) -> Result<(), LoadError> {
    let shown = path.display().to_string();
    let text = decode(&shown, read(path)?)?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let own = format!("file:{}", folder.display());
    let mut beside = Vec::new();
    if let Ok(entries) = std::fs::read_dir(folder) {
        beside.extend(
            entries.flatten().map(|entry| entry.path()).filter(|entry| entry.extension().is_some_and(|e| e == "csv" || e == "tsv")),
        );
    }
    for file in beside {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        input.assets.insert(format!("{own}/{name}"), read(&file)?);
    }
    input.sources.push(Source { path: shown, module: None, folder: own, text });
    Ok(())
}

fn decode(path: &str, bytes: Vec<u8>) -> Result<String, LoadError> {
    ksig_lang::decode_source(bytes).map_err(|reason| LoadError::NotUtf8 { path: path.into(), reason })
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let unreadable = |reason| LoadError::Unreadable { path: folder.display().to_string(), reason };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        // A link could lead anywhere, or in a circle: only real folders are entered.
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() && !hidden {
            list(&entry.path(), files)?;
        } else if kind.is_file() && !hidden {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let unreadable = |reason| LoadError::Unreadable { path: path.display().to_string(), reason };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > ASSET_BYTES_MAX {
        let too_large =
            say!("{size} bytes, and at most {ASSET_BYTES_MAX} are read", "{size}バイトあり、上限の{ASSET_BYTES_MAX}バイトを超えています");
        return Err(unreadable(failure::as_system(too_large)));
    }
    std::fs::read(path).map_err(unreadable)
}
