//! Patterns of plain parts, which are proven to be of the dialect by one look at each of their bytes, without a tree.
//!
//! In: a [`Pattern`]. Out: its groups and a bound of its automaton, or nothing: then the parser is asked, which alone says what is wrong.
//! Nearly all patterns of a release are plain: literals, `.`, `\d \w \s`, simple classes, named groups, alternations and repetitions. So a release
//! of fifty thousand is verified in milliseconds, and what a pattern means is worked out when it is needed.
//!
//! What is plain here is taken by the parser too, with the same groups, and never larger than said: a property test holds it to that, and builds
//! with assertions, which tests and fuzz targets are, ask the parser about each pattern.

use regex_syntax::hir::Hir;

use crate::pattern::{PATTERN_BYTES_MAX, PATTERN_NEST_MAX, PatternError, collect_groups, states_at_most};
use crate::plan::Pattern;

/// What is known of a pattern without its tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Names of its groups in the order in which they open.
    pub groups: Vec<String>,
    /// No more states than this: see [`crate::pattern::states_at_most`].
    pub states: usize,
}

impl Outline {
    /// Whether the parser says the same.
    pub(crate) fn agrees_with(&self, parsed: &Result<Hir, PatternError>) -> bool {
        let Ok(meaning) = parsed else { return false };
        let mut groups = Vec::new();
        collect_groups(meaning, &mut groups);
        groups == self.groups && states_at_most(meaning) <= self.states
    }
}

/// How deep groups may nest: each is up to four levels of the parser's, beside a repetition and a class.
const GROUPS_DEEP_MAX: usize = (PATTERN_NEST_MAX as usize - 4) / 4;
/// States of the sequences of all characters outside ASCII.
const BEYOND_ASCII_STATES: usize = 26;
/// States of a class beside those of its ranges.
const CLASS_STATES: usize = 2;

/// What is known of a plain pattern; absent for one that is not plain, or is none.
pub(crate) fn outline(pattern: &Pattern) -> Option<Outline> {
    if pattern.ignore_case_unicode || pattern.source.len() > PATTERN_BYTES_MAX {
        return None;
    }
    let source = pattern.source.as_bytes();
    let folds = pattern.ignore_case || memchr::memmem::find(source, b"(?i").is_some();
    let mut reader = Reader {
        source,
        at: 0,
        bytes: pattern.bytes,
        folds,
        groups: Vec::new(),
        outer: Vec::new(),
        inner: Level::default(),
        last: None,
        in_literal: false,
    };
    reader.read()?;
    let states = reader.inner.states();
    reader.outer.is_empty().then_some(Outline { groups: reader.groups, states })
}

/// A sequence of alternatives, as far as it is read.
#[derive(Clone, Copy, Default)]
struct Level {
    /// States of the alternatives that are done.
    done: usize,
    /// States of the one that is read.
    open: usize,
    is_group: bool,
}

impl Level {
    fn add(&mut self, states: usize) {
        self.open = self.open.saturating_add(states).saturating_add(1);
    }

    fn end_alternative(&mut self) {
        self.done = self.done.saturating_add(self.open).saturating_add(3);
        self.open = 0;
    }

    fn states(mut self) -> usize {
        self.end_alternative();
        // Of alternatives that begin alike the parser makes one sequence, of what they share and of the choice behind it: one state more at most.
        self.done.saturating_add(3)
    }
}

struct Reader<'s> {
    source: &'s [u8],
    at: usize,
    bytes: bool,
    folds: bool,
    groups: Vec<String>,
    outer: Vec<Level>,
    inner: Level,
    /// States of the part before, if it can be repeated.
    last: Option<usize>,
    /// It is a literal, with which the next one is one part.
    in_literal: bool,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = *self.source.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, text: &[u8]) -> bool {
        let stands = self.source[self.at..].starts_with(text);
        self.at += if stands { text.len() } else { 0 };
        stands
    }

    fn part(&mut self, states: usize) {
        self.inner.add(states);
        self.last = Some(states);
        self.in_literal = false;
    }

    /// A character of so many bytes, of which this is the first.
    fn literal(&mut self, first: u8, bytes: usize) {
        if self.folds && first.is_ascii_alphabetic() {
            return self.part(CLASS_STATES + 2);
        }
        if self.in_literal {
            self.inner.open = self.inner.open.saturating_add(bytes);
            self.last = Some(bytes + 1);
        } else {
            self.part(bytes + 1);
        }
        self.in_literal = true;
    }

    /// Reads all of it; absent when it is not plain.
    fn read(&mut self) -> Option<()> {
        while let Some(byte) = self.next() {
            match byte {
                b'(' => self.open()?,
                b')' => {
                    let states = self.inner.states().saturating_add(if self.inner.is_group { 8 } else { 0 });
                    self.inner = self.outer.pop()?;
                    self.part(states);
                }
                b'|' => {
                    self.inner.end_alternative();
                    (self.last, self.in_literal) = (None, false);
                }
                b'*' | b'+' | b'?' | b'{' => self.repeat(byte)?,
                b'^' | b'$' => self.part(1),
                b'.' => self.part(2 + BEYOND_ASCII_STATES + CLASS_STATES),
                b'[' => {
                    let states = self.class()?;
                    self.part(states);
                }
                b'\\' => match self.next()? {
                    b'b' if self.source.get(self.at) == Some(&b'{') => return None,
                    b'b' | b'B' => self.part(1),
                    escaped => match perl_class(escaped) {
                        Some((ranges, true)) => self.part(ranges + BEYOND_ASCII_STATES + CLASS_STATES),
                        Some((ranges, false)) => self.part(ranges + CLASS_STATES),
                        None => {
                            let literal = self.escaped(escaped)?;
                            self.literal(literal, 1);
                        }
                    },
                },
                b']' | b'}' => return None,
                literal => {
                    let bytes = utf8_length(literal)?;
                    if self.bytes && bytes > 1 {
                        return None;
                    }
                    self.at += bytes - 1;
                    self.literal(literal, bytes);
                }
            }
        }
        Some(())
    }

    /// What a byte stands for behind a backslash.
    fn escaped(&self, byte: u8) -> Option<u8> {
        match byte {
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'<' | b'>' | 0x80.. => None,
            sign => Some(sign),
        }
    }

    fn open(&mut self) -> Option<()> {
        (self.last, self.in_literal) = (None, false);
        let mut is_group = false;
        if self.take(b"?<") || self.take(b"?P<") {
            is_group = true;
            let begin = self.at;
            while matches!(self.source.get(self.at)?, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_') {
                self.at += 1;
            }
            let name = std::str::from_utf8(&self.source[begin..self.at]).ok()?;
            if !self.take(b">") || !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
                return None;
            }
            if self.groups.iter().any(|other| other == name) {
                return None;
            }
            self.groups.push(name.into());
        } else if self.take(b"?i)") || self.take(b"?s)") || self.take(b"?m)") {
            return Some(());
        } else if !(self.take(b"?:") || self.take(b"?i:") || self.take(b"?s:") || self.take(b"?m:")) {
            return None;
        }
        if self.outer.len() == GROUPS_DEEP_MAX {
            return None;
        }
        self.outer.push(std::mem::replace(&mut self.inner, Level { is_group, ..Level::default() }));
        Some(())
    }

    fn repeat(&mut self, sign: u8) -> Option<()> {
        let states = self.last.take()?;
        self.in_literal = false;
        let (least, most) = match sign {
            b'*' => (0, None),
            b'+' => (1, None),
            b'?' => (0, Some(1)),
            _ => {
                let least = self.number()?;
                let most = match self.next()? {
                    b'}' => Some(least),
                    b',' if self.take(b"}") => None,
                    b',' => {
                        let most = self.number()?;
                        (self.next()? == b'}' && least <= most).then_some(Some(most))?
                    }
                    _ => return None,
                };
                (least, most)
            }
        };
        self.take(b"?");
        if most == Some(0) {
            return None;
        }
        let times = most.unwrap_or(least + 1).max(1);
        self.inner.add(states.saturating_add(2).saturating_mul(times));
        Some(())
    }

    /// A number of at most four digits.
    fn number(&mut self) -> Option<usize> {
        let digits = self.source[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = (1..=4).contains(&digits).then(|| std::str::from_utf8(&self.source[self.at..self.at + digits]).ok()?.parse().ok());
        self.at += digits;
        number?
    }

    /// States of a class of ASCII: characters, ranges and `\d \w \s`, perhaps negated.
    fn class(&mut self) -> Option<usize> {
        let negated = self.take(b"^");
        let (mut ranges, mut wide) = (0, negated);
        // What a range may begin with.
        let mut low = None;
        loop {
            let byte = self.next()?;
            match byte {
                b']' => break,
                b'-' => match (low.take(), self.next()?) {
                    // At the end it is a literal.
                    (_, b']') => {
                        ranges += 1;
                        break;
                    }
                    (Some(low), high) => {
                        let high = self.member(high)?;
                        if low > high {
                            return None;
                        }
                    }
                    (None, _) => return None,
                },
                b'\\' if let Some((more, is_wide)) = self.source.get(self.at).and_then(|letter| perl_class(*letter)) => {
                    self.at += 1;
                    (low, ranges, wide) = (None, ranges + more, wide | is_wide);
                }
                _ => {
                    low = Some(self.member(byte)?);
                    ranges += 1;
                }
            }
        }
        if ranges == 0 {
            return None;
        }
        // Folded, a range has its other case beside it; negated, there is one range more than there were.
        let ranges = if self.folds { 2 * ranges } else { ranges } + usize::from(negated);
        Some(ranges + CLASS_STATES + if wide { BEYOND_ASCII_STATES } else { 0 })
    }

    /// A member of a class, whose first byte was read.
    fn member(&mut self, first: u8) -> Option<u8> {
        match first {
            b'\\' => {
                let escaped = self.next()?;
                self.escaped(escaped)
            }
            // What may begin an operation or another class, or is not ASCII.
            b'[' | b']' | b'&' | b'~' | b'^' | b'-' | 0x80.. => None,
            plain => Some(plain),
        }
    }
}

/// Ranges of ASCII in `\d \w \s` and their negations, and whether all beyond ASCII is among them. Absent for other letters.
fn perl_class(letter: u8) -> Option<(usize, bool)> {
    match letter {
        b'd' => Some((1, false)),
        b's' => Some((2, false)),
        b'w' => Some((4, false)),
        b'D' => Some((2, true)),
        b'S' => Some((3, true)),
        b'W' => Some((5, true)),
        _ => None,
    }
}

/// How many bytes a character takes, by its first one.
fn utf8_length(first: u8) -> Option<usize> {
    match first {
        0..0x80 => Some(1),
        0xc2..=0xdf => Some(2),
        0xe0..=0xef => Some(3),
        0xf0..=0xf4 => Some(4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::{group_names, hir};

    fn text(source: &str) -> Pattern {
        Pattern { source: source.into(), ignore_case: false, ignore_case_unicode: false, bytes: false }
    }

    #[test]
    fn what_releases_consist_of_is_plain() {
        for source in [
            r"^Acmeka (?<model>[A-Z]{2}-\d{2,4})(?: V(?<fw>[\d.]+))?$",
            r"(?i)^Apache/(?<v>\d+(?:\.\d+)*) \((?:Debian|ルータ)\)",
            r#"version="ntpd [^\s"]+\b.*?processor|[\w\-]{3,}"#,
        ] {
            let outline = outline(&text(source)).expect(source);
            assert_eq!(outline.groups, group_names(&text(source)).expect(source));
        }
    }

    #[test]
    fn alternatives_that_begin_alike_count_as_the_sequence_that_they_become() {
        for source in ["^ab$|^cd$", "(?m)^a$|^b$", "(?:^a|^b)x", "(?:ab|ac|ad)|ae"] {
            let outline = outline(&text(source)).expect("plain");
            assert!(outline.agrees_with(&hir(&text(source))), "{source}: {outline:?}");
        }
    }

    #[test]
    fn a_literal_counts_as_the_tree_counts_it() {
        let source = "^Apache Coyote ルータ";
        let counted = outline(&text(source)).expect("plain").states;
        assert!(counted <= states_at_most(&hir(&text(source)).expect("a pattern")) + 4, "{counted}");
    }

    /// What patterns consist of, whole and broken.
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "a", "B", "é", "ル", "1", " ", "/", "-", "^", "$", ".", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\b", "\\B", "\\b{", "\\.", "\\n", "\\x41", "\\xff",
        "\\-", "\\]", "\\", "\\q", "\\p{L}", "(?<a>", "(?<b>", "(?P<c>", "(?<1>", "(?<>", "(?:", "(?i:", "(?s:", "(?m:", "(?i)", "(?s)", "(?x)", "(?-i)", "(",
        ")", "|", "*", "+", "?", "{2}", "{0}", "{2,}", "{1,3}", "{3,1}", "{,2}", "{ 2}", "{", "}", "{70}", "[", "]", "[^", "[a-z]", "[^a-zA-Z]", "[\\d.]", "[a-]",
        "[-a]", "[\\w-]", "[\\w-.]", "[^\\s\\S]", "[z-a]", "[a--b]", "[a&&b]", "[[:alpha:]]", "[é]", "[\\n\\]]", "[^\"]",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn what_is_plain_is_taken_by_the_parser(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..6), ignore_case: bool, bytes: bool,
        ) {
            let pattern = Pattern { ignore_case, bytes, ..text(&pieces.concat()) };
            if let Some(outline) = outline(&pattern) {
                prop_assert!(outline.agrees_with(&hir(&pattern)), "{:?}: {:?}, not {:?}", pattern, outline, hir(&pattern));
            }
        }
    }
}
