//! Measuring: two revisions in paired rounds, or one alone.

pub mod criterion;
pub mod slot;
pub mod target;
