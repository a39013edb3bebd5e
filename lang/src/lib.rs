//! The text of the signature language, and nothing else: no field, vendor or protocol is known here.
//!
//! ```text
//! text -> lexer (logos) -> parser (events) -> tree (lossless) -> ast (typed)      fmt: tree -> text
//! ```

pub mod ast;
pub mod diagnostic;
pub mod source;

pub use diagnostic::{Diagnostic, FileId, Fix, Label, Severity};
pub use source::Span;
