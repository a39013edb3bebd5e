//! Hyperscan, a database for each field, then `regex` for the captures of the first.
//!
//! Five functions of `hs.h` are declared here; the crates that wrap them are older than the rest of this workspace.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::ptr;

use anyhow::{Result, ensure};

use super::regex_loop::RegexLoop;
use super::{Peer, Winner};
use crate::dialect::{Dialect, written};
use crate::work::{Banner, Work};

const SINGLEMATCH: c_uint = 8;
const ALLOWEMPTY: c_uint = 16;
const DOTALL: c_uint = 2;
const MODE_BLOCK: c_uint = 1;

type OnMatch = extern "C" fn(c_uint, u64, u64, c_uint, *mut c_void) -> c_int;

// SAFETY: as `hs.h` of 5.4.0 declares them.
#[link(name = "hs")]
unsafe extern "C" {
    fn hs_compile_multi(
        expressions: *const *const c_char,
        flags: *const c_uint,
        ids: *const c_uint,
        elements: c_uint,
        mode: c_uint,
        platform: *const c_void,
        database: *mut *mut c_void,
        error: *mut *mut c_void,
    ) -> c_int;
    fn hs_free_compile_error(error: *mut c_void) -> c_int;
    fn hs_alloc_scratch(database: *const c_void, scratch: *mut *mut c_void) -> c_int;
    fn hs_scan(
        database: *const c_void,
        data: *const c_char,
        length: c_uint,
        flags: c_uint,
        scratch: *mut c_void,
        on_match: OnMatch,
        context: *mut c_void,
    ) -> c_int;
}

/// Patterns that are looked for together. It lives as long as the bench.
pub struct Database {
    database: *mut c_void,
    scratch: *mut c_void,
}

impl Database {
    /// Of patterns with their numbers. Absent when Hyperscan does not take them, or there are none.
    pub fn new(patterns: &[(usize, CString)]) -> Result<Option<Database>> {
        let Some(database) = compile(patterns) else { return Ok(None) };
        let mut scratch = ptr::null_mut();
        // SAFETY: the database was compiled just now, and scratch is null.
        ensure!(unsafe { hs_alloc_scratch(database, &raw mut scratch) } == 0, "Hyperscan has no scratch");
        Ok(Some(Database { database, scratch }))
    }

    /// Appends the numbers of the patterns that match, each once.
    pub fn scan(&self, bytes: &[u8], found: &mut Vec<usize>) {
        let context: *mut Vec<usize> = found;
        // SAFETY: the database and its scratch live as long as this; the bytes are as many as is said; the context outlives the call.
        unsafe { hs_scan(self.database, bytes.as_ptr().cast(), bytes.len() as c_uint, 0, self.scratch, keep, context.cast()) };
    }
}

struct Field {
    database: Option<Database>,
    /// Patterns that Hyperscan does not take.
    refused: Vec<usize>,
}

/// The databases, and the patterns for captures.
pub struct Hyperscan {
    fields: Vec<Field>,
    regexes: RegexLoop,
    found: RefCell<Vec<usize>>,
}

extern "C" fn keep(id: c_uint, _: u64, _: u64, _: c_uint, context: *mut c_void) -> c_int {
    // SAFETY: the context is the vector that `scan` passes, which nothing else uses meanwhile.
    unsafe { (*context.cast::<Vec<usize>>()).push(id as usize) };
    0
}

impl Hyperscan {
    pub fn new(work: &Work) -> Result<Hyperscan> {
        let mut fields = Vec::new();
        for field in &work.fields {
            let mut refused = Vec::new();
            let mut taken = Vec::new();
            for (place, (_, pattern)) in field.patterns.iter().enumerate() {
                let written = written(&work.plan.pattern(*pattern).hir(), Dialect::Perl).map(CString::new).transpose()?;
                match written.filter(|one| compile(&[(place, one.clone())]).is_some()) {
                    Some(written) => taken.push((place, written)),
                    None => refused.push(place),
                }
            }
            let database = Database::new(&taken)?;
            ensure!(database.is_some() || taken.is_empty(), "Hyperscan takes the patterns alone, but not together");
            fields.push(Field { database, refused });
        }
        let refused: usize = fields.iter().map(|field| field.refused.len()).sum();
        println!("    hyperscan does not take {refused} patterns; `regex` asks them");
        Ok(Hyperscan { fields, regexes: RegexLoop::new(work)?, found: RefCell::default() })
    }
}

fn compile(patterns: &[(usize, CString)]) -> Option<*mut c_void> {
    let expressions: Vec<*const c_char> = patterns.iter().map(|(_, written)| written.as_ptr()).collect();
    let flags = vec![SINGLEMATCH | ALLOWEMPTY | DOTALL; patterns.len()];
    let ids: Vec<c_uint> = patterns.iter().map(|(place, _)| *place as c_uint).collect();
    let (mut database, mut error) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the three arrays have as many elements as is said, and outlive the call.
    let code = unsafe {
        let elements = patterns.len() as c_uint;
        hs_compile_multi(
            expressions.as_ptr(),
            flags.as_ptr(),
            ids.as_ptr(),
            elements,
            MODE_BLOCK,
            ptr::null(),
            &raw mut database,
            &raw mut error,
        )
    };
    if code != 0 {
        // SAFETY: the error was made by the call.
        unsafe { hs_free_compile_error(error) };
        return None;
    }
    Some(database)
}

impl Peer for Hyperscan {
    fn name(&self) -> &'static str {
        "hyperscan"
    }

    fn find(&self, banner: &Banner) -> Option<Winner> {
        let field = &self.fields[banner.field];
        let mut found = self.found.borrow_mut();
        found.clear();
        if let Some(database) = &field.database {
            database.scan(banner.bytes, &mut found);
        }
        let refused = field.refused.iter().copied().find(|&place| self.regexes.is_match(banner, place));
        let first = found.iter().copied().chain(refused).min()?;
        self.regexes.captures(banner, first)
    }
}
