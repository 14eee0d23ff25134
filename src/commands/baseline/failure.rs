//! Why a baseline command did nothing.

use crate::{
    commands::failure::Failure,
    files, format,
    git::refs,
    hint::Hint,
    model::outcome::ErrorClass,
    store,
    text::{escape, plural},
};

use super::record::Refused;

/// A baseline command that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository has no work tree, where the reviewed files would stand.
    #[error("the repository is bare, so it has no reviewed baselines")]
    Bare,
    /// A revision that the repository does not know.
    #[error("the repository has no revision `{0}`")]
    UnknownRevision(String),
    /// The measured tree is no commit.
    #[error("the run measured {0}, which is no commit: stored runs must name the commit they stand for")]
    NoCommit(String),
    /// The run says that it measured another commit.
    #[error("the run measured commit `{measured}`, not `{asked}`")]
    OtherCommit {
        /// What the run says.
        measured: String,
        /// What the user says.
        asked: String,
    },
    /// The run's environment key is not that of its factors.
    #[error("the run states environment `{stated}`, but its factors give `{computed}`")]
    WrongKey {
        /// What it says.
        stated: String,
        /// What is true.
        computed: String,
    },
    /// A stored file's environment key is not that of its factors.
    #[error(
        "`{file}` states environment `{stated}`, but its factors give `{computed}`: it was edited by hand or damaged"
    )]
    EditedKey {
        /// The file, from the top of the work tree.
        file: String,
        /// What it says.
        stated: String,
        /// What is true.
        computed: String,
    },
    /// No benchmark of the run can be stored.
    #[error("the run holds nothing to store: {}", reasons(.0))]
    NothingToSave(Vec<Refused>),
    /// Nothing stored fits.
    #[error("nothing stored matches {wanted}")]
    NoMatch {
        /// What was asked for.
        wanted: String,
        /// The stored ids that are most like it.
        similar: Vec<String>,
    },
    /// A glob that cannot be read.
    #[error("`{glob}` is no pattern of benchmark ids")]
    Glob {
        /// The text.
        glob: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// An acceptance without a reason, or with one too long to review.
    #[error("an accepted change needs a reason of 1 to {0} characters")]
    Reason(usize),
    /// Git does not know who the user is.
    #[error("git does not know who accepts the change")]
    Nobody,
    /// A shallow clone cannot tell which commits are gone.
    #[error("this clone is shallow, so commits that seem to be gone may only be missing here")]
    Shallow,
    /// A run file that cannot be trusted.
    #[error("could not read the run")]
    RunFile(#[source] format::Error),
    /// There is no remote to exchange with.
    #[error("the repository has no remote to exchange its history with")]
    NoRemote,
    /// The stored runs could not be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<refs::Error> for Error {
    fn from(error: refs::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.class(), error)
    }
}

impl From<files::Error> for Error {
    fn from(error: files::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Error {
    /// Which part of the work failed: the exit code follows from it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::NothingToSave(_) => ErrorClass::Measurement,
            Self::Store(store::Error::Git(refs::Error::Open { .. } | refs::Error::NoRemote(_))) => {
                ErrorClass::Configuration
            }
            Self::Store(store::Error::File(_) | store::Error::Git(_)) => ErrorClass::Reporting,
            _ => ErrorClass::Configuration,
        }
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Bare => "run it in a clone with a work tree".into(),
            Self::UnknownRevision(_) => "fetch it first, or name a commit that is here".into(),
            Self::NoCommit(_) => {
                "commit the changes and measure again, or say which commit a run file stands for with `--stands-for REV`"
                    .into()
            }
            Self::OtherCommit { .. } => "leave out `--stands-for`".into(),
            Self::Shallow => "fetch all of it first (`git fetch --unshallow`)".into(),
            Self::WrongKey { .. } => "measure again with `tollgate run`: the file was changed".into(),
            Self::EditedKey { file, .. } => {
                format!("restore it (`git checkout -- {file}`); `tollgate baseline verify` finds all that is wrong")
            }
            Self::NothingToSave(_) => {
                format!(
                    "measure at least {} processes a benchmark with `tollgate run`",
                    super::record::MIN_PROCESSES
                )
            }
            Self::NoMatch { similar, .. } if similar.is_empty() => {
                "run `tollgate baseline list` to see what is stored".into()
            }
            Self::NoMatch { similar, .. } => format!("did you mean `{}`?", similar.join("` or `")),
            Self::Glob { .. } => "write one such as `num/*`; `[`, `{`, `*` and `?` are special".into(),
            Self::Reason(_) => "give it with `--reason TEXT`; reviewers will read it".into(),
            Self::Nobody => "give a name with `--by NAME`, or set `user.name` and `user.email` in git".into(),
            Self::RunFile(error) => return error.hint(),
            Self::NoRemote => {
                "add one with `git remote add origin URL`, or name one with `--remote NAME`".into()
            }
            Self::Store(error) => return error.hint(),
        })
    }
}

/// The reasons of what was refused, each once with a few names.
fn reasons(refused: &[Refused]) -> String {
    const MOST_NAMES: usize = 3;
    if refused.is_empty() {
        return "no benchmark was measured".into();
    }
    let names: Vec<String> = refused
        .iter()
        .map(|one| format!("`{}` {}", escape::terminal(one.benchmark.id.as_str()), one.why))
        .collect();
    plural::list(&names, MOST_NAMES)
}
