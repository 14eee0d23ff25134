//! Measuring: two revisions in paired rounds, or one alone.

mod build_failure;
pub mod builds;
pub mod census;
pub mod command;
pub mod cost;
pub mod criterion;
pub mod lockstep;
pub mod sameness;
pub mod scout;
pub mod side_build;
pub mod slot;
pub mod solo;
pub mod stage;
pub mod subject;
pub mod target;
pub mod trees;
