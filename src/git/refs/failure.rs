//! What can go wrong with a ref that holds data, locally and at a remote.

use std::path::PathBuf;

use crate::{files, hint::Hint, process};

/// A failed operation on a data ref.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no repository, or not one that can be read.
    #[error("could not open the git repository of `{}`", .directory.display())]
    Open {
        /// Where it was looked for.
        directory: PathBuf,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// libgit2 could not do a step.
    #[error("could not {step}")]
    Git {
        /// The step, as a verb with its object.
        step: String,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// Other writers moved the ref again and again.
    #[error("`{name}` moved {attempts} times while it was being written")]
    Contended {
        /// The ref.
        name: String,
        /// How often it was tried.
        attempts: usize,
    },
    /// Another process keeps the ref locked.
    #[error("`{name}` is locked by `{}`", .lock.display())]
    Locked {
        /// The ref.
        name: String,
        /// Git's lock file.
        lock: PathBuf,
    },
    /// A write-once file is there already, with other content.
    #[error("`{name}` holds other content at `{path}`")]
    Conflict {
        /// The ref.
        name: String,
        /// The file's path in its tree.
        path: String,
    },
    /// What the ref holds is larger than anything tollgate writes there.
    #[error("`{name}` holds too much: {what}")]
    TooLarge {
        /// The ref.
        name: String,
        /// What is too large.
        what: String,
    },
    /// The repository has no such remote.
    #[error("the repository has no remote `{0}`")]
    NoRemote(String),
    /// The remote refused: rights, a hook, a protected ref.
    #[error("remote `{remote}` refused to {verb} `{name}`: {reason}")]
    Denied {
        /// The remote.
        remote: String,
        /// `read` or `update`.
        verb: &'static str,
        /// The ref.
        name: String,
        /// The remote's words, bounded.
        reason: String,
    },
    /// The remote could not be reached.
    #[error("could not reach remote `{remote}`: {reason}")]
    Unreachable {
        /// The remote.
        remote: String,
        /// Git's words, bounded.
        reason: String,
    },
    /// The git program failed in a way that has no name of its own here.
    #[error("`{command}` {status}: {reason}")]
    Program {
        /// The command line.
        command: String,
        /// How it ended.
        status: process::ExitStatus,
        /// The tail of what it said.
        reason: String,
    },
    /// The git program could not be run to its end.
    #[error("could not run git")]
    Run(#[from] process::Error),
    /// The user wants us to stop.
    #[error("interrupted by {0}; what was recorded is kept in the local repository")]
    Interrupted(&'static str),
    /// The lock between tollgate processes could not be taken.
    #[error(transparent)]
    Lock(#[from] files::Error),
}

impl Error {
    /// Makes the error of a step of libgit2; meant for `map_err`.
    pub(super) fn git(step: impl Into<String>) -> impl FnOnce(git2::Error) -> Self {
        let step = step.into();
        move |source| Self::Git { step, source }
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Open { .. } => "run tollgate inside a git repository, or point to one with `-C DIR`".into(),
            Self::Git { .. } => return None,
            Self::Contended { .. } => "run the command again; what was recorded is kept in the local repository".into(),
            Self::Locked { lock, .. } => {
                format!("when no git command is running, delete `{}` and run the command again", lock.display())
            }
            Self::Conflict { .. } | Self::TooLarge { .. } => "run `tollgate baseline verify`".into(),
            Self::NoRemote(_) => "name one with `--remote NAME`, or add it with `git remote add NAME URL`".into(),
            Self::Denied { verb: "update", .. } => {
                "give the job the right to push (on GitHub `contents: write`); what was recorded is kept in the local \
                 repository"
                    .into()
            }
            Self::Denied { .. } => "give the job the right to read the remote".into(),
            Self::Unreachable { .. } => {
                "check the network and `git remote -v`, then run the command again; what was recorded is kept in the \
                 local repository"
                    .into()
            }
            Self::Program { .. } => "run the command by hand to see all of its output".into(),
            Self::Run(error) => return error.hint(),
            Self::Interrupted(_) => return None,
            Self::Lock(error) => return error.hint(),
        })
    }
}
