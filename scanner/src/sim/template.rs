//! Texts with holes: `Server: {model}/{version}`, filled differently for every simulated host and always equally for the same host.
//!
//! In: the text of a population file, its charset, and the names that may stand in holes. Out: bytes as they go over the wire.
//!
//! Literal text is encoded once when the file is read; a character that its charset does not have is an error there, never a `?` on the wire.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use encoding_rs::Encoding;

use crate::mix::{keyed, mix};

/// A text whose holes are known to have names.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    charset: &'static Encoding,
}

#[derive(Clone, Debug)]
enum Piece {
    /// Already in the charset.
    Bytes(Vec<u8>),
    /// A variable of the device.
    Var(String),
    /// The host's own address as text.
    Address,
    /// Characters drawn from an alphabet; the same hole text gives the same characters on one host.
    Random { alphabet: &'static [u8], count: usize, hole: String },
}

/// What fills the holes on one host.
pub(crate) struct Filling<'a> {
    pub seed: u64,
    pub address: Ipv4Addr,
    pub vars: &'a BTreeMap<&'a str, &'a str>,
}

/// The values that each variable can take: a hole may only name one of these.
pub(crate) type Variables<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Longest run of characters that one hole draws.
const RANDOM_CHARACTERS_MAX: usize = 256;

impl Template {
    /// Reads the holes of a text. The error says what is wrong with it.
    pub fn parse(text: &str, charset: &'static Encoding, variables: &Variables) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            literal.push_str(&rest[..open]);
            let after = &rest[open + 1..];
            let piece = match after.find('}').map(|close| (&after[..close], &after[close + 1..])) {
                Some((hole, behind)) => hole_piece(hole, variables)?.map(|piece| (piece, behind)),
                None => None,
            };
            match piece {
                Some((piece, behind)) => {
                    push_literal(&mut pieces, &mut literal, charset)?;
                    if let Piece::Var(name) = &piece {
                        for value in &variables[name.as_str()] {
                            encode(value, charset)?;
                        }
                    }
                    pieces.push(piece);
                    rest = behind;
                }
                None => {
                    literal.push('{');
                    rest = after;
                }
            }
        }
        literal.push_str(rest);
        push_literal(&mut pieces, &mut literal, charset)?;
        Ok(Template { pieces, charset })
    }

    /// The bytes for one host.
    pub fn fill(&self, filling: &Filling) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(literal) => bytes.extend_from_slice(literal),
                Piece::Var(name) => bytes.extend_from_slice(&self.charset.encode(filling.vars.get(name.as_str()).unwrap_or(&"")).0),
                Piece::Address => bytes.extend_from_slice(filling.address.to_string().as_bytes()),
                Piece::Random { alphabet, count, hole } => {
                    let start = keyed(filling.seed, u64::from(u32::from(filling.address)), hole);
                    let draw = |at: u64| alphabet[(mix(start ^ at) % alphabet.len() as u64) as usize];
                    bytes.extend((0..*count as u64).map(draw));
                }
            }
        }
        bytes
    }

    /// The same as text; bytes that are not UTF-8 cannot occur in a template that was parsed as UTF-8 without a `{bytes:..}` hole.
    pub fn fill_text(&self, filling: &Filling) -> String {
        String::from_utf8_lossy(&self.fill(filling)).into_owned()
    }
}

/// What stands in a hole; absent when the braces are plain text such as CSS or JavaScript.
fn hole_piece(hole: &str, variables: &Variables) -> Result<Option<Piece>, String> {
    let (name, argument) = match hole.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (hole, None),
    };
    let random = |alphabet: &'static [u8], argument: &str| {
        let count = argument.split(':').next().unwrap_or(argument).parse().ok().filter(|count| (1..=RANDOM_CHARACTERS_MAX).contains(count));
        let count = count.ok_or_else(|| format!("{{{hole}}} wants a count from 1 to {RANDOM_CHARACTERS_MAX}"))?;
        Ok(Some(Piece::Random { alphabet, count, hole: hole.to_string() }))
    };
    match (name, argument) {
        ("hex", Some(argument)) => random(b"0123456789abcdef", argument),
        ("HEX", Some(argument)) => random(b"0123456789ABCDEF", argument),
        ("digits", Some(argument)) => random(b"0123456789", argument),
        ("bytes", Some(argument)) => match ksig_schema::form::hex(argument) {
            Some(bytes) => Ok(Some(Piece::Bytes(bytes))),
            None => Err(format!("{{{hole}}} wants pairs of hex digits")),
        },
        ("open", None) => Ok(Some(Piece::Bytes(b"{".to_vec()))),
        ("address", None) => Ok(Some(Piece::Address)),
        (name, None) if variables.contains_key(name) => Ok(Some(Piece::Var(name.to_string()))),
        (name, None) if is_name(name) => {
            let known: Vec<&str> = variables.keys().copied().collect();
            let known = if known.is_empty() { "none".to_string() } else { known.join(", ") };
            Err(format!("{{{name}}} names no variable of this device (it has: {known}); write {{open}} for a brace that is text"))
        }
        _ => Ok(None),
    }
}

pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn push_literal(pieces: &mut Vec<Piece>, literal: &mut String, charset: &'static Encoding) -> Result<(), String> {
    if !literal.is_empty() {
        pieces.push(Piece::Bytes(encode(literal, charset)?));
        literal.clear();
    }
    Ok(())
}

fn encode(text: &str, charset: &'static Encoding) -> Result<Vec<u8>, String> {
    let (bytes, _, unmappable) = charset.encode(text);
    if !unmappable {
        return Ok(bytes.into_owned());
    }
    let strange = text.chars().find(|c| charset.encode(c.encode_utf8(&mut [0; 4])).2).unwrap_or('?');
    Err(format!("{strange:?} does not exist in charset {}", charset.name().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables<'static> {
        BTreeMap::from([("model", vec!["AR-1"])])
    }

    fn filled(text: &str, last: u8) -> String {
        let vars = BTreeMap::from([("model", "AR-1")]);
        let template = Template::parse(text, encoding_rs::UTF_8, &variables()).expect(text);
        template.fill_text(&Filling { seed: 1, address: Ipv4Addr::new(127, 16, 0, last), vars: &vars })
    }

    #[test]
    fn a_hole_is_equal_on_one_host_and_different_on_another() {
        assert_eq!(filled("{model} {hex:6} {hex:6}", 1), filled("{model} {hex:6} {hex:6}", 1));
        let text = filled("{hex:6} {hex:6} {hex:6:b}", 1);
        let drawn: Vec<&str> = text.split(' ').collect();
        assert_eq!(drawn[0], drawn[1]);
        assert_ne!(drawn[0], drawn[2]);
        assert_ne!(filled("{digits:9}", 1), filled("{digits:9}", 2));
    }

    #[test]
    fn braces_of_css_and_scripts_are_text() {
        for text in ["body{margin:0}", "if (a) { b(); }", "{", "a{}", "function(){return 1}"] {
            assert_eq!(filled(text, 1), text);
        }
        assert_eq!(filled("{open}model}", 1), "{model}");
    }

    #[test]
    fn raw_bytes_stand_beside_text_of_a_charset() {
        let template = Template::parse("{bytes:fffd18}設定", encoding_rs::SHIFT_JIS, &variables()).expect("template");
        let vars = BTreeMap::new();
        let bytes = template.fill(&Filling { seed: 1, address: Ipv4Addr::LOCALHOST, vars: &vars });
        assert_eq!(bytes, b"\xff\xfd\x18\x90\xdd\x92\xe8");
    }

    #[test]
    fn mistakes_say_what_is_wrong() {
        for (text, reason) in
            [("{modle}", "names no variable"), ("{hex:0}", "wants a count"), ("{bytes:f}", "pairs"), ("한", "does not exist")]
        {
            let error = Template::parse(text, encoding_rs::SHIFT_JIS, &variables()).expect_err(text);
            assert!(error.contains(reason), "{error}");
        }
    }
}
