//! What can go wrong with a repository, and what its owner can do about it.

use std::path::PathBuf;

use crate::{files, hint::Hint, process};

/// A question about the repository that could not be answered, or a change to it that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no repository around the folder.
    #[error("`{}` is not in a git repository", .0.display())]
    NotARepository(PathBuf),
    /// The repository has no work tree.
    #[error("`{}` is a bare repository: it has no work tree to build", .0.display())]
    Bare(PathBuf),
    /// Nothing has been committed yet.
    #[error("the repository `{}` has no commit yet", .0.display())]
    Unborn(PathBuf),
    /// The repository belongs to another user, so git does not trust its settings.
    #[error("the repository around `{}` belongs to another user", .0.display())]
    OtherOwner(PathBuf),
    /// No commit has this name.
    #[error("there is no revision `{text}`")]
    UnknownRevision {
        /// What was asked for.
        text: String,
        /// Branches and tags with a name like it, the best first; at most three.
        near: Vec<String>,
        /// Whether history was cut off by a shallow clone.
        shallow: bool,
    },
    /// The name stands for something else.
    #[error("`{text}` is a {kind}, not a commit")]
    NotACommit {
        /// What was asked for.
        text: String,
        /// What it is: `tree`, `blob`.
        kind: String,
    },
    /// None of the usual default branches exists.
    #[error("the repository has no default branch to compare with")]
    NoDefaultBranch {
        /// Whether history was cut off by a shallow clone.
        shallow: bool,
    },
    /// Head and the default branch share no commit that is here.
    #[error("{head} and `{branch}` have no common commit{}", if *.shallow { " in this shallow clone" } else { "" })]
    NoMergeBase {
        /// What was asked for.
        head: String,
        /// The default branch.
        branch: String,
        /// Whether history was cut off by a shallow clone.
        shallow: bool,
    },
    /// The first commit has nothing before it.
    #[error("commit {rev} has no parent{} to compare with", if *.shallow { " in this shallow clone" } else { "" })]
    NoParent {
        /// The commit, shortened.
        rev: String,
        /// Whether history was cut off by a shallow clone.
        shallow: bool,
    },
    /// A git command failed.
    #[error("`{line}` {status}{}", stderr_lines(.stderr_tail))]
    Command {
        /// The command without our fixed settings.
        line: String,
        /// `exited with status 128`.
        status: String,
        /// The end of what it said.
        stderr_tail: String,
    },
    /// The repository could not be read.
    #[error("could not {doing} in `{}`", .path.display())]
    Read {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The repository.
        path: PathBuf,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// A child could not be run.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// The disk refused.
    #[error(transparent)]
    Files(#[from] files::Error),
}

fn stderr_lines(tail: &str) -> String {
    if tail.is_empty() { String::new() } else { format!(": {tail}") }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        /// Brings back the whole history, and branches that a narrow clone left out.
        const UNSHALLOW: &str = "run `git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'` (in GitHub Actions: `fetch-depth: 0`)";
        match self {
            Self::NotARepository(_) => Some("run it inside the repository, or name one with `-C DIR`".into()),
            Self::Bare(_) => Some("clone it, and run it in the clone".into()),
            Self::Unborn(_) => Some("commit something first".into()),
            Self::OtherOwner(path) => Some(format!(
                "if you trust it, run `git config --global --add safe.directory {}`",
                path.display()
            )),
            Self::UnknownRevision { near, shallow, .. } => match near.as_slice() {
                _ if *shallow => Some(UNSHALLOW.into()),
                [] => Some("list the names with `git branch --all` and `git tag`, or fetch it first".into()),
                names => Some(format!("did you mean `{}`?", names.join("` or `"))),
            },
            Self::NotACommit { .. } => Some("name a commit, branch or tag".into()),
            Self::NoDefaultBranch { shallow: false } => Some("say what to compare with: `--base REV`".into()),
            Self::NoMergeBase { shallow: false, .. } | Self::NoParent { shallow: false, .. } => {
                Some("say what to compare with: `--base REV`".into())
            }
            Self::NoDefaultBranch { .. } | Self::NoMergeBase { .. } | Self::NoParent { .. } => {
                Some(UNSHALLOW.into())
            }
            Self::Process(error) => error.hint(),
            Self::Files(error) => error.hint(),
            Self::Command { .. } | Self::Read { .. } => None,
        }
    }
}
