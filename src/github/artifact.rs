//! The files of an artifact that a foreign pull request's job uploaded: whatever it chose to put there.
//!
//! Nothing in it is trusted. Links are refused and never followed, only regular files are opened, everything is counted and
//! bounded before it is read, and one oddity refuses the whole artifact: an honest job makes none of them.

use crate::{
    hint::Hint,
    text::escape::{shortened, visible},
};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// How deep folders may nest below the artifact's own.
pub const MAX_DEPTH: usize = 4;
/// The most files and folders that are looked at.
pub const MAX_ENTRIES: usize = 1_000;
/// The most verdict files.
pub const MAX_VERDICTS: usize = 64;
/// The largest verdict file, bytes.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// All verdict files together, bytes.
pub const MAX_TOTAL_BYTES: u64 = 256 << 20;
/// The longest name of a file or folder, bytes.
pub const MAX_NAME_BYTES: usize = 255;

/// A file of the artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path below the artifact's folder, parts joined by `/`.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Why an artifact is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or a file in it cannot be read.
    #[error("could not read the artifact at `{place}`: {cause}")]
    Unreadable {
        /// Where.
        place: String,
        /// What the system says.
        cause: io::Error,
    },
    /// It holds something that no honest job uploads.
    #[error("could not take the artifact: `{place}` {problem}")]
    Odd {
        /// Where.
        place: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It is larger than what is read.
    #[error("could not take the artifact: it holds more than {limit} {what}")]
    TooMuch {
        /// The bound.
        limit: u64,
        /// What is counted.
        what: &'static str,
    },
    /// There is no verdict in it.
    #[error("could not take the artifact in `{place}`: it holds no verdict (`*.json`)")]
    Empty {
        /// Where.
        place: String,
    },
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Unreadable { .. } => "check the path, and the step that downloads the artifact",
            Self::Odd { .. } | Self::TooMuch { .. } => {
                "look at the pull request and its job: Tollgate's own step uploads verdict files and nothing else"
            }
            Self::Empty { .. } => {
                "check the name of the artifact in the step that downloads it, and the log of the job that measured"
            }
        };
        Some(text.to_owned())
    }
}

/// Reads the verdict files (`*.json`) of an artifact that was unpacked into `dir`, sorted by name. Other regular files are counted
/// and left alone.
///
/// # Errors
/// When the folder cannot be read, holds no verdict, is larger than the bounds of this module, or holds anything but plain files
/// and folders with plain names: links, devices, pipes, sockets, files with a second name elsewhere.
pub fn read(dir: &Path) -> Result<Vec<Found>, Error> {
    let mut walk = Walk { root: dir, entries: 0, bytes: 0, found: Vec::new() };
    walk.folder(&PathBuf::new(), 0)?;
    walk.found.sort_by(|a, b| a.name.cmp(&b.name));
    if walk.found.is_empty() {
        return Err(Error::Empty { place: shown(dir) });
    }
    Ok(walk.found)
}

/// A path as a message shows it.
fn shown(path: &Path) -> String {
    visible(&shortened(&path.display().to_string(), 120))
}

struct Walk<'a> {
    root: &'a Path,
    entries: usize,
    bytes: u64,
    found: Vec<Found>,
}

impl Walk<'_> {
    /// Goes through a folder, given by its path below the root.
    fn folder(&mut self, below: &Path, depth: usize) -> Result<(), Error> {
        let place = self.root.join(below);
        let unreadable = |cause| Error::Unreadable { place: shown(&place), cause };
        let mut names = Vec::new();
        // One at a time: a folder of a million entries is given up after the first thousand.
        for entry in std::fs::read_dir(&place).map_err(unreadable)? {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(Error::TooMuch { limit: MAX_ENTRIES as u64, what: "files and folders" });
            }
            names.push(entry.map_err(unreadable)?.file_name());
        }
        names.sort();
        for name in names {
            let path = below.join(&name);
            let odd = |problem| Error::Odd { place: shown(&path), problem };
            let name = name.to_str().ok_or_else(|| odd("has a name that is no text"))?;
            check_name(name).map_err(odd)?;
            let metadata = self.root.join(&path).symlink_metadata();
            let kind =
                metadata.map_err(|cause| Error::Unreadable { place: shown(&path), cause })?.file_type();
            match (kind.is_dir(), kind.is_file()) {
                (true, _) if depth == MAX_DEPTH => return Err(odd("is a folder that nests too deeply")),
                (true, _) => self.folder(&path, depth + 1)?,
                (_, true) if name.ends_with(".json") => self.file(&path)?,
                (_, true) => {}
                _ if kind.is_symlink() => return Err(odd("is a link")),
                _ => return Err(odd("is neither a file nor a folder")),
            }
        }
        Ok(())
    }

    fn file(&mut self, below: &Path) -> Result<(), Error> {
        let unreadable = |cause| Error::Unreadable { place: shown(below), cause };
        if self.found.len() == MAX_VERDICTS {
            return Err(Error::TooMuch { limit: MAX_VERDICTS as u64, what: "verdict files" });
        }
        let file = open(&self.root.join(below)).map_err(unreadable)?;
        // What was opened is asked again: it may have changed since it was looked at.
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Error::Odd { place: shown(below), problem: "is no regular file" });
        }
        if links(&metadata) > 1 {
            return Err(Error::Odd {
                place: shown(below),
                problem: "has a second name elsewhere (a hard link)",
            });
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let length = bytes.len() as u64;
        if length > MAX_FILE_BYTES {
            return Err(Error::Odd { place: shown(below), problem: "is larger than 64 MiB" });
        }
        self.bytes += length;
        if self.bytes > MAX_TOTAL_BYTES {
            return Err(Error::TooMuch { limit: MAX_TOTAL_BYTES, what: "bytes" });
        }
        let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        self.found.push(Found { name: parts.join("/"), bytes });
        Ok(())
    }
}

/// Names that could steer a terminal, a shell or another system are not those of verdict files.
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.len() > MAX_NAME_BYTES {
        return Err("has a name that is too long");
    }
    if name.contains(['/', '\\', ':', '\0']) || name == ".." || name == "." {
        return Err("has a name that is a path");
    }
    if visible(name) != name {
        return Err("has a name with control or invisible characters");
    }
    Ok(())
}

/// Opens a file for reading. A link in its place is not followed, and a pipe does not hold us up.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(File::from(open(path, flags, Mode::empty())?))
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// How many names a file has.
#[cfg(unix)]
fn links(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn links(_metadata: &std::fs::Metadata) -> u64 {
    1
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::{Error, MAX_ENTRIES, MAX_FILE_BYTES, MAX_VERDICTS, read};
    use crate::hint::Hint as _;
    use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, path::Path};
    use tempfile::{TempDir, tempdir};

    /// An artifact with one honest verdict, and what `add` puts beside it.
    fn artifact(add: impl FnOnce(&Path)) -> TempDir {
        let folder = tempdir().unwrap();
        fs::write(folder.path().join("verdict.json"), "{}").unwrap();
        add(folder.path());
        folder
    }

    #[track_caller]
    fn refused(add: impl FnOnce(&Path)) -> String {
        let folder = artifact(add);
        let error = read(folder.path()).unwrap_err();
        assert!(error.hint().is_some());
        let text = error.to_string();
        assert!(!text.contains(char::is_control) && text.len() < 600, "{text:?}");
        text
    }

    #[test]
    fn an_honest_artifact_gives_its_verdicts_by_name() {
        let folder = artifact(|path| {
            fs::create_dir_all(path.join("shard-2/out")).unwrap();
            fs::write(path.join("shard-2/out/verdict.json"), "{\"b\":1}").unwrap();
            fs::write(path.join("report.html"), "<html>").unwrap();
        });
        let found = read(folder.path()).unwrap();
        let names: Vec<&str> = found.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["shard-2/out/verdict.json", "verdict.json"]);
        assert_eq!(found[0].bytes, b"{\"b\":1}");
    }

    #[test]
    fn links_are_refused_wherever_they_lead() {
        let secret = tempdir().unwrap();
        fs::write(secret.path().join("secret"), "s").unwrap();
        for target in
            [Path::new("/etc/passwd"), secret.path(), Path::new("verdict.json"), Path::new("nowhere")]
        {
            let text = refused(|path| std::os::unix::fs::symlink(target, path.join("a.json")).unwrap());
            assert_eq!(text, "could not take the artifact: `a.json` is a link");
        }
        let text = refused(|path| fs::hard_link(secret.path().join("secret"), path.join("a.json")).unwrap());
        assert!(text.contains("a second name elsewhere"), "{text}");
    }

    #[test]
    fn pipes_and_sockets_are_refused_without_waiting_for_them() {
        let text = refused(|path| {
            let made = std::process::Command::new("mkfifo").arg(path.join("a.json")).status().unwrap();
            assert!(made.success());
        });
        assert_eq!(text, "could not take the artifact: `a.json` is neither a file nor a folder");
        let text = refused(|path| drop(std::os::unix::net::UnixListener::bind(path.join("a.json")).unwrap()));
        assert!(text.contains("neither a file nor a folder"), "{text}");
    }

    #[test]
    fn what_is_too_much_is_given_up_early() {
        let text = refused(|path| fs::create_dir_all(path.join("a/b/c/d/e")).unwrap());
        assert_eq!(text, "could not take the artifact: `a/b/c/d/e` is a folder that nests too deeply");
        let text = refused(|path| {
            (0..=MAX_ENTRIES).for_each(|at| fs::write(path.join(format!("{at}.txt")), "").unwrap());
        });
        assert!(text.contains("more than 1000 files and folders"), "{text}");
        let text = refused(|path| {
            (0..=MAX_VERDICTS).for_each(|at| fs::write(path.join(format!("{at}.json")), "").unwrap());
        });
        assert!(text.contains("more than 64 verdict files"), "{text}");
        // Sparse: a terabyte that takes no room.
        let text = refused(|path| {
            fs::File::create(path.join("a.json")).unwrap().set_len(MAX_FILE_BYTES << 14).unwrap();
        });
        assert_eq!(text, "could not take the artifact: `a.json` is larger than 64 MiB");
    }

    #[test]
    fn odd_names_are_refused_and_shown_harmlessly() {
        let long = "x".repeat(250) + ".json";
        for name in
            ["a\n.json", "\u{1b}[2J.json", "\u{202e}a.json", "a\\b.json", "c:a.json", "zero\u{200b}.json"]
        {
            let text = refused(|path| fs::write(path.join(name), "").unwrap());
            assert!(text.contains("has a name"), "{name:?}: {text}");
        }
        let text = refused(|path| fs::write(path.join(OsStr::from_bytes(b"\xff\xfe.json")), "").unwrap());
        assert!(text.contains("a name that is no text"), "{text}");
        let folder = artifact(|path| fs::write(path.join(&long), "").unwrap());
        assert_eq!(read(folder.path()).unwrap().len(), 2);
    }

    #[test]
    fn an_artifact_without_verdicts_or_without_a_folder_says_so() {
        let folder = tempdir().unwrap();
        assert!(matches!(read(folder.path()), Err(Error::Empty { .. })));
        assert!(matches!(read(&folder.path().join("gone")), Err(Error::Unreadable { .. })));
    }
}
