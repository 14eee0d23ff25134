//! The exit-code table: the one place where an outcome becomes a number for the shell.

use crate::model::outcome::Outcome;
use std::process::ExitCode;

/// The process's exit code for an outcome (contract: 0 pass … 6 reporting error).
#[must_use]
pub fn code(outcome: Outcome) -> ExitCode {
    ExitCode::from(outcome.exit_code())
}
