//! Why two revisions could not be built.

use crate::{cargo, files, git, hint::Hint, process};

/// A check that ended before anything could be measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A revision or the repository itself.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// Head's code, manifests or toolchain.
    #[error("could not build head {head}: {source}")]
    Head {
        /// What people call it.
        head: String,
        /// Why.
        source: cargo::Error,
    },
    /// Cargo, in a question that is not about one side.
    #[error(transparent)]
    Cargo(#[from] cargo::Error),
    /// The disk refused.
    #[error(transparent)]
    Files(#[from] files::Error),
    /// A `--package` or `--bench` flag that names nothing in base and head.
    #[error("there is no {kind} `{name}` in {}", .sides)]
    UnknownName {
        /// `package` or `bench target`.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// Names like it; at most three.
        near: Vec<String>,
        /// `head`, or `base and head`.
        sides: &'static str,
    },
    /// The tollgate cannot find its own binary, which the compiler wrapper needs.
    #[error("could not find the tollgate binary itself")]
    OwnBinary(#[source] std::io::Error),
    /// The user wants us to stop.
    #[error("interrupted by {0}")]
    Interrupted(&'static str),
}

impl Error {
    /// The signal, when the user wants us to stop.
    #[must_use]
    pub fn interrupted(&self) -> Option<&'static str> {
        match self {
            Self::Interrupted(signal)
            | Self::Git(git::Error::Process(process::Error::Interrupted { signal, .. }))
            | Self::Cargo(cargo::Error::Process(process::Error::Interrupted { signal, .. }))
            | Self::Head {
                source: cargo::Error::Process(process::Error::Interrupted { signal, .. }), ..
            } => Some(signal),
            _ => None,
        }
    }

    /// Whether the user asked for something that is not there, or in the wrong place: a matter of usage, not of measuring.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Git(error) => {
                !matches!(error, git::Error::Command { .. } | git::Error::Process(_) | git::Error::Files(_))
            }
            Self::UnknownName { .. } | Self::Cargo(cargo::Error::Glob { .. }) => true,
            _ => false,
        }
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Git(error) => error.hint(),
            Self::Head { source, .. } | Self::Cargo(source) => source.hint(),
            Self::Files(error) => error.hint(),
            Self::UnknownName { near, .. } => {
                (!near.is_empty()).then(|| format!("did you mean `{}`?", near.join("` or `")))
            }
            Self::OwnBinary(_) | Self::Interrupted(_) => None,
        }
    }
}
