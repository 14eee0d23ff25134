//! A commit checked out somewhere else: a linked worktree that is removed, with its entry in the repository, on drop.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    files::{self, scratch, tree},
    git::{Error, Repository, command, lfs, revision::Commit, submodule},
    process::Interrupt,
};

/// What a new worktree holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The commit's files, submodules and LFS content included.
    Files,
    /// Nothing but git's own link and an index of the commit: somebody else fills it.
    Nothing,
}

/// A linked worktree with a detached HEAD. Removed with all it holds when this is dropped.
#[derive(Debug)]
pub struct Worktree {
    folder: PathBuf,
    common: PathBuf,
}

/// What could not be brought along.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Absent {
    /// LFS files that are still pointers, relative to the root.
    pub lfs: Vec<PathBuf>,
    /// Submodules whose commit is nowhere, with the reason.
    pub submodules: Vec<(PathBuf, String)>,
}

impl Worktree {
    /// Checks `commit` out at `folder`, which must not exist, absolute and without links.
    ///
    /// # Errors
    /// When git or the disk refuses; what was made is removed again.
    pub fn add(
        repository: &Repository,
        commit: &Commit,
        folder: &Path,
        content: Content,
        interrupt: &Interrupt,
    ) -> Result<(Self, Absent), Error> {
        // Made first, so that it also cleans up after a command that failed half-way.
        let worktree = Self { folder: folder.to_owned(), common: repository.common_folder().to_owned() };
        let add = command::git(repository.root())
            .args(["worktree", "add", "--quiet", "--detach", "--no-checkout", "--"])
            .args([folder.as_os_str().to_owned()])
            .args([commit.rev.as_str()]);
        command::run(&add, interrupt)?;
        let absent = match content {
            Content::Files => worktree.check_out(repository, commit, interrupt)?,
            Content::Nothing => {
                command::run(&command::git(folder).args(["read-tree", "HEAD"]), interrupt)?;
                Absent::default()
            }
        };
        Ok((worktree, absent))
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn check_out(
        &self,
        repository: &Repository,
        commit: &Commit,
        interrupt: &Interrupt,
    ) -> Result<Absent, Error> {
        let reset = command::git(&self.folder).args(lfs::POINTERS_ONLY).args(["reset", "--quiet", "--hard"]);
        command::run(&reset, interrupt)?;
        let paths = tree::list(&self.folder, &|_| false)?;
        let lfs = lfs::fill(&self.folder, &paths, repository.common_folder(), repository.root(), interrupt)?;
        let submodules = submodule::check_out_all(repository, commit, &self.folder, interrupt)?;
        Ok(Absent { lfs, submodules })
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        // A destructor cannot report; the next start sweeps what is left.
        drop(scratch::remove(&self.folder));
        drop(forget(&self.common, &self.folder));
    }
}

/// Removes the entries of linked worktrees at or below `folder` from the repository, and returns how many there were.
///
/// Only the entries: the folders are the caller's. Unlike `git worktree prune` it leaves the user's own worktrees alone,
/// which may be on a disk that is not mounted right now.
///
/// # Errors
/// When an entry cannot be removed.
pub fn sweep(repository: &Repository, folder: &Path) -> Result<usize, Error> {
    Ok(forget(repository.common_folder(), folder)?)
}

fn forget(common: &Path, folder: &Path) -> Result<usize, files::Error> {
    let entries = common.join("worktrees");
    let mut removed = 0;
    for entry in fs::read_dir(&entries).into_iter().flatten().flatten() {
        if linked_folder(&entry.path()).is_some_and(|linked| linked.starts_with(folder)) {
            scratch::remove(&entry.path())?;
            removed += 1;
        }
    }
    if removed > 0 {
        // Git itself removes the folder with its last entry; it fails, as it should, while there is another one.
        drop(fs::remove_dir(&entries));
    }
    Ok(removed)
}

/// The folder that an entry stands for: `gitdir` names the `.git` file in it.
fn linked_folder(entry: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(entry.join("gitdir")).ok()?;
    let link = entry.join(text.trim_end_matches(['\n', '\r']));
    let folder = normalise(link.parent()?);
    // The folder may be gone; its parent's links are resolved where it is there.
    match folder.parent().and_then(|parent| parent.canonicalize().ok()) {
        Some(parent) => Some(parent.join(folder.file_name()?)),
        None => Some(folder),
    }
}

/// Takes `.` and `..` out of a path without asking the disk.
#[must_use]
pub fn normalise(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            Component::ParentDir if normal.has_root() => {}
            other => normal.push(other),
        }
    }
    normal
}
