//! What can go wrong with stored runs.

use std::path::PathBuf;

use crate::{files, format, git::refs, hint::Hint};

/// Stored runs that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or record cannot be trusted.
    #[error("could not read the stored runs of `{place}`")]
    Broken {
        /// The file, or `refs/tollgate/history:` and the path in it.
        place: String,
        /// What is wrong with it.
        source: format::Error,
    },
    /// A baseline file stands where another one belongs.
    #[error("`{}` holds target `{target}` of environment `{environment}`, which belongs in `{}`", .path.display(), .home.display())]
    Misplaced {
        /// Where it stands.
        path: PathBuf,
        /// Its bench target, escaped.
        target: String,
        /// Its environment key.
        environment: String,
        /// Where it belongs.
        home: PathBuf,
    },
    /// What would be written could not be read again.
    #[error("tollgate has a bug: it would have written `{}` so that it cannot be read, please report; nothing was written", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What would be wrong with it.
        source: format::Error,
    },
    /// A metric changed its meaning under the same name.
    #[error("`{metric}` of benchmark `{benchmark}` is stored in {stored} and was measured in {measured}")]
    Redefined {
        /// The benchmark, escaped.
        benchmark: String,
        /// The metric's name, escaped.
        metric: String,
        /// Unit and direction of the stored runs.
        stored: String,
        /// Unit and direction of the new run.
        measured: String,
    },
    /// The disk refused.
    #[error(transparent)]
    File(#[from] files::Error),
    /// Git refused.
    #[error(transparent)]
    Git(#[from] refs::Error),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Broken { source, .. } => source.hint().or_else(|| {
                Some(
                    "restore it from git (`git checkout -- FILE`), or delete it and run `tollgate baseline save` again"
                        .into(),
                )
            }),
            Self::Misplaced { home, .. } => Some(format!("move it to `{}`, or delete it", home.display())),
            Self::Unreadable { .. } => None,
            Self::Redefined { benchmark, .. } => Some(format!(
                "delete the stored series (`tollgate baseline verify` names its file), or give `{benchmark}` another name"
            )),
            Self::File(error) => error.hint(),
            Self::Git(error) => error.hint(),
        }
    }
}
