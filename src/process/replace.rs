//! Becoming another program: for a binary that is started in the place of one, as a compiler wrapper is.

use std::{
    ffi::{OsStr, OsString},
    io,
    process::{Command, ExitCode},
};

/// Runs `program` in our place, with our streams and our environment without the variables in `without`.
///
/// On Unix this process becomes the program and the function returns only when that fails; elsewhere the program runs as a
/// child, and its exit code is the answer.
///
/// # Errors
/// When the program cannot be started.
pub fn replace_us(program: &OsStr, args: &[OsString], without: &[&str]) -> io::Result<ExitCode> {
    let mut command = Command::new(program);
    command.args(args);
    for variable in without {
        command.env_remove(variable);
    }
    take_over(command)
}

#[cfg(unix)]
fn take_over(mut command: Command) -> io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(&mut command))
}

#[cfg(not(unix))]
fn take_over(mut command: Command) -> io::Result<ExitCode> {
    let status = command.status()?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}
