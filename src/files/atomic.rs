//! Writing whole files: a reader (or a crash) sees the old content or all of the new, never a part.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::files::Error;

/// Replaces the content of `path`, creating it and its parent folders where they are missing.
///
/// The bytes go to a temporary file in the same folder, are synced, renamed into place, and the folder is synced. A
/// symbolic link keeps pointing where it did; what is no regular file (`/dev/stdout`, a pipe) is written to directly. An
/// existing file keeps its permissions.
///
/// # Errors
/// When a step fails; the old content is then untouched and no temporary file is left.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let target = resolve(path)?;
    match fs::metadata(&target) {
        Ok(found) if found.is_dir() => {
            Err(Error::at("write", &target)(io::Error::from(io::ErrorKind::IsADirectory)))
        }
        Ok(found) if !found.is_file() => write_through(&target, bytes),
        Ok(found) => replace(&target, bytes, Some(found.permissions())),
        Err(_) => replace(&target, bytes, None),
    }
}

/// Puts a program at `path`, in the place of the file or link that may be there: like [`write()`], but everybody may run it.
///
/// # Errors
/// When a step fails; what was there is then untouched and no temporary file is left.
pub fn write_program(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    #[cfg(unix)]
    let permissions = Some(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755));
    #[cfg(not(unix))]
    let permissions = None;
    replace(path, bytes, permissions)
}

/// Makes a new file that only its owner may read (on Unix), for what holds secrets. Otherwise as [`write()`].
///
/// # Errors
/// When a step fails.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = parent(path);
    // Without permissions of our own a temporary file is its owner's alone.
    let temporary = NamedTempFile::with_prefix_in(".tollgate-", folder);
    let mut temporary = temporary.map_err(Error::at("create a temporary file in", folder))?;
    temporary.write_all(bytes).map_err(Error::at("write", path))?;
    temporary.persist(path).map_err(|failed| Error::at("rename a temporary file to", path)(failed.error))?;
    Ok(())
}

/// Follows symbolic links to the file that is meant, which need not exist.
fn resolve(path: &Path) -> Result<PathBuf, Error> {
    /// As many links as Linux follows.
    const MAX_LINKS: usize = 40;
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(link) => target = parent(&target).join(link),
            Err(_) => return Ok(target),
        }
    }
    Err(Error::at("follow the links of", path)(io::Error::other("too many levels of symbolic links")))
}

fn write_through(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = OpenOptions::new().write(true).open(path).map_err(Error::at("open", path))?;
    file.write_all(bytes).and_then(|()| file.flush()).map_err(Error::at("write", path))
}

fn replace(path: &Path, bytes: &[u8], permissions: Option<fs::Permissions>) -> Result<(), Error> {
    let folder = parent(path);
    fs::create_dir_all(folder).map_err(Error::at("create the folder", folder))?;
    let mut temporary = temporary(folder).map_err(Error::at("create a temporary file in", folder))?;
    temporary.write_all(bytes).map_err(Error::at("write", path))?;
    if let Some(permissions) = permissions {
        temporary
            .as_file()
            .set_permissions(permissions)
            .map_err(Error::at("keep the permissions of", path))?;
    }
    temporary.as_file().sync_all().map_err(Error::at("sync", path))?;
    temporary.persist(path).map_err(|failed| Error::at("rename a temporary file to", path)(failed.error))?;
    sync_folder(folder)
}

/// A new file with the permissions that the user's umask gives.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tollgate-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Makes a rename in a folder durable. Some file systems cannot sync a folder; the rename holds there all the same.
fn sync_folder(folder: &Path) -> Result<(), Error> {
    if !cfg!(unix) {
        return Ok(());
    }
    let opened = File::open(folder).map_err(Error::at("open the folder", folder))?;
    match opened.sync_all() {
        Err(failed) if !matches!(failed.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Err(Error::at("sync the folder", folder)(failed))
        }
        _ => Ok(()),
    }
}

/// The folder that holds `path`; the current one for a bare name.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write_private(&path, b"key").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!((fs::read(&path).unwrap().as_slice(), names(folder.path()).len()), (&b"key"[..], 1));
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn content_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/file");
        write(&path, b"one, and longer").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(path.parent().unwrap()), ["file"]);
    }

    #[test]
    fn failed_write_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        let error = write(&taken, b"x").unwrap_err();
        assert!(error.to_string().contains("could not write"), "{error}");
        assert_eq!(names(folder.path()), ["taken"]);
    }

    #[test]
    fn folder_that_is_a_file_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let error = write(&folder.path().join("file/inside"), b"x").unwrap_err();
        assert!(error.to_string().contains("create the folder"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn link_keeps_pointing_and_permissions_are_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn program_takes_the_place_of_a_link_and_may_be_run() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink("file", &link).unwrap();
        write_program(&link, b"#!/bin/sh\n").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"old");
        let found = fs::symlink_metadata(&link).unwrap();
        assert_eq!((found.is_file(), found.permissions().mode() & 0o777), (true, 0o755));
    }

    #[cfg(unix)]
    #[test]
    fn device_is_written_to_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        write(Path::new("/dev/null"), b"gone").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("link", &link).unwrap();
        assert!(write(&link, b"x").is_err());
    }
}
