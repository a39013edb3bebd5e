//! What the tests and tools of the whole house share: the oracle that says what a signature means, the reader of the fences of `spec/`, the
//! comparison of answers with facts, and programs run as a user runs them.

pub mod bench;
pub mod binary;
pub mod client;
pub mod differential;
pub mod engines;
pub mod facts;
pub mod fences;
pub mod oracle;
pub mod pages;
pub mod random;
pub mod recog;
