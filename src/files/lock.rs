//! Advisory locks between processes: held by an open file, so the system frees them even after `kill -9`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use crate::files::Error;

/// How long a waiting process pauses between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// A lock that is held until this value is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock at `path`, creating the file and its folders.
    ///
    /// `purpose` (`tollgate check`) is written into the file with the process id, for whoever waits. While another process
    /// holds the lock, `waiting` is called with the holder's words about ten times a second; it decides whether to go on
    /// waiting, so that time limits, Ctrl-C and messages stay with the caller.
    ///
    /// # Errors
    /// [`Error::Held`] when `waiting` broke off, [`Error::Step`] when the file cannot be opened or locked.
    pub fn acquire(
        path: &Path,
        purpose: &str,
        mut waiting: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Self, Error> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Error::at("create the folder", folder))?;
        }
        loop {
            if let Some(lock) = Self::attempt(path, purpose)? {
                return Ok(lock);
            }
            let holder = holder(path);
            if waiting(&holder).is_break() {
                return Err(Error::Held { path: path.to_owned(), holder });
            }
            thread::sleep(PAUSE);
        }
    }

    /// The lock file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn attempt(path: &Path, purpose: &str) -> Result<Option<Self>, Error> {
        let Some(mut file) = platform::open_locked(path)? else { return Ok(None) };
        let written = file.set_len(0).and_then(|()| writeln!(file, "{purpose} (process {})", process::id()));
        written.map_err(Error::at("write", path))?;
        Ok(Some(Self { file, path: path.to_owned() }))
    }
}

impl Drop for Lock {
    /// Empties the file; it stays, because deleting it would let two processes lock two files of one name.
    fn drop(&mut self) {
        // Nothing depends on it: the text only informs, and closing the file frees the lock.
        drop(self.file.set_len(0));
    }
}

/// What the holder wrote about itself, cut to one short line.
fn holder(path: &Path) -> String {
    /// Longer than any purpose we write.
    const MAX_CHARACTERS: usize = 120;
    let text = fs::read_to_string(path).unwrap_or_default();
    let line: String = text
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_CHARACTERS)
        .collect();
    if line.is_empty() { "another process".into() } else { line }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options
}

#[cfg(unix)]
mod platform {
    use rustix::fs::{FlockOperation, flock};

    use super::{Error, File, Path, io, options};

    /// The open and locked file; `None` while somebody else holds it.
    pub(super) fn open_locked(path: &Path) -> Result<Option<File>, Error> {
        let file = options().open(path).map_err(Error::at("open", path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => Ok(None),
            Err(failed) => Err(Error::at("lock", path)(io::Error::from(failed))),
        }
    }
}

#[cfg(windows)]
mod platform {
    use std::os::windows::fs::OpenOptionsExt;

    use super::{Error, File, Path, options};

    /// `ERROR_SHARING_VIOLATION`.
    const IN_USE: i32 = 32;

    /// The file opened for nobody else; `None` while somebody else has it open.
    pub(super) fn open_locked(path: &Path) -> Result<Option<File>, Error> {
        match options().share_mode(0).open(path) {
            Ok(file) => Ok(Some(file)),
            Err(failed) if failed.raw_os_error() == Some(IN_USE) => Ok(None),
            Err(failed) => Err(Error::at("open", path)(failed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_taker_learns_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/lock");
        let _held = Lock::acquire(&path, "tollgate check", |_| unreachable!("nobody holds it")).unwrap();
        let mut asked = 0;
        let refused = Lock::acquire(&path, "second", |_| {
            asked += 1;
            if asked == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let message = refused.unwrap_err().to_string();
        assert_eq!(asked, 2);
        #[cfg(unix)]
        assert!(message.contains(&format!("tollgate check (process {})", process::id())), "{message}");
        assert!(message.contains("in use by"), "{message}");
    }

    #[test]
    fn lock_is_free_once_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        drop(Lock::acquire(&path, "first", |_| unreachable!("nobody holds it")).unwrap());
        let second = Lock::acquire(&path, "second", |_| unreachable!("it was dropped")).unwrap();
        assert_eq!(second.path(), path);
    }

    #[test]
    fn waiter_gets_the_lock_when_its_holder_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let mut held = Some(Lock::acquire(&path, "first", |_| unreachable!("nobody holds it")).unwrap());
        let second = Lock::acquire(&path, "second", |_| {
            held.take();
            ControlFlow::Continue(())
        });
        assert!(second.is_ok() && held.is_none());
    }
}
