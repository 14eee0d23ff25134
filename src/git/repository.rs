//! A repository with a work tree, found from any folder in it.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, RepositoryOpenFlags};

use crate::git::Error;

/// A repository with a work tree and at least one commit.
pub struct Repository {
    inner: git2::Repository,
    root: PathBuf,
    prefix: PathBuf,
}

impl Repository {
    /// Finds the repository around `start`.
    ///
    /// # Errors
    /// When there is none, or it is bare, empty, or owned by somebody whom git does not trust.
    pub fn discover(start: &Path) -> Result<Self, Error> {
        let start = start.canonicalize().map_err(crate::files::Error::at("open the folder", start))?;
        let inner = open(&start)?;
        let Some(root) = inner.workdir() else { return Err(Error::Bare(inner.path().to_owned())) };
        let root = root.canonicalize().map_err(crate::files::Error::at("open the folder", root))?;
        if inner.head().is_err_and(|e| matches!(e.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound)) {
            return Err(Error::Unborn(root));
        }
        let prefix = start.strip_prefix(&root).map(Path::to_owned).unwrap_or_default();
        Ok(Self { inner, root, prefix })
    }

    /// The top folder of its work tree, absolute, without links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the start folder lies below [`Self::root`]; empty at the top.
    #[must_use]
    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// The folder that all its linked worktrees share (`.git`).
    #[must_use]
    pub fn common_folder(&self) -> &Path {
        self.inner.commondir()
    }

    /// Whether its history was cut off by a shallow clone.
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.inner.is_shallow()
    }

    /// Whether the work tree differs from HEAD, but only in files below `folder` (relative to the root): what was stored there
    /// is not part of the code that was measured.
    ///
    /// # Errors
    /// When the status cannot be read.
    pub fn differs_only_below(&self, folder: &Path) -> Result<bool, Error> {
        let mut options = git2::StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true).no_refresh(true);
        let statuses = self
            .inner
            .statuses(Some(&mut options))
            .map_err(self.failed("compare the work tree with HEAD"))?;
        let below =
            |entry: git2::StatusEntry<'_>| entry.path().is_ok_and(|path| Path::new(path).starts_with(folder));
        Ok(!statuses.is_empty() && statuses.iter().all(below))
    }

    /// The libgit2 handle, for the rest of this module.
    pub(in crate::git) fn handle(&self) -> &git2::Repository {
        &self.inner
    }

    /// Names the repository in an error of libgit2.
    pub(in crate::git) fn failed(&self, doing: &'static str) -> impl Fn(git2::Error) -> Error {
        let path = self.root.clone();
        move |source| Error::Read { doing, path: path.clone(), source }
    }
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Repository").field("root", &self.root).field("prefix", &self.prefix).finish()
    }
}

fn open(start: &Path) -> Result<git2::Repository, Error> {
    let none: [&Path; 0] = [];
    git2::Repository::open_ext(start, RepositoryOpenFlags::CROSS_FS, none).map_err(|source| {
        match source.code() {
            ErrorCode::NotFound => Error::NotARepository(start.to_owned()),
            ErrorCode::Owner => Error::OtherOwner(start.to_owned()),
            _ => Error::Read { doing: "open the repository", path: start.to_owned(), source },
        }
    })
}
