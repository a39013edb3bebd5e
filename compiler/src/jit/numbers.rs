//! Ranges of a number: one function a slot, one compare a test.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use ksig_runtime::plan::TestId;

use super::emit::Emitter;

/// Emits the body of a number function: each test whose closed range holds the value is written.
pub(super) fn emit(emitter: &mut Emitter<'_>, params: &[Value], ranges: &[(TestId, i64, i64)]) {
    let (value, buffer) = (params[0], params[1]);
    let pointer = emitter.pointer;
    let mut end = buffer;
    for &(test, low, high) in ranges.iter().filter(|(_, low, high)| low <= high) {
        let holds = if low == high {
            emitter.compare(IntCC::Equal, value, low)
        } else {
            let above = emitter.compare(IntCC::SignedGreaterThanOrEqual, value, low);
            let below = emitter.compare(IntCC::SignedLessThanOrEqual, value, high);
            emitter.b.ins().band(above, below)
        };
        let (yes, next) = (emitter.b.create_block(), emitter.b.create_block());
        emitter.b.append_block_param(next, pointer);
        emitter.b.ins().brif(holds, yes, &[], next, &[end.into()]);
        emitter.b.switch_to_block(yes);
        let after = write(emitter, end, test);
        emitter.b.ins().jump(next, &[after.into()]);
        emitter.b.switch_to_block(next);
        end = emitter.b.block_params(next)[0];
    }
    finish(emitter, buffer, end);
}

/// Writes a test id and gives back where the next one goes.
pub(super) fn write(emitter: &mut Emitter<'_>, end: Value, test: TestId) -> Value {
    let id = emitter.b.ins().iconst(types::I32, i64::from(test as i32));
    emitter.b.ins().store(MemFlagsData::new().with_notrap(), id, end, 0);
    emitter.b.ins().iadd_imm_s(end, 4)
}

/// Returns how many ids stand between the start of the buffer and its end.
pub(super) fn finish(emitter: &mut Emitter<'_>, buffer: Value, end: Value) {
    let bytes = emitter.b.ins().isub(end, buffer);
    let count = emitter.b.ins().ushr_imm_u(bytes, 2);
    emitter.b.ins().return_(&[count]);
}
