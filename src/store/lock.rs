//! One writer at a time in a clone. Whoever writes must show the lock.

use std::{ops::ControlFlow, path::Path};

use super::Error;
use crate::files::lock::Lock;

/// The right to write stored runs, until it is dropped. The system frees it even after `kill -9`.
#[derive(Debug)]
pub struct WriteLock {
    _lock: Lock,
}

impl WriteLock {
    /// Takes the lock of the clone whose git folder is `common_dir`.
    ///
    /// While another process has it, `waiting` is called about ten times a second with what that one says of itself, and
    /// decides whether to go on waiting.
    ///
    /// # Errors
    /// When `waiting` broke off, or the lock file (`<common_dir>/tollgate/lock`) cannot be written.
    pub fn acquire(
        common_dir: &Path,
        purpose: &str,
        waiting: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Self, Error> {
        let lock = Lock::acquire(&common_dir.join("tollgate/lock"), purpose, waiting)?;
        Ok(Self { _lock: lock })
    }
}
