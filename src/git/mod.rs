//! The user's repository: read with git2, changed only by adding (and removing) linked worktrees with the git
//! program, and by moving refs of our own; [`hooks`] writes where its hooks are, when asked to.
//!
//! - [`repository`]: found from any folder in it.
//! - [`revision`]: texts to commits, and which commit a check compares with when nobody says.
//! - [`snapshot`]: what is in the work tree, without touching index, stash or object store.
//! - [`content`]: files of a commit, read without checking it out.
//! - [`worktree`]: a commit's files somewhere else, removed on drop; with [`submodule`]s and [`lfs`] content.
//! - [`refs`]: refs that hold data beside the code, exchanged with remotes by compare-and-swap.
//! - [`hooks`]: the pre-push hook, put in front of the one that is there and taken away again.
//! - [`push`]: what a push brings, and which commits that is to be compared with.
//! - [`documents`]: whether two commits differ in documents only.
//! - [`command`]: the git program with fixed locale and settings.

pub mod command;
pub mod content;
pub mod documents;
mod failure;
pub mod hooks;
pub mod lfs;
pub mod push;
pub mod refs;
pub mod repository;
pub mod revision;
pub mod snapshot;
pub mod submodule;
pub mod worktree;

pub use failure::Error;
pub use repository::Repository;
