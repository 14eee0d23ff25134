//! Why there are no executables.

use std::path::PathBuf;

use crate::{files, hint::Hint, process};

/// A build, or a question to cargo, that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The compiler or a build script refused the code.
    #[error("{status}{}", block(.errors))]
    Build {
        /// `cargo exited with status 101`.
        status: String,
        /// The compiler's first errors, or the end of what cargo said.
        errors: String,
        /// The whole story.
        log: PathBuf,
    },
    /// `cargo metadata` refused the manifests.
    #[error("{status}{}", block(.stderr_tail))]
    Manifest {
        /// `cargo metadata exited with status 101`.
        status: String,
        /// What it said.
        stderr_tail: String,
    },
    /// No compiler could be asked for its version.
    #[error("`rustc -vV` {status}{}", block(.stderr_tail))]
    Toolchain {
        /// `exited with status 1`.
        status: String,
        /// What it said.
        stderr_tail: String,
    },
    /// Cargo's output could not be understood.
    #[error("could not read the output of `{command}`")]
    Output {
        /// The command.
        command: &'static str,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A glob of package or bench names has a mistake.
    #[error("`{glob}` is not a valid pattern")]
    Glob {
        /// The pattern.
        glob: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// The workspace begins above the repository.
    #[error("the workspace of `{}` has its root outside the repository, in `{}`", .manifest.display(), .root.display())]
    WorkspaceOutside {
        /// The manifest in the repository.
        manifest: PathBuf,
        /// The workspace's root.
        root: PathBuf,
    },
    /// A child could not be run.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// The disk refused.
    #[error(transparent)]
    Files(#[from] files::Error),
}

fn block(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\n{text}") }
}

impl Error {
    /// Whether the tree itself is at fault: the other side may build all the same.
    #[must_use]
    pub fn is_of_the_code(&self) -> bool {
        matches!(
            self,
            Self::Build { .. }
                | Self::Manifest { .. }
                | Self::Toolchain { .. }
                | Self::WorkspaceOutside { .. }
                | Self::Process(process::Error::TimedOut { .. })
        )
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Build { log, .. } => Some(format!("see `{}`", log.display())),
            Self::Toolchain { .. } => Some(
                "install Rust from https://rustup.rs, or the toolchain that the repository asks for".into(),
            ),
            Self::WorkspaceOutside { .. } => {
                Some("add an empty `[workspace]` table to the repository's own `Cargo.toml`".into())
            }
            Self::Process(error) => error.hint(),
            Self::Files(error) => error.hint(),
            Self::Manifest { .. } | Self::Output { .. } | Self::Glob { .. } => None,
        }
    }
}
