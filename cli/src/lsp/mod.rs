//! `ksig lsp`: signatures in an editor, by the Language Server Protocol over a pipe.
//!
//! In: messages of a client. Out: answers and problems, by the same parser, checker, formatter, fixes and tests as the commands; nothing of the
//! language stands here a second time. Messages are handled one after another, in their order: [`server`] keeps the state and says who
//! answers what, and each answer has a file of its own. Between two messages stale files are settled, one at a time; what takes long is
//! done by [`work`] beside.

mod actions;
mod completion;
mod diagnostics;
mod hover;
mod lens;
mod navigation;
mod place;
mod renaming;
mod server;
mod structure;
mod symbols;
mod tokens;
mod view;
mod wire;
mod work;
mod workspace;

pub use server::{Ended, serve};
