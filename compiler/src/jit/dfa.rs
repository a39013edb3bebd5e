//! Regular expressions as code: one block a state of the deterministic automaton.
//!
//! In: the meaning of a pattern. Out: an [`Automaton`] small enough to compile, or none, and its code. The question is only whether there is a
//! match, so a state that cannot fail any more is the answer yes, and nothing behind a match is built.

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};
use ksig_runtime::text_automaton::on_valid_text;
use regex_automata::dfa::Automaton as _;
use regex_automata::dfa::{StartKind, dense};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::hir::{Hir, Look};

use super::emit::Emitter;

/// Most states of an automaton that is compiled: a bound on code size and compile time. Larger ones run in the regex engine.
const STATES_MAX: usize = 384;
/// Bytes of the automaton's table, and of the work to make it.
const DETERMINIZE_BYTES_MAX: usize = 512 * 1024;
/// Bytes of the nondeterministic automaton; beyond it, making it deterministic costs more than it gains.
const NFA_BYTES_MAX: usize = 96 * 1024;
/// Most ranges of bytes that are compared one after another; more are searched by halves.
const CHAIN_MAX: usize = 4;

/// Where a byte leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Target {
    /// No match is possible any more.
    No,
    /// There is a match.
    Yes,
    State(u32),
}

/// A state: closed ranges that cover all bytes, and the answer at the end of the text.
#[derive(Clone, Debug)]
struct State {
    ranges: Vec<(u8, u8, Target)>,
    at_end: bool,
}

/// A deterministic automaton that starts at the beginning of the text.
#[derive(Clone, Debug)]
pub(super) struct Automaton {
    states: Vec<State>,
    start: Target,
}

impl Automaton {
    /// Of a pattern; absent when it is too large, or when a match can be empty inside a character, which only the regex engine rules out.
    pub fn new(hir: &Hir, on_bytes: bool) -> Option<Automaton> {
        let properties = hir.properties();
        if !on_bytes && properties.minimum_len() == Some(0) {
            return None;
        }
        let anchored = properties.look_set_prefix().contains(Look::Start);
        let nfa = thompson::Compiler::new()
            .configure(thompson::Config::new().utf8(!on_bytes).which_captures(WhichCaptures::None).nfa_size_limit(Some(NFA_BYTES_MAX)))
            .build_from_hir(&if on_bytes { hir.clone() } else { on_valid_text(hir, false) })
            .ok()?;
        let config = dense::Config::new()
            .match_kind(MatchKind::LeftmostFirst)
            .start_kind(if anchored { StartKind::Anchored } else { StartKind::Unanchored })
            .accelerate(false)
            .dfa_size_limit(Some(DETERMINIZE_BYTES_MAX))
            .determinize_size_limit(Some(DETERMINIZE_BYTES_MAX));
        let dfa = dense::Builder::new().configure(config).build_from_nfa(&nfa).ok()?;
        let mode = if anchored { Anchored::Yes } else { Anchored::No };
        let begin = dfa.start_state(&start::Config::new().anchored(mode)).ok()?;
        explore(&dfa, begin).map(Automaton::settled)
    }

    /// States whose answer does not hang on the rest of the text become that answer.
    fn settled(mut self) -> Automaton {
        loop {
            let answer = |state: &State| match state.ranges.as_slice() {
                [(0, 255, Target::Yes)] if state.at_end => Some(Target::Yes),
                [(0, 255, Target::No)] if !state.at_end => Some(Target::No),
                _ => None,
            };
            let answers: HashMap<u32, Target> =
                self.states.iter().enumerate().filter_map(|(at, state)| Some((at as u32, answer(state)?))).collect();
            let settle = |target: Target| match target {
                Target::State(at) => answers.get(&at).copied().unwrap_or(target),
                other => other,
            };
            let mut changed = self.start != settle(self.start);
            self.start = settle(self.start);
            for state in &mut self.states {
                let ranges: Vec<_> = state.ranges.iter().map(|&(low, high, target)| (low, high, settle(target))).collect();
                changed |= ranges != state.ranges;
                state.ranges = joined(ranges);
            }
            if !changed {
                return self;
            }
        }
    }

    /// A literal that must follow from here: the bytes, the mask that folds their case, and where they lead. Absent for less than two bytes.
    fn literal_from(&self, from: u32) -> Option<(Vec<u8>, Vec<u8>, Target)> {
        const LITERAL_MAX: usize = 64;
        let (mut bytes, mut mask) = (Vec::new(), Vec::new());
        let mut at = Target::State(from);
        while let Target::State(state) = at
            && bytes.len() < LITERAL_MAX
            && let Some((byte, fold, next)) = self.states[state as usize].only_way()
            && next != at
        {
            bytes.push(byte);
            mask.push(fold);
            at = next;
        }
        (bytes.len() >= 2).then_some((bytes, mask, at))
    }
}

impl State {
    /// The only byte, in both cases if need be, that does not fail.
    fn only_way(&self) -> Option<(u8, u8, Target)> {
        if self.at_end {
            return None;
        }
        let ways: Vec<_> = self.ranges.iter().filter(|(_, _, target)| *target != Target::No).collect();
        match ways.as_slice() {
            [(low, high, target)] if low == high => Some((*low, 0, *target)),
            [(a, a_high, target), (b, b_high, other)] if a == a_high && b == b_high && target == other => {
                (a.is_ascii_uppercase() && *b == a.to_ascii_lowercase()).then_some((*b, 0x20, *target))
            }
            _ => None,
        }
    }
}

/// Walks from the first state to all that can be reached without passing a match.
fn explore(dfa: &dense::DFA<Vec<u32>>, begin: StateID) -> Option<Automaton> {
    // Bytes of one class lead to one state, so a state is asked once a class.
    let classes: Vec<(u8, u8)> = byte_ranges(dfa);
    let mut numbers = Numbers { dfa, number: HashMap::new(), open: Vec::new() };
    let start = numbers.target(begin)?;
    let mut states = Vec::new();
    while let Some(&id) = numbers.open.get(states.len()) {
        let mut ranges: Vec<(u8, u8, Target)> = Vec::new();
        for &(low, high) in &classes {
            let target = numbers.target(dfa.next_state(id, low))?;
            match ranges.last_mut() {
                Some(last) if last.2 == target => last.1 = high,
                _ => ranges.push((low, high, target)),
            }
        }
        states.push(State { ranges, at_end: dfa.is_match_state(dfa.next_eoi_state(id)) });
    }
    Some(Automaton { states, start })
}

/// Runs of neighbouring bytes that the automaton does not tell apart, in order.
fn byte_ranges(dfa: &dense::DFA<Vec<u32>>) -> Vec<(u8, u8)> {
    let classes = dfa.byte_classes();
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for byte in 0..=255u8 {
        match ranges.last_mut() {
            Some(last) if classes.get(last.1) == classes.get(byte) => last.1 = byte,
            _ => ranges.push((byte, byte)),
        }
    }
    ranges
}

/// Numbers states in the order in which they are first reached.
struct Numbers<'d> {
    dfa: &'d dense::DFA<Vec<u32>>,
    number: HashMap<StateID, u32>,
    open: Vec<StateID>,
}

impl Numbers<'_> {
    /// Absent for a state that gives up, and for one too many.
    fn target(&mut self, id: StateID) -> Option<Target> {
        if self.dfa.is_special_state(id) {
            if self.dfa.is_match_state(id) {
                return Some(Target::Yes);
            }
            if self.dfa.is_dead_state(id) {
                return Some(Target::No);
            }
            if self.dfa.is_quit_state(id) {
                return None;
            }
        }
        let next = self.open.len() as u32;
        let at = *self.number.entry(id).or_insert(next);
        if at == next {
            self.open.push(id);
        }
        ((at as usize) < STATES_MAX).then_some(Target::State(at))
    }
}

/// Neighbouring ranges with one target become one.
fn joined(ranges: Vec<(u8, u8, Target)>) -> Vec<(u8, u8, Target)> {
    let mut joined: Vec<(u8, u8, Target)> = Vec::new();
    for (low, high, target) in ranges {
        match joined.last_mut() {
            Some(last) if last.2 == target => last.1 = high,
            _ => joined.push((low, high, target)),
        }
    }
    joined
}

/// Emits the body of a text function.
pub(super) fn emit(emitter: &mut Emitter<'_>, params: &[Value], automaton: &Automaton) {
    let (pointer, len) = (params[0], params[1]);
    let end = emitter.b.ins().iadd(pointer, len);
    let mut states = StateBlocks {
        automaton,
        end,
        blocks: vec![None; automaton.states.len()],
        open: Vec::new(),
        yes: emitter.b.create_block(),
        no: emitter.b.create_block(),
    };
    states.jump(emitter, automaton.start, pointer);
    while let Some(state) = states.open.pop() {
        states.state(emitter, state);
    }
    emitter.b.switch_to_block(states.yes);
    emitter.return_bool(true);
    emitter.b.switch_to_block(states.no);
    emitter.return_bool(false);
}

struct StateBlocks<'a> {
    automaton: &'a Automaton,
    end: Value,
    /// Each takes the place in the text.
    blocks: Vec<Option<Block>>,
    open: Vec<u32>,
    yes: Block,
    no: Block,
}

impl StateBlocks<'_> {
    fn block(&mut self, emitter: &mut Emitter<'_>, target: Target) -> Block {
        match target {
            Target::Yes => self.yes,
            Target::No => self.no,
            Target::State(state) => match self.blocks[state as usize] {
                Some(block) => block,
                None => {
                    let block = emitter.b.create_block();
                    emitter.b.append_block_param(block, emitter.pointer);
                    self.blocks[state as usize] = Some(block);
                    self.open.push(state);
                    block
                }
            },
        }
    }

    fn arguments(&self, target: Target, place: Value) -> Vec<BlockArg> {
        match target {
            Target::State(_) => vec![place.into()],
            Target::Yes | Target::No => Vec::new(),
        }
    }

    fn jump(&mut self, emitter: &mut Emitter<'_>, target: Target, place: Value) {
        let block = self.block(emitter, target);
        let arguments = self.arguments(target, place);
        emitter.b.ins().jump(block, &arguments);
    }

    fn branch(&mut self, emitter: &mut Emitter<'_>, condition: Value, target: Target, place: Value, otherwise: Block) {
        let block = self.block(emitter, target);
        let arguments = self.arguments(target, place);
        emitter.b.ins().brif(condition, block, &arguments, otherwise, &[]);
    }

    fn state(&mut self, emitter: &mut Emitter<'_>, id: u32) {
        let Some(block) = self.blocks[id as usize] else { return };
        emitter.b.switch_to_block(block);
        let place = emitter.b.block_params(block)[0];
        if let Some((bytes, mask, target)) = self.automaton.literal_from(id) {
            let left = emitter.b.ins().isub(self.end, place);
            let enough = emitter.compare(IntCC::UnsignedGreaterThanOrEqual, left, bytes.len() as i64);
            emitter.require(enough, self.no);
            let equal = emitter.bytes_equal(place, 0, &bytes, &mask);
            let after = emitter.b.ins().iadd_imm_s(place, bytes.len() as i64);
            let no = self.no;
            return self.branch(emitter, equal, target, after, no);
        }
        let state = &self.automaton.states[id as usize];
        let over = emitter.b.ins().icmp(IntCC::Equal, place, self.end);
        emitter.leave_if(over, if state.at_end { self.yes } else { self.no });
        let byte = emitter.load_byte(place, 0);
        let after = emitter.b.ins().iadd_imm_s(place, 1);

        let common = most_common(&state.ranges);
        let others: Vec<_> = state.ranges.iter().filter(|(_, _, target)| *target != common).copied().collect();
        if others.len() <= CHAIN_MAX {
            for (low, high, target) in others {
                let inside = if low == high {
                    emitter.compare(IntCC::Equal, byte, i64::from(low))
                } else {
                    let from_low = emitter.b.ins().iadd_imm_s(byte, -i64::from(low));
                    emitter.compare(IntCC::UnsignedLessThanOrEqual, from_low, i64::from(high - low))
                };
                let next = emitter.b.create_block();
                self.branch(emitter, inside, target, after, next);
                emitter.b.switch_to_block(next);
            }
            self.jump(emitter, common, after);
        } else {
            self.halves(emitter, &state.ranges, byte, after);
        }
    }

    /// A binary search over the ranges.
    fn halves(&mut self, emitter: &mut Emitter<'_>, ranges: &[(u8, u8, Target)], byte: Value, after: Value) {
        if let [(_, _, target)] = ranges {
            return self.jump(emitter, *target, after);
        }
        let (low, high) = ranges.split_at(ranges.len() / 2);
        let (below, above) = (emitter.b.create_block(), emitter.b.create_block());
        let is_below = emitter.compare(IntCC::UnsignedLessThan, byte, i64::from(high[0].0));
        emitter.b.ins().brif(is_below, below, &[], above, &[]);
        emitter.b.switch_to_block(below);
        self.halves(emitter, low, byte, after);
        emitter.b.switch_to_block(above);
        self.halves(emitter, high, byte, after);
    }
}

/// The target of most bytes.
fn most_common(ranges: &[(u8, u8, Target)]) -> Target {
    let mut counts: Vec<(Target, u32)> = Vec::new();
    for &(low, high, target) in ranges {
        let bytes = u32::from(high - low) + 1;
        match counts.iter_mut().find(|(known, _)| *known == target) {
            Some((_, count)) => *count += bytes,
            None => counts.push((target, bytes)),
        }
    }
    counts.into_iter().max_by_key(|&(_, count)| count).map_or(Target::No, |(target, _)| target)
}
