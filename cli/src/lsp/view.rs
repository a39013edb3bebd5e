//! One file of a root, as requests look at it.

use std::cell::OnceCell;

use ksig_compiler::{Analysis, Mark, Session, Target};
use ksig_lang::{FileId, Lang, Span, SyntaxNode, SyntaxToken, ast};
use lsp_types::{Location, Position, Range, Uri};

use super::place::{Encoding, Lines};
use super::workspace::{Root, uri_of};

/// A file, and what the answer needs beside it.
pub struct View<'v, 'w> {
    /// Its root.
    pub root: &'v Root<'w>,
    /// Its number there.
    pub file: FileId,
    /// The language of what is said.
    pub lang: Lang,
    /// How places are counted.
    pub encoding: Encoding,
    /// How the client calls a path, where it has the document open.
    pub called: &'v dyn Fn(&std::path::Path) -> Option<String>,
    /// Its lines, once somebody asks for them.
    pub lines: OnceCell<Lines<'v>>,
}

impl<'v, 'w> View<'v, 'w> {
    /// What the root means.
    pub fn session(&self) -> &'v Session<'w> {
        &self.root.session
    }

    /// Texts and the typed program.
    pub fn analysis(&self) -> &'v Analysis {
        self.session().analysis()
    }

    /// The file's text.
    pub fn text(&self) -> &'v str {
        self.text_of(self.file)
    }

    /// The text of any file.
    pub fn text_of(&self, file: FileId) -> &'v str {
        self.analysis().sources.get(file).map_or("", |source| source.text.as_str())
    }

    /// The file's syntax.
    pub fn ast(&self) -> &'v ast::File {
        &self.analysis().files[self.file as usize]
    }

    /// Its tree.
    pub fn tree(&self) -> SyntaxNode {
        self.session().syntax(self.file).unwrap_or_else(|| ksig_lang::parse("", self.file).syntax())
    }

    /// Its lines.
    pub fn lines(&self) -> &Lines<'v> {
        self.lines.get_or_init(|| Lines::of(self.text(), self.encoding))
    }

    /// The byte at a position.
    pub fn offset(&self, position: Position) -> u32 {
        self.lines().offset(position)
    }

    /// The token that a byte is in; the later one between two, unless that is trivia.
    pub fn token(&self, offset: u32) -> Option<SyntaxToken> {
        let tree = self.tree();
        let offset = rowan_offset(offset.min(u32::from(tree.text_range().end())));
        tree.token_at_offset(offset).max_by_key(|token| !token.kind().is_trivia())
    }

    /// The mark that a byte is in, the smallest one; the end of a name belongs to it too.
    pub fn mark(&self, offset: u32) -> Option<&'v Mark> {
        let marks = self.session().marks(self.file).iter();
        marks
            .filter(|mark| mark.span.start <= offset && offset <= mark.span.end)
            .min_by_key(|mark| (mark.span.end - mark.span.start, mark.span.end == offset))
    }

    /// Every place of a target.
    pub fn places(&self, target: &Target) -> Vec<&'v Mark> {
        self.session().all_marks().filter(|mark| mark.target == *target).collect()
    }

    /// A range of any file.
    pub fn range_of(&self, file: FileId, span: Span) -> Range {
        if file == self.file { self.lines().range(span) } else { Lines::of(self.text_of(file), self.encoding).range(span) }
    }

    /// How the client calls a file.
    pub fn uri_of(&self, file: FileId) -> Option<Uri> {
        let path = self.root.path_of(file)?;
        (self.called)(&path).unwrap_or_else(|| uri_of(&path)).parse().ok()
    }

    /// A place of any file.
    pub fn location(&self, file: FileId, span: Span) -> Option<Location> {
        Some(Location { uri: self.uri_of(file)?, range: self.range_of(file, span) })
    }

    /// The signature around a byte.
    pub fn signature_at(&self, offset: u32) -> Option<&'v ast::Signature> {
        self.ast().items.iter().find_map(|item| match item {
            ast::Item::Signature(signature) if signature.span.start <= offset && offset <= signature.span.end => Some(signature),
            _ => None,
        })
    }

    /// The full name of something that the file declares.
    pub fn full(&self, name: &str) -> String {
        let module = self.ast().module.as_ref().map(|path| self.session().written(self.file, path.span)).unwrap_or_default();
        if module.is_empty() { name.to_string() } else { format!("{module}.{name}") }
    }
}

/// An offset as trees count.
pub fn rowan_offset(offset: u32) -> ksig_lang::TextSize {
    ksig_lang::TextSize::from(offset)
}

/// The span of a node or token.
pub fn span_of(range: ksig_lang::TextRange) -> Span {
    Span { start: range.start().into(), end: range.end().into() }
}
