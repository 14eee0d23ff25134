//! Measuring: two revisions built alike, then their benchmarks in dealt slots.
//!
//! - [`trees`]: the files of both revisions, at paths of equal length outside the repository.
//! - [`side_build`]: the bench executables of one tree, built or from the cache.
//! - [`builds`]: those of both, paired; [`sameness`] says which pairs are the same.

mod build_failure;
pub mod builds;
mod differences;
mod pairing;
pub mod sameness;
pub mod side_build;
pub mod trees;
