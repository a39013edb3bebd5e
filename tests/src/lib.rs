//! What the tests of the whole house share: the oracle that says what a signature means, and the reader of the fences of `spec/`.

pub mod engines;
pub mod fences;
pub mod oracle;
pub mod random;
