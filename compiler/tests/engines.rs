//! Interpreter and machine code give the same answers, and both the answers that the predicates' meaning gives.

mod fenced;

use std::collections::BTreeSet;

use fenced::Fenced;
use ksig_compiler::jit::JitBackend;
use ksig_runtime::backend::{gate, holds};
use ksig_runtime::plan::*;
use ksig_runtime::{Backend, Interpreter, ValueView, VerifiedPlan};
use ksig_schema::{ProbeKey, Section};
use proptest::prelude::*;

const TEXT_SLOT: SlotId = 0;
const BYTES_SLOT: SlotId = 1;
const INT_SLOT: SlotId = 2;

/// Pieces that patterns and values are made from, so that they meet.
const PIECES: &[&str] = &[
    "a",
    "ab",
    "A",
    "Apache",
    "apache/",
    "/2.4",
    " ",
    "x",
    "0",
    "17",
    "é",
    "ルーター",
    "k",
    "\u{212a}",
    "\n",
    "\0",
    "_",
    "-",
    "AB",
    "foo",
    "bar",
];

fn piece() -> impl Strategy<Value = String> {
    prop::sample::select(PIECES).prop_map(str::to_string)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::collection::vec(piece(), 0..8).prop_map(|pieces| pieces.concat()),
        1 => (prop::collection::vec(piece(), 1..4), 300usize..900).prop_map(|(pieces, times)| pieces.concat().repeat(times)),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(prop::sample::select(vec![0u8, b'a', b'A', b'b', 0x7f, 0x80, 0xff, b'/', b'2']), 0..12);
    prop_oneof![noise, text().prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..40)]
}

/// A regular expression of the dialect; over bytes, without characters outside ASCII.
fn expression(on_bytes: bool) -> impl Strategy<Value = String> {
    let literal = prop::sample::select(PIECES)
        .prop_map(move |piece| if on_bytes && !piece.is_ascii() { r"\xff".to_string() } else { regex_syntax::escape(piece) });
    let class = prop::sample::select(vec![
        ".",
        r"\d",
        r"\w",
        r"\s",
        r"\D",
        r"[^a]",
        "[a-f]",
        "[ab0-9/]",
        r"\b",
        r"\B",
        "(?s:.)",
        r"[\d.]",
        "[[:upper:]]",
    ]);
    let atom = prop_oneof![3 => literal, 2 => class.prop_map(str::to_string)];
    atom.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            4 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            1 => prop::collection::vec(inner.clone(), 1..4).prop_map(|branches| format!("(?:{})", branches.join("|"))),
            1 => inner.clone().prop_map(|part| format!("(?<n>{part})").replace("(?<n>(?<n>", "(?:(?:").replace("(?<n>", "(?:")),
            2 => (inner, prop::sample::select(vec!["*", "+", "?", "{2}", "{1,3}", "*?", "+?"])).prop_map(|(part, times)| format!("(?:{part}){times}")),
        ]
    })
    .prop_flat_map(|middle| (Just(middle), any::<bool>(), any::<bool>()))
    .prop_map(|(middle, start, end)| format!("{}{middle}{}", if start { "^" } else { "" }, if end { "$" } else { "" }))
}

fn pattern() -> impl Strategy<Value = Pattern> {
    any::<bool>().prop_flat_map(|on_bytes| {
        (expression(on_bytes), any::<bool>(), any::<bool>()).prop_map(move |(source, ignore_case, unicode)| Pattern {
            source,
            ignore_case,
            ignore_case_unicode: unicode && ignore_case && !on_bytes,
            bytes: on_bytes,
        })
    })
}

fn predicate(patterns: u32) -> impl Strategy<Value = Predicate> {
    let literal = || {
        prop_oneof![text().prop_map(String::into_bytes), bytes()].prop_map(|mut bytes| {
            bytes.truncate(200);
            bytes
        })
    };
    let list = prop::collection::btree_set(literal(), 0..12).prop_map(|set| set.into_iter().collect());
    prop_oneof![
        1 => literal().prop_map(Predicate::Equals),
        1 => literal().prop_map(Predicate::Starts),
        1 => literal().prop_map(Predicate::Ends),
        1 => literal().prop_map(Predicate::Contains),
        1 => list.prop_map(Predicate::OneOf),
        1 => prop::sample::select(vec!["1", "1.3", "1.3.6.1"]).prop_map(|oid| Predicate::Under(oid.into())),
        1 => (-3i64..600, 0i64..300).prop_map(|(low, width)| Predicate::IntIn(low, low + width)),
        1 => prop::sample::select(vec![(i64::MIN, -1), (401, 401), (i64::MIN, i64::MAX), (5, 4)]).prop_map(|(low, high)| Predicate::IntIn(low, high)),
        1 => any::<bool>().prop_map(Predicate::Bool),
        1 => prop::sample::select(vec![Predicate::Present, Predicate::Absent, Predicate::Complete]),
        4 => (0..patterns).prop_map(Predicate::Matches),
    ]
}

fn condition(tests: u32) -> impl Strategy<Value = Condition> {
    let leaf = (0..tests).prop_map(|test| Condition::Test(Leaf { test, captures: Vec::new(), note: LineNote::default() }));
    let late = Just(Condition::Late(Expr::ScanDate, LineNote::default()));
    prop_oneof![6 => leaf, 1 => late].prop_recursive(4, 24, 4, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            parts().prop_map(Condition::All),
            parts().prop_map(Condition::Any),
            (0u32..5, parts()).prop_map(|(wanted, parts)| Condition::AtLeast(wanted, parts)),
            inner.clone().prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    (1u32..10, 1u32..16).prop_flat_map(|(patterns, tests)| {
        let test = (0u32..3, predicate(patterns)).prop_map(|(slot, predicate)| Test { slot, predicate });
        let many = prop_oneof![8 => Just(Vec::new()), 1 => prop::collection::vec("[a-d]{2,5}", 40..80)];
        (
            prop::collection::vec(pattern(), patterns as usize),
            prop::collection::vec(test, tests as usize),
            prop::collection::vec(condition(tests), 1..5),
            many,
        )
            .prop_map(|(patterns, mut tests, conditions, many)| {
                // Enough exact texts in one slot that they are found by hash.
                tests.extend(many.into_iter().map(|text| Test { slot: TEXT_SLOT, predicate: Predicate::Equals(text.into_bytes()) }));
                let slot =
                    |field: &str| Slot { probe: 0, field: field.into(), key: None, section: Section::Head, fold_width: false, raw: false };
                let named = |(at, condition)| Signature { name: format!("s{at}"), condition, ..Signature::default() };
                Plan {
                    probes: vec![Probe::Exactly(ProbeKey::new("banner"))],
                    slots: vec![slot("text"), slot("bytes"), slot("int")],
                    patterns,
                    tests,
                    signatures: conditions.into_iter().enumerate().map(named).collect(),
                    ..Plan::default()
                }
            })
    })
}

fn hits(engine: &dyn Backend, slot: SlotId, values: &[ValueView<'_>]) -> BTreeSet<TestId> {
    let mut hits = Vec::new();
    engine.eval_slot(slot, values, &mut hits);
    hits.into_iter().collect()
}

/// The same value in other memory.
fn same_view<'v>(view: &ValueView<'_>, bytes: &'v [u8]) -> ValueView<'v> {
    match view {
        ValueView::Text(_) => ValueView::Text(std::str::from_utf8(bytes).expect("the same text")),
        _ => ValueView::Bytes(bytes),
    }
}

fn meant(plan: &VerifiedPlan, slot: SlotId, values: &[ValueView<'_>]) -> BTreeSet<TestId> {
    let tests = &plan.plan().tests;
    let any = |test: &TestId| values.iter().any(|&value| holds(plan, &tests[*test as usize].predicate, value));
    plan.tests_of(slot).iter().copied().filter(any).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn engines_agree(
        plan in plan(),
        texts in prop::collection::vec(text(), 0..6),
        raw in prop::collection::vec(bytes(), 0..6),
        numbers in prop::collection::vec(prop_oneof![-5i64..700, any::<i64>()], 0..4),
        truths in prop::collection::vec(0u8..3, 120),
    ) {
        let plan = plan.verify().expect("all verify");
        let interpreter = Interpreter::new(&plan);
        let jit = JitBackend::compile(&plan).expect("this machine has a backend");
        let mut fenced = Fenced::new();

        let mut views: Vec<ValueView<'_>> = texts.iter().map(|text| ValueView::Text(text)).collect();
        views.extend(raw.iter().map(|bytes| ValueView::Bytes(bytes)));
        views.extend(numbers.iter().map(|&number| ValueView::Int(number)));
        views.extend([ValueView::Bool(true), ValueView::Other, ValueView::Text(""), ValueView::Bytes(b"")]);
        for slot in [TEXT_SLOT, BYTES_SLOT, INT_SLOT] {
            for view in &views {
                let one = std::slice::from_ref(view);
                let wanted = meant(&plan, slot, one);
                prop_assert_eq!(&hits(&interpreter, slot, one), &wanted, "interpreter on {:?}", view);
                prop_assert_eq!(&hits(&jit, slot, one), &wanted, "jit on {:?}", view);
                if let Some(bytes) = view.bytes() {
                    for there in [Fenced::before_a_fence, Fenced::behind_a_fence] {
                        prop_assert_eq!(&hits(&jit, slot, &[same_view(view, there(&mut fenced, bytes))]), &wanted, "jit on {:?}", view);
                    }
                }
            }
            let wanted = meant(&plan, slot, &views);
            prop_assert_eq!(&hits(&interpreter, slot, &views), &wanted);
            prop_assert_eq!(&hits(&jit, slot, &views), &wanted);
        }
        let truths = &truths[..plan.plan().tests.len()];
        for (id, signature) in plan.plan().signatures.iter().enumerate() {
            let wanted = gate(&signature.condition, truths);
            prop_assert_eq!(interpreter.eval_gate(id as u32, truths), wanted);
            prop_assert_eq!(jit.eval_gate(id as u32, truths), wanted);
        }
    }
}

fn of(tests: Vec<Predicate>, patterns: &[&str]) -> VerifiedPlan {
    let slot = Slot { probe: 0, field: "text".into(), key: None, section: Section::Head, fold_width: false, raw: false };
    let pattern = |source: &&str| Pattern { source: source.to_string(), ignore_case: false, ignore_case_unicode: false, bytes: false };
    Plan {
        probes: vec![Probe::Exactly(ProbeKey::new("banner"))],
        slots: vec![slot],
        patterns: patterns.iter().map(pattern).collect(),
        tests: tests.into_iter().map(|predicate| Test { slot: 0, predicate }).collect(),
        ..Plan::default()
    }
    .verify()
    .expect("verifies")
}

#[test]
fn literals_of_every_length_are_compared_whole() {
    let letters: Vec<u8> = (b'a'..=b'z').cycle().take(140).collect();
    let mut fenced = Fenced::new();
    for len in 0..=140 {
        let literal = letters[..len].to_vec();
        let plan = of(
            vec![
                Predicate::Equals(literal.clone()),
                Predicate::Starts(literal.clone()),
                Predicate::Ends(literal.clone()),
                Predicate::OneOf(vec![literal]),
            ],
            &[],
        );
        let jit = JitBackend::compile(&plan).expect("compiles");
        let mut values = vec![letters[..len].to_vec(), letters[..(len + 1).min(140)].to_vec(), letters[..len.saturating_sub(1)].to_vec()];
        for at in 0..len {
            let mut changed = letters[..len].to_vec();
            changed[at] ^= 0x20;
            values.push(changed);
        }
        for value in &values {
            let wanted = meant(&plan, 0, &[ValueView::Bytes(value)]);
            for there in [Fenced::before_a_fence, Fenced::behind_a_fence] {
                assert_eq!(hits(&jit, 0, &[ValueView::Bytes(there(&mut fenced, value))]), wanted, "{len} {}", value.escape_ascii());
            }
        }
    }
}

#[test]
fn patterns_without_code_run_in_the_regex_engine() {
    let plan = of(vec![Predicate::Matches(0), Predicate::Matches(1)], &[r"(?:a+b?)+ac", "^abc$"]);
    let jit = JitBackend::compile(&plan).expect("compiles");
    let counts = jit.counts();
    assert_eq!((counts.patterns_in_code, counts.patterns_outside), (1, 1));
    assert_eq!(hits(&jit, 0, &[ValueView::Text("xxabaaac")]), BTreeSet::from([0]));
    assert_eq!(hits(&jit, 0, &[ValueView::Text("abc")]), BTreeSet::from([1]));
    let clif = JitBackend::clif(&plan).expect("prints");
    assert!(clif.contains("; test 1: /^abc$/") && clif.contains("runs in the regex engine") && clif.contains("function"), "{clif}");
}

#[test]
fn a_pattern_in_use_becomes_code_and_answers_the_same() {
    let sources = ["^acme-(?<m>[A-Z]{2}\\d+)$", "^apex ", "lighttpd/[0-9.]+", "^never asked"];
    let plan = of((0..4).map(Predicate::Matches).collect(), &sources);
    let jit = JitBackend::tiered(&plan).expect("compiles");
    assert_eq!(jit.counts().patterns_in_code, 0);
    let texts = ["acme-AB12", "acme-AB", "apex 1", "apex", "lighttpd/1.4", "x lighttpd/1.4.69", "lighttpd/"];
    let wanted: Vec<_> = texts.iter().map(|text| meant(&plan, 0, &[ValueView::Text(text)])).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    for (text, wanted) in texts.iter().zip(&wanted) {
                        assert_eq!(hits(&jit, 0, &[ValueView::Text(text)]), *wanted, "{text}");
                    }
                }
            });
        }
    });
    let counts = jit.counts();
    assert_eq!((counts.patterns_in_code, counts.patterns_outside), (3, 1), "the one that met no text of its own has no code");
}

#[test]
fn freed_code_gives_its_memory_back() {
    fn resident_kb() -> usize {
        let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        status.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4
    }
    let plan = of((0..40).map(|at| Predicate::Starts(format!("server {at}/").into_bytes())).collect(), &[]);
    let cycle = |times: usize| {
        for _ in 0..times {
            let jit = JitBackend::compile(&plan).expect("compiles");
            assert_eq!(hits(&jit, 0, &[ValueView::Text("server 7/1")]), BTreeSet::from([7]));
        }
    };
    cycle(50);
    // Other tests of this process take memory too, but not in each round.
    let rounds = (0..5).map(|_| {
        let before = resident_kb();
        cycle(100);
        resident_kb().saturating_sub(before)
    });
    let grown = rounds.min().unwrap_or_default();
    assert!(grown < 4 * 1024, "100 engines made and dropped left {grown} KB");
}
