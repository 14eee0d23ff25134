//! Running a child to its end.

use super::{
    affinity,
    child::{Child, ExitStatus},
    interrupt::Interrupt,
    output::{Keep, readable},
    spec::Spec,
};
use crate::hint::Hint;
use std::{io, path::PathBuf, time::Duration};

/// The most standard output that is read of a child: a hostile or broken one must not take our memory.
const MOST_STDOUT_BYTES: usize = 256 * 1024 * 1024;

/// A child that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How it ended; not checked.
    pub status: ExitStatus,
    /// Its standard output, whole.
    pub stdout: Vec<u8>,
    /// The end of its standard error: at most 20 lines, without control characters.
    pub stderr_tail: String,
}

impl Finished {
    /// The end of what it said: of its standard error, or of its standard output where that is empty.
    #[must_use]
    pub fn last_words(&self) -> String {
        const LINES: usize = 20;
        if self.stderr_tail.is_empty() { readable(&self.stdout, LINES) } else { self.stderr_tail.clone() }
    }
}

/// Why a child did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be started.
    #[error("could not start `{program}`")]
    Start {
        /// Its name.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// Its log could not be written.
    #[error("could not write the log `{}`", path.display())]
    Log {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It took longer than it may, and was ended.
    #[error("`{program}` did not end within {} s", limit.as_secs_f64())]
    TimedOut {
        /// Its name.
        program: String,
        /// What it was allowed.
        limit: Duration,
        /// The end of its standard error.
        stderr_tail: String,
    },
    /// The user wants us to stop; it was ended, or never started.
    #[error("`{program}` was interrupted by {signal}")]
    Interrupted {
        /// Its name.
        program: String,
        /// What came.
        signal: &'static str,
    },
    /// It printed more than is accepted.
    #[error("`{program}` printed more than {} MiB", MOST_STDOUT_BYTES / (1024 * 1024))]
    TooMuchOutput {
        /// Its name.
        program: String,
    },
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Start { program, source } if source.kind() == io::ErrorKind::NotFound => {
                Some(format!("install `{program}`, or add its folder to `PATH`"))
            }
            _ => None,
        }
    }
}

/// Runs a child to its end and returns what it printed, whatever its status.
///
/// After an interrupt nothing is started any more: to clean up, pass [`Interrupt::new`].
///
/// # Errors
/// When it cannot be started, takes too long, is interrupted, or prints more than 256 MiB.
pub fn run(spec: &Spec, interrupt: &Interrupt) -> Result<Finished, Error> {
    run_pinned(spec, None, interrupt)
}

/// [`run`], bound to a processor. Where the system refuses that, the child runs unbound.
///
/// # Errors
/// As [`run`].
pub fn run_pinned(spec: &Spec, pin: Option<usize>, interrupt: &Interrupt) -> Result<Finished, Error> {
    if let Some(signal) = interrupt.requested() {
        return Err(Error::Interrupted { program: spec.name(), signal });
    }
    let mut child = Child::spawn_keeping(spec, interrupt, Keep::Whole(MOST_STDOUT_BYTES))?;
    if let Some(cpu) = pin {
        let _ = affinity::pin(child.id(), cpu);
    }
    let status = child.wait()?;
    let (stdout, overflowed) = child.stdout();
    if overflowed {
        return Err(Error::TooMuchOutput { program: spec.name() });
    }
    Ok(Finished { status, stdout, stderr_tail: child.stderr_tail() })
}
