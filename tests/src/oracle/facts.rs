//! What a service's responses say of one field.

use ksig_compiler::hir::FieldRef;
use ksig_runtime::plan::Datum;
use ksig_schema::{Response, Value};
use unicode_normalization::UnicodeNormalization;

use super::Truth;

/// What is known of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Its values, at least one, in wire order.
    Values(Vec<Datum>),
    /// There is none; whether that is proven, because the part of the answer where it would stand is whole.
    Nothing {
        /// The probe was answered and the section is complete.
        proven: bool,
    },
    /// Evidence that another tool cut does not say (V3b).
    NotObserved,
}

/// What the probes of a signature were answered, by their number.
#[derive(Clone, Debug)]
pub struct Answers<'w> {
    /// Absent where a probe was not sent, or nobody listed it.
    pub responses: Vec<Option<&'w Response>>,
    /// Another tool cut the evidence of the service: a probe that it does not list was not observed either.
    pub cut: bool,
}

impl<'w> Answers<'w> {
    /// Reads a field.
    pub fn seen(&self, field: &FieldRef) -> Seen {
        let Some(response) = self.responses[field.probe as usize] else {
            return if self.cut { Seen::NotObserved } else { Seen::Nothing { proven: false } };
        };
        let values = response.facts.get(field.field.name, field.key.as_deref());
        if !values.is_empty() {
            if field.raw {
                let fact = response.facts.iter().find(|fact| fact.field == field.field && fact.key == field.key);
                let bytes = fact.map(|fact| (0..fact.values.len()).filter_map(|at| fact.raw(at)).map(|raw| Datum::Bytes(raw.to_vec())));
                return Seen::Values(bytes.into_iter().flatten().collect());
            }
            return Seen::Values(values.iter().map(|value| datum(value, field.fold_width)).collect());
        }
        if response.partial {
            return Seen::NotObserved;
        }
        Seen::Nothing { proven: response.complete.has(field.field.section) }
    }

    /// Whether the part of the answer where the field would stand is whole: the proof that a negation needs (V3).
    pub fn whole(&self, field: &FieldRef) -> Truth {
        match self.responses[field.probe as usize] {
            None if self.cut => Truth::NotObserved,
            None => Truth::False,
            Some(response) => match response.complete.has(field.field.section) {
                true if !response.partial || !response.facts.get(field.field.name, field.key.as_deref()).is_empty() => Truth::True,
                _ if response.partial => Truth::NotObserved,
                _ => Truth::False,
            },
        }
    }
}

fn datum(value: &Value, fold_width: bool) -> Datum {
    match value {
        Value::Bool(v) => Datum::Bool(*v),
        Value::Int(v) => Datum::Int(*v),
        Value::Text(v) if fold_width => Datum::Text(folded(v)),
        Value::Text(v) => Datum::Text(v.clone()),
        Value::Bytes(v) => Datum::Bytes(v.clone()),
        Value::Date(v) => Datum::Date(*v),
    }
}

/// Full-width ASCII as ASCII, half-width katakana as katakana; one character of two halves where the halves have one.
pub fn folded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let katakana = matches!(c, '\u{FF66}'..='\u{FF9D}');
        match rest.peek() {
            Some(mark @ ('\u{FF9E}' | '\u{FF9F}')) if katakana => {
                let both: String = [c, *mark].iter().collect::<String>().nfkc().collect();
                if both.chars().count() == 1 {
                    rest.next();
                    out.push_str(&both);
                    continue;
                }
            }
            _ => {}
        }
        match c {
            '\u{FF9E}' => out.push('\u{309B}'),
            '\u{FF9F}' => out.push('\u{309C}'),
            '\u{3000}' | '\u{FF01}'..='\u{FF5E}' | '\u{FF61}'..='\u{FF9D}' => out.extend(c.nfkc()),
            '\u{FFE0}' | '\u{FFE1}' | '\u{FFE2}' | '\u{FFE5}' | '\u{FFE6}' => out.extend(c.nfkc()),
            _ => out.push(c),
        }
    }
    out
}
