//! What an HTML page says of itself: title, metas, scripts, links, forms.
//!
//! In: decoded text. Out: the parts in document order. A title inside a script, a comment or a drawing is none. No script runs.

mod parts;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};

/// How much of a page is read, in bytes.
const HTML_BYTES_MAX: usize = 256 * 1024;
/// Most metas, scripts, links and forms that are kept, each.
const PARTS_MAX: usize = 256;
/// Longest title or attribute that is kept, in bytes; longer ones are cut.
const VALUE_BYTES_MAX: usize = 4096;

/// The parts of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Text of the first title, outer white space taken off and inner white space made one space, as browsers show it.
    pub title: Option<String>,
    /// Name (or `property`, `http-equiv`) in lower case, and content.
    pub metas: Vec<(String, String)>,
    /// `src` of scripts.
    pub script_srcs: Vec<String>,
    /// `href` of `<link>`.
    pub link_hrefs: Vec<String>,
    /// `action` of forms.
    pub form_actions: Vec<String>,
}

/// Reads a page, or what came of it.
pub fn read(text: &str) -> Page {
    let mut end = text.len().min(HTML_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let page = &text[..end];
    let mut reader = Reader::default();
    parts::parts(page.as_bytes()).for_each(|part| reader.read_part(&page[part]));
    reader.page
}

#[derive(Default)]
struct Reader {
    page: Page,
    /// The title that is open.
    title: Option<String>,
    /// Drawings have titles of their own.
    drawings: usize,
}

impl Reader {
    /// Reads a part. Of most tags, values are what is written.
    fn read_part(&mut self, part: &str) {
        match parts::plain_tag(part.as_bytes()) {
            Some(tag) => self.start(&tag.name.to_ascii_lowercase(), false, |name| tag.value(name)),
            None => self.read(part),
        }
    }

    /// Reads on.
    fn read(&mut self, text: &str) {
        let mut emitter = DefaultEmitter::default();
        // Without a tree builder, the tokenizer must itself know that a script's text is no markup.
        emitter.naively_switch_states(true);
        for token in Tokenizer::new_with_emitter(text, emitter) {
            match token {
                Ok(Token::StartTag(tag)) => {
                    self.start(&tag.name, tag.self_closing, |name| tag.attributes.get(name).map(|value| value.as_slice()))
                }
                Ok(Token::EndTag(tag)) => self.end(&tag.name),
                Ok(Token::String(text)) => self.text(&text),
                Ok(_) => {}
                Err(never) => match never {},
            }
        }
    }

    /// A start tag by its name in lower case, and what gives the value of an attribute.
    fn start<'t>(&mut self, name: &[u8], self_closing: bool, value: impl Fn(&[u8]) -> Option<&'t [u8]>) {
        let attribute = |name: &str| value(name.as_bytes()).and_then(shown);
        match name {
            b"title" if self.drawings == 0 && self.page.title.is_none() => self.title = Some(String::new()),
            b"svg" if !self_closing => self.drawings += 1,
            b"meta" => {
                let name = ["name", "property", "http-equiv"].into_iter().find_map(attribute);
                if let (Some(name), Some(content)) = (name, attribute("content"))
                    && self.page.metas.len() < PARTS_MAX
                {
                    self.page.metas.push((name.trim().to_lowercase(), content));
                }
            }
            b"script" => keep(&mut self.page.script_srcs, attribute("src")),
            b"link" => keep(&mut self.page.link_hrefs, attribute("href")),
            b"form" => keep(&mut self.page.form_actions, attribute("action")),
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"title" => {
                if let Some(title) = self.title.take() {
                    let words: Vec<&str> = title.split_ascii_whitespace().collect();
                    self.page.title = Some(words.join(" "));
                }
            }
            b"svg" => self.drawings = self.drawings.saturating_sub(1),
            _ => {}
        }
    }

    fn text(&mut self, text: &[u8]) {
        if let Some(title) = &mut self.title
            && title.len() < VALUE_BYTES_MAX
        {
            title.push_str(&cut(text));
        }
    }
}

fn keep(parts: &mut Vec<String>, value: Option<String>) {
    if let Some(value) = value
        && parts.len() < PARTS_MAX
    {
        parts.push(value);
    }
}

/// The value of an attribute that has one.
fn shown(value: &[u8]) -> Option<String> {
    let text = cut(value);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_string())
}

fn cut(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut end = text.len().min(VALUE_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same without leaving anything out.
    fn read_all(page: &str) -> Page {
        let mut reader = Reader::default();
        reader.read(page);
        reader.page
    }

    /// Pieces of pages: tags, attributes, comments and scripts, whole and broken.
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "<title>", "</title>", "</TITLE x=y>", "<title/>", "<svg>", "</svg>", "<svg/>", "<meta name=a content=b>", "<META NAME='a' CONTENT=\"x&amp;y\">",
        "<meta property=p =content=q content=r>", "<link href=/a>", "<link href=", "<script src=a>", "<script>", "</script>", "</script/", "</script ",
        "<script", "<!--", "-->", "--!>", "--", "-", "!", "<!", "<?", "</", "<!doctype html", "<![CDATA[", "]]>", "<form action=x>", "<form action>",
        "<form\taction = \"x\"/>", "<style>", "</style>", "<textarea>", "</textarea>", "<noscript>", "</noscript>", "<iframe ", "</iframe>", "<xmp>",
        "</xmp>", "<plaintext>", "<a href='", "<a b =c/=d e=\">\">", "</svg foo=\"", "=", "\"", "'", ">", "<", "/", " ", "\r\n", "\r", "\n", "\0", "a",
        "script", "&lt;", "&amp", "é",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn what_is_passed_over_says_nothing(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24)) {
            let page = pieces.concat();
            prop_assert_eq!(read(&page), read_all(&page), "{}", page);
        }
    }

    #[test]
    fn the_parts_of_a_page_are_read() {
        let page = read(
            "<!DOCTYPE html><HTML><head><TITLE>\n ACME &amp; Co\n\tルータ </TITLE>\
             <meta name=Generator content=\"Hugo 0.1\"><META HTTP-EQUIV=refresh CONTENT='0; url=/x'>\
             <script src=/a.js></script><script>document.write(\"<title>no</title>\")</script>\
             <link rel=icon href=/i.ico></head><body><form action=\"/login.cgi\"></form></body></html>",
        );
        assert_eq!(page.title.as_deref(), Some("ACME & Co ルータ"));
        assert_eq!(page.metas, [("generator".into(), "Hugo 0.1".into()), ("refresh".into(), "0; url=/x".into())]);
        assert_eq!(page.script_srcs, ["/a.js"]);
        assert_eq!(page.link_hrefs, ["/i.ico"]);
        assert_eq!(page.form_actions, ["/login.cgi"]);
    }

    #[test]
    fn a_title_elsewhere_is_none() {
        assert_eq!(read("<script>var t = '<title>x</title>';</script>").title, None);
        assert_eq!(read("<!-- <title>x</title> --><svg><title>x</title></svg>").title, None);
        assert_eq!(read("<textarea><title>x</title></textarea><title>y</title>").title.as_deref(), Some("y"));
    }

    #[test]
    fn a_title_still_arriving_is_not_there() {
        assert_eq!(read("<title>ACME-1").title, None);
    }

    #[test]
    fn an_empty_title_is_there() {
        assert_eq!(read("<title></title>").title.as_deref(), Some(""));
    }

    #[test]
    fn sizes_are_bounded() {
        let page = read(&format!("<title>{}</title>{}", "ア".repeat(20_000), "<script src=a></script>".repeat(1000)));
        assert!(page.title.is_some_and(|title| title.len() < 2 * VALUE_BYTES_MAX));
        assert_eq!(page.script_srcs.len(), PARTS_MAX);
    }
}
