//! The forms that build servers read, whatever is reported in them.
//!
//! In: cases, places and sentences. Out: JUnit XML, and GitHub's annotation lines.

/// A case of a JUnit suite.
#[derive(Debug)]
pub struct JunitCase {
    /// What it belongs to.
    pub class: String,
    /// Its own name.
    pub name: String,
    /// The file that it stands in, where that is not its name already.
    pub file: Option<String>,
    /// Empty when it passed.
    pub failures: Vec<JunitFailure>,
}

/// A failure of a case.
#[derive(Debug)]
pub struct JunitFailure {
    /// What kind of failure.
    pub kind: String,
    /// In one sentence.
    pub message: String,
    /// In full, with its place.
    pub text: String,
}

/// A suite as one XML document. A case is counted once, however many failures it has.
pub fn junit(suite: &str, cases: &[JunitCase]) -> String {
    let failed = cases.iter().filter(|case| !case.failures.is_empty()).count();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">\n",
        xml(suite),
        cases.len()
    );
    for case in cases {
        let file = case.file.as_ref().map(|file| format!(" file=\"{}\"", xml(file))).unwrap_or_default();
        out.push_str(&format!("<testcase classname=\"{}\" name=\"{}\"{file}>\n", xml(&case.class), xml(&case.name)));
        for failure in &case.failures {
            let JunitFailure { kind, message, text } = failure;
            out.push_str(&format!("<failure type=\"{}\" message=\"{}\">{}</failure>\n", xml(kind), xml(message), xml(text)));
        }
        out.push_str("</testcase>\n");
    }
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}

/// Text inside XML. What XML has no form for, controls above all, is written out.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in crate::plain::text(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

/// One of GitHub's annotation lines; `word` is `error`, `warning` or `notice`.
pub fn github(word: &str, (path, line, column): (&str, u32, u32), title: &str, text: &str) -> String {
    let escaped = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    // Commas and colons part the properties of an annotation.
    let property = |text: &str| escaped(text).replace(',', "%2C").replace(':', "%3A");
    format!("::{word} file={},line={line},col={column},title={}::{}\n", property(path), property(title), escaped(text))
}
