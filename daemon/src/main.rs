//! The `zugzwang` binary: parse, run, map errors to exit codes. See [`zugzwang::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    zugzwang::cli::main()
}
