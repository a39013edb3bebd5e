//! What a person would read of a page: markup, scripts and styles taken out.
//!
//! In: any text, HTML or not. Out: its words. Tags that stand inside a word (`<b>`) leave no gap, all others a blank. Nothing else of HTML is
//! understood; the decoder in `protocols` reads titles and forms, this only feeds the search.

/// Tags that do not end a word.
const INLINE: &[&str] = &["a", "b", "em", "font", "i", "small", "span", "strong", "u"];
/// Elements whose content is no text.
const SILENT: &[&str] = &["script", "style"];

/// The text between the tags, with the commonest character references resolved. In time linear in the input.
pub(super) fn readable(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        resolve(&rest[..at], &mut out);
        rest = &rest[at..];
        let name = tag_name(rest);
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
        } else if let Some(name) = name {
            let tag_end = rest.find('>').map_or(rest.len(), |end| end + 1);
            let opens = !rest.starts_with("</");
            rest = &rest[tag_end..];
            if opens && SILENT.contains(&name.as_str()) {
                rest = after_element(rest, &name);
            }
            if !INLINE.contains(&name.as_str()) {
                out.push(' ');
            }
        } else {
            out.push('<');
            rest = &rest[1..];
        }
    }
    resolve(rest, &mut out);
    out
}

/// The name of the tag that the text begins with, in lower case; absent when `<` begins no tag.
fn tag_name(text: &str) -> Option<String> {
    let name = text.strip_prefix("</").or(text.strip_prefix("<!")).or(text.strip_prefix('<'))?;
    let end = name.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(name.len());
    let begins = name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    begins.then(|| name[..end].to_ascii_lowercase())
}

/// What follows `</name`; nothing when the element never ends.
fn after_element<'a>(text: &'a str, name: &str) -> &'a str {
    for (at, _) in text.match_indices("</") {
        let close = text.as_bytes().get(at + 2..at + 2 + name.len());
        if close.is_some_and(|close| close.eq_ignore_ascii_case(name.as_bytes())) {
            return &text[at..];
        }
    }
    ""
}

fn resolve(text: &str, out: &mut String) {
    const LONGEST: usize = 10;
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(LONGEST).position(|byte| byte == b';');
        match end.and_then(|end| Some((character(&rest[1..end])?, end))) {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
}

fn character(reference: &str) -> Option<char> {
    match reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        "copy" => Some('©'),
        _ => {
            let number = reference.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::readable;
    use proptest::prelude::*;

    #[test]
    fn words_stay_and_markup_goes() {
        for (html, text) in [
            ("<p>設定<b>画面</b></p>", " 設定画面 "),
            ("<td>a</td><td>b</td>", " a  b "),
            ("x<script>var a = '<p>';</script>y", "x  y"),
            ("x<STYLE>b{}</style >y<style>never closed", "x  y "),
            ("a<!-- no -->b", "ab"),
            ("&#12459;&#x30E1;&#x30E9; R&amp;D &lt;1 &bogus; &", "カメラ R&D <1 &bogus; &"),
            ("1 < 2 and a<", "1 < 2 and a<"),
            ("plain", "plain"),
            ("<p never closed", " "),
        ] {
            assert_eq!(readable(html), text, "{html}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(html in "[<>/!&;#x\\-a-b script設定]{0,60}") {
            prop_assert!(readable(&html).len() <= html.len() + 1);
        }
    }
}
