//! Which stretches of a page are worth a tokenizer: tags and titles that say something of the page. All else is passed over, at the speed of a
//! search for `<`.
//!
//! In: decoded text. Out: stretches of it in document order, each a whole tag or a whole title with its tags. Where a tag, a comment or a script
//! ends is what the HTML Standard says in section 13.2.5, as the tokenizer does it: reading all stretches gives what reading the page gives.
//!
//! Absent: a tag that the text breaks off in.

use std::ops::Range;

use html5gum::{State, naive_next_state};
use memchr::{memchr, memchr2, memchr3};

/// Longest name of an element that is anything to us.
const NAME_BYTES_MAX: usize = 16;

/// The stretches of a page.
pub(super) fn parts(page: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut walk = Walk { page, at: 0 };
    std::iter::from_fn(move || walk.next_part())
}

/// A start tag whose values stand as they are written.
pub(super) struct PlainTag<'p> {
    /// In any case.
    pub name: &'p [u8],
    /// Names in any case, and values; empty where there is none.
    attributes: Vec<(&'p [u8], &'p [u8])>,
}

impl PlainTag<'_> {
    /// The value of an attribute whose name is given in lower case; of several, the first counts.
    pub fn value(&self, name: &[u8]) -> Option<&[u8]> {
        self.attributes.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// A part that is a start tag alone, if nothing in it stands for something else: no reference to a character, no line end to be made one, no zero.
pub(super) fn plain_tag(part: &[u8]) -> Option<PlainTag<'_>> {
    if memchr3(b'&', b'\r', 0, part).is_some() || !part.get(1)?.is_ascii_alphabetic() {
        return None;
    }
    let mut attributes = Vec::new();
    let tag = Walk { page: part, at: 0 }.tag(1, |name, value| attributes.push((&part[name], &part[value])))?;
    let name = &part[1..tag.name_end];
    // Whether a drawing closes itself is the tokenizer's to say.
    (tag.end == part.len() && !name.eq_ignore_ascii_case(b"svg")).then_some(PlainTag { name, attributes })
}

struct Walk<'p> {
    page: &'p [u8],
    at: usize,
}

/// A tag, from behind its `<` or `</`.
struct Tag {
    name_end: usize,
    /// Behind its `>`.
    end: usize,
}

impl Walk<'_> {
    fn next_part(&mut self) -> Option<Range<usize>> {
        loop {
            let begin = self.find(b'<', self.at)?;
            match self.byte(begin + 1)? {
                b'!' => self.at = self.declaration_end(begin + 2)?,
                b'?' => self.at = self.find(b'>', begin + 2)? + 1,
                b'/' => match self.byte(begin + 2)? {
                    letter if letter.is_ascii_alphabetic() => {
                        let tag = self.tag(begin + 2, |_, _| {})?;
                        self.at = tag.end;
                        if self.page[begin + 2..tag.name_end].eq_ignore_ascii_case(b"svg") {
                            return Some(begin..tag.end);
                        }
                    }
                    _ => self.at = self.find(b'>', begin + 2)? + 1,
                },
                letter if letter.is_ascii_alphabetic() => {
                    if let Some(part) = self.element(begin)? {
                        return Some(part);
                    }
                }
                _ => self.at = begin + 1,
            }
        }
    }

    /// Goes behind a start tag and what it says is text. Absent inside when nothing is to be read there, outside when the page ends before it does.
    fn element(&mut self, begin: usize) -> Option<Option<Range<usize>>> {
        let tag = self.tag(begin + 1, |_, _| {})?;
        self.at = tag.end;
        let mut lower = [0; NAME_BYTES_MAX];
        let written = &self.page[begin + 1..tag.name_end];
        let Some(name) = lower.get_mut(..written.len()) else { return Some(None) };
        name.copy_from_slice(written);
        name.make_ascii_lowercase();
        let name = &*name;
        let has_attributes = tag.name_end + 1 < tag.end;
        let mut part = match name {
            b"svg" => Some(begin..tag.end),
            b"meta" | b"script" | b"link" | b"form" if has_attributes => Some(begin..tag.end),
            _ => None,
        };
        let text_end = match naive_next_state(name) {
            None => return Some(part),
            Some(State::ScriptData) => self.script_end(tag.end),
            Some(State::RawText | State::RcData) => self.text_end(name, tag.end),
            Some(_) => None,
        };
        self.at = text_end.unwrap_or(self.page.len());
        // A title that is not closed is none.
        if name == b"title"
            && let Some(end_tag) = text_end.and_then(|at| self.tag(at + 2, |_, _| {}))
        {
            self.at = end_tag.end;
            part = Some(begin..end_tag.end);
        }
        Some(part)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.page.get(at).copied()
    }

    fn rest(&self, at: usize) -> &[u8] {
        self.page.get(at..).unwrap_or_default()
    }

    fn find(&self, byte: u8, from: usize) -> Option<usize> {
        Some(from + memchr(byte, self.rest(from))?)
    }

    /// The first place from there on whose byte is such.
    fn find_where(&self, from: usize, is: impl Fn(u8) -> bool) -> Option<usize> {
        Some(from + self.rest(from).iter().position(|&byte| is(byte))?)
    }

    /// The tag whose name begins there: sections 13.2.5.8 and 13.2.5.32 to 13.2.5.40. Calls back with the name and the value of each attribute.
    fn tag(&self, name: usize, mut attribute: impl FnMut(Range<usize>, Range<usize>)) -> Option<Tag> {
        let name_end = self.find_where(name, ends_name)?;
        let mut at = name_end;
        loop {
            match self.byte(at)? {
                b'>' => return Some(Tag { name_end, end: at + 1 }),
                byte if ends_name(byte) => at += 1,
                _ => {
                    // An attribute; its name may even begin with `=`.
                    let begin = at;
                    let end = self.find_where(at + 1, |byte| ends_name(byte) || byte == b'=')?;
                    at = self.find_where(end, |byte| !is_blank(byte))?;
                    if self.byte(at) != Some(b'=') {
                        attribute(begin..end, end..end);
                        continue;
                    }
                    at = self.find_where(at + 1, |byte| !is_blank(byte))?;
                    match self.byte(at)? {
                        quote @ (b'"' | b'\'') => {
                            let value_end = self.find(quote, at + 1)?;
                            attribute(begin..end, at + 1..value_end);
                            at = value_end + 1;
                        }
                        _ => {
                            let value_end = self.find_where(at, |byte| is_blank(byte) || byte == b'>')?;
                            attribute(begin..end, at..value_end);
                            at = value_end;
                        }
                    }
                }
            }
        }
    }

    /// Behind what begins with `<!`: sections 13.2.5.42 to 13.2.5.68. Only a comment may hold `>`.
    fn declaration_end(&self, from: usize) -> Option<usize> {
        let Some(comment) = self.rest(from).strip_prefix(b"--") else { return Some(self.find(b'>', from)? + 1) };
        let from = from + 2;
        for at_once in [&b">"[..], b"->"] {
            if comment.starts_with(at_once) {
                return Some(from + at_once.len());
            }
        }
        let mut at = from;
        loop {
            at = self.find(b'-', at)?;
            for end in [&b"-->"[..], b"--!>"] {
                if self.rest(at).starts_with(end) {
                    return Some(at + end.len());
                }
            }
            at += 1;
        }
    }

    /// Where the end tag of a text begins: sections 13.2.5.9 to 13.2.5.14.
    fn text_end(&self, name: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            at = self.find(b'<', at)?;
            if self.byte(at + 1) == Some(b'/') && self.is_named(name, at + 2) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// Where the end tag of a script begins: sections 13.2.5.15 to 13.2.5.31. In `<!-- -->`, a `<script` within hides one end.
    fn script_end(&self, from: usize) -> Option<usize> {
        #[derive(PartialEq)]
        enum Escaped {
            Not,
            Once,
            Twice,
        }
        let (mut escaped, mut at) = (Escaped::Not, from);
        loop {
            at += match escaped {
                Escaped::Not => memchr(b'<', self.rest(at))?,
                _ => memchr2(b'<', b'-', self.rest(at))?,
            };
            let rest = self.rest(at);
            if escaped == Escaped::Not && rest.starts_with(b"<!--") {
                // Its dashes may be those of the end as well.
                escaped = Escaped::Once;
                at += 1;
            } else if rest.starts_with(b"-->") {
                escaped = Escaped::Not;
            } else if rest.starts_with(b"</") && self.is_named(b"script", at + 2) {
                if escaped != Escaped::Twice {
                    return Some(at);
                }
                escaped = Escaped::Once;
            } else if escaped == Escaped::Once && rest.starts_with(b"<") && self.is_named(b"script", at + 1) {
                escaped = Escaped::Twice;
            }
            at += 1;
        }
    }

    /// Whether a tag's name that begins there is this one, which is in lower case.
    fn is_named(&self, name: &[u8], at: usize) -> bool {
        let rest = self.rest(at);
        rest.len() > name.len() && rest[..name.len()].eq_ignore_ascii_case(name) && ends_name(rest[name.len()])
    }
}

/// A carriage return is read as a line feed (section 13.2.3.5).
fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

fn ends_name(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'/' | b'>')
}
