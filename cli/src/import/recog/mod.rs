//! Recog: XML databases of fingerprints, each an ordered list of patterns for one kind of answer.
//!
//! ```text
//! *.xml --read--> Database --+--ruby-----> patterns of ksig's dialect
//!                            +--place----> which field of which probe the database is asked of
//!                            +--said-----> identity, software, details, captures
//!                            +--write----> .ksig, formatted      + Case: every example with what it must say
//! ```
//!
//! What a fingerprint means, and what of it is kept:
//!
//! | Recog | ksig |
//! |---|---|
//! | the pattern, searched in bytes; `^ $` are of lines | `b/.../m` over the field's bytes |
//! | `REG_DOT_NEWLINE`, `REG_LINE_ANY_CRLF`, `REG_MULTILINE`; `(?m)` | `/s` |
//! | the first fingerprint of a key that matches, databases by `preference` | a `choice` |
//! | `hw.*`, `os.*` | `identify`, `identify os` |
//! | `service.*`, `service.component.*` | a `component` each |
//! | `host.*`, serial numbers | captures that are redacted |
//! | any other parameter | `details` |
//! | `{name}` in a value; a missing version in a CPE name is `-` | `t"..."`, `cpe"...{name|na}"` |
//! | `certainty` and the `*.certainty` parameters | `confidence` |

mod classes;
mod cpe;
mod place;
mod read;
mod ruby;
mod said;
mod text;
mod vocabulary;
mod write;

pub use place::{Place, Value};
pub use read::{Database, Example, Fingerprint, Param, ReadError, folder};
pub use ruby::{Translated, translate};
pub use said::Said;
pub use vocabulary::Words;
pub use write::{Case, File, Import, import};

use serde::Serialize;

/// Something that was not carried over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Refused {
    /// The file, as it was named.
    pub path: String,
    /// From 1; 0 for a file as a whole.
    pub line: u32,
    /// What: a file, the licence, a fingerprint by its description, an example.
    pub what: String,
    /// Why.
    pub reason: String,
    /// A pattern is lost by it.
    pub pattern: bool,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.what, self.reason)
    }
}
