//! Patterns as code: where the leftmost match and its groups lie, found by walking the pattern's own tree.
//!
//! In: a [`Tree`]. Out: a search function. The walk prefers what the regex engine prefers, so both find the same.
//!
//! A part has four ports, as Byrd drew them for Prolog: it is *called* at a place, *exits* at a later one, is asked to *redo* when what follows it
//! fails, and *fails* when it has no other way. Ports are blocks, so what follows a part jumps straight to its nearest other way:
//!
//! ```text
//! ^(?<a>.*) v(?<v>\d+)$
//!
//!           ┌────── redo: one byte less ──────┐
//!   call ─> .* ─exit─> " v" ─exit─> \d+ ─exit─> $ ─exit─> match
//!           └ fail ─> no match     (decided: no digit can follow, so it is never asked to redo)
//! ```
//!
//! Whether the rest of a pattern matches from a place on does not hang on how the place was reached. So a run whose exits have all failed
//! remembers them, and is not tried at those places again: `.*a.*b.*c` is not cubic.
//!
//! The state of a part that can be asked again (how far a run went, which branch was taken) lies in the frame: no part is entered twice before it
//! failed, because loops whose rounds have several ways have no tree; of others, some rounds are remembered. Going back is paid from an allowance
//! that grows with the text; where it is spent, the function gives up and the regex engine, whose work is bounded, answers.

mod symbols;
mod tree;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, Type, Value, types};
use regex_syntax::hir::Look;

use super::emit::Emitter;
use symbols::{Bytes, Symbols};
pub(super) use tree::Tree;
use tree::{Begins, Part};

/// Most places that are kept: two for the match, two for each group.
pub(super) const PLACES_MAX: usize = 32;
/// Stands for a place that was not reached.
pub(super) const NOWHERE: usize = usize::MAX;
/// Steps back that are allowed for each byte of the text, and beside them.
const STEPS_A_BYTE: i64 = 16;
const STEPS_BESIDE: i64 = 512;
/// Rounds of a loop that can be given back; where there are more, the function gives up.
const ROUNDS_MAX: i64 = 24;
/// Ranges up to which a set is compared one after another.
const RANGES_MAX: usize = 3;

/// What a function says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    NoMatch = 0,
    Match = 1,
    /// Going back would take too long.
    GaveUp = 2,
}

impl Answer {
    /// From its number; anything else than 0 and 1 gave up.
    pub fn from_number(number: u8) -> Answer {
        match number {
            0 => Answer::NoMatch,
            1 => Answer::Match,
            _ => Answer::GaveUp,
        }
    }
}

/// Emits the body of a search function. Its buffer holds two places for the match and two for each group, all [`NOWHERE`] at first. A match that
/// may begin anywhere is looked for in the stretch that is asked for.
pub(super) fn emit(emitter: &mut Emitter<'_>, params: &[Value], tree: &Tree) {
    let (text, len, buffer) = (params[0], params[1], params[2]);
    let end = emitter.b.ins().iadd(text, len);
    let begins = [params[3], params[4]].map(|offset| emitter.b.ins().iadd(text, offset));
    let (no, gave_up) = (emitter.b.create_block(), emitter.b.create_block());
    let allowance = (tree.begins != Begins::Text || tree.root.goes_back()).then(|| {
        let slot = slot(emitter);
        let steps = emitter.b.ins().imul_imm_s(len, STEPS_A_BYTE);
        let steps = emitter.b.ins().iadd_imm_s(steps, STEPS_BESIDE);
        emitter.b.ins().stack_store(emitter.pointer, steps, slot, 0);
        slot
    });
    let remembered = |_| Remembered { failed: Stretch::none(emitter), reach: Stretch::none(emitter) };
    // The first of a pattern that is bound to a start is not called twice on one stretch of text.
    let runs = tree.root.unbounded_runs().saturating_sub(usize::from(is_bound(tree.begins)));
    let remembered = (0..runs).map(remembered).collect();
    let mut walk = Walk { e: emitter, text, end, buffer, allowance, gave_up, remembered, first_fail: None };
    walk.try_each_begin(tree, begins, no);
    for (block, answer) in [(no, Answer::NoMatch), (gave_up, Answer::GaveUp)] {
        emitter.b.switch_to_block(block);
        let answer = emitter.b.ins().iconst(types::I8, answer as i64);
        emitter.b.ins().return_(&[answer]);
    }
}

fn is_bound(begins: Begins) -> bool {
    matches!(begins, Begins::Text | Begins::Line)
}

fn slot(emitter: &mut Emitter<'_>) -> StackSlot {
    emitter.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, 8, 3))
}

/// Where a part left off, and where it is asked for another way; absent when it has none.
struct Exit {
    place: Value,
    redo: Option<Block>,
}

/// Places from a lower one to an upper one.
#[derive(Clone, Copy)]
struct Stretch {
    from: StackSlot,
    to: StackSlot,
}

impl Stretch {
    /// None, for no text stands at address 0.
    fn none(emitter: &mut Emitter<'_>) -> Stretch {
        let stretch = Stretch { from: slot(emitter), to: slot(emitter) };
        let nowhere = emitter.b.ins().iconst(emitter.pointer, 0);
        for slot in [stretch.from, stretch.to] {
            emitter.b.ins().stack_store(emitter.pointer, nowhere, slot, 0);
        }
        stretch
    }
}

/// What is remembered of a run without an upper bound.
#[derive(Clone, Copy)]
struct Remembered {
    /// Exits that are known to lead to no match.
    failed: Stretch,
    /// Where the run was found to reach.
    reach: Stretch,
}

struct Walk<'w, 'f> {
    e: &'w mut Emitter<'f>,
    text: Value,
    end: Value,
    buffer: Value,
    /// Steps that are left; absent where nothing is tried again.
    allowance: Option<StackSlot>,
    gave_up: Block,
    /// One for each run that can be asked again and has no upper bound.
    remembered: Vec<Remembered>,
    /// Where the first part of the pattern fails, if none of its runs is called twice on one stretch of text.
    first_fail: Option<Block>,
}

impl Walk<'_, '_> {
    /// Tries the places where a match can begin, from the left; one that can begin anywhere, from the first of two places up to the second.
    fn try_each_begin(&mut self, tree: &Tree, [first, last]: [Value; 2], no: Block) {
        let attempt = self.block_at_place();
        let start = self.e.b.block_params(attempt)[0];
        let next = match tree.begins {
            Begins::Text => {
                self.jump(attempt, self.text);
                no
            }
            Begins::Line => {
                self.jump(attempt, self.text);
                let next = self.e.b.create_block();
                self.e.b.switch_to_block(next);
                self.pay(None);
                let line_end = self.scan(&Bytes::one(b'\n').not(), start, self.end);
                self.leave_at_end(line_end, no);
                self.jump_over(line_end, attempt);
                next
            }
            Begins::Behind(bytes) => {
                self.jump(attempt, self.text);
                let next = self.e.b.create_block();
                self.e.b.switch_to_block(next);
                self.pay(None);
                let run_end = self.scan(&bytes, start, self.end);
                self.leave_at_end(run_end, no);
                self.jump_over(run_end, attempt);
                next
            }
            Begins::Anywhere => {
                let seek = self.block_at_place();
                self.jump(seek, first);
                self.e.b.switch_to_block(seek);
                let from = self.e.b.block_params(seek)[0];
                let place = self.scan(&tree.first.bytes.not(), from, last);
                let (at_last, before) = (self.e.b.create_block(), self.e.b.create_block());
                let over = self.e.b.ins().icmp(IntCC::Equal, place, last);
                self.e.b.ins().brif(over, at_last, &[], before, &[]);
                self.e.b.switch_to_block(at_last);
                if tree.first.end {
                    // Nothing stands there, if it is the end.
                    let at_end = self.e.b.ins().icmp(IntCC::Equal, place, self.end);
                    self.e.b.ins().brif(at_end, attempt, &[place.into()], no, &[]);
                } else {
                    self.e.b.ins().jump(no, &[]);
                }
                self.e.b.switch_to_block(before);
                self.jump(attempt, place);
                let next = self.e.b.create_block();
                self.e.b.switch_to_block(next);
                self.pay(None);
                let over = self.e.b.ins().icmp(IntCC::Equal, start, last);
                self.e.leave_if(over, no);
                self.jump_over(start, seek);
                next
            }
        };
        self.e.b.switch_to_block(attempt);
        self.first_fail = is_bound(tree.begins).then_some(next);
        let exit = self.part(&tree.root, start, next);
        self.mark(0, start);
        self.mark(1, exit.place);
        let found = self.e.b.ins().iconst(types::I8, Answer::Match as i64);
        self.e.b.ins().return_(&[found]);
    }

    /// Calls a part at a place. What comes after stands where it exits.
    fn part(&mut self, part: &Part, place: Value, fail: Block) -> Exit {
        match part {
            Part::Literal { bytes, fold } => {
                let left = self.e.b.ins().isub(self.end, place);
                let enough = self.e.compare(IntCC::UnsignedGreaterThanOrEqual, left, bytes.len() as i64);
                self.e.require(enough, fail);
                let equal = self.e.bytes_equal(place, 0, bytes, fold);
                self.e.require(equal, fail);
                Exit { place: self.e.b.ins().iadd_imm_s(place, bytes.len() as i64), redo: None }
            }
            Part::One(bytes) => {
                self.leave_at_end(place, fail);
                let byte = self.e.load_byte(place, 0);
                let inside = self.is_in(byte, bytes);
                self.e.require(inside, fail);
                Exit { place: self.e.b.ins().iadd_imm_s(place, 1), redo: None }
            }
            Part::Look(look) => {
                self.look(*look, place, fail);
                Exit { place, redo: None }
            }
            Part::Run { bytes, min, max, greedy, follow, decided } => match (decided, greedy) {
                (true, _) => Exit { place: self.longest(bytes, *min, *max, place, fail), redo: None },
                (false, true) => self.shrinking(bytes, *min, *max, follow, place, fail),
                (false, false) => self.growing(bytes, *min, *max, follow, place, fail),
            },
            Part::Rounds { part, first, decided: true, .. } => Exit { place: self.rounds(part, first, place, fail), redo: None },
            Part::Rounds { part, sure: true, .. } => Exit { place: self.rounds_while_they_match(part, place), redo: None },
            Part::Rounds { part, .. } => self.rounds_that_shrink(part, place, fail),
            Part::Group { index, part } => {
                let begin = part.goes_back().then(|| self.keep_new(place));
                let exit = self.part(part, place, fail);
                let place = begin.map_or(place, |begin| self.kept(self.e.pointer, begin));
                self.mark(2 * *index as usize, place);
                self.mark(2 * *index as usize + 1, exit.place);
                exit
            }
            Part::All(parts) => {
                let mut exit = Exit { place, redo: None };
                for part in parts {
                    let next = self.part(part, exit.place, exit.redo.unwrap_or(fail));
                    exit = Exit { place: next.place, redo: next.redo.or(exit.redo) };
                }
                exit
            }
            Part::Choice { branches, firsts, decided: true, .. } => self.decided(branches, firsts, place, fail),
            Part::Choice { branches, sure, .. } => self.choice(branches, *sure, place, fail),
        }
    }

    /// The longest run: where it ends.
    fn longest(&mut self, bytes: &Bytes, min: u32, max: Option<u32>, place: Value, fail: Block) -> Value {
        let limit = self.limit(place, max);
        let run_end = self.scan(bytes, place, limit);
        if min > 0 {
            let taken = self.e.b.ins().isub(run_end, place);
            let enough = self.e.compare(IntCC::UnsignedGreaterThanOrEqual, taken, i64::from(min));
            self.e.require(enough, fail);
        }
        run_end
    }

    /// A run that gives back byte by byte.
    fn shrinking(&mut self, bytes: &Bytes, min: u32, max: Option<u32>, follow: &Symbols, place: Value, fail: Block) -> Exit {
        let remembered = self.remembered_of_run(max, fail);
        let run_end = match remembered {
            Some(remembered) => self.reach(bytes, place, remembered.reach),
            None => {
                let limit = self.limit(place, max);
                let run_end = self.scan(bytes, place, limit);
                let taken = self.e.b.ins().isub(run_end, place);
                self.pay(Some(taken));
                run_end
            }
        };
        let least = self.e.b.ins().iadd_imm_s(place, i64::from(min));
        let highest = remembered.map_or(run_end, |remembered| self.below(remembered.failed, run_end));
        let none = self.e.b.ins().icmp(IntCC::UnsignedLessThan, highest, least);
        self.e.leave_if(none, fail);
        let (least, now, end) = (self.keep_new(least), self.keep_new(highest), self.keep_new(run_end));
        let exit = self.block_at_place();
        self.jump(exit, highest);

        let redo = self.e.b.create_block();
        self.e.b.switch_to_block(redo);
        let (from, least) = (self.kept(self.e.pointer, now), self.kept(self.e.pointer, least));
        let back = self.block_at_place();
        self.jump(back, from);
        self.e.b.switch_to_block(back);
        let at = self.e.b.block_params(back)[0];
        let over = self.e.b.ins().icmp(IntCC::Equal, at, least);
        let (all_failed, more) = (self.e.b.create_block(), self.e.b.create_block());
        self.e.b.ins().brif(over, all_failed, &[], more, &[]);
        self.e.b.switch_to_block(all_failed);
        if let Some(Remembered { failed, .. }) = remembered {
            let end = self.kept(self.e.pointer, end);
            self.keep(least, failed.from);
            self.keep(end, failed.to);
        }
        self.e.b.ins().jump(fail, &[]);
        self.e.b.switch_to_block(more);
        let before = self.e.b.ins().iadd_imm_s(at, -1);
        if follow.bytes != Bytes::ALL {
            // Where nothing that follows can begin, there is no use in stopping.
            let byte = self.e.load_byte(before, 0);
            let could = self.is_in(byte, &follow.bytes);
            let stop = self.e.b.create_block();
            self.e.b.ins().brif(could, stop, &[], back, &[before.into()]);
            self.e.b.switch_to_block(stop);
        }
        let given = self.e.b.ins().isub(from, before);
        self.pay(Some(given));
        self.keep(before, now);
        self.jump(exit, before);
        self.e.b.switch_to_block(exit);
        Exit { place: self.e.b.block_params(exit)[0], redo: Some(redo) }
    }

    /// A run that takes no more than it must.
    fn growing(&mut self, bytes: &Bytes, min: u32, max: Option<u32>, follow: &Symbols, place: Value, fail: Block) -> Exit {
        let least = if min == 0 { place } else { self.longest(bytes, min, Some(min), place, fail) };
        let limit = max.map(|_| {
            let limit = self.limit(place, max);
            self.keep_new(limit)
        });
        let (now, least_kept) = (slot(self.e), self.keep_new(least));
        let failed = self.remembered_of_run(max, fail).map(|remembered| remembered.failed);
        let (exit, grow, redo) = (self.block_at_place(), self.block_at_place(), self.e.b.create_block());
        let all_failed = self.block_at_place();
        let stop = self.block_at_place();
        let try_at = self.block_at_place();
        self.jump(try_at, least);

        self.e.b.switch_to_block(redo);
        let from = self.kept(self.e.pointer, now);
        self.pay(None);
        self.jump(grow, from);

        self.e.b.switch_to_block(grow);
        let at = self.e.b.block_params(grow)[0];
        let limit = limit.map_or(self.end, |limit| self.kept(self.e.pointer, limit));
        let over = self.e.b.ins().icmp(IntCC::Equal, at, limit);
        let (more, next) = (self.e.b.create_block(), self.e.b.create_block());
        self.e.b.ins().brif(over, all_failed, &[at.into()], more, &[]);
        self.e.b.switch_to_block(more);
        let byte = self.e.load_byte(at, 0);
        let inside = self.is_in(byte, bytes);
        self.e.b.ins().brif(inside, next, &[], all_failed, &[at.into()]);
        self.e.b.switch_to_block(next);
        let next = self.e.b.ins().iadd_imm_s(at, 1);
        self.pay(None);
        self.jump(try_at, next);

        self.e.b.switch_to_block(all_failed);
        if let Some(failed) = failed {
            let (least, at) = (self.kept(self.e.pointer, least_kept), self.e.b.block_params(all_failed)[0]);
            self.keep(least, failed.from);
            self.keep(at, failed.to);
        }
        self.e.b.ins().jump(fail, &[]);

        self.e.b.switch_to_block(try_at);
        let at = self.e.b.block_params(try_at)[0];
        if let Some(failed) = failed {
            let known = self.is_among(at, failed);
            self.e.leave_if(known, fail);
        }
        if follow.bytes == Bytes::ALL {
            self.jump(stop, at);
        } else {
            let (at_end, not_yet) = (self.e.b.create_block(), self.e.b.create_block());
            let over = self.e.b.ins().icmp(IntCC::Equal, at, self.end);
            self.e.b.ins().brif(over, at_end, &[], not_yet, &[]);
            self.e.b.switch_to_block(at_end);
            if follow.end {
                self.jump(stop, at);
            } else {
                self.e.b.ins().jump(fail, &[]);
            }
            self.e.b.switch_to_block(not_yet);
            let byte = self.e.load_byte(at, 0);
            let could = self.is_in(byte, &follow.bytes);
            self.e.b.ins().brif(could, stop, &[at.into()], grow, &[at.into()]);
        }
        self.e.b.switch_to_block(stop);
        let at = self.e.b.block_params(stop)[0];
        self.keep(at, now);
        self.jump(exit, at);
        self.e.b.switch_to_block(exit);
        Exit { place: self.e.b.block_params(exit)[0], redo: Some(redo) }
    }

    /// Room to remember a run's calls, where there can be several.
    fn remembered_of_run(&mut self, max: Option<u32>, fail: Block) -> Option<Remembered> {
        let again = max.is_none() && self.first_fail != Some(fail);
        again.then(|| self.remembered.pop()).flatten()
    }

    /// Where a run ends; what an earlier call has seen of it is not looked at again.
    fn reach(&mut self, bytes: &Bytes, place: Value, reach: Stretch) -> Value {
        if *bytes == Bytes::ALL {
            return self.end;
        }
        let found = self.block_at_place();
        let (from, to) = (self.kept(self.e.pointer, reach.from), self.kept(self.e.pointer, reach.to));
        let (inside, outside) = (self.is_among(place, reach), self.e.b.create_block());
        self.e.b.ins().brif(inside, found, &[to.into()], outside, &[]);
        self.e.b.switch_to_block(outside);
        let before = self.e.b.ins().icmp(IntCC::UnsignedLessThan, place, from);
        let limit = self.e.b.ins().select(before, from, self.end);
        let scanned = self.scan(bytes, place, limit);
        let taken = self.e.b.ins().isub(scanned, place);
        self.pay(Some(taken));
        // No place is address 0, where nothing is remembered.
        let joins = self.e.b.ins().icmp(IntCC::Equal, scanned, from);
        let run_end = self.e.b.ins().select(joins, to, scanned);
        self.keep(place, reach.from);
        self.keep(run_end, reach.to);
        self.jump(found, run_end);
        self.e.b.switch_to_block(found);
        self.e.b.block_params(found)[0]
    }

    fn is_among(&mut self, place: Value, stretch: Stretch) -> Value {
        let (from, to) = (self.kept(self.e.pointer, stretch.from), self.kept(self.e.pointer, stretch.to));
        let (offset, most) = (self.e.b.ins().isub(place, from), self.e.b.ins().isub(to, from));
        self.e.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, offset, most)
    }

    /// The highest exit of a run that is not known to fail, given where the run ends.
    fn below(&mut self, failed: Stretch, run_end: Value) -> Value {
        let known = self.is_among(run_end, failed);
        let from = self.kept(self.e.pointer, failed.from);
        let below = self.e.b.ins().iadd_imm_s(from, -1);
        self.e.b.ins().select(known, below, run_end)
    }

    /// Rounds while the symbol is one that a round begins with: where the last ends.
    fn rounds(&mut self, part: &Part, first: &Symbols, place: Value, fail: Block) -> Value {
        self.forget(&part.groups());
        let (head, done) = (self.block_at_place(), self.block_at_place());
        self.jump(head, place);
        self.e.b.switch_to_block(head);
        let at = self.e.b.block_params(head)[0];
        let over = self.e.b.ins().icmp(IntCC::Equal, at, self.end);
        let more = self.e.b.create_block();
        self.e.b.ins().brif(over, done, &[at.into()], more, &[]);
        self.e.b.switch_to_block(more);
        let byte = self.e.load_byte(at, 0);
        let begins = self.is_in(byte, &first.bytes);
        let body = self.e.b.create_block();
        self.e.b.ins().brif(begins, body, &[], done, &[at.into()]);
        self.e.b.switch_to_block(body);
        self.pay(None);
        let exit = self.part(part, at, fail);
        self.jump(head, exit.place);
        self.e.b.switch_to_block(done);
        self.e.b.block_params(done)[0]
    }

    /// As many rounds as there can be, none of which is given back: where the last ends that matched.
    fn rounds_while_they_match(&mut self, part: &Part, place: Value) -> Value {
        let (head, stop) = (self.block_at_place(), self.e.b.create_block());
        let now = slot(self.e);
        self.jump(head, place);
        self.e.b.switch_to_block(head);
        let at = self.e.b.block_params(head)[0];
        self.keep(at, now);
        self.pay(None);
        let round = self.part(part, at, stop);
        self.jump(head, round.place);
        self.e.b.switch_to_block(stop);
        self.kept(self.e.pointer, now)
    }

    /// As many rounds as there can be, that are given back one by one.
    fn rounds_that_shrink(&mut self, part: &Part, place: Value, fail: Block) -> Exit {
        let begins = StackSlotData::new(StackSlotKind::ExplicitSlot, 8 * ROUNDS_MAX as u32, 3);
        let begins = self.e.b.create_sized_stack_slot(begins);
        let none = self.e.b.ins().iconst(self.e.pointer, 0);
        let (now, count) = (self.keep_new(place), self.keep_new(none));
        let (head, stop, redo, exit) = (self.block_at_place(), self.e.b.create_block(), self.e.b.create_block(), self.block_at_place());
        self.jump(head, place);

        self.e.b.switch_to_block(head);
        let at = self.e.b.block_params(head)[0];
        self.keep(at, now);
        self.pay(None);
        let round = self.part(part, at, stop);
        let before = self.kept(self.e.pointer, count);
        let room = self.e.compare(IntCC::UnsignedLessThan, before, ROUNDS_MAX);
        self.e.require(room, self.gave_up);
        let slot = self.nth(begins, before);
        self.e.b.ins().store(MemFlagsData::new().with_notrap(), at, slot, 0);
        let more = self.e.b.ins().iadd_imm_s(before, 1);
        self.keep(more, count);
        self.jump(head, round.place);

        self.e.b.switch_to_block(stop);
        let at = self.kept(self.e.pointer, now);
        self.jump(exit, at);

        self.e.b.switch_to_block(redo);
        self.pay(None);
        let left = self.kept(self.e.pointer, count);
        let none = self.e.compare(IntCC::Equal, left, 0);
        self.e.leave_if(none, fail);
        let fewer = self.e.b.ins().iadd_imm_s(left, -1);
        self.keep(fewer, count);
        let slot = self.nth(begins, fewer);
        let at = self.e.b.ins().load(self.e.pointer, MemFlagsData::new().with_notrap(), slot, 0);
        self.jump(exit, at);
        self.e.b.switch_to_block(exit);
        Exit { place: self.e.b.block_params(exit)[0], redo: Some(redo) }
    }

    /// The address of a place among those of a loop's rounds.
    fn nth(&mut self, places: StackSlot, at: Value) -> Value {
        let base = self.e.b.ins().stack_addr(self.e.pointer, places, 0);
        let offset = self.e.b.ins().ishl_imm_u(at, 3);
        self.e.b.ins().iadd(base, offset)
    }

    /// The branch that the symbol tells.
    fn decided(&mut self, branches: &[Part], firsts: &[Symbols], place: Value, fail: Block) -> Exit {
        let blocks: Vec<Block> = branches.iter().map(|_| self.e.b.create_block()).collect();
        branches.iter().for_each(|branch| self.forget(&branch.groups()));
        let over = self.e.b.ins().icmp(IntCC::Equal, place, self.end);
        let at_end = firsts.iter().position(|first| first.end).map_or(fail, |at| blocks[at]);
        self.e.leave_if(over, at_end);
        let ranges = ways(firsts);
        if ranges.is_empty() {
            self.e.b.ins().jump(fail, &[]);
        } else {
            let byte = self.e.load_byte(place, 0);
            self.halves(&ranges, byte, &blocks);
        }
        let exit = self.block_at_place();
        let mut redos = Vec::new();
        let taken = slot(self.e);
        for (at, (branch, block)) in branches.iter().zip(&blocks).enumerate() {
            self.e.b.switch_to_block(*block);
            let left = self.part(branch, place, fail);
            redos.push(left.redo);
            let at = self.e.b.ins().iconst(types::I32, at as i64);
            self.keep(at, taken);
            self.jump(exit, left.place);
        }
        let redo = redos.iter().any(Option::is_some).then(|| self.redo_of(taken, redos.iter().map(|redo| redo.unwrap_or(fail)).collect()));
        self.e.b.switch_to_block(exit);
        Exit { place: self.e.b.block_params(exit)[0], redo }
    }

    /// Branches that are tried in turn.
    fn choice(&mut self, branches: &[Part], is_sure: bool, place: Value, fail: Block) -> Exit {
        branches.iter().for_each(|branch| self.forget(&branch.groups()));
        let exit = self.block_at_place();
        let (begin, taken) = (self.keep_new(place), slot(self.e));
        let mut redos = Vec::new();
        for (at, branch) in branches.iter().enumerate() {
            let place = if at == 0 { place } else { self.kept(self.e.pointer, begin) };
            let is_last = at + 1 == branches.len();
            let next = if is_last { fail } else { self.e.b.create_block() };
            let left = self.part(branch, place, next);
            redos.push(left.redo.unwrap_or(next));
            let number = self.e.b.ins().iconst(types::I32, at as i64);
            self.keep(number, taken);
            self.jump(exit, left.place);
            if !is_last {
                self.e.b.switch_to_block(next);
                self.pay(None);
                self.forget(&branch.groups());
            }
        }
        let redo = (!is_sure).then(|| self.redo_of(taken, redos));
        self.e.b.switch_to_block(exit);
        Exit { place: self.e.b.block_params(exit)[0], redo }
    }

    /// Asks the branch that was taken for another way.
    fn redo_of(&mut self, taken: StackSlot, redos: Vec<Block>) -> Block {
        let redo = self.e.b.create_block();
        self.e.b.switch_to_block(redo);
        let number = self.kept(types::I32, taken);
        let (last, others) = redos.split_last().expect("a choice has branches");
        for (at, block) in others.iter().enumerate() {
            let is_it = self.e.compare(IntCC::Equal, number, at as i64);
            self.e.leave_if(is_it, *block);
        }
        self.e.b.ins().jump(*last, &[]);
        redo
    }

    /// A binary search over ranges of bytes.
    fn halves(&mut self, ranges: &[(u8, usize)], byte: Value, blocks: &[Block]) {
        if let [(_, branch)] = ranges {
            self.e.b.ins().jump(blocks[*branch], &[]);
            return;
        }
        let (low, high) = ranges.split_at(ranges.len() / 2);
        let (below, above) = (self.e.b.create_block(), self.e.b.create_block());
        let is_below = self.e.compare(IntCC::UnsignedLessThan, byte, i64::from(high[0].0));
        self.e.b.ins().brif(is_below, below, &[], above, &[]);
        self.e.b.switch_to_block(below);
        self.halves(low, byte, blocks);
        self.e.b.switch_to_block(above);
        self.halves(high, byte, blocks);
    }

    fn look(&mut self, look: Look, place: Value, fail: Block) {
        let (at_edge, holds) = (self.e.b.create_block(), self.e.b.create_block());
        match look {
            Look::Start | Look::End => {
                let edge = if look == Look::Start { self.text } else { self.end };
                let there = self.e.b.ins().icmp(IntCC::Equal, place, edge);
                self.e.b.ins().brif(there, holds, &[], fail, &[]);
            }
            Look::StartLF | Look::EndLF => {
                let (edge, offset) = if look == Look::StartLF { (self.text, -1) } else { (self.end, 0) };
                let there = self.e.b.ins().icmp(IntCC::Equal, place, edge);
                self.e.b.ins().brif(there, holds, &[], at_edge, &[]);
                self.e.b.switch_to_block(at_edge);
                let beside = self.e.b.ins().iadd_imm_s(place, offset);
                let byte = self.e.load_byte(beside, 0);
                let newline = self.e.compare(IntCC::Equal, byte, i64::from(b'\n'));
                self.e.b.ins().brif(newline, holds, &[], fail, &[]);
            }
            // The tree has no others.
            _ => {
                let before = self.is_word(place, -1, self.text);
                let after = self.is_word(place, 0, self.end);
                let differs = self.e.b.ins().icmp(IntCC::NotEqual, before, after);
                let (yes, no) = if look == Look::WordAscii { (holds, fail) } else { (fail, holds) };
                self.e.b.ins().brif(differs, yes, &[], no, &[]);
            }
        }
        self.e.b.switch_to_block(holds);
    }

    /// Whether a byte beside a place is one of a word; none is beyond the edge.
    fn is_word(&mut self, place: Value, offset: i64, edge: Value) -> Value {
        let mut word = Bytes::default();
        [(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')].iter().for_each(|&(low, high)| word.add(low, high));
        let known = self.e.b.create_block();
        self.e.b.append_block_param(known, types::I8);
        let inside = self.e.b.create_block();
        let there = self.e.b.ins().icmp(IntCC::Equal, place, edge);
        let no = self.e.b.ins().iconst(types::I8, 0);
        self.e.b.ins().brif(there, known, &[no.into()], inside, &[]);
        self.e.b.switch_to_block(inside);
        let beside = self.e.b.ins().iadd_imm_s(place, offset);
        let byte = self.e.load_byte(beside, 0);
        let is_word = self.is_in(byte, &word);
        self.e.b.ins().jump(known, &[is_word.into()]);
        self.e.b.switch_to_block(known);
        self.e.b.block_params(known)[0]
    }

    /// The first place from there on, up to the limit, whose byte is not one of these.
    fn scan(&mut self, bytes: &Bytes, from: Value, limit: Value) -> Value {
        if *bytes == Bytes::ALL {
            return limit;
        }
        let (head, done) = (self.block_at_place(), self.block_at_place());
        self.jump(head, from);
        self.e.b.switch_to_block(head);
        let at = self.e.b.block_params(head)[0];
        let over = self.e.b.ins().icmp(IntCC::Equal, at, limit);
        let more = self.e.b.create_block();
        self.e.b.ins().brif(over, done, &[at.into()], more, &[]);
        self.e.b.switch_to_block(more);
        let byte = self.e.load_byte(at, 0);
        let inside = self.is_in(byte, bytes);
        let next = self.e.b.ins().iadd_imm_s(at, 1);
        self.e.b.ins().brif(inside, head, &[next.into()], done, &[at.into()]);
        self.e.b.switch_to_block(done);
        self.e.b.block_params(done)[0]
    }

    /// How far a run can go.
    fn limit(&mut self, from: Value, max: Option<u32>) -> Value {
        let Some(max) = max else { return self.end };
        let left = self.e.b.ins().isub(self.end, from);
        let fewer = self.e.compare(IntCC::UnsignedLessThan, left, i64::from(max));
        let most = self.e.b.ins().iadd_imm_s(from, i64::from(max));
        self.e.b.ins().select(fewer, self.end, most)
    }

    /// Whether a byte, as i32, is in a set.
    fn is_in(&mut self, byte: Value, bytes: &Bytes) -> Value {
        let (ranges, outside) = (bytes.ranges(), bytes.not().ranges());
        if ranges.is_empty() || outside.is_empty() {
            return self.e.b.ins().iconst(types::I8, i64::from(outside.is_empty()));
        }
        if outside.len() < ranges.len() && outside.len() <= RANGES_MAX {
            let out = self.is_in_ranges(byte, &outside);
            return self.e.b.ins().bxor_imm_s(out, 1);
        }
        if ranges.len() <= RANGES_MAX {
            return self.is_in_ranges(byte, &ranges);
        }
        // Four words of 64 bits: the byte's upper bits choose one, its lower ones a bit of that.
        let words: [Value; 4] = std::array::from_fn(|at| self.e.b.ins().iconst(types::I64, bytes.word(at) as i64));
        let pick = |walk: &mut Self, from: i64, low: Value, high: Value| {
            let below = walk.e.compare(IntCC::UnsignedLessThan, byte, from);
            walk.e.b.ins().select(below, low, high)
        };
        let ascii = pick(self, 64, words[0], words[1]);
        let high = if bytes.word(2) == bytes.word(3) { words[2] } else { pick(self, 192, words[2], words[3]) };
        let word = pick(self, 128, ascii, high);
        let shifted = self.e.b.ins().ushr(word, byte);
        let bit = self.e.b.ins().ireduce(types::I8, shifted);
        self.e.b.ins().band_imm_s(bit, 1)
    }

    fn is_in_ranges(&mut self, byte: Value, ranges: &[(u8, u8)]) -> Value {
        let one = |walk: &mut Self, (low, high): (u8, u8)| {
            if low == high {
                return walk.e.compare(IntCC::Equal, byte, i64::from(low));
            }
            let from_low = walk.e.b.ins().iadd_imm_s(byte, -i64::from(low));
            walk.e.compare(IntCC::UnsignedLessThanOrEqual, from_low, i64::from(high - low))
        };
        let first = one(self, ranges[0]);
        ranges[1..].iter().fold(first, |all, range| {
            let next = one(self, *range);
            self.e.b.ins().bor(all, next)
        })
    }

    /// Takes steps from the allowance, one and as many as are said; gives up where none are left.
    fn pay(&mut self, steps: Option<Value>) {
        let Some(allowance) = self.allowance else { return };
        let left = self.kept(types::I64, allowance);
        let left = match steps {
            Some(steps) => self.e.b.ins().isub(left, steps),
            None => left,
        };
        let left = self.e.b.ins().iadd_imm_s(left, -1);
        self.keep(left, allowance);
        let spent = self.e.compare(IntCC::SignedLessThan, left, 0);
        self.e.leave_if(spent, self.gave_up);
    }

    /// Keeps a value for when the part is asked again: the branch that it was made in may not be the way there.
    fn keep_new(&mut self, value: Value) -> StackSlot {
        let slot = slot(self.e);
        self.keep(value, slot);
        slot
    }

    fn keep(&mut self, value: Value, slot: StackSlot) {
        self.e.b.ins().stack_store(self.e.pointer, value, slot, 0);
    }

    fn kept(&mut self, ty: Type, slot: StackSlot) -> Value {
        self.e.b.ins().stack_load(self.e.pointer, ty, slot, 0)
    }

    /// Writes where a place lies in the text.
    fn mark(&mut self, at: usize, place: Value) {
        let offset = self.e.b.ins().isub(place, self.text);
        self.store(at, offset);
    }

    /// Groups that took no part so far: without an end they have none.
    fn forget(&mut self, groups: &[u32]) {
        if !groups.is_empty() {
            let nowhere = self.e.b.ins().iconst(self.e.pointer, NOWHERE as i64);
            groups.iter().for_each(|group| self.store(2 * *group as usize + 1, nowhere));
        }
    }

    fn store(&mut self, at: usize, value: Value) {
        self.e.b.ins().store(MemFlagsData::new().with_notrap(), value, self.buffer, (at * size_of::<usize>()) as i32);
    }

    fn block_at_place(&mut self) -> Block {
        let block = self.e.b.create_block();
        self.e.b.append_block_param(block, self.e.pointer);
        block
    }

    fn jump(&mut self, block: Block, place: Value) {
        self.e.b.ins().jump(block, &[place.into()]);
    }

    fn jump_over(&mut self, place: Value, block: Block) {
        let next = self.e.b.ins().iadd_imm_s(place, 1);
        self.jump(block, next);
    }

    fn leave_at_end(&mut self, place: Value, otherwise: Block) {
        let over = self.e.b.ins().icmp(IntCC::Equal, place, self.end);
        self.e.leave_if(over, otherwise);
    }
}

/// Where each range of bytes begins, and the branch that it leads to; bytes that no branch begins with lead where their neighbours do, and fail
/// there.
fn ways(firsts: &[Symbols]) -> Vec<(u8, usize)> {
    let mut ways: Vec<(u8, usize)> = Vec::new();
    for byte in 0..=255u8 {
        let Some(branch) = firsts.iter().position(|first| first.bytes.contains(byte)) else { continue };
        match ways.last() {
            Some(last) if last.1 == branch => {}
            Some(_) => ways.push((byte, branch)),
            None => ways.push((0, branch)),
        }
    }
    ways
}

#[cfg(test)]
mod tests;
