//! The binary `ksig`, built with the tests: what they run is never older than they are, and needs no second build of what it is made of.

fn main() -> std::process::ExitCode {
    ksig::commands::main()
}
