//! What the crate promises, by subject.

mod examples;
mod fmt;
mod oracle;
mod problems;
mod properties;
mod samples;
mod spec;
