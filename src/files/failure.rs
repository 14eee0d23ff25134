//! What went wrong on disk: the step, the path and the system's reason.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::hint::Hint;

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused a step.
    #[error("could not {step} `{}`", .path.display())]
    Step {
        /// What was tried, as a verb: `write`, `sync the folder of`, …
        step: &'static str,
        /// The path it was tried on.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process holds a lock, and the caller did not want to wait for it any longer.
    #[error("`{}` is in use by {holder}", .path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// What its holder wrote about itself.
        holder: String,
    },
}

impl Error {
    /// Makes the error of one step; meant for `map_err`.
    pub fn at(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Step { step, path, source }
    }

    /// The kind of the system's error, if it was one.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Step { source, .. } => Some(source.kind()),
            Self::Held { .. } => None,
        }
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let Self::Step { source, path, .. } = self else {
            return Some("wait for the other run to end, or stop it".into());
        };
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Some(format!("free some space on the disk that holds `{}`", path.display()))
            }
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
                Some(format!("make `{}` writable, or choose another place", path.display()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_step_and_path_and_keeps_the_cause() {
        let error = Error::at("write", Path::new("a/b"))(io::Error::from(ErrorKind::StorageFull));
        assert_eq!(error.to_string(), "could not write `a/b`");
        assert!(std::error::Error::source(&error).is_some());
        assert_eq!(error.hint().as_deref(), Some("free some space on the disk that holds `a/b`"));
    }
}
