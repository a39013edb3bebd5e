//! A pattern's meaning, written for an engine whose syntax is that of Perl on bytes.
//!
//! In: a pattern's syntax tree. Out: the same in bytes only, so that no engine needs to know a character or a flag.

use regex_syntax::hir::{Class, Hir, HirKind, Look};
use regex_syntax::utf8::Utf8Sequences;

/// Absent for what the engine cannot say.
pub fn perl(hir: &Hir) -> Option<String> {
    let mut out = String::new();
    write_to(hir, &mut out)?;
    Some(out)
}

fn write_to(hir: &Hir, out: &mut String) -> Option<()> {
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
            Look::Start => r"\A",
            Look::End => r"\z",
            Look::StartLF => "(?m:^)",
            Look::EndLF => "(?m:$)",
            Look::WordAscii => r"\b",
            Look::WordAsciiNegate => r"\B",
            _ => return None,
        }),
        HirKind::Repetition(repetition) => {
            out.push_str("(?:");
            write_to(&repetition.sub, out)?;
            out.push(')');
            match (repetition.min, repetition.max) {
                (0, None) => out.push('*'),
                (1, None) => out.push('+'),
                (0, Some(1)) => out.push('?'),
                (min, None) => out.push_str(&format!("{{{min},}}")),
                (min, Some(max)) => out.push_str(&format!("{{{min},{max}}}")),
            }
            if !repetition.greedy {
                out.push('?');
            }
        }
        HirKind::Capture(capture) => {
            out.push_str("(?:");
            write_to(&capture.sub, out)?;
            out.push(')');
        }
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write_to(part, out))?,
        HirKind::Alternation(parts) => {
            out.push_str("(?:");
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    out.push('|');
                }
                write_to(part, out)?;
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
