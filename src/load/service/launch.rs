//! From the words of a launch to a program that can be started, and the build step.

use super::error::Error;
use crate::{
    load::scenario::Launch,
    process::{self, Child, Interrupt, Spec},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// What a service or a build may write to its log; the rest is dropped.
pub(super) const MOST_LOG_BYTES: u64 = 64 * 1024 * 1024;

/// Runs the build step of a service in a revision's tree; a launch without one is built already.
///
/// # Errors
/// When it cannot be started, fails, takes longer than `timeout`, or is interrupted.
pub fn build(
    launch: &Launch,
    tree: &Path,
    log: &Path,
    timeout: Duration,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    if launch.build.is_empty() {
        return Ok(());
    }
    let spec = spec(&launch.build, launch, tree, None)?.log(log).log_both().log_limit(MOST_LOG_BYTES);
    let line = spec.line();
    check_interrupt(interrupt)?;
    let mut child = Child::spawn(&spec.timeout(timeout), interrupt)
        .map_err(|source| Error::Start { line: line.clone(), source })?;
    let ended = child.wait();
    let tail = child.log_tail();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Build { line, status, log: log.to_owned(), tail }),
        Err(process::Error::TimedOut { limit, .. }) => {
            Err(Error::BuildTimedOut { line, limit, log: log.to_owned(), tail })
        }
        Err(process::Error::Interrupted { signal, .. }) => Err(Error::Interrupted { signal }),
        Err(source) => Err(Error::Start { line, source }),
    }
}

/// A program of a launch, in its directory, with its variables.
pub(super) fn spec(words: &[String], launch: &Launch, tree: &Path, port: Option<u16>) -> Result<Spec, Error> {
    let words: Vec<String> = words.iter().map(|word| fill(word, port)).collect();
    let (program, args) = words.split_first().ok_or(Error::NoCommand)?;
    let line = Spec::new(program, tree).args(args).line();
    let directory = tree.join(&launch.directory);
    if !directory.is_dir() {
        return Err(Error::Directory { line, directory });
    }
    let mut spec = Spec::new(located(program, &directory, tree, &line)?, directory).args(args);
    for (name, value) in &launch.environment {
        spec = spec.set(name, fill(value, port));
    }
    Ok(spec)
}

/// Where a program is: a name is looked up in `PATH`, a relative path first in its directory, then in the tree.
fn located(program: &str, directory: &Path, tree: &Path, line: &str) -> Result<PathBuf, Error> {
    let path = Path::new(program);
    let mut searched: Vec<PathBuf> = match path.components().count() {
        _ if path.is_absolute() => vec![path.to_owned()],
        0 | 1 if !program.contains(std::path::is_separator) => match on_path(program) {
            true => return Ok(path.to_owned()),
            false => Vec::new(),
        },
        _ => vec![directory.join(path), tree.join(path)],
    };
    searched.dedup();
    if let Some(found) = searched.iter().find(|path| path.is_file()) {
        return Ok(found.clone());
    }
    Err(Error::Program { line: line.to_owned(), program: program.to_owned(), searched })
}

fn on_path(program: &str) -> bool {
    // Where names have endings that may be left out, only the system knows.
    let folders = std::env::var_os("PATH").unwrap_or_default();
    cfg!(windows) || std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

pub(super) fn fill(text: &str, port: Option<u16>) -> String {
    match port {
        Some(port) => text.replace("{port}", &port.to_string()),
        None => text.to_owned(),
    }
}

pub(super) fn check_interrupt(interrupt: &Interrupt) -> Result<(), Error> {
    interrupt.requested().map_or(Ok(()), |signal| Err(Error::Interrupted { signal }))
}
