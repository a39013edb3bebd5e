//! ksig's dialect of regular expressions: what a [`Pattern`] means.
//!
//! In: a [`Pattern`]. Out: a [`Hir`], the one meaning that interpreter, JIT and lints share, and [`CompiledPattern`], which runs it.
//!
//! The syntax is that of the `regex` crate, read by its own parser; the tree is then rewritten before it is translated:
//!
//! - `\d \w \s \b` and their negations are ASCII;
//! - `/i` and `(?i)` fold ASCII case only, before a class is negated, so that `[^a]` under `/i` excludes `A` too; `/iu` folds Unicode;
//! - a group has a name or is `(?:...)`; of the flags only `i`, `s` and `m` can be written inside a pattern;
//! - a bytes pattern holds no character outside ASCII: `\xNN` says a byte.
//!
//! `^` and `$` are the start and the end of the text. Line anchors are said explicitly: `(?m:^)`.

use std::fmt;
use std::sync::{Arc, OnceLock};

use ksig_schema::Value;
use regex_automata::Input;
use regex_automata::meta::Regex;
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind, Look};
use regex_syntax::utf8::Utf8Sequences;

use crate::pattern_engine::Engine;
use crate::plain_pattern::outline;
use crate::plan::Pattern;
use crate::text_automaton::on_valid_text;

/// Longest source of one pattern in bytes; a table spliced in can be long.
pub const PATTERN_BYTES_MAX: usize = 256 * 1024;
/// How deep groups, repetitions and classes nest.
pub const PATTERN_NEST_MAX: u32 = 48;
/// Size of one compiled pattern in bytes: a bound on its states and so on the work a byte of text can cost.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why a pattern is not one of the dialect, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct PatternError {
    /// What is wrong.
    pub problem: PatternProblem,
    /// Byte offsets in [`Pattern::source`].
    pub span: (usize, usize),
}

/// What is wrong with a pattern. The compiler words it for authors in their language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternProblem {
    /// No regular expression.
    #[error("{0}")]
    Syntax(ast::ErrorKind),
    /// A regular expression that means nothing, such as an unknown property.
    #[error("{0}")]
    Meaning(regex_syntax::hir::ErrorKind),
    /// Longer than [`PATTERN_BYTES_MAX`].
    #[error("the pattern is longer than {PATTERN_BYTES_MAX} bytes")]
    TooLong,
    /// Its compiled form is larger than [`PATTERN_COMPILED_BYTES_MAX`].
    #[error("the compiled pattern is larger than {PATTERN_COMPILED_BYTES_MAX} bytes: repeat less, or narrow a class")]
    TooLarge,
    /// It cannot be compiled for another reason, which the regex engine gave.
    #[error("{0}")]
    NotCompiled(String),
    /// `(...)`.
    #[error("a group needs a name: write (?<name>...), or (?:...) to only group")]
    UnnamedGroup,
    /// `(?x)`.
    #[error("the flag x is not in the dialect: blanks in a pattern are blanks")]
    FlagX,
    /// `(?U)`, `(?u)`, `(?R)`.
    #[error("of the flags only i, s and m can be written inside a pattern")]
    OtherFlag,
    /// `b/.../iu`.
    #[error("a bytes pattern has no Unicode case: write /i")]
    UnicodeCaseOfBytes,
    /// `b/ル/`.
    #[error("a bytes pattern holds ASCII only: write each byte as \\xNN, or a text pattern")]
    CharacterInBytes,
    /// `b/\p{L}/`.
    #[error("bytes have no Unicode properties: write the bytes, or a text pattern")]
    PropertyOfBytes,
}

impl PatternError {
    fn at(span: &ast::Span, problem: PatternProblem) -> PatternError {
        PatternError { problem, span: (span.start.offset, span.end.offset) }
    }

    fn whole(pattern: &Pattern, problem: PatternProblem) -> PatternError {
        PatternError { problem, span: (0, pattern.source.len()) }
    }
}

/// The meaning of a pattern.
///
/// # Errors
/// The source is no regular expression of the dialect, or passes a limit; the first problem in source order.
pub fn hir(pattern: &Pattern) -> Result<Hir, PatternError> {
    let mut tree = parse(pattern)?;
    let fold = if pattern.ignore_case_unicode {
        Fold::Unicode
    } else if pattern.ignore_case {
        Fold::Ascii
    } else {
        Fold::None
    };
    let mut dialect = Dialect { fold, unicode: pattern.ignore_case_unicode, bytes: pattern.bytes };
    dialect.rewrite(&mut tree)?;
    TranslatorBuilder::new()
        .unicode(!pattern.bytes)
        .utf8(!pattern.bytes)
        .case_insensitive(pattern.ignore_case_unicode)
        .build()
        .translate(&pattern.source, &tree)
        .map_err(|error| PatternError::at(error.span(), PatternProblem::Meaning(error.kind().clone())))
}

/// Names of the groups in the order in which they open.
///
/// # Errors
/// As [`hir`].
pub fn group_names(pattern: &Pattern) -> Result<Vec<String>, PatternError> {
    let mut names = Vec::new();
    collect_groups(&hir(pattern)?, &mut names);
    Ok(names)
}

pub(crate) fn collect_groups(hir: &Hir, names: &mut Vec<String>) {
    match hir.kind() {
        HirKind::Capture(group) => {
            names.extend(group.name.as_ref().map(|name| name.to_string()));
            collect_groups(&group.sub, names);
        }
        HirKind::Repetition(repetition) => collect_groups(&repetition.sub, names),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => subs.iter().for_each(|sub| collect_groups(sub, names)),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}

fn parse(pattern: &Pattern) -> Result<Ast, PatternError> {
    if pattern.source.len() > PATTERN_BYTES_MAX {
        return Err(PatternError::whole(pattern, PatternProblem::TooLong));
    }
    if pattern.bytes && pattern.ignore_case_unicode {
        return Err(PatternError::whole(pattern, PatternProblem::UnicodeCaseOfBytes));
    }
    ParserBuilder::new()
        .nest_limit(PATTERN_NEST_MAX)
        .build()
        .parse(&pattern.source)
        .map_err(|error| PatternError::at(error.span(), PatternProblem::Syntax(error.kind().clone())))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fold {
    None,
    Ascii,
    /// Left to the translator.
    Unicode,
}

/// Rewrites a tree of the `regex` crate into one that means under its rules what the source means under ours.
struct Dialect {
    /// In force where the walk stands; a group restores it at its end.
    fold: Fold,
    unicode: bool,
    bytes: bool,
}

impl Dialect {
    fn rewrite(&mut self, tree: &mut Ast) -> Result<(), PatternError> {
        match tree {
            Ast::Empty(_) | Ast::Dot(_) => {}
            Ast::Flags(set) => {
                self.apply(&mut set.flags)?;
                if set.flags.items.is_empty() {
                    *tree = Ast::empty(set.span);
                }
            }
            Ast::Literal(literal) => {
                self.check_literal(literal)?;
                if self.fold == Fold::Ascii && swap_case(literal.c).is_some() {
                    *tree = Ast::class_bracketed(bracketed(literal.span, false, self.literal_items(literal)));
                }
            }
            Ast::Assertion(assertion) => {
                use ast::AssertionKind as Kind;
                if !matches!(assertion.kind, Kind::StartLine | Kind::EndLine | Kind::StartText | Kind::EndText) {
                    *tree = ascii_only(Ast::assertion((**assertion).clone()));
                }
            }
            Ast::ClassPerl(class) => *tree = Ast::class_bracketed(perl(class)),
            Ast::ClassUnicode(class) => {
                self.check_property(class)?;
                if self.fold == Fold::Ascii {
                    *tree = Ast::class_bracketed(fold_property(class)?);
                }
            }
            Ast::ClassBracketed(class) => self.class(&mut class.kind)?,
            Ast::Repetition(repetition) => self.rewrite(&mut repetition.ast)?,
            Ast::Group(group) => {
                let outside = self.fold;
                match &mut group.kind {
                    ast::GroupKind::CaptureIndex(_) => {
                        return Err(PatternError::at(&group.span, PatternProblem::UnnamedGroup));
                    }
                    ast::GroupKind::CaptureName { .. } => {}
                    ast::GroupKind::NonCapturing(flags) => self.apply(flags)?,
                }
                self.rewrite(&mut group.ast)?;
                self.fold = outside;
            }
            Ast::Alternation(alternation) => {
                for branch in &mut alternation.asts {
                    self.rewrite(branch)?;
                }
            }
            Ast::Concat(concat) => {
                for part in &mut concat.asts {
                    self.rewrite(part)?;
                }
            }
        }
        Ok(())
    }

    /// Takes `i` out of the flags, because the translator would fold Unicode; leaves `s` and `m` to it.
    fn apply(&mut self, flags: &mut ast::Flags) -> Result<(), PatternError> {
        let mut on = true;
        for item in &flags.items {
            match item.kind {
                ast::FlagsItemKind::Negation => on = false,
                ast::FlagsItemKind::Flag(ast::Flag::CaseInsensitive) => {
                    self.fold = match (on, self.unicode) {
                        (true, true) => Fold::Unicode,
                        (true, false) => Fold::Ascii,
                        (false, _) => Fold::None,
                    }
                }
                ast::FlagsItemKind::Flag(ast::Flag::DotMatchesNewLine | ast::Flag::MultiLine) => {}
                ast::FlagsItemKind::Flag(ast::Flag::IgnoreWhitespace) => {
                    return Err(PatternError::at(&item.span, PatternProblem::FlagX));
                }
                ast::FlagsItemKind::Flag(_) => {
                    return Err(PatternError::at(&item.span, PatternProblem::OtherFlag));
                }
            }
        }
        if !self.unicode {
            flags.items.retain(|item| item.kind != ast::FlagsItemKind::Flag(ast::Flag::CaseInsensitive));
            if matches!(flags.items.last(), Some(item) if item.kind.is_negation()) {
                flags.items.pop();
            }
        }
        Ok(())
    }

    fn class(&self, set: &mut ast::ClassSet) -> Result<(), PatternError> {
        match set {
            ast::ClassSet::Item(item) => self.class_item(item),
            ast::ClassSet::BinaryOp(op) => {
                self.class(&mut op.lhs)?;
                self.class(&mut op.rhs)
            }
        }
    }

    fn class_item(&self, item: &mut ast::ClassSetItem) -> Result<(), PatternError> {
        use ast::ClassSetItem as Item;
        match item {
            Item::Empty(_) => {}
            Item::Literal(literal) => {
                self.check_literal(literal)?;
                if self.fold == Fold::Ascii {
                    *item = union(literal.span, self.literal_items(literal));
                }
            }
            Item::Range(range) => {
                self.check_literal(&range.start)?;
                self.check_literal(&range.end)?;
                if self.fold == Fold::Ascii {
                    let letters =
                        swapped_range(range.start.c, range.end.c).map(|(start, end)| Item::Range(ascii_range(range.span, start, end)));
                    *item = union(range.span, std::iter::once(Item::Range(range.clone())).chain(letters).collect());
                }
            }
            Item::Ascii(class) => {
                use ast::ClassAsciiKind::{Alpha, Lower, Upper};
                if self.fold == Fold::Ascii && matches!(class.kind, Lower | Upper) {
                    class.kind = Alpha;
                }
            }
            Item::Unicode(class) => {
                self.check_property(class)?;
                if self.fold == Fold::Ascii {
                    *item = Item::Bracketed(Box::new(fold_property(class)?));
                }
            }
            Item::Perl(class) => *item = Item::Bracketed(Box::new(perl(class))),
            Item::Bracketed(class) => self.class(&mut class.kind)?,
            Item::Union(items) => {
                for item in &mut items.items {
                    self.class_item(item)?;
                }
            }
        }
        Ok(())
    }

    fn check_literal(&self, literal: &ast::Literal) -> Result<(), PatternError> {
        if self.bytes && !literal.c.is_ascii() && literal.byte().is_none() {
            return Err(PatternError::at(&literal.span, PatternProblem::CharacterInBytes));
        }
        Ok(())
    }

    fn check_property(&self, class: &ast::ClassUnicode) -> Result<(), PatternError> {
        if self.bytes {
            return Err(PatternError::at(&class.span, PatternProblem::PropertyOfBytes));
        }
        Ok(())
    }

    fn literal_items(&self, literal: &ast::Literal) -> Vec<ast::ClassSetItem> {
        let other = swap_case(literal.c).map(|c| ast::Literal { c, kind: ast::LiteralKind::Verbatim, span: literal.span });
        std::iter::once(literal.clone()).chain(other).map(ast::ClassSetItem::Literal).collect()
    }
}

/// The other case of an ASCII letter.
fn swap_case(c: char) -> Option<char> {
    match c {
        'a'..='z' => Some(c.to_ascii_uppercase()),
        'A'..='Z' => Some(c.to_ascii_lowercase()),
        _ => None,
    }
}

/// The other case of the ASCII letters in a range: at most one range for the small and one for the capital letters.
fn swapped_range(start: char, end: char) -> impl Iterator<Item = (char, char)> {
    [('a', 'z'), ('A', 'Z')].into_iter().filter_map(move |(first, last)| {
        let (from, to) = (start.max(first), end.min(last));
        (from <= to).then(|| (swap_case(from).unwrap_or(from), swap_case(to).unwrap_or(to)))
    })
}

fn ascii_range(span: ast::Span, start: char, end: char) -> ast::ClassSetRange {
    let literal = |c| ast::Literal { span, kind: ast::LiteralKind::Verbatim, c };
    ast::ClassSetRange { span, start: literal(start), end: literal(end) }
}

fn union(span: ast::Span, items: Vec<ast::ClassSetItem>) -> ast::ClassSetItem {
    ast::ClassSetItem::Union(ast::ClassSetUnion { span, items })
}

fn bracketed(span: ast::Span, negated: bool, items: Vec<ast::ClassSetItem>) -> ast::ClassBracketed {
    ast::ClassBracketed { span, negated, kind: ast::ClassSet::Item(union(span, items)) }
}

/// `\d \s \w` as ASCII ranges.
fn perl(class: &ast::ClassPerl) -> ast::ClassBracketed {
    let ranges: &[(char, char)] = match class.kind {
        ast::ClassPerlKind::Digit => &[('0', '9')],
        ast::ClassPerlKind::Space => &[('\t', '\r'), (' ', ' ')],
        ast::ClassPerlKind::Word => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
    };
    let items = ranges.iter().map(|&(start, end)| ast::ClassSetItem::Range(ascii_range(class.span, start, end))).collect();
    bracketed(class.span, class.negated, items)
}

/// A Unicode property with the other case of the ASCII letters in it.
fn fold_property(class: &ast::ClassUnicode) -> Result<ast::ClassBracketed, PatternError> {
    let span = class.span;
    let mut positive = class.clone();
    positive.negated = false;
    let alone = TranslatorBuilder::new()
        .build()
        .translate("", &Ast::class_unicode(positive.clone()))
        .map_err(|error| PatternError::at(&span, PatternProblem::Meaning(error.kind().clone())))?;
    let mut items = vec![ast::ClassSetItem::Unicode(positive)];
    if let HirKind::Class(Class::Unicode(set)) = alone.kind() {
        let letters = set.iter().flat_map(|range| swapped_range(range.start(), range.end()));
        items.extend(letters.map(|(start, end)| ast::ClassSetItem::Range(ascii_range(span, start, end))));
    }
    Ok(bracketed(span, class.negated, items))
}

/// `(?-u:...)`: for word boundaries, whose Unicode form the translator would take.
fn ascii_only(inner: Ast) -> Ast {
    let span = *inner.span();
    let items = vec![
        ast::FlagsItem { span, kind: ast::FlagsItemKind::Negation },
        ast::FlagsItem { span, kind: ast::FlagsItemKind::Flag(ast::Flag::Unicode) },
    ];
    Ast::group(ast::Group { span, kind: ast::GroupKind::NonCapturing(ast::Flags { span, items }), ast: Box::new(inner) })
}

/// Longest text that is searched without a lazy automaton: over a short text, two passes over cold tables cost more than one, and the
/// automaton would be memory for each pattern that is asked at all.
const SHORT_BYTES_MAX: usize = 1024;

/// A pattern that is proven to be one of the dialect and within its limits, with its own scratch; shared by all threads.
///
/// Of one of plain parts ([`crate::plain_pattern`]) that is known without its tree. What runs it is made when it is first asked, because few patterns of a release ever meet a text that they could match.
#[derive(Clone)]
pub struct CompiledPattern {
    long: Engine,
    /// For texts of up to [`SHORT_BYTES_MAX`].
    short: Engine,
    pattern: Pattern,
    groups: Vec<String>,
    size_bytes: usize,
    anchored: OnceLock<bool>,
}

impl fmt::Debug for CompiledPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledPattern").field("pattern", &self.pattern).finish_non_exhaustive()
    }
}

/// A named group and the byte offsets of what it matched.
pub type Capture<'p> = (&'p str, (usize, usize));

/// Where a match lies, and its named groups.
pub type Found<'p> = ((usize, usize), Vec<Capture<'p>>);

impl CompiledPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// As [`hir`], and when the compiled form passes [`PATTERN_COMPILED_BYTES_MAX`].
    pub fn new(pattern: &Pattern) -> Result<CompiledPattern, PatternError> {
        let of = |long, groups, size_bytes| CompiledPattern {
            long,
            short: Engine::default(),
            pattern: pattern.clone(),
            groups,
            size_bytes,
            anchored: OnceLock::new(),
        };
        if let Some(outline) = outline(pattern)
            && let Some(bound) = trusted(outline.states)
        {
            debug_assert!(outline.agrees_with(&hir(pattern)), "{pattern:?} is not what its outline says");
            return Ok(of(Engine::default(), outline.groups, bound));
        }
        let hir = hir(pattern)?;
        let mut groups = Vec::new();
        collect_groups(&hir, &mut groups);
        if let Some(bound) = trusted(states_at_most(&hir)) {
            return Ok(of(Engine::default(), groups, bound));
        }
        // Too near to the limit for a bound: the real thing is made, and measured.
        let built = build(&hir, pattern.bytes, true).map_err(|problem| PatternError::whole(pattern, problem))?;
        let size_bytes = built.memory_usage();
        Ok(of(Engine::from(built), groups, size_bytes))
    }

    fn engine_for(&self, haystack: &[u8]) -> Arc<Regex> {
        if haystack.len() <= SHORT_BYTES_MAX { self.short() } else { self.long() }
    }

    /// The engine for long texts. A pattern whose size was only bounded is far below the limit, so making it cannot fail; if it did, nothing would match.
    fn long(&self) -> Arc<Regex> {
        self.long.get(|| Arc::new(build(&self.hir(), self.pattern.bytes, true).unwrap_or_else(|_| nothing())))
    }

    /// Whether the pattern is found in the text or bytes; of a text pattern, they must be UTF-8.
    pub fn is_match(&self, haystack: &[u8]) -> bool {
        self.engine_for(haystack).is_match(haystack)
    }

    /// The same of a match that begins at a place or later; what stands before is seen, as by `\b`.
    pub fn is_match_from(&self, haystack: &[u8], from: usize) -> bool {
        let from = from.min(haystack.len());
        self.engine_for(haystack).is_match(Input::new(haystack).range(from..))
    }

    /// The named groups that took part in the leftmost-first match, in the order in which they open; absent without a match.
    pub fn captures<'p>(&'p self, haystack: &[u8]) -> Option<Vec<Capture<'p>>> {
        self.find_captures(haystack).map(|(_, captures)| captures)
    }

    /// Where the leftmost-first match lies, and its named groups.
    pub fn find_captures<'p>(&'p self, haystack: &[u8]) -> Option<Found<'p>> {
        let regex = self.engine_for(haystack);
        let mut captures = regex.create_captures();
        regex.captures(haystack, &mut captures);
        let found = captures.get_match()?;
        // Each group has a name, so they are numbered as they are named; 0 is the whole.
        let spans = self.groups.iter().enumerate().map(|(at, name)| (name, captures.get_group(at + 1)));
        let named = spans.filter_map(|(name, span)| span.map(|span| (name.as_str(), (span.start, span.end))));
        Some(((found.start(), found.end()), named.collect()))
    }

    fn short(&self) -> Arc<Regex> {
        self.short.get(|| build(&self.hir(), self.pattern.bytes, false).map_or_else(|_| self.long(), Arc::new))
    }

    /// Gives back the memory of what runs it, because something else answers by now; it is made again for who asks nevertheless.
    pub fn let_engines_go(&self) {
        self.long.let_go();
        self.short.let_go();
    }

    /// Its meaning, worked out anew: it is large, and asked for when an engine or code is made.
    pub fn hir(&self) -> Hir {
        // What was proven to be a pattern has a meaning; if it had none, nothing would match.
        hir(&self.pattern).unwrap_or_else(|_| Hir::fail())
    }

    /// Whether a match can begin at the start of a text or a line only.
    pub fn is_anchored(&self) -> bool {
        *self.anchored.get_or_init(|| {
            let begins = self.hir().properties().look_set_prefix();
            begins.contains(Look::Start) || begins.contains(Look::StartLF)
        })
    }

    /// Names of its groups in the order in which they open.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Most heap bytes that the compiled form takes, without scratch.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Most states of its automaton: see [`states_at_most`].
    pub fn states_at_most(&self) -> usize {
        states_at_most(&self.hir())
    }

    /// Runs on bytes, not on text.
    pub fn on_bytes(&self) -> bool {
        self.pattern.bytes
    }

    /// What of a value this pattern can run on: the text of a text, the bytes of bytes; absent for all else, which it never matches.
    pub fn haystack<'v>(&self, value: &'v Value) -> Option<&'v [u8]> {
        match (value, self.pattern.bytes) {
            (Value::Text(text), false) => Some(text.as_bytes()),
            (Value::Bytes(bytes), true) => Some(bytes),
            _ => None,
        }
    }
}

/// A bound of the compiled size up to which nothing needs to be built to know that the pattern is within [`PATTERN_COMPILED_BYTES_MAX`].
const SIZE_BOUND_TRUSTED_BYTES: usize = PATTERN_COMPILED_BYTES_MAX / 16;
/// Bytes of an engine without states.
const ENGINE_BYTES: usize = 16 * 1024;
/// Bytes of one state of an automaton with all that stands beside it.
const STATE_BYTES: usize = 64;
/// States that the UTF-8 forms of one range of characters take at most: one for each byte of each sequence of byte ranges.
fn states_of_range(range: &ClassUnicodeRange) -> usize {
    Utf8Sequences::new(range.start(), range.end()).map(|sequence| sequence.len()).sum()
}

/// No more heap bytes than this does the compiled form of so many states take; saturating, for it is far above what real patterns take.
fn size_bound(states: usize) -> usize {
    states.saturating_mul(STATE_BYTES).saturating_add(ENGINE_BYTES)
}

/// The same, if it is small enough to be trusted.
fn trusted(states: usize) -> Option<usize> {
    Some(size_bound(states)).filter(|bound| *bound <= SIZE_BOUND_TRUSTED_BYTES)
}

/// No more states than this has the automaton of a pattern, a capture counted as eight; saturating, for repetitions multiply.
pub fn states_at_most(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() + 1,
        HirKind::Class(Class::Unicode(class)) => class.ranges().iter().map(states_of_range).sum::<usize>() + 2,
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() + 2,
        HirKind::Capture(group) => states_at_most(&group.sub).saturating_add(8),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1) as usize;
            states_at_most(&repetition.sub).saturating_add(2).saturating_mul(times)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(2, |sum: usize, part| sum.saturating_add(states_at_most(part)).saturating_add(1))
        }
    }
}

/// Matches nothing.
fn nothing() -> Regex {
    Regex::builder().build_from_hir(&Hir::fail()).expect("an expression that fails is small")
}

pub(crate) fn build(hir: &Hir, on_bytes: bool, lazy_automaton: bool) -> Result<Regex, PatternProblem> {
    let config = Regex::config()
        .utf8_empty(!on_bytes)
        .nfa_size_limit(Some(PATTERN_COMPILED_BYTES_MAX))
        .onepass_size_limit(Some(128 * 1024))
        .hybrid(lazy_automaton)
        .dfa(false);
    let smaller = (!on_bytes).then(|| on_valid_text(hir, true));
    let built = Regex::builder().configure(config).build_from_hir(smaller.as_ref().unwrap_or(hir));
    built.map_err(|error| match error.size_limit() {
        Some(_) => PatternProblem::TooLarge,
        None => PatternProblem::NotCompiled(error.to_string()),
    })
}

/// Literals of which at least one stands in each text that the pattern matches, in ASCII lower case: look for them ignoring ASCII case.
/// Absent when there are none that help, or too many.
///
/// # Errors
/// As [`hir`].
pub fn required_literals(pattern: &Pattern) -> Result<Option<Vec<Vec<u8>>>, PatternError> {
    Ok(crate::literals::required(&hir(pattern)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> Pattern {
        Pattern { source: source.into(), ignore_case: false, ignore_case_unicode: false, bytes: false }
    }

    fn ignoring_case(source: &str) -> Pattern {
        Pattern { ignore_case: true, ..text(source) }
    }

    fn bytes(source: &str) -> Pattern {
        Pattern { bytes: true, ..text(source) }
    }

    fn finds(pattern: &Pattern, haystack: impl AsRef<[u8]>) -> bool {
        CompiledPattern::new(pattern).expect(&pattern.source).is_match(haystack.as_ref())
    }

    #[test]
    fn perl_classes_and_boundaries_are_ascii() {
        assert!(finds(&text(r"^\d$"), "7") && !finds(&text(r"^\d$"), "٣"));
        assert!(finds(&text(r"^\w$"), "a") && !finds(&text(r"^\w$"), "é"));
        assert!(finds(&text(r"^\s$"), "\t") && !finds(&text(r"^\s$"), "\u{3000}"));
        assert!(finds(&text(r"^\D$"), "é") && finds(&text(r"^[\D]$"), "é") && !finds(&text(r"^[^\d]$"), "7"));
        assert!(finds(&text(r"\bb"), "éb"), "é is no ASCII word character");
        assert!(!finds(&text(r"é\B"), "éb"));
    }

    #[test]
    fn anchors_are_text_start_and_end() {
        assert!(!finds(&text("^b$"), "a\nb\nc") && finds(&text("(?m:^b$)"), "a\nb\nc"));
        assert!(!finds(&text("^b$"), "b\n"));
        assert!(!finds(&text("a.b"), "a\nb") && finds(&text("(?s:a.b)"), "a\nb"));
    }

    #[test]
    fn i_folds_ascii_case_only() {
        assert!(finds(&ignoring_case("^server$"), "SerVER"));
        assert!(!finds(&ignoring_case("^é$"), "É") && !finds(&ignoring_case("k"), "\u{212a}"));
        assert!(!finds(&ignoring_case("[^a]"), "A"), "folded before it is negated");
        assert!(finds(&ignoring_case("^[a-c]+$"), "aBc") && finds(&ignoring_case("^[[:upper:]]+$"), "aB"));
        assert!(finds(&ignoring_case(r"^\p{Lu}$"), "a") && !finds(&ignoring_case(r"\P{Lu}"), "a"));
        assert!(finds(&text("^(?i)a(?-i)b$"), "Ab") && !finds(&text("^(?i)a(?-i)b$"), "AB"));
        assert!(finds(&text("^(?i:a)b$"), "Ab") && !finds(&text("^(?i:a)b$"), "AB"));
        let unicode = Pattern { ignore_case_unicode: true, ..text("^é(?-i:x)$") };
        assert!(finds(&unicode, "Éx") && !finds(&unicode, "ÉX"));
    }

    #[test]
    fn bytes_patterns_see_bytes() {
        assert!(finds(&bytes(r"^\xff.\x00$"), b"\xff\xfe\x00"));
        assert!(finds(&bytes(r"^[^a]$"), b"\xff"));
        assert!(CompiledPattern::new(&bytes("é")).is_err() && CompiledPattern::new(&bytes(r"\p{L}")).is_err());
        assert!(CompiledPattern::new(&bytes(r"\u{e9}")).is_err());
    }

    #[test]
    fn refusals_say_where_and_what_to_write() {
        let error = CompiledPattern::new(&text("ab(c)")).expect_err("unnamed");
        assert_eq!(error.span, (2, 5));
        assert_eq!(error.problem, PatternProblem::UnnamedGroup);
        for source in ["(?x:a b)", "(?u:a)", "(?-u:a)", "(?R:a)", "(?U:a)", "(", "a{2,1}", r"\1", "(?=a)"] {
            assert!(CompiledPattern::new(&text(source)).is_err(), "{source}");
        }
        assert!(CompiledPattern::new(&text(r"(?:\w{500}){500}")).is_err(), "size limit");
        assert!(CompiledPattern::new(&text(&"(?:".repeat(100))).is_err(), "nest limit");
    }

    #[test]
    fn the_bound_of_the_size_holds() {
        let sources = [
            "^a$",
            "abc",
            ".",
            ".*",
            r"\w+",
            "[^a]",
            r"\p{L}",
            r"(?<a>\d{2,4})(?:-(?<b>[a-zé]+))*",
            "(?:ab|cd|ルータ){3}",
            "[ぁ-ん]{4}x?",
            r"\P{L}+",
            r"[^\p{Han}a]{3}",
            "(?i)straße",
            "",
        ];
        for source in sources {
            let pattern = text(source);
            let bound = size_bound(states_at_most(&hir(&pattern).expect(source)));
            let built = build(&hir(&pattern).expect(source), false, true).expect(source).memory_usage();
            assert!(built <= bound, "{source}: {built} bytes, bounded by {bound}");
        }
    }

    #[test]
    fn captures_are_leftmost_first_and_named() {
        let pattern = text(r"^(?<a>\w+)(?:-(?<b>\d+))?(?:/(?<c>x))?");
        assert_eq!(group_names(&pattern).expect("pattern"), ["a", "b", "c"]);
        let compiled = CompiledPattern::new(&pattern).expect("pattern");
        assert_eq!(compiled.captures(b"ab-12"), Some(vec![("a", (0, 2)), ("b", (3, 5))]));
        assert_eq!(compiled.captures(b"-"), None);
    }
}
