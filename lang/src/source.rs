//! Where text stands: byte ranges.

use crate::{Text, say};

/// A half-open byte range in one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Both, and what lies between.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// Most bytes of one source; a longer one is not parsed.
pub const SOURCE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One source and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As messages show it.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// The sources of one run; a [`FileId`](crate::FileId) is a place in it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// No source yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one and tells its id: 0 for the first, counting up.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> crate::FileId {
        let id = self.files.len() as crate::FileId;
        self.files.push(Source { path: path.into(), text: text.into() });
        id
    }

    /// Puts another text in the place of one's; an id that [`Self::add`] never gave is passed over.
    pub fn replace(&mut self, file: crate::FileId, text: impl Into<String>) {
        if let Some(source) = self.files.get_mut(file as usize) {
            source.text = text.into();
        }
    }

    /// The source of an id; absent when [`Self::add`] never gave it.
    pub fn get(&self, file: crate::FileId) -> Option<&Source> {
        self.files.get(file as usize)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// All, by id.
    pub fn iter(&self) -> impl Iterator<Item = (crate::FileId, &Source)> {
        self.files.iter().enumerate().map(|(id, source)| (id as crate::FileId, source))
    }
}

/// Line and column of a byte offset, both from 1; the column counts characters. An offset past the end is the end, one inside a character
/// is its start. `\r` counts as a character of its line.
pub fn line_column(text: &str, offset: u32) -> (u32, u32) {
    let mut offset = (offset as usize).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let lines = before.bytes().filter(|&byte| byte == b'\n').count();
    // A byte order mark is no character of the text; elsewhere the same one is.
    let line = if line_start == 0 { before.strip_prefix('\u{FEFF}').unwrap_or(before) } else { &before[line_start..] };
    let characters = line.chars().count();
    (lines as u32 + 1, characters as u32 + 1)
}

/// Bytes that are no UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUtf8 {
    /// Line of the first bad byte, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
    /// Its offset in bytes, from 0.
    pub offset: usize,
    /// The byte.
    pub byte: u8,
}

impl NotUtf8 {
    /// Where, what, and what to do.
    pub fn text(&self) -> Text {
        let NotUtf8 { line, column, byte, .. } = self;
        say!(
            "line {line}, column {column}: the byte 0x{byte:02X} is not UTF-8; save the file as UTF-8",
            "{line}行{column}列: バイト0x{byte:02X}はUTF-8ではありません。UTF-8で保存してください"
        )
    }
}

impl std::fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text().en)
    }
}

impl std::error::Error for NotUtf8 {}

/// The text of a source file; its byte order mark, if any, stays.
pub fn decode_source(bytes: Vec<u8>) -> Result<String, NotUtf8> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let good = std::str::from_utf8(&bytes[..offset]).unwrap_or_default();
        let (line, column) = line_column(good, offset as u32);
        NotUtf8 { line, column, offset, byte: bytes.get(offset).copied().unwrap_or_default() }
    })
}
