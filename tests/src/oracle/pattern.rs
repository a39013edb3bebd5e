//! The regex dialect (V6), said again in the syntax of the `regex` crate, character by character.
//!
//! `\d \w \s \b` become their ASCII forms; under `/i` a letter becomes the class of its two cases, and a class holds both cases of the
//! letters in it. Everything else is left as it stands.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ksig_runtime::plan::Pattern;

thread_local! {
    /// Patterns that were translated before; a table spliced into one can be long.
    static SEARCHES: RefCell<HashMap<Pattern, Option<Rc<Search>>>> = RefCell::default();
}

/// A pattern that can be searched for.
pub enum Search {
    /// In text.
    Text(regex::Regex),
    /// In bytes.
    Bytes(regex::bytes::Regex),
}

/// The groups of a match: name and what it matched.
pub type Groups = Vec<(String, Vec<u8>)>;

impl Search {
    /// The search for a pattern. Absent when the `regex` crate refuses it.
    pub fn of(pattern: &Pattern) -> Option<Rc<Search>> {
        SEARCHES.with_borrow_mut(|known| known.entry(pattern.clone()).or_insert_with(|| Search::new(pattern).map(Rc::new)).clone())
    }

    fn new(pattern: &Pattern) -> Option<Search> {
        let source = translate(pattern);
        Some(if pattern.bytes {
            Search::Bytes(regex::bytes::RegexBuilder::new(&source).unicode(false).build().ok()?)
        } else {
            Search::Text(regex::RegexBuilder::new(&source).case_insensitive(pattern.ignore_case_unicode).build().ok()?)
        })
    }

    /// The named groups that took part in the leftmost-first match; absent without a match.
    pub fn find(&self, haystack: &[u8]) -> Option<Groups> {
        match self {
            Search::Text(regex) => {
                let found = regex.captures(std::str::from_utf8(haystack).ok()?)?;
                let names = regex.capture_names().flatten();
                Some(names.filter_map(|n| Some((n.to_string(), found.name(n)?.as_str().as_bytes().to_vec()))).collect())
            }
            Search::Bytes(regex) => {
                let found = regex.captures(haystack)?;
                let names = regex.capture_names().flatten();
                Some(names.filter_map(|n| Some((n.to_string(), found.name(n)?.as_bytes().to_vec()))).collect())
            }
        }
    }
}

/// The pattern in the `regex` crate's own meaning.
pub fn translate(pattern: &Pattern) -> String {
    let chars: Vec<char> = pattern.source.chars().collect();
    let fold = pattern.ignore_case && !pattern.ignore_case_unicode;
    let mut writer = Writer { chars, at: 0, out: String::new(), fold: vec![fold], flags_are_ours: !pattern.ignore_case_unicode };
    writer.run();
    writer.out
}

struct Writer {
    chars: Vec<char>,
    at: usize,
    out: String,
    /// Whether letters are folded, one for each open group.
    fold: Vec<bool>,
    /// `i` in `(?i)` means ASCII case; under `/iu` it is left to the `regex` crate.
    flags_are_ours: bool,
}

impl Writer {
    fn run(&mut self) {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape(false),
                '[' => self.class(),
                '(' => self.group(),
                ')' => {
                    self.fold.pop();
                    self.out.push(')');
                }
                c => self.literal(c),
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += 1;
        c
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn folding(&self) -> bool {
        self.fold.last().copied().unwrap_or_default()
    }

    fn literal(&mut self, c: char) {
        if self.folding() && c.is_ascii_alphabetic() {
            self.out.extend(['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']']);
        } else {
            self.out.push(c);
        }
    }

    /// After a backslash.
    fn escape(&mut self, in_class: bool) {
        let Some(c) = self.next() else { return self.out.push('\\') };
        let (digit, word, space) = ("0-9", "0-9A-Za-z_", r"\t\n\x0B\x0C\r ");
        match c {
            'd' | 'w' | 's' => {
                let set = match c {
                    'd' => digit,
                    'w' => word,
                    _ => space,
                };
                self.out.push_str(&if in_class { set.to_string() } else { format!("[{set}]") });
            }
            'D' => self.out.push_str(&format!("[^{digit}]")),
            'W' => self.out.push_str(&format!("[^{word}]")),
            'S' => self.out.push_str(&format!("[^{space}]")),
            'b' | 'B' if !in_class => {
                let start = self.at;
                self.skip_braces();
                let which: String = self.chars[start..self.at].iter().collect();
                self.out.push_str(&format!(r"(?-u:\{c}{which})"));
            }
            'p' | 'P' => {
                let start = self.at;
                self.skip_braces();
                self.at = self.at.max(start + 1).min(self.chars.len());
                let which: String = self.chars[start..self.at].iter().collect();
                self.out.push_str(&format!(r"\{c}{which}"));
            }
            'x' | 'u' | 'U' => {
                let start = self.at;
                self.at -= 1;
                match self.class_char('\\') {
                    letter if letter.is_ascii_alphabetic() => self.literal(letter),
                    _ => {
                        let which: String = self.chars[start..self.at].iter().collect();
                        self.out.push_str(&format!(r"\{c}{which}"));
                    }
                }
            }
            c => self.out.extend(['\\', c]),
        }
    }

    /// Over `{...}`, if it stands here.
    fn skip_braces(&mut self) {
        if self.peek(0) == Some('{')
            && let Some(end) = self.chars[self.at..].iter().position(|c| *c == '}')
        {
            self.at += end + 1;
        }
    }

    /// After `(`.
    fn group(&mut self) {
        let outside = self.folding();
        self.out.push('(');
        if self.peek(0) != Some('?') {
            return self.fold.push(outside);
        }
        // `(?<name>`, `(?P<name>`.
        if self.peek(1) == Some('<') || self.peek(1) == Some('P') {
            while let Some(c) = self.next() {
                self.out.push(c);
                if c == '>' {
                    break;
                }
            }
            return self.fold.push(outside);
        }
        self.next();
        let (mut on, mut fold) = (true, outside);
        let (mut ours, mut kept) = (String::new(), String::new());
        while let Some(c) = self.next() {
            match c {
                '-' => {
                    on = false;
                    kept.push('-');
                }
                'i' if self.flags_are_ours => {
                    fold = on;
                    ours.push('i');
                }
                ':' => {
                    self.out.push_str(&format!("?{}:", kept.trim_end_matches('-')));
                    return self.fold.push(fold);
                }
                ')' => {
                    // Flags for the rest of the group that they stand in.
                    match kept.trim_end_matches('-') {
                        "" => self.out.push_str("?:)"),
                        kept => self.out.push_str(&format!("?{kept})")),
                    }
                    if let Some(innermost) = self.fold.last_mut() {
                        *innermost = fold;
                    }
                    return;
                }
                c => kept.push(c),
            }
        }
    }

    /// After `[`, to its `]`; classes nest.
    fn class(&mut self) {
        self.out.push('[');
        if self.peek(0) == Some('^') {
            self.next();
            self.out.push('^');
        }
        let mut first = true;
        while let Some(c) = self.next() {
            match c {
                ']' if !first => return self.out.push(']'),
                '[' if self.peek(0) == Some(':') => {
                    let end = self.chars[self.at..].windows(2).position(|pair| pair == [':', ']']).map_or(0, |end| end + 2);
                    let name: String = self.chars[self.at..self.at + end].iter().collect();
                    self.at += end;
                    let both_cases = self.folding() && matches!(name.trim_matches([':', ']']), "lower" | "upper");
                    self.out.push_str(&format!("[{}", if both_cases { ":alpha:]" } else { &name }));
                }
                '[' => self.class(),
                '&' | '-' | '~' if self.peek(0) == Some(c) => {
                    self.next();
                    self.out.extend([c, c]);
                }
                '\\' if matches!(self.peek(0), Some('d' | 'D' | 'w' | 'W' | 's' | 'S' | 'p' | 'P')) => self.escape(true),
                c => self.class_item(c),
            }
            first = false;
        }
    }

    /// A character of a class, or a range of them.
    fn class_item(&mut self, first: char) {
        let start = self.class_char(first);
        let ranges = self.peek(0) == Some('-') && !matches!(self.peek(1), None | Some(']' | '-'));
        let end = if ranges {
            self.next();
            match self.next() {
                Some(c) => self.class_char(c),
                None => start,
            }
        } else {
            start
        };
        let one = |c: char| if (c as u32) < 0x100 { format!(r"\x{:02X}", c as u32) } else { format!(r"\x{{{:X}}}", c as u32) };
        let write = |out: &mut String, from: char, to: char| out.push_str(&format!("{}-{}", one(from), one(to)));
        write(&mut self.out, start, end);
        if self.folding() {
            for (low, high) in [('a', 'z'), ('A', 'Z')] {
                let (from, to) = (start.max(low), end.min(high));
                if from <= to {
                    let other = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
                    write(&mut self.out, other(from), other(to));
                }
            }
        }
    }

    /// One character of a class, with its escape read.
    fn class_char(&mut self, c: char) -> char {
        if c != '\\' {
            return c;
        }
        match self.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('a') => '\x07',
            Some('f') => '\x0C',
            Some('v') => '\x0B',
            Some('x' | 'u' | 'U') if self.peek(0) == Some('{') => {
                self.next();
                self.hex(usize::MAX)
            }
            Some('x') => self.hex(2),
            Some('u') => self.hex(4),
            Some('U') => self.hex(8),
            Some(other) => other,
            None => '\\',
        }
    }

    fn hex(&mut self, digits: usize) -> char {
        let mut code = 0;
        for _ in 0..digits {
            match self.next().and_then(|c| c.to_digit(16)) {
                Some(digit) => code = code * 16 + digit,
                None => break,
            }
        }
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(source: &str, ignore_case: bool) -> String {
        translate(&Pattern { source: source.into(), ignore_case, ignore_case_unicode: false, bytes: false })
    }

    #[test]
    fn ascii_classes_and_cases_are_spelled_out() {
        assert_eq!(translated(r"^\d\w$", false), r"^[0-9][0-9A-Za-z_]$");
        assert_eq!(translated(r"[^\d]", false), r"[^0-9]");
        assert_eq!(translated(r"aB-1", true), r"[aA][bB]-1");
        assert_eq!(translated(r"(?i:a)b(?-i:c)", false), r"(?:[aA])b(?:c)");
        assert_eq!(translated(r"(?i)a", false), r"(?:)[aA]");
        assert_eq!(translated(r"(?s:.)(?m:^)", true), r"(?s:.)(?m:^)");
        assert_eq!(translated(r"(?<model>A\.)", true), r"(?<model>[aA]\.)");
    }

    #[test]
    fn a_negated_class_under_i_excludes_both_cases() {
        let pattern = Pattern { source: "[^a]".into(), ignore_case: true, ignore_case_unicode: false, bytes: false };
        let search = Search::new(&pattern).expect("a class");
        assert!(search.find(b"A").is_none());
        assert!(search.find(b"b").is_some());
        assert!(search.find("ſ".as_bytes()).is_some());
    }
}
