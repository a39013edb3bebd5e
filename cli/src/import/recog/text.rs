//! Texts, bytes and names as ksig's syntax writes them.

use std::fmt::Write as _;

pub use ksig_lang::quoted;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark, is_nfc};

/// `b"..."`.
pub fn bytes(bytes: &[u8]) -> String {
    let mut out = String::from("b\"");
    for &byte in bytes {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => drop(write!(out, "\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

/// The text whose bytes these are, where writing that text in a signature means these bytes again.
pub fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| is_nfc(text) && !text.contains('\u{feff}'))
}

/// A word of the syntax from any name: ASCII letters and digits in lower case, everything else as `_`. `most`: its longest form.
pub fn word(name: &str, most: usize) -> String {
    let mut out = String::new();
    for c in name.nfkd().filter(|c| !is_combining_mark(*c)) {
        let kept = c.is_ascii_alphanumeric();
        match (kept, c) {
            (true, c) => out.push(c.to_ascii_lowercase()),
            // `JFrog's` is one word.
            (false, '\'' | '’') => {}
            _ if out.ends_with('_') || out.is_empty() => {}
            _ => out.push('_'),
        }
    }
    if out.len() > most {
        let cut = out[..most].rfind('_').filter(|cut| *cut > most / 2).unwrap_or(most);
        out.truncate(cut);
    }
    let out = out.trim_end_matches('_');
    match out.chars().next() {
        None => "unnamed".into(),
        Some(first) if first.is_ascii_digit() => format!("n{out}"),
        Some(_) if RESERVED.contains(&out) => format!("{out}_"),
        Some(_) => out.into(),
    }
}

/// Words that join or compare what stands beside them, so that nothing is called so.
const RESERVED: [&str; 15] =
    ["and", "or", "not", "if", "then", "else", "otherwise", "when", "where", "in", "has", "contains", "starts", "ends", "under"];

/// Names that were given, so that each is given once.
#[derive(Clone, Debug, Default)]
pub struct Taken(std::collections::HashSet<String>);

impl Taken {
    /// The name, or with the first number behind it that makes it new.
    pub fn give(&mut self, name: &str) -> String {
        let numbered = |number: usize| if number == 1 { name.to_string() } else { format!("{name}_{number}") };
        let free = (1..).map(numbered).find(|name| !self.0.contains(name)).unwrap_or_default();
        self.0.insert(free.clone());
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_of_the_syntax() {
        assert_eq!(word("JFrog’s Artifactory – Weidmüller", 60), "jfrogs_artifactory_weidmuller");
        assert_eq!((word("3Com", 60), word("日本", 60), word("not", 60)), ("n3com".into(), "unnamed".into(), "not_".into()));
        assert_eq!(word("one two three", 9), "one_two");
        let mut taken = Taken::default();
        assert_eq!((taken.give("a"), taken.give("a"), taken.give("a_2")), ("a".into(), "a_2".into(), "a_2_2".into()));
    }

    #[test]
    fn literals_say_what_they_hold() {
        assert_eq!(quoted("a\"\\\n\u{1b}é"), r#""a\"\\\n\u{1b}é""#);
        assert_eq!(bytes(b"a\"\\\n\x00\xff"), r#"b"a\"\\\n\x00\xff""#);
        assert_eq!(as_text(b"\xff"), None);
    }
}
