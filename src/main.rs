//! The door: arguments in, exit code out. The same program is also the slots of the self-test.

use std::process::ExitCode;

fn main() -> ExitCode {
    tollgate::calibrate::kernel::child_main().unwrap_or(ExitCode::SUCCESS)
}
