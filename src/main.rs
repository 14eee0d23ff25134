//! The door: arguments in, exit code out. The same program is also the compiler wrapper and the slots of the self-test.

use std::process::ExitCode;

fn main() -> ExitCode {
    tollgate::cargo::aligned::wrapper_main()
        .or_else(tollgate::calibrate::kernel::child_main)
        .unwrap_or_else(tollgate::cli::main)
}
