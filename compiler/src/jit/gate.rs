//! Gates: a condition over truths as branches and selects. *And* is the least of its parts, *or* the greatest, *not* is 2 minus it.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use ksig_runtime::plan::Condition;

use super::emit::Emitter;

/// Lines and groups of the smallest gate that is compiled; smaller ones are walked as fast as a call takes.
const GATE_NODES_MIN: usize = 4;
/// Lines and groups up to which a gate is compiled; larger ones are walked.
const GATE_NODES_MAX: usize = 2000;

/// Whether a gate is worth its code, and small enough.
pub(super) fn is_inline(condition: &Condition) -> bool {
    fn nodes(condition: &Condition) -> usize {
        match condition {
            Condition::Test(_) | Condition::Late(..) | Condition::Search(_) | Condition::Each(_) => 1,
            Condition::All(parts) | Condition::Any(parts) | Condition::AtLeast(_, parts) => 1 + parts.iter().map(nodes).sum::<usize>(),
            Condition::Not(part) => 1 + nodes(part),
        }
    }
    (GATE_NODES_MIN..=GATE_NODES_MAX).contains(&nodes(condition))
}

/// Emits the body of a gate.
pub(super) fn emit(emitter: &mut Emitter<'_>, params: &[Value], condition: &Condition) {
    let truths = params[0];
    let result = match condition {
        // The outermost group of nearly all signatures: most gates are false at their first line.
        Condition::All(parts) => {
            let no = emitter.b.create_block();
            let mut least = emitter.b.ins().iconst(types::I8, 2);
            for part in parts {
                let truth = emit_part(emitter, truths, part, true);
                emitter.require(truth, no);
                least = smaller(emitter, least, truth);
            }
            emitter.b.ins().return_(&[least]);
            emitter.b.switch_to_block(no);
            emitter.b.ins().iconst(types::I8, 0)
        }
        other => emit_part(emitter, truths, other, true),
    };
    emitter.b.ins().return_(&[result]);
}

fn emit_part(emitter: &mut Emitter<'_>, truths: Value, condition: &Condition, positive: bool) -> Value {
    match condition {
        Condition::Test(leaf) => {
            let offset = emitter.b.ins().iadd_imm_s(truths, i64::from(leaf.test));
            emitter.load(types::I8, offset, 0)
        }
        Condition::Each(each) if positive && each.present.is_some() => {
            let offset = emitter.b.ins().iadd_imm_s(truths, i64::from(each.present.unwrap_or_default()));
            emitter.load(types::I8, offset, 0)
        }
        Condition::Late(..) | Condition::Search(_) | Condition::Each(_) => emitter.b.ins().iconst(types::I8, if positive { 2 } else { 0 }),
        Condition::All(parts) => fold(emitter, truths, parts, positive, 2, smaller),
        Condition::Any(parts) => fold(emitter, truths, parts, positive, 0, greater),
        Condition::AtLeast(wanted, parts) => {
            let mut holding = emitter.b.ins().iconst(types::I32, 0);
            let mut possible = emitter.b.ins().iconst(types::I32, 0);
            for part in parts {
                let truth = emit_part(emitter, truths, part, positive);
                let holds = emitter.compare(IntCC::Equal, truth, 2);
                let could = emitter.compare(IntCC::NotEqual, truth, 0);
                let (holds, could) = (emitter.b.ins().uextend(types::I32, holds), emitter.b.ins().uextend(types::I32, could));
                holding = emitter.b.ins().iadd(holding, holds);
                possible = emitter.b.ins().iadd(possible, could);
            }
            // One step up for each count that is reached: the first implies the second.
            let enough = IntCC::UnsignedGreaterThanOrEqual;
            let wanted = i64::from(*wanted as i32);
            let (holds, could) = (emitter.compare(enough, holding, wanted), emitter.compare(enough, possible, wanted));
            emitter.b.ins().iadd(holds, could)
        }
        Condition::Not(part) => {
            let truth = emit_part(emitter, truths, part, !positive);
            let two = emitter.b.ins().iconst(types::I8, 2);
            emitter.b.ins().isub(two, truth)
        }
    }
}

fn fold(
    emitter: &mut Emitter<'_>,
    truths: Value,
    parts: &[Condition],
    positive: bool,
    start: i64,
    join: fn(&mut Emitter<'_>, Value, Value) -> Value,
) -> Value {
    let mut truth = emitter.b.ins().iconst(types::I8, start);
    for part in parts {
        let next = emit_part(emitter, truths, part, positive);
        truth = join(emitter, truth, next);
    }
    truth
}

fn smaller(emitter: &mut Emitter<'_>, a: Value, b: Value) -> Value {
    let less = emitter.b.ins().icmp(IntCC::UnsignedLessThan, a, b);
    emitter.b.ins().select(less, a, b)
}

fn greater(emitter: &mut Emitter<'_>, a: Value, b: Value) -> Value {
    let less = emitter.b.ins().icmp(IntCC::UnsignedLessThan, a, b);
    emitter.b.ins().select(less, b, a)
}
