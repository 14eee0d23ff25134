//! Why a hook could not be put into a repository or taken out of it.

use std::path::PathBuf;

use crate::{files, git, hint::Hint};

/// A hook that stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody changed our hook.
    #[error("`{}` was made by Tollgate and edited since", .0.display())]
    Edited(PathBuf),
    /// There are two hooks of others.
    #[error("both `{}` and `{}` are hooks of others", .hook.display(), .before.display())]
    BothTaken {
        /// The hook that git runs.
        hook: PathBuf,
        /// The place that it would be renamed to.
        before: PathBuf,
    },
    /// The hook is somebody else's, and the one that ours had taken the place of is still beside it.
    #[error("`{}` is not the hook that Tollgate made, and `{}` waits to be put back", .hook.display(), .before.display())]
    Replaced {
        /// The hook that git runs.
        hook: PathBuf,
        /// The one that ran before ours.
        before: PathBuf,
    },
    /// The folder is that of every repository of the user.
    #[error("git takes the hooks of all your repositories from `{}` (`core.hooksPath`)", .0.display())]
    Shared(PathBuf),
    /// Something that is no file has the name of the hook.
    #[error("`{}` is no file", .0.display())]
    NoFile(PathBuf),
    /// The path of this program cannot stand in a shell script.
    #[error("could not write the path `{}` into a script", .0.display())]
    Path(PathBuf),
    /// Git could not be asked.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// The disk refused.
    #[error(transparent)]
    Files(#[from] files::Error),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Edited(_) => {
                Some("move your lines into `pre-push.pre-tollgate` beside it, which runs first, and remove the edited file".into())
            }
            Self::BothTaken { .. } | Self::Replaced { .. } => {
                Some("keep the one that is needed as `pre-push`, move the other one away, and try again".into())
            }
            Self::Shared(_) => Some(
                "add `tollgate hook run pre-push \"$@\"` to the hook there, or give this repository hooks of its own: \
                 `git config core.hooksPath .git/hooks`"
                    .into(),
            ),
            Self::NoFile(_) => Some("move it away".into()),
            Self::Path(_) => Some("install tollgate at a path that is valid UTF-8 and has no line breaks".into()),
            Self::Git(error) => error.hint(),
            Self::Files(error) => error.hint(),
        }
    }
}
