//! Sources that hold every construct of the grammar, with invented makers.

/// Every construct at least once, as the formatter writes it.
pub const EVERYTHING: &str = include_str!("samples/everything.ksig");
/// The commonest ones in few tokens.
pub const SMALL: &str = include_str!("samples/small.ksig");
/// Newlines and separators where they are allowed and nobody puts them.
pub const LINES: &str = include_str!("samples/lines.ksig");

pub const ALL: [&str; 3] = [EVERYTHING, SMALL, LINES];

/// The signatures of the house: paths and texts.
pub fn corpus() -> Vec<(String, String)> {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../signatures"))];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ksig") {
                files.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// What a tree says without where it says it.
pub fn without_spans(file: &ksig_lang::ast::File) -> String {
    let text = format!("{file:?}");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("Span { start: ") {
        out.push_str(&rest[..at]);
        let end = rest[at..].find('}').unwrap();
        rest = &rest[at + end + 1..];
    }
    out + rest
}
