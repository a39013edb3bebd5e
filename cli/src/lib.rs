//! Device identification: load a release, identify evidence, explain an answer, scan and identify live.
//!
//! ```no_run
//! use ksig::{Engine, Release};
//!
//! let release = Release::bundled(Engine::Jit).expect("the bundled signatures compile");
//! let schema = ksig_protocols::schema();
//! let line = r#"{"id":"a","evidence":{"ftp.banner":["(vsFTPd 3.0.3)"]}}"#;
//! let evidence = ksig::evidence_line::parse(line, &schema).expect("an evidence line").evidence;
//! for answer in release.identify(&evidence) {
//!     println!("{answer:?}");
//! }
//! ```
//!
//! The binary `ksig` is made of [`commands`]; each is arguments, files, progress and exit codes around this library.

pub mod accuracy;
pub mod analysis;
pub mod bundled;
pub mod chapters;
pub mod ci;
pub mod commands;
pub mod draft;
pub mod evidence_line;
pub mod failure;
pub mod fixing;
pub mod forgetting;
pub mod host_cost;
pub mod import;
pub mod levels;
pub mod live;
pub mod load;
pub mod lsp;
pub mod own_lints;
pub mod phases;
pub mod plain;
pub mod policy;
pub mod problems;
pub mod record;
pub mod release;
pub mod store;
pub mod sweeping;
pub mod templates;
pub mod testing;
pub mod trace;
pub mod whole;

pub use load::{LoadError, Loaded};
pub use release::{Engine, Release, ReleaseError};
