//! What the crate promises, by subject.

mod edit;
mod examples;
mod fmt;
mod generate;
mod generated;
mod oracle;
mod problems;
mod properties;
mod samples;
mod spec;
