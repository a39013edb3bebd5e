//! Equality, prefixes, suffixes and short lists as wide compares.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};
use ksig_runtime::plan::Predicate;

use super::emit::Emitter;

/// Longest literal that is compared inline, in bytes.
const INLINE_BYTES_MAX: usize = 128;
/// Longest list that is compared inline.
const INLINE_ITEMS_MAX: usize = 8;

/// Whether [`emit`] has code for a predicate.
pub(super) fn is_inline(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Equals(literal) | Predicate::Starts(literal) | Predicate::Ends(literal) => literal.len() <= INLINE_BYTES_MAX,
        Predicate::OneOf(items) => items.len() <= INLINE_ITEMS_MAX && items.iter().all(|item| item.len() <= INLINE_BYTES_MAX),
        Predicate::Under(oid) => oid.len() <= INLINE_BYTES_MAX,
        _ => false,
    }
}

/// Emits the body of a text function.
pub(super) fn emit(emitter: &mut Emitter<'_>, params: &[Value], predicate: &Predicate) {
    let (pointer, len) = (params[0], params[1]);
    let no = emitter.b.create_block();
    match predicate {
        Predicate::Equals(literal) => {
            let same = emitter.compare(IntCC::Equal, len, literal.len() as i64);
            emitter.require(same, no);
            all_equal(emitter, pointer, literal);
        }
        Predicate::Starts(literal) => {
            let enough = emitter.compare(IntCC::UnsignedGreaterThanOrEqual, len, literal.len() as i64);
            emitter.require(enough, no);
            all_equal(emitter, pointer, literal);
        }
        Predicate::Ends(literal) => {
            let enough = emitter.compare(IntCC::UnsignedGreaterThanOrEqual, len, literal.len() as i64);
            emitter.require(enough, no);
            let end = emitter.b.ins().iadd(pointer, len);
            let start = emitter.b.ins().iadd_imm_s(end, -(literal.len() as i64));
            all_equal(emitter, start, literal);
        }
        Predicate::Under(oid) => {
            let enough = emitter.compare(IntCC::UnsignedGreaterThanOrEqual, len, oid.len() as i64);
            emitter.require(enough, no);
            let begins = emitter.bytes_equal(pointer, 0, oid.as_bytes(), &vec![0; oid.len()]);
            emitter.require(begins, no);
            let yes = emitter.b.create_block();
            let whole = emitter.compare(IntCC::Equal, len, oid.len() as i64);
            emitter.leave_if(whole, yes);
            let next = emitter.load_byte(pointer, oid.len());
            let dot = emitter.compare(IntCC::Equal, next, i64::from(b'.'));
            emitter.b.ins().return_(&[dot]);
            emitter.b.switch_to_block(yes);
            emitter.return_bool(true);
        }
        Predicate::OneOf(items) => {
            let yes = emitter.b.create_block();
            for item in items {
                let other = emitter.b.create_block();
                let same = emitter.compare(IntCC::Equal, len, item.len() as i64);
                emitter.require(same, other);
                if item.is_empty() {
                    emitter.b.ins().jump(yes, &[]);
                } else {
                    let equal = emitter.bytes_equal(pointer, 0, item, &vec![0; item.len()]);
                    emitter.b.ins().brif(equal, yes, &[], other, &[]);
                }
                emitter.b.switch_to_block(other);
            }
            emitter.b.ins().jump(no, &[]);
            emitter.b.switch_to_block(yes);
            emitter.return_bool(true);
        }
        _ => {
            emitter.b.ins().jump(no, &[]);
        }
    }
    emitter.b.switch_to_block(no);
    emitter.return_bool(false);
}

fn all_equal(emitter: &mut Emitter<'_>, start: Value, literal: &[u8]) {
    if literal.is_empty() {
        emitter.return_bool(true);
        return;
    }
    let equal = emitter.bytes_equal(start, 0, literal, &vec![0; literal.len()]);
    emitter.b.ins().return_(&[equal]);
}
