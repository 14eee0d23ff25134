//! Measuring: two revisions in paired rounds, or one alone.

pub mod census;
pub mod command;
pub mod cost;
pub mod criterion;
pub mod lockstep;
pub mod scout;
pub mod slot;
pub mod solo;
pub mod stage;
pub mod subject;
pub mod target;
//! Measuring: two revisions built alike, then their benchmarks in dealt slots.
//!
//! - [`trees`]: the files of both revisions, at paths of equal length outside the repository.
//! - [`side_build`]: the bench executables of one tree, built or from the cache.
//! - [`builds`]: those of both, paired; [`sameness`] says which pairs are the same.

mod build_failure;
pub mod builds;
pub mod sameness;
pub mod side_build;
pub mod trees;
