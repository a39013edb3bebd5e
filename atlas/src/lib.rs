//! The atlas: what was seen, kept for ever; what it is, searchable in English and Japanese; what follows, counted.

pub mod document;
pub mod fold;
pub mod index;
pub mod log;
pub mod query;
pub mod tokenizer;
