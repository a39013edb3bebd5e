//! The binary `ksig`.

fn main() -> std::process::ExitCode {
    ksig::commands::main()
}
