use std::ops::Range;
use std::sync::Arc;

use cranelift_frontend::FunctionBuilderContext;
use ksig_runtime::CompiledPattern;
use ksig_runtime::plan::Pattern;
use proptest::prelude::*;
use regex_automata::Input;
use regex_automata::meta::Regex;

use super::super::code::{Code, Places, Search, Shape};
use super::super::{Aim, compile_one, emit, isa};
use super::*;

/// Of the match, then of each group that took part.
type Spans = Vec<Option<(usize, usize)>>;

struct Compiled {
    pattern: CompiledPattern,
    search: Search,
    /// A match may begin anywhere.
    floats: bool,
}

/// Absent where the pattern has no such code.
fn compiled(source: &str, bytes: bool) -> Option<Compiled> {
    let pattern = Pattern { source: source.into(), ignore_case: false, ignore_case_unicode: false, bytes };
    let pattern = CompiledPattern::new(&pattern).ok()?;
    let tree = Tree::of(&pattern.hir(), bytes)?;
    let floats = tree.begins == Begins::Anywhere;
    let isa = isa(Aim::Fast).expect("this machine has a backend");
    let shape = Shape::Search { places: 2 + 2 * pattern.groups().len() };
    let function = emit::function(&*isa, &mut FunctionBuilderContext::new(), shape, |emitter, params| super::emit(emitter, params, &tree));
    let body = compile_one(&*isa, shape, function).expect("it compiles");
    let (code, functions) = Code::new(isa, vec![body]).expect("there is memory");
    Some(Compiled { pattern, search: Arc::new(code).search(functions[0]), floats })
}

impl Compiled {
    /// As the regex engine finds it, and as the code does; absent for what the code gave up.
    fn both(&self, text: &[u8]) -> Option<[Option<Spans>; 2]> {
        let groups = self.pattern.groups();
        let expected = self.pattern.find_captures(text).map(|(whole, found)| {
            let span = |name: &String| found.iter().find(|(known, _)| known == name).map(|(_, span)| *span);
            [Some(whole)].into_iter().chain(groups.iter().map(span)).collect()
        });
        let mut places: Places = [0; PLACES_MAX];
        let answer = self.search.ask(text, 0..text.len(), &mut places);
        let span = |span: &[usize]| (span[1] != NOWHERE).then_some((span[0], span[1]));
        let found = (answer == Answer::Match).then(|| places[..2 + 2 * groups.len()].chunks_exact(2).map(span).collect());
        (answer != Answer::GaveUp).then_some([expected, found])
    }

    /// Whether a match begins in a stretch, as the regex engine finds it and as the code does; absent for what the code gave up.
    fn both_of_stretch(&self, regex: &Regex, text: &[u8], begins: Range<usize>) -> Option<[bool; 2]> {
        let leftmost = regex.find(Input::new(text).range(begins.start..)).map(|found| found.start());
        let expected = leftmost.is_some_and(|begin| begin < begins.end || begin == begins.end && begin == text.len());
        let answer = self.search.ask(text, begins.clone(), &mut [0; PLACES_MAX]);
        (answer != Answer::GaveUp).then_some([expected, answer == Answer::Match])
    }
}

#[test]
fn captures_are_those_of_the_regex_engine() {
    let cases: &[(&str, &[&str])] = &[
        (r"^RTX(?<model>\d+) Rev\.(?<fw>[\d.]+)$", &["RTX1210 Rev.14.01.42", "RTX1210 Rev.", "RTX1210 Rev.14.01.42 ", ""]),
        (r"^(?<a>\w+)(?:/(?<v>[\d.]+))?", &["nginx/1.2", "nginx", "nginx/", "nginx/x", "/"]),
        (r"^(?<a>a+?)(?<b>b*)", &["aab", "ab", "b", "aaa"]),
        (r"^(?<a>x|xy)?z", &["z", "xz", "xyz"]),
        (r"^a(?<tail>.*)$", &["a", "a管理", "a\n", "b"]),
        (r"^(?<a>a{2,3})(?<b>b{0,2})c", &["aabc", "aaabbc", "ac", "aabbbc"]),
        (r"(?<a>.*) v(?<v>\d+)$", &["a v1", "a v1 v22", "x\na v3", " v", "v1 v"]),
        (r"(?m)^(?<a>\w+)$", &["a", "-\nb", "-\nb\n", "--\n-", "\nab\nc"]),
        (r"(?<a>\S+) (?<b>.+?)(?: (?<c>\d+))?$", &["a b", "a b 12", "  a b c 1", "a"]),
        (r"v(?<v>\d+(?:\.\d+)*)", &["v1.2", "v1.2.", "v1.2.x", "v", "vv3"]),
        (r"^(?<a>.+?)(?<b>\d*)", &["a12", "", "1"]),
        (r"\b(?<a>[a-c]+)\b", &["xa a", "-abc-", "abcd", ""]),
        (r"(?:(?<a>a)|b)c|(?<d>bd)", &["ac", "bc", "bd", "abd", "aac"]),
        (r"(?<a>(?:\d+\.)+\d+)", &["v1.2.3.", "1", "1.", "x1.2"]),
        (r"^(?:(?:\w+ )*(?<a>\w+ )|b)b$", &["a b", "a b b b", "b", "a", "c d b "]),
        (r"(?<x>.*)(?:(?<a>a)|b)c", &["ac bc", "bc ac", "acbcx"]),
    ];
    for (source, texts) in cases {
        for bytes in [false, true] {
            let Some(compiled) = compiled(source, bytes) else {
                assert!(bytes && !source.is_ascii(), "/{source}/ has code");
                continue;
            };
            for text in *texts {
                let [expected, found] = compiled.both(text.as_bytes()).expect("so little is never given up");
                assert_eq!(found, expected, "/{source}/ on {text:?}");
            }
        }
    }
    assert!(compiled(r"^a(?:\r|\n|.)+V", true).is_some(), "one of some bytes is a byte");
    let none = [r"^(?:(?<a>a)|(?<b>b))*$", r"^(?<a>管|理)+x", r"(?:\d+\.?)+1", r"^(?<a>\d*)$"];
    none.iter().for_each(|source| assert!(compiled(source, false).is_none(), "/{source}/"));
}

#[test]
fn what_would_take_too_long_is_given_up() {
    let compiled = compiled(r"^(?:.{0,99},){6}x", true).expect("it has code");
    assert_eq!(compiled.both(&b",".repeat(300)), None);
    let remembered = self::compiled(r"^(?:.*,){6}x(?:.*?,){6}y$", true).expect("it has code");
    assert_eq!(remembered.both(&b",".repeat(300)), Some([None, None]), "what failed once is not tried again");
    let compiled = self::compiled(r"^(?:\d+\.)+\d$", true).expect("it has code");
    assert!(compiled.both(&b"1.".repeat(20)).is_some());
    assert_eq!(compiled.both(&b"1.".repeat(50)), None, "more rounds than are remembered");
}

/// Pieces of patterns that are often, and of texts that they often match.
fn pattern() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec!["a", "b", "a+b", "[ab]", "[^a]", ".", r"\d", "管", "x|yz", "-", r"\b", "(?m:^)", "(?m:$)", ""]);
    let leaf = (atom, prop::sample::select(vec!["", "?", "*", "+", "{1,3}", "*?", "+?", "{2}", "{0,2}?"])).prop_map(|(atom, times)| {
        let bare = atom.is_empty() || matches!(atom, r"\b" | "(?m:^)" | "(?m:$)") || times.is_empty() && !atom.contains('|');
        if bare { atom.to_string() } else { format!("(?:{atom}){times}") }
    });
    let part = leaf.prop_recursive(3, 12, 4, |inner| {
        let times = prop::sample::select(vec!["", "", "?", "*", "+", "??"]);
        (prop::collection::vec(inner, 1..4), any::<bool>(), any::<bool>(), times).prop_map(|(parts, either, named, times)| {
            let joined = parts.join(if either { "|" } else { "" });
            if named { format!("(?<NAME>{joined}){times}") } else { format!("(?:{joined}){times}") }
        })
    });
    let ends = prop::sample::select(vec![("^", "$"), ("^", ""), ("", "$"), ("", ""), ("(?m:^)", "(?m:$)"), ("(?m:^)", "")]);
    (prop::collection::vec(part, 1..4), ends).prop_map(|(parts, (begin, end))| {
        let mut source = format!("{begin}{}{end}", parts.join(""));
        for at in 0.. {
            let Some(place) = source.find("NAME") else { break };
            source.replace_range(place..place + 4, &format!("g{at}"));
        }
        source
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]
    #[test]
    fn random_patterns_capture_alike(source in pattern(), texts in prop::collection::vec("[ab1xyz管\n-]{0,8}", 1..12), bytes in any::<bool>()) {
        if let Some(compiled) = compiled(&source, bytes) {
            for text in &texts {
                if let Some([expected, found]) = compiled.both(text.as_bytes()) {
                    prop_assert_eq!(found, expected, "/{}/ on {:?}", source, text);
                }
            }
            if compiled.floats {
                let config = Regex::config().utf8_empty(!bytes);
                let regex = Regex::builder().configure(config).build_from_hir(&compiled.pattern.hir()).expect("small");
                for text in &texts {
                    let stretches = (0..=text.len()).flat_map(|from| (from..=text.len()).map(move |before| from..before));
                    for begins in stretches {
                        if let Some([expected, found]) = compiled.both_of_stretch(&regex, text.as_bytes(), begins.clone()) {
                            prop_assert_eq!(found, expected, "/{}/ from {:?} of {:?}", source, begins, text);
                        }
                    }
                }
            }
        }
    }
}
