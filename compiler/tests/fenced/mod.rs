//! Memory between two pages that nobody may touch: machine code that reads beyond a text ends the test at once.

#![allow(unsafe_code)]

use region::{Allocation, Protection};

/// Pages between two fences.
const INSIDE: usize = 16;

/// Room for texts of up to 16 pages, between two fences of a page.
pub struct Fenced {
    pages: Allocation,
}

impl Fenced {
    pub fn new() -> Fenced {
        let page = region::page::size();
        let mut pages = region::alloc((INSIDE + 2) * page, Protection::READ_WRITE).expect("some pages can be had");
        let begin: *mut u8 = pages.as_mut_ptr();
        for fence in [begin, begin.wrapping_add((INSIDE + 1) * page)] {
            // SAFETY: both are pages of the allocation that nothing borrows yet, and nothing but this file ever points into them.
            unsafe { region::protect(fence, page, Protection::NONE) }.expect("a page can be fenced");
        }
        Fenced { pages }
    }

    /// The same bytes, with a fence right behind them.
    pub fn before_a_fence(&mut self, bytes: &[u8]) -> &[u8] {
        let inside = self.inside();
        let begin = inside.len() - bytes.len();
        inside[begin..].copy_from_slice(bytes);
        &inside[begin..]
    }

    /// The same bytes, with a fence right before them.
    pub fn behind_a_fence(&mut self, bytes: &[u8]) -> &[u8] {
        let inside = &mut self.inside()[..bytes.len()];
        inside.copy_from_slice(bytes);
        inside
    }

    fn inside(&mut self) -> &mut [u8] {
        let page = region::page::size();
        // SAFETY: the pages between the fences, which stay readable and writable; the borrow is that of the allocation.
        unsafe { std::slice::from_raw_parts_mut(self.pages.as_mut_ptr::<u8>().add(page), INSIDE * page) }
    }
}
