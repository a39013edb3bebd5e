//! Output that no stranger's bytes can turn into commands for a terminal.
//!
//! Banners, sources, file names and table cells hold whatever somebody put there: escape sequences, 8-bit controls, direction marks. Text
//! shows them as `\u{1b}`, JSON as `\u001b`, which is the same value for every reader of it.

use std::borrow::Cow;

use ksig_lang::render::{is_obeyed, visible};
use serde::Serialize;

/// Text for people.
pub fn text(text: &str) -> Cow<'_, str> {
    visible(text)
}

/// One line of JSON, without its end.
///
/// # Errors
/// A value that JSON cannot hold.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let written = serde_json::to_string(value)?;
    if !written.chars().any(is_obeyed) {
        return Ok(written);
    }
    // Outside strings JSON has none of these, and all of them lie below U+10000.
    let escaped = |c: char| if is_obeyed(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    Ok(written.chars().map(escaped).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\u{1b}[31m red \u{9b}2J \u{7} \u{202e}live\u{2066}";

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert!(!text(HOSTILE).chars().any(is_obeyed));
        let line = json(&[HOSTILE]).expect("text is JSON");
        assert!(!line.chars().any(is_obeyed), "{line}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&line).expect("still JSON"), [HOSTILE]);
    }

    #[test]
    fn other_text_stays_as_it_is() {
        assert_eq!(text("管理画面\n\tx"), "管理画面\n\tx");
        assert_eq!(json(&"管理画面").expect("text is JSON"), "\"管理画面\"");
    }
}
