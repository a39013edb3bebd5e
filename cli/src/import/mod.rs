//! Signatures of other collections, read into ksig's language.
//!
//! In: their files. Out: `.ksig` files in the one style, with their examples as tests, and every case that could not be carried over, with its
//! place and the reason.
//!
//! Absent: what ksig cannot say. It is reported, never approximated.

pub mod recog;
