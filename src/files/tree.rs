//! Whole folders of source files: listed, copied, stamped and digested. Links are taken as links, never followed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

use sha2::{Digest, Sha256};

use crate::files::Error;

/// Everything below `root` that is no folder, relative to it and sorted. Folders for which `skip` says yes are not entered;
/// it gets their relative path.
///
/// # Errors
/// When a folder cannot be read.
pub fn list(root: &Path, skip: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(folder) = pending.pop() {
        let path = root.join(&folder);
        for entry in fs::read_dir(&path).map_err(Error::at("read the folder", &path))? {
            let entry = entry.map_err(Error::at("read the folder", &path))?;
            let relative = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(Error::at("read", &entry.path()))?;
            if !kind.is_dir() {
                found.push(relative);
            } else if !skip(&relative) {
                pending.push(relative);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies one file with its permissions, or one link, creating folders and replacing what is there.
///
/// Sockets, pipes and devices are left out; the answer says whether something was copied.
///
/// # Errors
/// When it cannot be read or written.
pub fn copy_entry(from: &Path, to: &Path) -> Result<bool, Error> {
    let kind = fs::symlink_metadata(from).map_err(Error::at("read", from))?.file_type();
    if !kind.is_file() && !kind.is_symlink() {
        return Ok(false);
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(Error::at("create the folder", folder))?;
    }
    if fs::symlink_metadata(to).is_ok() {
        crate::files::scratch::remove(to)?;
    }
    if kind.is_symlink() {
        let target = fs::read_link(from).map_err(Error::at("read the link", from))?;
        link(&target, to)?;
    } else {
        fs::copy(from, to).map_err(Error::at("write", to))?;
    }
    Ok(true)
}

/// Makes a symbolic link at `at` that says `target`.
///
/// # Errors
/// When the system refuses, as Windows does without developer mode.
pub fn link(target: &Path, at: &Path) -> Result<(), Error> {
    symlink(target, at).map_err(Error::at("create the link", at))
}

#[cfg(unix)]
fn symlink(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(windows)]
fn symlink(target: &Path, at: &Path) -> io::Result<()> {
    let full = at.parent().map_or_else(|| target.to_owned(), |folder| folder.join(target));
    if full.is_dir() {
        std::os::windows::fs::symlink_dir(target, at)
    } else {
        std::os::windows::fs::symlink_file(target, at)
    }
}

/// Sets the modification time of files to `now`, so that a build tool takes them as changed. Links are left as they are.
///
/// # Errors
/// When a file cannot be opened or stamped.
pub fn stamp(root: &Path, paths: &[PathBuf], now: SystemTime) -> Result<(), Error> {
    for path in paths {
        let path = root.join(path);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
            stamp_file(&path, now).map_err(Error::at("set the time of", &path))?;
        }
    }
    Ok(())
}

/// The time by the clock of the file system that holds `folder`: what is written there now gets it. Build tools compare such
/// times with each other, and on a network file system they are not ours.
///
/// # Errors
/// When nothing can be written there.
pub fn clock(folder: &Path) -> Result<SystemTime, Error> {
    let read = || tempfile::tempfile_in(folder)?.metadata()?.modified();
    read().map_err(Error::at("read the clock of", folder))
}

fn stamp_file(path: &Path, now: SystemTime) -> io::Result<()> {
    // On Unix the owner may stamp a file that is open for reading only, so read-only files work as well.
    let file = if cfg!(unix) { File::open(path)? } else { OpenOptions::new().write(true).open(path)? };
    file.set_modified(now)
}

/// What identifies the content of one file or link, with its path: kind, permission to execute, content.
pub type Digests = Vec<(PathBuf, String)>;

/// SHA-256 of each file and link below `root`, as 64 hexadecimal digits.
///
/// # Errors
/// When one cannot be read.
pub fn digests(root: &Path, paths: &[PathBuf]) -> Result<Digests, Error> {
    let digest = |path: &PathBuf| {
        let full = root.join(path);
        let mut hasher = Sha256::new();
        add(&mut hasher, &full).map_err(Error::at("read", &full))?;
        Ok((path.clone(), hexadecimal(&hasher.finalize())))
    };
    paths.iter().map(digest).collect()
}

/// SHA-256 over paths and their digests, as 64 hexadecimal digits.
#[must_use]
pub fn joint_digest(digests: &[(PathBuf, String)]) -> String {
    let mut hasher = Sha256::new();
    for (path, digest) in digests {
        let name = path.as_os_str().as_encoded_bytes();
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
        hasher.update(digest.as_bytes());
    }
    hexadecimal(&hasher.finalize())
}

fn add(hasher: &mut Sha256, full: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(full)?;
    if found.is_symlink() {
        let target = fs::read_link(full)?;
        hasher.update([b'l']);
        hasher.update(target.as_os_str().as_encoded_bytes());
    } else if found.is_file() {
        hasher.update([if is_executable(&found) { b'x' } else { b'f' }]);
        add_content(hasher, full)?;
    } else {
        hasher.update([b'o']);
    }
    Ok(())
}

fn add_content(hasher: &mut Sha256, full: &Path) -> io::Result<()> {
    let mut file = File::open(full)?;
    let mut buffer = vec![0_u8; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// SHA-256 of one file, as 64 hexadecimal digits.
///
/// # Errors
/// When it cannot be read.
pub fn file_digest(path: &Path) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    add_content(&mut hasher, path).map_err(Error::at("read", path))?;
    Ok(hexadecimal(&hasher.finalize()))
}

/// SHA-256 of a text, as 64 hexadecimal digits.
#[must_use]
pub fn text_digest(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(unix)]
fn is_executable(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_found: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything(root: &Path) -> Vec<PathBuf> {
        list(root, &|_| false).unwrap()
    }

    #[test]
    fn digest_sees_names_contents_and_where_one_file_ends() {
        let made = |files: &[(&str, &str)]| {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                fs::write(folder.path().join(name), text).unwrap();
            }
            joint_digest(&digests(folder.path(), &everything(folder.path())).unwrap())
        };
        let one = made(&[("a", "xy"), ("b", "")]);
        assert_eq!(one, made(&[("b", ""), ("a", "xy")]));
        for other in [made(&[("a", "xz"), ("b", "")]), made(&[("a", "x"), ("b", "y")]), made(&[("ab", "xy")])]
        {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn skipped_folder_is_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/target")).unwrap();
        fs::write(folder.path().join("a/target/x"), "").unwrap();
        fs::write(folder.path().join("a/y"), "").unwrap();
        let listed = list(folder.path(), &|path| path.ends_with("target")).unwrap();
        assert_eq!(listed, [PathBuf::from("a/y")]);
    }

    #[test]
    fn stamp_renews_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let old = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        stamp(folder.path(), &["file".into()], old).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), old);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_are_copied_as_they_are() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("deep/to"));
        fs::write(&from, "x").unwrap();
        fs::set_permissions(&from, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(copy_entry(&from, &to).unwrap());
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o755);
        let (dangling, copy) = (folder.path().join("dangling"), folder.path().join("copy"));
        link(Path::new("no/where"), &dangling).unwrap();
        assert!(copy_entry(&dangling, &copy).unwrap());
        assert_eq!(fs::read_link(&copy).unwrap(), Path::new("no/where"));
    }
}
