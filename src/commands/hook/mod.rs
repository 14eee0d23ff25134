//! `tollgate hook`: the pre-push check, put into a repository and run by git.
//!
//! The check stops a push only for a regression. Whatever else goes wrong (nothing to compare with, a build that fails, a budget that
//! is spent) is told, and the push goes on: a hook that stands in the way gets removed.

mod deadline;
pub mod install;
mod memory;
mod pushed;
pub mod run;
pub mod text;
