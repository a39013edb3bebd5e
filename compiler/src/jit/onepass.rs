//! Captures as code: one pass over the text, where each byte leaves one way to go on.
//!
//! In: the meaning of a pattern that is bound to the start of the text. Out: an [`OnePass`] automaton, or none when a byte leaves two ways, and its
//! code, which writes where the match and its groups begin and end. Nothing is tried twice, so nothing needs to be remembered but the places.
//!
//! ```text
//! ^RTX(?<model>\d+) Rev\.(?<fw>[\d.]+)$
//!
//!   R T X ─> \d, group 1 begins ─> \d ... ─> ' ', group 1 ends ─> R e v . ─> [\d.], group 2 begins ─> ... ─> end: group 2 ends, match
//! ```
//!
//! A state is one state of Thompson's automaton that a byte led to. Its closure, in the order of preference, gives for each byte the state
//! behind it and the places that are marked on the way (*marks*); behind a match that needs nothing more, lesser ways are left out.

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use ksig_runtime::text_automaton::on_valid_text;
use regex_automata::nfa::thompson::{self, NFA, State as NfaState, WhichCaptures};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::{Hir, Look as HirLook};

use super::emit::Emitter;

/// Most states of an automaton that is compiled: a bound on code size and compile time.
const STATES_MAX: usize = 512;
/// Most places that are kept: two for the match, two for each group.
pub(super) const PLACES_MAX: usize = 32;
/// Bytes of Thompson's automaton.
const NFA_BYTES_MAX: usize = 96 * 1024;
/// Stands for a place that was not reached.
pub(super) const NOWHERE: usize = usize::MAX;

/// Places that are marked before a byte is read, or at a match: indexes into the places.
type Marks = Vec<u32>;

/// A closed range of bytes, the state behind it, and what is marked before it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Way {
    low: u8,
    high: u8,
    next: u32,
    marks: Marks,
}

/// What may follow.
#[derive(Clone, Debug, Default)]
struct State {
    /// Sorted, apart.
    ways: Vec<Way>,
    /// A match when the text ends here.
    at_end: Option<Marks>,
    /// A match wherever no way goes on.
    anyhow: Option<Marks>,
}

/// An automaton that starts at the beginning of the text.
#[derive(Clone, Debug)]
pub(super) struct OnePass {
    states: Vec<State>,
    /// How many places there are: those of the match, then those of each group.
    pub places: usize,
}

impl OnePass {
    /// Of a pattern; absent when it is not bound to the start, too large, asks for more than the ends of the text, can be empty inside a
    /// character, or when a byte leaves two ways.
    pub fn new(hir: &Hir, on_bytes: bool) -> Option<OnePass> {
        let properties = hir.properties();
        if !properties.look_set_prefix().contains(HirLook::Start) || !on_bytes && properties.minimum_len() == Some(0) {
            return None;
        }
        let config = thompson::Config::new().utf8(!on_bytes).which_captures(WhichCaptures::All).nfa_size_limit(Some(NFA_BYTES_MAX));
        let smaller = (!on_bytes).then(|| on_valid_text(hir, true));
        let nfa = thompson::Compiler::new().configure(config).build_from_hir(smaller.as_ref().unwrap_or(hir)).ok()?;
        let places = nfa.group_info().slot_len();
        if places > PLACES_MAX {
            return None;
        }
        // The first state has a number of its own: only there is the text's start.
        let mut states = vec![Closure::of(&nfa, nfa.start_anchored(), true)?];
        let mut numbers: HashMap<StateID, u32> = HashMap::new();
        let mut open = Vec::new();
        let mut number = |id: StateID, open: &mut Vec<StateID>| {
            let next = numbers.len() as u32 + 1;
            *numbers.entry(id).or_insert_with(|| {
                open.push(id);
                next
            })
        };
        let mut done = 0;
        let mut built = Vec::new();
        while done < states.len() {
            let Closure { ways, at_end, anyhow, .. } = std::mem::take(&mut states[done]);
            let mut numbered: Vec<Way> = Vec::with_capacity(ways.len());
            for (low, high, next, marks) in ways {
                numbered.push(Way { low, high, next: number(next, &mut open), marks });
            }
            numbered.sort_by_key(|way| way.low);
            if numbered.windows(2).any(|pair| pair[1].low <= pair[0].high) {
                return None;
            }
            built.push(State { ways: joined(numbered), at_end, anyhow });
            for id in open.drain(..) {
                states.push(Closure::of(&nfa, id, false)?);
            }
            if states.len() > STATES_MAX {
                return None;
            }
            done += 1;
        }
        Some(OnePass { states: built, places })
    }
}

impl OnePass {
    /// A literal that must follow a state, at least two bytes: what is marked before it, the bytes, and where they lead.
    fn literal_from(&self, from: usize) -> Option<(&Marks, Vec<u8>, usize)> {
        const LITERAL_MAX: usize = 64;
        let marks = &self.states[from].only_byte()?.marks;
        let (mut bytes, mut at) = (Vec::new(), from);
        while bytes.len() < LITERAL_MAX
            && let Some(way) = self.states[at].only_byte()
            && (bytes.is_empty() || way.marks.is_empty())
        {
            bytes.push(way.low);
            at = way.next as usize;
        }
        (bytes.len() >= 2).then_some((marks, bytes, at))
    }
}

impl State {
    /// The only way on, where it is one byte and nothing matches before it.
    fn only_byte(&self) -> Option<&Way> {
        match self.ways.as_slice() {
            [way] if way.low == way.high && self.at_end.is_none() && self.anyhow.is_none() => Some(way),
            _ => None,
        }
    }
}

/// Neighbouring ranges with one way become one.
fn joined(ways: Vec<Way>) -> Vec<Way> {
    let mut joined: Vec<Way> = Vec::new();
    for way in ways {
        match joined.last_mut() {
            Some(last) if last.high.checked_add(1) == Some(way.low) && last.next == way.next && last.marks == way.marks => {
                last.high = way.high
            }
            _ => joined.push(way),
        }
    }
    joined
}

/// What a state reaches without a byte.
#[derive(Default)]
struct Closure {
    ways: Vec<(u8, u8, StateID, Marks)>,
    at_end: Option<Marks>,
    anyhow: Option<Marks>,
    seen: Vec<StateID>,
}

impl Closure {
    /// Absent when a state is reached in two ways, or an assertion is none of the text's ends.
    fn of(nfa: &NFA, from: StateID, at_start: bool) -> Option<Closure> {
        let mut closure = Closure::default();
        // In the order of preference, the most preferred on top. The last says that the way leads on at the end of the text only.
        let mut open: Vec<(StateID, Marks, bool)> = vec![(from, Vec::new(), false)];
        while let Some((id, mut marks, end_only)) = open.pop() {
            if closure.seen.contains(&id) {
                return None;
            }
            closure.seen.push(id);
            match nfa.state(id) {
                NfaState::ByteRange { trans } => closure.way(trans.start, trans.end, trans.next, marks, end_only),
                NfaState::Sparse(sparse) => {
                    for trans in &*sparse.transitions {
                        closure.way(trans.start, trans.end, trans.next, marks.clone(), end_only);
                    }
                }
                NfaState::Dense(_) => return None,
                NfaState::Look { look: Look::Start, next } if at_start => open.push((*next, marks, end_only)),
                NfaState::Look { look: Look::Start, .. } | NfaState::Fail => {}
                NfaState::Look { look: Look::End, next } => open.push((*next, marks, true)),
                NfaState::Look { .. } => return None,
                NfaState::Union { alternates } => open.extend(alternates.iter().rev().map(|next| (*next, marks.clone(), end_only))),
                NfaState::BinaryUnion { alt1, alt2 } => open.extend([(*alt2, marks.clone(), end_only), (*alt1, marks, end_only)]),
                NfaState::Capture { next, slot, .. } => {
                    marks.push(slot.as_u32());
                    open.push((*next, marks, end_only));
                }
                NfaState::Match { .. } if end_only => drop(closure.at_end.get_or_insert(marks)),
                NfaState::Match { .. } => {
                    closure.anyhow = Some(marks);
                    break;
                }
            }
        }
        Some(closure)
    }

    fn way(&mut self, low: u8, high: u8, next: StateID, marks: Marks, end_only: bool) {
        if !end_only {
            self.ways.push((low, high, next, marks));
        }
    }
}

/// Emits the body of a captures function. Its buffer holds the places of the match that is being tried, then those of the last one found.
pub(super) fn emit(emitter: &mut Emitter<'_>, params: &[Value], automaton: &OnePass) {
    let (text, len, buffer) = (params[0], params[1], params[2]);
    let end = emitter.b.ins().iadd(text, len);
    let done = emitter.b.create_block();
    let mut emission = Emission { automaton, text, end, buffer, blocks: vec![None; automaton.states.len()], open: Vec::new(), done };
    emission.jump(emitter, 0, text);
    while let Some((at, block)) = emission.open.pop() {
        emission.state(emitter, at, block);
    }
    emitter.b.switch_to_block(done);
    // Place 1 is where the match ends.
    let found = emission.load(emitter, automaton.places + 1);
    let nowhere = emitter.compare(IntCC::NotEqual, found, NOWHERE as i64);
    emitter.b.ins().return_(&[nowhere]);
}

struct Emission<'a> {
    automaton: &'a OnePass,
    text: Value,
    end: Value,
    buffer: Value,
    /// Of the states that are reached; each takes the place in the text.
    blocks: Vec<Option<Block>>,
    open: Vec<(usize, Block)>,
    done: Block,
}

impl Emission<'_> {
    fn jump(&mut self, emitter: &mut Emitter<'_>, at: usize, place: Value) {
        let block = match self.blocks[at] {
            Some(block) => block,
            None => {
                let block = emitter.b.create_block();
                emitter.b.append_block_param(block, emitter.pointer);
                self.blocks[at] = Some(block);
                self.open.push((at, block));
                block
            }
        };
        emitter.b.ins().jump(block, &[place.into()]);
    }

    fn state(&mut self, emitter: &mut Emitter<'_>, at: usize, block: Block) {
        emitter.b.switch_to_block(block);
        let place = emitter.b.block_params(block)[0];
        if let Some((marks, bytes, next)) = self.automaton.literal_from(at) {
            let left = emitter.b.ins().isub(self.end, place);
            let enough = emitter.compare(IntCC::UnsignedGreaterThanOrEqual, left, bytes.len() as i64);
            emitter.require(enough, self.done);
            let equal = emitter.bytes_equal(place, 0, &bytes, &vec![0; bytes.len()]);
            emitter.require(equal, self.done);
            self.mark(emitter, marks, place);
            let after = emitter.b.ins().iadd_imm_s(place, bytes.len() as i64);
            return self.jump(emitter, next, after);
        }
        let state = &self.automaton.states[at];
        let over = emitter.b.ins().icmp(IntCC::Equal, place, self.end);
        if let Some(marks) = &state.at_end {
            let (ends, goes_on) = (emitter.b.create_block(), emitter.b.create_block());
            emitter.b.ins().brif(over, ends, &[], goes_on, &[]);
            emitter.b.switch_to_block(ends);
            self.found(emitter, marks, place);
            emitter.b.ins().jump(self.done, &[]);
            emitter.b.switch_to_block(goes_on);
        }
        if let Some(marks) = &state.anyhow {
            self.found(emitter, marks, place);
        }
        if state.at_end.is_none() {
            emitter.leave_if(over, self.done);
        }
        if state.ways.is_empty() {
            emitter.b.ins().jump(self.done, &[]);
            return;
        }
        let byte = emitter.load_byte(place, 0);
        self.choose(emitter, &state.ways, byte, place);
    }

    /// A binary search over the ways.
    fn choose(&mut self, emitter: &mut Emitter<'_>, ways: &[Way], byte: Value, place: Value) {
        if let [way] = ways {
            let from_low = emitter.b.ins().iadd_imm_s(byte, -i64::from(way.low));
            let inside = emitter.compare(IntCC::UnsignedLessThanOrEqual, from_low, i64::from(way.high - way.low));
            emitter.require(inside, self.done);
            self.mark(emitter, &way.marks, place);
            let after = emitter.b.ins().iadd_imm_s(place, 1);
            return self.jump(emitter, way.next as usize, after);
        }
        let (low, high) = ways.split_at(ways.len() / 2);
        let (below, above) = (emitter.b.create_block(), emitter.b.create_block());
        let is_below = emitter.compare(IntCC::UnsignedLessThan, byte, i64::from(high[0].low));
        emitter.b.ins().brif(is_below, below, &[], above, &[]);
        emitter.b.switch_to_block(below);
        self.choose(emitter, low, byte, place);
        emitter.b.switch_to_block(above);
        self.choose(emitter, high, byte, place);
    }

    fn mark(&self, emitter: &mut Emitter<'_>, marks: &Marks, place: Value) {
        if !marks.is_empty() {
            let offset = emitter.b.ins().isub(place, self.text);
            marks.iter().for_each(|mark| self.store(emitter, *mark as usize, offset));
        }
    }

    /// A match ends here: what was marked on the way, and what is marked now, is what was found.
    fn found(&self, emitter: &mut Emitter<'_>, marks: &Marks, place: Value) {
        let offset = emitter.b.ins().isub(place, self.text);
        for at in 0..self.automaton.places {
            let value = if marks.contains(&(at as u32)) { offset } else { self.load(emitter, at) };
            self.store(emitter, self.automaton.places + at, value);
        }
    }

    fn load(&self, emitter: &mut Emitter<'_>, at: usize) -> Value {
        emitter.b.ins().load(emitter.pointer, MemFlagsData::new().with_notrap(), self.buffer, (at * size_of::<usize>()) as i32)
    }

    fn store(&self, emitter: &mut Emitter<'_>, at: usize, value: Value) {
        emitter.b.ins().store(MemFlagsData::new().with_notrap(), value, self.buffer, (at * size_of::<usize>()) as i32);
    }
}

#[cfg(test)]
mod tests {
    use cranelift_frontend::FunctionBuilderContext;
    use ksig_runtime::CompiledPattern;
    use ksig_runtime::plan::Pattern;
    use proptest::prelude::*;

    use super::super::code::{Code, Function, Shape};
    use super::super::{compile_one, emit, isa};
    use super::*;

    /// Of the match, then of each group that took part.
    type Spans = Vec<Option<(usize, usize)>>;

    struct Compiled {
        pattern: CompiledPattern,
        code: Code,
        function: Function,
    }

    /// Absent where the pattern has no such code.
    fn compiled(source: &str, bytes: bool) -> Option<Compiled> {
        let pattern = Pattern { source: source.into(), ignore_case: false, ignore_case_unicode: false, bytes };
        let pattern = CompiledPattern::new(&pattern).ok()?;
        let automaton = OnePass::new(pattern.hir(), bytes)?;
        let isa = isa().expect("this machine has a backend");
        let shape = Shape::Captures { places: automaton.places };
        let function =
            emit::function(&*isa, &mut FunctionBuilderContext::new(), shape, |emitter, params| super::emit(emitter, params, &automaton));
        let body = compile_one(&*isa, shape, function).expect("it compiles");
        let (code, functions) = Code::new(isa, vec![body]).expect("there is memory");
        Some(Compiled { pattern, code, function: functions[0] })
    }

    impl Compiled {
        /// As the regex engine and as the code find it.
        fn both(&self, text: &[u8]) -> [Option<Spans>; 2] {
            let groups = self.pattern.groups();
            let expected = self.pattern.find_captures(text).map(|(whole, found)| {
                let span = |name: &String| found.iter().find(|(known, _)| known == name).map(|(_, span)| *span);
                [Some(whole)].into_iter().chain(groups.iter().map(span)).collect()
            });
            let mut buffer = [0; 2 * PLACES_MAX];
            let places = self.code.captures(self.function, text, &mut buffer);
            let span = |span: &[usize]| (span[1] != NOWHERE).then_some((span[0], span[1]));
            [expected, places.map(|places| places.chunks_exact(2).map(span).collect())]
        }
    }

    #[test]
    fn captures_are_those_of_the_regex_engine() {
        let cases: &[(&str, &[&str])] = &[
            (r"^RTX(?<model>\d+) Rev\.(?<fw>[\d.]+)$", &["RTX1210 Rev.14.01.42", "RTX1210 Rev.", "RTX1210 Rev.14.01.42 ", ""]),
            (r"^(?<a>\w+)(?:/(?<v>[\d.]+))?", &["nginx/1.2", "nginx", "nginx/", "nginx/x", "/"]),
            (r"^(?:(?<a>a)|(?<b>b))*$", &["", "a", "ab", "ba", "abc"]),
            (r"^(?<a>a+?)(?<b>b*)", &["aab", "ab", "b", "aaa"]),
            (r"^(?<a>x|xy)?z", &["z", "xz"]),
            (r"^a(?<tail>.*)$", &["a", "a管理", "a\n", "b"]),
            (r"^(?<a>管|理)+(?<b>[^a]*)a", &["管理a", "管a", "理理 a", "a"]),
            (r"^(?<a>a{2,3})(?<b>b{0,2})c", &["aabc", "aaabbc", "ac", "aabbbc"]),
        ];
        for (source, texts) in cases {
            for bytes in [false, true] {
                let Some(compiled) = compiled(source, bytes) else { continue };
                for text in *texts {
                    let [expected, found] = compiled.both(text.as_bytes());
                    assert_eq!(found, expected, "/{source}/ on {text:?}");
                }
            }
        }
        let none = [r"a(?<b>b)", r"^(?<a>.*) v(?<v>\d+)$", r"^(?<a>a)\b", r"^(?<a>a+)a", r"^(?<a>\d*)$"];
        none.iter().for_each(|source| assert!(compiled(source, false).is_none(), "/{source}/"));
        let code = [r"^RTX(?<model>\d+) Rev\.(?<fw>[\d.]+)$", r"^(?<a>[^ ]+) (?<b>.*)$", r"^(?<a>\w+)(?:/(?<v>[\d.]+))?"];
        code.iter().for_each(|source| assert!(compiled(source, false).is_some(), "/{source}/"));
    }

    /// Pieces of patterns that are often, and of texts that they often match.
    fn pattern() -> impl Strategy<Value = String> {
        let atom = prop::sample::select(vec!["a", "b", "[ab]", "[^a]", ".", r"\d", "管", "x|yz", "-", ""]);
        let leaf = (atom, prop::sample::select(vec!["", "?", "*", "+", "{1,3}", "*?", "+?"])).prop_map(|(atom, times)| {
            if atom.is_empty() || times.is_empty() && !atom.contains('|') { atom.to_string() } else { format!("(?:{atom}){times}") }
        });
        let part = leaf.prop_recursive(3, 12, 4, |inner| {
            let times = prop::sample::select(vec!["", "?", "*", "+"]);
            (prop::collection::vec(inner, 1..4), any::<bool>(), any::<bool>(), times).prop_map(|(parts, either, named, times)| {
                let joined = parts.join(if either { "|" } else { "" });
                if named { format!("(?<NAME>{joined}){times}") } else { format!("(?:{joined}){times}") }
            })
        });
        (prop::collection::vec(part, 1..4), any::<bool>()).prop_map(|(parts, whole)| {
            let mut source = format!("^{}{}", parts.join(""), if whole { "$" } else { "" });
            for at in 0.. {
                let Some(place) = source.find("NAME") else { break };
                source.replace_range(place..place + 4, &format!("g{at}"));
            }
            source
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
        #[test]
        fn random_patterns_capture_alike(source in pattern(), texts in prop::collection::vec("[ab1xyz管-]{0,8}", 1..12), bytes in any::<bool>()) {
            if let Some(compiled) = compiled(&source, bytes) {
                for text in &texts {
                    let [expected, found] = compiled.both(text.as_bytes());
                    prop_assert_eq!(found, expected, "/{}/ on {:?}", source, text);
                }
            }
        }
    }
}
