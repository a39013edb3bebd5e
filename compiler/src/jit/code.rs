//! Owns machine code: the only place where it is called, and freed.
//!
//! In: compiled bodies, each with the [`Shape`] of its function. Out: safe calls. Everything unsafe of the compiler stands in this file.
//!
//! What makes it sound:
//! - the bodies come from this crate's own emission, from a [`ksig_runtime::VerifiedPlan`]; a bundle holds no machine code;
//! - they are leaves: no call, no relocation, no write but to the buffer that is passed in, whose size their shape says;
//! - they read only between the pointer and the length that they are given, or, for gates, at the indexes of the plan's tests, which
//!   `Plan::verify` has checked;
//! - the memory is freed when the owner is dropped, and no pointer leaves it.

#![allow(unsafe_code)]

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, default_libcall_names};

use super::JitError;
use super::search::{Answer, NOWHERE, PLACES_MAX};

/// Room for the places of a match and its groups.
pub(super) type Places = [usize; PLACES_MAX];

/// What a function takes and gives back; the module documentation of [`super::emit`] says how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Bytes to 0 or 1.
    Text,
    /// Bytes to test ids written to a buffer; at most that many.
    Prefixes { ids_max: usize },
    /// A number to test ids written to a buffer; at most that many.
    Numbers { ids_max: usize },
    /// Bytes, and where in them a match may begin, to an [`Answer`], and where the match and its groups lie, written to a buffer of that many places.
    Search { places: usize },
    /// Truths of all tests of the plan, which are that many, to a truth.
    Gate { tests: usize },
}

/// A compiled function before it has an address.
pub(super) struct Body {
    pub shape: Shape,
    pub bytes: Vec<u8>,
    pub alignment: u64,
}

/// A function of a [`Code`]; made by it alone, so its index and shape are right for the one that made it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function(u32);

type TextFn = unsafe extern "C" fn(*const u8, usize) -> u8;
type PrefixesFn = unsafe extern "C" fn(*const u8, usize, *mut u32) -> usize;
type NumbersFn = unsafe extern "C" fn(i64, *mut u32) -> usize;
type SearchFn = unsafe extern "C" fn(*const u8, usize, *mut usize, usize, usize) -> u8;
type GateFn = unsafe extern "C" fn(*const u8) -> u8;

/// Executable memory and the functions in it.
pub(super) struct Code {
    /// Taken by `Drop` alone.
    module: Option<JITModule>,
    functions: Vec<(*const u8, Shape)>,
    /// Bytes of each function.
    sizes: Vec<usize>,
}

// SAFETY: after `new`, nothing changes the module or the memory behind the pointers until `Drop`, which has the owner to itself. The functions
// keep no state, so any number of threads may run them at once.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({} functions)", self.functions.len())
    }
}

impl Code {
    /// Places bodies in executable memory. The functions come back in the order of the bodies.
    pub fn new(isa: OwnedTargetIsa, bodies: Vec<Body>) -> Result<(Code, Vec<Function>), JitError> {
        let mut module = JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()));
        let placed = place(&mut module, &bodies);
        let sizes = bodies.iter().map(|body| body.bytes.len()).collect();
        let mut code = Code { module: Some(module), functions: Vec::new(), sizes };
        let ids = placed?;
        if let Some(module) = &code.module {
            code.functions = ids.iter().zip(&bodies).map(|(&id, body)| (module.get_finalized_function(id), body.shape)).collect();
        }
        let functions = (0..code.functions.len() as u32).map(Function).collect();
        Ok((code, functions))
    }

    /// How many functions there are.
    pub fn len(&self) -> usize {
        self.functions.len()
    }

    /// Bytes of all functions.
    pub fn bytes_in_all(&self) -> usize {
        self.sizes.iter().sum()
    }

    /// Asks a text function about bytes.
    pub fn text(&self, function: Function, bytes: &[u8]) -> bool {
        let (address, shape) = self.functions[function.0 as usize];
        assert!(shape == Shape::Text, "a text function is called as one");
        // SAFETY: the shape says that this is a `TextFn`; it reads `bytes` within its length only.
        unsafe {
            let call: TextFn = std::mem::transmute(address);
            call(bytes.as_ptr(), bytes.len()) != 0
        }
    }

    /// A search function that keeps the code it belongs to.
    pub fn search(self: &Arc<Code>, function: Function) -> Search {
        let (address, shape) = self.functions[function.0 as usize];
        let Shape::Search { places } = shape else { unreachable!("a search function is called as one") };
        Search { address, places, bytes: self.sizes[function.0 as usize], code: Arc::clone(self) }
    }

    /// Appends the ids whose prefixes stand at the beginning of the bytes.
    pub fn prefixes(&self, function: Function, bytes: &[u8], out: &mut Vec<u32>) {
        let (address, shape) = self.functions[function.0 as usize];
        let Shape::Prefixes { ids_max } = shape else { unreachable!("a prefix function is called as one") };
        out.reserve(ids_max);
        // SAFETY: the shape says that this is a `PrefixesFn`. It reads `bytes` within its length, and writes at most `ids_max` ids, for which
        // room was just made: each place that writes is reached at most once a call.
        unsafe {
            let call: PrefixesFn = std::mem::transmute(address);
            let written = call(bytes.as_ptr(), bytes.len(), out.as_mut_ptr().add(out.len()));
            debug_assert!(written <= ids_max);
            out.set_len(out.len() + written);
        }
    }

    /// Appends the ids whose ranges hold the number.
    pub fn numbers(&self, function: Function, value: i64, out: &mut Vec<u32>) {
        let (address, shape) = self.functions[function.0 as usize];
        let Shape::Numbers { ids_max } = shape else { unreachable!("a number function is called as one") };
        out.reserve(ids_max);
        // SAFETY: the shape says that this is a `NumbersFn`; it writes at most `ids_max` ids, for which room was just made.
        unsafe {
            let call: NumbersFn = std::mem::transmute(address);
            let written = call(value, out.as_mut_ptr().add(out.len()));
            debug_assert!(written <= ids_max);
            out.set_len(out.len() + written);
        }
    }

    /// Asks a gate.
    pub fn gate(&self, function: Function, truths: &[u8]) -> u8 {
        let (address, shape) = self.functions[function.0 as usize];
        let Shape::Gate { tests } = shape else { unreachable!("a gate is called as one") };
        assert!(truths.len() >= tests, "a gate reads the truth of each test");
        // SAFETY: the shape says that this is a `GateFn`. It reads at indexes of tests, which `Plan::verify` found to be less than `tests`.
        unsafe {
            let call: GateFn = std::mem::transmute(address);
            call(truths.as_ptr())
        }
    }
}

/// A search function, found without a look at what else its code holds: which pattern is asked next is hard to foresee, so each look is slow.
#[derive(Clone)]
pub(super) struct Search {
    address: *const u8,
    places: usize,
    /// Of code.
    pub bytes: usize,
    code: Arc<Code>,
}

// SAFETY: as for [`Code`], which it keeps.
unsafe impl Send for Search {}
// SAFETY: as above.
unsafe impl Sync for Search {}

impl Search {
    /// Asks for a match that begins in a stretch of the bytes, or at its end where that is the end of the bytes; a pattern that is bound to a
    /// start, or begins with a run, is asked of all. With a match, the buffer begins with where it begins and ends, then each group; [`NOWHERE`]
    /// is the end of a group without a part.
    pub fn ask(&self, bytes: &[u8], begins: Range<usize>, buffer: &mut Places) -> Answer {
        buffer[..self.places].fill(NOWHERE);
        let before = begins.end.min(bytes.len());
        let from = begins.start.min(before);
        // SAFETY: the address was taken from `code`, which lives as long as this, under a shape that says that it is a `SearchFn`. It reads `bytes`
        // within its length, from a place in them that is no later than the other, and writes the buffer, which the first line found to be long
        // enough, at places that are less than `places`.
        let answer = unsafe {
            let call: SearchFn = std::mem::transmute(self.address);
            call(bytes.as_ptr(), bytes.len(), buffer.as_mut_ptr(), from, before)
        };
        Answer::from_number(answer)
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Search({} places in {:?})", self.places, self.code)
    }
}

fn place(module: &mut JITModule, bodies: &[Body]) -> Result<Vec<cranelift_module::FuncId>, JitError> {
    let signature = module.make_signature();
    let mut ids = Vec::with_capacity(bodies.len());
    for (at, body) in bodies.iter().enumerate() {
        let id = module.declare_function(&format!("f{at}"), Linkage::Local, &signature).map_err(JitError::module)?;
        module.define_function_bytes(id, body.alignment, &body.bytes, &[]).map_err(JitError::module)?;
        ids.push(id);
    }
    module.finalize_definitions().map_err(JitError::module)?;
    Ok(ids)
}

impl Drop for Code {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: calls borrow the owner, so none is running, and no pointer was ever handed out.
            unsafe { module.free_memory() };
        }
    }
}
