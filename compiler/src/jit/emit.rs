//! What all emission shares: the calling shapes, loads, compares, results.
//!
//! | function | takes | gives |
//! |---|---|---|
//! | text | pointer, length | u8: 1 when the test holds for these bytes |
//! | prefixes | pointer, length, buffer of u32 | usize: how many test ids were written |
//! | numbers | i64, buffer of u32 | usize: how many test ids were written |
//! | search | pointer, length, buffer of usize, one for each place, where a match may begin: from, and before | u8: 1 when there is a match, 2 when it gave up |
//! | gate | pointer to one byte of truth for each test | u8: the truth of the gate |
//!
//! Bytes are read between pointer and length only; every emission that reads is dominated by a compare with the length.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, Block, Function, InstBuilder, MemFlagsData, Signature, Type, UserFuncName, Value, types};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use super::code::Shape;

/// Builds one function of a shape.
pub(super) fn function(
    isa: &dyn TargetIsa,
    context: &mut FunctionBuilderContext,
    shape: Shape,
    body: impl FnOnce(&mut Emitter<'_>, &[Value]),
) -> Function {
    let pointer = isa.pointer_type();
    let mut signature = Signature::new(isa.default_call_conv());
    let (params, returns): (&[Type], Type) = match shape {
        Shape::Text => (&[pointer, pointer], types::I8),
        Shape::Prefixes { .. } => (&[pointer, pointer, pointer], pointer),
        Shape::Search { .. } => (&[pointer; 5], types::I8),
        Shape::Numbers { .. } => (&[types::I64, pointer], pointer),
        Shape::Gate { .. } => (&[pointer], types::I8),
    };
    signature.params.extend(params.iter().map(|&ty| AbiParam::new(ty)));
    signature.returns.push(AbiParam::new(returns));
    let mut function = Function::with_name_signature(UserFuncName::user(0, 0), signature);
    let mut builder = FunctionBuilder::new(&mut function, context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let values = builder.block_params(entry).to_vec();
    let mut emitter = Emitter { b: builder, pointer };
    body(&mut emitter, &values);
    emitter.b.seal_all_blocks();
    emitter.b.finalize(isa.frontend_config());
    function
}

/// A function being built.
pub(super) struct Emitter<'f> {
    pub b: FunctionBuilder<'f>,
    pub pointer: Type,
}

impl Emitter<'_> {
    /// Loads may be unaligned and never trap: they are inside the bytes.
    pub fn load(&mut self, ty: Type, base: Value, offset: usize) -> Value {
        let flags = MemFlagsData::new().with_notrap().with_readonly();
        self.b.ins().load(ty, flags, base, offset as i32)
    }

    /// One byte as i32.
    pub fn load_byte(&mut self, base: Value, offset: usize) -> Value {
        let flags = MemFlagsData::new().with_notrap().with_readonly();
        self.b.ins().uload8(types::I32, flags, base, offset as i32)
    }

    pub fn return_bool(&mut self, holds: bool) {
        let value = self.b.ins().iconst(types::I8, i64::from(holds));
        self.b.ins().return_(&[value]);
    }

    /// Goes on in a new block when the condition holds, and to the other one when not.
    pub fn require(&mut self, condition: Value, otherwise: Block) {
        let next = self.b.create_block();
        self.b.ins().brif(condition, next, &[], otherwise, &[]);
        self.b.switch_to_block(next);
    }

    /// Goes on in a new block when the condition does not hold.
    pub fn leave_if(&mut self, condition: Value, target: Block) {
        let next = self.b.create_block();
        self.b.ins().brif(condition, target, &[], next, &[]);
        self.b.switch_to_block(next);
    }

    pub fn compare(&mut self, cc: IntCC, value: Value, with: i64) -> Value {
        let ty = self.b.func.dfg.value_type(value);
        let constant = self.b.ins().iconst(ty, with);
        self.b.ins().icmp(cc, value, constant)
    }

    /// Whether the bytes from `base + offset` on are these, in as few wide compares as they take. Where the mask has a bit, the bit is set
    /// before the compare, in the wanted bytes too: 0x20 ignores the case of a letter. At least one byte; all of them must be readable.
    pub fn bytes_equal(&mut self, base: Value, offset: usize, wanted: &[u8], mask: &[u8]) -> Value {
        let mut difference: Option<Value> = None;
        let mut at = 0;
        while at < wanted.len() {
            let left = wanted.len() - at;
            let width = match left {
                8.. => 8,
                // A tail overlaps what was compared before it.
                _ if wanted.len() >= 8 => 8,
                4.. => 4,
                _ if wanted.len() >= 4 => 4,
                2.. => 2,
                _ => 1,
            };
            let start = at.min(wanted.len() - width);
            let word = |bytes: &[u8]| {
                let mut padded = [0u8; 8];
                padded[..width].copy_from_slice(&bytes[start..start + width]);
                i64::from_le_bytes(padded)
            };
            let (bits, folded) = (word(wanted), word(mask));
            let ty = Type::int(width as u16 * 8).unwrap_or(types::I8);
            let mut loaded = self.load(ty, base, offset + start);
            if folded != 0 {
                let folded = self.b.ins().iconst(ty, sign_extended(folded, width));
                loaded = self.b.ins().bor(loaded, folded);
            }
            let constant = self.b.ins().iconst(ty, sign_extended(bits | folded, width));
            let differs = self.b.ins().bxor(loaded, constant);
            let differs = if width < 8 { self.b.ins().uextend(types::I64, differs) } else { differs };
            difference = Some(match difference {
                Some(so_far) => self.b.ins().bor(so_far, differs),
                None => differs,
            });
            at = start + width;
        }
        let difference = difference.unwrap_or_else(|| self.b.ins().iconst(types::I64, 0));
        self.compare(IntCC::Equal, difference, 0)
    }
}

/// The immediate of a narrow type: its upper bits are those of its sign.
fn sign_extended(word: i64, width: usize) -> i64 {
    let unused = 64 - 8 * width as u32;
    (word << unused) >> unused
}
