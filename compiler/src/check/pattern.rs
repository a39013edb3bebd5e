//! Patterns: typed captures are taken out, tables are spliced in, and what remains is the regex dialect that every engine runs.
//!
//! | written | becomes | binds |
//! |---|---|---|
//! | `(?<fw: version(dotted)>[\d.]+)` | `(?<fw>[\d.]+)` | `fw : version(dotted)?` |
//! | `(?<model in airstation>)` | `(?<model>LONG-NAME\|SHORT)` | `model : text` |
//! | `(?<_>[\d.]+)` | `(?<_>[\d.]+)` | the value of the line |

use ksig_lang::ast::Name;
use ksig_lang::ast::TypeExpr;
use ksig_lang::source::Span;
use ksig_lang::{Text, say};

/// A pattern after its ksig parts were taken out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expanded {
    /// In the `regex` crate's syntax.
    pub source: String,
    /// Named groups in order.
    pub groups: Vec<Group>,
    /// Nothing was replaced, so that offsets in `source` are offsets in the literal.
    pub verbatim: bool,
}

/// A named group.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name; `_` for the value.
    pub name: String,
    /// Its declared type, if any.
    pub ty: Option<TypeExpr>,
    /// The table whose keys it ranges over, as written.
    pub table: Option<String>,
    /// Where that table is named.
    pub table_span: Option<Span>,
    /// Its name's place in the source.
    pub span: Span,
}

/// The keys of a table, as a pattern asks for them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    /// As they are compared.
    pub all: Vec<String>,
    /// In either case.
    pub ignore_case: bool,
}

/// A mistake in a pattern's ksig parts: a sentence and the byte range in the pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternMistake {
    /// What is wrong.
    pub message: Text,
    /// Where in the pattern.
    pub range: (usize, usize),
}

/// Expands a pattern. `keys` gives the keys of a table in scope, or a sentence why there are none. `start`: where the pattern stands.
pub fn expand(pattern: &str, start: u32, keys: &dyn Fn(&str) -> Result<Keys, Text>) -> Result<Expanded, PatternMistake> {
    let bytes = pattern.as_bytes();
    let mut out = Expanded { verbatim: true, ..Expanded::default() };
    let (mut at, mut copied, mut class_depth) = (0, 0, 0usize);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'[' => {
                class_depth += 1;
                // A `]` right after `[` or `[^` is a literal, not the end of the class.
                at += if bytes[at + 1..].starts_with(b"^]") {
                    3
                } else if bytes[at + 1..].starts_with(b"]") {
                    2
                } else {
                    1
                };
            }
            b']' => {
                class_depth = class_depth.saturating_sub(1);
                at += 1;
            }
            b'(' if class_depth == 0 && is_group(&bytes[at..]) => {
                let open = at + if bytes[at + 2] == b'P' { 4 } else { 3 };
                let Some(length) = pattern[open..].find('>') else {
                    return Err(PatternMistake {
                        message: say!("this group's name is not closed with `>`", "このグループの名前が`>`で閉じられていません"),
                        range: (at, bytes.len()),
                    });
                };
                let header = &pattern[open..open + length];
                let group = group(header, open, start)?;
                let close = open + length + 1;
                if header != group.name {
                    out.verbatim = false;
                }
                out.source.push_str(&pattern[copied..open]);
                out.source.push_str(&group.name);
                out.source.push('>');
                copied = close;
                at = close;
                if let Some(table) = &group.table {
                    if bytes.get(close) != Some(&b')') {
                        let message = say!(
                            "`(?<{header}>)` stands for the table's keys: nothing may stand before its `)`",
                            "`(?<{header}>)`はテーブルのキーを表すため、`)`の前には何も書けません"
                        );
                        return Err(PatternMistake { message, range: (close, close + 1) });
                    }
                    let Keys { mut all, ignore_case } =
                        keys(table).map_err(|message| PatternMistake { message, range: (open, open + length) })?;
                    all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
                    all.dedup();
                    let (open, close) = if ignore_case { ("(?i:", ")") } else { ("", "") };
                    out.source.push_str(open);
                    out.source.push_str(&all.iter().map(|key| regex_syntax::escape(key)).collect::<Vec<_>>().join("|"));
                    out.source.push_str(close);
                }
                out.groups.push(group);
            }
            _ => at += 1,
        }
    }
    out.source.push_str(&pattern[copied..]);
    Ok(out)
}

fn is_group(rest: &[u8]) -> bool {
    let name = |offset: usize| rest.get(offset).is_some_and(|b| !matches!(b, b'=' | b'!'));
    (rest.starts_with(b"(?<") && name(3)) || (rest.starts_with(b"(?P<") && name(4))
}

/// Reads `fw: version(dotted)`, `model in airstation`, `_` or `fw`.
fn group(header: &str, open: usize, start: u32) -> Result<Group, PatternMistake> {
    let span_of = |range: (usize, usize)| Span { start: start + range.0 as u32, end: start + range.1 as u32 };
    let whole = (open, open + header.len());
    let mistake = |message: Text| PatternMistake { message, range: whole };
    let (name, ty, table) = if let Some((name, ty)) = header.split_once(':').map(|(name, ty)| (name, ty.trim())) {
        (
            name.trim(),
            Some(
                type_of(ty, span_of(whole))
                    .ok_or_else(|| mistake(say!("`{ty}` is no type of a capture", "`{ty}`はキャプチャの型ではありません")))?,
            ),
            None,
        )
    } else if let Some((name, table)) = header.split_once(" in ") {
        (name.trim(), None, Some(table.trim().to_string()))
    } else {
        (header, None, None)
    };
    if !is_name(name) {
        return Err(mistake(say!(
            "`{name}` is no name: letters, digits and `_`, not starting with a digit",
            "`{name}`は名前として使えません。使えるのは英数字と`_`で、数字からは始められません"
        )));
    }
    let table_span = table.as_ref().and_then(|table| {
        let at = open + header.rfind(table.as_str())?;
        Some(span_of((at, at + table.len())))
    });
    Ok(Group { name: name.into(), ty, table, table_span, span: span_of((open, open + name.len())) })
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Reads `version(dotted)`, `enum(bridge, router)`, `text`, `date`.
fn type_of(text: &str, span: Span) -> Option<TypeExpr> {
    let name = |value: &str| Name { value: value.into(), span };
    let (base, words) = match text.strip_suffix(')') {
        Some(rest) => {
            let (base, words) = rest.split_once('(')?;
            (base.trim(), words.split(',').map(|word| name(word.trim())).collect())
        }
        None => (text, Vec::new()),
    };
    let named = words.iter().all(|word| is_name(&word.value));
    named.then(|| TypeExpr { name: name(base), of: None, words, optional: false, span })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(pattern: &str) -> Expanded {
        expand(pattern, 0, &|_| Ok(Keys { all: vec!["A-1".into(), "A-10".into()], ignore_case: false })).expect(pattern)
    }

    #[test]
    fn typed_captures_are_taken_out_and_tables_spliced_in_longest_first() {
        let out = expanded(r"^(?<model in t>) Ver\.(?<fw: version(dotted)>[\d.>]+)\(?<x>$");
        assert_eq!(out.source, r"^(?<model>A\-10|A\-1) Ver\.(?<fw>[\d.>]+)\(?<x>$");
        assert_eq!(out.groups.iter().map(|g| g.name.as_str()).collect::<Vec<_>>(), ["model", "fw"]);
        assert!(!out.verbatim);
    }

    #[test]
    fn groups_inside_a_class_are_characters() {
        let out = expanded(r"[](?<a>][^](?<b>]+(?<c>x)");
        assert_eq!(out.groups.len(), 1);
        assert!(out.verbatim);
    }

    #[test]
    fn mistakes_say_where() {
        let mistake = expand(r"ab(?<m in t>x)", 0, &|_| Ok(Keys::default())).expect_err("text after a table group");
        assert_eq!(mistake.range.0, 12);
        assert!(expand("(?<a", 0, &|_| Ok(Keys::default())).is_err());
        assert!(expand("(?<1a>x)", 0, &|_| Ok(Keys::default())).is_err());
        assert!(expand(r"\", 0, &|_| Ok(Keys::default())).is_ok());
    }
}
