//! The words that the compiler reads, by where they stand: what an editor completes.
//!
//! Each list is the one by which the checker reads, or is held to it by a test.

use crate::check;
use crate::types::SIMPLE;
use crate::vocabulary::Kind;

/// Metadata of a signature.
pub const METADATA: &[&str] = &["summary", "evidence", "confidence", "added", "scope", "reference", "redact", "allow"];
/// Behind `confidence`.
pub const CONFIDENCES: &[&str] = &["hint", "weak", "strong", "certain"];
/// Behind `evidence`.
pub const GRADES: &[&str] = &["observed", "documented", "derived", "unverified"];
/// Behind `scope`.
pub const SCOPES: &[&str] = &["service", "host"];
/// In `support`.
pub const SUPPORT_SLOTS: &[&str] = &["ends", "latest"];
/// In the block of a probe.
pub const PROBE_OPTIONS: &[&str] = &["safety", "requires"];
/// Behind `safety`.
pub const SAFETIES: &[&str] = &["passive", "benign", "review"];
/// Literals with a prefix.
pub const PREFIXES: &[&str] = &["v", "h", "b", "sjis", "eucjp", "cpe", "t"];
/// Types that hold others or take words.
pub const PARAMETRIC_TYPES: [&str; 6] = ["list", "range", "set", "bound", "version", "enum"];

/// Slots of `identify`.
pub fn identity_slots() -> impl Iterator<Item = &'static str> {
    check::IDENTITY_SLOTS.iter().map(|(name, _)| *name)
}

/// Slots of `component`.
pub fn component_slots() -> impl Iterator<Item = &'static str> {
    check::COMPONENT_SLOTS.into_iter()
}

/// Types of captures, extracts and columns.
pub fn types() -> impl Iterator<Item = &'static str> {
    SIMPLE.iter().map(|(name, _)| *name).chain(PARAMETRIC_TYPES)
}

/// Statements of an entry of the vocabulary that begins with `vendor`, `class` or `tag`.
pub fn entry_statements(word: &str) -> &'static [&'static str] {
    match word {
        "vendor" => Kind::Vendor.statements(),
        "class" => Kind::Class.statements(),
        _ => Kind::Tag.statements(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, World, analyze};

    /// Whether a statement of a signature is read: what is not known has a problem at its word.
    fn is_read(statement: &str) -> bool {
        let schema = ksig_schema::Schema::default();
        let text = format!("ksig 1\nmodule a\nsignature s {{\n  {statement}\n}}\n");
        let unknown = ["unknown-statement", "unknown-word", "bad-metadata", "unknown-slot", "unknown-prefix", "unknown-lint"];
        let analysis = analyze(&Input::single("a.ksig", &text), World::of(&schema));
        !analysis.diagnostics.iter().any(|problem| unknown.contains(&problem.code))
    }

    #[test]
    fn every_word_is_read() {
        let value = |word: &str| match word {
            "confidence" => "weak".to_string(),
            "added" => "2026-01-01".to_string(),
            "scope" => "host".to_string(),
            "evidence" => "observed \"x\"".to_string(),
            "redact" => "x".to_string(),
            "allow" => "missing_summary \"why\"".to_string(),
            _ => "\"x\"".to_string(),
        };
        for word in METADATA {
            assert!(is_read(&format!("{word} {}", value(word))), "{word}");
        }
        CONFIDENCES.iter().for_each(|word| assert!(is_read(&format!("confidence {word}")), "{word}"));
        GRADES.iter().for_each(|word| assert!(is_read(&format!("evidence {word} \"x\"")), "{word}"));
        SCOPES.iter().for_each(|word| assert!(is_read(&format!("scope {word}")), "{word}"));
        SUPPORT_SLOTS.iter().for_each(|word| assert!(is_read(&format!("support {{ {word} = 2026-01-01 }}")), "{word}"));
        PREFIXES.iter().for_each(|word| assert!(is_read(&format!("details {{ a = {word}\"00\" }}")), "{word}"));
        assert!(!is_read("confidenc weak") && !is_read("confidence wea") && !is_read("details { a = q\"00\" }"));
    }
}
