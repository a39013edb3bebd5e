//! Text that was read in the wrong encoding: see [`LINT`].

use std::collections::BTreeMap;

use ksig_lang::{CodeDoc, Fix, Severity, Span, Text, say};

use super::{Lint, Look, own};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "mojibake-literal",
        meaning: Text::new(
            "These characters are the bytes of UTF-8, read as windows-1252: `Ã©` is `é`. ksig reads a device's text by its encoding, so that no such characters come out, and what is looked for is never found. A device that writes them itself deserves an `allow` that says where it was seen.",
            "これらの文字は、UTF-8のバイト列をwindows-1252として読んだもの（文字化け）です。たとえば`Ã©`は`é`です。ksigは機器のテキストを正しい文字コードで読み取るため、このような文字は現れず、一致することがありません。機器が実際に文字化けした文字列を返すのであれば、どこで観測したかを`allow`に書いてください。",
        ),
        bad: r#"
  summary "ACME router by its title"
  match { top.html.title == "ACME ãƒ«ãƒ¼ã‚¿" }
  identify { vendor = acme; class = router.home }
  example "ACME ãƒ«ãƒ¼ã‚¿" in top.html.title => { vendor: acme }
  example "Login" in top.html.title => nothing
"#,
        good: r#"
  summary "ACME router by its title"
  match { top.html.title == "ACME ルータ" }
  identify { vendor = acme; class = router.home }
  example "ACME ルータ" in top.html.title => { vendor: acme }
  example "Login" in top.html.title => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        let mut texts: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
        for (start, literal) in own::literals(signature, analysis) {
            for run in literal.split(|c: char| c.is_ascii()).filter(|run| !run.is_empty()) {
                let from = start + (run.as_ptr() as usize - literal.as_ptr() as usize) as u32;
                if decoded(run).is_some() {
                    texts.entry(run).or_default().push(Span { start: from, end: from + run.len() as u32 });
                }
            }
        }
        // All of one signature are one mistake: they came from one page.
        let mut places: Vec<(Span, String)> = texts
            .into_iter()
            .filter_map(|(text, places)| Some((places, decoded(text)?)))
            .flat_map(|(places, meant)| places.into_iter().map(move |place| (place, meant.clone())))
            .collect();
        places.sort_by_key(|(place, _)| place.start);
        let Some((first, meant)) = places.first() else { return };
        let message = say!("this is UTF-8 that was read in another encoding", "UTF-8の文字列が別の文字コードで読まれ、文字化けしています");
        let mut problem = LINT.finding(signature, *first, message, say!("meant is `{meant}`", "正しくは`{meant}`です"));
        let edits = places.iter().map(|(place, meant)| (signature.file, *place, meant.clone())).collect();
        problem.fix = Some(Fix { message: say!("write what was meant", "正しい文字に直す"), edits });
        found.push(problem);
    }),
};

/// What characters outside of ASCII were before UTF-8 was read as windows-1252.
fn decoded(run: &str) -> Option<String> {
    let byte = |letter: char| match u8::try_from(u32::from(letter)) {
        Ok(byte) => Some(byte),
        Err(_) => {
            let mut text = [0; 4];
            let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(letter.encode_utf8(&mut text));
            if unmappable { None } else { bytes.first().copied() }
        }
    };
    let bytes: Vec<u8> = run.chars().map(byte).collect::<Option<_>>()?;
    let text = String::from_utf8(bytes).ok()?;
    // Two signs that happen to be such bytes, as `ß°` are, stand for a letter of a script that no device writes.
    text.chars().all(is_written).then_some(text)
}

/// Letters and signs of European and East Asian texts, outside of ASCII.
fn is_written(letter: char) -> bool {
    matches!(
        letter,
        '\u{a0}'..='\u{17f}'
        | '\u{370}'..='\u{4ff}'
        | '\u{2000}'..='\u{2bff}'
        | '\u{3000}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{ff00}'..='\u{ffef}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bytes_of_utf_8_are_decoded() {
        assert_eq!(decoded("Ã©").as_deref(), Some("é"));
        assert_eq!(decoded("ç®¡ç\u{90}†").as_deref(), Some("管理"));
        for right in ["é", "®", "Ã", "ß°", "管理", "ル"] {
            assert_eq!(decoded(right), None, "{right}");
        }
    }
}
