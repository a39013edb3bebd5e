//! The facts that decided, as they are shown.
//!
//! In: slots with the value and the span that made a line true. Out: [`Proof`]s of at most [`PROOF_CHARS_MAX`] characters around the span, bytes
//! escaped, with everything that is marked `redact` masked.

use std::sync::LazyLock;

use ksig_schema::Value;
use ksig_schema::identification::Proof;

use crate::board::{Board, SlotValues};
use crate::plan::SlotId;

/// Longest value that a proof shows, in characters.
pub const PROOF_CHARS_MAX: usize = 200;
/// Most proofs of one identification.
pub const PROOFS_MAX: usize = 32;
/// Characters shown before a span that lies far inside a long value.
const BEFORE_SPAN: usize = 40;
/// Shorter redacted texts are masked where they were captured, not wherever they occur.
const REDACTED_BYTES_MIN: usize = 4;

/// A value that made a line true.
#[derive(Clone)]
pub(crate) struct Deciding<'a> {
    pub slot: SlotId,
    pub values: SlotValues<'a>,
    /// Which of the values.
    pub at: usize,
    /// Which bytes of it; absent for a comparison of the whole.
    pub span: Option<(usize, usize)>,
    /// Spans of captures marked `redact`.
    pub redacted: Vec<(usize, usize)>,
}

/// Proofs in the signature's order, each once.
pub(crate) fn list(board: &Board<'_>, deciding: &[Deciding<'_>]) -> Vec<Proof> {
    let secrets: Vec<&[u8]> = deciding.iter().flat_map(Deciding::secrets).collect();
    let mut proofs: Vec<Proof> = Vec::new();
    for decided in deciding {
        let proof = decided.proof(board, &secrets);
        if !proofs.contains(&proof) && proofs.len() < PROOFS_MAX {
            proofs.push(proof);
        }
    }
    proofs
}

impl Deciding<'_> {
    /// Whether the value is text or bytes.
    pub fn is_text(&self) -> bool {
        self.values.values.get(self.at).is_some_and(|value| value.as_bytes().is_some())
    }

    fn secrets(&self) -> impl Iterator<Item = &[u8]> {
        let bytes = self.values.values.get(self.at).and_then(Value::as_bytes).unwrap_or_default();
        self.redacted.iter().filter_map(|&(start, end)| bytes.get(start..end)).filter(|secret| secret.len() >= REDACTED_BYTES_MIN)
    }

    /// As it is shown; each of the secrets is masked wherever it stands.
    pub fn proof(&self, board: &Board<'_>, secrets: &[&[u8]]) -> Proof {
        let slot = &board.plan().plan().slots[self.slot as usize];
        let field = slot.path();
        let (probe, port) = (board.key(slot.probe), board.port_of(slot.probe));
        if self.values.fact.field.redact {
            return Proof { probe, port, field, value: "(redacted)".into(), span: None };
        }
        let value = self.values.values.get(self.at);
        let masked = value.and_then(Value::as_bytes).map(|bytes| mask(bytes, &self.redacted, secrets));
        // The bytes of a text are shown as text where they are UTF-8.
        let is_text = slot.raw || matches!(value, Some(Value::Text(_)));
        let (value, span) =
            match masked.map(|masked| if is_text { String::from_utf8(masked).map_err(|e| e.into_bytes()) } else { Err(masked) }) {
                Some(Ok(text)) if text.len() <= PROOF_CHARS_MAX => {
                    return Proof { probe, port, field, value: text, span: self.span.map(|(start, end)| (start as u32, end as u32)) };
                }
                Some(Ok(text)) => window(characters(&text), text.len(), self.span),
                Some(Err(bytes)) => {
                    window(bytes.iter().enumerate().map(|(at, byte)| (at, ESCAPED[*byte as usize].as_str())), bytes.len(), self.span)
                }
                None => (value.map(Value::to_string).unwrap_or_default(), None),
            };
        Proof { probe, port, field, value, span }
    }
}

/// The same bytes with secrets as stars. Spans of text begin and end between characters, and a secret is whole characters, so text stays text.
fn mask(bytes: &[u8], spans: &[(usize, usize)], secrets: &[&[u8]]) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    for &(start, end) in spans {
        if let Some(part) = masked.get_mut(start..end) {
            part.fill(b'*');
        }
    }
    for secret in secrets {
        for at in memchr::memmem::find_iter(bytes, secret) {
            masked[at..at + secret.len()].fill(b'*');
        }
    }
    masked
}

/// How each byte of bytes is shown.
static ESCAPED: LazyLock<[String; 256]> = LazyLock::new(|| std::array::from_fn(|byte| (byte as u8).escape_ascii().to_string()));

fn characters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.char_indices().map(|(at, c)| (at, &text[at..at + c.len_utf8()]))
}

/// At most [`PROOF_CHARS_MAX`] characters around the span, and where the span then lies, for values that are long or must be escaped.
fn window<'p>(pieces: impl Iterator<Item = (usize, &'p str)>, len: usize, span: Option<(usize, usize)>) -> (String, Option<(u32, u32)>) {
    let pieces: Vec<(usize, &str)> = pieces.collect();
    let begin = match span {
        Some((start, _)) if len > PROOF_CHARS_MAX => pieces.partition_point(|&(at, _)| at < start).saturating_sub(BEFORE_SPAN),
        _ => 0,
    };
    let mut shown = String::new();
    let (mut from, mut to) = (None, None);
    if begin > 0 {
        shown.push('…');
    }
    let mut chars = shown.chars().count();
    for (at, piece) in &pieces[begin..] {
        let wanted = piece.chars().count();
        if chars + wanted > PROOF_CHARS_MAX - 1 && *at + 1 < len {
            shown.push('…');
            break;
        }
        if let Some((start, end)) = span {
            if *at >= start && from.is_none() {
                from = Some(shown.len());
            }
            if *at < end {
                to = Some(shown.len() + piece.len());
            }
        }
        shown.push_str(piece);
        chars += wanted;
    }
    let span = span.map(|(start, end)| {
        let from = from.unwrap_or(shown.len());
        let to = if start == end { from } else { to.unwrap_or(from).max(from) };
        (from as u32, to as u32)
    });
    (shown, span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: (usize, usize)) -> (String, Option<(u32, u32)>) {
        window(characters(text), text.len(), Some(span))
    }

    #[test]
    fn a_long_value_is_shown_around_its_span() {
        let text = format!("{}MODEL{}", "x".repeat(500), "y".repeat(500));
        let (value, span) = shown(&text, (500, 505));
        let (from, to) = span.expect("a span");
        assert_eq!(&value[from as usize..to as usize], "MODEL");
        assert!(value.chars().count() <= PROOF_CHARS_MAX && value.starts_with('…') && value.ends_with('…'));
        assert_eq!(shown("ルーター", (0, 3)), ("ルーター".into(), Some((0, 3))));
        assert_eq!(shown("ab", (2, 2)), ("ab".into(), Some((2, 2))));
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        assert_eq!(mask(b"SN=A1234 (A1234)", &[(3, 8)], &[b"A1234"]), b"SN=***** (*****)");
    }
}
