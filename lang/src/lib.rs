//! The text of the signature language, and nothing else: no field, vendor or protocol is known here.
//!
//! ```text
//! text -> lexer (logos) -> parser (events) -> tree (lossless) -> ast (typed)      fmt: tree -> text
//! ```
//!
//! [`parse`] never fails: what could be read is in the tree and the ast, what could not is in the diagnostics, and the tree prints back to
//! the source byte by byte.

pub mod ast;
pub mod codes;
pub mod diagnostic;
pub mod render;
pub mod source;
pub mod syntax;
pub mod text;
pub mod words;

mod fmt;
mod lexer;
mod literal;
mod lower;
mod parser;
mod parts;
mod swallowed;
mod tree;

pub use codes::{CODES, CodeDoc, explain, is_limit};
pub use diagnostic::{Diagnostic, FileId, Fix, Label, Severity};
pub use fmt::format;
pub use lexer::tokens;
pub use literal::quoted;
pub use parser::{DEPTH_MAX, is_reserved};
pub use render::{RenderStyle, render};
pub use rowan::{NodeOrToken, TextRange, TextSize};
pub use source::{NotUtf8, SOURCE_BYTES_MAX, Source, Sources, Span, decode_source, line_column};
pub use syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken};
pub use text::{Lang, Text};

pub use parts::Effort;

/// A source after parsing.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Every byte of the source.
    pub tree: rowan::GreenNode,
    /// What could be read.
    pub ast: ast::File,
    /// Everything that is wrong, in source order; empty for a file that keeps to the grammar.
    pub diagnostics: Vec<Diagnostic>,
    /// What it took.
    pub effort: Effort,
    parts: Vec<parts::Part>,
    file: FileId,
}

impl Parsed {
    /// The tree with its places.
    pub fn syntax(&self) -> SyntaxNode {
        SyntaxNode::new_root(self.tree.clone())
    }

    /// The same source after an edit: the same as [`parse`] of the whole text, but only the items around the edit are parsed again.
    ///
    /// `text` is the source after the edit, in which `inserted` bytes stand where this one had the span `replaced`. Where these do not fit
    /// together the whole text is parsed.
    pub fn edit(self, text: &str, replaced: Span, inserted: u32) -> Parsed {
        let length = u64::from(u32::from(self.tree.text_len()));
        let behind = length.checked_sub(u64::from(replaced.end));
        let fits = replaced.start <= replaced.end
            && behind.is_some_and(|behind| u64::from(replaced.start) + u64::from(inserted) + behind == text.len() as u64)
            && text.is_char_boundary(replaced.start as usize)
            && text.is_char_boundary(replaced.start as usize + inserted as usize);
        if !fits || self.parts.is_empty() || text.len() > SOURCE_BYTES_MAX {
            return parse(text, self.file);
        }
        parts::edit(self, text, replaced, inserted)
    }
}

/// Parses one source. `file` is what the spans of the diagnostics name; it is not looked up.
pub fn parse(text: &str, file: FileId) -> Parsed {
    if text.len() > SOURCE_BYTES_MAX { too_large(text, file) } else { parts::parse(text, file) }
}

fn too_large(text: &str, file: FileId) -> Parsed {
    let mut builder = rowan::GreenNodeBuilder::new();
    builder.start_node(rowan::SyntaxKind(SyntaxKind::FILE as u16));
    // A tree counts in 32 bits; what is beyond them was never a source.
    builder.token(rowan::SyntaxKind(SyntaxKind::ERROR as u16), text.get(..u32::MAX as usize).unwrap_or(text));
    builder.finish_node();
    let message = say!("this file has more than {SOURCE_BYTES_MAX} bytes", "このファイルは{SOURCE_BYTES_MAX}バイトを超えています");
    let problem = Diagnostic::error("file-too-large", message, file, Span::default(), say!("not read", "読み込みません"))
        .help(say!("split it into modules; put long tables into CSV files", "モジュールに分割し、長い表はCSVファイルに移してください"));
    let (tree, ast, diagnostics) = (builder.finish(), ast::File::default(), vec![problem]);
    Parsed { tree, ast, diagnostics, effort: Effort::default(), parts: Vec::new(), file }
}
