//! The fences of the specification parse, or report what they say; the grammar agrees with each.

use crate::oracle::agree;

pub struct Fence {
    place: String,
    problem: Option<String>,
    pub text: String,
}

pub fn fences() -> Vec<Fence> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec");
    let mut pages: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let mut written = Vec::new();
    for path in pages {
        let page = std::fs::read_to_string(&path).unwrap();
        let mut lines = page.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let Some(form) = line.strip_prefix("```").filter(|form| form.split(',').next() == Some("ksig")) else { continue };
            let text: String = lines.by_ref().take_while(|(line, _)| *line != "```").flat_map(|(line, _)| [line, "\n"]).collect();
            written.push((format!("{}:{number}", path.display()), form.to_owned(), text));
        }
    }
    // The frame is no file by itself: statements in `body` fences stand in it, at `{body}`.
    let frame = written.iter().find(|(_, form, _)| form == "ksig,frame").map(|(_, _, text)| text.clone()).unwrap();
    written.retain(|(_, form, _)| form != "ksig,frame");
    let whole = |(place, form, text): (String, String, String)| Fence {
        problem: form.split(',').find_map(|part| part.strip_prefix("problem=")).map(str::to_owned),
        text: {
            let says = |option: &str| form.split(',').any(|part| part == option);
            let text = if says("escapes") { unescaped(&text) } else { text };
            if says("body") { frame.replace("{body}\n", &text) } else { text }
        },
        place,
    };
    written.into_iter().map(whole).collect()
}

/// Text in which `\xNN` is a byte and `\\` a backslash.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    while let Some(part) = parts.next() {
        let rest = match part.strip_prefix('x') {
            Some(code) => {
                bytes.push(u8::from_str_radix(&code[..2], 16).unwrap());
                &code[2..]
            }
            None => {
                bytes.push(b'\\');
                parts.next().filter(|_| part.is_empty()).expect("`\\` stands before neither `xNN` nor `\\`")
            }
        };
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_fence_keeps_its_word() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for Fence { place, problem, text } in fences() {
        // A problem that is not of this crate is one of the compiler; to it the file must come whole.
        let ours = problem.as_deref().and_then(ksig_lang::explain).map(|doc| doc.code);
        let codes: Vec<_> = ksig_lang::parse(&text, 0).diagnostics.iter().map(|problem| problem.code).collect();
        if codes.first().copied() != ours || codes.iter().any(|code| Some(*code) != ours) {
            wrong.push(format!("{place}: {codes:?}"));
        }
        agree(&text);
        tried += 1;
    }
    assert!(wrong.is_empty(), "these report something else:\n{}", wrong.join("\n"));
    assert!(tried > 30, "{tried} fences");
}

#[test]
fn every_code_has_a_fence_but_the_limits() {
    let shown: Vec<String> = fences().into_iter().filter_map(|fence| fence.problem).collect();
    let missing: Vec<_> = ksig_lang::CODES.iter().map(|doc| doc.code).filter(|code| !shown.iter().any(|shown| shown == code)).collect();
    assert_eq!(missing, ["file-too-large", "too-complex"]);
}
