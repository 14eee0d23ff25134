//! The door: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Builds start this binary as a compiler wrapper.
    if let Some(code) = tollgate::cargo::aligned::wrapper_main() {
        return code;
    }
    ExitCode::SUCCESS
}
