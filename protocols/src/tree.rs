//! Documents in XML and JSON as values by path.
//!
//! In: decoded text. Out: each leaf with its path, in document order, and whether all of them were kept. Nothing is resolved that stands
//! outside the text: a document type is passed over, and of entities only the five of XML and character references are known.
//!
//! | of | path | value |
//! |---|---|---|
//! | XML | `/root/device/modelName`: names without their prefixes | text of an element without child elements, outer white space taken off |
//! | XML | `/root/@configId` | an attribute |
//! | JSON | `/device/names/0`: a pointer of RFC 6901 | a text as it is; a number, `true`, `false` as written |

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesStart, Event};

/// How much of a document is read, in bytes. A JSON document that is longer is not read.
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// How deep leaves may stand.
const DEPTH_MAX: usize = 32;
/// Most leaves that are kept.
const LEAVES_MAX: usize = 512;
/// Longest path of a leaf that is kept, in bytes.
const PATH_BYTES_MAX: usize = 256;
/// Longest value that is kept, in bytes; longer ones are cut.
const VALUE_BYTES_MAX: usize = 4096;

/// The leaves of a document.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Leaves {
    /// Path and value.
    pub kept: Vec<(String, String)>,
    /// A leaf was left out, or a value cut.
    pub cut: bool,
}

impl Leaves {
    fn add(&mut self, path: &str, value: &str) {
        if path.len() > PATH_BYTES_MAX || self.kept.len() >= LEAVES_MAX {
            self.cut = true;
            return;
        }
        let end = value.floor_char_boundary(VALUE_BYTES_MAX);
        self.cut |= end < value.len();
        self.kept.push((path.to_string(), value[..end].to_string()));
    }
}

/// Reads a document of XML as far as it is well formed. One whose root is `html` is a page, not a document, and has no leaves.
pub fn xml(text: &str) -> Leaves {
    let end = text.floor_char_boundary(DOCUMENT_BYTES_MAX);
    let mut reader = Reader::from_str(&text[..end]);
    let mut leaves = Leaves { cut: end < text.len(), ..Leaves::default() };
    let mut open: Vec<Element> = Vec::new();
    let mut path = String::new();
    let mut too_deep = 0usize;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::Start(_)) if too_deep > 0 || open.len() >= DEPTH_MAX => {
                (too_deep, leaves.cut) = (too_deep + 1, true);
                if let Some(parent) = open.last_mut() {
                    parent.inner = true;
                }
            }
            Ok(Event::End(_)) if too_deep > 0 => too_deep -= 1,
            Ok(_) if too_deep > 0 => {}
            Ok(Event::Start(tag)) => {
                if begin(&tag, &mut path, &mut open, &mut leaves).is_none() {
                    return Leaves::default();
                }
            }
            Ok(Event::Empty(tag)) => {
                if begin(&tag, &mut path, &mut open, &mut leaves).is_none() {
                    return Leaves::default();
                }
                finish(&mut path, &mut open, &mut leaves);
            }
            Ok(Event::End(_)) => finish(&mut path, &mut open, &mut leaves),
            Ok(Event::Text(part)) => add_text(&mut open, &part),
            Ok(Event::CData(part)) => add_text(&mut open, &part),
            Ok(Event::GeneralRef(name)) => {
                let character = name.resolve_char_ref().ok().flatten().map(String::from);
                if let Some(text) = character.as_deref().or(resolve_predefined_entity(&name)) {
                    add_text(&mut open, text);
                }
            }
            Ok(_) => {}
            // What came before it stands.
            Err(_) => {
                leaves.cut = true;
                break;
            }
        }
    }
    leaves
}

/// An element whose end has not come.
struct Element {
    /// Length of the path before it.
    before: usize,
    text: String,
    /// It has child elements, so it is no leaf.
    inner: bool,
}

/// Absent when the document is a page.
fn begin(tag: &BytesStart, path: &mut String, open: &mut Vec<Element>, leaves: &mut Leaves) -> Option<()> {
    let local = tag.local_name();
    let name = local.as_ref();
    if open.is_empty() && name.eq_ignore_ascii_case("html") {
        return None;
    }
    if let Some(parent) = open.last_mut() {
        parent.inner = true;
    }
    open.push(Element { before: path.len(), text: String::new(), inner: false });
    path.push('/');
    path.push_str(name);
    for attribute in tag.attributes().with_checks(false).flatten() {
        let key = attribute.key;
        let declares = key.as_ref() == "xmlns" || key.as_ref().starts_with("xmlns:");
        if !declares {
            let value = unescape(&attribute.value).unwrap_or_else(|_| attribute.value.clone());
            leaves.add(&format!("{path}/@{}", key.local_name().as_ref()), value.trim());
        }
    }
    Some(())
}

fn finish(path: &mut String, open: &mut Vec<Element>, leaves: &mut Leaves) {
    let Some(element) = open.pop() else { return };
    if !element.inner {
        leaves.add(path, element.text.trim());
    }
    path.truncate(element.before);
}

fn add_text(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut()
        && element.text.len() <= VALUE_BYTES_MAX
    {
        element.text.push_str(text);
    }
}

/// Reads a whole document of JSON; one that is cut or malformed has no leaves. `null` is no value.
pub fn json(text: &str) -> Leaves {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Leaves { cut: true, ..Leaves::default() };
    }
    let mut leaves = Leaves::default();
    match serde_json::from_str(text) {
        Ok(value) => walk(&value, &mut String::new(), 0, &mut leaves),
        Err(_) => leaves.cut = true,
    }
    leaves
}

fn walk(value: &serde_json::Value, path: &mut String, depth: usize, leaves: &mut Leaves) {
    use serde_json::Value;
    if depth > DEPTH_MAX || leaves.kept.len() >= LEAVES_MAX {
        leaves.cut = true;
        return;
    }
    let before = path.len();
    match value {
        Value::Null => {}
        Value::Bool(v) => leaves.add(path, if *v { "true" } else { "false" }),
        Value::Number(v) => leaves.add(path, &v.to_string()),
        Value::String(v) => leaves.add(path, v),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                path.push_str(&format!("/{at}"));
                walk(item, path, depth + 1, leaves);
                path.truncate(before);
            }
        }
        Value::Object(entries) => {
            for (name, item) in entries {
                path.push('/');
                path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                walk(item, path, depth + 1, leaves);
                path.truncate(before);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(leaves: &Leaves) -> Vec<(&str, &str)> {
        leaves.kept.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect()
    }

    #[test]
    fn elements_and_attributes_have_paths() {
        let leaves = xml("<?xml version=\"1.0\"?><!DOCTYPE r SYSTEM \"http://192.0.2.1/x\"><r xmlns=\"urn:a\" xmlns:b=\"urn:b\" id='1'>\
             <b:dev> <name> ACME &amp; Co &#x30eb; </name><name><![CDATA[<b>]]></name><none/></b:dev></r>");
        let expected = [("/r/@id", "1"), ("/r/dev/name", "ACME & Co ル"), ("/r/dev/name", "<b>"), ("/r/dev/none", "")];
        assert_eq!((pairs(&leaves), leaves.cut), (expected.to_vec(), false));
    }

    #[test]
    fn an_element_still_arriving_is_not_there() {
        assert_eq!(pairs(&xml("<r><a>1</a><b>2")), [("/r/a", "1")]);
    }

    #[test]
    fn pages_are_no_documents() {
        assert_eq!(xml("<?xml version=\"1.0\"?><html><head><title>x</title></head></html>"), Leaves::default());
    }

    #[test]
    fn entities_do_not_grow() {
        let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><r>&b;&b;</r>";
        assert_eq!(pairs(&xml(bomb)), [("/r", "")]);
    }

    #[test]
    fn depth_count_and_size_are_bounded() {
        assert!(xml(&"<a>".repeat(50_000)).kept.is_empty());
        let deep = xml(&format!("{}x{}", "<a>".repeat(100), "</a>".repeat(100)));
        assert!(deep.cut && deep.kept.is_empty());
        let many = xml(&format!("<r>{}</r>", "<a/>".repeat(10_000)));
        assert!(many.cut && many.kept.len() == LEAVES_MAX);
        let long = xml(&format!("<r>{}</r>", "ア".repeat(5_000)));
        assert!(long.cut && long.kept[0].1.len() <= VALUE_BYTES_MAX);
        assert!(xml(&format!("<{}/>", "n".repeat(1000))).cut);
        assert!(json(&"[".repeat(100_000)).cut);
        assert!(json(&format!("[{}1]", "1,".repeat(10_000))).kept.len() == LEAVES_MAX);
    }

    #[test]
    fn pointers_lead_to_values() {
        let leaves = json("{\"a/b\":{\"m~n\":[\"x\",2.50,true,null,{}]},\"\":\"y\"}");
        let mut found = pairs(&leaves);
        found.sort_unstable();
        assert_eq!(found, [("/", "y"), ("/a~1b/m~0n/0", "x"), ("/a~1b/m~0n/1", "2.5"), ("/a~1b/m~0n/2", "true")]);
        assert!(json("{\"a\":1").cut && json("{\"a\":1").kept.is_empty());
        assert_eq!(pairs(&json("\"ACME\"")), [("", "ACME")]);
    }
}
