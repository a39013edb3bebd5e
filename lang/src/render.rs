//! Draws problems for a terminal or a log: code, message, the lines of the source with all labels, help, note, and the fix as a change.
//!
//! In: [`Diagnostic`]s and the [`Sources`] that their spans point into. Out: text that ends in a newline, empty for no problem.
//!
//! Sources and messages may hold bytes of strangers. What a terminal obeys (controls other than tab and newline, direction marks) is
//! written as `\u{1b}`, so nothing here moves a cursor but the colours that were asked for. Only the lines around a label are drawn, so
//! the cost of a problem does not grow with its file.

use std::{borrow::Cow, collections::HashMap, fmt::Write as _, ops::Range};

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Patch, Renderer, Snippet};

use crate::{
    diagnostic::{Diagnostic, FileId, Fix, Label, Severity},
    source::{Sources, Span},
    text::Lang,
};

/// How to draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RenderStyle {
    /// With terminal colours.
    pub color: bool,
    /// In which language.
    pub lang: Lang,
}

/// Labels further apart than this are drawn as two excerpts.
const EXCERPT_BYTES_MAX: u32 = 16 * 1024;

/// Of a line, or of a label's span, at most this much is drawn on either side.
const LINE_BYTES_MAX: usize = 2 * 1024;

/// Draws problems in the order given, a blank line between two.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, style: RenderStyle) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let files = Files::of(diagnostics, sources);
    let mut out = String::new();
    for diagnostic in diagnostics {
        if !out.is_empty() {
            out.push('\n');
        }
        let mut report = vec![problem_group(diagnostic, &files, style.lang)];
        report.extend(diagnostic.fix.as_ref().map(|fix| fix_group(fix, &files, style.lang)));
        // The drawing pads lines; nobody wants the padding in a log.
        for line in renderer.render(&report).lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

/// The sources that problems speak of, with the places of their lines, counted once.
struct Files<'a> {
    sources: &'a Sources,
    line_starts: HashMap<FileId, Vec<usize>>,
}

impl<'a> Files<'a> {
    fn of(diagnostics: &[Diagnostic], sources: &'a Sources) -> Self {
        let mut line_starts = HashMap::new();
        for diagnostic in diagnostics {
            let edits = diagnostic.fix.iter().flat_map(|fix| fix.edits.iter().map(|(file, ..)| *file));
            for file in diagnostic.labels.iter().map(|label| label.file).chain(edits) {
                let text = sources.get(file).map_or("", |source| &source.text);
                line_starts
                    .entry(file)
                    .or_insert_with(|| text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1).collect());
            }
        }
        Files { sources, line_starts }
    }

    /// Number of the line in which an offset stands, from 1.
    fn line(&self, file: FileId, offset: usize) -> usize {
        self.line_starts.get(&file).map_or(0, |starts| starts.partition_point(|start| *start <= offset)) + 1
    }
}

fn problem_group<'a>(diagnostic: &'a Diagnostic, files: &Files<'a>, lang: Lang) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => named(Level::ERROR, "エラー", lang),
        Severity::Warning => named(Level::WARNING, "警告", lang),
        Severity::Note => named(Level::NOTE, "注記", lang),
    };
    let mut group = Group::with_title(level.primary_title(visible(diagnostic.message.in_lang(lang))).id(diagnostic.code));
    for labels in excerpts(&diagnostic.labels) {
        group = group.elements(snippet(&diagnostic.labels, &labels, files, lang));
    }
    let help = diagnostic.help.iter().map(|text| named(Level::HELP, "対処", lang).message(visible(text.in_lang(lang))));
    let note = diagnostic.note.iter().map(|text| named(Level::NOTE, "注記", lang).message(visible(text.in_lang(lang))));
    group.elements(help).elements(note)
}

fn named(level: Level<'static>, ja: &'static str, lang: Lang) -> Level<'static> {
    if lang == Lang::Ja { level.with_name(ja) } else { level }
}

/// Which labels are drawn together: those of one file that stand near each other; the primary label's file comes first.
fn excerpts(labels: &[Label]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    let first = labels.first().map(|label| label.file);
    order.sort_by_key(|&at| (Some(labels[at].file) != first, labels[at].file, labels[at].span));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for at in order {
        let near = groups.last().and_then(|group| group.last()).is_some_and(|&last| {
            labels[last].file == labels[at].file && labels[at].span.start.saturating_sub(labels[last].span.start) < EXCERPT_BYTES_MAX
        });
        match groups.last_mut() {
            Some(group) if near => group.push(at),
            _ => groups.push(vec![at]),
        }
    }
    // The excerpt of the primary label leads, whatever stands before it in the file.
    groups.sort_by_key(|group| !group.contains(&0));
    groups
}

fn snippet<'a>(labels: &'a [Label], group: &[usize], files: &Files<'a>, lang: Lang) -> Option<Snippet<'a, Annotation<'a>>> {
    let file = labels[*group.first()?].file;
    let source = files.sources.get(file)?;
    let spans: Vec<Range<usize>> = group.iter().map(|&at| clip(&source.text, labels[at].span)).collect();
    let excerpt = Excerpt::around(&source.text, spans.iter())?;
    let mut drawn = Snippet::source(excerpt.visible.clone()).line_start(files.line(file, excerpt.start)).path(visible(&source.path));
    for (&at, span) in group.iter().zip(&spans) {
        let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        drawn = drawn.annotation(kind.span(excerpt.place(span)).label(visible(labels[at].text.in_lang(lang))));
    }
    Some(drawn)
}

fn fix_group<'a>(fix: &'a Fix, files: &Files<'a>, lang: Lang) -> Group<'a> {
    let mut group = Group::with_title(named(Level::HELP, "修正案", lang).secondary_title(visible(fix.message.in_lang(lang))));
    let mut rest = &fix.edits[..];
    while let Some((file, ..)) = rest.first() {
        let same = rest.iter().take_while(|(other, ..)| other == file).count();
        let (edits, after) = rest.split_at(same);
        group = group.elements(patches(*file, edits, files));
        rest = after;
    }
    group
}

fn patches<'a>(file: FileId, edits: &'a [(FileId, Span, String)], files: &Files<'a>) -> Option<Snippet<'a, Patch<'a>>> {
    let source = files.sources.get(file)?;
    let spans: Vec<Range<usize>> = edits.iter().map(|(_, span, _)| clip(&source.text, *span)).collect();
    let excerpt = Excerpt::around(&source.text, spans.iter())?;
    let mut drawn = Snippet::source(excerpt.visible.clone()).line_start(files.line(file, excerpt.start)).path(visible(&source.path));
    for ((_, _, replacement), span) in edits.iter().zip(&spans) {
        drawn = drawn.patch(Patch::new(excerpt.place(span), visible(replacement)));
    }
    Some(drawn)
}

/// A span as a range that lies in the text, on characters, and is not too long to draw.
fn clip(text: &str, span: Span) -> Range<usize> {
    let start = floor(text, span.start as usize);
    let end = floor(text, (span.end as usize).min(start + LINE_BYTES_MAX)).max(start);
    start..end
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Whole lines of a source (parts of overlong ones), as they are drawn.
struct Excerpt<'a> {
    source: &'a str,
    start: usize,
    visible: Cow<'a, str>,
}

impl<'a> Excerpt<'a> {
    fn around<'s>(text: &'a str, mut spans: impl Iterator<Item = &'s Range<usize>>) -> Option<Self> {
        let first = spans.next()?.clone();
        let whole = spans.fold(first, |whole, span| whole.start.min(span.start)..whole.end.max(span.end));
        let from = floor(text, whole.start.saturating_sub(LINE_BYTES_MAX));
        let to = floor(text, whole.end + LINE_BYTES_MAX);
        let start = text[from..whole.start].rfind('\n').map_or(from, |newline| from + newline + 1);
        let end = text[whole.end..to].find('\n').map_or(to, |newline| whole.end + newline);
        let source = &text[start..end];
        Some(Excerpt { source, start, visible: visible(source) })
    }

    /// Where a range of the source stands in the drawn text.
    fn place(&self, span: &Range<usize>) -> Range<usize> {
        let place = |at: usize| match self.visible {
            Cow::Borrowed(_) => at - self.start,
            Cow::Owned(_) => visible(&self.source[..at - self.start]).len(),
        };
        place(span.start)..place(span.end)
    }
}

/// The text with everything that a terminal obeys written out. Works a character at a time, so a prefix of the text has a prefix of the
/// result.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            // The two that editors put into every line or file and nobody sees.
            '\r' | '\u{FEFF}' => {}
            _ if is_obeyed(character) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal obeys the character rather than showing it.
pub fn is_obeyed(character: char) -> bool {
    match character {
        '\t' | '\n' => false,
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2028}' | '\u{2029}' | '\u{61C}' | '\u{FEFF}' => {
            true
        }
        _ => character.is_control(),
    }
}
