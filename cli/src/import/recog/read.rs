//! Databases from XML.
//!
//! In: a folder of `*.xml`, or a checkout that has them in `xml`. Out: [`Database`]s by name, and what could not be read. A broken file does
//! not keep the others from being read; a file whose root is no `fingerprints` is none of Recog's.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use roxmltree::{Document, Node, ParsingOptions};

use super::Refused;

/// Largest database, in bytes.
const FILE_BYTES_MAX: u64 = 32 << 20;
/// Most elements, attributes and texts of one database.
const NODES_MAX: u32 = 4_000_000;
/// Largest example, in bytes.
pub const EXAMPLE_BYTES_MAX: usize = 1 << 20;
/// Recog's own default.
const PREFERENCE: f64 = 0.10;

/// One file.
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// As it was named.
    pub path: String,
    /// The file's name without `.xml`.
    pub name: String,
    /// What it is asked of: `matches`, else the name.
    pub key: String,
    /// In lower case; empty when none is said.
    pub protocol: String,
    /// Databases of higher preference are asked first.
    pub preference: f64,
    /// In order: the first that matches stands.
    pub fingerprints: Vec<Fingerprint>,
}

/// One pattern with what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Fingerprint {
    /// From 1.
    pub line: u32,
    /// In Ruby's syntax.
    pub pattern: String,
    /// `REG_ICASE`.
    pub flags: Vec<String>,
    /// Of the attribute; absent without one.
    pub certainty: Option<f64>,
    /// With its white space made single spaces.
    pub description: String,
    /// Texts that it matches.
    pub examples: Vec<Example>,
    /// Each name once, with its last value.
    pub params: Vec<Param>,
}

/// A text that a fingerprint matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// From 1.
    pub line: u32,
    /// As it is matched.
    pub bytes: Vec<u8>,
    /// Names of parameters with the values that they must have.
    pub expected: Vec<(String, String)>,
}

/// What a fingerprint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// `service.version`.
    pub name: String,
    /// 0 for a constant, else the number of a capture.
    pub pos: usize,
    /// Of a constant.
    pub value: String,
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The folder cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// Which.
        path: String,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// It has no database.
    #[error("there is no *.xml in {0}, nor in its folder `xml`")]
    Nothing(String),
}

/// What stands in a folder.
#[derive(Debug, Default)]
pub struct Folder {
    /// By name.
    pub databases: Vec<Database>,
    /// Files, fingerprints and examples that could not be read.
    pub refused: Vec<Refused>,
    /// The text of the licence beside them; empty when there is none.
    pub licence: String,
}

/// Reads all databases of a folder; `progress` is told each file before it is read.
///
/// # Errors
/// The folder cannot be read, or holds no `*.xml`.
pub fn folder(path: &Path, progress: &mut dyn FnMut(&str)) -> Result<Folder, ReadError> {
    let mut files = xml_files(path)?;
    if files.is_empty() && path.join("xml").is_dir() {
        files = xml_files(&path.join("xml"))?;
    }
    if files.is_empty() {
        return Err(ReadError::Nothing(path.display().to_string()));
    }
    let mut read = Folder::default();
    read.licence = licence_of(path, &mut read.refused);
    for file in files {
        progress(&file.display().to_string());
        read_file(&file, &mut read);
    }
    Ok(read)
}

fn xml_files(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let unreadable = |reason| ReadError::Unreadable { path: folder.display().to_string(), reason };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let mut files: Vec<PathBuf> = paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "xml")).collect();
    files.sort();
    Ok(files)
}

/// The first licence that stands there. One that cannot be read is refused: the head of each file would say that there is none.
fn licence_of(folder: &Path, refused: &mut Vec<Refused>) -> String {
    let above = folder.parent();
    let folders = [Some(folder), above].into_iter().flatten();
    let names = folders.flat_map(|folder| ["LICENSE", "LICENSE.txt", "COPYING"].map(|name| folder.join(name)));
    for path in names {
        let reason = match bytes_of(&path, LICENCE_BYTES_MAX).map(String::from_utf8) {
            Ok(Ok(text)) => return text,
            Ok(Err(_)) => "it is not UTF-8".to_string(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => error.to_string(),
        };
        refused.push(Refused { path: path.display().to_string(), line: 0, what: "the licence".into(), reason, pattern: false });
    }
    String::new()
}

/// Longest licence that goes to the head of each file.
const LICENCE_BYTES_MAX: u64 = 64 << 10;

/// The bytes of a real file of at most `limit` bytes; devices and pipes would never end.
fn bytes_of(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(std::io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

fn read_file(path: &Path, read: &mut Folder) {
    let shown = path.display().to_string();
    let whole = |line, reason: String| Refused { path: shown.clone(), line, what: "the file".into(), reason, pattern: false };
    let text = match bytes_of(path, FILE_BYTES_MAX).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => return read.refused.push(whole(0, "it is not UTF-8".into())),
        Err(error) => return read.refused.push(whole(0, error.to_string())),
    };
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = match Document::parse_with_options(&text, options) {
        Ok(document) => document,
        Err(error) => return read.refused.push(whole(error.pos().row, format!("it is no XML: {error}"))),
    };
    let root = document.root_element();
    if root.tag_name().name() != "fingerprints" {
        let reason = format!("its root is `{}`, not `fingerprints`", root.tag_name().name());
        return read.refused.push(whole(1, reason));
    }
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut reader = Reader { path, shown: &shown, lines: Lines::of(&text), refused: &mut read.refused };
    let fingerprints =
        root.children().filter(|node| node.has_tag_name("fingerprint")).filter_map(|node| reader.fingerprint(node)).collect();
    read.databases.push(Database {
        path: shown.clone(),
        key: root.attribute("matches").unwrap_or(&name).to_string(),
        name,
        protocol: root.attribute("protocol").unwrap_or_default().to_lowercase(),
        preference: root.attribute("preference").and_then(|text| text.parse().ok()).unwrap_or(PREFERENCE),
        fingerprints,
    });
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Lines {
        Lines(memchr::memchr_iter(b'\n', text.as_bytes()).collect())
    }

    /// The line of a byte, from 1.
    fn at(&self, offset: usize) -> u32 {
        self.0.partition_point(|newline| *newline < offset) as u32 + 1
    }
}

struct Reader<'r> {
    path: &'r Path,
    shown: &'r str,
    lines: Lines,
    refused: &'r mut Vec<Refused>,
}

impl Reader<'_> {
    fn fingerprint(&mut self, node: Node<'_, '_>) -> Option<Fingerprint> {
        let line = self.lines.at(node.range().start);
        let description = child(node, "description").map(all_text).unwrap_or_default();
        let description = description.split_whitespace().collect::<Vec<_>>().join(" ");
        let Some(pattern) = node.attribute("pattern") else {
            return self.refuse(line, &description, "it has no `pattern`".into(), true);
        };
        let flags = node.attribute("flags").unwrap_or_default().split([',', '|']).map(str::trim).filter(|flag| !flag.is_empty());
        let examples = node.children().filter(|node| node.has_tag_name("example"));
        Some(Fingerprint {
            line,
            pattern: pattern.to_string(),
            flags: flags.map(str::to_string).collect(),
            certainty: node.attribute("certainty").and_then(|text| text.trim().parse().ok()),
            examples: examples.filter_map(|node| self.example(node, &description)).collect(),
            params: params(node),
            description,
        })
    }

    fn example(&mut self, node: Node<'_, '_>, of: &str) -> Option<Example> {
        let line = self.lines.at(node.range().start);
        let text = match node.attribute("_filename") {
            Some(name) => match self.beside(name) {
                Ok(bytes) => bytes,
                Err(reason) => return self.refuse(line, of, format!("the example's file `{name}`: {reason}"), false),
            },
            None => all_text(node).into_bytes(),
        };
        let bytes = match node.attribute("_encoding") {
            None => text,
            Some("base64") => match decoded(&text) {
                Some(bytes) => bytes,
                None => return self.refuse(line, of, "the example is no base64".into(), false),
            },
            Some(other) => return self.refuse(line, of, format!("the example's encoding is `{other}`, and only base64 is known"), false),
        };
        if bytes.len() > EXAMPLE_BYTES_MAX {
            return self.refuse(line, of, format!("the example is larger than {EXAMPLE_BYTES_MAX} bytes"), false);
        }
        let said = node.attributes().filter(|attribute| !matches!(attribute.name(), "_encoding" | "_filename"));
        Some(Example { line, bytes, expected: said.map(|said| (said.name().to_string(), said.value().to_string())).collect() })
    }

    /// A file in the folder that has the database's name, beside it; never one outside.
    fn beside(&self, name: &str) -> Result<Vec<u8>, String> {
        let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !inside {
            return Err("it lies outside the database's folder".into());
        }
        bytes_of(&self.path.with_extension("").join(name), EXAMPLE_BYTES_MAX as u64).map_err(|error| error.to_string())
    }

    fn refuse<T>(&mut self, line: u32, what: &str, reason: String, pattern: bool) -> Option<T> {
        self.refused.push(Refused { path: self.shown.to_string(), line, what: what.to_string(), reason, pattern });
        None
    }
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The text of an element and of all below it, as XML's `string()` has it.
fn all_text(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect()
}

/// Base64 as Ruby's `unpack("m")` reads it: what is no sign of it is passed over, and it ends with its padding.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let signs = text.iter().copied().take_while(|&byte| byte != b'=').filter(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte));
    // The last sign may hold bits that no byte takes.
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(signs.collect::<Vec<u8>>()).ok()
}

/// Each name once at the place of its first, with its last value.
fn params(node: Node<'_, '_>) -> Vec<Param> {
    let mut params: Vec<Param> = Vec::new();
    let mut at: BTreeMap<String, usize> = BTreeMap::new();
    for param in node.children().filter(|node| node.has_tag_name("param")) {
        let Some(name) = param.attribute("name") else { continue };
        let value = param.attribute("value").unwrap_or_default().to_string();
        let read = Param { name: name.to_string(), pos: leading_number(param.attribute("pos").unwrap_or_default()), value };
        match at.get(name) {
            Some(&at) => params[at] = read,
            None => {
                at.insert(name.to_string(), params.len());
                params.push(read);
            }
        }
    }
    params
}

/// As Ruby's `to_i`: the digits that a text begins with, else 0.
fn leading_number(text: &str) -> usize {
    let text = text.trim_start();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..digits].parse().unwrap_or_default()
}
