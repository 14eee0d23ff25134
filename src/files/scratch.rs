//! Temporary folders that go when their owner goes, and the removal of what a killed run left behind.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::files::Error;

/// A folder that is removed with all it holds when this value is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A new folder with a name of its own, in `parent` (created where missing), starting with `prefix`.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn new_in(parent: &Path, prefix: &str) -> Result<Self, Error> {
        fs::create_dir_all(parent).map_err(Error::at("create the folder", parent))?;
        let made = tempfile::Builder::new().prefix(prefix).tempdir_in(parent);
        Ok(Self { path: made.map_err(Error::at("create a folder in", parent))?.keep() })
    }

    /// A new folder in the system's place for temporary files.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn new(prefix: &str) -> Result<Self, Error> {
        Self::new_in(&std::env::temp_dir(), prefix)
    }

    /// Takes over the folder at `path`, which need not exist (yet).
    #[must_use]
    pub fn adopt(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the folder now, so that a failure is heard.
    ///
    /// # Errors
    /// When something in it cannot be removed.
    pub fn close(self) -> Result<(), Error> {
        remove(&self.path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A destructor cannot report; the next start sweeps what is left.
        drop(remove(&self.path));
    }
}

/// Removes a folder (or file) with all it holds, read-only folders included. Links are removed, never followed; what does
/// not exist is fine.
///
/// # Errors
/// When something cannot be removed.
pub fn remove(path: &Path) -> Result<(), Error> {
    let removed = match fs::symlink_metadata(path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(failed) => Err(failed),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).or_else(|failed| {
            if failed.kind() != io::ErrorKind::PermissionDenied {
                return Err(failed);
            }
            make_writable(path);
            fs::remove_dir_all(path)
        }),
        Ok(_) => fs::remove_file(path),
    };
    match removed {
        Err(failed) if failed.kind() != io::ErrorKind::NotFound => Err(Error::at("remove", path)(failed)),
        _ => Ok(()),
    }
}

/// Removes everything in `parent` whose name starts with `prefix`, and returns how many there were.
///
/// Only call it while holding the lock that every owner of such folders holds.
///
/// # Errors
/// When something cannot be removed. A missing `parent` is fine.
pub fn sweep(parent: &Path, prefix: &str) -> Result<usize, Error> {
    let entries = match fs::read_dir(parent) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(Error::at("read the folder", parent))?,
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry.map_err(Error::at("read the folder", parent))?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            remove(&entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Gives the owner the right to delete in every folder below `path`, as far as the system lets us.
fn make_writable(path: &Path) {
    if let Ok(found) = fs::symlink_metadata(path) {
        let mut permissions = found.permissions();
        owner_may_write(&mut permissions);
        // What cannot be changed shows when it is removed.
        drop(fs::set_permissions(path, permissions));
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir() || (cfg!(windows) && kind.is_file())) {
            make_writable(&entry.path());
        }
    }
}

#[cfg(unix)]
fn owner_may_write(permissions: &mut fs::Permissions) {
    use std::os::unix::fs::PermissionsExt;
    permissions.set_mode(permissions.mode() | 0o700);
}

#[cfg(not(unix))]
#[expect(
    clippy::permissions_set_readonly_false,
    reason = "Windows knows no other right, and the file is deleted next"
)]
fn owner_may_write(permissions: &mut fs::Permissions) {
    permissions.set_readonly(false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_is_gone_after_drop() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::new_in(&parent.path().join("made"), "s-").unwrap();
        let path = scratch.path().to_owned();
        fs::create_dir_all(path.join("a/b")).unwrap();
        fs::write(path.join("a/b/file"), "x").unwrap();
        assert!(path.file_name().unwrap().to_str().unwrap().starts_with("s-"));
        drop(scratch);
        assert!(!path.exists() && parent.path().join("made").exists());
    }

    #[test]
    fn sweep_removes_what_has_the_prefix_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["s-1", "s-2", "kept"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        assert_eq!(sweep(parent.path(), "s-").unwrap(), 2);
        assert!(parent.path().join("kept").exists());
        assert_eq!(sweep(&parent.path().join("missing"), "s-").unwrap(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn link_is_removed_and_its_target_kept() {
        let parent = tempfile::tempdir().unwrap();
        let kept = parent.path().join("kept");
        fs::create_dir(&kept).unwrap();
        std::os::unix::fs::symlink(&kept, parent.path().join("link")).unwrap();
        remove(&parent.path().join("link")).unwrap();
        assert!(kept.exists() && fs::symlink_metadata(parent.path().join("link")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn read_only_folder_is_removed_too() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let inner = parent.path().join("tree/inner");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("file"), "x").unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o500)).unwrap();
        remove(&parent.path().join("tree")).unwrap();
        assert!(!parent.path().join("tree").exists());
    }
}
