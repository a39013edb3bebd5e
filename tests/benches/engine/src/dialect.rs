//! A pattern's meaning, written for an engine of another syntax, on bytes.
//!
//! In: a pattern's syntax tree. Out: the same in bytes only, so that no engine needs to know a character or a flag.

use regex_syntax::hir::{Class, Hir, HirKind, Look};
use regex_syntax::utf8::Utf8Sequences;

/// A syntax.
#[derive(Clone, Copy, PartialEq)]
pub enum Dialect {
    /// That of Perl.
    Perl,
    /// That of YARA, between its slashes: no `\A` nor `\z`, and greedy and lazy repetitions may not meet in one pattern. Whether a pattern
    /// matches does not depend on laziness, so all are greedy.
    Yara,
}

/// Absent for what the engine cannot say.
pub fn written(hir: &Hir, dialect: Dialect) -> Option<String> {
    let mut out = String::new();
    write_to(hir, dialect, &mut out)?;
    Some(out)
}

fn write_to(hir: &Hir, dialect: Dialect, out: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty => out.push_str("(?:)"),
        HirKind::Literal(literal) => literal.0.iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}"))),
        HirKind::Class(Class::Bytes(class)) => {
            let ranges: Vec<_> = class.ranges().iter().map(|range| (range.start(), range.end())).collect();
            set(&ranges, out);
        }
        HirKind::Class(Class::Unicode(class)) => {
            let ascii: Vec<_> = class
                .ranges()
                .iter()
                .filter(|range| range.end().is_ascii())
                .map(|range| (range.start() as u8, range.end() as u8))
                .collect();
            let wide = class.ranges().iter().filter(|range| !range.end().is_ascii());
            out.push_str("(?:");
            let mut first = ascii.is_empty();
            if !first {
                set(&ascii, out);
            }
            for sequence in wide.flat_map(|range| Utf8Sequences::new(range.start(), range.end())) {
                if !std::mem::take(&mut first) {
                    out.push('|');
                }
                sequence.as_slice().iter().for_each(|range| set(&[(range.start, range.end)], out));
            }
            out.push(')');
        }
        HirKind::Look(look) => out.push_str(match look {
            Look::Start if dialect == Dialect::Yara => "^",
            Look::End if dialect == Dialect::Yara => "$",
            Look::Start => r"\A",
            Look::End => r"\z",
            Look::StartLF if dialect == Dialect::Perl => "(?m:^)",
            Look::EndLF if dialect == Dialect::Perl => "(?m:$)",
            Look::WordAscii => r"\b",
            Look::WordAsciiNegate => r"\B",
            _ => return None,
        }),
        HirKind::Repetition(repetition) => {
            out.push_str("(?:");
            write_to(&repetition.sub, dialect, out)?;
            out.push(')');
            match (repetition.min, repetition.max) {
                (0, None) => out.push('*'),
                (1, None) => out.push('+'),
                (0, Some(1)) => out.push('?'),
                (min, None) => out.push_str(&format!("{{{min},}}")),
                (min, Some(max)) => out.push_str(&format!("{{{min},{max}}}")),
            }
            if !repetition.greedy && dialect == Dialect::Perl {
                out.push('?');
            }
        }
        HirKind::Capture(capture) => {
            out.push_str("(?:");
            write_to(&capture.sub, dialect, out)?;
            out.push(')');
        }
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write_to(part, dialect, out))?,
        HirKind::Alternation(parts) => {
            out.push_str("(?:");
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    out.push('|');
                }
                write_to(part, dialect, out)?;
            }
            out.push(')');
        }
    }
    Some(())
}

fn set(ranges: &[(u8, u8)], out: &mut String) {
    out.push('[');
    ranges.iter().for_each(|(start, end)| out.push_str(&format!("\\x{start:02x}-\\x{end:02x}")));
    out.push(']');
}
