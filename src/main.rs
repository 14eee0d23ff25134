//! The door: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) =
        tollgate::calibrate::kernel::child_main(std::env::args_os(), &mut std::io::stdout().lock())
    {
        return ExitCode::from(code);
    }
    ExitCode::SUCCESS
}
