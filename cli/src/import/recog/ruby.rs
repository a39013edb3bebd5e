//! Ruby's regular expressions in ksig's dialect of bytes.
//!
//! In: a pattern as Ruby reads it, and names for its captures. Out: a pattern with the same matches and captures, or the reason why there is
//! none. What a linear engine cannot do (look-around, backreferences, atomic groups) is refused.
//!
//! | Ruby | ksig |
//! |---|---|
//! | `^ $`: line anchors, always | the flag `m` |
//! | `(?m)`, `(?m:...)`: `.` takes a newline | `s` |
//! | `(...)`: a capture by its number | `(?<name: text>...)`, or `(?:...)` where nobody reads it |
//! | `a(?i)b\|c`: the rest of the group, its alternatives too | `a(?i:b\|c)` |
//! | `a{,3}`, `a{2}?`, a `{` that begins no repetition | `a{0,3}`, `(?:a{2})?`, `\{` |
//! | `\h`, `\Z`, `\R`, `\e`, octal | `[0-9a-fA-F]`, `(?:\n?\z)`, ... |
//! | a character outside ASCII | its bytes, `\xc2\xb7` |

use std::fmt::Write as _;

/// A pattern of ksig's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translated {
    /// Between the slashes, as a bytes pattern.
    pub pattern: String,
    /// `/i`.
    pub ignore_case: bool,
    /// `/m`: it has an anchor of lines.
    pub lines: bool,
    /// `/s`.
    pub dot_all: bool,
    /// How many captures the original has.
    pub groups: usize,
}

/// Why a pattern has no translation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (character {at} of the pattern)")]
pub struct Untranslatable {
    /// Where, in characters from 1.
    pub at: usize,
    /// What cannot be said.
    pub reason: String,
}

/// How deep groups and classes nest.
const DEPTH_MAX: u32 = 40;
/// Longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 256 * 1024;
/// Largest bound of a repetition, as in Ruby.
const REPEAT_MAX: u32 = 100_000;

/// Translates a pattern. `flags` are Recog's words; `name_of` says what the capture of a number is called, if anybody reads it.
///
/// # Errors
/// A flag that Recog has not, a construct without a translation, or no regular expression at all.
pub fn translate(pattern: &str, flags: &[String], name_of: &dyn Fn(usize) -> Option<String>) -> Result<Translated, Untranslatable> {
    let mut options = Options::default();
    for flag in flags {
        match flag.as_str() {
            "REG_ICASE" | "IGNORECASE" => options.ignore_case = true,
            "REG_DOT_NEWLINE" | "REG_MULTILINE" | "REG_LINE_ANY_CRLF" => options.dot_all = true,
            other => return Err(Untranslatable { at: 0, reason: format!("`{other}` is no flag of Recog's") }),
        }
    }
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(Untranslatable { at: 0, reason: format!("it is longer than {PATTERN_BYTES_MAX} bytes") });
    }
    let chars: Vec<char> = pattern.chars().collect();
    let mut translator =
        Translator { chars: &chars, at: 0, end: chars.len(), out: String::new(), depth: 0, groups: 0, lines: false, name_of };
    options = translator.hoist(options);
    translator.alternatives(options)?;
    if translator.at < translator.end {
        return Err(translator.error("a `)` closes nothing"));
    }
    let Translator { out, groups, lines, .. } = translator;
    Ok(Translated { pattern: out, ignore_case: options.ignore_case, lines, dot_all: options.dot_all, groups })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Options {
    ignore_case: bool,
    dot_all: bool,
    extended: bool,
}

struct Translator<'p> {
    chars: &'p [char],
    at: usize,
    /// One past the last character that is read: a group around all is taken off.
    end: usize,
    out: String,
    depth: u32,
    groups: usize,
    lines: bool,
    name_of: &'p dyn Fn(usize) -> Option<String>,
}

type Done = Result<(), Untranslatable>;

impl Translator<'_> {
    fn error(&self, reason: impl Into<String>) -> Untranslatable {
        Untranslatable { at: self.at + 1, reason: reason.into() }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied().filter(|_| self.at < self.end)
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn rest_is(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(offset, c)| self.at + offset < self.end && self.chars[self.at + offset] == c)
    }

    /// Flags that hold for the whole pattern become its own: a leading `(?i)`, a group `(?im:...)` around all.
    fn hoist(&mut self, mut options: Options) -> Options {
        loop {
            let begin = self.at;
            let Some((set, on_rest)) = self.flags(options) else { return options };
            if on_rest {
                options = set;
            } else if self.closes_at_the_end() {
                options = set;
                self.end -= 1;
            } else {
                self.at = begin;
                return options;
            }
        }
    }

    /// Whether the group that was just opened ends with the pattern.
    fn closes_at_the_end(&self) -> bool {
        let (mut depth, mut class, mut at) = (1u32, 0u32, self.at);
        while at < self.end {
            match self.chars[at] {
                '\\' => at += 1,
                '[' => class += 1,
                ']' => class = class.saturating_sub(1),
                '(' if class == 0 => depth += 1,
                ')' if class == 0 => {
                    depth -= 1;
                    if depth == 0 {
                        return at + 1 == self.end;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        false
    }

    /// Reads `(?im-x)` or `(?im-x:`: the options that it sets, and whether they hold for the rest of the group around it.
    fn flags(&mut self, mut options: Options) -> Option<(Options, bool)> {
        let begin = self.at;
        let mut read = |this: &mut Self| {
            if !this.rest_is("(?") {
                return None;
            }
            this.at += 2;
            let mut on = true;
            let mut any = false;
            loop {
                match this.next()? {
                    'i' => options.ignore_case = on,
                    'm' => options.dot_all = on,
                    'x' => options.extended = on,
                    '-' => on = false,
                    ')' if any => return Some((options, true)),
                    ':' if any => return Some((options, false)),
                    _ => return None,
                }
                any = true;
            }
        };
        let found = read(self);
        if found.is_none() {
            self.at = begin;
        }
        found
    }

    fn alternatives(&mut self, options: Options) -> Done {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(format!("groups nest more than {DEPTH_MAX} deep")));
        }
        loop {
            match self.peek() {
                None | Some(')') => break,
                Some('|') => {
                    self.at += 1;
                    self.out.push('|');
                }
                _ => self.piece(options)?,
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// An atom with its repetitions.
    fn piece(&mut self, options: Options) -> Done {
        let begin = self.out.len();
        if let Some((set, on_rest)) = self.flags(options) {
            self.out.push_str(&opening(options, set));
            self.alternatives(set)?;
            if on_rest {
                // It holds to the end of the group around it, which closes itself.
                self.out.push(')');
                return Ok(());
            }
            self.close()?;
            return self.repetitions(begin);
        }
        match self.next() {
            Some('#') if options.extended => {
                while self.next().is_some_and(|c| c != '\n') {}
                return Ok(());
            }
            Some(c) if options.extended && c.is_ascii_whitespace() => return Ok(()),
            Some('(') => {
                if !self.group(options)? {
                    return Ok(());
                }
            }
            Some('[') => self.class(0)?,
            Some('.') => self.out.push('.'),
            Some(anchor @ ('^' | '$')) => {
                self.lines = true;
                self.out.push(anchor);
            }
            Some('\\') => self.escape()?,
            Some('*' | '+' | '?') => {
                self.at -= 1;
                return Err(self.error("a repetition of nothing"));
            }
            Some('{') if self.interval().is_some() => return Err(self.error("a repetition of nothing")),
            Some(c) => self.literal(c),
            None => return Ok(()),
        }
        self.repetitions(begin)
    }

    /// Behind `(`. Whether something stands there that can be repeated.
    fn group(&mut self, options: Options) -> Result<bool, Untranslatable> {
        if !self.eat('?') {
            self.groups += 1;
            self.open_capture();
        } else if self.eat('#') {
            while self.next().is_some_and(|c| c != ')') {}
            return Ok(false);
        } else if self.eat(':') {
            self.out.push_str("(?:");
        } else if self.rest_is("=") || self.rest_is("!") || self.rest_is("<=") || self.rest_is("<!") {
            return Err(self.error("look-around: a linear engine has none"));
        } else if self.rest_is(">") {
            return Err(self.error("an atomic group: a linear engine has none"));
        } else if self.rest_is("~") || self.rest_is("(") {
            return Err(self.error("an absence operator or a condition: ksig has none"));
        } else if self.eat('<') || self.eat('\'') {
            while self.next().is_some_and(|c| c != '>' && c != '\'') {}
            self.groups += 1;
            self.open_capture();
        } else {
            return Err(self.error("an unknown kind of group"));
        }
        self.alternatives(options)?;
        self.close()?;
        Ok(true)
    }

    fn open_capture(&mut self) {
        match (self.name_of)(self.groups) {
            Some(name) => drop(write!(self.out, "(?<{name}: text>")),
            None => self.out.push_str("(?:"),
        }
    }

    fn close(&mut self) -> Done {
        if !self.eat(')') {
            return Err(self.error("a group is not closed"));
        }
        self.out.push(')');
        Ok(())
    }

    /// `* + ? {n,m}`, each lazy or not, one after another. `begin`: where in the output the atom stands.
    fn repetitions(&mut self, begin: usize) -> Done {
        let mut count = 0;
        loop {
            let Some((text, exact)) = self.repetition()? else { return Ok(()) };
            if count > 0 {
                self.out.insert_str(begin, "(?:");
                self.out.push(')');
            }
            self.out.push_str(&text);
            count += 1;
            match self.peek() {
                // `a{2}?` is an optional `a{2}` in Ruby, which the next round makes of it.
                Some('?') if !exact => {
                    self.at += 1;
                    self.out.push('?');
                }
                Some('+') if !text.starts_with('{') => return Err(self.error("a possessive repetition: a linear engine has none")),
                _ => {}
            }
        }
    }

    /// One repetition sign, and whether it is `{n}`.
    fn repetition(&mut self) -> Result<Option<(String, bool)>, Untranslatable> {
        Ok(match self.peek() {
            Some(sign @ ('*' | '+' | '?')) => {
                self.at += 1;
                Some((sign.to_string(), false))
            }
            Some('{') => {
                self.at += 1;
                let Some((low, high, after)) = self.interval() else {
                    self.at -= 1;
                    return Ok(None);
                };
                if low.max(high.unwrap_or(0)) > REPEAT_MAX {
                    return Err(self.error("a repetition of more than 100,000 times"));
                }
                if high.is_some_and(|high| high < low) {
                    return Err(self.error("a repetition whose upper bound is below its lower one"));
                }
                self.at = after;
                Some(match high {
                    Some(high) if high == low => (format!("{{{low}}}"), true),
                    Some(high) => (format!("{{{low},{high}}}"), false),
                    None => (format!("{{{low},}}"), false),
                })
            }
            _ => None,
        })
    }

    /// Behind `{`: the bounds, where it is a repetition, and where it ends.
    fn interval(&self) -> Option<(u32, Option<u32>, usize)> {
        let length = self.chars[self.at..self.end].iter().take(16).position(|c| *c == '}')?;
        let inside: String = self.chars[self.at..self.at + length].iter().collect();
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
        let (low, high) = match inside.split_once(',') {
            None => (number(&inside)?, Some(number(&inside)?)),
            Some(("", high)) => (0, Some(number(high)?)),
            Some((low, "")) => (number(low)?, None),
            Some((low, high)) => (number(low)?, Some(number(high)?)),
        };
        Some((low, high, self.at + length + 1))
    }

    /// A character that stands for itself.
    fn literal(&mut self, c: char) {
        let escaped = escaped(c, false);
        if c.is_ascii() {
            self.out.push_str(&escaped);
        } else {
            // Its bytes are one atom.
            let _ = write!(self.out, "(?:{escaped})");
        }
    }

    /// Behind `\`, outside a class.
    fn escape(&mut self) -> Done {
        let Some(c) = self.next() else { return Err(self.error("a `\\` at the end")) };
        match c {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'b' | 'B' | 'A' | 'z' => drop(write!(self.out, "\\{c}")),
            'h' => self.out.push_str("[0-9a-fA-F]"),
            'H' => self.out.push_str("[^0-9a-fA-F]"),
            'R' => self.out.push_str(r"(?:\r\n|[\n\x0b\x0c\r])"),
            'Z' => self.out.push_str(r"(?:\n?\z)"),
            'G' | 'K' | 'X' | 'g' | 'k' => return Err(self.error(format!("`\\{c}`: ksig's dialect has no such thing"))),
            'p' | 'P' => return Err(self.error("a property of characters: patterns of bytes have none")),
            '1'..='9' if self.is_backreference(c) => return Err(self.error("a backreference: a linear engine has none")),
            _ => match self.coded(c)? {
                Some(Coded::Byte(byte)) => self.out.push_str(&escaped_byte(byte, false)),
                Some(Coded::Char(c)) => self.literal(c),
                None => self.literal(c),
            },
        }
        Ok(())
    }

    /// A number is one of a group when so many groups were opened anywhere; else it is octal.
    fn is_backreference(&self, digit: char) -> bool {
        let opened = self.chars.windows(2).filter(|pair| pair[0] == '(' && pair[1] != '?').count();
        digit.to_digit(10).is_some_and(|number| number as usize <= opened.max(1)) || digit >= '8'
    }

    /// What a letter or a digit behind `\` codes; absent where it stands for itself.
    fn coded(&mut self, c: char) -> Result<Option<Coded>, Untranslatable> {
        let byte = |byte: u8| Ok(Some(Coded::Byte(byte)));
        match c {
            'n' => byte(b'\n'),
            't' => byte(b'\t'),
            'r' => byte(b'\r'),
            'f' => byte(0x0c),
            'v' => byte(0x0b),
            'a' => byte(7),
            'e' => byte(0x1b),
            'c' => match self.next() {
                Some(c) if c.is_ascii() => byte(c as u8 & 0x1f),
                _ => Err(self.error("`\\c` without a letter")),
            },
            '0'..='7' => {
                let mut value = c.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) else { break };
                    self.at += 1;
                    value = value * 8 + digit;
                }
                u8::try_from(value).map(|value| Some(Coded::Byte(value))).map_err(|_| self.error("an octal number that is no byte"))
            }
            'x' => match self.hex(2) {
                Some(value) => byte(value as u8),
                None => Err(self.error("`\\x` without a hexadecimal digit")),
            },
            'u' => {
                let braced = self.eat('{');
                let value = self.hex(if braced { 6 } else { 4 });
                if braced && !self.eat('}') {
                    return Err(self.error("`\\u{` is not closed"));
                }
                match value.and_then(char::from_u32) {
                    Some(c) => Ok(Some(Coded::Char(c))),
                    None => Err(self.error("`\\u` names no character")),
                }
            }
            _ => Ok(None),
        }
    }

    fn hex(&mut self, most: usize) -> Option<u32> {
        let digits = self.chars[self.at..self.end].iter().take(most).take_while(|c| c.is_ascii_hexdigit()).count();
        let text: String = self.chars[self.at..self.at + digits].iter().collect();
        self.at += digits;
        u32::from_str_radix(&text, 16).ok()
    }

    /// Behind `[`.
    fn class(&mut self, depth: u32) -> Done {
        if depth > DEPTH_MAX {
            return Err(self.error(format!("classes nest more than {DEPTH_MAX} deep")));
        }
        let begin = self.out.len();
        let negated = self.eat('^');
        self.out.push_str(if negated { "[^" } else { "[" });
        let mut wide: Vec<String> = Vec::new();
        let mut first = true;
        loop {
            let Some(c) = self.next() else { return Err(self.error("a class is not closed")) };
            match c {
                ']' if !first => break,
                '[' if self.peek() == Some(':') && self.posix() => {}
                '[' => self.class(depth + 1)?,
                '&' if self.peek() == Some('&') => {
                    self.at += 1;
                    self.out.push_str("&&");
                }
                _ => {
                    let item = self.class_item(c)?;
                    self.range_or_item(item, &mut wide)?;
                }
            }
            first = false;
        }
        self.out.push(']');
        if wide.is_empty() {
            return Ok(());
        }
        if negated || depth > 0 {
            return Err(self.error("a character outside ASCII in a class that is negated or nested: it is several bytes"));
        }
        // A class of bytes holds no character of several: they stand beside it.
        let class = self.out.split_off(begin);
        let class = if class == "[]" { String::new() } else { format!("{class}|") };
        let _ = write!(self.out, "(?:{class}{})", wide.join("|"));
        Ok(())
    }

    /// `[:alpha:]`, from its `:`.
    fn posix(&mut self) -> bool {
        let rest: String = self.chars[self.at..self.end].iter().take(12).collect();
        let Some(length) = rest.find(":]") else { return false };
        let name = rest[1..length].trim_start_matches('^');
        let known =
            ["alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word", "xdigit"];
        if !known.contains(&name) {
            return false;
        }
        let _ = write!(self.out, "[{}:]", &rest[..length]);
        self.at += length + 2;
        true
    }

    /// One thing in a class: a character, a byte, or a set such as `\d`.
    fn class_item(&mut self, c: char) -> Result<Item, Untranslatable> {
        if c != '\\' {
            return Ok(Item::of(c));
        }
        let Some(c) = self.next() else { return Err(self.error("a `\\` at the end")) };
        Ok(match c {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' => Item::Set(format!("\\{c}")),
            'h' => Item::Set("0-9a-fA-F".into()),
            'b' => Item::Byte(8),
            'H' | 'p' | 'P' | 'R' | 'X' => return Err(self.error(format!("`\\{c}` in a class: patterns of bytes have no such thing"))),
            _ => match self.coded(c)? {
                Some(Coded::Byte(byte)) => Item::Byte(byte),
                Some(Coded::Char(c)) => Item::of(c),
                None => Item::of(c),
            },
        })
    }

    fn range_or_item(&mut self, low: Item, wide: &mut Vec<String>) -> Done {
        let begins_range = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']') && self.at + 1 < self.end;
        if let (true, Item::Byte(from)) = (begins_range, &low) {
            self.at += 1;
            let Some(c) = self.next() else { return Err(self.error("a class is not closed")) };
            if c == '[' {
                // `a-[b]` is no range: the sign stands for itself.
                self.at -= 1;
                let _ = write!(self.out, "{}\\-", escaped_byte(*from, true));
                return Ok(());
            }
            let high = self.class_item(c)?;
            match high {
                Item::Byte(to) if to >= *from => drop(write!(self.out, "{}-{}", escaped_byte(*from, true), escaped_byte(to, true))),
                Item::Byte(_) => return Err(self.error("a range whose end is below its beginning")),
                Item::Set(set) => drop(write!(self.out, "{}\\-{set}", escaped_byte(*from, true))),
                Item::Wide(_) => return Err(self.error("a range of characters outside ASCII: they are several bytes")),
            }
            return Ok(());
        }
        match low {
            Item::Byte(byte) => self.out.push_str(&escaped_byte(byte, true)),
            Item::Set(set) => self.out.push_str(&set),
            Item::Wide(c) if begins_range => return Err(self.error(format!("a range from `{c}`, which is several bytes"))),
            Item::Wide(c) => wide.push(escaped(c, false)),
        }
        Ok(())
    }
}

enum Coded {
    Byte(u8),
    Char(char),
}

enum Item {
    Byte(u8),
    Set(String),
    Wide(char),
}

impl Item {
    fn of(c: char) -> Item {
        if c.is_ascii() { Item::Byte(c as u8) } else { Item::Wide(c) }
    }
}

/// `(?is-m:`: what a group sets that differs.
fn opening(before: Options, set: Options) -> String {
    let change = |was: bool, is: bool, flag: &str| (flag.to_string(), was, is);
    let changes = [change(before.ignore_case, set.ignore_case, "i"), change(before.dot_all, set.dot_all, "s")];
    let of =
        |wanted: bool| changes.iter().filter(|(_, was, is)| was != is && *is == wanted).map(|(flag, ..)| flag.as_str()).collect::<String>();
    match (of(true), of(false)) {
        (on, off) if off.is_empty() => format!("(?{on}:"),
        (on, off) => format!("(?{on}-{off}:"),
    }
}

/// A character as a bytes pattern writes it.
fn escaped(c: char, in_class: bool) -> String {
    let mut buffer = [0; 4];
    c.encode_utf8(&mut buffer).bytes().map(|byte| escaped_byte(byte, in_class)).collect()
}

fn escaped_byte(byte: u8, in_class: bool) -> String {
    let special: &[u8] = if in_class { br"\[]^-&~/" } else { br"\.+*?()|[]{}^$/" };
    match byte {
        b'\n' => r"\n".into(),
        b'\r' => r"\r".into(),
        b'\t' => r"\t".into(),
        _ if special.contains(&byte) => format!("\\{}", byte as char),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(pattern: &str, flags: &[&str]) -> Result<Translated, Untranslatable> {
        let flags: Vec<String> = flags.iter().map(|flag| flag.to_string()).collect();
        translate(pattern, &flags, &|number| (number == 1).then(|| "one".to_string()))
    }

    #[track_caller]
    fn check(ruby: &str, ksig: &str) {
        let translated = named(ruby, &[]).unwrap_or_else(|error| panic!("{ruby}: {error}"));
        let flags: String = [('i', translated.ignore_case), ('m', translated.lines), ('s', translated.dot_all)]
            .iter()
            .filter(|f| f.1)
            .map(|f| f.0)
            .collect();
        assert_eq!(format!("/{}/{flags}", translated.pattern), ksig, "{ruby}");
    }

    #[test]
    fn captures_have_names_or_only_group() {
        check(r"^ACME (\S+) (\d+)$", r"/^ACME (?<one: text>\S+) (?:\d+)$/m");
        check(r"(?<x>a)(?:b)(?#no)c", r"/(?<one: text>a)(?:b)c/");
    }

    #[test]
    fn flags_that_hold_for_all_are_the_patterns_own() {
        check("(?i)^acme$", "/^acme$/im");
        check("(?im:^acme.*$)", "/^acme.*$/ims");
        check("(?im:acme).x", "/(?is:acme).x/");
        check("a(?i)b|c", "/a(?i:b|c)/");
        check("(?:a(?i)b|c)d", "/(?:a(?i:b|c))d/");
        check("(?i:a(?-i)b)", "/a(?-i:b)/i");
        assert!(named("a", &["REG_ICASE", "REG_DOT_NEWLINE"]).is_ok_and(|out| out.ignore_case && out.dot_all));
        assert!(named("a", &["REG_NEWLINE"]).is_err());
    }

    #[test]
    fn repetitions_mean_what_ruby_means() {
        check("a{,3}b{2,}c{2}?d{1,2}?", "/a{0,3}b{2,}(?:c{2})?d{1,2}?/");
        check("a{x}{", r"/a\{x\}\{/");
        check("a+*", "/(?:a+)*/");
        check("a{1,2}+", "/(?:a{1,2})+/");
        assert!(named("a++", &[]).is_err() && named("*a", &[]).is_err() && named("a{3,1}", &[]).is_err());
    }

    #[test]
    fn escapes_are_said_as_the_dialect_says_them() {
        check(r"\:\'\/\<\_a/b", r"/:'\/<_a\/b/");
        check(r"\h\e\x4\012\0\R\Z", r"/[0-9a-fA-F]\x1b\x04\n\x00(?:\r\n|[\n\x0b\x0c\r])(?:\n?\z)/");
        check("é+", r"/(?:\xc3\xa9)+/");
        check("a\nb", r"/a\nb/");
    }

    #[test]
    fn classes_keep_their_members() {
        check(r"[\w\-.\/][]a][^]a][a-z\d-x][&&a]", r"/[\w\-.\/][\]a][^\]a][a-z\d\-x][&&a]/");
        check(r"[[:alpha:][0-9]_~~]", r"/[[:alpha:][0-9]_\~\~]/");
        check("[aé]", r"/(?:[a]|\xc3\xa9)/");
        assert!(named("[^é]", &[]).is_err() && named("[a-é]", &[]).is_err());
    }

    #[test]
    fn what_no_linear_engine_does_is_refused_with_its_place() {
        for pattern in [r"a(?=b)", r"(?<!a)b", r"(?>a)", r"(a)\1", r"\p{L}", r"a\Kb", "(a", "a)", "[a", r"a\"] {
            assert!(named(pattern, &[]).is_err(), "{pattern}");
        }
        assert_eq!(named("ab(?=c)", &[]).expect_err("look-ahead").at, 5);
        assert!(named(&"(".repeat(10_000), &[]).is_err());
        assert!(named(&"[".repeat(10_000), &[]).is_err());
    }
}
